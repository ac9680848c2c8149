"""Whole values for tests, each with one thing changed at a time: `a_snapshot(gpus=())`, `replace(T4, name="<b>")`."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from colab_magics.model import (
    Cpu,
    Disk,
    Driver,
    Framework,
    Frontend,
    Gpu,
    GpuMemory,
    GpuProcess,
    MigSlice,
    OtherKernel,
    Package,
    Platform,
    Ram,
    Snapshot,
    Subject,
    Tpu,
    Unavailable,
    Usage,
)
from colab_magics.model.cells import Cell, GpuWork, Memory, OutOfMemory, PeakMethod, SessionSums
from colab_magics.model.cluster import Node, cluster_of
from colab_magics.model.holders import (
    Cache,
    Deletion,
    FrameworkMemory,
    GpuShares,
    Holder,
    Holders,
    Keeper,
    OnDevice,
    Release,
)
from colab_magics.report import Report
from colab_magics.rules import judge

GIB = 2**30
MIB = 2**20

COLAB_PAGE = Frontend(
    key="colab_page", shows_widgets=True, shows_thread_updates=False, tells_whether_somebody_is_there=False
)
SERVICE_PAGE = replace(COLAB_PAGE, key="service_page", shows_thread_updates=True)
JUPYTER_PAGE = replace(SERVICE_PAGE, key="jupyter", tells_whether_somebody_is_there=True)

COLAB = Platform(
    service="colab",
    frontend=COLAB_PAGE,
    operating_system="Linux",
    python_version="3.13.15",
    ipython_version="7.34.0",
    image="release-colab-external_20260819-060047_RC00",
    machine_age_seconds=7500.0,
    kernel_age_seconds=200.0,
)
KAGGLE = replace(COLAB, service="kaggle", frontend=SERVICE_PAGE)
JUPYTER = replace(COLAB, service=None, frontend=JUPYTER_PAGE, ipython_version="9.18.1", image=None)

CPU = Cpu(usable_cores=2.0, logical_cores=2, quota_cores=None, load_average=0.25)

RAM = Ram(
    machine=Usage(total_bytes=int(12.7 * GIB), used_bytes=int(4.6 * GIB)),
    available_bytes=int(8.1 * GIB),
    capacity_bytes=int(12.7 * GIB),
    capacity_by="machine",
    headroom_bytes=int(8.1 * GIB),
    limited_by="machine",
    limit_bytes=int(12.7 * GIB),
    limit_level=None,
    kernel_bytes=int(3.1 * GIB),
    children_bytes=0,
    observer_bytes=15 * MIB,
    swap_used_bytes=0,
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
    is_read_only=False,
    total_inodes=7_208_960,
    free_inodes=6_891_021,
)
SHARED = Disk(
    places=("/dev/shm",),
    usage=Usage(total_bytes=int(5.7 * GIB), used_bytes=0),
    free_bytes=int(5.7 * GIB),
    is_read_only=False,
    total_inodes=1_664_540,
    free_inodes=1_664_539,
)
SILENT_DISK = Disk(
    places=("working directory",),
    usage=None,
    free_bytes=None,
    unavailable=Unavailable(code="mount_silent", values=(("seconds", 1.0),)),
)

V5E = Tpu(index=0, kind="v5e", accelerator_type="v5e-1", memory_bytes=16 * GIB, pci_address="0000:00:05.0", held_by=())
DRIVER = Driver(version="580.82.07", cuda_version="12.8", has_cuda_library=True)

T4 = Gpu(
    index=0,
    cuda_index=0,
    is_hidden=False,
    name="Tesla T4",
    uuid="GPU-2d3c6a4e-7c4b-5b8e-9f57-0a4f5c1d2e3f",
    pci_bus_id="00000000:00:04.0",
    compute_capability="7.5",
    architecture="Turing",
    virtualization="pass-through",
    memory=GpuMemory(total_bytes=15360 * MIB, used_bytes=410 * MIB, free_bytes=14502 * MIB, reserved_bytes=448 * MIB),
    utilization_percent=0.0,
    memory_utilization_percent=0.0,
    temperature_celsius=43.0,
    power_watts=9.3,
    power_limit_watts=70.0,
    energy_joules=180_000.0,
    graphics_clock_mhz=300,
    memory_clock_mhz=405,
    slowdown_reasons=(),
    performance_state=8,
    fan_percent=None,
    ecc_enabled=True,
    ecc_errors=0,
    persistence_enabled=True,
    mig_enabled=None,
    slices=(),
    processes=(
        GpuProcess(
            pid=1234, memory_used_bytes=400 * MIB, kinds=("compute",), is_here=True, is_this_kernel=True, name="python3"
        ),
    ),
    unavailable=(("fan_percent", "not_supported"), ("mig_enabled", "not_supported")),
    recent_busy_percent=0.0,
    recent_seconds=16.5,
)
T4_AFTER_WORK = replace(T4, recent_busy_percent=84.0)
"""One that a report finds idle, because the cell that worked has ended."""
P100 = replace(T4, name="Tesla P100-PCIE-16GB", compute_capability="6.0", architecture="Pascal")
RTX_PRO_6000 = replace(
    T4,
    name="NVIDIA RTX PRO 6000 Blackwell Server Edition",
    compute_capability="12.0",
    architecture="Blackwell",
)
A100 = replace(
    T4,
    name="NVIDIA A100-SXM4-40GB",
    compute_capability="8.0",
    architecture="Ampere",
    memory=GpuMemory(total_bytes=40960 * MIB, used_bytes=3 * GIB, free_bytes=37370 * MIB, reserved_bytes=518 * MIB),
    utilization_percent=87.0,
    temperature_celsius=61.0,
    power_watts=250.0,
    power_limit_watts=400.0,
    mig_enabled=False,
    unavailable=(("fan_percent", "not_supported"),),
    recent_busy_percent=None,
    recent_seconds=None,
)
EIGHT_A100 = tuple(replace(A100, index=index, cuda_index=None, uuid=f"GPU-{index}") for index in range(8))

_UNKNOWN = (
    "name", "uuid", "pci_bus_id", "compute_capability", "architecture", "virtualization", "memory",
    "utilization_percent", "memory_utilization_percent", "temperature_celsius", "power_watts", "power_limit_watts",
    "energy_joules", "graphics_clock_mhz", "memory_clock_mhz", "slowdown_reasons", "performance_state", "fan_percent",
    "ecc_enabled", "ecc_errors", "persistence_enabled", "mig_enabled", "processes", "recent_busy_percent",
    "recent_seconds",
)  # fmt: skip
MUTE_GPU = replace(
    T4,
    cuda_index=None,
    **dict.fromkeys(_UNKNOWN),
    fault="gpu_lost",
    unavailable=tuple((field, "gpu_lost") for field in _UNKNOWN),
)
UNTOLD_GPU = replace(MUTE_GPU, fault=None, unavailable=tuple((field, "no_permission") for field in _UNKNOWN))
"""A GPU that is there and of which nothing is told; `MUTE_GPU` is one that is lost."""

GB10 = replace(
    T4,
    name="NVIDIA GB10",
    memory=None,
    power_limit_watts=None,
    processes=(replace(T4.processes[0], memory_used_bytes=3 * GIB),),
    unavailable=(("memory", "unified_memory"), ("power_limit_watts", "not_supported")),
    recent_busy_percent=None,
    recent_seconds=None,
)
SLICE = MigSlice(
    index=2,
    cuda_index=0,
    name="NVIDIA H100 80GB HBM3 MIG 1g.10gb",
    uuid="MIG-1",
    memory=GpuMemory(total_bytes=9984 * MIB, used_bytes=1024 * MIB, free_bytes=8960 * MIB, reserved_bytes=0),
    processes=(),
)
MIG_IN_A_CONTAINER = replace(
    A100,
    name="NVIDIA H100 80GB HBM3",
    cuda_index=None,
    memory=None,
    utilization_percent=None,
    memory_utilization_percent=None,
    mig_enabled=True,
    slices=(SLICE,),
    processes=None,
    unavailable=(
        ("memory", "no_permission"),
        ("utilization_percent", "not_supported"),
        ("memory_utilization_percent", "not_supported"),
        ("processes", "no_permission"),
    ),
)
TORCH = Framework(
    name="torch", version="2.11.0+cu128", loaded=True, cuda_version="12.8", cpu_only=False, initialized=False
)
TORCH_CPU = replace(TORCH, version="2.11.0+cpu", cuda_version=None, cpu_only=True)
KAGGLE_TORCH = replace(
    TORCH,
    version="2.10.0+cu128",
    architectures=("sm_70", "sm_75", "sm_80", "sm_86", "sm_90", "sm_100", "sm_120"),
    architectures_source="package",
    platform="linux_x86_64",
)
OLD_TORCH = replace(
    KAGGLE_TORCH,
    version="2.5.1+cu124",
    cuda_version="12.4",
    architectures=("sm_50", "sm_60", "sm_70", "sm_75", "sm_80", "sm_86", "sm_90"),
)
TENSORFLOW = replace(
    KAGGLE_TORCH,
    name="tensorflow",
    version="2.20.0",
    cuda_version="12.5",
    architectures=("sm_60", "sm_70", "sm_80", "sm_89", "sm_90", "compute_90"),
)

FRAME = Holder(
    keeper=Keeper.VARIABLE,
    name="frame",
    type_name="pandas.core.frame.DataFrame",
    shape=None,
    ram_bytes=3 * GIB,
    devices=(),
    is_at_least=True,
    shares_with=None,
)
WEIGHTS = replace(
    FRAME,
    name="weights",
    type_name="torch.Tensor",
    shape="float32 4096 x 4096",
    ram_bytes=0,
    devices=(OnDevice(device="cuda:0", size_bytes=64 * MIB),),
    is_at_least=False,
)
OUTPUT = replace(FRAME, keeper=Keeper.OUTPUT, name="Out[3]", type_name="numpy.ndarray", shape="float64 1000 x 1000",
                 ram_bytes=8_000_000, is_at_least=False)  # fmt: skip
BATCH = replace(OUTPUT, keeper=Keeper.ERROR, name="batch in train()", ram_bytes=381 * MIB)
HOLDERS = Holders(
    largest=(FRAME, BATCH, OUTPUT, WEIGHTS),
    looked_at=23,
    ram_bytes=3 * GIB + 381 * MIB + 8_000_000,
    is_at_least=True,
    traceback_bytes=381 * MIB,
    hidden_bytes=381 * MIB + 8_000_000,
    deletion=Deletion(names=("frame",), is_kept_elsewhere=False),
)
RELEASE = Release(
    let_go=(BATCH, OUTPUT),
    let_go_bytes=381 * MIB + 8_000_000,
    results=7,
    has_dropped_error=True,
    error_kept_by=None,
    ram_before_bytes=4 * GIB,
    ram_after_bytes=4 * GIB - 389 * MIB,
    caches=(Cache(framework="torch", device=0, reserved_before_bytes=11 * GIB, reserved_after_bytes=9 * GIB),),
    failed=(),
)
TORCH_MEMORY = FrameworkMemory(
    framework="torch", device=0, allocated_bytes=9 * GIB, reserved_bytes=11 * GIB, peak_bytes=10 * GIB
)
T4_SHARES = GpuShares(
    index=0,
    slice_index=None,
    total_bytes=15 * GIB,
    frameworks=(TORCH_MEMORY,),
    context_bytes=300 * MIB,
    other_processes_bytes=0,
    untold_bytes=0,
    driver_bytes=450 * MIB,
    free_bytes=15 * GIB - 11 * GIB - 750 * MIB,
)
T4_WORK = GpuWork(
    index=0,
    name="Tesla T4",
    busy_percent=84.0,
    busy_source="driver",
    memory_before_bytes=GIB,
    memory_after_bytes=9 * GIB,
    memory_peak_bytes=11 * GIB,
    peak_source="sampled",
    energy_joules=840.0,
    slowdown_reasons=(),
    memory_total_bytes=15 * GIB,
)
A_CELL = Cell(
    number=7,
    first_line="history = model.fit(x, y, epochs=3)",
    wall_seconds=42.0,
    cpu_seconds=51.0,
    ram_before_bytes=2 * GIB,
    ram_after_bytes=3 * GIB,
    ram_peak_bytes=5 * GIB,
    peak_method=PeakMethod.RESET,
    peak_error_bytes=256 * 1024,
    largest_child_bytes=None,
    failed=False,
    gpus=(T4_WORK,),
)
A_SESSION = SessionSums(
    measured=1_234, failed=2, remembered=1_050, wall_seconds=7_450.0, cpu_seconds=9_000.0, energy_joules=123_456.0
)
A_SESSION_S_CELLS = (
    A_CELL,
    replace(
        A_CELL,
        number=12,
        first_line="big = pd.concat([pd.read_csv(name) for name in names])",
        wall_seconds=200.0,
        cpu_seconds=180.0,
        ram_peak_bytes=3 * GIB,
        ram_after_bytes=2 * GIB + 100 * MIB,
        largest_child_bytes=512 * MIB,
        failed=True,
        gpus=(replace(T4_WORK, busy_percent=0.0, memory_peak_bytes=GIB, energy_joules=2_000.0),),
    ),
    replace(A_CELL, number=3, first_line="x = 1", wall_seconds=0.012, cpu_seconds=0.01, ram_peak_bytes=2 * GIB,
            ram_after_bytes=GIB, gpus=None),
)  # fmt: skip
"""As `Session.most` gives them: by their peaks of RAM."""
OF_CELLS: dict[str, Any] = {
    **dict.fromkeys(("gpus", "driver", "tpus", "frameworks", "disks", "cpu")),
    "cells": A_SESSION_S_CELLS,
    "session": A_SESSION,
}
"""What a report on the cells of a session has, beside the RAM."""
NO_CELLS: dict[str, Any] = {
    **OF_CELLS,
    "cells": (),
    "session": SessionSums(measured=0, failed=0, remembered=0, wall_seconds=0.0, cpu_seconds=0.0, energy_joules=None),
}
OUT_OF_MEMORY = OutOfMemory(
    memory=Memory.GPU,
    error="torch.OutOfMemoryError",
    framework="torch",
    device=0,
    asked_bytes=4 * GIB,
    array=None,
    free_bytes=3 * GIB,
    total_bytes=15 * GIB,
    frameworks=(TORCH_MEMORY,),
)

SILENT = Unavailable(code="driver_silent", values=(("seconds", 3.0),))


def a_ram(total_gib: float, **changes: Any) -> Ram:
    """RAM of a machine of this size, a tenth of it in use; a limit that is given is its capacity too."""
    total = int(total_gib * GIB)
    left = total - total // 10
    machine = Usage(total_bytes=total, used_bytes=total - left)
    figures = {"machine": machine, "available_bytes": left, "headroom_bytes": left, "limit_bytes": total,
               "limited_by": "machine", **changes}  # fmt: skip
    capacity = {"capacity_bytes": figures["limit_bytes"], "capacity_by": figures["limited_by"]}
    return replace(RAM, **{**capacity, **figures})


def a_snapshot(**changes: Any) -> Snapshot:
    """A free Colab runtime with a T4, with these sections changed."""
    whole = Snapshot(
        taken_at=datetime(2026, 11, 22, 12, 0, 0, 250_000, tzinfo=UTC),
        platform=COLAB,
        driver=DRIVER,
        gpus=(T4,),
        tpus=(),
        ram=RAM,
        disks=(DISK,),
        cpu=CPU,
    )
    return replace(whole, **changes)


def a_report(subject: Subject = Subject.RUNTIME, **changes: Any) -> Report:
    """The report on `a_snapshot(**changes)`, judged as usual."""
    snapshot = a_snapshot(**changes)
    return Report(subject=subject, snapshot=snapshot, findings=judge(subject, snapshot))


CPU_RUNTIME = {"gpus": (), "driver": None}
HUNG_DRIVER = {"gpus": SILENT, "driver": None}
NOTHING_AVAILABLE = {
    "gpus": SILENT,
    "driver": None,
    "ram": Unavailable(code="unreadable", values=(("error", "PermissionError"),)),
    "disks": Unavailable(code="unreadable", values=(("error", "OSError"),)),
    "cpu": Unavailable(code="unreadable", values=(("error", "OSError"),)),
    "platform": replace(COLAB, machine_age_seconds=None, kernel_age_seconds=None, ipython_version=None),
}


def versions(**packages: str | None) -> tuple[Package, ...]:
    """Packages, None for one that is not installed."""
    return tuple(
        Package(name=name, is_installed=version is not None, version=version) for name, version in packages.items()
    )


A_WORKER = replace(JUPYTER, ipython_version=None)
ODD_PYTHON = replace(A_WORKER, python_version="3.12.3")
NODES = (
    Node(number=1, address="10.0.0.4", workers=4, report=a_report(
        platform=A_WORKER, gpus=EIGHT_A100, ram=a_ram(1000.0), packages=versions(numpy="2.1.3", pandas="2.2.3"))),
    Node(number=2, address="10.0.0.5", workers=4, report=a_report(
        platform=A_WORKER, packages=versions(numpy="2.1.3", pandas="2.2.3"))),
    Node(number=3, address="10.0.0.6", workers=4, report=a_report(
        platform=ODD_PYTHON, ram=a_ram(12.7, headroom_bytes=GIB // 4, kernel_bytes=10 * GIB),
        packages=versions(numpy="1.26.4", pandas=None), **CPU_RUNTIME)),
    Node(number=4, address="10.0.0.7", workers=1, report=Unavailable(code="node_silent", values=(("seconds", 15.0),))),
    Node(number=5, address="10.0.0.8", workers=2, report=Unavailable(
        code="node_lacks_package", values=(("engine", "dask"),))),
    Node(number=6, address="10.0.0.9", workers=4, report=a_report(
        platform=A_WORKER, packages=versions(numpy="2.1.3", pandas="2.2.3"), driver=None,
        gpus=Unavailable(code="driver_slow", values=(("seconds", 6.0),)))),
)  # fmt: skip
A_CLUSTER = cluster_of("dask", NODES, a_snapshot(packages=versions(numpy="2.1.3", pandas="2.2.2")))
OF_A_CLUSTER: dict[str, Any] = {
    **dict.fromkeys(("gpus", "driver", "tpus", "ram", "disks", "cpu")),
    "cluster": A_CLUSTER,
}
"""What a report on a cluster has."""
