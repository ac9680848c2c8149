from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from builders import (
    DRIVER,
    GIB,
    JUPYTER,
    KAGGLE,
    OUT_OF_MEMORY,
    SILENT,
    T4,
    T4_SHARES,
    TORCH_CPU,
    TORCH_MEMORY,
    a_snapshot,
)
from colab_magics.model import GpuMemory, Severity, Subject, Unavailable
from colab_magics.model.cells import Memory
from colab_magics.rules import Rule, gpu, judge
from colab_magics.views import messages

STARTING = Unavailable(code="driver_starting", values=(("seconds", 3.0),))
NOT_LOADED = Unavailable(code="driver_not_loaded", values=(("code", 9),))
BUSY = {"utilization_percent": 80.0}
LATELY = {"recent_busy_percent": 84.0, "recent_seconds": 16.0}
HARDLY = {"recent_busy_percent": 0.4, "recent_seconds": 16.0}
HELD = {"memory": GpuMemory(total_bytes=15 * GIB, used_bytes=2 * GIB, free_bytes=13 * GIB, reserved_bytes=None)}
OURS = T4.processes[0]
OUTSIDE = replace(OURS, pid=77, is_here=False, is_this_kernel=False, name=None)
NOBODY_KNOWS_WHOSE = replace(OUTSIDE, is_here=None)
DESKTOP = replace(OURS, pid=900, is_here=True, is_this_kernel=False, name="Xorg", kinds=("graphics",))


def found(**changes: Any) -> list[tuple[str, Severity]]:
    """Return what the rules of this module find."""
    findings = [rule(a_snapshot(**changes)) for rule in gpu.RULES]
    return [(finding.rule, finding.severity) for finding in findings if finding is not None]


def memory(used_gib: float, free_gib: float) -> GpuMemory:
    return GpuMemory(
        total_bytes=15 * GIB, used_bytes=int(used_gib * GIB), free_bytes=int(free_gib * GIB), reserved_bytes=None
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"gpus": ()}, True, id="none there"),
        pytest.param({"gpus": (T4,)}, False, id="one there"),
        pytest.param({"gpus": SILENT}, False, id="nobody knows"),
        pytest.param({"gpus": None}, False, id="not asked"),
        pytest.param({"gpus": (), "platform": KAGGLE}, True, id="also on Kaggle"),
        pytest.param({"gpus": (), "platform": JUPYTER}, True, id="also elsewhere"),
    ],
)
def test_no_gpu_is_said_everywhere_once_it_is_certain(changes: dict[str, Any], expected: bool) -> None:
    assert (gpu.no_gpu(a_snapshot(**changes)) is not None) is expected


@pytest.mark.parametrize(
    ("gpus", "expected"),
    [
        pytest.param(SILENT, [("driver_not_answering", Severity.ERROR)], id="silent"),
        pytest.param(
            Unavailable(code="driver_resting", values=(("seconds", 30),)),
            [("driver_not_answering", Severity.ERROR)],
            id="left alone for a while",
        ),
        pytest.param(
            Unavailable(code="driver_slow", values=(("seconds", 16.0),)),
            [("driver_not_answering", Severity.ERROR)],
            id="starting for so long that it may hang",
        ),
        pytest.param(STARTING, [("driver_starting", Severity.INFO)], id="starting is no fault yet"),
        pytest.param(Unavailable(code="gpu_not_given"), [("driver_failed", Severity.ERROR)], id="not given"),
        pytest.param(
            Unavailable(code="library_missing"), [("driver_failed", Severity.ERROR)], id="its library missing"
        ),
        pytest.param(
            Unavailable(code="wsl_blocked"), [("driver_failed", Severity.ERROR)], id="kept from it by Windows"
        ),
        pytest.param(
            Unavailable(code="child_died"), [("gpu_not_known", Severity.WARNING)], id="not asked, for we died"
        ),
        pytest.param(Unavailable(code="child_nonsense"), [("gpu_not_known", Severity.WARNING)], id="not told sensibly"),
        pytest.param(Unavailable(code="no_child"), [("gpu_not_known", Severity.WARNING)], id="not asked by anybody"),
        pytest.param(Unavailable(code="gpu_not_told"), [("gpu_not_known", Severity.WARNING)], id="not told"),
        pytest.param(
            Unavailable(code="tegra_library_missing"), [("gpu_not_known", Severity.WARNING)], id="a Jetson's, not found"
        ),
        pytest.param(
            Unavailable(code="wsl_library_missing"), [("gpu_not_known", Severity.WARNING)], id="whatever Windows hands"
        ),
        pytest.param(NOT_LOADED, [("driver_failed", Severity.ERROR)], id="refused"),
        pytest.param(Unavailable(code="linux_only"), [], id="another system"),
        pytest.param(Unavailable(code="unexpected"), [], id="a mistake of ours is none of the driver's"),
        pytest.param((T4,), [], id="well"),
        pytest.param(None, [], id="not asked"),
    ],
)
def test_what_the_driver_did_decides_what_is_found(gpus: Any, expected: list[tuple[str, Severity]]) -> None:
    assert found(gpus=gpus) == expected


