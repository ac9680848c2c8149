"""What the observer has noted, as a report holds it."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from colab_magics import report
from colab_magics.model import GpuSample, Sample, Subject, Unavailable
from colab_magics.observer import client
from colab_magics.probes.gpu import probe_gpus
from fake_nvml import FakeDriver
from runtimes import OF_A_MACHINE

Plug = Callable[..., FakeDriver]
MIB = 2**20
PERIOD = client.SHORTEST_PERIOD_SECONDS


def watched(subject: Subject = Subject.RUNTIME, *, restart_observer: bool = False) -> report.Report:
    return report.watch(subject, shell_class=None, sample_every_seconds=PERIOD, restart_observer=restart_observer)


def noted() -> tuple[Sample, ...]:
    samples = probe_gpus(sample_every_seconds=PERIOD).samples
    assert samples is not None
    return samples


def test_a_sample_has_the_same_figures_as_the_report(plug_in: Plug) -> None:
    plug_in("t4", f"gpu0.memory_used = {400 * MIB}", "gpu0.utilization_gpu = 87")
    seen = watched().snapshot
    assert seen.samples is not None
    (sample,) = seen.samples
    assert isinstance(seen.gpus, tuple)
    (gpu,) = seen.gpus
    assert gpu.memory is not None
    assert seen.ram is not None
    assert not isinstance(seen.ram, Unavailable)
    assert seen.ram.kernel_bytes is not None

    assert sample.gpus == (
        GpuSample(memory_used_bytes=gpu.memory.used_bytes, utilization_percent=gpu.utilization_percent),
    )
    assert isinstance(sample.gpus[0].utilization_percent, float)
    assert sample.ram_headroom_bytes == pytest.approx(seen.ram.headroom_bytes, abs=512 * MIB)
    assert sample.kernel_bytes == pytest.approx(seen.ram.kernel_bytes, abs=32 * MIB)
    assert sample.cpu_percent is None
    assert sample.seconds_ago == pytest.approx(0, abs=0.1)


def test_samples_are_the_oldest_first() -> None:
    noted()
    time.sleep(2 * PERIOD + 0.1)
    ages = [sample.seconds_ago for sample in noted()]

    assert len(ages) == 3
    assert ages == sorted(ages, reverse=True)


def test_a_report_that_is_not_watched_asks_for_no_samples(plug_in: Plug) -> None:
    plug_in("t4")
    noted()

    assert probe_gpus().samples is None
    assert report.runtime_status(shell_class=None).snapshot.samples is None


def test_what_the_driver_would_not_tell_is_none(plug_in: Plug) -> None:
    plug_in("eight-a100", "fail nvmlDeviceGetUtilizationRates@gpu1 = 3", "fail nvmlDeviceGetHandleByIndex_v2@gpu2 = 15")
    gpus = noted()[0].gpus

    assert gpus[:3] == (
        GpuSample(memory_used_bytes=0, utilization_percent=0.0),
        GpuSample(memory_used_bytes=0, utilization_percent=None),
        GpuSample(memory_used_bytes=None, utilization_percent=None),
    )


def test_a_driver_that_refuses_costs_the_other_figures_nothing(plug_in: Plug) -> None:
    plug_in("t4", "fail nvmlInitWithFlags = 18")
    seen = probe_gpus(sample_every_seconds=PERIOD)

    assert isinstance(seen.gpus, Unavailable)
    assert seen.samples is not None
    assert seen.samples[0].gpus == ()
    assert seen.samples[0].ram_headroom_bytes is not None


def test_where_there_is_no_observer_there_are_no_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client.sys, "platform", "darwin")

    assert probe_gpus(sample_every_seconds=PERIOD).samples == ()


def test_a_driver_that_is_late_leaves_no_samples(plug_in: Plug) -> None:
    plug_in("t4", "hang nvmlInitWithFlags")

    assert probe_gpus(sample_every_seconds=PERIOD, deadline_seconds=0.3).samples == ()


def test_to_watch_is_to_look_at_everything_and_to_judge_it_for_the_subject(plug_in: Plug) -> None:
    plug_in("t4")
    for subject in OF_A_MACHINE:
        seen = watched(subject)
        assert seen.subject is subject
        snapshot = seen.snapshot
        assert None not in (
            snapshot.gpus,
            snapshot.tpus,
            snapshot.frameworks,
            snapshot.ram,
            snapshot.disks,
            snapshot.cpu,
        )


def test_with_the_observer_restarted_a_driver_that_was_mended_is_seen_at_once(
    plug_in: Plug, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_NVML_LIVE", "1")
    driver = plug_in("t4", "segv nvmlDeviceGetUUID")
    for _ in range(3):
        seen = watched().snapshot.gpus
    assert isinstance(seen, Unavailable)
    assert seen.code == "driver_resting"
    driver.set("heal nvmlDeviceGetUUID")
    mended = watched(restart_observer=True).snapshot

    assert isinstance(mended.gpus, tuple)
    assert mended.gpus[0].name == "Tesla T4"
    assert mended.samples is not None
    assert len(mended.samples) == 1
