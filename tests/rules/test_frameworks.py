from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from builders import (
    DRIVER,
    GB10,
    KAGGLE_TORCH,
    OLD_TORCH,
    P100,
    RTX_PRO_6000,
    SILENT,
    SLICE,
    T4,
    TENSORFLOW,
    TORCH,
    TORCH_CPU,
    a_snapshot,
)
from colab_magics.model import Severity
from colab_magics.rules import frameworks

JAX = replace(TORCH, name="jax", version="0.7.2", cuda_version="12", loaded=False)
HIDDEN = replace(T4, is_hidden=True, cuda_index=None)


@pytest.mark.parametrize(
    ("gpus", "expected"),
    [
        pytest.param((HIDDEN,), True, id="hidden"),
        pytest.param((T4,), False, id="not hidden"),
        pytest.param((T4, HIDDEN), False, id="one of two is hidden on purpose"),
        pytest.param((HIDDEN, replace(T4, index=1, fault="gpu_lost")), True, id="all but one that is lost anyway"),
        pytest.param((replace(HIDDEN, slices=(replace(SLICE, cuda_index=None),)),), True, id="with its slices"),
        pytest.param((replace(HIDDEN, slices=(SLICE,)),), False, id="but for a slice that CUDA sees"),
        pytest.param((), False, id="none there"),
        pytest.param(SILENT, False, id="unavailable"),
    ],
)
def test_gpus_that_cuda_is_kept_from(gpus: Any, expected: bool) -> None:
    assert (frameworks.cuda_hidden(a_snapshot(gpus=gpus)) is not None) is expected


@pytest.mark.parametrize(
    ("installed", "expected"),
    [
        pytest.param((TORCH_CPU,), True, id="loaded and without CUDA"),
        pytest.param((TORCH,), False, id="with CUDA"),
        pytest.param((replace(TORCH_CPU, cpu_only=None),), False, id="cannot be told"),
        pytest.param((replace(TORCH_CPU, loaded=False),), True, id="installed, and the only one"),
        pytest.param((replace(TORCH_CPU, loaded=False), JAX), False, id="installed, beside one that can"),
        pytest.param((TORCH_CPU, JAX), True, id="loaded, beside one that can"),
        pytest.param((), False, id="none installed"),
        pytest.param(None, False, id="not asked"),
    ],
)
def test_a_framework_without_cuda_beside_a_gpu(installed: Any, expected: bool) -> None:
    assert (frameworks.framework_cpu_only(a_snapshot(frameworks=installed)) is not None) is expected


def test_a_framework_without_cuda_that_is_loaded_is_told_before_one_that_is_not() -> None:
    jax = replace(TORCH_CPU, name="jax", version="0.7.2", loaded=False)
    finding = frameworks.framework_cpu_only(a_snapshot(frameworks=(jax, TORCH_CPU)))

    assert finding is not None
    assert finding.values == (("framework", "torch"), ("version", "2.11.0+cpu"))


@pytest.mark.parametrize("gpus", [pytest.param((), id="none"), pytest.param(SILENT, id="unavailable")])
def test_without_a_gpu_nothing_is_said_of_frameworks(gpus: Any) -> None:
    snapshot = a_snapshot(gpus=gpus, frameworks=(TORCH_CPU, replace(TORCH, cuda_version="13.0")))

    assert [rule(snapshot) for rule in frameworks.RULES] == [None] * len(frameworks.RULES)


def test_rocm_s_pytorch_beside_an_amd_gpu_is_not_found_to_lack_cuda() -> None:
    rocm = replace(TORCH_CPU, version="2.11.0+rocm6.4")
    snapshot = a_snapshot(gpus=(), driver=None, other_gpu_vendors=("AMD",), frameworks=(rocm,))

    assert [rule(snapshot) for rule in frameworks.RULES] == [None] * len(frameworks.RULES)


@pytest.mark.parametrize(
    ("needed", "newest", "expected"),
    [
        pytest.param("13.0", "12.8", True, id="a later major version"),
        pytest.param("13", "12.8", True, id="only the major version told"),
        pytest.param("12.8", "12.2", False, id="a later minor version will do"),
        pytest.param("12.8", "13.0", False, id="an earlier one"),
        pytest.param(None, "12.8", False, id="build unknown"),
        pytest.param("13.0", None, False, id="driver unknown"),
    ],
)
def test_a_framework_for_a_later_cuda_than_the_driver_s(needed: str | None, newest: str | None, expected: bool) -> None:
    snapshot = a_snapshot(
        frameworks=(replace(TORCH, cuda_version=needed),), driver=replace(DRIVER, cuda_version=newest)
    )
    assert (frameworks.framework_needs_newer_driver(snapshot) is not None) is expected


V100 = replace(T4, name="Tesla V100-SXM2-16GB", compute_capability="7.0")
L4 = replace(T4, name="NVIDIA L4", compute_capability="8.9")
NEW_TORCH = replace(KAGGLE_TORCH, version="2.11.0+cu128", architectures=KAGGLE_TORCH.architectures[1:])


def lacking(**changes: Any) -> dict[str, Any] | None:
    finding = frameworks.build_lacks_gpu_code(a_snapshot(**changes))
    return None if finding is None else {**dict(finding.values), "severity": finding.severity}


