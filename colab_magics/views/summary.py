"""The answer in sentences: what the text and the HTML of a report both say first."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from colab_magics import units
from colab_magics.facts import platforms
from colab_magics.model import (
    Advice,
    Cpu,
    Disk,
    Gpu,
    GpuProcess,
    MigSlice,
    Ram,
    Report,
    Service,
    Snapshot,
    Subject,
    Tpu,
    Unavailable,
)
from colab_magics.views import messages
from colab_magics.translation import marked

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from colab_magics.translation import Say

_OUR_NAMES = {
    Service.TERMINAL: marked("IPython in a terminal"),
    Service.PYTHON: marked("Python without IPython"),
}

_SAID_BY_THE_ANSWER = frozenset({"no_gpu", "driver_failed", "driver_not_answering"})
_FEW_GPUS = 2


def answer(report: Report, say: Say) -> tuple[tuple[str, ...], ...]:
    """Return the answer as paragraphs of sentences, the first of which answers the question that was asked."""
    snapshot = report.snapshot
    match report.subject:
        case Subject.GPU if snapshot.gpus == ():
            return ((*_gpu_sentences(snapshot, say), machine_sentence(snapshot, say)),)
        case Subject.GPU:
            return _gpu_paragraphs(snapshot, say)
        case Subject.RAM:
            return (ram_sentences(snapshot.ram, say),)
        case Subject.RUNTIME:
            first, *others = _gpu_paragraphs(snapshot, say)
            if isinstance(snapshot.gpus, tuple) and len(snapshot.gpus) > _FEW_GPUS:
                others = []
            machine = (machine_sentence(snapshot, say),)
            return (first, *others, machine, ram_sentences(snapshot.ram, say), _rest_sentences(snapshot, say))


def subject_matter(report: Report) -> Snapshot:
    """Return what the report is about: a report on RAM has looked at the GPU only to judge the size of the RAM."""
    if report.subject is Subject.RAM:
        return replace(report.snapshot, gpus=None, driver=None, tpus=None)
    return report.snapshot


def is_said(report: Report, advice: Advice) -> bool:
    """Tell whether the answer's first sentence is what this advice found."""
    return advice.rule in _SAID_BY_THE_ANSWER and report.subject is not Subject.RAM


def gpu_sentence(gpu: Gpu, say: Say) -> str:
    """Return one GPU in one sentence; what the driver would not tell is left out."""
    return say("{name}: {facts}.", name=gpu_name(gpu, say), facts=gpu_facts(gpu, say))


def gpu_facts(gpu: Gpu, say: Say) -> str:
    """Return what the driver tells of a GPU's state, as a list in words."""
    facts = []
    if gpu.memory is not None:
        facts.append(used_of(gpu.memory.used_bytes, gpu.memory.total_bytes, say))
    elif ("memory", "unified_memory") in gpu.unavailable:
        held = units.size(_held_bytes(gpu.processes or ()))
        facts.append(say("shares the machine's RAM, {size} held by its processes", size=held))
    if gpu.utilization_percent is not None:
        percent = f"{gpu.utilization_percent:.0f}"
        facts.append(say("{percent} % busy", percent=percent) if gpu.utilization_percent else say("idle"))
    if gpu.temperature_celsius is not None:
        facts.append(f"{gpu.temperature_celsius:.0f} °C")
    if gpu.power_watts is not None and gpu.power_limit_watts is not None:
        facts.append(say("{watts} of {limit} W", watts=f"{gpu.power_watts:.0f}", limit=f"{gpu.power_limit_watts:.0f}"))
    elif gpu.power_watts is not None:
        facts.append(f"{gpu.power_watts:.0f} W")
    return say.listed(facts) if facts else _why_nothing(gpu, say)


def gpu_name(gpu: Gpu | MigSlice, say: Say) -> str:
    """Return a GPU's or a slice's name, safe to print."""
    return say("GPU of unknown name") if gpu.name is None else units.printable(gpu.name)


def used_of(used_bytes: int, total_bytes: int, say: Say) -> str:
    """Return "0.4 of 15.0 GiB used"."""
    return say("{used} of {total} GiB used", used=units.gib(used_bytes), total=units.gib(total_bytes))


def slice_sentence(part: MigSlice, say: Say) -> str:
    """Return one MIG device in one sentence."""
    memory = part.memory
    used = say("memory not available") if memory is None else used_of(memory.used_bytes, memory.total_bytes, say)
    facts = [used] if part.cuda_index is None else [used, f"cuda:{part.cuda_index}"]
    return f"MIG {part.index}  " + say("{name}: {facts}.", name=gpu_name(part, say), facts=say.listed(facts))


