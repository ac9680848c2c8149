"""A report for a terminal that shows colours: small bars, and colour where something is not all right.

The order is that of the HTML. Where colours are not wanted (NO_COLOR) or nobody looks (a pipe, a file), the report is
plain text instead.

Sources: no-color.org, ECMA-48 (SGR).
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from colab_magics.model import Severity, Subject
from colab_magics.units import width
from colab_magics.views import bars, gpu_table, layout, messages, summary, text
from colab_magics.views.render_options import DEFAULTS, RenderOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from colab_magics.model.cells import Cell
    from colab_magics.report import Report
    from colab_magics.translation import Translator
    from colab_magics.views import holders
    from colab_magics.views.bars import Bar
    from colab_magics.views.gpu_table import Headings, Row

_BOLD, _DIM = "1", "2"
_COLOURS = {Severity.ERROR: "31", Severity.WARNING: "33"}
_ACCENT = "36"

_BETWEEN = " \u00b7 "
_BAR_COLUMNS = 12
_SMALL_BAR_COLUMNS = 8
_PLACE_OF_BAR = "\ue000" * _SMALL_BAR_COLUMNS
"""Of a character that nobody's text has: what is shown of others is printable."""
_FILLED, _HALF, _EMPTY = "\u2501", "\u2578", "\u2500"


def shown(report: Report, options: RenderOptions = DEFAULTS) -> str:
    """Return the report as standard output shows it best: in colours where it takes them, else as plain text."""
    return (render if takes_colours() else text.render)(report, options)


def muted(line: str) -> str:
    """Return a line as standard output shows it quietly: dim where it takes colours."""
    return _styled(line, _DIM) if takes_colours() else line


