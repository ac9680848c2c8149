"""What stops a cell, and with it "Run all": a requirement that is not met, or that cannot be read.

An exception stops the run of the cell that it leaves. But one cell may be run within another: `%%capture`, `%run` and
the magics that people write start runs of their own, and IPython 7's `%%time` shows what its code raised. There the
inner run fails and is shown, the magic goes on, and the cell on the page succeeds. So that no requirement is swallowed
in this way, its exception notices who shows it, and fails the runs that would go on.
"""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

_SHELL_MODULE = "IPython.core.interactiveshell"


class StopsCell(Exception):  # noqa: N818 - what it is made for; those made of it are named for what happened
    """An exception that a notebook shows by its text alone, and that only the user's own code can catch."""

    def shown(self) -> str:
        """Return what is shown in place of a traceback."""
        return str(self)

    def _render_traceback_(self, *_: object) -> list[str]:
        """Return the lines that IPython shows in place of a traceback.

        IPython asks for them exactly when it shows an exception. The user's own `except` does not, so one that the user
        has caught never comes here.
        """
        lines = self.shown().split("\n")
        shell = _running_shell()
        # `%tb` shows an exception that was dealt with long ago: only one that is being handled can be swallowed.
        if shell is not None and sys.exc_info()[1] is self:
            _keep_debugger_away(shell)
            caller = sys._getframe(1)  # noqa: SLF001 - inspect has the same, and takes milliseconds to import
            self._fail_runs(shell, swallowing_runs(caller), lines)
        return lines

    def _fail_runs(self, shell: Any, runs: list[FrameType], lines: list[str]) -> None:
        """Fail runs that are still going on, and see to it that the reason is seen."""
        if not runs:
            return
        for run in runs:
            result = run.f_locals.get("result")
            if result is not None:
                result.error_in_exec = self
        stdout = sys.stdout

        def after_the_last() -> None:
            shell.last_execution_succeeded = False  # the exit code of IPython in a terminal depends on it
            # What `%%capture` swallowed is shown again. A kernel sends tracebacks past `sys.stdout`, and keeps the
            # lines.
            if sys.stdout is not stdout and getattr(shell, "_last_traceback", None) != lines:
                try:
                    raise self
                except StopsCell:  # rich shows the exception that is being handled, whatever it is told to show
                    shell.showtraceback()

        _once_ended(runs[-1], shell, after_the_last)


class RequirementNotMet(StopsCell):
    """This runtime does not meet a requirement; the text says what was asked, what is there and what to click.

    It stops the cell, "Run all", nbclient, nbconvert and papermill, also under `%%capture` and other magics that run
    code; a notebook shows its text in place of a traceback.
    """

    def __init__(self, text: str, *, show_card: Callable[[], str | None] | None = None) -> None:
        """`show_card` shows the same as a card, if a page can show one, and returns the line that is left to say."""
        super().__init__(text)
        self._show_card = show_card

    def __reduce__(self) -> tuple[type[RequirementNotMet], tuple[str]]:
        """Pickle the text alone."""
        return type(self), (str(self),)

    def shown(self) -> str:
        """Return what is shown in place of a traceback; the card is shown now, and once, and leaves a line to say."""
        if self._show_card is not None:
            show, self._show_card = self._show_card, None
            line = show()
            if line is not None:
                self.args = (line,)  # rich shows the text itself, whatever it is told to show
        return str(self)


def swallowing_runs(frame: FrameType) -> list[FrameType]:
    """Return the runs that would take no notice of an exception which is shown from a frame, the innermost first.

    A run is a frame of IPython's `run_code`. The one that shows an exception fails by itself, and so does one that
    it flies out of: they are not among these.
    """
    frames = _outwards(frame)
    # Subclasses of the shell, and rich, stand between with methods of the same name.
    shower = next(one for one in frames if "traceback" not in one.f_code.co_name)
    if shower.f_globals.get("__name__") in ("__main__", __name__):
        return []  # the user's own code caught it and shows it, or we show it a second time
    runs: list[FrameType] = []
    is_swallowed = not _is_run(shower)  # in whatever caught and showed it: `%%time`, or `%run` of a .py file
    for one in frames:
        if _is_magic(one):
            is_swallowed = True  # a magic goes on when a run of its own has failed
        elif _is_run(one):
            if not is_swallowed:
                break  # code of the user's called `run_cell`, and has the failed result in its hands
            runs.append(one)
            is_swallowed = False
    return runs


def _keep_debugger_away(shell: Any) -> None:
    """Keep `%pdb on` from opening a debugger: it would open in our code, where there is nothing to find."""
    if not shell.call_pdb:
        return
    debugger = shell.debugger

    def not_this_time(**_options: object) -> None:
        shell.debugger = debugger

    shell.debugger = not_this_time  # `showtraceback` calls it as soon as it has shown the lines


def _once_ended(run: FrameType, shell: Any, callback: Callable[[], None]) -> None:
    """Call back once a run has ended, before its outcome is reported.

    The event comes at the end of every run, those within this one and those of other threads too.
    """
    runs_around = sum(map(_is_run, _outwards(run.f_back)))
    thread = threading.get_ident()

    def ended() -> None:
        runs = sum(map(_is_run, _outwards(sys._getframe(1))))  # noqa: SLF001 - as above
        if threading.get_ident() == thread and runs <= runs_around:
            shell.events.unregister("post_execute", ended)
            callback()

    shell.events.register("post_execute", ended)


def _outwards(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _is_run(frame: FrameType) -> bool:
    return frame.f_code.co_name == "run_code" and frame.f_globals.get("__name__") == _SHELL_MODULE


def _is_magic(frame: FrameType) -> bool:
    return (
        frame.f_code.co_name in ("run_line_magic", "run_cell_magic")
        and frame.f_globals.get("__name__") == _SHELL_MODULE
    )


def _running_shell() -> Any | None:
    """Return IPython's shell, None outside IPython; import nothing to find out."""
    ipython = sys.modules.get("IPython")
    return None if ipython is None else ipython.get_ipython()
