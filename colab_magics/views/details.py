"""Every field of a snapshot as named rows, the unavailable ones with their reason: what `-a` adds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from colab_magics import facts, units
from colab_magics.model import (
    Cpu,
    Disk,
    Driver,
    Framework,
    Gpu,
    GpuMemory,
    Platform,
    Ram,
    Service,
    Snapshot,
    Tpu,
    Unavailable,
)
from colab_magics.views import guides, summary, messages
from colab_magics.translation import marked

if TYPE_CHECKING:
    from collections.abc import Callable

    from colab_magics.translation import Say

Rows = list[tuple[str, str]]

_PLACES_ELSEWHERE = {
    "colab_older": marked("Colab, the older dialog"),
    "colab_vscode": "VS Code",
    "colab_cli": "Colab CLI",
    "kaggle": "Kaggle",
}


def tables(snapshot: Snapshot, say: Say) -> list[tuple[str, Rows]]:
    """Return a title and its rows for each section that was looked at, in reading order."""
    found: list[tuple[str, Rows]] = []
    if isinstance(snapshot.gpus, tuple):
        found += [(f"GPU {gpu.index}", _gpu_rows(gpu, say)) for gpu in snapshot.gpus]
    if isinstance(snapshot.driver, Driver):
        found.append((say("NVIDIA driver"), _driver_rows(snapshot.driver, say)))
    found += [(f"TPU {tpu.index}", _tpu_rows(tpu, say)) for tpu in snapshot.tpus or ()]
    found += [(framework.name, _framework_rows(framework, say)) for framework in snapshot.frameworks or ()]
    if isinstance(snapshot.ram, Ram):
        found.append((say("RAM"), _ram_rows(snapshot.ram, say)))
    if isinstance(snapshot.cpu, Cpu):
        found.append((say("Processors"), _cpu_rows(snapshot.cpu, say)))
    if isinstance(snapshot.disks, tuple):
        found += [
            (say("{name}: {facts}", name=say("Disk"), facts=messages.places(disk.places, say)), _disk_rows(disk, say))
            for disk in snapshot.disks
        ]
    found.append((say("Platform"), _platform_rows(snapshot.platform, say)))
    published = _published_rows(snapshot.platform, say)
    if published:
        found.append((say("Lifetimes as published"), published))
    if snapshot.platform.service is Service.COLAB:
        found.append((say("To change the accelerator elsewhere"), _elsewhere_rows(say)))
    sections = ((say("RAM"), snapshot.ram), (say("Processors"), snapshot.cpu), (say("Disk"), snapshot.disks))
    for title, section in sections:
        if isinstance(section, Unavailable):
            found.append((title, [(say("not available"), messages.reason(section, say))]))
    return found


def _known(value: Any, show: Callable[[Any], str], say: Say, reason: str | None = None) -> str:
    if value is not None:
        return show(value)
    return say("not available") if reason is None else say("not available: {reason}", reason=reason)


def _gpu_rows(gpu: Gpu, say: Say) -> Rows:
    reasons = {field: messages.field_reason(key, say) for field, key in gpu.unavailable}

    def row(label: str, field: str, show: Callable[[Any], str]) -> tuple[str, str]:
        return label, _known(getattr(gpu, field), show, say, reasons.get(field))

    def slowed_by(causes: tuple[str, ...]) -> str:
        return say.listed(messages.slowdown(cause, say) for cause in causes) or say("nothing")

    def on_or_off(setting: object) -> str:
        return say("on") if setting else say("off")

    in_cuda = (
        say("hidden by CUDA_VISIBLE_DEVICES")
        if gpu.is_hidden
        else say("not available: {reason}", reason=say("it cannot be told for certain"))
    )
    return [
        row(say("name"), "name", units.printable),
        row("UUID", "uuid", units.printable),
        row(say("PCI address"), "pci_bus_id", units.printable),
        (say("number in CUDA"), in_cuda if gpu.cuda_index is None else f"cuda:{gpu.cuda_index}"),
        row(say("compute capability"), "compute_capability", units.printable),
        row(say("architecture"), "architecture", units.printable),
        row(say("virtualization"), "virtualization", units.printable),
        row(say("memory"), "memory", lambda memory: _memory(memory, say)),
        row(say("use"), "utilization_percent", "{:.0f} %".format),
        row(say("memory reads and writes"), "memory_utilization_percent", "{:.0f} %".format),
        row(say("temperature"), "temperature_celsius", "{:.0f} °C".format),
        row(say("power"), "power_watts", "{:.1f} W".format),
        row(say("power limit"), "power_limit_watts", "{:.1f} W".format),
        row(say("energy since the driver started"), "energy_joules", lambda joules: f"{joules / 3.6e6:.3f} kWh"),
        row(say("graphics clock"), "graphics_clock_mhz", "{} MHz".format),
        row(say("memory clock"), "memory_clock_mhz", "{} MHz".format),
        row(say("slowed down by"), "slowdown_reasons", slowed_by),
        row(say("performance state"), "performance_state", "P{}".format),
        row(say("fan"), "fan_percent", "{:.0f} %".format),
        row("ECC", "ecc_enabled", on_or_off),
        row(say("uncorrected memory errors"), "ecc_errors", str),
        row(say("persistence"), "persistence_enabled", on_or_off),
        row("MIG", "mig_enabled", on_or_off),
        *(
            (say("slice"), say("not available: {reason}", reason=reasons[field]))
            for field in reasons
            if field == "slices"
        ),
        *((say("slice"), summary.slice_sentence(part, say)) for part in gpu.slices),
        *((say("held by"), sentence) for sentence in summary.process_sentences(gpu, say)),
    ]


def _memory(memory: GpuMemory, say: Say) -> str:
    facts = [
        summary.used_of(memory.used_bytes, memory.total_bytes, say),
        say("{size} free", size=units.size(memory.free_bytes)),
    ]
    if memory.reserved_bytes is None:
        return say.listed([*facts, say("what this driver reserves counts as used")])
    return say.listed([*facts, say("{size} reserved by the driver", size=units.size(memory.reserved_bytes))])


def _driver_rows(driver: Driver, say: Say) -> Rows:
    return [
        (say("version"), _known(driver.version, units.printable, say)),
        (say("newest CUDA it can run"), _known(driver.cuda_version, units.printable, say)),
    ]


def _tpu_rows(tpu: Tpu, say: Say) -> Rows:
    return [
        (say("kind"), _known(tpu.kind, units.printable, say)),
        (say("this machine"), _known(tpu.accelerator_type, units.printable, say)),
        (say("memory, as published for this kind"), _known(tpu.memory_bytes, units.size, say)),
        (say("PCI address"), _known(tpu.pci_address, units.printable, say)),
        (say("use"), say("not available: {reason}", reason=say("a TPU tells it to its own program alone"))),
    ]


def _framework_rows(framework: Framework, say: Say) -> Rows:
    if framework.cpu_only:
        build = say("without CUDA")
    elif framework.cuda_version is None:
        build = say("not available: {reason}", reason=say("its package does not tell"))
    else:
        build = say("for CUDA {version}", version=units.printable(framework.cuda_version))
    return [
        (say("version"), units.printable(framework.version)),
        (say("build"), build),
        (say("loaded in this kernel"), say("yes") if framework.loaded else say("no")),
    ]


def _ram_rows(ram: Ram, say: Say) -> Rows:
    where = say("the machine") if ram.limited_by == "machine" else _cgroup(ram, say)
    left = say("{size}, limited by {what}", size=units.size(ram.headroom_bytes), what=where)
    rows = [
        (say("machine"), summary.used_of(ram.machine.used_bytes, ram.machine.total_bytes, say)),
        (say("available on the machine"), units.size(ram.available_bytes)),
        (say("can still be allocated"), left),
        (say("swapped out to disk"), _known(ram.swap_used_bytes, units.size, say)),
        (say("this kernel"), _known(ram.kernel_bytes, units.size, say)),
        (say("its child processes"), _known(ram.children_bytes, units.size, say)),
        (say("colab_magics' own process"), units.size(ram.observer_bytes)),
        (
            say("this kernel, shared pages counted by share (PSS)"),
            _known(ram.kernel_proportional_bytes, units.size, say),
        ),
    ]
    if ram.other_kernels is not None:
        rows.append((say("your other kernels"), str(len(ram.other_kernels))))
        rows += [
            (say("kernel with process number {number}", number=kernel.pid), units.size(kernel.resident_bytes))
            for kernel in ram.other_kernels
        ]
    return rows


def _cgroup(ram: Ram, say: Say) -> str:
    limit, version = units.size(ram.limit_bytes), ram.limited_by.replace("_", " ")
    if ram.limit_level == 0:
        return say("the container's {size} ({version}, its own)", size=limit, version=version)
    return say("the container's {size} ({version}, {level} above its own)", size=limit, version=version,
               level=ram.limit_level)  # fmt: skip


def _cpu_rows(cpu: Cpu, say: Say) -> Rows:
    quota = say("none") if cpu.quota_cores is None else messages.cores(cpu.quota_cores, say)
    return [
        (say("usable"), messages.cores(cpu.usable_cores, say)),
        (say("machine"), messages.cores(cpu.logical_cores, say)),
        (say("quota"), quota),
        (say("load of the last minute"), _known(cpu.load_average, "{:.2f}".format, say)),
    ]


def _disk_rows(disk: Disk, say: Say) -> Rows:
    return [
        (say("space"), summary.used_of(disk.usage.used_bytes, disk.usage.total_bytes, say)),
        (say("free"), units.size(disk.free_bytes)),
    ]


def _platform_rows(platform: Platform, say: Say) -> Rows:
    def age(seconds: float) -> str:
        return messages.duration(seconds, say)

    rows = [
        (say("service"), summary.service_name(platform.service, say)),
        (say("operating system"), units.printable(platform.operating_system)),
        ("Python", platform.python_version),
        ("IPython", _known(platform.ipython_version, units.printable, say)),
        (say("machine up"), _known(platform.machine_age_seconds, age, say)),
        (say("container up"), _known(platform.container_age_seconds, age, say)),
        (say("this kernel up"), _known(platform.kernel_age_seconds, age, say)),
    ]
    if platform.image is not None:
        rows.append((say("image"), units.printable(platform.image)))
    if platform.service is Service.COLAB:
        where = guides.step(("runtime_menu", "view_resources"), say)
        unseen = say("plan, compute units, browser or VS Code; see {menu}", menu=where)
        rows.append((say("not visible to a kernel"), unseen))
    return rows


def _published_rows(platform: Platform, say: Say) -> Rows:
    """Return what the service has published of lifetimes, each with the date it was read; quoted, so in English."""
    rows = []
    for limit in facts.limits():
        if limit.service == platform.service:
            number = f"{limit.value:g} {limit.unit}"
            figure = say("about {number}", number=number) if limit.about else number
            rows.append((figure, say("{facts} (read {date})", facts=limit.applies, date=limit.date)))
    return rows


def _ways(menu: facts.OtherMenu, say: Say) -> str:
    """Return the way through a menu, or commands, which are no way but a choice."""
    return say.listed(menu.path) if menu.place == "colab_cli" else " > ".join(menu.path)


def _elsewhere_rows(say: Say) -> Rows:
    """Return how to change the accelerator where Colab is used without its web page, and on Kaggle."""
    return [
        (
            say(_PLACES_ELSEWHERE[one.place]),
            f"{_ways(one, say)} ({say.listed(one.choices)}); {one.purpose}",
        )
        for one in facts.other_menus()
    ]
