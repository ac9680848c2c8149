"""How looking at GPUs grows with GPUs and processes: colab_magics beside nvitop and gpustat, under one fake driver.

Every contestant meets every case in a process of its own that has loaded what a kernel has, the contestants take turns,
and a figure is the median of all runs. The driver is the one of the tests: it answers at once, so the figures are the
contestants' own share, and the processes it names are none of this machine, as in a container.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import contestants
from contestants import CONTESTANTS
from kernels import machines
from measured import RESULTS, described, keep, rounded, say

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGES = ("nvitop", "gpustat", "nvidia-ml-py", "psutil", "ipython")
PROFILES = {1: "t4", 8: "eight-a100", 64: "64-gpus"}


class Case(NamedTuple):
    """How many GPUs there are, and how many processes are spread over them."""

    gpus: int
    processes: int


CASES = tuple(Case(gpus, processes) for gpus in PROFILES for processes in (0, 100, 2000))


# All of them --------------------------------------------------------------------------------------------------------


def run(runs: int) -> list[dict[str, Any]]:
    """Let the contestants take turns, case by case, and return a row of medians for each of them in each case."""
    samples: dict[tuple[Case, str], list[dict[str, Any]]] = {}
    with machines() as on:
        environments = {
            case: on.with_gpus(PROFILES[case.gpus], gpus=case.gpus, processes=case.processes) for case in CASES
        }
        for number in range(runs):
            say(f"run {number + 1} of {runs}")
            for case, name in turns(number):
                samples.setdefault((case, name), []).append(measured_apart(name, environments[case]))
    return [row(case, name, samples[case, name]) for case in CASES for name in CONTESTANTS]


def turns(number: int) -> Iterator[tuple[Case, str]]:
    """Yield every case with every contestant; who begins changes from run to run."""
    names = list(CONTESTANTS)
    shift = number % len(names)
    for case in CASES:
        for name in names[shift:] + names[:shift]:
            yield case, name


def measured_apart(name: str, environment: dict[str, str]) -> dict[str, Any]:
    """Return what a contestant measures in a process of its own."""
    command = [sys.executable, contestants.__file__, name]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured


def row(case: Case, name: str, samples: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the medians of a contestant in a case, and the least that any run took."""
    figures = ("import_ms", "first_ms", "warm_ms")
    every = {figure: [sample[figure] for sample in samples] for figure in figures}
    gpus, processes = samples[0]["seen"]
    return {
        **case._asdict(),
        "contestant": name,
        "gpus_seen": gpus,
        "processes_seen": processes,
        **{figure: rounded(statistics.median(values)) for figure, values in every.items()},
        **{f"least_{figure}": rounded(min(values)) for figure, values in every.items()},
    }


def main() -> None:
    """Run the benchmark, keep its figures; `plots.py` and `nox -s docs` show them."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--runs", type=int, default=3, help="how often each contestant meets each case (default: 3)")
    options.add_argument("--output", type=Path, default=RESULTS / "gpu_growth.json", help="the file to write")
    given = options.parse_args()
    head = described("gpu_growth", PACKAGES)
    keep(head | {"runs": given.runs, "results": run(given.runs)}, given.output)


if __name__ == "__main__":
    main()
