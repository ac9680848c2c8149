"""What stands below "I want": where a panel opens, and when its guide must be sent again."""

from __future__ import annotations

import pytest

from builders import A100, CPU_RUNTIME, RAM, T4, TORCH_CPU, a_report
from colab_magics.guides import Goal
from colab_magics.model import Subject
from colab_magics.panel import guidance
from colab_magics.translation import translator
from colab_magics.values import replace
from markup import Markup


@pytest.mark.parametrize(
    ("subject", "goal"), [(Subject.GPU, Goal.GPU), (Subject.RAM, Goal.MEMORY), (Subject.RUNTIME, None)], ids=str
)
def test_a_panel_opens_at_the_goal_of_its_subject_where_a_finding_leads_there(
    subject: Subject, goal: Goal | None
) -> None:
    assert guidance.goal_to_open_at(a_report(subject, **CPU_RUNTIME)) == goal


def test_a_panel_on_gpus_opens_at_no_goal_where_there_is_one() -> None:
    assert guidance.goal_to_open_at(a_report(Subject.GPU)) is None


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize("goal", Goal)
def test_every_goal_has_its_guide_on_this_machine(goal: Goal, language: str) -> None:
    page = guidance.render(goal, a_report(**CPU_RUNTIME), translator(language))

    assert Markup(page).tags


def test_a_guide_is_sent_again_only_where_what_it_depends_on_has_changed() -> None:
    before = guidance.depends_on(a_report(ram=RAM))

    assert guidance.depends_on(a_report(ram=replace(RAM, kernel_bytes=1))) == before
    assert guidance.depends_on(a_report(gpus=(replace(T4, temperature_celsius=44.0),))) == before
    assert guidance.depends_on(a_report(gpus=(A100,))) != before
    assert guidance.depends_on(a_report(frameworks=(TORCH_CPU,))) != before
