from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from builders import COLAB, DISK, GIB, a_snapshot
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
        pytest.param(Unavailable(code="unreadable"), False, id="unavailable"),
        pytest.param((), False, id="none"),
        pytest.param(None, False, id="not asked"),
    ],
)
def test_disk_nearly_full(disks: Any, expected: bool) -> None:
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
