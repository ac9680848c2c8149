from __future__ import annotations

import dataclasses
import inspect
import pickle

import pytest

from builders import A100, MUTE_GPU, a_report, a_snapshot
from colab_magics import model

TYPES = [one for _, one in inspect.getmembers(model, inspect.isclass) if dataclasses.is_dataclass(one)]


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.__name__)
def test_every_type_is_frozen_slotted_and_keyword_only(kind: type) -> None:
    assert kind.__dataclass_params__.frozen
    assert "__slots__" in kind.__dict__
    assert all(field.kw_only for field in dataclasses.fields(kind))


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.__name__)
def test_the_model_holds_tuples_and_no_lists_or_dicts(kind: type) -> None:
    for field in dataclasses.fields(kind):
        assert "list" not in str(field.type), field.name
        assert "dict" not in str(field.type), field.name


def test_a_report_pickles() -> None:
    report = a_report(gpus=(A100, MUTE_GPU))

    assert pickle.loads(pickle.dumps(report)) == report


def test_a_report_can_be_a_key() -> None:
    assert len({a_snapshot(), a_snapshot()}) == 1


def test_the_used_share_of_nothing_is_nothing() -> None:
    assert model.Usage(total_bytes=0, used_bytes=0).used_percent == 0
    assert model.Usage(total_bytes=8, used_bytes=2).used_percent == 25
