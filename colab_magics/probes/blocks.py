"""What libraries' objects are made of: arrays, tensors, frames, and the pieces of memory that they lie in.

Each reader is called with an object whose class is one of theirs, or is derived from one: nothing is asked of the
object itself that a derived class can answer otherwise, nothing is imported, and nothing lazy is computed.

Sources: each library's documentation of the functions that are called here.
"""

from __future__ import annotations

import sys
import types
from typing import TYPE_CHECKING, Any

from colab_magics.introspection import is_derived, qualified_name
from colab_magics.values import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Read = Callable[[Any], tuple[Iterable["Block"], Iterable[object]]]
    """Reads an object of a library: the memory that it manages, and what else is to be followed from it."""

LEAST_SHARED_BYTES = 4096
"""What has less than this of its own, and has been seen before, is said to share another's memory."""


class Block(Record):
    """A piece of memory that a library manages."""

    key: object
    """The same for all that share it."""
    size_bytes: int
    """How much."""
    device: str | None = None
    """Where it is, if not in this process's RAM: "cuda:0"."""


def loaded_readers() -> list[tuple[type, Read]]:
    """Return the classes of the libraries that are loaded, each with what reads its objects."""
    loaded = ((_held_by(sys.modules.get(module), name), read) for module, name, read in _READERS)
    return [(base, read) for base, read in loaded if isinstance(base, type)]


def shape(one: object) -> str | None:
    """Return an array's type of elements and its shape, such as "float64 1000 x 1000"; None for all else."""
    for module, name, told in _SHAPES:
        base = _held_by(sys.modules.get(module), name)
        if isinstance(base, type) and is_derived(type(one), base):
            try:
                elements, sizes = told(one)
                return f"{elements} {' x '.join(map(str, sizes)) or 'scalar'}"
            except Exception:  # noqa: BLE001 - what a library cannot tell is not told
                return None
    return None


def _held_by(module: object, name: str) -> object:
    """Return what a module holds by a name, without its own `__getattr__`, which may import."""
    held = module
    for part in name.split("."):
        if not isinstance(held, types.ModuleType | type):
            return None
        held = vars(held).get(part)
    return held


class Rest:
    """What is still to be followed of a very long list or array: all at once would take memory of its own."""

    def __init__(self, objects: Any, start: int) -> None:
        self._objects = objects
        self._start = start

    def read(self) -> tuple[list[Block], list[object]]:
        """Return the next of them."""
        following = self._objects[self._start : self._start + _ELEMENTS_AT_A_TIME]
        found: list[object] = following if type(following) is list else following.tolist()
        if len(found) == _ELEMENTS_AT_A_TIME:
            found.append(Rest(self._objects, self._start + _ELEMENTS_AT_A_TIME))
        return [], found


_ELEMENTS_AT_A_TIME = 65_536


def _at(address: int) -> object:
    """Return the key of a piece of RAM, which libraries hand to each other."""
    return ("RAM", address)


def _ndarray(array: Any) -> tuple[list[Block], list[object]]:
    """Return the memory of the array that owns it; that of another library's object is this one's."""
    ndarray = sys.modules["numpy"].ndarray
    owner = array
    while is_derived(type(inner := ndarray.base.__get__(owner)), ndarray):
        owner = inner
    inside: list[object] = []
    if ndarray.dtype.__get__(owner).hasobject:
        inside = [Rest(ndarray.view(owner, ndarray).flat, 0)]
    if inner is None:
        size_bytes = ndarray.nbytes.__get__(owner)
        is_large = size_bytes >= LEAST_SHARED_BYTES
        key = _at(ndarray.__array_interface__.__get__(owner)["data"][0]) if is_large else ("numpy", id(owner))
        return [Block(key, size_bytes)], [*inside, owner]
    if qualified_name(type(inner)) == "PyCapsule":
        return [Block(("numpy", id(inner)), ndarray.nbytes.__get__(owner))], inside
    return [], [*inside, inner]