@pytest.mark.parametrize("code", messages.REASONS)
def test_every_reason_why_no_gpu_is_known_is_found_once_but_for_what_is_no_fault_of_any_gpu(code: str) -> None:
    expected = 0 if code in ("linux_only", "unexpected") else 1

    assert len(found(gpus=Unavailable(code=code), driver=None)) == expected


@pytest.mark.parametrize(
    "gpus",
    [SILENT, STARTING, NOT_LOADED, Unavailable(code="child_died", values=(("cause", "SIGKILL"),))],
    ids=["silent", "starting", "refused", "not asked"],
)
def test_a_driver_that_does_not_answer_is_told_with_the_reason_itself(gpus: Unavailable) -> None:
    (finding,) = [finding for rule in gpu.RULES if (finding := rule(a_snapshot(gpus=gpus))) is not None]

    assert finding.values == (("cause", gpus),)


@pytest.mark.parametrize(
    ("rule", "changes", "expected"),
    [
        pytest.param(gpu.gpu_lost, {"fault": "gpu_lost"}, True, id="lost"),
        pytest.param(gpu.gpu_lost, {"fault": "gpu_needs_reset"}, True, id="needs a reset"),
        pytest.param(gpu.gpu_lost, {"fault": "driver_unknown_error"}, False, id="refused is not lost"),
        pytest.param(gpu.gpu_lost, {"unavailable": (("ecc_errors", "gpu_lost"),)}, False, id="a counter that is lost"),
        pytest.param(gpu.gpu_lost, {}, False, id="not lost"),
        pytest.param(gpu.gpu_not_usable, {"fault": "driver_unknown_error"}, True, id="refused"),
        pytest.param(gpu.gpu_not_usable, {"fault": "nvml_error_77"}, True, id="refused with a new number"),
        pytest.param(gpu.gpu_not_usable, {"fault": "gpu_lost"}, False, id="lost is told by itself"),
        pytest.param(gpu.gpu_not_usable, {}, False, id="not refused"),
        pytest.param(gpu.gpu_memory_errors, {"ecc_errors": 1}, True, id="one error"),
        pytest.param(gpu.gpu_memory_errors, {"ecc_errors": 0}, False, id="no error"),
        pytest.param(gpu.gpu_memory_errors, {"ecc_errors": None}, False, id="no ECC"),
        pytest.param(gpu.gpu_slowed, {"slowdown_reasons": ("power_cap", "thermal_software")}, True, id="too hot"),
        pytest.param(gpu.gpu_slowed, {"slowdown_reasons": ("power_cap",)}, False, id="at its power limit"),
        pytest.param(gpu.gpu_slowed, {"slowdown_reasons": None}, False, id="slowdown unknown"),
        pytest.param(gpu.gpu_memory_nearly_full, {"memory": memory(14.2, 0.74)}, True, id="just under 5 % free"),
        pytest.param(gpu.gpu_memory_nearly_full, {"memory": memory(14.2, 0.76)}, False, id="just over 5 % free"),
        pytest.param(gpu.gpu_memory_nearly_full, {"memory": None}, False, id="memory unknown"),
        pytest.param(gpu.gpu_idle, {"memory": memory(1.5, 13)}, True, id="idle with a tenth held"),
        pytest.param(gpu.gpu_idle, {"memory": memory(1.4, 13)}, False, id="idle with less"),
        pytest.param(gpu.gpu_idle, {"memory": memory(1.5, 13), **BUSY}, False, id="busy"),
        pytest.param(gpu.gpu_idle, {"memory": memory(1.5, 13), **LATELY}, False, id="busy a moment ago"),
        pytest.param(gpu.gpu_idle, {"memory": memory(1.5, 13), **HARDLY}, True, id="idle for a while"),
        pytest.param(gpu.gpu_idle, {"memory": memory(1.5, 13), "utilization_percent": None}, False, id="use unknown"),
        pytest.param(gpu.gpu_idle, {**HELD, "processes": (DESKTOP,)}, False, id="what a desktop holds is its own"),
        pytest.param(gpu.gpu_idle, {**HELD, "processes": (DESKTOP, OURS)}, True, id="this kernel beside a desktop"),
        pytest.param(gpu.gpu_idle, {**HELD, "processes": (OUTSIDE,)}, True, id="numbers of outside may be ours"),
        pytest.param(gpu.gpu_idle, {**HELD, "processes": (NOBODY_KNOWS_WHOSE,)}, True, id="held by who knows whom"),
        pytest.param(gpu.gpu_idle, {**HELD, "processes": None}, True, id="who holds it is not told"),
        pytest.param(gpu.gpu_idle, {**HELD, "processes": ()}, True, id="nobody is listed"),
    ],
)
def test_what_a_gpu_is_in(rule: Rule, changes: dict[str, Any], expected: bool) -> None:
    assert (rule(a_snapshot(gpus=(replace(T4, **changes),))) is not None) is expected


