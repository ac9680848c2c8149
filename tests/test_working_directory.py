"""Kernels and terminals in a folder full of modules that nobody asked for: none of them runs for us."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest

import documents
from colab_magics import autoload
from colab_magics.observer import starting
from fake_nvml import FakeDriver
from notebooks import Notebook
from planting import plant


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    return tmp_path / "canary"


@pytest.fixture
def folder(tmp_path: Path, canary: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the folder that notebooks start in, planted, and a link to it; the magics are loaded at the start."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipythondir"))
    folder = tmp_path / "notebook"
    folder.mkdir()
    plant(folder, canary)
    (folder / "mine.py").write_text("value = 42\n")
    (tmp_path / "link").symlink_to(folder)
    autoload.turn_on()
    return folder


PATHS = {
    "empty": ["", "*"],
    "dot": [".", "*"],
    "absolute": ["{folder}", "*"],
    "absolute and empty": ["{folder}", "", "*"],
    "link": ["{folder}/../link", "*"],
    "behind another": ["/nowhere", "", "{folder}/", "*"],
}

BEFORE = """
import sys
names, rest = {names!r}, [one for one in sys.path if one]
sys.path[:] = [one for name in names for one in (rest if name == "*" else [name])]
before = [*sys.path], [*sys.meta_path]
"""

USED = r"""
%gpu_info
%ram_info -a
%runtime_status -a
%gpu_info -p
%gpu_info -j
%ram_info -r "ram>=0, python>=3, ipython or gpu=A1OO"
report = %gpu_info -o
str(report), report.to_json(), report._repr_mimebundle_()
%config ColabMagics.language = "zh-CN"
%gpu_info
"""

FROM_CODE = """
import colab_magics, warnings
for ask in (colab_magics.gpu_info, colab_magics.ram_info, colab_magics.runtime_status):
    str(ask(everything=True))
colab_magics.require("ram>=0 | gpu=A100")
try:
    colab_magics.require("ram>=9999")
except colab_magics.RequirementNotMet as error:
    str(error)
"""

# Its own modules are a user's to import, from a thread too, while a report is made.
IMPORTED_MEANWHILE = """
import threading, time
def import_mine():
    global mine
    time.sleep(0.3)
    import mine
