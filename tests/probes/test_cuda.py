from __future__ import annotations

from typing import Any

import pytest

from colab_magics.probes.cuda import cuda_numbers

A, B, C = "GPU-aaaa1111", "GPU-bbbb2222", "GPU-bbbb3333"
SLICE = "MIG-cccc4444"
BY_BUS = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}


def gpus(*uuids: str | None, slices: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    return [
        {
            "index": index,
            "uuid": uuid,
            "mig_enabled": bool(slices) and index == 0,
            "slices": [{"uuid": one} for one in slices] if index == 0 else [],
        }
        for index, uuid in enumerate(uuids)
    ]


def seen_as(machine: list[dict[str, Any]], visible: str | None, **environment: str) -> tuple[dict[str, int], set[str]]:
    variables = dict(environment) if visible is None else {"CUDA_VISIBLE_DEVICES": visible, **environment}
    number, hidden = cuda_numbers(machine, variables)
    return number, set(hidden)


@pytest.mark.parametrize(
    ("visible", "number", "hidden"),
    [
        pytest.param(None, {A: 0}, set(), id="nothing set"),
        pytest.param("0", {A: 0}, set(), id="named by its only number"),
        pytest.param("", {}, {A}, id="empty hides all"),
        pytest.param("-1", {}, {A}, id="-1 hides all"),
        pytest.param("1", {}, {A}, id="a number that is not there"),
        pytest.param("NoDevFiles", {}, {A}, id="a word"),
        pytest.param(A, {A: 0}, set(), id="its uuid"),
        pytest.param("GPU-aa", {A: 0}, set(), id="the beginning of its uuid"),
    ],
)
def test_the_only_gpu(visible: str | None, number: dict[str, int], hidden: set[str]) -> None:
    assert seen_as(gpus(A), visible) == (number, hidden)


@pytest.mark.parametrize(
    ("visible", "environment", "number", "hidden"),
    [
        pytest.param(None, {}, {}, set(), id="the fastest first, whichever that is"),
        pytest.param(None, BY_BUS, {A: 0, B: 1, C: 2}, set(), id="by the bus"),
        pytest.param("2,0", BY_BUS, {C: 0, A: 1}, {B}, id="chosen by the bus's numbers"),
        pytest.param("2,0", {}, {}, set(), id="chosen by numbers nobody knows"),
        pytest.param(f"{B},{A}", {}, {B: 0, A: 1}, {C}, id="chosen by uuid"),
        pytest.param(f"{B}, GPU-aa", {}, {B: 0, A: 1}, {C}, id="blanks, and a beginning that is enough"),
        pytest.param("GPU-bbbb", {}, {}, {A, B, C}, id="a beginning that fits two names none"),
        pytest.param(f"{A},GPU-zzzz,{B}", {}, {A: 0}, {B, C}, id="what names nothing ends the list"),
        pytest.param("0,-1,1", BY_BUS, {A: 0}, {B, C}, id="so does -1"),
        pytest.param(f"{A},{A}", {}, {}, {A, B, C}, id="the same twice empties the list"),
        pytest.param("", {}, {}, {A, B, C}, id="empty hides all"),
    ],
)
def test_several_gpus(
    visible: str | None, environment: dict[str, str], number: dict[str, int], hidden: set[str]
) -> None:
    assert seen_as(gpus(A, B, C), visible, **environment) == (number, hidden)


@pytest.mark.parametrize(
    ("visible", "number", "hidden"),
    [
        pytest.param(None, {}, set(), id="which slice CUDA takes is its own choice"),
        pytest.param(SLICE, {SLICE: 0}, {A, "MIG-dddd"}, id="one slice"),
        pytest.param(f"{SLICE},MIG-dddd", {SLICE: 0}, {A, "MIG-dddd"}, id="only the first of several"),
        pytest.param("MIG-zzzz", {}, {A, SLICE, "MIG-dddd"}, id="a slice that is not there"),
    ],
)
def test_slices(visible: str | None, number: dict[str, int], hidden: set[str]) -> None:
    assert seen_as(gpus(A, slices=(SLICE, "MIG-dddd")), visible) == (number, hidden)


def test_without_the_uuids_nothing_is_certain() -> None:
    assert seen_as(gpus(A, None), f"{A}") == ({}, set())
