"""Every field of a snapshot as named rows, the unavailable ones with their reason: what `-a` adds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from colab_magics import units
from colab_magics.model import (
    Cpu,
    Disk,
    Driver,
    Framework,
    Gpu,
    GpuMemory,
    Platform,
    Ram,
    Snapshot,
    Unavailable,
)
from colab_magics.views import summary, words

if TYPE_CHECKING:
    from collections.abc import Callable

Rows = list[tuple[str, str]]


def tables(snapshot: Snapshot) -> list[tuple[str, Rows]]:
    """Return a title and its rows for each section that was looked at, in reading order."""
    found: list[tuple[str, Rows]] = []
    if isinstance(snapshot.gpus, tuple):
        found += [(f"GPU {gpu.index}", _gpu_rows(gpu)) for gpu in snapshot.gpus]
    if isinstance(snapshot.driver, Driver):
        found.append(("NVIDIA driver", _driver_rows(snapshot.driver)))
    found += [(framework.name, _framework_rows(framework)) for framework in snapshot.frameworks or ()]
    if isinstance(snapshot.ram, Ram):
        found.append(("RAM", _ram_rows(snapshot.ram)))
    if isinstance(snapshot.cpu, Cpu):
        found.append(("CPU", _cpu_rows(snapshot.cpu)))
    if isinstance(snapshot.disks, tuple):
        found += [(f"Disk: {' and '.join(disk.places)}", _disk_rows(disk)) for disk in snapshot.disks]
    found.append(("Platform", _platform_rows(snapshot.platform)))
    for title, section in (("RAM", snapshot.ram), ("CPU", snapshot.cpu), ("Disk", snapshot.disks)):
        if isinstance(section, Unavailable):
            found.append((title, [("not available", words.reason(section))]))
    return found


def _known(value: Any, show: Callable[[Any], str], reason: str | None = None) -> str:
    if value is not None:
        return show(value)
    return "not available" if reason is None else f"not available: {reason}"


def _gpu_rows(gpu: Gpu) -> Rows:
    reasons = {field: words.field_reason(key) for field, key in gpu.unavailable}

    def row(label: str, field: str, show: Callable[[Any], str]) -> tuple[str, str]:
        return label, _known(getattr(gpu, field), show, reasons.get(field))

    in_cuda = "hidden by CUDA_VISIBLE_DEVICES" if gpu.is_hidden else "not available: it cannot be told for certain"
    return [
        row("name", "name", units.printable),
        row("uuid", "uuid", units.printable),
        row("PCI address", "pci_bus_id", units.printable),
        ("number in CUDA", in_cuda if gpu.cuda_index is None else f"cuda:{gpu.cuda_index}"),
        row("compute capability", "compute_capability", units.printable),
        row("architecture", "architecture", units.printable),
        row("virtualization", "virtualization", units.printable),
        row("memory", "memory", _memory),
        row("use", "utilization_percent", "{:.0f} %".format),
        row("memory reads and writes", "memory_utilization_percent", "{:.0f} %".format),
        row("temperature", "temperature_celsius", "{:.0f} °C".format),
        row("power", "power_watts", "{:.1f} W".format),
        row("power limit", "power_limit_watts", "{:.1f} W".format),
        row("energy since the driver started", "energy_joules", lambda joules: f"{joules / 3.6e6:.3f} kWh"),
        row("graphics clock", "graphics_clock_mhz", "{} MHz".format),
        row("memory clock", "memory_clock_mhz", "{} MHz".format),
        row("slowed down by", "slowdown_reasons", lambda causes: ", ".join(map(words.slowdown, causes)) or "nothing"),
        row("performance state", "performance_state", "P{}".format),
        row("fan", "fan_percent", "{:.0f} %".format),
        row("ECC", "ecc_enabled", _on_or_off),
        row("uncorrected memory errors", "ecc_errors", str),
        row("persistence", "persistence_enabled", _on_or_off),
        row("MIG", "mig_enabled", _on_or_off),
        *(("slice", summary.slice_sentence(part)) for part in gpu.slices),
        *(("held by", sentence) for sentence in summary.process_sentences(gpu)),
    ]


def _memory(memory: GpuMemory) -> str:
    used = f"{units.used_of(memory.used_bytes, memory.total_bytes)} used, {units.gib(memory.free_bytes)} free"
    if memory.reserved_bytes is None:
        return f"{used} (this driver counts what it reserves as used)"
    return f"{used}, {units.gib(memory.reserved_bytes)} reserved by the driver"


def _on_or_off(setting: bool) -> str:  # noqa: FBT001 - a reading, not a switch
    return "on" if setting else "off"


def _framework_rows(framework: Framework) -> Rows:
    if framework.cpu_only:
        build = "without CUDA"
    elif framework.cuda_version is None:
        build = "not available: its package does not tell"
    else:
        build = f"for CUDA {units.printable(framework.cuda_version)}"
    return [
        ("version", units.printable(framework.version)),
        ("build", build),
        ("loaded in this kernel", "yes" if framework.loaded else "no"),
    ]


def _driver_rows(driver: Driver) -> Rows:
    return [
        ("version", _known(driver.version, units.printable)),
        ("newest CUDA it can run", _known(driver.cuda_version, units.printable)),
    ]


def _ram_rows(ram: Ram) -> Rows:
    where = "the machine" if ram.limited_by == "machine" else _cgroup(ram)
    rows = [
        ("machine", f"{units.used_of(ram.machine.used_bytes, ram.machine.total_bytes)} used"),
        ("available on the machine", units.size(ram.available_bytes)),
        ("can still be allocated", f"{units.size(ram.headroom_bytes)}, limited by {where}"),
        ("this kernel", _known(ram.kernel_bytes, units.size)),
        ("its child processes", _known(ram.children_bytes, units.size)),
        ("colab_magics' own process", units.size(ram.observer_bytes)),
        ("this kernel, shared pages counted by share (PSS)", _known(ram.kernel_proportional_bytes, units.size)),
    ]
    if ram.other_kernels is not None:
        rows.append(("your other kernels", str(len(ram.other_kernels))))
        rows += [(f"kernel with pid {kernel.pid}", units.size(kernel.resident_bytes)) for kernel in ram.other_kernels]
    return rows


def _cgroup(ram: Ram) -> str:
    level = "its own" if ram.limit_level == 0 else f"{ram.limit_level} above its own"
    return f"the container's {units.size(ram.limit_bytes)} ({ram.limited_by.replace('_', ' ')}, {level})"


def _cpu_rows(cpu: Cpu) -> Rows:
    return [
        ("usable", units.cores(cpu.usable_cores)),
        ("machine", units.cores(cpu.logical_cores)),
        ("quota", "none" if cpu.quota_cores is None else units.cores(cpu.quota_cores)),
        ("load of the last minute", _known(cpu.load_average, lambda load: f"{load:.2f}")),
    ]


def _disk_rows(disk: Disk) -> Rows:
    return [
        ("used", units.used_of(disk.usage.used_bytes, disk.usage.total_bytes)),
        ("free", units.size(disk.free_bytes)),
    ]


def _platform_rows(platform: Platform) -> Rows:
    return [
        ("service", words.SERVICES[platform.service]),
        ("operating system", units.printable(platform.operating_system)),
        ("Python", platform.python_version),
        ("IPython", _known(platform.ipython_version, units.printable)),
        ("machine up", _known(platform.machine_age_seconds, units.duration)),
        ("this kernel up", _known(platform.kernel_age_seconds, units.duration)),
    ]
