"""In a real kernel, spoken to as a notebook does."""

from __future__ import annotations

import os
import re
import signal
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

import documents
from colab_magics.options import COMMAND
from colab_magics.probes.processes import in_initial_namespace
from fake_nvml import FakeDriver
from notebooks import Notebook


def ends_within(pid: int, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.02)
    return False


def observers(kernel: int) -> list[psutil.Process]:
    return [child for child in psutil.Process(kernel).children() if any("child.py" in word for word in child.cmdline())]


def test_a_notebook_s_first_minutes(open_notebook: Callable[..., Notebook], plug_in: Callable[..., FakeDriver]) -> None:
    driver = plug_in("t4")
    notebook = open_notebook()
    assert driver.calls() == []
    assert observers(notebook.pid) == []

    shown = notebook.run("%gpu_info\n%ram_info\n%runtime_status").shown
    assert [data.keys() for data in shown] == [{"text/plain", "text/html"}] * 3
    assert shown[0]["text/plain"].startswith("Tesla T4: ")
    assert shown[1]["text/plain"].startswith("RAM: ")
    assert "CUDA sees it as cuda:0." in shown[2]["text/plain"]

    printed = notebook.run("%runtime_status -j")
    assert documents.read(printed.stdout)["platform"]["frontend"]["key"] == "jupyter"
    assert printed.shown == []

    assert notebook.run("report = %gpu_info -o").shown == []
    assert notebook.run("print(report.snapshot.gpus[0].name)").stdout == "Tesla T4\n"
    (result,) = notebook.run("report").shown
    assert result["text/plain"].startswith("Tesla T4: ")
    assert result["text/html"].startswith('<div class="colab-magics" lang="en">')

    assert len(observers(notebook.pid)) == 1
    assert driver.calls().count("nvmlInitWithFlags") == 1
    assert not [call for call in driver.calls() if "Set" in call]


@pytest.mark.parametrize("before", ["pass", "%load_ext rich"])
def test_a_report_shows_itself_where_the_extension_is_not_loaded(
    before: str, open_notebook: Callable[..., Notebook]
) -> None:
    notebook = open_notebook(load=False)
    assert notebook.run(before).status == "ok"
    (result,) = notebook.run("import colab_magics; colab_magics.gpu_info()").shown

    assert result["text/plain"].startswith("Not connected to a GPU")
    assert result["text/html"].startswith('<div class="colab-magics" lang="en">')
    assert notebook.run("print(_)").stdout == result["text/plain"] + "\n"
    code = "import copy, pickle; print(pickle.loads(pickle.dumps(_)) == copy.copy(_) == copy.deepcopy(_) == _)"
    assert notebook.run(code).stdout == "True\n"


def test_the_text_beside_a_page_never_has_a_terminal_s_colours(
    monkeypatch: pytest.MonkeyPatch, open_notebook: Callable[..., Notebook], plug_in: Callable[..., FakeDriver]
) -> None:
    """Not even where the kernel was started from a terminal that shows them."""
    plug_in("t4")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    answer = open_notebook().run("%gpu_info\n%runtime_status -a\nreport = %ram_info -o\nreport")

    assert len(answer.shown) == 3
    assert not [data for data in answer.shown if "\x1b" in data["text/plain"] + data["text/html"]]


def test_a_wrong_line_stops_the_cell_with_one_line(open_notebook: Callable[..., Notebook]) -> None:
    notebook = open_notebook()
    answer = notebook.run("%ram_info --bogus\nprint('not reached')")

    assert answer.status == "error"
    assert answer.stdout == ""
    assert answer.streams["stderr"].count("\n") <= 1
    assert "unrecognized arguments: --bogus. Allowed: %ram_info [-a] [-j] [-o] [-w] [-q]" in answer.streams["stderr"]


@pytest.mark.parametrize("fault", ["segv", "abort", "exit"])
def test_a_driver_that_dies_takes_only_its_own_process_along(
    fault: str, open_notebook: Callable[..., Notebook], plug_in: Callable[..., FakeDriver]
) -> None:
    plug_in("t4", f"{fault} nvmlDeviceGetHandleByIndex_v2")
    notebook = open_notebook()
    notebook.run("kept = 42")
    (shown,) = notebook.run("%runtime_status").shown

    assert shown["text/plain"].startswith("The NVIDIA driver took down the process that asked it")
    assert "RAM: " in shown["text/plain"]
    assert notebook.run("print(kept)").stdout == "42\n"
    assert observers(notebook.pid) == []


