"""What a session of many cells costs with the footer on: memory and time, beside the same session without us.

Two kernels run the same cells in turns, numbered as a user's are. Its own record of cells is bounded: what grows in
both kernels is IPython's history.
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernels import machines, pages
from measured import RESULTS, Pairs, described, keep, ratio, say, stack
from memory_and_bytes import proportional_bytes

if TYPE_CHECKING:
    from kernels import Machines, Page

PACKAGES = ("ipykernel", "ipython", "jupyter_client", "psutil")
CELL = "pass"
PARTS = 10
"""In so many parts of the session the same is measured."""
WITH_US, WITHOUT = "with the footer", "without colab_magics"


def session(on: Machines, number: int) -> list[dict[str, Any]]:
    """Run so many cells in both kernels; return what they take and hold, part by part."""
    with pages(on, [on.without_driver()] * 2) as (ours, floor):
        ours.load("colab_magics")
        ours.run("%config ColabMagics.footer = True")
        at_first = [private_bytes(one) for one in (ours, floor)]
        rows = []
        for part in range(PARTS):
            say(f"part {part + 1} of {PARTS}")
            taken = Pairs([], [])
            for turn in range(number // PARTS):
                both = (ours, floor) if turn % 2 else (floor, ours)
                ms = {one: one.run(CELL, is_numbered=True).ms for one in both}
                taken.add(ms[ours], ms[floor])
            grown = [private_bytes(one) - before for one, before in zip((ours, floor), at_first, strict=True)]
            rows.append(
                {
                    "cells": (part + 1) * (number // PARTS),
                    "time": ratio(taken),
                    "grown_bytes": dict(zip((WITH_US, WITHOUT), grown, strict=True)),
                }
            )
        return rows


def private_bytes(one: Page) -> int:
    """Return what a kernel holds of its own."""
    return int(statistics.median(proportional_bytes(one.pid, "Pss_Anon") for _ in range(3)))


def main() -> None:
    """Measure, and keep the figures; `nox -s docs` shows them."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--cells", type=int, default=10_000, help="how many cells there are (default: 10,000)")
    options.add_argument("--output", type=Path, default=RESULTS / f"many_cells-{stack()}.json")
    given = options.parse_args()
    head = described("many_cells", PACKAGES)
    with machines() as on:
        found = {"runs": 1, "parts": session(on, given.cells)}
    keep(head | found, given.output)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
