from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colab_magics.probes.cuda import Numbers, cuda_numbers

A, B, C = "GPU-aaaa1111", "GPU-bbbb2222", "GPU-bbbb3333"
SLICE, OTHER_SLICE = "MIG-cccc4444", "MIG-dddd5555"
BY_BUS = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
UNKNOWN = Numbers({}, {}, frozenset(), None)


def gpus(*uuids: str | None, slices: tuple[str, ...] = (), lost: tuple[int, ...] = ()) -> list[dict[str, Any]]:
    return [
        {
            "index": index,
            "uuid": None if index in lost else uuid,
            "fault": "gpu_lost" if index in lost else None,
            "mig_enabled": bool(slices) and index == 0,
            "slices": [{"uuid": one, "instance": f"{7 + number}/0"} for number, one in enumerate(slices)]
            if index == 0
            else [],
            "unavailable": {"uuid": "gpu_lost"} if index in lost else {},
        }
        for index, uuid in enumerate(uuids)
    ]


def seen_as(machine: list[dict[str, Any]], visible: str | None, **environment: str) -> Numbers:
    variables = dict(environment) if visible is None else {"CUDA_VISIBLE_DEVICES": visible, **environment}
    return cuda_numbers(machine, variables)


@pytest.mark.parametrize(
    ("visible", "numbers", "hidden", "count"),
    [
        pytest.param(None, {0: 0}, set(), 1, id="nothing set"),
        pytest.param("0", {0: 0}, set(), 1, id="named by its only number"),
        pytest.param(" 0 ", {0: 0}, set(), 1, id="with blanks"),
        pytest.param("+0", {0: 0}, set(), 1, id="with a sign, as strtoul reads it"),
        pytest.param("0gpu", {0: 0}, set(), 1, id="with a word behind it, as strtoul reads it"),
        pytest.param("", {}, {0}, 0, id="empty hides all"),
        pytest.param("-1", {}, {0}, 0, id="-1 hides all"),
        pytest.param("1", {}, {0}, 0, id="a number that is not there"),
        pytest.param("9" * 500, {}, {0}, 0, id="a number that is no number of anything"),
        pytest.param("NoDevFiles", {}, {0}, 0, id="a word"),
        pytest.param("GPU", {}, {0}, 0, id="a word that almost is one"),
        pytest.param(A, {0: 0}, set(), 1, id="its uuid"),
        pytest.param("GPU-aa", {0: 0}, set(), 1, id="the beginning of its uuid"),
    ],
)
def test_the_only_gpu(visible: str | None, numbers: dict[int, int], hidden: set[int], count: int) -> None:
    assert seen_as(gpus(A), visible) == Numbers(numbers, {}, frozenset(hidden), count)


@pytest.mark.parametrize(
    ("visible", "environment", "numbers", "hidden", "count"),
    [
        pytest.param(None, {}, {}, set(), 3, id="the fastest first, whichever that is"),
        pytest.param(None, BY_BUS, {0: 0, 1: 1, 2: 2}, set(), 3, id="by the bus"),
        pytest.param("2,0", BY_BUS, {2: 0, 0: 1}, {1}, 2, id="chosen by the bus's numbers"),
        pytest.param("2,0", {}, {}, set(), 2, id="chosen by numbers nobody knows: two all the same"),
        pytest.param(f"{B},{A}", {}, {1: 0, 0: 1}, {2}, 2, id="chosen by uuid"),
        pytest.param(f"{B}, GPU-aa", {}, {1: 0, 0: 1}, {2}, 2, id="blanks, and a beginning that is enough"),
        pytest.param("GPU-bbbb", {}, {}, {0, 1, 2}, 0, id="a beginning that fits two names none"),
        pytest.param(f"{A},GPU-zzzz,{B}", {}, {0: 0}, {1, 2}, 1, id="what names nothing ends the list"),
        pytest.param("0,-1,1", BY_BUS, {0: 0}, {1, 2}, 1, id="so does -1"),
        pytest.param(f"{A},{A}", {}, {}, {0, 1, 2}, 0, id="the same twice empties the list"),
        pytest.param("1,1", {}, {}, {0, 1, 2}, 0, id="by number too"),
        pytest.param("3", {}, {}, {0, 1, 2}, 0, id="a number beyond the last hides all, in whatever order"),
        pytest.param("", {}, {}, {0, 1, 2}, 0, id="empty hides all"),
    ],
)
def test_several_gpus(
    visible: str | None, environment: dict[str, str], numbers: dict[int, int], hidden: set[int], count: int
) -> None:
    assert seen_as(gpus(A, B, C), visible, **environment) == Numbers(numbers, {}, frozenset(hidden), count)


