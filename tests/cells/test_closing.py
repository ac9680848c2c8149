"""A cell that is measured does what it would do by itself, and its measurement ends when it does, however it ends."""

from __future__ import annotations

import contextlib
import os
import re
import threading
import warnings
from pathlib import Path
from typing import Any

import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

from colab_magics.cells import closing
from colab_magics.cells.session import first_line
from colab_magics.model.cells import Cell
from colab_magics.views import display

PREPARED = """
import asyncio, sys
async def later(value):
    await asyncio.sleep(0)
    return value
def fails():
    raise ValueError("from outside")
"""

KINDS = {
    "a value": "6 * 7",
    "a value, not shown": "6 * 7;",
    "several lines": "x = 1\nx += 1\nx",
    "an assignment": "x = 5",
    "print": "print('said')\nprint('more', file=sys.stderr)",
    "await": "await later(3)",
    "await, then an error": "await later(3)\n1 / 0",
    "an error": "x = 1\n1 / 0\nx = 2",
    "an error in a function": "fails()",
    "an error in a block": "for i in range(3):\n    if i:\n        fails()",
    "an error on the line of a string": 'text = """\n\n"""; 1 / 0',
    "a syntax error": "x = 1\n\nx = = 2",
    "an indentation error": "if True:\nx = 1",
    "an error of IPython's": "%no_such_magic",
    "a usage error": "%ram_info --bogus",
    "Ctrl-C": "raise KeyboardInterrupt",
    "sys.exit": "sys.exit(3)",
    "a requirement that is not met": '%ram_info -q -r "python>=99"',
    "a requirement that is not met in %%capture": '%%capture\n%ram_info -q -r "python>=99"',
    "a requirement in the middle": 'x = 1\n%ram_info -q -r "python>=99"\nprint("not reached")',
    "from __future__": "from __future__ import annotations\ndef f(x: nowhere): return x\nf(1)",
    "only a comment": "# nothing",
    "indented": "  x = 1\n  x",
    "a class": "class A:\n    @property\n    def x(self):\n        return 1\nA().x",
    "a decorator": "@staticmethod\ndef f():\n    return 2\nf.__func__()",
    "a line magic": "%who_ls list",
    "an assigned magic": "x = %pwd\nlen(x) > 0",
    "automagic": "pwd",
    "help": "later?",
    "a command": "!echo done",
    "%%time": "%%time\n6 * 7",
    "%%capture": "%%capture kept\nprint('captured')\n1",
    "%%capture, then what it kept": "%%capture kept\n1 / 0",
    "%%html": "%%html\n<b>done</b>",
    "%%writefile": "%%writefile -a /dev/null\ntext",
    "%%prun": "%%prun -q\nfails",
    "%run": "%run ran.py",
    "%run of .ipy": "%run ran.ipy",
    "%run that fails": "%run fails.py",
    "a cell within": "get_ipython().run_cell('1 + 1'); 5",
    "a cell within that fails": "result = get_ipython().run_cell('1 / 0')\nresult.success",
    "a thread": "import threading\nt = threading.Thread(target=print, args=['there'])\nt.start(); t.join()\n1",
    "a generator and a comprehension": "sum(i for i in [j for j in range(4)])",
    "a global": "global_name = 3\ndef f():\n    global global_name\n    global_name = 4\nf()\nglobal_name",
    "locals": "sorted(name for name in locals() if name == 'later')",
    "a walrus": "(z := 4) + 1",
    "an f-string of several lines": "value = 3\nf'''\n{value}\n'''",
    "a continuation": "1 + \\\n 2",
    "a tab": "if True:\n\tx = 1\nx",
    "unicode": "名 = 'é'\n名",
    "the last value's name": "_",
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "ran.py").write_text("x = 1\nprint('ran')\n")
    (tmp_path / "ran.ipy").write_text("%pwd\nprint('ran', 1)\n")
    (tmp_path / "fails.py").write_text("def f():\n    1 / 0\nf()\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Cell]:
    """Give the cells that were told of, in place of showing them."""
    cells: list[Cell] = []
    monkeypatch.setattr(display, "show", lambda report, _options: cells.extend(report.snapshot.cells))
    return cells


@pytest.fixture
def prepared(shell: InteractiveShell, folder: Path) -> InteractiveShell:
    """Give a shell as a terminal's: it prints what is raised on standard output."""
    shell.run_cell("%load_ext colab_magics").raise_error()
    shell.run_cell(PREPARED).raise_error()
    return shell


CALL = re.compile(r"get_ipython\(\)\.run_cell_magic\('runtime_status', '', '# the lines below\\n'\)")


def seen_of(shell: Any, code: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """Run a cell and return all that it can be told by, with what every run has anew taken out."""
    capsys.readouterr()
    shell.display_pub.outputs.clear()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = shell.run_cell(code)
    error = result.error_in_exec or result.error_before_exec
    said = [CALL.sub("# measured", text) for text in (*capsys.readouterr(), str(error))]
    said = [re.sub(r"<ipython-input-\w+-\w+>|Cell In\[\d+\]|0x[0-9a-f]+|\b[0-9a-f]{12,}\b", "N", text) for text in said]
    said = [re.sub(r"[\d.e+]+ (ns|µs|μs|ms|s)\b", "T", text) for text in said]
    return {
        "value": repr(result.result),
        "error": (type(error), said[2]),
        "out": said[0],
        "err": said[1],
        "displayed": [output["data"] for output in shell.display_pub.outputs],
        "succeeded": shell.last_execution_succeeded,
    }  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_of_a_cell_changes(
    kind: str, prepared: InteractiveShell, told: list[Cell], capsys: pytest.CaptureFixture[str]
) -> None:
    body = KINDS[kind]
    # IPython knows a cell magic in the first line alone, and `exit` or a name alone in a cell of one line.
    alone = body.startswith(("%%", " ")) or len(body.splitlines()) == 1
    seen_of(prepared, "41", capsys)
    by_itself = seen_of(prepared, body if alone else f"# measured\n{body}", capsys)
    seen_of(prepared, "41", capsys)
    measured = seen_of(prepared, f"%%runtime_status\n{body}", capsys)
    if alone:  # its lines have numbers of their own
        for seen in (by_itself, measured):
            seen["out"] = re.sub(r"^.*# measured\n", "", seen["out"], flags=re.MULTILINE)
            seen["out"] = re.sub(r"line \d+|^(-*>? *)\d+ ", "L", seen["out"], flags=re.MULTILINE)
            seen["error"] = (seen["error"][0], re.sub(r"line \d+", "L", seen["error"][1]))

    assert measured == by_itself
    runs = not isinstance(prepared.last_execution_result.error_before_exec, SyntaxError)
    assert len(told) == runs
    if runs:
        (cell,) = told
        assert cell.failed is not prepared.last_execution_result.success
        assert cell.first_line == first_line(body)


@pytest.fixture(autouse=True)
def no_callback_is_left(prepared: InteractiveShell) -> Any:
    yield
    assert [
        one for them in prepared.events.callbacks.values() for one in them if one.__module__ == closing.__name__
    ] == []
    assert closing._open == []


def test_lines_have_the_numbers_that_the_editor_shows(
    prepared: InteractiveShell, told: list[Cell], capsys: pytest.CaptureFixture[str]
) -> None:
    result = prepared.run_cell("%%runtime_status\n\nx = 1\n\n1 / 0")

    assert result.error_in_exec is not None
    assert result.error_in_exec.__traceback__ is not None
    frame = result.error_in_exec.__traceback__.tb_next
    assert frame is not None
    assert frame.tb_lineno == 5
    assert "----> 5 1" in capsys.readouterr().out

    syntax = prepared.run_cell("%%runtime_status\n\nx = 1\nx = = 2").error_before_exec
    assert isinstance(syntax, SyntaxError)
    assert syntax.lineno == 4


def test_the_value_is_in_out_and_the_cell_in_the_history(prepared: InteractiveShell, told: list[Cell]) -> None:
    number = prepared.execution_count
    prepared.run_cell("%%runtime_status\n6 * 7", store_history=True)

    assert prepared.user_ns["Out"][number] == 42
    assert prepared.user_ns["_"] == 42
    assert told[0].number == number
    assert told[0].first_line == "6 * 7"
    assert prepared.execution_count == number + 1


@pytest.mark.parametrize("line", ["-w", "-n 3", "--bogus", "-r python>=3", "0", "-o", "-j"])
def test_a_wrong_option_is_one_line_and_the_cell_does_not_run(
    line: str, prepared: InteractiveShell, told: list[Cell], capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    result = prepared.run_cell(f"%%runtime_status {line}\nprint('not reached')")
    shown = capsys.readouterr()

    assert isinstance(result.error_in_exec, UsageError)
    assert (shown.out + shown.err).count("\n") == 1
    assert "Allowed: %%runtime_status [-a] [-q]" in shown.out + shown.err
    assert told == []


@pytest.mark.parametrize(
    "cell",
    [
        "%%runtime_status\n%%runtime_status\n1",
        "%%runtime_status\nget_ipython().run_cell_magic('runtime_status', '', '1')",
        "%%timeit -n2 -r1\n%%runtime_status\n1",
        "get_ipython().run_cell_magic('runtime_status', '', '1')",
        "get_ipython().run_cell_magic('runtime_status', '', ' ')",  # as Colab's shell does with an empty body
        "%%runtime_status",
    ],
)
def test_what_cannot_be_measured_is_one_line(
    cell: str, prepared: InteractiveShell, told: list[Cell], capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    result = prepared.run_cell(cell)
    shown = capsys.readouterr()

    assert isinstance(result.error_in_exec, UsageError)
    assert (shown.out + shown.err).count("\n") == 1
    assert "%%runtime_status" in shown.out + shown.err
    assert told == []


def test_outside_a_cell_nothing_is_measured(prepared: InteractiveShell) -> None:
    from colab_magics.cells.transformer import BODY_FOLLOWS

    with pytest.raises(UsageError, match="no cell is running"):
        prepared.run_cell_magic("runtime_status", "", BODY_FOLLOWS)


@pytest.mark.parametrize("above", ["%%time", "%%capture kept", "%%prun -q", "%%time\n%%capture kept"])
def test_a_magic_above_it_measures_too(above: str, prepared: InteractiveShell, told: list[Cell]) -> None:
    result = prepared.run_cell(f"{above}\n%%runtime_status\nx = sum(range(1000))")

    assert result.success
    assert prepared.user_ns["x"] == 499500
    assert [cell.first_line for cell in told] == ["x = sum(range(1000))"]


def test_what_runs_within_does_not_end_it(prepared: InteractiveShell, told: list[Cell]) -> None:
    prepared.run_cell(
        "%%runtime_status\n"
        "get_ipython().run_cell('1')\n"
        "get_ipython().run_cell('1 / 0', silent=True)\n"
        "%run ran.ipy\n"
        "import time; time.sleep(0.05)"
    )

    (cell,) = told
    assert cell.wall_seconds >= 0.05
    assert not cell.failed


def test_one_within_another_is_told_of_first(prepared: InteractiveShell, told: list[Cell]) -> None:
    prepared.run_cell("%%runtime_status\nget_ipython().run_cell('%%runtime_status\\n7')\n1 / 0")

    assert [(cell.first_line, cell.failed) for cell in told] == [
        ("7", False),
        ("get_ipython().run_cell('%%runtime_status\\n7')", True),
    ]


def test_a_silent_run_is_told_of(prepared: InteractiveShell, told: list[Cell], folder: Path) -> None:
    prepared.run_cell("%%runtime_status\n1", silent=True)
    (folder / "measured.ipy").write_text("%%runtime_status\nprint(1)\n")
    prepared.run_line_magic("run", "measured.ipy")

    assert [cell.first_line for cell in told] == ["1", "print(1)"]


def test_the_end_of_another_thread_s_run_is_not_its_own(prepared: InteractiveShell, told: list[Cell]) -> None:
    def run_in_a_thread() -> None:
        def ends() -> None:
            prepared.events.trigger("post_execute")
            prepared.events.trigger("post_run_cell", None)

        thread = threading.Thread(target=ends)
        thread.start()
        thread.join()

    prepared.user_ns["run_in_a_thread"] = run_in_a_thread
    prepared.run_cell("%%runtime_status\nrun_in_a_thread()\nassert not __import__('colab_magics.cells.closing', "
                      "fromlist=['x'])._open == []")  # fmt: skip

    assert [cell.failed for cell in told] == [False]


@pytest.mark.parametrize("hands_on", ["nothing", "another result"])
def test_a_run_that_is_broken_off_is_told_of(hands_on: str, prepared: Any, told: list[Cell]) -> None:
    """Ctrl-C may end IPython's own part of the run: ipykernel has no result then, and IPython makes another."""
    ended = prepared.events.trigger
    code = "%%runtime_status\n1"

    def broken_off(event: str, *arguments: Any) -> None:
        if event == "post_run_cell":
            (result,) = arguments
            if hands_on == "nothing":
                arguments = (None,)
            else:
                result.info.raw_cell = code
                another = type(result)(result.info)
                another.error_in_exec = KeyboardInterrupt()
                arguments = (another,)
        ended(event, *arguments)

    prepared.events.trigger = broken_off
    prepared.run_cell(code)
    prepared.events.trigger = ended

    assert [cell.failed for cell in told] == [True]


def test_one_that_nobody_ended_is_let_go_of(prepared: Any, told: list[Cell]) -> None:
    ended = prepared.events.trigger
    prepared.events.trigger = lambda *_event: None
    prepared.run_cell("%%runtime_status\n'the first'")
    prepared.events.trigger = ended
    assert len(closing._open) == 1

    prepared.run_cell("%%runtime_status\n'the second'")
    assert [cell.first_line for cell in told] == ["'the second'"]


def test_quietly_nothing_is_shown(prepared: InteractiveShell, told: list[Cell]) -> None:
    assert prepared.run_cell("%%runtime_status -q\n1").success
    assert told == []


def test_unloading_in_the_cell_ends_it_without_a_word(prepared: InteractiveShell, told: list[Cell]) -> None:
    assert prepared.run_cell("%%runtime_status\n%unload_ext colab_magics\n1").success
    assert told == []
    prepared.run_cell("%load_ext colab_magics").raise_error()


def test_a_mistake_of_ours_is_one_line_and_leaves_the_cell_alone(
    prepared: InteractiveShell, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def mistake(*_arguments: object) -> None:
        raise LookupError("of /home/somebody")

    monkeypatch.setattr(display, "show", mistake)
    capsys.readouterr()
    result = prepared.run_cell("%%runtime_status\n6 * 7")

    assert result.result == 42
    assert capsys.readouterr().err == "%%runtime_status could not tell what the cell took (LookupError).\n"


def test_ctrl_c_while_it_is_told_is_no_error_of_the_cell_s(
    prepared: InteractiveShell, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(display, "show", interrupted)
    capsys.readouterr()
    assert prepared.run_cell("%%runtime_status\n1;").success
    assert "Error in callback" not in capsys.readouterr().out


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_process_tells_nothing(prepared: InteractiveShell, told: list[Cell], folder: Path) -> None:
    prepared.user_ns["told"] = told
    prepared.run_cell("%%runtime_status\nimport os\nchild = os.fork()")
    if not prepared.user_ns["child"]:
        with contextlib.suppress(OSError):
            (folder / "told").write_text(str(len(told)))
        os._exit(0)
    os.waitpid(prepared.user_ns["child"], 0)

    assert len(told) == 1
    assert (folder / "told").read_text() == "0"


def test_no_run_is_found_outside_of_all() -> None:
    assert closing._running_result() is None
