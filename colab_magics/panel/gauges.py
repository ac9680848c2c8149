"""What a panel measures the runtime by: the bars of a report, each with its last minutes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from colab_magics.model import Cpu, GpuSample, Ram, seen
from colab_magics.views import bars, messages
from colab_magics.views.bars import Bar

if TYPE_CHECKING:
    from colab_magics.model import Sample, Snapshot
    from colab_magics.report import Report
    from colab_magics.translation import Translator

_NOTHING_TOLD = GpuSample(memory_used_bytes=None, utilization_percent=None)

Shares = Sequence["float | None"]
"""The share in percent at each of the snapshot's samples, None where it is not known."""


class Gauge(NamedTuple):
    """One row: a bar and its last minutes."""

    bar: Bar
    history: Shares = ()


def gauges(report: Report, translate: Translator) -> list[Gauge]:
    """Return the rows for what was looked at, those of the report's subject first; the processors come last.

    Several GPUs are a table of their own, which has no room for histories.
    """
    snapshot = report.snapshot
    samples = snapshot.samples or ()
    histories = _histories(samples, snapshot, translate) if samples else {}
    shown = bars.of_report(report.subject, snapshot, translate, everything=False)
    rows = [Gauge(bar, histories.get(bar.label, ())) for bar in shown]
    if isinstance(snapshot.cpu, Cpu):
        rows.append(_cpu_gauge(snapshot.cpu, [sample.cpu_percent for sample in samples], translate))
    return rows


def _cpu_gauge(cpu: Cpu, history: Shares, translate: Translator) -> Gauge:
    words = cores = messages.cores(cpu.usable_cores, translate)
    if cpu.load_average is not None:
        words = translate("load {number} on {cores}", number=f"{cpu.load_average:.2f}", cores=cores)
    return Gauge(Bar(translate("CPU"), history[-1] if history else None, "", (words,)), history)


def _histories(samples: Sequence[Sample], snapshot: Snapshot, translate: Translator) -> dict[str, Shares]:
    """Return the last minutes of what has a bar, by the label of that."""
    ram, gpus = snapshot.ram, seen(snapshot.gpus)
    histories: dict[str, Shares] = {}
    if isinstance(ram, Ram):
        left = [sample.ram_headroom_bytes for sample in samples]
        capacity_bytes = ram.capacity_bytes
        histories[translate("RAM")] = [None if it is None else 100 * (1 - it / capacity_bytes) for it in left]
    if len(gpus) == 1:
        gpu, index = gpus[0], gpus[0].index
        told = [sample.gpus[index] if index < len(sample.gpus) else _NOTHING_TOLD for sample in samples]
        histories[translate("GPU use")] = [one.utilization_percent for one in told]
        if gpu.memory is not None:
            used, total_bytes = [one.memory_used_bytes for one in told], gpu.memory.total_bytes
            histories[translate("GPU memory")] = [None if it is None else 100 * it / total_bytes for it in used]
    return histories
