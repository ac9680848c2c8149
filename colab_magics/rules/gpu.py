"""Rules about GPUs and their driver."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics.model import Advice, Gpu, Limits, Severity, Snapshot, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

_NOT_ANSWERING = frozenset({"driver_starting", "driver_silent", "driver_crashed", "driver_resting"})
_GONE = frozenset({"gpu_lost", "gpu_needs_reset"})
_HARMFUL_SLOWDOWNS = ("thermal_hardware", "thermal_software", "power_brake", "hardware_slowdown")
_IN_USE_PERCENT = 5.0


def no_gpu(snapshot: Snapshot, _limits: Limits) -> Advice | None:
    """There is no NVIDIA GPU: not an error, but what most people came to ask."""
    if snapshot.gpus != ():
        return None
    return Advice(rule="no_gpu", severity=Severity.INFO)


def driver_not_answering(snapshot: Snapshot, _limits: Limits) -> Advice | None:
    """The driver took too long, or took its caller down with it."""
    gpus = snapshot.gpus
    if not isinstance(gpus, Unavailable) or gpus.reason not in _NOT_ANSWERING:
        return None
    severity = Severity.INFO if gpus.reason == "driver_starting" else Severity.ERROR
    return Advice(rule="driver_not_answering", severity=severity, values=(("reason", gpus.reason), *gpus.values))


def driver_failed(snapshot: Snapshot, _limits: Limits) -> Advice | None:
    """The driver, or what we need to reach it, answered with a refusal."""
    gpus = snapshot.gpus
    if not isinstance(gpus, Unavailable) or gpus.reason in _NOT_ANSWERING or gpus.reason == "linux_only":
        return None
    return Advice(rule="driver_failed", severity=Severity.ERROR, values=(("reason", gpus.reason), *gpus.values))


def gpu_lost(snapshot: Snapshot, _limits: Limits) -> Advice | None:
    """A GPU has fallen off the bus (Xid 79) or hangs until it is reset: no restart of a kernel brings it back."""
    for gpu in _gpus(snapshot):
        if _GONE & {reason for _, reason in gpu.unavailable}:
            return Advice(rule="gpu_lost", severity=Severity.ERROR, values=(("index", gpu.index),))
    return None


def gpu_memory_errors(snapshot: Snapshot, _limits: Limits) -> Advice | None:
    """A GPU's memory has had errors that ECC could not correct: results may be wrong."""
    for gpu in _gpus(snapshot):
        if gpu.ecc_errors:
            values = (("index", gpu.index), ("errors", gpu.ecc_errors))
            return Advice(rule="gpu_memory_errors", severity=Severity.ERROR, values=values)
    return None


def gpu_slowed(snapshot: Snapshot, _limits: Limits) -> Advice | None:
    """Heat or a failing power supply holds a GPU's clocks down. At its power limit is where a busy GPU should be."""
    for gpu in _gpus(snapshot):
        for cause in _HARMFUL_SLOWDOWNS:
            if cause in (gpu.slowdown_reasons or ()):
                values = (("index", gpu.index), ("slowdown", cause))
                return Advice(rule="gpu_slowed", severity=Severity.WARNING, values=values)
    return None


def gpu_memory_nearly_full(snapshot: Snapshot, limits: Limits) -> Advice | None:
    """The next allocation on a GPU may fail."""
    for gpu in _gpus(snapshot):
        memory = gpu.memory
        if memory is not None and 100 * memory.free_bytes < limits.gpu_memory_free_percent * memory.total_bytes:
            values = (
                ("index", gpu.index),
                ("free_bytes", memory.free_bytes),
                ("total_bytes", memory.total_bytes),
            )
            return Advice(rule="gpu_memory_nearly_full", severity=Severity.WARNING, values=values)
    return None


def gpu_idle(snapshot: Snapshot, limits: Limits) -> Advice | None:
    """A GPU holds memory and does nothing: between two cells that is normal; for longer it costs for nothing."""
    for gpu in _gpus(snapshot):
        memory = gpu.memory
        if memory is None or gpu.utilization_percent != 0:
            continue
        if memory.used_percent >= limits.gpu_idle_memory_percent:
            values = (("index", gpu.index), ("used_bytes", memory.used_bytes))
            return Advice(rule="gpu_idle", severity=Severity.INFO, values=values)
    return None


def one_gpu_of_several(snapshot: Snapshot, _limits: Limits) -> Advice | None:
    """Several GPUs are there and the work sits on one of them."""
    shares = [gpu.memory.used_percent for gpu in _gpus(snapshot) if gpu.memory is not None and not gpu.is_hidden]
    if len(shares) < 2 or sum(share >= _IN_USE_PERCENT for share in shares) != 1:  # noqa: PLR2004 - one is not several
        return None
    return Advice(rule="one_gpu_of_several", severity=Severity.INFO, values=(("count", len(shares)),))


def _gpus(snapshot: Snapshot) -> Iterator[Gpu]:
    if isinstance(snapshot.gpus, tuple):
        yield from snapshot.gpus