@pytest.mark.parametrize(
    ("visible", "numbers", "hidden"),
    [
        pytest.param(SLICE, {SLICE: 0}, {0, OTHER_SLICE}, id="one slice"),
        pytest.param(f"{SLICE},{OTHER_SLICE}", {SLICE: 0}, {0, OTHER_SLICE}, id="only the first of several"),
        pytest.param(f"MIG-{A}/8/0", {OTHER_SLICE: 0}, {0, SLICE}, id="flashinfer#4901: the older form"),
        pytest.param("MIG-zzzz", {}, {0, SLICE, OTHER_SLICE}, id="a slice that is not there"),
    ],
)
def test_slices(visible: str, numbers: dict[str, int], hidden: set[int | str]) -> None:
    found = seen_as(gpus(A, slices=(SLICE, OTHER_SLICE)), visible)

    assert found == Numbers({}, numbers, frozenset(hidden), len(numbers))


@pytest.mark.parametrize(
    ("machine", "visible"),
    [
        pytest.param(gpus(A, slices=(SLICE,)), None, id="which slice CUDA takes is its own choice"),
        pytest.param(gpus(A, slices=(SLICE,)), f"MIG-{A}/99/0", id="an older form that fits none that is known"),
        pytest.param(gpus(A, None), f"{B}", id="a uuid, where one is not known"),
        pytest.param(gpus(A, B, lost=(1,)), None, id="one is lost"),
    ],
)
def test_what_cannot_be_told_is_unknown_and_never_hidden(machine: list[dict[str, Any]], visible: str | None) -> None:
    assert seen_as(machine, visible) == UNKNOWN


def test_a_slice_that_is_not_listed_may_be_there_where_the_list_is_not_whole() -> None:
    machine = gpus(A, slices=(SLICE,))
    machine[0]["unavailable"] = {"slices": "no_permission"}

    assert seen_as(machine, "MIG-zzzz") == UNKNOWN


def test_nothing_chosen_hides_a_lost_gpu_too() -> None:
    """One of eight GPUs is lost, and the variable is empty: all of them are hidden."""
    found = seen_as(gpus(A, B, C, lost=(1,)), "")

    assert found == Numbers({}, {}, frozenset({0, 1, 2}), 0)


@settings(derandomize=True, deadline=None, max_examples=300, database=None)
@given(
    st.text()
    | st.lists(
        st.sampled_from(["0", "1", "2", "-1", "9" * 4301, "GPU-", A, B, "GPU-bb", SLICE, "MIG-", "x", "", " 0"])
    ).map(",".join)
)
def test_whatever_is_set_is_read(visible: str) -> None:
    for machine in (gpus(A), gpus(A, B, C), gpus(A, slices=(SLICE,)), gpus(A, B, lost=(0,)), []):
        found = seen_as(machine, visible)

        assert not found.hidden & (found.gpus.keys() | found.slices.keys())
        assert sorted(found.gpus.values()) + sorted(found.slices.values()) == sorted(
            range(len(found.gpus) + len(found.slices))
        )
        assert found.visible is None or found.visible <= max(1, len(machine))
