"""Who holds memory in this process: the user's variables first, then what IPython and the last error keep beside them.

A piece of memory counts for the first that has it, so what a hidden holder shows is what letting go of it would free.
All of them together are looked through for a bounded time: arrays and the like first, whose size is told at once, then
containers, each for its share of what is left of the time. What was not reached is not counted, and that is said.
"""

from __future__ import annotations

import itertools
import keyword
import math
import sys
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from colab_magics.introspection import class_name
from colab_magics.model.holders import Deletion, Holder, Holders, Keeper
from colab_magics.probes import blocks, namespace, sizes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from colab_magics.probes.namespace import Kept
    from colab_magics.probes.sizes import Held

SECONDS = 0.08
"""How long all holders are looked through, unless told otherwise."""

_SHARE_OF_VARIABLES = 0.7
"""The part of that time that the variables may take: their containers may be endless."""

_LEAST_OF_A_LOOK_SECONDS = 0.02
"""What variables, and then the others, get where it took long to list the variables."""

_LEAST_SECONDS = 0.001
"""The least time that each gets, of which a small thing takes a hundredth."""

_MOST_CHARACTERS = 128
"""Of what others have given a name to: what is longer is cut."""

_SMALL_BYTES = 4096
"""Plain things of less are counted without a further look."""

LEAST_BYTES = 2**20
"""Who holds less is not listed."""

_PLAIN = frozenset(map(id, (bool, bytes, complex, float, int, str, type(None))))
"""Types that refer to nothing, and tell their size at once. Types are known by their ids: a metaclass may hash."""

_CONTAINERS = frozenset(map(id, (dict, frozenset, list, set, tuple)))

_TELL_AT_ONCE = frozenset(
    {"array", "bytearray", "cupy", "jax", "jaxlib", "mmap", "numpy", "pandas", "polars", "pyarrow", "scipy", "torch"}
)
"""The packages whose things are looked at first."""


class Found(NamedTuple):
    """A holder, and what it holds."""

    kept: Kept
    held: Held
    size_bytes: int
    """All that it holds, here and elsewhere."""


def probe_holders(shell: Any, *, most: int = 10, seconds: float = SECONDS) -> Holders:
    """Look at what the variables hold, and what is kept beside them; list those that hold most.

    `shell` is IPython's, None outside it, where the variables are those of `__main__`.
    """
    look = _Look(shell, seconds)
    variables = look.at_variables()
    variables_bytes = look.ram_bytes
    hidden = look.at_hidden()
    return Holders(
        largest=tuple(map(as_holder, _listed([*variables, *hidden])[:most])),
        looked_at=look.looked_at,
        ram_bytes=look.ram_bytes,
        is_at_least=look.is_at_least,
        traceback_bytes=sum(one.held.ram_bytes for one in hidden if one.kept.keeper is Keeper.ERROR),
        hidden_bytes=look.ram_bytes - variables_bytes,
        deletion=_deletion(variables, hidden),
    )


def probe_hidden(shell: Any, *, seconds: float = SECONDS) -> tuple[Holder, ...]:
    """Look at what is kept beside the variables, the largest first, those too that hold next to nothing."""
    look = _Look(shell, seconds)
    look.at_variables()
    return tuple(as_holder(one) for one in sorted(look.at_hidden(), key=lambda one: -one.size_bytes))


def as_holder(found: Found) -> Holder:
    """Return a holder as the model has it."""
    kept, held = found.kept, found.held
    shape = blocks.shape(kept.thing)
    return Holder(
        keeper=kept.keeper,
        name=kept.name[:_MOST_CHARACTERS],
        type_name=class_name(type(kept.thing))[:_MOST_CHARACTERS],
        shape=None if shape is None else shape[:_MOST_CHARACTERS],
        ram_bytes=held.ram_bytes,
        devices=held.devices,
        is_at_least=held.is_at_least,
        shares_with=None if held.shares_with is None else held.shares_with[:_MOST_CHARACTERS],
    )


