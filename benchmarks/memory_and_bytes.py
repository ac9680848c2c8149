"""What colab_magics holds and sends: the kernel's and the child's memory, a report's bytes, a saved notebook's."""

from __future__ import annotations

import argparse
import json
import statistics
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from beside_floors import HERE, START_THE_FLOOR
from kernels import machines, page
from measured import RESULTS, described, keep, say, stack

if TYPE_CHECKING:
    from kernels import Machines, Page

PACKAGES = ("ipykernel", "ipython", "nvidia-ml-py", "psutil")
MAGICS = ("%ram_info", "%gpu_info", "%runtime_status")
STEPS = ("`%load_ext colab_magics`", *(f"the first `{magic}` after that" for magic in MAGICS))
REPORTS_IN_A_NOTEBOOK = 10
THE_CHILD = "__import__('colab_magics.observer.client', fromlist=['pid']).pid()"

# Memory -------------------------------------------------------------------------------------------------------------


def proportional_bytes(pid: int, part: str = "Pss") -> int:
    """Return the memory that a process holds, with its share of what it has in common with others.

    The part `Pss_Anon` leaves files out: how much of these is counted depends on who else has the same Python open.
    """
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{part}:"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"process {pid} does not say what it holds")


def memory(on: Machines) -> dict[str, int]:
    """Return what loading and each first report add to a kernel, and what the child holds, beside a bare one."""
    with page(on, on.with_gpus()) as one:
        one.timed_inside("print(1)")  # what IPython itself holds after its first cells is not ours
        whole = proportional_bytes(one.pid)
        held = [proportional_bytes(one.pid, "Pss_Anon")]
        one.load("colab_magics")
        held.append(proportional_bytes(one.pid, "Pss_Anon"))
        for magic in MAGICS:
            one.run(magic)
            held.append(proportional_bytes(one.pid, "Pss_Anon"))
        child = one.asked(THE_CHILD)
        one.take_in(HERE / "floors" / "child.py")
        one.run(f"{START_THE_FLOOR}; floor.ask()")
        bare = one.asked("floor._process.pid")
        found = {"a kernel, before": whole}
        for step, (before, after) in zip(STEPS, pairwise(held), strict=True):
            found[f"added by {step}"] = after - before
        found |= {"the child": proportional_bytes(child), "a bare child": proportional_bytes(bare)}
        one.run("floor.close()")
        return found


# Bytes --------------------------------------------------------------------------------------------------------------


def sizes(on: Machines) -> dict[str, int]:
    """Return how many bytes reports are, with a T4, and a notebook that was saved with some of them."""
    with page(on, on.with_gpus()) as one:
        one.load("colab_magics")
        one.run("%runtime_status")
        found = {}
        for magic in MAGICS:
            (shown,) = one.run(magic).shown
            found[f"`{magic}`, HTML with its style sheet"] = len(shown["text/html"].encode())
            found[f"`{magic}`, text"] = len(shown["text/plain"].encode())
        found["a notebook saved with ten times `%runtime_status`"] = len(saved(one).encode())
    return found


def saved(one: Page) -> str:
    """Return a notebook with reports, as Jupyter saves it."""
    cells = [
        {
            "cell_type": "code",
            "execution_count": number,
            "id": f"{number:08x}",
            "metadata": {},
            "outputs": [
                {
                    "data": {kind: text.splitlines(keepends=True) for kind, text in shown.items()},
                    "metadata": {},
                    "output_type": "display_data",
                }
                for shown in one.run("%runtime_status").shown
            ],
            "source": ["%runtime_status"],
        }
        for number in range(1, REPORTS_IN_A_NOTEBOOK + 1)
    ]
    document = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    """Measure, and keep the figures; `plots.py` and `nox -s docs` show them."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runs", type=int, default=5, help="how many kernels' memory is measured (default: 5)")
    options.add_argument("--output", type=Path, default=RESULTS / f"memory_and_bytes-{stack()}.json")
    given = options.parse_args()
    head = described("memory_and_bytes", PACKAGES)
    with machines() as on:
        every = []
        for number in range(given.runs):
            say(f"memory {number + 1} of {given.runs}")
            every.append(memory(on))
        held: dict[str, Any] = {name: int(statistics.median(one[name] for one in every)) for name in every[0]}
        found = head | {"runs": given.runs, "memory_bytes": held, "bytes": sizes(on)}
    keep(found, given.output)
    print(json.dumps({"memory_bytes": found["memory_bytes"], "bytes": found["bytes"]}, indent=1))


if __name__ == "__main__":
    main()
