"""How much memory objects hold, looked through without running any code of theirs.

No `__getattr__`, `__len__`, `__sizeof__`, `__repr__`, `__class__` or `__eq__` of a user's class is called, nothing is
imported, and nothing lazy is computed. Arrays and frames are asked by the functions of their own library, where it is
loaded; all else is followed as the garbage collector sees it, and counted by what Python itself needs for it. Modules,
classes, functions' globals and frames are not followed: everything hangs together by them.

A piece of memory is counted once, for the first that is found to hold it: views share their base's, tensors their
storage.

Sources: the documentation of `gc` and `sys`, CPython's Include/object.h for the flags of types, and of each library the
functions that are called here.
"""

from __future__ import annotations

import gc
import itertools
import operator
import sys
import time
import types
import weakref
from typing import TYPE_CHECKING, Any

from colab_magics.model.holders import OnDevice
from colab_magics.values import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Read = Callable[[Any], tuple[Iterable["Block"], Iterable[object]]]
    """Reads an object of a library: the memory that it manages, and what else is to be followed from it."""

SECONDS = 0.08
"""How long one `Sizes` looks in all, unless told otherwise."""

LEAST_SHARED_BYTES = 4096
"""What holds less than this of its own, and has been seen before, is said to share another's memory."""

_AT_A_TIME = 4096
"""So many objects are looked at between two looks at the clock: a few milliseconds."""

_FEW_KINDS = 4
"""Up to so many classes, to sort objects by going through all for each is faster."""

_GC_HEADER_BYTES = 16
_HEAP_TYPE, _IMMUTABLE_TYPE, _HAS_GC = 1 << 9, 1 << 8, 1 << 14
_INSTANCE_VALUES_BYTES = 48
"""What the values of an instance with few attributes take beside the instance itself, about; measured by tracemalloc
for 3.11 to 3.13, 2026-11."""

_HELD_BY_FUNCTIONS = [vars(types.FunctionType)[name] for name in ("__defaults__", "__kwdefaults__", "__closure__")]
_mro = type.__dict__["__mro__"].__get__
_flags = type.__dict__["__flags__"].__get__
_basicsize = type.__dict__["__basicsize__"].__get__
_dictoffset = type.__dict__["__dictoffset__"].__get__
_itemsize = type.__dict__["__itemsize__"].__get__
_qualname = type.__dict__["__qualname__"].__get__
_module = type.__dict__["__module__"].__get__

_FIXED = (float, complex, bool, type(None), type(...), type(NotImplemented))
_SIZED = (int, str, bytes, bytearray)
"""Classes whose objects refer to no others; none of these is seen by the collector."""
_NOT_FOLLOWED = (
    type,
    types.ModuleType,
    types.CodeType,
    types.FrameType,
    types.TracebackType,
    types.BuiltinFunctionType,
    types.GetSetDescriptorType,
    types.MemberDescriptorType,
    types.WrapperDescriptorType,
    types.MethodDescriptorType,
    weakref.ReferenceType,
)
_NOT_FOLLOWED_OF = ("IPython", "ipykernel", "logging", "zmq", "asyncio", "threading", "traitlets", "colab_magics")
"""Packages whose objects hold the whole session together."""


class Block(Record):
    """A piece of memory that a library manages."""

    key: object
    """The same for all that share it."""
    size_bytes: int
    """How much."""
    device: str | None = None
    """Where it is, if not in this process's RAM: "cuda:0"."""


class Held(Record):
    """What an object holds, without what was counted before."""

    ram_bytes: int
    """Of this process's memory."""
    devices: tuple[OnDevice, ...]
    """Elsewhere."""
    is_at_least: bool
    """Whether there was no time to look through all of it."""
    shares_with: str | None
    """Who has been counted for its memory, where it has next to none of its own."""