thread = threading.Thread(target=import_mine)
thread.start()
%config ColabMagics.driver_deadline_seconds = 0.6
%gpu_info -q
thread.join()
print(mine.value, mine.__file__)
"""


@pytest.mark.parametrize("names", PATHS.values(), ids=PATHS)
def test_in_a_kernel_nothing_of_the_working_directory_runs_for_us(
    names: list[str],
    folder: Path,
    canary: Path,
    open_notebook: Callable[..., Notebook],
    plug_in: Callable[..., FakeDriver],
) -> None:
    plug_in("t4")
    notebook = open_notebook(load=False)
    assert notebook.run(BEFORE.format(names=[name.format(folder=folder) for name in names])).status == "ok"

    used = notebook.run(USED)
    assert used.status == "ok"
    assert used.shown[0]["text/plain"].startswith("Tesla T4: ")
    assert documents.read(used.stdout.strip())["gpus"][0]["name"] == "Tesla T4"
    assert notebook.run("report").status == "ok"
    assert notebook.run("%gpu_info?").status == "ok"
    for typed in ("%gpu_info -", '%ram_info -r "v'):
        reply = notebook.client.complete(typed, reply=True, timeout=60)
        assert reply["content"]["status"] == "ok"
    assert notebook.run("%gpu_info -r 'vram>=99999'").error == "RequirementNotMet"
    assert notebook.run("%gpu_info --bogus").status == "error"
    assert notebook.run(FROM_CODE).status == "ok"

    assert notebook.run("%runtime_status -w").status == "ok"
    notebook.choose("语言", "English")
    assert notebook.watch(
        until=lambda: any(state.get("description") == "Close" for state in notebook.widgets.values()), seconds=30
    )
    for button in ("Refresh", "Close"):
        notebook.click(button)
    notebook.run("%unload_ext colab_magics")

    assert not canary.exists(), canary.read_text()
    assert notebook.run("print(([*sys.path], [*sys.meta_path]) == before)").stdout == "True\n"


def test_a_user_s_thread_imports_from_the_working_directory_while_a_report_is_made(
    folder: Path, canary: Path, open_notebook: Callable[..., Notebook], plug_in: Callable[..., FakeDriver]
) -> None:
    plug_in("t4", "hang nvmlInitWithFlags")
    notebook = open_notebook(load=False)
    meanwhile = notebook.run(IMPORTED_MEANWHILE)

    assert meanwhile.stdout == f"42 {folder / 'mine.py'}\n"
    assert not canary.exists(), canary.read_text()


STARTED = {"-m": ["-m", "IPython"], "-c": ["-c", "import IPython; IPython.start_ipython()"]}


@pytest.mark.parametrize("started", STARTED.values(), ids=STARTED)
def test_in_a_terminal_nothing_of_the_working_directory_runs_for_us(
    started: list[str],
    folder: Path,
    canary: Path,
    plug_in: Callable[..., FakeDriver],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plug_in("t4")
    monkeypatch.setenv("PAGER", "cat")
    monkeypatch.setenv("NO_COLOR", "1")
    options = ["--simple-prompt", "--no-banner", "--no-confirm-exit", "--no-term-title"]
    terminal = pexpect.spawn(
        sys.executable, [*started, *options], cwd=folder, encoding="utf-8", timeout=60, dimensions=(40, 100)
    )
    try:
        terminal.expect(r"In \[1\]: ")
        for number, (line, shown) in enumerate(
            [
                ("import sys; print('first', repr(sys.path[0]))", "first "),
                ("%runtime_status", "Tesla T4: .* CUDA sees it as cuda:0"),
                ("%ram_info -j", '"schema"'),
                ("%gpu_info -w", "No panel"),
                ("report = %gpu_info -o", ""),
                ("report", "Tesla T4: "),
                ("%gpu_info?", "--processes"),
                ("import mine; print(mine.value)", "42"),
            ],
            start=2,
        ):
            terminal.sendline(line)
            terminal.expect(shown)
            terminal.expect(rf"In \[{number}\]: ")
        terminal.sendline("exit")
        terminal.expect(pexpect.EOF)
    finally:
        terminal.close(force=True)

    assert not canary.exists(), canary.read_text()


@pytest.mark.parametrize("package", ["colab_magics.py", "colab_magics/__init__.py"])
def test_a_package_of_our_name_in_the_working_directory_is_not_loaded_at_the_start(
    package: str, folder: Path, canary: Path
) -> None:
    if package != "colab_magics.py":
        (folder / "colab_magics").mkdir()
        (folder / "colab_magics.py").rename(folder / package)
    loaded = "print(get_ipython().find_line_magic('gpu_info') is not None)"
    for path in ("", str(folder), f"/nowhere{os.pathsep}{folder.parent / 'link'}"):
        ipython = [sys.executable, "-m", "IPython", "--no-term-title", "-c", loaded]
        environment = {**os.environ, "PYTHONPATH": path}
        done = subprocess.run(ipython, cwd=folder, env=environment, capture_output=True, text=True, check=True)
        assert done.stdout == "True\n"
        assert not canary.exists(), canary.read_text()


@pytest.mark.parametrize("path", ["", ".", "bin", ":bin:"])
def test_no_python_of_the_working_directory_is_started_where_a_program_embeds_python(
    path: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "bin").mkdir()
    for python in (folder / "python3", folder / "bin/python3"):
        python.symlink_to(sys.executable)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "executable", "")
    monkeypatch.setenv("PATH", path)
    assert starting._interpreter() == os.path.join(sys.exec_prefix, "bin", "python3")

    monkeypatch.setenv("PATH", f"{path}:{folder / 'bin'}")
    assert starting._interpreter() == str(folder / "bin/python3")
