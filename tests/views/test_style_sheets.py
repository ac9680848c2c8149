from __future__ import annotations

import functools
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import colab_magics
from builders import (
    CPU_RUNTIME,
    DISK,
    EIGHT_A100,
    GIB,
    HOLDERS,
    HUNG_DRIVER,
    MIG_IN_A_CONTAINER,
    NOTHING_AVAILABLE,
    OF_A_CLUSTER,
    OF_CELLS,
    RELEASE,
    T4,
    TORCH_CPU,
    a_ram,
    a_report,
    a_snapshot,
)
from colab_magics.model import GpuMemory, Subject, Usage
from colab_magics.requirement import check, parse
from colab_magics.views import html, style_sheets, verdict
from colab_magics.views.render_options import RenderOptions
from runtimes import OF_A_MACHINE

PACKAGE = Path(colab_magics.__file__).parent
SHEETS = sorted(str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.css"))


def tokens(sheet: str) -> list[str]:
    """Take a sheet apart as CSS does, spaces that part nothing left out."""
    kept = "".join(part.partition("*/")[2] if number else part for number, part in enumerate(sheet.split("/*")))
    for mark in "{};:,>!/":
        kept = kept.replace(mark, f" {mark} ")
    return [token for token in kept.replace("; }", "}").split() if token != ";"]


@pytest.mark.parametrize("name", SHEETS)
def test_a_shortened_sheet_says_the_same(name: str) -> None:
    sheet = (PACKAGE / name).read_text(encoding="utf-8")
    short = style_sheets.together(name)

    assert tokens(short) == tokens(sheet)
    assert len(short) < len(sheet)
    assert "/*" not in short


def test_what_stands_in_quotation_marks_stays() -> None:
    for name in SHEETS:
        quoted = re.findall(r'"[^"]*"', (PACKAGE / name).read_text(encoding="utf-8"))

        assert re.findall(r'"[^"]*"', style_sheets.together(name)) == quoted


def test_sheets_follow_each_other_in_the_order_asked_for() -> None:
    assert style_sheets.together(*SHEETS) == "".join(style_sheets.together(name) for name in SHEETS)


FULL_DISK = replace(DISK, usage=Usage(total_bytes=100 * GIB, used_bytes=97 * GIB), free_bytes=3 * GIB)
FULL_GPU = replace(T4, memory=GpuMemory(total_bytes=15 * GIB, used_bytes=15 * GIB, free_bytes=0, reserved_bytes=None))
STATES: dict[str, dict[str, Any]] = {
    "t4": {},
    "no gpu": CPU_RUNTIME,
    "hung driver": HUNG_DRIVER,
    "nothing": NOTHING_AVAILABLE,
    "eight": {"gpus": EIGHT_A100},
    "two kinds, one full": {"gpus": (FULL_GPU, replace(EIGHT_A100[1], processes=()))},
    "slices": {"gpus": (MIG_IN_A_CONTAINER,)},
    "holders": {"holders": HOLDERS, "released": RELEASE},
    "full": {"gpus": (FULL_GPU,), "disks": (FULL_DISK,), "ram": a_ram(12.7, headroom_bytes=GIB // 2)},
    "torch without CUDA": {"frameworks": (TORCH_CPU,)},
}
ALL = RenderOptions(everything=True)


@functools.cache
def pages() -> dict[str, str]:
    """Return reports and a card of every kind."""
    shown = {name: str(html.render(a_report(**changes))) for name, changes in STATES.items()}
    shown |= {f"{name}, all": str(html.render(a_report(**changes), ALL)) for name, changes in STATES.items()}
    shown |= {f"{name}, ram": str(html.render(a_report(Subject.RAM, **changes))) for name, changes in STATES.items()}
    german = RenderOptions(everything=True, language="de")
    shown["german, all"] = str(html.render(a_report(**CPU_RUNTIME), german))
    shown["noted"] = str(html.render(a_report(), RenderOptions(note="As of {time}.")))
    shown["cells"] = str(html.render(a_report(Subject.CELLS, **OF_CELLS)))
    shown["cells, all"] = str(html.render(a_report(Subject.CELLS, **OF_CELLS), ALL))
    shown["cluster"] = str(html.render(a_report(Subject.CLUSTER, **OF_A_CLUSTER)))
    snapshot = a_snapshot(**CPU_RUNTIME)
    shown["not met"] = str(verdict.card(check(parse("gpu=T4"), snapshot), snapshot))
    return shown


def sheet_and_body(page: str) -> tuple[str, str]:
    begin, sheet, body = re.fullmatch(r"(<div [^>]*>)<style>(.*?)</style>(.*)", page, re.DOTALL).groups()
    return sheet, begin + body


def classes(body: str) -> set[str]:
    return {name for names in re.findall(r' class="([^"]*)"', body) for name in names.split()}


def selected(sheet: str) -> set[str]:
    """Return the classes that a sheet speaks of."""
    return {name for rule in re.findall(r"[^{};]+(?=\{)", sheet) for name in re.findall(r"\.([a-z][\w-]*)", rule)}


@pytest.mark.parametrize("name", [style_sheets.LOOK, *style_sheets.ADDED])
def test_of_every_name_that_a_sheet_styles_there_is_something_in_the_pages_that_have_it(name: str) -> None:
    own = style_sheets.together(name)
    there = set[str]()
    for page in pages().values():
        sheet, body = sheet_and_body(page)
        there |= classes(body) if own in sheet else set()

    # The goals are marked one at a time, by what stands around them.
    styled = {one for one in selected(own) if not one.startswith("cm-fits")}
    assert styled <= there | {"cm-panel"}


FOUND, TABLE, HELD, CELLS, NODES, DETAILS, GOALS, GUIDE = style_sheets.ADDED


@pytest.mark.parametrize(
    ("name", "added"),
    [
        ("t4", ()),
        ("t4, ram", ()),
        ("slices", ()),
        ("no gpu", (FOUND,)),
        ("full, ram", (FOUND,)),
        ("not met", (FOUND,)),
        ("eight", (TABLE,)),
        ("two kinds, one full", (FOUND, TABLE)),
        ("cells", (CELLS,)),
        ("cluster", (FOUND, NODES)),
        ("holders, ram", (FOUND, HELD)),
        ("t4, all", (FOUND, DETAILS, GOALS, GUIDE)),
        ("eight, all", (FOUND, TABLE, DETAILS, GOALS, GUIDE)),
    ],
)
def test_a_page_has_the_sheets_of_what_is_in_it_and_no_other(name: str, added: tuple[str, ...]) -> None:
    sheet, _ = sheet_and_body(pages()[name])

    assert sheet == style_sheets.together(style_sheets.LOOK, *added)


def test_what_is_grave_in_a_bar_alone_has_its_colour() -> None:
    full = a_report(Subject.GPU, **{**STATES["full"], "gpus": (T4,)})
    sheet, body = sheet_and_body(html.render(full))

    assert "cm-found" not in body
    assert 'class="warning"' in body
    assert style_sheets.together(FOUND) in sheet


def test_no_text_asks_for_a_sheet() -> None:
    hostile = replace(T4, name='class="cm-found" warning" <a href="x"> <details>')
    sheet, _ = sheet_and_body(html.render(a_report(gpus=(hostile,))))

    assert sheet == style_sheets.together(style_sheets.LOOK)


def test_colours_are_named_once_and_each_is_there_where_it_is_used() -> None:
    named = [one for path in SHEETS for one in re.findall(r"(--cm-[\w-]+):", style_sheets.together(path))]
    used = {one for path in SHEETS for one in re.findall(r"var\((--cm-[\w-]+)", style_sheets.together(path))}

    assert sorted(named) == sorted(used)
    for name, page in pages().items():
        sheet, _ = sheet_and_body(page)
        missing = set(re.findall(r"var\((--cm-[\w-]+)", sheet)) - set(re.findall(r"(--cm-[\w-]+):", sheet))
        assert missing == set(), name


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("t4", 3600),
        ("t4, ram", 3000),
        ("no gpu", 4700),
        ("full", 5400),
        ("eight", 6900),
        ("not met", 3800),
        ("t4, all", 76_000),
        ("no gpu, all", 74_000),
    ],
)
def test_a_page_is_sent_in_few_bytes(name: str, most: int) -> None:
    size = len(pages()[name].encode())

    assert most * 0.93 < size <= most, f"{size}: if that is right, say so here"


@pytest.mark.parametrize("subject", OF_A_MACHINE)
def test_a_report_on_a_t4_is_sent_in_less_than_four_kilobytes_with_its_style_sheet(subject: Subject) -> None:
    assert len(html.render(a_report(subject)).encode()) <= 4096
