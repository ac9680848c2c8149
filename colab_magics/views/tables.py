"""Tables of facts below a guide: what each choice gives, what was published, the ways elsewhere.

Each has the day it was read, and where that is from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics import facts
from colab_magics.guides import ChoicesTable, LimitsTable, OtherMenusTable
from colab_magics.translation import N_
from colab_magics.views.html_parts import folded, listed, noted, paragraph, present_mark, quoted_english
from colab_magics.views.markup import Html, element, joined

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from colab_magics.facts import Accelerator
    from colab_magics.guides.interface import Table
    from colab_magics.translation import Translator

Rows = list[tuple[str, str]]
"""Names and what is said of them, for a text."""

Figures = tuple[float | None, float | None]
"""A figure of the standard shape, and that of the high-RAM one where it is another."""

_UNITS = {"hours": N_("{number} h"), "minutes": N_("{number} min")}


def as_rows(table: LimitsTable | OtherMenusTable, translate: Translator) -> tuple[str, Rows]:
    """Return a table's title and its rows, as text."""
    match table:
        case LimitsTable(service):
            rows = [(_figure(limit, translate), _applies(limit, translate)) for limit in _limits(service)]
            return translate("Lifetimes as published"), rows
        case OtherMenusTable(services):
            rows = [
                (translate(menu.label), f"{_path(menu)} ({translate.listed(menu.choices)}); {translate(menu.purpose)}")
                for menu in _other_menus(services)
            ]
            return translate("To change the accelerator elsewhere"), rows


def as_html(table: Table, translate: Translator) -> Html:
    """Return a table, nothing where it has no rows."""
    match table:
        case LimitsTable(service):
            return _limits_html(service, translate)
        case OtherMenusTable(services):
            return _other_menus_html(services, translate)
        case ChoicesTable():
            return _choices_html(table, translate)


def _limits(service: str) -> tuple[facts.PublishedLimit, ...]:
    return tuple(limit for limit in facts.limits() if limit.service == service)


def _figure(limit: facts.PublishedLimit, translate: Translator) -> str:
    value = f"{limit.value:g}"
    number = translate(_UNITS[limit.unit], number=value) if limit.unit in _UNITS else f"{value} {limit.unit}"
    return translate("about {number}", number=number) if limit.about else number


def _applies(limit: facts.PublishedLimit, translate: Translator) -> str:
    return translate("{facts} (read {date})", facts=translate(limit.applies), date=limit.date)


def _limits_html(service: str, translate: Translator) -> Html:
    items = [
        joined((element("strong", _figure(limit, translate)), " ", _applies(limit, translate)))
        for limit in _limits(service)
    ]
    return joined((paragraph([translate("Lifetimes as published")], translate), listed(items))) if items else Html()


def _other_menus(services: tuple[str, ...] | None) -> tuple[facts.OtherMenu, ...]:
    return tuple(menu for menu in facts.other_menus() if services is None or menu.service in services)


def _path(menu: facts.OtherMenu) -> str:
    """Return the way through a menu, or commands, which are no way but a choice."""
    return (", " if menu.path_is_commands else " > ").join(menu.path)


def _other_menus_html(services: tuple[str, ...] | None, translate: Translator) -> Html:
    items = []
    for menu in _other_menus(services):
        place = translate("{purpose}:", purpose=translate(menu.label))
        choices = translate.listed(menu.choices)
        way = joined((place, " ", quoted_english(_path(menu)), f" ({choices})"))
        items.append(noted(way, translate(menu.purpose)))
    return folded(translate("Not on Colab's web page?"), listed(items)) if items else Html()


def _choices_html(table: ChoicesTable, translate: Translator) -> Html:
    rows = table.accelerators
    names = (
        translate("choice (who gets it)"),
        translate("its memory, GiB"),
        translate("RAM, GiB"),
        "bfloat16",
        translate("units per hour"),
    )
    head = element("tr", *(element("th", name, scope="col") for name in names))
    body = (_row(one, names[1:], translate, is_present=one == table.present) for one in rows)
    dates = [translate("As read on {date}.", date=_days(one.date for one in rows))]
    seen = _days(one.units_date for one in rows if one.units_date is not None)
    if seen:
        dates.append(translate("Compute units as seen on {date}.", date=seen))
    dates.append(translate("Prices and availability change."))
    sources = (joined((f"{one.menu_name}: ", element("span", one.source, lang="en"))) for one in rows)
    caption = element("caption", translate("What each choice gives"))
    return joined(
        (
            element("table", caption, element("thead", head), element("tbody", *body), class_="cm-guide-table"),
            paragraph(dates, translate, class_="cm-guide-fine"),
            folded(translate("Sources"), listed(sources)),
        )
    )


def _row(accelerator: Accelerator, names: Sequence[str], translate: Translator, *, is_present: bool) -> Html:
    """Return one choice. Where the page is narrow its cells stand below each other, with the names of the columns."""
    who = translate("free, paid") if accelerator.tier == "free" else translate("paid")
    choice = [accelerator.menu_name, present_mark(translate) if is_present else "", " ", element("small", who)]
    bf16 = {True: translate("yes"), False: translate("no"), None: "-"}[accelerator.supports_bf16]
    memory: str | Html = "-"
    if accelerator.kind != "none":
        memory = _figures((accelerator.memory_gib, accelerator.high_ram_memory_gib), "g", translate)
    ram = _figures((accelerator.standard_ram_gib, accelerator.high_ram_gib), ".1f", translate)
    if accelerator.one_shape:
        ram = joined((ram, " ", element("small", translate("one size"))))
    units = _figures((accelerator.units_per_hour, accelerator.high_ram_units_per_hour), ".2f", translate)
    shown = zip(names, (memory, ram, bf16, units), strict=True)
    cells = (element("td", cell, data_label=name) for name, cell in shown)
    return element("tr", element("th", *choice, scope="row"), *cells)


def _figures(figures: Figures, form: str, translate: Translator) -> Html:
    standard, high_ram = figures
    shown = translate("not published") if standard is None else format(standard, form)
    if high_ram is None:
        return joined((shown,))
    other = translate("{figure} High-RAM", figure=format(high_ram, form))
    return joined((shown, " ", element("small", other)))


def _days(dates: Iterable[object]) -> str:
    return ", ".join(sorted({str(date) for date in dates}))
