"""A report as plain text: complete by itself, 80 columns, read by people, terminals and agents alike."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from colab_magics.model import Report, Severity
from colab_magics.units import width
from colab_magics.views import details, summary, words
from colab_magics.views.language import ENGLISH, Say, speaker

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from colab_magics.model import Advice

WIDTH = 80
MOST_LINES = 8
MOST_FINDINGS = 3

# Where a line may end, the best places first: between words but not within "14 of 320 W" or brackets; between any
# words, and between Chinese characters; anywhere.
_PIECES = (
    re.compile(r"(?:\([^()]*\)|.)+?(?:(?<=,) |(?<!\d) (?!\d)|[，。；：]|$)"),
    re.compile(r"[\u2e80-\uffef] ?|[^\u2e80-\uffef ]+ ?| "),
    re.compile(r"."),
)
_MAGICS = {"gpu": "%gpu_info", "ram": "%ram_info", "runtime": "%runtime_status"}


def render(report: Report, *, language: str = ENGLISH, everything: bool = False, processes: bool = False) -> str:
    """Return the report as text: at most eight lines, unless `everything` or the `processes` on the GPUs are wanted."""
    say = speaker(language)
    answer = [line for paragraph in summary.answer(report, say) for line in _flow(paragraph, say.gap)]
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
        guide = words.guide(item, report.snapshot.platform)
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
        for line in _flow(
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
    return _flow([words.finding(advice, say)], say.gap)


def _guide_lines(report: Report, advice: Advice, say: Say, *, with_consequences: bool = True) -> list[str]:
    guide = words.guide(advice, report.snapshot.platform)
    if guide is None:
        return []
    purpose = say("{purpose}:", purpose=say(guide.purpose))
    steps = [words.step(step, say) for step in guide.steps]
    if len(steps) == 1:
        lines = _flow([f"{purpose} {steps[0]}"], say.gap)
    else:
        numbered = [f"{number} {step}" for number, step in enumerate(steps, start=1)]
        numbered[0] = f"{purpose}  {numbered[0]}"
        lines = _flow(numbered, "   ")
    consequences = guide.consequences if with_consequences else ()
    return [*lines, *(line for sentence in consequences for line in _broken(say(sentence)))]


def _detail_lines(report: Report, say: Say) -> list[str]:
    lines = []
    for title, rows in details.tables(summary.subject_matter(report), say):
        lines += ["", title]
        for name, value in rows:
            row = say("{name}: {facts}", name=name, facts=value)
            lines += [f"  {line}" for line in _broken(row, WIDTH - 2)]
    links = {address for item in report.advice if (guide := words.guide(item, report.snapshot.platform))
             and (address := words.address(guide))}  # fmt: skip
    return [*lines, *(["", say("To read more"), *(f"  {address}" for address in sorted(links))] if links else [])]


def _flow(sentences: Iterable[str], gap: str) -> list[str]:
    """Lay sentences out in lines, a new line where the next would not fit whole."""
    lines: list[str] = []
    for sentence in sentences:
        if lines and width(lines[-1]) + width(gap) + width(sentence) <= WIDTH:
            lines[-1] += gap + sentence
        else:
            lines += _broken(sentence)
    return lines


def _broken(sentence: str, most: int = WIDTH) -> list[str]:
    """Break a sentence that is too long, so that figures stay together if that is enough."""
    lines = [sentence]
    for piece in _PIECES:
        if max(map(width, lines)) > most:
            lines = _packed(piece.findall(sentence), most)
    return lines


def _packed(pieces: Iterable[str], most: int) -> list[str]:
    lines = [""]
    for piece in pieces:
        if width((lines[-1] + piece).rstrip()) <= most:
            lines[-1] += piece
        else:
            lines.append(f"  {piece}")
    return [line.rstrip() for line in lines if line.strip()]
