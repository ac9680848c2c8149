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
from colab_magics.model import GpuSample, Sample, Subject
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


def test_shared_memory_and_a_silent_disk_have_a_gauge() -> None:
    seen = rows(disks=(replace(DISK, places=("/",)), SILENT_DISK, SHARED))

    assert [label for label in seen if "GPU" not in label] == [
        "RAM", "Disk (/)", "Disk (working directory)", "Shared memory", "CPU",
    ]  # fmt: skip
    assert seen["Shared memory"].bar.words == "0.0 of 5.7 GiB used"
    assert seen["Disk (working directory)"].bar.percent is None


def test_a_report_on_ram_begins_with_ram() -> None:
    assert next(iter(rows(Subject.RAM))) == "RAM"


def test_without_a_gpu_there_is_no_gauge_for_one() -> None:
    assert list(rows(gpus=(), driver=None)) == ["RAM", "Disk", "CPU"]


def test_figures_stand_in_words_beside_every_gauge() -> None:
    seen = rows(samples=SAMPLES)

    assert seen["GPU memory"].bar.words == "0.4 of 15.0 GiB used"
    assert seen["GPU memory"].bar.more == ("this kernel 400 MiB",)
    assert (seen["GPU use"].bar.words, seen["GPU use"].bar.more) == ("0 %", ("43 °C", "9 of 70 W"))
    assert (seen["RAM"].bar.words, seen["RAM"].bar.more) == ("4.6 of 12.7 GiB used", ("this kernel 3.1 GiB",))
    assert (seen["Disk"].bar.words, seen["Disk"].bar.more) == ("38.1 of 107.7 GiB used", ("69.6 GiB free",))
    assert (seen["CPU"].bar.words, seen["CPU"].bar.more) == ("50 % of 2 cores", ("load 0.25",))


def test_before_two_samples_the_processors_have_no_share_and_say_what_they_are() -> None:
    first = rows(samples=SAMPLES[:1])["CPU"].bar

    assert first.percent is None
    assert first.words == "2 cores"
    assert rows(samples=())["CPU"].bar.words == "2 cores"


def test_the_history_is_the_share_at_each_moment() -> None:
    seen = rows(samples=SAMPLES)

    assert seen["GPU memory"].history == ((4.0, pytest.approx(20.0)), (2.0, pytest.approx(40.0)))
    assert seen["GPU use"].history == ((4.0, 0.0), (2.0, 100.0))
    assert seen["RAM"].history == ((4.0, pytest.approx(37.0, abs=0.1)), (2.0, pytest.approx(52.8, abs=0.1)))
    assert seen["CPU"].history == ((4.0, None), (2.0, 50.0))
    assert seen["Disk"].history == ()


def test_a_gpu_that_came_later_than_its_samples_has_gaps_for_them() -> None:
    later = tuple(replace(sample, gpus=()) for sample in SAMPLES)

    assert rows(samples=later)["GPU memory"].history == ((4.0, None), (2.0, None))


def test_in_a_container_ram_and_its_history_are_shares_of_what_this_process_may_use() -> None:
    samples = tuple(replace(sample, ram_headroom_bytes=GIB) for sample in SAMPLES)
    gauge = rows(ram=IN_A_CONTAINER["ram"], samples=samples)["RAM"]

    assert gauge.bar.words == "3.8 of 4.0 GiB used"
    assert gauge.bar.percent == pytest.approx(93.75)
    assert gauge.bar.more == ("this kernel 3.1 GiB", "the container's limit")
    assert gauge.history == ((4.0, 75.0), (2.0, 75.0))


def test_a_processor_that_is_fully_used_is_no_warning_and_a_full_memory_is() -> None:
    seen = rows()

    assert [label for label, gauge in seen.items() if not gauge.bar.fills] == ["GPU use", "CPU"]


def test_several_gpus_have_a_row_each() -> None:
    seen = rows(Subject.GPU, gpus=EIGHT_A100)

    assert [label for label in seen if "A100" in label] == [f"{number}  NVIDIA A100-SXM4-40GB" for number in range(8)]
    assert seen["3  NVIDIA A100-SXM4-40GB"].bar.more == ("87 % busy", "61 °C", "250 of 400 W")


def test_of_more_than_eight_gpus_the_rest_is_said_to_be_there() -> None:
    ten = (*EIGHT_A100, *(replace(EIGHT_A100[0], index=index) for index in (8, 9)))
    seen = gauges(a_report(Subject.GPU, gpus=ten), ENGLISH)

    assert [gauge.bar.words for gauge in seen if not gauge.bar.label] == ["... and more: %gpu_info -a"]


def test_a_gpu_without_memory_of_its_own_says_so() -> None:
    assert rows(gpus=(GB10,))["GPU use"].bar.words == "0 %"
    assert "GPU memory" not in rows(gpus=(GB10,))


def test_a_gpu_that_tells_nothing_has_no_share() -> None:
    bar = rows(gpus=(MUTE_GPU,))["GPU"].bar

    assert bar.percent is None
    assert bar.words == "not available (the GPU is lost)"


def test_mig_slices_have_their_own_memory() -> None:
    assert rows(gpus=(MIG_IN_A_CONTAINER,))["MIG 2"].bar.words == "1.0 of 9.8 GiB used"


def test_what_cannot_be_looked_at_has_no_gauge() -> None:
    assert rows(**NOTHING_AVAILABLE) == {}


def test_a_load_that_is_not_kept_is_not_said() -> None:
    assert rows(cpu=replace(CPU, load_average=None))["CPU"].bar.more == ()


def test_a_gpu_without_its_own_processes_does_not_say_what_this_kernel_holds() -> None:
    assert rows(gpus=(replace(T4, processes=None),))["GPU memory"].bar.more == ()
