from __future__ import annotations

import dataclasses
import inspect
import pickle
from dataclasses import replace

import pytest

from builders import A100, COLAB, GIB, JUPYTER, MUTE_GPU, RAM, T4, a_ram, a_report, a_snapshot
from colab_magics import model
from colab_magics.model import cells, holders
from colab_magics.values import Value

TYPES = [
    one
    for module in (model, holders, cells)
    for _, one in inspect.getmembers(module, inspect.isclass)
    if issubclass(one, Value) and one is not Value
]


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.__name__)
def test_the_model_holds_tuples_and_no_lists_or_dicts(kind: type[Value]) -> None:
    for name, annotation in inspect.get_annotations(kind).items():
        assert not {"list", "dict", "set"} & {*annotation.replace("[", " ").split()}, name


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.__name__)
def test_every_class_of_the_model_is_a_value_of_its_own_fields(kind: type[Value]) -> None:
    assert kind.__bases__ == (Value,)
    assert [field.name for field in dataclasses.fields(kind)] == [*inspect.get_annotations(kind)]
    assert kind.__doc__


def test_a_report_pickles() -> None:
    report = a_report(gpus=(A100, MUTE_GPU))

    assert pickle.loads(pickle.dumps(report)) == report


def test_a_snapshot_can_be_a_key() -> None:
    assert len({a_snapshot(), a_snapshot()}) == 1


def test_the_used_share_of_nothing_is_nothing() -> None:
    assert model.Usage(total_bytes=0, used_bytes=0).used_percent == 0
    assert model.Usage(total_bytes=8, used_bytes=2).used_percent == 25


def test_the_used_share_of_a_gpu_s_memory_counts_what_programs_hold() -> None:
    memory = model.GpuMemory(total_bytes=8, used_bytes=2, free_bytes=5, reserved_bytes=1)

    assert memory.used_percent == 25


@pytest.mark.parametrize(
    ("ram", "usage"),
    [
        pytest.param(a_ram(10.0), (10 * GIB, GIB), id="a machine of one's own"),
        pytest.param(
            a_ram(64.0, limited_by="cgroup_v2", limit_bytes=4 * GIB, headroom_bytes=3 * GIB),
            (4 * GIB, GIB),
            id="a container's limit",
        ),
        pytest.param(
            replace(a_ram(64.0, headroom_bytes=GIB), capacity_bytes=4 * GIB),
            (4 * GIB, 3 * GIB),
            id="a container on a machine that is nearly full",
        ),
        pytest.param(replace(RAM, capacity_bytes=GIB, headroom_bytes=2 * GIB), (GIB, 0), id="a limit that was lowered"),
    ],
)
def test_of_what_may_be_used_all_is_taken_that_cannot_be_allocated(ram: model.Ram, usage: tuple[int, int]) -> None:
    assert (ram.usage.total_bytes, ram.usage.used_bytes) == usage


@pytest.mark.parametrize(
    ("section", "things"),
    [
        pytest.param((T4, A100), (T4, A100), id="some"),
        pytest.param((), (), id="none"),
        pytest.param(model.Unavailable(code="driver_silent"), (), id="nobody could look"),
        pytest.param(None, (), id="nobody asked"),
    ],
)
def test_the_things_of_a_section_are_those_that_were_seen(section: object, things: tuple[object, ...]) -> None:
    assert model.seen(section) == things


def test_the_service_is_told_where_somebody_could_look() -> None:
    assert a_snapshot(platform=COLAB).service == "colab"
    assert a_snapshot(platform=JUPYTER).service is None
    assert a_snapshot(platform=model.Unavailable(code="unexpected")).service is None


def test_a_clause_s_keys_are_those_of_which_something_is_told() -> None:
    clause = model.ClauseVerdict(expression="gpu | tpu", state=model.State.UNMET, found=(("gpu", ()), ("tpu", None)))

    assert clause.keys == ("gpu", "tpu")


def test_a_hint_is_the_least_severe() -> None:
    assert sorted(model.Severity) == [*model.Severity]
    assert model.Severity.HINT < model.Severity.INFO < model.Severity.WARNING < model.Severity.ERROR
