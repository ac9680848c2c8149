"""Lay sentences out in lines of at most 80 columns, by display width: two for a Chinese character."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from colab_magics.units import width

if TYPE_CHECKING:
    from collections.abc import Iterable

WIDTH = 80


class Address(str):
    """An address of the facts in place of a sentence: it is never broken, and leads there on a page."""

    __slots__ = ()


@functools.cache
def _pieces() -> tuple[re.Pattern[str], ...]:
    """Return where a line may end, the best places first.

    Between words but not within "14 of 320 W" or brackets; between any words, and between Chinese characters; anywhere.
    Most reports have no line that is too long, and one of these takes milliseconds to compile.
    """
    return (
        re.compile(r"(?:\([^()]*\)|.)+?(?:(?<=,) |(?<!\d) (?!\d)|[，。；：]|$)"),
        re.compile(r"[\u2e80-\uffef] ?|[^\u2e80-\uffef ]+ ?| "),
        re.compile(r"."),
    )


def flow(sentences: Iterable[str], gap: str) -> list[str]:
    """Lay sentences out in lines, a new line where the next would not fit whole."""
    lines: list[str] = []
    for sentence in sentences:
        if lines and width(lines[-1]) + width(gap) + width(sentence) <= WIDTH:
            lines[-1] += gap + sentence
        else:
            lines += broken(sentence)
    return lines


def broken(sentence: str, most: int = WIDTH) -> list[str]:
    """Break a sentence that is too long, so that figures stay together if that is enough."""
    lines = [sentence]
    if width(sentence) <= most:
        return lines
    for piece in _pieces():
        if max(map(width, lines)) > most:
            lines = _packed(piece.findall(sentence), most)
    return lines


def _packed(pieces: Iterable[str], most: int) -> list[str]:
    lines = [""]
    for piece in pieces:
        if width((lines[-1] + piece).rstrip()) <= most:
            lines[-1] += piece
        else:
            lines.append(f"  {piece}")
    return [line.rstrip() for line in lines if line.strip()]
