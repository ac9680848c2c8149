"""Where a module may come from: never from the working directory, by whatever name the module path holds it.

IPython and kernels put the working directory first on the path, so that a `json.py` in a notebook's folder would run
in place of Python's as soon as one of our modules is the first to need it.
This module imports only what Python has loaded before it runs any program.
"""

import os
import sys
from _frozen_importlib_external import PathFinder  # importlib.machinery's: importlib itself may not be loaded yet
from _thread import RLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType
    from typing import Any, ParamSpec, TypeVar

    Parameters = ParamSpec("Parameters")
    Result = TypeVar("Result")

_PACKAGE = __name__.partition(".")[0]
_real_paths: dict[str, str] = {}


def working_directory() -> "str | None":
    """Return the working directory, None if it cannot be told; nothing in it is touched, since it may not answer."""
    try:
        return os.readlink("/proc/self/cwd")
    except OSError:  # not on Linux
        try:
            return os.getcwd()
        except OSError:
            return None


def trusted_folders() -> "Iterator[str]":
    """Give the folders of the module path but the working directory, in their order.

    They are given one by one, as they are needed: to resolve a folder may take for ever where its file system does not
    answer. Where this package, or Python's own library, lies in the working directory, somebody chose to run what is
    there: it comes last, so that nothing in it takes the place of another's.
    """
    here = working_directory()
    names_here = False
    entries: tuple[object, ...] = (*sys.path,)
    for entry in entries:
        if not isinstance(entry, str):  # Python passes over it too
            continue
        if not os.path.isabs(entry):
            names_here |= os.path.normpath(entry) == os.curdir
        elif entry == here or _real_path(entry) == here:
            names_here = True
        else:
            yield entry
    if names_here and here is not None and here in _CHOSEN:
        yield here


def _real_path(entry: str) -> str:
    """Return where an entry of the module path really is, asked once while `trusted_imports` is held."""
    real = _real_paths.get(entry)
    if real is None:
        real = _real_paths[entry] = os.path.realpath(entry)
    return real


class _TrustedImports:
    """See `trusted_imports`."""

    def __init__(self) -> None:
        self._lock = RLock()  # reentrant: a finalizer may ask for a report anywhere
        self._held = 0
        self._before: Any = None
        self._ours: Any = None

    def __enter__(self) -> None:
        with self._lock:
            self._held += 1
            now = PathFinder.__dict__["find_spec"]
            if now is not self._ours:
                if now is not self._before:
                    self._before, self._ours = now, _in_trusted_folders(now)
                PathFinder.find_spec = self._ours  # type: ignore[method-assign]

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._held -= 1
            if self._held == 0:
                self._put_back()

    def __call__(self, function: "Callable[Parameters, Result]") -> "Callable[Parameters, Result]":
        """Return a function that runs with trusted imports."""

        def trusting(*arguments: "Parameters.args", **options: "Parameters.kwargs") -> "Result":
            with self:
                return function(*arguments, **options)

        for name in ("__module__", "__name__", "__qualname__", "__doc__"):
            setattr(trusting, name, getattr(function, name))
        trusting.__wrapped__ = function  # type: ignore[attr-defined]  # where `inspect` finds its signature
        return trusting

    def begin_in_forked_process(self) -> None:
        """Release what other threads held in the parent process: they do not exist in this one."""
        self._lock = RLock()
        if self._held and not _is_asked_by_us(sys._getframe(1)):  # noqa: SLF001 - Python's documented way
            self._held = 0
            self._put_back()

    def _put_back(self) -> None:
        _real_paths.clear()
        if PathFinder.__dict__["find_spec"] is self._ours:  # else other code has wrapped it, and still calls it
            PathFinder.find_spec = self._before  # type: ignore[method-assign]


def _in_trusted_folders(find_spec: "Any") -> "Any":
    """Return Python's search for a module on the path, limited to trusted folders for imports by our own code.

    Who imports is read from the stack, not from a flag: the user's other threads import as always, and so does this one
    after an interrupt at the wrong moment.
    """
    by_others: Any = PathFinder.find_spec  # where other code has replaced the class method by a function

    def find(
        finder: type[PathFinder], fullname: str, path: "Iterator[str] | None" = None, target: object = None
    ) -> object:
        if path is None and _is_asked_by_us(sys._getframe(1)):  # noqa: SLF001 - Python's documented way
            path = trusted_folders()
        python_s = find_spec.__get__(None, finder) if isinstance(find_spec, classmethod) else by_others
        return python_s(fullname, path, target)

    return classmethod(find)


def _is_asked_by_us(frame: "FrameType | None") -> bool:
    """Tell whether a module of ours waits for this frame; this one does not count, which others' imports pass too."""
    while frame is not None:
        module = str(frame.f_globals.get("__name__"))
        if module.partition(".")[0] == _PACKAGE and module != __name__:
            return True
        frame = frame.f_back
    return False


trusted_imports = _TrustedImports()
"""While this is held, what is imported for us comes from trusted folders, or was there already.

`with trusted_imports:`, or a decorator; for whatever the user's code, IPython or a page calls, since modules of ours
and of others are imported where they are first needed. `sys.path` and `sys.meta_path` stay as they are, so that nobody
who reads or changes them meanwhile is disturbed.
"""

_CHOSEN = (
    os.path.realpath(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))),
    os.path.realpath(os.path.dirname(getattr(os, "__file__", __file__))),
)
"""Where this package and Python's own library lie."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=trusted_imports.begin_in_forked_process)
