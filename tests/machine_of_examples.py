"""The machine that the stored outputs of examples/ are of, whatever machine this is: one of Colab's, with a T4.

The kernel that executes an example runs `compose` at its start. Its reports come by the way of every report, and the
driver is asked as ever, a fake one; what would be another figure on every machine, or at every look, is that of
`builders` instead. RAM that the notebook takes is seen to be taken, in large steps; and a cell takes as long as that
machine takes to fill it.
"""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from builders import COLAB, CPU, DISK, GIB, MIB, RAM_IN_FULL, SHARED, TORCH
from colab_magics.cells.meter import Meter
from colab_magics.model import Ram
from colab_magics.model.cells import Cell, PeakMethod
from colab_magics.probes import cpu, disk, frameworks, gpu, platform, ram, tpu

if TYPE_CHECKING:
    from collections.abc import Callable

_STEP_BYTES = 50 * MIB
"""In which what the kernel takes is told: what it takes for itself differs by less from run to run."""

_KERNEL_BYTES = 120 * MIB
_FREE_BYTES = int(11.3 * GIB)
_LEAST_SECONDS = 0.002
_FILLED_BYTES_A_SECOND = GIB


def compose(empty_root: str) -> None:
    """Let this process's reports be of that machine. The folder is empty: nothing on this one's bus is seen."""
    platform.probe_platform = lambda **_: COLAB
    gpu.probe_gpus = partial(gpu.probe_gpus, root=empty_root)
    tpu.probe_tpus = partial(tpu.probe_tpus, root=empty_root)
    frameworks.probe_frameworks = lambda: (TORCH,)
    memory = _Memory()
    ram.probe_ram = memory.look
    ram.resident_bytes = lambda pid: memory.kernel_bytes() if pid == os.getpid() else 0
    disk.probe_disks = lambda: (DISK, SHARED)
    cpu.probe_cpu = lambda: CPU
    Meter.end = _end_there(Meter.end)  # type: ignore[method-assign]


class _Memory:
    """The RAM of that machine, with what this process has taken since the first look."""

    def __init__(self) -> None:
        self._at_first: int | None = None

    def look(self, *, everything: bool) -> Ram:
        taken = self._taken_bytes()
        free = _FREE_BYTES - taken
        return replace(
            RAM_IN_FULL,
            machine=replace(RAM_IN_FULL.machine, used_bytes=RAM_IN_FULL.machine.total_bytes - free),
            available_bytes=free,
            headroom_bytes=free,
            kernel_bytes=_KERNEL_BYTES + taken,
            kernel_proportional_bytes=_KERNEL_BYTES - 5 * MIB + taken if everything else None,
            other_kernels=() if everything else None,
        )

    def kernel_bytes(self) -> int:
        return _KERNEL_BYTES + self._taken_bytes()

    def _taken_bytes(self) -> int:
        now = _resident_bytes()
        if self._at_first is None:
            self._at_first = now
        return _in_steps(now - self._at_first)


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _end_there(end: Callable[..., Cell]) -> Callable[..., Cell]:
    """Return how a measurement ends on that machine."""

    @wraps(end)
    def ended(self: Meter, **said: Any) -> Cell:
        cell = end(self, **said)
        over, kept = map(_in_steps, (cell.ram_over_start_bytes, cell.ram_kept_bytes))
        seconds = _LEAST_SECONDS + over / _FILLED_BYTES_A_SECOND
        return replace(
            cell,
            wall_seconds=seconds,
            cpu_seconds=seconds,
            ram_before_bytes=_KERNEL_BYTES - min(kept, 0),
            ram_after_bytes=_KERNEL_BYTES + max(kept, 0),
            ram_peak_bytes=_KERNEL_BYTES - min(kept, 0) + over,
            peak_method=PeakMethod.RESET,
            peak_error_bytes=MIB // 4,
            largest_child_bytes=None,
            unavailable=(),
        )

    return ended


def _in_steps(taken: int | None) -> int:
    return round((taken or 0) / _STEP_BYTES) * _STEP_BYTES
