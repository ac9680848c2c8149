"""The part of the panel that moves: the gauges, the advice that matters now; and the title above them. Plain HTML.

It is sent anew at every refresh, so it is kept small; its style sheet is sent once, by the panel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics.views import guides, html, summary, messages
from colab_magics.translation import ENGLISH, Say, speaker
from colab_magics.panel import gauges, sparkline
from colab_magics.views.text import shown_by_default

if TYPE_CHECKING:
    from colab_magics.model import Report

_FULL_PERCENT = 90
"""From here on a gauge that fills is drawn in the colour of warning."""

_LED_BY_A_WISH = frozenset({"no_gpu", "not_high_ram"})
"""What "I want ..." leads through click by click, just below."""

_MENDED_IN_PLACE = frozenset(
    {
        "cuda_hidden",
        "disk_nearly_full",
        "driver_failed",
        "driver_not_answering",
        "framework_cpu_only",
        "framework_needs_newer_driver",
        "gpu_memory_nearly_full",
        "kernel_holds_most_ram",
        "ram_nearly_full",
        "swap_in_use",
    }
)


def title(report: Report, *, language: str = ENGLISH) -> str:
    """Return the line above the gauges: what this runtime is. It hardly ever changes."""
    say = speaker(language)
    first = html.escaped(summary.accelerators(report.snapshot, say))
    machine = html.escaped(summary.machine_sentence(report.snapshot, say))
    return f'<div class="colab-magics cm-head" lang="{say.spoken}"><strong>{first}</strong> {machine}</div>'


def render(report: Report, *, language: str = ENGLISH, note: str = "", processes: bool = False) -> str:
    """Return the card; `note` is a line of the panel's own for its foot."""
    say = speaker(language)
    snapshot = report.snapshot
    rows = "".join(_row(gauge, say) for gauge in gauges.gauges(report, say))
    parts = [f'<div class="cm-gauges">{rows}</div>']
    if processes:
        parts.append(html.process_list(snapshot, say))
    for item in shown_by_default(report):
        guide = None if item.rule in _LED_BY_A_WISH else guides.guide(item, snapshot.platform)
        parts.append(html.advice(None if summary.is_said(report, item) else messages.finding(item, say), guide, say))
    as_of = say("As of {time} UTC.", time=f"{snapshot.taken_at:%H:%M:%S}")
    parts.append(f'<p class="cm-foot">{html.escaped(say.joined([as_of, note] if note else [as_of]))}</p>')
    return f'<div class="colab-magics cm-now" lang="{say.spoken}">{"".join(parts)}</div>'


def without_report(why: str, *, language: str) -> str:
    """Return the card of a panel that has nothing to show but why."""
    return f'<div class="colab-magics cm-now" lang="{speaker(language).spoken}"><p>{html.escaped(why)}</p></div>'


def mendable(report: Report) -> frozenset[str]:
    """Return which findings may be gone after a command, without another machine: worth checking again."""
    return _MENDED_IN_PLACE & {item.rule for item in shown_by_default(report)}


def _row(gauge: gauges.Gauge, say: Say) -> str:
    full_percent = _FULL_PERCENT if gauge.fills else None
    bar = "<i></i>" if gauge.percent is None else html.meter(gauge.label, gauge.percent, full_percent=full_percent)
    said = say.listed((gauge.said, gauge.more)) if gauge.more else gauge.said
    return (
        f'<div class="cm-gauge"><b>{html.escaped(gauge.label)}</b>{bar}'
        f"{sparkline.draw(gauge.label, gauge.course, say) or '<i></i>'}<span>{html.escaped(said)}</span></div>"
    )
