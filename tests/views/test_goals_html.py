"""The goals with their guides: chips that open without a kernel, and which of them fits."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from builders import CPU_RUNTIME, GIB, HUNG_DRIVER, JUPYTER, KAGGLE, T4, TORCH_CPU, a_ram, a_report
from colab_magics import guides, rules
from colab_magics.guides import GOAL_LABELS, Goal
from colab_magics.model import Subject
from colab_magics.translation import translator
from colab_magics.values import replace
from colab_magics.views import goals_html, guide_html, html, text
from colab_magics.views.render_options import RenderOptions
from markup import Markup
from runtimes import GUIDED, SERVICES, at

ENGLISH = translator("en")
FULL_GPU = {"gpus": (replace(T4, memory=replace(T4.memory, used_bytes=T4.memory.total_bytes, free_bytes=0)),)}
FULL_RAM = {"ram": a_ram(12.7, headroom_bytes=GIB // 8)}
ALL = RenderOptions(everything=True)


def shown(language: str = "en", *, opened: Goal | None = None, **changes: Any) -> str:
    return goals_html.render(a_report(**changes), translator(language), group="one", opened=opened)


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize("service", SERVICES, ids=str)
def test_every_goal_is_a_chip_with_its_whole_guide(service: str | None, language: str) -> None:
    for changes in GUIDED.values():
        given, translate = at(service, changes), translator(language)
        page, report = shown(language, **given), a_report(**given)
        chips = re.findall(r'<details name="one" class="cm-goal-\w+"><summary[^>]*>(.*?)</summary>', page)

        assert chips == [translate(GOAL_LABELS[goal]) for goal in Goal]
        for goal in Goal:
            guide = guides.for_goal(goal, report.snapshot, rules.blocking(report.findings))
            assert guide_html.page(guide, translate) in page
        assert not Markup(page).names & {"script", "style", "button", "svg"}


def test_it_is_a_group_with_a_name() -> None:
    first = Markup(shown()).tags[0]

    assert first == ("div", {"class": "cm-goals", "role": "group", "aria-label": "I want", "lang": "en"})
    assert '<span class="cm-goals-label">I want</span>' in shown()
    assert '<span class="cm-goals-label">我想要：</span>' in shown("zh-CN")


def test_none_is_open_unless_it_is_to_be() -> None:
    assert not [one for one in Markup(shown()).all("details") if "open" in one]
    (opened,) = [one for one in Markup(shown(opened=Goal.TPU)).all("details") if "open" in one]
    assert opened["class"] == "cm-goal-tpu"


@pytest.mark.parametrize(
    ("changes", "goal"),
    [
        pytest.param({}, None, id="all is well"),
        pytest.param(CPU_RUNTIME, Goal.GPU, id="no GPU"),
        pytest.param({**CPU_RUNTIME, "platform": KAGGLE}, Goal.GPU, id="no GPU on Kaggle"),
        pytest.param({**CPU_RUNTIME, "platform": JUPYTER}, Goal.GPU, id="no GPU of one's own"),
        pytest.param(FULL_GPU, Goal.MEMORY, id="GPU memory nearly full"),
        pytest.param(FULL_RAM, Goal.MEMORY, id="RAM nearly full"),
        pytest.param({**CPU_RUNTIME, **FULL_RAM}, Goal.MEMORY, id="RAM nearly full, which is graver than no GPU"),
        pytest.param(HUNG_DRIVER, None, id="what another machine of the same kind mends"),
        pytest.param({"frameworks": (TORCH_CPU,)}, None, id="what another build mends"),
    ],
)
def test_the_goal_that_fits_is_that_of_the_gravest_finding(changes: dict[str, Any], goal: Goal | None) -> None:
    report = a_report(**changes)

    assert goals_html.fitting(report) == goal
    marks = re.findall(r'class="(cm-fits[^"]*)"', goals_html.page(report, ENGLISH))
    assert marks == ["cm-fits" if goal is None else f"cm-fits cm-fits-{goal}"]


def test_the_style_sheet_can_mark_every_goal() -> None:
    sheet = Path(goals_html.__file__).with_name("goals.css").read_text(encoding="utf-8")

    for goal in Goal:
        assert f".cm-fits-{goal} .cm-goal-{goal}" in sheet


def test_all_of_a_runtime_s_report_has_them_and_its_text_has_not() -> None:
    report = a_report(**CPU_RUNTIME)
    page = html.render(report, ALL)

    assert goals_html.page(report, ENGLISH) in page
    assert "cm-goals" not in html.render(report)
    assert "cm-goals" not in html.render(a_report(Subject.RAM), ALL)
    assert "To stop paying" not in text.render(report, ALL)


def test_each_look_has_a_group_of_its_own() -> None:
    report = a_report()
    later = replace(report, snapshot=replace(report.snapshot, taken_at=report.snapshot.taken_at.replace(microsecond=7)))
    names = [{one["name"] for one in Markup(goals_html.page(each, ENGLISH)).all("details") if "name" in one}
             for each in (report, later)]  # fmt: skip

    assert [len(each) for each in names] == [1, 1]
    assert names[0] != names[1]
