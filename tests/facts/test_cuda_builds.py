"""Which GPUs a build has code for, and which published build has it; with the public reports that cases are from."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from builders import TORCH
from colab_magics.facts import cuda_builds
from colab_magics.facts.cuda_builds import fitting, published, runs_on, serves

LOW = ("sm_50", "sm_60", "sm_70", "sm_75", "sm_80", "sm_86", "sm_90")
MID = ("sm_70", "sm_75", "sm_80", "sm_86", "sm_90", "sm_100", "sm_120")
NEW = ("sm_75", "sm_80", "sm_86", "sm_90", "sm_100", "sm_120")
TENSORFLOW = ("sm_60", "sm_70", "sm_80", "sm_89", "sm_90", "compute_90")

ON_X86 = replace(TORCH, platform="linux_x86_64")
TENSORFLOW_2_20 = replace(ON_X86, name="tensorflow", version="2.20.0", cuda_version="12.5", architectures=TENSORFLOW)


# What code runs where ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "capability", "expected"),
    [
        pytest.param(MID, "6.0", False, id="P100, cu128: docker-python#1546, kaggle-cli#1151"),
        pytest.param(LOW, "6.0", True, id="P100, cu126"),
        pytest.param(MID, "6.1", False, id="GTX 1080 Ti, cu128: Whisper-WebUI#653"),
        pytest.param(LOW, "6.1", True, id="GTX 1080 Ti by code for 6.0"),
        pytest.param(NEW, "7.0", False, id="V100, 2.11 cu128: pytorch#182250"),
        pytest.param(MID, "7.0", True, id="V100, 2.10 cu128"),
        pytest.param(TENSORFLOW, "7.5", True, id="T4 by code for 7.0"),
        pytest.param(LOW, "8.9", True, id="L4 by code for 8.6: pytorch#95648, pytorch#152690"),
        pytest.param(MID, "9.0", True, id="H100"),
        pytest.param(LOW, "10.0", False, id="B200, before Blackwell"),
        pytest.param(NEW, "10.3", True, id="B300 by code for 10.0: FBGEMM#6151"),
        pytest.param(NEW, "12.1", True, id="GB10 by code for 12.0: pytorch#172629, pytorch#164596"),
        pytest.param(LOW, "12.0", False, id="RTX PRO 6000, 2.5.1 cu124: pytorch#167244"),
        pytest.param(("sm_100", "sm_120"), "11.0", False, id="Thor, cu128: openral#167"),
        pytest.param(("sm_101",), "11.0", True, id="Thor under its first number"),
        pytest.param(("sm_110",), "10.1", True, id="Thor under its later number"),
        pytest.param(("sm_100",), "10.1", False, id="Thor is no 10.x"),
        pytest.param(("sm_87",), "8.7", True, id="Orin by its own code"),
        pytest.param(("sm_86",), "8.0", False, id="code for a later one"),
        pytest.param(("sm_72",), "7.5", None, id="code for a Tegra chip"),
        pytest.param(("sm_87",), "8.9", None, id="code for Orin"),
    ],
)
def test_machine_code_runs_on_its_own_generation_from_its_own_number_on(
    words: tuple[str, ...], capability: str, expected: bool | None
) -> None:
    assert serves(words, capability) is expected


@pytest.mark.parametrize(
    ("capability", "cuda_version", "expected"),
    [
        pytest.param("8.7", "12.6", False, id="Orin"),
        pytest.param("8.7", "13.0", False, id="Orin, CUDA 13.0"),
        pytest.param("8.7", "13.2", True, id="Orin, from CUDA 13.2 on"),
        pytest.param("8.7", None, None, id="Orin, CUDA unknown"),
        pytest.param("7.2", "12.6", False, id="Xavier"),
        pytest.param("6.2", "12.6", False, id="TX2"),
        pytest.param("5.3", "12.6", False, id="Nano"),
    ],
)
def test_tegra_s_chips_need_code_of_their_own(capability: str, cuda_version: str | None, expected: bool | None) -> None:
    assert serves(LOW, capability, cuda_version) is expected


@pytest.mark.parametrize(
    ("word", "capability", "expected"),
    [
        pytest.param("sm_90a", "9.0", True, id="its own"),
        pytest.param("sm_100a", "10.3", False, id="a: no other one (FBGEMM#6151)"),
        pytest.param("sm_100f", "10.3", True, id="f: its family"),
        pytest.param("sm_100f", "12.0", False, id="f: not another family"),
        pytest.param("sm_100f", "10.1", False, id="f: not Thor"),
        pytest.param("compute_80", "12.0", True, id="translated for a later one"),
        pytest.param("compute_80", "8.7", True, id="translated for Orin"),
        pytest.param("compute_90", "9.0", True, id="translated for its own"),
        pytest.param("compute_90", "7.5", False, id="not for an earlier one"),
        pytest.param("compute_90a", "12.0", False, id="a: not translated for another one"),
        pytest.param("compute_100f", "10.3", True, id="f: translated within its family"),
        pytest.param("compute_100f", "12.0", False, id="f: not for another family"),
    ],
)
def test_a_letter_narrows_and_a_translation_widens(word: str, capability: str, expected: bool) -> None:
    assert serves((word,), capability) is expected


@pytest.mark.parametrize("capability", [None, "", "7", "7.5.1", "unknown", "7,5", "-7.5", "\u0667.5"])
def test_of_a_gpu_whose_capability_is_not_known_nothing_is_told(capability: str | None) -> None:
    assert serves(LOW, capability) is None


def test_of_words_that_nobody_knows_nothing_is_told_unless_another_word_tells() -> None:
    assert serves((), "7.5") is None
    assert serves(("gfx90a",), "7.5") is None
    assert serves(("gfx90a", "sm_80"), "7.5") is None
    assert serves(("gfx90a", "sm_70"), "7.5") is True


# Which build is which ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "cuda_version", "carries"),
    [
        pytest.param("2.10.0+cu128", "12.8", MID, id="PyPI's"),
        pytest.param("2.11.0+cu128", "12.8", NEW, id="own index's"),
        pytest.param("2.9.1+cu126", "12.6", LOW, id="of a series"),
        pytest.param("2.14.1+cu126", "12.6", LOW, id="the last for Pascal and Volta"),
        pytest.param("2.15.0+cu130", "13.0", None, id="not read"),
        pytest.param("2.7.0+cu128", "12.8", None, id="not read: another of its series was"),
        pytest.param("2.91.0+cu126", "12.6", None, id="another series"),
        pytest.param("2.10.0", "12.8", None, id="a distribution's, that says nothing"),
        pytest.param("2.10.0+cu126", "12.8", None, id="that contradicts itself"),
        pytest.param("2.8.0a0+5228986c39.nv25.05", "12.8", None, id="NVIDIA's container"),
        pytest.param("2.9.0.dev20250812+cu128", "12.8", None, id="nightly"),
        pytest.param("2.9.0rc1+cu126", "12.6", None, id="candidate"),
        pytest.param("2.10.0+cpu", None, None, id="without CUDA"),
    ],
)
def test_only_the_framework_s_own_builds_that_were_read_are_known(
    version: str, cuda_version: str | None, carries: tuple[str, ...] | None
) -> None:
    row = published("torch", version, cuda_version, "linux_x86_64")

    assert (None if row is None else row.carries) == carries


def test_a_build_for_another_processor_is_another_build() -> None:
    on_arm = published("torch", "2.14.1+cu130", "13.0", "linux_aarch64")

    assert on_arm is not None
    assert on_arm.carries == ("sm_80", "sm_90", "sm_100", "sm_110", "sm_120")
    assert published("torch", "2.8.0+cu128", "12.8", "linux_aarch64") is None
    assert published("torch", "2.8.0+cu128", "12.8", None) is None
    assert published("tensorflow", "2.20.0", "12.5", "linux_aarch64") is None


def test_tensorflow_says_nothing_in_its_version() -> None:
    row = published("tensorflow", "2.20.0", "12.5", "linux_x86_64")

    assert row is not None
    assert row.carries == TENSORFLOW
    assert published("tensorflow", "2.20.0+nv25.2", "12.5", "linux_x86_64") is None


def test_no_build_is_in_two_rows() -> None:
    for row in cuda_builds.known():
        for version in row.versions:
            release = version if version.count(".") > 1 else f"{version}.0"
            tag = f"+cu{row.cuda.replace('.', '')}" if row.framework == "torch" else ""

            assert published(row.framework, release + tag, row.cuda, row.platform) == row


def test_every_word_of_the_table_is_understood() -> None:
    for row in cuda_builds.known():
        assert serves(row.carries, "3.0") is False
        assert {row.platform} <= {"linux_x86_64", "linux_aarch64"}


# Whether it runs -----------------------------------------------------------------------------------------------------


def test_what_a_framework_s_build_carries_decides() -> None:
    assert runs_on(replace(ON_X86, architectures=MID), "6.0") is False
    assert runs_on(replace(ON_X86, architectures=MID), "7.5") is True
    assert runs_on(replace(ON_X86, architectures=None), "7.5") is None
    assert runs_on(replace(ON_X86, architectures=MID), None) is None


def test_a_translation_that_is_reported_to_fail_is_none() -> None:
    """tensorflow#101746, #99592, #89272: RTX 50xx, CUDA_ERROR_INVALID_PTX."""
    assert runs_on(TENSORFLOW_2_20, "12.0") is False
    assert runs_on(TENSORFLOW_2_20, "9.0") is True


