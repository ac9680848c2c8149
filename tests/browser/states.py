"""What a person may meet: the states of a machine that are looked at, each in one row.

A kernel finds them as it would find the real ones: a driver is a library that it loads, memory and control groups are
files at their places, the service is told by the environment. Disk and cores are those of the machine that tests.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from composed import Machine
from fake_nvml import FakeDriver
from groups import GIB, cpu_files, memory_files, v2_mount

COLAB = {
    "TBE_RUNTIME_ADDR": "172.28.0.1:8011",
    "COLAB_RELEASE_TAG": "release-colab-external_20260819-060047_RC00",
}
KAGGLE = {"KAGGLE_KERNEL_RUN_TYPE": "Interactive"}
TPU_CHIP = {"vendor": "0x1ae0\n", "device": "0x0063\n", "subsystem_device": "0x0000\n", "class": "0x120000\n"}
T4_MIB = 15360


class State(NamedTuple):
    """A machine, where it is, and what its report must say."""

    says: str
    """Words of the report's answer, by which it is seen that the kernel has met this machine."""
    gravest: str | None = None
    """The word of the gravest finding, None where there is nothing to warn of."""
    driver: tuple[str, ...] = ()
    """A profile of the fake driver, and the lines that change it."""
    gpus: int = 0
    """How many GPUs the bus shows."""
    environment: Mapping[str, str] = COLAB
    ram_gib: tuple[float, float] = (12.7, 11.2)
    """In the machine: all of it, and what is left."""
    limit_gib: tuple[float, float] | None = None
    """Of the container: its limit, and what it uses of it."""
    bus: Mapping[str, str] = {}
    """The files of a further device on the bus."""
    magic: str = "%runtime_status"


STATES = {
    "no-gpu": State("Not connected to a GPU"),
    "t4-idle": State("Tesla T4", driver=("t4",), gpus=1),
    "t4-full": State(
        "Tesla T4",
        gravest="Warning",
        driver=(
            "t4",
            f"gpu0.memory_used = {T4_MIB * 2**20 * 96 // 100}",
            "gpu0.utilization_gpu = 87",
            "gpu0.temperature = 71",
            "gpu0.power_mw = 64000",
        ),
        gpus=1,
    ),
    "a100-high-ram": State("A100-SXM4-40GB", driver=("a100",), gpus=1, ram_gib=(167.1, 163.8)),
    "eight-gpus": State(
        "A100-SXM4-40GB",
        driver=(
            "eight-a100",
            f"gpu3.memory_used = {15 * GIB}",
            "gpu3.utilization_gpu = 98",
            "gpu3.temperature = 71",
            "gpu3.power_mw = 310000",
        ),
        gpus=8,
        environment={},
        ram_gib=(1007.6, 980.2),
        magic="%gpu_info",
    ),
    "hung-driver": State("driver", driver=("t4", "hang nvmlInit*"), gpus=1),
    "ram-full": State("RAM", gravest="Warning", ram_gib=(12.7, 12.7 * 0.04)),
    "container": State(
        "4.0 GiB", gravest="Warning", environment={}, ram_gib=(62.8, 51.0), limit_gib=(4.0, 3.84), magic="%ram_info"
    ),
    "kaggle": State(
        "Tesla T4",
        driver=("t4", "gpus = 2", "gpu1.pci_bus_id = 00000000:00:05.0", "gpu1.serial = 1650000000002"),
        gpus=2,
        environment=KAGGLE,
        ram_gib=(31.4, 29.9),
    ),
    "tpu": State("v5e-1", environment={**COLAB, "TPU_ACCELERATOR_TYPE": "v5e-1"}, ram_gib=(47.0, 45.5), bus=TPU_CHIP),
}

LOOKED_AT_CLOSELY = ("t4-full", "no-gpu")
"""In every theme, width and frontend, saved, converted and in a terminal."""


class Composed(NamedTuple):
    """A machine that is laid out, and the environment in which a process finds its driver and its service."""

    machine: Machine
    environment: Mapping[str, str]


def compose(state: State, folder: Path) -> Composed:
    """Lay a state's machine out."""
    environment = dict(state.environment)
    if state.driver:
        profile, *lines = state.driver
        driver = FakeDriver(folder / "driver", profile)
        driver.set(*lines)
        environment |= {name: value for name, value in driver.environment().items() if os.environ.get(name) != value}
    machine = Machine(
        folder / "root",
        pci=state.gpus,
        devices=(state.bus,) if state.bus else (),
        module=bool(state.driver),
        files=("nvidiactl", *(f"nvidia{number}" for number in range(state.gpus))) if state.driver else (),
        laid_over={
            "/proc/meminfo": _meminfo(*state.ram_gib),
            "/proc/self/cgroup": "0::/\n",
            "/proc/self/mountinfo": f"{v2_mount()}\n27 1 254:0 / / rw - ext4 /dev/vda rw\n",
            "/sys/fs/cgroup": {"cgroup.procs": ""} if state.limit_gib is None else _group(*state.limit_gib),
        },
    )
    return Composed(machine, environment)


def _meminfo(total_gib: float, available_gib: float) -> str:
    kib = {"MemTotal": total_gib * 2**20, "MemFree": available_gib * 2**19, "MemAvailable": available_gib * 2**20}
    return "".join(f"{name}: {round(size)} kB\n" for name, size in {**kib, "SwapTotal": 0, "SwapFree": 0}.items())


def _group(limit_gib: float, used_gib: float) -> dict[str, str]:
    memory = memory_files(2, limit=round(limit_gib * GIB), usage=round(used_gib * GIB))
    return {**memory, **cpu_files(2, "200000")}
