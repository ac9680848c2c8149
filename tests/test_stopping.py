"""What stops a cell: its text stands in place of a traceback, and no magic that runs cells swallows it."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell

import colab_magics
from colab_magics import RequirementSyntaxError
from colab_magics.mistakes import RequirementMistake
from colab_magics.stopping import RequirementNotMet, StopsCell
from kinds_of_cell import GOES_ON, PREPARED, STOPPED, UNMET, lay_out
from notebooks import Notebook

TEXT = "Requirement not met: gpu = A100.\nThere is: no GPU."

BY_ITSELF = "Requirement not met: python >= 99."


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "notebook"
    folder.mkdir()
    lay_out(folder)
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)
    return folder


@pytest.fixture
def prepared(folder: Path, shell: InteractiveShell) -> InteractiveShell:
    """Give a shell as a terminal's: it prints what is raised on standard output."""
    shell.run_cell("%load_ext colab_magics").raise_error()
    shell.run_cell(PREPARED).raise_error()
    sys.modules.pop("needs", None)
    return shell


def start(open_notebook: Callable[..., Notebook], tmp_path: Path) -> Notebook:
    notebook = open_notebook()
    lay_out(tmp_path / "notebook")
    assert notebook.run(PREPARED).status == "ok"
    return notebook


# The exception --------------------------------------------------------------------------------------------------------


def test_it_is_the_package_s_own_under_its_public_name() -> None:
    assert colab_magics.RequirementNotMet is RequirementNotMet
    assert issubclass(RequirementNotMet, Exception)


def test_its_text_is_what_it_says() -> None:
    assert str(RequirementNotMet(TEXT)) == TEXT
    assert str(pickle.loads(pickle.dumps(RequirementNotMet(TEXT)))) == TEXT


def test_outside_a_notebook_it_is_an_exception_like_others() -> None:
    with pytest.raises(RequirementNotMet) as stopped:
        raise RequirementNotMet(TEXT)

    shown = "".join(traceback.format_exception(stopped.value))
    assert "Traceback" in shown
    assert shown.endswith(f"colab_magics.stopping.RequirementNotMet: {TEXT}\n")


