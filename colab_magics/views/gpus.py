"""GPUs in words: each one's state, its MIG devices, and who holds it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from colab_magics import units
from colab_magics.values import Record
from colab_magics.views import messages

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from colab_magics.model import Gpu, GpuProcess, MigSlice
    from colab_magics.model.holders import FrameworkMemory
    from colab_magics.translation import Translator


class Words(Record):
    """A GPU's state in words; what the driver would not tell is left out."""

    memory: str | None
    """ "0.4 of 15.0 GiB used"."""
    use: str | None
    """ "87 % busy", "idle", "idle now, busy 84 % of the last 16 s"."""
    body: tuple[str, ...]
    """Its temperature and its power."""
    nothing: str
    """Why there is nothing of all that, for when there is not."""

    def listed(self, translate: Translator) -> str:
        """Return all that is known, as a list in words."""
        known = [*filter(None, (self.memory, self.use)), *self.body]
        return translate.listed(known) if known else self.nothing


def words(gpu: Gpu, translate: Translator) -> Words:
    """Return what the driver tells of a GPU's state."""
    memory = None
    if gpu.memory is not None:
        memory = messages.used_of(gpu.memory.used_bytes, gpu.memory.total_bytes, translate)
    elif ("memory", "unified_memory") in gpu.unavailable:
        held = units.size(held_bytes(gpu.processes or ()))
        memory = translate("shares the machine's RAM, {size} held by its processes", size=held)
    return Words(memory, use(gpu, translate), heat(gpu, translate), _why_nothing(gpu, translate))


def use(gpu: Gpu, translate: Translator) -> str | None:
    """Return how busy a GPU is and, if it was busy lately, how much: alone, a report finds each GPU idle."""
    if not gpu.was_busy:
        if gpu.utilization_percent is None:
            return None
        percent = f"{gpu.utilization_percent:.0f}"
        return translate("{percent} % busy", percent=percent) if gpu.utilization_percent else translate("idle")
    lately = {"percent": f"{gpu.recent_busy_percent:.0f}", "seconds": f"{gpu.recent_seconds:.0f}"}
    if gpu.utilization_percent is None:
        return recent_use(gpu, translate)
    if gpu.utilization_percent:
        now = f"{gpu.utilization_percent:.0f}"
        return translate("{now} % busy now, {percent} % over the last {seconds} s", now=now, **lately)
    return translate("idle now, busy {percent} % of the last {seconds} s", **lately)


def recent_use(gpu: Gpu, translate: Translator) -> str | None:
    """Return how much of the last seconds a GPU was busy, None where it was not, or the driver has not noted it."""
    if not gpu.was_busy:
        return None
    percent, seconds = f"{gpu.recent_busy_percent:.0f}", f"{gpu.recent_seconds:.0f}"
    return translate("busy {percent} % of the last {seconds} s", percent=percent, seconds=seconds)


def heat(gpu: Gpu, translate: Translator) -> tuple[str, ...]:
    """Return a GPU's temperature and its power, as far as they are told."""
    known = []
    if gpu.temperature_celsius is not None:
        known.append(f"{gpu.temperature_celsius:.0f} °C")
    if gpu.power_watts is not None and gpu.power_limit_watts is not None:
        watts, limit = f"{gpu.power_watts:.0f}", f"{gpu.power_limit_watts:.0f}"
        known.append(translate("{watts} of {limit} W", watts=watts, limit=limit))
    elif gpu.power_watts is not None:
        known.append(f"{gpu.power_watts:.0f} W")
    return tuple(known)


def sentence(gpu: Gpu, translate: Translator) -> str:
    """Return one GPU in one sentence; what the driver would not tell is left out."""
    known = words(gpu, translate).listed(translate)
    return translate("{name}: {facts}.", name=messages.device(gpu.name, translate), facts=known)


def slice_sentence(part: MigSlice, translate: Translator) -> str:
    """Return one MIG device in one sentence."""
    memory = part.memory
    used = (
        translate("memory not available")
        if memory is None
        else messages.used_of(memory.used_bytes, memory.total_bytes, translate)
    )
    known = [used] if part.cuda_index is None else [used, f"cuda:{part.cuda_index}"]
    return f"MIG {part.index}  " + translate(
        "{name}: {facts}.", name=messages.device(part.name, translate), facts=translate.listed(known)
    )


