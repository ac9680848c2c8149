from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from builders import COLAB, CPU_RUNTIME, T4, a_snapshot
from colab_magics import rules
from colab_magics.guides import Goal, LimitsTable, enterprise, generic
from colab_magics.model import Offer
from colab_magics.translation import translator
from colab_magics.views import messages

WHERE = "Which machine you get is settled in Google Cloud, where the runtime was made."


def here(**changes: Any) -> Any:
    return a_snapshot(platform=replace(COLAB, service="colab_enterprise"), **changes)


@pytest.mark.parametrize("goal", Goal)
def test_where_the_machine_comes_from_is_said_before_what_holds_everywhere(goal: Goal) -> None:
    snapshot = here(**CPU_RUNTIME)
    guide, everywhere = enterprise.for_goal(goal, snapshot, None), generic.for_goal(goal, snapshot, None)

    assert messages.sentence(guide.remarks[0], translator("en")) == WHERE
    assert guide.links == ("enterprise_runtimes", "enterprise_idle")
    assert replace(guide, remarks=guide.remarks[1:], links=()) == everywhere


def test_what_hides_the_gpu_is_no_matter_of_google_cloud_s() -> None:
    snapshot = here(gpus=(replace(T4, is_hidden=True, cuda_index=None),))
    blocking = rules.RULES["cuda_hidden"](snapshot)

    assert enterprise.for_goal(Goal.GPU, snapshot, blocking) == generic.for_goal(Goal.GPU, snapshot, blocking)


def test_it_publishes_lifetimes_and_offers_nothing() -> None:
    assert enterprise.tables() == (LimitsTable("colab_enterprise"),)
    assert enterprise.offered_machines(here()) == ()
    assert enterprise.offered_images(here()) == ()
    assert enterprise.to_get((Offer(name="T4"),), ()) is None
