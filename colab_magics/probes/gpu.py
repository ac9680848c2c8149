"""NVIDIA GPUs and their driver, as the observer's child process reports them."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from colab_magics import files
from colab_magics.model import Driver, Gpu, GpuMemory, GpuProcess, GpuSample, MigSlice, Sample, Unavailable
from colab_magics.observer import DEADLINE_SECONDS, client
from colab_magics.probes import driver_state
from colab_magics.probes.cuda import Numbers, cuda_numbers
from colab_magics.probes.processes import Processes
from colab_magics.values import Record, replace

if TYPE_CHECKING:
    from collections.abc import Mapping

_ABOUT_US = frozenset({"binding_missing", "child_died", "child_nonsense", "no_child"})
"""Codes of what went wrong on our side, and says nothing of any driver."""

_FLOATS = (
    "utilization_percent", "memory_utilization_percent", "recent_busy_percent", "recent_seconds", "temperature_celsius",
    "fan_percent",
)  # fmt: skip


class Seen(Record):
    """What the observer told: parts of a `Snapshot`, with the meanings they have there."""

    gpus: tuple[Gpu, ...] | Unavailable
    driver: Driver | None = None
    visible_gpus: int | None = None
    samples: tuple[Sample, ...] | None = None


def probe_gpus(
    *,
    deadline_seconds: float = DEADLINE_SECONDS,
    sample_every_seconds: float | None = None,
    environment: Mapping[str, str] = os.environ,
    root: str = "/",
) -> Seen:
    """Look at the GPUs and the driver within about `deadline_seconds`.

    Where the driver tells of none, `driver_state` decides by all signs whether there is none, or why none can be used.
    With `sample_every_seconds` the observer samples from now on, until `client.stop_sampling`, and what it has noted
    so far is told.
    """
    answer = client.ask(deadline_seconds=deadline_seconds, sample_every_seconds=sample_every_seconds)
    samples = None if sample_every_seconds is None else _samples(answer)
    if isinstance(answer, Unavailable):
        is_certain = answer.code in _ABOUT_US and driver_state.read_signs(root=root).are_certainly_none
        return Seen(() if is_certain else answer, samples=samples)
    driver = _driver(answer.get("driver"))
    if not answer.get("gpus"):
        return Seen(why_none(answer if driver is None else None, root=root), driver=driver, samples=samples)
    numbers = cuda_numbers(answer["gpus"], environment)
    if driver is not None and driver.has_cuda_library is False:
        numbers = replace(numbers, gpus={}, slices={})
    processes = Processes(root=root)
    gpus = tuple(_gpu(seen, numbers, processes) for seen in answer["gpus"])
    return Seen(gpus, driver, numbers.visible, samples)


def module_version(*, root: str = "/") -> str | None:
    """Return the version of the driver's kernel module, None if it is not loaded or will not say."""
    try:
        first_line = files.read(os.path.join(root, "proc/driver/nvidia/version")).partition("\n")[0]
    except OSError:
        return None
    found = re.search(r"\b\d{3}\.\d+(?:\.\d+)?\b", first_line)
    return found.group() if found else None


def why_none(answer: dict[str, Any] | None, *, root: str = "/") -> tuple[()] | Unavailable:
    """Return what it means that the observer tells of no GPU: by its answer, or None if the driver counts none."""
    if answer is not None and "refused" in answer:
        return _refusal(answer["refused"], root=root)
    signs = driver_state.read_signs(root=root)
    if answer is None:
        code = driver_state.code_of_no_device(signs)
    else:
        code = driver_state.code_without_library(signs, driver_state.Library(answer["library"]))
    return () if code is None else Unavailable(code=code)


def _driver(seen: dict[str, Any] | None) -> Driver | None:
    return None if seen is None else Driver(**seen)


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


def _refusal(refused: dict[str, Any], *, root: str) -> tuple[()] | Unavailable:
    code = driver_state.code_of_refusal(driver_state.read_signs(root=root), refused["reason"])
    if code is None:
        return ()
    values = (
        ("code", refused["code"] or 0),
        ("library", refused["library"] or "unknown"),
        ("module", module_version(root=root) or "unknown"),
    )
    return Unavailable(code=code, values=values)


def _gpu(seen: dict[str, Any], numbers: Numbers, processes: Processes) -> Gpu:
    reasons = seen["slowdown_reasons"]
    fields = {
        **seen,
        "cuda_index": numbers.gpus.get(seen["index"]),
        "is_hidden": seen["index"] in numbers.hidden,
        "memory": _memory(seen["memory"]),
        "slowdown_reasons": None if reasons is None else tuple(reason for reason in reasons if reason != "idle"),
        "slices": tuple(_slice(one, numbers, processes) for one in seen["slices"]),
        "processes": _processes(seen["processes"], processes),
        "unavailable": tuple(seen["unavailable"].items()),
    }
    for name in _FLOATS:
        if fields[name] is not None:
            fields[name] = float(fields[name])
    return Gpu(**fields)


def _slice(seen: dict[str, Any], numbers: Numbers, processes: Processes) -> MigSlice:
    return MigSlice(
        index=seen["index"],
        cuda_index=numbers.slices.get(seen["uuid"]),
        name=seen["name"],
        uuid=seen["uuid"],
        memory=_memory(seen["memory"]),
        processes=_processes(seen["processes"], processes),
        unavailable=tuple(seen["unavailable"].items()),
    )


def _memory(seen: dict[str, Any] | None) -> GpuMemory | None:
    return None if seen is None else GpuMemory(**seen)


def _processes(seen: list[dict[str, Any]] | None, processes: Processes) -> tuple[GpuProcess, ...] | None:
    return None if seen is None else tuple(_process(one["pid"], one, processes) for one in seen)


def _process(pid: int, seen: dict[str, Any], processes: Processes) -> GpuProcess:
    here = processes.is_here(pid)
    return GpuProcess(
        pid=pid,
        memory_used_bytes=seen["memory_used_bytes"],
        kinds=tuple(seen["kinds"]),
        is_here=here,
        is_this_kernel=here is True and pid == os.getpid(),
        name=processes.name_of(pid) if here else None,
    )
