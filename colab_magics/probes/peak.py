"""The greatest resident memory of this process over a span, short peaks included.

The kernel keeps a record (VmHWM), which whoever owns the process may reset: exact, and in no one's way. Where that is
refused there are the record of the process's whole life, the control group's own, and samples, each worth less.

No descriptor is kept on what is written to: its number may be another file's after a fork, or after the user's code has
closed it.

Sources: proc_pid_clear_refs(5), proc_pid_status(5), getrusage(2); the kernel's admin-guide/cgroup-v2.rst (memory.peak),
fs/proc/task_mmu.c, include/linux/percpu_counter.h, lib/percpu_counter.c, mm/memcontrol.c, fs/exec.c.
"""

from __future__ import annotations

import os
import sys
import threading
from functools import cache
from weakref import WeakSet

from colab_magics import cgroup, procfs
from colab_magics.model.cells import PeakMethod
from colab_magics.values import Record

if sys.platform != "win32":
    import resource

NO_RECORD = "no_peak_record"
"""The reason why a peak is not known: nothing here keeps one that can be reset, and nobody sampled."""

_RESET_PEAK = b"5"
_STATUS = "/proc/self/status"
_RESIDENT = _NOW, _MOST = "VmRSS", "VmHWM"
_CLEAR_REFS = "/proc/self/clear_refs"
_THREADS = "/proc/self/task"
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096

_LEAST_BATCH_PAGES = 32
"""So many pages, or two for each processor, a processor counts by itself before it tells the rest (percpu_counter.c,
since Linux 6.2)."""

_THREAD_PAGES = 64
"""The same of each thread before that (TASK_RSS_EVENTS_THRESH)."""

_GROUP_PAGES = 64
"""What a control group is charged for ahead on each processor (MEMCG_CHARGE_BATCH)."""

_COUNTS_BY_PROCESSOR = (6, 2)

_lock = threading.Lock()
_open: WeakSet[Span] = WeakSet()
"""The spans that are being measured: whoever resets the record first notes it in all of them."""

_greatest_bytes = 0


class Peak(Record):
    """This process's resident memory over a span. None: not known."""

    before_bytes: int | None
    after_bytes: int | None
    peak_bytes: int | None
    method: PeakMethod | None
    """How the peak was measured."""
    error_bytes: int | None
    """How far it may be off; None where that cannot be told."""


class Span:
    """A span that has begun. Spans may lie within one another or overlap, in any threads."""

    def __init__(self, *, root: str = "/") -> None:
        """Begin one; `root` is a folder that stands for /."""
        self._root = root.rstrip("/")
        self._pid = os.getpid()
        self._noted_bytes = 0
        self._group: _GroupRecord | None = None
        with _lock:
            self._record_bytes = _note_greatest()
            self._is_reset = self._reset()
            self._before_bytes = _resident_bytes(self._pid)
            if self._is_reset:
                _open.add(self)
        if not self._is_reset:
            self._group = _GroupRecord.begun(self._root)

    @property
    def is_exact(self) -> bool:
        """Whether the peak will be the kernel's own record, so that nobody need sample it."""
        return self._is_reset

    def end(self, *, sampled_bytes: int | None = None) -> Peak:
        """Return what it took; `sampled_bytes` is the most that somebody saw who looked in turn, if anybody did.

        In a process that was forked meanwhile nothing is known: the span is its parent's.
        """
        if os.getpid() != self._pid:
            return Peak(None, None, None, None, None)
        with _lock:
            _open.discard(self)
            record_bytes = _note_greatest()
            status = _status(self._root)
        after_bytes = status[_NOW] if _NOW in status else _resident_bytes(self._pid)
        known = [size for size in (self._before_bytes, after_bytes) if size is not None]
        grown_bytes = None if self._group is None else self._group.end()

        def told(method: PeakMethod, peak_bytes: int, error_bytes: int | None) -> Peak:
            return Peak(
                before_bytes=self._before_bytes,
                after_bytes=after_bytes,
                peak_bytes=max([peak_bytes, *known]),
                method=method,
                error_bytes=error_bytes,
            )

        if self._is_reset and _MOST in status:
            return told(PeakMethod.RESET, max(self._noted_bytes, status[_MOST]), _error_bytes())
        if record_bytes > self._record_bytes and not self._is_reset:
            return told(PeakMethod.RECORD, record_bytes, _error_bytes())
        if grown_bytes is not None and self._before_bytes is not None:
            return told(PeakMethod.CGROUP, self._before_bytes + grown_bytes, _GROUP_PAGES * _processors() * _PAGE_BYTES)
        if sampled_bytes is not None:
            return told(PeakMethod.SAMPLED, sampled_bytes, None)
        return Peak(self._before_bytes, after_bytes, None, None, None)

    def _reset(self) -> bool:
        """Reset the kernel's record, with what it says noted in every span that still needs it."""
        if not sys.platform.startswith("linux"):
            return False
        if _open:
            peak_bytes = _status(self._root).get(_MOST, 0)
            for span in _open:
                span._noted_bytes = max(span._noted_bytes, peak_bytes)  # noqa: SLF001 - another of this class
        return _written(f"{self._root}{_CLEAR_REFS}", _RESET_PEAK)