def _memory_map(mapped: Any) -> tuple[list[Block], list[object]]:
    """Return the memory of a map that has no file; that of a file is the system's, which takes it back when it must."""
    kind = sys.modules["mmap"].mmap
    try:
        kind.size(mapped)
    except (OSError, ValueError):  # no file, or closed
        try:
            return [Block(("mmap", id(mapped)), kind.__len__(mapped))], []
        except ValueError:
            return [], []
    return [], []


def _tensor(tensor: Any) -> tuple[list[Block], list[object]]:
    """Return a tensor's storage, and what it keeps as its gradient."""
    torch = sys.modules["torch"]
    base = torch._C.TensorBase  # noqa: SLF001 - what every kind of tensor is derived from
    with torch._C.DisableTorchFunctionSubclass():  # noqa: SLF001 - else a derived class would be asked
        gradient = base._grad.__get__(tensor)  # noqa: SLF001 - the public one warns
        if base.is_sparse.__get__(tensor):
            return [], [base._indices(tensor), base._values(tensor), *_some(gradient)]  # noqa: SLF001
        device = base.device.__get__(tensor)
        if device.type == "meta":
            return [], _some(gradient)
        storage = base.untyped_storage(tensor)
        where = None if device.type == "cpu" else str(device)
        key = _at(storage.data_ptr()) if where is None else (where, storage.data_ptr())
        return [Block(key, storage.nbytes(), where)], _some(gradient)


def _jax(array: Any) -> tuple[list[Block], list[object]]:
    """Return an array's parts on its devices. Nothing is waited for; one that was given away has none."""
    kind = _held_by(sys.modules.get("jaxlib._jax"), "ArrayImpl") or _held_by(
        sys.modules.get("jaxlib.xla_extension"), "ArrayImpl"
    )
    if kind.is_deleted(array):  # type: ignore[attr-defined]
        return [], []
    devices = kind.devices(array)  # type: ignore[attr-defined]
    size = kind.nbytes.__get__(array)  # type: ignore[attr-defined]
    sharding = kind.sharding.__get__(array)  # type: ignore[attr-defined]
    copies = len(devices) if sharding.is_fully_replicated else 1
    each = size * copies // max(1, len(devices))
    places = ((one.id, None if one.platform == "cpu" else f"{one.platform}:{one.id}") for one in devices)
    return [Block(("jax", id(array), number), each, where) for number, where in places], []


def _tensorflow(tensor: Any) -> tuple[list[Block], list[object]]:
    """Return a tensor of TensorFlow's that has been computed."""
    size = tensor.dtype.size * tensor.shape.num_elements()
    return [Block(("tensorflow", id(tensor)), size, _tensorflow_device(tensor.device))], []


def _tensorflow_device(name: str) -> str | None:
    """Return "gpu:0" for "/job:localhost/replica:0/task:0/device:GPU:0", None for a processor."""
    kind, _, number = name.rpartition("device:")[2].partition(":")
    return None if kind in ("CPU", "") else f"{kind.lower()}:{number}"


def _cupy(array: Any) -> tuple[list[Block], list[object]]:
    """Return the piece of CuPy's pool that an array lies in."""
    memory = array.data.mem
    return [Block(("cupy", memory.device_id, memory.ptr), memory.size, f"cuda:{memory.device_id}")], []


def _polars_frame(frame: Any) -> tuple[list[Block], list[object]]:
    inner = object.__getattribute__(frame, "_df")
    return [_polars_column(column, (id(inner), place)) for place, column in enumerate(inner.get_columns())], []


def _polars_series(series: Any) -> tuple[list[Block], list[object]]:
    inner = object.__getattribute__(series, "_s")
    return [_polars_column(inner, (id(inner), 0))], []


