"""The first line of a measured cell becomes a call, and nothing else changes."""

from __future__ import annotations

import pytest
from IPython.core.interactiveshell import InteractiveShell

from colab_magics.cells import transformer


@pytest.fixture
def loaded(shell: InteractiveShell) -> InteractiveShell:
    shell.run_cell("%load_ext colab_magics").raise_error()
    return shell


def call(options: str = "") -> str:
    return cell_magic("runtime_status", "# the lines below\n", options)


def cell_magic(name: str, body: str, options: str = "") -> str:
    return f"get_ipython().run_cell_magic({name!r}, {options!r}, {body!r})"


def line_magic(name: str, line: str = "") -> str:
    return f"get_ipython().run_line_magic({name!r}, {line!r})"


BECOMES = {
    "code": ("%%runtime_status\nx = 1\ny", [call(), "x = 1", "y"]),
    "an option": ("%%runtime_status -a  \nx", [call("-a"), "x"]),
    "empty lines before it": ("\n\n%%runtime_status\nx", [call(), "x"]),
    "empty lines after it": ("%%runtime_status\n\n\n1 +", [call(), "", "", "1 +"]),
    "indented": ("%%runtime_status\n    x = 1\n    y", [call(), "x = 1", "y"]),
    "pasted with prompts": ("%%runtime_status\n>>> x = 1\n>>> y", [call(), "x = 1", "y"]),
    "magics and commands": ("%%runtime_status\n%x\n!y", [call(), line_magic("x"), "get_ipython().system('y')"]),
    "another cell magic": ("%%runtime_status\n%%time\nx\ny", [call(), cell_magic("time", "x\ny\n")]),
    "another one, later": ("%%runtime_status\n\n%%html\n<p>", [call(), cell_magic("html", "<p>\n")]),
    "a comment alone": ("%%runtime_status\n# only", [call(), "# only"]),
    "exit alone": ("%%runtime_status\nexit", [call(), "exit()"]),
    "automagic alone": ("%%runtime_status\npwd", [call(), line_magic("pwd")]),
    "the same among others": ("%%runtime_status\npwd\n1", [call(), "pwd", "1"]),
    "help alone": ("%%runtime_status\nlen?", [call(), line_magic("pinfo", "len")]),
    "not first": ("x = 1\n%%runtime_status", ["x = 1", line_magic("%runtime_status")]),
    "another name": ("%%runtime_statuses\nx", [cell_magic("runtime_statuses", "x\n")]),
    "nothing below it": ("%%runtime_status\n", [cell_magic("runtime_status", "")]),
    "its help": ("%%runtime_status?", [line_magic("pinfo", "%%runtime_status")]),
}


@pytest.mark.parametrize("kind", BECOMES)
def test_what_a_cell_becomes(kind: str, loaded: InteractiveShell) -> None:
    cell, expected = BECOMES[kind]

    assert loaded.transform_cell(cell).splitlines() == expected


def test_to_ask_what_a_cell_becomes_has_no_effect(loaded: InteractiveShell) -> None:
    cell = "%%runtime_status\nx = 1"
    callbacks = {event: list(them) for event, them in loaded.events.callbacks.items()}
    once = loaded.transform_cell(cell)

    assert loaded.transform_cell(cell) == once
    assert loaded.should_run_async(cell, transformed_cell=once) is False
    assert loaded.events.callbacks == callbacks


def test_where_cells_are_typed_line_by_line_an_empty_line_ends_it_as_every_cell_magic_s(
    loaded: InteractiveShell,
) -> None:
    assert loaded.check_complete("%%runtime_status\nx = 1")[0] == "incomplete"
    assert loaded.check_complete("%%runtime_status\nx = 1\n\n")[0] == "complete"


def test_it_is_one_callable_and_goes_with_the_extension(shell: InteractiveShell) -> None:
    before = list(shell.input_transformers_cleanup)
    shell.run_cell("%load_ext colab_magics").raise_error()
    shell.run_cell("%reload_ext colab_magics").raise_error()

    assert shell.input_transformers_cleanup[:-1] == before

    shell.run_cell("%unload_ext colab_magics").raise_error()
    assert shell.input_transformers_cleanup == before


def test_with_nothing_but_spaces_below_it_it_stays_as_it_is(shell: InteractiveShell) -> None:
    lines = ["%%runtime_status\n", " \n"]

    assert transformer.begun(lines, "runtime_status", shell) == lines


def test_a_second_one_below_it_is_left_to_the_magic(shell: InteractiveShell) -> None:
    lines = ["%%runtime_status\n", "%%runtime_status\n", "1\n"]

    assert transformer.begun(lines, "runtime_status", shell)[1:] == [
        "get_ipython().run_cell_magic('runtime_status', '', '1\\n')\n"
    ]
