"""Rules about GPUs and their driver."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics.model import Severity, Subject, Unavailable, seen
from colab_magics.rules.rule import rule
from colab_magics.translation import N_, NP_

if TYPE_CHECKING:
    from colab_magics.model import Gpu, Snapshot, Values
    from colab_magics.model.holders import GpuShares
    from colab_magics.rules.rule import Rule

_MEMORY_FREE_PERCENT = 5.0
_IDLE_MEMORY_PERCENT = 10.0
_IN_USE_PERCENT = 5.0
_LEAST_SHARE_PERCENT = 10.0
_MOST_NAMES = 3

_STARTING = "driver_starting"
_NOT_ANSWERING = frozenset({"driver_silent", "driver_crashed", "driver_resting", "driver_slow"})
_NOT_KNOWN = frozenset(
    {"child_died", "child_nonsense", "gpu_not_told", "no_child", "tegra_library_missing", "wsl_library_missing"}
)
_NO_FAULT = frozenset({"linux_only", "unexpected"})
_GONE = frozenset({"gpu_lost", "gpu_needs_reset"})
HARMFUL_SLOWDOWNS = ("thermal_hardware", "thermal_software", "power_brake", "hardware_slowdown")
"""Those that are not a busy GPU's ordinary state."""


@rule(Subject.GPU, Severity.ERROR, "{cause:reason}", fixable_in_place=True, blocks_gpu=True, is_the_answer=True)
def driver_failed(snapshot: Snapshot) -> Values | None:
    """A GPU whose driver cannot be used: missing, not loaded, of two versions, without its GPUs, or closed to us."""
    gpus = snapshot.gpus
    if not isinstance(gpus, Unavailable) or gpus.code in _NOT_ANSWERING | _NOT_KNOWN | _NO_FAULT | {_STARTING}:
        return None
    return (("cause", gpus),)


@rule(Subject.GPU, Severity.WARNING, "{cause:reason}", fixable_in_place=True, blocks_gpu=True, is_the_answer=True)
def gpu_not_known(snapshot: Snapshot) -> Values | None:
    """Something speaks of a GPU and nothing here can ask for it, as on WSL or a Jetson without NVIDIA's library."""
    gpus = snapshot.gpus
    return (("cause", gpus),) if isinstance(gpus, Unavailable) and gpus.code in _NOT_KNOWN else None


@rule(Subject.GPU, Severity.ERROR, "{cause:reason}", fixable_in_place=True, blocks_gpu=True, is_the_answer=True)
def driver_not_answering(snapshot: Snapshot) -> Values | None:
    """The driver hangs, or takes down the process that asks it, or has been starting for so long that it may hang."""
    gpus = snapshot.gpus
    return (("cause", gpus),) if isinstance(gpus, Unavailable) and gpus.code in _NOT_ANSWERING else None


@rule(Subject.GPU, Severity.INFO, "{cause:reason}", fixable_in_place=True, blocks_gpu=True, is_the_answer=True)
def driver_starting(snapshot: Snapshot) -> Values | None:
    """The driver has not answered its first question yet: on some machines it needs seconds for each GPU."""
    gpus = snapshot.gpus
    return (("cause", gpus),) if isinstance(gpus, Unavailable) and gpus.code == _STARTING else None


@rule(Subject.GPU, Severity.INFO, N_("Not connected to a GPU."), is_the_answer=True)
def no_gpu(snapshot: Snapshot) -> Values | None:
    """There is no NVIDIA GPU, and no TPU either: not an error, but what most people came to ask."""
    return () if snapshot.gpus == () and not seen(snapshot.tpus) else None


@rule(
    Subject.GPU,
    Severity.ERROR,
    N_("GPU {index} is lost: no restart of the kernel brings it back."),
    blocks_gpu=True,
)
def gpu_lost(snapshot: Snapshot) -> Values | None:
    """A GPU has fallen off the bus (Xid 79) or hangs until it is reset: no restart of a kernel brings it back."""
    for gpu in seen(snapshot.gpus):
        if gpu.fault in _GONE:
            return (("index", gpu.index),)
    return None