def takes_colours() -> bool:
    """Tell whether standard output is a terminal that shows colours and our bars, and nobody has forbidden them."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    try:
        if not sys.stdout.isatty():
            return False
        (_FILLED + _HALF + _EMPTY).encode(sys.stdout.encoding or "ascii")
    except (AttributeError, ValueError, LookupError):  # no such stream, a closed one, one that lacks these letters
        return False
    return True


def render(report: Report, options: RenderOptions = DEFAULTS) -> str:
    """Return the report with colours."""
    translate = options.translate
    matter = summary.subject_matter(report)
    note = summary.note(report, options)
    lines = [] if note is None else [_styled(note, _DIM)]
    lines += _heading(report, translate)
    lines += _gpu_lines(gpu_table.rows(matter, translate), translate)
    if report.subject is Subject.CELLS:
        lines += _cell_lines(report.snapshot.cells or (), translate, everything=options.everything)
    elif report.subject is Subject.CLUSTER:
        lines += _node_lines(report, translate, everything=options.everything)
    shown = bars.of_report(report.subject, matter, translate, everything=options.everything)
    lines += _bar_lines(shown)
    lines += _memory_lines(report, translate)
    if options.processes and not options.everything:
        lines += text.process_lines(report, translate)
    for sentence in summary.notes(report, translate, everything=options.everything):
        lines += layout.broken(sentence)
    lines += _finding_lines(report, translate, everything=options.everything)
    if options.everything and summary.has_sections(report):
        lines += text.detail_lines(report, translate)
    else:
        foot = summary.foot(report, translate, everything=options.everything)
        lines += [_styled(line, _DIM) for line in layout.flow(foot, _BETWEEN)]
    return "\n".join(lines)


def _styled(words: str, *codes: str) -> str:
    """Return words in a style, of which nothing is left behind them."""
    return f"\x1b[{';'.join(codes)}m{words}\x1b[0m" if words and codes else words


def _colour(severity: Severity | None) -> tuple[str, ...]:
    return (_COLOURS[severity],) if severity in _COLOURS else ()


def _heading(report: Report, translate: Translator) -> list[str]:
    heading = summary.heading(report, translate)
    title = heading.title
    if heading.severity is not None:
        word = messages.severity_word(heading.severity, translate)
        title = translate("{name}: {facts}", name=word, facts=title)
    facts = layout.flow(heading.facts, _BETWEEN)
    style = (_BOLD, *_colour(heading.severity))
    if len(facts) == 1 and width(title) + 2 + width(facts[0]) <= layout.WIDTH:
        return [f"{_styled(title, *style)}  {_styled(facts[0], _DIM)}"]
    return [
        *(_styled(line, *style) for line in layout.broken(title)),
        *(_styled(line, _DIM) for line in facts),
    ]


def _bar_lines(rows: list[Bar]) -> list[str]:
    """Return each bar in a line: label, share, bar, words; what has no room in it stands below."""
    label_columns = max((width(row.label) for row in rows), default=0)
    before_words = label_columns + len("  100 %    ") + _BAR_COLUMNS
    lines = []
    for row in rows:
        colour = _colour(row.severity)
        label = row.label + " " * (label_columns - width(row.label))
        share = " " * 5 if row.percent is None else _styled(f"{row.percent:3.0f} %", _BOLD, *colour)
        drawn = " " * _BAR_COLUMNS if row.percent is None else _bar(row.percent, _BAR_COLUMNS, row.severity)
        first, *others = _words_of(row, layout.WIDTH - before_words)
        lines.append(f"{_styled(label, _DIM)}  {share}  {drawn}  {first}".rstrip())
        lines += [" " * before_words + line for line in others]
    return lines


def _words_of(row: Bar, room: int) -> list[str]:
    """Return what there is to say of a bar, in lines of so many columns; all but its first words are dim."""
    lines, columns = [""], 0
    for phrase in filter(None, (row.words, *row.more)):
        for piece in layout.broken(phrase, room):
            shown = piece if phrase is row.words else _styled(piece, _DIM)
            if columns and columns + 2 + width(piece) <= room:
                lines[-1] += f"  {shown}"
                columns += 2 + width(piece)
            else:
                lines = [*lines, shown] if columns else [shown]
                columns = width(piece)
    return lines


def _memory_lines(report: Report, translate: Translator) -> list[str]:
    """Return who has the memory, with a bar before each; nothing where that was not asked for."""
    snapshot, lines = report.snapshot, []
    if snapshot.gpu_shares is not None:
        from colab_magics.views import shares

        for one in shares.divided(report, translate):
            lines += [_styled(one.title, _DIM), *_bar_lines([*one.bars])]
            lines += [line for note in one.notes for line in layout.broken(note)]
    if snapshot.holders is not None or snapshot.released is not None:
        from colab_magics.views import holders

        for table in holders.tables(report.subject, snapshot, translate):
            lines += _holder_lines(table, translate)
    return lines


def _bar(percent: float, columns: int, severity: Severity | None) -> str:
    halves = min(2 * columns, max(0, round(2 * columns * percent / 100)))
    filled = _FILLED * (halves // 2) + _HALF * (halves % 2)
    return _styled(filled, *(_colour(severity) or (_ACCENT,))) + _styled(_EMPTY * (columns - len(filled)), _DIM)


def _gpu_lines(table: list[Row], translate: Translator) -> list[str]:
    """Return the table of several GPUs, with a bar behind memory and use where these leave room for all names.

    GPUs that do nothing are dim.
    """
    if not table:
        return []
    names = gpu_table.headings(translate)
    blank = " " * _SMALL_BAR_COLUMNS
    cells = [_with_bars(names, blank), *(_with_bars(row, _PLACE_OF_BAR) for row in table)]
    head, *lines = layout.columns(cells, left={1, 8}, shorten=())
    if any(width(line) > layout.WIDTH for line in (head, *lines)):
        head, *lines = gpu_table.lines(table, translate)
        return [
            _styled(head, _DIM),
            *(_styled(line, *_row_style(row)) for row, line in zip(table, lines, strict=True)),
        ]
    drawn = [_styled(head.rstrip(), _DIM)]
    for row, line in zip(table, lines, strict=True):
        before, between, after = line.split(_PLACE_OF_BAR)
        style = (_DIM,) if row.is_idle else ()
        memory = blank if row.memory_percent is None else _bar(row.memory_percent, _SMALL_BAR_COLUMNS, row.severity)
        use = blank if row.use_percent is None else _bar(row.use_percent, _SMALL_BAR_COLUMNS, None)
        pieces = (_styled(before, *_row_style(row)), memory, _styled(between, *style), use)
        drawn.append(("".join(pieces) + _styled(after.rstrip(), *style)).rstrip())
    return drawn


def _holder_lines(table: holders.Table, translate: Translator) -> list[str]:
    from colab_magics.views import holders

    lines = [_styled(line, _BOLD) for line in layout.broken(table.title)]
    has_bars = any(row.percent is not None for row in table.rows)
    blank = " " * _SMALL_BAR_COLUMNS if has_bars else ""
    head, *rows = holders.cells(table, room=layout.WIDTH - len(blank)) or [""]
    lines += [_styled(f"{blank}{head}", _DIM)] if rows else []
    for row, line in zip(table.rows, rows, strict=True):
        drawn = blank if row.percent is None else _bar(row.percent, _SMALL_BAR_COLUMNS, None)
        lines.append(f"{drawn}{line}")
    lines += [line for sentence in table.sentences for line in layout.broken(sentence)]
    if table.command is not None:
        lines += layout.broken(holders.to_delete(table, table.command, translate))
    return lines


def _cell_lines(measured: Sequence[Cell], translate: Translator, *, everything: bool) -> list[str]:
    """Return the table of a session's cells, with a bar behind the peak of RAM where this leaves room for the code."""
    from colab_magics.views import cells

    table = cells.rows(measured, translate, everything=everything)
    if not table:
        return []
    blank = " " * _SMALL_BAR_COLUMNS
    heads = cells.headings(translate, everything=everything)
    rows = [(heads, blank), *((row, _PLACE_OF_BAR) for row in table)]
    head, *lines = cells.in_columns(
        [[text for column in cells.COLUMNS for text in (getattr(row, column), *[bar] * (column == "peak"))]
         for row, bar in rows]
    )  # fmt: skip
    if any(width(line) > layout.WIDTH for line in (head, *lines)):
        head, *lines = cells.lines(table, translate, everything=everything)
    drawn = [_styled(head.rstrip(), _DIM)]
    for row, line in zip(table, lines, strict=True):
        bar = blank if row.peak_percent is None else _bar(row.peak_percent, _SMALL_BAR_COLUMNS, None)
        drawn.append(line.rstrip().replace(_PLACE_OF_BAR, bar))
    return drawn


