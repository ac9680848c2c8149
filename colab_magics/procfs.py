"""What files of /proc and /sys say: their words, sizes and the memory of processes.

Light to import, since the observer's child imports it too. Where there is no /proc what reads raises OSError.

Source: proc(5).
"""

import errno
import os

from colab_magics import files

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100

_START = 19
"""Where /proc/PID/stat tells when a process started, counted from the state on."""

IMPOSSIBLE_BYTES = 2**60
"""No machine has an exbibyte: a figure of this size or more is not believed."""

_MOST_DIGITS = 19


def words(text: str, label: str) -> list[str]:
    """Return the words that follow a label in its line, none if no line begins with it."""
    start = 0 if text.startswith(label) else text.find(f"\n{label}") + 1
    if not start and not text.startswith(label):
        return []
    end = text.find("\n", start)
    return text[start + len(label) : len(text) if end < 0 else end].split()


def size(word: str) -> int | None:
    """Return a possible number of bytes, None for everything else: "max", "-1", "lots"."""
    if not (word.isdecimal() and word.isascii() and len(word) <= _MOST_DIGITS):
        return None
    number = int(word)
    return number if number < IMPOSSIBLE_BYTES else None


def sizes(path: str, *names: str) -> dict[str, int]:
    """Return those of these sizes that a file lists, in bytes; raise OSError if it cannot be read.

    Such files are /proc/meminfo, /proc/PID/status and /proc/PID/smaps_rollup: "MemTotal:  16384 kB".
    """
    text = files.read(path)
    found = {}
    for name in names:
        told = words(text, f"{name}:")
        kilobytes = size(told[0]) if told[1:] == ["kB"] else None
        if kilobytes is not None and kilobytes < IMPOSSIBLE_BYTES // 1024:
            found[name] = kilobytes * 1024
    return found


def resident_bytes(pid: int) -> tuple[int, int]:
    """Return the resident memory of a process, and what of it are files and shared memory.

    Raise OSError if it has ended, may not be read, or tells what cannot be.
    """
    path = f"/proc/{pid}/statm"
    try:
        resident, shared = (int(pages) * _PAGE_BYTES for pages in files.read(path).split()[1:3])
    except ValueError:
        resident, shared = -1, -1
    if not 0 <= shared <= resident < IMPOSSIBLE_BYTES:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), path)
    return resident, shared


def started_seconds(pid: int) -> float:
    """Return how long after the machine's boot a process started, as CLOCK_BOOTTIME counts.

    Raise OSError if it has ended, may not be read, or tells what cannot be.
    """
    path = f"/proc/{pid}/stat"
    fields = files.read(path).rpartition(")")[2].split()
    ticks = size(fields[_START]) if len(fields) > _START else None
    if ticks is None:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), path)
    return ticks / _TICKS_PER_SECOND


def proportional_bytes(pid: int) -> int | None:
    """Return a process's PSS: its own pages, and its share of those it has in common; 15 ms for each GiB.

    None if this system does not tell. Raise OSError if it has ended or may not be read.
    """
    return sizes(f"/proc/{pid}/smaps_rollup", "Pss").get("Pss")
