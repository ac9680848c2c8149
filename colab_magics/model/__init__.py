"""What was seen and found, and how a requirement stands: frozen values, nothing else.

Who holds memory stands in `holders`, what cells took in `cells`, the machines of a cluster in `cluster`.

Units are part of the names: `_bytes` are integers; `_seconds`, `_percent`, `_watts`, `_celsius` are floats. There are
three kinds of nothing. An empty tuple: there is none. `None` for a field: this device or system does not report it; the
reason, where it is known, stands in `unavailable`. `Unavailable` in place of a section: nobody could look. A section of
a `Snapshot` that is None was not asked for. The model holds no sentence: a rule's stands beside the rule, a code's in
`views.messages`.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from colab_magics.values import Value

if TYPE_CHECKING:
    from datetime import datetime
    from typing import TypeAlias, TypeVar

    from colab_magics.model.cells import Cell, OutOfMemory, SessionSums
    from colab_magics.model.cluster import Cluster
    from colab_magics.model.holders import GpuShares, Holders, Release

    Thing = TypeVar("Thing")
    Spoken: TypeAlias = "str | int | float | tuple[str, ...] | tuple[int, ...] | Unavailable"
    """A figure or a name that a sentence needs; the sentence says how it is spoken."""
    Values: TypeAlias = "tuple[tuple[str, Spoken], ...]"
    """Values by name."""


class Subject(enum.StrEnum):
    """What a report is about: the question that was asked."""

    GPU = "gpu"
    RAM = "ram"
    RUNTIME = "runtime"
    CELL = "cell"
    """What a cell took."""
    CELLS = "cells"
    """Which cells of this session took most."""
    OUT_OF_MEMORY = "out_of_memory"
    """Why a cell ran out of memory."""
    CLUSTER = "cluster"
    """What the machines of a cluster are."""


class Severity(enum.IntEnum):
    """How much a finding matters; the greater comes first. A hint is good to know, and shown on request only."""

    HINT = 0
    INFO = 1
    WARNING = 2
    ERROR = 3


class Unavailable(Value):
    """A section nobody could look at."""

    code: str
    """Why, as a key of `views.messages.REASONS` or `FIELD_REASONS`."""
    values: Values = ()
    """What the reason's sentence needs."""


class Usage(Value):
    """How much there is of something, and how much of it is taken."""

    total_bytes: int
    """All there is."""
    used_bytes: int
    """What is taken."""

    @property
    def used_percent(self) -> float:
        """The share that is taken, 0 to 100; 0 where there is nothing to take."""
        return 100 * self.used_bytes / self.total_bytes if self.total_bytes else 0.0


class GpuMemory(Value):
    """A GPU's own memory."""

    total_bytes: int
    """All there is, the driver's share included."""
    used_bytes: int
    """What programs hold; with drivers up to branch 470 the driver's share too."""
    free_bytes: int
    """What can still be allocated."""
    reserved_bytes: int | None
    """The driver's share, neither used nor free; None where the driver counts it as used."""

    @property
    def used_percent(self) -> float:
        """The share that is in use, 0 to 100."""
        return 100 * self.used_bytes / self.total_bytes


class GpuProcess(Value):
    """A process that the driver says holds a GPU."""

    pid: int
    """As the driver reports it: in a container it may be a number of the host's."""
    memory_used_bytes: int | None
    """What it holds of the GPU's memory."""
    kinds: tuple[str, ...]
    """Those of "compute", "graphics" and "mps" that it is."""
    is_here: bool | None
    """True for a process of this pid namespace, False for one outside, None where that cannot be told."""
    is_this_kernel: bool
    """True for this very process; only where it is here for certain."""
    name: str | None
    """Its command's name; only where it is here for certain."""


class MigSlice(Value):
    """A MIG device: one isolated part of a GPU. Use and temperature exist for the whole GPU alone."""

    index: int
    """Its slot on the GPU."""
    cuda_index: int | None
    """CUDA's number for it in this process; None unless certain."""
    name: str | None
    """As the driver calls it, such as "NVIDIA H100 80GB HBM3 MIG 1g.10gb"."""
    uuid: str | None
    """As CUDA_VISIBLE_DEVICES names it, such as "MIG-..."."""
    memory: GpuMemory | None
    """Its part of the GPU's memory."""
    processes: tuple[GpuProcess, ...] | None
    """Who holds it."""
    unavailable: tuple[tuple[str, str], ...] = ()
    """(field, reason) for each field that is None because the driver would not tell."""


