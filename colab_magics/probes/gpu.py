"""NVIDIA GPUs and their driver, as the observer's child process reports them."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from colab_magics.model import Driver, Gpu, GpuMemory, GpuProcess, MigSlice, Unavailable
from colab_magics.observer import client
from colab_magics.probes.cuda import Numbers, cuda_numbers
from colab_magics.probes.processes import in_initial_namespace, is_here, name_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_NVIDIA = "0x10de"
_DISPLAY_CLASS = "0x03"
_FLOATS = ("utilization_percent", "memory_utilization_percent", "temperature_celsius", "fan_percent")


def probe_gpus(
    *,
    deadline_seconds: float = client.DEADLINE_SECONDS,
    environment: Mapping[str, str] = os.environ,
    root: str = "/",
) -> tuple[tuple[Gpu, ...] | Unavailable, Driver | None]:
    """Look at the GPUs and the driver within about `deadline_seconds`.

    No NVIDIA library and no NVIDIA device means no GPU; a device without a library is a driver that is missing.
    """
    answer = client.ask(deadline_seconds=deadline_seconds)
    if isinstance(answer, Unavailable):
        is_certain = answer.reason == "binding_missing" and has_no_device(root=root)
        return () if is_certain else answer, None
    if "refused" in answer:
        return _refusal(answer["refused"], root=root), None
    if answer["driver"] is None:
        devices = count_devices(root=root)
        return (Unavailable(reason="driver_missing", values=(("count", devices),)) if devices else ()), None
    numbers = cuda_numbers(answer["gpus"], environment)
    return tuple(_gpu(seen, numbers, root=root) for seen in answer["gpus"]), Driver(**answer["driver"])


def count_devices(*, root: str = "/") -> int:
    """Count the NVIDIA display devices on the PCI bus, which are there with or without a driver."""
    folder = os.path.join(root, "sys/bus/pci/devices")
    try:
        devices = os.listdir(folder)
    except OSError:
        return 0
    return sum(
        _line(os.path.join(folder, device, "vendor")) == _NVIDIA
        and _line(os.path.join(folder, device, "class")).startswith(_DISPLAY_CLASS)
        for device in devices
    )


def has_no_device(*, root: str = "/") -> bool:
    """Tell whether there certainly is no NVIDIA GPU: the bus can be seen and has none, and no driver left a file."""
    traces = ("proc/driver/nvidia", "dev/nvidiactl", "dev/dxg")
    return (
        os.path.isdir(os.path.join(root, "sys/bus/pci/devices"))
        and count_devices(root=root) == 0
        and not any(os.path.exists(os.path.join(root, trace)) for trace in traces)
    )


def module_version(*, root: str = "/") -> str | None:
    """Return the version of the driver's kernel module, None if it is not loaded or will not say."""
    found = re.search(r"\b\d{3}\.\d+(?:\.\d+)?\b", _line(os.path.join(root, "proc/driver/nvidia/version")))
    return found.group() if found else None


def _refusal(refused: dict[str, Any], *, root: str) -> Unavailable:
    values = (
        ("code", refused["code"] or 0),
        ("library", refused["library"] or "unknown"),
        ("module", module_version(root=root) or "unknown"),
    )
    return Unavailable(reason=refused["reason"], values=values)


def _gpu(seen: dict[str, Any], numbers: Numbers, *, root: str) -> Gpu:
    fields = {name: value for name, value in seen.items() if name != "unavailable"}
    for name in _FLOATS:
        fields[name] = None if seen[name] is None else float(seen[name])
    reasons = seen["slowdown_reasons"]
    fields |= {
        "cuda_index": numbers.number.get(seen["uuid"]),
        "is_hidden": seen["uuid"] in numbers.hidden,
        "memory": _memory(seen["memory"]),
        "slowdown_reasons": None if reasons is None else tuple(reason for reason in reasons if reason != "idle"),
        "slices": tuple(_slice(one, numbers, root=root) for one in seen["slices"]),
        "processes": _processes(seen["processes"], root=root),
    }
    return Gpu(**fields, unavailable=tuple(seen["unavailable"].items()))


def _slice(seen: dict[str, Any], numbers: Numbers, *, root: str) -> MigSlice:
    return MigSlice(
        index=seen["index"],
        cuda_index=numbers.number.get(seen["uuid"]),
        name=seen["name"],
        uuid=seen["uuid"],
        memory=_memory(seen["memory"]),
        processes=_processes(seen["processes"], root=root),
        unavailable=tuple(seen["unavailable"].items()),
    )


def _memory(seen: dict[str, Any] | None) -> GpuMemory | None:
    return None if seen is None else GpuMemory(**seen)


def _processes(seen: list[dict[str, Any]] | None, *, root: str) -> tuple[GpuProcess, ...] | None:
    if seen is None:
        return None
    are_ours = bool(seen) and in_initial_namespace(root=root)
    return tuple(_process(process, are_ours=are_ours, root=root) for process in seen)


def _process(seen: dict[str, Any], *, are_ours: bool, root: str) -> GpuProcess:
    here = is_here(seen["pid"], are_ours=are_ours, root=root)
    return GpuProcess(
        pid=seen["pid"],
        memory_used_bytes=seen["memory_used_bytes"],
        kinds=tuple(seen["kinds"]),
        is_here=here,
        is_this_kernel=here is True and seen["pid"] == os.getpid(),
        name=name_of(seen["pid"], root=root) if here else None,
    )


def _line(path: str) -> str:
    """Return a file's first line, empty if it cannot be read; a file object would take three times as long."""
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        return ""
    try:
        return os.read(file, 4096).decode("ascii", "replace").partition("\n")[0].strip()
    except OSError:
        return ""
    finally:
        os.close(file)
