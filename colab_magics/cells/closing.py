"""A measurement of the cell that runs: it ends when this very run does, however that comes about.

IPython calls back at the end of every run, also of those within this one and of those of other threads; it keeps one
result for each, by which they are told apart. A silent run (`ipython x.ipy`) has no `post_run_cell`.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from typing import TYPE_CHECKING, Any

from colab_magics.cells.meter import Meter
from colab_magics.cells.session import first_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from colab_magics.model.cells import Cell

_SHELL_MODULE = "IPython.core.interactiveshell"

_open: list[Measurement] = []


class NoRunError(RuntimeError):
    """No cell runs that could be measured, or this one is measured already."""


class Measurement:
    """A measurement that has begun; its owner hears of the end once."""

    def __init__(self, shell: Any, ended: Callable[[Cell], None], *, deadline_seconds: float) -> None:
        """Begin to measure the run that this is called in; the driver is waited for no longer than the deadline.

        Raise `NoRunError` where nothing runs, or what runs is measured already.
        """
        result = _running_result()
        if result is None:
            raise NoRunError("no cell is running")
        if any(other.result is result for other in _open):
            raise NoRunError("this cell is measured already")
        for other in [one for one in _open if one.is_left_over()]:
            other.drop()
        self.result: Any = result
        self._shell = shell
        self._pid = os.getpid()
        self._thread = threading.get_ident()
        self._ended = ended
        self._deadline_seconds = deadline_seconds
        # Before the callbacks: Ctrl-C while the driver is waited for leaves none behind.
        self._meter = Meter(gpus=True, deadline_seconds=deadline_seconds)
        self._callbacks = (("post_execute", self._after_execution), ("post_run_cell", self._after_run))
        for event, callback in self._callbacks:
            shell.events.register(event, callback)
        _open.append(self)

    def drop(self) -> None:
        """Measure no longer, and tell nobody."""
        self._unregister()
        self._meter.drop()

    def _unregister(self) -> None:
        for event, callback in self._callbacks:
            with contextlib.suppress(ValueError):  # somebody has emptied IPython's list
                self._shell.events.unregister(event, callback)
        if self in _open:
            _open.remove(self)

    def is_left_over(self) -> bool:
        """Tell whether its run has ended in this thread without IPython's saying so, as a silent one may by Ctrl-C."""
        return self._thread == threading.get_ident() and all(run is not self.result for run in _running_results())

    def _after_execution(self, *_event: object) -> None:
        if self.result.info.silent and self._shell.last_execution_result is self.result:
            self._end(failed=not self.result.success)

    def _after_run(self, result: Any = None, *_event: object) -> None:
        if result is self.result:
            self._end(failed=not self.result.success)
        elif self._thread == threading.get_ident() and self._is_broken_off(result):
            self._end(failed=True)

    def _is_broken_off(self, result: Any) -> bool:
        """Tell whether this is what IPython says of the run where an error, as Ctrl-C's, has ended IPython's own part.

        ipykernel hands on no result then, and IPython another one of the same cell.
        """
        if result is None:
            return True
        info = getattr(result, "info", None)
        return (
            info is not None
            and info.raw_cell == self.result.info.raw_cell
            and result.error_in_exec is not None
            and self.is_left_over()
        )

    def _end(self, *, failed: bool) -> None:
        self._unregister()
        if os.getpid() != self._pid:  # forked by the cell: its parent tells
            return
        with contextlib.suppress(KeyboardInterrupt):  # meant for the cell, which has ended
            cell = self._meter.end(
                number=self.result.execution_count,
                first_line=first_line(self.result.info.raw_cell),
                failed=failed,
                deadline_seconds=self._deadline_seconds,
            )
            self._ended(cell)


def drop_running() -> None:
    """Measure the cell that runs no longer: the call that this is made in is a mistake."""
    result = _running_result()
    for one in [one for one in _open if one.result is result]:
        one.drop()


def is_measured(info: Any) -> bool:
    """Tell whether a measurement goes on of the run that IPython has this record of."""
    return any(one.result.info is info for one in _open)


def drop_all() -> None:
    """End all measurements without a word: the extension goes."""
    for one in _open:
        one.drop()


def _running_result() -> Any | None:
    """Return the result of the innermost run of a cell that this is called in, None outside of all."""
    return next(_running_results(), None)


def _running_results() -> Iterator[Any]:
    """Give the results of all runs of cells that this is called in, the innermost first."""
    frame: FrameType | None = sys._getframe()  # noqa: SLF001 - documented, and what tracebacks are made by
    while frame is not None:
        if frame.f_code.co_name == "run_code" and frame.f_globals.get("__name__") == _SHELL_MODULE:
            result = frame.f_locals.get("result")
            if getattr(result, "info", None) is not None:
                yield result
        frame = frame.f_back
