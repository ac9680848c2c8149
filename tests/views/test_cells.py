from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest

from builders import A_CELL, A_SESSION, A_SESSION_S_CELLS, GIB, MIB, NO_CELLS, OF_CELLS, T4_WORK, a_ram, a_report
from colab_magics.model import Subject
from colab_magics.report import Report
from colab_magics.translation import translator
from colab_magics.units import width
from colab_magics.values import replace
from colab_magics.views import cells, html, json, terminal, text
from colab_magics.views.render_options import RenderOptions
from runtimes import TRANSLATED

ENGLISH = translator("en")
ALL = RenderOptions(everything=True)
HOSTILE = ["<img src=x onerror=alert(1)>", "\x1b[31mred\x1b]0;title\x07", "\u202eAMD\u2066",
           "quote\" ' & <script>alert(1)</script>"]  # fmt: skip
CASES = {"cells": OF_CELLS, "no_cells": NO_CELLS}


def on(**changes: Any) -> Report:
    return a_report(Subject.CELLS, **{**OF_CELLS, **changes})


def plain(drawn: str) -> str:
    return re.sub(r"\x1b\[[\d;]*m", "", drawn)


def in_words(page: str) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL)))


@pytest.mark.parametrize("language", TRANSLATED)
@pytest.mark.parametrize("everything", [False, True], ids=["short", "all"])
@pytest.mark.parametrize("case", CASES)
def test_the_text_is_as_it_was_reviewed(
    case: str, everything: bool, language: str, golden: Callable[[str, str], None]
) -> None:
    options = RenderOptions(everything=everything, language=language)
    shown = text.render(a_report(Subject.CELLS, **CASES[case]), options)

    golden(f"{language}/{case}{'-all' if everything else ''}.txt", shown)


@pytest.mark.parametrize("case", CASES)
def test_the_page_the_terminal_and_the_json_are_as_they_were_reviewed(
    case: str, golden: Callable[[str, str], None]
) -> None:
    of = a_report(Subject.CELLS, **CASES[case])

    golden(f"{case}.html", html.render(of))
    golden(f"{case}.ansi", terminal.render(of))
    golden(f"{case}.json", json.render(of))


@pytest.mark.parametrize("language", TRANSLATED)
@pytest.mark.parametrize("options", [RenderOptions(), ALL], ids=["short", "all"])
@pytest.mark.parametrize("view", [text.render, terminal.render], ids=["text", "terminal"])
def test_all_is_within_eighty_columns_however_long_the_code(
    view: Callable[..., str], options: RenderOptions, language: str
) -> None:
    named = tuple(replace(cell, first_line="变量 = 数据 + " * 9, number=99_999) for cell in A_SESSION_S_CELLS)
    shown = view(on(cells=named), replace(options, language=language))

    assert max(map(width, plain(shown).split("\n"))) <= 80
    assert "99999" in shown


def test_figures_stand_below_each_other() -> None:
    lines = text.render(on()).split("\n")[1:5]
    ends = [[found.end() for found in re.finditer(r"\S+(?: \S+)*", line)] for line in lines]

    assert len({len(one) for one in ends}) == 1
    assert all(len({one[column] for one in ends}) == 1 for column in range(2, len(ends[0])))


def test_the_first_line_says_which_cell_took_most_ram() -> None:
    assert text.render(on()).split("\n")[0] == "In [7] took the most RAM: 3.0 GiB over the start."


def test_those_that_lead_by_other_measures_are_named() -> None:
    for shown in (text.render(on()), in_words(html.render(on())), terminal.render(on())):
        assert "Longest: [12] 3 min 20 s." in shown
        assert "Most RAM kept: [7] 1.0 GiB." in shown
        assert "Most GPU memory: [7] 10.0 GiB." in re.sub(r"\n +", " ", shown)


def test_what_is_not_shown_and_what_is_forgotten_is_counted() -> None:
    said = " ".join(cells.foot(on().snapshot, ENGLISH, everything=False))

    assert "Failed: 2." in said
    assert "Shown: 3 of 1050." in said
    assert "Forgotten, since long ago and small: 184." in said


def test_a_terminal_draws_bars_where_there_is_room() -> None:
    assert terminal.render(on()).count("\u2501" * 8) == 1
    wide = tuple(replace(cell, number=9_999_999, wall_seconds=200.0) for cell in A_SESSION_S_CELLS)

    assert "\u2501" not in terminal.render(on(cells=wide), RenderOptions(language="zh-CN"))


def test_where_all_are_shown_nothing_is_said_to_be_left_out() -> None:
    sums = replace(A_SESSION, measured=3, failed=0, remembered=3)

    assert cells.foot(on(session=sums).snapshot, ENGLISH, everything=False) == (
        "Peak: the most RAM over what was there when the cell began.",
    )


