from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from builders import (
    A100,
    COLAB,
    CPU_RUNTIME,
    DISK,
    EIGHT_A100,
    GIB,
    HUNG_DRIVER,
    KAGGLE,
    KAGGLE_TORCH,
    MIG_IN_A_CONTAINER,
    MUTE_GPU,
    P100,
    RAM,
    T4,
    V5E,
    a_report,
)
from colab_magics.model import Finding, Severity, Subject, Unavailable
from colab_magics.translation import translator
from colab_magics.views import html, messages, summary, text
from colab_magics.views.render_options import RenderOptions
from colab_magics.views.summary import Heading
from runtimes import OF_A_MACHINE, REPORTED, TRANSLATED

ENGLISH = translator("en")
UNREADABLE = Unavailable(code="unreadable", values=(("error", "OSError"),))


@pytest.mark.parametrize("subject", OF_A_MACHINE)
@pytest.mark.parametrize("case", REPORTED)
def test_every_answer_has_a_first_sentence_and_no_empty_one(case: str, subject: Subject) -> None:
    answer = summary.answer(a_report(subject, **REPORTED[case]), ENGLISH)

    assert answer.first
    assert all(answer.others)
    assert all(sentence.strip() for paragraph in (answer.first, *answer.others) for sentence in paragraph)


def test_without_a_gpu_the_answer_is_that_and_what_there_is_instead() -> None:
    answer = summary.answer(a_report(Subject.GPU, tpus=(V5E,), **CPU_RUNTIME), ENGLISH)

    assert answer.first == (
        "Not connected to a GPU.",
        "This is a v5e-1 TPU runtime.",
        "Colab, TPU runtime: 2 cores, 12.7 GiB RAM, 107.7 GiB disk.",
    )


def test_several_gpus_are_summed_up_in_every_report_that_is_about_them() -> None:
    for subject in (Subject.GPU, Subject.RUNTIME):
        mixed = summary.answer(a_report(subject, gpus=(T4, replace(A100, index=1))), ENGLISH)
        alike = summary.answer(a_report(subject, gpus=EIGHT_A100), ENGLISH)

        assert mixed.first == ("1 x Tesla T4, 1 x NVIDIA A100-SXM4-40GB: 3.4 of 55.0 GiB used, 1 of 2 busy.",)
        assert alike.first == ("8 x NVIDIA A100-SXM4-40GB: 24.0 of 320.0 GiB used, 8 of 8 busy.",)
    assert summary.answer(a_report(Subject.GPU, gpus=EIGHT_A100), ENGLISH).others == ()


def test_gpus_of_which_one_does_not_tell_its_memory_are_not_summed_up() -> None:
    answer = summary.answer(a_report(Subject.GPU, gpus=(T4, replace(MUTE_GPU, index=1))), ENGLISH)

    assert answer.first == ("1 x Tesla T4, 1 x GPU of unknown name.",)


def test_of_gpus_that_tell_their_memory_alone_the_memory_is_summed_up() -> None:
    untold = replace(T4, index=1, utilization_percent=None)

    assert summary.answer(a_report(Subject.GPU, gpus=(T4, untold)), ENGLISH).first == (
        "2 x Tesla T4: 0.8 of 30.0 GiB used.",
    )


def test_a_report_on_ram_is_about_ram_alone() -> None:
    snapshot = summary.subject_matter(a_report(Subject.RAM, tpus=(V5E,)))

    assert (snapshot.gpus, snapshot.driver, snapshot.tpus) == (None, None, None)
    assert snapshot.ram == RAM


def test_a_slice_is_shown_where_its_parent_will_not_tell() -> None:
    answer = summary.answer(a_report(Subject.GPU, gpus=(MIG_IN_A_CONTAINER,)), ENGLISH)

    assert answer.first == ("NVIDIA H100 80GB HBM3: 61 °C, 250 of 400 W.",)
    assert answer.others == (("MIG 2  NVIDIA H100 80GB HBM3 MIG 1g.10gb: 1.0 of 9.8 GiB used, cuda:0.",),)


def test_a_tpu_is_what_the_environment_calls_it_else_what_its_chips_are() -> None:
    unnamed = replace(V5E, accelerator_type=None)

    assert summary.tpu_sentence((V5E,), ENGLISH) == "This is a v5e-1 TPU runtime."
    assert summary.tpu_sentence((unnamed,), ENGLISH) == "There is a TPU device: v5e."
    assert summary.tpu_sentence((unnamed, unnamed), ENGLISH) == "There are 2 TPU devices: v5e."
    assert summary.tpu_sentence((replace(unnamed, kind=None),), ENGLISH).endswith("kind unknown.")


SIZES = ("Colab", "2 cores", "12.7 GiB RAM", "107.7 GiB disk")