def process_sentences(gpu: Gpu, say: Say) -> tuple[str, ...]:
    """Return who holds a GPU: each process that is here, and what the others hold together."""
    processes = (*(gpu.processes or ()), *(one for part in gpu.slices for one in part.processes or ()))
    if gpu.processes is None and not processes:
        reason = dict(gpu.unavailable).get("processes", "not_supported")
        return (say("Its processes are not available: {why}.", why=messages.field_reason(reason, say)),)
    here = tuple(_process_sentence(process, say) for process in processes if process.is_here is not False)
    elsewhere = [process for process in processes if process.is_here is False]
    if elsewhere and all(process.memory_used_bytes is not None for process in elsewhere):
        held = units.size(_held_bytes(elsewhere))
        return (
            *here,
            say("Processes outside this container: {count}; they hold {size}.", count=len(elsewhere), size=held),
        )
    if elsewhere:
        count = len(elsewhere)
        return (
            *here,
            say("Processes outside this container: {count}; they hold memory, how much is not told.", count=count),
        )
    if here:
        return here
    in_use = gpu.memory is not None and gpu.memory.used_bytes > 0
    return (say("The driver lists no process, though memory is in use.") if in_use else say("No process holds it."),)


def accelerators(snapshot: Snapshot, say: Say) -> str:
    """Return what computes here beside the processors: the GPUs by name, that there is none, or why nobody knows."""
    if isinstance(snapshot.gpus, tuple) and snapshot.gpus:
        return say("{name}.", name=_counted(snapshot.gpus, say))
    return say.joined(_gpu_sentences(snapshot, say))


def machine_sentence(snapshot: Snapshot, say: Say) -> str:
    """Return where this is and how large: service, cores, RAM, disk."""
    facts = []
    if isinstance(snapshot.cpu, Cpu):
        facts.append(messages.cores(snapshot.cpu.usable_cores, say))
    if isinstance(snapshot.ram, Ram):
        facts.append(say("{size} RAM", size=units.size(snapshot.ram.machine.total_bytes)))
    if isinstance(snapshot.disks, tuple) and snapshot.disks:
        facts.append(say("{size} disk", size=units.size(snapshot.disks[0].usage.total_bytes)))
    place = _place(snapshot, say)
    return say("{name}: {facts}.", name=place, facts=say.listed(facts)) if facts else say("{name}.", name=place)


def service_name(service: Service, say: Say) -> str:
    """Return what a service is called: its own name, or ours for what is none."""
    if service in _OUR_NAMES:
        return say(_OUR_NAMES[service])
    return next((row.label for row in platforms() if row.service == service), str(service))


def ram_sentences(ram: Ram | Unavailable | None, say: Say) -> tuple[str, ...]:
    """Return RAM in sentences: used, what can still be allocated and what limits it, this kernel's share."""
    if not isinstance(ram, Ram):
        return (say("RAM: not available."), messages.reason(ram, say)) if ram else ()
    facts = [
        used_of(ram.machine.used_bytes, ram.machine.total_bytes, say),
        say("{size} can still be allocated", size=units.size(ram.headroom_bytes)),
    ]
    if ram.kernel_bytes is not None:
        facts.append(say("this kernel {size}", size=units.size(ram.kernel_bytes)))
    sentences = [say("{name}: {facts}.", name=say("RAM"), facts=say.listed(facts))]
    if ram.children_bytes:
        sentences.append(say("Its child processes hold {size}.", size=units.size(ram.children_bytes)))
    if ram.limited_by != "machine":
        sentences.append(say("This container's limit is {size}.", size=units.size(ram.limit_bytes)))
    return tuple(sentences)


def disk_name(disk: Disk, disks: Sequence[Disk], say: Say) -> str:
    """Return "Disk", with the places on it where there are several."""
    return say("Disk") + _where(disk, disks, say)


def tpu_sentence(tpus: Sequence[Tpu], say: Say) -> str:
    """Return what TPU this is: the environment's name for the whole, else the chips' kind and number."""
    first = tpus[0]
    if first.accelerator_type is not None:
        return say("This is a {name} TPU runtime.", name=units.printable(first.accelerator_type))
    return say("There are {count} TPU devices: {kind}.", count=len(tpus), kind=first.kind or say("kind unknown"))


