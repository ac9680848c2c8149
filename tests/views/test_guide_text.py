from __future__ import annotations

from typing import Any

import pytest

from colab_magics.guides import (
    ChoiceStep,
    ClickStep,
    CommandStep,
    Guide,
    MenuStep,
    Note,
    Sentence,
    TextStep,
)
from colab_magics.translation import translator
from colab_magics.units import width
from colab_magics.views import guide_text

ENGLISH = translator("en")
TO_SEE = Sentence("To see")
CHANGE = MenuStep(("runtime_menu", "change_runtime_type"))
FREE = Note((Sentence("more RAM"),), who=Sentence("free"), others=("L4 GPU", "A100 GPU"))


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (CHANGE, "Runtime > Change runtime type"),
        (ClickStep(("T4 GPU", "L4 GPU")), "T4 GPU / L4 GPU"),
        (CommandStep("%pip install {x}"), "%pip install {x}"),
        (TextStep(Sentence("wait {seconds} s", (("seconds", 3),))), "wait 3 s"),
        (
            ChoiceStep(Sentence("One of the two:"), (MenuStep(("high_ram",), note=FREE), ClickStep(("L4 GPU",)))),
            "One of the two: High-RAM (more RAM (free); or another: L4 GPU, A100 GPU) / L4 GPU",
        ),
    ],
)
def test_every_step_has_words(step: Any, said: str) -> None:
    assert guide_text.step(step, ENGLISH) == said


def test_a_note_says_what_there_is_to_say() -> None:
    assert guide_text.note(Note(), ENGLISH) == ""
    assert guide_text.note(Note(who=Sentence("paid")), ENGLISH) == "paid"
    assert guide_text.note(Note((Sentence("a"), Sentence("b"))), ENGLISH) == "a, b"
    assert guide_text.note(FREE, ENGLISH) == "more RAM (free); or another: L4 GPU, A100 GPU"


def test_a_single_step_follows_the_purpose_and_several_are_numbered() -> None:
    one = Guide(TO_SEE, steps=(CommandStep("nvidia-smi"),))
    two = Guide(TO_SEE, steps=(CommandStep("nvidia-smi"), CommandStep("ls")), consequences=(Sentence("Nothing."),))

    assert guide_text.lines(one, ENGLISH) == ["To see: nvidia-smi"]
    assert guide_text.lines(two, ENGLISH) == ["To see:  1 nvidia-smi   2 ls", "Nothing."]
    assert guide_text.lines(two, ENGLISH, with_consequences=False) == ["To see:  1 nvidia-smi   2 ls"]


def test_no_line_is_wider_than_eighty_columns_and_a_step_begins_one_where_it_does_not_fit() -> None:
    guide = Guide(TO_SEE, steps=(CHANGE, ClickStep(("T4 GPU",)), MenuStep(("save",))))
    for language in ("en", "zh-CN", "ja"):
        lines = guide_text.lines(guide, translator(language))

        assert max(map(width, lines)) <= 80
    assert guide_text.lines(guide, translator("ja"))[-1].endswith("2 T4 GPU   3 Save")


def test_the_first_link_is_where_to_read_more() -> None:
    assert guide_text.address(Guide(TO_SEE, links=("faq", "signup"))) == (
        "https://research.google.com/colaboratory/faq.html"
    )
    assert guide_text.address(Guide(TO_SEE)) is None
