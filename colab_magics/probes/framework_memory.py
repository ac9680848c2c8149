"""What the frameworks that have opened a GPU tell of their memory there.

Only what is loaded is asked, and only once it has opened CUDA by itself: nothing is imported, no context is created,
no counter of the user's is reset. Each is asked by what it publishes for that:

* PyTorch: `torch.cuda.memory_stats` of each device, its allocator's counters. `torch.cuda.device_count` would load the
  driver's library for questions (NVML) into this process, so the devices are counted as CUDA counts them.
* JAX: `Device.memory_stats` of CUDA's backend, "pool_bytes" from allocators that tell it (xla/python/py_device.cc).
* TensorFlow: `tf.config.experimental.get_memory_info`, which would start TensorFlow where that has not begun.
* CuPy: its default pool, which tells of the current device alone; to make another one current may create a context
  there (CUDA 12's cudaSetDevice does). Whether CuPy has opened CUDA nobody tells, so it is asked only where this
  process has CUDA's device file open, and not where CUPY_GPU_MEMORY_LIMIT is a percentage, which a pool works out by
  asking for the device's memory (cupy/cuda/memory.pyx).

Read 2026-11: torch 2.13, jax 0.10, tensorflow 2.20, cupy 13.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from typing import TYPE_CHECKING, Any

from colab_magics.model.holders import FrameworkMemory
from colab_magics.probes import frameworks
from colab_magics.probes.frameworks import kept

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_MOST_DEVICES = 64
"""More than any machine has: a function that somebody put in a framework's place may count any number."""

_MOST_BYTES = 1 << 50
"""More than any GPU has."""

_CUDA_FILE = "/dev/nvidia-uvm"
"""What CUDA opens when it is initialised, and no question to the driver does."""


def probe_framework_memory(
    *,
    modules: Mapping[str, object] = sys.modules,
    environment: Mapping[str, str] = os.environ,
    root: str = "/",
) -> tuple[FrameworkMemory, ...]:
    """Ask PyTorch, JAX, TensorFlow and CuPy for the memory they have on each GPU; nothing of those that have none.

    One that raises, or that something else stands in for, costs only itself. `root` is a folder that stands for /.
    """

    def cupy(modules: Mapping[str, object]) -> Iterator[FrameworkMemory]:
        has_percentage = "%" in environment.get("CUPY_GPU_MEMORY_LIMIT", "")
        return iter(()) if has_percentage or not _has_opened_cuda(modules, root) else _cupy(modules)

    asks: tuple[Callable[[Mapping[str, object]], Iterator[FrameworkMemory]], ...] = (_torch, _jax, _tensorflow, cupy)
    found: list[FrameworkMemory] = []
    for ask in asks:
        with contextlib.suppress(Exception):  # it is the framework's code, or somebody's in its place
            found += ask(modules)
    return tuple(found)


def _torch(modules: Mapping[str, object]) -> Iterator[FrameworkMemory]:
    if frameworks.torch_is_initialized(modules) is not True:
        return
    counts = kept(modules.get("torch._C"), "_cuda_getDeviceCount")
    tells = kept(modules.get("torch.cuda"), "memory_stats")
    if not callable(counts) or not callable(tells):
        return
    for device in range(_devices(counts())):
        told = tells(device)
        yield _figures(
            "torch",
            device,
            allocated=told.get("allocated_bytes.all.current"),
            reserved=told.get("reserved_bytes.all.current"),
            peak=told.get("allocated_bytes.all.peak"),
            uuid=_torch_uuid(modules, device),
        )


def _torch_uuid(modules: Mapping[str, object], device: int) -> str | None:
    """Return the driver's name for a device, None where this PyTorch does not tell it (before 2.5)."""
    describes = kept(modules.get("torch.cuda"), "get_device_properties")
    try:
        uuid = str(describes(device).uuid) if callable(describes) else ""
    except Exception:  # noqa: BLE001 - older ones have no such attribute
        return None
    return f"GPU-{uuid}" if re.fullmatch(r"[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}", uuid) else None


