"""What fills or works, as bars: a share, what is left, and how grave that is.

Report, terminal and panel draw the same ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from colab_magics import units
from colab_magics.model import SHARED_MEMORY, Ram, Subject, seen
from colab_magics.rules import RULES
from colab_magics.values import Record, replace
from colab_magics.views import gpus, machine, messages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from colab_magics.model import Disk, Gpu, GpuMemory, Severity, Snapshot
    from colab_magics.model.cells import Cell
    from colab_magics.translation import Translator


class Bar(Record):
    """One row: what it is of, the share in percent where there is one, and what there is to say of it."""

    label: str
    percent: float | None
    words: str
    """What matters most of it: what is left, mostly."""
    more: tuple[str, ...] = ()
    """What else there is to say."""
    severity: Severity | None = None
    """How grave its state is, as the rules see it; None where it is all right."""


def of_report(subject: Subject, snapshot: Snapshot, translate: Translator, *, everything: bool) -> list[Bar]:
    """Return the bars of a report, those of its subject first; several GPUs are a table of their own.

    `snapshot` is what the report is about. Shared memory has a bar with `everything`, and where it is too full.
    """
    if subject is Subject.CELL:
        return [bar for measured in snapshot.cells or () for bar in of_cell(measured, snapshot, translate)]
    shown = []
    several = seen(snapshot.gpus)
    if len(several) == 1:
        gpu = several[0]
        use = of_gpu_use(gpu, translate, has_history=bool(snapshot.samples))
        shown += [bar for bar in (of_gpu_memory(gpu, snapshot, translate), use) if bar]
        shown += of_slices(gpu, translate)
    if isinstance(snapshot.ram, Ram):
        ram = of_ram(snapshot, translate)
        shown = [ram, *shown] if subject is Subject.RAM else [*shown, ram]
    runtime_disks = snapshot.runtime_disks
    for disk in seen(snapshot.disks):
        bar = of_disk(disk, snapshot, translate)
        if everything or disk in runtime_disks or bar.severity is not None:
            shown.append(bar)
    return shown


def of_cell(measured: Cell, snapshot: Snapshot, translate: Translator) -> list[Bar]:
    """Return the peaks of a cell, of RAM and of each GPU, as shares of what there is."""
    from colab_magics.views import cell

    capacity_bytes = snapshot.ram.capacity_bytes if isinstance(snapshot.ram, Ram) else None
    first, *more = cell.ram_phrases(measured, translate)
    severity = _severity(("cell_nearly_filled_ram",), snapshot)
    shown = [Bar(translate("RAM"), _share(measured.ram_peak_bytes, capacity_bytes), first, tuple(more), severity)]
    works = measured.gpus or ()
    for work in works:
        number = "" if len(works) == 1 else f" ({work.index})"
        used = cell.use(work, translate) or translate("not available")
        energy = () if work.energy_joules is None else (units.energy(work.energy_joules),)
        more = [*energy, messages.device(work.name, translate)]
        shown.append(Bar(translate("GPU use") + number, work.busy_percent, used, tuple(more)))
        share = _share(work.memory_peak_bytes, work.memory_total_bytes)
        peak = cell.memory(work, translate) or translate("not available")
        kept = tuple(filter(None, (cell.kept_there(work, translate),)))
        shown.append(Bar(translate("GPU memory") + number, share, peak, kept))
    return shown


def _share(part_bytes: int | None, whole_bytes: int | None) -> float | None:
    return None if part_bytes is None or not whole_bytes else min(100.0, 100 * part_bytes / whole_bytes)


def of_gpu_memory(gpu: Gpu, snapshot: Snapshot, translate: Translator) -> Bar | None:
    """Return how much of a GPU's memory is taken; None where it has none, or the driver does not tell."""
    if gpu.memory is None:
        return None
    held_bytes = gpus.held_bytes(one for one in gpu.processes or () if one.is_this_kernel)
    here = (translate("this kernel {size}", size=units.size(held_bytes)),) if held_bytes else ()
    return _memory(translate("GPU memory"), gpu.memory, here, translate, memory_severity(gpu, snapshot))


