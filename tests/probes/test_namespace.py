"""Which names hold things: the user's, and what IPython and the last error keep beside them."""

from __future__ import annotations

import builtins
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from colab_magics.model.holders import Keeper
from colab_magics.probes.namespace import error_locals, errors, hidden_holders, tracebacks, variables_of
from untouchable import ASKED, Untouchable


@pytest.fixture
def run(shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run cells, as a user does; the last error is that of this shell alone."""
    for name in ("last_type", "last_value", "last_traceback", "last_exc"):
        monkeypatch.delattr(sys, name, raising=False)
    monkeypatch.delattr(builtins, "_", raising=False)  # rich leaves one, and IPython then names no results

    def run(*cells: str) -> None:
        for cell in cells:
            shell.run_cell(cell, store_history=True)
        capsys.readouterr()

    return run


def names(shell: InteractiveShell) -> set[str]:
    return {one.name for one in hidden_holders(shell)}


def named(shell: InteractiveShell, name: str) -> Any:
    (found,) = (one for one in hidden_holders(shell) if one.name == name)
    return found


# Variables -----------------------------------------------------------------------------------------------------------


def test_a_fresh_shell_has_no_variables(shell: InteractiveShell, run: Any) -> None:
    run("1", "2", "_i1", "pass")

    assert variables_of(shell) == {}


def test_variables_are_what_the_user_has_named(shell: InteractiveShell, run: Any) -> None:
    run("x = [1]\n_private = 2\n__so_called = 3\ndef f(): pass\n'shown'")

    assert {*variables_of(shell)} == {"x", "_private", "__so_called", "f"}


@pytest.mark.parametrize("name", ["_", "__", "_1", "_i", "In", "Out", "exit"])
def test_a_name_of_ipython_s_is_the_user_s_once_they_have_given_it_to_something(
    shell: InteractiveShell, run: Any, name: str
) -> None:
    run("'a result'")
    assert name not in variables_of(shell)

    shell.user_ns[name] = ["mine"]

    assert variables_of(shell)[name] == ["mine"]


def test_what_a_startup_file_has_made_is_the_user_s_too(shell: InteractiveShell) -> None:
    shell.push({"made_at_start": [1]}, interactive=False)

    assert "made_at_start" in variables_of(shell)


def test_names_that_no_code_can_write_are_variables_and_what_is_no_name_is_none(shell: InteractiveShell) -> None:
    shell.user_ns["<b>\n_x"] = 1
    shell.user_ns[""] = 2
    shell.user_ns[7] = 3

    assert variables_of(shell) == {"<b>\n_x": 1, "": 2}


def test_outside_ipython_they_are_those_of_main(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["__main__"], "a_name_of_mine", 3, raising=False)

    assert variables_of(None)["a_name_of_mine"] == 3
    assert "__name__" not in variables_of(None)
    assert hidden_holders(None) == []


def test_a_shell_that_keeps_its_names_otherwise_has_none() -> None:
    assert variables_of(SimpleNamespace(user_ns=None)) == {}
    assert variables_of(SimpleNamespace()) == {}
    assert hidden_holders(SimpleNamespace()) == []


# What IPython keeps --------------------------------------------------------------------------------------------------


def test_a_result_is_listed_once_as_an_output(shell: InteractiveShell, run: Any) -> None:
    run("['first']", "['second']")

    assert named(shell, "Out[1]").thing == ["first"]
    assert named(shell, "Out[2]").keeper is Keeper.OUTPUT
    assert names(shell).isdisjoint({"_", "__", "_1", "_2"})


def test_a_result_that_is_no_output_any_more_has_its_name(shell: InteractiveShell, run: Any) -> None:
    run("['first']", "['second']", "del Out[1]")

    assert named(shell, "__").thing == ["first"]


def test_what_stays_hidden_after_the_outputs_were_reset_is_found(shell: InteractiveShell, run: Any) -> None:
    run("['a result']", "%reset -f out")

    (hidden,) = (one for one in hidden_holders(shell) if one.thing == ["a result"])
    assert hidden.keeper in (Keeper.HIDDEN, Keeper.OUTPUT)
    assert hidden.name in ("get_ipython().user_ns_hidden['_']", "_", "_1")


def test_what_a_startup_file_has_made_and_the_user_has_deleted_is_hidden(shell: InteractiveShell) -> None:
    shell.push({"made_at_start": [1]}, interactive=False)
    del shell.user_ns["made_at_start"]

    assert named(shell, "get_ipython().user_ns_hidden['made_at_start']").keeper is Keeper.HIDDEN


def test_the_text_of_the_cells_is_kept_too(shell: InteractiveShell, run: Any) -> None:
    run("pass")

    assert named(shell, "In").keeper is Keeper.INPUT
    assert "pass" in named(shell, "In").thing


# The last error ------------------------------------------------------------------------------------------------------

FAILS = """
def train():
    batch = ["large"]
    inner(batch)

def inner(part):
    raise ValueError
"""


def locals_of(shell: InteractiveShell) -> dict[str, list[str]]:
    return {frame.function: [name for name, _ in frame.variables] for frame in error_locals(shell)}


def test_the_functions_that_an_error_came_through_are_listed_the_cell_and_ipython_are_not(
    shell: InteractiveShell, run: Any
) -> None:
    run(FAILS, "train()")

    assert locals_of(shell) == {"train": ["batch"], "inner": ["part"]}


def test_also_after_further_cells_and_those_of_the_errors_that_led_to_it(shell: InteractiveShell, run: Any) -> None:
    run(FAILS, "def outer():\n  try:\n    train()\n  except ValueError as error:\n    raise KeyError from error",
        "outer()", "pass")  # fmt: skip

    assert {*locals_of(shell)} == {"outer", "train", "inner"}


def test_and_those_of_each_error_of_a_group(shell: InteractiveShell, run: Any) -> None:
    run(FAILS, "def both():\n  try:\n    train()\n  except ValueError as error:\n    raise ExceptionGroup('', [error])",
        "both()")  # fmt: skip

    assert {"both", "train", "inner"} <= {*locals_of(shell)}


def test_a_function_that_still_runs_keeps_nothing_for_an_error(shell: InteractiveShell, run: Any) -> None:
    def still_runs() -> dict[str, list[str]]:
        try:
            raise ValueError  # noqa: TRY301 - the frame is this one
        except ValueError as error:
            sys.last_value = error
            return locals_of(shell)

    assert still_runs() == {}


def test_without_an_error_there_is_nothing(shell: InteractiveShell, run: Any) -> None:
    run("1")

    assert errors(shell) == []
    assert tracebacks(shell) == []
    assert locals_of(shell) == {}


def test_an_error_s_class_cannot_answer_for_it(shell: InteractiveShell, run: Any) -> None:
    run("class Odd(Exception): __traceback__ = __cause__ = __context__ = property(lambda self: None)",
        FAILS.replace("ValueError", "Odd"), "train()")  # fmt: skip

    assert {"train", "inner"} <= {*locals_of(shell)}


# Nothing of the user's runs ------------------------------------------------------------------------------------------


def test_nothing_is_asked_of_what_is_listed(shell: InteractiveShell) -> None:
    ASKED.clear()
    thing = Untouchable()
    shell.user_ns["thing"] = thing
    shell.user_ns["_"] = thing
    shell.user_ns_hidden["_7"] = thing
    shell.displayhook.__dict__["_"] = thing

    assert variables_of(shell)["thing"] is thing
    assert any(one.thing is thing for one in hidden_holders(shell))
    assert ASKED == []