def test_a_driver_that_hangs_is_waited_for_no_longer_than_the_deadline_and_can_be_interrupted(
    open_notebook: Callable[..., Notebook], plug_in: Callable[..., FakeDriver]
) -> None:
    plug_in("t4", "hang nvmlInitWithFlags")
    notebook = open_notebook()
    started = time.monotonic()
    (shown,) = notebook.run("%gpu_info").shown
    assert 2.9 < time.monotonic() - started < 4.5
    assert re.match(r"The NVIDIA driver is still starting \(3(\.\d)? s\)\.", shown["text/plain"])

    sent = notebook.send("%config ColabMagics.driver_deadline_seconds = 30\n%gpu_info\nprint('not reached')")
    time.sleep(0.7)
    interrupted = time.monotonic()
    notebook.manager.interrupt_kernel()
    answer = notebook.answer(sent)
    assert time.monotonic() - interrupted < 2
    assert answer.error == "KeyboardInterrupt"

    notebook.run("%config ColabMagics.driver_deadline_seconds = 0.2")
    (again,) = notebook.run("%ram_info").shown
    assert again["text/plain"].startswith("RAM: ")


def test_the_kernel_forks_before_and_after_a_report(
    open_notebook: Callable[..., Notebook], plug_in: Callable[..., FakeDriver]
) -> None:
    plug_in("t4")
    notebook = open_notebook()
    code = """
import multiprocessing, colab_magics
def name(_):
    return colab_magics.gpu_info().snapshot.gpus[0].name
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(pool.map(name, range(4)))
"""
    names = "['Tesla T4', 'Tesla T4', 'Tesla T4', 'Tesla T4']\n"
    assert notebook.run(code).stdout == names
    notebook.run("%gpu_info -q")
    (child,) = observers(notebook.pid)
    assert notebook.run(code).stdout == names
    notebook.run("%gpu_info -q")
    assert observers(notebook.pid) == [child]


def test_the_command_answers_in_a_notebook_too(
    open_notebook: Callable[..., Notebook], plug_in: Callable[..., FakeDriver]
) -> None:
    plug_in("t4")
    script = Path(sysconfig.get_path("scripts"), COMMAND)
    printed = open_notebook(load=False).run(f"!{script} gpu -j").stdout

    assert documents.read(printed)["gpus"][0]["name"] == "Tesla T4"


FAULTS = pytest.mark.parametrize("fault", ["heal *", "hang nvmlInitWithFlags", "hang nvmlDeviceGetName"])


@FAULTS
def test_nothing_outlives_a_kernel_that_ends(
    fault: str, open_notebook: Callable[..., Notebook], plug_in: Callable[..., FakeDriver]
) -> None:
    plug_in("t4", fault)
    notebook = open_notebook()
    kernel = notebook.pid
    notebook.run("%config ColabMagics.driver_deadline_seconds = 0.5\n%gpu_info -q")
    (child,) = observers(kernel)
    notebook.client.shutdown()

    assert ends_within(kernel, 10)
    assert ends_within(child.pid, 2)


@FAULTS
def test_nothing_outlives_a_kernel_that_is_killed_while_a_forked_worker_holds_its_pipes(
    fault: str, open_notebook: Callable[..., Notebook], plug_in: Callable[..., FakeDriver]
) -> None:
    plug_in("t4", fault)
    notebook = open_notebook()
    kernel = notebook.pid
    notebook.run("%config ColabMagics.driver_deadline_seconds = 0.5\n%gpu_info -q")
    (child,) = observers(kernel)
    code = "pid = os.fork()\nif pid == 0:\n    import time; time.sleep(30); os._exit(0)\nprint(pid)"
    worker = int(notebook.run(code).stdout)
    try:
        os.kill(kernel, signal.SIGKILL)
        assert ends_within(child.pid, 2)
    finally:
        os.kill(worker, signal.SIGKILL)


def test_what_lies_in_the_working_directory_is_never_run(
    tmp_path: Path, open_notebook: Callable[..., Notebook], plug_in: Callable[..., FakeDriver]
) -> None:
    plug_in("t4")
    notebook = open_notebook()  # first, because ipykernel 6 itself trips over a select.py
    folder = tmp_path / "notebook"
    for module in ("json", "select", "pynvml", "nvml", "signal", "threading", "ctypes", "struct"):
        (folder / f"{module}.py").write_text(f"open({str(tmp_path / 'was-run')!r}, 'a').write('{module}')\n")
    (shown,) = notebook.run("%gpu_info").shown

    assert shown["text/plain"].startswith("Tesla T4: ")
    assert not (tmp_path / "was-run").exists()


def test_what_a_driver_prints_stays_out_of_the_notebook(
    open_notebook: Callable[..., Notebook], plug_in: Callable[..., FakeDriver]
) -> None:
    plug_in("t4", "print nvmlDeviceGetName = noise from the driver")
    notebook = open_notebook()
    answer = notebook.run("%gpu_info")

    assert answer.shown[0]["text/plain"].startswith("Tesla T4: ")
    assert answer.streams == {"stdout": "", "stderr": ""}


