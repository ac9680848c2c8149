"""Tables in Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table. A head that ends in a colon is of a column of figures, which is aligned to the right."""
    lines = [
        _row([head.rstrip(":") for head in heads]),
        _row(["---:" if head.endswith(":") else "---" for head in heads]),
    ]
    return "\n".join([*lines, *(_row([cell.replace("|", r"\|") for cell in row]) for row in rows)]) + "\n"


def plain(text: str) -> str:
    """Return a text from elsewhere as one that Markdown shows as it is."""
    return re.sub(r"([\\`*_<>\[\]])", r"\\\1", " ".join(text.split()))


def code(text: str) -> str:
    """Return a text as code."""
    return f"`{text}`"


def figure(number: float | None) -> str:
    """Return a figure; nothing where it is not known."""
    return "" if number is None else f"{number:g}"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
