"""What the processes below this one hold, with what they share counted once.

The resident memory of each counts in each what they share: a worker that was forked seems to hold all that the kernel
holds. PSS tells it apart, but takes 7 ms (in huge pages) to 14 ms (in small ones) for each GiB (measured 2026-11).

Source: proc(5).
"""

from __future__ import annotations

import os
import time
from collections import defaultdict

from colab_magics import files, procfs
from colab_magics.values import Record

_FEW_BYTES = 2**29
_FEW = 10
"""How much may be counted more than once before PSS is read: half a GiB, or a tenth of what may be used where that is
less, or a tenth of all that is held."""

_SECONDS_PER_BYTE = 0.015 / 2**30
_SECONDS = 0.03
_SECONDS_OF_EVERYTHING = 1.0
"""How long reading PSS may take."""
_LATE = 3
"""It is given up where it would take this many times as long. The time is estimated, so that the answer is the same
each time."""

_LARGEST_PID = 2**22
"""PID_MAX_LIMIT of the kernel's include/linux/threads.h."""

_START_OF_STACK = 25
"""Its place in /proc/PID/stat, counted from the state on. Each program that is started has another; a forked process
has its parent's."""


class Children(Record):
    """What is known of the processes below this one."""

    held_bytes: int | None
    """What they hold beside this process."""
    why_unknown: str | None = None
    """A key of `views.messages.FIELD_REASONS`, where a reason is known."""


class _Held(Record):
    resident_bytes: int
    shared_bytes: int
    """Of these, files and shared memory."""


def look(
    kernel_bytes: int | None, *, capacity_bytes: int, most_bytes: int, but: int | None, everything: bool
) -> Children:
    """Look at all processes below this one, but for one of a number.

    `kernel_bytes` is what this one holds. They cannot hold more than `most_bytes` together. `everything` allows for a
    second.
    """
    ours = os.getpid()
    pids = _descendants(ours)
    if pids is None:
        return Children(None)
    held = {pid: seen for pid in pids if pid != but and (seen := _held(pid)) is not None}
    children_bytes = sum(one.resident_bytes for one in held.values())
    all_bytes = children_bytes + (kernel_bytes or 0)
    few_bytes = min(_FEW_BYTES, capacity_bytes // _FEW)
    if not held or all_bytes <= min(few_bytes, most_bytes):
        return Children(children_bytes)
    kernel = None if kernel_bytes is None else _held(ours)
    family = held if kernel is None else {ours: kernel, **held}
    if all_bytes <= most_bytes and _perhaps_counted_twice(family) <= max(few_bytes, all_bytes // _FEW):
        return Children(children_bytes)
    together_bytes = _together_bytes(family, _SECONDS_OF_EVERYTHING if everything else _SECONDS)
    if together_bytes is None:
        return Children(None, "counted_twice")
    return Children(max(0, together_bytes - (0 if kernel is None else kernel.resident_bytes)))


def _descendants(pid: int) -> list[int] | None:
    try:
        return _below(pid)
    except (OSError, ValueError):  # no /proc/PID/task/TID/children: another system, or a kernel built without it
        from colab_magics.probes import by_psutil

        return by_psutil.descendants(pid)


def _below(pid: int) -> list[int]:
    found = dict.fromkeys(_directly_below(pid))
    waiting = list(found)
    while waiting:
        try:
            children = _directly_below(waiting.pop())
        except (OSError, ValueError):  # it has ended meanwhile
            continue
        waiting += (child for child in children if child not in found)
        found.update(dict.fromkeys(children))
    return [child for child in found if child != pid]


def _directly_below(pid: int) -> list[int]:
    threads = os.listdir(f"/proc/{pid}/task")
    told = " ".join(files.read(f"/proc/{pid}/task/{thread}/children") for thread in threads)
    found = [procfs.size(word) or 0 for word in told.split()]
    if not all(0 < child <= _LARGEST_PID for child in found):
        raise ValueError(told)
    return found


def _held(pid: int) -> _Held | None:
    """Return what a process holds, None if it has ended or may not be read."""
    try:
        return _Held(*procfs.resident_bytes(pid))
    except OSError:  # it has ended, or this system has no /proc
        pass
    from colab_magics.probes import by_psutil

    resident_bytes = by_psutil.resident_bytes(pid)
    return None if resident_bytes is None else _Held(resident_bytes, 0)


def _perhaps_counted_twice(family: dict[int, _Held]) -> int:
    """Return how much may be counted more than once.

    Any two may have files and shared memory in common; all else only those of which one was forked from the other.
    """
    own_bytes: defaultdict[str, list[int]] = defaultdict(list)
    for pid, held in family.items():
        own_bytes[_start_of_stack(pid)].append(held.resident_bytes - held.shared_bytes)
    shared_bytes = [held.shared_bytes for held in family.values()]
    return sum(sum(sizes) - max(sizes) for sizes in (*own_bytes.values(), shared_bytes))


def _start_of_stack(pid: int) -> str:
    try:
        return files.read(f"/proc/{pid}/stat").rpartition(")")[2].split()[_START_OF_STACK]
    except (OSError, IndexError):
        return ""  # unknown, so it may be that of another process whose own is unknown too


def _together_bytes(family: dict[int, _Held], seconds: float) -> int | None:
    """Return what these processes hold together, what is shared counted once; None if that takes longer."""
    if sum(held.resident_bytes for held in family.values()) * _SECONDS_PER_BYTE > seconds:
        return None
    ends_at = time.perf_counter() + _LATE * seconds
    together_bytes = 0
    for pid in family:
        try:
            share_bytes = procfs.proportional_bytes(pid)
        except OSError:  # it has ended meanwhile, or may not be read
            share_bytes = None if os.path.exists(f"/proc/{pid}/statm") else 0
        if share_bytes is None or time.perf_counter() > ends_at:
            return None
        together_bytes += share_bytes
    return together_bytes