def test_a_report_speaks_of_the_builds_that_it_is_about_alone() -> None:
    assert runs_on(replace(TENSORFLOW_2_20, version="2.20.0+nv25.2"), "12.0") is True
    assert runs_on(replace(TENSORFLOW_2_20, architectures=("sm_70", "compute_80")), "12.0") is True
    assert runs_on(replace(TENSORFLOW_2_20, architectures=(*TENSORFLOW, "sm_120")), "12.0") is True
    assert runs_on(replace(TENSORFLOW_2_20, platform="linux_aarch64"), "12.0") is True
    assert runs_on(TENSORFLOW_2_20, "12.1") is True


# Which build to take -------------------------------------------------------------------------------------------------


def to_take(
    capability: str, version: str, newest_cuda: str | None, platform: str = "linux_x86_64"
) -> tuple[str, str] | None:
    installed = replace(ON_X86, version=version, platform=platform)
    build = fitting("torch", capability, like=installed, newest_cuda=newest_cuda)
    return None if build is None else (build.version, build.cuda)


@pytest.mark.parametrize(
    ("capability", "installed", "newest_cuda", "expected"),
    [
        pytest.param("6.0", "2.10.0+cu128", "13.0", ("2.10.0", "12.6"), id="P100: docker-python#1546"),
        pytest.param("6.1", "2.8.0+cu128", "12.8", ("2.8.0", "12.6"), id="GTX 1080 Ti: Whisper-WebUI#653"),
        pytest.param("6.0", "2.15.0+cu130", "13.0", ("2.14", "12.6"), id="P100, gone with 2.15: pytorch#196249"),
        pytest.param("7.0", "2.11.0+cu128", "13.0", ("2.11.0", "12.6"), id="V100: pytorch#182250, vllm#39878"),
        pytest.param("7.0", "2.15.0+cu130", "13.0", ("2.14", "12.6"), id="V100, gone with 2.15"),
        pytest.param("12.0", "2.5.1+cu124", "13.0", ("2.14.1", "13.0"), id="RTX PRO 6000: pytorch#167244"),
        pytest.param("12.0", "2.5.1+cu124", "12.8", ("2.13", "12.9"), id="RTX PRO 6000, driver before 580"),
        pytest.param("12.0", "2.8.0+cu126", "12.8", ("2.8.0", "12.8"), id="RTX 5090, the same release"),
        pytest.param("12.0", "2.5.1+cu124", "11.8", None, id="a driver that runs none"),
        pytest.param("12.0", "2.5.1+cu124", None, None, id="driver unknown"),
        pytest.param("3.5", "2.14.1+cu130", "13.0", None, id="K40"),
        pytest.param("3.7", "2.14.1+cu130", "13.0", ("2.0.1", "11.7"), id="K80"),
    ],
)
def test_the_same_release_for_another_cuda_comes_first_then_the_newest_that_the_driver_runs(
    capability: str, installed: str, newest_cuda: str | None, expected: tuple[str, str] | None
) -> None:
    assert to_take(capability, installed, newest_cuda) == expected


def test_a_build_to_take_is_one_for_this_processor() -> None:
    assert to_take("11.0", "2.9.1+cu128", "13.0", "linux_aarch64") == ("2.9.1", "13.0")  # OpenRAL/openral#167
    assert to_take("11.0", "2.9.1+cu128", "13.0") is None
    assert to_take("7.5", "2.9.1+cu128", "13.0", "linux_aarch64") is None
    assert fitting("torch", "6.0", like=None, newest_cuda="13.0") is None


def test_no_release_of_tensorflow_is_one_for_blackwell_and_an_old_one_is_for_maxwell() -> None:
    assert fitting("tensorflow", "12.0", like=TENSORFLOW_2_20, newest_cuda="13.0") is None
    maxwell = fitting("tensorflow", "5.2", like=TENSORFLOW_2_20, newest_cuda="13.0")
    assert maxwell is not None
    assert maxwell.version == "2.16.1"


def test_what_is_to_be_taken_has_its_date() -> None:
    build = fitting("torch", "6.0", like=ON_X86, newest_cuda="13.0")

    assert build is not None
    assert build.date == cuda_builds.read_on("torch") == date(2026, 11, 25)
    assert cuda_builds.read_on("jax") is None
