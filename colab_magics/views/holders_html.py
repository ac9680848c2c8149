"""Who holds this kernel's memory, and what was let go of, as HTML tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics.views import holders
from colab_magics.views.markup import Html, element, joined

if TYPE_CHECKING:
    from colab_magics.model import Snapshot, Subject
    from colab_magics.translation import Translator
    from colab_magics.views.holders import Row, Table


def tables(subject: Subject, snapshot: Snapshot, translate: Translator) -> Html:
    """Return what was let go of, and who holds memory; nothing where neither is told."""
    return joined(part for one in holders.tables(subject, snapshot, translate) for part in _table(one, translate))


def _table(one: Table, translate: Translator) -> list[Html]:
    said = [element("p", sentence) for sentence in one.sentences]
    if one.command is not None:
        before, _, after = holders.to_delete(one, "\0", translate).partition("\0")
        said.append(element("p", before, element("code", one.command), after, class_="cm-command"))
    if not one.rows:
        return [element("p", one.title), *said]
    has_bars = any(row.percent is not None for row in one.rows)
    has_elsewhere = any(row.elsewhere for row in one.rows)
    names = one.headings
    head = [
        element("th", names.name, scope="col", class_="cm-holder"),
        element("th", names.kind, scope="col", class_="cm-kind"),
        element("th", names.size, scope="col", class_="cm-size"),
        *([element("td", class_="cm-bar")] if has_bars else []),
        *([element("td", class_="cm-elsewhere")] if has_elsewhere else []),
    ]
    body = (_row(row, has_bars=has_bars, has_elsewhere=has_elsewhere) for row in one.rows)
    table = element(
        "table",
        element("caption", one.title),
        element("thead", element("tr", *head)),
        element("tbody", *body),
        class_="cm-holders",
    )
    return [table, *said]


def _row(row: Row, *, has_bars: bool, has_elsewhere: bool) -> Html:
    share = Html()
    if row.percent is not None:
        share = element("meter", max="100", value=f"{row.percent:.0f}", title=f"{row.name}: {row.percent:.0f} %")
    cells = [
        element("th", row.name, scope="row", class_="cm-holder"),
        element("td", row.kind, class_="cm-kind"),
        element("td", row.size, class_="cm-size"),
        *([element("td", share, class_="cm-bar")] if has_bars else []),
        *([element("td", row.elsewhere, class_="cm-elsewhere")] if has_elsewhere else []),
    ]
    return element("tr", *cells)
