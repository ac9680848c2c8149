"""Loading, reloading and unloading: the shell afterwards is the shell before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psutil
import pytest
from IPython.core.interactiveshell import InteractiveShell

import colab_magics
from colab_magics.observer import client

NAMES = {"gpu_info", "ram_info", "runtime_status"}


def state(shell: InteractiveShell) -> dict[str, Any]:
    """Take down everything that an extension could leave behind in a shell."""
    manager = shell.magics_manager
    return {
        "line magics": {name: id(magic) for name, magic in manager.magics["line"].items()},
        "cell magics": {name: id(magic) for name, magic in manager.magics["cell"].items()},
        "registry": {name: id(owner) for name, owner in manager.registry.items()},
        "configurables": [id(one) for one in shell.configurables],
        "events": {name: list(callbacks) for name, callbacks in shell.events.callbacks.items()},
        "transformers": list(shell.input_transformers_cleanup),
        "completers": {name: dict(dispatch.strs) for name, dispatch in shell.strdispatchers.items()},
        "matchers": [*shell.Completer.custom_matchers, *shell.Completer.magic_arg_matchers],
        "formatters": {
            mimetype: (set(formatter.type_printers), dict(formatter.deferred_printers))
            for mimetype, formatter in (
                *shell.display_formatter.formatters.items(),
                ("bundles", shell.display_formatter.mimebundle_formatter),
            )
        },
        "config": {name: dict(section) for name, section in shell.config.items()},
        "children": {child.pid for child in psutil.Process().children()},
        "variables": set(shell.user_ns),
    }


def run(shell: InteractiveShell, line: str) -> Any:
    result = shell.run_cell(line)
    result.raise_error()
    return result.result


@pytest.fixture(autouse=True)
def extension_magics_used_before(shell: InteractiveShell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use IPython's own magics once: newer versions make them when they are first called."""
    (tmp_path / "an_extension.py").write_text(
        "def load_ipython_extension(_): pass\ndef unload_ipython_extension(_): pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    for line in ("load_ext an_extension", "reload_ext an_extension", "unload_ext an_extension"):
        run(shell, f"%{line}")
    run(shell, "%config HistoryManager.enabled")


def test_loading_is_silent_and_starts_nothing(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    before = state(shell)
    run(shell, "%load_ext colab_magics")

    assert set(state(shell)["line magics"]) - set(before["line magics"]) == NAMES
    assert state(shell)["children"] == before["children"]
    after = state(shell)["events"]
    ours = {name: [call for call in calls if call not in before["events"][name]] for name, calls in after.items()}
    assert {name: len(calls) for name, calls in ours.items() if calls} == {"post_run_cell": 1}  # explains errors
    assert state(shell)["variables"] == before["variables"]
    assert shell.display_pub.outputs == []
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(["%load_ext colab_magics", "%unload_ext colab_magics"], id="load, unload"),
        pytest.param(["%load_ext colab_magics"] * 2 + ["%unload_ext colab_magics"], id="load twice, unload"),
        pytest.param(
            ["%load_ext colab_magics"] + ["%reload_ext colab_magics"] * 2 + ["%unload_ext colab_magics"],
            id="reload twice, unload",
        ),
        pytest.param(
            ["%load_ext colab_magics", "%runtime_status", "_ = %gpu_info -o", "_", "%unload_ext colab_magics"],
            id="used, unload",
        ),
        pytest.param(
            ["%load_ext colab_magics", "import colab_magics", "colab_magics.load_ipython_extension(get_ipython())",
             "%unload_ext colab_magics"],
            id="loaded by hand too",
        ),
        pytest.param(
            ["%load_ext colab_magics", "%unload_ext colab_magics", "import colab_magics",
             "colab_magics.unload_ipython_extension(get_ipython())"],
            id="unloaded by hand too",
        ),
    ],
)  # fmt: skip
def test_after_unloading_the_shell_is_as_it_was(shell: InteractiveShell, lines: list[str]) -> None:
    before = state(shell)
    for line in lines:
        run(shell, line)

    after = state(shell)
    del before["variables"], after["variables"]
    assert after == before


def test_reloading_leaves_one_of_everything(shell: InteractiveShell) -> None:
    for line in ("%load_ext colab_magics", "%reload_ext colab_magics", "%reload_ext colab_magics"):
        run(shell, line)

    assert [type(one).__name__ for one in shell.configurables].count("ColabMagics") == 1
    assert {name for name in shell.magics_manager.magics["line"] if name in NAMES} == NAMES
    assert [matcher.__module__ for matcher in state(shell)["matchers"]].count("colab_magics.magics") == 1


def test_unloading_ends_the_child(shell: InteractiveShell) -> None:
    run(shell, "%load_ext colab_magics")
    run(shell, "%gpu_info -q")
    child = client.pid()
    assert child is not None
    assert psutil.pid_exists(child)
    run(shell, "%unload_ext colab_magics")

    assert not psutil.pid_exists(child)


def test_a_magic_that_was_there_before_comes_back(shell: InteractiveShell) -> None:
    def own(line: str) -> str:
        return f"mine {line}"

    shell.register_magic_function(own, "line", "gpu_info")
    run(shell, "%load_ext colab_magics")
    assert run(shell, "%gpu_info -q") is None
    run(shell, "%reload_ext colab_magics")
    run(shell, "%unload_ext colab_magics")

    assert run(shell, "%gpu_info x") == "mine x"


def test_settings_survive_a_reload(shell: InteractiveShell) -> None:
    run(shell, "%load_ext colab_magics")
    run(shell, "%config ColabMagics.driver_deadline_seconds = 5.5")
    run(shell, "%reload_ext colab_magics")
    run(shell, "%reload_ext colab_magics")

    assert run(shell, "%config ColabMagics.driver_deadline_seconds") == 5.5


def test_a_setting_put_back_to_its_default_stays_put_back(shell: InteractiveShell) -> None:
    run(shell, "%load_ext colab_magics")
    for value in ("5.5", "3.0"):
        run(shell, f"%config ColabMagics.driver_deadline_seconds = {value}")
        run(shell, "%reload_ext colab_magics")

    assert run(shell, "%config ColabMagics.driver_deadline_seconds") == 3.0


def test_the_users_configuration_is_read(shell: InteractiveShell) -> None:
    shell.config.ColabMagics.driver_deadline_seconds = 7.0
    run(shell, "%load_ext colab_magics")

    assert run(shell, "%config ColabMagics.driver_deadline_seconds") == 7.0


def test_a_bad_setting_in_the_configuration_is_one_line_and_can_be_healed(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.config.ColabMagics.driver_deadline_seconds = -1
    shell.run_cell("%load_ext colab_magics")
    shown = "".join(capsys.readouterr())
    assert shown.startswith("UsageError: colab_magics:")
    assert shown.count("\n") == 1
    assert "driver_deadline_seconds" in shown
    assert not [one for one in shell.configurables if type(one).__name__ == "ColabMagics"]

    shell.config.ColabMagics.driver_deadline_seconds = 2.0
    run(shell, "%load_ext colab_magics")
    assert run(shell, "%config ColabMagics.driver_deadline_seconds") == 2.0


def test_the_version_is_the_installed_one() -> None:
    from importlib.metadata import version

    assert colab_magics.__version__ == version("colab_magics")
