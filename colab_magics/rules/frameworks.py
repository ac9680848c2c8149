"""Rules about a GPU that is there and cannot be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics.model import Severity, Subject, seen
from colab_magics.rules.rule import Milder, rule
from colab_magics.translation import N_

if TYPE_CHECKING:
    from colab_magics.model import Framework, Gpu, Snapshot, Values
    from colab_magics.rules.rule import Rule


@rule(
    Subject.GPU,
    Severity.WARNING,
    N_("CUDA_VISIBLE_DEVICES hides every GPU from CUDA."),
    fixable_in_place=True,
    blocks_gpu=True,
)
def cuda_hidden(snapshot: Snapshot) -> Values | None:
    """CUDA_VISIBLE_DEVICES hides every GPU there is from CUDA."""
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
    """There is a GPU, and PyTorch, JAX, TensorFlow or CuPy is a build without CUDA.

    Where another framework can use the GPU, a build that is merely installed troubles nobody.
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
    for framework in _beside_a_gpu(snapshot):
        if _needs_newer_driver(framework, snapshot):
            return (
                ("framework", framework.name),
                ("version", framework.version),
                ("needed", framework.cuda_version or ""),
                ("newest", _newest_cuda(snapshot) or ""),
            )
    return None


@rule(
    Subject.GPU,
    Severity.ERROR,
    N_(
        "{framework} {version} has no code for {gpu:device} (compute capability {capability}):"
        " the first computation on it fails."
    ),
    fixable_in_place=True,
    blocks_gpu=True,
)
def build_lacks_gpu_code(snapshot: Snapshot) -> Values | Milder | None:
    """PyTorch or TensorFlow is a build without code for this GPU: the first computation will fail.

    It matters less where the framework is not loaded and another one can use that GPU. A build that the driver cannot
    run at all has its own rule, and is not told twice.
    """
    frameworks = _beside_a_gpu(snapshot)
    for framework in sorted(frameworks, key=lambda framework: not framework.loaded):
        if framework.cpu_only or _needs_newer_driver(framework, snapshot):
            continue
        for gpu in filter(_is_visible, seen(snapshot.gpus)):
            if _may_run_on(framework, gpu):
                continue
            values: Values = (
                ("framework", framework.name),
                ("version", framework.version),
                ("gpu", gpu.name or ""),
                ("capability", gpu.compute_capability or ""),
            )
            others_can = any(_can_use(other, gpu, snapshot) for other in frameworks)
            return Milder(Severity.WARNING, values) if others_can and not framework.loaded else values
    return None


RULES: tuple[Rule, ...] = (framework_needs_newer_driver, build_lacks_gpu_code, framework_cpu_only, cuda_hidden)


def _can_use(framework: Framework, gpu: Gpu, snapshot: Snapshot) -> bool:
    """Tell whether nothing is known that keeps a framework from a GPU."""
    if framework.cpu_only is not False or _needs_newer_driver(framework, snapshot):
        return False
    return _may_run_on(framework, gpu)


def _may_run_on(framework: Framework, gpu: Gpu) -> bool:
    """Tell whether a framework's build has code for a GPU, as far as that is known."""
    from colab_magics.facts import cuda_builds

    return cuda_builds.runs_on(framework, gpu.compute_capability) is not False


def _is_visible(gpu: Gpu) -> bool:
    return not gpu.is_hidden or any(part.cuda_index is not None for part in gpu.slices)


def _needs_newer_driver(framework: Framework, snapshot: Snapshot) -> bool:
    needed, newest = _major(framework.cuda_version), _major(_newest_cuda(snapshot))
    return needed is not None and newest is not None and needed > newest


def _newest_cuda(snapshot: Snapshot) -> str | None:
    return None if snapshot.driver is None else snapshot.driver.cuda_version


def _beside_a_gpu(snapshot: Snapshot) -> tuple[Framework, ...]:
    return seen(snapshot.frameworks) if snapshot.usable_gpus else ()


def _major(version: str | None) -> int | None:
    major = (version or "").partition(".")[0]
    return int(major) if major.isdecimal() else None
