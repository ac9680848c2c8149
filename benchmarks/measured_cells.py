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
from kernels import CellFailedError, Machines, Ran, machines, page
from measured import RESULTS, Pairs, described, keep, ratio, say, stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from kernels import Page

PACKAGES = (
    "ipyexperiments", "ipykernel", "ipython", "ipython-memory-usage", "jumper-extension", "jupyter_client",
    "memory_profiler", "memray", "numpy", "psutil", "setuptools",
)  # fmt: skip

HERE = Path(__file__).resolve().parent
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
TURNS = 4
"""So many turns of a cell that is measured and one that is left alone, for each run."""

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


def of_bare_record(one: Page, _ran: Ran) -> float:
    """Read what the bare hooks noted; they measure no more when this is asked."""
    return float(one.asked("bare.over_start_bytes"))


def of_footer(one: Page, _ran: Ran) -> float:
    """Read the last of the session's cells."""
    one.run("of_session = get_ipython().run_line_magic('runtime_status', '-c -o').snapshot.cells")
    return float(one.asked("max(of_session, key=lambda cell: cell.number).ram_over_start_bytes"))


def of_report(_one: Page, ran: Ran) -> float:
    """Read the report below the cell, which tells three digits."""
    told = re.search(r"peak ([\d.]+) ([KMG]iB) of RAM over the start", ran.shown[-1]["text/plain"])
    if told is None:
        raise LookupError(ran.shown[-1]["text/plain"])
    return float(told[1]) * {"KiB": 2**10, "MiB": MIB, "GiB": 2**30}[told[2]]


BY_A_LINE = Contestant("`%%runtime_status`", ("%load_ext colab_magics",), "%%runtime_status\n", of_report)
BY_THE_FOOTER = Contestant(
    "colab_magics' footer",
    ("%load_ext colab_magics",),
    "",
    of_footer,
    begin="%config ColabMagics.footer = True",
    end="%config ColabMagics.footer = False",
)
BARE = Contestant(
    "a record reset and read bare",
    ("bare = BareRecord(get_ipython())",),
    "",
    of_bare_record,
    begin="bare.start()",
    end="bare.stop()",
)
CONTESTANTS = (
    BY_A_LINE,
    BY_THE_FOOTER,
    BARE,
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
        one.run("import numpy")
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
    for code in who.setup:
        one.run(code)


def told_peak(one: Page, who: Contestant, code: str) -> float:
    """Return what is told of a cell, in bytes over the start."""
    one.run("done.clear()")
    who.start(one)
    ran = one.run(who.line + code, is_numbered=True)
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


def costs(on: Machines, who: Contestant, turns: int) -> list[dict[str, Any]]:
    """Return how many times as long a measured cell takes as one that is left alone: the whole, and its work."""
    with page(on, machine_of_cells(on)) as one:
        set_up(one, who)
        one.run(f"prepare({[*kernel.WORK]})")
        return [cost(one, who, name, turns) for name in (EMPTY, *kernel.WORK)]


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
            ran = one.run(who.line + code if is_measured else code, is_numbered=True)
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


# The goals ----------------------------------------------------------------------------------------------------------


def for_goals(on: Machines, runs: int) -> dict[str, Any]:
    """Return the goals' ratios: the hooks of an empty cell beside bare ones, and what a loop's work loses."""
    found = {}
    with page(on, machine_of_cells(on)) as one:
        one.take_in(HERE / "in_kernel.py")
        set_up(one, BY_THE_FOOTER)
        set_up(one, BARE)
        for key, who, owner in (("ours", BY_THE_FOOTER, "colab_magics."), ("floor", BARE, "BareRecord")):
            who.start(one)
            one.run(f"{key} = hooks_of(get_ipython(), {owner!r})")
        one.run("pass", is_numbered=True)
        found["cell_hooks"] = ratio(Pairs(*one.asked(f"in_turns(ours, floor, turns={runs * 100}, calls=1)")))
    for key, who in (("cell_measured", BY_A_LINE), ("cell_footer", BY_THE_FOOTER)):
        with page(on, machine_of_cells(on)) as one:
            set_up(one, who)
            one.run("prepare(['loop'])")
            found[key] = cost(one, who, "loop", runs * TURNS)["work"]
    return found


# Whether it is still the same cell ------------------------------------------------------------------------------------

AWAITS, SHOWS, STOPS, ONCE = "runs `await`", "shows the last value", "an error stops it", "runs it once"


def manners(on: Machines, who: Contestant) -> dict[str, bool]:
    """Return whether a measured cell does what it does when it is left alone."""
    with page(on, machine_of_cells(on)) as one:
        set_up(one, who)
        one.run("import asyncio")
        found = {AWAITS: _succeeds(one, who, "await asyncio.sleep(0.2); done.append(1)")}
        one.run("done.clear()")
        found[ONCE] = _succeeds(one, who, "done.append(1)") and one.asked("len(done)") == 1
        who.start(one)
        found[SHOWS] = any(
            shown.get("text/plain") == "42" for shown in one.run(who.line + "6 * 7", is_numbered=True).shown
        )
        who.stop(one)
        found[STOPS] = not _succeeds(one, who, "1 / 0")
        return found


def _succeeds(one: Page, who: Contestant, code: str) -> bool:
    who.start(one)
    try:
        one.run(who.line + code, is_numbered=True)
    except CellFailedError:
        return False
    finally:
        who.stop(one)
    return True


# All of it ----------------------------------------------------------------------------------------------------------


def run(on: Machines, who: Contestant, runs: int) -> dict[str, Any]:
    """Return all of one contestant, or why it cannot be had."""
    say(who.name)
    try:
        behaved = manners(on, who)
        exact = exactness(on, who, runs)
        cost_of_it = costs(on, who, runs * TURNS)
    except CellFailedError as error:
        say(str(error))
        return {"name": who.name, "failed": told(error)}
    return {"name": who.name, "manners": behaved, "exactness": exact, "costs": cost_of_it}


def main() -> None:
    """Measure, and keep the figures; `nox -s docs` shows them."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("names", nargs="*", metavar="NAME", help="only these contestants (default: all)")
    options.add_argument("--runs", type=int, default=5, help="how often each temporary is made (default: 5)")
    options.add_argument(
        "--output",
        type=Path,
        default=RESULTS / f"measured_cells-{stack()}.json",
        help="where contestants not named stay",
    )
    given = options.parse_args()
    if unknown := set(given.names) - {who.name for who in CONTESTANTS}:
        options.error(f"there is no {', '.join(unknown)}; there are {', '.join(who.name for who in CONTESTANTS)}")
    found = described("measured_cells", PACKAGES) | {"runs": given.runs, "goals": {}, "contestants": []}
    before = json.loads(given.output.read_text(encoding="utf-8")) if given.names and given.output.exists() else found
    others = {one["name"]: one for one in before["contestants"]}
    with machines() as on:
        is_ours_chosen = not given.names or BY_A_LINE.name in given.names
        found["goals"] = for_goals(on, given.runs * 2) if is_ours_chosen else before["goals"]
        for who in CONTESTANTS:
            if not given.names or who.name in given.names:
                found["contestants"].append(run(on, who, given.runs))
            elif who.name in others:
                found["contestants"].append(others[who.name])
    keep(found, given.output)
    print(json.dumps(found["goals"], indent=1))


if __name__ == "__main__":
    main()
