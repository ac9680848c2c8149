"""The names of accelerators: how two are compared, which the tables know, and which of them somebody meant."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from colab_magics import facts
from colab_magics.facts import accelerators

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

KINDS = ("gpu", "tpu")
"""The keys whose values are names."""

_ALIKE = str.maketrans("oil", "011")
"""Letters that are mistaken for digits: "A1OO"."""

_LIKELY = 0.7
"""How alike two names must be, of 1, for one to be a slip for the other: "A10" and "A100" are, "L40S" and "L4" are
not."""

_LONGEST = 60
"""The longest name that is compared letter by letter: no device has a longer one."""


def words(name: str) -> list[str]:
    """Return the words of a name, in the one case in which names are compared."""
    return re.findall(r"[^\W_]+", name.casefold())


def is_called(asked: str, names: Iterable[str]) -> bool:
    """Tell whether every word of the asked name stands in one of the names, whole, in that order."""
    for name in names:
        left = iter(words(name))
        if all(word in left for word in words(asked)):
            return True
    return False


def is_known(kind: str, asked: str) -> bool:
    """Tell whether a table knows an accelerator of that kind by that name."""
    return is_called(asked, _known(kind))


def condition(name: str) -> str | None:
    """Return the condition that is meant by an accelerator's name alone: "gpu=T4"; None for all other words."""
    found = words(name)
    for kind in KINDS:
        known = is_known(kind, name)
        if found and (found[0] in _short(kind) or (known and len(found) > 1)):
            return f"{kind}={' '.join(name.split()) if known else found[0]}"
    return None


def likely(kind: str, asked: str) -> str | None:
    """Return the condition that was probably meant by a name that no table knows: "gpu=A100" for "A1OO"."""
    if len(asked) > _LONGEST:
        return None
    for other in KINDS:
        if other != kind and is_known(other, asked):
            return f"{other}={asked}"
    import difflib

    by_form = {_form(name): name for name in reversed(_known(kind))}
    found = difflib.get_close_matches(_form(asked), by_form, n=1, cutoff=_LIKELY)
    return f"{kind}={by_form[found[0]]}" if found else None


def _form(name: str) -> str:
    return name.casefold().translate(_ALIKE)


@functools.cache
def _known(kind: str) -> tuple[str, ...]:
    """Return the names of a kind's accelerators: Colab's, those that a service no longer has, and other services'."""
    return tuple(dict.fromkeys(_names(kind)))


def _names(kind: str) -> Iterator[str]:
    for row in accelerators.offered():
        if row.kind == kind:
            yield row.menu_name.removesuffix(f" {kind.upper()}")
            yield from (row.menu_name, *row.device_names)
    yield from (row.name for row in facts.retired_accelerators() if row.kind == kind)
    for menu in facts.other_menus():
        yield from (choice.split()[1] for choice in menu.choices if choice.startswith(f"{kind.upper()} "))
    if kind == "tpu":
        yield from (chip.name for chip in facts.tpu_chips())


@functools.cache
def _short(kind: str) -> frozenset[str]:
    """Return the first words of the names that are a word and, at most, a number: "t4"; "v5e" of "v5e-1"."""
    return frozenset(words(name)[0] for name in _known(kind) if re.fullmatch(r"[A-Za-z]\d+\w*(-\d+)?", name))
