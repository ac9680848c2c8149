from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from builders import (
    A100,
    CPU_RUNTIME,
    DISK,
    EIGHT_A100,
    GIB,
    HUNG_DRIVER,
    MUTE_GPU,
    RAM_IN_FULL,
    T4,
    TORCH_CPU,
    V5E,
    a_ram,
    a_report,
)
from colab_magics import facts
from colab_magics.model import Subject, Unavailable
from colab_magics.translation import translator
from colab_magics.units import width
from colab_magics.views import gpu_table, messages, summary, text
from colab_magics.views.render_options import RenderOptions
from runtimes import LANGUAGES, OF_A_MACHINE, REPORTED, REVIEWED, REVIEWED_IN_EVERY_LANGUAGE, TRANSLATED

ENGLISH = translator("en")
ALL = RenderOptions(everything=True)

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "\x1b[31mred\x1b]0;title\x07",
    "\u202eAMD\u2066",
    "quote\" ' & <script>alert(1)</script>",
    "two\nlines",
]


@pytest.mark.parametrize("everything", [False, True], ids=["short", "all"])
@pytest.mark.parametrize("subject", OF_A_MACHINE)
@pytest.mark.parametrize("case", REVIEWED)
def test_the_text_is_as_it_was_reviewed(
    case: str, subject: Subject, everything: bool, golden: Callable[[str, str], None]
) -> None:
    changes = {"ram": RAM_IN_FULL, **REPORTED[case]} if everything else REPORTED[case]
    shown = text.render(a_report(subject, **changes), RenderOptions(everything=everything))

    golden(f"{case}-{subject}{'-all' if everything else ''}.txt", shown)


@pytest.mark.parametrize("language", TRANSLATED)
@pytest.mark.parametrize("case", REVIEWED_IN_EVERY_LANGUAGE)
def test_the_text_is_as_it_was_reviewed_in_every_language(
    case: str, language: str, golden: Callable[[str, str], None]
) -> None:
    golden(f"{language}/{case}.txt", text.render(a_report(**REPORTED[case]), RenderOptions(language=language)))


@pytest.mark.parametrize("subject", OF_A_MACHINE)
@pytest.mark.parametrize("case", REPORTED)
def test_a_report_has_at_most_eight_lines_of_eighty_columns_beside_its_table(case: str, subject: Subject) -> None:
    for language in LANGUAGES:
        options = RenderOptions(language=language)
        report = a_report(subject, **REPORTED[case])
        lines = text.render(report, options).split("\n")
        table = gpu_table.rows(summary.subject_matter(report), options.translate)

        tables = (len(table) + 1 if table else 0) + len(text.memory_lines(report, options.translate))
        assert len(lines) - tables <= 8, language
        assert max(map(width, lines)) <= 80, language


@pytest.mark.parametrize("subject", OF_A_MACHINE)
@pytest.mark.parametrize("case", REPORTED)
def test_all_fields_keep_to_eighty_columns(case: str, subject: Subject) -> None:
    for language in TRANSLATED:
        options = RenderOptions(language=language, everything=True)
        lines = text.render(a_report(subject, **REPORTED[case]), options).split("\n")
        links = [line for line in lines if "https://" in line]

        assert max(width(line) for line in lines if line not in links) <= 80


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_of_the_menu_are_quoted_with_the_english_beside(language: str) -> None:
    shown = text.render(a_report(Subject.GPU, **CPU_RUNTIME), RenderOptions(language=language))
    menu = facts.menu(language)

    assert "Runtime > Change runtime type" in shown
    assert menu is not None
    assert menu.change_runtime_type in shown
    assert all(name in shown for name in menu.runtime_menu)


def test_the_first_line_is_the_answer() -> None:
    assert text.render(a_report(**CPU_RUNTIME)).startswith("Not connected to a GPU.")
    assert text.render(a_report(**HUNG_DRIVER)).startswith("The NVIDIA driver did not answer within 3 s.")
    assert text.render(a_report(Subject.GPU)).split("\n") == [
        "Tesla T4: 0.4 of 15.0 GiB used, idle, 43 °C, 9 of 70 W. CUDA sees it as cuda:0."
    ]
    assert text.render(a_report(Subject.RAM)).startswith("RAM: 4.6 of 12.7 GiB used")


def test_the_steps_are_the_words_to_click_and_the_consequence_follows() -> None:
    assert text.render(a_report(Subject.GPU, **CPU_RUNTIME)).split("\n") == [
        "Not connected to a GPU.",
        "Colab, CPU runtime: 2 cores, 12.7 GiB RAM, 107.7 GiB disk.",
        "To use a GPU:  1 Runtime > Change runtime type   2 T4 GPU   3 Save",
        "This gives you a new machine: variables and files in /content are lost.",
        "Then run again from your first cell (%pip install, %load_ext).",
    ]