def _place(snapshot: Snapshot, say: Say) -> str:
    """Return where this is: "Colab, CPU runtime", "Jupyter"."""
    service = service_name(snapshot.platform.service, say)
    if snapshot.platform.service not in (Service.COLAB, Service.KAGGLE) or not isinstance(snapshot.gpus, tuple):
        return service
    if snapshot.gpus:
        return say.listed((service, say("GPU runtime")))
    return say.listed((service, say("TPU runtime") if snapshot.tpus else say("CPU runtime")))


def _gpu_paragraphs(snapshot: Snapshot, say: Say) -> tuple[tuple[str, ...], ...]:
    gpus = snapshot.gpus
    if not isinstance(gpus, tuple) or not gpus:
        return (_gpu_sentences(snapshot, say),)
    if len(gpus) == 1:
        return (_gpu_sentences(snapshot, say), *((slice_sentence(part, say),) for part in gpus[0].slices))
    rows = [
        (sentence,)
        for gpu in gpus
        for sentence in (
            f"{gpu.index}  {gpu_sentence(gpu, say)}",
            *(slice_sentence(part, say) for part in gpu.slices),
        )
    ]
    return ((_all_gpus_sentence(gpus, say),), *rows)


def _gpu_sentences(snapshot: Snapshot, say: Say) -> tuple[str, ...]:
    match snapshot.gpus:
        case Unavailable() as unavailable:
            return (messages.reason(unavailable, say),)
        case (gpu,):
            cuda = () if gpu.cuda_index is None else (say("CUDA sees it as {name}.", name=f"cuda:{gpu.cuda_index}"),)
            return (gpu_sentence(gpu, say), *cuda)
        case _:
            tpu = (tpu_sentence(snapshot.tpus, say),) if snapshot.tpus else ()
            return (say("Not connected to a GPU."), *tpu)


def _all_gpus_sentence(gpus: Sequence[Gpu], say: Say) -> str:
    listed = _counted(gpus, say)
    memories = [gpu.memory for gpu in gpus if gpu.memory is not None]
    if len(memories) < len(gpus):
        return say("There are {gpus}.", gpus=listed)
    used, total = (sum(sizes) for sizes in zip(*((one.used_bytes, one.total_bytes) for one in memories), strict=True))
    return say("{name}: {facts}.", name=listed, facts=used_of(used, total, say))


def _counted(gpus: Sequence[Gpu], say: Say) -> str:
    """Return the names of GPUs, each with how many there are of it; one alone by its name."""
    if len(gpus) == 1:
        return gpu_name(gpus[0], say)
    models = Counter(gpu_name(gpu, say) for gpu in gpus)
    return say.listed(f"{count} x {name}" for name, count in models.items())


def _rest_sentences(snapshot: Snapshot, say: Say) -> tuple[str, ...]:
    platform = snapshot.platform
    sentences = []
    if isinstance(snapshot.disks, tuple):
        free = [f"{units.size(disk.free_bytes)}{_where(disk, snapshot.disks, say)}" for disk in snapshot.disks]
        sentences.append(say("Disk free: {sizes}.", sizes=say.listed(free)))
    if platform.machine_age_seconds is not None and platform.kernel_age_seconds is not None:
        machine = messages.duration(platform.machine_age_seconds, say)
        kernel = messages.duration(platform.kernel_age_seconds, say)
        sentences.append(say("Up {machine}, kernel {kernel}.", machine=machine, kernel=kernel))
    versions = [f"Python {platform.python_version}"]
    if platform.ipython_version is not None:
        versions.append(f"IPython {units.printable(platform.ipython_version)}")
    sentences.append(say("{versions}.", versions=say.listed(versions)))
    return tuple(sentences)


def _process_sentence(process: GpuProcess, say: Say) -> str:
    name = "" if process.name is None else f" ({units.printable(process.name)})"
    facts = [say("Process {number}{name}", number=process.pid, name=name)]
    if process.is_this_kernel:
        facts.append(say("this kernel"))
    if process.is_here is None:
        facts.append(say("cannot be told whose"))
    held = say("not available") if process.memory_used_bytes is None else units.size(process.memory_used_bytes)
    return say("{name}: {facts}.", name=say.listed(facts), facts=held)


def _held_bytes(processes: Iterable[GpuProcess]) -> int:
    return sum(process.memory_used_bytes or 0 for process in processes)


def _where(disk: Disk, disks: Sequence[Disk], say: Say) -> str:
    return "" if len(disks) == 1 else f" ({messages.places(disk.places, say)})"


def _why_nothing(gpu: Gpu, say: Say) -> str:
    reasons = sorted({messages.field_reason(key, say) for _, key in gpu.unavailable})
    return say("not available ({reasons})", reasons=say.listed(reasons)) if reasons else say("not available")
