from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from builders import (
    A100,
    COLAB,
    CPU_RUNTIME,
    DISK,
    EIGHT_A100,
    GB10,
    HUNG_DRIVER,
    JUPYTER,
    KAGGLE,
    MIG_IN_A_CONTAINER,
    MUTE_GPU,
    RAM,
    SHARED,
    SILENT_DISK,
    SLICE,
    T4,
    V5E,
    a_report,
    a_snapshot,
)
from colab_magics import facts
from colab_magics.model import Disk, GpuProcess, Subject, Unavailable
from colab_magics.translation import translator
from colab_magics.views import html, summary, text
from colab_magics.views.render_options import RenderOptions
from runtimes import IN_A_CONTAINER, REPORTED, SERVICES, TRANSLATED

ENGLISH = translator("en")
UNREADABLE = Unavailable(code="unreadable", values=(("error", "OSError"),))
(OURS,) = T4.processes or ()


def processes_of(*processes: GpuProcess, **changes: Any) -> tuple[str, ...]:
    return summary.process_sentences(replace(T4, processes=processes, **changes), ENGLISH)


def machine(**changes: Any) -> str:
    return summary.machine_sentence(a_snapshot(**changes), ENGLISH)


@pytest.mark.parametrize("subject", Subject)
@pytest.mark.parametrize("case", REPORTED)
def test_every_answer_has_a_first_sentence_and_no_empty_one(case: str, subject: Subject) -> None:
    answer = summary.answer(a_report(subject, **REPORTED[case]), ENGLISH)

    assert answer.first
    assert all(sentence.strip() for paragraph in answer.paragraphs for sentence in paragraph)


def test_without_a_gpu_the_answer_is_that_and_what_there_is_instead() -> None:
    answer = summary.answer(a_report(Subject.GPU, tpus=(V5E,), **CPU_RUNTIME), ENGLISH)

    assert answer.first == (
        "Not connected to a GPU.",
        "This is a v5e-1 TPU runtime.",
        "Colab, TPU runtime: 2 cores, 12.7 GiB RAM, 107.7 GiB disk.",
    )


def test_several_gpus_are_summed_up_and_told_one_by_one() -> None:
    answer = summary.answer(a_report(Subject.GPU, gpus=(T4, replace(A100, index=1))), ENGLISH)

    assert answer.first == ("1 x Tesla T4, 1 x NVIDIA A100-SXM4-40GB: 3.4 of 55.0 GiB used.",)
    assert [line.sentence[:12] for line in answer.devices] == ["0  Tesla T4:", "1  NVIDIA A1"]


def test_of_many_gpus_the_runtime_s_answer_has_the_sum_alone() -> None:
    answer = summary.answer(a_report(gpus=EIGHT_A100), ENGLISH)

    assert answer.first == ("8 x NVIDIA A100-SXM4-40GB: 24.0 of 320.0 GiB used.",)
    assert answer.devices == ()


def test_gpus_of_which_one_does_not_tell_its_memory_are_not_summed_up() -> None:
    answer = summary.answer(a_report(Subject.GPU, gpus=(T4, replace(MUTE_GPU, index=1))), ENGLISH)

    assert answer.first == ("There are 1 x Tesla T4, 1 x GPU of unknown name.",)


def test_a_report_on_ram_is_about_ram_alone() -> None:
    snapshot = summary.subject_matter(a_report(Subject.RAM, tpus=(V5E,)))

    assert (snapshot.gpus, snapshot.driver, snapshot.tpus) == (None, None, None)
    assert snapshot.ram == RAM


def test_a_field_that_is_not_known_is_left_out_of_the_sentence() -> None:
    no_power = replace(T4, power_watts=None, utilization_percent=None)
    no_limit = replace(T4, power_limit_watts=None)

    assert summary.gpu_sentence(no_power, ENGLISH) == "Tesla T4: 0.4 of 15.0 GiB used, 43 °C."
    assert summary.gpu_sentence(no_limit, ENGLISH) == "Tesla T4: 0.4 of 15.0 GiB used, idle, 43 °C, 9 W."


def test_a_gpu_that_tells_nothing_says_why() -> None:
    assert summary.gpu_sentence(MUTE_GPU, ENGLISH) == "GPU of unknown name: not available (the GPU is lost)."


