"""What the magics cost in a real kernel beside other extensions, and the cells that notebooks share.

Whatever happens once (loading, a first report) gets a fresh kernel each time; warm cells take turns in one kernel a
run, the first of them changing.
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from floors import cells
from kernels import Machines, machines, page
from measured import RESULTS, described, keep, rounded, say, stack

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGES = (
    "gpustat", "ipykernel", "ipython", "ipython-autotime", "jupyter_client", "memory_profiler", "nvidia-ml-py",
    "nvitop", "psutil", "pyinstrument", "pyzmq", "tornado", "traitlets", "watermark",
)  # fmt: skip

WARM_ROUNDS = 10
"""So often every warm cell has its turn in a kernel, after two turns that do not count."""

CELLS = {
    "empty cell": "",
    "print(1)": "print(1)",
    "%ram_info": "%ram_info",
    "RAM cell": cells.RAM_CELL,
    "%gpu_info": "%gpu_info",
    "GPU cell": cells.gpu_cell(),
    "%runtime_status": "%runtime_status",
    "%watermark": "%watermark",
    "%watermark -h -m -i": "%watermark -h -m -i",
    "%memit pass": "%memit pass",
}

BESIDE = {
    "empty cell": "%ram_info",
    "print(1)": "%ram_info",
    "RAM cell": "%ram_info",
    "%memit pass": "%ram_info",
    "GPU cell": "%gpu_info",
    "%watermark": "%runtime_status",
    "%watermark -h -m -i": "%runtime_status",
}
"""What of ours a cell stands beside, where it is not itself ours; what is loaded stands beside `colab_magics`."""


class Visit(NamedTuple):
    """What happens in a fresh kernel: an extension is loaded or a module imported, then a cell runs.

    `loaded` is an extension whose load was measured in another visit.
    """

    extension: str | None = None
    loaded: str | None = None
    module: str | None = None
    cell: str | None = None


VISITS = (
    Visit(extension="colab_magics", cell="%ram_info"),
    Visit(loaded="colab_magics", cell="%gpu_info"),
    Visit(loaded="colab_magics", cell="%runtime_status"),
    Visit(extension="watermark", cell="%watermark -h -m -i"),
    Visit(extension="memory_profiler", cell="%memit pass"),
    Visit(extension="autotime"),
    Visit(extension="pyinstrument"),
    Visit(module="gpustat"),
    Visit(module="nvitop"),
    Visit(cell="RAM cell"),
    Visit(cell="GPU cell"),
)


class Case(NamedTuple):
    """A figure: in which group ("load", "first" or "warm"), of what, beside what of ours."""

    group: str
    name: str
    beside: str


def visit(what: Visit, on: Machines) -> Iterator[tuple[Case, float]]:
    """Load and run what a visit is made of, in a kernel of its own; yield what it took, in milliseconds."""
    with page(on, on.without_driver()) as one:
        if what.extension:
            yield Case("load", what.extension, "colab_magics"), one.load(what.extension)
        if what.loaded:
            one.load(what.loaded)
        if what.module:
            yield Case("load", f"import {what.module}", "colab_magics"), one.timed_inside(f"import {what.module}")
        if what.cell:
            yield Case("first", what.cell, BESIDE.get(what.cell, what.cell)), one.run(CELLS[what.cell]).ms


def warm(on: Machines, shift: int) -> Iterator[tuple[Case, float]]:
    """Let the cells take turns in one kernel that has met them all."""
    names = list(CELLS)[shift % len(CELLS) :] + list(CELLS)[: shift % len(CELLS)]
    with page(on, on.without_driver()) as one:
        for extension in ("colab_magics", "watermark", "memory_profiler"):
            one.load(extension)
        for turn in range(-2, WARM_ROUNDS):
            for name in names:
                taken = one.run(CELLS[name]).ms
                if turn >= 0:
                    yield Case("warm", name, BESIDE.get(name, name)), taken


def run(runs: int) -> dict[Case, list[float]]:
    """Measure everything so many times, the order turning from run to run."""
    samples: dict[Case, list[float]] = {}
    with machines() as on:
        for number in range(runs):
            say(f"run {number + 1} of {runs}")
            shift = number % len(VISITS)
            for what in VISITS[shift:] + VISITS[:shift]:
                for case, taken in visit(what, on):
                    samples.setdefault(case, []).append(taken)
            for case, taken in warm(on, number):
                samples.setdefault(case, []).append(taken)
    return samples


def rows(samples: dict[Case, list[float]]) -> list[dict[str, Any]]:
    """Return each case's median and minimum, and how many times as long as ours it takes."""
    medians = {(case.group, case.name): statistics.median(taken) for case, taken in samples.items()}
    return [
        {
            **case._asdict(),
            "times_ours": rounded(medians[case.group, case.name] / medians[case.group, case.beside]),
            "median_ms": rounded(statistics.median(taken)),
            "minimum_ms": rounded(min(taken)),
            "samples": len(taken),
        }
        for group in ("load", "first", "warm")
        for case, taken in samples.items()
        if case.group == group
    ]


def main() -> None:
    """Run the benchmark, keep its figures; `plots.py` and `nox -s docs` show them."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--runs", type=int, default=8, help="how often everything is measured (default: 8)")
    options.add_argument("--output", type=Path, default=RESULTS / f"notebook-{stack()}.json", help="the file to write")
    given = options.parse_args()
    head = described("notebook", PACKAGES)
    keep(head | {"runs": given.runs, "results": rows(run(given.runs))}, given.output)


if __name__ == "__main__":
    main()