def test_all_that_are_idle_are_told_in_one() -> None:
    idle = replace(T4, memory=memory(8, 7))
    gpus = (idle, *(replace(idle, index=index) for index in (2, 3)), replace(idle, index=4, **BUSY))
    found = gpu.gpu_idle(a_snapshot(gpus=gpus))

    assert found is not None
    assert dict(found.values) == {"indices": (0, 2, 3), "used_bytes": 24 * GIB}


def test_of_several_gpus_the_one_in_trouble_is_named() -> None:
    gpus = (T4, replace(T4, index=1, ecc_errors=3, slowdown_reasons=("power_brake",)))
    found = {rule: dict(rule(a_snapshot(gpus=gpus)).values) for rule in (gpu.gpu_memory_errors, gpu.gpu_slowed)}

    assert found == {
        gpu.gpu_memory_errors: {"index": 1, "errors": 3},
        gpu.gpu_slowed: {"index": 1, "cause": "power_brake"},
    }


@pytest.mark.parametrize(
    ("gpus", "expected"),
    [pytest.param(SILENT, "driver_not_answering", id="unavailable"), pytest.param((), "no_gpu", id="none")],
)
def test_without_a_gpu_nothing_is_said_of_one(gpus: Any, expected: str) -> None:
    assert [rule for rule, _ in found(gpus=gpus)] == [expected]


@pytest.mark.parametrize(
    ("used_gib", "hidden", "expected"),
    [
        pytest.param((8, 0.1), (False, False), True, id="one of two"),
        pytest.param((8, 1), (False, False), False, id="both"),
        pytest.param((0.1, 0.1), (False, False), False, id="none"),
        pytest.param((8, 0.1), (False, True), False, id="the other is hidden on purpose"),
        pytest.param((8,), (False,), False, id="only one is there"),
    ],
)
def test_several_gpus_and_one_used(used_gib: tuple[float, ...], hidden: tuple[bool, ...], expected: bool) -> None:
    gpus = tuple(
        replace(T4, index=index, memory=memory(used, 15 - used), is_hidden=is_hidden)
        for index, (used, is_hidden) in enumerate(zip(used_gib, hidden, strict=True))
    )
    assert (gpu.one_gpu_of_several(a_snapshot(gpus=gpus)) is not None) is expected


def test_one_that_worked_a_moment_ago_is_used_though_it_holds_little() -> None:
    used, other = replace(T4, memory=memory(8, 7)), replace(T4, index=1, memory=memory(0.1, 14.9))

    assert gpu.one_gpu_of_several(a_snapshot(gpus=(used, other))) is not None
    assert gpu.one_gpu_of_several(a_snapshot(gpus=(used, replace(other, **LATELY)))) is None


