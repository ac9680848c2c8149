"""The work of a cell: what it took and what it left, and how it ran out of memory."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from colab_magics.values import Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from colab_magics.model.holders import FrameworkMemory


class PeakMethod(enum.StrEnum):
    """How the greatest memory of a span was measured."""

    RESET = "reset"
    """By the kernel's own record for this process, reset at the start: exact."""
    CGROUP = "cgroup"
    """By the control group's record, reset at the start: what it grew by is exact, but of all processes in it and of
    their files."""
    RECORD = "record"
    """By the record of the process's whole life, which the span has broken: exact."""
    SAMPLED = "sampled"
    """By looks at it in turn: what is short may be missed."""


class GpuWork(Value):
    """What a cell did on a GPU. None: not known, with the reason in `unavailable`."""

    index: int
    """The GPU's number, NVML's."""
    name: str | None
    """The driver's name for it."""
    busy_percent: float | None
    """The share of the time in which something ran there, whoever's it was."""
    busy_source: str | None
    """How that is known: "driver" by the driver's own samples, "sampled" by looks at it in turn."""
    memory_before_bytes: int | None
    """What was used when the cell began."""
    memory_after_bytes: int | None
    """What was used when it had ended."""
    memory_peak_bytes: int | None
    """The most that was used."""
    peak_source: str | None
    """How that is known: "sampled" by looks in turn."""
    energy_joules: float | None
    """What it drew, whoever had it work."""
    slowdown_reasons: tuple[str, ...] | None
    """Why its clocks were held down, at any of the looks: as in `Gpu`."""
    unavailable: tuple[tuple[str, str], ...] = ()
    """(field, reason) for each field that is None because the driver would not tell."""
    memory_total_bytes: int | None = None
    """What there is in all."""

    @property
    def memory_kept_bytes(self) -> int | None:
        """What is used more than when the cell began; less than nothing where there is less."""
        if self.memory_after_bytes is None or self.memory_before_bytes is None:
            return None
        return self.memory_after_bytes - self.memory_before_bytes

    @property
    def memory_over_start_bytes(self) -> int | None:
        """The most that was used beside what was used when the cell began."""
        if self.memory_peak_bytes is None or self.memory_before_bytes is None:
            return None
        return max(0, self.memory_peak_bytes - self.memory_before_bytes)


class Cell(Value):
    """What a cell took. None: not known, with the reason in `unavailable`."""

    number: int | None
    """As in `In [3]`; None where IPython does not count it."""
    first_line: str
    """The beginning of its code, from outside."""
    wall_seconds: float
    """How long it took."""
    cpu_seconds: float
    """The processor time of this process, and of its child processes that ended meanwhile."""
    ram_before_bytes: int | None
    """This process's resident memory when it began."""
    ram_after_bytes: int | None
    """The same when it had ended."""
    ram_peak_bytes: int | None
    """The most of it."""
    peak_method: PeakMethod | None
    """How that was measured."""
    peak_error_bytes: int | None
    """How far it may be off: the system counts in steps, larger ones with more processors. None where the peak is not
    known, or was sampled."""
    largest_child_bytes: int | None
    """The resident memory of the largest child process that ended meanwhile. None where none was larger than those
    before it and than this process ever was (the system counts what this one had when it started the child), or the
    system does not tell."""
    failed: bool
    """Whether it ended by an error."""
    gpus: tuple[GpuWork, ...] | None
    """What it did on the GPUs: empty where there is none, None where nobody could look."""
    unavailable: tuple[tuple[str, str], ...] = ()
    """(field, reason) for each field that is None because it could not be measured."""

    @property
    def ram_over_start_bytes(self) -> int | None:
        """The most that it had beside what was there when it began."""
        if self.ram_peak_bytes is None or self.ram_before_bytes is None:
            return None
        return max(0, self.ram_peak_bytes - self.ram_before_bytes)

    @property
    def ram_kept_bytes(self) -> int | None:
        """What there is more than when it began; less than nothing where it let go of some."""
        if self.ram_after_bytes is None or self.ram_before_bytes is None:
            return None
        return self.ram_after_bytes - self.ram_before_bytes

    @property
    def gpu_over_start_bytes(self) -> int | None:
        """The most memory that was used on one GPU beside what was used there when it began: that GPU's where most."""
        return max((gpu.memory_over_start_bytes for gpu in self.gpus or () if gpu.memory_over_start_bytes is not None),
                   default=None)  # fmt: skip

    @property
    def energy_joules(self) -> float | None:
        """What all GPUs drew; not known where one of them does not tell."""
        drawn = [gpu.energy_joules for gpu in self.gpus or ()]
        known = [joules for joules in drawn if joules is not None]
        return sum(known) if known and len(known) == len(drawn) else None


class Measure(enum.StrEnum):
    """By what cells are compared, in the order in which that is told."""

    RAM_PEAK = "ram_peak"
    """The most RAM beside what was there when it began."""
    RAM_KEPT = "ram_kept"
    """The RAM that was there when it had ended, and not when it began."""
    TIME = "time"
    """How long it took."""
    GPU_MEMORY = "gpu_memory"
    """The most memory of one GPU beside what was used when it began."""
    ENERGY = "energy"
    """What it had the GPUs draw."""

    def of(self, cell: Cell) -> float:
        """Return a cell's figure; 0 where it is not known, or less than nothing: such a cell leads in nothing."""
        return max(0, getattr(cell, _FIELDS[self]) or 0)


_FIELDS = {
    Measure.RAM_PEAK: "ram_over_start_bytes",
    Measure.RAM_KEPT: "ram_kept_bytes",
    Measure.TIME: "wall_seconds",
    Measure.GPU_MEMORY: "gpu_over_start_bytes",
    Measure.ENERGY: "energy_joules",
}


def leaders(cells: Sequence[Cell]) -> dict[Measure, Cell]:
    """Return which cell leads by each measure, the earlier of two that are alike; none by what no cell has."""
    first = ((measure, max(cells, key=measure.of, default=None)) for measure in Measure)
    return {measure: cell for measure, cell in first if cell is not None and measure.of(cell)}


class SessionSums(Value):
    """All cells that were measured in a session, those too that are not remembered one by one."""

    measured: int
    """How many there were."""
    failed: int
    """How many of them ended by an error."""
    remembered: int
    """Of how many the figures are still known."""
    wall_seconds: float
    """How long they took in all."""
    cpu_seconds: float
    """The processor time of all."""
    energy_joules: float | None
    """What they had the GPUs draw, as far as it is known; None where it is not known of any."""


class Memory(enum.StrEnum):
    """Which memory has run out."""

    RAM = "ram"
    """This machine's, or what this process may use of it."""
    GPU = "gpu"
    """A GPU's own."""
    TPU = "tpu"
    """A TPU's own."""


class OutOfMemory(Value):
    """How memory ran out, as an error says it. None: it does not tell."""

    memory: Memory
    """Which one."""
    error: str
    """The error's class, such as "torch.OutOfMemoryError"; from outside."""
    framework: str | None
    """Who asked for it: "torch", "jax", "tensorflow", "cupy"; None for Python and all others."""
    device: int | None
    """The framework's number of the GPU, mostly CUDA's."""
    asked_bytes: int | None
    """What was asked for in vain."""
    array: str | None
    """What was to be made of it, where that is an array: "float64 1000 x 1000"."""
    free_bytes: int | None
    """What was left of it then."""
    total_bytes: int | None
    """All there is of it."""
    frameworks: tuple[FrameworkMemory, ...]
    """What the frameworks had on the GPUs after the error."""
