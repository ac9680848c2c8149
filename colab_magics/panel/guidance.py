"""What stands below "I want": every goal with its guide, and when the page is to be sent them again. Plain HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics.model import Subject, Unavailable, seen
from colab_magics.rules import blocking
from colab_magics.views import goals_html

if TYPE_CHECKING:
    from colab_magics.report import Report
    from colab_magics.translation import Translator
    from colab_magics.views.markup import Html


def render(report: Report, translate: Translator, *, group: str) -> Html:
    """Return the goals on this machine; a panel on GPUs or RAM begins with the one that fits, opened."""
    opened = None if report.subject is Subject.RUNTIME else goals_html.fitting(report)
    return goals_html.render(report, translate, group=group, opened=opened)


def marking(report: Report) -> str:
    """Return the classes that mark the goal that fits."""
    return goals_html.marking(goals_html.fitting(report))


def depends_on(report: Report) -> tuple[object, ...]:
    """Return what of a report the guides depend on: while it stays equal, so do they.

    How long a driver has been silent is no part of it: what is sent again closes the guide that is open.
    """
    snapshot, found = report.snapshot, blocking(report.findings)
    gpus = tuple((gpu.name, gpu.is_hidden) for gpu in seen(snapshot.gpus))
    unseen = snapshot.gpus.code if isinstance(snapshot.gpus, Unavailable) else None
    return gpus, unseen, snapshot.tpus, found and found.rule