@pytest.mark.parametrize(
    ("subject", "changes", "expected"),
    [
        (Subject.RUNTIME, {}, Heading("Tesla T4", None, ("cuda:0", *SIZES))),
        (Subject.GPU, {"gpus": (replace(T4, cuda_index=None),)}, Heading("Tesla T4", None, SIZES)),
        (
            Subject.RUNTIME,
            {"gpus": EIGHT_A100},
            Heading("8 x NVIDIA A100-SXM4-40GB", None, ("24.0 of 320.0 GiB used", "8 of 8 busy", *SIZES)),
        ),
        (
            Subject.RUNTIME,
            {"gpus": (T4, replace(MUTE_GPU, index=1))},
            Heading("1 x Tesla T4, 1 x GPU of unknown name", None, SIZES),
        ),
        (Subject.RUNTIME, CPU_RUNTIME, Heading("Not connected to a GPU", None, SIZES)),
        (Subject.GPU, {**CPU_RUNTIME, "tpus": (V5E,)}, Heading("Not connected to a GPU", None, SIZES)),
        (Subject.RUNTIME, {**CPU_RUNTIME, "tpus": (V5E,)}, Heading("This is a v5e-1 TPU runtime", None, SIZES)),
        (
            Subject.RUNTIME,
            HUNG_DRIVER,
            Heading("The NVIDIA driver did not answer within 3 s", Severity.ERROR, SIZES),
        ),
        (
            Subject.RUNTIME,
            {**HUNG_DRIVER, "gpus": Unavailable(code="no_child")},
            Heading(messages.reason(Unavailable(code="no_child"), ENGLISH).rstrip("."), Severity.WARNING, SIZES),
        ),
        (Subject.RAM, {}, Heading("12.7 GiB RAM", None, ("Colab",))),
        (Subject.RAM, HUNG_DRIVER, Heading("12.7 GiB RAM", None, ("Colab",))),
        (Subject.RAM, {"ram": UNREADABLE}, Heading("RAM: not available", None, ("Colab",))),
    ],
)
def test_the_heading_says_what_this_is_and_how_grave_and_leaves_the_figures_to_the_bars(
    subject: Subject, changes: Any, expected: Heading
) -> None:
    assert summary.heading(a_report(subject, **changes), ENGLISH) == expected


@pytest.mark.parametrize(
    ("subject", "changes", "expected"),
    [
        (Subject.RUNTIME, {}, ()),
        (Subject.GPU, {**CPU_RUNTIME, "tpus": (V5E,)}, ("This is a v5e-1 TPU runtime.",)),
        (Subject.RUNTIME, {**CPU_RUNTIME, "tpus": (V5E,)}, ()),
        (Subject.RUNTIME, {"ram": UNREADABLE}, ("It could not be read (OSError).",)),
        (Subject.GPU, {"gpus": (MUTE_GPU,)}, ("not available (the GPU is lost).",)),
        (Subject.GPU, {"gpus": (MIG_IN_A_CONTAINER,)}, ("61 °C, 250 of 400 W.",)),
        (Subject.GPU, {"gpus": (T4, replace(MUTE_GPU, index=1))}, ()),
        (Subject.GPU, {"other_gpu_vendors": ("Intel",)}, ()),
        (
            Subject.RAM,
            {"ram": replace(RAM, unavailable=(("children_bytes", "no_permission"),))},
            ("What its child processes hold is not known: no permission.",),
        ),
        (
            Subject.RAM,
            {"ram": replace(RAM, limited_by="cgroup_v2", limit_level=0, limit_bytes=4 * GIB)},
            ("What is left is limited by this container's 4.0 GiB.",),
        ),
    ],
)
def test_what_neither_heading_nor_bars_say_is_a_sentence(
    subject: Subject, changes: Any, expected: tuple[str, ...]
) -> None:
    assert summary.notes(a_report(subject, **changes), ENGLISH) == expected


@pytest.mark.parametrize(
    ("vendors", "expected"),
    [
        pytest.param(("AMD",), "There is an AMD GPU here, which colab_magics does not look at.", id="AMD"),
        pytest.param(
            ("AMD", "Intel"), "There are GPUs of AMD, Intel here, which colab_magics does not look at.", id="two"
        ),
    ],
)
def test_gpus_of_other_makers_are_named_after_the_answer(vendors: tuple[str, ...], expected: str) -> None:
    """ROCm's PyTorch beside an AMD GPU."""
    changes: dict[str, Any] = {"other_gpu_vendors": vendors, **CPU_RUNTIME}
    report = a_report(Subject.GPU, **changes)

    assert summary.answer(report, ENGLISH).first[:2] == ("Not connected to an NVIDIA GPU.", expected)
    assert expected in summary.notes(report, ENGLISH)
    for language in TRANSLATED:
        for shown in (
            text.render(report, RenderOptions(language=language)),
            html.render(report, RenderOptions(language=language)),
        ):
            assert all(vendor in shown for vendor in vendors)


