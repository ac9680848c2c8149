from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from builders import (
    CPU,
    DISK,
    EIGHT_A100,
    GB10,
    GIB,
    MIG_IN_A_CONTAINER,
    MUTE_GPU,
    NOTHING_AVAILABLE,
    SHARED,
    SILENT_DISK,
    T4,
    a_report,
)
from colab_magics.model import GpuSample, Sample, Severity, Subject
from colab_magics.panel.gauges import Gauge, gauges
from colab_magics.translation import translator
from runtimes import IN_A_CONTAINER

ENGLISH = translator("en")
SAMPLES = tuple(
    Sample(
        seconds_ago=seconds_ago,
        ram_headroom_bytes=headroom_gib * GIB,
        kernel_bytes=GIB,
        cpu_percent=percent,
        gpus=(GpuSample(memory_used_bytes=used_gib * GIB, utilization_percent=use),),
    )
    for seconds_ago, headroom_gib, percent, used_gib, use in ((4.0, 8, None, 3, 0.0), (2.0, 6, 50.0, 6, 100.0))
)


def rows(subject: Subject = Subject.RUNTIME, **changes: Any) -> dict[str, Gauge]:
    return {gauge.bar.label: gauge for gauge in gauges(a_report(subject, **changes), ENGLISH)}


def test_a_runtime_with_a_gpu_has_five_gauges_in_reading_order() -> None:
    assert list(rows()) == ["GPU memory", "GPU use", "RAM", "Disk", "CPU"]


def test_a_silent_disk_has_a_gauge_and_shared_memory_where_it_is_nearly_full() -> None:
    disks = (replace(DISK, places=("/",)), SILENT_DISK)
    seen = rows(disks=(*disks, SHARED))
    full = rows(disks=(*disks, replace(SHARED, free_bytes=0)))

    assert [label for label in seen if "GPU" not in label] == ["RAM", "Disk (/)", "Disk (working directory)", "CPU"]
    assert seen["Disk (working directory)"].bar.percent is None
    assert full.keys() - seen.keys() == {"Shared memory"}


def test_a_report_on_ram_begins_with_ram() -> None:
    assert next(iter(rows(Subject.RAM))) == "RAM"


def test_without_a_gpu_there_is_no_gauge_for_one() -> None:
    assert list(rows(gpus=(), driver=None)) == ["RAM", "Disk", "CPU"]


def test_figures_stand_in_words_beside_every_gauge() -> None:
    seen = {label: (gauge.bar.words, gauge.bar.more) for label, gauge in rows(samples=SAMPLES).items()}

    assert seen == {
        "GPU memory": ("0.4 of 15.0 GiB", ("this kernel 400 MiB",)),
        "GPU use": ("43 °C", ("9 of 70 W",)),
        "RAM": ("8.1 GiB left", ("this kernel 3.1 GiB",)),
        "Disk": ("69.6 GiB left", ()),
        "CPU": ("", ("load 0.25 on 2 cores",)),
    }
    assert rows(samples=SAMPLES)["CPU"].bar.percent == 50.0


def test_before_two_samples_the_processors_have_no_share_and_say_what_they_are() -> None:
    first = rows(samples=SAMPLES[:1])["CPU"].bar

    assert first.percent is None
    assert first.more == ("load 0.25 on 2 cores",)
    assert rows(samples=())["CPU"].bar == first


def test_the_history_is_the_share_at_each_moment() -> None:
    seen = rows(samples=SAMPLES)

    assert seen["GPU memory"].history == pytest.approx([20.0, 40.0])
    assert seen["GPU use"].history == [0.0, 100.0]
    assert seen["RAM"].history == pytest.approx([37.0, 52.8], abs=0.1)
    assert seen["CPU"].history == [None, 50.0]
    assert seen["Disk"].history == ()


def test_a_gpu_that_came_later_than_its_samples_has_gaps_for_them() -> None:
    later = tuple(replace(sample, gpus=()) for sample in SAMPLES)

    assert rows(samples=later)["GPU memory"].history == [None, None]


def test_in_a_container_ram_and_its_history_are_shares_of_what_this_process_may_use() -> None:
    samples = tuple(replace(sample, ram_headroom_bytes=GIB) for sample in SAMPLES)
    gauge = rows(ram=IN_A_CONTAINER["ram"], samples=samples)["RAM"]

    assert gauge.bar.words == "256 MiB left"
    assert gauge.bar.percent == pytest.approx(93.75)
    assert gauge.bar.more == ("this kernel 3.1 GiB", "its child processes 128 MiB", "the container's limit")
    assert gauge.history == [75.0, 75.0]


def test_a_processor_that_is_fully_used_is_no_warning_and_a_full_memory_is() -> None:
    busy = tuple(replace(sample, cpu_percent=100.0) for sample in SAMPLES)
    full = replace(T4, utilization_percent=100.0, memory=replace(T4.memory, free_bytes=1))
    seen = rows(samples=busy, gpus=(full,))

    assert {label: gauge.bar.severity for label, gauge in seen.items() if gauge.bar.severity} == {
        "GPU memory": Severity.WARNING
    }


def test_several_gpus_are_a_table_of_their_own_and_no_gauges() -> None:
    assert list(rows(Subject.GPU, gpus=EIGHT_A100, samples=SAMPLES)) == ["RAM", "Disk", "CPU"]


def test_a_gpu_without_memory_of_its_own_has_no_gauge_for_it() -> None:
    assert list(rows(gpus=(GB10,))) == ["GPU use", "RAM", "Disk", "CPU"]


def test_a_gpu_that_tells_nothing_has_no_gauge() -> None:
    assert list(rows(gpus=(MUTE_GPU,))) == ["RAM", "Disk", "CPU"]


def test_mig_slices_have_their_own_memory() -> None:
    assert rows(gpus=(MIG_IN_A_CONTAINER,))["MIG 2"].bar.words == "1.0 of 9.8 GiB"


def test_what_cannot_be_looked_at_has_no_gauge() -> None:
    assert rows(**NOTHING_AVAILABLE) == {}


def test_a_load_that_is_not_kept_is_not_said() -> None:
    assert rows(cpu=replace(CPU, load_average=None))["CPU"].bar.more == ("2 cores",)


def test_a_gpu_without_its_own_processes_does_not_say_what_this_kernel_holds() -> None:
    assert rows(gpus=(replace(T4, processes=None),))["GPU memory"].bar.more == ()
