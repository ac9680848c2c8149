"""A report as HTML: no script, nothing from outside the page, readable without its style sheet.

A notebook that is opened again untrusted loses style sheets, SVG and ARIA, so bars are `<meter>` with their numbers in
words beside, and structure is plain paragraphs, lists and tables.
"""

from __future__ import annotations

import functools
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from colab_magics.model import Severity, Subject, seen
from colab_magics.views import bars, gpu_table, gpus, layout, messages, style_sheets, summary
from colab_magics.views.markup import Html, element, joined
from colab_magics.views.render_options import DEFAULTS, RenderOptions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from colab_magics.guides import Guide
    from colab_magics.model import Finding, Snapshot
    from colab_magics.model.cells import Cell
    from colab_magics.report import Report
    from colab_magics.translation import Translator
    from colab_magics.views.bars import Bar
    from colab_magics.views.gpu_table import Row
    from colab_magics.views.said import Heading
    from colab_magics.views.tables import Rows


def render(report: Report, options: RenderOptions = DEFAULTS) -> Html:
    """Return the report as one `<div>` with its style sheet."""
    translate = options.translate
    matter = summary.subject_matter(report)
    note = summary.note(report, options)
    parts = [] if note is None else [element("p", note, class_="cm-note")]
    parts.append(heading(report, translate))
    parts.append(table_of_gpus(gpu_table.rows(matter, translate), translate))
    if report.subject is Subject.CELLS:
        parts.append(table_of_cells(matter.cells or (), translate, everything=options.everything))
    elif report.subject is Subject.CLUSTER:
        parts.append(table_of_nodes(matter, translate, everything=options.everything))
    parts.append(rows(bars.of_report(report.subject, matter, translate, everything=options.everything)))
    parts += _memory(report, translate)
    if options.processes and not options.everything:
        parts.append(process_list(matter, translate))
    parts += [element("p", sentence) for sentence in summary.notes(report, translate, everything=options.everything)]
    guided = summary.what_to_do(report)
    findings = report.findings if options.everything else summary.shown_by_default(report)
    for one in findings:
        guide = summary.guide_for(report, one) if options.everything else guided.get(one.rule)
        parts.append(found(report, one, guide, translate))
    if report.subject is not Subject.CELLS:
        parts.append(session(matter, translate))
    if not (options.everything and summary.has_sections(report)):
        parts.append(foot(summary.foot(report, translate, everything=options.everything)))
    else:
        from colab_magics.views import details

        sections = details.sections(matter, translate) + details.of_findings(findings, report.snapshot, translate)
        parts += [_section(title, rows) for title, rows in sections]
        if report.subject is Subject.RUNTIME:
            from colab_magics.views import goals_html

            parts.append(goals_html.page(report, translate))
    return with_style_sheet(parts, translate)


def heading(report: Report, translate: Translator) -> Html:
    """Return the title of a report, and beside it what the machine is."""
    return _heading(summary.heading(report, translate), translate)


@functools.lru_cache(maxsize=16)
def _heading(said: Heading, translate: Translator) -> Html:
    title = said.title
    word = None if said.severity is None else messages.severity_word(said.severity, translate)
    if word is not None:
        title = translate("{name}: {facts}", name=word, facts=title)
    name = element("strong", title, class_=_classes("cm-title", said.severity))
    return element("p", name, " ", element("span", _separated(said.facts), class_="cm-facts"), class_="cm-head")


def rows(shown: Sequence[Bar], histories: Sequence[Html] | None = None) -> Html:
    """Return bars as a table, a row each; with `histories`, a drawing for each of them, these too."""
    if not shown:
        return Html()
    drawn = [_row(bar, None if histories is None else histories[row]) for row, bar in enumerate(shown)]
    return element("table", *drawn, class_="cm-bars")


def table_of_gpus(shown: Sequence[Row], translate: Translator) -> Html:
    """Return the table of several GPUs, with a bar for memory and for use; nothing where there is but one."""
    if not shown:
        return Html()
    names = gpu_table.headings(translate)
    named = any(row.name for row in shown)

    def heading(name: str, class_: str) -> Html:
        return element("th", name, scope="col", class_=class_)

    head = [
        heading(names.number, "cm-number"),
        *([heading(names.name, "cm-name")] if named else []),
        heading(names.memory, "cm-memory"),
        element("td", class_="cm-bar"),
        heading(names.use, "cm-use"),
        element("td", class_="cm-bar"),
        heading(names.temperature, "cm-celsius"),
        heading(names.power, "cm-watts"),
        heading(names.held_by, "cm-holder"),
    ]
    body = (_gpu_row(row, named=named, memory=names.memory, use=names.use) for row in shown)
    return element("table", element("thead", element("tr", *head)), element("tbody", *body), class_="cm-gpus")


