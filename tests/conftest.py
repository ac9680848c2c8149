"""Fixtures for all: golden files, fake drivers, a fresh shell; and the promise that nothing of ours is left behind."""

from __future__ import annotations

import atexit
import os
import signal
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from IPython import version_info
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from jupyter_client.manager import KernelManager
from traitlets.config import Config

from builders import CPU, DISK, RAM, RAM_IN_FULL
from colab_magics.observer import client
from colab_magics.probes import cpu, disk, gpu, platform, ram, tpu
from fake_nvml import FakeDriver, no_driver_environment
from notebooks import Notebook

TESTS = Path(__file__).parent
GOLDEN = TESTS / "views" / "golden"

STARTERS = {
    "fake_nvml", "observer", "test_autoload.py", "test_benchmarks.py", "test_build.py", "test_code_blocks.py",
    "test_command.py", "test_composed.py", "test_examples.py", "test_hostile_machines.py", "test_inputs.py",
    "test_kernels.py", "test_recipes.py", "test_terminal.py", "test_working_directory.py",
}  # fmt: skip
"""The folders and files that start kernels, terminals, or one process after another: nine tenths of the time."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--regenerate", action="store_true", help="write the golden files anew; then read their diff")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is slow; `-m "not slow"` is the quick part, which tells most of what there is to know."""
    for item in items:
        if item.path.relative_to(TESTS).parts[0] in STARTERS or "open_notebook" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with the reviewed one of that name."""

    def check(name: str, shown: str) -> None:
        file = GOLDEN / name
        if request.config.getoption("--regenerate"):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(shown + "\n", encoding="utf-8")
        assert file.exists(), f"no golden file {name}: run pytest --regenerate and read what it writes"
        assert shown + "\n" == file.read_text(encoding="utf-8"), "pytest --regenerate, then review the diff"

    return check


@pytest.fixture(autouse=True)
def no_driver(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every test begins without a driver, also on a machine that has one, and ends without a child or thread of ours.

    What drives a cluster leaves threads of its own.
    """
    for name in [name for name in os.environ if name.startswith(("COLAB_", "KAGGLE_", "TPU_", "CUDA_", "VERTEX_"))]:
        monkeypatch.delenv(name)
    for name, value in no_driver_environment().items():
        monkeypatch.setenv(name, value)
    for name in ("TBE_RUNTIME_ADDR", "LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    platform._where_we_are.cache_clear()
    client.close()
    threads = set(threading.enumerate())
    yield
    client.close()
    assert request.node.get_closest_marker("clusters") or set(threading.enumerate()) <= threads


@pytest.fixture
def interruptible() -> Iterator[None]:
    """SIGINT interrupts this process and those it starts, also in a run that ignores it: `nohup`'s, a script's `&`."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def plug_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., FakeDriver]:
    """Put a fake driver in: what this process's observer starts from now on finds it."""

    def plug(profile: str = "t4", *lines: str, defines: tuple[str, ...] = ()) -> FakeDriver:
        folder = tmp_path / "driver"
        folder.mkdir(exist_ok=True)
        driver = FakeDriver(folder, profile, defines=defines)
        driver.set(*lines)
        for name, value in driver.environment().items():
            monkeypatch.setenv(name, value)
        return driver

    return plug


@pytest.fixture
def ordinary_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports of this process are of no machine in particular: no GPU but a fake driver's, no TPU, enough of the rest.

    What the real one has on its bus, and how full it is, would otherwise change what a report says first.
    """
    root = tmp_path / "machine"
    (root / "sys/bus/pci/devices").mkdir(parents=True)
    for probes, name in ((platform, "probe_platform"), (gpu, "probe_gpus"), (tpu, "probe_tpus")):
        monkeypatch.setattr(probes, name, partial(getattr(probes, name), root=str(root)))
    monkeypatch.setattr(ram, "probe_ram", lambda *, everything: RAM_IN_FULL if everything else RAM)
    monkeypatch.setattr(disk, "probe_disks", lambda: (DISK,))
    monkeypatch.setattr(cpu, "probe_cpu", lambda: CPU)


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    """Give a fresh IPython shell that keeps what it displays in `display_pub.outputs`."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    config = Config()
    config.HistoryAccessor.enabled = False
    config.InteractiveShell.colors = "NoColor" if version_info < (9,) else "nocolor"
    InteractiveShell.clear_instance()
    fresh = InteractiveShell.instance(config=config, display_pub_class=CapturingDisplayPublisher)
    yield fresh
    if "colab_magics" in fresh.extension_manager.loaded:
        fresh.extension_manager.unload_extension("colab_magics")
    fresh.atexit_operations()
    atexit.unregister(fresh.atexit_operations)  # newer versions trip over a second time, at the end of the run
    InteractiveShell.clear_instance()


@pytest.fixture
def open_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Notebook]]:
    """Start kernels in a folder of their own, with the driver that is plugged in by then.

    They listen on sockets of files, since a port can be given to two kernels: see test_examples.py.
    """
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    started: list[tuple[KernelManager, Any]] = []

    def start(*, load: bool = True) -> Notebook:
        folder = tmp_path / "notebook"
        folder.mkdir(exist_ok=True)
        manager = KernelManager(kernel_name="python3", transport="ipc", ip=f"{sockets}/{len(started)}")
        manager.start_kernel(cwd=str(folder))
        spoken_to = manager.client()
        started.append((manager, spoken_to))
        spoken_to.start_channels()
        spoken_to.wait_for_ready(timeout=60)
        notebook = Notebook(manager, spoken_to)
        if load:
            loaded = notebook.run("%load_ext colab_magics")
            assert loaded.status == "ok"
            assert loaded.streams == {"stdout": "", "stderr": ""}
            assert loaded.shown == []
        return notebook

    with TemporaryDirectory() as sockets:
        yield start
        for manager, spoken_to in started:
            spoken_to.stop_channels()
            manager.shutdown_kernel(now=True)
