from __future__ import annotations

import tracemalloc
from typing import Any

import pytest

from builders import A_CELL, GIB, MIB, T4_WORK
from colab_magics.cells import session as module
from colab_magics.cells.session import LARGEST, LAST, Session, first_line
from colab_magics.model.cells import Cell
from colab_magics.values import replace

PLAIN = replace(
    A_CELL, ram_peak_bytes=2 * GIB + MIB, ram_after_bytes=2 * GIB, wall_seconds=0.1, cpu_seconds=0.1, gpus=()
)


def of(*cells: Cell) -> Session:
    session = Session()
    for cell in cells:
        session.remember(cell)
    return session


def peaking(number: int, mib: int, **changes: Any) -> Cell:
    return replace(PLAIN, number=number, ram_peak_bytes=2 * GIB + mib * MIB, **changes)


def numbers(cells: tuple[Cell, ...]) -> list[int | None]:
    return [cell.number for cell in cells]


def test_the_highest_peaks_come_first() -> None:
    session = of(peaking(1, 5), peaking(2, 50), peaking(3, 20))

    assert numbers(session.most(2)) == [2, 3]
    assert numbers(session.most(None)) == [2, 3, 1]


def test_who_leads_by_another_measure_is_there_too() -> None:
    longest = peaking(1, 1, wall_seconds=9.0)
    keeper = peaking(2, 2, ram_after_bytes=3 * GIB)
    on_gpu = peaking(3, 3, gpus=(T4_WORK,))

    assert numbers(of(longest, keeper, on_gpu, peaking(4, 50), peaking(5, 40)).most(1)) == [4, 2, 1, 3]


def test_cells_without_a_peak_are_ordered_by_what_else_they_took() -> None:
    without = [replace(peaking(number, 0), ram_peak_bytes=None, wall_seconds=number) for number in (1, 3, 2)]

    assert numbers(of(*without).most(None)) == [3, 2, 1]


def test_sums_are_exact_over_ten_thousand_cells() -> None:
    session = Session()
    for number in range(10_000):
        session.remember(replace(PLAIN, number=number, failed=number % 100 == 0, gpus=(T4_WORK,)))
    sums = session.sums

    assert (sums.measured, sums.failed) == (10_000, 100)
    assert sums.wall_seconds == sums.cpu_seconds == 1000.0  # tenths added one by one make 1000.0000000001588
    assert sums.energy_joules == 8_400_000.0


def test_what_no_cell_drew_is_not_known() -> None:
    assert of(PLAIN, PLAIN).sums.energy_joules is None


def test_the_largest_by_any_measure_outlive_the_last_thousand() -> None:
    session = of(
        peaking(1, 900),
        peaking(2, 2, wall_seconds=99.0),
        peaking(3, 2, ram_after_bytes=3 * GIB),
        peaking(4, 2, gpus=(T4_WORK,)),
    )
    for number in range(5, 3_000):
        session.remember(peaking(number, 1))

    assert {1, 2, 3, 4} <= {*numbers(session.cells)}
    assert numbers(session.most(1)) == [1, 3, 2, 4]


def test_what_was_small_and_long_ago_is_forgotten_and_counted() -> None:
    session = Session()
    for number in range(1, 3_001):
        session.remember(peaking(number, 1))
    sums = session.sums

    assert sums.measured == 3_000
    assert LAST <= sums.remembered == len(session.cells) <= LAST + 5 * LARGEST
    assert {*range(2_001, 3_001)} <= {*numbers(session.cells)}


def test_a_cell_that_leads_by_several_measures_is_there_once() -> None:
    session = of(replace(A_CELL, number=1))
    for number in range(2, LAST + 5):
        session.remember(peaking(number, 1))

    assert numbers(session.cells).count(1) == 1
    assert numbers(session.most(None)).count(1) == 1


def test_its_memory_does_not_grow() -> None:
    """From the fifth thousand cells on it takes what it took."""
    session = Session()

    def remember(first: int) -> int:
        for number in range(first, first + 5_000):
            session.remember(peaking(number, number % 977, first_line=f"x = {number}", gpus=(T4_WORK,)))
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        after_five, after_ten = remember(1), remember(5_001)
    finally:
        tracemalloc.stop()

    assert after_ten - after_five < 50_000
    assert after_ten < 2_000_000


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("x = 1\ny = 2", "x = 1"),
        ("\n\n   x = 1", "x = 1"),
        ("# Train\nmodel.fit(x)", "model.fit(x)"),
        ("%%time\nmodel.fit(x)", "model.fit(x)"),
        ("%%bash", "%%bash"),
        ("# nothing but this", "# nothing but this"),
        ("%%runtime_status\n# nothing but this", "# nothing but this"),
        ("%matplotlib inline\nx", "%matplotlib inline"),
        ("", ""),
        ("token = 'secret" + "s" * 100, "token = 'secret" + "s" * 45),
    ],
)
def test_a_cell_is_known_by_its_first_line_of_code(code: str, expected: str) -> None:
    assert first_line(code) == expected


def test_a_long_cell_is_not_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_LOOKED_AT", 20)

    assert first_line("#" * 30 + "\nx = 1") == "#" * 20
