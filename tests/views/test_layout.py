from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colab_magics.units import width
from colab_magics.views.layout import WIDTH, broken, columns, flow, shortened

WORDS = st.lists(st.text("abc ,.()0123456789显存，。", min_size=1, max_size=40).map(str.strip).filter(bool), min_size=1)


def test_sentences_share_a_line_while_they_fit_whole() -> None:
    assert flow(["a" * 30, "b" * 30, "c" * 30], "   ") == [f"{'a' * 30}   {'b' * 30}", "c" * 30]
    assert flow(["a" * 40, "b" * 39], " ") == [f"{'a' * 40} {'b' * 39}"]
    assert flow([], " ") == []


def test_a_sentence_breaks_between_words_but_not_within_figures_or_brackets() -> None:
    name = "x" * 60

    assert broken(f"{name}: 0.4 of 15.0 GiB used.") == [f"{name}: 0.4 of 15.0 GiB", "  used."]
    assert broken(f"{name} holds and uses 0.4 of 15.0 GiB") == [f"{name} holds and", "  uses 0.4 of 15.0 GiB"]
    assert broken(f"{name} word (two or more words)") == [f"{name} word", "  (two or more words)"]
    assert broken("a, b") == ["a, b"]


def test_a_word_that_is_wider_than_a_line_is_cut() -> None:
    lines = broken("x" * 200)

    assert max(map(width, lines)) <= WIDTH
    assert "".join(line.strip() for line in lines) == "x" * 200


def test_chinese_takes_two_columns_a_character_and_breaks_between_any_two() -> None:
    lines = broken("显" * 50)

    assert [width(line) for line in lines] == [80, 22]


@pytest.mark.parametrize("most", [20, 78, 80])
@settings(derandomize=True, deadline=None, max_examples=100, database=None)
@given(WORDS)
def test_nothing_is_lost_and_no_line_is_too_wide(most: int, words: list[str]) -> None:
    sentence = " ".join(words)
    lines = broken(sentence, most)

    assert max(map(width, lines)) <= most
    assert "".join("".join(lines).split()) == "".join(sentence.split())


def test_columns_are_as_wide_as_their_widest_cell_and_figures_stand_right() -> None:
    assert columns([["#", "name"], ["0", "a"], ["10", "long name"]], left={1}, shorten=(1,)) == [
        " #  name     ",
        " 0  a        ",
        "10  long name",
    ]


def test_a_column_with_nothing_but_its_heading_is_left_out() -> None:
    assert columns([["a", "heading", "b"], ["1", "", "2"]], left=(), shorten=()) == ["a  b", "1  2"]


def test_what_is_too_long_is_shortened_in_its_middle_the_first_column_first() -> None:
    rows = [["name", "W", "holder"], ["x" * 30 + "y", "1000", "p" * 20]]

    assert columns(rows, left={0, 2}, shorten=(0, 2), most=44)[1] == f"{'x' * 8}…{'x' * 6}y  1000  {'p' * 20}"
    assert columns(rows, left={0, 2}, shorten=(0, 2), most=28)[1] == "xxxx…xxy  1000  pppppp…ppppp"
    assert columns(rows, left={0, 2}, shorten=(), most=28)[1] == f"{'x' * 30}y  1000  {'p' * 20}"


@pytest.mark.parametrize(
    ("text", "most", "expected"),
    [
        ("abc", 3, "abc"),
        ("abcdef", 5, "ab…ef"),
        ("abcdef", 4, "ab…f"),
        ("abcdef", 1, "…"),
        ("abcdef", 0, ""),
        ("abcdef", -1, ""),
        ("显存显存", 8, "显存显存"),
        ("显存显存", 7, "显…显存"),
        ("显存显存", 6, "显…存"),
        ("显存", 1, "…"),
        ("", 0, ""),
    ],
)
def test_what_is_shortened_keeps_its_beginning_and_its_end(text: str, most: int, expected: str) -> None:
    assert shortened(text, most) == expected


@settings(derandomize=True, deadline=None, max_examples=100, database=None)
@given(
    st.lists(st.tuples(st.text("ab 显…", max_size=120), st.integers(0, 10**6), st.text("p存", max_size=90)), min_size=1)
)
def test_names_give_way_and_figures_do_not(rows: list[tuple[str, int, str]]) -> None:
    cells = [["name", "W", "holder"], *([name, str(figure), holder] for name, figure, holder in rows)]
    shown = columns(cells, left={0, 2}, shorten=(0, 2))

    assert max(map(width, shown)) <= WIDTH
    assert all(str(figure) in line for (_, figure, _), line in zip(rows, shown[1:], strict=True))
    assert len({width(line) for line in shown}) == 1
