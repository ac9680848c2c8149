"""Every goal with its whole guide, opened on the page itself: no kernel is asked, and no script runs.

Each goal is a `<details>` whose summary is a chip; the style sheet lays the guide of the open one out below all chips.
A notebook that is opened again untrusted loses the style sheet and the group: there several can be open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics import guides
from colab_magics.guides import GOAL_LABELS, Goal
from colab_magics.model import Severity
from colab_magics.rules import RULES, blocking
from colab_magics.views import guide_html
from colab_magics.views.markup import Html, element

if TYPE_CHECKING:
    from colab_magics.report import Report
    from colab_magics.translation import Translator

_LISTED = "display:list-item;cursor:pointer"
"""The classic notebook hides that a summary can be opened, unless it says itself what it is."""


def page(report: Report, translate: Translator) -> Html:
    """Return the goals as a report shows them, the fitting one marked."""
    group = f"cm-goals-{report.snapshot.taken_at:%Y%m%d%H%M%S%f}"  # a look is shown once
    return element("div", render(report, translate, group=group), class_=marking(fitting(report)))


def render(report: Report, translate: Translator, *, group: str, opened: Goal | None = None) -> Html:
    """Return the goals; `group` is a name that nothing else on the page has: of those with it one is open at a time."""
    label = translate("I want")
    return element(
        "div",
        element("span", label, class_="cm-goals-label"),
        *(_goal(goal, report, translate, group, is_open=goal is opened) for goal in Goal),
        class_="cm-goals",
        role="group",
        aria_label=label,
        lang=translate.spoken,
    )


def fitting(report: Report) -> Goal | None:
    """Return the goal that fits what was found: where the guide to a finding leads, of several the gravest's.

    None where nothing is wrong, and where something else helps.
    """
    for finding in report.findings:
        if finding.severity > Severity.INFO or RULES[finding.rule].is_the_answer:
            guide = guides.for_finding(finding, report.snapshot)
            goal = None if guide is None else guide.goal or guide.otherwise
            if goal is not None:
                return goal
    return None


def marking(goal: Goal | None) -> str:
    """Return the class by which what is around the goals marks one of them: they themselves stay as they are."""
    return "cm-fits" if goal is None else f"cm-fits cm-fits-{goal}"


def _goal(goal: Goal, report: Report, translate: Translator, group: str, *, is_open: bool) -> Html:
    guide = guides.for_goal(goal, report.snapshot, blocking(report.findings))
    return element(
        "details",
        element("summary", translate(GOAL_LABELS[goal]), style=_LISTED),
        guide_html.page(guide, translate),
        name=group,
        open="" if is_open else None,
        class_=f"cm-goal-{goal}",
    )
