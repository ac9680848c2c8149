"""Who has a GPU's memory, in words and as bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics import units
from colab_magics.model import Subject, seen
from colab_magics.values import Record
from colab_magics.views import gpus, layout, messages
from colab_magics.views.bars import Bar

if TYPE_CHECKING:
    from colab_magics.model.holders import GpuShares
    from colab_magics.report import Report
    from colab_magics.translation import Translator

_LEAST_BYTES = 2**20
"""Parts of less are not shown, but for those that every GPU has."""


class Divided(Record):
    """A GPU's memory by who has it, as it is shown."""

    title: str
    """Which GPU's it is, and how much there is."""
    bars: tuple[Bar, ...]
    """Who has how much; the shares make up the whole."""
    notes: tuple[str, ...]
    """What cannot be told, and why; in sentences."""


def divided(report: Report, translate: Translator) -> list[Divided]:
    """Return each GPU's memory by who has it; nothing where that was not asked for."""
    if report.subject is not Subject.GPU:
        return []
    return [_divided(one, translate) for one in seen(report.snapshot.gpu_shares)]


def lines(one: Divided) -> list[str]:
    """Return a GPU's memory as text of at most 80 columns, its title first."""
    rows = [["", "", ""], *([bar.label, bar.words, _percent(bar)] for bar in one.bars)]
    shown = [f"  {line.rstrip()}" for line in layout.columns(rows, left={0}, shorten=(0,), most=layout.WIDTH - 2)[1:]]
    return [one.title, *shown, *(line for note in one.notes for line in layout.broken(note))]


def _divided(one: GpuShares, translate: Translator) -> Divided:
    reasons = dict(one.unavailable)
    if one.total_bytes is None:
        why = messages.field_reason(reasons.get("total_bytes", "not_supported"), translate)
        told = [gpus.framework_sentence(memory, translate) for memory in one.frameworks]
        if one.index is None:
            device = f"cuda:{one.frameworks[0].device}"
            title = translate("{name}: {facts}.", name=translate("Memory of {device}", device=device), facts=why)
        else:
            title = translate("{name}: {facts}.", name=_whose(one, translate), facts=why)
        return Divided(title, (), tuple(told))
    title = translate("{name}: {facts}", name=_whose(one, translate), facts=units.size(one.total_bytes))
    return Divided(title, tuple(_bars(one, one.total_bytes, translate)), tuple(_notes(one, translate)))


def _whose(one: GpuShares, translate: Translator) -> str:
    device = f"GPU {one.index}" if one.slice_index is None else f"GPU {one.index} MIG {one.slice_index}"
    return translate("Memory of {device}", device=device)


def _bars(one: GpuShares, total_bytes: int, translate: Translator) -> list[Bar]:
    parts: list[tuple[str, int | None]] = []
    for memory in one.frameworks:
        name = memory.framework
        parts.append((translate("{framework}, allocated", framework=name), memory.allocated_bytes or None))
        parts.append((translate("{framework}, cache", framework=name), memory.cached_bytes or None))
        if memory.allocated_bytes is None:
            parts.append((name, memory.reserved_bytes or None))
    parts += [
        (translate("context of this kernel"), one.context_bytes),
        (translate("other processes"), one.other_processes_bytes),
        (_untold(one, translate), one.untold_bytes if (one.untold_bytes or 0) >= _LEAST_BYTES else None),
        (translate("driver"), one.driver_bytes),
        (translate("free"), one.free_bytes),
    ]
    return [Bar(name, 100 * size / total_bytes, units.size(size)) for name, size in parts if size is not None]


def _untold(one: GpuShares, translate: Translator) -> str:
    """Return what stands in one figure because it cannot be told apart."""
    if one.context_bytes is None and one.other_processes_bytes is None:
        return translate("context of this kernel, and other processes")
    if one.context_bytes is None:
        return translate("the rest of this kernel, and unknown")
    return translate("not told whose")


def _notes(one: GpuShares, translate: Translator) -> list[str]:
    names = {
        "frameworks": translate("what the frameworks have"),
        "context_bytes": translate("context of this kernel"),
        "other_processes_bytes": translate("other processes"),
        "driver_bytes": translate("driver"),
    }
    by_reason: dict[str, list[str]] = {}
    for field, reason in one.unavailable:
        by_reason.setdefault(reason, []).append(names[field])
    silent = [memory for memory in one.frameworks if memory.allocated_bytes is None and memory.reserved_bytes is None]
    return [
        *(
            translate(
                "Not known: {names} ({why}).",
                names=translate.listed(fields),
                why=messages.field_reason(reason, translate),
            )
            for reason, fields in by_reason.items()
        ),
        *(gpus.framework_sentence(memory, translate) for memory in silent),
    ]


def _percent(bar: Bar) -> str:
    return "" if bar.percent is None else f"{bar.percent:.0f} %"
