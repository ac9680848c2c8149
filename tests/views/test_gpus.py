from __future__ import annotations

from dataclasses import replace
from typing import Any

from builders import A100, EIGHT_A100, GB10, MIG_IN_A_CONTAINER, MUTE_GPU, SLICE, T4, T4_AFTER_WORK
from colab_magics.model import GpuProcess
from colab_magics.translation import translator
from colab_magics.views import gpus

ENGLISH = translator("en")
(OURS,) = T4.processes or ()


def processes_of(*processes: GpuProcess, **changes: Any) -> tuple[str, ...]:
    return gpus.process_sentences(replace(T4, processes=processes, **changes), ENGLISH)


def test_a_field_that_is_not_known_is_left_out_of_the_sentence() -> None:
    no_power = replace(T4, power_watts=None, utilization_percent=None)
    no_limit = replace(T4, power_limit_watts=None)

    assert gpus.sentence(no_power, ENGLISH) == "Tesla T4: 0.4 of 15.0 GiB used, 43 °C."
    assert gpus.sentence(no_limit, ENGLISH) == "Tesla T4: 0.4 of 15.0 GiB used, idle, 43 °C, 9 W."


def test_a_gpu_that_is_idle_now_and_was_busy_says_so() -> None:
    at_work = replace(T4_AFTER_WORK, utilization_percent=98.0)
    resting = replace(T4, recent_busy_percent=0.4, recent_seconds=16.4)
    untold = replace(T4_AFTER_WORK, utilization_percent=None)

    assert gpus.use(T4_AFTER_WORK, ENGLISH) == "idle now, busy 84 % of the last 16 s"
    assert gpus.use(at_work, ENGLISH) == "98 % busy now, 84 % over the last 16 s"
    assert gpus.use(resting, ENGLISH) == "idle"
    assert gpus.use(untold, ENGLISH) == "busy 84 % of the last 16 s"
    assert gpus.use(replace(T4, utilization_percent=None), ENGLISH) is None
    assert gpus.sentence(T4_AFTER_WORK, ENGLISH).startswith(
        "Tesla T4: 0.4 of 15.0 GiB used, idle now, busy 84 % of the"
    )


def test_a_gpu_that_tells_nothing_says_why() -> None:
    assert gpus.sentence(MUTE_GPU, ENGLISH) == "GPU of unknown name: not available (the GPU is lost)."


def test_a_gpu_that_shares_the_machine_s_ram_is_said_to() -> None:
    assert gpus.sentence(GB10, ENGLISH).startswith(
        "NVIDIA GB10: shares the machine's RAM, 3.0 GiB held by its processes, idle"
    )


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

    assert gpus.process_sentences(gpu, ENGLISH) == ("Its processes are not available: no permission.",)


def test_a_slice_has_its_own_memory_and_its_number_in_cuda() -> None:
    named = "MIG 2  NVIDIA H100 80GB HBM3 MIG 1g.10gb: "

    assert gpus.slice_sentence(SLICE, ENGLISH) == f"{named}1.0 of 9.8 GiB used, cuda:0."
    assert gpus.slice_sentence(replace(SLICE, cuda_index=None), ENGLISH) == f"{named}1.0 of 9.8 GiB used."
    assert gpus.slice_sentence(replace(SLICE, memory=None), ENGLISH) == f"{named}memory not available, cuda:0."


def test_what_is_true_of_several_gpus_is_said_once() -> None:
    idle = tuple(
        replace(A100, index=index, processes=(), memory=replace(A100.memory, used_bytes=0)) for index in (0, 2)
    )
    held = replace(A100, index=1)

    assert gpus.process_list((idle[0], held, idle[1]), ENGLISH) == [
        ("GPU 0, 2", "No process holds it."),
        ("GPU 1", "Process 1234 (python3), this kernel: 400 MiB."),
    ]
    assert gpus.process_list((), ENGLISH) == []


def test_the_processes_of_slices_are_their_gpu_s() -> None:
    (held,) = MIG_IN_A_CONTAINER.slices
    gpu = replace(MIG_IN_A_CONTAINER, slices=(replace(held, processes=(OURS,)),))

    assert gpus.process_sentences(gpu, ENGLISH) == ("Process 1234 (python3), this kernel: 400 MiB.",)


def test_several_gpus_are_counted_and_summed_up_as_far_as_all_of_them_tell() -> None:
    mixed = (T4, replace(A100, index=1), replace(T4, index=2))

    assert gpus.counted((T4,), ENGLISH) == "Tesla T4"
    assert gpus.counted(mixed, ENGLISH) == "2 x Tesla T4, 1 x NVIDIA A100-SXM4-40GB"
    assert gpus.memory_sum(EIGHT_A100, ENGLISH) == "24.0 of 320.0 GiB used"
    assert gpus.memory_sum((T4, GB10), ENGLISH) is None
    assert gpus.busy_of(mixed, ENGLISH) == "1 of 3 busy"
    assert gpus.busy_of((T4, MUTE_GPU), ENGLISH) is None


def test_what_is_not_told_of_a_process_counts_as_nothing_that_is_known() -> None:
    assert gpus.held_bytes((OURS, replace(OURS, memory_used_bytes=None))) == OURS.memory_used_bytes
