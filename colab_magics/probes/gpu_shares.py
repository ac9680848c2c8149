"""A GPU's memory by who has it: what the driver tells, brought together with what the frameworks tell.

Each figure is worked out here, once. The driver tells what is used in all and, mostly, by which process; frameworks
tell what they have allocated and what they keep. In a container the driver may number processes as the host does, or
list none: then this kernel's context cannot be told from what other processes have, and both stand in one figure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics.model import Gpu, MigSlice
from colab_magics.model.holders import GpuShares
from colab_magics.values import Record

if TYPE_CHECKING:
    from collections.abc import Iterable

    from colab_magics.model import GpuProcess
    from colab_magics.model.holders import FrameworkMemory

_IMPOSSIBLE, _NOT_TOLD, _KEEPS_TO_ITSELF = "impossible", "processes_not_told", "framework_not_told"


class _Parts(Record):
    """What is used of a memory, by who has it; `reason` is why the first two are not told."""

    context_bytes: int | None
    other_processes_bytes: int | None
    reason: str | None


def gpu_shares(gpus: Iterable[Gpu], frameworks: Iterable[FrameworkMemory]) -> tuple[GpuShares, ...]:
    """Divide the memory of each GPU, and of each MIG device in place of the GPU that it is on.

    A GPU that tells nothing of its memory has no entry, unless a framework tells of it. What frameworks have on a GPU
    of which it cannot be told which one it is, stands in entries of its own.
    """
    left = list(frameworks)
    divided = []
    for gpu in gpus:
        for device in gpu.slices or (gpu,):
            theirs = [one for one in left if _is_on(one, device)]
            left = [one for one in left if one not in theirs]
            if device.memory is not None or theirs:
                divided.append(_divided(gpu, device, tuple(theirs)))
    unplaced = {one.device: tuple(each for each in left if each.device == one.device) for one in left}
    return (*divided, *(_unplaced(theirs) for _, theirs in sorted(unplaced.items())))


def _is_on(framework: FrameworkMemory, device: Gpu | MigSlice) -> bool:
    """Tell whether a framework means this device: by CUDA's number where that is certain, else by its name."""
    if device.cuda_index is not None:
        return framework.device == device.cuda_index
    is_whole = isinstance(device, Gpu) and not device.is_hidden
    return is_whole and framework.uuid is not None and framework.uuid == device.uuid


def _divided(gpu: Gpu, device: Gpu | MigSlice, frameworks: tuple[FrameworkMemory, ...]) -> GpuShares:
    memory, slice_index = device.memory, None if isinstance(device, Gpu) else device.index
    if memory is None:
        reason = dict(device.unavailable).get("memory", "not_supported")
        return _without_figures(gpu.index, slice_index, frameworks, reason)
    # With drivers that count their own share as used, it is among what is told of nobody.
    used_bytes = max(0, memory.total_bytes - memory.free_bytes - (memory.reserved_bytes or 0))
    unavailable = [] if memory.reserved_bytes is not None else [("driver_bytes", "counted_as_used")]
    taken_bytes = sum(_taken_bytes(one) for one in frameworks)
    if taken_bytes > used_bytes:
        # Managed memory may lie in RAM, and what was asked one after the other may have changed between.
        unavailable.append(("frameworks", _IMPOSSIBLE))
        parts = _Parts(None, None, _IMPOSSIBLE)
        frameworks, taken_bytes = (), 0
    else:
        parts = _parts(device.processes, frameworks, taken_bytes, used_bytes)
    untold = [field for field in ("context_bytes", "other_processes_bytes") if getattr(parts, field) is None]
    unavailable += [(field, parts.reason or _NOT_TOLD) for field in untold]
    told_bytes = taken_bytes + (parts.context_bytes or 0) + (parts.other_processes_bytes or 0)
    return GpuShares(
        index=gpu.index,
        slice_index=slice_index,
        total_bytes=memory.total_bytes,
        frameworks=frameworks,
        context_bytes=parts.context_bytes,
        other_processes_bytes=parts.other_processes_bytes,
        untold_bytes=used_bytes - told_bytes,
        driver_bytes=memory.reserved_bytes,
        free_bytes=memory.free_bytes,
        unavailable=tuple(unavailable),
    )


def _parts(
    processes: tuple[GpuProcess, ...] | None,
    frameworks: tuple[FrameworkMemory, ...],
    taken_bytes: int,
    used_bytes: int,
) -> _Parts:
    """Return what this kernel has beside its frameworks, and what other processes have."""
    ours_bytes, others_bytes = _by_process(processes)
    if ours_bytes is None and others_bytes is None:
        return _Parts(None, None, _NOT_TOLD)
    if (ours_bytes or 0) + (others_bytes or 0) > used_bytes or (ours_bytes is not None and ours_bytes < taken_bytes):
        return _Parts(None, None, _IMPOSSIBLE)
    if ours_bytes is None:
        return _Parts(None, others_bytes, _NOT_TOLD)
    if any(one.reserved_bytes is None for one in frameworks):
        return _Parts(None, others_bytes, _KEEPS_TO_ITSELF)
    return _Parts(ours_bytes - taken_bytes, others_bytes, _NOT_TOLD)


def _by_process(processes: tuple[GpuProcess, ...] | None) -> tuple[int | None, int | None]:
    """Return what this kernel and what all others have, None where that cannot be told.

    A process that is not here, or of which that is not known, may be this kernel by a number of the host's, unless this
    kernel is among the processes for certain.
    """
    if processes is None:
        return None, None
    ours = [one for one in processes if one.is_this_kernel]
    others = [one for one in processes if not one.is_this_kernel]
    if not ours and any(one.is_here is not True for one in others):
        return None, None
    return _sum(ours), _sum(others)


def _sum(processes: list[GpuProcess]) -> int | None:
    sizes = [one.memory_used_bytes for one in processes]
    return None if None in sizes else sum(size for size in sizes if size is not None)


def _taken_bytes(framework: FrameworkMemory) -> int:
    """Return what a framework has taken for certain."""
    return framework.reserved_bytes if framework.reserved_bytes is not None else framework.allocated_bytes or 0


def _unplaced(frameworks: tuple[FrameworkMemory, ...]) -> GpuShares:
    return _without_figures(None, None, frameworks, "gpu_not_certain")


def _without_figures(
    index: int | None, slice_index: int | None, frameworks: tuple[FrameworkMemory, ...], reason: str
) -> GpuShares:
    unknown = ("total_bytes", "context_bytes", "other_processes_bytes", "untold_bytes", "driver_bytes", "free_bytes")
    return GpuShares(
        index=index,
        slice_index=slice_index,
        frameworks=frameworks,
        **dict.fromkeys(unknown),
        unavailable=tuple((field, reason) for field in unknown),
    )
