"""A machine's answer becomes a report again: also that of another version of this package, as far as it can be read.

A pickle may name any function of any module. Here it may name the types that a report is made of, and nothing else.
"""

from __future__ import annotations

import enum
import functools
import importlib
import io
import pickle
from typing import TYPE_CHECKING, Any

from colab_magics.model import Snapshot, Subject, Unavailable
from colab_magics.model.cluster import Node, cluster_of
from colab_magics.report import Report
from colab_magics.rules import RULES
from colab_magics.units import excerpt
from colab_magics.values import Value, replace
from colab_magics.version import FORM, VERSION
from colab_magics.views import json, text
from colab_magics.views.render_options import RenderOptions

if TYPE_CHECKING:
    from colab_magics.clusters.asking import Asked

_MODULES = frozenset(f"colab_magics.model{part}" for part in ("", ".cells", ".holders", ".cluster"))
"""The modules of those types, beside the report's own."""

_OF_PYTHON = {("datetime", "datetime"), ("datetime", "timedelta"), ("datetime", "timezone")}

_MOST_OF_A_TEXT = 200

_MOST_BYTES = 10_000_000
"""A report of a machine with hundreds of GPUs has a tenth."""


def report_of(asked: Asked, *, engine: str) -> Report | Unavailable:
    """Return what a machine said of itself, or why nothing is known of it."""
    answer: Any = asked.answer
    if isinstance(answer, Unavailable):
        return answer
    if answer == {}:
        return Unavailable(code="node_lacks_package", values=(("engine", engine),))
    version, pickled = (answer.get("version"), answer.get("report")) if isinstance(answer, dict) else (None, None)
    if not isinstance(version, str) or not isinstance(pickled, bytes) or len(pickled) > _MOST_BYTES:
        return Unavailable(code="node_nonsense")
    seen = _read(pickled, is_of_this_version=version == VERSION) if answer.get("form") == FORM else None
    if seen is None:
        return Unavailable(code="node_nonsense") if version == VERSION else _other_version(version)
    return seen


def _read(pickled: bytes, *, is_of_this_version: bool) -> Report | None:
    """Return a report; None where it is none, or has what is not known here."""
    try:
        made: Any = _Unpickler(io.BytesIO(pickled)).load()
        snapshot = made.snapshot if isinstance(made, Report) else None
        if not isinstance(snapshot, Snapshot) or made.subject is not Subject.RUNTIME:
            return None
        seen: Report = replace(made, findings=tuple(one for one in made.findings if one.rule in RULES))
        if not is_of_this_version:
            _try_to_show(seen)
    except Exception:  # noqa: BLE001 - a pickle may raise anything, and so may what is made of it
        return None
    return seen


def _try_to_show(seen: Report) -> None:
    """Raise whatever is raised where a report of another version is compared, summed up and shown."""
    cluster = cluster_of("", [Node(number=1, address="", workers=None, report=seen)], None)
    whole = Report(subject=Subject.CLUSTER, snapshot=replace(seen.snapshot, cluster=cluster), findings=())
    for view in (text.render, json.render):
        view(whole, RenderOptions(everything=True))


def _other_version(version: str) -> Unavailable:
    """Return that a machine has another version of this package, whose reports cannot be read."""
    return Unavailable(code="node_other_version", values=(("version", version[:32]), ("own", VERSION)))


class _Unpickler(pickle.Unpickler):
    """Makes values of a report's types; nothing else is called, and nothing that is here is changed."""

    def find_class(self, module: str, name: str) -> Any:
        """Return what a pickle names."""
        return _found(module, name)


@functools.cache
def _found(module: str, name: str) -> Any:
    """Return what a pickle may name; thousands of reports name the same.

    Of our own it is never the thing itself, whose fields a pickle could set.
    """
    if (module, name) == ("colab_magics.values", "_restored"):
        return _Restorer()
    if (module, name) in _OF_PYTHON:
        return getattr(importlib.import_module(module), name)
    is_known = module in _MODULES or (module, name) == ("colab_magics.report", "Report")
    found = getattr(importlib.import_module(module), name) if is_known else None
    if not (isinstance(found, type) and issubclass(found, (Value, enum.Enum)) and found.__module__ == module):
        raise pickle.UnpicklingError(f"{module}.{name} is no type of a report's")
    return _Type(found)


class _Type:
    """A type that a pickle names: an enum's member is made of it by a call, a value by `_Restorer`."""

    __slots__ = ("kind",)
    kind: type[Any]

    def __init__(self, kind: type) -> None:
        object.__setattr__(self, "kind", kind)

    def __setattr__(self, name: str, _value: object) -> None:
        raise pickle.UnpicklingError(f"{name} cannot be set")

    def __call__(self, value: object) -> object:
        if not issubclass(self.kind, enum.Enum):
            raise pickle.UnpicklingError(f"{self.kind.__name__} is not made so")
        return self.kind(value)


class _Restorer:
    """Makes a value again, as `values` does."""

    __slots__ = ()

    def __call__(self, named: _Type, values: dict[str, Any]) -> Value:
        """Make a value without the fields that are not known here: a later version may have more."""
        fields = named.kind._fields
        made: Value = named.kind(**{name: _clean(value) for name, value in values.items() if name in fields})
        return made


def _clean(value: Any) -> Any:
    """Return a value in which no text is long, or steers what shows it: here even our own words come from outside."""
    if type(value) is str:
        return value if value.isprintable() and len(value) <= _MOST_OF_A_TEXT else excerpt(value, _MOST_OF_A_TEXT)
    return tuple(map(_clean, value)) if type(value) is tuple else value
