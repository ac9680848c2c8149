from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from builders import (
    COLAB,
    DISK,
    EIGHT_A100,
    GB10,
    GIB,
    MIG_IN_A_CONTAINER,
    MUTE_GPU,
    NOTHING_AVAILABLE,
    RAM,
    SHARED,
    SILENT_DISK,
    SLICE,
    T4,
    T4_AFTER_WORK,
    a_snapshot,
)
from colab_magics.model import Gpu, Ram, Severity, Subject
from colab_magics.translation import translator
from colab_magics.views import bars
from colab_magics.views.bars import Bar
from runtimes import IN_A_CONTAINER

ENGLISH = translator("en")
FULL_GPU = replace(T4, index=3, memory=replace(T4.memory, used_bytes=14 * GIB, free_bytes=GIB // 2))
FULL_DISK = replace(DISK, free_bytes=GIB)


def labels(subject: Subject = Subject.RUNTIME, *, everything: bool = False, **changes: Any) -> list[str]:
    return [bar.label for bar in bars.of_report(subject, a_snapshot(**changes), ENGLISH, everything=everything)]


def memory_of(gpu: Gpu) -> Bar | None:
    return bars.of_gpu_memory(gpu, a_snapshot(), ENGLISH)


def of_ram(ram: Ram) -> Bar:
    return bars.of_ram(a_snapshot(ram=ram), ENGLISH)


def test_a_report_s_bars_begin_with_its_subject_s() -> None:
    assert labels(Subject.GPU) == ["GPU memory", "GPU use", "RAM", "Disk"]
    assert labels(Subject.RAM) == ["RAM", "GPU memory", "GPU use", "Disk"]
    assert labels(gpus=(MIG_IN_A_CONTAINER,)) == ["MIG 2", "RAM", "Disk"]
    assert labels(**NOTHING_AVAILABLE) == []


def test_several_gpus_are_a_table_and_no_bars() -> None:
    assert labels(gpus=EIGHT_A100) == ["RAM", "Disk"]


def test_shared_memory_has_a_bar_where_everything_is_wanted() -> None:
    assert labels(gpus=(), disks=(DISK, SHARED)) == ["RAM", "Disk"]
    assert labels(gpus=(), disks=(DISK, SHARED), everything=True) == ["RAM", "Disk", "Shared memory"]


def test_a_gpu_has_a_bar_of_its_memory_and_one_of_its_use() -> None:
    memory, use = memory_of(T4), bars.of_gpu_use(T4, ENGLISH)

    assert memory == Bar("GPU memory", pytest.approx(2.67, abs=0.01), "0.4 of 15.0 GiB", ("this kernel 400 MiB",))
    assert use == Bar("GPU use", 0.0, "43 °C", ("9 of 70 W",))


def test_how_busy_it_was_lately_is_said_where_no_line_shows_it() -> None:
    said = "busy 84 % of the last 16 s"

    assert bars.of_gpu_use(T4_AFTER_WORK, ENGLISH) == Bar("GPU use", 0.0, "43 °C", ("9 of 70 W", said))
    assert bars.of_gpu_use(T4_AFTER_WORK, ENGLISH, has_history=True) == bars.of_gpu_use(T4, ENGLISH)
    assert bars.of_gpu_use(replace(T4_AFTER_WORK, temperature_celsius=None, power_watts=None), ENGLISH) == Bar(
        "GPU use", 0.0, said
    )


def test_what_the_driver_does_not_tell_has_no_bar() -> None:
    cold = replace(T4, temperature_celsius=None, power_watts=None, processes=None)

    assert memory_of(GB10) is None
    assert (memory_of(MUTE_GPU), bars.of_gpu_use(MUTE_GPU, ENGLISH)) == (None, None)
    assert bars.of_gpu_use(cold, ENGLISH) == Bar("GPU use", 0.0, "")
    assert memory_of(cold) == replace(memory_of(T4), more=())


def test_slices_have_their_own_memory() -> None:
    (bar,) = bars.of_slices(MIG_IN_A_CONTAINER, ENGLISH)
    (mute,) = bars.of_slices(replace(MIG_IN_A_CONTAINER, slices=(replace(SLICE, memory=None),)), ENGLISH)
    (unseen,) = bars.of_slices(replace(MIG_IN_A_CONTAINER, slices=(replace(SLICE, cuda_index=None),)), ENGLISH)

    assert (bar.label, bar.words) == ("MIG 2", "1.0 of 9.8 GiB")
    assert bar.more == ("NVIDIA H100 80GB HBM3 MIG 1g.10gb", "cuda:0")
    assert (mute.percent, mute.words) == (None, "memory not available")
    assert unseen.more == ("NVIDIA H100 80GB HBM3 MIG 1g.10gb",)


def test_ram_is_a_share_of_what_this_process_may_use_and_what_is_left() -> None:
    machine, container = of_ram(RAM), of_ram(IN_A_CONTAINER["ram"])

    assert (machine.words, machine.more) == ("8.1 GiB left", ("this kernel 3.1 GiB",))
    assert container.percent == pytest.approx(93.75)
    assert container.words == "256 MiB left"
    assert container.more == ("this kernel 3.1 GiB", "its child processes 128 MiB", "the container's limit")


@pytest.mark.parametrize(
    ("limiter", "more"),
    [
        ("machine", ()),
        ("cgroup_v1", ("the container's limit",)),
        ("rlimit_as", ("this process's own limit (ulimit -v)",)),
        ("commit", ("what the machine promises (vm.overcommit_memory=2)",)),
    ],
)
def test_whose_ram_it_is_that_the_bar_shows_is_said(limiter: str, more: tuple[str, ...]) -> None:
    """Whoever says how much there is in all, not what bites first."""
    shown = replace(RAM, capacity_by=limiter, capacity_bytes=12 * GIB, kernel_bytes=None)

    assert of_ram(shown).more == more


def test_more_headroom_than_capacity_is_an_empty_bar() -> None:
    assert of_ram(replace(RAM, headroom_bytes=13 * GIB)).percent == 0


def test_a_disk_has_what_is_taken_and_what_is_left() -> None:
    bar = bars.of_disk(DISK, a_snapshot(), ENGLISH)

    assert bar == Bar("Disk", pytest.approx(35.4, abs=0.1), "69.6 GiB left")


def test_a_disk_that_is_silent_has_the_reason_in_place_of_a_bar() -> None:
    bar = bars.of_disk(SILENT_DISK, a_snapshot(disks=(DISK, SILENT_DISK)), ENGLISH)

    assert bar == Bar("Disk (working directory)", None, "The file system did not answer within 1 s.")


def test_a_bar_is_as_grave_as_the_rules_find_what_it_shows_and_no_other() -> None:
    snapshot = a_snapshot(
        gpus=(FULL_GPU,), ram=replace(RAM, headroom_bytes=1), disks=(replace(DISK, places=("/",)), FULL_DISK),
        platform=COLAB,
    )  # fmt: skip
    shown = {bar.label: bar.severity for bar in bars.of_report(Subject.RUNTIME, snapshot, ENGLISH, everything=True)}

    assert shown == {
        "GPU memory": Severity.WARNING,
        "GPU use": None,
        "RAM": Severity.WARNING,
        "Disk (/)": None,
        "Disk (/, working directory)": Severity.WARNING,
    }
    assert bars.memory_severity(T4, snapshot) is None


def test_shared_memory_that_is_nearly_full_is_grave() -> None:
    full = replace(SHARED, free_bytes=1)

    assert bars.of_disk(full, a_snapshot(disks=(full,)), ENGLISH).severity is Severity.WARNING
    assert bars.of_disk(SHARED, a_snapshot(disks=(SHARED,)), ENGLISH).severity is None
