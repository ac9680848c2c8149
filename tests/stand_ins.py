"""Stand-ins for the frameworks that need a GPU or are large: module files with the classes and words that they have.

What they raise is as their sources and their users' reports have it: c10/cuda/CUDACachingAllocator.cpp and
c10/core/impl/alloc_cpu.cpp of PyTorch, cupy/cuda/memory.pyx, tensorflow/python/framework/errors_impl.py, and XLA's
"RESOURCE_EXHAUSTED" as jaxlib raises it.
"""

from __future__ import annotations

from pathlib import Path

FILES = {
    "torch/__init__.py": '''
__version__ = "2.11.0+cu128"


class OutOfMemoryError(RuntimeError):
    """Raised when a device runs out of memory."""


from torch import _C, cuda, version


class Tensor:
    pass
''',
    "torch/version.py": 'cuda = "12.8"\n',
    "torch/_C.py": """
DEVICES = 1


def _cuda_getDeviceCount():
    return DEVICES
""",
    "torch/cuda/__init__.py": """
from torch import OutOfMemoryError

GIB = 2**30
STATS = {"allocated_bytes.all.current": 9 * GIB, "allocated_bytes.all.peak": 10 * GIB,
         "reserved_bytes.all.current": 11 * GIB}


def is_initialized():
    return True


def memory_stats(device=None):
    return STATS
""",
    "cupy/__init__.py": """
__version__ = "13.6.0"

from cupy import cuda
""",
    "cupy/cuda/__init__.py": "from cupy.cuda import memory\n",
    "cupy/cuda/memory.py": """
class OutOfMemoryError(MemoryError):
    def __init__(self, size, total, limit=0):
        words = f"Out of memory allocating {size:,} bytes (allocated so far: {total:,} bytes"
        super().__init__(words + (f", limit set to: {limit:,} bytes)." if limit else ")."))
""",
    "tensorflow/__init__.py": '__version__ = "2.20.0"\n',
    "tensorflow/python/__init__.py": "",
    "tensorflow/python/framework/__init__.py": "",
    "tensorflow/python/framework/errors_impl.py": """
class OpError(Exception):
    def __init__(self, node_def, op, message, error_code):
        super().__init__()
        self._node_def, self._op, self._message, self._error_code = node_def, op, message, error_code

    def __str__(self):
        return self._message


class ResourceExhaustedError(OpError):
    def __init__(self, node_def, op, message):
        super().__init__(node_def, op, message, 8)
""",
}

TORCH_ON_GPU = (
    "CUDA out of memory. Tried to allocate 4.00 GiB. GPU 0 has a total capacity of 14.74 GiB of which 3.06 GiB is free."
    " Process 20398 has 11.68 GiB memory in use. Of the allocated memory 9.00 GiB is allocated by PyTorch, and 2.00 GiB"
    " is reserved by PyTorch but unallocated. If reserved but unallocated memory is large try setting"
    " PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True to avoid fragmentation."
)

RAISING = {
    "torch": f"import torch; raise torch.OutOfMemoryError({TORCH_ON_GPU!r})",
    "cupy": "from cupy.cuda.memory import OutOfMemoryError; raise OutOfMemoryError(25_600_000, 3_635_267_072)",
    "tensorflow": (
        "from tensorflow.python.framework.errors_impl import ResourceExhaustedError\n"
        "raise ResourceExhaustedError(None, None, 'OOM when allocating tensor with shape[64,2016,9,9] and type float on"
        " /job:localhost/replica:0/task:0/device:GPU:0 by allocator GPU_0_bfc [Op:AddV2]')"
    ),
}
"""A cell that raises each one's error."""


def put_stand_ins(folder: Path) -> Path:
    """Write the stand-ins into a folder, for a kernel to have on its path."""
    for name, text in FILES.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder
