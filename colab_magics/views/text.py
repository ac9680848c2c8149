"""A report as plain text: complete by itself, 80 columns, read by people, terminals and agents alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics.model import Report, Severity
from colab_magics.views import details, guides, layout, summary, messages
from colab_magics.translation import ENGLISH, Say, speaker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from colab_magics.model import Advice

MOST_LINES = 8
MOST_FINDINGS = 3

_MAGICS = {"gpu": "%gpu_info", "ram": "%ram_info", "runtime": "%runtime_status"}


def render(report: Report, *, language: str = ENGLISH, everything: bool = False, processes: bool = False) -> str:
    """Return the report as text: at most eight lines, unless `everything` or the `processes` on the GPUs are wanted."""
    say = speaker(language)
    answer = [line for paragraph in summary.answer(report, say) for line in layout.flow(paragraph, say.gap)]
    if everything:
        return "\n".join([*answer, *_everything_advised(report, say), *_detail_lines(report, say)])
    body = _most_advised(report, say, room=MOST_LINES - len(answer))
    if processes:
        return "\n".join([*_shortened(answer, [], report, say), *_process_lines(report, say), *body])
    return "\n".join(_shortened(answer, body, report, say))


def _most_advised(report: Report, say: Say, *, room: int) -> list[str]:
    """Return up to three findings and what to do about the first; mere remarks give way where there is no room."""
    advice = shown_by_default(report)
    found = [_finding_lines(report, item, say) for item in advice]
    guide = _guide_lines(report, advice[0], say) if advice else []
    parts = [*found[:1], guide, *found[1:]]
    if advice and found[0] and advice[0].severity is Severity.INFO and sum(map(len, parts)) > room:
        parts[1] = []
    first, others = parts[:2], parts[2:]
    while others and advice[len(others)].severity is Severity.INFO and sum(map(len, (*first, *others))) > room:
        others.pop()
    return [line for lines in (*first, *others) for line in lines]


def _everything_advised(report: Report, say: Say) -> list[str]:
    """Return every finding with its guide; consequences that several have are said once."""
    lines: list[str] = []
    said: set[tuple[str, ...]] = set()
    for item in report.advice:
        guide = guides.guide(item, report.snapshot.platform)
        lines += _finding_lines(report, item, say)
        lines += _guide_lines(report, item, say, with_consequences=guide is None or guide.consequences not in said)
        said |= {guide.consequences} if guide else set()
    return lines


def shown_by_default(report: Report) -> tuple[Advice, ...]:
    """Return the advice that is shown when not everything is wanted."""
    return tuple(advice for advice in report.advice if advice.severity > Severity.HINT)[:MOST_FINDINGS]


def _process_lines(report: Report, say: Say) -> list[str]:
    gpus = report.snapshot.gpus
    if not isinstance(gpus, tuple):
        return []
    several = len(gpus) > 1
    return [
        line
        for gpu in gpus
        for sentence in summary.process_sentences(gpu, say)
        for line in layout.flow(
            [say("{name}: {facts}", name=f"GPU {gpu.index}", facts=sentence) if several else sentence], say.gap
        )
    ]


def _shortened(answer: Sequence[str], body: Sequence[str], report: Report, say: Say) -> list[str]:
    """Keep the whole body before the end of the answer: what to do matters more than the seventh GPU."""
    room = MOST_LINES - len(body)
    if len(answer) > room:
        more = say("... and more: {command}", command=f"{_MAGICS[report.subject]} -a")
        answer = [*answer[: max(1, room - 1)], more]
    return [*answer, *body][:MOST_LINES]


def _finding_lines(report: Report, advice: Advice, say: Say) -> list[str]:
    if summary.is_said(report, advice):
        return []
    return layout.flow([messages.finding(advice, say)], say.gap)


def _guide_lines(report: Report, advice: Advice, say: Say, *, with_consequences: bool = True) -> list[str]:
    guide = guides.guide(advice, report.snapshot.platform)
    return [] if guide is None else layout.guide_lines(guide, say, with_consequences=with_consequences)


def _detail_lines(report: Report, say: Say) -> list[str]:
    lines = []
    for title, rows in details.tables(summary.subject_matter(report), say):
        lines += ["", title]
        for name, value in rows:
            row = say("{name}: {facts}", name=name, facts=value)
            lines += [f"  {line}" for line in layout.broken(row, layout.WIDTH - 2)]
    links = {address for item in report.advice if (guide := guides.guide(item, report.snapshot.platform))
             and (address := guides.address(guide))}  # fmt: skip
    return [*lines, *(["", say("To read more"), *(f"  {address}" for address in sorted(links))] if links else [])]
