# ruff: noqa: INP001, T201 - a script, which prints what it found
"""How looking at GPUs grows with GPUs and processes: colab_magics beside nvitop and gpustat, under one fake driver.

Every contestant meets every case in a process of its own that has loaded what a kernel has, the contestants take turns,
and a figure is the median of all runs. The driver is the one of the tests: it answers at once, so the figures are the
contestants' own share, and the processes it names are none of this machine, as in a container.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).resolve().parent / "results"
PACKAGES = ("nvitop", "gpustat", "nvidia-ml-py", "psutil", "ipython")
LOADED_IN_A_KERNEL = ("IPython", "psutil")
PROFILES = {1: "t4", 8: "eight-a100", 64: "64-gpus"}

MOST_REPORTS = 20
MOST_SECONDS = 0.5
"""A contestant repeats its warm report until it has been at it for this long, but once at least."""


class Case(NamedTuple):
    """How many GPUs there are, and how many processes are spread over them."""

    gpus: int
    processes: int


CASES = tuple(Case(gpus, processes) for gpus in PROFILES for processes in (0, 100, 2000))


class Contestant(NamedTuple):
    """`load` imports what is needed and returns the function that looks; `count` says what its answer holds."""

    load: Callable[[], Callable[[], Any]]
    count: Callable[[Any], Case]


# The contestants ----------------------------------------------------------------------------------------------------


def load_colab_magics() -> Callable[[], Any]:
    """Take the whole report with its findings: GPUs, driver, processes, frameworks."""
    import colab_magics  # noqa: PLC0415 - its import is measured

    return colab_magics.gpu_info


def count_colab_magics(report: Any) -> Case:
    """Count what the report holds."""
    gpus = report.snapshot.gpus
    return Case(len(gpus), sum(len(gpu.processes) for gpu in gpus))


def load_nvitop() -> Callable[[], Any]:
    """Take a snapshot of every device, and who holds it: number, kind and memory."""
    complete_the_driver()
    from nvitop import Device  # noqa: PLC0415 - its import is measured

    def look() -> tuple[list[Any], list[Any]]:
        devices = Device.all()
        processes = [process for device in devices for process in device.processes().values()]
        return [device.as_snapshot() for device in devices], processes

    return look


def load_nvitop_in_full() -> Callable[[], Any]:
    """Take what nvitop's own display is made of: of every process a snapshot too, with its user, command and load."""
    look_at_devices = load_nvitop()
    from nvitop import GpuProcess  # noqa: PLC0415

    def look() -> tuple[list[Any], list[Any]]:
        devices, processes = look_at_devices()
        return devices, GpuProcess.take_snapshots(processes, failsafe=True)

    return look


def count_nvitop(seen: tuple[list[Any], list[Any]]) -> Case:
    """Count the devices and the processes."""
    devices, processes = seen
    return Case(len(devices), len(processes))


def load_gpustat() -> Callable[[], Any]:
    """Take gpustat's query as it is; it sleeps 0.1 s for every GPU."""
    complete_the_driver()
    import gpustat  # noqa: PLC0415 - its import is measured

    return gpustat.new_query


def load_gpustat_without_sleep() -> Callable[[], Any]:
    """Take gpustat's query with `time.sleep` replaced by nothing: its own work alone."""
    look = load_gpustat()
    time.sleep = lambda _: None
    return look


def count_gpustat(query: Any) -> Case:
    """Count what the query holds; gpustat leaves out the processes that are not in /proc."""
    return Case(len(query), sum(len(gpu.processes) for gpu in query))


def complete_the_driver() -> None:
    """Let the calls that the fake driver lacks answer "not supported", as they do for many a card.

    A call that is not found costs more than one that answers: nvitop logs a traceback.
    """
    import pynvml  # noqa: PLC0415, TID251 - whoever calls this is about to import it

    find = pynvml._nvmlGetFunctionPointer  # noqa: SLF001 - the one place where the binding looks for calls

    def found(name: str) -> Any:
        try:
            return find(name)
        except pynvml.NVMLError_FunctionNotFound:
            return lambda *_: pynvml.NVML_ERROR_NOT_SUPPORTED

    pynvml._nvmlGetFunctionPointer = found  # noqa: SLF001


CONTESTANTS = {
    "colab_magics": Contestant(load_colab_magics, count_colab_magics),
    "nvitop": Contestant(load_nvitop, count_nvitop),
    "nvitop, processes in full": Contestant(load_nvitop_in_full, count_nvitop),
    "gpustat": Contestant(load_gpustat, count_gpustat),
    "gpustat without its sleep": Contestant(load_gpustat_without_sleep, count_gpustat),
}


# One contestant, in its own process ---------------------------------------------------------------------------------


def measure(name: str) -> dict[str, Any]:
    """Return how long a contestant takes to be imported, to its first report, and for each report after that."""
    for module in LOADED_IN_A_KERNEL:
        importlib.import_module(module)
    contestant = CONTESTANTS[name]
    look, import_ms = timed(contestant.load)
    seen, first_ms = timed(look)
    warm_ms: list[float] = []
    until = time.perf_counter() + MOST_SECONDS
    while not warm_ms or (len(warm_ms) < MOST_REPORTS and time.perf_counter() < until):
        warm_ms.append(timed(look)[1])
    return {
        "import_ms": import_ms,
        "first_ms": import_ms + first_ms,
        "warm_ms": statistics.median(warm_ms),
        "seen": contestant.count(seen),
    }


