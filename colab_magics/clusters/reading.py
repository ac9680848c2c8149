"""A machine's answer becomes a report again: also that of another version of this package, as far as it can be read.

A pickle may name any function of any module. Here it may name the types that a report is made of, and nothing else.
"""

from __future__ import annotations

import functools
import importlib
import io
import pickle
from typing import TYPE_CHECKING, Any

from colab_magics.model import Unavailable
from colab_magics.report import Report
from colab_magics.rules import RULES
from colab_magics.values import Value, replace
from colab_magics.version import FORM, VERSION

if TYPE_CHECKING:
    from colab_magics.clusters.asking import Asked

_PLACES = ("colab_magics.model", "colab_magics.report")
"""The modules of those types."""

_OF_PYTHON = {("datetime", "datetime"), ("datetime", "timedelta"), ("datetime", "timezone")}

_MOST_OF_A_TEXT = 1000

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
    seen = _unpickled(pickled) if answer.get("form") == FORM else None
    if seen is None:
        return Unavailable(code="node_nonsense") if version == VERSION else _other_version(version)
    return replace(seen, findings=tuple(one for one in seen.findings if one.rule in RULES))


def _unpickled(pickled: bytes) -> Report | None:
    """Return a report, None where it is none or has what is not known here."""
    try:
        seen = _Unpickler(io.BytesIO(pickled)).load()
    except Exception:  # noqa: BLE001 - a pickle may raise anything
        return None
    return seen if isinstance(seen, Report) else None


def _other_version(version: str) -> Unavailable:
    """Return that a machine has another version of this package, whose reports cannot be read."""
    return Unavailable(code="node_other_version", values=(("version", version[:32]), ("own", VERSION)))


class _Unpickler(pickle.Unpickler):
    """Makes values of a report's types, and calls nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        """Return what a pickle names."""
        return _found(module, name)


@functools.cache
def _found(module: str, name: str) -> Any:
    """Return what a pickle may name; thousands of reports name the same."""
    if (module, name) == ("colab_magics.values", "_restored"):
        return _restored
    is_ours = module.startswith(_PLACES) and "." not in name
    found = getattr(importlib.import_module(module), name) if is_ours or (module, name) in _OF_PYTHON else None
    if not isinstance(found, type):
        raise pickle.UnpicklingError(f"{module}.{name} is no type of a report's")
    return found


def _restored(kind: type[Value], values: dict[str, Any]) -> Value:
    """Make a value without the fields that are not known here: a newer version may have more. No text is long."""
    for name in values.keys() - {*kind._fields}:
        del values[name]
    for name, value in values.items():
        if type(value) is str and len(value) > _MOST_OF_A_TEXT:
            values[name] = value[:_MOST_OF_A_TEXT]
    return kind(**values)
