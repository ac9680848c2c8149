"""The floors of benchmarks/ read the same facts as ours does: else a ratio beside them would be no honest one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fake_nvml import FakeDriver

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
OURS = "import colab_magics; [colab_magics.gpu_info() for _ in range({reports})]"
BARE = """
import os, sys
sys.path.append({benchmarks!r})
from floors.child import BareChild
import pynvml
child = BareChild(os.path.dirname(pynvml.__file__))
for _ in range({reports}):
    child.ask()
child.close()
"""


def calls(folder: Path, profile: str, program: str, *, reports: int) -> list[str]:
    """Return the calls that a program makes of a driver."""
    driver = FakeDriver(folder, profile)
    code = program.format(reports=reports, benchmarks=str(BENCHMARKS))
    subprocess.run([sys.executable, "-P", "-c", code], env=driver.environment(), check=True)
    return driver.calls()


@pytest.mark.parametrize("profile", ["t4", "64-gpus"])
def test_the_bare_child_makes_the_same_calls_as_ours(tmp_path: Path, profile: str) -> None:
    ours, bare = (
        {reports: calls(tmp_path / name, profile, program, reports=reports) for reports in (1, 2)}
        for name, program in (("ours", OURS), ("bare", BARE))
    )

    assert set(bare[1]) == set(ours[1])
    assert set(bare[2][len(bare[1]) :]) == set(ours[2][len(ours[1]) :])


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_bare_reads_find_what_a_report_finds(tmp_path: Path) -> None:
    code = f"""
import os, sys
sys.path.append({str(BENCHMARKS)!r})
from floors.reads import files_of_ram_info, read_all
files = files_of_ram_info()
assert "/proc/meminfo" in files and "/proc/self/statm" in files, files
machine = read_all(["/proc/meminfo"])[0]
import colab_magics
assert int(machine[0]) * 1024 == colab_magics.ram_info().snapshot.ram.machine.total_bytes
assert len(read_all(["/proc/self/task/*/children", "/no/such/file"])) == len(os.listdir("/proc/self/task")) + 1
"""
    subprocess.run([sys.executable, "-P", "-c", code], check=True, cwd=tmp_path, env=dict(os.environ))
