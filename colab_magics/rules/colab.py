"""What the Colab Pro page tells its readers, said where it applies: hints, and one note of cost.

Only of hosted Colab. Figures come from the table of accelerators, each with the date it was seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics import facts
from colab_magics.facts import accelerators
from colab_magics.model import Platform, Severity, Subject, seen
from colab_magics.rules.rule import rule
from colab_magics.translation import N_

if TYPE_CHECKING:
    from colab_magics.model import Gpu, Snapshot, Values
    from colab_magics.rules.rule import Rule

_HARDLY_USED_PERCENT = 5.0
_AFTER_SECONDS = 900.0
"""The kernel's age from which on a GPU counts as unused: before, it may be waiting for its first work."""


@rule(
    Subject.GPU,
    Severity.INFO,
    N_("{accelerator} is not used, and takes about {units:rate} compute units per hour ({origin:origin}, {date})."),
)
def costly_gpu_unused(snapshot: Snapshot) -> Values | None:
    """Hosted Colab: a GPU that takes compute units by the hour holds nothing and does nothing."""
    accelerator, rate = accelerators.in_use(snapshot), accelerators.rate(snapshot)
    if accelerator is None or accelerator.tier == "free" or rate is None:
        return None
    if not _all_unused(snapshot):
        return None
    return (
        ("accelerator", accelerator.menu_name),
        ("units", rate.units_per_hour),
        ("origin", rate.origin),
        ("date", str(rate.date)),
    )


@rule(
    Subject.GPU,
    Severity.INFO,
    N_("{gpu:device} is not used. Colab's page says {words:quoted} then, and {said:statement}."),
)
def gpu_unused(snapshot: Snapshot) -> Values | None:
    """Hosted Colab: any other GPU that has done nothing for the first quarter of an hour of this kernel.

    A kernel cannot see whether compute units or the free allowance pay for it. Colab's page says the same every 15
    minutes or so (googlecolab/colabtools issue 6082, 2026-08-23). Where it is known what the GPU costs in compute
    units, `costly_gpu_unused` says that at once instead.
    """
    platform = snapshot.platform
    if _on_colab(snapshot) is None or not isinstance(platform, Platform) or costly_gpu_unused(snapshot) is not None:
        return None
    if (platform.kernel_age_seconds or 0.0) < _AFTER_SECONDS or not _all_unused(snapshot):
        return None
    words = facts.notice("gpu_not_used").words
    return ("gpu", seen(snapshot.gpus)[0].name or ""), ("said", "gpu_counts_unused"), ("words", words)


@rule(Subject.GPU, Severity.HINT, N_("With more memory than {accelerator}: {larger:list}."))
def larger_accelerators(snapshot: Snapshot) -> Values | None:
    """Which accelerators have more memory than this one."""
    ours = accelerators.in_use(snapshot)
    larger = tuple(f"{one.menu_name} ({one.memory_gib:g} GiB)" for one in accelerators.larger_memory(snapshot))
    return (("accelerator", ours.menu_name), ("larger", larger)) if ours is not None and larger else None


@rule(Subject.GPU, Severity.HINT, N_("{accelerator} has no bfloat16; these have: {others:list}."))
def newer_number_formats(snapshot: Snapshot) -> Values | None:
    """Which GPUs have bfloat16, where this one has not: the usual reason why a tutorial's code stops on a T4."""
    ours = accelerators.in_use(snapshot)
    if ours is None or ours.supports_bf16 is not False:
        return None
    others = tuple(one.menu_name for one in accelerators.offered() if one.kind == "gpu" and one.supports_bf16)
    return ("accelerator", ours.menu_name), ("others", others)


@rule(
    Subject.RUNTIME,
    Severity.HINT,
    N_("Colab resets every runtime after a while, sooner when nothing runs; how long is not published."),
)
def longer_runs(snapshot: Snapshot) -> Values | None:
    """What makes runtimes last, and what paid plans change about it."""
    return _on_colab(snapshot)


@rule(Subject.RUNTIME, Severity.HINT, N_("Resources on Colab are not unlimited, and the limits change."))
def usage_limits(snapshot: Snapshot) -> Values | None:
    """What to do when Colab refuses an accelerator."""
    return _on_colab(snapshot)


@rule(Subject.RUNTIME, Severity.HINT, N_("Something wrong with Colab itself, or with a bill?"))
def feedback(snapshot: Snapshot) -> Values | None:
    """Where Google listens."""
    return _on_colab(snapshot)


@rule(Subject.RUNTIME, Severity.HINT, N_("More about notebooks, data and accelerators on Colab."))
def more_resources(snapshot: Snapshot) -> Values | None:
    """Where Google explains notebooks and accelerators."""
    return _on_colab(snapshot)


RULES: tuple[Rule, ...] = (
    costly_gpu_unused,
    gpu_unused,
    larger_accelerators,
    newer_number_formats,
    longer_runs,
    usage_limits,
    feedback,
    more_resources,
)


def _on_colab(snapshot: Snapshot) -> Values | None:
    return () if snapshot.service == accelerators.COLAB else None


def _all_unused(snapshot: Snapshot) -> bool:
    gpus = seen(snapshot.gpus)
    return bool(gpus) and all(map(_is_unused, gpus))


def _is_unused(gpu: Gpu) -> bool:
    return gpu.is_idle and gpu.memory is not None and gpu.memory.used_percent < _HARDLY_USED_PERCENT
