"""For which GPUs an installed build has code, in its own words ("sm_70", "compute_90"), as its own files tell."""

from __future__ import annotations

import functools
import itertools
import os
import re
import stat
from typing import TYPE_CHECKING

from colab_magics import files

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_BYTES = 128 * 2**20
_PIECE_BYTES = 2**20
_OVERLAP_BYTES = 4096
"""Longer than a list of all GPUs there are."""

_WORD = r"(?:sm|compute)_\d{2,3}[af]?"
_BEGINNINGS = (rb"sm_\d", rb"compute_\d")
_MOST_WORDS = 64
"""The most words in a list: there are three dozen GPUs to compile for, of all generations."""
_LIST = rf"({_WORD}(?: {_WORD}){{0,{_MOST_WORDS - 1}}})\0".encode()
_IN_NOTE = r"""["']cuda_compute_capabilities["']\s*[,:]\s*\[([^\]]{0,2000})\]"""


def in_library(path: str) -> tuple[str, ...] | None:
    """Return the list that a library holds as one string; None where it holds none, or several.

    In `torch/lib/libtorch_python.so` it is what torch.cuda.get_arch_list() returns: one such string in each CUDA build
    that was opened (torch 2.0.1 to 2.14.1, 2026-11), none in builds without CUDA.
    """
    try:
        file = os.stat(path)
        if not stat.S_ISREG(file.st_mode) or file.st_size > _MOST_BYTES:
            return None
        return _searched(path, file.st_size, file.st_mtime_ns)
    except (OSError, ValueError):  # ValueError: a null character in it
        return None


def in_note(text: str) -> tuple[str, ...] | None:
    """Return the list in the text of TensorFlow's build_info.py, None where it has none."""
    found = re.search(_IN_NOTE, text)
    return None if found is None else in_words(re.findall(r"""["']([^"']*)["']""", found[1]))


def in_words(told: object) -> tuple[str, ...] | None:
    """Return a list of words as it is, None for anything else than a list of such words."""
    if not isinstance(told, list | tuple) or not 0 < len(told) <= _MOST_WORDS:
        return None
    return tuple(told) if all(isinstance(word, str) and re.fullmatch(_WORD, word, re.ASCII) for word in told) else None


@functools.lru_cache(maxsize=8)
def _searched(path: str, _size: int, _changed_at: int) -> tuple[str, ...] | None:
    """Search a file once, and again when it has changed; of one that grows meanwhile no more than the limit is read."""
    lists: set[bytes] = set()
    tail = b"\0"
    for piece in itertools.islice(files.pieces(path, _PIECE_BYTES), _MOST_BYTES // _PIECE_BYTES + 1):
        searched = tail + piece
        lists.update(_lists(searched))
        if len(lists) > 1:
            return None
        tail = searched[-_OVERLAP_BYTES:]
    return tuple(lists.pop().decode("ascii").split(" ")) if lists else None


def _lists(searched: bytes) -> Iterator[bytes]:
    """Return the lists that begin after the first byte, which is there for what stands before the second.

    Searching for the fixed letters first and then for the rest takes a quarter of the time of one expression for it
    all.
    """
    listed = re.compile(_LIST)
    for beginning in _BEGINNINGS:
        for begins in re.compile(beginning).finditer(searched, 1):
            # Within a text it is no list, and the rest of one that began earlier is not taken for another.
            before = searched[begins.start() - 1]
            found = None if 0x20 <= before <= 0x7E else listed.match(searched, begins.start())  # noqa: PLR2004 - ASCII
            if found:
                yield found[1]
