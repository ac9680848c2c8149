"""A real controller of ipyparallel's with engines in processes of their own, on machines of other names."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from colab_magics.clusters.ipyparallel import takes
from colab_magics.clusters.status import Question, cluster_status
from composed import why_not
from machines_of_clusters import (
    Processes,
    Strange,
    children,
    codes,
    of,
    processes,
    python,
    refused,
    wait_until,
    with_driver,
    without_driver,
    without_package,
)

pytestmark = [pytest.mark.clusters, pytest.mark.skipif(why_not() is not None, reason=str(why_not()))]
ipyparallel = pytest.importorskip("ipyparallel", reason="ipyparallel is installed by nox -s tests_clusters alone")


@pytest.fixture
def started() -> Iterator[Processes]:
    yield from processes()


@pytest.fixture
def client(started: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    line = python("-m", "ipyparallel.controller", "--ip=127.0.0.1", "--nodb", "--log-level=40")
    started.start(line, os.environ, tmp_path)
    file = tmp_path / "ipython" / "profile_default" / "security" / "ipcontroller-client.json"

    def is_written() -> bool:
        try:
            return bool(json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return False

    wait_until(is_written)
    with ipyparallel.Client(url_file=str(file)) as client:
        yield client


@pytest.fixture
def work(client: Any, started: Processes, tmp_path: Path) -> Callable[..., int]:
    """Start an engine on a machine of that name; return its process."""

    def work(name: str, environment: dict[str, str]) -> int:
        expected = len(client.ids) + 1
        own = {"IPYTHONDIR": str(tmp_path / "ipython")}
        line = [str(shutil.which("unshare")), "--uts", "sh", "-c", f'hostname {name}; exec "$@"', "machine"]
        pid = started.start([*line, *python("-m", "ipyparallel.engine")], environment | own, tmp_path).pid
        wait_until(lambda: len(client.ids) == expected)
        return pid

    return work


def test_every_machine_is_asked_once_and_nothing_of_it_stays(
    client: Any, work: Callable[..., int], tmp_path: Path
) -> None:
    pids = [work("first", without_driver()), work("first", without_driver())]
    pids.append(work("second", with_driver(tmp_path / "t4")))
    earlier = client[0].apply_sync(os.getpid)
    history, known, before = [*client.history], {*client.metadata}, [*map(children, pids)]

    seen = cluster_status(client, shell_class=None)

    cluster = of(seen)
    found = {node.address: (node.workers, node.snapshot and node.snapshot.usable_gpus) for node in cluster.nodes}
    assert found["first"] == (2, ())
    assert found["second"][0] == 1
    assert found["second"][1][0].name == "Tesla T4"
    assert (cluster.engine, cluster.workers) == ("ipyparallel", 3)
    assert [*client.history] == history
    assert known >= {*client.metadata}
    assert not client.results
    assert earlier in pids
    wait_until(lambda: [*map(children, pids)] == before, 10)


def test_a_view_is_asked_for_its_own_engines_alone(client: Any, work: Callable[..., int]) -> None:
    for name in ("first", "second", "third"):
        work(name, without_driver())

    def addresses(view: Any) -> set[str]:
        return {node.address for node in of(cluster_status(view, shell_class=None)).nodes}

    assert addresses(client[1]) == {"second"}
    assert addresses(client[:2]) == {"first", "second"}
    assert addresses(client.load_balanced_view()) == {"first", "second", "third"}


def test_an_engine_without_the_package_and_those_that_are_busy_or_hang_cost_themselves(
    client: Any, work: Callable[..., int], tmp_path: Path
) -> None:
    work("first", without_driver())
    work("lacking", without_package(tmp_path / "without"))
    work("first", without_driver())
    stopped = work("stopped", without_driver())
    busy = client[2].apply_async(time.sleep, 6)
    before = {*client.metadata}
    os.kill(stopped, signal.SIGSTOP)
    began = time.monotonic()

    seen = cluster_status(client, shell_class=None, question=Question(deadline_seconds=3.0))

    assert time.monotonic() - began < 5
    assert sorted(code or "" for code in codes(seen)) == ["", "engines_silent", "node_lacks_package"]
    assert of(seen).workers == 4
    assert "2 engines did not answer within 3 s" in str(seen)
    assert 'client[:].execute("%pip install colab_magics", block=True)' in str(seen)
    assert not busy.ready()
    busy.get(20)
    client[2].apply_sync(os.getpid)
    os.kill(stopped, signal.SIGCONT)
    wait_until(lambda: {*client.metadata} <= {*before, *client.history}, 10)


def test_one_that_is_killed_meanwhile(client: Any, work: Callable[..., int], tmp_path: Path) -> None:
    work("first", without_driver())
    killed = work("second", with_driver(tmp_path / "hung", "hang nvmlInit*"))
    asked: list[float] = []

    def tell(done: int, _total: int) -> None:
        if done == 1 and not asked:
            asked.append(time.monotonic())
            os.kill(killed, signal.SIGKILL)

    question = Question(deadline_seconds=6.0, driver_deadline_seconds=5.0)
    seen = cluster_status(client, shell_class=None, question=question, tell=tell)

    assert asked
    assert codes(seen)[0] is None
    assert codes(seen)[1] in ("node_failed", "node_silent")  # its nanny tells of the death, sooner or later


def test_one_that_has_gone_before_is_a_row_of_a_view_that_still_names_it(client: Any, work: Callable[..., int]) -> None:
    work("first", without_driver())
    gone = work("second", without_driver())
    view = client[:]
    os.kill(gone, signal.SIGKILL)
    wait_until(lambda: client.ids == [0])

    seen = cluster_status(view, shell_class=None)

    assert codes(seen) == ["node_failed", None]


def test_no_code_of_a_value_runs_to_find_out_what_it_is() -> None:
    assert not takes(Strange())


def test_what_cannot_be_asked_is_one_line(client: Any) -> None:
    assert refused(client) == "the cluster has no workers. Allowed: one with at least one"
    client.close()
    assert refused(client) == "the ipyparallel client is closed. Allowed: one that is connected"
