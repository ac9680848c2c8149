"""Requirements through the doors a user has: the magics, the function, the shell command."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

import colab_magics
from colab_magics import RequirementNotMet, RequirementSyntaxError
from fake_nvml import FakeDriver

Plug = Callable[..., FakeDriver]

pytestmark = pytest.mark.usefixtures("ordinary_machine")


@pytest.fixture
def loaded(shell: InteractiveShell) -> InteractiveShell:
    shell.run_cell("%load_ext colab_magics").raise_error()
    return shell


@pytest.mark.parametrize("magic", ["gpu_info", "ram_info", "runtime_status"])
def test_a_requirement_that_holds_changes_nothing(magic: str, loaded: InteractiveShell, plug_in: Plug) -> None:
    plug_in("t4")
    result = loaded.run_cell(f'%{magic} -r "gpu=T4|L4, vram>=15, ram>=1"')

    assert result.success
    assert len(loaded.display_pub.outputs) == 1


@pytest.mark.parametrize("magic", ["gpu_info", "ram_info", "runtime_status"])
def test_a_requirement_that_does_not_hold_stops_the_cell_and_shows_no_report(
    magic: str, loaded: InteractiveShell, plug_in: Plug, capsys: pytest.CaptureFixture[str]
) -> None:
    plug_in("t4")
    result = loaded.run_cell(f"%{magic} -q -r 'gpu=A100'\nprint('not reached')")
    shown = "".join(capsys.readouterr())

    assert isinstance(result.error_in_exec, RequirementNotMet)
    assert "not reached" not in shown
    assert "gpu = A100" in shown
    assert "Tesla T4" in shown
    assert "Traceback" not in shown
    assert loaded.display_pub.outputs == []


def test_quiet_says_nothing_of_a_requirement_that_holds(
    loaded: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    assert loaded.run_cell("%runtime_status -q -r python>=3.11").success
    assert capsys.readouterr() == ("", "")
    assert loaded.display_pub.outputs == []


@pytest.mark.parametrize("quote", ['"', "'", ""])
def test_one_pair_of_quotes_is_taken_off(quote: str, loaded: InteractiveShell) -> None:
    assert loaded.run_cell(f"%ram_info -q -r {quote}ram>=0.1{quote}").success


def test_a_mistake_in_the_expression_is_one_line_that_points_at_the_place(
    loaded: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    result = loaded.run_cell('%gpu_info -r "vramm>=15"')
    shown = "".join(capsys.readouterr())

    assert type(result.error_in_exec) is UsageError
    assert shown.count("\n") == 1
    assert "vramm" in shown


def test_strict_goes_with_a_requirement(loaded: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    assert type(loaded.run_cell("%gpu_info --strict").error_in_exec) is UsageError
    assert "--strict goes with -r" in "".join(capsys.readouterr())


def test_what_cannot_be_told_passes_unless_strict(loaded: InteractiveShell, plug_in: Plug) -> None:
    plug_in("t4", "fail nvmlInitWithFlags = 9")

    assert loaded.run_cell('%gpu_info -q -r "vram>=15"').success
    assert isinstance(loaded.run_cell('%gpu_info -q -r "vram>=15" --strict').error_in_exec, RequirementNotMet)


def test_a_failure_is_said_in_the_user_s_language(loaded: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    loaded.run_cell('%config ColabMagics.language = "zh-CN"')
    loaded.run_cell("%gpu_info -q -r gpu")

    assert "未满足" in "".join(capsys.readouterr()) or "不满足" in "".join(capsys.readouterr())


def test_the_function_raises_and_prints_nothing(plug_in: Plug, capsys: pytest.CaptureFixture[str]) -> None:
    plug_in("t4")
    colab_magics.require("gpu=T4")
    with pytest.raises(RequirementNotMet, match="A100"):
        colab_magics.require("gpu=A100")
    with pytest.raises(RequirementSyntaxError, match="gpuu"):
        colab_magics.require("gpuu")

    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("expression", "code", "said"), [("gpu=T4", 0, ""), ("gpu=A100", 1, "A100"), ("gpuu=T4", 2, "gpuu")]
)
def test_the_shell_command_tells_by_its_exit_code(
    expression: str, code: int, said: str, tmp_path: Path, plug_in: Plug
) -> None:
    plug_in("t4")
    done = subprocess.run(
        [sys.executable, "-m", "colab_magics", "--require", expression],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
def a_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    cells = ["%load_ext colab_magics", '%runtime_status -q -r "gpu=A100"', "print('not reached')"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return notebook


@pytest.mark.slow
def test_a_notebook_that_is_run_whole_stops_at_the_requirement(a_notebook: Any) -> None:
    with pytest.raises(CellExecutionError) as stopped:
        NotebookClient(a_notebook, timeout=60).execute()
    outputs = [cell.outputs for cell in a_notebook.cells]

    assert stopped.value.ename == "RequirementNotMet"
    assert outputs[2] == []
    (error,) = outputs[1]
    assert error.output_type == "error"
    assert "gpu = A100" in "\n".join(error.traceback)
    assert "File" not in "\n".join(error.traceback)


def completions(shell: InteractiveShell, text: str) -> set[str]:
    """Press Tab after a text, as ipykernel and the terminal do."""
    with provisionalcompleter():
        return {completion.text for completion in shell.Completer.completions(text, len(text))}


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("%gpu_info --j", {"--json"}),
        ("%ram_info --str", {"--strict"}),
        ("%runtime_status --req", {"--require"}),
        ('%gpu_info -r "vr', {"vram", "vram_free"}),
        ('%gpu_info -r "ram>=20, di', {"disk"}),
        ('%gpu_info -r "gpu=A', {"A100"}),
        ('%gpu_info -r "gpu=A100|L', {"L4"}),
        ('%gpu_info -r "tpu=v5', {"v5e-1"}),
    ],
)
def test_tab_offers_options_keys_and_accelerators(typed: str, offered: set[str], loaded: InteractiveShell) -> None:
    assert offered <= completions(loaded, typed)


def test_tab_offers_the_gpus_that_were_seen(loaded: InteractiveShell, plug_in: Plug) -> None:
    plug_in("eight-a100")
    loaded.run_cell("%gpu_info -q")

    assert "7" in completions(loaded, "%gpu_info 7")


def test_after_unloading_tab_offers_nothing_of_ours(loaded: InteractiveShell) -> None:
    loaded.run_cell("%unload_ext colab_magics")

    assert "--json" not in completions(loaded, "%gpu_info --j")