def _node_lines(report: Report, translate: Translator, *, everything: bool) -> list[str]:
    """Return the table of a cluster's machines, those coloured with which something is wrong."""
    from colab_magics.views import cluster

    shown = cluster.rows(report.snapshot, translate, everything=everything)
    return [
        _styled(line, *((_DIM,) if row is None else _colour(row.severity)))
        for line, row in cluster.lines(shown, translate)
    ]


def _row_style(row: Row) -> tuple[str, ...]:
    return _colour(row.severity) or ((_DIM,) if row.is_idle else ())


def _with_bars(row: Row | Headings, bar: str) -> list[str]:
    """Return a row's cells with a bar behind its memory and its use."""
    return [row.number, row.name, row.memory, bar, row.use, bar, row.temperature, row.power, row.held_by]


def _finding_lines(report: Report, translate: Translator, *, everything: bool) -> list[str]:
    """Return what was found and what to do about it; consequences that several have are said once."""
    guided = summary.what_to_do(report)
    lines: list[str] = []
    said: set[tuple[object, ...]] = set()
    for finding in report.findings if everything else summary.shown_by_default(report):
        guide = summary.guide_for(report, finding) if everything else guided.get(finding.rule)
        lines += [_styled(line, *_colour(finding.severity)) for line in text.finding_lines(report, finding, translate)]
        if guide is not None:
            lines += text.guide_lines(guide, translate, with_consequences=guide.consequences not in said)
            said.add(guide.consequences)
    return lines
