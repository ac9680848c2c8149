"""The quick run of `nox -s cost`: it fails where something costs more than any noise explains.

Counts are held as they are (counts.toml); times only where they are three times what is meant (goals.toml), beside
floors that are measured at the same time. No peer is needed.
"""

from __future__ import annotations

import argparse
import sys
import time

import beside_floors
import counts
import live_panel
import measured_cells
from kernels import machines
from measured import package, say, stack

RUNS = 3
OF_THE_GOAL = 3
"""So many times a goal may be taken by a busy machine."""


def main() -> None:
    """Measure, print everything that was found, and exit with 1 if anything is too much."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    started = time.monotonic()
    say("colab_magics {version} from {from}".format_map(package()))
    with machines() as on:
        say("counts")
        counted = counts.counted(on)
        say("times")
        found = (
            beside_floors.ratios(beside_floors.once(on, RUNS, peer="three_magics"))
            | beside_floors.ratios(beside_floors.shown(on, RUNS))
            | beside_floors.ratios(beside_floors.functions(on, RUNS))
            | beside_floors.ratios(beside_floors.command(on, RUNS))
            | live_panel.for_goals(on, 2, is_full=False)
            | measured_cells.for_goals(on, RUNS)
        )
    looked = found["panel_look"]
    too_much = of_counts(counted | {"panel: messages": looked["messages"], "panel: bytes": looked["bytes"]})
    too_much += of_times(found)
    say(f"{time.monotonic() - started:.0f} s")
    sys.exit("\n".join(["", *too_much]) if too_much else 0)


def of_counts(counted: dict[str, int]) -> list[str]:
    """Print every count, and return those that are too much."""
    too_much = []
    for key, most in counts.allowed().items():
        line = f"{key:40} {counted[key]:7} at most {most}"
        print(line)
        if counted[key] > most:
            too_much.append(f"too much: {line}")
    return too_much


def of_times(found: dict[str, dict[str, float]]) -> list[str]:
    """Print every ratio of times, and return those that are too much."""
    too_much = []
    for goal in beside_floors.goals():
        most = goal.get("most_in_ci", goal["most"][stack()])
        # Of what may be lost of some work, three times that share is allowed.
        most = 1 + OF_THE_GOAL * (most - 1) if goal.get("of_work") else OF_THE_GOAL * most
        seen = found[goal["key"]]
        line = f"{goal['key']:40} {seen['ratio']:7.3f} at most {most:.3g}, three times the goal"
        print(line)
        if min(seen["ratio"], seen["low"], seen["of_minima"]) > most:
            too_much.append(f"too much: {line}; {seen['low']:.3f} at least, {seen['of_minima']:.3f} by minima")
    return too_much


if __name__ == "__main__":
    main()