def test_a_process_is_this_kernel_only_where_that_is_certain(
    open_notebook: Callable[..., Notebook], plug_in: Callable[..., FakeDriver]
) -> None:
    driver = plug_in("t4")
    notebook = open_notebook()
    kernel = notebook.pid
    driver.set(f"gpu0.process = {kernel} 104857600 C")
    (shown,) = notebook.run("%gpu_info -p").shown

    # In a container the number may be the host's, and this kernel has no device file open to prove the contrary.
    expected = (
        f"Process {kernel} (python"
        if in_initial_namespace()
        else "Processes outside this container: 1; they hold 100 MiB."
    )
    assert expected in shown["text/plain"]
    assert (", this kernel: 100 MiB." in shown["text/plain"]) is in_initial_namespace()


def test_a_report_touches_no_framework_and_no_cuda(
    open_notebook: Callable[..., Notebook], plug_in: Callable[..., FakeDriver], tmp_path: Path
) -> None:
    plug_in("t4")
    notebook = open_notebook()
    site = tmp_path / "site"
    (site / "torch").mkdir(parents=True)
    (site / "torch/__init__.py").write_text(f"open({str(tmp_path / 'imported')!r}, 'w')\n")
    (site / "torch-2.11.0+cpu.dist-info").mkdir()
    (site / "torch-2.11.0+cpu.dist-info/METADATA").write_text("Name: torch\nVersion: 2.11.0+cpu\n")
    notebook.run(f"import sys; sys.path.insert(0, {str(site)!r}); before = set(sys.modules)")
    (shown,) = notebook.run("%gpu_info").shown

    assert "torch 2.11.0+cpu is a build without CUDA: it cannot use the GPU." in shown["text/plain"]
    assert not (tmp_path / "imported").exists()
    brought = notebook.run("print({name.split('.')[0] for name in set(sys.modules) - before})").stdout
    assert not {"torch", "jax", "tensorflow", "cupy", "pynvml"} & set(brought.strip("{}\n'").split("', '"))


def test_hosted_colab_is_recognised_by_its_variables(
    monkeypatch: pytest.MonkeyPatch, open_notebook: Callable[..., Notebook]
) -> None:
    monkeypatch.setenv("TBE_RUNTIME_ADDR", "172.28.0.1:8011")
    notebook = open_notebook()
    (shown,) = notebook.run("%gpu_info").shown

    assert "Colab, CPU runtime: " in shown["text/plain"]
    assert "1 Runtime > Change runtime type   2 T4 GPU   3 Save" in shown["text/plain"]


MADE = f"""
class Large:
    def __init__(self):
        self.data = bytearray({64 * 2**20})
    def __repr__(self):
        return "large"

def train():
    batch = Large()
    raise ValueError
"""


def test_what_a_kernel_keeps_is_listed_and_let_go_of(open_notebook: Callable[..., Notebook]) -> None:
    notebook = open_notebook()
    for cell in (MADE, "mine = Large()", "Large()", "mine", "Large()", "%reset -f out", "Large()", "train()"):
        notebook.run(cell, store_history=True)

    (shown,) = notebook.run("%ram_info -v").shown
    report = documents.read(notebook.run("%ram_info -v -n 100 -j").stdout)
    (freed,) = notebook.run("%ram_info -f").shown
    after = documents.read(notebook.run("%ram_info -v -f -j").stdout)

    held = {one["name"]: one["ram_bytes"] // 2**20 for one in report["holders"]["largest"]}
    assert held["mine"] == held["batch in train()"] == 64
    assert sum(held.values()) == 5 * 64  # also Out[7], and the two results that `%reset -f out` has left hidden
    assert "batch in train()" in shown["text/plain"]
    assert "del mine" in shown["text/plain"]
    assert "hold 256 MiB that no variable holds" in shown["text/plain"]
    assert "Let go of: 1 result, the last error." in freed["text/plain"]
    assert [one["name"] for one in after["holders"]["largest"]] == ["mine"]
    assert report["ram"]["kernel_bytes"] - after["ram"]["kernel_bytes"] > 3.5 * 64 * 2**20
    assert notebook.run("print(mine, _i, Out)").stdout.startswith("large ")
    assert notebook.run("%debug").status == "ok"


def test_letting_go_frees_also_what_the_cell_before_has_failed_by(open_notebook: Callable[..., Notebook]) -> None:
    notebook = open_notebook()
    notebook.run(MADE)
    before = documents.read(notebook.run("%ram_info -j").stdout)["ram"]["kernel_bytes"]
    notebook.run("try:\n    train()\nexcept ValueError as error:\n    raise KeyError from error")

    after = documents.read(notebook.run("%ram_info -f -j").stdout)

    assert after["released"]["has_dropped_error"]
    assert after["ram"]["kernel_bytes"] - before < 16 * 2**20
