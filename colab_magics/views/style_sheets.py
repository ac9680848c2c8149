"""The package's style sheets, as they are sent: read once, and as short as they can be said."""

from __future__ import annotations

import functools
import os

_PACKAGE = os.path.dirname(os.path.dirname(__file__))


@functools.cache
def together(*paths: str) -> str:
    """Return style sheets as one; the paths are those within the package."""
    sheets = []
    for path in paths:
        with open(os.path.join(_PACKAGE, path), encoding="utf-8") as file:
            sheets.append(shortened(file.read()))
    return "".join(sheets)


def shortened(sheet: str) -> str:
    """Return a style sheet without its comments, and without the spaces that only its readers need.

    >>> shortened('/* A note. */ .row, .cell { color: red; margin: 0 1px; content: ": "; }')
    '.row,.cell{color:red;margin:0 1px;content:": "}'
    """
    kept = "".join(part.partition("*/")[2] if number else part for number, part in enumerate(sheet.split("/*")))
    pieces = kept.split('"')
    pieces[::2] = map(_without_spaces, pieces[::2])  # the others are what stands in quotation marks
    return '"'.join(pieces).strip()


def _without_spaces(rules: str) -> str:
    first, last = rules[:1].isspace(), rules[-1:].isspace()
    short = f"{' ' * first}{' '.join(rules.split())}{' ' * last}"
    for long, brief in (("; }", "}"), (" }", "}"), ("} ", "}"), (" { ", "{"), ("; ", ";"), (": ", ":"), (", ", ",")):
        short = short.replace(long, brief)
    return short