class Sizes:
    """Looks through objects one after the other; what one of them holds is not counted for the next."""

    def __init__(self, *, seconds: float = SECONDS, apart_from: Iterable[object] = ()) -> None:
        """Look for so long in all. `apart_from` are objects that nobody holds, such as the shell."""
        self._until = time.perf_counter() + seconds
        self._kept = [*apart_from]  # an id is an object's only while that lives
        self._seen = {id(one) for one in self._kept}
        self._roots: dict[int, str] = {}
        self._blocks: dict[object, str] = {}
        self._kinds: dict[int, _Kind] = {}
        loaded = ((_held_by(sys.modules.get(module), name), read) for module, name, read in _READERS)
        self._readers = [(base, read) for base, read in loaded if isinstance(base, type)]

    @property
    def seconds_left(self) -> float:
        """How long there is still to look."""
        return max(0.0, self._until - time.perf_counter())

    def of(self, root: object, name: str, *, seconds: float | None = None) -> Held:
        """Return what an object holds; `name` is how it is called where a later one shares its memory.

        It is looked through for no longer than `seconds`, and than there is time for all.
        """
        until = self._until if seconds is None else min(self._until, time.perf_counter() + seconds)
        counted = _Counted()
        shares_with = self._owner(root)
        self._roots.setdefault(id(root), name)
        self._kept.append(root)
        waiting, is_at_least = [root], False
        while waiting:
            if time.perf_counter() > until:
                is_at_least = True
                break
            piece = waiting[-_AT_A_TIME:]
            del waiting[-_AT_A_TIME:]
            self._look_at(piece, name, counted, waiting)
        is_shared = counted.ram_bytes < LEAST_SHARED_BYTES and not counted.devices
        return Held(
            counted.ram_bytes,
            tuple(OnDevice(device=device, size_bytes=size) for device, size in counted.devices.items()),
            is_at_least,
            (shares_with or counted.shares_with) if is_shared else None,
        )

    def _owner(self, root: object) -> str | None:
        """Return who has been counted for an object that was met before, where that is known."""
        if id(root) not in self._seen:
            return None
        read = self._kind(type(root)).read
        if id(root) in self._roots or read is None:
            return self._roots.get(id(root))
        try:
            return next((self._blocks[block.key] for block in read(root)[0] if block.key in self._blocks), None)
        except Exception:  # noqa: BLE001 - as in `_read`
            return None

    def _look_at(self, piece: list[object], name: str, counted: _Counted, waiting: list[object]) -> None:
        """Count objects that were not seen before, and add what is to be followed to those that wait."""
        ids = [*map(id, piece)]
        new = {*ids} - self._seen
        if len(new) < len(ids):
            piece = [*{number: one for number, one in zip(ids, piece, strict=True) if number in new}.values()]
        self._seen |= new
        for group in _by_kind(piece):
            kind = self._kind(type(group[0]))
            if kind.read is not None:
                for one in group:
                    waiting += self._read(one, kind.read, name, counted)
            else:
                counted.ram_bytes += kind.each_bytes * len(group)
                if kind.size is not None:
                    counted.ram_bytes += sum(map(kind.size, group))
            if kind.is_followed:
                waiting += gc.get_referents(*group)
            if kind.has_keys:
                waiting += _keys(group)

    def _read(self, one: object, read: Read, name: str, counted: _Counted) -> Iterable[object]:
        """Count what a library's object manages, and return what is to be followed from it."""
        try:
            blocks, inside = read(one)
            for block in blocks:
                owner = self._blocks.setdefault(block.key, name)
                if owner is not name:
                    counted.shares_with = counted.shares_with or owner
                elif block.key not in counted.keys:
                    counted.keys.add(block.key)
                    counted.add(block)
        except Exception:  # noqa: BLE001 - what a library cannot tell of an object costs this object's figure alone
            return ()
        self._kept.append(inside)
        return inside

    def _kind(self, kind: type) -> _Kind:
        """Return how objects of a class are looked at. A class is known by its id: its metaclass may define a hash."""
        known = self._kinds.get(id(kind))
        if known is None:
            known = self._kinds[id(kind)] = _Kind.of(kind, self._readers)
            self._kept.append(kind)
        return known


