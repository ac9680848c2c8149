from __future__ import annotations

import pytest

from builders import A_CELL, GIB, T4_WORK
from colab_magics.model.cells import Cell, Measure, PeakMethod, leaders
from colab_magics.values import replace

CELL = Cell(
    number=3,
    first_line="x = 1",
    wall_seconds=1.0,
    cpu_seconds=0.5,
    ram_before_bytes=100,
    ram_after_bytes=130,
    ram_peak_bytes=180,
    peak_method=PeakMethod.RESET,
    peak_error_bytes=0,
    largest_child_bytes=None,
    failed=False,
    gpus=None,
)


def test_a_peak_counts_from_what_was_there_at_the_start() -> None:
    assert CELL.ram_over_start_bytes == 80
    assert CELL.ram_kept_bytes == 30


def test_what_lets_go_of_memory_keeps_less_than_nothing_and_has_no_peak() -> None:
    cell = replace(CELL, ram_after_bytes=40, ram_peak_bytes=90)

    assert cell.ram_over_start_bytes == 0
    assert cell.ram_kept_bytes == -60


@pytest.mark.parametrize("unknown", ["ram_before_bytes", "ram_peak_bytes"])
def test_a_peak_over_an_unknown_start_is_unknown(unknown: str) -> None:
    assert replace(CELL, **{unknown: None}).ram_over_start_bytes is None


@pytest.mark.parametrize("unknown", ["ram_before_bytes", "ram_after_bytes"])
def test_what_is_kept_of_an_unknown_start_is_unknown(unknown: str) -> None:
    assert replace(CELL, **{unknown: None}).ram_kept_bytes is None


def test_of_several_gpus_that_counts_whose_memory_rose_most() -> None:
    little = replace(T4_WORK, index=1, memory_peak_bytes=2 * GIB)

    assert replace(A_CELL, gpus=(little, T4_WORK)).gpu_over_start_bytes == 10 * GIB
    assert replace(A_CELL, gpus=(replace(T4_WORK, memory_before_bytes=None), little)).gpu_over_start_bytes == GIB
    assert replace(A_CELL, gpus=()).gpu_over_start_bytes is None
    assert replace(A_CELL, gpus=None).gpu_over_start_bytes is None


def test_energy_is_that_of_all_gpus_and_not_known_where_one_does_not_tell() -> None:
    assert replace(A_CELL, gpus=(T4_WORK, T4_WORK)).energy_joules == 1680.0
    assert replace(A_CELL, gpus=(T4_WORK, replace(T4_WORK, energy_joules=None))).energy_joules is None
    assert replace(A_CELL, gpus=()).energy_joules is None


def test_who_leads_is_told_by_each_measure_and_by_none_that_no_cell_has() -> None:
    quick = replace(A_CELL, wall_seconds=1.0, gpus=None)
    long = replace(quick, wall_seconds=2.0, ram_peak_bytes=None, ram_after_bytes=GIB)

    assert leaders((quick, long, quick)) == {Measure.RAM_PEAK: quick, Measure.RAM_KEPT: quick, Measure.TIME: long}
    assert leaders(()) == {}


def test_of_cells_alike_the_earlier_one_leads() -> None:
    first, second = A_CELL, replace(A_CELL, number=8)

    assert {cell.number for cell in leaders((first, second)).values()} == {7}


@pytest.mark.parametrize("measure", Measure)
def test_what_is_not_known_leads_in_nothing(measure: Measure) -> None:
    assert measure.of(replace(A_CELL, wall_seconds=0.0, ram_before_bytes=None, gpus=None)) == 0