def test_where_nothing_was_measured_it_is_said_how_to() -> None:
    for shown in (text.render(on(**NO_CELLS)), in_words(html.render(on(**NO_CELLS))), terminal.render(on(**NO_CELLS))):
        assert "No cell has been measured yet" in shown
        assert "%config ColabMagics.footer = True" in shown
        assert "%%runtime_status" in shown


def test_without_gpus_there_are_no_columns_of_theirs() -> None:
    measured = tuple(replace(cell, gpus=()) for cell in A_SESSION_S_CELLS)
    lines = text.render(on(cells=measured)).split("\n")

    assert lines[1].split() == ["cell", "code", "time", "peak,", "GiB", "kept,", "GiB"]
    assert "GPU" not in html.table_of_cells(measured, ENGLISH)


def test_what_could_not_be_measured_is_no_nought() -> None:
    silent = replace(T4_WORK, energy_joules=None, memory_before_bytes=None)
    unknown = replace(A_CELL, ram_peak_bytes=None, ram_before_bytes=None, gpus=(silent,))
    (row,) = cells.rows((unknown,), ENGLISH, everything=True)

    assert (row.peak, row.kept, row.gpu, row.energy) == ("-", "-", "-", "-")
    assert row.peak_percent is None


def test_a_share_is_of_the_greatest_that_is_shown() -> None:
    first, second, third = cells.rows(A_SESSION_S_CELLS, ENGLISH, everything=False)

    assert (first.peak_percent, third.peak_percent) == (100.0, 0.0)
    assert second.peak_percent == pytest.approx(100 / 3)
    assert (first.time_percent, second.time_percent) == (21.0, 100.0)


def test_a_page_has_bars_that_read_without_a_style_sheet() -> None:
    page = html.render(on())

    assert re.findall(r'<meter max="100" value="(\d+)" title="([^"]+)"', page)[:2] == [
        ("21", "[7], time"),
        ("100", "[7], peak, GiB"),
    ]
    assert page.count('scope="row"') == 3
    assert page.count('scope="col"') == 7
    assert "<script" not in page


def test_all_columns_are_shown_when_everything_is_asked() -> None:
    heads = text.render(on(), ALL).split("\n")[1].split()

    assert heads == ["cell", "code", "time", "CPU", "peak", "kept", "child", "GPU", "busy", "energy"]
    assert "Sizes are in GiB" in text.render(on(), ALL)


@pytest.mark.parametrize("name", [*HOSTILE, "{name}", "%s", "{"])
def test_code_stays_text_wherever_it_is_shown(name: str) -> None:
    of = on(cells=(replace(A_CELL, first_line=name),))
    for options in (RenderOptions(), ALL):
        page = html.render(of, options)
        assert "<img" not in page
        assert "<script" not in page
        for shown in (text.render(of, options), plain(terminal.render(of, options)), page):
            assert "\x1b" not in shown
            assert "\u202e" not in shown
            assert name not in shown or name.isprintable()
    if name.isprintable() and len(name) < 20:
        assert name in text.render(of)


def test_what_a_cell_keeps_is_found() -> None:
    of = on(cells=(replace(A_CELL, ram_after_bytes=5 * GIB),), ram=a_ram(12.7, kernel_bytes=6 * GIB))

    for shown in (text.render(of), in_words(html.render(of)), terminal.render(of)):
        assert "In [7] kept 3.0 GiB of RAM" in shown
    assert "can still be allocated" not in text.render(of)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "42 s, peak 3.0 GiB over the start, 1.0 GiB kept, GPU 0 busy 84 %, its memory 10.0 GiB over the start"),
        ({"gpus": (), "wall_seconds": 3.24}, "3.2 s, peak 3.0 GiB over the start, 1.0 GiB kept"),
        ({"gpus": None, "ram_after_bytes": GIB}, "42 s, peak 3.0 GiB over the start, 1.0 GiB let go"),
        ({"gpus": (), "ram_after_bytes": 2 * GIB, "ram_peak_bytes": 2 * GIB + MIB // 2}, "42 s"),
        ({"gpus": (), "ram_before_bytes": None}, "42 s"),
        (
            {"gpus": (replace(T4_WORK, busy_percent=None, index=1),), "ram_peak_bytes": None},
            "42 s, 1.0 GiB kept, GPU 1's memory 10.0 GiB over the start",
        ),
        ({"gpus": (replace(T4_WORK, busy_percent=0.0, memory_peak_bytes=GIB),), "ram_peak_bytes": None},
         "42 s, 1.0 GiB kept"),
    ],
)  # fmt: skip
def test_the_line_below_a_cell_says_what_is_more_than_next_to_nothing(changes: dict[str, Any], expected: str) -> None:
    assert cells.footer(replace(A_CELL, **changes), ENGLISH) == expected


def test_the_line_is_in_chinese_too() -> None:
    assert re.search("[\u4e00-\u9fff]", cells.footer(A_CELL, translator("zh-CN")))
    assert re.search("[\u4e00-\u9fff]", cells.stopped("OSError", translator("zh-CN")))