class _Look:
    """A look through all holders, one after the other, with one end."""

    def __init__(self, shell: Any, seconds: float) -> None:
        began = time.perf_counter()
        self._shell = shell
        self._end_of_variables, self._end = began + _SHARE_OF_VARIABLES * seconds, began + seconds
        # It ends when we say so: what is left of the time is divided here.
        self._sizes = sizes.Sizes(seconds=math.inf, apart_from=namespace.machinery(shell))
        self.looked_at = 0
        self.ram_bytes = 0
        self.is_at_least = False

    def at_variables(self) -> list[Found]:
        """Look at the variables, first those that tell at once how much they hold."""
        variables = namespace.variables_of(self._shell)
        things = variables.values()
        is_plain = [*map(_PLAIN.__contains__, map(id, map(type, things)))]
        plain_bytes = [*map(sys.getsizeof, itertools.compress(things, is_plain))]
        self.ram_bytes += sum(size for size in plain_bytes if size < _SMALL_BYTES)
        is_small = map(_SMALL_BYTES.__gt__, plain_bytes)
        names = [name for name, plain in zip(variables, is_plain, strict=True) if not (plain and next(is_small))]
        self.looked_at += len(variables)
        ordered = _early_first(names, variables)
        kept = (namespace.Kept(Keeper.VARIABLE, name, variables[name]) for name in ordered)
        return self._at(kept, len(ordered), self._end_of_variables)

    def at_hidden(self) -> list[Found]:
        """Look at what is kept beside the variables, first what tells at once how much it holds."""
        hidden = namespace.hidden_holders(self._shell)
        hidden += (
            namespace.Kept(Keeper.ERROR, f"{name} in {frame.function}()", thing)
            for frame in namespace.error_locals(self._shell)
            for name, thing in frame.variables
        )
        self.looked_at += len(hidden)
        hidden.sort(key=lambda one: not _tells_at_once(one.thing))
        return self._at(hidden, len(hidden), self._end)

    def _at(self, holders: Iterable[Kept], count: int, end: float) -> list[Found]:
        """Look at each holder for an equal share of the time that is left, and at no more when it is over.

        Return those that hold much, or share the memory of another.
        """
        end = max(end, time.perf_counter() + _LEAST_OF_A_LOOK_SECONDS)
        found = []
        for number, kept in enumerate(holders):
            left = end - time.perf_counter()
            if left <= 0:
                self.is_at_least = True
                break
            share = max(_LEAST_SECONDS, left / (count - number))
            held = self._sizes.of(kept.thing, kept.name, seconds=min(share, left))
            size_bytes = held.ram_bytes + sum(there.size_bytes for there in held.devices)
            self.ram_bytes += held.ram_bytes
            self.is_at_least |= held.is_at_least
            if size_bytes >= LEAST_BYTES or held.shares_with is not None:
                found.append(Found(kept, held, size_bytes))
        return found


def _early_first(names: list[str], variables: dict[str, Any]) -> list[str]:
    """Return variables in the order in which they are looked at: first those that tell at once how much they hold.

    Then come the others, short containers before long ones, which may take all the time that there is.
    """
    kinds: dict[int, list[str]] = {}
    for name in names:
        kinds.setdefault(id(type(variables[name])), []).append(name)
    early: list[str] = []
    others: list[str] = []
    containers: list[str] = []
    for kind, alike in kinds.items():
        if _tells_at_once(variables[alike[0]]):
            early += alike
        elif kind in _CONTAINERS:
            containers += alike
        else:
            others += alike
    return [*early, *others, *sorted(containers, key=lambda name: len(variables[name]))]


def _tells_at_once(thing: Any) -> bool:
    kind = id(type(thing))
    package = class_name(type(thing)).partition(".")[0]
    return kind in _PLAIN or (kind not in _CONTAINERS and package in _TELL_AT_ONCE)


def _listed(found: list[Found]) -> list[Found]:
    """Return those that hold much, the largest first, each with those that share its memory after it."""
    large = sorted((one for one in found if one.size_bytes >= LEAST_BYTES), key=lambda one: -one.size_bytes)
    sharing: dict[str, list[Found]] = {}
    for one in found:
        if one.held.shares_with is not None and one.size_bytes < LEAST_BYTES:
            sharing.setdefault(one.held.shares_with, []).append(one)
    return [each for one in large for each in (one, *sharing.get(one.kept.name, ()))]


def _deletion(variables: list[Found], hidden: list[Found]) -> Deletion | None:
    """Return what lets go of the memory of the largest variable, None where code could not write it."""
    largest = max(variables, key=lambda one: one.size_bytes, default=None)
    if largest is None or largest.size_bytes < LEAST_BYTES:
        return None
    name = largest.kept.name
    names = (name, *(one.kept.name for one in variables if one.held.shares_with == name))
    if not all(map(_is_a_name, names)):
        return None
    return Deletion(names=names, is_kept_elsewhere=any(one.held.shares_with == name for one in hidden))


def _is_a_name(name: str) -> bool:
    """Tell whether code could write this name."""
    return len(name) <= _MOST_CHARACTERS and name.isidentifier() and not keyword.iskeyword(name)
