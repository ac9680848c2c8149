"""Rules about a GPU that is there and cannot be used."""

from __future__ import annotations

from colab_magics.model import Advice, Driver, Framework, Limits, Severity, Snapshot


def cuda_hidden(snapshot: Snapshot, _limits: Limits) -> Advice | None:
    """CUDA_VISIBLE_DEVICES keeps CUDA from every GPU there is."""
    if not isinstance(snapshot.gpus, tuple) or not snapshot.gpus or not all(gpu.is_hidden for gpu in snapshot.gpus):
        return None
    if any(one.cuda_index is not None for gpu in snapshot.gpus for one in gpu.slices):
        return None
    return Advice(rule="cuda_hidden", severity=Severity.WARNING)


def framework_cpu_only(snapshot: Snapshot, _limits: Limits) -> Advice | None:
    """A framework's build has no CUDA in it; one that is loaded matters before one that is only installed.

    Where another framework can use the GPU, a build that is merely installed is nobody's trouble.
    """
    frameworks = _beside_a_gpu(snapshot)
    for framework in sorted(frameworks, key=lambda framework: not framework.loaded):
        others_can = any(other.cpu_only is False for other in frameworks)
        if framework.cpu_only and (framework.loaded or not others_can):
            values = (("framework", framework.name), ("version", framework.version))
            return Advice(rule="framework_cpu_only", severity=Severity.WARNING, values=values)
    return None


def framework_needs_newer_driver(snapshot: Snapshot, _limits: Limits) -> Advice | None:
    """A framework was built for a later CUDA than the driver can run; within one major version any driver will do.

    Source: NVIDIA's CUDA Compatibility guide, "minor version compatibility", read 2026-11.
    """
    newest = _major(snapshot.driver.cuda_version) if isinstance(snapshot.driver, Driver) else None
    for framework in _beside_a_gpu(snapshot):
        needed = _major(framework.cuda_version)
        if newest is not None and needed is not None and needed > newest:
            values = (
                ("framework", framework.name),
                ("version", framework.version),
                ("needed", framework.cuda_version or ""),
                ("newest", (snapshot.driver and snapshot.driver.cuda_version) or ""),
            )
            return Advice(rule="framework_needs_newer_driver", severity=Severity.ERROR, values=values)
    return None


def _beside_a_gpu(snapshot: Snapshot) -> tuple[Framework, ...]:
    return snapshot.frameworks or () if isinstance(snapshot.gpus, tuple) and snapshot.gpus else ()


def _major(version: str | None) -> int | None:
    major = (version or "").partition(".")[0]
    return int(major) if major.isdecimal() else None
