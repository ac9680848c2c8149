from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from builders import A100, COLAB, GIB, JUPYTER, T4, V5E, a_ram, a_snapshot
from colab_magics.model import GpuMemory, Severity, Unavailable
from colab_magics.rules import colab

UNUSED = {
    "utilization_percent": 0.0,
    "memory": GpuMemory(total_bytes=40 * GIB, used_bytes=GIB // 10, free_bytes=39 * GIB, reserved_bytes=None),
}
L4 = replace(T4, name="NVIDIA L4", utilization_percent=50.0)
H100 = replace(T4, name="NVIDIA H100 80GB HBM3")
UNHEARD_OF = replace(T4, name="NVIDIA B200")
OF_ALL_OF_COLAB = ["longer_runs", "usage_limits", "feedback", "more_resources"]


def found(**changes: Any) -> list[str]:
    """Return what the rules of this module find."""
    return [rule.name for rule in colab.RULES if rule(a_snapshot(**changes)) is not None]


@pytest.mark.parametrize(
    ("gpus", "platform", "expected"),
    [
        pytest.param((replace(A100, **UNUSED),), COLAB, True, id="a paid GPU that nobody uses"),
        pytest.param((A100,), COLAB, False, id="a paid GPU at work"),
        pytest.param((replace(A100, **UNUSED), A100), COLAB, False, id="one of two at work"),
        pytest.param(
            (replace(A100, **UNUSED, recent_busy_percent=9.0, recent_seconds=16.0),),
            COLAB,
            False,
            id="at work till now",
        ),
        pytest.param((replace(T4, **UNUSED),), COLAB, False, id="a free one"),
        pytest.param((replace(A100, **UNUSED),), JUPYTER, False, id="not on Colab"),
        pytest.param((replace(A100, utilization_percent=None),), COLAB, False, id="use unknown"),
        pytest.param((replace(A100, **{**UNUSED, "memory": None}),), COLAB, False, id="memory unknown"),
        pytest.param((replace(H100, **UNUSED),), COLAB, False, id="no rate published"),
        pytest.param((replace(UNHEARD_OF, **UNUSED),), COLAB, False, id="not in the table"),
        pytest.param(Unavailable(code="driver_silent"), COLAB, False, id="unavailable"),
    ],
)
def test_a_gpu_that_costs_and_is_not_used(gpus: Any, platform: Any, expected: bool) -> None:
    assert ("costly_gpu_unused" in found(gpus=gpus, platform=platform)) is expected


@pytest.mark.parametrize(
    ("gpu", "ram_gib", "expected"),
    [
        pytest.param(
            A100, 83.5, {"accelerator": "A100 GPU", "units": 5.3, "origin": "users", "date": "2026-09-30"}, id="A100"
        ),
        pytest.param(
            A100,
            167.1,
            {"accelerator": "A100 GPU", "units": 6.77, "origin": "users", "date": "2026-09-30"},
            id="A100 high-RAM",
        ),
        pytest.param(
            L4, 53.0, {"accelerator": "L4 GPU", "units": 1.54, "origin": "users", "date": "2026-10-01"}, id="L4"
        ),
    ],
)
def test_a_rate_is_told_with_its_date_and_for_the_shape_in_use(
    gpu: Any, ram_gib: float, expected: dict[str, Any]
) -> None:
    finding = colab.costly_gpu_unused(a_snapshot(gpus=(replace(gpu, **UNUSED),), ram=a_ram(ram_gib)))

    assert finding is not None
    assert dict(finding.values) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, ["larger_accelerators", "newer_number_formats", *OF_ALL_OF_COLAB], id="T4"),
        pytest.param({"gpus": (L4,)}, ["larger_accelerators", *OF_ALL_OF_COLAB], id="a GPU with bfloat16"),
        pytest.param({"gpus": (UNHEARD_OF,)}, OF_ALL_OF_COLAB, id="a GPU that is not in the table"),
        pytest.param({"gpus": ()}, OF_ALL_OF_COLAB, id="no GPU"),
        pytest.param({"gpus": (), "tpus": (V5E,)}, ["larger_accelerators", *OF_ALL_OF_COLAB], id="TPU"),
        pytest.param({"platform": JUPYTER}, [], id="not on Colab"),
        pytest.param({"platform": replace(COLAB, service="colab_local")}, [], id="Colab's page alone"),
        pytest.param({"platform": Unavailable(code="unexpected")}, [], id="nobody could look"),
    ],
)
def test_what_is_good_to_know_is_for_hosted_colab(changes: dict[str, Any], expected: list[str]) -> None:
    assert found(**changes) == expected


