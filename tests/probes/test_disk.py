from __future__ import annotations

import errno
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import fuse_mounts
from colab_magics.model import Disk, Unavailable, Usage
from colab_magics.observer import client
from colab_magics.probes import disk
from colab_magics.probes.disk import probe_disks
from fuse_mounts import FuseMount

TOLD = {
    "device": 1, "block_bytes": 4096, "blocks": 1000, "free_blocks": 500, "writable_blocks": 400, "inodes": 90,
    "writable_inodes": 30, "flags": 0,
}  # fmt: skip


@pytest.fixture
def fuse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FuseMount]:
    """A mount with a server of its own, in which this process works."""
    if why := fuse_mounts.why_not():
        pytest.skip(why)
    mount = FuseMount(tmp_path)
    monkeypatch.chdir(mount.point)
    yield mount
    os.chdir("/")
    mount.close()


def probed() -> dict[tuple[str, ...], Disk]:
    disks = probe_disks()
    assert isinstance(disks, tuple)
    return {one.places: one for one in disks if one.places != ("/dev/shm",)}


def here() -> Disk:
    (found,) = [one for places, one in probed().items() if "working directory" in places]
    return found


def test_one_file_system_is_one_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    (places, root), = probed().items()  # fmt: skip

    assert places == ("/", "working directory")
    assert root.usage is not None
    assert root.usage.total_bytes == shutil.disk_usage("/").total
    assert root.unavailable is None


def test_a_working_directory_elsewhere_is_an_entry_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/dev")

    assert list(probed()) == [("/",), ("working directory",)]


def test_a_removed_working_directory_is_on_its_disk_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    before = here()
    gone.rmdir()

    assert here().places == before.places
    assert here().usage is not None


def test_what_can_still_be_written_is_what_this_user_may_write(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    root = here()

    assert root.usage is not None
    assert root.free_bytes is not None
    assert root.free_bytes <= root.usage.total_bytes - root.usage.used_bytes


def test_local_file_systems_are_asked_without_the_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/proc")
    probe_disks()

    assert client.pid() is None


@pytest.mark.skipif(not os.path.ismount("/dev/shm"), reason="there is no file system of shared memory")
def test_shared_memory_is_an_entry_of_its_own() -> None:
    disks = probe_disks()

    assert isinstance(disks, tuple)
    (shared,) = [one for one in disks if "/dev/shm" in one.places]
    assert shared.usage is not None
    assert shared.usage.total_bytes == shutil.disk_usage("/dev/shm").total


def test_file_systems_that_cannot_be_read_are_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_path: str) -> Any:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.chdir("/")
    monkeypatch.setattr(disk.looks, "file_system", refuse)
    denied = Unavailable(code="unreadable", values=(("error", "Permission denied"),))

    assert {places: one.unavailable for places, one in probed().items()} == {
        ("/",): denied,
        ("working directory",): denied,
    }


# What cannot be ------------------------------------------------------------------------------------------------------


def read(monkeypatch: pytest.MonkeyPatch, **told: int) -> Disk:
    """Return the disk of a machine on which every file system tells the same."""
    monkeypatch.chdir("/")
    monkeypatch.setattr(disk.looks, "file_system", lambda _path: {**TOLD, **told})
    disks = probe_disks()
    assert isinstance(disks, tuple)
    return disks[0]


def test_figures_are_of_bytes_and_of_inodes(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = read(monkeypatch)

    assert seen.usage == Usage(total_bytes=4_096_000, used_bytes=2_048_000)
    assert seen.free_bytes == 1_638_400
    assert (seen.is_read_only, seen.total_inodes, seen.free_inodes) == (False, 90, 30)


@pytest.mark.parametrize(
    "told",
    [
        pytest.param({"blocks": 0, "free_blocks": 0, "writable_blocks": 0}, id="no size"),
        pytest.param({"blocks": 2**51}, id="8 EiB"),
        pytest.param({"block_bytes": 0}, id="blocks of nothing"),
        pytest.param({"free_blocks": 1001}, id="more is unused than there is"),
        pytest.param({"writable_blocks": 1001}, id="more is free than there is"),
        pytest.param({"writable_blocks": -1}, id="less than nothing is free"),
        pytest.param({"blocks": -1, "free_blocks": -2, "writable_blocks": -2}, id="less than nothing"),
    ],
)
def test_a_size_that_cannot_be_is_not_known(told: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """rclone#2356, musefs#368 (no blocks), jupyter-resource-usage PR#194 (8 EiB)."""
    seen = read(monkeypatch, **told)

    assert (seen.usage, seen.free_bytes) == (None, None)
    assert seen.unavailable == Unavailable(code="size_cannot_be")


def test_a_large_one_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, blocks=2**51 - 1).usage == Usage(total_bytes=2**63 - 4096, used_bytes=2**63 - 2_052_096)


@pytest.mark.parametrize("told", [{"inodes": 0, "writable_inodes": 0}, {"writable_inodes": 91}, {"inodes": -1}])
def test_inodes_that_are_not_counted_are_not_known(told: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    seen = read(monkeypatch, **told)

    assert (seen.total_inodes, seen.free_inodes) == (None, None)
    assert seen.usage is not None


def test_read_only_is_what_its_flags_say(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, flags=os.ST_RDONLY | os.ST_NOSUID).is_read_only is True
    assert read(monkeypatch, flags=os.ST_NOSUID).is_read_only is False


# Real mounts ---------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_fuse_mount_is_asked_in_the_child(fuse: FuseMount) -> None:
    assert here().usage == Usage(total_bytes=2**32, used_bytes=2**31)
    assert client.pid() is not None
    fuse.tell(f_files=100, f_ffree=0, f_favail=0)
    assert (here().total_inodes, here().free_inodes) == (100, 0)


@pytest.mark.slow
@pytest.mark.parametrize("sizes", [{"f_blocks": 0, "f_bfree": 0, "f_bavail": 0}, {"f_blocks": 2**51}])
def test_a_fuse_mount_that_tells_no_size_or_8_eib_has_none(sizes: dict[str, int], fuse: FuseMount) -> None:
    fuse.tell(**sizes)

    assert here().unavailable == Unavailable(code="size_cannot_be")


@pytest.mark.slow
@pytest.mark.parametrize("about", ["statfs", "all"])
def test_a_mount_that_falls_silent_costs_a_second_once(about: str, fuse: FuseMount) -> None:
    here()
    fuse.fall_silent(about)
    started = time.monotonic()
    silent = here()

    assert silent.unavailable == Unavailable(code="mount_silent", values=(("seconds", 1.0),))
    assert silent.usage is None
    assert probed()["/",].usage is not None
    assert time.monotonic() - started < 2  # and another look, which does not wait again
    fuse.speak()
    until = time.monotonic() + 5
    while here().usage is None and time.monotonic() < until:
        time.sleep(0.05)
    assert here().usage is not None


@pytest.mark.slow
def test_a_mount_whose_server_has_died_says_so(fuse: FuseMount) -> None:
    fuse.die()

    assert here().unavailable == Unavailable(code="unreadable", values=(("error", os.strerror(errno.ENOTCONN)),))
    assert probed()["/",].usage is not None


@pytest.mark.slow
def test_a_silent_mount_that_was_unmounted_with_us_in_it_is_asked_in_the_child(fuse: FuseMount) -> None:
    here()
    fuse.fall_silent()
    fuse.unmount()

    assert here().unavailable == Unavailable(code="mount_silent", values=(("seconds", 1.0),))
    fuse.speak()
