"""Every finding once: a runtime where its rule applies, and what is said of that."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from builders import (
    A100,
    A_CELL,
    COLAB,
    DISK,
    DRIVER,
    GIB,
    HOLDERS,
    KAGGLE_TORCH,
    MIB,
    OUT_OF_MEMORY,
    P100,
    SHARED,
    SILENT,
    T4,
    T4_SHARES,
    T4_WORK,
    TORCH,
    TORCH_CPU,
    TORCH_MEMORY,
    a_ram,
)
from colab_magics.model import GpuMemory, GpuProcess, Unavailable, Usage
from colab_magics.model.cells import Memory


def with_memory(used_gib: float, free_gib: float) -> GpuMemory:
    return GpuMemory(
        total_bytes=15 * GIB, used_bytes=int(used_gib * GIB), free_bytes=int(free_gib * GIB), reserved_bytes=None
    )


EMPTY = with_memory(0.1, 14.9)
FULL_DISK = replace(
    DISK, usage=Usage(total_bytes=100 * GIB, used_bytes=99 * GIB), free_bytes=GIB, places=("working directory",)
)
FOR_CUDA_13 = replace(TORCH, cuda_version="13.0")
MOSTLY_CACHE = replace(TORCH_MEMORY, allocated_bytes=GIB)
ANOTHER = GpuProcess(
    pid=4321, memory_used_bytes=11 * GIB, kinds=("compute",), is_here=True, is_this_kernel=False, name="python3"
)
LITTLE_RAM = a_ram(10.0, headroom_bytes=GIB // 2, swap_used_bytes=GIB, kernel_bytes=6 * GIB)

OCCURRING: dict[str, tuple[dict[str, Any], str]] = {
    "cell_kept_ram": (
        {"cells": (replace(A_CELL, ram_after_bytes=5 * GIB),), "ram": a_ram(10.0, kernel_bytes=6 * GIB)},
        "In [7] kept 3.0 GiB of RAM: this kernel still has that much more than before it.",
    ),
    "driver_failed": (
        {"gpus": Unavailable(code="driver_missing")},
        "There is an NVIDIA GPU here, but no driver for it.",
    ),
    "driver_not_answering": ({"gpus": SILENT}, "The NVIDIA driver did not answer within 3 s."),
    "driver_starting": (
        {"gpus": Unavailable(code="driver_starting", values=(("seconds", 3.0),))},
        "The NVIDIA driver is still starting (3 s).",
    ),
    "gpu_not_known": (
        {"gpus": Unavailable(code="wsl_library_missing")},
        "Windows hands this Linux a GPU, but NVIDIA's library is not in /usr/lib/wsl/lib.",
    ),
    "no_gpu": ({"gpus": ()}, "Not connected to a GPU."),
    "gpu_lost": (
        {"gpus": (replace(T4, fault="gpu_lost"),)},
        "GPU 0 is lost: no restart of the kernel brings it back.",
    ),
    "gpu_not_usable": (
        {"gpus": (replace(T4, fault="driver_unknown_error"),)},
        "GPU 0 cannot be used: the driver says: unknown error.",
    ),
    "cuda_library_missing": (
        {"driver": replace(DRIVER, cuda_version=None, has_cuda_library=False)},
        "CUDA's library (libcuda.so.1) is not found here: no program can use the GPU.",
    ),
    "gpu_memory_errors": (
        {"gpus": (replace(T4, ecc_errors=2),)},
        "GPU 0 had 2 memory errors that could not be corrected: results may be wrong.",
    ),
    "gpu_slowed": (
        {"gpus": (replace(T4, slowdown_reasons=("thermal_hardware",)),)},
        "GPU 0 is slowed down: too hot (hardware).",
    ),
    "gpu_memory_nearly_full": (
        {"gpus": (replace(T4, memory=with_memory(14.5, 0.5)),)},
        "GPU 0's memory is nearly full: 512 MiB of 15.0 GiB free.",
    ),
    "out_of_ram": (
        {"out_of_memory": replace(OUT_OF_MEMORY, memory=Memory.RAM, framework=None, device=None, frameworks=())},
        "The cell has run out of RAM.",
    ),
    "out_of_gpu_memory": ({"out_of_memory": OUT_OF_MEMORY}, "The cell has run out of GPU memory."),
    "out_of_tpu_memory": (
        {"out_of_memory": replace(OUT_OF_MEMORY, memory=Memory.TPU, framework="jax", device=None, frameworks=())},
        "The cell has run out of TPU memory.",
    ),
    "gpu_memory_cached": (
        {"gpu_shares": (replace(T4_SHARES, frameworks=(MOSTLY_CACHE,)),)},
        "Most of what is used of GPU 0's memory is kept by torch for later: 10.0 GiB.",
    ),
    "gpu_memory_of_others": (
        {
            "gpus": (replace(T4, processes=(ANOTHER,)),),
            "gpu_shares": (replace(T4_SHARES, frameworks=(), other_processes_bytes=11 * GIB),),
        },
        "Most of what is used of GPU 0's memory is held by other processes: 11.0 GiB (python3 4321).",
    ),
    "one_gpu_of_several": (
        {"gpus": (replace(T4, memory=with_memory(8, 7)), replace(T4, index=1, memory=EMPTY))},
        "Only one of 2 GPUs is in use.",
    ),
    "gpu_idle": (
        {"gpus": (replace(T4, memory=with_memory(8, 7)),)},
        "GPU 0 is idle while 8.0 GiB of its memory are held.",
    ),
    "framework_needs_newer_driver": (
        {"frameworks": (FOR_CUDA_13,)},
        "torch 2.11.0+cu128 needs CUDA 13.0; this driver runs at most 12.8.",
    ),
    "build_lacks_gpu_code": (
        {"gpus": (replace(P100, name="Tesla P100"),), "frameworks": (KAGGLE_TORCH,)},
        "torch 2.10.0+cu128 has no code for Tesla P100 (compute capability 6.0): the first computation on it fails.",
    ),
    "framework_cpu_only": (
        {"frameworks": (TORCH_CPU,)},
        "torch 2.11.0+cpu is a build without CUDA: it cannot use the GPU.",
    ),
    "cuda_hidden": (
        {"gpus": (replace(T4, is_hidden=True, cuda_index=None),)},
        "CUDA_VISIBLE_DEVICES hides every GPU from CUDA.",
    ),
    "ram_nearly_full": (
        {"ram": LITTLE_RAM},
        "RAM is nearly full: 512 MiB of the machine's 10.0 GiB can still be allocated.",
    ),
    "files_hold_ram": (
        {"ram": replace(LITTLE_RAM, shared_bytes=8 * GIB)},
        (
            "Files in memory, as in /dev/shm, and what processes share hold 8.0 GiB of it: files outlive a restart of"
            " the kernel."
        ),
    ),
    "swap_in_use": ({"ram": LITTLE_RAM}, "1.0 GiB are swapped out to disk: everything may be slow."),
    "killed_for_memory": (
        {"ram": a_ram(12.7, killed_for_memory=2)},
        "Processes killed here for lack of memory since the start: at least 2.",
    ),
    "high_ram": ({"ram": a_ram(51.0)}, "You are using a high-RAM runtime!"),
    "not_high_ram": ({}, "Not using a high-RAM runtime."),
    "one_shape_only": (
        {"gpus": (replace(T4, name="NVIDIA L4"),)},
        "L4 GPU comes with one size of RAM: there is no high-RAM choice.",
    ),
    "kernel_holds_most_ram": ({"ram": LITTLE_RAM}, "This kernel holds 6.0 GiB, most of the RAM."),
    "hidden_holders": (
        {"holders": HOLDERS},
        "Results of cells and the last error hold 389 MiB that no variable holds.",
    ),
    "disk_nearly_full": (
        {"disks": (FULL_DISK,)},
        "The disk is nearly full: 1.0 GiB of 100.0 GiB free (working directory).",
    ),
    "no_inodes_left": (
        {"disks": (replace(DISK, free_inodes=0),)},
        "No more files can be made on the disk (/): its inodes are used up.",
    ),
    "shared_memory_nearly_full": (
        {"disks": (DISK, replace(SHARED, free_bytes=100 * MIB))},
        (
            "Shared memory (/dev/shm) is nearly full: 100 MiB of 5.7 GiB free. "
            "A process that finds no room in it is killed by a bus error."
        ),
    ),
    "shared_memory_small": (
        {"disks": (DISK, replace(SHARED, usage=Usage(total_bytes=64 * MIB, used_bytes=0), free_bytes=64 * MIB))},
        (
            "Shared memory (/dev/shm) has 64 MiB in all: "
            "a DataLoader with workers may need more, and is then killed by a bus error."
        ),
    ),
    "runtime_old": (
        {"platform": replace(COLAB, machine_age_seconds=39_600.0)},
        "This machine has been up 11 h 0 min; a free one lasts at most 12 h (Google publishes no exact limit).",
    ),
    "costly_gpu_unused": (
        {"gpus": (replace(A100, utilization_percent=0.0, memory=EMPTY),), "ram": a_ram(167.1)},
        "A100 GPU is not used, and takes about 6.77 compute units per hour (seen by users, 2026-09-30).",
    ),
    "gpu_unused": (
        {"platform": replace(COLAB, kernel_age_seconds=900.0)},
        (
            "Tesla T4 is not used. Colab's page says “You are connected to a GPU runtime, but not utilizing the GPU.”"
            " then, and a GPU runtime takes compute units, or of the free allowance, whether the GPU is used or not"
            " (said by staff, 2025-12-11)."
        ),
    ),
    "larger_accelerators": (
        {},
        "With more memory than T4 GPU: L4 GPU (22.5 GiB), A100 GPU (40 GiB), H100 GPU (80 GiB), G4 GPU (95.6 GiB).",
    ),
    "newer_number_formats": ({}, "T4 GPU has no bfloat16; these have: L4 GPU, A100 GPU, H100 GPU, G4 GPU."),
    "longer_runs": (
        {},
        "Colab resets every runtime after a while, sooner when nothing runs; how long is not published.",
    ),
    "cell_nearly_filled_ram": (
        {"ram": LITTLE_RAM, "cells": (replace(A_CELL, ram_peak_bytes=3 * GIB + GIB // 4),)},
        "At its peak this cell left 256 MiB of the machine's 10.0 GiB of RAM.",
    ),
    "cell_was_slowed": (
        {"cells": (replace(A_CELL, gpus=(replace(T4_WORK, slowdown_reasons=("thermal_hardware",)),)),)},
        "GPU 0 was slowed down meanwhile: too hot (hardware).",
    ),
    "cell_left_gpu_idle": (
        {"cells": (replace(A_CELL, gpus=(replace(T4_WORK, busy_percent=0.0, memory_peak_bytes=GIB),)),)},
        "No GPU here did anything in the 42 s that this cell took.",
    ),
    "usage_limits": ({}, "Resources on Colab are not unlimited, and the limits change."),
    "feedback": ({}, "Something wrong with Colab itself, or with a bill?"),
    "more_resources": ({}, "More about notebooks, data and accelerators on Colab."),
}
"""For each rule a runtime where it applies, and what is said of that."""
