from __future__ import annotations

from colab_magics.guides import GOAL_LABELS, Goal, Guide, Sentence
from colab_magics.guides.interface import sentences


def test_the_goals_have_their_order_and_their_labels() -> None:
    assert list(GOAL_LABELS) == list(Goal)
    assert list(GOAL_LABELS.values()) == [
        "a GPU",
        "a TPU",
        "more memory",
        "another Python or image",
        "longer runs",
        "to stop paying",
        "I hit a limit",
    ]


def test_a_guide_needs_a_purpose_and_nothing_else() -> None:
    guide = Guide(Sentence("To see"))

    assert guide == Guide(purpose=Sentence("To see"))
    assert not any(getattr(guide, name) for name in Guide._fields[1:])


def test_sentences_need_no_values() -> None:
    assert sentences("a", "b") == (Sentence("a"), Sentence("b"))
    assert Sentence("a").values == ()