def test_a_gpu_in_trouble_among_others_is_named() -> None:
    refused, lost = replace(T4, index=1, fault="no_permission"), replace(T4, index=2, fault="gpu_needs_reset")

    assert [dict(finding.values) for rule in (gpu.gpu_not_usable, gpu.gpu_lost)
            if (finding := rule(a_snapshot(gpus=(T4, refused, lost)))) is not None] == [
        {"index": 1, "cause": "no_permission"},
        {"index": 2},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("driver", "expected"),
    [
        pytest.param(replace(DRIVER, cuda_version=None, has_cuda_library=False), True, id="not there"),
        pytest.param(replace(DRIVER, has_cuda_library=True), False, id="there"),
        pytest.param(replace(DRIVER, cuda_version=None, has_cuda_library=None), False, id="nobody knows"),
        pytest.param(None, False, id="no driver"),
    ],
)
def test_without_cuda_s_library_no_program_can_use_the_gpu(driver: Any, expected: bool) -> None:
    assert (gpu.cuda_library_missing(a_snapshot(driver=driver)) is not None) is expected


@pytest.mark.parametrize("fault", ["gpu_lost", "driver_unknown_error"])
def test_a_gpu_that_cannot_be_used_is_none_that_a_framework_misses_or_that_is_hidden(fault: str) -> None:
    broken = replace(T4, fault=fault, cuda_index=None, is_hidden=True)
    findings = {finding.rule for finding in judge(Subject.GPU, a_snapshot(gpus=(broken,), frameworks=(TORCH_CPU,)))}

    assert not findings & {"framework_cpu_only", "cuda_hidden", "no_gpu"}
    assert findings & {"gpu_lost", "gpu_not_usable"}


def test_a_gpu_that_cannot_be_used_is_not_one_that_lies_idle_beside_the_one_in_use() -> None:
    busy, idle = replace(T4, memory=memory(8, 7)), replace(T4, index=1, memory=memory(0.1, 14.9))

    assert gpu.one_gpu_of_several(a_snapshot(gpus=(busy, idle))) is not None
    assert gpu.one_gpu_of_several(a_snapshot(gpus=(busy, replace(idle, fault="gpu_lost")))) is None


@pytest.mark.parametrize(("memory", "rule"), [(Memory.GPU, "out_of_gpu_memory"), (Memory.TPU, "out_of_tpu_memory")])
def test_a_cell_that_has_run_out_of_a_device_s_memory_is_told_in_a_report_of_its_own(memory: Memory, rule: str) -> None:
    snapshot = a_snapshot(out_of_memory=replace(OUT_OF_MEMORY, memory=memory))

    assert [(one.rule, one.severity) for one in judge(Subject.OUT_OF_MEMORY, snapshot)] == [(rule, Severity.ERROR)]


def of_shares(rule: Rule, **changes: Any) -> dict[str, Any] | None:
    """Return what a rule finds of a T4 of 15 GiB whose memory is divided so."""
    finding = rule(a_snapshot(gpu_shares=(replace(T4_SHARES, **changes),), gpus=(replace(T4, processes=(DESKTOP,)),)))
    return None if finding is None else dict(finding.values)


@pytest.mark.parametrize(
    ("allocated", "reserved", "free", "is_found"),
    [
        pytest.param(GIB, 11 * GIB, 3 * GIB, True, id="ten of twelve"),
        pytest.param(6 * GIB, 11 * GIB, 3 * GIB, False, id="five of twelve"),
        pytest.param(GIB, 2 * GIB, 12 * GIB, False, id="next to nothing of the whole"),
        pytest.param(None, 11 * GIB, 3 * GIB, False, id="not told"),
    ],
)
def test_a_cache_is_told_where_it_is_most_of_what_is_used(
    allocated: int | None, reserved: int, free: int, is_found: bool
) -> None:
    torch = replace(TORCH_MEMORY, allocated_bytes=allocated, reserved_bytes=reserved)
    values = of_shares(gpu.gpu_memory_cached, frameworks=(torch,), free_bytes=free, driver_bytes=0)

    assert (values is not None) is is_found


def test_others_are_told_by_their_names_where_they_hold_most() -> None:
    values = of_shares(gpu.gpu_memory_of_others, other_processes_bytes=9 * GIB)

    assert values == {"index": 0, "others_bytes": 9 * GIB, "names": ("Xorg 900",)}
    assert of_shares(gpu.gpu_memory_of_others, other_processes_bytes=2 * GIB) is None
    assert of_shares(gpu.gpu_memory_of_others, other_processes_bytes=None) is None
    assert of_shares(gpu.gpu_memory_of_others, other_processes_bytes=9 * GIB, total_bytes=None) is None
