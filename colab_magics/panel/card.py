"""The part of the panel that moves: the gauges, the findings that matter now; and the title above them. Plain HTML.

It is sent again at every refresh, so it is kept small; its style sheet is sent once, by the panel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics import guides
from colab_magics.panel import sparkline
from colab_magics.panel.gauges import gauges
from colab_magics.rules import RULES
from colab_magics.views import html, messages, summary
from colab_magics.views.markup import Html, element

if TYPE_CHECKING:
    from collections.abc import Sequence

    from colab_magics.panel.gauges import Gauge
    from colab_magics.report import Report
    from colab_magics.translation import Translator
    from colab_magics.views.render_options import RenderOptions

_FULL_PERCENT = 90
"""From here on a gauge that fills is drawn in the colour of warning."""


def title(report: Report, options: RenderOptions) -> Html:
    """Return the line above the gauges: what this runtime is. It hardly ever changes."""
    translate = options.translate
    first = element("strong", summary.accelerators(report.snapshot, translate))
    machine = summary.machine_sentence(report.snapshot, translate)
    return element("div", first, f" {machine}", class_="colab-magics cm-head", lang=translate.spoken)


def render(report: Report, options: RenderOptions, *, notes: Sequence[str] = ()) -> Html:
    """Return the card; `notes` are sentences of the panel's own for its foot."""
    translate, snapshot = options.translate, report.snapshot
    parts = [element("div", *(_row(gauge, translate) for gauge in gauges(report, translate)), class_="cm-gauges")]
    if options.processes:
        parts.append(html.process_list(snapshot, translate))
    for finding in summary.shown_by_default(report):
        guide = guides.for_finding(finding, snapshot)
        # What leads to a goal stands below, under "I want".
        steps = None if guide is None or guide.goal is not None else guide
        said = None if summary.is_said(report, finding) else messages.sentence(finding, translate)
        parts.append(html.found(said, steps, translate))
    as_of = translate("As of {time} UTC.", time=f"{snapshot.taken_at:%H:%M:%S}")
    parts.append(element("p", translate.joined([as_of, *notes]), class_="cm-foot"))
    return element("div", *parts, class_="colab-magics cm-now", lang=translate.spoken)


def without_report(why: str, options: RenderOptions) -> Html:
    """Return the card of a panel that has nothing to show but why."""
    return element("div", element("p", why), class_="colab-magics cm-now", lang=options.translate.spoken)


def fixable_in_place(report: Report) -> frozenset[str]:
    """Return which findings may be gone after a command, without another machine: worth checking again."""
    rules = (finding.rule for finding in summary.shown_by_default(report))
    return frozenset(rule for rule in rules if RULES[rule].fixable_in_place)


def _row(gauge: Gauge, translate: Translator) -> Html:
    bar = gauge.bar
    nothing = element("i")
    full_percent = _FULL_PERCENT if bar.fills else None
    drawn = nothing if bar.percent is None else html.meter(bar.label, bar.percent, full_percent=full_percent)
    history = sparkline.draw(bar.label, gauge.history, translate) or nothing
    words = element("span", bar.listed(translate))
    return element("div", element("b", bar.label), drawn, history, words, class_="cm-gauge")
