"""Tables of facts below a guide: what each choice gives, what was published, the ways elsewhere.

Each has the day it was read, and where that is from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics import facts
from colab_magics.guides import (
    ChoicesTable,
    LimitsTable,
    LinksTable,
    NoticesTable,
    OtherMenusTable,
    RuntimeVersionsTable,
)
from colab_magics.translation import N_
from colab_magics.views import layout, messages
from colab_magics.views.html_parts import folded, listed, noted, paragraph, present_mark, quoted_english
from colab_magics.views.markup import Html, element, joined

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from colab_magics.facts import Accelerator
    from colab_magics.guides.interface import FactsTable, Table
    from colab_magics.translation import Translator

Rows = list[tuple[str, str]]
"""Names and what is said of them, for a text."""

Figures = tuple[float | None, float | None]
"""A figure of the standard shape, and that of the high-RAM one where it is another."""

_UNITS = {"hours": N_("{number} h"), "minutes": N_("{number} min")}


def as_rows(table: FactsTable, translate: Translator) -> tuple[str, Rows]:
    """Return a table's title and its rows, as text."""
    match table:
        case LimitsTable(service):
            rows = [(_figure(limit, translate), _applies(limit, translate)) for limit in _limits(service)]
            return translate("Lifetimes as published"), rows
        case OtherMenusTable(services):
            rows = [(translate(menu.label), _way(menu, translate)) for menu in _other_menus(services)]
            return translate("To change the accelerator elsewhere"), rows
        case RuntimeVersionsTable(service):
            rows = [
                (messages.in_english(one.name, translate), _contents(one, translate))
                for one in _runtime_versions(service)
            ]
            return translate("Runtime versions"), rows
        case NoticesTable():
            rows = [(messages.quoted(one.words, translate), _help(one, translate)) for one in _notices(table)]
            return translate("If the page says"), rows
        case LinksTable():
            rows = [(translate(link.label), layout.Address(link.url)) for link in facts.links() if link.to_learn_more]
            return translate("To learn more"), rows


def as_html(table: Table, translate: Translator) -> Html:
    """Return a table, nothing where it has no rows."""
    match table:
        case LimitsTable(service):
            return _limits_html(service, translate)
        case OtherMenusTable(services):
            return _other_menus_html(services, translate)
        case RuntimeVersionsTable(service):
            return _runtime_versions_html(service, translate)
        case NoticesTable():
            return _notices_html(table, translate)
        case LinksTable():
            return _links_html(table, translate)
        case ChoicesTable():
            return _choices_html(table, translate)


def _limits(service: str) -> tuple[facts.PublishedLimit, ...]:
    return tuple(limit for limit in facts.limits() if limit.service == service)


def _figure(limit: facts.PublishedLimit, translate: Translator) -> str:
    value = f"{limit.value:g}"
    number = translate(_UNITS[limit.unit], number=value) if limit.unit in _UNITS else f"{value} {limit.unit}"
    return translate("about {number}", number=number) if limit.about else number


def _applies(limit: facts.PublishedLimit, translate: Translator) -> str:
    applies = translate(limit.applies)
    if limit.origin == "official":
        return translate("{facts} (read {date})", facts=applies, date=limit.date)
    return translate("{facts} ({origin}, read {date})", facts=applies, date=limit.date,
               origin=messages.origin(limit.origin, translate))  # fmt: skip


def _limits_html(service: str, translate: Translator) -> Html:
    items = [
        joined((element("strong", _figure(limit, translate)), " ", _applies(limit, translate)))
        for limit in _limits(service)
    ]
    return joined((paragraph([translate("Lifetimes as published")], translate), listed(items))) if items else Html()


def _other_menus(services: tuple[str, ...] | None) -> tuple[facts.OtherMenu, ...]:
    return tuple(menu for menu in facts.other_menus() if services is None or menu.service in services)


def _way(menu: facts.OtherMenu, translate: Translator) -> str:
    """Return a way through a menu that is known in English, what can be chosen there, and what for."""
    way = messages.in_english(_path(menu), translate)
    choices = _choices(menu.choices, translate)
    return translate("{way} ({choices}); {purpose}", way=way, choices=choices, purpose=_purpose(menu, translate))


def _choices(names: tuple[str, ...], translate: Translator) -> str:
    return translate.listed(messages.in_english(name, translate) for name in names)


def _path(menu: facts.OtherMenu) -> str:
    """Return the way through a menu, or commands, which are no way but a choice."""
    return (", " if menu.path_is_commands else " > ").join(menu.path)


def _purpose(menu: facts.OtherMenu, translate: Translator) -> str:
    """Return what a way is for, with what not all can choose, or not for long, and whose word that is."""
    notes = [translate(menu.purpose)]
    if menu.some_get:
        notes.append(translate("for some people also {choices}", choices=_choices(menu.some_get, translate)))
    if menu.phased_out:
        notes.append(translate("being phased out: {choices}", choices=_choices(menu.phased_out, translate)))
    if menu.origin != "official":
        notes.append(translate("{origin}, read {date}", origin=messages.origin(menu.origin, translate), date=menu.date))
    return "; ".join(notes)


def _runtime_versions(service: str) -> tuple[facts.RuntimeVersion, ...]:
    return tuple(one for one in facts.runtime_versions() if one.service == service)


def _versions(one: facts.RuntimeVersion) -> tuple[tuple[str, str | None], ...]:
    """Return what is in an image, by the names of the columns."""
    return ("Python", one.python), ("PyTorch", one.torch), ("TensorFlow", one.tensorflow), ("JAX", one.jax)


