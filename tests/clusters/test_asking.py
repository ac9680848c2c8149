from __future__ import annotations

import pickle
import sys
from types import ModuleType

import pytest

from colab_magics.clusters import asking
from colab_magics.version import FORM, VERSION

REQUEST = {"packages": ("psutil",), "driver_deadline_seconds": 3.0}


@pytest.fixture
def without_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make it as on a machine that lacks the package."""
    for name in ("colab_magics.clusters", "colab_magics.clusters.node"):
        monkeypatch.setitem(sys.modules, name, None)


@pytest.mark.parametrize("way", ["function", "expression"])
def test_what_is_sent_looks_at_the_machine_that_it_comes_to(way: str) -> None:
    answer = asking.sent()["look"](REQUEST) if way == "function" else eval(asking.expression(REQUEST))

    assert (answer["version"], answer["form"]) == (VERSION, FORM)
    assert isinstance(answer["report"], bytes)


@pytest.mark.usefixtures("without_package")
def test_where_the_package_is_missing_it_says_so() -> None:
    assert asking.sent()["look"](REQUEST) == {}
    assert eval(asking.expression(REQUEST)) == {}


def test_what_is_sent_needs_nothing_of_this_package_to_be_read() -> None:
    """An engine pickles a function of `__main__` with its code, and one of a module by its name alone."""
    for name in ("look", "look_aside"):
        function = asking.sent()[name]
        assert function.__module__ == "__main__"
        with pytest.raises((pickle.PicklingError, AttributeError)):
            pickle.dumps(function)
    assert not isinstance(asking.sent().get("node"), ModuleType)


def test_a_failure_is_told_without_its_words_which_may_name_a_machine() -> None:
    why = asking.failed(OSError("cannot reach 10.0.0.7"))

    assert why.code == "node_failed"
    assert why.values == (("error", "OSError"),)


def test_workers_of_one_machine_are_one_group_in_the_order_in_which_they_are_met() -> None:
    grouped = asking.workers_by_machine([("b", 1), ("a", 2), ("b", 3)])

    assert [*grouped.items()] == [("b", [1, 3]), ("a", [2])]
