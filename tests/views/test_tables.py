from __future__ import annotations

import re
from html import escape, unescape

import pytest

from colab_magics import facts
from colab_magics.facts import accelerators
from colab_magics.facts.tables import Accelerator
from colab_magics.guides import (
    ChoicesTable,
    Goal,
    LimitsTable,
    LinksTable,
    NoticesTable,
    OtherMenusTable,
    RuntimeVersionsTable,
)
from colab_magics.translation import Translator, translator
from colab_magics.values import replace
from colab_magics.views import layout, tables
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


def who(one: Accelerator) -> str:
    paid = "free, paid" if one.tier == "free" else "paid"
    return paid if one.cores is None else f"{paid}, {one.cores:g} cores"


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
        disk = "not published" if one.disk_gib is None else f"{one.disk_gib:g}"
        expected.append(
            [
                f"{one.menu_name} {'now ' if one.id == 'T4' else ''}{who(one)}",
                "-" if one.kind == "none" else memory,
                f"{ram} one size" if one.one_shape else ram,
                disk if one.most_disk_gib is None else f"{disk} to {one.most_disk_gib:g}",
                {True: "yes", False: "no", None: "-"}[one.supports_bf16],
                units,
            ]
        )

    assert rows(tables.as_html(CHOICES, ENGLISH)) == expected


def test_only_the_choices_that_are_asked_for_have_a_row() -> None:
    gpus = tuple(one for one in accelerators.offered() if one.kind == "gpu")

    assert [row[0].split(" (")[0] for row in rows(tables.as_html(ChoicesTable(gpus, None), ENGLISH))] == [
        f"{one.menu_name} {who(one)}" for one in gpus
    ]


def test_the_choices_have_their_dates_and_sources() -> None:
    page = words(tables.as_html(CHOICES, ENGLISH))
    h100 = (accelerators.by_id("H100"),)
    official = tuple(replace(one, origin="official") for one in h100)

    assert "Figures are what users have seen and published, as read on 2026-11-26: yours may differ." in page
    assert "Compute units as seen on 2026-09-24, 2026-09-27, 2026-09-30, 2026-10-01. Prices and" in page
    assert words(tables.as_html(ChoicesTable(official, None), ENGLISH)).count("As read on 2026-11-26.") == 1
    assert all(one.source in page for one in accelerators.offered())
    assert "Compute units as seen" not in tables.as_html(ChoicesTable(h100, None), ENGLISH)


