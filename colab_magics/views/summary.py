"""The answer in sentences: what the text and the HTML of a report both translate first."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from colab_magics import facts, units
from colab_magics.model import SHARED_MEMORY, Cpu, Platform, Ram, Severity, Subject, Unavailable, seen
from colab_magics.rules import RULES
from colab_magics.translation import N_
from colab_magics.values import replace
from colab_magics.views import messages

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from colab_magics.model import Disk, Finding, Gpu, GpuProcess, MigSlice, Snapshot, Tpu
    from colab_magics.report import Report
    from colab_magics.translation import Translator
    from colab_magics.views.render_options import RenderOptions

MOST_FINDINGS = 3
"""How many findings are shown unless everything is wanted."""

_FEW_GPUS = 2
_WHAT_IS_LEFT = N_("What is left is limited by {limited_by:limiter} {limit_bytes:size}.")

Paragraph = tuple[str, ...]
"""Sentences that belong together."""


class DeviceLine(NamedTuple):
    """One of several GPUs, or a MIG device."""

    sentence: str
    is_slice: bool


class Answer(NamedTuple):
    """What a report says first."""

    first: Paragraph
    """Its first sentence answers the question that was asked."""
    devices: tuple[DeviceLine, ...] = ()
    """Each of several GPUs with its MIG devices; of a single one the MIG devices alone."""
    others: tuple[Paragraph, ...] = ()
    """The rest."""

    @property
    def paragraphs(self) -> tuple[Paragraph, ...]:
        """All of it, in reading order."""
        return (self.first, *((device.sentence,) for device in self.devices), *self.others)


def answer(report: Report, translate: Translator) -> Answer:
    """Return what a report says first."""
    snapshot = report.snapshot
    match report.subject:
        case Subject.GPU if snapshot.gpus == ():
            return Answer((*_gpu_sentences(snapshot, translate), machine_sentence(snapshot, translate)))
        case Subject.GPU:
            return _gpu_answer(snapshot, translate)
        case Subject.RAM:
            return Answer(ram_sentences(snapshot.ram, translate))
        case Subject.RUNTIME:
            gpus = _gpu_answer(snapshot, translate)
            if snapshot.gpus == () and seen(snapshot.tpus):
                gpus = Answer((tpu_sentence(seen(snapshot.tpus), translate), *_other_gpus(snapshot, translate)))
            if len(seen(snapshot.gpus)) > _FEW_GPUS:
                gpus = Answer(gpus.first)
            rest = (
                (machine_sentence(snapshot, translate),),
                ram_sentences(snapshot.ram, translate),
                _rest_sentences(snapshot, translate),
            )
            return gpus._replace(others=tuple(paragraph for paragraph in rest if paragraph))


def subject_matter(report: Report) -> Snapshot:
    """Return what the report is about: a report on RAM has looked at the GPU only to judge the size of the RAM."""
    if report.subject is Subject.RAM:
        return replace(report.snapshot, gpus=None, driver=None, tpus=None)
    return report.snapshot


def note(report: Report, options: RenderOptions) -> str | None:
    """Return the sentence before the report, None where there is none."""
    if options.note is None:
        return None
    return options.translate(options.note, time=f"{report.snapshot.taken_at:%H:%M:%S}")


def shown_by_default(report: Report) -> tuple[Finding, ...]:
    """Return the findings that are shown when not everything is wanted."""
    return tuple(finding for finding in report.findings if finding.severity > Severity.HINT)[:MOST_FINDINGS]


def is_said(report: Report, finding: Finding) -> bool:
    """Tell whether the answer's first sentence is what this finding says."""
    return RULES[finding.rule].is_the_answer and report.subject is not Subject.RAM


class GpuWords(NamedTuple):
    """A GPU's state in words; what the driver would not tell is left out."""

    memory: str | None
    """ "0.4 of 15.0 GiB used"."""
    use: str | None
    """ "87 % busy", "idle"."""
    body: tuple[str, ...]
    """Its temperature and its power."""
    nothing: str
    """Why there is nothing of all that, for when there is not."""

    def listed(self, translate: Translator) -> str:
        """Return all that is known, as a list in words."""
        known = [*filter(None, (self.memory, self.use)), *self.body]
        return translate.listed(known) if known else self.nothing