def timed(act: Callable[[], Any]) -> tuple[Any, float]:
    """Return what an act gives, and how many milliseconds it took."""
    started = time.perf_counter()
    given = act()
    return given, (time.perf_counter() - started) * 1000


# All of them --------------------------------------------------------------------------------------------------------


def run(runs: int) -> list[dict[str, Any]]:
    """Let the contestants take turns, case by case, and return a row of medians for each of them in each case."""
    samples: dict[tuple[Case, str], list[dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        environments = {case: environment_of(case, Path(folder)) for case in CASES}
        for number in range(runs):
            print(f"run {number + 1} of {runs}", file=sys.stderr)
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


def environment_of(case: Case, folder: Path) -> dict[str, str]:
    """Return the environment of a process that finds a fake driver with so many GPUs and processes."""
    sys.path.insert(0, str(ROOT / "tests"))
    from fake_nvml import FakeDriver  # noqa: PLC0415 - lies beside the tests

    driver = FakeDriver(folder / f"{case.gpus}-{case.processes}", PROFILES[case.gpus])
    each, rest = divmod(case.processes, case.gpus)
    driver.set(*(f"gpu{index}.processes = {each + (index < rest)}" for index in range(case.gpus)))
    driver.set("gpu*.memory_used = 2147483648")
    environment = driver.environment() | {"PYTHONPATH": str(ROOT)}
    del environment["FAKE_NVML_LOG"]
    return environment


def measured_apart(name: str, environment: dict[str, str]) -> dict[str, Any]:
    """Return what a contestant measures in a process of its own."""
    command = [sys.executable, __file__, "--measure", name]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)  # noqa: S603 - this very file
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured


def row(case: Case, name: str, samples: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the medians of a contestant in a case, and every run's figures they are taken of."""
    figures = ("import_ms", "first_ms", "warm_ms")
    every = {figure: [round(sample[figure], 3) for sample in samples] for figure in figures}
    gpus, processes = samples[0]["seen"]
    return {
        **case._asdict(),
        "contestant": name,
        "gpus_seen": gpus,
        "processes_seen": processes,
        **{figure: round(statistics.median(values), 3) for figure, values in every.items()},
        "runs": every,
    }


# What comes of it ---------------------------------------------------------------------------------------------------


def machine() -> dict[str, Any]:
    """Describe the machine, without a word that tells whose it is."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "processor": processor(),
        "kernel": f"{platform.system()} {platform.release().partition('-')[0]}",
        "load_average": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
    }


def processor() -> str:
    """Return the name of the processor's model."""
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return platform.machine()


def versions() -> dict[str, str]:
    """Return the versions of what takes part."""
    sys.path.insert(0, str(ROOT))
    import colab_magics  # noqa: PLC0415 - the one in this checkout, installed or not

    return {"colab_magics": colab_magics.__version__} | {name: importlib.metadata.version(name) for name in PACKAGES}


def tables(rows: list[dict[str, Any]]) -> str:
    """Return the medians as Markdown: how many times as long as colab_magics the others take, and what it takes."""
    titles = {"first_ms": "First report, imports included", "warm_ms": "Every report after that"}
    return "\n\n".join(f"{title}:\n\n{table(rows, figure)}" for figure, title in titles.items())


def table(rows: list[dict[str, Any]], figure: str) -> str:
    """Return one figure of every contestant, a line for each case."""
    ours, *others = CONTESTANTS
    medians = {(row["gpus"], row["processes"], row["contestant"]): row[figure] for row in rows}
    lines = [f"| GPUs | processes | {' | '.join(others)} | {ours} |", "|---:" * (len(others) + 3) + "|"]
    for case in CASES:
        base = medians[*case, ours]
        ratios = " | ".join(f"{medians[*case, other] / base:.2f} x" for other in others)
        lines.append(f"| {case.gpus} | {case.processes} | {ratios} | {base:.1f} ms |")
    return "\n".join(lines)


def main() -> None:
    """Run the benchmark, print its tables, keep its figures."""
    today = datetime.now(tz=UTC).date().isoformat()
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--runs", type=int, default=5, help="how often each contestant meets each case (default: 5)")
    options.add_argument("--output", type=Path, default=RESULTS / f"gpu_growth-{today}.json", help="the file to write")
    options.add_argument("--measure", choices=CONTESTANTS, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.measure:
        print(json.dumps(measure(given.measure)))
        return
    found = {"benchmark": "gpu_growth", "date": today, "machine": machine(), "packages": versions()}
    rows = run(given.runs)
    given.output.parent.mkdir(parents=True, exist_ok=True)
    given.output.write_text(json.dumps(found | {"runs": given.runs, "results": rows}, indent=1) + "\n")
    print(tables(rows))


if __name__ == "__main__":
    main()
