from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from builders import CPU_RUNTIME, GIB, JUPYTER, MIB, a_report
from colab_magics import guides
from colab_magics.model import Ram, Subject, Unavailable, Usage
from colab_magics.observer import client
from colab_magics.probes import ram
from colab_magics.probes.ram import probe_ram
from colab_magics.requirement import check, parse
from colab_magics.translation import translator
from colab_magics.views import messages
from fake_nvml import FakeDriver


def looked(root: str = "/", *, everything: bool = False) -> Ram:
    seen = probe_ram(root=root, everything=everything)
    assert isinstance(seen, Ram)
    return seen


def a_v2_tree(root: Path, **limits: int) -> str:
    """Build /a/b/c with these limits, a tenth of each in use."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text("0::/a/b/c\n")
    (root / "proc/self/mountinfo").write_text("30 23 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw\n")
    for name, path in (("a", "a"), ("b", "a/b"), ("c", "a/b/c")):
        folder = root / "sys/fs/cgroup" / path
        folder.mkdir(parents=True)
        limit = limits.get(name)
        (folder / "memory.max").write_text("max\n" if limit is None else f"{limit}\n")
        (folder / "memory.current").write_text(f"{(limit or 0) // 10}\n")
        (folder / "memory.stat").write_text("inactive_file 0\n")
    return str(root)


def test_used_is_what_is_not_available_as_on_colab_s_panel() -> None:
    seen = looked("/nowhere")
    machine = psutil.virtual_memory()

    assert seen.machine.total_bytes == machine.total
    assert seen.machine.used_bytes == seen.machine.total_bytes - seen.available_bytes
    assert abs(seen.available_bytes - machine.available) < 256 * MIB


def test_without_a_cgroup_limit_the_machine_bites(tmp_path: Path) -> None:
    seen = looked(a_v2_tree(tmp_path))

    assert (seen.limited_by, seen.limit_level) == ("machine", None)
    assert seen.headroom_bytes == seen.available_bytes
    assert seen.limit_bytes == seen.machine.total_bytes


@pytest.mark.parametrize(
    ("limits", "level"),
    [
        pytest.param({"c": 200 * MIB}, 0, id="its own"),
        pytest.param({"c": 300 * MIB, "b": 200 * MIB}, 1, id="the one above"),
        pytest.param({"c": 300 * MIB, "b": 250 * MIB, "a": 200 * MIB}, 2, id="the top"),
    ],
)
def test_the_tightest_level_bites(tmp_path: Path, limits: dict[str, int], level: int) -> None:
    seen = looked(a_v2_tree(tmp_path, **limits))

    assert (seen.limited_by, seen.limit_level) == ("cgroup_v2", level)
    assert seen.headroom_bytes == 180 * MIB
    assert seen.limit_bytes == 200 * MIB


def test_a_limit_larger_than_the_machine_does_not_bite(tmp_path: Path) -> None:
    assert looked(a_v2_tree(tmp_path, c=2**50)).limited_by == "machine"


def meminfo(root: Path, *, total: int, available: int) -> None:
    (root / "proc/meminfo").write_text(f"MemTotal: {total // 1024} kB\nMemAvailable: {available // 1024} kB\n")


@pytest.mark.parametrize(
    ("limits", "capacity_bytes"),
    [
        pytest.param({}, 64 * GIB, id="no limit"),
        pytest.param({"c": 4 * GIB}, 4 * GIB, id="its own"),
        pytest.param({"c": 8 * GIB, "a": 4 * GIB}, 4 * GIB, id="the top's"),
        pytest.param({"c": 100 * GIB}, 64 * GIB, id="more than the machine has"),
    ],
)
def test_what_may_be_used_in_all_is_the_least_of_the_machine_and_every_limit(
    tmp_path: Path, limits: dict[str, int], capacity_bytes: int
) -> None:
    root = a_v2_tree(tmp_path, **limits)
    meminfo(tmp_path, total=64 * GIB, available=60 * GIB)

    assert looked(root).capacity_bytes == capacity_bytes


def test_a_container_of_4_gib_on_a_machine_of_64_is_told_as_4(tmp_path: Path) -> None:
    root = a_v2_tree(tmp_path, b=4 * GIB)
    meminfo(tmp_path, total=64 * GIB, available=60 * GIB)
    seen = looked(root)

    assert (seen.machine.total_bytes, seen.capacity_bytes) == (64 * GIB, 4 * GIB)
    assert (seen.limited_by, seen.limit_bytes, seen.limit_level) == ("cgroup_v2", 4 * GIB, 1)
    assert seen.headroom_bytes == 4 * GIB - 4 * GIB // 10
    assert seen.usage == Usage(total_bytes=4 * GIB, used_bytes=4 * GIB // 10)


def test_a_container_on_a_machine_that_is_nearly_full_has_its_limit_and_the_machine_s_rest(tmp_path: Path) -> None:
    root = a_v2_tree(tmp_path, c=4 * GIB)
    meminfo(tmp_path, total=64 * GIB, available=GIB)
    seen = looked(root)

    assert (seen.limited_by, seen.limit_bytes) == ("machine", 64 * GIB)
    assert seen.headroom_bytes == GIB
    assert seen.usage == Usage(total_bytes=4 * GIB, used_bytes=3 * GIB)


def test_a_container_s_capacity_is_what_everything_speaks_of(tmp_path: Path) -> None:
    """The sentence, the bar, the requirement, the guide to more memory."""
    root = a_v2_tree(tmp_path, b=4 * GIB)
    meminfo(tmp_path, total=64 * GIB, available=60 * GIB)
    report = a_report(Subject.RAM, ram=looked(root), platform=JUPYTER, **CPU_RUNTIME)
    verdict = check(parse("ram>=20"), report.snapshot)
    guide = guides.for_goal(guides.Goal.MEMORY, report.snapshot, None)
    english = translator("en")

    assert "0.4 of 4.0 GiB used" in str(report)
    assert "64" not in str(report)
    assert not verdict.met
    assert verdict.clauses[0].found == (("ram", (4 * GIB,)),)
    assert messages.sentence(guide.remarks[0], english).startswith("This container may use 4.0 GiB RAM")


def test_what_this_kernel_holds_is_seen() -> None:
    before = looked().kernel_bytes
    held = bytearray(os.urandom(1)) * (64 * MIB)
    after = looked().kernel_bytes

    assert before is not None
    assert after is not None
    assert 60 * MIB < after - before < 80 * MIB
    assert len(held) == 64 * MIB


def test_children_and_grandchildren_count_and_our_own_observer_does_not(plug_in: Callable[..., FakeDriver]) -> None:
    plug_in("t4")
    client.ask()
    before = looked()
    hold = "x = bytearray(b'x') * (48 << 20); print(flush=True); input()"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {hold!r}])"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        during = looked()
        child.communicate(b"\n")

    assert before.observer_bytes > MIB
    assert before.children_bytes is not None
    assert during.children_bytes is not None
    assert during.children_bytes - before.children_bytes > 48 * MIB
    client.close()
    assert looked().observer_bytes == 0


def test_the_dear_readings_are_taken_on_request_only() -> None:
    plain, full = looked(), looked(everything=True)

    assert plain.kernel_proportional_bytes is None
    assert plain.other_kernels is None
    assert full.kernel_proportional_bytes is not None
    assert full.kernel_bytes is not None
    assert 0 < full.kernel_proportional_bytes <= full.kernel_bytes * 1.2


def test_other_kernels_of_this_user_are_found_by_their_connection_file(tmp_path: Path) -> None:
    code = "print(flush=True); input()"
    arguments = [sys.executable, "-c", code, "-f", str(tmp_path / "kernel-12ab.json")]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        found = looked(everything=True).other_kernels
        other.communicate(b"\n")

    assert found is not None
    assert other.pid in {kernel.pid for kernel in found}
    assert all(kernel.resident_bytes > 0 for kernel in found)


def test_a_machine_without_proc_is_read_by_psutil() -> None:
    seen = looked("/nowhere")

    assert seen.machine.total_bytes == psutil.virtual_memory().total
    assert seen.swap_used_bytes == psutil.swap_memory().used


def test_swap_in_use_is_read(tmp_path: Path) -> None:
    root = a_v2_tree(tmp_path)
    (tmp_path / "proc/meminfo").write_text(
        "MemTotal: 8000 kB\nMemAvailable: 2000 kB\nSwapTotal: 500 kB\nSwapFree: 200 kB\n"
    )
    seen = looked(root)

    assert (seen.machine.total_bytes, seen.available_bytes) == (8000 * 1024, 2000 * 1024)
    assert seen.swap_used_bytes == 300 * 1024


def test_a_machine_that_cannot_be_read_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise PermissionError(13, "Permission denied", "/proc/meminfo")

    monkeypatch.setattr(ram.psutil, "virtual_memory", refuse)

    assert probe_ram(root="/nowhere") == Unavailable(code="unreadable", values=(("error", "PermissionError"),))
