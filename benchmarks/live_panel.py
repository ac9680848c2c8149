"""What the live panel costs in a real kernel: beside fifteen widgets, and to a loop that runs meanwhile.

What runs in the kernels is live_panel_kernel.py. Everything is compared with what ran just before and after it in the
same kernel.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
from pathlib import Path
from typing import TYPE_CHECKING, Any

import live_panel_kernel
from kernels import Machines, machines, page
from live_panel_kernel import FIFTEEN, PEERS
from measured import RESULTS, Pairs, described, interval, keep, ratio, rounded, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kernels import Page

PACKAGES = (
    "comm", "ipykernel", "ipython", "ipywidgets", "jupyter_client", "nvidia-ml-py", "psutil", "pyzmq", "tornado",
    "traitlets",
)  # fmt: skip

PERIOD_SECONDS = 0.5
"""How long a refresh waits for the next where its cost is measured: the shortest period that the panel offers."""
IN_A_TURN = 6

LOOP_SECONDS = 0.2
LOOPS_A_RUN = 20
HZ = 1.0
"""How often the panel is taken to look where its cost to a loop is told."""

PANEL = "the panel"
T4, NO_DRIVER = "T4", "no driver"
CLOSE = "get_ipython().find_line_magic('gpu_info').__self__.close_panel()"
BUILD_FIFTEEN = "widgets_in_rows(names_change=True);"

VISITS = (
    (("panel, first", "%runtime_status -w"), ("", CLOSE), ("panel, second", "%runtime_status -w")),
    (
        ("import ipywidgets", "import ipywidgets"),
        ("report, first", "%runtime_status"),
        ("report, second", "%runtime_status"),
        ("panel, after these", "%runtime_status -w"),
    ),
    (
        ("", f"%run -n {live_panel_kernel.__file__}"),
        ("", "import ipywidgets"),
        ("15 widgets, first", BUILD_FIFTEEN),
        ("15 widgets, second", BUILD_FIFTEEN),
    ),
)
"""What is opened in a fresh kernel, one cell after the other; a cell without a name is not measured."""

# One refresh --------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def moving_panel(on: Machines, environment: dict[str, str], *, is_full: bool = True) -> Iterator[Page]:
    """Start a kernel with a panel in it that has moved, until its lines are full if `is_full`, and is paused now."""
    with page(on, environment) as one:
        one.load("colab_magics")
        one.run("%runtime_status -w")
        one.take_in(Path(live_panel_kernel.__file__))
        one.run(f"live = Live({PERIOD_SECONDS}); live.{'fill()' if is_full else 'wait_for(2)'}; live.pause_or_go_on()")
        one.run("peers = {name: build(LONGEST_CARD) for name, build in PEERS.items()}")
        yield one


def refreshes(one: Page, name: str) -> dict[str, float]:
    """Let one contestant move for some refreshes while the others rest; return the medians of what one takes."""
    if name == PANEL:
        one.run("live.pause_or_go_on(); live.wait_for(1)")
        ran = one.run(f"took = live.refreshes({IN_A_TURN})")
        one.run("live.pause_or_go_on()")
    else:
        ran = one.run(f"took = refreshes_of(peers[{name!r}], {IN_A_TURN}, {PERIOD_SECONDS})")
    taken = one.asked("took")
    number = IN_A_TURN + 1  # one more begins, between whose begin and the next nothing is noted
    figures = {key: statistics.median(value) if isinstance(value, list) else value for key, value in taken.items()}
    return {"messages": ran.messages / number, "bytes": ran.size / number} | figures


# A loop beside it ---------------------------------------------------------------------------------------------------


def loop_beside(one: Page, what: str, runs: int) -> dict[str, Any]:
    """Return how many times as long a loop takes beside something that happens `HZ` times a second.

    It happens once in a short loop, and what that takes longer than one with nothing live is what it costs.
    """
    ours, floor = one.asked(f"loops_in_turns({what}, {runs * LOOPS_A_RUN}, {LOOP_SECONDS})")
    figures = {clock: _lost(ours[clock], floor[clock]) for clock in ours}
    return figures.pop("undisturbed") | {
        "of_minima": rounded(1 + HZ * (min(ours["undisturbed"]) - min(floor["undisturbed"])) / 1000),
        "ours_ms": rounded(statistics.median(ours["undisturbed"])),
        "floor_ms": rounded(statistics.median(floor["undisturbed"])),
        "turns": len(ours["wall"]),
        "by_the_clock": figures["wall"],
        "for_the_lock": figures["asleep"],
    }


def _lost(ours: list[float], floor: list[float]) -> dict[str, float]:
    differences = [with_it - without for with_it, without in zip(ours, floor, strict=True)]

    def of_median(chosen: Sequence[int]) -> float:
        return 1 + HZ * statistics.median(differences[turn] for turn in chosen) / 1000

    low, high = interval(of_median, len(differences))
    found = {"ratio": of_median(range(len(differences))), "low": low, "high": high}
    return {name: round(value, 5) for name, value in found.items()}


def for_goals(on: Machines, runs: int, *, is_full: bool = True) -> dict[str, Any]:
    """Return the two goals' ratios: to show one look beside fifteen widgets, a loop beside one with nothing live."""
    with moving_panel(on, on.with_gpus(), is_full=is_full) as one:
        shows, sent = Pairs([], []), []
        for number in range(-1, runs):
            ours, floor = refreshes(one, PANEL), refreshes(one, FIFTEEN)
            if number >= 0:
                shows.add(ours["show_us"] / 1000, floor["show_us"] / 1000)
                sent.append((round(ours["messages"]), round(ours["bytes"] / max(1, round(ours["messages"])))))
        one.run("live.every(1.0)")
        messages, size = (round(statistics.median(every)) for every in zip(*sent, strict=True))
        shown = ratio(shows) | {"messages": messages, "bytes": size}
        return {"panel_look": shown, "panel_loop": loop_beside(one, "beside_panel(live)", runs)}


