from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from builders import (
    A100,
    CPU_RUNTIME,
    EIGHT_A100,
    GB10,
    HUNG_DRIVER,
    JUPYTER,
    KAGGLE,
    MIG_IN_A_CONTAINER,
    MUTE_GPU,
    NOTHING_AVAILABLE,
    RAM_IN_FULL,
    T4,
    TORCH,
    TORCH_CPU,
    V5E,
    a_ram,
    a_report,
)
from colab_magics.facts import menus
from colab_magics.model import GpuProcess, Subject, Unavailable
from colab_magics.observer import nvml
from colab_magics.units import width
from colab_magics.views import html, json, text, messages
from colab_magics.translation import TRANSLATED, translator

CASES: dict[str, dict[str, Any]] = {
    "cpu": CPU_RUNTIME,
    "t4": {},
    "hung_driver": HUNG_DRIVER,
    "eight_a100": {"gpus": EIGHT_A100, "ram": a_ram(83.5)},
    "mute_gpu": {"gpus": (MUTE_GPU,)},
    "gb10": {"gpus": (GB10,)},
    "mig": {"gpus": (MIG_IN_A_CONTAINER,), "frameworks": (TORCH_CPU,)},
    "container": {"ram": a_ram(64.0, limited_by="cgroup_v2", limit_level=1, limit_bytes=4 * 2**30, headroom_bytes=2**28,
                  children_bytes=2**27), "platform": JUPYTER, **CPU_RUNTIME},
    "kaggle": {"platform": KAGGLE, **CPU_RUNTIME},
    "nothing_available": NOTHING_AVAILABLE,
    "a100": {"gpus": (A100,), "ram": a_ram(83.5), "frameworks": (TORCH,)},
    "a100_high_ram": {"gpus": (A100,), "ram": a_ram(167.1), "frameworks": (TORCH,)},
    "tpu": {"tpus": (V5E,), "ram": a_ram(47.1), **CPU_RUNTIME},
    "local": {"platform": JUPYTER, **CPU_RUNTIME},
}  # fmt: skip
GOLDEN = ("cpu", "t4", "hung_driver")
SAY = translator("en")
VIEWS = {"txt": text.render, "html": html.render}


def without_style_sheet(shown: str) -> str:
    """Leave out what is the same in all of them, and no sentence."""
    return re.sub(r"<style>.*?</style>", "", shown, flags=re.DOTALL)


@pytest.mark.parametrize("everything", [False, True], ids=["short", "all"])
@pytest.mark.parametrize("subject", Subject)
@pytest.mark.parametrize("case", GOLDEN)
@pytest.mark.parametrize("suffix", VIEWS)
def test_the_views_are_as_they_were_reviewed(
    case: str, subject: Subject, suffix: str, everything: bool, golden: Any
) -> None:
    changes = {"ram": RAM_IN_FULL, **CASES[case]} if everything else CASES[case]
    shown = VIEWS[suffix](a_report(subject, **changes), everything=everything)

    golden(f"{case}-{subject}{'-all' if everything else ''}.{suffix}", without_style_sheet(shown))


@pytest.mark.parametrize("language", TRANSLATED)
@pytest.mark.parametrize("case", ["cpu", "t4", "a100", "a100_high_ram", "tpu", "kaggle", "local", "hung_driver"])
@pytest.mark.parametrize("suffix", VIEWS)
def test_the_views_are_as_they_were_reviewed_in_every_language(
    case: str, language: str, suffix: str, golden: Any
) -> None:
    shown = VIEWS[suffix](a_report(**CASES[case]), language=language)

    golden(f"{language}/{case}.{suffix}", without_style_sheet(shown))


@pytest.mark.parametrize("case", GOLDEN)
def test_the_json_is_as_it_was_reviewed(case: str, golden: Any) -> None:
    golden(f"{case}.json", json.render(a_report(**CASES[case])))


LANGUAGES = [menu.language for menu in menus()]


@pytest.mark.parametrize("subject", Subject)
@pytest.mark.parametrize("case", CASES)
def test_a_report_has_at_most_eight_lines_of_eighty_columns(case: str, subject: Subject) -> None:
    for language in LANGUAGES:
        lines = text.render(a_report(subject, **CASES[case]), language=language).split("\n")

        assert len(lines) <= 8, language
        assert max(map(width, lines)) <= 80, language


