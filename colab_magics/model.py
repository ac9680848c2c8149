"""What was seen and what is advised: frozen values, nothing else.

Units are part of the names: `_bytes` are integers; `_seconds`, `_percent`, `_watts`, `_celsius` are floats.
There are three kinds of nothing. An empty tuple: there is none. `None` for a field: this device or system does not
report it; where the cause is known it stands in `unavailable`. `Unavailable` in place of a section: nobody could look.
A section of a `Snapshot` that is None was not asked for.
The model holds no sentence: `views.words` chooses the words for every reason and rule named here.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

Value = str | int | float
Values = tuple[tuple[str, Value], ...]


class Subject(enum.StrEnum):
    """What a report is about: the question that was asked."""

    GPU = "gpu"
    RAM = "ram"
    RUNTIME = "runtime"


class Service(enum.StrEnum):
    """Where this Python runs; facts/platforms.toml says by which signs each is known.

    COLAB is Google's hosted Colab, COLAB_LOCAL Colab's kernel or image on a machine of one's own. JUPYTER is any other
    kernel, TERMINAL IPython in a terminal, PYTHON what has no IPython.
    """

    COLAB = "colab"
    COLAB_ENTERPRISE = "colab_enterprise"
    COLAB_LOCAL = "colab_local"
    KAGGLE = "kaggle"
    VERTEX_WORKBENCH = "vertex_workbench"
    DATABRICKS = "databricks"
    SAGEMAKER_STUDIO_LAB = "sagemaker_studio_lab"
    SAGEMAKER = "sagemaker"
    PAPERSPACE = "paperspace"
    LIGHTNING = "lightning"
    BINDER = "binder"
    VSCODE = "vscode"
    PYCHARM = "pycharm"
    JUPYTER = "jupyter"
    TERMINAL = "terminal"
    PYTHON = "python"


class Severity(enum.IntEnum):
    """How much an advice matters; the greater comes first. A hint is good to know, and shown on request only."""

    HINT = 0
    INFO = 1
    WARNING = 2
    ERROR = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Unavailable:
    """A section nobody could look at.

    `reason` is a key of `views.words.REASONS`; `values` are the figures its sentence needs, by name.
    """

    reason: str
    values: Values = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """How much there is of something, and how much of it is taken."""

    total_bytes: int
    used_bytes: int

    @property
    def used_percent(self) -> float:
        """The share that is taken, 0 to 100; 0 where there is nothing to take."""
        return 100 * self.used_bytes / self.total_bytes if self.total_bytes else 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class GpuMemory:
    """A GPU's own memory. `reserved_bytes` is the driver's share, neither used nor free.

    Drivers up to branch 470 do not tell it (None): they count it as used.
    """

    total_bytes: int
    used_bytes: int
    free_bytes: int
    reserved_bytes: int | None

    @property
    def used_percent(self) -> float:
        """The share that is in use, 0 to 100."""
        return 100 * self.used_bytes / self.total_bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class GpuProcess:
    """A process that the driver says holds a GPU: "compute", "graphics" or "mps", or several of them, in `kinds`.

    `pid` is as the driver reports it. In a container that may be a number of the host's: `is_here` is True for a
    process of this pid namespace, False for one outside, None where that cannot be told. `name` is its command's name,
    `is_this_kernel` True for this very process; both only where it is here for certain.
    """

    pid: int
    memory_used_bytes: int | None
    kinds: tuple[str, ...]
    is_here: bool | None
    is_this_kernel: bool
    name: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class MigSlice:
    """A MIG device: one isolated part of a GPU. `index` is its slot; use and temperature exist for the whole alone."""

    index: int
    cuda_index: int | None
    name: str | None
    uuid: str | None
    memory: GpuMemory | None
    processes: tuple[GpuProcess, ...] | None
    unavailable: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Gpu:
    """One NVIDIA GPU as the driver (NVML) describes it.

    `index` is NVML's, in PCI bus order, as in nvidia-smi; `cuda_index` is CUDA's number for it in this process, None
    unless certain; `is_hidden` is True where CUDA_VISIBLE_DEVICES keeps CUDA from it. `memory` is None for a GPU that
    has none of its own (reason "unified_memory"). The use figures are shares of the last sample period (1/6 to 1 s) in
    which something ran, or memory was read or written. `energy_joules` counts from the driver's start, `ecc_errors` are
    the uncorrected ones since then. `slowdown_reasons` says why clocks are low: "idle", "power_cap",
    "thermal_hardware", ...; an empty tuple: nothing holds them. `performance_state` is 0 (fastest) to 15. `fan_percent`
    is the intended speed, and may exceed 100. `compute_capability` is such as "7.5".
    `unavailable` holds (field, reason) for each field that is None because the driver would not tell, and "slices"
    where it would not list all of them.
    """

    index: int
    cuda_index: int | None
    is_hidden: bool
    name: str | None
    uuid: str | None
    pci_bus_id: str | None
    compute_capability: str | None
    architecture: str | None
    virtualization: str | None
    memory: GpuMemory | None
    utilization_percent: float | None
    memory_utilization_percent: float | None
    temperature_celsius: float | None
    power_watts: float | None
    power_limit_watts: float | None
    energy_joules: float | None
    graphics_clock_mhz: int | None
    memory_clock_mhz: int | None
    slowdown_reasons: tuple[str, ...] | None
    performance_state: int | None
    fan_percent: float | None
    ecc_enabled: bool | None
    ecc_errors: int | None
    persistence_enabled: bool | None
    mig_enabled: bool | None
    slices: tuple[MigSlice, ...]
    processes: tuple[GpuProcess, ...] | None
    unavailable: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Framework:
    """A numerical framework that is installed: read from its package's notes and from loaded modules, never imported.

    `cuda_version` is the CUDA version ("12.8", or "12" where only the major is told) its build was made for, None for a
    build without CUDA or where that cannot be told. `cpu_only` is True for a build that cannot use an NVIDIA GPU, None
    where that cannot be told. `initialized` tells whether it has opened the GPU in this process already; None where it
    is not loaded or will not say.
    """

    name: str
    version: str
    loaded: bool
    cuda_version: str | None
    cpu_only: bool | None
    initialized: bool | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Driver:
    """The NVIDIA driver's version, and the newest CUDA version it can run."""

    version: str | None
    cuda_version: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Tpu:
    """One TPU chip: one PCI device, of whatever number of cores.

    `index` counts in the order of PCI addresses; it is not the number JAX gives a device. `kind` is the chip ("v5e"),
    `accelerator_type` what the environment (TPU_ACCELERATOR_TYPE) calls the whole machine ("v5e-1"), in its own words.
    `memory_bytes` is the chip's memory (HBM) as published for its kind: a fact, not a reading, and somewhat more than
    programs are given. `held_by` are the pids of this user's processes that have the chip's device file open, this
    kernel's among them; None where that cannot be told. Where the environment alone tells of a TPU, all but its words
    is None, and there may be more than this one.
    """

    index: int
    kind: str | None
    accelerator_type: str | None
    memory_bytes: int | None
    pci_address: str | None
    held_by: tuple[int, ...] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class OtherKernel:
    """Another kernel of the same user on this machine, and its resident memory."""

    pid: int
    resident_bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Ram:
    """The machine's memory, the container's limits on it, and this kernel's share.

    `machine` counts as used what is not available (MemTotal less MemAvailable), as Colab's own panel does.
    `headroom_bytes` can still be allocated before something bites: the least over MemAvailable and every cgroup
    level. `limited_by` names what bites: "machine", "cgroup_v1" or "cgroup_v2"; for a cgroup, `limit_bytes` is its
    limit and `limit_level` how far up it is (0: this process's own group).
    `kernel_bytes` is this process's resident memory, `children_bytes` that of the processes below it but for our own
    observer, whose memory is `observer_bytes` (0 while it does not run). `swap_used_bytes` is the machine's.
    `kernel_proportional_bytes` (PSS) and `other_kernels` are dear and read only on request; None otherwise.
    """

    machine: Usage
    available_bytes: int
    headroom_bytes: int
    limited_by: str
    limit_bytes: int
    limit_level: int | None
    kernel_bytes: int | None
    children_bytes: int | None
    observer_bytes: int
    swap_used_bytes: int | None
    kernel_proportional_bytes: int | None
    other_kernels: tuple[OtherKernel, ...] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Cpu:
    """The processors this process may use.

    `usable_cores` is the least of affinity and the container's quota, so it may be a fraction.
    `load_average` is the machine's run queue over the last minute; None where the system keeps none.
    """

    usable_cores: float
    logical_cores: int
    quota_cores: float | None
    load_average: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Disk:
    """One file system. `places` says which of ours lie on it: "/", "working directory"; never a path of a home."""

    places: tuple[str, ...]
    usage: Usage
    free_bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Platform:
    """Where this Python runs and how long it has been there.

    `image` is the build of Colab's image (COLAB_RELEASE_TAG), which Kaggle's is made from; None anywhere else.
    Three clocks, none of which says when the machine was handed to its user, or when it will be taken back.
    `machine_age_seconds` counts from the machine's boot: a new kernel does not reset it, so it bounds the runtime's age
    from above. `container_age_seconds` is the age of process 1, a second such bound; None where that began with the
    machine or cannot be read. `kernel_age_seconds` counts from the start of this process: "Restart session" resets it.
    """

    service: Service
    operating_system: str
    python_version: str
    ipython_version: str | None
    machine_age_seconds: float | None
    kernel_age_seconds: float | None
    container_age_seconds: float | None = None
    image: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class GpuSample:
    """One GPU at one moment; what the driver would not tell is None."""

    memory_used_bytes: int | None
    utilization_percent: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """What the observer noted at one moment, `seconds_ago` before the snapshot that holds it.

    An older one may stand for a short span up to that moment: the least headroom, and the greatest of all else.
    `ram_headroom_bytes` and `kernel_bytes` mean what they do in `Ram`. `cpu_percent` is how much of the cores that this
    kernel may use was busy since the sample before, 0 to 100: the machine's work on these cores or, where a container's
    quota is what bites, the container's; None for the first sample. `gpus` has one entry for each GPU, in NVML's order.
    """

    seconds_ago: float
    ram_headroom_bytes: int | None
    kernel_bytes: int | None
    cpu_percent: float | None
    gpus: tuple[GpuSample, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """What was seen at `taken_at` (UTC). A section that is None was not asked for.

    `samples` are the last minutes, the oldest first; empty where the observer has none yet or cannot be had.
    """

    taken_at: datetime
    platform: Platform
    driver: Driver | None = None
    gpus: tuple[Gpu, ...] | Unavailable | None = None
    tpus: tuple[Tpu, ...] | None = None
    frameworks: tuple[Framework, ...] | None = None
    ram: Ram | Unavailable | None = None
    disks: tuple[Disk, ...] | Unavailable | None = None
    cpu: Cpu | Unavailable | None = None
    samples: tuple[Sample, ...] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """From when on a rule speaks."""

    gpu_memory_free_percent: float = 5.0
    gpu_idle_memory_percent: float = 10.0
    ram_headroom_percent: float = 10.0
    disk_free_percent: float = 10.0
    kernel_ram_percent: float = 50.0
    runtime_age_hours: float = 10.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Advice:
    """A rule that applies, and the figures its sentences need, by name."""

    rule: str
    severity: Severity
    values: Values = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """What was seen and what is advised of it, the most serious first."""

    subject: Subject
    snapshot: Snapshot
    advice: tuple[Advice, ...]