def _by_kind(objects: list[object]) -> Iterable[list[object]]:
    """Return objects in groups of one class each."""
    kinds = [*map(type, objects)]
    different = {*map(id, kinds)}
    if len(different) <= 1:
        return [objects] if objects else []
    if len(different) <= _FEW_KINDS:
        chosen = [next(kind for kind in kinds if id(kind) == number) for number in different]
        return [[*itertools.compress(objects, map(operator.is_, kinds, itertools.repeat(kind)))] for kind in chosen]
    groups: dict[int, list[object]] = {}
    for one in objects:
        groups.setdefault(id(type(one)), []).append(one)
    return groups.values()


def _keys(dictionaries: Iterable[Any]) -> list[object]:
    found: list[object] = []
    for one in dictionaries:
        try:
            found += dict.keys(one)
        except RuntimeError:  # another thread changes it
            continue
    return found


class _Counted:
    """What has been found of one root."""

    def __init__(self) -> None:
        self.ram_bytes = 0
        self.devices: dict[str, int] = {}
        self.keys: set[object] = set()
        self.shares_with: str | None = None

    def add(self, block: Block) -> None:
        if block.device is None:
            self.ram_bytes += block.size_bytes
        else:
            self.devices[block.device] = self.devices.get(block.device, 0) + block.size_bytes


class _Kind(Record):
    """How objects of a class are looked at."""

    each_bytes: int = 0
    """What each takes, beside what `size` tells."""
    size: Callable[[Any], int] | None = None
    """What tells the size of one; None where all are alike."""
    is_followed: bool = False
    """Whether what it refers to is looked at too."""
    has_keys: bool = False
    """Whether it is a dictionary: the collector does not tell of keys that are texts."""
    read: Read | None = None
    """What reads an object of a library."""

    @staticmethod
    def of(kind: type, readers: Iterable[tuple[type, Read]]) -> _Kind:
        """Return how objects of this class are looked at."""
        if _is_among(kind, _FIXED):
            return _Kind(each_bytes=_basicsize(kind))
        if _is_among(kind, _SIZED):
            return _Kind(size=kind.__sizeof__)  # type: ignore[arg-type]  # of the class, not of an object of it
        for ours, read in _OURS:
            if kind is ours:
                return _Kind(read=read)
        for base, read in readers:
            if _is_derived(kind, base):
                return _Kind(read=read, is_followed=base is not kind)
        if any(_is_derived(kind, base) for base in _NOT_FOLLOWED) or _package(kind) in _NOT_FOLLOWED_OF:
            return _Kind()
        return _Kind._python(kind)

    @staticmethod
    def _python(kind: type) -> _Kind:
        """Return how objects are looked at that Python itself makes, and those of a user's class."""
        native = next(base for base in _mro(kind) if not _flags(base) & _HEAP_TYPE or _flags(base) & _IMMUTABLE_TYPE)
        each = _GC_HEADER_BYTES if _flags(kind) & _HAS_GC else 0
        if native is not kind and _dictoffset(kind):
            each += _INSTANCE_VALUES_BYTES
        if native.__sizeof__ is object.__sizeof__ and not _itemsize(kind):
            return _Kind(each_bytes=each + _basicsize(kind), is_followed=True)
        each += _basicsize(kind) - _basicsize(native)
        return _Kind(each_bytes=each, size=native.__sizeof__, is_followed=True, has_keys=_is_derived(kind, dict))


def type_name(one: object) -> str:
    """Return the name of an object's class with its module, such as "numpy.ndarray"; may hold anything."""
    kind = type(one)
    module, name = _text(_module(kind)), _text(_qualname(kind))
    return name if module in ("builtins", "") else f"{module}.{name}"