def _jax(modules: Mapping[str, object]) -> Iterator[FrameworkMemory]:
    backends = frameworks.jax_backends(modules) or {}
    client: Any = backends.get("cuda")
    for device in () if client is None else client.local_devices()[:_MOST_DEVICES]:
        number = device.local_hardware_id
        if _is_count(number):
            told = device.memory_stats() or {}
            yield _figures(
                "jax",
                number,
                allocated=told.get("bytes_in_use"),
                reserved=told.get("pool_bytes"),
                peak=told.get("peak_bytes_in_use"),
            )


def _tensorflow(modules: Mapping[str, object]) -> Iterator[FrameworkMemory]:
    tells = kept(modules.get("tensorflow.python.framework.config"), "get_memory_info")
    if frameworks.tensorflow_is_initialized(modules) is not True or not callable(tells):
        return
    for logical, device in enumerate(_tensorflow_gpus(frameworks.tensorflow_context(modules))):
        told = tells(f"GPU:{logical}")
        # How much of the GPU it keeps for later it does not tell.
        yield _figures("tensorflow", device, allocated=told.get("current"), reserved=None, peak=told.get("peak"))


def _tensorflow_gpus(context: object) -> list[int]:
    """Return CUDA's numbers of TensorFlow's GPUs in its own order; none where it has made several of one."""
    visible = kept(context, "_visible_device_list")
    names = [str(device.name) for device in visible if device.device_type == "GPU"] if isinstance(visible, list) else []
    numbers = [int(found[1]) for name in names if (found := re.fullmatch(r"/physical_device:GPU:(\d{1,3})", name))]
    return numbers if len(numbers) == kept(context, "_num_gpus") else []


def _cupy(modules: Mapping[str, object]) -> Iterator[FrameworkMemory]:
    pool: Any = kept(modules.get("cupy"), "_default_memory_pool")
    runtime: Any = modules.get("cupy_backends.cuda.api.runtime")
    current, devices = runtime.getDevice(), _devices(runtime.getDeviceCount())
    reserved = pool.total_bytes()
    if not reserved and devices == 1:
        return  # it is loaded, and has taken nothing
    for device in range(devices):
        if device == current:
            yield _figures("cupy", device, allocated=pool.used_bytes(), reserved=reserved, peak=None)
        else:
            yield _figures("cupy", device, allocated=None, reserved=None, peak=None)


def _has_opened_cuda(modules: Mapping[str, object], root: str) -> bool:
    """Tell whether CuPy is loaded, and somebody has opened CUDA in this process."""
    if kept(modules.get("cupy"), "_default_memory_pool") is None:
        return False
    folder = os.path.join(root, "proc/self/fd")
    return any(_leads_to(os.path.join(folder, number), _CUDA_FILE) for number in os.listdir(folder))


def _leads_to(link: str, target: str) -> bool:
    try:
        return os.readlink(link) == target
    except OSError:  # closed meanwhile
        return False


def _devices(count: object) -> int:
    return count if _is_count(count) and count <= _MOST_DEVICES else 0  # type: ignore[operator,return-value]


def _is_count(figure: object) -> bool:
    return type(figure) is int and figure >= 0


def _figures(  # noqa: PLR0913 - a record has as many fields
    framework: str, device: int, *, allocated: object, reserved: object, peak: object, uuid: str | None = None
) -> FrameworkMemory:
    """Return what a framework tells, without what cannot be: a figure below nothing, or more allocated than taken."""
    allocated_bytes, reserved_bytes, peak_bytes = map(_size, (allocated, reserved, peak))
    if allocated_bytes is not None and reserved_bytes is not None and allocated_bytes > reserved_bytes:
        allocated_bytes = reserved_bytes = None
    if allocated_bytes is not None and peak_bytes is not None and allocated_bytes > peak_bytes:
        peak_bytes = None
    return FrameworkMemory(
        framework=framework,
        device=device,
        allocated_bytes=allocated_bytes,
        reserved_bytes=reserved_bytes,
        peak_bytes=peak_bytes,
        uuid=uuid,
    )


def _size(figure: object) -> int | None:
    return figure if type(figure) is int and 0 <= figure <= _MOST_BYTES else None
