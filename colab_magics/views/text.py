"""A report as plain text: complete by itself, 80 columns, read by people, terminals and agents alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics.model import Severity, Subject, seen
from colab_magics.views import gpu_table, gpus, layout, messages, summary
from colab_magics.views.render_options import DEFAULTS, RenderOptions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from colab_magics.guides import Guide
    from colab_magics.model import Finding
    from colab_magics.report import Report
    from colab_magics.translation import Translator

MOST_LINES = 8
"""How many there are unless everything is wanted, without a note before the report, a table and processes."""

MORE = {
    Subject.GPU: "%gpu_info -a",
    Subject.RAM: "%ram_info -a",
    Subject.RUNTIME: "%runtime_status -a",
    Subject.OUT_OF_MEMORY: "%ram_info -a",
    Subject.CELLS: "%runtime_status -c -a",
    Subject.CELL: "%%runtime_status -a",
    Subject.CLUSTER: "%runtime_status --on ... -a",
}
"""What shows everything."""


def render(report: Report, options: RenderOptions = DEFAULTS) -> str:
    """Return the report as text."""
    note = summary.note(report, options)
    lines = _lines(report, options)
    return "\n".join(lines if note is None else [note, *lines])


def _lines(report: Report, options: RenderOptions) -> list[str]:
    translate = options.translate
    answer = summary.answer(report, translate, everything=options.everything)
    first = layout.flow(answer.first, translate.gap)
    table = _table_lines(report, translate, everything=options.everything)
    others = [line for paragraph in answer.others for line in layout.flow(paragraph, translate.gap)]
    table += memory_lines(report, translate)
    if options.everything and summary.has_sections(report):
        return [*first, *table, *others, *_all_findings(report, translate), *detail_lines(report, translate)]
    grave, rest = _found(report, translate)
    foot = layout.flow(_foot(report, translate, everything=options.everything), translate.gap)
    processes = process_lines(report, translate) if options.processes else []
    if options.everything:
        said = [line for lines in rest for line in lines]
        return [*first, *grave, *table, *others, *said, *foot]
    room = MOST_LINES - len(first) - len(grave)
    rest = _fitting(rest, room - bool(others or foot))
    room -= sum(map(len, rest))
    if len(others) + len(foot) > room:
        more = translate("... and more: {command}", command=MORE[report.subject])
        kept = max(0, room - 1)
        others, foot = others[:kept], [*foot[: max(0, kept - len(others))], *([more] if room > 0 else [])]
    said = [line for lines in rest for line in lines]
    return [*[*first, *grave][:MOST_LINES], *table, *processes, *others, *said, *foot]


def _table_lines(report: Report, translate: Translator, *, everything: bool) -> list[str]:
    if report.subject is Subject.CELLS:
        from colab_magics.views import cells

        shown = cells.rows(report.snapshot.cells or (), translate, everything=everything)
        return cells.lines(shown, translate, everything=everything)
    if report.subject is Subject.CLUSTER:
        from colab_magics.views import cluster

        machines = cluster.rows(report.snapshot, translate, everything=everything)
        return [line for line, _ in cluster.lines(machines, translate)]
    table = gpu_table.rows(summary.subject_matter(report), translate)
    return gpu_table.lines(table, translate) if table else []


def memory_lines(report: Report, translate: Translator) -> list[str]:
    """Return who has the memory, part by part and by the largest variables; nothing where that was not asked for."""
    snapshot, found = report.snapshot, []
    if snapshot.gpu_shares is not None:
        from colab_magics.views import shares

        found += [line for one in shares.divided(report, translate) for line in shares.lines(one)]
    if snapshot.holders is not None or snapshot.released is not None:
        from colab_magics.views import holders

        tables = holders.tables(report.subject, snapshot, translate)
        found += [line for table in tables for line in holders.lines(table, translate)]
    return found


def _foot(report: Report, translate: Translator, *, everything: bool) -> list[str]:
    """Return what is good to know, in sentences."""
    if not summary.has_sections(report):
        from colab_magics.views import work

        return [*work.foot(report.subject, report.snapshot, translate, everything=everything)]
    ages = summary.ages_and_versions(report, translate)
    return [
        *(messages.sentence(remark, translate) for remark in summary.remarks(report)),
        *(translate("{name}.", name=phrase[:1].upper() + phrase[1:]) for phrase in ages),
    ]


def _found(report: Report, translate: Translator) -> tuple[list[str], list[list[str]]]:
    """Return what is grave and what to do about it as lines; and the rest as the lines of each finding."""
    guided = summary.what_to_do(report)
    grave: list[str] = []
    rest = []
    for finding in summary.shown_by_default(report):
        lines = [*finding_lines(report, finding, translate)]
        if finding.rule in guided:
            lines += guide_lines(guided[finding.rule], translate)
        if finding.severity >= Severity.WARNING:
            grave += lines
        else:
            rest.append(lines)
    return grave, rest


def _fitting(found: list[list[str]], room: int) -> list[list[str]]:
    """Return the first findings for which there is room: of these none is grave."""
    fitting: list[list[str]] = []
    for lines in found:
        if sum(map(len, fitting)) + len(lines) > room:
            break
        fitting.append(lines)
    return fitting


def _all_findings(report: Report, translate: Translator) -> list[str]:
    """Return every finding with its guide; consequences that several have are said once."""
    lines: list[str] = []
    said: set[tuple[object, ...]] = set()
    for finding in report.findings:
        guide = summary.guide_for(report, finding)
        lines += finding_lines(report, finding, translate)
        if guide is not None:
            lines += guide_lines(guide, translate, with_consequences=guide.consequences not in said)
            said.add(guide.consequences)
    return lines


def guide_lines(guide: Guide, translate: Translator, *, with_consequences: bool = True) -> list[str]:
    """Return what to do about a finding."""
    from colab_magics.views import guide_text

    return guide_text.lines(guide, translate, with_consequences=with_consequences)


def process_lines(report: Report, translate: Translator) -> list[str]:
    """Return who holds the GPUs, a sentence each; with the GPU's number where there are several."""
    several = seen(report.snapshot.gpus)
    said = gpus.process_list(several, translate)
    sentences = [
        translate("{name}: {facts}", name=name, facts=sentence) if len(several) > 1 else sentence
        for name, sentence in said
    ]
    return [line for sentence in sentences for line in layout.broken(sentence)]


def finding_lines(report: Report, finding: Finding, translate: Translator) -> list[str]:
    """Return what was found; nothing where that is said already."""
    said = summary.sentence(report, finding, translate)
    return [] if said is None else layout.broken(said)


def detail_lines(report: Report, translate: Translator) -> list[str]:
    """Return every field that was read, by sections."""
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
    links = _addresses(summary.guide_for(report, finding) for finding in report.findings)
    return [*lines, *(["", translate("To read more"), *(f"  {address}" for address in links)] if links else [])]


def _addresses(wanted: Iterable[Guide | None]) -> list[str]:
    from colab_magics.views import guide_text

    found = {guide_text.address(guide) for guide in wanted if guide is not None}
    return sorted(address for address in found if address is not None)
