"""Whether an error says that memory has run out: which memory, how much was asked for, and what was left.

An error is known by the names of its classes and by its words; no library is imported for that, and nothing of a class
of the user's is run: its `__str__`, a property of that name, a `__getattr__`. The words are those of PyTorch 1.8 to
2.13 (c10/cuda/CUDACachingAllocator.cpp, c10/core/impl/alloc_cpu.cpp), CuPy 5 to 13 (cupy/cuda/memory.pyx), JAX 0.2 to
0.10, TensorFlow 1.4 to 2.20, NumPy 1.18 to 2.4 and PyArrow, as users quote them in their projects' issues, and as the
builds for the processor raise them (read and tried 2026-11).
"""

from __future__ import annotations

import errno
import math
import re
import sys
from typing import TYPE_CHECKING, Any

from colab_magics import introspection
from colab_magics.introspection import class_name, is_derived
from colab_magics.model.cells import Memory, OutOfMemory
from colab_magics.probes import frameworks
from colab_magics.probes.frameworks import kept
from colab_magics.units import name_or_none

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MOST_ERRORS = 64
"""How many errors that led to each other, or stand in a group, are looked at."""

_MOST_CHARACTERS = 20_000
"""How much of an error's words is read: those that pass on another's traceback are long."""

_MOST_OF_A_CODE = 200
"""How far into an error's words XLA's code for it stands, and what it means."""

_MOST_DIGITS = 32
"""The most digits of a size."""

_MOST_BYTES = 1 << 62
"""More than anybody can ask for."""

_NUMBER_OF_BYTES = {
    "": 1, "b": 1, "byte": 1, "bytes": 1, "kb": 2**10, "kib": 2**10, "k": 2**10, "mb": 2**20, "mib": 2**20,
    "m": 2**20, "gb": 2**30, "gib": 2**30, "g": 2**30, "tb": 2**40, "tib": 2**40, "t": 2**40,
}  # fmt: skip
"""The units of these messages: all of them are powers of two, however they are written."""

_SIZE = r"[\d,.]*\d ?(?:[KMGT]i?B?|[Bb]ytes?|B)?\b"

_OF_TORCH = r"(?i)\b(CUDA|HIP) (error: )?out of memory\b|\bCUBLAS_STATUS_ALLOC_FAILED\b|\bCUDNN_STATUS_ALLOC_FAILED\b"
_ASKED_OF_TORCH = rf"Tried to allocate (?P<size>{_SIZE})"
_LEFT_OF_TORCH = (
    rf"GPU (?P<device>\d+) has a total capaci?ty of (?P<total>{_SIZE}) of which (?P<free>{_SIZE}) is free",
    rf"GPU (?P<device>\d+); (?P<total>{_SIZE}) total capacity;[^)]*?(?P<free>{_SIZE}) free\b",
)
_OF_TORCH_S_RAM = rf"DefaultCPUAllocator: (?:can't allocate|not enough) memory: you tried to allocate (?P<size>{_SIZE})"
_OF_XLA = r"(?i)\bRESOURCE[_ ]EXHAUSTED\b.*\b(out of memory|allocate|allocating|memory space|hbm\b)"
_ASKED_OF_XLA = rf"(?:allocate|allocating) (?P<size>{_SIZE})"
_ASKED_OF_CUPY = rf"(?i)out of memory (?:allocating|to allocate) (?P<size>{_SIZE})"
_ASKED_OF_ARROW = rf"(?:malloc|realloc) of size (?P<size>{_SIZE}) failed"
_ASKED_OF_TENSORFLOW = r"OOM when allocating tensor with shape\[(?P<shape>[\d,]*)\](?: and type (?P<type>\w+))?"
_DEVICE_OF_TENSORFLOW = r"(?i)(?:device:|allocator )(?P<kind>GPU|CPU|mklcpu)\w*?[:_]?(?P<number>\d*)"
_TENSORFLOW_S_TYPES = {
    "bool": 1, "int8": 1, "uint8": 1, "half": 2, "bfloat16": 2, "int16": 2, "uint16": 2, "float": 4, "int32": 4,
    "uint32": 4, "double": 8, "int64": 8, "uint64": 8, "complex64": 8, "complex128": 16,
}  # fmt: skip
"""How many bytes an element takes, by TensorFlow's own name for the type."""

