"""What a panel measures the runtime by: each gauge a share, its figures in words, and its last minutes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from colab_magics import units
from colab_magics.model import Cpu, Gpu, Ram, Sample, Snapshot, Subject, Usage
from colab_magics.views import html, summary, messages

if TYPE_CHECKING:
    from collections.abc import Callable

    from colab_magics.model import Disk, GpuMemory, GpuSample, Report
    from colab_magics.translation import Say

Course = tuple[tuple[float, float | None], ...]
"""Moments of the last minutes, the oldest first: seconds ago, and the share in percent, None where not known."""


class Gauge(NamedTuple):
    """One row: a label, the share in percent if it is known, the same in words, what else there is to say.

    `fills`: something fails when it is full, as memory does; a processor that is fully used is all right.
    """

    label: str
    percent: float | None
    said: str
    more: str = ""
    course: Course = ()
    fills: bool = True


def gauges(report: Report, say: Say) -> list[Gauge]:
    """Return the rows for what was looked at, those of the report's subject first."""
    snapshot = report.snapshot
    gpu_rows = _gpu_gauges(snapshot, say)
    ram_rows = [_ram_gauge(snapshot.ram, snapshot, say)] if isinstance(snapshot.ram, Ram) else []
    rows = [*ram_rows, *gpu_rows] if report.subject is Subject.RAM else [*gpu_rows, *ram_rows]
    if isinstance(snapshot.disks, tuple):
        rows += [_disk_gauge(disk, snapshot.disks, say) for disk in snapshot.disks]
    if isinstance(snapshot.cpu, Cpu):
        rows.append(_cpu_gauge(snapshot.cpu, snapshot, say))
    return rows


def _gpu_gauges(snapshot: Snapshot, say: Say) -> list[Gauge]:
    """Return memory and use of a single GPU, a row for each of several; slices by their memory."""
    gpus = snapshot.gpus if isinstance(snapshot.gpus, tuple) else ()
    if len(gpus) != 1:
        shown = gpus[: html.MOST_GPUS]
        rows = [row for gpu in shown for row in (_one_of_several(gpu, snapshot, say), *_slices(gpu, say))]
        more = say("... and more: {command}", command="%gpu_info -a")
        return [*rows, Gauge("", None, more)] if len(gpus) > len(shown) else rows
    (gpu,) = gpus
    rows = []
    if gpu.memory is not None:
        kernel_bytes = sum(one.memory_used_bytes or 0 for one in gpu.processes or () if one.is_this_kernel)
        more = say("this kernel {size}", size=units.size(kernel_bytes)) if kernel_bytes else ""
        rows.append(_memory_gauge(say("GPU memory"), gpu.memory, more, _gpu_memory_course(gpu, snapshot), say))
    if gpu.utilization_percent is not None:
        course = _gpu_course(gpu, snapshot, lambda sample: sample.utilization_percent)
        said = f"{gpu.utilization_percent:.0f} %"
        rows.append(Gauge(say("GPU use"), gpu.utilization_percent, said, _body(gpu, say), course, fills=False))
    if not rows:
        rows.append(Gauge("GPU", None, summary.gpu_facts(gpu, say)))
    return [*rows, *_slices(gpu, say)]


def _one_of_several(gpu: Gpu, snapshot: Snapshot, say: Say) -> Gauge:
    label = f"{gpu.index}  {summary.gpu_name(gpu, say)}"
    if gpu.memory is None:
        return Gauge(label, None, summary.gpu_facts(gpu, say))
    state = summary.gpu_facts(replace(gpu, memory=None, unavailable=()), say)
    return _memory_gauge(label, gpu.memory, state, _gpu_memory_course(gpu, snapshot), say)


def _slices(gpu: Gpu, say: Say) -> list[Gauge]:
    return [
        _memory_gauge(f"MIG {part.index}", part.memory, summary.gpu_name(part, say), (), say)
        if part.memory is not None
        else Gauge(f"MIG {part.index}", None, say("memory not available"), summary.gpu_name(part, say))
        for part in gpu.slices
    ]


def _memory_gauge(label: str, memory: GpuMemory, more: str, course: Course, say: Say) -> Gauge:
    said = summary.used_of(memory.used_bytes, memory.total_bytes, say)
    return Gauge(label, memory.used_percent, said, more, course)


def _body(gpu: Gpu, say: Say) -> str:
    """Return a GPU's temperature and power."""
    body = replace(gpu, memory=None, utilization_percent=None, unavailable=())
    return summary.gpu_facts(body, say) if gpu.temperature_celsius is not None or gpu.power_watts is not None else ""


def _ram_gauge(ram: Ram, snapshot: Snapshot, say: Say) -> Gauge:
    """Return RAM by the limit that bites first: what cannot be allocated any more counts as used."""
    usage = Usage(total_bytes=ram.limit_bytes, used_bytes=max(0, ram.limit_bytes - ram.headroom_bytes))
    more = [] if ram.kernel_bytes is None else [say("this kernel {size}", size=units.size(ram.kernel_bytes))]
    if ram.limited_by != "machine":
        more.append(say("the container's limit"))

    def used_percent(sample: Sample) -> float | None:
        headroom = sample.ram_headroom_bytes
        return None if headroom is None else 100 * (1 - headroom / ram.limit_bytes)

    said = summary.used_of(usage.used_bytes, usage.total_bytes, say)
    return Gauge(say("RAM"), usage.used_percent, said, say.listed(more), _course(snapshot, used_percent))


def _disk_gauge(disk: Disk, disks: tuple[Disk, ...], say: Say) -> Gauge:
    said = summary.used_of(disk.usage.used_bytes, disk.usage.total_bytes, say)
    more = say("{size} free", size=units.size(disk.free_bytes))
    return Gauge(summary.disk_name(disk, disks, say), disk.usage.used_percent, said, more)


def _cpu_gauge(cpu: Cpu, snapshot: Snapshot, say: Say) -> Gauge:
    course = _course(snapshot, lambda sample: sample.cpu_percent)
    percent = course[-1][1] if course else None
    of = messages.cores(cpu.usable_cores, say)
    said = of if percent is None else say("{share} of {what}", share=f"{percent:.0f} %", what=of)
    more = "" if cpu.load_average is None else say("load {number}", number=f"{cpu.load_average:.2f}")
    return Gauge(say("CPU"), percent, said, more, course, fills=False)


def _course(snapshot: Snapshot, percent: Callable[[Sample], float | None]) -> Course:
    return tuple((sample.seconds_ago, percent(sample)) for sample in snapshot.samples or ())


def _gpu_course(gpu: Gpu, snapshot: Snapshot, percent: Callable[[GpuSample], float | None]) -> Course:
    return _course(snapshot, lambda sample: percent(sample.gpus[gpu.index]) if gpu.index < len(sample.gpus) else None)


def _gpu_memory_course(gpu: Gpu, snapshot: Snapshot) -> Course:
    def used_percent(sample: GpuSample) -> float | None:
        if gpu.memory is None or sample.memory_used_bytes is None:
            return None
        return 100 * sample.memory_used_bytes / gpu.memory.total_bytes

    return _gpu_course(gpu, snapshot, used_percent)
