from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from builders import A_CELL, GIB, MIB, RAM, T4_WORK, a_report
from colab_magics.model import Subject
from colab_magics.model.cells import Cell, PeakMethod
from colab_magics.report import Report
from colab_magics.translation import translator
from colab_magics.units import width
from colab_magics.values import replace
from colab_magics.views import cell, html, json, terminal, text
from colab_magics.views.render_options import RenderOptions
from runtimes import LANGUAGES, TRANSLATED

ENGLISH = translator("en")

ON_A_T4 = A_CELL
WITHOUT_A_GPU = replace(
    A_CELL,
    wall_seconds=0.153,
    cpu_seconds=0.145,
    ram_peak_bytes=2 * GIB + 286 * MIB,
    ram_after_bytes=2 * GIB - 100 * MIB,
    gpus=(),
)
FAILED = replace(
    A_CELL,
    failed=True,
    number=None,
    gpus=None,
    ram_peak_bytes=None,
    peak_method=None,
    peak_error_bytes=None,
    largest_child_bytes=6 * GIB,
    unavailable=(("ram_peak_bytes", "no_peak_record"), ("gpus", "driver_not_asked")),
)
HEAVY = replace(
    A_CELL,
    wall_seconds=4000.0,
    ram_peak_bytes=11 * GIB,
    gpus=(
        replace(T4_WORK, slowdown_reasons=("thermal_hardware",), busy_source="sampled"),
        replace(T4_WORK, index=1, busy_percent=None, memory_after_bytes=GIB // 2),
    ),
)
CASES = {"t4": ON_A_T4, "no_gpu": WITHOUT_A_GPU, "failed": FAILED, "heavy": HEAVY}


def a_report_on(measured: Cell) -> Report:
    nothing = dict.fromkeys(("gpus", "driver", "tpus", "frameworks", "disks", "cpu", "visible_gpus"))
    report: Report = a_report(Subject.CELL, **{**nothing, "ram": RAM, "cells": (measured,)})
    return report


@pytest.mark.parametrize("everything", [False, True], ids=["short", "all"])
@pytest.mark.parametrize("language", TRANSLATED)
@pytest.mark.parametrize("case", CASES)
def test_the_text_is_as_it_was_reviewed(
    case: str, language: str, everything: bool, golden: Callable[[str, str], None]
) -> None:
    shown = text.render(a_report_on(CASES[case]), RenderOptions(language=language, everything=everything))

    golden(f"{language}/cell-{case}{'-all' if everything else ''}.txt", shown)


@pytest.mark.parametrize("case", CASES)
def test_the_html_is_as_it_was_reviewed(case: str, golden: Callable[[str, str], None]) -> None:
    golden(f"cell-{case}.html", html.render(a_report_on(CASES[case])).replace("</tr>", "</tr>\n"))


@pytest.mark.parametrize("case", CASES)
def test_the_terminal_s_is_as_it_was_reviewed(case: str, golden: Callable[[str, str], None]) -> None:
    golden(f"cell-{case}.ansi", terminal.render(a_report_on(CASES[case])))


@pytest.mark.parametrize("everything", [False, True], ids=["short", "all"])
@pytest.mark.parametrize("case", CASES)
def test_a_report_keeps_to_its_lines_and_columns(case: str, everything: bool) -> None:
    for language in LANGUAGES:
        lines = text.render(a_report_on(CASES[case]), RenderOptions(language=language, everything=everything)).split(
            "\n"
        )

        assert max(map(width, lines)) <= 80
        assert everything or len(lines) <= 8


def test_the_first_sentence_is_the_answer() -> None:
    said = "Took 42 s (CPU 51 s): peak 3.0 GiB of RAM over the start, 1.0 GiB kept."

    assert text.render(a_report_on(ON_A_T4)).startswith(said)
    assert f'"summary": "{said}' in json.render(a_report_on(ON_A_T4), RenderOptions())


@pytest.mark.parametrize(
    ("kept_bytes", "expected"),
    [(MIB - 1, "nothing kept"), (-MIB + 1, "nothing kept"), (MIB, "1 MiB kept"), (-2 * GIB, "2.0 GiB let go")],
)
def test_what_is_kept_may_be_less_than_nothing(kept_bytes: int, expected: str) -> None:
    assert cell.kept(kept_bytes, ENGLISH) == expected


def test_a_peak_that_many_processors_make_uncertain_says_so() -> None:
    assert cell.ram_phrases(replace(A_CELL, peak_error_bytes=72 * MIB), ENGLISH)[0] == (
        "peak 3.0 GiB (± 72 MiB) of RAM over the start"
    )
    assert "±" not in cell.ram_phrases(A_CELL, ENGLISH)[0]


@pytest.mark.parametrize("method", PeakMethod)
def test_how_it_was_measured_is_said_where_it_is_not_exact(method: PeakMethod) -> None:
    exact = method in {PeakMethod.RESET, PeakMethod.RECORD}

    assert bool(cell.how_measured(replace(WITHOUT_A_GPU, peak_method=method), ENGLISH)) is not exact
    assert dict(cell.rows(replace(A_CELL, peak_method=method), ENGLISH))["the peak is known by"] != "not available"


def test_a_gpu_that_tells_nothing_has_a_sentence() -> None:
    mute = replace(
        T4_WORK, busy_percent=None, memory_peak_bytes=None, memory_after_bytes=None, energy_joules=None, name=None
    )

    assert cell.gpu_sentence(mute, replace(A_CELL, gpus=(mute,)), ENGLISH) == "GPU of unknown name: not available."


@pytest.mark.parametrize(
    ("percent", "expected"), [(0.0, "idle"), (0.2, "busy 1 % of the time"), (84.4, "busy 84 % of the time")]
)
def test_hardly_busy_is_not_idle(percent: float, expected: str) -> None:
    assert cell.use(replace(T4_WORK, busy_percent=percent), ENGLISH) == expected


@pytest.mark.parametrize("field", ["name", "busy_source"])
def test_what_came_from_outside_is_made_safe(field: str) -> None:
    hostile: Any = "<img src=x>\x1b[31m"
    work = replace(T4_WORK, **{field: hostile})
    report = a_report_on(replace(A_CELL, gpus=(work,)))
    everything = RenderOptions(everything=True)

    assert "\x1b" not in text.render(report, everything)
    assert "<img" not in html.render(report, everything)
