"""Files of /proc and /sys, read whole: three times as fast as a file object, and a report reads dozens.

Light to import, since the observer's child imports it too. Where there is no /proc every call raises OSError.

Source: proc(5).
"""

import errno
import os

# Larger than most of these files, which therefore come in one piece.
_CHUNK_BYTES = 16_384

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096

# The largest of them lists the mounts, 100 bytes each: beyond this it is no such file.
_MOST_BYTES = 2**26

IMPOSSIBLE_BYTES = 2**60
"""No machine has an exbibyte: a figure from here on is no size."""

_MOST_DIGITS = 19


def read(path: str) -> str:
    """Return what a file holds; raise OSError if it cannot be read, or does not end."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        chunks: list[bytes] = []
        while chunk := os.read(descriptor, _CHUNK_BYTES):
            chunks.append(chunk)
            if len(chunks) * _CHUNK_BYTES > _MOST_BYTES:
                raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), path)
        return os.fsdecode(b"".join(chunks))
    finally:
        os.close(descriptor)


def words(text: str, label: str) -> list[str]:
    """Return the words that follow a label in its line, none if no line begins with it."""
    start = 0 if text.startswith(label) else text.find(f"\n{label}") + 1
    if not start and not text.startswith(label):
        return []
    end = text.find("\n", start)
    return text[start + len(label) : len(text) if end < 0 else end].split()


def size(word: str) -> int | None:
    """Return a number of bytes that can be, None for all else: "max", "-1", "lots"."""
    if not (word.isdecimal() and word.isascii() and len(word) <= _MOST_DIGITS):
        return None
    number = int(word)
    return number if number < IMPOSSIBLE_BYTES else None


def sizes(path: str, *names: str) -> dict[str, int]:
    """Return those of these sizes that a file lists, in bytes; raise OSError if it cannot be read.

    Such files are /proc/meminfo, /proc/PID/status and /proc/PID/smaps_rollup: "MemTotal:  16384 kB".
    """
    text = read(path)
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
        resident, shared = (int(pages) * _PAGE_BYTES for pages in read(path).split()[1:3])
    except ValueError:
        resident, shared = -1, -1
    if not 0 <= shared <= resident < IMPOSSIBLE_BYTES:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), path)
    return resident, shared


def proportional_bytes(pid: int) -> int | None:
    """Return a process's PSS: its own pages, and its share of those it has in common; 15 ms for each GiB.

    None if this system does not tell. Raise OSError if it has ended or may not be read.
    """
    return sizes(f"/proc/{pid}/smaps_rollup", "Pss").get("Pss")
