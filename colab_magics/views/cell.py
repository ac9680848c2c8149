"""What a cell took, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics import units
from colab_magics.model.cells import PeakMethod
from colab_magics.translation import N_
from colab_magics.views import messages

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from colab_magics.model import Snapshot
    from colab_magics.model.cells import Cell, GpuWork
    from colab_magics.translation import Translator

_WORTH_SAYING_BYTES = 2 * units.MIB
"""A peak that may be off by more is said with that."""

_HOW = {
    PeakMethod.CGROUP: N_("The peak of RAM is by what all processes of this container and their files grew by."),
    PeakMethod.SAMPLED: N_("The peak of RAM was sampled: shorter peaks are missed."),
}
_METHODS = {
    PeakMethod.RESET: N_("the kernel's record, reset at the start: exact"),
    PeakMethod.CGROUP: N_("the container's record, reset at the start: all its processes and their files"),
    PeakMethod.RECORD: N_("a new record of this process: exact"),
    PeakMethod.SAMPLED: N_("sampled: shorter peaks are missed"),
}
_SOURCES = {
    "driver": N_("by the driver's own samples"),
    "sampled": N_("sampled: what is short is missed"),
}


def of_report(snapshot: Snapshot) -> Cell:
    """Return the cell that a report is about."""
    (measured,) = snapshot.cells or ()
    return measured


def notes(cell: Cell, translate: Translator) -> tuple[str, ...]:
    """Return what is to be said of a cell beside its figures."""
    child = child_sentence(cell, translate)
    return (*(() if child is None else (child,)), *how_measured(cell, translate))


def took(cell: Cell, translate: Translator) -> str:
    """Return how long a cell took, and whether it ended by an error, as a phrase."""
    said = N_("Failed, took {time}") if cell.failed else N_("Took {time}")
    return translate(said, time=messages.elapsed(cell.wall_seconds, translate))


def name(cell: Cell, translate: Translator) -> str:
    """Return what a cell is called: by its number, where it has one."""
    return translate("Cell") if cell.number is None else translate("Cell {number}", number=cell.number)


def processor_time(cell: Cell, translate: Translator) -> str:
    """Return the processor time that a cell took, as a phrase."""
    return translate("CPU {time}", time=messages.elapsed(cell.cpu_seconds, translate))


def sentence(cell: Cell, translate: Translator) -> str:
    """Return in one sentence what a cell took of time and RAM."""
    time_taken = translate("{time} ({more})", time=took(cell, translate), more=processor_time(cell, translate))
    return translate("{name}: {facts}.", name=time_taken, facts=translate.listed(ram_phrases(cell, translate)))


def ram_phrases(cell: Cell, translate: Translator) -> list[str]:
    """Return the peak of RAM over the start and what was kept, as phrases."""
    over_bytes = cell.ram_over_start_bytes
    if over_bytes is None:
        why = messages.field_reason(dict(cell.unavailable).get("ram_peak_bytes", "unreadable"), translate)
        peak = translate("the peak of RAM is not known ({why})", why=why)
    else:
        peak = translate("peak {size} of RAM over the start", size=size(over_bytes, cell.peak_error_bytes, translate))
    kept_bytes = cell.ram_kept_bytes
    return [peak] if kept_bytes is None else [peak, kept(kept_bytes, translate)]


def kept(kept_bytes: int, translate: Translator) -> str:
    """Return how much more there is than at the start, as a phrase."""
    if abs(kept_bytes) < units.MIB:
        return translate("nothing kept")
    said = N_("{size} kept") if kept_bytes > 0 else N_("{size} let go")
    return translate(said, size=units.size(abs(kept_bytes)))


def size(size_bytes: int, error_bytes: int | None, translate: Translator) -> str:
    """Return a size, with how far it may be off where that matters."""
    if error_bytes is None or error_bytes < _WORTH_SAYING_BYTES:
        return units.size(size_bytes)
    return translate("{size} (± {error})", size=units.size(size_bytes), error=units.size(error_bytes))


def child_sentence(cell: Cell, translate: Translator) -> str | None:
    """Return what the largest child process had, None where that is not known."""
    if cell.largest_child_bytes is None:
        return None
    return translate("Its largest child process had {size}.", size=units.size(cell.largest_child_bytes))


def gpu_sentence(work: GpuWork, cell: Cell, translate: Translator) -> str:
    """Return what a cell did on a GPU."""
    known = [*filter(None, (use(work, translate), memory(work, translate), kept_there(work, translate)))]
    if work.energy_joules is not None:
        known.append(units.energy(work.energy_joules))
    facts = translate.listed(known) if known else translate("not available")
    return translate("{name}: {facts}.", name=gpu_name(work, cell, translate), facts=facts)


def gpu_name(work: GpuWork, cell: Cell, translate: Translator) -> str:
    """Return a GPU's name; where there are several, its number too."""
    name = messages.device(work.name, translate)
    return name if len(cell.gpus or ()) < 2 else f"GPU {work.index} ({name})"  # noqa: PLR2004 - one is not several


