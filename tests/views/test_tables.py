from __future__ import annotations

import re
from html import unescape

import pytest

from colab_magics import facts
from colab_magics.facts import accelerators
from colab_magics.guides import ChoicesTable, LimitsTable, OtherMenusTable
from colab_magics.translation import translator
from colab_magics.views import tables
from markup import Markup

ENGLISH, CHINESE = translator("en"), translator("zh-CN")
WITH_LIMITS = sorted({limit.service for limit in facts.limits()})
CHOICES = ChoicesTable(accelerators.offered(), accelerators.by_id("T4"))


def words(page: str) -> str:
    """Return what is read without any style sheet."""
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))).strip()


def rows(page: str) -> list[list[str]]:
    body = page[page.index("<tbody>") : page.index("</tbody>")]
    return [
        [words(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)]
        for row in re.findall(r"<tr>(.*?)</tr>", body)
    ]


def test_what_each_choice_gives_is_what_the_facts_say() -> None:
    expected = []
    for one in accelerators.offered():
        with_high_ram = (
            (one.memory_gib, one.high_ram_memory_gib, "g"),
            (one.standard_ram_gib, one.high_ram_gib, ".1f"),
            (one.units_per_hour, one.high_ram_units_per_hour, ".2f"),
        )
        memory, ram, units = (
            " ".join(
                [
                    "not published" if figure is None else format(figure, form),
                    *([] if high is None else [f"{format(high, form)} High-RAM"]),
                ]
            )
            for figure, high, form in with_high_ram
        )
        expected.append(
            [
                f"{one.menu_name} {'now ' if one.id == 'T4' else ''}{'free, paid' if one.tier == 'free' else 'paid'}",
                "-" if one.kind == "none" else memory,
                f"{ram} one size" if one.one_shape else ram,
                {True: "yes", False: "no", None: "-"}[one.supports_bf16],
                units,
            ]
        )

    assert rows(tables.as_html(CHOICES, ENGLISH)) == expected


def test_only_the_choices_that_are_asked_for_have_a_row() -> None:
    gpus = tuple(one for one in accelerators.offered() if one.kind == "gpu")

    assert [row[0].split(" (")[0] for row in rows(tables.as_html(ChoicesTable(gpus, None), ENGLISH))] == [
        f"{one.menu_name} {'free, paid' if one.tier == 'free' else 'paid'}" for one in gpus
    ]


def test_the_choices_have_their_dates_and_sources() -> None:
    page = words(tables.as_html(CHOICES, ENGLISH))
    tpus = tuple(one for one in accelerators.offered() if one.kind == "tpu")

    assert "As read on 2026-11-22. Compute units as seen on 2026-03-10. Prices and availability change." in page
    assert all(one.source in page for one in accelerators.offered())
    assert "Compute units as seen" not in tables.as_html(ChoicesTable(tpus, None), ENGLISH)


def test_cells_have_the_names_of_their_columns_for_where_the_page_is_narrow() -> None:
    page = Markup(tables.as_html(CHOICES, ENGLISH))

    assert {cell["data-label"] for cell in page.all("td")} == {
        "its memory, GiB",
        "RAM, GiB",
        "bfloat16",
        "units per hour",
    }


@pytest.mark.parametrize("service", WITH_LIMITS)
def test_limits_are_those_that_were_published_each_with_its_date(service: str) -> None:
    title, shown = tables.as_rows(LimitsTable(service), ENGLISH)
    page = words(tables.as_html(LimitsTable(service), ENGLISH))

    assert title == "Lifetimes as published"
    assert page.startswith(title)
    published = [limit for limit in facts.limits() if limit.service == service]
    assert len(shown) == len(published)
    for limit, (figure, applies) in zip(published, shown, strict=True):
        unit = {"hours": "h", "minutes": "min"}[limit.unit]
        assert figure == f"{'about ' if limit.about else ''}{limit.value:g} {unit}"
        assert applies == f"{limit.applies} (read {limit.date})"
        assert f"{figure} {applies}" in page


@pytest.mark.parametrize("service", WITH_LIMITS)
def test_limits_are_translated_alike_in_rows_and_on_the_page(service: str) -> None:
    _, shown = tables.as_rows(LimitsTable(service), CHINESE)
    page = words(tables.as_html(LimitsTable(service), CHINESE))

    assert all(f"{figure} {applies}" in page for figure, applies in shown)
    for figure, applies in shown:
        assert re.search("小时|分钟", figure)
        assert re.search(r"[\u4e00-\u9fff]", applies.partition("2026")[0])


def test_a_limit_of_a_unit_nobody_knows_is_shown_with_the_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    newest = facts.limits()[0]._replace(service="x", value=3, unit="<fortnights>", about=True)
    monkeypatch.setattr(facts, "limits", lambda: (newest,))

    assert tables.as_rows(LimitsTable("x"), ENGLISH)[1][0][0] == "about 3 <fortnights>"
    assert "<strong>about 3 &lt;fortnights&gt;</strong>" in tables.as_html(LimitsTable("x"), ENGLISH)


def test_a_service_without_limits_has_no_table() -> None:
    assert tables.as_rows(LimitsTable("nowhere"), ENGLISH)[1] == []
    assert tables.as_html(LimitsTable("nowhere"), ENGLISH) == ""
    assert tables.as_html(OtherMenusTable(("nowhere",)), ENGLISH) == ""


def test_the_ways_elsewhere_are_the_facts_all_or_those_of_some_services() -> None:
    _, every = tables.as_rows(OtherMenusTable(None), ENGLISH)
    _, some = tables.as_rows(OtherMenusTable(("colab",)), ENGLISH)

    assert [place for place, _ in every] == [menu.label for menu in facts.other_menus()]
    assert [place for place, _ in some] == [menu.label for menu in facts.other_menus() if menu.service == "colab"]


def test_a_way_through_a_menu_and_commands_of_which_one_is_chosen_are_told_apart() -> None:
    _, every = tables.as_rows(OtherMenusTable(None), ENGLISH)
    shown = dict(every)

    assert shown["Kaggle"].startswith("Settings > Accelerator (None, GPU T4 x2, GPU P100, TPU v5e-8); ")
    assert shown["Colab CLI"].startswith("colab new --gpu, colab new --tpu, colab stop (T4, ")


def test_the_ways_elsewhere_are_folded_away_on_a_page() -> None:
    page = tables.as_html(OtherMenusTable(("colab",)), ENGLISH)

    assert page.startswith("<details><summary>Not on Colab&#x27;s web page?</summary>")
    assert '<strong lang="en">Select Kernel &gt; Colab &gt; New Colab Server</strong> (Standard, High-RAM)' in page
    for menu in facts.other_menus():
        assert (f"{menu.label}:" in words(page)) == (menu.service == "colab")


def test_a_new_way_is_shown_without_a_change_of_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    newest = facts.other_menus()[0]._replace(place="phone", label="A <phone>", path=("Tap", "Hold"), choices=("On",))
    monkeypatch.setattr(facts, "other_menus", lambda: (newest,))

    assert tables.as_rows(OtherMenusTable(None), CHINESE)[1][0][0] == "A <phone>"
    page = tables.as_html(OtherMenusTable(None), ENGLISH)
    assert "A &lt;phone&gt;: " in page
    assert '<strong lang="en">Tap &gt; Hold</strong> (On)' in page
