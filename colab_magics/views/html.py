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
from colab_magics.views import details, guides, summary, messages
from colab_magics.translation import ENGLISH, Say, speaker
from colab_magics.views.text import shown_by_default

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Bar = tuple[str, float | None, str]
"""A label, the share in percent if there is one to draw, and the same in words."""

MOST_GPUS = 8
"""How many are shown one by one, unless everything is wanted."""


def render(
    report: Report,
    *,
    language: str = ENGLISH,
    everything: bool = False,
    processes: bool = False,
    note: str | None = None,
) -> str:
    """Return the report as one `<div>` with its style sheet; `note` is a sentence before it."""
    say = speaker(language)
    snapshot = report.snapshot
    first, *others = summary.answer(report, say)
    parts = [] if note is None else [f"<p>{escaped(note)}</p>"]
    parts.append(f'<p class="cm-answer">{escaped(first[0])}</p>')
    parts += [_paragraph(texts, say) for texts in (first[1:], *_without_gpu_rows(others, snapshot, say)) if texts]
    parts.append(_bars(summary.subject_matter(report), say, everything=everything))
    if processes and not everything:
        parts.append(process_list(snapshot, say))
    for position, item in enumerate(report.advice if everything else shown_by_default(report)):
        guide = guides.guide(item, snapshot.platform) if everything or position == 0 else None
        parts.append(advice(None if summary.is_said(report, item) else messages.finding(item, say), guide, say))
    if everything:
        parts += [_details(title, rows) for title, rows in details.tables(summary.subject_matter(report), say)]
    return f'<div class="colab-magics" lang="{say.spoken}"><style>{_style_sheet()}</style>{"".join(parts)}</div>'


def escaped(text: str) -> str:
    """Make text fit to stand in HTML: the one place where it is escaped."""
    return escape(units.printable(text))


def _without_gpu_rows(paragraphs: Iterable[tuple[str, ...]], snapshot: Snapshot, say: Say) -> list[tuple[str, ...]]:
    """Leave out the paragraphs that the bars say again, GPU by GPU."""
    gpus = snapshot.gpus if isinstance(snapshot.gpus, tuple) else ()
    rows = {f"{gpu.index}  {summary.gpu_sentence(gpu, say)}" for gpu in gpus} if len(gpus) > 1 else set()
    return [sentences for sentences in paragraphs if sentences[0] not in rows]


def meter(name: str, percent: float, *, full_percent: int | None = None) -> str:
    """Return a bar with its name; from `full_percent` on it is drawn as one that should not be so full."""
    warns = "" if full_percent is None else f' high="{full_percent}" optimum="0"'
    return f'<meter min="0" max="100" value="{percent:.0f}"{warns} title="{escaped(name)}"></meter>'


def _paragraph(sentences: Iterable[str], say: Say) -> str:
    return f"<p>{escaped(say.joined(sentences))}</p>"


def _bars(snapshot: Snapshot, say: Say, *, everything: bool) -> str:
    gpus = snapshot.gpus if isinstance(snapshot.gpus, tuple) else ()
    rows = _gpu_bars(gpus if everything else gpus[:MOST_GPUS], say)
    if isinstance(snapshot.ram, Ram):
        rows.append(_usage_bar(say("RAM"), snapshot.ram.machine, say))
    if isinstance(snapshot.disks, tuple):
        rows += [_usage_bar(summary.disk_name(disk, snapshot.disks, say), disk.usage, say) for disk in snapshot.disks]
    return f'<table class="cm-bars">{"".join(_bar(*row) for row in rows)}</table>' if rows else ""


def _bar(label: str, percent: float | None, said: str) -> str:
    drawn = "" if percent is None else meter(f"{label}: {said}", percent)
    return f'<tr><th scope="row">{escaped(label)}</th><td>{drawn}</td><td>{escaped(said)}</td></tr>'


def _gpu_bars(gpus: Sequence[Gpu], say: Say) -> list[Bar]:
    """Return the memory and the use of a single GPU, or a row for each of several."""
    bars: list[Bar] = []
    for gpu in gpus:
        share = None if gpu.memory is None else gpu.memory.used_percent
        if len(gpus) > 1:
            bars.append((f"{gpu.index}  {summary.gpu_name(gpu, say)}", share, summary.gpu_facts(gpu, say)))
            continue
        if gpu.memory is not None:
            bars.append(_usage_bar(say("GPU memory"), gpu.memory, say))
        if gpu.utilization_percent is not None:
            bars.append((say("GPU use"), gpu.utilization_percent, f"{gpu.utilization_percent:.0f} %"))
    return bars


def _usage_bar(label: str, usage: Usage | GpuMemory, say: Say) -> Bar:
    return label, usage.used_percent, summary.used_of(usage.used_bytes, usage.total_bytes, say)


def process_list(snapshot: Snapshot, say: Say) -> str:
    """Return who holds each GPU as a table, nothing where there is no GPU."""
    gpus = snapshot.gpus if isinstance(snapshot.gpus, tuple) else ()
    rows = [(f"GPU {gpu.index}", sentence) for gpu in gpus for sentence in summary.process_sentences(gpu, say)]
    return _rows(rows) if rows else ""


def advice(found: str | None, guide: guides.Guide | None, say: Say) -> str:
    """Return what was found and what to do about it, nothing where neither is to be said."""
    parts = [] if found is None else [f"<p>{escaped(found)}</p>"]
    if guide is not None:
        parts.append(_guide(guide, say))
    return f'<div class="cm-found">{"".join(parts)}</div>' if parts else ""


def _guide(guide: guides.Guide, say: Say) -> str:
    purpose = say("{purpose}:", purpose=say(guide.purpose))
    steps = [guides.step(step, say) for step in guide.steps]
    consequences = [say(sentence) for sentence in guide.consequences]
    address = guides.address(guide)
    to_read = escaped(say("To read more"))
    more = f'<p><a href="{escape(address)}">{to_read}</a></p>' if address else ""
    if len(steps) == 1:
        return _paragraph([f"{purpose} {steps[0]}", *consequences], say) + more
    items = "".join(f"<li>{escaped(step)}</li>" for step in steps)
    after = _paragraph(consequences, say) if consequences else ""
    return f'<p>{escaped(purpose)}</p><ol class="cm-steps">{items}</ol>{after}{more}'


def _details(title: str, rows: details.Rows) -> str:
    return f"<details open><summary>{escaped(title)}</summary>{_rows(rows)}</details>"


def _rows(rows: details.Rows) -> str:
    cells = "".join(f'<tr><th scope="row">{escaped(name)}</th><td>{escaped(value)}</td></tr>' for name, value in rows)
    return f'<table class="cm-rows">{cells}</table>'


@functools.cache
def _style_sheet() -> str:
    with open(os.path.join(os.path.dirname(__file__), "report.css"), encoding="utf-8") as file:
        return file.read()
