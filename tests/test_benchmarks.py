"""What benchmarks/ measures beside is honest, and its quick run fails where it should."""

from __future__ import annotations

import json
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


@pytest.mark.skipif(not os.access("/proc/self/clear_refs", os.W_OK), reason="keeps no record that may be reset")
def test_the_bare_record_finds_a_temporary_that_lives_for_a_moment(tmp_path: Path) -> None:
    code = f"""
import sys
sys.path.append({str(BENCHMARKS)!r})
from IPython.core.interactiveshell import InteractiveShell
import measured_cells_kernel as kernel
shell = InteractiveShell()
bare = kernel.BareRecord(shell)
bare.start()
shell.user_ns["hold"] = kernel.hold
kernel.TEMPORARY_BYTES = 200_000_000
for kind in ("GIL held", "thread"):
    shell.run_cell(f"hold({{kind!r}}, 1)").raise_error()
    assert abs(bare.over_start_bytes - 200_000_000) < 2 * 2**20, bare.over_start_bytes
hooks = kernel.hooks_of(shell, "BareRecord")
shell.run_cell("pass", store_history=True)
bare.stop()
shell.run_cell("hold('thread', 1)")
assert len(kernel.done) == 3
bare.over_start_bytes = 10**9
hooks()
assert bare.over_start_bytes < 2 * 2**20, bare.over_start_bytes
"""
    environment = {**os.environ, "IPYTHONDIR": str(tmp_path)}
    subprocess.run([sys.executable, "-P", "-c", code], check=True, cwd=tmp_path, env=environment)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_truth_of_a_size_is_what_was_allocated(tmp_path: Path) -> None:
    program = BENCHMARKS / "sized_variables_child.py"

    def asked(sizer: str) -> dict[str, float]:
        line = [sys.executable, "-P", str(program), sizer, "100,000 variables, a number each"]
        printed = subprocess.run(line, check=True, cwd=tmp_path, capture_output=True, text=True).stdout
        return dict(json.loads(printed))

    true = asked("truth")["size_bytes"]
    assert true == pytest.approx(100_000 * sys.getsizeof(0.5), rel=0.01)
    assert asked("sys.getsizeof")["size_bytes"] == pytest.approx(true, rel=0.01)


@pytest.fixture
def measured_cells(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import measured_cells

    return measured_cells


@pytest.mark.parametrize(
    ("name", "printed", "mib"),
    [
        ("`%memit`", "peak memory: 559.14 MiB, increment: 476.82 MiB\n", 476.82),
        ("`%%memit`", "peak memory: 71.20 MiB, increment: -0.50 MiB\n", -0.5),
        (
            "ipython_memory_usage",
            "In [0] used 1.5 MiB RAM in 0.43s (system mean cpu 0%), peaked 476.8 MiB above final usage, now 79.7 MiB\n",
            478.3,
        ),
    ],
)
def test_a_peak_is_read_from_what_a_tool_prints(
    measured_cells: ModuleType, name: str, printed: str, mib: float
) -> None:
    (who,) = [who for who in measured_cells.CONTESTANTS if who.name == name]
    ran = measured_cells.Ran(1.0, printed, [])

    assert who.peak(None, ran) == pytest.approx(mib * 2**20)
    with pytest.raises(LookupError, match="nothing said"):
        who.peak(None, ran._replace(printed=""))


def test_an_error_is_told_in_one_line_without_the_names_of_this_run(measured_cells: ModuleType) -> None:
    failed = measured_cells.CellFailedError("1", "OSError: no file results/tmp2cm91h55/dump\nmore", "printed")

    assert measured_cells.told(failed) == "OSError: no file results/.../dump"


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
