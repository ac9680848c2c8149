"""What psutil is asked where /proc does not tell; impossible answers are dropped."""

from __future__ import annotations

import psutil

from colab_magics import procfs

PSUTIL_ERRORS = (psutil.Error, OSError, RuntimeError, ValueError, ArithmeticError, LookupError)
"""What psutil raises: its own errors, and whatever it comes to where a file of /proc is missing or holds nonsense."""


def resident_by_psutil(pid: int) -> int | None:
    """Return the resident memory of a process, None where psutil does not tell, or tells what cannot be."""
    try:
        resident_bytes = int(psutil.Process(pid).memory_info().rss)
    except PSUTIL_ERRORS:
        return None
    return resident_bytes if 0 <= resident_bytes < procfs.IMPOSSIBLE_BYTES else None
