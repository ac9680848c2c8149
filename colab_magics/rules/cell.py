"""Rules about a cell that was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics.model import Ram, Severity, Subject
from colab_magics.rules.gpu import HARMFUL_SLOWDOWNS
from colab_magics.rules.rule import rule
from colab_magics.translation import N_

if TYPE_CHECKING:
    from colab_magics.model import Snapshot, Values
    from colab_magics.model.cells import Cell
    from colab_magics.rules.rule import Rule

_LEFT_PERCENT = 10.0
_LONG_SECONDS = 10.0
_GROWN_BYTES = 2**26


@rule(
    Subject.CELL,
    Severity.WARNING,
    N_("At its peak this cell left {left_bytes:size} of {limited_by:limiter} {limit_bytes:size} of RAM."),
    fixable_in_place=True,
)
def cell_nearly_filled_ram(snapshot: Snapshot) -> Values | None:
    """At the peak of a cell less than 10 % of the RAM that this process may use was left: it nearly ended the kernel.

    What was left then is reckoned from what is left now: others may have had more or less.
    """
    cell, ram = _measured(snapshot), snapshot.ram
    if cell is None or cell.ram_peak_bytes is None or cell.ram_after_bytes is None or not isinstance(ram, Ram):
        return None
    left_bytes = max(0, ram.headroom_bytes - (cell.ram_peak_bytes - cell.ram_after_bytes))
    if 100 * left_bytes >= _LEFT_PERCENT * ram.limit_bytes:
        return None
    return ("left_bytes", left_bytes), ("limit_bytes", ram.limit_bytes), ("limited_by", ram.limiter)


@rule(Subject.CELL, Severity.WARNING, N_("GPU {index} was slowed down meanwhile: {cause:slowdown}."))
def cell_was_slowed(snapshot: Snapshot) -> Values | None:
    """Heat or a failing power supply held a GPU's clocks down while a cell ran."""
    cell = _measured(snapshot)
    for gpu in () if cell is None else cell.gpus or ():
        for cause in HARMFUL_SLOWDOWNS:
            if cause in (gpu.slowdown_reasons or ()):
                return ("index", gpu.index), ("cause", cause)
    return None


@rule(Subject.CELL, Severity.INFO, N_("No GPU here did anything in the {wall_seconds:span} that this cell took."))
def cell_left_gpu_idle(snapshot: Snapshot) -> Values | None:
    """A cell ran for ten seconds or more beside a GPU that did nothing meanwhile and took no memory."""
    cell = _measured(snapshot)
    if cell is None or not cell.gpus or cell.wall_seconds < _LONG_SECONDS:
        return None
    if any(gpu.busy_percent != 0 or gpu.memory_over_start_bytes is None for gpu in cell.gpus):
        return None
    if any((gpu.memory_over_start_bytes or 0) > _GROWN_BYTES for gpu in cell.gpus):
        return None
    return (("wall_seconds", cell.wall_seconds),)


def _measured(snapshot: Snapshot) -> Cell | None:
    """Return the cell that a report is about; of a session's cells none is."""
    cells = snapshot.cells or ()
    return cells[0] if len(cells) == 1 and snapshot.session is None else None


RULES: tuple[Rule, ...] = (
    cell_nearly_filled_ram,
    cell_was_slowed,
    cell_left_gpu_idle,
)
