from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colab_magics.units import width
from colab_magics.views.layout import WIDTH, broken, flow

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