def gpu_words(gpu: Gpu, translate: Translator) -> GpuWords:
    """Return what the driver tells of a GPU's state."""
    memory = None
    if gpu.memory is not None:
        memory = used_of(gpu.memory.used_bytes, gpu.memory.total_bytes, translate)
    elif ("memory", "unified_memory") in gpu.unavailable:
        held = units.size(_held_bytes(gpu.processes or ()))
        memory = translate("shares the machine's RAM, {size} held by its processes", size=held)
    use = None
    if gpu.utilization_percent is not None:
        percent = f"{gpu.utilization_percent:.0f}"
        use = translate("{percent} % busy", percent=percent) if gpu.utilization_percent else translate("idle")
    body = []
    if gpu.temperature_celsius is not None:
        body.append(f"{gpu.temperature_celsius:.0f} °C")
    if gpu.power_watts is not None and gpu.power_limit_watts is not None:
        watts, limit = f"{gpu.power_watts:.0f}", f"{gpu.power_limit_watts:.0f}"
        body.append(translate("{watts} of {limit} W", watts=watts, limit=limit))
    elif gpu.power_watts is not None:
        body.append(f"{gpu.power_watts:.0f} W")
    return GpuWords(memory, use, tuple(body), _why_nothing(gpu, translate))


def gpu_sentence(gpu: Gpu, translate: Translator) -> str:
    """Return one GPU in one sentence; what the driver would not tell is left out."""
    known = gpu_words(gpu, translate).listed(translate)
    return translate("{name}: {facts}.", name=messages.device(gpu.name, translate), facts=known)


def used_of(used_bytes: int, total_bytes: int, translate: Translator) -> str:
    """Return "0.4 of 15.0 GiB used"."""
    return translate("{used} of {total} GiB used", used=units.gib(used_bytes), total=units.gib(total_bytes))


def slice_sentence(part: MigSlice, translate: Translator) -> str:
    """Return one MIG device in one sentence."""
    memory = part.memory
    used = (
        translate("memory not available")
        if memory is None
        else used_of(memory.used_bytes, memory.total_bytes, translate)
    )
    known = [used] if part.cuda_index is None else [used, f"cuda:{part.cuda_index}"]
    return f"MIG {part.index}  " + translate(
        "{name}: {facts}.", name=messages.device(part.name, translate), facts=translate.listed(known)
    )


def process_sentences(gpu: Gpu, translate: Translator) -> tuple[str, ...]:
    """Return who holds a GPU: each process that is here, and what the others hold together."""
    processes = (*(gpu.processes or ()), *(one for part in gpu.slices for one in part.processes or ()))
    if gpu.processes is None and not processes:
        reason = dict(gpu.unavailable).get("processes", "not_supported")
        return (translate("Its processes are not available: {why}.", why=messages.field_reason(reason, translate)),)
    here = tuple(_process_sentence(process, translate) for process in processes if process.is_here is not False)
    elsewhere = [process for process in processes if process.is_here is False]
    if elsewhere and all(process.memory_used_bytes is not None for process in elsewhere):
        held = units.size(_held_bytes(elsewhere))
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


def accelerators(snapshot: Snapshot, translate: Translator) -> str:
    """Return what computes here beside the processors: the GPUs by name, that there is none, or why nobody knows."""
    gpus = seen(snapshot.gpus)
    if gpus:
        return translate("{name}.", name=_counted(gpus, translate))
    return translate.joined(_gpu_sentences(snapshot, translate))


def machine_sentence(snapshot: Snapshot, translate: Translator) -> str:
    """Return where this is and how large: service, cores, RAM, disk."""
    known = []
    if isinstance(snapshot.cpu, Cpu):
        known.append(messages.cores(snapshot.cpu.usable_cores, translate))
    if isinstance(snapshot.ram, Ram):
        known.append(translate("{size} RAM", size=units.size(snapshot.ram.capacity_bytes)))
    disks = snapshot.runtime_disks
    if disks and disks[0].usage is not None:
        known.append(translate("{size} disk", size=units.size(disks[0].usage.total_bytes)))
    place = _place(snapshot, translate)
    if not known:
        return translate("{name}.", name=place)
    return translate("{name}: {facts}.", name=place, facts=translate.listed(known))


def place_name(snapshot: Snapshot, translate: Translator) -> str:
    """Return where this runs: the service's own name, or the frontend's where it is no service we know."""
    platform = snapshot.platform
    if not isinstance(platform, Platform):
        return translate("A machine that could not be looked at")
    if platform.service is not None:
        return messages.service(platform.service, translate)
    return next(translate(row.label) for row in facts.frontends() if row.key == platform.frontend.key)


