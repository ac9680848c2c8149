"""How exact the measuring of a cell is, and what it costs: colab_magics beside the tools that people would use.

Each contestant has kernels of its own, where cells that it measures take turns with the same cells left alone. A
contestant that does not load, and a cell that it cannot run, are told by their error.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import measured_cells_kernel as kernel
from kernels import CellFailedError, Machines, machines, page
from measured import RESULTS, Pairs, described, keep, ratio, say, stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from kernels import Page, Ran

PACKAGES = (
    "ipyexperiments", "ipykernel", "ipython", "ipython-memory-usage", "jumper-extension", "jupyter_client",
    "memory_profiler", "memray", "numpy", "psutil", "setuptools",
)  # fmt: skip

IN_KERNEL = Path(kernel.__file__)
MIB = 2**20

KINDS = {
    "GIL held": "hold('GIL held', {ms})",
    "numpy": "hold('numpy', {ms})",
    "a thread": "hold('thread', {ms})",
    "await": "await hold_awaiting({ms})",
}
"""The cells that hold a temporary, by who allocates it."""
LIVES_MS = (1, 10, 100)
EMPTY = "an empty cell"

# The contestants ----------------------------------------------------------------------------------------------------


class Contestant(NamedTuple):
    """Who measures cells: what a kernel needs before, and how one learns what was found.

    `begin` and `end` are the cells around each measured cell, where it is not measured by a line of its own.
    """

    name: str
    setup: tuple[str, ...]
    line: str
    """What a measured cell begins with."""
    peak: Callable[[Page, Ran], float]
    """What it says was the peak over the start, in bytes."""
    begin: str = ""
    end: str = ""
    period_seconds: float = 0.0
    """How often it looks, whatever runs: a cell begins at any time between two looks."""

    def start(self, one: Page) -> None:
        """Let the next cell be measured."""
        if self.begin:
            one.run(self.begin)
            time.sleep(self.period_seconds * (0.5 + random.random()))

    def stop(self, one: Page) -> None:
        """Let the next cell be left alone."""
        if self.end:
            one.run(self.end)


def printed(pattern: str) -> Callable[[Page, Ran], float]:
    """Read the peak from what a cell prints: the sum of the groups, in MiB."""

    def peak(_one: Page, ran: Ran) -> float:
        found = re.search(pattern, ran.printed)
        if found is None:
            raise LookupError(f"nothing said: {ran.printed[-200:]}")
        return sum(float(group.replace(",", "")) for group in found.groups()) * MIB

    return peak


def of_ipyexperiments(one: Page, _ran: Ran) -> float:
    """Read what its logger noted of the cell before the one that asks."""
    consumed, peaked = one.asked("[exp.cl.data.cpu.used_delta, exp.cl.data.cpu.peaked_delta]")
    return float(consumed + peaked)


def of_memray(one: Page, _ran: Ran) -> float:
    """Read the page that it wrote, whose sizes are decimal."""
    one.run("import glob, os, re; written = max(glob.glob('memray-results/*/*.html'), key=os.path.getmtime)")
    size, unit = one.asked(r"re.search(r'Peak memory usage: ([\d.]+) (\w+)', open(written).read()).groups()")
    return float(size) * {"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9}[unit]


def of_jumper(one: Page, _ran: Ran) -> float:
    """Read its samples: the most in the cell over the first of all, which is before it; 0 where there is none in it."""
    one.run("%perfmonitor_export_perfdata --level process")
    one.run("all_of_them = perfdata_df.memory; in_it = all_of_them[perfdata_df.cell_index.notna()]")
    return float(one.asked("float(in_it.max() - all_of_them.iloc[0]) if len(in_it) else 0.0")) * 2**30


CONTESTANTS = (
    Contestant("`%memit`", ("%load_ext memory_profiler",), "%memit ", printed(r"increment: (-?[\d.]+) MiB")),
    Contestant("`%%memit`", ("%load_ext memory_profiler",), "%%memit\n", printed(r"increment: (-?[\d.]+) MiB")),
    Contestant(
        "ipyexperiments",
        ("from ipyexperiments import IPyExperimentsCPU",),
        "",
        of_ipyexperiments,
        begin="exp = IPyExperimentsCPU()",
        end="exp.finish(); del exp",
    ),
    Contestant(
        "ipython_memory_usage",
        ("%load_ext ipython_memory_usage",),
        "",
        printed(r"used (-?[\d.]+) MiB RAM .* peaked (-?[\d.]+) MiB above"),
        begin="%imu_start",
        end="%imu_stop",
    ),
    Contestant(
        "JUmPER",
        ("%load_ext jumper_extension",),
        "",
        of_jumper,
        begin="%perfmonitor_start",
        end="%perfmonitor_stop",
        period_seconds=1.0,
    ),
    Contestant("memray", ("%load_ext memray",), "%%memray_flamegraph\n", of_memray),
)


# How exact it is ----------------------------------------------------------------------------------------------------


def exactness(on: Machines, who: Contestant, runs: int) -> list[dict[str, Any]]:
    """Return by how much the peak that is told differs from that of a temporary of a known size."""
    rows = []
    with page(on, machine_of_cells(on)) as one:
        set_up(one, who)
        for kind, code in KINDS.items():
            for ms in LIVES_MS:
                row: dict[str, Any] = {"contestant": who.name, "kind": kind, "ms": ms}
                try:
                    errors = [told_peak(one, who, code.format(ms=ms)) - kernel.TEMPORARY_BYTES for _ in range(runs)]
                except (CellFailedError, LookupError) as error:
                    row["failed"] = told(error)
                    who.stop(one)
                else:
                    row["error_mb"] = [round(figure / 1e6, 1) for figure in spread(errors)]
                rows.append(row)
    return rows


def machine_of_cells(on: Machines) -> dict[str, str]:
    """Return the environment of a kernel: matrices are multiplied by one thread, beside which another has a core."""
    return on.without_driver() | {"OPENBLAS_NUM_THREADS": "1"}


def set_up(one: Page, who: Contestant) -> None:
    """Load a contestant, and bring in what its cells do."""
    one.take_in(IN_KERNEL)
    one.run("import numpy")
    for code in who.setup:
        one.run(code)


def told_peak(one: Page, who: Contestant, code: str) -> float:
    """Return what is told of a cell, in bytes over the start."""
    one.run("done.clear()")
    who.start(one)
    ran = one.run(who.line + code)
    peak = who.peak(one, ran)
    who.stop(one)
    if not one.asked("len(done)"):
        raise LookupError("the cell was not run")
    return peak


def told(error: Exception) -> str:
    """Return an error in one line."""
    words = error.error if isinstance(error, CellFailedError) else str(error)
    return re.sub(r"\btmp\w+", "...", words.strip().partition("\n")[0])


def spread(figures: list[float]) -> tuple[float, float, float]:
    """Return the median, the least and the greatest."""
    return statistics.median(figures), min(figures), max(figures)


# What it costs ------------------------------------------------------------------------------------------------------


def costs(on: Machines, who: Contestant, names: list[str], turns: int) -> list[dict[str, Any]]:
    """Return how many times as long a measured cell takes as one that is left alone: the whole, and its work."""
    with page(on, machine_of_cells(on)) as one:
        set_up(one, who)
        one.run(f"prepare({[name for name in names if name != EMPTY]})")
        return [cost(one, who, name, turns) for name in names]


def cost(one: Page, who: Contestant, name: str, turns: int) -> dict[str, Any]:
    """Let a measured cell and the same cell left alone take turns."""
    whole, work, times_run = Pairs([], []), Pairs([], []), []
    code = "done.append(1)" if name == EMPTY else f"work({name!r})"
    for turn in range(-1, turns):
        taken = {}
        for is_measured in (True, False) if turn % 2 else (False, True):
            if is_measured:
                who.start(one)
            one.run("done.clear()")
            ran = one.run(who.line + code if is_measured else code)
            taken[is_measured] = ran.ms, one.asked("done")
            if is_measured:
                who.stop(one)
        if turn < 0:
            continue
        (ours, ours_done), (floor, floor_done) = taken[True], taken[False]
        whole.add(ours, floor)
        work.add(ours_done[-1], floor_done[-1])
        times_run.append(len(ours_done))
    row = {"contestant": who.name, "case": name, "whole": ratio(whole), "times_run": max(times_run)}
    return row if name == EMPTY else row | {"work": ratio(work)}


# All of it ----------------------------------------------------------------------------------------------------------


def run(on: Machines, who: Contestant, runs: int) -> dict[str, Any]:
    """Return all of one contestant, or why it cannot be had."""
    say(who.name)
    try:
        exact = exactness(on, who, runs)
        cost_of_it = costs(on, who, [EMPTY, *kernel.WORK], runs * 4)
    except CellFailedError as error:
        say(str(error))
        return {"name": who.name, "failed": told(error)}
    return {"name": who.name, "exactness": exact, "costs": cost_of_it}


def main() -> None:
    """Measure, and keep the figures; `nox -s docs` shows them."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("names", nargs="*", metavar="NAME", help="only these contestants (default: all)")
    options.add_argument("--runs", type=int, default=5, help="how often each temporary is made (default: 5)")
    options.add_argument("--output", type=Path, help="the file to write (default: in results/, if all are measured)")
    given = options.parse_args()
    head = described("measured_cells", PACKAGES)
    with machines() as on:
        chosen = [who for who in CONTESTANTS if not given.names or who.name in given.names]
        found = head | {"runs": given.runs, "contestants": [run(on, who, given.runs) for who in chosen]}
    output = given.output or (None if given.names else RESULTS / f"measured_cells-{stack()}.json")
    if output:
        keep(found, output)
    print(json.dumps(found["contestants"], indent=1))


if __name__ == "__main__":
    main()
