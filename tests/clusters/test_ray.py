"""A real cluster of Ray's: three nodes of one machine, each with its own driver."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from colab_magics.clusters.status import Question, cluster_status
from machines_of_clusters import codes, of, refused, wait_until, with_driver, without_package

pytestmark = pytest.mark.clusters
ray = pytest.importorskip("ray", reason="Ray is installed by nox -s tests_clusters alone, where it has a build")


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Give a cluster without a node; nodes inherit this process's environment."""
    from ray.cluster_utils import Cluster as Nodes

    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_TMPDIR", "/tmp")  # a socket's path may not be long
    # Ray takes the address of a network, if there is one, in place of the loopback's.
    monkeypatch.setattr(ray._private.services, "get_node_ip_address", lambda *_: "127.0.0.1")
    nodes = Nodes()
    yield nodes
    ray.shutdown()
    nodes.shutdown()


def add(nodes: Any, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str] | None = None) -> Any:
    with monkeypatch.context() as patched:
        for name, value in (environment or {}).items():
            patched.setenv(name, value)
        return nodes.add_node(num_cpus=1, node_ip_address="127.0.0.1", object_store_memory=100_000_000)


def test_every_node_is_asked_beside_its_tasks_and_one_that_is_killed_costs_itself(
    cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hiding = {"CUDA_VISIBLE_DEVICES": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "1"}
    add(cluster, monkeypatch)
    add(cluster, monkeypatch, with_driver(tmp_path / "t4") | hiding)
    add(cluster, monkeypatch, without_package(tmp_path / "without"))
    hung = add(cluster, monkeypatch, with_driver(tmp_path / "hung", "hang nvmlInit*"))
    ray.init(address=cluster.address, log_to_driver=False)
    wait_until(lambda: sum(node["Alive"] for node in ray.nodes()) == 4)
    busy = [ray.remote(lambda: time.sleep(30)).remote() for _ in range(4)]

    seen = cluster_status(ray, shell_class=None, question=Question(driver_deadline_seconds=1.0, deadline_seconds=40.0))

    assert of(seen).engine == "ray"
    assert sorted(code or "" for code in codes(seen)) == ["", "", "", "node_lacks_package"]
    known = [node.snapshot for node in of(seen).nodes if node.snapshot is not None]
    gpus = [gpu for snapshot in known for gpu in snapshot.usable_gpus]
    assert [(gpu.name, gpu.is_hidden) for gpu in gpus] == [("Tesla T4", False)]
    assert sum(getattr(snapshot.gpus, "code", None) == "driver_slow" for snapshot in known) == 1
    assert len(ray.wait(busy, num_returns=4, timeout=0)[1]) == 4
    assert 'ray.init(runtime_env={"pip": ["colab_magics"]})' in str(seen)

    killed: list[float] = []

    def tell(done: int, _total: int) -> None:
        if done == 3 and not killed:
            killed.append(time.monotonic())
            cluster.remove_node(hung, allow_graceful=False)

    question = Question(driver_deadline_seconds=20.0, deadline_seconds=30.0)
    seen = cluster_status(ray, shell_class=None, question=question, tell=tell)

    assert killed
    assert sorted(code or "" for code in codes(seen)) == ["", "", "node_failed", "node_lacks_package"]
    for one in busy:
        ray.cancel(one, force=True)


def test_what_is_not_initialised_is_one_line() -> None:
    assert refused(ray) == "ray is not initialised. Allowed: after ray.init()"