@pytest.mark.parametrize("subject", Subject)
@pytest.mark.parametrize("case", CASES)
def test_all_fields_keep_to_eighty_columns(case: str, subject: Subject) -> None:
    for language in TRANSLATED:
        lines = text.render(a_report(subject, **CASES[case]), language=language, everything=True).split("\n")
        links = [line for line in lines if "https://" in line]

        assert max(width(line) for line in lines if line not in links) <= 80


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_of_the_menu_are_quoted_with_the_english_beside(language: str) -> None:
    shown = text.render(a_report(Subject.GPU, **CPU_RUNTIME), language=language)

    assert "Runtime > Change runtime type" in shown
    menu = next(menu for menu in menus() if menu.language == language)
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


def test_many_gpus_are_summed_up_and_cut_with_a_word_of_it() -> None:
    lines = text.render(a_report(Subject.GPU, gpus=EIGHT_A100)).split("\n")

    assert lines[0] == "8 x NVIDIA A100-SXM4-40GB: 24.0 of 320.0 GiB used."
    assert lines[1].startswith("0  NVIDIA A100-SXM4-40GB: 3.0 of 40.0 GiB used, 87 % busy")
    assert lines[-1] == "... and more: %gpu_info -a"


def test_with_all_fields_every_gpu_is_there() -> None:
    shown = text.render(a_report(Subject.GPU, gpus=EIGHT_A100), everything=True)

    assert all(f"GPU {index}\n" in shown for index in range(8))


def test_what_to_do_is_never_cut() -> None:
    shown = text.render(a_report(gpus=EIGHT_A100, ram=a_ram(83.5, headroom_bytes=1)))

    assert "RAM is nearly full" in shown
    assert "To make room" in shown


def test_an_unavailable_field_says_why() -> None:
    shown = text.render(a_report(Subject.GPU, gpus=(MUTE_GPU,)), everything=True)

    assert "memory: not available: the GPU is lost" in shown
    assert "memory: 0" not in shown


def test_a_field_that_is_not_known_is_left_out_of_the_sentence() -> None:
    no_power = replace(T4, power_watts=None, utilization_percent=None)

    assert text.render(a_report(Subject.GPU, gpus=(no_power,))).startswith("Tesla T4: 0.4 of 15.0 GiB used, 43 °C.")


HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "\x1b[31mred\x1b]0;title\x07",
    "\u202eAMD\u2066",
    "quote\" ' & <script>alert(1)</script>",
    "two\nlines",
]


@pytest.mark.parametrize("everything", [False, True], ids=["short", "all"])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_device_name_stays_text(name: str, everything: bool) -> None:
    hostile = replace(A100, name=name, uuid=name)
    report = a_report(gpus=(hostile, replace(hostile, index=1)))
    as_text, as_html = (view(report, everything=everything) for view in VIEWS.values())

    assert all(character == "\n" or character.isprintable() for character in as_text)
    assert "\x1b" not in as_html
    assert "\u202e" not in as_html
    assert "<img" not in as_html
    assert "<script" not in as_html
    assert json.render(report).isascii()


def test_nobody_is_named_and_no_path_is_shown() -> None:
    import getpass
    import os
    import platform

    from colab_magics import report

    seen = report.runtime_status(shell_class=None, everything=True)
    for shown in (text.render(seen, everything=True), html.render(seen, everything=True), json.render(seen)):
        assert os.getcwd() not in shown
        assert platform.node() not in shown
        assert getpass.getuser() not in shown.replace("root file", "")


@pytest.mark.parametrize("key", messages.REASONS)
def test_every_reason_has_a_sentence_for_every_magic(key: str) -> None:
    values = (("seconds", 3), ("cause", "SIGSEGV"), ("error", "EPERM"), ("library", "580.1"), ("module", "575.2"))
    unavailable = Unavailable(code=key, values=values)

    for subject in Subject:
        shown = text.render(a_report(subject, gpus=unavailable))
        assert (messages.reason(unavailable, SAY) in shown.replace("\n  ", " ")) is (subject is not Subject.RAM)