def framework_sentence(memory: FrameworkMemory, translate: Translator) -> str:
    """Return what a framework has on a GPU, in one sentence."""
    name = translate("{framework} on {device}", framework=memory.framework, device=f"cuda:{memory.device}")
    known = []
    if memory.allocated_bytes is not None:
        known.append(translate("{size} allocated", size=units.size(memory.allocated_bytes)))
    if memory.cached_bytes is not None:
        known.append(translate("{size} kept for later (cache)", size=units.size(memory.cached_bytes)))
    facts = translate.listed(known) if known else translate("how much it has there it does not tell")
    return translate("{name}: {facts}.", name=name, facts=facts)


def process_sentences(gpu: Gpu, translate: Translator) -> tuple[str, ...]:
    """Return who holds a GPU: each process that is here, and what the others hold together."""
    processes = (*(gpu.processes or ()), *(one for part in gpu.slices for one in part.processes or ()))
    if gpu.processes is None and not processes:
        reason = dict(gpu.unavailable).get("processes", "not_supported")
        return (translate("Its processes are not available: {why}.", why=messages.field_reason(reason, translate)),)
    here = tuple(_process_sentence(process, translate) for process in processes if process.is_here is not False)
    elsewhere = [process for process in processes if process.is_here is False]
    if elsewhere and all(process.memory_used_bytes is not None for process in elsewhere):
        held = units.size(held_bytes(elsewhere))
        return (
            *here,
            translate("Processes outside this container: {count}; they hold {size}.", count=len(elsewhere), size=held),
        )
    if elsewhere:
        count = len(elsewhere)
        return (
            *here,
            translate(
                "Processes outside this container: {count}; they hold memory, how much is not told.", count=count
            ),
        )
    if here:
        return here
    in_use = gpu.memory is not None and gpu.memory.used_bytes > 0
    return (
        translate("The driver lists no process, though memory is in use.")
        if in_use
        else translate("No process holds it."),
    )


def process_list(gpus: Sequence[Gpu], translate: Translator) -> list[tuple[str, str]]:
    """Return who holds each GPU, as the GPU's number and a sentence; what is true of several is said once."""
    said: dict[str, list[int]] = {}
    for gpu in gpus:
        for one in process_sentences(gpu, translate):
            said.setdefault(one, []).append(gpu.index)
    return [(f"GPU {messages.numbers(tuple(indices), translate)}", one) for one, indices in said.items()]


def memory_sum(gpus: Sequence[Gpu], translate: Translator) -> str | None:
    """Return how much of several GPUs' memory is used, None where one does not tell."""
    memories = [gpu.memory for gpu in gpus if gpu.memory is not None]
    if len(memories) < len(gpus):
        return None
    used, total = (sum(sizes) for sizes in zip(*((one.used_bytes, one.total_bytes) for one in memories), strict=True))
    return messages.used_of(used, total, translate)


def busy_of(gpus: Sequence[Gpu], translate: Translator) -> str | None:
    """Return how many of several GPUs are busy, None where one does not tell."""
    uses = [gpu.utilization_percent for gpu in gpus]
    if None in uses:
        return None
    return translate("{busy} of {count} busy", busy=sum(map(bool, uses)), count=len(uses))


def counted(gpus: Sequence[Gpu], translate: Translator) -> str:
    """Return the names of GPUs, each with how many there are of it; one alone by its name."""
    if len(gpus) == 1:
        return messages.device(gpus[0].name, translate)
    models = Counter(messages.device(gpu.name, translate) for gpu in gpus)
    return translate.listed(f"{count} x {name}" for name, count in models.items())


def _process_sentence(process: GpuProcess, translate: Translator) -> str:
    name = "" if process.name is None else f" ({units.printable(process.name)})"
    known = [translate("Process {number}{name}", number=process.pid, name=name)]
    if process.is_this_kernel:
        known.append(translate("this kernel"))
    if process.is_here is None:
        known.append(translate("cannot be told whose"))
    held = translate("not available") if process.memory_used_bytes is None else units.size(process.memory_used_bytes)
    return translate("{name}: {facts}.", name=translate.listed(known), facts=held)


def held_bytes(processes: Iterable[GpuProcess]) -> int:
    """Return how much processes hold, as far as the driver tells."""
    return sum(process.memory_used_bytes or 0 for process in processes)


def _why_nothing(gpu: Gpu, translate: Translator) -> str:
    reasons = sorted({messages.field_reason(key, translate) for _, key in gpu.unavailable})
    return (
        translate("not available ({reasons})", reasons=translate.listed(reasons))
        if reasons
        else translate("not available")
    )
