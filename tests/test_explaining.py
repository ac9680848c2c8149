from __future__ import annotations

import builtins
import errno
import gc
import json
import os
import subprocess
import sys
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from colab_magics import exhaustion, explaining, report
from colab_magics.model.cells import Memory
from notebooks import Notebook
from stand_ins import RAISING, put_stand_ins

OUT_OF_RAM = "The cell has run out of RAM."
TOO_MUCH = "bytearray(10**17)"


@pytest.fixture
def loaded(shell: InteractiveShell, ordinary_machine: None, monkeypatch: pytest.MonkeyPatch) -> InteractiveShell:
    # pytest forgets the last error when a test is called: another may then get its place in memory, and its identity.
    for name in ("last_type", "last_value", "last_traceback", "last_exc"):
        monkeypatch.delattr(sys, name, raising=False)
    shell.run_line_magic("load_ext", "colab_magics")
    return shell


def shown(shell: Any) -> list[str]:
    """Return what is displayed, and forget it."""
    texts = [output["data"]["text/plain"] for output in shell.display_pub.outputs]
    shell.display_pub.outputs.clear()
    return texts


def callbacks(shell: Any) -> list[Any]:
    return [one for one in shell.events.callbacks["post_run_cell"] if "explain" in repr(one)]


def test_an_error_for_want_of_memory_is_explained_below_the_cell(loaded: InteractiveShell) -> None:
    loaded.run_cell(TOO_MUCH)

    (text,) = shown(loaded)
    assert text.startswith(f"{OUT_OF_RAM} ")
    assert "can still be allocated" in text
    assert "1 %ram_info -f   2 del what you no longer need" in text


def test_the_explanation_is_html_too_and_in_the_language_that_was_chosen(loaded: Any) -> None:
    loaded.run_line_magic("config", "ColabMagics.language = 'zh-CN'")
    loaded.run_cell(TOO_MUCH)

    (output,) = loaded.display_pub.outputs
    assert output["data"]["text/plain"].startswith("这个单元格用尽了内存。")
    assert output["data"]["text/html"].startswith('<div class="colab-magics" lang="zh-CN">')
    assert "这个单元格用尽了内存" in output["data"]["text/html"]


def test_other_errors_and_none_are_left_alone(loaded: InteractiveShell) -> None:
    for code in (
        "1 + 1",
        "1 / 0",
        "raise ValueError('MemoryError')",
        "%no_such_magic",
        "def",
        "raise KeyboardInterrupt",
    ):
        loaded.run_cell(code)

    assert shown(loaded) == []


def test_what_the_functions_on_the_way_held_is_told(loaded: InteractiveShell) -> None:
    loaded.run_cell(
        "def load(size):\n    batch = bytearray(size)\n    return keep(batch)\n"
        f"def keep(rows):\n    copy = bytes(rows)\n    return {TOO_MUCH}\n"
        "load(40 * 2**20)"
    )

    (text,) = shown(loaded)
    assert "What holds RAM here:" in text
    held = [line.split() for line in text.split("\n")]
    assert ["batch", "in", "load()", "bytearray", "40", "MiB"] in held
    assert ["copy", "in", "keep()", "bytes", "40", "MiB"] in held


def test_the_variable_to_delete_is_named(loaded: InteractiveShell) -> None:
    loaded.run_cell(f"big = bytearray(64 * 2**20)\n{TOO_MUCH}")

    assert "2 del big" in shown(loaded)[0]


