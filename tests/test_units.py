from __future__ import annotations

import doctest

import pytest

from colab_magics import units


def test_the_examples_in_the_docstrings_hold() -> None:
    result = doctest.testmod(units)

    assert result.attempted > 5
    assert result.failed == 0


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
    ("seconds", "said"),
    [(0, "0 s"), (59.9, "59 s"), (60, "1 min"), (3600, "1 h 0 min"), (86399, "23 h 59 min"), (90000, "1 d 1 h")],
)
def test_a_span_is_said_in_its_two_largest_units(seconds: float, said: str) -> None:
    assert units.duration(seconds) == said