_LEAST_BUSY_PERCENT = 1.0
"""What is less is not said to be busy: a desktop does as much."""


class Gpu(Value):
    """One NVIDIA GPU as the driver (NVML) describes it."""

    index: int
    """NVML's number, in PCI bus order, as in nvidia-smi."""
    cuda_index: int | None
    """CUDA's number for it in this process; None unless certain."""
    is_hidden: bool
    """True where CUDA_VISIBLE_DEVICES certainly keeps CUDA from it."""
    name: str | None
    """The driver's name for it, such as "Tesla T4"."""
    uuid: str | None
    """Such as "GPU-2d3c6a4e-..."."""
    pci_bus_id: str | None
    """Its address, such as "00000000:00:04.0"."""
    compute_capability: str | None
    """Such as "7.5"."""
    architecture: str | None
    """Such as "Turing"."""
    virtualization: str | None
    """How it is handed to this machine, such as "pass-through"."""
    memory: GpuMemory | None
    """None also for a GPU that shares the machine's RAM (reason "unified_memory")."""
    utilization_percent: float | None
    """The share of the last sample period (1/6 to 1 s) in which something ran."""
    memory_utilization_percent: float | None
    """The share of that period in which its memory was read or written."""
    temperature_celsius: float | None
    """Of the chip."""
    power_watts: float | None
    """What it draws."""
    power_limit_watts: float | None
    """What it may draw."""
    energy_joules: float | None
    """What it has drawn since the driver started."""
    graphics_clock_mhz: int | None
    """Of its processors."""
    memory_clock_mhz: int | None
    """Of its memory."""
    slowdown_reasons: tuple[str, ...] | None
    """Why its clocks are low: "power_cap", "thermal_hardware", ...; empty: nothing holds them down."""
    performance_state: int | None
    """0 (fastest) to 15."""
    fan_percent: float | None
    """The intended speed; it may exceed 100."""
    ecc_enabled: bool | None
    """Whether memory errors are corrected."""
    ecc_errors: int | None
    """Errors that could not be corrected, since the driver started."""
    persistence_enabled: bool | None
    """Whether the driver stays loaded while nobody uses the GPU."""
    mig_enabled: bool | None
    """Whether it is divided into MIG devices."""
    slices: tuple[MigSlice, ...]
    """Its MIG devices."""
    processes: tuple[GpuProcess, ...] | None
    """Who holds it."""
    unavailable: tuple[tuple[str, str], ...] = ()
    """(field, reason) for each field that is None because the driver would not tell; "slices" where it would not list
    all of them."""
    fault: str | None = None
    """Why it cannot be used as a whole, as a reason: it is lost, or the driver refuses to open it."""
    recent_busy_percent: float | None = None
    """The share of the last `recent_seconds` in which something ran, by what the driver has noted itself; None without
    a reason where it has noted nothing lately."""
    recent_seconds: float | None = None
    """How far back that goes: 10 to 20 s on most."""

    @property
    def was_busy(self) -> bool:
        """Whether something has run there lately, as far as the driver has noted."""
        return self.recent_busy_percent is not None and self.recent_busy_percent >= _LEAST_BUSY_PERCENT

    @property
    def is_idle(self) -> bool:
        """Whether nothing runs there, and nothing has lately: a report alone is always asked for between two cells."""
        return self.utilization_percent == 0 and not self.was_busy


class Framework(Value):
    """A numerical framework that is installed, as its package and its loaded modules tell: it is never imported."""

    name: str
    """Its package's name: "torch", "jax", "tensorflow", "cupy"."""
    version: str
    """Its package's version."""
    loaded: bool
    """Whether it is imported in this process."""
    cuda_version: str | None
    """The CUDA its build is for ("12.8", or "12" where only the major is told); None for none, or where untold."""
    cpu_only: bool | None
    """True for a build that cannot use an NVIDIA GPU, None where that cannot be told."""
    initialized: bool | None
    """Whether it has opened the GPU in this process; None where it is not loaded or will not say."""
    architectures: tuple[str, ...] | None = None
    """What its build has code for, in the build's own words ("sm_70"; "compute_90" is code that a driver translates for
    later GPUs); None where that cannot be told."""
    architectures_source: str | None = None
    """How that is known: "package" where its own files tell, "published" where a table of builds does."""
    platform: str | None = None
    """What its build runs on, as the tags of wheels name it: "linux_x86_64"; None where nobody looked."""


