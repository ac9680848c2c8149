from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from builders import GIB, JUPYTER, KAGGLE, SILENT, T4, a_snapshot
from colab_magics.model import GpuMemory, Severity, Unavailable
from colab_magics.rules import Rule, gpu

STARTING = Unavailable(code="driver_starting", values=(("seconds", 3.0),))
NOT_LOADED = Unavailable(code="driver_not_loaded", values=(("code", 9),))
BUSY = {"utilization_percent": 80.0}


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
        pytest.param(STARTING, [("driver_starting", Severity.INFO)], id="starting is no fault yet"),
        pytest.param(NOT_LOADED, [("driver_failed", Severity.ERROR)], id="refused"),
        pytest.param(Unavailable(code="linux_only"), [], id="another system"),
        pytest.param(Unavailable(code="unexpected"), [], id="a mistake of ours is none of the driver's"),
        pytest.param((T4,), [], id="well"),
        pytest.param(None, [], id="not asked"),
    ],
)
def test_what_the_driver_did_decides_what_is_found(gpus: Any, expected: list[tuple[str, Severity]]) -> None:
    assert found(gpus=gpus) == expected


@pytest.mark.parametrize("gpus", [SILENT, STARTING, NOT_LOADED], ids=["silent", "starting", "refused"])
def test_a_driver_that_does_not_answer_is_told_with_the_reason_itself(gpus: Unavailable) -> None:
    (finding,) = [finding for rule in gpu.RULES if (finding := rule(a_snapshot(gpus=gpus))) is not None]

    assert finding.values == (("cause", gpus),)


@pytest.mark.parametrize(
    ("rule", "changes", "expected"),
    [
        pytest.param(gpu.gpu_lost, {"unavailable": (("name", "gpu_lost"),)}, True, id="lost"),
        pytest.param(gpu.gpu_lost, {"unavailable": (("memory", "gpu_needs_reset"),)}, True, id="needs a reset"),
        pytest.param(gpu.gpu_lost, {"unavailable": (("fan_percent", "not_supported"),)}, False, id="not lost"),
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
        pytest.param(gpu.gpu_idle, {"memory": memory(1.5, 13), "utilization_percent": None}, False, id="use unknown"),
    ],
)
def test_what_a_gpu_is_in(rule: Rule, changes: dict[str, Any], expected: bool) -> None:
    assert (rule(a_snapshot(gpus=(replace(T4, **changes),))) is not None) is expected


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
