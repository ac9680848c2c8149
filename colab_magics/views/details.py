"""Every field of a snapshot as named rows, the unavailable ones with their reason: what `-a` adds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from colab_magics import units
from colab_magics.model import Cpu, Disk, Driver, Gpu, Platform, Ram, Snapshot, Unavailable
from colab_magics.views import words

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

    def row(label: str, field: str, show: Callable[..., str]) -> tuple[str, str]:
        return label, _known(getattr(gpu, field), show, reasons.get(field))

    processes = gpu.processes or ()
    return [
        row("name", "name", units.printable),
        row("uuid", "uuid", units.printable),
        ("number in CUDA", _known(gpu.cuda_index, lambda index: f"cuda:{index}", "it cannot be told for certain")),
        row("memory", "memory", lambda memory: f"{units.used_of(memory.used_bytes, memory.total_bytes)} used"),
        row("utilization", "utilization_percent", lambda percent: f"{percent:.0f} %"),
        row("temperature", "temperature_celsius", lambda celsius: f"{celsius:.0f} °C"),
        row("power", "power_watts", lambda watts: f"{watts:.1f} W"),
        row("power limit", "power_limit_watts", lambda watts: f"{watts:.1f} W"),
        row("processes", "processes", lambda processes: str(len(processes))),
        *((f"process {process.pid}", _known(process.memory_used_bytes, units.size)) for process in processes),
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
