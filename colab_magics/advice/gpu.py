"""Rules about GPUs and their driver."""

from __future__ import annotations

from colab_magics.model import Advice, Limits, Severity, Snapshot, Unavailable

_NOT_ANSWERING = frozenset({"driver_starting", "driver_silent", "driver_crashed", "driver_resting"})


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
