from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from clocks import Clock
from colab_magics.model import Unavailable
from colab_magics.observer import client, starting
from colab_magics.probes import driver_state, gpu_work
from colab_magics.views import messages
from fake_nvml import FakeDriver

Plug = Callable[..., FakeDriver]
MIB = 2**20


@pytest.fixture
def no_gpu(tmp_path: Path) -> str:
    """A machine on whose bus there is no GPU."""
    (tmp_path / "bare/sys/bus/pci/devices").mkdir(parents=True)
    return str(tmp_path / "bare")


def test_where_there_certainly_is_no_gpu_no_child_is_started(no_gpu: str) -> None:
    begun = gpu_work.begin(deadline_seconds=5, root=no_gpu)
    gpu_work.let_end(begun)

    assert gpu_work.end(begun) == gpu_work.Done((), None, 0)
    assert client.pid() is None
    gpu_work.drop(begun)


def test_the_signs_are_looked_at_once_a_minute(monkeypatch: pytest.MonkeyPatch, no_gpu: str) -> None:
    looked = []
    read_signs = driver_state.read_signs
    monkeypatch.setattr(driver_state, "read_signs", lambda *, root: looked.append(root) or read_signs(root=root))
    clock = Clock()
    monkeypatch.setattr(gpu_work, "time", clock)
    for _ in range(3):
        gpu_work.begin(root=no_gpu)
    assert looked == [no_gpu]
    clock.now += 61
    gpu_work.begin(root=no_gpu)

    assert looked == [no_gpu] * 2


def test_unless_the_kernel_s_memory_is_to_be_sampled(no_gpu: str, plug_in: Plug) -> None:
    driver = plug_in("t4")
    begun = gpu_work.begin(with_kernel=True, deadline_seconds=5, root=no_gpu)
    done = gpu_work.end(begun)

    assert done.gpus == ()
    assert (done.kernel_peak_bytes or 0) > MIB
    assert done.looks == 2
    assert driver.calls() == []


def test_a_gpu_s_work_is_told_in_the_model_s_words(plug_in: Plug) -> None:
    plug_in("t4", f"gpu0.memory_used = {70 * MIB}", "gpu0.throttle_reasons = 0x5", "fail nvmlDeviceGetTotalEnergy* = 3")
    begun = gpu_work.begin(deadline_seconds=5, root="/nowhere")
    gpu_work.let_end(begun)
    done = gpu_work.end(begun)
    assert isinstance(done.gpus, tuple)
    (work,) = done.gpus

    assert (work.index, work.name, work.peak_source) == (0, "Tesla T4", "sampled")
    assert work.memory_before_bytes == work.memory_peak_bytes == work.memory_after_bytes == 70 * MIB
    assert (work.memory_total_bytes or 0) // (1024 * MIB) == 15
    assert (work.busy_percent, work.busy_source, work.energy_joules) == (None, None, None)
    assert work.slowdown_reasons == ("power_cap",)
    assert work.unavailable == (("busy_percent", "too_short"), ("energy_joules", "not_supported"))
    assert {reason for _, reason in work.unavailable} <= messages.FIELD_REASONS.keys()
    assert done.kernel_peak_bytes


def test_without_a_binding_the_kernel_alone_is_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "find_pynvml", lambda: None)
    begun = gpu_work.begin(with_kernel=True, deadline_seconds=5, root="/nowhere")
    done = gpu_work.end(begun)

    assert done.gpus == Unavailable(code="binding_missing")
    assert done.kernel_peak_bytes
    assert gpu_work.end(gpu_work.begin(root="/nowhere")) == gpu_work.Done(Unavailable(code="binding_missing"))


@pytest.mark.parametrize(
    ("lines", "files", "gpus"),
    [
        pytest.param(("gpus = 0",), (), (), id="no GPU"),
        pytest.param(
            ("gpus = 0",), ("dev/nvidia0",), Unavailable(code="gpu_not_started"), id="one that does not start"
        ),
        pytest.param(None, (), (), id="no driver"),
        pytest.param(None, ("dev/nvidiactl",), Unavailable(code="library_broken"), id="a broken library"),
    ],
)
def test_that_there_is_none_means_what_it_means_in_a_report(
    lines: tuple[str, ...] | None, files: tuple[str, ...], gpus: object, plug_in: Plug, tmp_path: Path
) -> None:
    if lines is not None:
        plug_in("t4", *lines)
    for file in files:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()
    begun = gpu_work.begin(deadline_seconds=5, root=str(tmp_path))

    assert gpu_work.end(begun).gpus == gpus


def test_a_driver_that_refuses_says_why(plug_in: Plug) -> None:
    plug_in("t4", "fail nvmlInitWithFlags = 999")
    gpus = gpu_work.end(gpu_work.begin(deadline_seconds=5, root="/nowhere")).gpus

    assert isinstance(gpus, Unavailable)
    assert gpus.code == "driver_unknown_error"


def test_a_driver_that_dies_costs_the_answer_and_no_more(plug_in: Plug) -> None:
    plug_in("t4", "segv nvmlDeviceGetUtilizationRates")
    begun = gpu_work.begin(root="/nowhere")
    time.sleep(0.5)
    done = gpu_work.end(begun)

    assert isinstance(done.gpus, Unavailable)
    assert (done.kernel_peak_bytes, done.looks) == (None, 0)


def test_what_is_dropped_is_not_told(plug_in: Plug) -> None:
    plug_in("t4")
    begun = gpu_work.begin(deadline_seconds=5, root="/nowhere")
    gpu_work.drop(begun)

    assert gpu_work.end(begun).gpus == Unavailable(code="measurement_lost")
