"""The answer in sentences: what the text and the HTML of a report both say first."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from colab_magics import units
from colab_magics.model import Advice, Cpu, Disk, Gpu, GpuProcess, MigSlice, Ram, Report, Snapshot, Subject, Unavailable
from colab_magics.views import words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_SAID_BY_THE_ANSWER = frozenset({"no_gpu", "driver_failed", "driver_not_answering"})
_FEW_GPUS = 2


def answer(report: Report) -> tuple[tuple[str, ...], ...]:
    """Return the answer as paragraphs of sentences, the first of which answers the question that was asked."""
    snapshot = report.snapshot
    match report.subject:
        case Subject.GPU if snapshot.gpus == ():
            return ((*_gpu_sentences(snapshot), machine_sentence(snapshot)),)
        case Subject.GPU:
            return _gpu_paragraphs(snapshot)
        case Subject.RAM:
            return (ram_sentences(snapshot.ram),)
        case Subject.RUNTIME:
            first, *others = _gpu_paragraphs(snapshot)
            if isinstance(snapshot.gpus, tuple) and len(snapshot.gpus) > _FEW_GPUS:
                others = []
            machine = (machine_sentence(snapshot),)
            return (first, *others, machine, ram_sentences(snapshot.ram), _rest_sentences(snapshot))


def findings(report: Report) -> tuple[Advice, ...]:
    """Return the advice that the answer has not said already."""
    return tuple(advice for advice in report.advice if not is_said(report, advice))


def is_said(report: Report, advice: Advice) -> bool:
    """Tell whether the answer's first sentence is what this advice found."""
    return advice.rule in _SAID_BY_THE_ANSWER and report.subject is not Subject.RAM


def gpu_sentence(gpu: Gpu) -> str:
    """Return one GPU in one sentence; what the driver would not tell is left out."""
    return f"{gpu_name(gpu)}: {gpu_facts(gpu)}."


def gpu_facts(gpu: Gpu) -> str:
    """Return what the driver tells of a GPU's state, as a list in words."""
    facts = []
    if gpu.memory is not None:
        facts.append(f"{units.used_of(gpu.memory.used_bytes, gpu.memory.total_bytes)} used")
    elif ("memory", "unified_memory") in gpu.unavailable:
        facts.append(f"shares the machine's RAM, {units.size(_held_bytes(gpu.processes or ()))} held by its processes")
    if gpu.utilization_percent is not None:
        facts.append(f"{gpu.utilization_percent:.0f} % busy" if gpu.utilization_percent else "idle")
    if gpu.temperature_celsius is not None:
        facts.append(f"{gpu.temperature_celsius:.0f} °C")
    if gpu.power_watts is not None and gpu.power_limit_watts is not None:
        facts.append(f"{gpu.power_watts:.0f} of {gpu.power_limit_watts:.0f} W")
    elif gpu.power_watts is not None:
        facts.append(f"{gpu.power_watts:.0f} W")
    return ", ".join(facts) if facts else _why_nothing(gpu)


def gpu_name(gpu: Gpu | MigSlice) -> str:
    """Return a GPU's or a slice's name, safe to print."""
    return "GPU of unknown name" if gpu.name is None else units.printable(gpu.name)


def slice_sentence(part: MigSlice) -> str:
    """Return one MIG device in one sentence."""
    memory = part.memory
    used = "memory not available" if memory is None else f"{units.used_of(memory.used_bytes, memory.total_bytes)} used"
    cuda = "" if part.cuda_index is None else f", cuda:{part.cuda_index}"
    return f"MIG {part.index}  {gpu_name(part)}: {used}{cuda}."


def process_sentences(gpu: Gpu) -> tuple[str, ...]:
    """Return who holds a GPU: each process that is here, and what the others hold together."""
    processes = (*(gpu.processes or ()), *(one for part in gpu.slices for one in part.processes or ()))
    if gpu.processes is None and not processes:
        reason = dict(gpu.unavailable).get("processes")
        return (f"Its processes are not available{f': {words.field_reason(reason)}' if reason else ''}.",)
    here = tuple(_process_sentence(process) for process in processes if process.is_here is not False)
    elsewhere = [process for process in processes if process.is_here is False]
    if elsewhere:
        held = (
            f"hold {units.size(_held_bytes(elsewhere))}"
            if _is_known(elsewhere)
            else "hold memory, how much is not told"
        )
        return (*here, f"Processes outside this container: {len(elsewhere)}; they {held}.")
    if not processes:
        in_use = gpu.memory is not None and gpu.memory.used_bytes > 0
        return ("The driver lists no process, though memory is in use." if in_use else "No process holds it.",)
    return here