def of_gpu_use(gpu: Gpu, translate: Translator, *, has_history: bool = False) -> Bar | None:
    """Return how much of the time a GPU is busy, beside its temperature and its power; None where it is not told.

    How busy it was lately is said too, but where a line of the last minutes shows it.
    """
    percent = gpu.utilization_percent
    if percent is None:
        return None
    lately = None if has_history else gpus.recent_use(gpu, translate)
    words, *more = [*gpus.heat(gpu, translate), *filter(None, (lately,))] or ("",)
    return Bar(translate("GPU use"), percent, words, tuple(more))


def of_slices(gpu: Gpu, translate: Translator) -> list[Bar]:
    """Return the memory of each MIG device of a GPU."""
    rows = []
    for part in gpu.slices:
        label, name = f"MIG {part.index}", messages.device(part.name, translate)
        more = (name,) if part.cuda_index is None else (name, f"cuda:{part.cuda_index}")
        if part.memory is None:
            rows.append(Bar(label, None, translate("memory not available"), more))
        else:
            rows.append(_memory(label, part.memory, more, translate))
    return rows


def of_ram(snapshot: Snapshot, translate: Translator) -> Bar:
    """Return how much is taken of the RAM that this process may use; `snapshot` has looked at it."""
    ram = snapshot.ram
    assert isinstance(ram, Ram)  # noqa: S101 - for the type checker
    more = [] if ram.kernel_bytes is None else [translate("this kernel {size}", size=units.size(ram.kernel_bytes))]
    if ram.children_bytes:
        more.append(translate("its child processes {size}", size=units.size(ram.children_bytes)))
    if ram.capacity_by != "machine":
        more.append(messages.limit(ram.capacity_by, translate))
    return Bar(
        translate("RAM"),
        ram.usage.used_percent,
        machine.size_left(ram.headroom_bytes, translate),
        tuple(more),
        _severity(("ram_nearly_full",), snapshot),
    )


def of_disk(disk: Disk, snapshot: Snapshot, translate: Translator) -> Bar:
    """Return how much is taken of a file system, or why that is not known."""
    name, usage = machine.disk_name(disk, seen(snapshot.disks), translate), disk.usage
    if usage is None or disk.free_bytes is None:
        return Bar(name, None, machine.disk_reason(disk, translate) or translate("not available"))
    severity = _severity(_rules_of(disk), snapshot, disks=(disk,))
    return Bar(name, usage.used_percent, machine.size_left(disk.free_bytes, translate), severity=severity)


def _rules_of(disk: Disk) -> list[str]:
    rules = [] if disk.places == (SHARED_MEMORY,) else ["disk_nearly_full"]
    return [*rules, "shared_memory_nearly_full"] if SHARED_MEMORY in disk.places else rules


def memory_severity(gpu: Gpu, snapshot: Snapshot) -> Severity | None:
    """Return how grave it is that this much of a GPU's memory is taken; None where it is all right."""
    return _severity(("gpu_memory_nearly_full",), snapshot, gpus=(gpu,))


def _severity(rules: Sequence[str], snapshot: Snapshot, **alone: Any) -> Severity | None:
    """Return how grave the rules find what was seen of one thing, with nothing beside it of its section.

    They are asked about that thing only where they find something in the whole: mostly they do not.
    """
    found = (RULES[rule](replace(snapshot, **alone)) for rule in rules if RULES[rule](snapshot) is not None)
    return max((one.severity for one in found if one is not None), default=None)


def _memory(
    label: str, memory: GpuMemory, more: tuple[str, ...], translate: Translator, severity: Severity | None = None
) -> Bar:
    words = translate("{used} of {total} GiB", used=units.gib(memory.used_bytes), total=units.gib(memory.total_bytes))
    return Bar(label, memory.used_percent, words, more, severity)
