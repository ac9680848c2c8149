"""What a piece of work takes: time, processor time, this process's memory and the largest child's.

Beginning and ending cost less than 0.1 ms together, start no thread, and leave the work alone.
"""

from __future__ import annotations

import sys
import time

from colab_magics.model.cells import Cell, PeakMethod
from colab_magics.probes import peak

if sys.platform != "win32":
    import resource

_MOST_OF_A_LINE = 200
"""So much of a cell's first line is kept."""


class Meter:
    """A measurement that has begun. Any number of them may go on, one within another or overlapping."""

    def __init__(self) -> None:
        """Begin; the clock is read last."""
        self._children_bytes = peak.largest_child_bytes()
        self._span = peak.Span()
        self._cpu_seconds = _cpu_seconds()
        self._began_at = time.perf_counter()

    def end(self, *, number: int | None, first_line: str, failed: bool) -> Cell:
        """Return what was taken since it began; to be called once.

        `number` is the cell's as in `In [3]`, `first_line` what its code begins with, `failed` whether it ended by an
        error.
        """
        wall_seconds = time.perf_counter() - self._began_at
        cpu_seconds = _cpu_seconds() - self._cpu_seconds
        seen = self._span.end()
        unavailable = []
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
            first_line=first_line[:_MOST_OF_A_LINE],
            wall_seconds=wall_seconds,
            cpu_seconds=max(0.0, cpu_seconds),
            ram_before_bytes=seen.before_bytes,
            ram_after_bytes=seen.after_bytes,
            ram_peak_bytes=seen.peak_bytes,
            peak_method=seen.method,
            peak_error_bytes=seen.error_bytes,
            largest_child_bytes=self._largest_child_bytes(),
            failed=failed,
            gpus=None,
            unavailable=tuple(unavailable),
        )

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