def test_a_mac_s_gpu_is_named_after_why_nothing_is_known_of_nvidia_s() -> None:
    report = a_report(Subject.GPU, gpus=Unavailable(code="linux_only"), driver=None, other_gpu_vendors=("Apple",))

    assert summary.answer(report, ENGLISH).first[:2] == (
        "NVIDIA GPUs are looked at on Linux only.",
        "There is an Apple GPU here, which colab_magics does not look at.",
    )


@pytest.mark.parametrize("vendors", [None, (), Unavailable(code="unexpected")])
def test_where_no_other_gpu_is_known_none_is_named(vendors: Any) -> None:
    first = summary.answer(a_report(Subject.GPU, other_gpu_vendors=vendors, **CPU_RUNTIME), ENGLISH).first

    assert first == summary.answer(a_report(Subject.GPU, **CPU_RUNTIME), ENGLISH).first


FULL_DISK = replace(DISK, free_bytes=0)
FULL_RAM = replace(RAM, headroom_bytes=1)


def rules_of(findings: Iterable[Finding]) -> list[str]:
    return [one.rule for one in findings]


def test_hints_are_not_shown_by_default_and_of_the_rest_three() -> None:
    crowded = a_report(disks=(FULL_DISK,), ram=replace(FULL_RAM, swap_used_bytes=2**30), **HUNG_DRIVER)

    assert summary.shown_by_default(a_report()) == ()
    assert rules_of(summary.shown_by_default(crowded)) == ["driver_not_answering", "ram_nearly_full", "swap_in_use"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ["not_high_ram"]),
        ({"disks": (FULL_DISK,)}, ["not_high_ram"]),
        ({"ram": FULL_RAM}, []),
        ({"platform": replace(COLAB, machine_age_seconds=11.5 * 3600)}, ["not_high_ram", "runtime_old"]),
        ({"platform": replace(COLAB, machine_age_seconds=11.5 * 3600), "disks": (FULL_DISK,)}, ["not_high_ram"]),
    ],
)
def test_a_remark_is_one_unless_something_grave_of_the_same_subject_makes_it_matter(
    changes: Any, expected: list[str]
) -> None:
    assert rules_of(summary.remarks(a_report(**changes))) == expected


def test_the_steps_are_those_of_the_first_finding_that_has_any_and_of_what_it_makes_matter() -> None:
    both = a_report(disks=(FULL_DISK,), ram=FULL_RAM)

    assert list(summary.what_to_do(a_report())) == []
    assert list(summary.what_to_do(a_report(disks=(FULL_DISK,)))) == ["disk_nearly_full"]
    assert list(summary.what_to_do(both)) == ["ram_nearly_full", "not_high_ram"]
    assert rules_of(summary.shown_by_default(both)) == ["ram_nearly_full", "disk_nearly_full", "not_high_ram"]


def test_what_was_found_has_the_word_for_how_grave_it_is() -> None:
    report = a_report(disks=(FULL_DISK,), gpus=(P100,), platform=KAGGLE, frameworks=(KAGGLE_TORCH,))
    said = [summary.sentence(report, one, ENGLISH) or "" for one in report.findings]

    assert any(one.startswith("Error: torch 2.10.0+cu128 has no code") for one in said)
    assert any(one.startswith("Warning: The disk is nearly full") for one in said)
    assert messages.severity_word(Severity.INFO, ENGLISH) is None
    assert messages.severity_word(Severity.HINT, ENGLISH) is None
    assert messages.severity_word(Severity.WARNING, translator("zh-CN")) == "警告"


def test_what_is_no_remark_any_more_is_said_by_its_steps() -> None:
    report = a_report(Subject.RAM, ram=FULL_RAM)
    (remark,) = [one for one in report.findings if one.rule == "not_high_ram"]

    assert summary.sentence(report, remark, ENGLISH) is None
    assert summary.sentence(a_report(Subject.RAM), remark, ENGLISH) == "Not using a high-RAM runtime."


def test_the_foot_is_remarks_versions_and_ages_in_phrases() -> None:
    assert summary.foot(a_report(), ENGLISH) == (
        "Not using a high-RAM runtime",
        "Python 3.13.15, IPython 7.34.0",
        "machine up 2 h 5 min, kernel 3 min",
    )
    assert summary.foot(a_report(Subject.RAM), ENGLISH) == ("Not using a high-RAM runtime",)
    assert summary.foot(a_report(Subject.GPU), ENGLISH) == ()
    assert summary.foot(a_report(ram=FULL_RAM, platform=UNREADABLE), ENGLISH) == ()


def test_a_finding_that_the_answer_says_is_not_said_again_but_in_a_report_on_ram() -> None:
    for changes in (CPU_RUNTIME, HUNG_DRIVER):
        report = a_report(**changes)

        assert summary.is_said(report, report.findings[0])
        assert not summary.is_said(replace(report, subject=Subject.RAM), report.findings[0])


def test_a_note_has_the_report_s_time() -> None:
    assert summary.note(a_report(), RenderOptions()) is None
    assert summary.note(a_report(), RenderOptions(note="At {time}.")) == "At 12:00:00."