def test_a_gpu_that_shares_the_machine_s_ram_is_said_to() -> None:
    assert summary.gpu_sentence(GB10, ENGLISH).startswith(
        "NVIDIA GB10: shares the machine's RAM, 3.0 GiB held by its processes, idle"
    )


def test_a_slice_is_shown_where_its_parent_will_not_tell() -> None:
    answer = summary.answer(a_report(Subject.GPU, gpus=(MIG_IN_A_CONTAINER,)), ENGLISH)

    assert answer.first == ("NVIDIA H100 80GB HBM3: 61 °C, 250 of 400 W.",)
    (line,) = answer.devices
    assert line.is_slice
    assert line.sentence == "MIG 2  NVIDIA H100 80GB HBM3 MIG 1g.10gb: 1.0 of 9.8 GiB used, cuda:0."
    assert "memory not available" in summary.slice_sentence(replace(SLICE, memory=None), ENGLISH)


def test_processes_have_their_names_and_their_memory() -> None:
    other = replace(OURS, pid=99, name="\x1b[31mblender", is_this_kernel=False, memory_used_bytes=None)

    assert processes_of(OURS, other) == (
        "Process 1234 (python3), this kernel: 400 MiB.",
        "Process 99 (\\x1b[31mblender): not available.",
    )


def test_processes_of_another_namespace_are_kept_and_named_so() -> None:
    outside = replace(OURS, is_here=False, is_this_kernel=False, name=None, memory_used_bytes=3 * 2**30)
    doubtful = replace(OURS, pid=7, is_here=None, is_this_kernel=False, name=None)

    assert processes_of(outside, replace(outside, pid=8), doubtful) == (
        "Process 7, cannot be told whose: 400 MiB.",
        "Processes outside this container: 2; they hold 6.0 GiB.",
    )
    assert processes_of(replace(outside, memory_used_bytes=None)) == (
        "Processes outside this container: 1; they hold memory, how much is not told.",
    )


def test_no_process_is_never_said_of_memory_in_use() -> None:
    assert processes_of() == ("The driver lists no process, though memory is in use.",)
    assert processes_of(memory=replace(T4.memory, used_bytes=0)) == ("No process holds it.",)


def test_processes_that_the_driver_will_not_list_are_not_available() -> None:
    gpu = replace(T4, processes=None, unavailable=(("processes", "no_permission"),))

    assert summary.process_sentences(gpu, ENGLISH) == ("Its processes are not available: no permission.",)


def test_a_machine_is_its_service_its_kind_and_its_sizes() -> None:
    assert machine() == "Colab, GPU runtime: 2 cores, 12.7 GiB RAM, 107.7 GiB disk."
    assert machine(**CPU_RUNTIME).startswith("Colab, CPU runtime: ")
    assert machine(platform=KAGGLE, **CPU_RUNTIME).startswith("Kaggle, CPU runtime: ")
    assert machine(**HUNG_DRIVER).startswith("Colab: ")
    assert machine(platform=replace(COLAB, service="binder")).startswith("Binder: ")
    assert machine(platform=JUPYTER, cpu=None, ram=None, disks=None) == "Jupyter."


def test_a_container_is_as_large_as_it_may_be_and_not_as_its_host() -> None:
    assert machine(**IN_A_CONTAINER) == "Jupyter: 2 cores, 4.0 GiB RAM, 107.7 GiB disk."


@pytest.mark.parametrize("service", SERVICES, ids=str)
def test_a_place_has_the_name_that_the_facts_give_it(service: str | None) -> None:
    row = None if service is None else facts.service(service)
    name = summary.place_name(a_snapshot(platform=replace(COLAB, service=service)), ENGLISH)

    assert name == ("Colab's page" if row is None else row.name)


def test_a_place_that_no_table_has_is_called_by_its_key_and_one_nobody_could_look_at_is_called_so() -> None:
    assert summary.place_name(a_snapshot(platform=replace(COLAB, service="new_cloud")), ENGLISH) == "new_cloud"
    assert summary.place_name(a_snapshot(platform=UNREADABLE), ENGLISH) == "A machine that could not be looked at"


