"""An object that nothing may be asked of, neither itself nor its class, and a megabyte that it holds."""

from __future__ import annotations

from typing import Any

from builders import MIB

ASKED: list[str] = []
"""What was asked all the same, in this process."""


def _asked(name: str) -> Any:
    def method(*_arguments: object, **_named: object) -> Any:
        ASKED.append(name)
        raise AssertionError(name)

    return method


_ALL = ("__getattribute__", "__eq__", "__hash__", "__bool__", "__len__", "__iter__", "__contains__", "__repr__",
        "__str__", "__format__", "__sizeof__", "__reduce_ex__", "__dir__", "__array__")  # fmt: skip


class Kind(type):
    """Of classes that answer no more than their objects do."""


for _name in ("__instancecheck__", "__subclasscheck__", "__eq__", "__hash__", "__getattribute__", "__repr__"):
    setattr(Kind, _name, _asked(f"the class's {_name}"))


class Untouchable(metaclass=Kind):
    def __init__(self) -> None:
        object.__setattr__(self, "kept", bytearray(MIB))

    locals().update({name: _asked(name) for name in _ALL})
    __class__ = property(_asked("__class__"))  # type: ignore[assignment]
