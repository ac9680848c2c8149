"""A report as plain text: complete by itself, 80 columns, read by people, terminals and agents alike."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

from colab_magics.views import details, summary, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from colab_magics.model import Report

WIDTH = 80
MOST_LINES = 8
MOST_FINDINGS = 3


def render(report: Report, *, everything: bool = False, processes: bool = False) -> str:
    """Return the report as text: at most eight lines, unless `everything` or the `processes` on the GPUs are wanted."""
    answer = [line for paragraph in summary.answer(report) for line in _flow(paragraph)]
    advice = list(report.advice if everything else report.advice[:MOST_FINDINGS])
    found = [[] if summary.is_said(report, item) else _flow([words.finding(item)]) for item in advice]
    guides = [_guide_lines(words.guide(item, report.snapshot.platform)) for item in advice]
    if everything:
        body = [line for pair in zip(found, guides, strict=True) for lines in pair for line in lines]
        return "\n".join([*answer, *body, *_detail_lines(report)])
    body = [*found[0], *guides[0], *(line for lines in found[1:] for line in lines)] if advice else []
    if processes:
        return "\n".join([*_shortened(answer, [], report), *_process_lines(report), *body])
    return "\n".join(_shortened(answer, body, report))


def _process_lines(report: Report) -> list[str]:
    gpus = report.snapshot.gpus
    if not isinstance(gpus, tuple):
        return []
    several = len(gpus) > 1
    return [
        line
        for gpu in gpus
        for sentence in summary.process_sentences(gpu)
        for line in _flow([f"GPU {gpu.index}: {sentence}" if several else sentence])
    ]


def _shortened(answer: Sequence[str], body: Sequence[str], report: Report) -> list[str]:
    """Keep the whole body before the end of the answer: what to do matters more than the seventh GPU."""
    room = MOST_LINES - len(body)
    if len(answer) > room:
        answer = [*answer[: max(1, room - 1)], _more(report)]
    return [*answer, *body][:MOST_LINES]


def _more(report: Report) -> str:
    magic = {"gpu": "%gpu_info", "ram": "%ram_info", "runtime": "%runtime_status"}[report.subject]
    return f"... and more: {magic} -a"


def _guide_lines(guide: words.Guide | None) -> list[str]:
    if guide is None:
        return []
    if len(guide.steps) == 1:
        return [*_flow([f"{guide.purpose}: {guide.steps[0]}"]), *_flow(guide.consequences, together=False)]
    numbered = [f"{number} {step}" for number, step in enumerate(guide.steps, start=1)]
    numbered[0] = f"{guide.purpose}:  {numbered[0]}"
    steps = _flow(numbered, gap="   ")
    return [*steps, *_flow(guide.consequences, together=False)]


def _detail_lines(report: Report) -> list[str]:
    lines = []
    for title, rows in details.tables(report.snapshot):
        lines += ["", title]
        for name, value in rows:
            lines += textwrap.wrap(value, WIDTH, initial_indent=f"  {name}: ", subsequent_indent="    ") or [
                f"  {name}:"
            ]
    return lines


def _flow(sentences: Iterable[str], *, together: bool = True, gap: str = " ") -> list[str]:
    """Lay sentences out in lines, a new line where the next would not fit whole (`together`) or for each."""
    lines: list[str] = []
    for sentence in sentences:
        if together and lines and len(lines[-1]) + len(gap) + len(sentence) <= WIDTH:
            lines[-1] += gap + sentence
        else:
            lines += _broken(sentence)
    return lines


def _broken(sentence: str) -> list[str]:
    """Break a sentence that is too long, after a comma if that is enough: "14 of 320 W" stays together."""
    lines: list[str] = []
    for part in re.split(r"(?<=,) ", sentence):
        if lines and len(lines[-1]) + 1 + len(part) <= WIDTH:
            lines[-1] += f" {part}"
        else:
            lines += textwrap.wrap(part, WIDTH, initial_indent="  " if lines else "", subsequent_indent="  ")
    return lines
