from __future__ import annotations

import asyncio
import inspect
import pickle
import sys
from typing import Any

import pytest

from colab_magics.clusters import asking
from colab_magics.version import FORM, VERSION

REQUEST = {"packages": ("psutil",), "driver_deadline_seconds": 3.0}


@pytest.fixture
def without_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make it as on a machine that lacks the package."""
    for name in ("colab_magics.clusters", "colab_magics.clusters.node"):
        monkeypatch.setitem(sys.modules, name, None)


def look() -> Any:
    """Return what a machine makes of what is sent."""
    return pickle.loads(pickle.dumps(asking.Sent("look")))


def test_what_is_sent_looks_at_the_machine_that_it_comes_to() -> None:
    answer = look()(REQUEST)

    assert (answer["version"], answer["form"]) == (VERSION, FORM)
    assert isinstance(answer["report"], bytes)


def test_it_may_do_so_beside_an_event_loop() -> None:
    aside = pickle.loads(pickle.dumps(asking.Sent("look_aside")))

    async def asked() -> dict[str, Any]:
        answer: dict[str, Any] = await aside(REQUEST)
        await asyncio.get_running_loop().shutdown_default_executor()  # kernels of Colab's time change asyncio.run
        return answer

    assert inspect.iscoroutinefunction(aside)
    assert asyncio.run(asked())["version"] == VERSION


@pytest.mark.usefixtures("without_package")
def test_where_the_package_is_missing_it_says_so() -> None:
    assert look()(REQUEST) == {}


def test_what_is_sent_names_nothing_of_this_package_that_must_be_there_to_read_it() -> None:
    """Nor `__main__`, where Dask falls back to another way of pickling."""
    sent = pickle.dumps(asking.Sent("look"))

    assert [name for name in (b"colab_magics.clusters.asking", b"__main__") if name in sent] == []
    assert look().__module__ == "__main__"


def test_a_failure_is_told_without_its_words_which_may_name_a_machine() -> None:
    why = asking.failed(OSError("cannot reach 10.0.0.7"))

    assert why.code == "node_failed"
    assert why.values == (("error", "OSError"),)


def test_workers_of_one_machine_are_one_group_in_the_order_in_which_they_are_met() -> None:
    grouped = asking.workers_by_machine([("b", 1), ("a", 2), ("b", 3)])

    assert [*grouped.items()] == [("b", [1, 3]), ("a", [2])]
