from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import A100, GB10, GIB, MIG_IN_A_CONTAINER, MUTE_GPU, SLICE, T4, UNTOLD_GPU, a_snapshot
from colab_magics.model import Gpu, GpuProcess, Severity
from colab_magics.translation import translator
from colab_magics.units import width
from colab_magics.views import gpu_table
from colab_magics.views.gpu_table import Row

ENGLISH = translator("en")
(OURS,) = T4.processes or ()
IDLE = replace(A100, utilization_percent=0.0, power_watts=None, processes=())


def table(*gpus: Gpu) -> list[Row]:
    numbered = tuple(replace(gpu, index=index, cuda_index=None) for index, gpu in enumerate(gpus))
    return gpu_table.rows(a_snapshot(gpus=numbered), ENGLISH)


def lines(*gpus: Gpu, language: str = "en") -> list[str]:
    translate = translator(language)
    numbered = tuple(replace(gpu, index=index, cuda_index=None) for index, gpu in enumerate(gpus))
    return gpu_table.lines(gpu_table.rows(a_snapshot(gpus=numbered), translate), translate)


def held_by(*processes: GpuProcess) -> str:
    return table(replace(T4, processes=processes), T4)[0].held_by


@pytest.mark.parametrize("count", [0, 1, 2, 8, 64])
def test_only_several_gpus_are_a_table_and_it_has_all_of_them(count: int) -> None:
    assert [row.number for row in table(*[A100] * count)] == [str(index) for index in range(count if count > 1 else 0)]


def test_gpus_that_nobody_could_look_at_are_no_table() -> None:
    assert gpu_table.rows(a_snapshot(gpus=None), ENGLISH) == []


def test_every_figure_stands_in_its_column() -> None:
    assert lines(A100, IDLE) == [
        "#  memory, GiB   use  °C    W  held by, GiB",
        "0   3.0 / 40.0  87 %  61  250  this kernel 0.4",
        "1   3.0 / 40.0  idle  61    -",
    ]
    assert [tuple(getattr(row, name) for name in row._fields[2:8]) for row in table(A100, IDLE)] == [
        ("3.0 / 40.0", 7.5, "87 %", 87.0, "61", "250"),
        ("3.0 / 40.0", 7.5, "idle", 0.0, "61", "-"),
    ]


def test_one_that_is_idle_now_and_was_busy_says_so_and_is_not_greyed() -> None:
    lately = replace(IDLE, recent_busy_percent=84.0, recent_seconds=16.0)
    rows = table(IDLE, lately, replace(lately, utilization_percent=50.0), replace(lately, utilization_percent=None))

    assert [row.use for row in rows] == ["idle", "idle, was 84 %", "50 %", "-"]
    assert [row.is_idle for row in rows] == [True, False, False, False]
    assert max(map(width, lines(*[replace(lately, processes=(OURS,) * 9)] * 64))) <= 80
    assert lines(A100, lately)[2] == "1   3.0 / 40.0  idle, was 84 %  61    -"


def test_alike_gpus_are_not_named_one_by_one_and_others_are() -> None:
    assert [row.name for row in table(A100, A100)] == ["", ""]
    assert [row.name for row in table(T4, A100)] == ["Tesla T4", "NVIDIA A100-SXM4-40GB"]
    assert lines(T4, A100)[0].split()[:2] == ["#", "name"]


def test_a_column_of_which_nothing_is_known_is_left_out() -> None:
    nobody = replace(T4, processes=())

    assert lines(nobody, nobody)[0] == "#  memory, GiB   use  °C  W"


def test_the_slices_of_a_gpu_stand_below_it() -> None:
    parted = replace(MIG_IN_A_CONTAINER, slices=(SLICE, replace(SLICE, index=3, memory=None, processes=(OURS,))))
    _, gpu, first, second = table(T4, parted)

    assert (gpu.number, gpu.memory, gpu.use) == ("1", "-", "-")
    assert first == Row(
        "MIG 2", "NVIDIA H100 80GB HBM3 MIG 1g.10gb", "1.0 / 9.8", pytest.approx(10.3, abs=0.1), "", None, "", "",
        "", is_idle=False, severity=None,
    )  # fmt: skip
    assert (second.number, second.memory, second.memory_percent, second.held_by) == (
        "MIG 3", "-", None, "this kernel 0.4",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("gpu", "why"),
    [
        (MUTE_GPU, "the GPU is lost"),
        (replace(A100, fault="gpu_lost"), "the GPU is lost"),
        (UNTOLD_GPU, "no permission"),
        (replace(UNTOLD_GPU, unavailable=()), "not available"),
        (MIG_IN_A_CONTAINER, "no permission"),
    ],
    ids=["lost", "lost with figures", "untold", "nobody knows why", "parted"],
)
def test_a_gpu_that_tells_nothing_says_why_in_place_of_who_holds_it(gpu: Gpu, why: str) -> None:
    _, row, *_ = table(T4, gpu)

    assert row.held_by == why
    assert not row.is_idle


