"""What psutil is asked where /proc does not tell; impossible answers are dropped.

Imported where it is needed alone: psutil takes longer to load than a report takes, where no kernel has loaded it.
"""

from __future__ import annotations

import psutil

from colab_magics import memory, procfs
from colab_magics.values import Record

ERRORS = (psutil.Error, OSError, RuntimeError, ValueError, ArithmeticError, LookupError)
"""What psutil raises: its own errors, and whatever it comes to where a file of /proc is missing or holds nonsense."""


class Process(Record):
    """A process of this user's."""

    pid: int
    """Its number."""
    command: tuple[str, ...]
    """How it was started."""


def machine() -> memory.Machine:
    """Return the machine's memory; raise one of `ERRORS` where psutil does not tell."""
    seen = psutil.virtual_memory()
    try:
        swap = psutil.swap_memory()
    except ERRORS:
        return memory.Machine(seen.total, seen.available, None)
    return memory.Machine(seen.total, seen.available, swap.used if 0 <= swap.used <= swap.total else None)


def booted_at() -> float | None:
    """Return when the machine booted, in seconds since 1970."""
    try:
        return float(psutil.boot_time())
    except ERRORS:
        return None


def started_at(pid: int) -> float | None:
    """Return when a process started, in seconds since 1970."""
    try:
        return float(psutil.Process(pid).create_time())
    except ERRORS:
        return None


def resident_bytes(pid: int) -> int | None:
    """Return the resident memory of a process."""
    try:
        told_bytes = int(psutil.Process(pid).memory_info().rss)
    except ERRORS:
        return None
    return told_bytes if 0 <= told_bytes < procfs.IMPOSSIBLE_BYTES else None


def proportional_bytes() -> int | None:
    """Return this process's PSS: its own pages and its share of those it has in common with others."""
    try:
        # psutil reads a file without such a line as 0.
        return getattr(psutil.Process().memory_full_info(), "pss", None) or None
    except ERRORS:
        return None


def descendants(pid: int) -> list[int] | None:
    """Return the processes below one."""
    try:
        return [child.pid for child in psutil.Process(pid).children(recursive=True)]
    except ERRORS:
        return None


def processes_of_this_user() -> list[Process] | None:
    """Return the processes of this one's user, without those that end meanwhile or may not be read."""
    try:
        owner = psutil.Process().username()
        told = (_of(owner, process) for process in psutil.process_iter())
        return [process for process in told if process is not None]
    except ERRORS:
        return None


def _of(owner: str, process: psutil.Process) -> Process | None:
    try:
        return Process(process.pid, tuple(process.cmdline())) if process.username() == owner else None
    except ERRORS:
        return None
