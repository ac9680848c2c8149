"""Kernels and clients that are not Jupyter's own notebook: a panel where a page answers, the report where none does.

It runs in a session of its own (`nox -s guests`): these packages want other versions of each other's than Colab's or
the newest. With `--old-kernel` a folder that holds ipykernel 5.5.6, and what goes with it, is tried too.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import ipyparallel
import nbformat
import pexpect
import pytest
from jupyter_client.manager import KernelManager

from fake_nvml import FakeDriver
from notebooks import Notebook

pytestmark = pytest.mark.usefixtures("t4")

LEFT = """
import os, threading, psutil
print([thread.name for thread in threading.enumerate() if thread.name.startswith("colab_magics")],
      [child.pid for child in psutil.Process().children() if any("child.py" in word for word in child.cmdline())])
"""
NO_PANEL = "No panel moves here, since no page has answered"
MODULES = {
    "xeus-python": ["-m", "xpython_launcher"],
    "spyder-kernels": ["-m", "spyder_kernels.console"],
    "ipykernel 5.5.6": ["-m", "ipykernel_launcher"],
}


@pytest.fixture
def t4(plug_in: Callable[..., FakeDriver]) -> FakeDriver:
    return plug_in("t4")


@contextmanager
def a_kernel(name: str, folder: Path, old_kernel: str) -> Iterator[Notebook]:
    specification = {
        "argv": [sys.executable, *MODULES[name], "-f", "{connection_file}"],
        "display_name": name,
        "language": "python",
        "env": {"PYTHONPATH": old_kernel} if name.startswith("ipykernel") else {},
    }
    (folder / "kernels/guest").mkdir(parents=True)
    (folder / "kernels/guest/kernel.json").write_text(json.dumps(specification))
    with TemporaryDirectory() as sockets:
        manager = KernelManager(kernel_name="guest", transport="ipc", ip=f"{sockets}/0")
        manager.kernel_spec_manager.kernel_dirs = [str(folder / "kernels")]
        manager.start_kernel(cwd=str(folder))
        client = manager.client()
        client.start_channels()
        try:
            client.wait_for_ready(timeout=60)
            yield Notebook(manager, client)
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)


@pytest.fixture(params=MODULES)
def notebook(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Notebook]:
    old_kernel = str(request.config.getoption("--old-kernel") or "")
    if request.param.startswith("ipykernel") and not old_kernel:
        pytest.skip("no folder with that kernel was named (--old-kernel)")
    with a_kernel(request.param, tmp_path, old_kernel) as guest:
        yield guest


def open_panel(notebook: Notebook) -> str:
    """Open a panel and return the text of the report behind it."""
    loaded = notebook.run("%load_ext colab_magics\n%config ColabMagics.panel_period_seconds = 0.5")
    assert (loaded.status, loaded.error) == ("ok", None)
    opened = notebook.run("%runtime_status -w", allow_stdin=True)
    assert (opened.status, opened.error) == ("ok", None)
    return str(opened.shown[0]["text/plain"])


def unload(notebook: Notebook) -> str:
    notebook.run("%unload_ext colab_magics")
    return notebook.run(LEFT).stdout


def test_where_a_page_answers_the_panel_moves_and_leaves_nothing(notebook: Notebook) -> None:
    open_panel(notebook)
    notebook.updates.clear()

    assert notebook.watch(until=lambda: len(notebook.updates) >= 3, seconds=15)
    assert unload(notebook) == "[] []\n"


def test_where_no_page_answers_there_is_the_report_and_nothing_moves(notebook: Notebook) -> None:
    notebook.is_page_open = False
    shown = open_panel(notebook)
    assert "Tesla T4" in shown
    assert NO_PANEL in " ".join(shown.split())
    notebook.watch(seconds=1)
    notebook.updates.clear()
    notebook.watch(seconds=2)

    assert notebook.updates == []
    assert notebook.run(LEFT).stdout.startswith("[] ")
    assert unload(notebook) == "[] []\n"


def test_in_the_console_there_is_the_report_and_no_panel(tmp_path: Path) -> None:
    environment = {**os.environ, "HOME": str(tmp_path), "IPYTHONDIR": str(tmp_path / "ipython")}
    console = pexpect.spawn(
        sys.executable,
        ["-m", "jupyter_console", "--simple-prompt", "--ZMQTerminalInteractiveShell.banner=-", "--no-confirm-exit"],
        cwd=str(tmp_path),
        env=environment,  # type: ignore[arg-type]  # pexpect types it as os.environ itself
        encoding="utf-8",
        timeout=60,
        dimensions=(60, 100),
    )
    try:
        console.expect(r"In \[1\]: ")
        console.sendline("%load_ext colab_magics")
        console.expect(r"In \[2\]: ")
        console.sendline("%runtime_status -w")
        console.expect(NO_PANEL)
        console.expect("Tesla T4")
        console.expect(r"In \[3\]: ")
        console.sendline("import threading; print([t.name for t in threading.enumerate() if 'colab' in t.name])")
        console.expect_exact("\n[]")
    finally:
        console.close(force=True)


def test_on_the_engines_of_a_cluster_there_is_the_report_and_no_panel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    with ipyparallel.Cluster(n=1, log_level=40) as engines:
        view = engines[:]
        view.block = True
        view.execute("%load_ext colab_magics")
        told = view.execute("%runtime_status -w")
        time.sleep(1)
        left = view.execute(LEFT).stdout[0]
        view.execute("%unload_ext colab_magics")
        left_after = view.execute(LEFT).stdout[0]

    shown = " ".join(str(output["data"].get("text/plain")) for output in told.outputs[0])
    assert "Tesla T4" in shown
    assert "No panel" in shown
    assert left.startswith("[] ")
    assert left_after == "[] []\n"


@pytest.mark.parametrize("preheats", [False, True], ids=["as it is asked for", "with kernels that are ready"])
def test_voila_s_page_has_the_panel(preheats: bool, tmp_path: Path) -> None:
    cells = [nbformat.v4.new_code_cell(cell) for cell in ("%load_ext colab_magics", "%runtime_status -w")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "python3", "language": "python"}
    nbformat.write(notebook, tmp_path / "notebook.ipynb")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    own = ("HOME", "IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR")
    environment = {**os.environ, **{name: str(tmp_path / name.lower()) for name in own}}
    options = ["--no-browser", f"--port={port}", f"--preheat_kernel={preheats}", "--pool_size=1"]
    line = [sys.executable, "-m", "voila", *options, "notebook.ipynb"]
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(line, cwd=tmp_path, env=environment, stdout=log, stderr=log)
    try:
        wait_for("Kernel pool of notebook.ipynb is filled" if preheats else "", tmp_path / "log")
        page = read_when_up(f"http://127.0.0.1:{port}/", tmp_path / "log")
        said = (tmp_path / "log").read_text(encoding="utf-8", errors="replace")
    finally:
        server.terminate()
        server.wait(20)

    assert ("Using pre-heated kernel" in said) == preheats
    assert "application/vnd.jupyter.widget-view+json" in page
    assert "runs without a page" not in page


def wait_for(words: str, log: Path) -> None:
    """Wait until the server has said something: a kernel is ready only some seconds after its page can be had."""
    until = time.monotonic() + 60
    while words not in (said := log.read_text(encoding="utf-8", errors="replace")):
        assert time.monotonic() < until, said
        time.sleep(0.2)


def read_when_up(address: str, log: Path) -> str:
    until = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(address, timeout=60) as answer:
                return str(answer.read().decode())
        except urllib.error.URLError:
            assert time.monotonic() < until, log.read_text(encoding="utf-8", errors="replace")
            time.sleep(0.2)
