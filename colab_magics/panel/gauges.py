"""What a panel measures the runtime by: the bars of a report, each with its last minutes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from colab_magics.model import Cpu, Ram, Subject, seen
from colab_magics.views import bars, messages, summary
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
    """Return the rows for what was looked at, those of the report's subject first."""
    snapshot = report.snapshot
    gpu_rows = _gpu_gauges(snapshot, translate)
    ram_rows = [_ram_gauge(snapshot.ram, snapshot, translate)] if isinstance(snapshot.ram, Ram) else []
    rows = [*ram_rows, *gpu_rows] if report.subject is Subject.RAM else [*gpu_rows, *ram_rows]
    disks = seen(snapshot.disks)
    rows += [Gauge(bars.of_disk(disk, disks, translate)) for disk in disks]
    if isinstance(snapshot.cpu, Cpu):
        rows.append(_cpu_gauge(snapshot.cpu, snapshot, translate))
    return rows


def _gpu_gauges(snapshot: Snapshot, translate: Translator) -> list[Gauge]:
    """Return memory and use of a single GPU, a row for each of several; slices by their memory."""
    gpus = seen(snapshot.gpus)
    if len(gpus) == 1:
        return _one_gpu(gpus[0], snapshot, translate)
    rows = []
    for gpu in gpus[: bars.MOST_GPUS]:
        rows.append(Gauge(bars.of_one_of_several(gpu, translate), _memory_history(gpu, snapshot)))
        rows += map(Gauge, bars.of_slices(gpu, translate))
    if len(gpus) > bars.MOST_GPUS:
        rows.append(Gauge(Bar("", None, translate("... and more: {command}", command="%gpu_info -a"))))
    return rows


def _one_gpu(gpu: Gpu, snapshot: Snapshot, translate: Translator) -> list[Gauge]:
    use_history = _gpu_history(gpu, snapshot, lambda sample: sample.utilization_percent)
    rows = [
        Gauge(bar, _memory_history(gpu, snapshot) if bar.fills else use_history)
        for bar in bars.of_one_gpu(gpu, translate)
    ]
    if not rows:
        rows.append(Gauge(Bar("GPU", None, summary.gpu_words(gpu, translate).listed(translate))))
    return [*rows, *map(Gauge, bars.of_slices(gpu, translate))]


def _ram_gauge(ram: Ram, snapshot: Snapshot, translate: Translator) -> Gauge:
    def used_percent(sample: Sample) -> float | None:
        headroom = sample.ram_headroom_bytes
        return None if headroom is None else 100 * (1 - headroom / ram.capacity_bytes)

    return Gauge(bars.of_ram(ram, translate), _history(snapshot, used_percent))


def _cpu_gauge(cpu: Cpu, snapshot: Snapshot, translate: Translator) -> Gauge:
    history = _history(snapshot, lambda sample: sample.cpu_percent)
    percent = history[-1][1] if history else None
    cores = messages.cores(cpu.usable_cores, translate)
    words = cores if percent is None else translate("{share} of {what}", share=f"{percent:.0f} %", what=cores)
    load = () if cpu.load_average is None else (translate("load {number}", number=f"{cpu.load_average:.2f}"),)
    return Gauge(Bar(translate("CPU"), percent, words, load, fills=False), history)


def _history(snapshot: Snapshot, percent: Callable[[Sample], float | None]) -> History:
    return tuple((sample.seconds_ago, percent(sample)) for sample in snapshot.samples or ())


def _gpu_history(gpu: Gpu, snapshot: Snapshot, percent: Callable[[GpuSample], float | None]) -> History:
    return _history(snapshot, lambda sample: percent(sample.gpus[gpu.index]) if gpu.index < len(sample.gpus) else None)


def _memory_history(gpu: Gpu, snapshot: Snapshot) -> History:
    def used_percent(sample: GpuSample) -> float | None:
        if gpu.memory is None or sample.memory_used_bytes is None:
            return None
        return 100 * sample.memory_used_bytes / gpu.memory.total_bytes

    return _gpu_history(gpu, snapshot, used_percent)
