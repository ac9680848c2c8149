"""What a snapshot means: pure functions of it. A rule names itself and carries figures; it holds no sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from colab_magics.rules.colab import (
    costly_gpu_unused,
    feedback,
    larger_accelerators,
    longer_runs,
    more_resources,
    newer_number_formats,
    usage_limits,
)
from colab_magics.rules.frameworks import cuda_hidden, framework_cpu_only, framework_needs_newer_driver
from colab_magics.rules.gpu import (
    driver_failed,
    driver_not_answering,
    gpu_idle,
    gpu_lost,
    gpu_memory_errors,
    gpu_memory_nearly_full,
    gpu_slowed,
    no_gpu,
    one_gpu_of_several,
)
from colab_magics.rules.ram import (
    high_ram,
    kernel_holds_most_ram,
    not_high_ram,
    one_shape_only,
    ram_nearly_full,
    swap_in_use,
)
from colab_magics.rules.runtime import disk_nearly_full, runtime_old
from colab_magics.model import Subject

if TYPE_CHECKING:
    from colab_magics.model import Advice, Limits, Snapshot


class Rule(Protocol):
    """A function that has something to say of a snapshot, or nothing."""

    __name__: str

    def __call__(self, snapshot: Snapshot, limits: Limits, /) -> Advice | None:
        """Return the advice if the rule applies."""


GPU_RULES: tuple[Rule, ...] = (
    driver_failed,
    driver_not_answering,
    no_gpu,
    gpu_lost,
    gpu_memory_errors,
    framework_needs_newer_driver,
    framework_cpu_only,
    cuda_hidden,
    gpu_slowed,
    gpu_memory_nearly_full,
    one_gpu_of_several,
    gpu_idle,
    costly_gpu_unused,
    larger_accelerators,
    newer_number_formats,
)
RAM_RULES: tuple[Rule, ...] = (
    ram_nearly_full,
    swap_in_use,
    high_ram,
    not_high_ram,
    one_shape_only,
    kernel_holds_most_ram,
)
RUNTIME_RULES: tuple[Rule, ...] = (disk_nearly_full, runtime_old, longer_runs, usage_limits, feedback, more_resources)
RULES: tuple[Rule, ...] = GPU_RULES + RAM_RULES + RUNTIME_RULES

_RULES_FOR = {Subject.GPU: GPU_RULES, Subject.RAM: RAM_RULES, Subject.RUNTIME: RULES}


def advise(subject: Subject, snapshot: Snapshot, limits: Limits) -> tuple[Advice, ...]:
    """Return what applies of the rules for a subject, the most serious first and else in the order of the rules."""
    given = [advice for rule in _RULES_FOR[subject] if (advice := rule(snapshot, limits)) is not None]
    return tuple(sorted(given, key=lambda advice: -advice.severity))