# All of it ----------------------------------------------------------------------------------------------------------


def run(runs: int) -> dict[str, list[dict[str, Any]]]:
    """Measure everything so many times."""
    refreshed: dict[tuple[str, str], list[dict[str, float]]] = {}
    slowed, opened = [], dict[tuple[str, str], list[dict[str, float]]]()
    with machines() as on:
        environments = {T4: on.with_gpus(), NO_DRIVER: on.without_driver()}
        for condition, environment in environments.items():
            names = [PANEL, *(PEERS if condition == T4 else (FIFTEEN,))]
            with moving_panel(on, environment) as one:
                for number in range(runs):
                    say(f"{condition}: refreshes {number + 1} of {runs}")
                    shift = number % len(names)
                    for name in names[shift:] + names[:shift]:
                        refreshed.setdefault((condition, name), []).append(refreshes(one, name))
                if condition == T4:
                    one.run("live.every(1.0)")
                    for name, what in {
                        PANEL: "beside_panel(live)",
                        FIFTEEN: "beside_peer(peers[FIFTEEN])",
                        "a thread that wakes up": "beside_peer(peers['a thread that wakes up'])",
                    }.items():
                        say(f"a loop beside {name}")
                        slowed.append({"case": name, **loop_beside(one, what, runs)})
            for number in range(runs):
                say(f"{condition}: openings {number + 1} of {runs}")
                for name, ms, messages, size in openings(on, environment):
                    taken = {"ms": ms, "messages": messages, "bytes": size}
                    opened.setdefault((condition, name), []).append(taken)
    return {"refreshes": rows(refreshed), "loops": slowed, "openings": rows(opened)}


def openings(on: Machines, environment: dict[str, str]) -> Iterator[tuple[str, float, int, int]]:
    """Open what there is to open, each group in a fresh kernel."""
    for cells in VISITS:
        with page(on, environment) as one:
            one.load("colab_magics")
            for name, code in cells:
                ran = one.run(code)
                if name:
                    yield name, ran.ms, ran.messages, ran.size


def rows(samples: dict[tuple[str, str], list[dict[str, float]]]) -> list[dict[str, Any]]:
    """Return each case's medians, with the least and the greatest."""
    return [
        {"condition": condition, "case": case}
        | {
            figure: [rounded(value) for value in (statistics.median(every), min(every), max(every))]
            for figure, every in ((figure, [one[figure] for one in rounds]) for figure in rounds[0])
        }
        for (condition, case), rounds in samples.items()
    ]


def main() -> None:
    """Run the benchmark, keep its figures; `plots.py` and `nox -s docs` show them."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--runs", type=int, default=6, help="how often everything is measured (default: 6)")
    options.add_argument("--output", type=Path, default=RESULTS / "live_panel.json", help="the file to write")
    given = options.parse_args()
    head = described("live_panel", PACKAGES)
    keep(head | {"runs": given.runs, **run(given.runs)}, given.output)


if __name__ == "__main__":
    main()