def will_be_exact() -> bool:
    """Tell whether spans are exact here: see `Span.is_exact`."""
    span = Span()
    span.end()
    return span.is_exact


def greatest_bytes() -> int | None:
    """Return the most that this process ever had resident, whatever was reset; None where the system does not tell.

    It counts what the process was before it became this program, too, so it is a bound from above.
    """
    with _lock:
        return _note_greatest() or None


def largest_child_bytes() -> int | None:
    """Return the resident memory of the largest child process that has ended; None where the system does not tell.

    The kernel counts for a child the most that this process had when it started it: a child is known to have been
    larger alone.
    """
    return None if sys.platform == "win32" else _maxrss_bytes(resource.RUSAGE_CHILDREN)


class _GroupRecord:
    """The record of the control group that this process is in, reset for one open file alone (Linux 6.12)."""

    def __init__(self, descriptor: int, begun_bytes: int) -> None:
        self._descriptor = descriptor
        self._identity = _identity(descriptor)
        self._begun_bytes = begun_bytes

    @classmethod
    def begun(cls, root: str) -> _GroupRecord | None:
        """Reset it; None where there is none, or it cannot be reset."""
        path = cgroup.peak_file(root)
        if path is None:
            return None
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            os.write(descriptor, b"reset\n")
            begun_bytes = _size_in(descriptor)
        except OSError:  # EINVAL before Linux 6.12
            begun_bytes = None
        if begun_bytes is None:
            os.close(descriptor)
            return None
        return cls(descriptor, begun_bytes)

    def end(self) -> int | None:
        """Return the most that the group has grown by; None where the user's code has closed the file."""
        try:
            if _identity(self._descriptor) != self._identity:
                return None
            peak_bytes = _size_in(self._descriptor)
            os.close(self._descriptor)
        except OSError:
            return None
        return None if peak_bytes is None else max(0, peak_bytes - self._begun_bytes)


def _identity(descriptor: int) -> tuple[int, int]:
    told = os.fstat(descriptor)
    return told.st_dev, told.st_ino


def _size_in(descriptor: int) -> int | None:
    return procfs.size(os.pread(descriptor, 64, 0).decode("ascii", "replace").strip())


def _status(root: str) -> dict[str, int]:
    """Return what the kernel tells of this process's memory, in bytes, by its names for it."""
    try:
        return procfs.sizes(f"{root}{_STATUS}", *_RESIDENT)
    except OSError:
        return {}


def _resident_bytes(pid: int) -> int | None:
    try:
        return procfs.resident_bytes(pid)[0]
    except OSError:  # this system has no /proc
        from colab_magics.probes import by_psutil

        return by_psutil.resident_bytes(pid)


def _written(path: str, content: bytes) -> bool:
    """Write to a file that is there; tell whether that was allowed."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return os.write(descriptor, content) == len(content)
    except OSError:
        return False
    finally:
        os.close(descriptor)


def _note_greatest() -> int:
    """Return the most that this process ever had resident, 0 where the system does not tell; the lock is held."""
    global _greatest_bytes  # noqa: PLW0603 - a record of the process's, not of one caller's
    if sys.platform != "win32":
        _greatest_bytes = max(_greatest_bytes, _maxrss_bytes(resource.RUSAGE_SELF))
    return _greatest_bytes


def _maxrss_bytes(who: int) -> int:
    told = resource.getrusage(who).ru_maxrss
    return told if sys.platform == "darwin" else told * 1024


def _error_bytes() -> int | None:
    """Return how far the kernel's figure for resident memory may be off: it is counted in pieces, and told in lots.

    None where nothing is known of that.
    """
    if not sys.platform.startswith("linux"):
        return None
    if _linux_version() >= _COUNTS_BY_PROCESSOR:
        pages = _processors() * max(_LEAST_BATCH_PAGES, 2 * _processors())
    else:
        pages = _THREAD_PAGES * _threads()
    return pages * _PAGE_BYTES


def _threads() -> int:
    try:
        return len(os.listdir(_THREADS))
    except OSError:
        return 1


@cache
def _processors() -> int:
    return max(1, os.sysconf("SC_NPROCESSORS_ONLN"))


@cache
def _linux_version() -> tuple[int, ...]:
    """Return the first two numbers of the kernel's release, as (6, 1); (0, 0) where they cannot be read."""
    numbers = os.uname().release.split(".")[:2]
    return tuple(int(number) if number.isdecimal() else 0 for number in numbers)


def _forget_spans() -> None:
    """Let go of what belongs to the process that this one was forked from; its lock may have been held."""
    global _lock  # noqa: PLW0603 - as above
    _lock = threading.Lock()
    _open.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_spans)