def test_an_error_code_nobody_knows_is_still_said() -> None:
    shown = text.render(a_report(Subject.GPU, gpus=Unavailable(code="nvml_error_77", values=(("code", 77),))))

    assert shown == "The NVIDIA driver cannot be asked: NVML error 77."


def test_a_gpu_that_shares_the_machine_s_ram_is_said_to() -> None:
    shown = text.render(a_report(Subject.GPU, gpus=(GB10,)))

    assert shown.startswith("NVIDIA GB10: shares the machine's RAM, 3.0 GiB held by its processes, idle")


def test_a_slice_is_shown_where_its_parent_will_not_tell() -> None:
    lines = text.render(a_report(Subject.GPU, gpus=(MIG_IN_A_CONTAINER,))).split("\n")

    assert lines[0] == "NVIDIA H100 80GB HBM3: 61 °C, 250 of 400 W."
    assert lines[1] == "MIG 2  NVIDIA H100 80GB HBM3 MIG 1g.10gb: 1.0 of 9.8 GiB used, cuda:0."


def processes_of(*processes: GpuProcess, **changes: Any) -> list[str]:
    gpu = replace(T4, processes=processes, **changes)
    return text.render(a_report(Subject.GPU, gpus=(gpu,)), processes=True).split("\n")[1:]


def test_processes_are_shown_on_request_with_name_and_memory() -> None:
    (ours,) = T4.processes or ()
    other = replace(ours, pid=99, name="\x1b[31mblender", is_this_kernel=False, memory_used_bytes=None)

    assert processes_of(ours, other) == [
        "Process 1234 (python3), this kernel: 400 MiB.",
        "Process 99 (\\x1b[31mblender): not available.",
    ]


def test_processes_of_another_namespace_are_kept_and_named_so() -> None:
    (ours,) = T4.processes or ()
    outside = replace(ours, is_here=False, is_this_kernel=False, name=None, memory_used_bytes=3 * 2**30)
    doubtful = replace(ours, pid=7, is_here=None, is_this_kernel=False, name=None)

    assert processes_of(outside, replace(outside, pid=8), doubtful) == [
        "Process 7, cannot be told whose: 400 MiB.",
        "Processes outside this container: 2; they hold 6.0 GiB.",
    ]
    assert processes_of(replace(outside, memory_used_bytes=None)) == [
        "Processes outside this container: 1; they hold memory, how much is not told."
    ]


def test_a_long_sentence_breaks_after_a_comma() -> None:
    gpu = replace(T4, name="NVIDIA GeForce RTX 4080 SUPER", cuda_index=None, power_watts=14.0, power_limit_watts=320.0)
    shown = text.render(a_report(Subject.GPU, gpus=(replace(gpu, utilization_percent=4.0),)))

    assert shown.split("\n") == [
        "NVIDIA GeForce RTX 4080 SUPER: 0.4 of 15.0 GiB used, 4 % busy, 43 °C,",
        "  14 of 320 W.",
    ]


def test_no_process_is_never_said_of_memory_in_use() -> None:
    assert processes_of() == ["The driver lists no process, though memory is in use."]


def test_processes_that_the_driver_will_not_list_are_not_available() -> None:
    gpu = replace(T4, processes=None, unavailable=(("processes", "no_permission"),))
    shown = text.render(a_report(Subject.GPU, gpus=(gpu,)), processes=True)

    assert shown.endswith("Its processes are not available: no permission.")


def test_a_framework_that_cannot_use_the_gpu_is_said_with_what_to_install() -> None:
    shown = text.render(a_report(Subject.GPU, frameworks=(TORCH_CPU,)))

    assert "torch 2.11.0+cpu is a build without CUDA: it cannot use the GPU." in shown
    assert "pytorch.org/get-started" in shown


@pytest.mark.parametrize("key", sorted({*nvml._REASONS.values(), "binding_too_old", "changing_too_fast", "not_text"}))
def test_every_reason_the_driver_can_give_has_words_for_a_field_and_for_the_whole(key: str) -> None:
    assert messages.field_reason(key, SAY)
    assert messages.reason(Unavailable(code=key, values=(("library", "1"), ("module", "2"))), SAY).endswith(".")
