"""What can be told of an object without running any of its code: its class's name and bases, what an error came from.

A class of the user's may define `__class__`, `__getattr__` or a property of any name, and its metaclass `__eq__`,
`__hash__`, `__instancecheck__`: so all of this is read by the slots that Python itself has for it.
"""

from __future__ import annotations

from typing import Any

mro: Any = type.__dict__["__mro__"].__get__
"""A class's bases, itself the first."""

qualified_name: Any = type.__dict__["__qualname__"].__get__
"""A class's name within its module."""

cause: Any = BaseException.__dict__["__cause__"].__get__
"""What an error was raised from."""

context: Any = BaseException.__dict__["__context__"].__get__
"""What was being handled when an error was raised."""

members: Any = BaseExceptionGroup.__dict__["exceptions"].__get__
"""The errors of a group."""

_module: Any = type.__dict__["__module__"].__get__


def is_derived(kind: type, base: type) -> bool:
    """Tell whether a class is another or is derived from it. `issubclass` would ask that one's metaclass."""
    return any(one is base for one in mro(kind))


def class_name(kind: type) -> str:
    """Return a class's name with its module, that of a built-in one alone, such as "numpy.ndarray"; from outside."""
    module, name = _text(_module(kind)), _text(qualified_name(kind))
    return name if module in ("builtins", "") else f"{module}.{name}"


def _text(told: object) -> str:
    return told if type(told) is str else ""