def test_a_magic_that_shows_the_error_by_itself_hides_nothing(loaded: InteractiveShell, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(TOO_MUCH)
    for code in (f"%%time\n{TOO_MUCH}", f"%time {TOO_MUCH}", f"%run {script}"):
        loaded.run_cell(code)
        assert len(shown(loaded)) == 1, code


def test_an_error_that_two_cells_fail_by_is_explained_once(loaded: InteractiveShell) -> None:
    loaded.run_cell(f"get_ipython().run_cell({TOO_MUCH!r}).raise_error()")

    assert len(shown(loaded)) == 1


def test_every_error_is_explained_however_alike_they_are(loaded: InteractiveShell) -> None:
    for _ in range(3):
        loaded.run_cell(TOO_MUCH)
        loaded.run_cell("1 + 1")

    assert len(shown(loaded)) == 3


def test_an_error_of_before_the_magics_were_loaded_is_not_explained(shell: InteractiveShell) -> None:
    shell.run_cell(TOO_MUCH)
    shell.run_line_magic("load_ext", "colab_magics")
    shell.run_cell("1 + 1")

    assert shown(shell) == []


def test_a_handler_of_the_user_s_for_such_errors_does_not_hide_them(loaded: Any) -> None:
    loaded.set_custom_exc((MemoryError,), lambda *_arguments, **_options: None)
    loaded.run_cell(TOO_MUCH)

    assert len(shown(loaded)) == 1


def test_reloading_does_not_double_it_and_unloading_ends_it(loaded: InteractiveShell) -> None:
    loaded.run_line_magic("reload_ext", "colab_magics")
    loaded.run_line_magic("load_ext", "colab_magics")
    assert len(callbacks(loaded)) == 1

    loaded.run_line_magic("unload_ext", "colab_magics")
    assert callbacks(loaded) == []

    loaded.run_cell(TOO_MUCH)
    assert shown(loaded) == []


def test_where_the_list_of_callbacks_was_cleared_unloading_works(loaded: Any) -> None:
    loaded.events.callbacks["post_run_cell"].clear()

    loaded.run_line_magic("unload_ext", "colab_magics")


def test_the_explanation_keeps_nothing_of_the_cell_alive(loaded: Any) -> None:
    loaded.run_cell(
        "class Data(bytearray):\n    pass\n"
        "def train():\n    batch = Data(2**21)\n    import weakref\n    held.append(weakref.ref(batch))\n"
        f"    {TOO_MUCH}\n"
        "held = []\ntrain()"
    )
    (held,) = loaded.user_ns["held"]
    assert isinstance(held, weakref.ref)
    assert held() is not None  # by the last error's traceback

    sys.last_traceback.tb_next = None
    gc.collect()
    assert held() is None


def test_one_that_breaks_switches_itself_off_with_one_line(
    loaded: InteractiveShell, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def breaks(*_arguments: object) -> None:
        raise LookupError("/home/somebody")

    monkeypatch.setattr(exhaustion, "recognised", breaks)
    loaded.run_cell("1 / 0")
    said = "colab_magics explains no more errors in this session: that failed (LookupError)."
    assert capsys.readouterr().err.splitlines().count(said) == 1

    monkeypatch.undo()
    assert callbacks(loaded) == []
    loaded.run_cell(TOO_MUCH)
    assert shown(loaded) == []


@pytest.mark.parametrize(
    "error", [MemoryError, SystemError, OSError(errno.ENOMEM, "no memory"), KeyboardInterrupt], ids=repr
)
def test_where_there_is_no_memory_left_for_it_it_says_nothing(
    loaded: InteractiveShell,
    error: type[BaseException] | OSError,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def breaks(*_arguments: object, **_options: object) -> None:
        raise error

    with monkeypatch.context() as changed:
        changed.setattr(report, "out_of_memory", breaks)
        loaded.run_cell(TOO_MUCH)
    assert shown(loaded) == []
    assert "colab_magics" not in capsys.readouterr().err

    loaded.run_cell(TOO_MUCH)
    assert len(shown(loaded)) == 1


def test_where_even_its_import_fails_it_says_nothing(loaded: InteractiveShell, monkeypatch: pytest.MonkeyPatch) -> None:
    python_s = builtins.__import__

    def fails(name: str, *arguments: Any, **options: Any) -> Any:
        if name == "colab_magics" and arguments[2:3] == (("explaining",),):
            raise MemoryError
        return python_s(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", fails)
    loaded.run_cell(TOO_MUCH)

    assert shown(loaded) == []
    assert len(callbacks(loaded)) == 1


def test_it_costs_a_cell_next_to_nothing(loaded: Any) -> None:
    (called,) = callbacks(loaded)

    class Result:
        error_in_exec = None

    rounds = []
    for _ in range(20):
        began = time.perf_counter()
        for _ in range(100):
            called(Result)
        rounds.append((time.perf_counter() - began) / 100)

    assert min(rounds) < 100e-6  # a few microseconds, mostly; a hook may take 0.15 ms


def test_it_is_imported_only_once_something_has_failed() -> None:
    code = (
        "import sys; from IPython.core.interactiveshell import InteractiveShell as Shell; shell = Shell.instance();"
        "shell.run_line_magic('load_ext', 'colab_magics'); shell.run_cell('1 + 1');"
        "print({name for name in sys.modules if 'colab_magics.ex' in name})"
    )
    environment = {**os.environ, "IPYTHONDIR": "/nonexistent"}
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)

    assert seen.stdout.split("\n")[-2] == "set()"


def test_the_report_is_json_as_every_other(ordinary_machine: None) -> None:
    ran_out = exhaustion.recognised(MemoryError())
    assert ran_out is not None
    said = json.loads(report.out_of_memory(ran_out, shell=None, shell_class=None).to_json())

    assert said["subject"] == "out_of_memory"
    assert said["out_of_memory"]["memory"] == Memory.RAM
    assert said["findings"][0]["rule"] == "out_of_ram"
    assert said["findings"][0]["steps"][0] == "%ram_info -f"
    assert said["holders"]["looked_at"] >= 0


def test_explaining_takes_no_longer_than_anybody_notices(loaded: InteractiveShell) -> None:
    loaded.run_cell(TOO_MUCH)  # which imports what it needs
    loaded.run_cell("many = [{'key': [number]} for number in range(200_000)]")
    error = MemoryError()
    began = time.process_time()
    explaining.explain(error, loaded, language="en")

    assert time.process_time() - began < 0.5  # a fiftieth of a second, mostly
    assert len(shown(loaded)) == 2


# In real kernels ----------------------------------------------------------------------------------------------------


def test_in_a_kernel_it_comes_after_the_traceback(open_notebook: Callable[..., Notebook]) -> None:
    notebook = open_notebook()

    answer = notebook.run(TOO_MUCH)
    assert (answer.status, answer.error) == ("error", "MemoryError")
    (bundle,) = answer.shown
    assert bundle["text/plain"].startswith(OUT_OF_RAM)
    assert set(bundle) == {"text/plain", "text/html"}
    assert notebook.run("1 + 1").status == "ok"

    captured = notebook.run(f"%%capture\n{TOO_MUCH}")
    assert captured.shown == []


def test_in_a_kernel_with_little_memory_it_explains_or_keeps_silent(open_notebook: Callable[..., Notebook]) -> None:
    notebook = open_notebook()
    notebook.run("import resource, os")
    notebook.run(
        "used = int(open('/proc/self/statm').read().split()[0]) * os.sysconf('SC_PAGESIZE')\n"
        "resource.setrlimit(resource.RLIMIT_AS, (used + 256 * 2**20, -1))"
    )

    answer = notebook.run(
        "def load():\n    parts = []\n    while True:\n        parts.append(bytearray(2**23))\nload()"
    )
    assert answer.error == "MemoryError"
    assert all(bundle["text/plain"].startswith(OUT_OF_RAM) for bundle in answer.shown)
    assert "colab_magics" not in answer.streams["stderr"]

    lifted = notebook.run("resource.setrlimit(resource.RLIMIT_AS, (-1, -1))\n1 + 1")
    assert lifted.status == "ok"
    (bundle,) = notebook.run(TOO_MUCH).shown
    assert bundle["text/plain"].startswith(OUT_OF_RAM)


@pytest.mark.libraries
def test_numpy_s_errors_in_a_kernel_tell_the_array(open_notebook: Callable[..., Notebook]) -> None:
    pytest.importorskip("numpy", reason="numpy is installed by nox -s tests_libraries alone")
    notebook = open_notebook()

    (bundle,) = notebook.run("import numpy as np\nnp.ones((10**6, 10**8))").shown
    assert "745058.1 GiB (float64 1000000 x 100000000) asked for" in bundle["text/plain"]


@pytest.mark.parametrize("framework", RAISING)
def test_a_framework_s_error_in_a_kernel_is_explained(
    framework: str, open_notebook: Callable[..., Notebook], tmp_path: Path
) -> None:
    notebook = open_notebook()
    notebook.run(f"import sys; sys.path.insert(0, {str(put_stand_ins(tmp_path / 'site'))!r})")

    (bundle,) = notebook.run(RAISING[framework]).shown
    lines = bundle["text/plain"].split("\n")
    assert lines[0].startswith("The cell has run out of GPU memory.")
    if framework == "torch":
        assert lines[1] == "4.0 GiB asked for, 3.1 of 14.7 GiB were free, cuda:0."
        assert "torch.cuda.empty_cache()" in bundle["text/plain"]
        assert lines[-1] == "torch on cuda:0: 9.0 GiB allocated, 2.0 GiB kept for later (cache)."


@pytest.mark.slow
def test_a_run_of_all_cells_still_stops_at_the_error(tmp_path: Path) -> None:
    cells = ["%load_ext colab_magics", TOO_MUCH, "print('went on')"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    client = NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": tmp_path}})

    with pytest.raises(CellExecutionError):
        client.execute()

    kinds = [output["output_type"] for output in notebook.cells[1]["outputs"]]
    assert sorted(kinds) == ["display_data", "error"]
    assert notebook.cells[2]["outputs"] == []
