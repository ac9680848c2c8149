from __future__ import annotations

from dataclasses import replace

import pytest

from builders import A100, DISK, GB10, GIB, MIG_IN_A_CONTAINER, MUTE_GPU, RAM, SILENT_DISK, SLICE, T4
from colab_magics.translation import translator
from colab_magics.views import bars
from colab_magics.views.bars import Bar
from runtimes import IN_A_CONTAINER

ENGLISH = translator("en")


def test_a_gpu_has_a_bar_of_its_memory_and_one_of_its_use() -> None:
    memory, use = bars.of_one_gpu(T4, ENGLISH)

    assert memory == Bar("GPU memory", pytest.approx(2.67, abs=0.01), "0.4 of 15.0 GiB used", ("this kernel 400 MiB",))
    assert use == Bar("GPU use", 0.0, "0 %", ("43 °C", "9 of 70 W"), fills=False)


def test_what_the_driver_does_not_tell_has_no_bar() -> None:
    assert [bar.label for bar in bars.of_one_gpu(GB10, ENGLISH)] == ["GPU use"]
    assert bars.of_one_gpu(MUTE_GPU, ENGLISH) == []


def test_one_of_several_gpus_has_its_number_its_name_and_its_state() -> None:
    bar = bars.of_one_of_several(replace(A100, index=3), ENGLISH)

    assert (bar.label, bar.words) == ("3  NVIDIA A100-SXM4-40GB", "3.0 of 40.0 GiB used")
    assert bar.more == ("87 % busy", "61 °C", "250 of 400 W")
    assert bar.listed(ENGLISH) == "3.0 of 40.0 GiB used, 87 % busy, 61 °C, 250 of 400 W"


def test_one_of_several_gpus_that_tells_no_memory_has_words_and_no_share() -> None:
    bar = bars.of_one_of_several(MUTE_GPU, ENGLISH)

    assert bar == Bar("0  GPU of unknown name", None, "not available (the GPU is lost)")


def test_slices_have_their_own_memory() -> None:
    (bar,) = bars.of_slices(MIG_IN_A_CONTAINER, ENGLISH)
    (mute,) = bars.of_slices(replace(MIG_IN_A_CONTAINER, slices=(replace(SLICE, memory=None),)), ENGLISH)

    assert (bar.label, bar.words, bar.more) == ("MIG 2", "1.0 of 9.8 GiB used", ("NVIDIA H100 80GB HBM3 MIG 1g.10gb",))
    assert (mute.percent, mute.words) == (None, "memory not available")


def test_ram_is_a_share_of_what_this_process_may_use() -> None:
    machine, container = bars.of_ram(RAM, ENGLISH), bars.of_ram(IN_A_CONTAINER["ram"], ENGLISH)

    assert (machine.words, machine.more) == ("4.6 of 12.7 GiB used", ("this kernel 3.1 GiB",))
    assert container.percent == pytest.approx(93.75)
    assert container.words == "3.8 of 4.0 GiB used"
    assert container.more == ("this kernel 3.1 GiB", "the container's limit")


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

    assert bars.of_ram(shown, ENGLISH).more == more


def test_more_headroom_than_capacity_is_an_empty_bar() -> None:
    assert bars.of_ram(replace(RAM, headroom_bytes=13 * GIB), ENGLISH).percent == 0


def test_a_disk_has_what_is_taken_and_what_is_free() -> None:
    bar = bars.of_disk(DISK, (DISK,), ENGLISH)

    assert bar == Bar("Disk", pytest.approx(35.4, abs=0.1), "38.1 of 107.7 GiB used", ("69.6 GiB free",))


def test_a_disk_that_is_silent_has_the_reason_in_place_of_a_bar() -> None:
    bar = bars.of_disk(SILENT_DISK, (DISK, SILENT_DISK), ENGLISH)

    assert bar == Bar("Disk (working directory)", None, "The file system did not answer within 1 s.")


def test_only_what_works_does_not_fill() -> None:
    shown = [*bars.of_one_gpu(T4, ENGLISH), bars.of_ram(RAM, ENGLISH), bars.of_disk(DISK, (DISK,), ENGLISH)]

    assert [bar.label for bar in shown if not bar.fills] == ["GPU use"]