def test_the_colab_pro_notebook_s_verdicts_are_recognisable() -> None:
    assert "Not using a high-RAM runtime" in text.render(a_report(Subject.RAM))
    assert "You are using a high-RAM runtime!" in text.render(a_report(Subject.RAM, ram=a_ram(51.0)))


def test_a_note_stands_before_the_report_with_its_time() -> None:
    lines = text.render(a_report(**CPU_RUNTIME), RenderOptions(note="Seen at {time}.")).split("\n")

    assert lines[:2] == ["Seen at 12:00:00.", "Not connected to a GPU."]


def test_several_gpus_are_summed_up_and_stand_in_one_table_with_all_of_them() -> None:
    lines = text.render(a_report(Subject.GPU, gpus=EIGHT_A100)).split("\n")

    assert lines[:3] == [
        "8 x NVIDIA A100-SXM4-40GB: 24.0 of 320.0 GiB used, 8 of 8 busy.",
        "#  memory, GiB   use  °C    W  held by, GiB",
        "0   3.0 / 40.0  87 %  61  250  this kernel 0.4",
    ]
    assert [line[:1] for line in lines[2:]] == [*"01234567"]


def test_what_is_cut_is_cut_with_a_word_of_it() -> None:
    full = replace(DISK, free_bytes=GIB)
    lines = text.render(a_report(disks=(full,))).split("\n")

    assert len(lines) == 8
    assert lines[-1] == "... and more: %runtime_status -a"


def test_with_all_fields_every_gpu_is_there() -> None:
    shown = text.render(a_report(Subject.GPU, gpus=EIGHT_A100), ALL)

    assert all(f"GPU {index}\n" in shown for index in range(8))


def test_with_all_fields_every_link_is_there_once() -> None:
    lines = text.render(a_report(**CPU_RUNTIME), ALL).split("\n")
    links = lines[lines.index("To read more") + 1 :]

    assert "  https://colab.research.google.com/signup" in links
    assert sorted(set(links)) == links


def test_with_all_fields_consequences_that_several_findings_have_are_said_once() -> None:
    assert text.render(a_report(**CPU_RUNTIME), ALL).count("variables and files in /content are lost") == 1


def test_what_to_do_is_never_cut() -> None:
    shown = text.render(a_report(gpus=EIGHT_A100, ram=a_ram(83.5, headroom_bytes=1)))

    assert "RAM is nearly full" in shown
    assert "To make room" in shown


def test_an_unavailable_field_says_why() -> None:
    shown = text.render(a_report(Subject.GPU, gpus=(MUTE_GPU,)), ALL)

    assert "memory: not available: the GPU is lost" in shown
    assert "memory: 0" not in shown


@pytest.mark.parametrize("options", [RenderOptions(), ALL], ids=["short", "all"])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_device_name_steers_no_terminal(name: str, options: RenderOptions) -> None:
    hostile = replace(A100, name=name, uuid=name)
    shown = text.render(a_report(gpus=(hostile, replace(hostile, index=1))), options)

    assert all(character == "\n" or character.isprintable() for character in shown)


@pytest.mark.parametrize("code", messages.REASONS)
def test_every_reason_is_said_by_every_magic_that_asks_the_driver(code: str) -> None:
    values: Any = (("seconds", 3), ("cause", "SIGSEGV"), ("error", "EPERM"), ("library", "580.1"), ("module", "575.2"),
                   ("where", "probes/gpu.py:7"), ("version", "0.2.0"), ("own", "0.1.0"), ("count", 2))  # fmt: skip
    unavailable = Unavailable(code=code, values=values)

    for subject in OF_A_MACHINE:
        shown = text.render(a_report(subject, gpus=unavailable))
        assert (messages.reason(unavailable, ENGLISH) in shown.replace("\n  ", " ")) is (subject is not Subject.RAM)


def test_an_error_code_nobody_knows_is_still_said() -> None:
    shown = text.render(a_report(Subject.GPU, gpus=Unavailable(code="nvml_error_77", values=(("code", 77),))))

    assert shown == "The NVIDIA driver cannot be asked: NVML error 77."


def test_a_long_sentence_breaks_after_a_comma() -> None:
    gpu = replace(T4, name="NVIDIA GeForce RTX 4080 SUPER", cuda_index=None, power_watts=14.0, power_limit_watts=320.0)
    shown = text.render(a_report(Subject.GPU, gpus=(replace(gpu, utilization_percent=4.0),)))

    assert shown.split("\n") == [
        "NVIDIA GeForce RTX 4080 SUPER: 0.4 of 15.0 GiB used, 4 % busy, 43 °C,",
        "  14 of 320 W.",
    ]


