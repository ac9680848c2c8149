from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from builders import DRIVER, SILENT, SLICE, T4, TORCH, TORCH_CPU, a_snapshot
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
