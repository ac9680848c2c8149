"""Bytes, seconds and percent into words, and text from outside into text that is safe to print."""

from __future__ import annotations

GIB = 2**30
MIB = 2**20


def gib(size_bytes: float) -> str:
    """Return the number of GiB with one decimal and no unit, for texts such as "0.4 of 15.0 GiB".

    >>> gib(16106127360)
    '15.0'
    """
    return f"{size_bytes / GIB:.1f}"


def size(size_bytes: float) -> str:
    """Return a size with its unit: GiB, or MiB below one GiB.

    >>> size(16106127360), size(70 * 2**20)
    ('15.0 GiB', '70 MiB')
    """
    if abs(size_bytes) < GIB:
        return f"{size_bytes / MIB:.0f} MiB"
    return f"{gib(size_bytes)} GiB"


def used_of(used_bytes: float, total_bytes: float) -> str:
    """Return "used of total" in GiB.

    >>> used_of(2**29, 15 * 2**30)
    '0.5 of 15.0 GiB'
    """
    return f"{gib(used_bytes)} of {gib(total_bytes)} GiB"


def duration(seconds: float) -> str:
    """Return a span in its two largest units.

    >>> duration(42), duration(200), duration(7500), duration(100_000)
    ('42 s', '3 min', '2 h 5 min', '1 d 3 h')
    """
    minutes, whole_seconds = divmod(int(seconds), 60)
    hours, whole_minutes = divmod(minutes, 60)
    days, whole_hours = divmod(hours, 24)
    if days:
        return f"{days} d {whole_hours} h"
    if hours:
        return f"{hours} h {whole_minutes} min"
    return f"{minutes} min" if minutes else f"{whole_seconds} s"


def cores(count: float) -> str:
    """Return a number of processor cores; a quota may be a fraction of one.

    >>> cores(2.0), cores(1), cores(1.5)
    ('2 cores', '1 core', '1.5 cores')
    """
    return f"{count:g} {'core' if count == 1 else 'cores'}"


def printable(text: str) -> str:
    r"""Return text from outside with every character that could steer a terminal or hide itself spelt out.

    Control characters, invisible formatting (right-to-left overrides among them), lone surrogates and line separators
    become escapes such as ``\x1b``; letters of every language stay.

    >>> printable("Tesla\x1b[31m T4")
    'Tesla\\x1b[31m T4'
    """
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )
