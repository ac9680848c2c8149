"""What the live panel costs in a kernel, beside fifteen widgets and beside nothing."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernels import page
from measured import Pairs, interval, ratio, rounded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kernels import Machines, Page

KERNEL_SIDE = Path(__file__).resolve().parent / "panel_kernel.py"
PERIOD_SECONDS = 0.1
LOOP_SECONDS = 0.2


def open_panel(one: Page, period_seconds: float) -> None:
    """Open a panel with a T4 and let it move until its lines are as full as they get; then pause it."""
    one.load("colab_magics")
    one.run("%runtime_status -w")
    one.take_in(KERNEL_SIDE)
    one.run(f"live = Live({period_seconds}); live.wait_for(50); live.pause_or_go_on()")


def ratios(on: Machines, runs: int) -> dict[str, Any]:
    """Return what showing one look takes beside fifteen widgets, and a loop beside one with nothing live."""
    with page(on, on.with_gpus()) as one:
        open_panel(one, PERIOD_SECONDS)
        one.run("fifteen = PEERS[FIFTEEN]('')")
        shows = Pairs([], [])
        for number in range(-1, runs):
            ours = one.asked("live.refreshes(10)['show_us']")
            floor = one.asked(f"refreshes_of(fifteen, 10, {PERIOD_SECONDS})['show_us']")
            if number >= 0:
                shows.add(statistics.median(ours) / 1e3, statistics.median(floor) / 1e3)
        one.run("live.every(1.0)")
        loops = one.asked(f"loops_in_turns(live, {runs * 15}, {LOOP_SECONDS})")
    return {"panel_look": ratio(shows), "panel_loop": of_loops(loops)}


def of_loops(loops: dict[str, Any]) -> dict[str, Any]:
    """Return how many times as long a second of the loop takes with one look in it: by the median of the differences."""
    differences = [ours - floor for ours, floor in zip(loops["with_ms"], loops["without_ms"], strict=True)]

    def of_median(chosen: Sequence[int]) -> float:
        return 1 + statistics.median(differences[one] for one in chosen) / 1000

    low, high = interval(of_median, len(differences))
    return {
        "ratio": rounded(of_median(range(len(differences)))),
        "low": rounded(low),
        "high": rounded(high),
        "of_minima": rounded(1 + (min(loops["with_ms"]) - min(loops["without_ms"])) / 1000),
        "ours_ms": rounded(statistics.median(loops["with_ms"])),
        "floor_ms": rounded(statistics.median(loops["without_ms"])),
        "turns": len(differences),
        "late": loops["late"],
    }