LATER = replace(COLAB, kernel_age_seconds=900.0)


@pytest.mark.parametrize(
    ("gpus", "platform", "expected"),
    [
        pytest.param((replace(T4, **UNUSED),), LATER, True, id="a free one"),
        pytest.param((replace(H100, **UNUSED),), LATER, True, id="no rate published"),
        pytest.param((replace(UNHEARD_OF, **UNUSED),), LATER, True, id="not in the table"),
        pytest.param((replace(T4, **UNUSED),), replace(COLAB, kernel_age_seconds=899.0), False, id="just begun"),
        pytest.param((replace(T4, **UNUSED),), replace(COLAB, kernel_age_seconds=None), False, id="age unknown"),
        pytest.param((replace(A100, **UNUSED),), LATER, False, id="what it costs is said already"),
        pytest.param((replace(T4, utilization_percent=3.0),), LATER, False, id="at work"),
        pytest.param((replace(T4, utilization_percent=None),), LATER, False, id="use unknown"),
        pytest.param((replace(T4, **UNUSED),), replace(LATER, service=None), False, id="not on Colab"),
        pytest.param((), LATER, False, id="none"),
        pytest.param(Unavailable(code="driver_silent"), LATER, False, id="unavailable"),
    ],
)
def test_any_gpu_that_is_not_used_after_a_while(gpus: Any, platform: Any, expected: bool) -> None:
    assert ("gpu_unused" in found(gpus=gpus, platform=platform)) is expected


def test_all_but_the_notes_of_cost_are_hints() -> None:
    assert {rule.name: rule.severity for rule in colab.RULES if rule.severity is not Severity.HINT} == {
        "costly_gpu_unused": Severity.INFO,
        "gpu_unused": Severity.INFO,
    }


@pytest.mark.parametrize(
    ("changes", "larger"),
    [
        pytest.param({}, ("L4 GPU (22.5 GiB)", "A100 GPU (40 GiB)", "H100 GPU (80 GiB)", "G4 GPU (95.6 GiB)"), id="T4"),
        pytest.param({"gpus": (A100,), "ram": a_ram(83.5)}, ("H100 GPU (80 GiB)", "G4 GPU (95.6 GiB)"), id="A100"),
        pytest.param(
            {"gpus": (A100,), "ram": a_ram(167.1)}, ("G4 GPU (95.6 GiB)",), id="its high-RAM shape has 80 GiB"
        ),
        pytest.param({"gpus": (), "tpus": (V5E,)}, ("v6e-1 TPU (31.25 GiB)",), id="for a TPU the larger TPU"),
    ],
)
def test_larger_ones_are_told_with_their_memory(changes: dict[str, Any], larger: tuple[str, ...]) -> None:
    finding = colab.larger_accelerators(a_snapshot(**changes))

    assert finding is not None
    assert dict(finding.values)["larger"] == larger


def test_where_a_gpu_lacks_bfloat16_those_that_have_it_are_named() -> None:
    finding = colab.newer_number_formats(a_snapshot())

    assert finding is not None
    assert finding.values == (
        ("accelerator", "T4 GPU"),
        ("others", ("L4 GPU", "A100 GPU", "H100 GPU", "G4 GPU")),
    )