def shape(one: object) -> str | None:
    """Return an array's type of elements and its shape, such as "float64 1000 x 1000"; None for all else."""
    for module, name, told in _SHAPES:
        base = _held_by(sys.modules.get(module), name)
        if isinstance(base, type) and _is_derived(type(one), base):
            try:
                elements, sizes = told(one)
                return f"{elements} {' x '.join(map(str, sizes)) or 'scalar'}"
            except Exception:  # noqa: BLE001 - as in `_read`
                return None
    return None


def _is_derived(kind: type, base: type) -> bool:
    """Tell whether a class is another or is derived from it. `issubclass` would ask that one's metaclass."""
    return any(one is base for one in _mro(kind))


def _is_among(kind: type, kinds: tuple[type, ...]) -> bool:
    """Tell whether a class is one of these. `in` would ask its metaclass."""
    return any(kind is one for one in kinds)


def _package(kind: type) -> str:
    return _text(_module(kind)).partition(".")[0]


def _text(told: object) -> str:
    return told if type(told) is str else ""


def _held_by(module: object, name: str) -> object:
    """Return what a module holds by a name, without its own `__getattr__`, which may import."""
    held = module
    for part in name.split("."):
        if not isinstance(held, types.ModuleType | type):
            return None
        held = vars(held).get(part)
    return held


# What libraries' objects are made of. Each reader is called with an object whose class is one of theirs, or is derived
# from one: nothing is asked of the object itself that a derived class can answer otherwise.


def _function(function: Any) -> tuple[list[Block], list[object]]:
    """Follow what a function holds beside its module: defaults, and variables of the functions around it."""
    held = (member.__get__(function) for member in _HELD_BY_FUNCTIONS)
    return [], [one for one in held if one is not None]


def _at(address: int) -> object:
    """Return the key of a piece of RAM, which libraries hand to each other."""
    return ("RAM", address)


def _ndarray(array: Any) -> tuple[list[Block], list[object]]:
    """Return the memory of the array that owns it; that of another library's object is this one's."""
    ndarray = sys.modules["numpy"].ndarray
    owner = array
    while _is_derived(type(inner := ndarray.base.__get__(owner)), ndarray):
        owner = inner
    inside: list[object] = []
    if ndarray.dtype.__get__(owner).hasobject:
        inside = [_Rest(ndarray.view(owner, ndarray).flat, 0)]
    if inner is None:
        size_bytes = ndarray.nbytes.__get__(owner)
        is_large = size_bytes >= LEAST_SHARED_BYTES
        key = _at(ndarray.__array_interface__.__get__(owner)["data"][0]) if is_large else ("numpy", id(owner))
        return [Block(key, size_bytes)], [*inside, owner]
    if _qualname(type(inner)) == "PyCapsule":
        return [Block(("numpy", id(inner)), ndarray.nbytes.__get__(owner))], inside
    return [], [*inside, inner]


class _Rest:
    """What is still to be followed of a very long list or array: all at once would take memory of its own."""

    def __init__(self, objects: Any, start: int) -> None:
        self._objects = objects
        self._start = start

    def read(self) -> tuple[list[Block], list[object]]:
        """Return the next of them."""
        following = self._objects[self._start : self._start + _ELEMENTS_AT_A_TIME]
        found: list[object] = following if type(following) is list else following.tolist()
        if len(found) == _ELEMENTS_AT_A_TIME:
            found.append(_Rest(self._objects, self._start + _ELEMENTS_AT_A_TIME))
        return [], found


_ELEMENTS_AT_A_TIME = 65_536


def _list(one: list[object]) -> tuple[list[Block], list[object]]:
    return [Block(("list", id(one)), sys.getsizeof(one))], [_Rest(one, 0)]


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


_OURS: tuple[tuple[type, Read], ...] = ((list, _list), (_Rest, _Rest.read), (types.FunctionType, _function))
"""What Python itself makes and is not simply followed."""

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
