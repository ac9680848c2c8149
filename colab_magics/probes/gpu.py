"""NVIDIA GPUs and their driver, as the observer's child process reports them."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from colab_magics import procfs
from colab_magics.model import Driver, Gpu, GpuMemory, GpuProcess, GpuSample, MigSlice, Sample, Unavailable
from colab_magics.observer import client
from colab_magics.probes.cuda import Numbers, cuda_numbers
from colab_magics.probes.processes import in_initial_namespace, is_here, name_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_NVIDIA = "0x10de"
_DISPLAY_CLASS = "0x03"
_FLOATS = ("utilization_percent", "memory_utilization_percent", "temperature_celsius", "fan_percent")


class Seen(NamedTuple):
    """What the observer told: parts of a `Snapshot`, with the meanings they have there."""

    gpus: tuple[Gpu, ...] | Unavailable
    driver: Driver | None
    samples: tuple[Sample, ...] | None


def probe_gpus(
    *,
    deadline_seconds: float = client.DEADLINE_SECONDS,
    sample_every_seconds: float | None = None,
    environment: Mapping[str, str] = os.environ,
    root: str = "/",
) -> Seen:
    """Look at the GPUs and the driver within about `deadline_seconds`.

    No NVIDIA library and no NVIDIA device means no GPU; a device without a library is a driver that is missing.
    With `sample_every_seconds` the observer samples from now on, until `client.stop_sampling`, and what it has noted
    so far is told.
    """
    answer = client.ask(deadline_seconds=deadline_seconds, sample_every_seconds=sample_every_seconds)
    samples = None if sample_every_seconds is None else _samples(answer)
    if isinstance(answer, Unavailable):
        is_certain = answer.code == "binding_missing" and has_no_device(root=root)
        return Seen(() if is_certain else answer, None, samples)
    if "refused" in answer:
        return Seen(_refusal(answer["refused"], root=root), None, samples)
    if answer["driver"] is None:
        devices = count_devices(root=root)
        missing = Unavailable(code="driver_missing", values=(("count", devices),))
        return Seen(missing if devices else (), None, samples)
    numbers = cuda_numbers(answer["gpus"], environment)
    gpus = tuple(_gpu(seen, numbers, root=root) for seen in answer["gpus"])
    return Seen(gpus, Driver(**answer["driver"]), samples)


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


def _samples(answer: dict[str, Any] | Unavailable) -> tuple[Sample, ...]:
    if isinstance(answer, Unavailable):
        return ()
    return tuple(
        Sample(
            seconds_ago=sample["seconds_ago"],
            ram_headroom_bytes=sample["ram_headroom_bytes"],
            kernel_bytes=sample["kernel_bytes"],
            cpu_percent=sample["cpu_percent"],
            gpus=tuple(map(_gpu_sample, sample["gpus"])),
        )
        for sample in answer.get("samples", ())
    )


def _gpu_sample(noted: dict[str, int | None]) -> GpuSample:
    percent = noted["utilization_percent"]
    return GpuSample(
        memory_used_bytes=noted["memory_used_bytes"],
        utilization_percent=None if percent is None else float(percent),
    )


def _refusal(refused: dict[str, Any], *, root: str) -> Unavailable:
    values = (
        ("code", refused["code"] or 0),
        ("library", refused["library"] or "unknown"),
        ("module", module_version(root=root) or "unknown"),
    )
    return Unavailable(code=refused["reason"], values=values)


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
    """Return a file's first line, empty if it cannot be read."""
    try:
        return procfs.read(path).partition("\n")[0].strip()
    except OSError:
        return ""
