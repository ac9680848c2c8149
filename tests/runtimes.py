"""What reports and guides are tried on: runtimes of many kinds, the services they may be on, the languages.

A runtime stands here as what differs of `builders.a_snapshot`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import colab_magics
from builders import (
    A100,
    A_CELL,
    A_CLUSTER,
    A_SESSION,
    COLAB,
    CPU_RUNTIME,
    EIGHT_A100,
    GB10,
    GIB,
    HOLDERS,
    HUNG_DRIVER,
    JUPYTER,
    KAGGLE,
    MIG_IN_A_CONTAINER,
    MUTE_GPU,
    NOTHING_AVAILABLE,
    OUT_OF_MEMORY,
    T4,
    T4_SHARES,
    TORCH,
    TORCH_CPU,
    V5E,
    a_ram,
)
from colab_magics import facts
from colab_magics.model import GpuSample, Package, Sample, Subject
from colab_magics.translation import ENGLISH

Changes = dict[str, Any]

A_SAMPLE = Sample(
    seconds_ago=1.0,
    ram_headroom_bytes=8 * GIB,
    kernel_bytes=GIB,
    cpu_percent=12.5,
    gpus=(GpuSample(memory_used_bytes=GIB, utilization_percent=None),),
)

IN_A_CONTAINER: Changes = {
    "ram": a_ram(
        64.0,
        limited_by="cgroup_v2",
        limit_level=1,
        limit_bytes=4 * GIB,
        headroom_bytes=GIB // 4,
        children_bytes=GIB // 8,
    ),
    "platform": JUPYTER,
    **CPU_RUNTIME,
}
"""A container of 4 GiB on a machine of 64 GiB, a quarter of a GiB of it left."""

REPORTED: dict[str, Changes] = {
    "cpu": CPU_RUNTIME,
    "t4": {},
    "hung_driver": HUNG_DRIVER,
    "eight_a100": {"gpus": EIGHT_A100, "ram": a_ram(83.5)},
    "mute_gpu": {"gpus": (MUTE_GPU,)},
    "gb10": {"gpus": (GB10,)},
    "mig": {"gpus": (MIG_IN_A_CONTAINER,), "frameworks": (TORCH_CPU,)},
    "container": IN_A_CONTAINER,
    "kaggle": {"platform": KAGGLE, **CPU_RUNTIME},
    "nothing_available": NOTHING_AVAILABLE,
    "a100": {"gpus": (A100,), "ram": a_ram(83.5), "frameworks": (TORCH,)},
    "a100_high_ram": {"gpus": (A100,), "ram": a_ram(167.1), "frameworks": (TORCH,)},
    "tpu": {"tpus": (V5E,), "ram": a_ram(47.1), **CPU_RUNTIME},
    "local": {"platform": JUPYTER, **CPU_RUNTIME},
    "everything": {
        "gpus": (T4, MIG_IN_A_CONTAINER),
        "tpus": (V5E,),
        "other_gpu_vendors": ("AMD",),
        "frameworks": (TORCH,),
        "packages": (Package(name="torch", is_installed=True, version="2.11.0+cu128"),),
        "samples": (A_SAMPLE,),
        "holders": HOLDERS,
        "gpu_shares": (T4_SHARES,),
        "cells": (A_CELL,),
        "session": A_SESSION,
        "out_of_memory": OUT_OF_MEMORY,
        "cluster": A_CLUSTER,
    },
}
"""What a report may be on."""

OF_A_MACHINE = (Subject.GPU, Subject.RAM, Subject.RUNTIME)
"""What a report may be about that says what a machine is."""

REVIEWED = ("cpu", "t4", "hung_driver")
"""Those whose every report was read by somebody."""

REVIEWED_IN_EVERY_LANGUAGE = ("cpu", "t4", "a100", "a100_high_ram", "tpu", "kaggle", "local", "hung_driver")

TPU_RUNTIME: Changes = {"gpus": (), "driver": None, "tpus": (V5E,), "ram": a_ram(47.1)}
LARGEST_TPU: Changes = {
    **TPU_RUNTIME,
    "tpus": (replace(V5E, kind="v6e", accelerator_type="v6e-1"),),
    "ram": a_ram(173.0),
}
GUIDED: dict[str, Changes] = {
    "t4": {},
    "cpu": CPU_RUNTIME,
    "hung driver": HUNG_DRIVER,
    "nothing": NOTHING_AVAILABLE,
    "mute": {"gpus": (MUTE_GPU,)},
    "unknown gpu": {"gpus": (replace(T4, name="NVIDIA Z1"),)},
    "l4": {"gpus": (replace(T4, name="NVIDIA L4"),), "ram": a_ram(53.0)},
    "a100": {"gpus": (A100,), "ram": a_ram(83.5)},
    "a100 high-ram": {"gpus": (A100,), "ram": a_ram(167.1)},
    "tpu": TPU_RUNTIME,
    "largest tpu": LARGEST_TPU,
}
"""What a guide may be for."""

SERVICES: tuple[str | None, ...] = (*(service.key for service in facts.services()), None)
"""Every service that the facts know, and none of them."""

LANGUAGES = tuple(menu.language for menu in facts.menus())
"""Every language that can be asked for."""

_CATALOGUES = Path(colab_magics.__file__).parent / "locale"
TRANSLATED = (ENGLISH, *sorted(folder.name.replace("_", "-") for folder in _CATALOGUES.iterdir()))
"""Those that our sentences are in."""


def at(service: str | None, changes: Changes) -> Changes:
    """Return a runtime as it is on a service."""
    return {**changes, "platform": replace(changes.get("platform", COLAB), service=service)}