def ram_sentences(ram: Ram | Unavailable | None, translate: Translator) -> Paragraph:
    """Return RAM in sentences: used, what can still be allocated and what limits it, this kernel's share."""
    if not isinstance(ram, Ram):
        return (translate("RAM: not available."), messages.reason(ram, translate)) if ram else ()
    usage = ram.usage
    known = [
        used_of(usage.used_bytes, usage.total_bytes, translate),
        translate("{size} can still be allocated", size=units.size(ram.headroom_bytes)),
    ]
    if ram.kernel_bytes is not None:
        known.append(translate("this kernel {size}", size=units.size(ram.kernel_bytes)))
    sentences = [translate("{name}: {facts}.", name=translate("RAM"), facts=translate.listed(known))]
    if ram.children_bytes:
        sentences.append(translate("Its child processes hold {size}.", size=units.size(ram.children_bytes)))
    elif "children_bytes" in dict(ram.unavailable):
        why = messages.field_reason(dict(ram.unavailable)["children_bytes"], translate)
        sentences.append(translate("What its child processes hold is not known: {why}.", why=why))
    capacity = messages.capacity(ram, translate)
    if capacity is not None:
        sentences.append(capacity)
    if ram.limited_by != ram.capacity_by or ram.limit_bytes != ram.capacity_bytes:
        tightest = (("limited_by", ram.limiter), ("limit_bytes", ram.limit_bytes))
        sentences.append(messages.spoken(_WHAT_IS_LEFT, tightest, translate))
    return tuple(sentences)


def disk_name(disk: Disk, disks: Sequence[Disk], translate: Translator) -> str:
    """Return "Disk", with the places on it where there are several; shared memory has a name of its own."""
    if disk.places == (SHARED_MEMORY,):
        return translate("Shared memory")
    return translate("Disk") + _where(disk, disks, translate)


def disk_reason(disk: Disk, translate: Translator) -> str | None:
    """Return the sentence that says why a disk's figures are not known, None where they are."""
    return None if disk.unavailable is None else messages.reason(disk.unavailable, translate)


def tpu_sentence(tpus: Sequence[Tpu], translate: Translator) -> str:
    """Return what TPU this is: the environment's name for the whole, else the chips' kind and number."""
    first = tpus[0]
    if first.accelerator_type is not None:
        return translate("This is a {name} TPU runtime.", name=units.printable(first.accelerator_type))
    if len(tpus) == 1:
        return translate("There is a TPU device: {kind}.", kind=first.kind or translate("kind unknown"))
    return translate(
        "There are {count} TPU devices: {kind}.", count=len(tpus), kind=first.kind or translate("kind unknown")
    )


def _place(snapshot: Snapshot, translate: Translator) -> str:
    """Return where this is: "Colab, CPU runtime", "Jupyter"."""
    name = place_name(snapshot, translate)
    service = None if snapshot.service is None else facts.service(snapshot.service)
    if service is None or not service.accelerator_is_chosen or not isinstance(snapshot.gpus, tuple):
        return name
    if snapshot.gpus:
        return translate.listed((name, translate("GPU runtime")))
    return translate.listed((name, translate("TPU runtime") if seen(snapshot.tpus) else translate("CPU runtime")))


def _gpu_answer(snapshot: Snapshot, translate: Translator) -> Answer:
    gpus = seen(snapshot.gpus)
    several = len(gpus) > 1
    lines = []
    for gpu in gpus:
        if several:
            lines.append(DeviceLine(f"{gpu.index}  {gpu_sentence(gpu, translate)}", is_slice=False))
        lines += [DeviceLine(slice_sentence(part, translate), is_slice=True) for part in gpu.slices]
    first = (_all_gpus_sentence(gpus, translate),) if several else _gpu_sentences(snapshot, translate)
    return Answer(first, tuple(lines))


def _gpu_sentences(snapshot: Snapshot, translate: Translator) -> Paragraph:
    match snapshot.gpus:
        case Unavailable() as unavailable:
            return (messages.reason(unavailable, translate), *_other_gpus(snapshot, translate))
        case (gpu,):
            name = f"cuda:{gpu.cuda_index}"
            cuda = () if gpu.cuda_index is None else (translate("CUDA sees it as {name}.", name=name),)
            return (gpu_sentence(gpu, translate), *cuda)
        case _:
            tpus = seen(snapshot.tpus)
            tpu = (tpu_sentence(tpus, translate),) if tpus else ()
            others = _other_gpus(snapshot, translate)
            not_connected = N_("Not connected to an NVIDIA GPU.") if others else RULES["no_gpu"].message
            return (translate(not_connected), *others, *tpu)