def machine_sentence(snapshot: Snapshot) -> str:
    """Return where this is and how large: service, cores, RAM, disk."""
    facts = []
    if isinstance(snapshot.cpu, Cpu):
        facts.append(units.cores(snapshot.cpu.usable_cores))
    if isinstance(snapshot.ram, Ram):
        facts.append(f"{units.size(snapshot.ram.machine.total_bytes)} RAM")
    if isinstance(snapshot.disks, tuple) and snapshot.disks:
        facts.append(f"{units.size(snapshot.disks[0].usage.total_bytes)} disk")
    has_gpu = bool(snapshot.gpus) if isinstance(snapshot.gpus, tuple) else None
    return f"{words.place(snapshot.platform, has_gpu=has_gpu)}: {', '.join(facts)}."


def ram_sentences(ram: Ram | Unavailable | None) -> tuple[str, ...]:
    """Return RAM in sentences: used, what can still be allocated and what limits it, this kernel's share."""
    if not isinstance(ram, Ram):
        return (f"RAM: not available. {words.reason(ram)}",) if ram else ()
    used = units.used_of(ram.machine.used_bytes, ram.machine.total_bytes)
    facts = [f"RAM: {used} used", f"{units.size(ram.headroom_bytes)} can still be allocated"]
    if ram.kernel_bytes is not None:
        facts.append(f"this kernel {units.size(ram.kernel_bytes)}")
    sentences = [f"{', '.join(facts)}."]
    if ram.children_bytes:
        sentences.append(f"Its child processes hold {units.size(ram.children_bytes)}.")
    if ram.limited_by != "machine":
        sentences.append(f"This container's limit is {units.size(ram.limit_bytes)}.")
    return tuple(sentences)


def _gpu_paragraphs(snapshot: Snapshot) -> tuple[tuple[str, ...], ...]:
    gpus = snapshot.gpus
    if not isinstance(gpus, tuple) or not gpus:
        return (_gpu_sentences(snapshot),)
    if len(gpus) == 1:
        return (_gpu_sentences(snapshot), *((slice_sentence(part),) for part in gpus[0].slices))
    rows = [
        (sentence,)
        for gpu in gpus
        for sentence in (f"{gpu.index}  {gpu_sentence(gpu)}", *map(slice_sentence, gpu.slices))
    ]
    return ((_all_gpus_sentence(gpus),), *rows)


def _gpu_sentences(snapshot: Snapshot) -> tuple[str, ...]:
    match snapshot.gpus:
        case Unavailable() as unavailable:
            return (words.reason(unavailable),)
        case (gpu,):
            cuda = () if gpu.cuda_index is None else (f"CUDA sees it as cuda:{gpu.cuda_index}.",)
            return (gpu_sentence(gpu), *cuda)
        case _:
            return ("Not connected to a GPU.",)


def _all_gpus_sentence(gpus: Sequence[Gpu]) -> str:
    models = Counter(gpu_name(gpu) for gpu in gpus)
    listed = ", ".join(f"{count} x {name}" for name, count in models.items())
    memories = [gpu.memory for gpu in gpus if gpu.memory is not None]
    if len(memories) < len(gpus):
        return f"{listed}."
    used = units.used_of(sum(memory.used_bytes for memory in memories), sum(memory.total_bytes for memory in memories))
    return f"{listed}: {used} used."


def _rest_sentences(snapshot: Snapshot) -> tuple[str, ...]:
    platform = snapshot.platform
    sentences = []
    if isinstance(snapshot.disks, tuple):
        free = ", ".join(f"{units.size(disk.free_bytes)}{_where(disk, snapshot.disks)}" for disk in snapshot.disks)
        sentences.append(f"Disk free: {free}.")
    if platform.machine_age_seconds is not None and platform.kernel_age_seconds is not None:
        machine, kernel = units.duration(platform.machine_age_seconds), units.duration(platform.kernel_age_seconds)
        sentences.append(f"Up {machine}, kernel {kernel}.")
    ipython = "" if platform.ipython_version is None else f", IPython {units.printable(platform.ipython_version)}"
    sentences.append(f"Python {platform.python_version}{ipython}.")
    return tuple(sentences)


def disk_name(disk: Disk, disks: Sequence[Disk]) -> str:
    """Return "Disk", with the places on it where there are several."""
    return f"Disk{_where(disk, disks)}"


def _where(disk: Disk, disks: Sequence[Disk]) -> str:
    return "" if len(disks) == 1 else f" ({' and '.join(disk.places)})"


def _process_sentence(process: GpuProcess) -> str:
    name = "" if process.name is None else f" ({units.printable(process.name)})"
    whose = ", this kernel" if process.is_this_kernel else ""
    doubt = " (cannot be told whose)" if process.is_here is None else ""
    held = "not available" if process.memory_used_bytes is None else units.size(process.memory_used_bytes)
    return f"Process {process.pid}{name}{whose}{doubt}: {held}."


def _held_bytes(processes: Iterable[GpuProcess]) -> int:
    return sum(process.memory_used_bytes or 0 for process in processes)


def _is_known(processes: Iterable[GpuProcess]) -> bool:
    return all(process.memory_used_bytes is not None for process in processes)


def _why_nothing(gpu: Gpu) -> str:
    reasons = {words.field_reason(key) for _, key in gpu.unavailable}
    return "not available" + (f" ({', '.join(sorted(reasons))})" if reasons else "")
