from __future__ import annotations

import pytest

from colab_magics.model.cells import Cell, PeakMethod
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
