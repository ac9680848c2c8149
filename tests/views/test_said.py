from __future__ import annotations

import pytest

from colab_magics.views.said import as_phrase


@pytest.mark.parametrize(
    ("sentence", "phrase"), [("Took 3 s.", "Took 3 s"), ("用时 3 秒。", "用时 3 秒"), ("idle", "idle")]
)
def test_a_phrase_is_a_sentence_without_its_full_stop(sentence: str, phrase: str) -> None:
    assert as_phrase(sentence) == phrase
