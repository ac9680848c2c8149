from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from colab_magics.probes import cpu
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
    assert seen.logical_cores == os.sysconf("SC_NPROCESSORS_ONLN")


def test_what_python_is_told_to_count_is_not_what_the_system_has() -> None:
    """Python obeys PYTHON_CPU_COUNT from 3.13 on."""
    code = "from colab_magics.probes.cpu import probe_cpu; print(probe_cpu().logical_cores, probe_cpu().usable_cores)"
    package = Path(cpu.__file__).parents[2]
    environment = {**os.environ, "PYTHON_CPU_COUNT": "6400", "PYTHONPATH": str(package)}
    seen = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    logical, usable = seen.stdout.split()

    assert int(logical) == os.sysconf("SC_NPROCESSORS_ONLN")
    assert float(usable) <= int(logical)


def test_a_system_that_does_not_tell_its_cores_has_what_python_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sysconf", lambda _name: -1)
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    assert probe_cpu().logical_cores == 3

    monkeypatch.delattr(os, "sysconf")
    assert probe_cpu().logical_cores == 3


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
