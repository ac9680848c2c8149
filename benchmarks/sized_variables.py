"""How large variables are said to be, and what that takes: colab_magics beside sys.getsizeof, pympler and objsize.

Each namespace is made and sized in a process of its own; the truth is what its making has allocated, by tracemalloc.
In kernels, `%ram_info -v` meets more and more variables.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sized_variables_child as child
from kernels import Machines, machines, page
from measured import RESULTS, described, keep, rounded, say, stack

if TYPE_CHECKING:
    from collections.abc import Sequence

PACKAGES = ("ipykernel", "ipython", "numpy", "objsize", "pandas", "psutil", "pympler")
CHILD = Path(child.__file__)
TRUTH = "truth"

NUMBERS = (1_000, 10_000, 100_000, 1_000_000)
"""Of variables, in a kernel that is asked for the largest."""
IN_A_KERNEL = 5
MAGICS = ("%ram_info", "%ram_info -v")

# Beside others ------------------------------------------------------------------------------------------------------


def sized(on: Machines, case: str, runs: int) -> dict[str, Any]:
    """Let everybody size one namespace so many times."""
    true_bytes = asked(on, TRUTH, case)["size_bytes"]
    return {
        "case": case,
        "true_bytes": true_bytes,
        "sizers": [{"sizer": sizer, **of_one(on, sizer, case, runs)} for sizer in child.SIZERS],
    }


def of_one(on: Machines, sizer: str, case: str, runs: int) -> dict[str, Any]:
    """Return what one says of a namespace, what that takes, and what it leaves behind; or by what error it fails."""
    told = [asked(on, sizer, case) for _ in range(runs)]
    if failed := [one["failed"] for one in told if "failed" in one]:
        return {"failed": failed[0]}
    return {
        "ms": [rounded(figure) for figure in spread([one["ms"] for one in told])],
        "size_bytes": int(statistics.median(one["size_bytes"] for one in told)),
        "is_at_least": any(one["is_at_least"] for one in told),
        "left_bytes": int(statistics.median(one["left_bytes"] for one in told)),
    }


def spread(figures: Sequence[float]) -> tuple[float, float, float]:
    """Return the median, the least and the greatest."""
    return statistics.median(figures), min(figures), max(figures)


def asked(on: Machines, sizer: str, case: str) -> dict[str, Any]:
    """Return what a process of its own answers."""
    command = [sys.executable, str(CHILD), sizer, case]
    ran = subprocess.run(command, env=on.without_driver(), cwd=on.cells, capture_output=True, text=True, check=False)
    if ran.returncode:
        return {"failed": ran.stderr.strip().splitlines()[-1]}
    answer: dict[str, Any] = json.loads(ran.stdout)
    return answer


# With more and more variables ---------------------------------------------------------------------------------------


def growth(on: Machines, number: int) -> dict[str, Any]:
    """Ask a kernel with so many variables for a report, without the largest of them and with."""
    with page(on, on.without_driver()) as one:
        one.load("colab_magics")
        one.run(f"globals().update({{f'x{{index}}': index + 0.5 for index in range({number})}})")
        row: dict[str, Any] = {"variables": number}
        for magic in MAGICS:
            one.run(magic)
        taken: dict[str, list[float]] = {magic: [] for magic in MAGICS}
        for _ in range(IN_A_KERNEL):
            for magic in MAGICS:
                taken[magic].append(one.run(magic).ms)
        return row | {"ms": {magic: [rounded(figure) for figure in spread(each)] for magic, each in taken.items()}}


def main() -> None:
    """Measure, and keep the figures; `nox -s docs` shows them."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runs", type=int, default=5, help="how often each namespace is sized (default: 5)")
    options.add_argument("--output", type=Path, default=RESULTS / f"sized_variables-{stack()}.json")
    given = options.parse_args()
    head = described("sized_variables", PACKAGES)
    found: dict[str, Any] = {"runs": given.runs, "sized": [], "growth": []}
    with machines() as on:
        for case in child.CASES:
            say(case)
            found["sized"].append(sized(on, case, given.runs))
        for number in NUMBERS:
            say(f"{number:,} variables")
            found["growth"].append(growth(on, number))
    keep(head | found, given.output)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
