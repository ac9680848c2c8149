"""What a panel measures the runtime by: the bars of a report, each with its last minutes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from colab_magics.model import Cpu, Ram, seen
from colab_magics.views import bars, messages
from colab_magics.views.bars import Bar

if TYPE_CHECKING:
    from collections.abc import Callable

    from colab_magics.model import Gpu, GpuSample, Sample, Snapshot
    from colab_magics.report import Report
    from colab_magics.translation import Translator

History = tuple[tuple[float, float | None], ...]
"""Moments of the last minutes, the oldest first: seconds ago, and the share in percent, None where not known."""


class Gauge(NamedTuple):
    """One row: a bar and its history."""

    bar: Bar
    history: History = ()


def gauges(report: Report, translate: Translator) -> list[Gauge]:
    """Return the rows for what was looked at, those of the report's subject first; the processors come last.

    Several GPUs are a table of their own, which has no room for histories.
    """
    snapshot = report.snapshot
    histories = {translate("RAM"): _ram_history(snapshot)}
    gpus = seen(snapshot.gpus)
    if len(gpus) == 1:
        histories[translate("GPU memory")] = _memory_history(gpus[0], snapshot)
        histories[translate("GPU use")] = _gpu_history(gpus[0], snapshot, lambda sample: sample.utilization_percent)
    shown = bars.of_report(report.subject, snapshot, translate, everything=False)
    rows = [Gauge(bar, histories.get(bar.label, ())) for bar in shown]
    if isinstance(snapshot.cpu, Cpu):
        rows.append(_cpu_gauge(snapshot.cpu, snapshot, translate))
    return rows


def _cpu_gauge(cpu: Cpu, snapshot: Snapshot, translate: Translator) -> Gauge:
    history = _history(snapshot, lambda sample: sample.cpu_percent)
    percent = history[-1][1] if history else None
    cores = messages.cores(cpu.usable_cores, translate)
    words = cores
    if cpu.load_average is not None:
        words = translate("load {number} on {cores}", number=f"{cpu.load_average:.2f}", cores=cores)
    return Gauge(Bar(translate("CPU"), percent, "", (words,)), history)


def _history(snapshot: Snapshot, percent: Callable[[Sample], float | None]) -> History:
    return tuple((sample.seconds_ago, percent(sample)) for sample in snapshot.samples or ())


def _ram_history(snapshot: Snapshot) -> History:
    ram = snapshot.ram
    if not isinstance(ram, Ram):
        return ()

    def used_percent(sample: Sample) -> float | None:
        headroom = sample.ram_headroom_bytes
        return None if headroom is None else 100 * (1 - headroom / ram.capacity_bytes)

    return _history(snapshot, used_percent)


def _gpu_history(gpu: Gpu, snapshot: Snapshot, percent: Callable[[GpuSample], float | None]) -> History:
    return _history(snapshot, lambda sample: percent(sample.gpus[gpu.index]) if gpu.index < len(sample.gpus) else None)


def _memory_history(gpu: Gpu, snapshot: Snapshot) -> History:
    def used_percent(sample: GpuSample) -> float | None:
        if gpu.memory is None or sample.memory_used_bytes is None:
            return None
        return 100 * sample.memory_used_bytes / gpu.memory.total_bytes

    return _gpu_history(gpu, snapshot, used_percent)