def session(snapshot: Snapshot, translate: Translator) -> Html:
    """Return the session's cells as a part of a page on something else; nothing where they were not asked for."""
    if snapshot.session is None:
        return Html()
    from colab_magics.views import cells

    title, facts = cells.heading(snapshot, translate)
    head = element("p", title, " ", element("span", _separated(facts), class_="cm-facts"), class_="cm-head")
    return joined((head, table_of_cells(snapshot.cells or (), translate)))


def _memory(report: Report, translate: Translator) -> list[Html]:
    """Return who has the memory, part by part and by the largest variables; nothing where that was not asked for."""
    snapshot, parts = report.snapshot, []
    if snapshot.gpu_shares is not None:
        from colab_magics.views import shares

        for one in shares.divided(report, translate):
            parts += [element("p", one.title), rows(one.bars), *(element("p", note) for note in one.notes)]
    if snapshot.holders is not None or snapshot.released is not None:
        from colab_magics.views import holders_html

        parts.append(holders_html.tables(report.subject, snapshot, translate))
    return parts


def table_of_cells(measured: Sequence[Cell], translate: Translator, *, everything: bool = False) -> Html:
    """Return the table of a session's cells, with a bar for time and for RAM; nothing where there is none."""
    from colab_magics.views import cells

    shown = cells.rows(measured, translate, everything=everything)
    if not shown:
        return Html()
    names = cells.headings(translate, everything=everything)
    columns = [column for column in cells.COLUMNS if any(getattr(row, column) for row in shown)]
    body = (element("tr", *_numbered_cells(row, names, columns, cells.SHARES)) for row in shown)
    head = _head(names, columns, cells.SHARES)
    return element("table", element("thead", element("tr", *head)), element("tbody", *body), class_="cm-cells")


def table_of_nodes(snapshot: Snapshot, translate: Translator, *, everything: bool) -> Html:
    """Return the table of a cluster's machines, with a bar for the GPUs' memory and for RAM."""
    from colab_magics.views import cluster

    shown = cluster.rows(snapshot, translate, everything=everything)
    names = cluster.headings(translate)
    columns = [column for column in cluster.COLUMNS if any(getattr(row, column) for row in shown)]
    head, body = _head(names, columns, cluster.SHARES), []
    for row in shown:
        body.append(element("tr", *_numbered_cells(row, names, columns, cluster.SHARES, {"ram": row.ram_severity})))
        if row.notes:
            said = (element("p", note) for note in row.notes)
            why = element("td", *said, colspan=str(len(head) - 1), class_="cm-why")
            body.append(element("tr", element("td"), why, class_=_classes("cm-of-above", row.severity)))
    return element("table", element("thead", element("tr", *head)), element("tbody", *body), class_="cm-nodes")


def _head(names: object, columns: Sequence[str], shares: Mapping[str, str]) -> list[Html]:
    """Return the names of columns, with room for the bar behind each that has one."""
    head = []
    for column in columns:
        head.append(element("th", getattr(names, column), scope="col", class_=f"cm-{column}"))
        head += [element("td", class_="cm-bar")] if column in shares else []
    return head


def _numbered_cells(
    row: Any,
    names: object,
    columns: Sequence[str],
    shares: Mapping[str, str],
    severities: Mapping[str, Severity | None] = MappingProxyType({}),
) -> list[Html]:
    """Return the cells of a row that begins with its number, with a bar behind each that is a share of something."""
    drawn = [element("th", row.number, scope="row", class_="cm-number")]
    for column in columns[1:]:
        text = getattr(row, column)
        drawn.append(element("td", element("code", text) if column == "code" else text, class_=f"cm-{column}"))
        if column in shares:
            title, share = f"{row.number}, {getattr(names, column)}", _whole(getattr(row, shares[column]))
            drawn.append(element("td", _meter(title, share, severities.get(column)), class_="cm-bar"))
    return drawn


def process_list(snapshot: Snapshot, translate: Translator) -> Html:
    """Return who holds each GPU as a table, nothing where there is no GPU."""
    held = gpus.process_list(seen(snapshot.gpus), translate)
    return _rows(held) if held else Html()


def found(report: Report, finding: Finding, guide: Guide | None, translate: Translator) -> Html:
    """Return what was found and what to do about it, nothing where neither is to be said."""
    said = summary.sentence(report, finding, translate)
    parts = [] if said is None else [element("p", said, class_="cm-said")]
    if guide is not None:
        parts.append(steps(guide, translate))
    return element("div", *parts, class_=_classes("cm-found", finding.severity)) if parts else Html()


