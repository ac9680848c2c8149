from __future__ import annotations

import os
import pickle
import threading
from collections.abc import Callable
from typing import Any

import pytest

from colab_magics.clusters import node
from colab_magics.model import seen
from colab_magics.observer import client
from colab_magics.report import Report
from fake_nvml import FakeDriver

REQUEST = {"packages": ("psutil", "no-such-package"), "driver_deadline_seconds": 3.0}


def report_of(answer: dict[str, Any]) -> Report:
    report = pickle.loads(answer["report"])
    assert isinstance(report, Report)
    return report


def test_it_looks_at_everything_and_for_the_packages_and_leaves_no_process(plug_in: Callable[..., FakeDriver]) -> None:
    plug_in("t4")

    snapshot = report_of(node.answer(REQUEST)).snapshot

    assert [gpu.name for gpu in seen(snapshot.gpus)] == ["Tesla T4"]
    assert [(one.name, one.is_installed) for one in seen(snapshot.packages)] == [
        ("psutil", True),
        ("no-such-package", False),
    ]
    assert client.pid() is None


def test_a_process_that_ran_before_goes_on() -> None:
    client.start()
    before = client.pid()

    node.answer(REQUEST)

    assert before is not None
    assert client.pid() == before


def test_workers_that_are_threads_of_one_process_look_one_after_the_other(plug_in: Callable[..., FakeDriver]) -> None:
    plug_in("t4")
    answers: list[dict[str, Any]] = []
    threads = [threading.Thread(target=lambda: answers.append(node.answer(REQUEST))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert [len(seen(report_of(answer).snapshot.gpus)) for answer in answers] == [1] * 4
    assert client.pid() is None


@pytest.mark.parametrize(("of_ray", "is_hidden"), [(True, False), (False, True)])
def test_what_ray_hides_from_a_task_that_asks_for_no_gpu_is_seen(
    plug_in: Callable[..., FakeDriver], monkeypatch: pytest.MonkeyPatch, of_ray: bool, is_hidden: bool
) -> None:
    plug_in("t4")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    if of_ray:
        monkeypatch.setenv("RAY_JOB_ID", "01000000")

    (gpu,) = seen(report_of(node.answer(REQUEST)).snapshot.gpus)

    assert gpu.is_hidden == is_hidden
    assert os.environ["CUDA_VISIBLE_DEVICES"] == ""
