"""What a piece of work takes."""

from __future__ import annotations

import mmap
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from builders import GIB, MIB
from colab_magics.cells import meter
from colab_magics.cells.meter import Meter
from colab_magics.model.cells import Cell, PeakMethod
from colab_magics.observer import client
from colab_magics.probes import peak
from fake_nvml import FakeDriver

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")


def ended(measured: Meter, **told: object) -> Cell:
    return measured.end(**{"number": 3, "first_line": "x = 1", "failed": False, **told})  # type: ignore[arg-type]


def written(mib: int) -> mmap.mmap:
    """Return memory of its own, new from the system: what the heap has free is resident already."""
    fresh = mmap.mmap(-1, mib * MIB)
    for _ in range(mib):
        fresh.write(b"\1" * MIB)
    return fresh


def test_it_says_which_cell_it_was_and_how_that_ended() -> None:
    cell = ended(Meter(), number=7, first_line="y = 2", failed=True)

    assert cell.number == 7
    assert cell.first_line == "y = 2"
    assert cell.failed is True


def test_time_is_the_clock_s_and_the_processor_s() -> None:
    measured = Meter()
    time.sleep(0.05)
    began = time.process_time()
    while time.process_time() < began + 0.05:
        pass
    cell = ended(measured)

    assert cell.wall_seconds >= 0.1
    assert 0.05 <= cell.cpu_seconds <= cell.wall_seconds + 0.01


def test_what_ended_child_processes_took_counts_as_the_cell_s() -> None:
    measured = Meter()
    code = "import time\nwhile time.process_time() < 0.2: pass"
    subprocess.run([sys.executable, "-c", code], check=True)

    assert ended(measured).cpu_seconds >= 0.2


@on_linux
def test_memory_is_the_peak_over_the_start_and_what_was_kept() -> None:
    measured = Meter()
    kept = written(20)
    with written(100):
        pass
    cell = ended(measured)
    kept.close()

    assert cell.ram_over_start_bytes == pytest.approx(120 * MIB, abs=2 * MIB)
    assert cell.ram_kept_bytes == pytest.approx(20 * MIB, abs=2 * MIB)
    assert cell.peak_method is PeakMethod.RESET
    assert cell.peak_error_bytes is not None
    assert cell.unavailable == ()


@on_linux
def test_the_largest_child_is_told_where_it_was_larger_than_all_before_and_than_this_process() -> None:
    size = (peak.greatest_bytes() or 0) + (peak.largest_child_bytes() or 0) + 50 * MIB
    measured = Meter()
    subprocess.run([sys.executable, "-c", f"b'1' * {size}"], check=True)
    told = ended(measured).largest_child_bytes
    again = Meter()
    subprocess.run([sys.executable, "-c", f"b'1' * {size - 40 * MIB}"], check=True)

    assert told is not None
    assert size <= told <= size + 64 * MIB
    assert ended(again).largest_child_bytes is None


@on_linux
def test_a_small_child_of_a_large_process_is_not_told_as_a_large_one() -> None:
    """Linux counts for a child what its parent had: getrusage alone would say 300 MiB of `true`."""
    code = (
        f"import sys; sys.path[:0] = {sys.path!r}\n"
        "import subprocess\n"
        "from colab_magics.cells.meter import Meter\n"
        "from colab_magics.probes import peak\n"
        "measured = Meter()\n"
        "held = b'1' * 300_000_000\n"
        "subprocess.run(['true'], check=True)\n"
        "cell = measured.end(number=None, first_line='', failed=False)\n"
        "print(peak.largest_child_bytes() > 300_000_000, cell.largest_child_bytes)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "True None\n"


def test_what_cannot_be_measured_is_unknown_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meter.peak.Span, "end", lambda _self, **_told: peak.Peak(None, None, None, None, None))
    cell = ended(Meter())

    assert cell.ram_peak_bytes is None
    assert cell.peak_method is None
    assert dict(cell.unavailable) == {
        "ram_before_bytes": "unreadable",
        "ram_after_bytes": "unreadable",
        "ram_peak_bytes": "no_peak_record",
    }


def test_without_gpus_nobody_asks_the_driver(plug_in: Callable[..., FakeDriver]) -> None:
    driver = plug_in("t4")

    assert ended(Meter()).gpus is None
    assert client.pid() is None
    assert driver.calls() == []


def test_what_a_gpu_did_is_told(plug_in: Callable[..., FakeDriver]) -> None:
    plug_in("t4", f"gpu0.memory_used = {70 * MIB}, 1.5: {2 * GIB}, 2: {GIB}")
    measured = Meter(gpus=True, deadline_seconds=5, root="/nowhere")
    time.sleep(2.2)
    cell = ended(measured)
    assert cell.gpus is not None
    (work,) = cell.gpus

    assert work.name == "Tesla T4"
    assert work.memory_over_start_bytes == 2 * GIB - 70 * MIB
    assert work.memory_kept_bytes == GIB - 70 * MIB


def test_a_driver_that_cannot_be_asked_is_a_reason(plug_in: Callable[..., FakeDriver]) -> None:
    plug_in("t4", "segv nvmlInit*")
    cell = ended(Meter(gpus=True, deadline_seconds=5, root="/nowhere"))

    assert cell.gpus is None
    assert ("gpus", "driver_not_asked") in cell.unavailable
    assert cell.peak_method is PeakMethod.RESET


def test_where_the_record_may_not_be_reset_the_peak_is_sampled(
    plug_in: Callable[..., FakeDriver], monkeypatch: pytest.MonkeyPatch
) -> None:
    plug_in("t4")
    monkeypatch.setattr(peak, "_written", lambda *_refused: False)
    monkeypatch.setattr(peak, "_maxrss_bytes", lambda _who: 0)
    measured = Meter(gpus=True, deadline_seconds=5, root="/nowhere")
    held = bytearray(b"\1") * (200 * MIB)
    time.sleep(0.5)
    del held
    cell = ended(measured)

    assert cell.peak_method is PeakMethod.SAMPLED
    assert cell.ram_over_start_bytes == pytest.approx(200 * MIB, abs=20 * MIB)
    assert ("peak_error_bytes", "sampled") in cell.unavailable


def test_one_that_is_dropped_leaves_nothing_open(plug_in: Callable[..., FakeDriver]) -> None:
    plug_in("t4")
    measured = Meter(gpus=True, deadline_seconds=5, root="/nowhere")
    measured.drop()

    assert measured._span not in peak._open


def test_one_within_another_leaves_the_outer_its_own() -> None:
    outer = Meter()
    time.sleep(0.02)
    inner = ended(Meter())

    assert inner.wall_seconds < 0.02
    assert ended(outer).wall_seconds >= 0.02