def test_in_a_notebook_its_text_stands_in_place_of_a_traceback(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run_cell("from colab_magics import RequirementNotMet").raise_error()
    result = shell.run_cell(f"raise RequirementNotMet({TEXT!r})\nprint('not reached')")

    assert isinstance(result.error_in_exec, RequirementNotMet)
    assert capsys.readouterr() == (f"{TEXT}\n", "")


# In a terminal's shell ------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:Unknown failure executing module")  # IPython's, of %run -m
@pytest.mark.parametrize("cell", STOPPED.values(), ids=STOPPED)
def test_a_requirement_stops_every_kind_of_cell_and_is_seen_once(
    cell: str, prepared: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    before = list(prepared.events.callbacks["post_execute"])
    capsys.readouterr()
    result = prepared.run_cell(cell)
    shown = capsys.readouterr().out

    assert isinstance(result.error_in_exec, StopsCell)
    assert not prepared.last_execution_succeeded
    mistake = 'Found "gpuu"' if "gpuu" in cell else "Allowed: %ram_info"
    said = BY_ITSELF if isinstance(result.error_in_exec, RequirementNotMet) else mistake
    # A file of cells that is run fails twice, as IPython does it: its last cell, and what ran it.
    assert shown.count(said) == 1 or (said in shown and (".ip" in cell or "showtraceback()" in cell))
    assert "Traceback" not in shown
    assert "not reached" not in shown
    assert prepared.events.callbacks["post_execute"] == before
    assert prepared.run_cell("1").success


@pytest.mark.parametrize("cell", GOES_ON.values(), ids=GOES_ON)
def test_what_the_user_caught_stops_nothing(
    cell: str, prepared: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    if cell == "%tb":
        prepared.run_cell(UNMET)
    capsys.readouterr()
    result = prepared.run_cell(cell)

    assert result.success
    assert prepared.last_execution_succeeded


def test_a_result_that_the_user_asked_for_tells_that_its_cell_failed(prepared: InteractiveShell) -> None:
    for cell in ("the user runs a cell", "the user runs %%capture as a cell"):
        prepared.run_cell(GOES_ON[cell])
        assert isinstance(prepared.user_ns["result"].error_in_exec, RequirementNotMet)


def test_a_mistake_is_one_line(prepared: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    by_the_magic = prepared.run_cell(STOPPED["a mistake in %%capture"])
    by_the_function = prepared.run_cell(STOPPED["a mistake in the function"])
    first, second = capsys.readouterr().out.splitlines()

    assert isinstance(by_the_magic.error_in_exec, RequirementMistake)
    assert isinstance(by_the_function.error_in_exec, RequirementSyntaxError)
    assert first.startswith('UsageError: Found "gpuu"')
    assert second.startswith('RequirementSyntaxError: Found "gpuu"')


def test_another_error_after_one_that_was_swallowed_is_the_cell_s(prepared: InteractiveShell) -> None:
    result = prepared.run_cell("%run needs.py\n1 / 0")

    assert isinstance(result.error_in_exec, ZeroDivisionError)


@pytest.mark.parametrize("cell", [UNMET, f"%%capture\n{UNMET}", "%run needs.py", GOES_ON["caught and shown"]])
def test_no_debugger_opens_and_pdb_stays_on(cell: str, prepared: InteractiveShell) -> None:
    opened: list[bool] = []
    prepared.debugger = lambda *, force: opened.append(force)
    prepared.run_cell("%pdb on")
    prepared.run_cell(cell)
    assert opened == []

    prepared.run_cell("1 / 0")
    assert opened == [True]


def test_the_run_of_another_thread_does_not_end_this_one_s(prepared: InteractiveShell) -> None:
    def run_in_a_thread() -> None:
        thread = threading.Thread(target=prepared.events.trigger, args=["post_execute"])
        thread.start()
        thread.join()

    waiting = prepared.events.callbacks["post_execute"]
    prepared.user_ns.update(run_in_a_thread=run_in_a_thread, number_waiting=lambda: len(waiting))
    before = len(waiting)
    prepared.run_cell("%run needs.py\nrun_in_a_thread()\nnumber = number_waiting()")

    assert prepared.user_ns["number"] == before + 1
    assert len(waiting) == before


@pytest.mark.parametrize("cell", [UNMET, f"%%capture\n{UNMET}", f"%%time\n{UNMET}", f"%%capture\n%%runs\n{UNMET}"])
def test_with_rich_it_stops_and_is_seen(
    cell: str, prepared: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    prepared.run_cell("%load_ext rich").raise_error()
    capsys.readouterr()
    result = prepared.run_cell(cell)

    assert isinstance(result.error_in_exec, RequirementNotMet)
    assert "".join(capsys.readouterr()).count(BY_ITSELF) == 1


# In a kernel ----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_kernel_answers_as_it_must_to_every_kind_of_cell(
    open_notebook: Callable[..., Notebook], tmp_path: Path
) -> None:
    notebook = start(open_notebook, tmp_path)
    answers = {kind: notebook.run(cell) for kind, cell in {**STOPPED, **GOES_ON}.items()}

    assert {kind: answer.status for kind, answer in answers.items()} == {
        **dict.fromkeys(STOPPED, "error"),
        **dict.fromkeys(GOES_ON, "ok"),
    }
    assert {kind: answers[kind].error for kind in STOPPED} == {kind: error_of(kind) for kind in STOPPED}


def error_of(kind: str) -> str:
    if not kind.startswith("a mistake"):
        return "RequirementNotMet"
    return "RequirementSyntaxError" if "function" in kind else "RequirementMistake"


@pytest.mark.slow
def test_a_kernel_with_rich_answers_so_too(open_notebook: Callable[..., Notebook], tmp_path: Path) -> None:
    notebook = start(open_notebook, tmp_path)
    assert notebook.run("%load_ext rich").status == "ok"
    for cell in (UNMET, f"%%capture\n{UNMET}", f"%%time\n{UNMET}", "%run needs.py"):
        answer = notebook.run(cell)
        assert answer.status == "error"
        # Where a page shows a card, its text is for those who see no page.
        shown = (data["text/plain"] for data in answer.shown if "cm-found" not in data.get("text/html", ""))
        said = "".join((*answer.streams.values(), *shown))
        assert said.count("To meet it: ") == 1
    assert notebook.run(GOES_ON["caught"]).status == "ok"


@pytest.mark.slow
@pytest.mark.parametrize(
    "program",
    [
        ("jupyter", "execute", "whole.ipynb"),
        ("jupyter", "nbconvert", "--execute", "--to", "html", "whole.ipynb"),
        ("papermill", "whole.ipynb", "done.ipynb"),
    ],
    ids=["nbclient", "nbconvert", "papermill"],
)
def test_what_runs_a_notebook_whole_exits_with_1_before_the_next_cell(program: tuple[str, ...], folder: Path) -> None:
    cells = ["%load_ext colab_magics", f"%%capture\n{UNMET}", "open('was-reached', 'w').close()"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, folder / "whole.ipynb")
    done = run_program(*program, cwd=folder)

    assert done.returncode == 1, done.stdout
    assert BY_ITSELF in done.stdout
    assert not (folder / "was-reached").exists()


@pytest.mark.slow
@pytest.mark.parametrize("cell", [UNMET, f"%%capture\n{UNMET}", "%run needs.py", f"%%time\n{UNMET}"])
def test_ipython_with_a_file_exits_with_1(cell: str, folder: Path) -> None:
    (folder / "whole.ipy").write_text(cell)
    done = run_program("ipython", "--ext=colab_magics", "whole.ipy", cwd=folder)

    assert done.returncode == 1, done.stdout
    assert BY_ITSELF in done.stdout


def run_program(module: str, *arguments: str, cwd: Path) -> Any:
    program = {"jupyter": "jupyter_core.command", "ipython": "IPython"}.get(module, module)
    away = {
        name: str(cwd / name.lower())
        for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    }
    return subprocess.run(
        [sys.executable, "-m", program, *arguments],
        cwd=cwd,
        env={**os.environ, **away, "PYDEVD_DISABLE_FILE_VALIDATION": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=100,
    )