def test_a_gpu_that_tells_its_use_alone_is_not_mute() -> None:
    _, row = table(T4, GB10)

    assert (row.memory, row.memory_percent, row.use, row.held_by) == ("-", None, "idle", "this kernel 3.0")


def test_who_holds_most_is_named_and_the_others_are_counted() -> None:
    other = replace(OURS, pid=99, name="blender", is_this_kernel=False, memory_used_bytes=3 * GIB)
    untold = replace(other, pid=7, memory_used_bytes=None)

    assert held_by() == ""
    assert held_by(OURS) == "this kernel 0.4"
    assert held_by(OURS, other) == "blender 3.0 +1"
    assert held_by(untold, OURS, other) == "blender 3.0 +2"
    assert held_by(untold) == "blender"
    assert held_by(replace(other, name=None)) == "process 99 3.0"
    assert held_by(replace(other, name=None, is_here=False)) == "outside this container 3.0"
    assert held_by(replace(untold, is_this_kernel=False), replace(OURS, memory_used_bytes=None)) == "this kernel +1"


def test_how_much_is_held_stands_whole_behind_a_long_name() -> None:
    long = replace(OURS, name="x" * 300, is_this_kernel=False, memory_used_bytes=int(14.6 * GIB))

    assert held_by(long, OURS) == "xxxxxxxxxx…xxxxxxxxx 14.6 +1"
    assert lines(replace(T4, processes=(long, OURS)), T4)[1].endswith("…xxxxxxxxx 14.6 +1")


def test_a_hostile_name_of_a_process_is_made_printable() -> None:
    assert held_by(replace(OURS, name="\x1b[31mred", is_this_kernel=False)) == "\\x1b[31mred 0.4"


def test_idle_is_what_does_nothing_for_certain() -> None:
    assert [row.is_idle for row in table(T4, A100, MUTE_GPU, UNTOLD_GPU, IDLE)] == [True, False, False, False, True]


def test_a_row_is_as_grave_as_the_rules_find_its_memory_and_no_other() -> None:
    full = replace(A100, memory=replace(A100.memory, used_bytes=39 * GIB, free_bytes=GIB // 2))

    assert [row.severity for row in table(T4, full, MUTE_GPU)] == [None, Severity.WARNING, None]


NAMES = st.text(st.sampled_from("abcXYZ 0123456789显存卡…-()"), min_size=1, max_size=80)
SIZES = st.integers(min_value=0, max_value=300 * GIB)


@settings(derandomize=True, deadline=None, max_examples=60, database=None)
@given(
    names=st.lists(NAMES, min_size=2, max_size=4), process=NAMES, size=SIZES, language=st.sampled_from(["en", "zh-CN"])
)
def test_no_line_is_wider_than_eighty_columns_and_no_figure_is_shortened(
    names: list[str], process: str, size: int, language: str
) -> None:
    memory: Any = replace(A100.memory, total_bytes=300 * GIB, used_bytes=size, free_bytes=300 * GIB - size)
    holder = replace(OURS, name=process, is_this_kernel=False, memory_used_bytes=size)
    gpus = [
        replace(A100, name=name, memory=memory, utilization_percent=100.0, temperature_celsius=100.0,
                power_watts=1000.0, power_limit_watts=None, processes=(holder, *[OURS] * 9))
        for name in names
    ]  # fmt: skip
    shown = lines(*gpus, language=language)

    assert max(map(width, shown)) <= 80
    for row, line in zip(table(*gpus), shown[1:], strict=True):
        figures = (row.memory, "100 %  100  1000")
        assert all(figure in line for figure in figures)
        assert line.endswith(row.held_by[row.held_by.rindex(" ", 0, row.held_by.rindex(" +")) :])