class Package(Value):
    """A package that was asked for, as its metadata tells: it is never imported."""

    name: str
    """In lower case, its words joined by "-" (PEP 503)."""
    is_installed: bool
    """Whether it is found where Python looks for modules, but for the working directory."""
    version: str | None
    """Such as "2.11.0+cu128"; None where it is not installed, or its metadata does not tell."""


class Driver(Value):
    """The NVIDIA driver."""

    version: str | None
    """Such as "580.82.07"."""
    cuda_version: str | None
    """The newest CUDA version that it can run, such as "12.8"."""
    has_cuda_library: bool | None = None
    """False where CUDA's own library (libcuda) is not here, so that no program can use the GPUs; None: not known."""


class Tpu(Value):
    """One TPU chip: one PCI device, of whatever number of cores.

    Where the environment alone tells of a TPU, all but its `accelerator_type` is None, and there may be more than one.
    """

    index: int
    """In the order of PCI addresses; not the number that JAX gives a device."""
    kind: str | None
    """The chip: "v5e"."""
    accelerator_type: str | None
    """What the environment (TPU_ACCELERATOR_TYPE) calls the whole machine, in its own words: "v5e-1"."""
    memory_bytes: int | None
    """The chip's memory (HBM) as published for its kind: a fact, not a reading; programs are given somewhat less."""
    pci_address: str | None
    """Such as "0000:00:05.0"."""
    held_by: tuple[int, ...] | None
    """The pids of this user's processes that have the chip's device file open; None where that cannot be told."""


class OtherKernel(Value):
    """Another kernel of the same user on this machine."""

    pid: int
    """Its process number."""
    resident_bytes: int
    """Its resident memory."""


class Ram(Value):
    """The machine's memory, the container's limits on it, and this kernel's share."""

    machine: Usage
    """The machine's: used is what is not available (MemTotal less MemAvailable), as in Colab's own panel."""
    available_bytes: int
    """The machine's MemAvailable, and what the cache of ZFS gives back."""
    capacity_bytes: int
    """What this process may use in all: the least of the machine's memory, every cgroup level's limit, the process's
    own limits (RLIMIT_AS, RLIMIT_DATA), and what the machine may promise (vm.overcommit_memory=2)."""
    capacity_by: str
    """Which of them that is: "machine", "cgroup_v1", "cgroup_v2", "rlimit_as", "rlimit_data" or "commit"."""
    headroom_bytes: int
    """What can still be allocated before a limit is reached: the least that any of them leaves."""
    limited_by: str
    """The limit that is reached first, in the same words; it may be another one than `capacity_by`."""
    limit_bytes: int
    """The size of the limit that is reached first."""
    limit_level: int | None
    """How many levels up the cgroup is whose limit is reached first (0: this process's own); None where it is no
    cgroup's."""
    kernel_bytes: int | None
    """This process's resident memory."""
    children_bytes: int | None
    """What its child processes hold in addition, without our own observer, to within a tenth or half a GiB. Shared
    memory is counted once (by PSS) where it would matter more; None if that took too long."""
    observer_bytes: int
    """Our observer's resident memory; 0 while it does not run."""
    swap_used_bytes: int | None
    """What is swapped out to disk: of the nearest cgroup with a limit, where there is one; else of the machine."""
    kernel_proportional_bytes: int | None
    """This process's PSS; expensive, so read on request only, and None otherwise."""
    other_kernels: tuple[OtherKernel, ...] | None
    """The same user's other kernels; expensive, so looked for on request only, and None otherwise."""
    unavailable: tuple[tuple[str, str], ...] = ()
    """(field, reason) for each field that is None because the system reports an impossible value for it."""
    shared_bytes: int | None = None
    """The part of what is used under the limit reached first that is files in memory (tmpfs, such as /dev/shm) or
    shared by processes. Files free their memory when they are deleted, not when a process ends. None where the system
    does not tell."""
    killed_for_memory: int | None = None
    """At least how many processes of this one's control group the kernel has killed for lack of memory since the group
    was made, mostly since the container started. None where the system does not tell."""

    @property
    def is_mostly_shared(self) -> bool:
        """Whether most of what is used under the limit reached first is `shared_bytes`."""
        used_bytes = self.limit_bytes - self.headroom_bytes
        return self.shared_bytes is not None and 2 * self.shared_bytes >= used_bytes > 0

    @property
    def usage(self) -> Usage:
        """Of what this process may use, how much is taken: what cannot be allocated any more counts as used."""
        return Usage(total_bytes=self.capacity_bytes, used_bytes=max(0, self.capacity_bytes - self.headroom_bytes))

    @property
    def limiter(self) -> str:
        """What is reached first; "shared" for a group above with a larger limit, since there are others in it."""
        return "shared" if self.limit_level and self.limit_bytes > self.capacity_bytes else self.limited_by


