"""Machines that lack what every machine has, or do not answer: a report, never a traceback or a hang."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import documents
import fuse_mounts
from fuse_mounts import FuseMount
from notebooks import Notebook

COMMAND = ["-m", "colab_magics"]
FUNCTIONS = """\
import json, colab_magics
for look in (colab_magics.gpu_info, colab_magics.ram_info, colab_magics.runtime_status):
    for everything in (False, True):
        report = look(everything=everything)
        assert str(report) and report._repr_mimebundle_()["text/html"]
        assert json.loads(report.to_json())["schema"]
        assert "mistake in colab_magics" not in str(report) + report.to_json(), str(report) + report.to_json()
"""
WAYS = {"the command": COMMAND, "its JSON": [*COMMAND, "--json"], "the functions": ["-c", FUNCTIONS]}


Limits = Callable[[], None] | None


def run(
    way: str,
    *,
    around: str = "",
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    before: Limits = None,
) -> subprocess.CompletedProcess[str]:
    """Run one of the ways in a process of its own, within a line of sh whose `"$@"` it is; the rest as `subprocess`."""
    words = [sys.executable, *WAYS[way]]
    if around:
        words = ["sh", "-c", around, "sh", *words]
    changed = os.environ if environment is None else environment
    return subprocess.run(words, cwd=cwd, env=changed, preexec_fn=before, capture_output=True, text=True,
                          timeout=60, check=False)  # fmt: skip


def assert_reported(way: str, done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    # psutil 5.9.5 prints a traceback of its own where there is no /proc/stat.
    assert not re.search(r'colab_magics/(\w+/)*\w+\.py", line', done.stderr), done.stderr
    assert done.returncode == 0, done.stderr
    if way != "its JSON":
        return {}
    told: dict[str, Any] = documents.read(done.stdout)
    assert "mistake in colab_magics" not in done.stdout
    return told


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def in_namespace(commands: str) -> str:
    """Return a line that changes the mounts for a process alone; skip where that is not allowed."""
    unshare = "unshare -rm sh -c"
    if subprocess.run([*unshare.split(), "true"], capture_output=True, check=False).returncode:
        pytest.skip("a namespace of one's own is not allowed here")
    return f"""exec {unshare} '{commands}; exec "$@"' sh "$@" """


@pytest.mark.parametrize("hidden", ["/proc", "/sys", "/dev/shm"])
def test_a_machine_without_a_part_of_the_system(hidden: str, way: str, tmp_path: Path) -> None:
    around = in_namespace(f"mount --bind {tmp_path} {hidden}")

    assert_reported(way, run(way, around=around, cwd=Path("/")))


def test_a_machine_without_proc_and_sys(way: str, tmp_path: Path) -> None:
    around = in_namespace(f"mount --bind {tmp_path} /sys; mount --bind {tmp_path} /proc")

    assert_reported(way, run(way, around=around, cwd=Path("/")))


def test_a_machine_on_which_nothing_can_be_written(way: str) -> None:
    told = assert_reported(way, run(way, around=in_namespace("mount -o remount,bind,ro /"), cwd=Path("/")))

    assert not told or told["disks"][0]["is_read_only"]


def test_a_working_directory_that_was_deleted(way: str, tmp_path: Path) -> None:
    gone, around = tmp_path / "gone", 'rmdir "$PWD"; exec "$@"'
    gone.mkdir()
    socket = ["sh", "-c", around, "sh", sys.executable, "-c", "import socket"]
    if subprocess.run(socket, cwd=gone, capture_output=True, check=False).returncode:
        pytest.skip("this Python (3.13.0) cannot import socket, and so psutil, from a deleted working directory")
    gone.mkdir()
    told = assert_reported(way, run(way, around=around, cwd=gone))

    assert not told or told["disks"][0]["usage"]


@pytest.mark.parametrize("words", [["autoload", "status"], ["-r", "ram>=0.001"]])
def test_the_rest_of_the_command_where_the_working_directory_was_deleted(words: list[str], tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    line = f'rmdir "$PWD"; exec {sys.executable} -m colab_magics {" ".join(map(repr, words))}'
    done = subprocess.run(["sh", "-c", line], cwd=gone, capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, done.stderr) == (0, "")


def test_an_empty_environment(way: str) -> None:
    assert_reported(way, run(way, environment={}))


@pytest.mark.parametrize("home", ["", "/nowhere", "relative"])
def test_a_home_that_is_none(home: str, way: str) -> None:
    assert_reported(way, run(way, environment={**os.environ, "HOME": home}))


@pytest.mark.parametrize("streams", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_closed_streams(streams: str) -> None:
    for way in ("the command", "the functions"):
        assert_reported(way, run(way, around=f'exec "$@" {streams}'))


def test_a_stream_of_ascii_alone(way: str) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "LANG": "zh_CN.UTF-8", "PYTHONUTF8": "0"}

    assert_reported(way, run(way, environment=environment))


@pytest.mark.parametrize("files", [5, 8, 12])
def test_hardly_any_file_may_be_opened(files: int, way: str) -> None:
    assert_reported(way, run(way, before=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))))


def test_no_further_process_and_no_thread(way: str) -> None:
    """Root is above this limit: it is tried as a user of no other process, who may read what root may."""
    around = 'exec prlimit --nproc=1 "$@"'
    if os.geteuid() == 0:
        caps = "-all,+dac_read_search"
        other = f"setpriv --reuid 65411 --clear-groups --inh-caps {caps} --ambient-caps {caps}"
        if subprocess.run([*other.split(), sys.executable, "-c", ""], capture_output=True, check=False).returncode:
            pytest.skip("setpriv(1) may not make another user of us")
        around = f'exec prlimit --nproc=1 {other} "$@"'

    told = assert_reported(way, run(way, around=around))
    if told and told["gpus"]:  # where nothing speaks of a GPU, there is none to ask for
        assert told["unavailable"]["gpus"]["reason"].startswith("The process that asks the NVIDIA driver could")


# Mounts that do not answer -------------------------------------------------------------------------------------------


@pytest.fixture
def fuse(tmp_path: Path) -> Iterator[FuseMount]:
    if why := fuse_mounts.why_not():
        pytest.skip(why)
    mount = FuseMount(tmp_path)
    yield mount
    mount.close()


def test_a_working_directory_that_tells_no_sizes(way: str, fuse: FuseMount) -> None:
    fuse.fall_silent("statfs")
    started = time.monotonic()
    told = assert_reported(way, run(way, cwd=fuse.point))

    assert time.monotonic() - started < 12
    if told:
        assert told["disks"][0]["usage"]
        assert told["disks"][1]["unavailable"]["usage"]["reason"] == "The file system did not answer within 1 s."


def test_a_working_directory_whose_mount_has_died(way: str, fuse: FuseMount) -> None:
    around = f'kill -9 {fuse.server_pid}; while stat . >/dev/null 2>&1; do sleep 0.05; done; exec "$@"'
    told = assert_reported(way, run(way, around=around, cwd=fuse.point))

    assert not told or "Transport endpoint" in told["disks"][1]["unavailable"]["usage"]["reason"]


MAGICS = (
    "%gpu_info",
    "%ram_info",
    "%runtime_status",
    "%runtime_status -j",
    "%runtime_status -a",
    '%gpu_info -r "ram>=0.1"',
)


def assert_all_magics_answer(notebook: Notebook, *, within_seconds: float) -> None:
    for line in MAGICS:
        started = time.monotonic()
        done = notebook.run(line)
        assert done.status == "ok", (line, done)
        assert time.monotonic() - started < within_seconds, line


def assert_the_panel_goes_on(notebook: Notebook) -> None:
    """The card is rendered anew every few seconds: what it says it is as of, changes."""
    card = notebook.of_class("cm-card")
    for _ in range(2):
        seen = notebook.widgets[card]["value"]
        assert notebook.watch(until=lambda seen=seen: notebook.widgets[card]["value"] != seen, seconds=20), seen
    assert "mistake in colab_magics" not in notebook.widgets[card]["value"]


def test_a_kernel_whose_folder_was_deleted(open_notebook: Callable[..., Notebook]) -> None:
    """ipython#10378, colabtools#1818, #2120, #989."""
    notebook = open_notebook()
    notebook.run("import os\nos.makedirs('gone'); os.chdir('gone'); os.rmdir('../gone')")

    assert_all_magics_answer(notebook, within_seconds=15)
    assert "Disk: " in notebook.run("print(__import__('colab_magics').runtime_status())").streams["stdout"]
    notebook.run("%runtime_status -w")
    assert_the_panel_goes_on(notebook)


def test_a_kernel_whose_drive_falls_silent_and_dies(open_notebook: Callable[..., Notebook], fuse: FuseMount) -> None:
    """psutil#1931, tophat#201."""
    notebook = open_notebook()
    notebook.run(f"%cd -q {fuse.point}")
    assert_all_magics_answer(notebook, within_seconds=15)
    notebook.run("%runtime_status -w")
    assert_the_panel_goes_on(notebook)
    fuse.fall_silent("statfs")
    assert_all_magics_answer(notebook, within_seconds=5)
    assert_the_panel_goes_on(notebook)
    fuse.fall_silent("all")
    assert_all_magics_answer(notebook, within_seconds=5)
    fuse.speak()
    fuse.die()
    assert_all_magics_answer(notebook, within_seconds=5)
    shown = notebook.run("print(__import__('colab_magics').runtime_status())").streams["stdout"]
    assert "Transport endpoint is not connected" in shown
