from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from builders import COLAB, DISK, GIB, MIB, SHARED, SILENT_DISK, a_snapshot
from colab_magics.model import Disk, Unavailable, Usage
from colab_magics.rules import runtime


def a_disk(free_percent: float, *places: str) -> Disk:
    total = 100 * GIB
    free = int(total * free_percent / 100)
    usage = Usage(total_bytes=total, used_bytes=total - free)
    return replace(DISK, places=places or DISK.places, usage=usage, free_bytes=free)


@pytest.mark.parametrize(
    ("disks", "expected"),
    [
        pytest.param((a_disk(9.9),), True, id="just under"),
        pytest.param((a_disk(10.1),), False, id="just over"),
        pytest.param((replace(a_disk(1), is_read_only=True),), False, id="nothing can be written there anyway"),
        pytest.param((SILENT_DISK,), False, id="silent"),
        pytest.param((SILENT_DISK, a_disk(1)), True, id="another one is silent"),
        pytest.param((a_disk(50), a_disk(1, "/dev/shm")), False, id="shared memory is another question"),
        pytest.param((a_disk(1, "working directory", "/dev/shm"),), True, id="but one may work in it"),
        pytest.param(Unavailable(code="unreadable"), False, id="unavailable"),
        pytest.param((), False, id="none"),
        pytest.param(None, False, id="not asked"),
    ],
)
def test_disk_nearly_full(disks: Any, expected: bool) -> None:
    """WendyOS#1711, singularity#2640: a read-only file system is full by nature."""
    assert (runtime.disk_nearly_full(a_snapshot(disks=disks)) is not None) is expected


def test_of_several_disks_the_fullest_is_named() -> None:
    finding = runtime.disk_nearly_full(a_snapshot(disks=(a_disk(9, "/"), a_disk(2, "working directory"))))

    assert finding is not None
    assert dict(finding.values) == {
        "place": "working directory",
        "free_bytes": 2 * GIB,
        "total_bytes": 100 * GIB,
    }


@pytest.mark.parametrize(
    ("disks", "expected"),
    [
        pytest.param((replace(DISK, free_inodes=0),), ("/",), id="none"),
        pytest.param((DISK, replace(DISK, places=("here",), free_inodes=0)), ("here",), id="none on another disk"),
        pytest.param((replace(DISK, free_inodes=1),), (), id="one more"),
        pytest.param((replace(DISK, free_inodes=None, total_inodes=None),), (), id="not counted"),
        pytest.param((replace(DISK, free_inodes=0, is_read_only=True),), (), id="read-only"),
        pytest.param((DISK, replace(SHARED, free_inodes=0)), (), id="shared memory"),
        pytest.param((SILENT_DISK,), (), id="silent"),
        pytest.param(Unavailable(code="unreadable"), (), id="unavailable"),
    ],
)
def test_a_disk_without_inodes_is_named(disks: Any, expected: tuple[str, ...]) -> None:
    """vsc_user_docs#660."""
    finding = runtime.no_inodes_left(a_snapshot(disks=disks))

    assert (() if finding is None else tuple(dict(finding.values).values())) == expected


def shared(total_bytes: int, free_bytes: int) -> Disk:
    return replace(SHARED, usage=Usage(total_bytes=total_bytes, used_bytes=total_bytes - free_bytes),
                   free_bytes=free_bytes)  # fmt: skip


@pytest.mark.parametrize(
    ("total_bytes", "free_bytes", "in_container", "expected"),
    [
        pytest.param(64 * MIB, 64 * MIB, False, "shared_memory_small", id="Docker's default tells itself"),
        pytest.param(64 * MIB, 4 * MIB, False, "shared_memory_nearly_full", id="and is nearly full"),
        pytest.param(512 * MIB, 512 * MIB, True, "shared_memory_small", id="a small one in a container"),
        pytest.param(512 * MIB, 512 * MIB, False, None, id="half the RAM of a small machine"),
        pytest.param(GIB, GIB, True, None, id="enough"),
        pytest.param(12 * GIB, 2 * GIB, True, None, id="much is left"),
        pytest.param(12 * GIB, GIB, False, "shared_memory_nearly_full", id="little is left of much"),
    ],
)
def test_shared_memory_is_small_or_nearly_full(
    total_bytes: int, free_bytes: int, in_container: bool, expected: str | None
) -> None:
    """pytorch#5040."""
    platform = replace(COLAB, container_age_seconds=60.0 if in_container else None)
    snapshot = a_snapshot(disks=(DISK, shared(total_bytes, free_bytes)), platform=platform)
    rules = (runtime.shared_memory_small, runtime.shared_memory_nearly_full)

    assert [rule.name for rule in rules if rule(snapshot) is not None] == ([] if expected is None else [expected])


@pytest.mark.parametrize(
    "disks", [None, (), (DISK,), Unavailable(code="unreadable"), (replace(SILENT_DISK, places=("/dev/shm",)),)]
)
def test_of_shared_memory_that_is_not_known_nothing_is_found(disks: Any) -> None:
    snapshot = a_snapshot(disks=disks, platform=Unavailable(code="unexpected"))

    assert runtime.shared_memory_small(snapshot) is None
    assert runtime.shared_memory_nearly_full(snapshot) is None


@pytest.mark.parametrize(
    ("platform", "expected"),
    [
        pytest.param({"machine_age_seconds": 36_001.0}, True, id="over ten hours"),
        pytest.param({"machine_age_seconds": 35_999.0}, False, id="just under"),
        pytest.param({"machine_age_seconds": 90_000.0, "container_age_seconds": 60.0}, False, id="a young container"),
        pytest.param({"machine_age_seconds": None}, False, id="unknown"),
        pytest.param({"machine_age_seconds": 90_000.0, "service": "kaggle"}, False, id="another service"),
        pytest.param({"machine_age_seconds": 90_000.0, "service": None}, False, id="no service"),
    ],
)
def test_a_runtime_of_colab_s_that_is_old(platform: dict[str, Any], expected: bool) -> None:
    assert (runtime.runtime_old(a_snapshot(platform=replace(COLAB, **platform))) is not None) is expected


def test_where_nobody_could_look_no_runtime_is_old() -> None:
    assert runtime.runtime_old(a_snapshot(platform=Unavailable(code="unexpected"))) is None
