"""The machine that the stored outputs of examples/ are of, whatever machine this is: one of Colab's, with a T4.

The kernel that executes an example runs `compose` at its start. Its reports come by the way of every report, and the
driver is asked as ever, a fake one; what would be another figure on every machine, or at every look, is that of
`builders` instead. RAM that the notebook takes is seen to be taken, in large steps.
"""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial
from pathlib import Path

from builders import COLAB, CPU, DISK, GIB, MIB, RAM_IN_FULL, SHARED, TORCH
from colab_magics.model import Ram
from colab_magics.probes import cpu, disk, frameworks, gpu, platform, ram, tpu

_STEP_BYTES = 50 * MIB
"""In which what the kernel takes is told: what it takes for itself differs by less from run to run."""

_KERNEL_BYTES = 120 * MIB
_FREE_BYTES = int(11.3 * GIB)


def compose(empty_root: str) -> None:
    """Let this process's reports be of that machine. The folder is empty: nothing on this one's bus is seen."""
    platform.probe_platform = lambda **_: COLAB
    gpu.probe_gpus = partial(gpu.probe_gpus, root=empty_root)
    tpu.probe_tpus = partial(tpu.probe_tpus, root=empty_root)
    frameworks.probe_frameworks = lambda: (TORCH,)
    ram.probe_ram = _Memory().look
    disk.probe_disks = lambda: (DISK, SHARED)
    cpu.probe_cpu = lambda: CPU


class _Memory:
    """The RAM of that machine, with what this process has taken since the first look."""

    def __init__(self) -> None:
        self._at_first: int | None = None

    def look(self, *, everything: bool) -> Ram:
        now = _resident_bytes()
        if self._at_first is None:
            self._at_first = now
        taken = round((now - self._at_first) / _STEP_BYTES) * _STEP_BYTES
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


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