def foot(phrases: Sequence[str]) -> Html:
    """Return what is good to know as one muted line, nothing where there is nothing."""
    return element("p", _separated(phrases), class_="cm-foot") if phrases else Html()


def _classes(name: str, severity: Severity | None) -> str:
    return name if severity is None else f"{name} {severity.name.lower()}"


def _separated(phrases: Iterable[str]) -> Html:
    """Return phrases that stay whole, with a dot between each two."""
    return Html(" \u00b7 ".join([element("span", phrase) for phrase in phrases]))


def steps(guide: Guide, translate: Translator) -> Html:
    """Return the steps of a guide and what they cost, as they stand below what was found."""
    from colab_magics.views import guide_text

    purpose = guide_text.purpose(guide, translate)
    said = [guide_text.step(step, translate) for step in guide.steps]
    consequences = [messages.sentence(sentence, translate) for sentence in guide.consequences]
    address = guide_text.address(guide)
    more = Html()
    if address is not None:
        more = element("p", element("a", translate("To read more"), href=address))
    after = element("p", translate.joined(consequences), class_="cm-cost") if consequences else Html()
    if len(said) == 1:
        return joined((element("p", f"{purpose} {said[0]}"), after, more))
    numbered = element("ol", *(element("li", step) for step in said), class_="cm-steps")
    return joined((element("p", purpose), numbered, after, more))


def _row(bar: Bar, history: Html | None) -> Html:
    before, after = _around_history(bar.label, _whole(bar.percent), bar.words, bar.more, bar.severity)
    past = "" if history is None else f'<td class="cm-past">{history}</td>'
    return Html(f"{before}{past}{after}")


@functools.lru_cache(maxsize=64)
def _around_history(
    label: str, share: str, words: str, more: tuple[str, ...], severity: Severity | None
) -> tuple[Html, Html]:
    """Return what of a bar's row stands before its history and after it: from look to look the history alone moves."""
    row = Html("<tr>" if severity is None else f'<tr class="{severity.name.lower()}">')
    cells = [
        element("th", label, scope="row"),
        element("td", share and f"{share} %", class_="cm-share"),
        element("td", _meter(label, share, severity), class_="cm-bar"),
    ]
    phrases: list[str | Html] = [piece for one in more for piece in (" ", element("span", one, class_="cm-more"))]
    in_words = element("td", element("span", words) if words else "", *phrases, class_="cm-words")
    return joined((row, *cells)), joined((in_words, Html("</tr>")))


def _gpu_row(row: Row, *, named: bool, memory: str, use: str) -> Html:
    severity = "" if row.severity is None else row.severity.name.lower()
    cells = [
        element("th", row.number, scope="row"),
        *([element("td", row.name, class_="cm-name")] if named else []),
        element("td", row.memory, class_="cm-memory"),
        element("td", _meter(f"{row.number}, {memory}", _whole(row.memory_percent), row.severity), class_="cm-bar"),
        element("td", row.use, class_="cm-use"),
        element("td", _meter(f"{row.number}, {use}", _whole(row.use_percent), None), class_="cm-bar"),
        element("td", row.temperature),
        element("td", row.power),
        element("td", row.held_by, class_="cm-holder"),
    ]
    return element("tr", *cells, class_=" ".join(filter(None, ("cm-idle" if row.is_idle else "", severity))) or None)


def _whole(percent: float | None) -> str:
    """Return a share as it is shown, nothing where it is not known."""
    return "" if percent is None else f"{percent:.0f}"


def _meter(name: str, share: str, severity: Severity | None) -> Html:
    """Return a bar with its name; the browser knows by `high` and `optimum` that it should not be so full."""
    if not share:
        return Html()
    high, optimum = (None, None) if severity is None or severity < Severity.WARNING else ("1", "0")
    return element("meter", max="100", value=share, high=high, optimum=optimum, title=name)


def _section(title: str, rows: Rows) -> Html:
    return joined((Html("<details open>"), element("summary", title), _rows(rows), Html("</details>")))


def _rows(rows: Rows) -> Html:
    cells = (element("tr", element("th", name, scope="row"), element("td", _value(value))) for name, value in rows)
    return element("table", *cells, class_="cm-rows")


def _value(value: str) -> str | Html:
    return element("a", value, href=value) if isinstance(value, layout.Address) else value


def with_style_sheet(parts: Iterable[Html], translate: Translator) -> Html:
    """Return parts as one `<div>` with the style sheet that they need."""
    body = joined(parts)
    sheet = Html(f"<style>{style_sheets.needed(body)}</style>")
    return element("div", sheet, body, class_="colab-magics", lang=translate.spoken)
