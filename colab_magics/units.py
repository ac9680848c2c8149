"""Sizes and spans in figures, the columns a text takes, the one form of a name, and text made safe to print."""

from __future__ import annotations

import re
import unicodedata

GIB = 2**30
MIB = 2**20

_MOST_OF_A_NAME = 128


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


def span(seconds: float) -> tuple[tuple[str, int], ...]:
    """Return a span in its two largest units: d, h, min or s with their whole numbers.

    >>> span(42), span(200), span(7500), span(100_000)
    ((('s', 42),), (('min', 3),), (('h', 2), ('min', 5)), (('d', 1), ('h', 3)))
    """
    minutes, whole_seconds = divmod(int(seconds), 60)
    hours, whole_minutes = divmod(minutes, 60)
    days, whole_hours = divmod(hours, 24)
    if days:
        return ("d", days), ("h", whole_hours)
    if hours:
        return ("h", hours), ("min", whole_minutes)
    return (("min", minutes),) if minutes else (("s", whole_seconds),)


def energy(joules: float) -> str:
    """Return an energy with its unit: J, kJ from ten thousand of these on, MJ from ten million on.

    >>> energy(840.0), energy(12_300.0), energy(3.6e7)
    ('840 J', '12.3 kJ', '36.0 MJ')
    """
    if joules < 10_000:  # noqa: PLR2004 - said above
        return f"{joules:.0f} J"
    return f"{joules / 1e3:.1f} kJ" if joules < 1e7 else f"{joules / 1e6:.1f} MJ"  # noqa: PLR2004 - said above


def width(text: str) -> int:
    """Return how many columns a text takes in a terminal: two for each Chinese, Japanese or Korean character.

    >>> width("GPU"), width("显存")
    (3, 4)
    """
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


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


def excerpt(text: str, most_characters: int = 60) -> str:
    """Return text from outside as a message repeats it: made printable, and cut where it is long.

    >>> excerpt("gpu=" + "A100|" * 100, 12)
    'gpu=A100|A10...'
    """
    shown = printable(text[: most_characters + 1])
    return shown if len(shown) <= most_characters else f"{shown[:most_characters]}..."


def package_name(name: str) -> str:
    """Return a package's name in the one form in which names are compared (PEP 503).

    >>> package_name("Scikit_Learn"), package_name("zope.interface")
    ('scikit-learn', 'zope-interface')
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def name_or_none(value: object) -> str | None:
    """Return what can be shown as a name that somebody else gave, None for all else: 1 to 128 characters of text.

    >>> name_or_none(" v5e-1 "), name_or_none(" "), name_or_none("9" * 5000), name_or_none(5)
    ('v5e-1', None, None, None)
    """
    text = value.strip() if isinstance(value, str) else ""
    return text if 0 < len(text) <= _MOST_OF_A_NAME else None
