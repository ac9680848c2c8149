"""A real scheduler of Dask's, over TCP, with workers in processes of their own."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from colab_magics.clusters import dask
from colab_magics.clusters.asking import ClusterError
from colab_magics.clusters.status import Question, cluster_status
from colab_magics.model import Severity
from colab_magics.report import Report
from machines_of_clusters import (
    HOSTS,
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
    with_package,
    without_driver,
    without_package,
)

pytestmark = pytest.mark.clusters
distributed = pytest.importorskip("distributed", reason="Dask is installed by nox -s tests_clusters alone")


@pytest.fixture
def workers() -> Iterator[Processes]:
    yield from processes()


@pytest.fixture
def client() -> Iterator[Any]:
    with (
        distributed.LocalCluster(
            n_workers=0, processes=False, protocol="tcp", host="127.0.0.1", dashboard_address="127.0.0.1:0"
        ) as scheduler,
        distributed.Client(scheduler) as client,
    ):
        yield client


@pytest.fixture
def work(client: Any, workers: Processes, tmp_path: Path) -> Callable[..., int]:
    """Start a worker on a host; return its process."""
    expected = 0

    def work(host: str, environment: dict[str, str]) -> int:
        nonlocal expected
        expected += 1
        line = python("-m", "distributed.cli.dask_worker", client.scheduler.address, f"--host={host}")
        line += ["--no-nanny", "--nthreads=1", "--no-dashboard", "--death-timeout=60"]
        own = {"DASK_DISTRIBUTED__DIAGNOSTICS__NVML": "False"}  # by which a worker itself hangs where a driver does
        pid = workers.start(line, environment | own, tmp_path).pid
        wait_until(lambda: len(client.scheduler_info(n_workers=-1)["workers"]) == expected)
        return pid

    return work


def shown(shell: InteractiveShell) -> list[dict[str, Any]]:
    """Return what was displayed, but for what says that it goes on."""
    outputs: Any = shell.display_pub
    bundles = [output["data"] for output in outputs.outputs]
    return [bundle for bundle in bundles if "Asking" not in bundle["text/plain"]]


def code(seen: Report, number: int) -> str | None:
    """Return why nothing is known of a machine."""
    return codes(seen)[number - 1]


def test_every_machine_is_asked_once_and_seen_as_its_workers_see_it(
    client: Any, work: Callable[..., int], tmp_path: Path
) -> None:
    pids = [work(HOSTS[0], without_driver()), work(HOSTS[0], without_driver())]
    pids.append(work(HOSTS[1], with_driver(tmp_path / "t4")))
    pids.append(work(HOSTS[2], with_driver(tmp_path / "hung", "hang nvmlInit*")))
    began = time.monotonic()

    seen = cluster_status(client, shell_class=None, question=Question(driver_deadline_seconds=1.0))

    assert time.monotonic() - began < 12
    cluster = of(seen)
    assert [(node.address, node.workers) for node in cluster.nodes] == [(HOSTS[0], 2), (HOSTS[1], 1), (HOSTS[2], 1)]
    snapshots = [node.snapshot for node in cluster.nodes]
    gpus: list[Any] = [None if snapshot is None else snapshot.gpus for snapshot in snapshots]
    assert gpus[0] == ()
    assert gpus[1][0].name == "Tesla T4"
    assert gpus[2].code == "driver_slow"
    assert cluster.nodes[2].severity is Severity.ERROR
    assert (cluster.totals.gpus, cluster.totals.is_complete) == (1, False)
    wait_until(lambda: not any(map(children, pids)), 10)


def test_a_machine_that_works_on_something_is_asked_beside_it(client: Any, work: Callable[..., int]) -> None:
    work(HOSTS[0], without_driver())
    busy = client.submit(time.sleep, 20)
    wait_until(lambda: busy.status == "pending" and bool(client.processing()[next(iter(client.processing()))]))

    seen = cluster_status(client, shell_class=None, question=Question(deadline_seconds=10.0))

    assert code(seen, 1) is None
    assert busy.status == "pending"


def test_one_that_is_killed_meanwhile_and_one_that_hangs_cost_themselves(
    client: Any, work: Callable[..., int], tmp_path: Path
) -> None:
    work(HOSTS[0], without_driver())
    killed = work(HOSTS[1], with_driver(tmp_path / "hung", "hang nvmlInit*"))
    stopped = work(HOSTS[2], without_driver())
    os.kill(stopped, signal.SIGSTOP)
    threading.Timer(1.0, os.kill, (killed, signal.SIGKILL)).start()
    began = time.monotonic()

    seen = cluster_status(
        client, shell_class=None, question=Question(deadline_seconds=6.0, driver_deadline_seconds=5.0)
    )

    assert time.monotonic() - began < 8
    assert [code(seen, number) for number in (1, 2, 3)] == [None, "node_failed", "node_silent"]
    assert "Not looked at: 2 of 3." in str(seen)


def test_where_several_are_asked_at_once_one_that_hangs_costs_itself_too(
    client: Any, work: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask, "_QUESTIONS", 1)
    for host in HOSTS[:2]:
        work(host, without_driver())
    os.kill(work(HOSTS[2], without_driver()), signal.SIGSTOP)
    told: list[tuple[int, int]] = []

    seen = cluster_status(
        client,
        shell_class=None,
        question=Question(deadline_seconds=3.0),
        tell=lambda done, total: told.append((done, total)),
    )

    assert [code(seen, number) for number in (1, 2, 3)] == [None, None, "node_silent"]
    assert (2, 3) in told


def test_machines_without_the_package_and_with_another_version_of_it(
    client: Any, work: Callable[..., int], tmp_path: Path
) -> None:
    newer = (
        ("version.py", '"0.1.0"', '"0.9.0"'),
        (
            "model/__init__.py",
            "    cluster: Cluster | None = None\n",
            '    cluster: Cluster | None = None\n    weather: str = "fine"\n',
        ),
    )
    work(HOSTS[0], without_package(tmp_path / "without"))
    work(HOSTS[1], with_package(tmp_path / "newer", *newer))
    work(HOSTS[2], with_package(tmp_path / "other", ("version.py", '"0.1.0"', '"0.8.0"'), ("version.py", "= 2", "= 3")))

    seen = cluster_status(client, shell_class=None)

    assert [code(seen, number) for number in (1, 2, 3)] == ["node_lacks_package", None, "node_other_version"]
    said = str(seen)
    assert "colab_magics is not installed there" in said
    assert 'client.register_plugin(PipInstall(["colab_magics"]))' in said
    assert "0.8.0" in said


def test_nothing_stays_with_the_scheduler_or_in_the_worker_s_memory(client: Any, work: Callable[..., int]) -> None:
    pid = work(HOSTS[0], without_driver())

    cluster_status(client, shell_class=None)

    assert client.who_has() == {}
    assert not client.futures
    names = client.run(lambda: [name for name in vars(__import__("__main__")) if name.startswith("look")])
    assert [*names.values()] == [[]]
    wait_until(lambda: children(pid) == [], 10)


def test_a_requirement_must_hold_on_every_machine(
    client: Any,
    work: Callable[..., int],
    shell: InteractiveShell,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    work(HOSTS[0], with_driver(tmp_path / "t4"))
    work(HOSTS[1], without_driver())
    work(HOSTS[2], without_package(tmp_path / "without"))
    shell.run_cell("%load_ext colab_magics")
    shell.user_ns["client"] = client

    unmet = shell.run_cell("%runtime_status --on client -r 'gpu=T4, ram>=0.001'")
    said = capsys.readouterr().out
    met = shell.run_cell("%runtime_status --on client -q -r 'ram>=0.001'")
    strict = shell.run_cell("%runtime_status --on client -q --strict -r 'ram>=0.001'")
    said_strictly = capsys.readouterr().out

    assert not unmet.success
    assert "Requirement not met on 1 of 3 machines (2): gpu = T4." in said
    assert "Machine 2. There is: no GPU." in said
    assert met.success
    assert "Not known, so not checked, on 1 of 3 machines (3): ram >= 0.001 GB." in shown(shell)[-1]["text/plain"]
    assert not strict.success
    assert "Requirement not known to be met on 1 of 3 machines (3)" in said_strictly


def test_the_magic_shows_it_and_returns_it(
    client: Any, work: Callable[..., int], shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    work(HOSTS[0], without_driver())
    shell.run_cell("%load_ext colab_magics")
    shell.user_ns["client"] = client

    shell.run_cell("%runtime_status --on client")
    shell.run_cell("%runtime_status --on client -j")
    printed = json.loads(capsys.readouterr().out)
    shell.run_cell("report = %runtime_status --on client -o")

    (bundle,) = shown(shell)
    assert bundle["text/plain"].startswith("1 machine with 1 worker: no GPU, ")
    assert printed["cluster"]["nodes"][0]["report"]["subject"] == "runtime"
    assert HOSTS[0] not in json.dumps([bundle, printed])
    assert shell.user_ns["report"].snapshot.cluster.nodes[0].address == HOSTS[0]


def test_no_code_of_a_value_runs_to_find_out_what_it_is() -> None:
    assert not dask.takes(Strange())


def test_what_cannot_be_asked_is_one_line(client: Any) -> None:
    assert refused(client) == "the cluster has no workers. Allowed: one with at least one"
    client.close()
    assert refused(client) == "the Dask client is closed. Allowed: one that is connected"


def test_a_client_that_does_not_wait_is_one_line_too(client: Any) -> None:
    async def ask() -> None:
        async with distributed.Client(client.scheduler.address, asynchronous=True) as other:
            assert refused(other).startswith("the Dask client is asynchronous")

    client.sync(ask)


def test_how_many_have_answered_is_told(client: Any, work: Callable[..., int], tmp_path: Path) -> None:
    work(HOSTS[0], without_driver())
    work(HOSTS[1], with_driver(tmp_path / "hung", "hang nvmlInit*"))
    told: list[tuple[int, int]] = []

    cluster_status(
        client,
        shell_class=None,
        question=Question(driver_deadline_seconds=1.0),
        tell=lambda done, total: told.append((done, total)),
    )

    assert (1, 2) in told


def test_a_scheduler_that_ends_meanwhile_is_one_line(client: Any, work: Callable[..., int], tmp_path: Path) -> None:
    work(HOSTS[0], with_driver(tmp_path / "hung", "hang nvmlInit*"))
    threading.Timer(0.5, client.cluster.close).start()
    began = time.monotonic()

    try:
        said = code(cluster_status(client, shell_class=None), 1)  # it may have said so before it was gone
    except ClusterError as gone:
        said = str(gone)

    assert (said or "it has answered").startswith(("node_failed", "the Dask scheduler "))
    assert time.monotonic() - began < 12


def test_whatever_asking_raises_is_the_answer_of_that_machine(
    client: Any, work: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    work(HOSTS[0], without_driver())

    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("cannot reach 10.0.0.7")

    monkeypatch.setattr(client, "run", fails)

    assert code(cluster_status(client, shell_class=None), 1) == "node_failed"


def test_an_interrupt_ends_it_at_once_and_the_next_question_is_answered(
    client: Any, work: Callable[..., int], tmp_path: Path, interruptible: None
) -> None:
    work(HOSTS[0], with_driver(tmp_path / "hung", "hang nvmlInit*"))
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    began = time.monotonic()

    with pytest.raises(KeyboardInterrupt):
        cluster_status(client, shell_class=None)

    assert time.monotonic() - began < 3
    assert code(cluster_status(client, shell_class=None), 1) is None
