"""Measured cells in real kernels, as a notebook's page and as programs run them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from notebooks import Notebook

pytestmark = pytest.mark.slow

TOUCHED = """
import asyncio, ctypes, mmap, threading, time
def touched(size, library=ctypes.CDLL):
    memory = mmap.mmap(-1, size)
    start = ctypes.c_char.from_buffer(memory)
    library(None).memset(ctypes.byref(start), 1, ctypes.c_size_t(size))
    time.sleep(0.001)
    del start
    memory.close()
SIZE = 500 * 2**20
async def later():
    await asyncio.sleep(0)
    touched(SIZE)
touched(2**20)
"""


def reports(answer: Any) -> list[str]:
    """Return the reports on cells that were displayed, as text."""
    shown = [data["text/plain"] for data in answer.shown]
    return [text for text in shown if text.startswith(("Took ", "Failed, took "))]


@pytest.fixture
def notebook(open_notebook: Callable[..., Notebook]) -> Notebook:
    return open_notebook()


def test_the_report_follows_what_the_cell_shows(notebook: Notebook) -> None:
    answer = notebook.run("%%runtime_status\nprint('said')\n6 * 7")
    value, report = answer.shown

    assert answer.status == "ok"
    assert answer.stdout == "said\n"
    assert value["text/plain"] == "42"
    assert report["text/plain"].startswith("Took ")
    assert 'class="cm-bars"' in report["text/html"]


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ("1 / 0", "error", "ZeroDivisionError"),
        ("import asyncio\nawait asyncio.sleep(0.01)\n1 / 0", "error", "ZeroDivisionError"),
        ("import sys\nsys.exit(3)", "error", "SystemExit"),
        ("raise KeyboardInterrupt", "error", "KeyboardInterrupt"),
        ('%ram_info -q -r "python>=99"', "error", "RequirementNotMet"),
        ("%ram_info --bogus", "error", None),
        ("import asyncio\nawait asyncio.sleep(0.01)", "ok", None),
        ("%%capture kept\nprint(1)", "ok", None),
        ("%%bash\ntrue", "ok", None),
        ("!true", "ok", None),
        ("from __future__ import annotations", "ok", None),
        ("get_ipython().run_cell('1 / 0')\n1;", "ok", "ZeroDivisionError"),
    ],
)
def test_a_cell_ends_as_it_would_by_itself(body: str, status: str, error: str | None, notebook: Notebook) -> None:
    answer = notebook.run(f"%%runtime_status\n{body}")
    (report,) = reports(answer)

    assert answer.status == status
    assert answer.error == error
    assert report.startswith("Failed, took " if status == "error" else "Took ")


def test_a_syntax_error_is_where_the_editor_shows_it_and_nothing_is_measured(notebook: Notebook) -> None:
    answer = notebook.run("%%runtime_status\nx = 1\nx = = 2")

    assert answer.error == "SyntaxError"
    assert "line 3" in re.sub(r"\x1b\[[\d;]*m", "", "\n".join(answer.traceback))
    assert reports(answer) == []


def test_a_wrong_option_is_one_line_and_the_cell_does_not_run(notebook: Notebook) -> None:
    answer = notebook.run("%%runtime_status -w\nprint('not reached')")

    assert answer.status == "error"
    assert answer.stdout == ""
    assert answer.streams["stderr"].count("\n") == 1
    assert answer.streams["stderr"].startswith("UsageError: unrecognized arguments: -w. Allowed: %%runtime_status")
    assert answer.shown == []


@pytest.mark.parametrize("waits", ["import time; time.sleep(60)", "import asyncio\nawait asyncio.sleep(4)"])
def test_ctrl_c_is_no_end_of_the_measuring(waits: str, notebook: Notebook) -> None:
    sent = notebook.send(f"%%runtime_status\nprint('begun', flush=True)\n{waits}")
    time.sleep(2)
    notebook.manager.interrupt_kernel()
    answer = notebook.answer(sent)
    (report,) = reports(answer)

    assert answer.status == "error"
    assert report.startswith("Failed, took ")
    assert "Error in callback" not in answer.stdout
    assert notebook.run("6 * 7").shown[0]["text/plain"] == "42"


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
@pytest.mark.parametrize(
    "work",
    [
        "touched(SIZE)",
        "touched(SIZE, ctypes.PyDLL)",
        "thread = threading.Thread(target=touched, args=[SIZE]); thread.start(); thread.join()",
        "await later()",
        "%timeit -n1 -r1 touched(SIZE)",
        "x = b'1' * SIZE; del x",
    ],
    ids=["plain", "with the interpreter's lock held", "a thread's", "awaited", "in a magic", "Python's own"],
)
def test_500_mib_that_live_a_moment_are_known_to_2_mib(work: str, notebook: Notebook) -> None:
    notebook.run(TOUCHED)
    notebook.run(f"%%runtime_status -q\n{work.replace('SIZE', '1000')}")  # what it imports is of no interest
    (report,) = reports(notebook.run(f"%%runtime_status\n{work}"))
    (peak,) = re.findall(r"peak (\d+) MiB of RAM over the start", report)

    assert abs(int(peak) - 500) <= 2


def test_a_measured_cell_changes_neither_the_next_nor_the_history(notebook: Notebook) -> None:
    notebook.run("%%runtime_status\n6 * 7", store_history=True)
    answer = notebook.run("print(Out, In[-2], _)", store_history=True)

    assert "42} get_ipython().run_cell_magic('runtime_status', '', '# the lines below" in answer.stdout


def test_it_is_among_the_session_s_cells_also_where_it_is_not_shown(notebook: Notebook) -> None:
    notebook.run("%%runtime_status -q\nnot_shown = 1", store_history=True)
    (shown,) = notebook.run("%runtime_status -c").shown

    assert "not_shown = 1" in shown["text/plain"]


# Programs -------------------------------------------------------------------------------------------------------------


def whole(*cells: str) -> nbformat.NotebookNode:
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return made


@pytest.fixture
def away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("away")
def test_nbclient_stops_at_the_error_and_has_the_report_in_the_cell() -> None:
    run = whole("%load_ext colab_magics", "%%runtime_status\nprint(1)\n1 / 0", "open('was-reached', 'w').close()")
    with pytest.raises(CellExecutionError):
        NotebookClient(run, timeout=60).execute()
    kinds = [output.output_type for output in run.cells[1].outputs]

    assert kinds == ["stream", "error", "display_data"]
    assert run.cells[1].outputs[2].data["text/plain"].startswith("Failed, took ")
    assert not Path("was-reached").exists()


def test_nbconvert_shows_the_report(away: Path) -> None:
    nbformat.write(whole("%load_ext colab_magics", "%%runtime_status\n6 * 7"), away / "whole.ipynb")
    done = run_program(
        "jupyter_core.command", "nbconvert", "--execute", "--to", "markdown", "--stdout", "whole.ipynb", cwd=away
    )

    assert done.returncode == 0, done.stdout
    assert "Took " in done.stdout


def test_ipython_with_a_file_shows_it(away: Path) -> None:
    (away / "whole.ipy").write_text("%%runtime_status\nprint('said')\n1 / 0\n")
    done = run_program("IPython", "--ext=colab_magics", "whole.ipy", cwd=away)

    assert done.returncode == 1, done.stdout
    assert "said\n" in done.stdout
    assert "\nFailed, took " in done.stdout


def run_program(module: str, *arguments: str, cwd: Path) -> Any:
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=cwd,
        env={**os.environ, "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=100,
    )
