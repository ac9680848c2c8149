"""What Colab's users ask most, by googlecolab/colabtools' issues and the Colab Pro page.

Each stands with the runtime that it is asked on and how one asks it here. The answers were read, and are kept, in both
languages.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from builders import A100, COLAB, CPU_RUNTIME, DISK, GIB, HUNG_DRIVER, KAGGLE, KAGGLE_TORCH, P100, RAM, T4, V5E, a_ram
from colab_magics.guides import Goal
from colab_magics.model import Gpu, GpuMemory, Package, Subject, Usage
from runtimes import Changes


class Question(NamedTuple):
    """A question of users, on a runtime."""

    words: str
    """As people put it."""
    asked: Subject | Goal | str
    """A magic's subject, what follows "I want", or a requirement."""
    runtime: Changes
    """What differs of a free Colab runtime with a T4."""


def _unused(gpu: Gpu, **changes: float) -> Changes:
    memory = None if gpu.memory is None else replace(gpu.memory, used_bytes=0)
    idle = replace(gpu, memory=memory, utilization_percent=0.0, processes=(), **changes)
    return {"gpus": (idle,), "platform": replace(COLAB, kernel_age_seconds=3600.0)}


_80_GIB = GpuMemory(total_bytes=80 * GIB, used_bytes=0, free_bytes=79 * GIB, reserved_bytes=GIB)
_A100_80 = replace(A100, name="NVIDIA A100-SXM4-80GB", memory=_80_GIB)
_L4 = replace(T4, name="NVIDIA L4", compute_capability="8.9", architecture="Ada")
_UNTYPED_TPU = replace(V5E, accelerator_type=None)
_OLD = Package(name="transformers", is_installed=True, version="4.30.2")
_FULL_DISK = replace(DISK, usage=Usage(total_bytes=108 * GIB, used_bytes=105 * GIB), free_bytes=3 * GIB)

QUESTIONS = {
    "what_is_this": Question("What machine was I given?", Subject.RUNTIME, CPU_RUNTIME),
    "get_a_gpu": Question("How do I get a GPU?", Goal.GPU, CPU_RUNTIME),
    "which_gpu": Question("Is my GPU there, and free?", Subject.GPU, {}),
    "am_i_high_ram": Question("Did I get the high-RAM runtime?", Subject.RAM, {"ram": a_ram(25.3e9 / GIB)}),
    "one_size": Question("Where is the High-RAM switch?", Subject.RAM, {"gpus": (_L4,), "ram": a_ram(53.0)}),
    "more_ram": Question("How do I get more RAM?", Goal.MEMORY, CPU_RUNTIME),
    "crashed": Question(
        "Your session crashed after using all available RAM.",
        Subject.RAM,
        {**CPU_RUNTIME, "ram": replace(RAM, killed_for_memory=1)},
    ),
    "ram_nearly_full": Question(
        "What fills my RAM?", Subject.RAM, {**CPU_RUNTIME, "ram": replace(RAM, headroom_bytes=GIB // 2)}
    ),
    "cannot_connect": Question("Cannot connect to GPU backend", Goal.LIMIT, CPU_RUNTIME),
    "another_gpu_than_chosen": Question("I chose an A100 and got a T4", "gpu=A100", {}),
    "not_utilized": Question(
        "You are connected to a GPU runtime, but not utilizing the GPU.", Subject.GPU, _unused(T4)
    ),
    "what_it_costs": Question("What do my units go for?", Subject.RUNTIME, {**_unused(_A100_80), "ram": a_ram(167.1)}),
    "stop_paying": Question("How do I stop the units?", Goal.CHEAPER, {"gpus": (A100,), "ram": a_ram(83.5)}),
    "runs_longer": Question("How long does it run, and may I close the tab?", Goal.LONGER, {}),
    "another_python": Question("Python 3.13 broke it", "python<3.13", CPU_RUNTIME),
    "another_image": Question("How do I get the last image?", Goal.IMAGE, CPU_RUNTIME),
    "larger_disk": Question("My data needs 150 GB", "disk>=150", CPU_RUNTIME),
    "disk_full": Question("My disk is full", Subject.RUNTIME, {"disks": (_FULL_DISK,)}),
    "tpu": Question("Is this a TPU?", Subject.RUNTIME, {**CPU_RUNTIME, "tpus": (_UNTYPED_TPU,), "ram": a_ram(47.1)}),
    "get_a_tpu": Question("How do I use a TPU?", Goal.TPU, CPU_RUNTIME),
    "driver_hangs": Question("nvidia-smi hangs", Subject.GPU, HUNG_DRIVER),
    "torch_without_code": Question(
        "no kernel image is available for execution on the device",
        Subject.GPU,
        {"platform": KAGGLE, "gpus": (P100,), "frameworks": (KAGGLE_TORCH,)},
    ),
    "bf16": Question("My model needs bfloat16", "bf16", {}),
    "a_package": Question("My notebook needs a newer transformers", "transformers>=4.40", {"packages": (_OLD,)}),
}
