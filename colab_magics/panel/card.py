"""The part of the panel that moves: the gauges, the findings that matter now; and the title above them. Plain HTML.

It is sent again at every refresh, so it is kept small; its style sheet is sent once, by the panel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics.panel import sparkline
from colab_magics.panel.gauges import gauges
from colab_magics.rules import RULES
from colab_magics.views import gpu_table, html, summary
from colab_magics.views.markup import Html, element
from colab_magics.views.said import as_phrase

if TYPE_CHECKING:
    from collections.abc import Sequence

    from colab_magics.report import Report
    from colab_magics.views.render_options import RenderOptions


def title(report: Report, options: RenderOptions) -> Html:
    """Return the line above the gauges: what this runtime is. It hardly ever changes."""
    translate = options.translate
    return element("div", html.heading(report, translate), class_="colab-magics", lang=translate.spoken)


def render(report: Report, options: RenderOptions, *, notes: Sequence[str] = ()) -> Html:
    """Return the card; `notes` are sentences of the panel's own for its foot."""
    translate, snapshot = options.translate, report.snapshot
    shown = gauges(report, translate)
    moments = sparkline.axis([sample.seconds_ago for sample in snapshot.samples or ()], translate)
    histories = [sparkline.draw(one.bar.label, moments, one.history, translate) for one in shown]
    parts = [
        html.table_of_gpus(gpu_table.rows(snapshot, translate), translate),
        html.rows([one.bar for one in shown], histories),
    ]
    if options.processes:
        parts.append(html.process_list(snapshot, translate))
    parts += [element("p", sentence) for sentence in summary.notes(report, translate)]
    guided = summary.what_to_do(report)
    for finding in summary.shown_by_default(report):
        guide = guided.get(finding.rule)
        # What leads to a goal stands below, under "I want".
        steps = None if guide is None or guide.goal is not None else guide
        parts.append(html.found(report, finding, steps, translate))
    parts.append(html.session(snapshot, translate))
    as_of = translate("As of {time} UTC", time=f"{snapshot.taken_at:%H:%M:%S}")
    said = [as_phrase(note) for note in notes]
    parts.append(html.foot([as_of, *said, *summary.foot(report, translate)]))
    return element("div", *parts, class_="colab-magics cm-now", lang=translate.spoken)


def without_report(why: str, options: RenderOptions) -> Html:
    """Return the card of a panel that has nothing to show but why."""
    return element("div", element("p", why), class_="colab-magics cm-now", lang=options.translate.spoken)


def fixable_in_place(report: Report) -> frozenset[str]:
    """Return which findings may be gone after a command, without another machine: worth checking again."""
    rules = (finding.rule for finding in summary.shown_by_default(report))
    return frozenset(rule for rule in rules if RULES[rule].fixable_in_place)