class Cpu(Value):
    """The processor cores this process may use."""

    usable_cores: float
    """The lesser of the CPU affinity and the container's quota, so it may be a fraction."""
    logical_cores: int
    """The machine's cores that are online, whatever PYTHON_CPU_COUNT says."""
    quota_cores: float | None
    """The container's quota; None where it has none."""
    load_average: float | None
    """The machine's load average of the last minute; None where the system has none."""


SHARED_MEMORY = "/dev/shm"  # noqa: S108 - its name; nothing is written there
"""Where processes share memory as files; nothing there is kept."""

CONTAINER_SHARED_MEMORY_BYTES = 64 * 2**20
"""How much of it container engines give by default."""


class Disk(Value):
    """One file system; that of shared memory too, which is not counted among the runtime's disks."""

    places: tuple[str, ...]
    """Which of our places lie on it: "/", "working directory", "/dev/shm"; never a path below a home."""
    usage: Usage | None
    """How much there is, and how much is taken."""
    free_bytes: int | None
    """What this user can still write."""
    is_read_only: bool | None = None
    """Whether nothing can be written there, whatever is free."""
    total_inodes: int | None = None
    """How many files it can hold; None also where it does not count them."""
    free_inodes: int | None = None
    """How many more this user can make."""
    unavailable: Unavailable | None = None
    """Why its figures are not known, where they are not."""


class Frontend(Value):
    """Where a person sees what this Python displays, and what that page can do: a row of facts/frontends.toml."""

    key: str
    """Such as "jupyter", "colab_page", "terminal"."""
    shows_widgets: bool
    """Whether it can show ipywidgets at all."""
    shows_thread_updates: bool
    """Whether it shows what a background thread sends while no cell runs."""
    tells_whether_somebody_is_there: bool
    """Whether its requests say if somebody can answer; Jupyter's clients without a page say that nobody can."""


class Platform(Value):
    """Where this Python runs, and how long it has been there.

    Three clocks, none of which says when the machine was handed to its user, or when it will be taken back.
    """

    service: str | None
    """The service, as a key of facts/services.toml: "colab", "kaggle"; None on a machine of no service we know."""
    frontend: Frontend
    """Where a person sees what it displays."""
    operating_system: str
    """As Python calls it: "Linux"."""
    python_version: str
    """Such as "3.13.15"."""
    ipython_version: str | None
    """None outside IPython."""
    machine_age_seconds: float | None
    """Since the machine's boot: a new kernel does not reset it, so it bounds the runtime's age from above."""
    kernel_age_seconds: float | None
    """Since this process started: "Restart session" resets it."""
    container_age_seconds: float | None = None
    """The age of process 1, a second such bound; None where that began with the machine or cannot be read."""
    image: str | None = None
    """The build of Colab's image (COLAB_RELEASE_TAG), which Kaggle's is made from; None anywhere else."""


class GpuSample(Value):
    """One GPU at one moment; what the driver would not tell is None."""

    memory_used_bytes: int | None
    """As in `GpuMemory`."""
    utilization_percent: float | None
    """As in `Gpu`."""


class Sample(Value):
    """What the observer noted at one moment.

    An older one may stand for a short span up to that moment, with the least headroom and the greatest of every other
    figure.
    """

    seconds_ago: float
    """How long before the snapshot that holds it."""
    ram_headroom_bytes: int | None
    """As in `Ram`."""
    kernel_bytes: int | None
    """As in `Ram`."""
    cpu_percent: float | None
    """How busy the cores that this kernel may use were since the sample before, 0 to 100: by the machine's work on
    these cores or, where a container's quota limits more, by the container's; None for the first sample."""
    gpus: tuple[GpuSample, ...]
    """One for each GPU, in NVML's order."""


