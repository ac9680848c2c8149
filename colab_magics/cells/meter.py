"""What a piece of work takes: time, processor time, this process's memory and the largest child's, the GPUs' work.

Without the GPUs beginning and ending cost less than 0.1 ms together, start nothing, and leave the work alone.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from colab_magics.model import Unavailable
from colab_magics.model.cells import Cell, PeakMethod
from colab_magics.observer import DEADLINE_SECONDS
from colab_magics.probes import peak

if sys.platform != "win32":
    import resource

if TYPE_CHECKING:
    from colab_magics.model.cells import GpuWork
    from colab_magics.probes.gpu_work import Begun


class Meter:
    """A measurement that has begun. Any number of them may go on, one within another or overlapping."""

    def __init__(self, *, gpus: bool = False, deadline_seconds: float | None = None, root: str = "/") -> None:
        """Begin; the clock is read last.

        With `gpus` the observer's process watches these, and is waited for no longer than `deadline_seconds`; without
        a deadline it may come too late for what was there at the start. Ctrl-C ends the waiting, and flies. `root` is a
        folder that stands for / where GPUs are looked for.
        """
        self._work: Begun | None = None
        if gpus:
            from colab_magics.probes import gpu_work

            self._work = gpu_work.begin(
                with_kernel=not peak.will_be_exact(), deadline_seconds=deadline_seconds, root=root
            )
        self._children_bytes = peak.largest_child_bytes()
        self._span = peak.Span()
        self._cpu_seconds = _cpu_seconds()
        self._began_at = time.perf_counter()

    def drop(self) -> None:
        """Measure no longer: nobody will ask."""
        self._span.end()
        if self._work is not None:
            from colab_magics.probes import gpu_work

            gpu_work.drop(self._work)

    def end(
        self, *, number: int | None, first_line: str, failed: bool, deadline_seconds: float = DEADLINE_SECONDS
    ) -> Cell:
        """Return what was taken since it began; to be called once.

        `number` is the cell's as in `In [3]`, `first_line` what its code begins with, `failed` whether it ended by an
        error. What the GPUs did is waited for no longer than `deadline_seconds`.
        """
        wall_seconds = time.perf_counter() - self._began_at
        cpu_seconds = _cpu_seconds() - self._cpu_seconds
        gpus: tuple[GpuWork, ...] | None = None
        unavailable: list[tuple[str, str]] = []
        if self._work is None:
            seen = self._span.end()
        else:
            seen, gpus, unavailable = self._end_work(self._work, deadline_seconds)
        for field, size in (
            ("ram_before_bytes", seen.before_bytes),
            ("ram_after_bytes", seen.after_bytes),
        ):
            if size is None:
                unavailable.append((field, "unreadable"))
        if seen.peak_bytes is None:
            unavailable.append(("ram_peak_bytes", peak.NO_RECORD))
        elif seen.method is PeakMethod.SAMPLED:
            unavailable.append(("peak_error_bytes", "sampled"))
        return Cell(
            number=number,
            first_line=first_line,
            wall_seconds=wall_seconds,
            cpu_seconds=max(0.0, cpu_seconds),
            ram_before_bytes=seen.before_bytes,
            ram_after_bytes=seen.after_bytes,
            ram_peak_bytes=seen.peak_bytes,
            peak_method=seen.method,
            peak_error_bytes=seen.error_bytes,
            largest_child_bytes=self._largest_child_bytes(),
            failed=failed,
            gpus=gpus,
            unavailable=tuple(unavailable),
        )

    def _end_work(
        self, work: Begun, deadline_seconds: float
    ) -> tuple[peak.Peak, tuple[GpuWork, ...] | None, list[tuple[str, str]]]:
        """Return what was taken of RAM, what the GPUs did, and why that is not known."""
        from colab_magics.probes import gpu_work

        gpu_work.let_end(work)
        exact = self._span.end() if self._span.is_exact else None
        done = gpu_work.end(work, deadline_seconds=deadline_seconds)
        seen = exact or self._span.end(sampled_bytes=done.kernel_peak_bytes)
        if not isinstance(done.gpus, Unavailable):
            return seen, done.gpus, []
        return seen, None, [] if done.gpus.code == "linux_only" else [("gpus", "driver_not_asked")]

    def _largest_child_bytes(self) -> int | None:
        """Return what the largest child had, where that is known to be its own and of this span."""
        now_bytes, greatest_bytes = peak.largest_child_bytes(), peak.greatest_bytes()
        if now_bytes is None or greatest_bytes is None or now_bytes <= max(self._children_bytes or 0, greatest_bytes):
            return None
        return now_bytes


def _cpu_seconds() -> float:
    """Return the processor time of this process and of its child processes that have ended."""
    if sys.platform == "win32":
        return time.process_time()
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime
