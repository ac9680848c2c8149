"""The names that hold things in this process: the user's variables, and what IPython and the last error keep.

IPython's shell is handed in and read by its attributes. Nothing of the user's runs: a thing is known by its identity
and its type alone, and no attribute of it is asked for.

Sources: IPython 7.34 and 9.18, core/displayhook.py, core/interactiveshell.py, core/ultratb.py.
"""

from __future__ import annotations

import re
import sys
import types
from typing import TYPE_CHECKING, Any, NamedTuple

from colab_magics import introspection
from colab_magics.model.holders import Keeper

if TYPE_CHECKING:
    from collections.abc import Iterator

UNDERSCORES = ("_", "__", "___")
"""The last three results."""

_UNDERSCORED = re.compile("^_.*", re.MULTILINE)
_RESULT = re.compile(r"_\d+")
_TEXT = re.compile(r"_i{1,3}|_i\d+")
_IPYTHON_S = frozenset({"In", "Out", "_ih", "_oh", "_dh", "exit", "quit", "open", "get_ipython"})
"""The names that IPython gives beside those of results and texts."""

_RUNNERS = ("IPython", "ipykernel", "google.colab", "colab_magics")
"""The packages whose functions a cell is run by: what they hold is no part of an error's."""


class Kept(NamedTuple):
    """A thing, and what keeps it; there may be a hundred thousand of these."""

    keeper: Keeper
    name: str
    """As code would write it; from outside."""
    thing: Any


class LocalNames(NamedTuple):
    """The local variables of a function that an error came through."""

    function: str
    variables: list[tuple[str, Any]]


def variables_of(shell: Any) -> dict[str, Any]:
    """Return the user's variables, modules among them; outside IPython (None) those of `__main__`.

    There may be a hundred thousand: only names that IPython or Python itself may have given are looked at one by one.
    """
    names = _names(shell)
    found: dict[Any, Any] = dict.copy(names) if issubclass(type(names), dict) else {}
    try:
        text = "\n".join(found)
    except TypeError:  # what `globals()[1] = 2` puts there is no variable
        found = {name: thing for name, thing in found.items() if type(name) is str}
        text = "\n".join(found)
    for name in (_IPYTHON_S & found.keys()) | {*_UNDERSCORED.findall(text)}:
        if name in found and not _is_the_user_s(name, found[name], shell):
            del found[name]
    return found


def hidden_holders(shell: Any) -> list[Kept]:
    """Return what IPython keeps beside the variables, each thing once, under the name that says most of it."""
    found: dict[int, Kept] = {}
    if shell is not None:
        for kept in (*_results(shell), *_hidden_things(shell), *_texts(shell)):
            if kept.thing is not None:
                found.setdefault(id(kept.thing), kept)
    return [*found.values()]


def _results(shell: Any) -> Iterator[Kept]:
    for number, thing in _items(_outputs(shell)):
        if type(number) is int:
            yield Kept(Keeper.OUTPUT, f"Out[{number}]", thing)
    for name in UNDERSCORES:
        yield Kept(Keeper.OUTPUT, name, getattr(_hook(shell), name, None))
    last = getattr(shell, "last_execution_result", None)
    yield Kept(Keeper.OUTPUT, "last_execution_result", getattr(last, "result", None))


def _hidden_things(shell: Any) -> Iterator[Kept]:
    """Give results that have no number any more, and what names that are not the user's had before."""
    names = _names(shell)
    for name, thing in _items(_hidden(shell)):
        if type(name) is not str or type(thing) is types.ModuleType:
            continue
        is_at_hand = _get(names, name) is thing
        if is_a_result(name) and is_at_hand:
            yield Kept(Keeper.OUTPUT, name, thing)
        elif not is_at_hand and (is_a_result(name) or not _is_ipython_s(name)):
            yield Kept(Keeper.HIDDEN, f"get_ipython().user_ns_hidden[{name!r}]", thing)


def _texts(shell: Any) -> Iterator[Kept]:
    history = getattr(shell, "history_manager", None)
    yield Kept(Keeper.INPUT, "In", getattr(history, "input_hist_parsed", None))
    yield Kept(Keeper.INPUT, "_ih", getattr(history, "input_hist_raw", None))


def places(shell: Any) -> tuple[dict[Any, Any], dict[Any, Any], dict[Any, Any]]:
    """Return where the variables, what IPython hides of them, and the results stand; empty where there is no place."""
    found = (_names(shell), _hidden(shell), _outputs(shell)) if shell is not None else ()
    names, hidden, outputs = (one if issubclass(type(one), dict) else {} for one in (*found, *(None,) * 3)[:3])
    return names, hidden, outputs


def forgotten(shell: Any) -> list[str]:
    """Return the names under which IPython hides results, and what other names had before they got something else."""
    names, hidden = _names(shell), _hidden(shell)
    return [
        name
        for name, thing in _items(hidden)
        if type(name) is str and (is_a_result(name) or (not _is_ipython_s(name) and _get(names, name) is not thing))
    ]


