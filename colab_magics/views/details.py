"""Every field of a snapshot as named rows, the unavailable ones with their reason: what `-a` adds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from colab_magics import guides, units
from colab_magics.model import Cpu, Driver, Platform, Ram, Unavailable, seen
from colab_magics.views import cell, gpus, machine, messages, tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from colab_magics.model import Disk, Finding, Framework, Gpu, GpuMemory, Snapshot, Tpu, Usage
    from colab_magics.model.cells import Cell
    from colab_magics.translation import Translator
    from colab_magics.views.tables import Rows


def sections(snapshot: Snapshot, translate: Translator) -> list[tuple[str, Rows]]:
    """Return a title and its rows for each section that was looked at, in reading order."""
    if snapshot.cells is not None:
        ram = [(translate("RAM"), _ram_rows(snapshot.ram, translate))] if isinstance(snapshot.ram, Ram) else []
        return [*(section for measured in snapshot.cells for section in _of_cell(measured, translate)), *ram]
    found: list[tuple[str, Rows]] = [(f"GPU {gpu.index}", _gpu_rows(gpu, translate)) for gpu in seen(snapshot.gpus)]
    if isinstance(snapshot.driver, Driver):
        found.append((translate("NVIDIA driver"), _driver_rows(snapshot.driver, translate)))
    found += [(f"TPU {tpu.index}", _tpu_rows(tpu, translate)) for tpu in seen(snapshot.tpus)]
    found += [(framework.name, _framework_rows(framework, translate)) for framework in seen(snapshot.frameworks)]
    if isinstance(snapshot.ram, Ram):
        found.append((translate("RAM"), _ram_rows(snapshot.ram, translate)))
    if isinstance(snapshot.cpu, Cpu):
        found.append((translate("Processors"), _cpu_rows(snapshot.cpu, translate)))
    for disk in seen(snapshot.disks):
        name = machine.disk_name(disk, (disk,), translate)
        title = translate("{name}: {facts}", name=name, facts=messages.places(disk.places, translate))
        found.append((title, _disk_rows(disk, translate)))
    if isinstance(snapshot.platform, Platform):
        found.append((translate("Platform"), _platform_rows(snapshot.platform, snapshot, translate)))
    found += [titled for table in guides.tables(snapshot) if (titled := tables.as_rows(table, translate))[1]]
    return found + _unavailable(snapshot, translate)


def _of_cell(measured: Cell, translate: Translator) -> list[tuple[str, Rows]]:
    """Return what a cell took, and what it did on each GPU."""
    works = [(f"GPU {work.index}", cell.gpu_rows(work, translate)) for work in measured.gpus or ()]
    return [(cell.name(measured, translate), cell.rows(measured, translate)), *works]


def of_findings(findings: Iterable[Finding], snapshot: Snapshot, translate: Translator) -> list[tuple[str, Rows]]:
    """Return the facts that belong to what was found, as a title and its rows each."""
    found = (guides.for_finding(finding, snapshot) for finding in findings)
    shown = [table for guide in found if guide is not None for table in guide.tables]
    return [tables.as_rows(table, translate) for table in shown if not isinstance(table, guides.ChoicesTable)]


def _unavailable(snapshot: Snapshot, translate: Translator) -> list[tuple[str, Rows]]:
    """Return why sections are not known, but for the GPUs, of which the answer says it."""
    possible = (
        ("TPU", snapshot.tpus),
        (translate("Other GPUs"), snapshot.other_gpu_vendors),
        (translate("Frameworks"), snapshot.frameworks),
        (translate("RAM"), snapshot.ram),
        (translate("Processors"), snapshot.cpu),
        (translate("Disk"), snapshot.disks),
        (translate("Platform"), snapshot.platform),
    )
    return [
        (title, [(translate("not available"), messages.reason(section, translate))])
        for title, section in possible
        if isinstance(section, Unavailable)
    ]


def _known(value: Any, show: Callable[[Any], str], translate: Translator, reason: str | None = None) -> str:
    if value is not None:
        return show(value)
    return translate("not available") if reason is None else translate("not available: {reason}", reason=reason)


def _gpu_rows(gpu: Gpu, translate: Translator) -> Rows:
    reasons = {field: messages.field_reason(key, translate) for field, key in gpu.unavailable}

    def row(label: str, field: str, show: Callable[[Any], str]) -> tuple[str, str]:
        return label, _known(getattr(gpu, field), show, translate, reasons.get(field))

    def slowed_by(causes: tuple[str, ...]) -> str:
        return translate.listed(messages.slowdown(cause, translate) for cause in causes) or translate("nothing")

    def on_or_off(setting: object) -> str:
        return translate("on") if setting else translate("off")

    in_cuda = (
        translate("hidden by CUDA_VISIBLE_DEVICES")
        if gpu.is_hidden
        else translate("not available: {reason}", reason=translate("it cannot be told for certain"))
    )
    return [
        row(translate("name"), "name", units.printable),
        row("UUID", "uuid", units.printable),
        row(translate("PCI address"), "pci_bus_id", units.printable),
        (translate("number in CUDA"), in_cuda if gpu.cuda_index is None else f"cuda:{gpu.cuda_index}"),
        row(translate("compute capability"), "compute_capability", units.printable),
        row(translate("architecture"), "architecture", units.printable),
        row(translate("virtualization"), "virtualization", units.printable),
        row(translate("memory"), "memory", lambda memory: _memory(memory, translate)),
        row(translate("use"), "utilization_percent", "{:.0f} %".format),
        row(translate("use lately"), "recent_seconds", lambda _: _recent_use(gpu, translate)),
        row(translate("memory reads and writes"), "memory_utilization_percent", "{:.0f} %".format),
        row(translate("temperature"), "temperature_celsius", "{:.0f} °C".format),
        row(translate("power"), "power_watts", "{:.1f} W".format),
        row(translate("power limit"), "power_limit_watts", "{:.1f} W".format),
        row(translate("energy since the driver started"), "energy_joules", lambda joules: f"{joules / 3.6e6:.3f} kWh"),
        row(translate("graphics clock"), "graphics_clock_mhz", "{} MHz".format),
        row(translate("memory clock"), "memory_clock_mhz", "{} MHz".format),
        row(translate("slowed down by"), "slowdown_reasons", slowed_by),
        row(translate("performance state"), "performance_state", "P{}".format),
        row(translate("fan"), "fan_percent", "{:.0f} %".format),
        row("ECC", "ecc_enabled", on_or_off),
        row(translate("uncorrected memory errors"), "ecc_errors", str),
        row(translate("persistence"), "persistence_enabled", on_or_off),
        row("MIG", "mig_enabled", on_or_off),
        *(
            (translate("slice"), translate("not available: {reason}", reason=reasons[field]))
            for field in reasons
            if field == "slices"
        ),
        *((translate("slice"), gpus.slice_sentence(part, translate)) for part in gpu.slices),
        *((translate("held by"), sentence) for sentence in gpus.process_sentences(gpu, translate)),
    ]


def _recent_use(gpu: Gpu, translate: Translator) -> str:
    percent, seconds = f"{gpu.recent_busy_percent:.0f}", f"{gpu.recent_seconds:.0f}"
    return translate("{percent} % of the last {seconds} s", percent=percent, seconds=seconds)


def _memory(memory: GpuMemory, translate: Translator) -> str:
    facts = [
        messages.used_of(memory.used_bytes, memory.total_bytes, translate),
        translate("{size} free", size=units.size(memory.free_bytes)),
    ]
    if memory.reserved_bytes is None:
        return translate.listed([*facts, translate("what this driver reserves counts as used")])
    return translate.listed(
        [*facts, translate("{size} reserved by the driver", size=units.size(memory.reserved_bytes))]
    )


def _driver_rows(driver: Driver, translate: Translator) -> Rows:
    def yes_or_no(answer: object) -> str:
        return translate("yes") if answer else translate("no")

    return [
        (translate("version"), _known(driver.version, units.printable, translate)),
        (translate("newest CUDA it can run"), _known(driver.cuda_version, units.printable, translate)),
        (translate("CUDA's library is here"), _known(driver.has_cuda_library, yes_or_no, translate)),
    ]


def _tpu_rows(tpu: Tpu, translate: Translator) -> Rows:
    return [
        (translate("kind"), _known(tpu.kind, units.printable, translate)),
        (translate("this machine"), _known(tpu.accelerator_type, units.printable, translate)),
        (translate("memory, as published for this kind"), _known(tpu.memory_bytes, units.size, translate)),
        (translate("PCI address"), _known(tpu.pci_address, units.printable, translate)),
        (
            translate("use"),
            translate("not available: {reason}", reason=translate("a TPU tells it to its own program alone")),
        ),
    ]


def _framework_rows(framework: Framework, translate: Translator) -> Rows:
    if framework.cpu_only:
        build = translate("without CUDA")
    elif framework.cuda_version is None:
        build = translate("not available: {reason}", reason=translate("its package does not tell"))
    else:
        build = translate("for CUDA {version}", version=units.printable(framework.cuda_version))
    carries = []
    if framework.architectures is not None:
        words = translate.listed(map(units.printable, framework.architectures))
        published = framework.architectures_source == "published"
        carries.append(
            (translate("code for"), translate("{words} (as published)", words=words) if published else words)
        )
    return [
        (translate("version"), units.printable(framework.version)),
        (translate("build"), build),
        *carries,
        (translate("loaded in this kernel"), translate("yes") if framework.loaded else translate("no")),
    ]


def _ram_rows(ram: Ram, translate: Translator) -> Rows:
    reasons = {field: messages.field_reason(key, translate) for field, key in ram.unavailable}
    left = translate("{size}, limited by {what}", size=units.size(ram.headroom_bytes), what=_limit(ram, translate))
    capacity = translate(
        "{size}, limited by {what}",
        size=units.size(ram.capacity_bytes),
        what=messages.limit(ram.capacity_by, translate),
    )
    rows = [
        (translate("machine"), messages.used_of(ram.machine.used_bytes, ram.machine.total_bytes, translate)),
        (translate("available on the machine"), units.size(ram.available_bytes)),
        *([(translate("for this process in all"), capacity)] if ram.capacity_by != "machine" else []),
        (translate("can still be allocated"), left),
        (translate("files in memory, and what processes share"), _known(ram.shared_bytes, units.size, translate)),
        (translate("processes killed for lack of memory"), _known(ram.killed_for_memory, "{}".format, translate)),
        (translate("swapped out to disk"), _known(ram.swap_used_bytes, units.size, translate)),
        (translate("this kernel"), _known(ram.kernel_bytes, units.size, translate, reasons.get("kernel_bytes"))),
        (
            translate("its child processes"),
            _known(ram.children_bytes, units.size, translate, reasons.get("children_bytes")),
        ),
        (translate("colab_magics' own process"), units.size(ram.observer_bytes)),
        (
            translate("this kernel, shared pages counted by share (PSS)"),
            _known(ram.kernel_proportional_bytes, units.size, translate),
        ),
    ]
    if ram.other_kernels is not None:
        rows.append((translate("your other kernels"), str(len(ram.other_kernels))))
        rows += [
            (translate("kernel with process number {number}", number=kernel.pid), units.size(kernel.resident_bytes))
            for kernel in ram.other_kernels
        ]
    return rows


def _limit(ram: Ram, translate: Translator) -> str:
    """Return what bites first."""
    if ram.limited_by == "machine":
        return messages.limit(ram.limited_by, translate)
    if ram.limit_level is None:
        limit = messages.limit(ram.limited_by, translate)
        return translate("{name}: {facts}", name=limit, facts=units.size(ram.limit_bytes))
    limit, version = units.size(ram.limit_bytes), ram.limited_by.replace("_", " ")
    if ram.limit_level == 0:
        return translate("the container's {size} ({version}, its own)", size=limit, version=version)
    return translate("the container's {size} ({version}, {level} above its own)", size=limit, version=version,
               level=ram.limit_level)  # fmt: skip


def _cpu_rows(cpu: Cpu, translate: Translator) -> Rows:
    quota = translate("none") if cpu.quota_cores is None else messages.cores(cpu.quota_cores, translate)
    return [
        (translate("usable"), messages.cores(cpu.usable_cores, translate)),
        (translate("machine"), messages.cores(cpu.logical_cores, translate)),
        (translate("quota"), quota),
        (translate("load of the last minute"), _known(cpu.load_average, "{:.2f}".format, translate)),
    ]


def _disk_rows(disk: Disk, translate: Translator) -> Rows:
    def used(usage: Usage) -> str:
        return messages.used_of(usage.used_bytes, usage.total_bytes, translate)

    def yes_or_no(answer: object) -> str:
        return translate("yes") if answer else translate("no")

    why = machine.disk_reason(disk, translate)
    uncounted = why or translate("it does not count them")
    return [
        (translate("space"), _known(disk.usage, used, translate, why)),
        (translate("free"), _known(disk.free_bytes, units.size, translate, why)),
        (translate("read-only"), _known(disk.is_read_only, yes_or_no, translate, why)),
        (translate("files that it can hold"), _known(disk.total_inodes, str, translate, uncounted)),
        (translate("files that can still be made"), _known(disk.free_inodes, str, translate, uncounted)),
    ]


def _platform_rows(platform: Platform, snapshot: Snapshot, translate: Translator) -> Rows:
    def age(seconds: float) -> str:
        return messages.duration(seconds, translate)

    rows = [
        (translate("service"), machine.place_name(snapshot, translate)),
        (translate("operating system"), units.printable(platform.operating_system)),
        ("Python", platform.python_version),
        ("IPython", _known(platform.ipython_version, units.printable, translate)),
        (translate("machine up"), _known(platform.machine_age_seconds, age, translate)),
        (translate("container up"), _known(platform.container_age_seconds, age, translate)),
        (translate("this kernel up"), _known(platform.kernel_age_seconds, age, translate)),
    ]
    if platform.image is not None:
        rows.append((translate("image"), units.printable(platform.image)))
    not_visible = guides.not_visible(snapshot)
    if not_visible is not None:
        rows.append((translate("not visible to a kernel"), messages.sentence(not_visible, translate)))
    return rows
