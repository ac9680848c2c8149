"""A report as HTML: no script, nothing from outside the page, readable without its style sheet.

A notebook that is opened again untrusted loses style sheets, SVG and ARIA, so bars are `<meter>` with their numbers in
words beside, and structure is plain paragraphs, lists and tables.
"""

from __future__ import annotations

import functools
import os
from html import escape
from typing import TYPE_CHECKING

from colab_magics import units
from colab_magics.model import Gpu, GpuMemory, Ram, Report, Snapshot, Usage
from colab_magics.views import details, summary, words
from colab_magics.views.text import MOST_FINDINGS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Bar = tuple[str, float | None, str]
"""A label, the share in percent if there is one to draw, and the same in words."""

_MOST_GPUS = 8


def render(report: Report, *, everything: bool = False, processes: bool = False) -> str:
    """Return the report as one `<div>` with its style sheet."""
    first, *others = summary.answer(report)
    parts = [f'<p class="cm-answer">{_text(first[0])}</p>']
    parts += [_paragraph(sentences) for sentences in (first[1:], *_without_gpu_rows(others, report)) if sentences]
    parts.append(_bars(report.snapshot, everything=everything))
    if processes and not everything:
        parts.append(_process_list(report.snapshot))
    advice = report.advice if everything else report.advice[:MOST_FINDINGS]
    for position, item in enumerate(advice):
        guide = words.guide(item, report.snapshot.platform) if everything or position == 0 else None
        parts.append(_advice(None if summary.is_said(report, item) else words.finding(item), guide))
    if everything:
        parts += [_details(title, rows) for title, rows in details.tables(report.snapshot)]
    return f'<div class="colab-magics"><style>{_style_sheet()}</style>{"".join(parts)}</div>'


def _text(text: str) -> str:
    """Make text fit to stand in HTML: the one place where it is escaped."""
    return escape(units.printable(text))


def _without_gpu_rows(paragraphs: Iterable[tuple[str, ...]], report: Report) -> list[tuple[str, ...]]:
    """Leave out the paragraphs that the bars say again, GPU by GPU."""
    gpus = report.snapshot.gpus
    rows = {f"{gpu.index}  {summary.gpu_sentence(gpu)}" for gpu in gpus} if isinstance(gpus, tuple) else set()
    return [sentences for sentences in paragraphs if sentences[0] not in rows or len(rows) <= 1]


def _paragraph(sentences: Iterable[str]) -> str:
    return f"<p>{' '.join(map(_text, sentences))}</p>"


def _bars(snapshot: Snapshot, *, everything: bool) -> str:
    gpus = snapshot.gpus if isinstance(snapshot.gpus, tuple) else ()
    rows = _gpu_bars(gpus if everything else gpus[:_MOST_GPUS])
    if isinstance(snapshot.ram, Ram):
        rows.append(_usage_bar("RAM", snapshot.ram.machine))
    if isinstance(snapshot.disks, tuple):
        rows += [_usage_bar(summary.disk_name(disk, snapshot.disks), disk.usage) for disk in snapshot.disks]
    if not rows:
        return ""
    return f'<table class="cm-bars">{"".join(_bar(*row) for row in rows)}</table>'


def _process_list(snapshot: Snapshot) -> str:
    gpus = snapshot.gpus if isinstance(snapshot.gpus, tuple) else ()
    rows = [(f"GPU {gpu.index}", sentence) for gpu in gpus for sentence in summary.process_sentences(gpu)]
    return _rows(rows) if rows else ""


def _bar(label: str, percent: float | None, said: str) -> str:
    title = f"{_text(label)}: {_text(said)}"
    meter = "" if percent is None else f'<meter min="0" max="100" value="{percent:.0f}" title="{title}"></meter>'
    return f'<tr><th scope="row">{_text(label)}</th><td>{meter}</td><td>{_text(said)}</td></tr>'


def _gpu_bars(gpus: Sequence[Gpu]) -> list[Bar]:
    """Return the memory and the use of a single GPU, or a row for each of several."""
    bars: list[Bar] = []
    for gpu in gpus:
        share = None if gpu.memory is None else gpu.memory.used_percent
        if len(gpus) > 1:
            bars.append((f"{gpu.index}  {summary.gpu_name(gpu)}", share, summary.gpu_facts(gpu)))
            continue
        if gpu.memory is not None:
            bars.append(_usage_bar("GPU memory", gpu.memory))
        if gpu.utilization_percent is not None:
            bars.append(("GPU use", gpu.utilization_percent, f"{gpu.utilization_percent:.0f} %"))
    return bars


def _usage_bar(label: str, usage: Usage | GpuMemory) -> Bar:
    return label, usage.used_percent, units.used_of(usage.used_bytes, usage.total_bytes)


def _advice(found: str | None, guide: words.Guide | None) -> str:
    parts = [] if found is None else [f"<p>{_text(found)}</p>"]
    if guide is not None and len(guide.steps) == 1:
        parts.append(_paragraph([f"{guide.purpose}: {guide.steps[0]}", *guide.consequences]))
    elif guide is not None:
        steps = "".join(f"<li>{_text(step)}</li>" for step in guide.steps)
        parts.append(f'<p>{_text(guide.purpose)}:</p><ol class="cm-steps">{steps}</ol>')
        parts.append(_paragraph(guide.consequences) if guide.consequences else "")
    return f'<div class="cm-found">{"".join(parts)}</div>' if parts else ""


def _details(title: str, rows: details.Rows) -> str:
    return f"<details open><summary>{_text(title)}</summary>{_rows(rows)}</details>"


def _rows(rows: details.Rows) -> str:
    cells = "".join(f'<tr><th scope="row">{_text(name)}</th><td>{_text(value)}</td></tr>' for name, value in rows)
    return f'<table class="cm-rows">{cells}</table>'


@functools.cache
def _style_sheet() -> str:
    with open(os.path.join(os.path.dirname(__file__), "report.css"), encoding="utf-8") as file:
        return file.read()
