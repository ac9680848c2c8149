"""Rules about a GPU that is there and cannot be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics.model import Severity, Subject, seen
from colab_magics.rules.rule import rule
from colab_magics.translation import N_

if TYPE_CHECKING:
    from colab_magics.model import Framework, Snapshot, Values
    from colab_magics.rules.rule import Rule


@rule(
    Subject.GPU,
    Severity.WARNING,
    N_("CUDA_VISIBLE_DEVICES hides every GPU from CUDA."),
    fixable_in_place=True,
    blocks_gpu=True,
)
def cuda_hidden(snapshot: Snapshot) -> Values | None:
    """CUDA_VISIBLE_DEVICES keeps CUDA from every GPU there is."""
    gpus = snapshot.usable_gpus
    if not gpus or not all(gpu.is_hidden for gpu in gpus):
        return None
    return None if any(one.cuda_index is not None for gpu in gpus for one in gpu.slices) else ()


@rule(
    Subject.GPU,
    Severity.WARNING,
    N_("{framework} {version} is a build without CUDA: it cannot use the GPU."),
    fixable_in_place=True,
    blocks_gpu=True,
)
def framework_cpu_only(snapshot: Snapshot) -> Values | None:
    """A framework's build has no CUDA in it; one that is loaded matters before one that is only installed.

    Where another framework can use the GPU, a build that is merely installed is nobody's trouble.
    """
    frameworks = _beside_a_gpu(snapshot)
    for framework in sorted(frameworks, key=lambda framework: not framework.loaded):
        others_can = any(other.cpu_only is False for other in frameworks)
        if framework.cpu_only and (framework.loaded or not others_can):
            return ("framework", framework.name), ("version", framework.version)
    return None


@rule(
    Subject.GPU,
    Severity.ERROR,
    N_("{framework} {version} needs CUDA {needed}; this driver runs at most {newest}."),
    fixable_in_place=True,
    blocks_gpu=True,
)
def framework_needs_newer_driver(snapshot: Snapshot) -> Values | None:
    """A framework was built for a later CUDA than the driver can run; within one major version any driver will do.

    Source: NVIDIA's CUDA Compatibility guide, "minor version compatibility", read 2026-11.
    """
    newest = None if snapshot.driver is None else snapshot.driver.cuda_version
    newest_major = _major(newest)
    for framework in _beside_a_gpu(snapshot):
        needed = framework.cuda_version
        needed_major = _major(needed)
        if newest_major is not None and needed_major is not None and needed_major > newest_major:
            return (
                ("framework", framework.name),
                ("version", framework.version),
                ("needed", needed or ""),
                ("newest", newest or ""),
            )
    return None


RULES: tuple[Rule, ...] = (framework_needs_newer_driver, framework_cpu_only, cuda_hidden)


def _beside_a_gpu(snapshot: Snapshot) -> tuple[Framework, ...]:
    return seen(snapshot.frameworks) if snapshot.usable_gpus else ()


def _major(version: str | None) -> int | None:
    major = (version or "").partition(".")[0]
    return int(major) if major.isdecimal() else None
