"""Whatever becomes of a panel, in the end nothing of it is left: no thread, comm, callback or child; no sampling."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import ipykernel
import IPython
import pytest

import colab_magics
from fake_nvml import FakeDriver
from notebooks import Notebook
from panels import THREADS, card, open_panel, settle, title, words

GIB = 2**30

LEFT = """
import json, threading, psutil
from ipywidgets import Widget
callbacks = get_ipython().events.callbacks
print(json.dumps({
    "threads": [one.name for one in threading.enumerate() if one.name.startswith("colab_magics")],
    "children": [one.pid for one in psutil.Process().children() if "child.py" in " ".join(one.cmdline())],
    "callbacks": [repr(one) for name in callbacks for one in callbacks[name] if "anel" in repr(one)],
}))
"""
NOTHING: dict[str, list[str]] = {"threads": [], "children": [], "callbacks": []}


def left(notebook: Notebook) -> dict[str, list[str]]:
    """What there still is in the kernel, but for its widgets, which the page knows."""
    found: dict[str, list[str]] = json.loads(notebook.run(LEFT).stdout)
    return found


def test_widgets_that_the_user_closes_close_the_panel(jupyter: tuple[Notebook, FakeDriver]) -> None:
    notebook, driver = jupyter
    open_panel(notebook)
    answer = notebook.run("import ipywidgets; ipywidgets.Widget.close_all()")

    assert answer.streams == {"stdout": "", "stderr": ""}
    assert notebook.widgets == {}
    assert notebook.replaced[-2]["text/plain"].startswith("This is the panel as it was closed at ")
    assert left(notebook) | {"children": []} == NOTHING
    calls = len(driver.calls())
    notebook.watch(seconds=1.2)
    assert len(driver.calls()) == calls
    open_panel(notebook)


def test_within_an_output_widget_it_is_a_panel_like_any(jupyter: tuple[Notebook, FakeDriver]) -> None:
    notebook, driver = jupyter
    notebook.run("import ipywidgets; output = ipywidgets.Output(); display(output)")
    answer = notebook.run("with output:\n    %runtime_status -w")
    driver.set(f"gpu0.memory_used = {9 * GIB}")
    assert notebook.watch(until=lambda: "9.0 of 15.0 GiB" in card(notebook), seconds=5)
    notebook.click("Close")
    settle(notebook)

    assert answer.streams == {"stdout": "", "stderr": ""}
    assert {state["_model_name"] for state in notebook.widgets.values()} == {"OutputModel", "LayoutModel"}
    assert left(notebook) | {"children": []} == NOTHING


@pytest.fixture
def a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the package, which kernels that are started from now on import."""
    copy = tmp_path / "copy" / "colab_magics"
    shutil.copytree(Path(colab_magics.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setenv("PYTHONPATH", str(copy.parent))
    return copy


RELOAD_BY_HAND = """
import importlib, sys
for name in [name for name in sys.modules if name.startswith("colab_magics.")]:
    importlib.reload(sys.modules[name])
"""


def test_what_is_unloaded_after_its_files_have_changed_leaves_nothing(
    a_copy: Path, jupyter: tuple[Notebook, FakeDriver]
) -> None:
    has_autoreload = IPython.version_info >= (8,)  # that of IPython 7 needs a Python before 3.12
    notebook, driver = jupyter
    if has_autoreload:
        notebook.run("%load_ext autoreload\n%autoreload 2")
    assert str(a_copy) in notebook.run("import colab_magics; print(colab_magics.__file__)").stdout
    open_panel(notebook)
    assert len(left(notebook)["children"]) == 1
    for file in a_copy.rglob("*.py"):
        file.write_text(file.read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8")
    reloaded = notebook.run("pass" if has_autoreload else RELOAD_BY_HAND)
    assert reloaded.status == "ok", reloaded.streams
    notebook.run("%unload_ext colab_magics")

    assert left(notebook) == NOTHING
    assert notebook.widgets == {}
    calls = len(driver.calls())
    notebook.watch(seconds=1.2)
    assert len(driver.calls()) == calls


def test_two_shells_have_a_panel_each(jupyter: tuple[Notebook, FakeDriver]) -> None:
    notebook, driver = jupyter
    notebook.run(
        "from ipykernel.zmqshell import ZMQInteractiveShell\n"
        "shell = get_ipython()\n"
        "other = ZMQInteractiveShell(parent=shell.kernel, kernel=shell.kernel, user_ns={})\n"
        "other.display_pub = shell.display_pub\n"
        "other.extension_manager.load_extension('colab_magics')\n"
    )
    open_panel(notebook)
    opened = notebook.run("other.find_line_magic('gpu_info')('-w')")
    assert opened.streams == {"stdout": "", "stderr": ""}
    assert sum("cm-panel" in state.get("_dom_classes", ()) for state in notebook.widgets.values()) == 2
    notebook.watch(seconds=1)
    assert len(left(notebook)["threads"]) == 2

    notebook.run("%unload_ext colab_magics")
    driver.set(f"gpu0.memory_used = {9 * GIB}")
    assert notebook.watch(until=lambda: "9.0 of 15.0 GiB" in card(notebook), seconds=5)  # that of the other
    notebook.run("other.extension_manager.unload_extension('colab_magics')")
    assert left(notebook) == NOTHING
    assert notebook.widgets == {}


def test_workers_that_are_forked_from_the_kernel_leave_the_panel_alone(jupyter: tuple[Notebook, FakeDriver]) -> None:
    notebook, driver = jupyter
    open_panel(notebook)
    notebook.run("import multiprocessing, os\nfork = multiprocessing.get_context('fork')")
    for _ in range(3):
        answer = notebook.run("with fork.Pool(4) as pool:\n    print(pool.map(abs, range(-3, 0)))")
        assert answer.streams == {"stdout": "[3, 2, 1]\n", "stderr": ""}
    driver.set(f"gpu0.memory_used = {9 * GIB}")

    assert notebook.watch(until=lambda: "9.0 of 15.0 GiB" in card(notebook), seconds=5)
    notebook.run("%unload_ext colab_magics")
    assert left(notebook) == NOTHING


def test_of_thirty_panels_in_a_storm_of_clicks_the_last_state_is_right_and_nothing_is_left(
    jupyter: tuple[Notebook, FakeDriver],
) -> None:
    notebook, driver = jupyter
    for number in range(30):
        notebook.run("%gpu_info -w" if number % 2 else "%runtime_status -w")
        for _ in range(2):
            notebook.choose("Every", "0.5 s")
            notebook.click("Refresh")
            notebook.choose("Language", "简体中文" if number % 2 else "Deutsch")
            notebook.click("Resume" if "Resume" in words(notebook) else "Pause")
    settle(notebook)
    assert "Tesla T4" in title(notebook)
    assert len([state for state in notebook.widgets.values() if "cm-panel" in state.get("_dom_classes", ())]) == 1
    driver.set(f"gpu0.memory_used = {9 * GIB}")
    notebook.click("刷新")
    assert notebook.watch(until=lambda: "9.0" in card(notebook) and "显存" in card(notebook), seconds=8)

    notebook.click("关闭")
    settle(notebook)
    assert left(notebook) | {"children": []} == NOTHING
    assert notebook.widgets == {}
    notebook.run("%unload_ext colab_magics")
    assert left(notebook) == NOTHING


CLICKS_OF_THREADS = """
import threading
panel = get_ipython().find_line_magic("gpu_info").__self__.panel
controls = panel._controls
def click(number):
    for turn in range(20):
        (controls._refresh, controls._moving.pause)[number % 2].click()
        controls._moving.period.value = (0.5, 1.0, 2.0)[turn % 3]
        controls._language.value = ("de", "zh-CN", "en")[(number + turn) % 3]
threads = [threading.Thread(target=click, args=(number,)) for number in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
controls._language.value = "de"
controls._language.value = "en"
if not panel._is_live:
    controls._moving.pause.click()
"""


def test_clicks_of_other_threads_while_a_cell_runs_leave_one_panel_that_moves(
    jupyter: tuple[Notebook, FakeDriver],
) -> None:
    notebook, driver = jupyter
    open_panel(notebook)
    answer = notebook.run(CLICKS_OF_THREADS)
    assert (answer.status, answer.streams["stderr"]) == ("ok", "")
    driver.set(f"gpu0.memory_used = {9 * GIB}")

    assert notebook.watch(until=lambda: "9.0 of 15.0 GiB" in card(notebook), seconds=8)
    assert "Pause" in words(notebook)
    assert notebook.run(THREADS).stdout == "1\n"
    notebook.click("Close")
    settle(notebook)
    assert left(notebook) | {"children": []} == NOTHING


AFTER_A_REPORT = """
import colab_magics
before = colab_magics.gpu_info()
from gevent import monkey
monkey.patch_all()
after = colab_magics.gpu_info()
print(before.snapshot.gpus[0].name, after.snapshot.gpus[0].name, sep=", ")
"""


def test_gevent_in_the_place_of_threads_and_processes_after_the_first_report_breaks_none(
    plug_in: Callable[..., FakeDriver], tmp_path: Path
) -> None:
    plug_in("t4")
    run = [sys.executable, "-c", AFTER_A_REPORT]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)

    assert (done.stdout, done.stderr) == ("Tesla T4, Tesla T4\n", "")


@pytest.mark.parametrize(
    ("when", "what"),
    [("before the panel", "thread=False"), ("while it is open", "thread=False"), ("before the panel", "thread=True")],
)
def test_with_gevent_the_panel_moves_or_says_that_it_waits_for_cells(
    when: str, what: str, jupyter: tuple[Notebook, FakeDriver]
) -> None:
    if what == "thread=True" and ipykernel.version_info >= (7,):
        what = "thread=False"  # ipykernel 7 itself answers nothing more without threads of its own
    notebook, driver = jupyter
    patch = f"from gevent import monkey; monkey.patch_all({what})"
    if when == "before the panel":
        notebook.run(patch)
    assert notebook.run("%runtime_status -w").status == "ok"
    settle(notebook)
    if when == "while it is open":
        notebook.run(patch)
    driver.set(f"gpu0.memory_used = {9 * GIB}")
    if "Updates after each cell" in card(notebook):
        notebook.run("pass")
    assert notebook.watch(until=lambda: "9.0 of 15.0 GiB" in card(notebook), seconds=5)

    notebook.click("Close")
    settle(notebook)
    notebook.run("%unload_ext colab_magics")
    assert left(notebook) == NOTHING