@pytest.mark.parametrize(
    ("gpu", "framework", "expected"),
    [
        pytest.param(P100, KAGGLE_TORCH, True, id="docker-python#1546, kaggle-cli#1151: P100, cu128"),
        pytest.param(RTX_PRO_6000, OLD_TORCH, True, id="pytorch#167244: RTX PRO 6000, cu124"),
        pytest.param(V100, NEW_TORCH, True, id="pytorch#182250: V100, torch 2.11 cu128"),
        pytest.param(RTX_PRO_6000, TENSORFLOW, True, id="tensorflow#101746: RTX 50xx, TensorFlow 2.20"),
        pytest.param(P100, OLD_TORCH, False, id="P100, cu124"),
        pytest.param(V100, KAGGLE_TORCH, False, id="V100, torch 2.10 cu128"),
        pytest.param(RTX_PRO_6000, KAGGLE_TORCH, False, id="RTX PRO 6000, cu128"),
        pytest.param(L4, OLD_TORCH, False, id="pytorch#152690: L4 by code for 8.6"),
        pytest.param(replace(GB10, compute_capability="12.1"), KAGGLE_TORCH, False, id="pytorch#172629: GB10 by 12.0"),
        pytest.param(T4, TENSORFLOW, False, id="T4 by code for 7.0"),
        pytest.param(P100, replace(KAGGLE_TORCH, architectures=None), False, id="what it carries is not known"),
        pytest.param(replace(P100, compute_capability=None), KAGGLE_TORCH, False, id="capability is not known"),
        pytest.param(replace(P100, is_hidden=True, cuda_index=None), KAGGLE_TORCH, False, id="hidden"),
        pytest.param(replace(P100, cuda_index=None), KAGGLE_TORCH, True, id="visible, by what number is not known"),
        pytest.param(
            replace(P100, is_hidden=True, slices=(SLICE,)),
            KAGGLE_TORCH,
            True,
            id="hidden but for a slice that CUDA sees",
        ),
    ],
)
def test_a_build_that_has_no_code_for_the_gpu(gpu: Any, framework: Any, expected: bool) -> None:
    assert (lacking(gpus=(gpu,), frameworks=(framework,)) is not None) is expected


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"gpus": ()}, id="no GPU"),
        pytest.param({"gpus": SILENT}, id="GPUs unavailable"),
        pytest.param({"gpus": (P100,), "frameworks": SILENT}, id="frameworks unavailable"),
        pytest.param({"gpus": (P100,), "frameworks": None}, id="frameworks not asked"),
    ],
)
def test_where_nobody_could_look_no_build_lacks_anything(changes: dict[str, Any]) -> None:
    assert lacking(**{"frameworks": (KAGGLE_TORCH,), **changes}) is None


def test_of_several_gpus_the_first_that_lacks_code_is_named() -> None:
    found = lacking(gpus=(T4, replace(P100, index=1)), frameworks=(KAGGLE_TORCH,))

    assert found is not None
    assert (found["gpu"], found["capability"]) == ("Tesla P100-PCIE-16GB", "6.0")


def test_of_several_frameworks_the_loaded_one_comes_first() -> None:
    found = lacking(gpus=(P100,), frameworks=(replace(KAGGLE_TORCH, version="2.9.1+cu128", loaded=False), KAGGLE_TORCH))

    assert found is not None
    assert found["version"] == "2.10.0+cu128"


@pytest.mark.parametrize(
    ("installed", "severity"),
    [
        pytest.param((KAGGLE_TORCH,), Severity.ERROR, id="loaded"),
        pytest.param((KAGGLE_TORCH, TENSORFLOW), Severity.ERROR, id="loaded, beside one that can"),
        pytest.param((replace(KAGGLE_TORCH, loaded=False),), Severity.ERROR, id="installed, and the only one"),
        pytest.param((replace(KAGGLE_TORCH, loaded=False), TENSORFLOW), Severity.WARNING, id="beside one that can"),
        pytest.param(
            (replace(KAGGLE_TORCH, loaded=False), JAX), Severity.WARNING, id="beside one of which nothing else is known"
        ),
        pytest.param(
            (replace(KAGGLE_TORCH, loaded=False), replace(TORCH_CPU, name="jax")),
            Severity.ERROR,
            id="beside one without CUDA",
        ),
        pytest.param(
            (replace(KAGGLE_TORCH, loaded=False), replace(JAX, cuda_version="13")),
            Severity.ERROR,
            id="beside one that needs a later driver",
        ),
    ],
)
def test_a_build_that_is_merely_installed_beside_one_that_can_matters_less(installed: Any, severity: Severity) -> None:
    found = lacking(gpus=(P100,), frameworks=installed)

    assert found is not None
    assert found["framework"] == "torch"
    assert found["severity"] is severity


def test_of_one_framework_one_thing_is_said() -> None:
    for_cuda_13 = replace(NEW_TORCH, version="2.14.1+cu130", cuda_version="13.0")
    for installed in (KAGGLE_TORCH, for_cuda_13, replace(KAGGLE_TORCH, cpu_only=True)):
        snapshot = a_snapshot(gpus=(P100,), frameworks=(installed,))
        found = [finding.rule for rule in frameworks.RULES if (finding := rule(snapshot)) is not None]

        assert len(found) == 1, found
