"""A report as plain text: complete by itself, 80 columns, read by people, terminals and agents alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics import guides
from colab_magics.model import Severity, Subject, seen
from colab_magics.views import guide_text, layout, messages, summary
from colab_magics.views.render_options import DEFAULTS, RenderOptions

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from colab_magics.guides import Guide
    from colab_magics.model import Finding
    from colab_magics.report import Report
    from colab_magics.translation import Translator

MOST_LINES = 8
"""How many there are unless everything or the processes are wanted, a note before the report not counted."""

_MORE = {Subject.GPU: "%gpu_info -a", Subject.RAM: "%ram_info -a", Subject.RUNTIME: "%runtime_status -a"}


def render(report: Report, options: RenderOptions = DEFAULTS) -> str:
    """Return the report as text."""
    note = summary.note(report, options)
    lines = _lines(report, options)
    return "\n".join(lines if note is None else [note, *lines])


def _lines(report: Report, options: RenderOptions) -> list[str]:
    translate = options.translate
    paragraphs = summary.answer(report, translate).paragraphs
    answer = [line for paragraph in paragraphs for line in layout.flow(paragraph, translate.gap)]
    if options.everything:
        return [*answer, *_all_findings(report, translate), *_detail_lines(report, translate)]
    body = _most_important(report, translate, room=MOST_LINES - len(answer))
    if options.processes:
        return [*_shortened(answer, [], report, translate), *_process_lines(report, translate), *body]
    return _shortened(answer, body, report, translate)


def _most_important(report: Report, translate: Translator, *, room: int) -> list[str]:
    """Return up to three findings and what to do about the first; mere remarks give way where there is no room."""
    findings = summary.shown_by_default(report)
    found = [_finding_lines(report, finding, translate) for finding in findings]
    guide = guides.for_finding(findings[0], report.snapshot) if findings else None
    parts = [*found[:1], [] if guide is None else guide_text.lines(guide, translate), *found[1:]]
    if findings and found[0] and findings[0].severity is Severity.INFO and sum(map(len, parts)) > room:
        parts[1] = []
    first, others = parts[:2], parts[2:]
    while others and findings[len(others)].severity is Severity.INFO and sum(map(len, (*first, *others))) > room:
        others.pop()
    return [line for lines in (*first, *others) for line in lines]


def _all_findings(report: Report, translate: Translator) -> list[str]:
    """Return every finding with its guide; consequences that several have are said once."""
    lines: list[str] = []
    said: set[tuple[object, ...]] = set()
    for finding in report.findings:
        guide = guides.for_finding(finding, report.snapshot)
        lines += _finding_lines(report, finding, translate)
        if guide is not None:
            lines += guide_text.lines(guide, translate, with_consequences=guide.consequences not in said)
            said.add(guide.consequences)
    return lines


def _process_lines(report: Report, translate: Translator) -> list[str]:
    gpus = seen(report.snapshot.gpus)
    several = len(gpus) > 1
    return [
        line
        for gpu in gpus
        for sentence in summary.process_sentences(gpu, translate)
        for line in layout.flow(
            [translate("{name}: {facts}", name=f"GPU {gpu.index}", facts=sentence) if several else sentence],
            translate.gap,
        )
    ]


def _shortened(answer: Sequence[str], body: Sequence[str], report: Report, translate: Translator) -> list[str]:
    """Keep the whole body before the end of the answer: what to do matters more than the seventh GPU."""
    room = MOST_LINES - len(body)
    if len(answer) > room:
        more = translate("... and more: {command}", command=_MORE[report.subject])
        answer = [*answer[: max(1, room - 1)], more]
    return [*answer, *body][:MOST_LINES]


def _finding_lines(report: Report, finding: Finding, translate: Translator) -> list[str]:
    if summary.is_said(report, finding):
        return []
    return layout.flow([messages.sentence(finding, translate)], translate.gap)


def _detail_lines(report: Report, translate: Translator) -> list[str]:
    from colab_magics.views import details

    sections = details.sections(summary.subject_matter(report), translate)
    sections += details.of_findings(report.findings, report.snapshot, translate)
    lines = []
    for title, rows in sections:
        lines += ["", title]
        for name, value in rows:
            row = translate("{name}: {facts}", name=name, facts=value)
            if isinstance(value, layout.Address):
                lines.append(f"  {row}")
                continue
            lines += [f"  {line}" for line in layout.broken(row, layout.WIDTH - 2)]
    links = _addresses(guides.for_finding(finding, report.snapshot) for finding in report.findings)
    return [*lines, *(["", translate("To read more"), *(f"  {address}" for address in links)] if links else [])]


def _addresses(wanted: Iterable[Guide | None]) -> list[str]:
    found = {guide_text.address(guide) for guide in wanted if guide is not None}
    return sorted(address for address in found if address is not None)
