"""How much memory objects hold, looked through without running any code of theirs.

No `__getattr__`, `__len__`, `__sizeof__`, `__repr__`, `__class__` or `__eq__` of a user's class is called, nothing is
imported, and nothing lazy is computed. Arrays and frames are read as `blocks` knows them, where their library is
loaded; all else is followed as the garbage collector sees it, and counted by what Python itself needs for it. Modules,
classes, functions' globals and frames are not followed: everything hangs together by them.

A piece of memory is counted once, for the first that is found to hold it: views share their base's, tensors their
storage.

Sources: the documentation of `gc` and `sys`, CPython's Include/object.h for the flags of types.
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

from colab_magics.introspection import class_name, is_derived, mro
from colab_magics.model.holders import OnDevice
from colab_magics.probes.blocks import LEAST_SHARED_BYTES, Block, Rest, loaded_readers
from colab_magics.values import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from colab_magics.probes.blocks import Read

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
_flags = type.__dict__["__flags__"].__get__
_basicsize = type.__dict__["__basicsize__"].__get__
_dictoffset = type.__dict__["__dictoffset__"].__get__
_itemsize = type.__dict__["__itemsize__"].__get__

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

    def __init__(self, *, seconds: float, apart_from: Iterable[object] = ()) -> None:
        """Look for so long in all. `apart_from` are objects that nobody holds, such as the shell."""
        self._until = time.perf_counter() + seconds
        self._kept = [*apart_from]  # an id is an object's only while that lives
        self._seen = {id(one) for one in self._kept}
        self._roots: dict[int, str] = {}
        self._blocks: dict[object, str] = {}
        self._kinds: dict[int, _Kind] = {}
        self._readers = loaded_readers()

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
            if is_derived(kind, base):
                return _Kind(read=read, is_followed=base is not kind)
        if (
            any(is_derived(kind, base) for base in _NOT_FOLLOWED)
            or class_name(kind).partition(".")[0] in _NOT_FOLLOWED_OF
        ):
            return _Kind()
        return _Kind._python(kind)

    @staticmethod
    def _python(kind: type) -> _Kind:
        """Return how objects are looked at that Python itself makes, and those of a user's class."""
        native = next(base for base in mro(kind) if not _flags(base) & _HEAP_TYPE or _flags(base) & _IMMUTABLE_TYPE)
        each = _GC_HEADER_BYTES if _flags(kind) & _HAS_GC else 0
        if native is not kind and _dictoffset(kind):
            each += _INSTANCE_VALUES_BYTES
        if native.__sizeof__ is object.__sizeof__ and not _itemsize(kind):
            return _Kind(each_bytes=each + _basicsize(kind), is_followed=True)
        each += _basicsize(kind) - _basicsize(native)
        return _Kind(each_bytes=each, size=native.__sizeof__, is_followed=True, has_keys=is_derived(kind, dict))


def _is_among(kind: type, kinds: tuple[type, ...]) -> bool:
    """Tell whether a class is one of these. `in` would ask its metaclass."""
    return any(kind is one for one in kinds)


def _function(function: Any) -> tuple[list[Block], list[object]]:
    """Follow what a function holds beside its module: defaults, and variables of the functions around it."""
    held = (member.__get__(function) for member in _HELD_BY_FUNCTIONS)
    return [], [one for one in held if one is not None]


def _list(one: list[object]) -> tuple[list[Block], list[object]]:
    return [Block(("list", id(one)), sys.getsizeof(one))], [Rest(one, 0)]


_OURS: tuple[tuple[type, Read], ...] = ((list, _list), (Rest, Rest.read), (types.FunctionType, _function))
"""What Python itself makes and is not simply followed."""