@rule(
    Subject.GPU,
    Severity.ERROR,
    N_("GPU {index} cannot be used: {cause:field_reason}."),
    blocks_gpu=True,
)
def gpu_not_usable(snapshot: Snapshot) -> Values | None:
    """The driver counts a GPU and refuses to open it."""
    for gpu in seen(snapshot.gpus):
        if gpu.fault is not None and gpu.fault not in _GONE:
            return ("index", gpu.index), ("cause", gpu.fault)
    return None


@rule(
    Subject.GPU,
    Severity.ERROR,
    N_("CUDA's library (libcuda.so.1) is not found here: no program can use the GPU."),
    fixable_in_place=True,
    blocks_gpu=True,
)
def cuda_library_missing(snapshot: Snapshot) -> Values | None:
    """The driver answers, but CUDA's library is not there: a container without the capability `compute`."""
    return () if snapshot.driver is not None and snapshot.driver.has_cuda_library is False else None


@rule(
    Subject.GPU,
    Severity.ERROR,
    NP_(
        "GPU {index} had {errors} memory error that could not be corrected: results may be wrong.",
        "GPU {index} had {errors} memory errors that could not be corrected: results may be wrong.",
        counted="errors",
    ),
)
def gpu_memory_errors(snapshot: Snapshot) -> Values | None:
    """A GPU's memory has had errors that ECC could not correct: results may be wrong."""
    for gpu in seen(snapshot.gpus):
        if gpu.ecc_errors:
            return ("index", gpu.index), ("errors", gpu.ecc_errors)
    return None


@rule(Subject.GPU, Severity.WARNING, N_("GPU {index} is slowed down: {cause:slowdown}."))
def gpu_slowed(snapshot: Snapshot) -> Values | None:
    """Heat or a failing power supply holds a GPU's clocks down; to be at its power limit is normal for a busy GPU."""
    for gpu in seen(snapshot.gpus):
        for cause in HARMFUL_SLOWDOWNS:
            if cause in (gpu.slowdown_reasons or ()):
                return ("index", gpu.index), ("cause", cause)
    return None


@rule(
    Subject.GPU,
    Severity.WARNING,
    N_("GPU {index}'s memory is nearly full: {free_bytes:size} of {total_bytes:size} free."),
    fixable_in_place=True,
)
def gpu_memory_nearly_full(snapshot: Snapshot) -> Values | None:
    """Less than 5 % of a GPU's memory is free: the next allocation may fail."""
    for gpu in seen(snapshot.gpus):
        memory = gpu.memory
        if memory is not None and 100 * memory.free_bytes < _MEMORY_FREE_PERCENT * memory.total_bytes:
            return ("index", gpu.index), ("free_bytes", memory.free_bytes), ("total_bytes", memory.total_bytes)
    return None


@rule(Subject.GPU, Severity.INFO, N_("Only one of {count} GPUs is in use."))
def one_gpu_of_several(snapshot: Snapshot) -> Values | None:
    """There are several GPUs, and the work sits on one of them: none of the others holds memory or was busy lately."""
    in_use = [
        gpu.memory.used_percent >= _IN_USE_PERCENT or gpu.was_busy
        for gpu in snapshot.usable_gpus
        if gpu.memory is not None and not gpu.is_hidden
    ]
    if len(in_use) < 2 or sum(in_use) != 1:  # noqa: PLR2004 - one is not several
        return None
    return (("count", len(in_use)),)


@rule(
    Subject.GPU,
    Severity.INFO,
    NP_(
        "GPU {indices:numbers} is idle while {used_bytes:size} of its memory are held.",
        "GPUs {indices:numbers} are idle while {used_bytes:size} of their memory are held.",
        counted="indices",
    ),
)
def gpu_idle(snapshot: Snapshot) -> Values | None:
    """GPUs do nothing while this kernel holds a tenth of their memory or more: normal only between two cells.

    One that was busy in the seconds that the driver remembers is between two. What others hold, such as a desktop, does
    not count. Where the driver does not tell who holds it, it may be this kernel.
    """
    idle = [
        (gpu.index, gpu.memory.used_bytes)
        for gpu in seen(snapshot.gpus)
        if gpu.memory is not None and gpu.memory.used_percent >= _IDLE_MEMORY_PERCENT
        if gpu.is_idle and _may_be_ours(gpu)
    ]
    if not idle:
        return None
    return ("indices", tuple(index for index, _ in idle)), ("used_bytes", sum(used_bytes for _, used_bytes in idle))