def test_who_holds_the_gpu_is_said_on_request() -> None:
    assert "Process 1234" not in text.render(a_report(Subject.GPU))
    assert "Process 1234 (python3), this kernel: 400 MiB." in text.render(
        a_report(Subject.GPU), RenderOptions(processes=True)
    )


def test_processes_of_several_gpus_are_told_apart() -> None:
    other = replace(T4.processes[0], pid=99, name="blender", is_this_kernel=False)
    report = a_report(Subject.GPU, gpus=(T4, replace(T4, index=1, processes=(other,))))
    shown = text.render(report, RenderOptions(processes=True))

    assert "GPU 0: Process 1234 (python3), this kernel: 400 MiB." in shown
    assert "GPU 1: Process 99 (blender): 400 MiB." in shown


def test_of_several_gpus_that_nobody_holds_it_is_said_once() -> None:
    idle = replace(A100, processes=(), memory=replace(A100.memory, used_bytes=0))
    gpus = tuple(replace(idle, index=index) for index in range(4))
    shown = text.render(a_report(Subject.GPU, gpus=gpus), RenderOptions(processes=True))

    assert shown.count("No process holds it.") == 1
    assert "GPU 0 to 3: No process holds it." in shown


def test_what_is_grave_and_what_to_do_about_it_follow_the_answer() -> None:
    full = replace(DISK, free_bytes=GIB)
    for gpus in ((T4,), EIGHT_A100):
        lines = text.render(a_report(gpus=gpus, disks=(full,))).split("\n")

        assert lines[1] == "Warning: The disk is nearly full: 1.0 GiB of 107.7 GiB free (/)."
        assert lines[2].startswith("To make room:")
    lines = text.render(a_report(**HUNG_DRIVER)).split("\n")
    assert lines[1].startswith("To get another machine:")


def test_what_is_grave_has_its_word() -> None:
    assert "\nWarning: torch 2.11.0+cpu is a build without CUDA" in text.render(a_report(frameworks=(TORCH_CPU,)))
    lost = (T4, replace(MUTE_GPU, index=1))
    assert "\nError: GPU 1 is lost" in text.render(a_report(gpus=lost))


def test_each_fact_is_said_once() -> None:
    for changes in ({}, CPU_RUNTIME, HUNG_DRIVER):
        shown = text.render(a_report(**changes))

        assert {fact: shown.count(fact) for fact in ("12.7", "8.1", "107.7", "69.6")} == dict.fromkeys(
            ("12.7", "8.1", "107.7", "69.6"), 1
        )


def test_a_remark_is_a_sentence_as_it_is_in_every_view() -> None:
    """Neither a second full stop, nor a capital in the name of a TPU."""
    high, tpu = a_report(ram=a_ram(51.0)), a_report(tpus=(V5E,), ram=a_ram(47.1), **CPU_RUNTIME)

    assert "You are using a high-RAM runtime! Python 3.13.15" in text.render(high)
    assert "\nv5e-1 TPU comes with one size of RAM" in text.render(tpu)
    assert "您正在使用高 RAM 运行时！Python" in text.render(high, RenderOptions(language="zh-CN"))


def test_a_remark_has_no_steps_unless_ram_is_nearly_full() -> None:
    assert "For more RAM" not in text.render(a_report())
    full = text.render(a_report(Subject.RAM, ram=a_ram(12.7, headroom_bytes=GIB // 2)))
    assert full.index("Warning: RAM is nearly full") < full.index("To make room:") < full.index("For more RAM")


def test_a_framework_that_cannot_use_the_gpu_is_said_with_what_to_install() -> None:
    shown = text.render(a_report(Subject.GPU, frameworks=(TORCH_CPU,)))

    assert "torch 2.11.0+cpu is a build without CUDA: it cannot use the GPU." in shown
    assert "pytorch.org/get-started" in shown


@pytest.mark.parametrize("shown", [12.7, 47.1], ids=["12.7 GiB", "47.1 GiB"])
@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"gpus": (replace(T4, name="NVIDIA L4"),)}, id="L4"),
        pytest.param({**CPU_RUNTIME, "tpus": (V5E,)}, id="v5e-1"),
        pytest.param({**CPU_RUNTIME, "tpus": (replace(V5E, accelerator_type=None),)}, id="not named"),
        pytest.param({**CPU_RUNTIME, "tpus": (replace(V5E, kind="v2", accelerator_type=None),)}, id="of unknown type"),
    ],
)
def test_what_comes_with_one_size_of_ram_is_never_called_not_high_ram(changes: Any, shown: float) -> None:
    for subject in OF_A_MACHINE:
        for everything in (False, True):
            report = a_report(subject, ram=a_ram(shown), **changes)
            page = text.render(report, RenderOptions(everything=everything))

            assert "high-RAM runtime" not in page
            assert "T4 GPU" not in page
            assert "Colab, CPU runtime" not in page
