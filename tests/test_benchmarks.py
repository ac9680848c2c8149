"""What benchmarks/ measures beside is honest, and its quick run fails where it should."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

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


# The floors read the same facts as ours ------------------------------------------------------------------------------


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


# The quick run ------------------------------------------------------------------------------------------------------


@pytest.fixture
def cost(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import cost

    return cost


def times(cost: ModuleType, **other: float) -> dict[str, dict[str, float]]:
    """Return ratios that are all as is meant, but for those named."""
    figures = {goal["key"]: other.get(goal["key"], goal["most"]["newest"]) for goal in cost.beside_floors.goals()}
    return {key: dict.fromkeys(("ratio", "low", "of_minima"), figure) for key, figure in figures.items()}


def test_what_takes_three_times_what_is_meant_is_too_much(cost: ModuleType) -> None:
    assert cost.of_times(times(cost, ram_info=4.49, panel_loop=1.029)) == []
    assert [line.split()[2] for line in cost.of_times(times(cost, ram_info=4.51, panel_loop=1.031))] == [
        "ram_info",
        "panel_loop",
    ]


def test_a_few_slow_turns_are_not_too_much(cost: ModuleType) -> None:
    found = times(cost, command=60.0)
    for figure in ("low", "of_minima"):
        assert cost.of_times(found | {"command": found["command"] | {figure: 14.0}}) == []


def test_one_more_of_what_is_counted_is_too_much(cost: ModuleType) -> None:
    allowed = cost.counts.allowed()

    assert cost.of_counts(allowed) == []
    for key, most in allowed.items():
        (line,) = cost.of_counts(allowed | {key: most + 1})
        assert key in line


def test_figures_of_the_same_turns_have_the_same_interval(cost: ModuleType) -> None:
    import measured

    ratio = measured.ratio(measured.Pairs([2.0, 2.2, 2.1, 9.0], [1.0, 1.1, 1.0, 1.2]))

    assert ratio == measured.ratio(measured.Pairs([2.0, 2.2, 2.1, 9.0], [1.0, 1.1, 1.0, 1.2]))
    assert (ratio["ratio"], ratio["of_minima"], ratio["ours_ms"], ratio["turns"]) == (2.048, 2.0, 2.15, 4)
    assert 2.0 <= ratio["low"] <= ratio["ratio"] <= ratio["high"]