# By the slots themselves: a class of the user's may say otherwise of these names.
_ARGUMENTS: Any = BaseException.__dict__["args"].__get__
_HIDES_CONTEXT: Any = BaseException.__dict__["__suppress_context__"].__get__
_ERRNO: Any = OSError.__dict__["errno"].__get__


def recognised(error: BaseException, modules: Mapping[str, object] = sys.modules) -> OutOfMemory | None:
    """Return how memory has run out where an error says so, or one that it was raised from, during, or with; else None.

    `modules` are those that are loaded: where an error does not say whether it was the GPU's memory, they do.
    """
    for one in _all_of(error):
        found = _read(one, modules)
        if found is not None:
            return found
    return None


def _all_of(error: BaseException) -> Iterator[BaseException]:
    """Give an error, then those that led to it and the members of a group, each once."""
    waiting, seen = [error], set[int]()
    while waiting and len(seen) < _MOST_ERRORS:
        one = waiting.pop(0)
        if id(one) in seen or not is_derived(type(one), Exception):
            continue
        seen.add(id(one))
        yield one
        cause = introspection.cause(one)
        if cause is not None:
            waiting.append(cause)
        elif not _HIDES_CONTEXT(one) and introspection.context(one) is not None:
            waiting.append(introspection.context(one))
        if is_derived(type(one), BaseExceptionGroup):
            waiting += introspection.members(one)


def _read(error: BaseException, modules: Mapping[str, object]) -> OutOfMemory | None:
    """Return what a single error says."""
    kind = type(error)
    names, words = [*map(class_name, introspection.mro(kind))], _words(error)
    if is_derived(kind, MemoryError):
        return _of_memory_error(error, names, words)
    if any(_is_of(name, "torch", "OutOfMemoryError") for name in names):
        return _of_torch(error, words)
    if any(_is_of(name, "tensorflow", "ResourceExhaustedError") for name in names):
        return _of_tensorflow(error, words, modules)
    if is_derived(kind, RuntimeError):
        return _of_runtime_error(error, words, modules)
    if is_derived(kind, OSError) and _ERRNO(error) == errno.ENOMEM:
        return _found(error, Memory.RAM)
    return None


def _of_runtime_error(error: BaseException, words: str, modules: Mapping[str, object]) -> OutOfMemory | None:
    """Return what an error says that has no class of its own, or one that stands for all errors of a framework."""
    if re.search(_OF_TORCH, words):
        return _of_torch(error, words)
    asked = re.search(_OF_TORCH_S_RAM, words)
    if asked is not None:
        return _found(error, Memory.RAM, framework="torch", asked=asked)
    if re.search(_OF_XLA, words[:_MOST_OF_A_CODE].replace("\n", " ")):
        return _of_jax(error, words, modules)
    return None


def _of_memory_error(error: BaseException, names: list[str], words: str) -> OutOfMemory:
    if any(name.startswith("cupy.") for name in names):
        return _found(error, Memory.GPU, framework="cupy", asked=re.search(_ASKED_OF_CUPY, words))
    if "CUDA error" in words or "cudaErrorMemoryAllocation" in words:  # as NVIDIA's allocator RMM says it
        return _found(error, Memory.GPU)
    if any(name.startswith("numpy.") and name.endswith("._ArrayMemoryError") for name in names):
        asked_bytes, array = _numpy_array(_ARGUMENTS(error))
        return _found(error, Memory.RAM, asked_bytes=asked_bytes, array=array)
    return _found(error, Memory.RAM, asked=re.search(_ASKED_OF_ARROW, words))


def _numpy_array(arguments: tuple[Any, ...]) -> tuple[int | None, str | None]:
    """Return how large the array would be that could not be made, and what it is, as a `Holder` says that."""
    match arguments:
        case (tuple() as shape, elements) if all(type(one) is int for one in shape):
            if class_name(type(elements)).startswith("numpy."):
                sizes = " x ".join(map(str, shape)) or "scalar"
                return math.prod(shape) * int(elements.itemsize), name_or_none(f"{elements} {sizes}")
    return None, None


