"""Several GPUs as one table: all of them, the names once where they are alike, every figure in its column."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics import units
from colab_magics.model import seen
from colab_magics.values import Record
from colab_magics.views import bars, layout, messages

if TYPE_CHECKING:
    from collections.abc import Iterable

    from colab_magics.model import Gpu, GpuMemory, GpuProcess, MigSlice, Severity, Snapshot
    from colab_magics.translation import Translator

NOT_KNOWN = "-"
"""What stands in place of a figure that the driver does not tell."""


_MOST_OF_A_NAME = 20
"""How many columns the name of a process gets, so that how much it holds always stands behind it whole."""


class Row(Record):
    """One GPU, or one of its MIG devices."""

    number: str
    """The driver's number for it."""
    name: str
    """What it is called; empty where all are called alike."""
    memory: str
    """ "15.0 / 40.0", in GiB."""
    memory_percent: float | None
    use: str
    """ "98 %", "idle", "idle, was 84 %"."""
    use_percent: float | None
    temperature: str
    """In °C."""
    power: str
    """In W."""
    held_by: str
    """Who holds most of it, and how much in GiB; or why nothing is known of it."""
    is_idle: bool
    """Whether it does nothing for certain."""
    severity: Severity | None
    """How grave it is how full its memory is; None where it is all right."""


class Headings(Record):
    """The columns' names."""

    number: str
    name: str
    memory: str
    use: str
    temperature: str
    power: str
    held_by: str


def headings(translate: Translator) -> Headings:
    """Return the columns' names."""
    return Headings("#", translate("name"), translate("memory, GiB"), translate("use"), "°C", "W",
                    translate("held by, GiB"))  # fmt: skip


def rows(snapshot: Snapshot, translate: Translator) -> list[Row]:
    """Return a row for each GPU, below it one for each of its MIG devices; none where there is but one GPU."""
    several = seen(snapshot.gpus)
    if len(several) < 2:  # noqa: PLR2004 - one is not several
        return []
    names = [messages.device(gpu.name, translate) for gpu in several]
    alike = len({*names}) == 1
    shown = []
    for gpu, name in zip(several, names, strict=True):
        shown.append(_of_gpu(gpu, "" if alike else name, snapshot, translate))
        shown += [_of_slice(part, translate) for part in gpu.slices]
    return shown


def lines(table: list[Row], translate: Translator) -> list[str]:
    """Return the table as text of at most 80 columns, its headings first."""
    cells = [_cells(headings(translate)), *(_cells(row) for row in table)]
    return [line.rstrip() for line in layout.columns(cells, left={1, 6}, shorten=(1, 6))]


def _cells(row: Row | Headings) -> list[str]:
    return [row.number, row.name, row.memory, row.use, row.temperature, row.power, row.held_by]


def _of_gpu(gpu: Gpu, name: str, snapshot: Snapshot, translate: Translator) -> Row:
    percent = gpu.utilization_percent
    why = _why_mute(gpu, translate)
    return Row(
        str(gpu.index),
        name,
        NOT_KNOWN if gpu.memory is None else _memory(gpu.memory),
        None if gpu.memory is None else gpu.memory.used_percent,
        _use(gpu, translate),
        percent,
        NOT_KNOWN if gpu.temperature_celsius is None else f"{gpu.temperature_celsius:.0f}",
        NOT_KNOWN if gpu.power_watts is None else f"{gpu.power_watts:.0f}",
        _holders(gpu.processes or (), translate) if why is None else why,
        gpu.is_idle,
        bars.memory_severity(gpu, snapshot),
    )


def _of_slice(part: MigSlice, translate: Translator) -> Row:
    name = messages.device(part.name, translate)
    memory = part.memory
    return Row(
        f"MIG {part.index}",
        name,
        NOT_KNOWN if memory is None else _memory(memory),
        None if memory is None else memory.used_percent,
        "",
        None,
        "",
        "",
        _holders(part.processes or (), translate),
        is_idle=False,
        severity=None,
    )


def _use(gpu: Gpu, translate: Translator) -> str:
    percent = gpu.utilization_percent
    if percent is None:
        return NOT_KNOWN
    if percent:
        return f"{percent:.0f} %"
    if gpu.was_busy:
        return translate("idle, was {percent} %", percent=f"{gpu.recent_busy_percent:.0f}")
    return translate("idle")


def _memory(memory: GpuMemory) -> str:
    return f"{units.gib(memory.used_bytes)} / {units.gib(memory.total_bytes)}"


def _why_mute(gpu: Gpu, translate: Translator) -> str | None:
    """Return why a GPU tells neither its memory nor its use, None where it tells one of them."""
    if gpu.fault is not None:
        return messages.field_reason(gpu.fault, translate)
    if gpu.memory is not None or gpu.utilization_percent is not None:
        return None
    reason = dict(gpu.unavailable).get("memory")
    return translate("not available") if reason is None else messages.field_reason(reason, translate)


def _holders(processes: Iterable[GpuProcess], translate: Translator) -> str:
    """Return the process that holds most, with how much, and how many others there are."""
    ordered = sorted(processes, key=lambda one: (one.memory_used_bytes or 0, one.is_this_kernel), reverse=True)
    if not ordered:
        return ""
    first, others = ordered[0], len(ordered) - 1
    if first.is_this_kernel:
        name = translate("this kernel")
    elif first.name is not None:
        name = layout.shortened(units.printable(first.name), _MOST_OF_A_NAME)
    elif first.is_here is False:
        name = translate("outside this container")
    else:
        name = translate("process {number}", number=first.pid)
    held = "" if first.memory_used_bytes is None else f" {units.gib(first.memory_used_bytes)}"
    return f"{name}{held}" + (f" +{others}" if others else "")
