"""What stands below "I want": the goal that a panel opens at, and the guide to the one that is chosen. Plain HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics import guides
from colab_magics.guides import Goal
from colab_magics.model import Subject
from colab_magics.rules import blocking
from colab_magics.views import guide_html

if TYPE_CHECKING:
    from colab_magics.report import Report
    from colab_magics.translation import Translator
    from colab_magics.views.markup import Html

_GOAL_OF = {Subject.GPU: Goal.GPU, Subject.RAM: Goal.MEMORY}
"""The goal that a panel on a subject may open at."""


def goal_to_open_at(report: Report) -> Goal | None:
    """Return the goal that a report on GPUs or RAM suggests."""
    goal = _GOAL_OF.get(report.subject)
    found = (guides.for_finding(finding, report.snapshot) for finding in report.findings)
    is_suggested = any(guide is not None and goal in (guide.goal, guide.otherwise) for guide in found)
    return goal if is_suggested else None


def render(goal: Goal, report: Report, translate: Translator) -> Html:
    """Return the guide to a goal on this machine."""
    guide = guides.for_goal(goal, report.snapshot, blocking(report.findings))
    return guide_html.page(guide, translate)


def depends_on(report: Report) -> tuple[object, ...]:
    """Return what of a report the guides depend on: while it stays equal, so do they."""
    snapshot = report.snapshot
    gpus = tuple(gpu.name for gpu in snapshot.gpus) if isinstance(snapshot.gpus, tuple) else snapshot.gpus
    return gpus, snapshot.tpus, tuple(finding.rule for finding in report.findings)