def _polars_column(column: Any, otherwise: object) -> Block:
    """Return a column's memory, the same for all that share it where it is one piece of numbers."""
    key: object = ("polars", otherwise)
    try:
        if column.n_chunks() == 1:
            key = _at(column.as_single_ptr())
    except Exception:  # noqa: BLE001, S110 - not numbers
        pass
    return Block(key, column.estimated_size())


def _arrow_buffers(array: Any) -> list[Block]:
    """Return the buffers of an array that is one piece; a part of a buffer holds all of it."""
    blocks = []
    for buffer in array.buffers():
        while buffer is not None and buffer.parent is not None and hasattr(buffer.parent, "address"):
            buffer = buffer.parent  # noqa: PLW2901 - to the outermost
        if buffer is not None:
            blocks.append(Block(_at(buffer.address), buffer.size, None if buffer.is_cpu else "cuda"))
    return blocks


def _arrow_array(array: Any) -> tuple[list[Block], list[object]]:
    return _arrow_buffers(array), []


def _arrow_chunks(array: Any) -> tuple[list[Block], list[object]]:
    return [block for chunk in array.chunks for block in _arrow_buffers(chunk)], []


def _arrow_batch(batch: Any) -> tuple[list[Block], list[object]]:
    return [], [*batch.columns]


def _arrow_buffer(buffer: Any) -> tuple[list[Block], list[object]]:
    return [Block(_at(buffer.address), buffer.size)], _some(buffer.parent)


def _some(one: object) -> list[object]:
    return [] if one is None else [one]


def _nothing(_one: object) -> tuple[list[Block], list[object]]:
    """Leave what would have to be computed."""
    return [], []


_READERS: tuple[tuple[str, str, Read], ...] = (
    ("numpy", "ndarray", _ndarray),
    ("torch", "_C.TensorBase", _tensor),
    ("jaxlib._jax", "ArrayImpl", _jax),
    ("jaxlib.xla_extension", "ArrayImpl", _jax),
    ("tensorflow.python.framework.ops", "EagerTensor", _tensorflow),
    ("cupy", "ndarray", _cupy),
    ("polars", "DataFrame", _polars_frame),
    ("polars", "Series", _polars_series),
    ("polars", "LazyFrame", _nothing),
    ("polars", "Expr", _nothing),
    ("pyarrow.lib", "_Tabular", _arrow_batch),
    ("pyarrow.lib", "ChunkedArray", _arrow_chunks),
    ("pyarrow.lib", "Array", _arrow_array),
    ("pyarrow.lib", "Buffer", _arrow_buffer),
    ("mmap", "mmap", _memory_map),
)
"""The module and the class, and what reads its objects."""


def _numpy_shape(array: Any) -> tuple[str, Iterable[int]]:
    ndarray = sys.modules["numpy"].ndarray
    return str(ndarray.dtype.__get__(array)), ndarray.shape.__get__(array)


def _torch_shape(tensor: Any) -> tuple[str, Iterable[int]]:
    torch = sys.modules["torch"]
    base = torch._C.TensorBase  # noqa: SLF001 - as in `_tensor`
    with torch._C.DisableTorchFunctionSubclass():  # noqa: SLF001
        return str(base.dtype.__get__(tensor)).removeprefix("torch."), tuple(base.shape.__get__(tensor))


def _told_shape(array: Any) -> tuple[str, Iterable[int]]:
    kind: Any = type(array)
    return str(kind.dtype.__get__(array)), tuple(kind.shape.__get__(array))


_SHAPES: tuple[tuple[str, str, Callable[[Any], tuple[str, Iterable[int]]]], ...] = (
    ("numpy", "ndarray", _numpy_shape),
    ("torch", "_C.TensorBase", _torch_shape),
    ("jaxlib._jax", "ArrayImpl", _told_shape),
    ("jaxlib.xla_extension", "ArrayImpl", _told_shape),
    ("cupy", "ndarray", _told_shape),
)