def machinery(shell: Any) -> list[object]:
    """Return what everything hangs together by, and what is listed by its parts: nobody's, whoever refers to it."""
    history = getattr(shell, "history_manager", None)
    return [
        shell,
        _hook(shell),
        history,
        _names(shell),
        _hidden(shell),
        _outputs(shell),
        sys.modules["__main__"].__dict__,
    ]


def error_locals(shell: Any) -> Iterator[LocalNames]:
    """Give the local variables of each function that the last error came through, the innermost last.

    Those of the cell itself are the user's variables, those that run a cell IPython's; functions that still run keep
    nothing because of an error.
    """
    running = _running()
    seen = set[int]()
    for traceback in tracebacks(shell):
        step: types.TracebackType | None = traceback
        while step is not None:
            frame, step = step.tb_frame, step.tb_next
            if id(frame) in seen or id(frame) in running or frame.f_code.co_flags & _OPTIMIZED == 0:
                continue
            seen.add(id(frame))
            if _is_of_a_runner(frame):
                continue
            yield LocalNames(frame.f_code.co_qualname, _items(dict(frame.f_locals)))


_OPTIMIZED = 0x1
"""Of a function's code, whose variables are its own: a cell's, a module's and a class's stand in a namespace."""


def tracebacks(shell: Any) -> list[types.TracebackType]:
    """Return where the last error came from, and those that led to it: each with all that it came through."""
    found = [sys.__dict__.get("last_traceback"), getattr(getattr(shell, "InteractiveTB", None), "tb", None)]
    found += [_TRACEBACK(error) for error in errors(shell)]
    return [*{id(one): one for one in found if type(one) is types.TracebackType}.values()]


def errors(shell: Any) -> list[BaseException]:
    """Return the last error as Python and IPython keep it, and those that it was raised from or during."""
    last = getattr(shell, "last_execution_result", None)
    waiting = [
        sys.__dict__.get("last_exc"),
        sys.__dict__.get("last_value"),
        getattr(last, "error_in_exec", None),
        getattr(last, "error_before_exec", None),
    ]
    found: dict[int, BaseException] = {}
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in found or not issubclass(type(one), BaseException):
            continue
        found[id(one)] = one
        waiting += [introspection.cause(one), introspection.context(one)]
        if issubclass(type(one), BaseExceptionGroup):
            waiting += introspection.members(one)
    return [*found.values()]


# By the slots themselves: a class of the user's may say otherwise of these names.
_TRACEBACK: Any = BaseException.__dict__["__traceback__"].__get__


def cut_off(error: BaseException) -> None:
    """Take an error's traceback away, whatever its class says of that name."""
    BaseException.__dict__["__traceback__"].__set__(error, None)


def is_a_result(name: str) -> bool:
    """Tell whether IPython gives results this name: `_`, `__`, `___`, `_3`."""
    return name in UNDERSCORES or _RESULT.fullmatch(name) is not None


def _is_the_user_s(name: str, thing: Any, shell: Any) -> bool:
    """Tell whether the user has given this name to this thing, where IPython or Python itself may have."""
    if _is_python_s(name) or not _is_ipython_s(name):
        return not _is_python_s(name)
    if name in UNDERSCORES and getattr(_hook(shell), name, None) is thing:
        return False
    hidden = _hidden(shell)
    return hidden is not None and _get(hidden, name) is not thing


def _is_python_s(name: str) -> bool:
    """Tell whether a name is one of a module's own, such as `__name__`, or `_exit_code` of IPython's `!`."""
    return name == "_exit_code" or (name not in UNDERSCORES and name.startswith("__") and name.endswith("__"))


def _is_ipython_s(name: str) -> bool:
    """Tell whether IPython gives this name; a user may give it to something else."""
    if not name.startswith("_"):
        return name in _IPYTHON_S
    return is_a_result(name) or name in _IPYTHON_S or _TEXT.fullmatch(name) is not None


def _running() -> set[int]:
    """Return the frames of this thread that still run, by their identities."""
    frame: types.FrameType | None = sys._getframe()  # noqa: SLF001 - the one way to it, and documented
    found = set()
    while frame is not None:
        found.add(id(frame))
        frame = frame.f_back
    return found


def _is_of_a_runner(frame: types.FrameType) -> bool:
    module = frame.f_globals.get("__name__")
    return type(module) is str and module.startswith(_RUNNERS)


def _names(shell: Any) -> Any:
    return sys.modules["__main__"].__dict__ if shell is None else getattr(shell, "user_ns", None)


def _hidden(shell: Any) -> Any:
    return getattr(shell, "user_ns_hidden", None)


def _hook(shell: Any) -> Any:
    return getattr(shell, "displayhook", None)


def _outputs(shell: Any) -> Any:
    return getattr(getattr(shell, "history_manager", None), "output_hist", None) or _get(_names(shell), "_oh")


def _items(names: Any) -> list[tuple[Any, Any]]:
    """Return what stands in a namespace, as it is at one moment; nothing where it is no dictionary."""
    return list(dict.items(names)) if issubclass(type(names), dict) else []


def _get(names: Any, name: str) -> Any:
    """Return what stands in a namespace under a name; what stands nowhere else where there is none."""
    return dict.get(names, name, _NOTHING) if issubclass(type(names), dict) else _NOTHING


_NOTHING = object()
