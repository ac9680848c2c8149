"""Lay sentences out in lines of at most 80 columns, by display width: two for a Chinese character."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from colab_magics.units import width

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Sequence

WIDTH = 80

_GAP = "  "
_LEAST_NAME = 8
"""To how many columns a name may be shortened."""


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


def columns(
    rows: Sequence[Sequence[str]], *, left: Container[int], shorten: Sequence[int], most: int = WIDTH
) -> list[str]:
    """Lay cells out in columns as wide as their widest, those in `left` from the left and figures from the right.

    A column that is empty is left out. Where the lines are too long the columns in `shorten` give way, the first of
    them first: what is too long in them is shortened in its middle.
    """
    widths = [max(width(row[column]) for row in rows) for column in range(len(rows[0]))]
    # A column with nothing but its heading tells nothing.
    widths = [size if any(row[column] for row in rows[1:]) else 0 for column, size in enumerate(widths)]
    for column in shorten:
        excess = sum(widths) + len(_GAP) * (sum(map(bool, widths)) - 1) - most
        if excess > 0 and widths[column]:
            widths[column] = max(min(_LEAST_NAME, widths[column]), widths[column] - excess)
    return [
        _GAP.join(
            _padded(shortened(cell, size), size, from_left=column in left)
            for column, (cell, size) in enumerate(zip(row, widths, strict=True))
            if size
        )
        for row in rows
    ]


def shortened(text: str, most: int) -> str:
    """Return text in at most so many columns: what is too long loses its middle.

    >>> shortened("NVIDIA RTX 6000 Ada Generation", 20)
    'NVIDIA RTX…eneration'
    """
    if width(text) <= most:
        return text
    if most < 1:
        return ""
    before, after = text, text
    while width(before) > most // 2:
        before = before[:-1]
    while width(after) > most - 1 - width(before):
        after = after[1:]
    return f"{before}…{after}"


def _padded(cell: str, size: int, *, from_left: bool) -> str:
    space = " " * (size - width(cell))
    return cell + space if from_left else space + cell


def _packed(pieces: Iterable[str], most: int) -> list[str]:
    lines = [""]
    for piece in pieces:
        if width((lines[-1] + piece).rstrip()) <= most:
            lines[-1] += piece
        else:
            lines.append(f"  {piece}")
    return [line.rstrip() for line in lines if line.strip()]
