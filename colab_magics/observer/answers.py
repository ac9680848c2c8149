"""What the child writes, read from its pipe: one line of JSON at a time, within a limit of time and of size.

The child is ours, but not all that runs in it: a driver may have written over its memory, and after an upgrade it may
be of another version than the kernel, which keeps what it has imported. So nothing is believed unchecked: `Nonsense` is
what no child of ours would write. What a line must hold is in `shapes`.
"""

from __future__ import annotations

import json
import os
import select
import time
from collections import deque
from typing import Any

_PIECE_BYTES = 1 << 16
"""As much as a pipe holds."""

_MOST_DIGITS = 1000
_DEEPEST = 8
"""The deepest lists are those within the processes of the slices of a GPU."""
_MOST_UNPAIRED = 1000
"""Brackets in names, which may stand alone; and as deep as Python itself goes unless told otherwise."""

_DIGITS = bytes.maketrans(b"123456789", b"000000000")
_ALL_BUT_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")


class Gone(Exception):  # noqa: N818 - caught in `client`, never seen outside
    """The child has ended."""


class Nonsense(Exception):  # noqa: N818 - as `Gone`
    """The child has written what no child of ours writes; the argument says in a word or two what was wrong."""


class Answers:
    """The lines that come from a pipe, which must not block. Not for several threads at a time."""

    def __init__(self, descriptor: int, *, longest_bytes: int) -> None:
        self._descriptor = descriptor
        self._longest_bytes = longest_bytes
        self._lines: deque[bytes] = deque()
        self._unfinished = bytearray()

    @property
    def held_bytes(self) -> int:
        """How much has been read and not taken yet: at most the longest line and one piece."""
        return len(self._unfinished) + sum(map(len, self._lines))

    def next(self, until: float, *, waits: bool = True) -> dict[str, Any] | None:
        """Return the next line's object, None if it is not there in time, also while more and more of it comes.

        `until` is of the monotonic clock; without `waits` only what has come already is taken. Raise `Gone` where the
        child has ended, `Nonsense` where the line is no JSON object or longer than any.
        """
        # Made anew: where gevent has taken its place, a poll object belongs to the thread that made it.
        waiting = select.poll()
        waiting.register(self._descriptor, select.POLLIN)
        while not self._lines and waiting.poll(max(0.0, until - time.monotonic()) * 1000 if waits else 0):
            self._read()
            if time.monotonic() > until:
                break
        return _object(self._lines.popleft()) if self._lines else None

    def _read(self) -> None:
        piece = os.read(self._descriptor, _PIECE_BYTES)
        if not piece:
            raise Gone
        end, *others = piece.split(b"\n")
        self._unfinished += end
        if len(self._unfinished) > self._longest_bytes:
            raise Nonsense("a line without end")
        if others:
            *whole, begun = others
            self._lines += [bytes(self._unfinished), *whole]
            self._unfinished = bytearray(begun)


def _no_constant(name: str) -> float:
    raise ValueError(name)


_DECODER = json.JSONDecoder(parse_constant=_no_constant)  # by itself it accepts NaN and Infinity, which are no JSON


def _object(line: bytes) -> dict[str, Any]:
    if _is_monstrous(line):
        raise Nonsense("JSON without measure")
    try:
        found = _DECODER.decode(line.decode("ascii"))
    except (ValueError, RecursionError):
        raise Nonsense("not JSON") from None
    if type(found) is not dict:
        raise Nonsense("not an object")
    return found


def _is_monstrous(line: bytes) -> bool:
    """Tell whether Python would read for hours or crash, where a user has lifted its limits of digits or recursion.

    Brackets that stand side by side are taken out, so many times as an answer is deep: of others deeper ones are left.
    """
    if b"0" * _MOST_DIGITS in line.translate(_DIGITS):
        return True
    brackets = line.translate(_DIGITS, delete=_ALL_BUT_BRACKETS)
    for _ in range(_DEEPEST):
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    return len(brackets) > _MOST_UNPAIRED
