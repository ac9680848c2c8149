"""Frozen values: what `@dataclass(frozen=True, kw_only=True, slots=True)` promises, defined in a tenth of its time.

The first report waits for the definition of nearly a hundred of them (0.6 ms each as dataclasses, 0.3 as named tuples,
measured 2026-11). A type checker reads them as dataclasses, and `dataclasses.replace`, `asdict` and `fields` take them
as such.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, dataclass_transform

if TYPE_CHECKING:
    from collections.abc import Callable

Self = TypeVar("Self", bound="Value")


class _DataclassFields:
    """What the functions of `dataclasses` read from a class, made when one of them first does: it is slow to load."""

    def __init__(self) -> None:
        self._made: dict[type[Value], dict[str, Any]] = {}

    def __get__(self, _instance: Value | None, owner: type[Value]) -> dict[str, Any]:
        if owner not in self._made:
            import dataclasses
            from dataclasses import MISSING, field, make_dataclass

            fields = [(name, Any, field(default=owner._defaults.get(name, MISSING))) for name in owner._fields]  # noqa: SLF001 - the class next to it
            made = make_dataclass(owner.__name__, fields, kw_only=True)
            self._made[owner] = {one.name: one for one in dataclasses.fields(made)}
        return self._made[owner]


@dataclass_transform(frozen_default=True, kw_only_default=True)
class _ValueType(type):
    """Gives a class a slot for each of its annotations. They are strings: every module has the future import."""

    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> _ValueType:
        own = [field for field in namespace.get("__annotations__", ()) if not field.startswith("_")]
        defaults = {field: namespace.pop(field) for field in own if field in namespace}
        fields = tuple(own)
        made = {"__slots__": own, "__match_args__": fields, "_fields": fields, "_defaults": defaults}
        kind: Any = super().__new__(cls, name, bases, {**namespace, **made})
        kind._setters = tuple((field, kind.__dict__[field].__set__) for field in own)  # noqa: SLF001 - the class next to it
        return kind  # type: ignore[no-any-return]


class Value(metaclass=_ValueType):
    """A value made by keywords, which cannot be changed; equal to another of its class with equal fields."""

    _fields: ClassVar[tuple[str, ...]]
    _setters: ClassVar[tuple[tuple[str, Callable[[Value, Any], None]], ...]]
    """What writes each field: `__setattr__` does not, and by the slots themselves it takes two thirds of the time."""
    _defaults: ClassVar[dict[str, Any]]
    __dataclass_fields__ = _DataclassFields()

    def __init__(self, **values: Any) -> None:
        if len(values) < len(self._fields):
            values = self._defaults | values
        try:
            for name, put in self._setters:
                put(self, values[name])
        except KeyError:
            raise self._mistake(values) from None
        if len(values) != len(self._fields):
            raise self._mistake(values)

    @classmethod
    def _mistake(cls, values: dict[str, Any]) -> TypeError:
        """Return what is wrong with values that do not make one of this class."""
        for name in cls._fields:
            if name not in values and name not in cls._defaults:
                return TypeError(f"{cls.__name__} needs a value for {name}")
        unknown = ", ".join(sorted(values.keys() - {*cls._fields}))
        return TypeError(f"{cls.__name__} has no {unknown}. Allowed: {', '.join(cls._fields)}")

    def __setattr__(self, name: str, _value: object) -> None:
        raise _frozen(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> None:
        raise _frozen(f"cannot delete field {name!r}")

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._fields)
        return f"{type(self).__name__}({shown})"

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self._fields)

    def __hash__(self) -> int:
        return hash((type(self), *(getattr(self, name) for name in self._fields)))

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), {name: getattr(self, name) for name in self._fields})


@dataclass_transform(frozen_default=True)
class _RecordType(_ValueType):
    """The type of what is made, and matched, by position too."""


class Record(Value, metaclass=_RecordType):
    """A value of a few fields that may be made by position, as a named tuple is; defined in a twentieth of its time."""

    def __init__(self, *given: Any, **values: Any) -> None:
        if given:
            by_position = dict(zip(self._fields, given, strict=False))
            if len(given) > len(by_position) or not by_position.keys().isdisjoint(values):
                raise TypeError(f"{type(self).__name__} is made of {', '.join(self._fields)}, each once")
            values |= by_position
        super().__init__(**values)


def replace(value: Self, /, **changes: Any) -> Self:
    """Return a value with these fields changed."""
    return type(value)(**{name: getattr(value, name) for name in value._fields} | changes)


def _frozen(why: str) -> AttributeError:
    """Return the error that a frozen dataclass raises."""
    from dataclasses import FrozenInstanceError

    return FrozenInstanceError(why)


def _restored(kind: type[Value], values: dict[str, Any]) -> Value:
    """Make a pickled value again; fields that it had not yet have their defaults."""
    return kind(**values)