def _contents(one: facts.RuntimeVersion, translate: Translator) -> str:
    known = translate.listed(f"{name} {version}" for name, version in _versions(one) if version is not None)
    return translate("{facts} (read {date})", facts=known, date=one.date)


def _runtime_versions_html(service: str, translate: Translator) -> Html:
    rows = _runtime_versions(service)
    if not rows:
        return Html()
    columns = [name for name, _ in _versions(rows[0])]
    head = element("tr", *(element("th", name, scope="col") for name in (translate("runtime version"), *columns)))
    body = (
        element(
            "tr",
            element("th", element("span", one.name, lang="en"), scope="row"),
            *(
                element("td", version or translate("not published"), data_label=name)
                for name, version in _versions(one)
            ),
        )
        for one in rows
    )
    dates = [translate("As read on {date}.", date=_days(one.date for one in rows))]
    sources = (element("span", f"{one.name}: {one.source}", lang="en") for one in rows)
    caption = element("caption", translate("What is in each image"))
    return joined(
        (
            element("table", caption, element("thead", head), element("tbody", *body), class_="cm-guide-table"),
            paragraph(dates, translate, class_="cm-guide-fine"),
            folded(translate("Sources"), listed(sources)),
        )
    )


def _other_menus_html(services: tuple[str, ...] | None, translate: Translator) -> Html:
    items = []
    for menu in _other_menus(services):
        place = translate("{purpose}:", purpose=translate(menu.label))
        choices = element("span", ", ".join(menu.choices), lang="en")
        way = joined((place, " ", quoted_english(_path(menu)), " (", choices, ")"))
        items.append(noted(way, _purpose(menu, translate)))
    return folded(translate("Not on Colab's web page?"), listed(items)) if items else Html()


def _notices(table: NoticesTable) -> tuple[facts.Notice, ...]:
    ours = (one for one in facts.notices() if one.service == table.service)
    return tuple(one for one in ours if table.goal is None or one.goal == table.goal)


def _help(notice: facts.Notice, translate: Translator) -> str:
    return translate.joined((translate(notice.meaning), translate(notice.advice)))


def _notices_html(table: NoticesTable, translate: Translator) -> Html:
    """Return what the page says, each to be opened for what that means."""
    items = []
    for one in _notices(table):
        words = [piece for each in one.words for piece in (element("q", each, lang="en"), " ")]
        items.append(element("details", element("summary", *words[:-1]), paragraph([_help(one, translate)], translate)))
    title = translate("{purpose}:", purpose=translate("If the page says"))
    return joined((paragraph([title], translate), *items)) if items else Html()


def _links_html(table: LinksTable, translate: Translator) -> Html:
    title, rows = as_rows(table, translate)
    return folded(title, listed(element("a", label, href=url) for label, url in rows))


def _choices_html(table: ChoicesTable, translate: Translator) -> Html:
    rows = table.accelerators
    names = (
        translate("choice (who gets it)"),
        translate("its memory, GiB"),
        translate("RAM, GiB"),
        translate("disk, GiB"),
        "bfloat16",
        translate("units per hour"),
    )
    head = element("tr", *(element("th", name, scope="col") for name in names))
    body = (_row(one, names[1:], translate, is_present=one == table.present) for one in rows)
    read, seen = _days(one.date for one in rows), _days(one.units_date for one in rows if one.units_date is not None)
    dates = [_as_read(read, {one.origin for one in rows}, translate)]
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
    if accelerator.cores is not None:
        who = translate.listed((who, messages.cores(accelerator.cores, translate)))
    choice = [accelerator.menu_name, present_mark(translate) if is_present else "", " ", element("small", who)]
    bf16 = {True: translate("yes"), False: translate("no"), None: "-"}[accelerator.supports_bf16]
    memory: str | Html = "-"
    if accelerator.kind != "none":
        memory = _figures((accelerator.memory_gib, accelerator.high_ram_memory_gib), "g", translate)
    ram = _figures((accelerator.standard_ram_gib, accelerator.high_ram_gib), ".1f", translate)
    if accelerator.one_shape:
        ram = joined((ram, " ", element("small", translate("one size"))))
    units = _figures((accelerator.units_per_hour, accelerator.high_ram_units_per_hour), ".2f", translate)
    disk = _disk(accelerator, translate)
    shown = zip(names, (memory, ram, disk, bf16, units), strict=True)
    cells = (element("td", cell, data_label=name) for name, cell in shown)
    return element("tr", element("th", *choice, scope="row"), *cells)


def _figures(figures: Figures, form: str, translate: Translator) -> Html:
    standard, high_ram = figures
    shown = translate("not published") if standard is None else format(standard, form)
    if high_ram is None:
        return joined((shown,))
    other = translate("{figure} High-RAM", figure=format(high_ram, form))
    return joined((shown, " ", element("small", other)))


def _disk(accelerator: Accelerator, translate: Translator) -> str:
    """Return the size of the disk, or between what users have seen it."""
    if accelerator.disk_gib is None:
        return translate("not published")
    least, most = format(accelerator.disk_gib, "g"), accelerator.most_disk_gib
    return least if most is None else translate("{least} to {most}", least=least, most=format(most, "g"))


def _as_read(date: str, origins: set[str], translate: Translator) -> str:
    if "users" not in origins:
        return translate("As read on {date}.", date=date)
    return translate("Figures are what users have seen and published, as read on {date}: yours may differ.", date=date)


def _days(dates: Iterable[object]) -> str:
    return ", ".join(sorted({str(date) for date in dates}))