@rule(
    Subject.GPU,
    Severity.INFO,
    N_("Most of what is used of GPU {index}'s memory is kept by {framework} for later: {cached_bytes:size}."),
    fixable_in_place=True,
)
def gpu_memory_cached(snapshot: Snapshot) -> Values | None:
    """Half or more of what is used of a GPU's memory is a framework's cache, which it can give back."""
    for one in seen(snapshot.gpu_shares):
        if one.index is None:
            continue
        largest = max(one.frameworks, key=lambda each: each.cached_bytes or 0, default=None)
        cached_bytes = 0 if largest is None else largest.cached_bytes or 0
        if largest is not None and _is_most(cached_bytes, one):
            return ("index", one.index), ("framework", largest.framework), ("cached_bytes", cached_bytes)
    return None


@rule(
    Subject.GPU,
    Severity.INFO,
    N_("Most of what is used of GPU {index}'s memory is held by other processes: {others_bytes:size} ({names:list})."),
    fixable_in_place=True,
)
def gpu_memory_of_others(snapshot: Snapshot) -> Values | None:
    """Half or more of what is used of a GPU's memory is held by processes other than this kernel."""
    for one in seen(snapshot.gpu_shares):
        others_bytes = one.other_processes_bytes
        if one.index is not None and others_bytes is not None and _is_most(others_bytes, one):
            gpu = next((each for each in seen(snapshot.gpus) if each.index == one.index), None)
            names = () if gpu is None else _names_of_others(gpu, one.slice_index)
            return ("index", one.index), ("others_bytes", others_bytes), ("names", names)
    return None


@rule(
    Subject.OUT_OF_MEMORY,
    Severity.ERROR,
    N_("The cell has run out of GPU memory."),
    fixable_in_place=True,
    is_the_answer=True,
)
def out_of_gpu_memory(snapshot: Snapshot) -> Values | None:
    """A cell ended by an error that says that a GPU's memory has run out: PyTorch's, JAX's, TensorFlow's or CuPy's."""
    ran_out = snapshot.out_of_memory
    return () if ran_out is not None and ran_out.memory == "gpu" else None


@rule(
    Subject.OUT_OF_MEMORY,
    Severity.ERROR,
    N_("The cell has run out of TPU memory."),
    fixable_in_place=True,
    is_the_answer=True,
)
def out_of_tpu_memory(snapshot: Snapshot) -> Values | None:
    """A cell ended by an error of JAX that says that a TPU's memory has run out."""
    ran_out = snapshot.out_of_memory
    return () if ran_out is not None and ran_out.memory == "tpu" else None


def _is_most(size_bytes: int, shares: GpuShares) -> bool:
    """Tell whether this is half or more of what is used of a GPU, and worth a word."""
    if shares.total_bytes is None or shares.free_bytes is None:
        return False
    used_bytes = shares.total_bytes - shares.free_bytes - (shares.driver_bytes or 0)
    return 2 * size_bytes >= used_bytes and size_bytes >= _LEAST_SHARE_PERCENT / 100 * shares.total_bytes


def _names_of_others(gpu: Gpu, slice_index: int | None) -> tuple[str, ...]:
    """Return the other processes' names, or numbers, those that hold most first."""
    parts = [part.processes for part in gpu.slices if part.index == slice_index]
    processes = parts[0] if parts else gpu.processes
    others = [one for one in processes or () if not one.is_this_kernel]
    others.sort(key=lambda one: -(one.memory_used_bytes or 0))
    return tuple(f"{one.pid}" if one.name is None else f"{one.name} {one.pid}" for one in others[:_MOST_NAMES])


def _may_be_ours(gpu: Gpu) -> bool:
    """Tell whether this kernel may hold some of a GPU's memory."""
    if not gpu.processes:
        return True
    return any(process.is_this_kernel or process.is_here is not True for process in gpu.processes)


RULES: tuple[Rule, ...] = (
    driver_failed,
    driver_not_answering,
    driver_starting,
    gpu_not_known,
    no_gpu,
    gpu_lost,
    gpu_not_usable,
    cuda_library_missing,
    gpu_memory_errors,
    gpu_slowed,
    gpu_memory_nearly_full,
    one_gpu_of_several,
    gpu_memory_cached,
    gpu_memory_of_others,
    gpu_idle,
    out_of_gpu_memory,
    out_of_tpu_memory,
)
