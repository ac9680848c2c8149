"""What asking every machine of a cluster costs the notebook, and how the report grows with the machines.

The machines are workers of one process, each on an address of the loopback; they answer by a report that was made once,
so what is measured is the notebook's own time: processor time of its process, all threads. The floor hands the same
answer from every worker to the client by `Client.run` alone.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import pickle
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import distributed
from measured import RESULTS, Pairs, described, keep, ratio, rounded, say, stack

from colab_magics.clusters.status import cluster_status
from colab_magics.model import Driver
from colab_magics.values import replace
from colab_magics.views import html, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from colab_magics.report import Report

PACKAGES = ("distributed", "tornado")
ASKED = (1, 10, 100)
GATHERED = (1, 10, 100, 1_000, 10_000)
WORKERS = Path(__file__).with_name("many_machines_workers.py")
TURNS = 9


@contextlib.contextmanager
def cluster(number: int) -> Iterator[tuple[Any, bytes]]:
    """Give a client of a cluster with so many machines, and what each of them answers."""
    with tempfile.TemporaryDirectory() as folder:
        line = [sys.executable, str(WORKERS), str(number), folder]
        with subprocess.Popen(line, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as workers:
            address = workers.stdout.readline().strip() if workers.stdout else ""
            try:
                with distributed.Client(address) as client:
                    client.wait_for_workers(number)
                    yield client, Path(folder, "answer").read_bytes()
            finally:
                workers.terminate()


def asked(number: int) -> dict[str, Any]:
    """Return what it takes to ask so many machines, and to hand over their answers."""
    with cluster(number) as (client, answer):
        taken, wall = Pairs([], []), list[float]()

        def bare() -> None:
            client.run(eval, "__import__('many_machines_answer').ANSWER")

        def ours() -> Report:
            return cluster_status(client, shell_class=None)

        seen = ours()
        bare()
        answered = 0 if seen.snapshot.cluster is None else len(seen.snapshot.cluster.answered)
        if answered != number:
            raise RuntimeError(f"{answered} of {number} machines have answered")
        for turn in range(2 * TURNS):
            ms = {look: processor_ms(look) for look in ((ours, bare) if turn % 2 else (bare, ours))}
            taken.add(ms[ours][0], ms[bare][0])
            wall.append(ms[ours][1])
        return {
            "machines": number,
            "time": ratio(taken),
            "wall_ms": rounded(statistics.median(wall)),
            "answer_bytes": len(answer),
            **shown(seen),
        }


def gathered(number: int, one: Report) -> dict[str, Any]:
    """Return what it takes to make one report of so many, of which every other one has another driver."""
    drivers = [replace(one.snapshot, driver=Driver(version=version, cuda_version=None)) for version in ("580", "570")]
    reports = [replace(one, snapshot=drivers[index % 2]) for index in range(number)]
    ms = [processor_ms(lambda: cluster_status(reports, shell_class=None))[0] for _ in range(TURNS)]
    return {
        "machines": number,
        "ms": rounded(statistics.median(ms)),
        **shown(cluster_status(reports, shell_class=None)),
    }


def shown(seen: Report) -> dict[str, float]:
    """Return what it takes to show it."""
    return {
        name: rounded(statistics.median(processor_ms(lambda: view(seen))[0] for _ in range(3)))  # noqa: B023 - called at once
        for name, view in (("text_ms", text.render), ("html_ms", html.render))
    }


def processor_ms(step: Callable[[], object]) -> tuple[float, float]:
    """Return the processor time of this process that a step takes, and the time that passes."""
    before, began = time.process_time(), time.perf_counter()
    step()
    return 1e3 * (time.process_time() - before), 1e3 * (time.perf_counter() - began)


def main() -> None:
    """Measure, and keep the figures; `nox -s docs` shows them."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--output", type=Path, default=RESULTS / f"many_machines-{stack()}.json")
    given = options.parse_args()
    head = described("many_machines", PACKAGES)
    rows = []
    for number in ASKED:
        say(f"{number} asked")
        rows.append(asked(number))
    with cluster(1) as (_, answer):
        one = pickle.loads(answer)  # noqa: S301 - our own workers'
    say("gathered")
    found = {"runs": 1, "asked": rows, "gathered": [gathered(number, one) for number in GATHERED]}
    keep(head | found, given.output)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