class Snapshot(Value):
    """What was seen. A section that is None was not asked for."""

    taken_at: datetime
    """In UTC."""
    platform: Platform | Unavailable
    """Where this Python runs."""
    driver: Driver | None = None
    """NVIDIA's driver, where there is one that answers."""
    gpus: tuple[Gpu, ...] | Unavailable | None = None
    """The NVIDIA GPUs."""
    visible_gpus: int | None = None
    """How many GPUs CUDA sees in this process, certain even where it is not which; None where that cannot be told."""
    tpus: tuple[Tpu, ...] | Unavailable | None = None
    """The TPU chips."""
    other_gpu_vendors: tuple[str, ...] | Unavailable | None = None
    """Whose GPUs there are beside NVIDIA's: "AMD", "Intel", "Apple"; looked for only where none of NVIDIA's is seen."""
    frameworks: tuple[Framework, ...] | Unavailable | None = None
    """The installed frameworks that could use the GPUs; looked for only where there are some."""
    ram: Ram | Unavailable | None = None
    """The memory."""
    disks: tuple[Disk, ...] | Unavailable | None = None
    """The file systems that a notebook writes to, and shared memory."""
    cpu: Cpu | Unavailable | None = None
    """The processor cores."""
    packages: tuple[Package, ...] | Unavailable | None = None
    """The packages that a requirement asks for, installed or not."""
    samples: tuple[Sample, ...] | None = None
    """The last minutes, the oldest first; empty where the observer has none yet or cannot be had."""
    holders: Holders | Unavailable | None = None
    """Who holds memory in this kernel."""
    released: Release | Unavailable | None = None
    """What was let go of before this look."""
    gpu_shares: tuple[GpuShares, ...] | Unavailable | None = None
    """Who holds each GPU's memory."""
    cells: tuple[Cell, ...] | None = None
    """What cells of this session took: one that was measured, or those that took most of anything, the first first."""
    session: SessionSums | None = None
    """What all cells took that were measured in this session."""
    out_of_memory: OutOfMemory | None = None
    """How memory has run out."""
    cluster: Cluster | None = None
    """The machines of a cluster."""

    @property
    def usable_gpus(self) -> tuple[Gpu, ...]:
        """The GPUs without those that the driver has lost or refuses to open."""
        return tuple(gpu for gpu in seen(self.gpus) if gpu.fault is None)

    @property
    def service(self) -> str | None:
        """The service that this runs on; None where it is none we know, or nobody could look."""
        return self.platform.service if isinstance(self.platform, Platform) else None

    @property
    def runtime_disks(self) -> tuple[Disk, ...]:
        """The disks where files are kept: all but shared memory."""
        return tuple(disk for disk in seen(self.disks) if disk.places != (SHARED_MEMORY,))

    @property
    def is_in_container(self) -> bool:
        """Whether this runs in a container for certain: by what its engine gives it, or by the age of its process 1."""
        shared = None if self.shared_memory is None else self.shared_memory.usage
        has_an_engine_s = shared is not None and shared.total_bytes <= CONTAINER_SHARED_MEMORY_BYTES
        age = self.platform.container_age_seconds if isinstance(self.platform, Platform) else None
        return has_an_engine_s or age is not None

    @property
    def shared_memory(self) -> Disk | None:
        """The file system of shared memory; None where there is none of its own."""
        return next((disk for disk in seen(self.disks) if SHARED_MEMORY in disk.places), None)


def seen(section: tuple[Thing, ...] | Unavailable | None) -> tuple[Thing, ...]:
    """Return the things of a section: none where there is none, where nobody could look, or where nobody asked."""
    return section if isinstance(section, tuple) else ()


class Finding(Value):
    """A rule that applies."""

    rule: str
    """The rule's name: a key of `rules.RULES`."""
    severity: Severity
    """How much it matters."""
    values: Values = ()
    """What the rule's sentence needs."""


