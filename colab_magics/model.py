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
    """Where this Python runs."""

    COLAB = "colab"
    KAGGLE = "kaggle"
    JUPYTER = "jupyter"
    TERMINAL = "terminal"
    PYTHON = "python"


class Severity(enum.IntEnum):
    """How much an advice matters; the greater comes first."""

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
class GpuProcess:
    """A process that the driver says holds a GPU.

    `pid` is as the driver reports it: in a container it may belong to another pid namespace.
    """

    pid: int
    memory_used_bytes: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Gpu:
    """One NVIDIA GPU as the driver (NVML) describes it.

    `index` is NVML's, in PCI bus order; `cuda_index` is CUDA's number for it in this process, None unless certain.
    `utilization_percent` is the share of the last sample period (1/6 to 1 s) in which a kernel ran.
    `unavailable` holds (field, reason) for each field that is None because the driver would not tell.
    """

    index: int
    cuda_index: int | None
    name: str | None
    uuid: str | None
    memory: Usage | None
    utilization_percent: float | None
    temperature_celsius: float | None
    power_watts: float | None
    power_limit_watts: float | None
    processes: tuple[GpuProcess, ...] | None
    unavailable: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Driver:
    """The NVIDIA driver's version, and the newest CUDA version it can run."""

    version: str | None
    cuda_version: str | None


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
    observer, whose memory is `observer_bytes` (0 while it does not run).
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

    `tpu_type` is what Google's TPU machines put in TPU_ACCELERATOR_TYPE, such as "v5e-1".
    `machine_age_seconds` counts from the machine's boot, `kernel_age_seconds` from the start of this process.
    """

    service: Service
    operating_system: str
    python_version: str
    ipython_version: str | None
    tpu_type: str | None
    machine_age_seconds: float | None
    kernel_age_seconds: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """What was seen at `taken_at` (UTC). A section that is None was not asked for."""

    taken_at: datetime
    platform: Platform
    driver: Driver | None = None
    gpus: tuple[Gpu, ...] | Unavailable | None = None
    ram: Ram | Unavailable | None = None
    disks: tuple[Disk, ...] | Unavailable | None = None
    cpu: Cpu | Unavailable | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """From when on a rule speaks."""

    ram_headroom_percent: float = 10.0
    disk_free_percent: float = 10.0


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
