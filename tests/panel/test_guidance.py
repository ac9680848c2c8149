"""What stands below "I want": with which goal a panel begins, and when they must be sent again."""

from __future__ import annotations

import pytest

from builders import A100, CPU_RUNTIME, HUNG_DRIVER, RAM, T4, TORCH_CPU, a_report
from colab_magics.guides import Goal
from colab_magics.model import Subject, Unavailable
from colab_magics.panel import guidance
from colab_magics.translation import translator
from colab_magics.values import replace
from markup import Markup


def opened(subject: Subject, language: str = "en") -> list[str | None]:
    page = guidance.render(a_report(subject, **CPU_RUNTIME), translator(language), group="one")
    return [one["class"] for one in Markup(page).all("details") if "open" in one]


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_a_panel_on_gpus_begins_with_the_goal_that_fits(language: str) -> None:
    assert opened(Subject.GPU, language) == ["cm-goal-gpu"]
    assert opened(Subject.RAM) == opened(Subject.RUNTIME) == []


def test_what_fits_is_marked_from_outside() -> None:
    assert guidance.marking(a_report(**CPU_RUNTIME)) == f"cm-fits cm-fits-{Goal.GPU}"
    assert guidance.marking(a_report()) == "cm-fits"


def test_the_goals_are_sent_again_only_where_what_they_depend_on_has_changed() -> None:
    before = guidance.depends_on(a_report(ram=RAM))

    assert guidance.depends_on(a_report(ram=replace(RAM, kernel_bytes=1))) == before
    assert guidance.depends_on(a_report(gpus=(replace(T4, temperature_celsius=44.0),))) == before
    assert guidance.depends_on(a_report(gpus=(A100,))) != before
    assert guidance.depends_on(a_report(gpus=(replace(T4, is_hidden=True),))) != before
    assert guidance.depends_on(a_report(frameworks=(TORCH_CPU,))) != before
    assert guidance.depends_on(a_report(**HUNG_DRIVER)) != before


def test_a_driver_that_goes_on_being_silent_changes_nothing() -> None:
    silent = [a_report(gpus=Unavailable(code="driver_resting", values=(("seconds", seconds),))) for seconds in (30, 28)]

    assert guidance.depends_on(silent[0]) == guidance.depends_on(silent[1])