KEYS = {
    "bf16": "that it computes bfloat16: GPUs from compute capability 8.0 on, and every TPU; takes no value",
    "cc": "a GPU's compute capability",
    "cores": "the processor cores that this process may use; a container's quota may be a fraction",
    "cuda": "the newest CUDA that the driver can run",
    "disk": "free disk space where the notebook is",
    "driver": "the version of NVIDIA's driver",
    "gpu": "a GPU of that name, the driver's or the menu's, by whole words: L4 is not an L40S, G4 is the RTX PRO 6000",
    "gpus": "how many GPUs meet everything else that is asked of a GPU",
    "python": "Python's version; Colab's runtime versions that have it are offered where this one has another",
    "ram": "the RAM that this process may use: the least of the machine's and of every limit",
    "ram_free": "the RAM that can still be allocated",
    "shm": "free shared memory (/dev/shm), where PyTorch's DataLoader and its workers put their data",
    "tpu": "a TPU of that name, by whole words",
    "vram": "a GPU's memory; >= forgives 5 %, because drivers report from 15 095 to 15 360 MiB for the same T4, and > "
            "asks for more than the card is sold as having",
    "vram_free": "the part of a GPU's memory that is free",
}  # fmt: skip
"""The keys of a requirement in the order of the alphabet, and what each asks; any other name is a package's."""

KEYS_OF_A_GPU = frozenset({"gpu", "gpus", "vram", "vram_free", "cc", "bf16"})
"""Those that ask about GPUs."""

KEYS_OF_THE_DRIVER = KEYS_OF_A_GPU | {"cuda", "driver"}
"""Those that NVIDIA's driver answers."""


class State(enum.StrEnum):
    """What is known of a requirement, or of a part of it."""

    MET = "met"
    UNMET = "unmet"
    UNKNOWN = "unknown"


class Remedy(enum.StrEnum):
    """What would make a requirement met that is not."""

    SHOW_GPUS = "show_gpus"
    """To take away what CUDA_VISIBLE_DEVICES hides."""
    INSTALL = "install"
    """To install packages."""
    MAKE_ROOM = "make_room"
    """To free memory or disk."""
    SHARE_MEMORY = "share_memory"
    """To start the container with more shared memory."""
    ANOTHER_MACHINE = "another_machine"
    """To take one of those that the service offers."""


class FoundGpu(Value):
    """What requirements ask of a GPU or MIG slice that CUDA can see. None: not known."""

    name: str | None
    """As the driver calls it."""
    memory_bytes: int | None
    """All its memory."""
    memory_free_bytes: int | None
    """What can still be allocated of it."""
    compute_capability: str | None
    """Such as "7.5"."""
    shares_ram: bool = False
    """Whether its memory is the machine's RAM."""


class Offer(Value):
    """A choice of a service's dialog."""

    name: str
    """The words to click: "T4 GPU", "GPU T4 x2"."""
    high_ram: bool = False
    """Whether it is the larger of the choice's two sizes of RAM."""
    paid: bool = False
    """Whether only those who pay get it."""
    is_current: bool = False
    """Whether it is the accelerator of this machine, with more RAM or another image."""
    images: tuple[str, ...] = ()
    """The images of which one is to be chosen with it, where the one in use would not do."""


class ClauseVerdict(Value):
    """How a clause of a requirement stands."""

    expression: str
    """The clause in its canonical form."""
    state: State
    """Whether it is met."""
    found: tuple[tuple[str, tuple[str | float | bool | None, ...] | None], ...]
    """What is there, by the clause's keys: a figure for each device (`gpu`, `vram`, `vram_free`, `cc`, `bf16`, `tpu`)
    or one for the machine; none if there is no such thing, as for a package that is not installed; None for a figure,
    or for them all, that is not known."""

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys it speaks of."""
        return tuple(key for key, _ in self.found)


class Verdict(Value):
    """How a requirement stands."""

    met: bool
    """Whether it passes."""
    clauses: tuple[ClauseVerdict, ...]
    """How each clause stands, for the GPU that comes nearest."""
    gpus: tuple[FoundGpu, ...] | None = None
    """Those that count; None if nobody could look."""
    met_separately: bool = False
    """Whether each clause would be met by itself, but no one GPU meets them all."""
    remedy: Remedy | None = None
    """What would help, beside installing what is to be installed."""
    to_install: tuple[str, ...] = ()
    """The packages to install, as pip takes them ("torch>=2.4"), where something is known to help."""
    offers: tuple[Offer, ...] = ()
    """The service's choices that would do, where another machine is the remedy."""
    others: tuple[Offer, ...] = ()
    """The service's choices that would do but for their name, where there are too few of those that are asked for."""
    unknown_names: tuple[tuple[str, str | None], ...] = ()
    """Names that are asked for in vain and that no table knows, each with the condition that was probably meant."""
