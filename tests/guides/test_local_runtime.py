from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from builders import COLAB, CPU_RUNTIME, T4, a_snapshot
from colab_magics import rules
from colab_magics.guides import Goal, generic, local_runtime
from colab_magics.translation import translator
from colab_magics.views import messages

WHERE = "Colab is connected to a machine of your own here: its dialog changes nothing on it."


def here(**changes: Any) -> Any:
    return a_snapshot(platform=replace(COLAB, service="colab_local"), **changes)


@pytest.mark.parametrize("goal", Goal)
def test_that_colab_s_dialog_changes_nothing_is_said_before_what_holds_everywhere(goal: Goal) -> None:
    snapshot = here(**CPU_RUNTIME)
    guide, everywhere = local_runtime.for_goal(goal, snapshot, None), generic.for_goal(goal, snapshot, None)

    assert messages.sentence(guide.remarks[0], translator("en")) == WHERE
    assert replace(guide, remarks=guide.remarks[1:]) == everywhere


def test_what_hides_the_gpu_is_no_matter_of_colab_s() -> None:
    snapshot = here(gpus=(replace(T4, is_hidden=True, cuda_index=None),))
    blocking = rules.RULES["cuda_hidden"](snapshot)

    assert local_runtime.for_goal(Goal.GPU, snapshot, blocking) == generic.for_goal(Goal.GPU, snapshot, blocking)


def test_it_offers_nothing_and_publishes_nothing() -> None:
    assert local_runtime.offered_machines(here()) == ()
    assert local_runtime.tables() == ()
    assert local_runtime.not_visible() is None
