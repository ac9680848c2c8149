"""What the Colab Pro page tells its readers, said where it applies: hints, and one warning of cost.

Only of hosted Colab. Figures come from the table of accelerators, each with the date it was seen.
"""

from __future__ import annotations

from colab_magics.facts import accelerators
from colab_magics.facts.accelerators import accelerator_in_use
from colab_magics.model import Advice, Gpu, Limits, Service, Severity, Snapshot

_HARDLY_USED_PERCENT = 5.0


def costly_gpu_unused(snapshot: Snapshot, _limits: Limits) -> Advice | None:
    """A GPU that takes compute units by the hour holds nothing and does nothing."""
    accelerator = accelerator_in_use(snapshot)
    if accelerator is None or accelerator.tier == "free" or accelerator.units_per_hour is None:
        return None
    if not isinstance(snapshot.gpus, tuple) or not snapshot.gpus or not all(map(_is_unused, snapshot.gpus)):
        return None
    values = (
        ("accelerator", accelerator.menu_name),
        ("units", accelerator.units_per_hour),
        ("date", str(accelerator.units_date)),
    )
    return Advice(rule="costly_gpu_unused", severity=Severity.INFO, values=values)


def larger_accelerators(snapshot: Snapshot, _limits: Limits) -> Advice | None:
    """There are accelerators with more memory than this one."""
    ours = accelerator_in_use(snapshot)
    if ours is None or ours.memory_gib is None:
        return None
    larger = [
        f"{one.menu_name} ({one.memory_gib:g} GiB)"
        for one in accelerators()
        if one.kind == ours.kind and (one.memory_gib or 0) > ours.memory_gib
    ]
    if not larger:
        return None
    values = (("accelerator", ours.menu_name), ("larger", ", ".join(larger)))
    return Advice(rule="larger_accelerators", severity=Severity.HINT, values=values)


def newer_number_formats(snapshot: Snapshot, _limits: Limits) -> Advice | None:
    """This GPU has no bfloat16: the usual reason why a tutorial's code stops here on a T4."""
    ours = accelerator_in_use(snapshot)
    if ours is None or ours.supports_bf16 is not False:
        return None
    others = [one.menu_name for one in accelerators() if one.kind == "gpu" and one.supports_bf16]
    values = (("accelerator", ours.menu_name), ("others", ", ".join(others)))
    return Advice(rule="newer_number_formats", severity=Severity.HINT, values=values)


def longer_runs(snapshot: Snapshot, _limits: Limits) -> Advice | None:
    """What makes runtimes last, and what paid plans change of that."""
    return _on_colab("longer_runs", snapshot)


def usage_limits(snapshot: Snapshot, _limits: Limits) -> Advice | None:
    """What to do when Colab refuses an accelerator."""
    return _on_colab("usage_limits", snapshot)


def feedback(snapshot: Snapshot, _limits: Limits) -> Advice | None:
    """Where Google listens."""
    return _on_colab("feedback", snapshot)


def more_resources(snapshot: Snapshot, _limits: Limits) -> Advice | None:
    """Where Google explains notebooks and accelerators."""
    return _on_colab("more_resources", snapshot)


def _on_colab(rule: str, snapshot: Snapshot) -> Advice | None:
    return Advice(rule=rule, severity=Severity.HINT) if snapshot.platform.service is Service.COLAB else None


def _is_unused(gpu: Gpu) -> bool:
    return gpu.utilization_percent == 0 and gpu.memory is not None and gpu.memory.used_percent < _HARDLY_USED_PERCENT
