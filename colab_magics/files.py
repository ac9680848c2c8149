"""Files that are not ours, read without harm: only regular ones, never waited for, and no more than a cap of each.

A folder that somebody else wrote may hold a link to /dev/zero, a FIFO or a file of any size under a name that we read.
Light to import, since the observer's child imports it too. It opens files by their descriptors: three times as fast as
a file object, and a report reads dozens.

Sources: open(2), fifo(7), proc(5).
"""

import errno
import os
import stat

TYPE_CHECKING = False  # typing itself is slow to load
if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_BYTES = 2**26
"""The largest that is read whole is the list of mounts, 100 bytes each: beyond this it is no such file."""

# Larger than most of these files, which therefore come in one piece.
_PIECE_BYTES = 16_384

_OF_THE_KERNEL = ("/proc/", "/sys/")

# O_NONBLOCK: opening a FIFO would wait for its other end. O_NOCTTY: a terminal could become this process's controlling
# terminal.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)


def read(path: str, most_bytes: int = MOST_BYTES) -> str:
    """Return what a file holds, with U+FFFD for what is not UTF-8.

    Raise OSError where it cannot be read, is no regular file, or holds more than `most_bytes`.
    """
    return _content(path, most_bytes, is_cut=False).decode("utf-8", "replace")


def read_bytes(path: str, most_bytes: int = MOST_BYTES) -> bytes:
    """Return what a file holds as it is; raise OSError as `read` does."""
    return _content(path, most_bytes, is_cut=False)


def read_beginning(path: str, most_bytes: int) -> str:
    """Return what a file holds, or the first `most_bytes` of it; raise OSError where `read` does for another reason."""
    return _content(path, most_bytes, is_cut=True).decode("utf-8", "replace")


def pieces(path: str, piece_bytes: int) -> "Iterator[bytes]":
    """Give what a file holds, piece by piece, so that the caller may stop; raise OSError as `read` does.

    It is read, not mapped: where a mapped file is cut short meanwhile, or its drive fails, the process dies.
    """
    descriptor = _opened(path)
    try:
        while piece := os.read(descriptor, piece_bytes):
            yield piece
    finally:
        os.close(descriptor)


def _content(path: str, most_bytes: int, *, is_cut: bool) -> bytes:
    descriptor = _opened(path)
    try:
        content = os.read(descriptor, _PIECE_BYTES)
        # A file of /proc can come in several pieces, each shorter than what was asked for.
        if content and (chunk := os.read(descriptor, _PIECE_BYTES)):
            chunks, length = [content], len(content)
            while chunk and length <= most_bytes:
                chunks.append(chunk)
                length += len(chunk)
                chunk = os.read(descriptor, _PIECE_BYTES)
            content = b"".join(chunks)
    finally:
        os.close(descriptor)
    if len(content) <= most_bytes:
        return content
    if is_cut:
        return content[:most_bytes]
    raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), path)


def _opened(path: str) -> int:
    descriptor = os.open(path, _FLAGS)
    # The kernel makes everything in these folders: nothing there blocks or is a device, and checking would take a
    # third of the time of the read.
    if path.startswith(_OF_THE_KERNEL) or stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise OSError(errno.EINVAL, "not a regular file", path)
