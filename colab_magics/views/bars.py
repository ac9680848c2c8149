"""What fills or works, as bars: a share, and the same in words. The report and the panel draw the same ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from colab_magics import units
from colab_magics.views import messages, summary

if TYPE_CHECKING:
    from colab_magics.model import Disk, Gpu, GpuMemory, Ram
    from colab_magics.translation import Translator

MOST_GPUS = 8
"""How many are shown one by one, unless everything is wanted."""


class Bar(NamedTuple):
    """One row: what it is of, the share in percent where there is one, the same in words."""

    label: str
    percent: float | None
    words: str
    more: tuple[str, ...] = ()
    """What else there is to say where there is room."""
    fills: bool = True
    """Whether something fails when it is full, as memory does; a processor that is fully used is all right."""

    def listed(self, translate: Translator) -> str:
        """Return all its words."""
        return translate.listed((self.words, *self.more))


def of_one_gpu(gpu: Gpu, translate: Translator) -> list[Bar]:
    """Return a GPU's memory and its use; where the driver tells neither, a row that says why."""
    rows = []
    if gpu.memory is not None:
        held_bytes = sum(one.memory_used_bytes or 0 for one in gpu.processes or () if one.is_this_kernel)
        here = (translate("this kernel {size}", size=units.size(held_bytes)),) if held_bytes else ()
        rows.append(_memory(translate("GPU memory"), gpu.memory, translate)._replace(more=here))
    if gpu.utilization_percent is not None:
        body = summary.gpu_words(gpu, translate).body
        percent = gpu.utilization_percent
        rows.append(Bar(translate("GPU use"), percent, f"{percent:.0f} %", body, fills=False))
    return rows


def of_one_of_several(gpu: Gpu, translate: Translator) -> Bar:
    """Return a GPU's memory in a row that says its name and its state too."""
    label = f"{gpu.index}  {messages.device(gpu.name, translate)}"
    words = summary.gpu_words(gpu, translate)
    if gpu.memory is None:
        return Bar(label, None, words.listed(translate))
    state = (*filter(None, (words.use,)), *words.body)
    return _memory(label, gpu.memory, translate)._replace(more=state)


def of_slices(gpu: Gpu, translate: Translator) -> list[Bar]:
    """Return the memory of each MIG device of a GPU."""
    rows = []
    for part in gpu.slices:
        label, name = f"MIG {part.index}", messages.device(part.name, translate)
        if part.memory is None:
            rows.append(Bar(label, None, translate("memory not available"), (name,)))
        else:
            rows.append(_memory(label, part.memory, translate)._replace(more=(name,)))
    return rows


def of_ram(ram: Ram, translate: Translator) -> Bar:
    """Return how much is taken of the RAM that this process may use."""
    usage = ram.usage
    more = [] if ram.kernel_bytes is None else [translate("this kernel {size}", size=units.size(ram.kernel_bytes))]
    if ram.capacity_by != "machine":
        more.append(messages.limit(ram.capacity_by, translate))
    words = summary.used_of(usage.used_bytes, usage.total_bytes, translate)
    return Bar(translate("RAM"), usage.used_percent, words, tuple(more))


def of_disk(disk: Disk, disks: tuple[Disk, ...], translate: Translator) -> Bar:
    """Return how much is taken of a file system, or why that is not known."""
    name, usage = summary.disk_name(disk, disks, translate), disk.usage
    if usage is None or disk.free_bytes is None:
        return Bar(name, None, summary.disk_reason(disk, translate) or translate("not available"))
    words = summary.used_of(usage.used_bytes, usage.total_bytes, translate)
    return Bar(name, usage.used_percent, words, (translate("{size} free", size=units.size(disk.free_bytes)),))


def _memory(label: str, memory: GpuMemory, translate: Translator) -> Bar:
    return Bar(label, memory.used_percent, summary.used_of(memory.used_bytes, memory.total_bytes, translate))
