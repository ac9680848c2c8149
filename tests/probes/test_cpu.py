from __future__ import annotations

import os
from pathlib import Path

import pytest

from colab_magics.probes.cpu import probe_cpu


def with_quota(root: Path, quota: str) -> str:
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text("0::/\n")
    (root / "proc/self/mountinfo").write_text("30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n")
    (root / "sys/fs/cgroup").mkdir(parents=True)
    (root / "sys/fs/cgroup/cpu.max").write_text(f"{quota}\n")
    return str(root)


def test_a_quota_below_the_affinity_is_what_can_be_used(tmp_path: Path) -> None:
    seen = probe_cpu(root=with_quota(tmp_path, "50000 100000"))

    assert seen.quota_cores == 0.5
    assert seen.usable_cores == 0.5
    assert seen.logical_cores == os.cpu_count()


def test_affinity_is_what_can_be_used_without_a_quota(tmp_path: Path) -> None:
    all_cores = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(all_cores)})
        seen = probe_cpu(root=with_quota(tmp_path, "max 100000"))
    finally:
        os.sched_setaffinity(0, all_cores)

    assert seen.quota_cores is None
    assert seen.usable_cores == 1.0


def test_the_load_is_the_machine_s() -> None:
    assert probe_cpu().load_average == pytest.approx(os.getloadavg()[0], abs=0.5)


def test_a_system_that_keeps_no_load_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "getloadavg")

    assert probe_cpu().load_average is None


def test_a_quota_beyond_the_affinity_gives_no_more_cores(tmp_path: Path) -> None:
    seen = probe_cpu(root=with_quota(tmp_path, "900000000 100000"))

    assert seen.quota_cores == 9000
    assert seen.usable_cores == len(os.sched_getaffinity(0))