def _other_gpus(snapshot: Snapshot, translate: Translator) -> Paragraph:
    """Return whose GPUs are here that are not NVIDIA's, and that no more is known of them."""
    vendors = seen(snapshot.other_gpu_vendors)
    if len(vendors) == 1:
        return (translate("There is an {vendor} GPU here, which colab_magics does not look at.", vendor=vendors[0]),)
    names = translate.listed(vendors)
    several = translate("There are GPUs of {vendors} here, which colab_magics does not look at.", vendors=names)
    return (several,) if vendors else ()


def _all_gpus_sentence(gpus: Sequence[Gpu], translate: Translator) -> str:
    listed = _counted(gpus, translate)
    memories = [gpu.memory for gpu in gpus if gpu.memory is not None]
    if len(memories) < len(gpus):
        return translate("There are {gpus}.", gpus=listed)
    used, total = (sum(sizes) for sizes in zip(*((one.used_bytes, one.total_bytes) for one in memories), strict=True))
    return translate("{name}: {facts}.", name=listed, facts=used_of(used, total, translate))


def _counted(gpus: Sequence[Gpu], translate: Translator) -> str:
    """Return the names of GPUs, each with how many there are of it; one alone by its name."""
    if len(gpus) == 1:
        return messages.device(gpus[0].name, translate)
    models = Counter(messages.device(gpu.name, translate) for gpu in gpus)
    return translate.listed(f"{count} x {name}" for name, count in models.items())


def _rest_sentences(snapshot: Snapshot, translate: Translator) -> Paragraph:
    sentences = []
    disks = snapshot.runtime_disks
    free = [
        f"{units.size(disk.free_bytes)}{_where(disk, disks, translate)}"
        for disk in disks
        if disk.free_bytes is not None
    ]
    if free:
        sentences.append(translate("Disk free: {sizes}.", sizes=translate.listed(free)))
    sentences += [
        translate("{name}: {facts}", name=disk_name(disk, disks, translate), facts=why)
        for disk in disks
        if (why := disk_reason(disk, translate)) is not None
    ]
    platform = snapshot.platform
    if not isinstance(platform, Platform):
        return (*sentences, messages.reason(platform, translate))
    if platform.machine_age_seconds is not None and platform.kernel_age_seconds is not None:
        machine = messages.duration(platform.machine_age_seconds, translate)
        kernel = messages.duration(platform.kernel_age_seconds, translate)
        sentences.append(translate("Up {machine}, kernel {kernel}.", machine=machine, kernel=kernel))
    versions = [f"Python {platform.python_version}"]
    if platform.ipython_version is not None:
        versions.append(f"IPython {units.printable(platform.ipython_version)}")
    sentences.append(translate("{versions}.", versions=translate.listed(versions)))
    return tuple(sentences)


def _process_sentence(process: GpuProcess, translate: Translator) -> str:
    name = "" if process.name is None else f" ({units.printable(process.name)})"
    known = [translate("Process {number}{name}", number=process.pid, name=name)]
    if process.is_this_kernel:
        known.append(translate("this kernel"))
    if process.is_here is None:
        known.append(translate("cannot be told whose"))
    held = translate("not available") if process.memory_used_bytes is None else units.size(process.memory_used_bytes)
    return translate("{name}: {facts}.", name=translate.listed(known), facts=held)


def _held_bytes(processes: Iterable[GpuProcess]) -> int:
    return sum(process.memory_used_bytes or 0 for process in processes)


def _where(disk: Disk, disks: Sequence[Disk], translate: Translator) -> str:
    several = sum(one.places != (SHARED_MEMORY,) for one in disks) > 1
    return f" ({messages.places(disk.places, translate)})" if several else ""


def _why_nothing(gpu: Gpu, translate: Translator) -> str:
    reasons = sorted({messages.field_reason(key, translate) for _, key in gpu.unavailable})
    return (
        translate("not available ({reasons})", reasons=translate.listed(reasons))
        if reasons
        else translate("not available")
    )