def test_cells_have_the_names_of_their_columns_for_where_the_page_is_narrow() -> None:
    page = Markup(tables.as_html(CHOICES, ENGLISH))

    assert {cell["data-label"] for cell in page.all("td")} == {
        "its memory, GiB",
        "RAM, GiB",
        "disk, GiB",
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
        whose = "" if limit.origin == "official" else "seen by users, "
        assert applies == f"{limit.applies} ({whose}read {limit.date})"
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
    newest = replace(facts.limits()[0], service="x", value=3, unit="<fortnights>", about=True)
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
    assert shown["Kaggle"].endswith(
        "; for some people also GPU L4 x4, GPU RTX Pro 6000; being phased out: GPU P100; seen by users, read 2026-11-26"
    )
    assert shown["Colab CLI"].startswith("colab new --gpu, colab new --tpu, colab new --high-mem, ")
    assert "seen by users" not in shown["Colab CLI"]


def test_the_ways_elsewhere_are_folded_away_on_a_page() -> None:
    page = tables.as_html(OtherMenusTable(("colab",)), ENGLISH)

    assert page.startswith("<details><summary>Not on Colab&#x27;s web page?</summary>")
    assert (
        '<strong lang="en">Select Kernel &gt; Colab &gt; New Colab Server</strong>'
        ' (<span lang="en">Standard, High-RAM</span>)'
    ) in page
    for menu in facts.other_menus():
        assert (f"{menu.label}:" in words(page)) == (menu.service == "colab")


def test_a_new_way_is_shown_without_a_change_of_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    newest = replace(facts.other_menus()[0], place="phone", label="A <phone>", path=("Tap", "Hold"), choices=("On",))
    monkeypatch.setattr(facts, "other_menus", lambda: (newest,))

    assert tables.as_rows(OtherMenusTable(None), CHINESE)[1][0][0] == "A <phone>"
    page = tables.as_html(OtherMenusTable(None), ENGLISH)
    assert "A &lt;phone&gt;: " in page
    assert '<strong lang="en">Tap &gt; Hold</strong> (<span lang="en">On</span>)' in page


def test_what_is_in_an_image_is_what_the_facts_say_in_rows_and_on_the_page() -> None:
    title, shown = tables.as_rows(RuntimeVersionsTable("colab"), ENGLISH)
    page = tables.as_html(RuntimeVersionsTable("colab"), ENGLISH)
    known = facts.runtime_versions()

    assert title == "Runtime versions"
    assert shown[-1] == ("2025.07", "Python 3.11.13, PyTorch 2.6.0, TensorFlow 2.18.0, JAX 0.5.2 (read 2026-11-26)")
    assert rows(page) == [[one.name, one.python, one.torch, one.tensorflow, one.jax] for one in known]
    assert all(one.source in words(page) for one in known)
    assert tables.as_html(RuntimeVersionsTable("nowhere"), ENGLISH) == ""


def test_a_way_that_is_known_in_english_alone_is_quoted_in_another_language() -> None:
    shown = dict(tables.as_rows(OtherMenusTable(None), CHINESE)[1])

    assert shown["Kaggle"].startswith("“Settings > Accelerator”（“None”，“GPU T4 x2”，“GPU P100”，“TPU v5e-8”）；")


@pytest.mark.parametrize("translate", [ENGLISH, CHINESE], ids=["en", "zh-CN"])
def test_what_the_page_says_stays_english_and_what_it_means_is_the_reader_s(translate: Translator) -> None:
    title, shown = tables.as_rows(NoticesTable("colab"), translate)
    page = tables.as_html(NoticesTable("colab"), translate)
    told = [one for one in facts.notices() if one.service == "colab"]

    assert title == translate("If the page says")
    assert len(shown) == len(told) == page.count("<details>")
    for one, (words, meaning) in zip(told, shown, strict=True):
        assert words == " ".join(f"“{each}”" for each in one.words)
        assert all(f'<q lang="en">{escape(each)}</q>' in page for each in one.words)
        assert meaning == translate.joined((translate(one.meaning), translate(one.advice)))
        assert escape(meaning) in page
        assert (one.advice in meaning) == (translate is ENGLISH)


def test_a_goal_shows_what_the_page_says_of_it_alone() -> None:
    _, of_all = tables.as_rows(NoticesTable("colab"), ENGLISH)
    _, longer = tables.as_rows(NoticesTable("colab", Goal.LONGER), ENGLISH)

    assert [words for words, _ in longer] == [words for words, _ in of_all if "Runtime disconnected" in words]
    assert tables.as_html(NoticesTable("colab", Goal.TPU), ENGLISH) == ""
    assert tables.as_html(NoticesTable("kaggle"), ENGLISH) == ""


def test_a_new_notice_is_shown_without_a_change_of_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    newest = replace(facts.notices()[0], words=("<Stop>",), meaning="It <stops>.", advice="So stop.", goal=None)
    monkeypatch.setattr(facts, "notices", lambda: (newest,))

    assert tables.as_rows(NoticesTable("colab"), CHINESE)[1][0][0] == "“<Stop>”"
    page = tables.as_html(NoticesTable("colab"), ENGLISH)
    assert '<summary><q lang="en">&lt;Stop&gt;</q></summary>' in page
    assert "It &lt;stops&gt;. So stop." in page


def test_what_teaches_more_is_a_link_on_a_page_and_an_unbroken_address_in_a_text() -> None:
    title, shown = tables.as_rows(LinksTable(), CHINESE)
    page = tables.as_html(LinksTable(), ENGLISH)

    assert title == "更多资源"
    assert all(isinstance(url, layout.Address) and f'href="{url}"' in page for _, url in shown)
    assert max(len(url) for _, url in shown) > layout.WIDTH