def use(work: GpuWork, translate: Translator) -> str | None:
    """Return how much of the time a GPU was busy, as a phrase."""
    if work.busy_percent is None:
        return None
    if work.busy_percent == 0:
        return translate("idle")
    return translate("busy {percent} % of the time", percent=f"{max(1.0, work.busy_percent):.0f}")


def memory(work: GpuWork, translate: Translator) -> str | None:
    """Return the peak of a GPU's memory, as a phrase."""
    if work.memory_peak_bytes is None:
        return None
    return translate("peak {size} of its memory used", size=units.size(work.memory_peak_bytes))


def kept_there(work: GpuWork, translate: Translator) -> str | None:
    """Return how much more of a GPU's memory is used than at the start, as a phrase."""
    return None if work.memory_kept_bytes is None else kept(work.memory_kept_bytes, translate)


def how_measured(cell: Cell, translate: Translator) -> list[str]:
    """Return the sentences that say what is not exact."""
    said = [translate(_HOW[cell.peak_method])] if cell.peak_method in _HOW else []
    unseen = dict(cell.unavailable).get("gpus")
    if unseen is not None:
        why = messages.field_reason(unseen, translate)
        said.append(translate("What it did on the GPU is not known: {why}.", why=why))
    works = cell.gpus or ()
    if any(work.busy_source == "sampled" for work in works):
        said.append(translate("What the GPU did is sampled: what is short is missed."))
    elif any(work.peak_source == "sampled" for work in works):
        said.append(translate("The peak of the GPU's memory is sampled: shorter peaks are missed."))
    return said


def rows(cell: Cell, translate: Translator) -> list[tuple[str, str]]:
    """Return every field of a cell, with the reason where it is not known."""
    row = _rows_of(cell, translate)
    method = None if cell.peak_method is None else translate(_METHODS[cell.peak_method])
    not_told = translate("none that was larger than this process and all children before")
    return [
        row(translate("number"), "number", str),
        row(translate("ended by an error"), "failed", lambda it: translate("yes") if it else translate("no")),
        row(translate("time"), "wall_seconds", lambda seconds: messages.elapsed(seconds, translate)),
        row(translate("processor time"), "cpu_seconds", lambda seconds: messages.elapsed(seconds, translate)),
        row(translate("RAM of this process at the start"), "ram_before_bytes", units.size),
        row(translate("at its peak"), "ram_peak_bytes", units.size),
        (translate("the peak is known by"), method or translate("not available")),
        row(translate("it may be off by"), "peak_error_bytes", lambda error: f"{error / units.MIB:.2f} MiB"),
        row(translate("at the end"), "ram_after_bytes", units.size),
        (
            translate("largest child process"),
            not_told if cell.largest_child_bytes is None else units.size(cell.largest_child_bytes),
        ),
    ]


def gpu_rows(work: GpuWork, translate: Translator) -> list[tuple[str, str]]:
    """Return every field of what a cell did on a GPU, with the reason where it is not known."""
    row = _rows_of(work, translate)

    def with_source(field: str, show: Callable[[Any], str]) -> Callable[[Any], str]:
        told = getattr(work, field)
        if told is None:
            return show
        words = translate(_SOURCES[told]) if told in _SOURCES else units.printable(told)
        return lambda value: translate("{size} ({source})", size=show(value), source=words)

    def slowed_by(causes: tuple[str, ...]) -> str:
        return translate.listed(messages.slowdown(cause, translate) for cause in causes) or translate("nothing")

    return [
        row(translate("name"), "name", units.printable),
        row(translate("use"), "busy_percent", with_source("busy_source", "{:.0f} %".format)),
        row(translate("memory used at the start"), "memory_before_bytes", units.size),
        row(translate("at its peak"), "memory_peak_bytes", with_source("peak_source", units.size)),
        row(translate("at the end"), "memory_after_bytes", units.size),
        row(translate("energy"), "energy_joules", units.energy),
        row(translate("slowed down by"), "slowdown_reasons", slowed_by),
    ]


def _rows_of(
    thing: Cell | GpuWork, translate: Translator
) -> Callable[[str, str, Callable[[Any], str]], tuple[str, str]]:
    """Return what makes a row of a field: its value as it is shown, else why it is not known."""
    reasons = dict(thing.unavailable)

    def row(label: str, field: str, show: Callable[[Any], str]) -> tuple[str, str]:
        value = getattr(thing, field)
        if value is not None:
            return label, show(value)
        if field not in reasons:
            return label, translate("not available")
        reason = messages.field_reason(reasons[field], translate)
        return label, translate("not available: {reason}", reason=reason)

    return row
