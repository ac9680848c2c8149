"""Who looks at GPUs, each in a process of its own that has loaded what a kernel has: `contestants.py NAME`.

It imports nothing of the other benchmarks: what a contestant needs is imported while the clock runs.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import statistics
import sys
import time
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

LOADED_IN_A_KERNEL = ("IPython", "psutil")

MOST_REPORTS = 20
MOST_SECONDS = 0.5
"""A contestant repeats its warm report until it has been at it for this long, but once at least."""


class Seen(NamedTuple):
    """How many GPUs and processes an answer holds."""

    gpus: int
    processes: int


class Contestant(NamedTuple):
    """`load` imports what is needed and returns the function that looks; `seen_in` says what its answer holds."""

    load: Callable[[], Callable[[], Any]]
    seen_in: Callable[[Any], Seen]


# Who they are ---------------------------------------------------------------------------------------------------------


def load_colab_magics() -> Callable[[], Any]:
    """Take the whole report with its findings: GPUs, driver, processes, frameworks."""
    import colab_magics

    return colab_magics.gpu_info


def count_colab_magics(report: Any) -> Seen:
    """Count what the report holds."""
    gpus = report.snapshot.gpus
    return Seen(len(gpus), sum(len(gpu.processes) for gpu in gpus))


def load_nvitop() -> Callable[[], Any]:
    """Take a snapshot of every device, and who holds it: number, kind and memory."""
    complete_the_driver()
    from nvitop import Device

    def look() -> tuple[list[Any], list[Any]]:
        devices = Device.all()
        processes = [process for device in devices for process in device.processes().values()]
        return [device.as_snapshot() for device in devices], processes

    return look


def load_nvitop_in_full() -> Callable[[], Any]:
    """Take what nvitop's own display is made of: of every process a snapshot too, with its user, command and load."""
    look_at_devices = load_nvitop()
    from nvitop import GpuProcess

    def look() -> tuple[list[Any], list[Any]]:
        devices, processes = look_at_devices()
        return devices, GpuProcess.take_snapshots(processes, failsafe=True)

    return look


def count_nvitop(seen: tuple[list[Any], list[Any]]) -> Seen:
    """Count the devices and the processes."""
    devices, processes = seen
    return Seen(len(devices), len(processes))


def load_gpustat() -> Callable[[], Any]:
    """Take gpustat's query as it is; it sleeps 0.1 s for every GPU."""
    complete_the_driver()
    import gpustat

    look: Callable[[], Any] = gpustat.new_query
    return look


def load_gpustat_without_sleep() -> Callable[[], Any]:
    """Take gpustat's query with `time.sleep` replaced by nothing: its own work alone."""
    look = load_gpustat()
    time.sleep = lambda _: None
    return look


def count_gpustat(query: Any) -> Seen:
    """Count what the query holds; gpustat leaves out the processes that are not in /proc."""
    return Seen(len(query), sum(len(gpu.processes) for gpu in query))


def complete_the_driver() -> None:
    """Let the calls that the fake driver lacks answer "not supported", as they do for many a card.

    A call that is not found costs more than one that answers: nvitop logs a traceback.
    """
    import pynvml

    find = pynvml._nvmlGetFunctionPointer  # noqa: SLF001 - the one place where the binding looks for calls

    def found(name: str) -> Any:
        try:
            return find(name)
        except pynvml.NVMLError_FunctionNotFound:
            return lambda *_: pynvml.NVML_ERROR_NOT_SUPPORTED

    pynvml._nvmlGetFunctionPointer = found  # noqa: SLF001


def load_bare_child() -> Callable[[], Any]:
    """Ask a child that does the least: what is measured of ours beside it is our own share."""
    from floors.child import BareChild

    found = importlib.util.find_spec("pynvml")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("pynvml")
    return BareChild(os.path.dirname(found.origin)).ask


def count_bare_child(answer: dict[str, Any]) -> Seen:
    """Count what the answer holds."""
    return Seen(len(answer["gpus"]), sum(len(processes) for *_, processes in answer["gpus"]))


FLOOR = "a bare child"
CONTESTANTS = {
    "colab_magics": Contestant(load_colab_magics, count_colab_magics),
    FLOOR: Contestant(load_bare_child, count_bare_child),
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
        "seen": contestant.seen_in(seen),
    }


def timed(act: Callable[[], Any]) -> tuple[Any, float]:
    """Return what an act gives, and how many milliseconds it took."""
    started = time.perf_counter()
    given = act()
    return given, (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1])))
