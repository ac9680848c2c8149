"""The package's style sheets, as they are sent: read once, and as short as they can be said.

Every report carries its own, of no more than it needs (2.1 KB with a T4 and nothing wrong). One for all reports of a
notebook would stand in the first, and the others would depend on that: Colab's page shows each output in a frame of
its own, which no other's sheet reaches; elsewhere a sheet goes with its output, when that cell is run again, cleared or
deleted; and a cell that is copied, or exported by itself, would have none. Sheets of several reports on one page say
the same of the same things: what a sheet adds to `look.css` must hold wherever that comes again after it, so it is said
of more classes than there.
"""

from __future__ import annotations

import functools
import os

_PACKAGE = os.path.dirname(os.path.dirname(__file__))

LOOK = "views/look.css"
"""What everything is shown with."""

HOLDERS = "views/holders.css"
"""What the tables of who holds memory are shown with, which are no part of a panel."""

CELLS = "views/cells.css"
"""What the table of a session's cells is shown with, which few panels have."""

NODES = "views/nodes.css"
"""What the table of a cluster's machines is shown with, which no panel has."""

ADDED = {
    "views/found.css": ('"cm-found', 'warning"', 'error"', "<a ", '"cm-guide"'),
    "views/gpu_table.css": ('"cm-gpus"',),
    HOLDERS: ('"cm-holders"',),
    CELLS: ('"cm-cells"',),
    NODES: ('"cm-nodes"',),
    "views/details.css": ("<details",),
    "views/goals.css": ('"cm-goals"',),
    "views/guide.css": ('"cm-guide"',),
}
"""What is added to it, each for what has one of these in its HTML: a tag, or a class, whose quotation mark no text has,
since it is escaped there. Later ones may say otherwise than earlier ones."""


def needed(html: str) -> str:
    """Return the style sheet that a piece of HTML needs."""
    return together(LOOK, *(path for path, marks in ADDED.items() if any(mark in html for mark in marks)))


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
    for long, brief in (
        ("; }", "}"),
        (" }", "}"),
        ("} ", "}"),
        (" { ", "{"),
        ("; ", ";"),
        (": ", ":"),
        (", ", ","),
        (" > ", ">"),
        (" !", "!"),
        (" / ", "/"),
    ):
        short = short.replace(long, brief)
    return short