def _of_torch(error: BaseException, words: str) -> OutOfMemory:
    told = next((found for form in _LEFT_OF_TORCH if (found := re.search(form, words))), None)
    return _found(
        error,
        Memory.GPU,
        framework="torch",
        asked=re.search(_ASKED_OF_TORCH, words),
        device=None if told is None else int(told["device"][:3]),
        free_bytes=None if told is None else _bytes(told["free"]),
        total_bytes=None if told is None else _bytes(told["total"]),
    )


def _of_jax(error: BaseException, words: str, modules: Mapping[str, object]) -> OutOfMemory:
    backends = frameworks.jax_backends(modules)
    memory = Memory.GPU if backends is None or "cuda" in backends else Memory.TPU if "tpu" in backends else Memory.RAM
    return _found(error, memory, framework="jax", asked=re.search(_ASKED_OF_XLA, words))


def _of_tensorflow(error: BaseException, words: str, modules: Mapping[str, object]) -> OutOfMemory:
    place = re.search(_DEVICE_OF_TENSORFLOW, words)
    on_gpu = (
        place["kind"].lower() == "gpu" if place is not None else frameworks.tensorflow_is_initialized(modules) is True
    )
    array = re.search(_ASKED_OF_TENSORFLOW, words)
    asked_bytes, shape = None, None
    if array is not None:
        sizes = [int(size) for size in array["shape"][:200].split(",") if size]
        width = _TENSORFLOW_S_TYPES.get(array["type"] or "")
        asked_bytes = None if width is None else math.prod(sizes) * width
        shape = name_or_none(f"{array['type'] or ''} {' x '.join(map(str, sizes)) or 'scalar'}")
    return _found(
        error,
        Memory.GPU if on_gpu else Memory.RAM,
        framework="tensorflow",
        asked=None if array is not None else re.search(_ASKED_OF_XLA, words),
        asked_bytes=asked_bytes,
        array=shape,
        device=int(place["number"][:3]) if place is not None and on_gpu and place["number"] else None,
    )


def _found(  # noqa: PLR0913 - a record has as many fields
    error: BaseException,
    memory: Memory,
    *,
    framework: str | None = None,
    asked: re.Match[str] | None = None,
    asked_bytes: int | None = None,
    array: str | None = None,
    device: int | None = None,
    free_bytes: int | None = None,
    total_bytes: int | None = None,
) -> OutOfMemory:
    """Return what was read; `asked` is the place where the message tells the size that was asked for."""
    if asked is not None:
        asked_bytes = _bytes(asked["size"])
    return OutOfMemory(
        memory=memory,
        error=name_or_none(class_name(type(error))) or "Exception",
        framework=framework,
        device=device,
        asked_bytes=asked_bytes if asked_bytes is not None and 0 < asked_bytes <= _MOST_BYTES else None,
        array=array,
        free_bytes=free_bytes,
        total_bytes=total_bytes,
        frameworks=(),
    )


def _words(error: BaseException) -> str:
    """Return an error's message; TensorFlow keeps it beside its arguments."""
    told = [one for one in (*_ARGUMENTS(error), kept(error, "_message")) if type(one) is str]
    return told[0][:_MOST_CHARACTERS] if told else ""


def _bytes(size: str) -> int | None:
    """Return a size of a message, None where it is none."""
    found = re.fullmatch(r"([\d,]+(?:\.\d+)?) ?([A-Za-z]*)", size)
    unit = None if found is None else _NUMBER_OF_BYTES.get(found[2].lower())
    if found is None or unit is None:
        return None
    digits = found[1].replace(",", "")
    return round(float(digits) * unit) if 0 < len(digits) <= _MOST_DIGITS else None


def _is_of(name: str, package: str, kind: str) -> bool:
    """Tell whether a class's name is that of a package's class."""
    return name.startswith(f"{package}.") and name.endswith(f".{kind}")
