from __future__ import annotations

import doctest
import inspect

import pytest

from colab_magics import units


def test_the_examples_in_the_docstrings_hold() -> None:
    functions = [one for _, one in inspect.getmembers(units, inspect.isfunction)]

    assert functions
    assert all(">>>" in (function.__doc__ or "") for function in functions)
    assert doctest.testmod(units).failed == 0


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Tesla T4", "Tesla T4"),
        ("显卡 é", "显卡 é"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\u202eb\u2066c", "a\\u202eb\\u2066c"),
        ("a\u200fb", "a\\u200fb"),
        ("one\ntwo\rthree", "one\\ntwo\\rthree"),
        ("bell\x07 del\x7f csi\x9b", "bell\\x07 del\\x7f csi\\x9b"),
        ("half \ud800", "half \\ud800"),
        ("line\u2028end", "line\\u2028end"),
    ],
)
def test_what_could_steer_a_terminal_is_spelt_out(text: str, shown: str) -> None:
    assert units.printable(text) == shown


@pytest.mark.parametrize(
    ("seconds", "parts"),
    [
        (0, (("s", 0),)),
        (59.9, (("s", 59),)),
        (60, (("min", 1),)),
        (3600, (("h", 1), ("min", 0))),
        (86399, (("h", 23), ("min", 59))),
        (90000, (("d", 1), ("h", 1))),
    ],
)
def test_a_span_is_told_in_its_two_largest_units(seconds: float, parts: tuple[tuple[str, int], ...]) -> None:
    assert units.span(seconds) == parts


@pytest.mark.parametrize(
    ("text", "columns"), [("", 0), ("GPU", 3), ("显存", 4), ("é", 1), ("e\u0301", 1), ("43 °C，", 7)]
)
def test_a_text_takes_two_columns_for_each_wide_character(text: str, columns: int) -> None:
    assert units.width(text) == columns
