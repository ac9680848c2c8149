"""Whole values for tests, each with one thing changed at a time: `a_snapshot(gpus=())`, `replace(T4, name="<b>")`."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from colab_magics.model import (
    Cpu,
    Disk,
    Driver,
    Gpu,
    GpuProcess,
    Limits,
    OtherKernel,
    Platform,
    Ram,
    Report,
    Service,
    Snapshot,
    Subject,
    Unavailable,
    Usage,
)

GIB = 2**30
MIB = 2**20

COLAB = Platform(
    service=Service.COLAB,
    operating_system="Linux",
    python_version="3.13.15",
    ipython_version="7.34.0",
    tpu_type=None,
    machine_age_seconds=7500.0,
    kernel_age_seconds=200.0,
)
KAGGLE = replace(COLAB, service=Service.KAGGLE)
JUPYTER = replace(COLAB, service=Service.JUPYTER, ipython_version="9.18.1")

CPU = Cpu(usable_cores=2.0, logical_cores=2, quota_cores=None, load_average=0.25)

RAM = Ram(
    machine=Usage(total_bytes=int(12.7 * GIB), used_bytes=int(4.6 * GIB)),
    available_bytes=int(8.1 * GIB),
    headroom_bytes=int(8.1 * GIB),
    limited_by="machine",
    limit_bytes=int(12.7 * GIB),
    limit_level=None,
    kernel_bytes=int(3.1 * GIB),
    children_bytes=0,
    observer_bytes=15 * MIB,
    kernel_proportional_bytes=None,
    other_kernels=None,
)
RAM_IN_FULL = replace(
    RAM,
    kernel_proportional_bytes=3 * GIB,
    other_kernels=(OtherKernel(pid=812, resident_bytes=900 * MIB),),
)

DISK = Disk(
    places=("/", "working directory"),
    usage=Usage(total_bytes=int(107.7 * GIB), used_bytes=int(38.1 * GIB)),
    free_bytes=int(69.6 * GIB),
)

DRIVER = Driver(version="580.82.07", cuda_version="12.8")

T4 = Gpu(
    index=0,
    cuda_index=0,
    name="Tesla T4",
    uuid="GPU-2d3c6a4e-7c4b-5b8e-9f57-0a4f5c1d2e3f",
    memory=Usage(total_bytes=15360 * MIB, used_bytes=410 * MIB),
    utilization_percent=0.0,
    temperature_celsius=43.0,
    power_watts=9.3,
    power_limit_watts=70.0,
    processes=(GpuProcess(pid=1234, memory_used_bytes=400 * MIB),),
)
A100 = replace(
    T4,
    name="NVIDIA A100-SXM4-40GB",
    memory=Usage(total_bytes=40960 * MIB, used_bytes=3 * GIB),
    utilization_percent=87.0,
    temperature_celsius=61.0,
    power_watts=250.0,
    power_limit_watts=400.0,
)
EIGHT_A100 = tuple(replace(A100, index=index, cuda_index=None, uuid=f"GPU-{index}") for index in range(8))
MUTE_GPU = Gpu(
    index=0,
    cuda_index=None,
    name=None,
    uuid=None,
    memory=None,
    utilization_percent=None,
    temperature_celsius=None,
    power_watts=None,
    power_limit_watts=None,
    processes=None,
    unavailable=tuple((field, "gpu_lost") for field in ("name", "uuid", "memory", "utilization_percent",
                      "temperature_celsius", "power_watts", "power_limit_watts", "processes")),
)  # fmt: skip

SILENT = Unavailable(reason="driver_silent", values=(("seconds", 3.0),))
LIMITS = Limits()


def a_ram(total_gib: float, **changes: Any) -> Ram:
    """RAM of a machine of this size, a tenth of it in use."""
    total = int(total_gib * GIB)
    left = total - total // 10
    machine = Usage(total_bytes=total, used_bytes=total - left)
    return replace(
        RAM, **{"machine": machine, "available_bytes": left, "headroom_bytes": left, "limit_bytes": total, **changes}
    )


def a_snapshot(**changes: Any) -> Snapshot:
    """A free Colab runtime with a T4, with these sections changed."""
    whole = Snapshot(
        taken_at=datetime(2026, 11, 22, 12, 0, 0, 250_000, tzinfo=UTC),
        platform=COLAB,
        driver=DRIVER,
        gpus=(T4,),
        ram=RAM,
        disks=(DISK,),
        cpu=CPU,
    )
    return replace(whole, **changes)


def a_report(subject: Subject = Subject.RUNTIME, **changes: Any) -> Report:
    """The report on `a_snapshot(**changes)`, judged as usual."""
    from colab_magics.advice import advise

    snapshot = a_snapshot(**changes)
    return Report(subject=subject, snapshot=snapshot, advice=advise(subject, snapshot, LIMITS))


CPU_RUNTIME = {"gpus": (), "driver": None}
HUNG_DRIVER = {"gpus": SILENT, "driver": None}
NOTHING_AVAILABLE = {
    "gpus": SILENT,
    "driver": None,
    "ram": Unavailable(reason="unreadable", values=(("error", "PermissionError"),)),
    "disks": Unavailable(reason="unreadable", values=(("error", "OSError"),)),
    "cpu": Unavailable(reason="unreadable", values=(("error", "OSError"),)),
    "platform": replace(COLAB, machine_age_seconds=None, kernel_age_seconds=None, ipython_version=None),
}