def test_ram_is_what_this_process_may_use_of_it() -> None:
    assert summary.ram_sentences(RAM, ENGLISH) == (
        "RAM: 4.6 of 12.7 GiB used, 8.1 GiB can still be allocated, this kernel 3.1 GiB.",
    )
    assert summary.ram_sentences(IN_A_CONTAINER["ram"], ENGLISH) == (
        "RAM: 3.8 of 4.0 GiB used, 256 MiB can still be allocated, this kernel 3.1 GiB.",
        "Its child processes hold 128 MiB.",
        "This container's limit is 4.0 GiB.",
    )
    assert summary.ram_sentences(UNREADABLE, ENGLISH) == ("RAM: not available.", "It could not be read (OSError).")
    assert summary.ram_sentences(None, ENGLISH) == ()


def test_disks_are_named_by_their_places_where_there_are_several() -> None:
    other = replace(DISK, places=("working directory",))

    assert summary.disk_name(DISK, (DISK,), ENGLISH) == "Disk"
    assert summary.disk_name(other, (DISK, other), ENGLISH) == "Disk (working directory)"
    assert summary.disk_name(SHARED, (DISK, SHARED), ENGLISH) == "Shared memory"
    assert summary.disk_name(DISK, (DISK, SHARED), ENGLISH) == "Disk"


def rest(*disks: Disk) -> tuple[str, ...]:
    return summary.answer(a_report(disks=disks), ENGLISH).others[-1]


def test_shared_memory_is_no_disk_of_the_runtime() -> None:
    assert rest(DISK, SHARED) == rest(DISK)
    assert summary.machine_sentence(a_snapshot(disks=(DISK, SHARED)), ENGLISH).endswith("107.7 GiB disk.")


def test_a_disk_that_is_silent_is_said_to_be_beside_the_others() -> None:
    root = replace(DISK, places=("/",))

    assert rest(root, SILENT_DISK)[:2] == (
        "Disk free: 69.6 GiB (/).",
        "Disk (working directory): The file system did not answer within 1 s.",
    )
    assert rest(SILENT_DISK)[0] == "Disk: The file system did not answer within 1 s."
    assert "disk" not in summary.machine_sentence(a_snapshot(disks=(SILENT_DISK,)), ENGLISH)


def test_a_tpu_is_what_the_environment_calls_it_else_what_its_chips_are() -> None:
    unnamed = replace(V5E, accelerator_type=None)

    assert summary.tpu_sentence((V5E,), ENGLISH) == "This is a v5e-1 TPU runtime."
    assert summary.tpu_sentence((unnamed,), ENGLISH) == "There is a TPU device: v5e."
    assert summary.tpu_sentence((unnamed, unnamed), ENGLISH) == "There are 2 TPU devices: v5e."
    assert summary.tpu_sentence((replace(unnamed, kind=None),), ENGLISH).endswith("kind unknown.")


def test_what_computes_here_is_the_gpus_or_why_nobody_knows() -> None:
    assert summary.accelerators(a_snapshot(), ENGLISH) == "Tesla T4."
    assert summary.accelerators(a_snapshot(gpus=EIGHT_A100), ENGLISH) == "8 x NVIDIA A100-SXM4-40GB."
    assert summary.accelerators(a_snapshot(tpus=(V5E,), **CPU_RUNTIME), ENGLISH) == (
        "Not connected to a GPU. This is a v5e-1 TPU runtime."
    )
    assert "did not answer" in summary.accelerators(a_snapshot(**HUNG_DRIVER), ENGLISH)


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
    assert expected in summary.accelerators(report.snapshot, ENGLISH)
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


def test_hints_are_not_shown_by_default_and_of_the_rest_three() -> None:
    full = replace(DISK, free_bytes=0)
    crowded = a_report(disks=(full,), ram=replace(RAM, headroom_bytes=1, swap_used_bytes=2**30), **HUNG_DRIVER)

    assert [finding.rule for finding in summary.shown_by_default(a_report())] == ["not_high_ram"]
    assert len(summary.shown_by_default(crowded)) == 3


def test_a_finding_that_the_answer_says_is_not_said_again_but_in_a_report_on_ram() -> None:
    for changes in (CPU_RUNTIME, HUNG_DRIVER):
        report = a_report(**changes)

        assert summary.is_said(report, report.findings[0])
        assert not summary.is_said(replace(report, subject=Subject.RAM), report.findings[0])


def test_a_note_has_the_report_s_time() -> None:
    assert summary.note(a_report(), RenderOptions()) is None
    assert summary.note(a_report(), RenderOptions(note="At {time}.")) == "At 12:00:00."
