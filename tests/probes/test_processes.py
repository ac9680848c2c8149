from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from colab_magics.probes import processes
from colab_magics.probes.processes import Processes, in_initial_namespace


def told_here(pid: int, root: str) -> bool | None:
    """Tell what is said of a process, which must not depend on how many others were asked about before."""
    few, many = Processes(root=root), Processes(root=root)
    for other in range(100, 100 + processes._FEW):
        many.is_here(other)
    assert few.is_here(pid) is many.is_here(pid)
    return few.is_here(pid)


def a_machine(root: Path, *, namespace: int) -> str:
    (root / "proc/self/ns").mkdir(parents=True)
    (root / "proc/self/ns/pid").symlink_to(f"pid:[{namespace}]")
    return str(root)


def a_process(root: Path, pid: int, *open_files: str) -> None:
    (root / f"proc/{pid}/fd").mkdir(parents=True)
    for number, target in enumerate(open_files):
        (root / f"proc/{pid}/fd/{number}").symlink_to(target)
    (root / f"proc/{pid}/comm").write_text("python3\n")


def test_outside_of_every_container_the_driver_s_numbers_are_ours(tmp_path: Path) -> None:
    root = a_machine(tmp_path, namespace=4026531836)
    a_process(tmp_path, 12)

    assert told_here(12, root) is True
    assert told_here(13, root) is None


def test_in_a_container_a_number_without_a_process_is_outside(tmp_path: Path) -> None:
    assert told_here(13, a_machine(tmp_path, namespace=4026532210)) is False


@pytest.mark.parametrize(
    ("open_files", "here"),
    [
        pytest.param(("/dev/null", "/dev/nvidia0"), True, id="it has a GPU open"),
        pytest.param(("/dev/dxg",), True, id="it has WSL's GPU open"),
        pytest.param(("/dev/null",), False, id="the number is another process's by chance"),
        pytest.param((), False, id="nothing open"),
    ],
)
def test_in_a_container_a_number_is_ours_if_that_process_has_a_gpu_open(
    open_files: tuple[str, ...], here: bool, tmp_path: Path
) -> None:
    root = a_machine(tmp_path, namespace=4026532210)
    a_process(tmp_path, 12, *open_files)

    assert told_here(12, root) is here


def test_a_process_that_may_not_be_looked_into_is_uncertain(tmp_path: Path) -> None:
    root = a_machine(tmp_path, namespace=4026532210)
    (tmp_path / "proc/12").mkdir()

    assert told_here(12, root) is None


def test_without_proc_nothing_is_here() -> None:
    assert told_here(1, "/nowhere") is False
    assert Processes(root="/nowhere").name_of(1) is None
    assert in_initial_namespace(root="/nowhere") is False


def test_however_many_are_asked_about_they_are_listed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = a_machine(tmp_path, namespace=4026532210)
    a_process(tmp_path, 1999, "/dev/nvidia0")
    asked: list[str] = []
    for module, name in ((os, "listdir"), (os, "readlink"), (os.path, "isdir")):
        ask = getattr(module, name)
        monkeypatch.setattr(module, name, lambda path, ask=ask: asked.append(str(path)) or ask(path))
    seen = Processes(root=root)

    assert [pid for pid in range(2000) if seen.is_here(pid)] == [1999]
    assert asked.count(f"{root}/proc") == 1
    assert len(asked) <= processes._FEW + 4


def test_a_name_is_the_command_s_and_never_its_arguments() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()", "secret"], stdin=subprocess.PIPE) as process:
        name = Processes().name_of(process.pid)
        process.communicate(b"\n")

    assert name is not None
    assert "secret" not in name
    assert Processes().name_of(os.getpid()) is not None
