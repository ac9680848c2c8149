from __future__ import annotations

import pytest

from colab_magics import facts
from colab_magics.guides import MenuStep, colab_menu

STEPS = {name: step for name, step in vars(colab_menu).items() if isinstance(step, MenuStep)}


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_every_step_is_a_way_of_colab_s_english_menus(step: MenuStep) -> None:
    english = facts.menu("en")

    assert all(getattr(english, word) for word in step.path)
    assert step.note is None


def test_the_way_to_the_resources_is_one_too() -> None:
    assert all(getattr(facts.menu("en"), word) for word in colab_menu.VIEW_RESOURCES)
