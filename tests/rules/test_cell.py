from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from builders import A_CELL, A_SESSION, GIB, MIB, T4_WORK, a_ram, a_snapshot
from colab_magics.model import Subject, Unavailable
from colab_magics.rules import cell, judge

ROOMY = a_ram(100.0, headroom_bytes=40 * GIB)
IDLE = replace(T4_WORK, busy_percent=0.0, memory_peak_bytes=GIB)


def measured(**changes: Any) -> Any:
    return a_snapshot(ram=ROOMY, cells=(replace(A_CELL, **changes),))


@pytest.mark.parametrize(
    ("headroom_gib", "peak_gib", "expected"),
    [
        pytest.param(12, 5.0, False, id="just over a tenth of the limit"),
        pytest.param(12, 5.1, True, id="just under it"),
        pytest.param(12, 30, True, id="more than is left: others have taken it since"),
        pytest.param(9, 3.0, True, id="no peak, but little is left anyway"),
    ],
)
def test_cell_nearly_filled_ram(headroom_gib: float, peak_gib: float, expected: bool) -> None:
    """What was left is what is left now, less what the cell let go of: it ended with 3 GiB."""
    ram = a_ram(100.0, headroom_bytes=headroom_gib * GIB)
    snapshot = a_snapshot(ram=ram, cells=(replace(A_CELL, ram_peak_bytes=int(peak_gib * GIB)),))

    assert (cell.cell_nearly_filled_ram(snapshot) is not None) is expected


@pytest.mark.parametrize("unknown", ["ram_peak_bytes", "ram_after_bytes"])
def test_of_an_unknown_peak_nothing_is_said(unknown: str) -> None:
    assert cell.cell_nearly_filled_ram(a_snapshot(cells=(replace(A_CELL, **{unknown: None}),))) is None


def test_of_a_peak_in_unknown_ram_nothing_is_said() -> None:
    snapshot = a_snapshot(ram=Unavailable(code="unreadable"), cells=(A_CELL,))

    assert cell.cell_nearly_filled_ram(snapshot) is None


@pytest.mark.parametrize(
    ("reasons", "expected"),
    [
        (("thermal_software",), True),
        (("power_cap",), False),
        ((), False),
        (None, False),
    ],
)
def test_cell_was_slowed(reasons: tuple[str, ...] | None, expected: bool) -> None:
    snapshot = measured(gpus=(replace(T4_WORK, slowdown_reasons=reasons),))

    assert (cell.cell_was_slowed(snapshot) is not None) is expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"gpus": (IDLE,)}, True, id="idle"),
        pytest.param({"gpus": (IDLE,), "wall_seconds": 9.9}, False, id="a short cell"),
        pytest.param({"gpus": (replace(IDLE, busy_percent=0.5),)}, False, id="hardly busy"),
        pytest.param({"gpus": (replace(IDLE, busy_percent=None),)}, False, id="not known"),
        pytest.param({"gpus": (replace(IDLE, memory_peak_bytes=GIB + 65 * MIB),)}, False, id="its memory was taken"),
        pytest.param({"gpus": (replace(IDLE, memory_peak_bytes=None),)}, False, id="its memory is not known"),
        pytest.param({"gpus": (IDLE, T4_WORK)}, False, id="another was busy"),
        pytest.param({"gpus": ()}, False, id="no GPU"),
        pytest.param({"gpus": None}, False, id="nobody could look"),
    ],
)
def test_cell_left_gpu_idle(changes: dict[str, Any], expected: bool) -> None:
    assert (cell.cell_left_gpu_idle(measured(**changes)) is not None) is expected


def test_of_several_cells_or_none_nothing_is_said() -> None:
    hot = replace(A_CELL, gpus=(replace(IDLE, slowdown_reasons=("thermal_software",)),))
    little = a_ram(10.0, headroom_bytes=0)
    for cells in (None, (), (hot, hot)):
        assert judge(Subject.CELL, a_snapshot(ram=little, cells=cells)) == ()
    assert len(judge(Subject.CELL, a_snapshot(ram=little, cells=(hot,)))) == 3


def test_of_the_only_cell_of_a_session_nothing_is_said_as_of_one_that_was_measured() -> None:
    little = a_ram(10.0, headroom_bytes=GIB // 2)
    alone = a_snapshot(ram=little, cells=(A_CELL,))

    assert judge(Subject.CELL, alone) != ()
    assert judge(Subject.CELL, replace(alone, session=A_SESSION)) == ()
