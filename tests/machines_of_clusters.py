"""Workers that a cluster takes for machines of their own: other addresses of the loopback, each with its own driver."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import psutil
import pytest

import colab_magics
from colab_magics.clusters.asking import ClusterError
from colab_magics.clusters.status import cluster_status
from colab_magics.model import Unavailable
from colab_magics.model.cluster import Cluster
from colab_magics.report import Report
from fake_nvml import FakeDriver, no_driver_environment
from hostile import assert_one_line

PACKAGE = Path(colab_magics.__file__).parent


class Processes:
    """The processes of a cluster, each ended when the test is."""

    def __init__(self) -> None:
        self._started: list[subprocess.Popen[bytes]] = []

    def start(self, line: list[str], environment: Mapping[str, str], folder: Path) -> subprocess.Popen[bytes]:
        """Start one; what it says goes into a file beside the others'."""
        with (folder / f"said-{len(self._started)}").open("wb") as said:
            started = subprocess.Popen(line, env=dict(environment), cwd=folder, stdout=said, stderr=said)
        self._started.append(started)
        return started

    def end(self) -> None:
        for one in self._started:
            with contextlib.suppress(ProcessLookupError):
                one.send_signal(signal.SIGCONT)
            one.kill()
            one.wait(10)


def processes() -> Iterator[Processes]:
    """Give what starts them; for a fixture."""
    started = Processes()
    try:
        yield started
    finally:
        started.end()


def with_driver(folder: Path, *lines: str, profile: str = "t4") -> dict[str, str]:
    """Return the environment of a machine with a GPU."""
    folder.mkdir(parents=True)
    driver = FakeDriver(folder, profile)
    driver.set(*lines)
    return driver.environment()


def without_driver() -> dict[str, str]:
    """Return the environment of a machine without one."""
    return no_driver_environment()


def without_package(folder: Path) -> dict[str, str]:
    """Return the environment of a Python that lacks colab_magics."""
    (folder / "colab_magics").mkdir(parents=True)
    (folder / "colab_magics" / "__init__.py").write_text("raise ModuleNotFoundError(__name__)\n", encoding="utf-8")
    return no_driver_environment() | {"PYTHONPATH": str(folder)}


def with_package(folder: Path, *changes: tuple[str, str, str]) -> dict[str, str]:
    """Return the environment of a Python with another version of it: files, and what stands there in place of what."""
    shutil.copytree(PACKAGE, folder / "colab_magics", ignore=shutil.ignore_patterns("__pycache__"))
    for name, before, after in changes:
        file = folder / "colab_magics" / name
        text = file.read_text(encoding="utf-8")
        assert before in text, f"{name} has no {before!r}"
        file.write_text(text.replace(before, after), encoding="utf-8")
    return no_driver_environment() | {"PYTHONPATH": str(folder)}


def children(pid: int) -> list[str]:
    """Return the names of the processes that a process has started and that run."""
    return [one.name() for one in psutil.Process(pid).children(recursive=True) if one.status() != psutil.STATUS_ZOMBIE]


def wait_until(is_so: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for what takes others some time."""
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until, "it has not come to be"
        time.sleep(0.05)


def python(*arguments: str) -> list[str]:
    return [sys.executable, *arguments]


HOSTS = tuple(f"127.0.0.{number}" for number in range(2, 250))
"""Addresses that are this machine's, and that a cluster takes for others."""


def of(seen: Report) -> Cluster:
    """Return the cluster that a report is about."""
    assert seen.snapshot.cluster is not None
    return seen.snapshot.cluster


def codes(seen: Report) -> list[str | None]:
    """Return why nothing is known of the machines, None for each that answered."""
    return [node.report.code if isinstance(node.report, Unavailable) else None for node in of(seen).nodes]


class Strange:
    """What may not be asked anything to find out whether it drives a cluster."""

    def __getattribute__(self, name: str) -> object:
        raise AssertionError(name)


def refused(client: object) -> str:
    """Return in what words it is refused to ask a cluster."""
    with pytest.raises(ClusterError) as error:
        cluster_status(client, shell_class=None)
    assert_one_line(str(error.value))
    return str(error.value)
