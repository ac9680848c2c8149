"""The quiet line below cells that took much, while `ColabMagics.footer` is on: every cell is measured for it.

Two callbacks of IPython's do it, which never raise: what goes wrong in them is ours, and ends the measuring with one
line that says so. A cell is what IPython counts as `In [3]`: others are not the user's, but of tools that look in.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Protocol

from colab_magics.cells import closing
from colab_magics.cells.meter import Meter
from colab_magics.cells.session import first_line
from colab_magics.imports import trusted_imports
from colab_magics.model import Unavailable
from colab_magics.probes import gpu_work
from colab_magics.values import Record, replace

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from colab_magics.cells.session import Session
    from colab_magics.model.cells import Cell, GpuWork
    from colab_magics.translation import Translator

    GpusOfCell = tuple[tuple[GpuWork, ...] | None, tuple[tuple[str, str], ...]]
    """A cell's work on the GPUs, and why it is not known."""

_MEGABYTE = 1_000_000

_WORTH_ASKING_SECONDS = 0.1
"""A cell's work on the GPUs is asked for, in half a millisecond, where it took this long or has a line anyhow."""

_DEADLINE_SECONDS = 1.0
"""How long the answer is waited for; a driver that is starting takes longer, and is asked again later."""

_LOOK_AGAIN_SECONDS = 60.0
"""After this long GPUs are looked for again where there were none."""

_ASK_AGAIN_SECONDS = 10.0
"""After this long the driver is asked again where it did not tell: it may be starting."""


class Settings(Protocol):
    """Where the line is set: the magics."""

    footer: bool
    """Whether it is wanted; set to False where it cannot be had."""
    footer_seconds: float
    """From how many seconds on a cell has one."""
    footer_megabytes: float
    """From how many megabytes on."""
    language: str
    """Of what is said."""
    shell: Any
    """IPython's, which tells when a cell begins and ends."""

    @property
    def session(self) -> Session:
        """Where cells are remembered."""


class _Begun(Record):
    """A cell that runs, and those that run within it."""

    infos: list[Any]
    """What IPython says of them, the outermost first."""
    meter: Meter | None = None
    """None where the outermost is not to be measured."""
    on_gpus: gpu_work.Begun | None = None
    """What is measured of the GPUs; None where nobody looks at them."""


class Footer:
    """Measures every cell from now on until it is closed, and shows the line."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._events = settings.shell.events
        self._begun: dict[int, _Begun] = {}
        """By threads: a subshell's cell runs beside the main one's."""
        self._gpus = _Gpus()
        # The same objects every time: `%autoreload` makes the methods anew.
        self._registered: tuple[tuple[str, Callable[..., None]], ...] = (
            ("pre_run_cell", self._cell_started),
            ("post_run_cell", self._cell_ended),
        )
        for event, function in self._registered:
            self._events.register(event, function)

    def close(self) -> None:
        """Measure nothing more."""
        for event, function in self._registered:
            with contextlib.suppress(ValueError):  # somebody else has
                self._events.unregister(event, function)
        for begun in tuple(self._begun.values()):
            self._gpus.drop(begun.on_gpus)
        self._begun.clear()

    def _cell_started(self, info: Any = None, *_: Any) -> None:
        try:
            self._begin(info)
        except Exception as error:  # noqa: BLE001 - a mistake of ours must not reach the user's cell
            self._stop(error)
        except KeyboardInterrupt:  # IPython would show it as a mistake of ours, and run the cell all the same
            self._begun.pop(threading.get_ident(), None)

    def _cell_ended(self, result: Any = None, *_: Any) -> None:
        try:
            self._end(result)
        except Exception as error:  # noqa: BLE001 - as above
            self._stop(error)
        except KeyboardInterrupt:  # meant for the cell, which has ended
            pass

    def _begin(self, info: Any) -> None:
        thread = threading.get_ident()
        begun = self._begun.get(thread)
        if begun is not None and _is_within_another():  # else the end of that one was never told
            begun.infos.append(info)
            return
        if info is None or not info.store_history:
            self._begun[thread] = _Begun([info])
            return
        on_gpus = self._gpus.begin()
        self._begun[thread] = _Begun([info], Meter(), on_gpus)

    def _end(self, result: Any) -> None:
        thread = threading.get_ident()
        begun = self._begun.get(thread)
        if begun is None:
            return
        info = getattr(result, "info", None)
        if info is not None and not (info.raw_cell or "").strip():  # IPython tells the end of an empty one alone
            return
        # After some errors IPython hands on another record of the cell than at its beginning, or none.
        first = begun.infos[0]
        ended = next((place for place, one in enumerate(begun.infos) if one is info), len(begun.infos) - 1)
        del begun.infos[ended:]
        if begun.infos:
            return
        del self._begun[thread]
        if closing.is_measured(first):  # by a `%%runtime_status` in its first line, which tells of it, and remembers it
            self._gpus.drop(begun.on_gpus)
        elif begun.meter is not None:
            failed = result is None or not result.success
            code = first_line(first.raw_cell or "")
            number = getattr(result, "execution_count", None)
            cell = begun.meter.end(number=number, first_line=code, failed=failed)
            is_long = cell.wall_seconds >= _WORTH_ASKING_SECONDS
            self._take(self._gpus.end(begun.on_gpus, cell, is_wanted=is_long or self._is_worth_a_line(cell)))

    def _take(self, cell: Cell) -> None:
        """Remember a cell, and show its line where it took much."""
        self._settings.session.remember(cell)
        if self._is_worth_a_line(cell):
            self._show(lambda cells, translate: cells.footer(cell, translate))

    def _is_worth_a_line(self, cell: Cell) -> bool:
        if cell.wall_seconds >= self._settings.footer_seconds:
            return True
        sizes = (cell.ram_over_start_bytes, cell.ram_kept_bytes, cell.gpu_over_start_bytes)
        return max(abs(size or 0) for size in sizes) >= self._settings.footer_megabytes * _MEGABYTE

    def _stop(self, error: Exception) -> None:
        """Turn the setting off, and say so once; the error by its name alone: what it says may hold a path."""
        with contextlib.suppress(Exception):  # it may be one in showing
            self._settings.footer = False
            self._show(lambda cells, translate: cells.stopped(type(error).__name__, translate))
        self.close()

    @trusted_imports
    def _show(self, say: Callable[[Any, Translator], str]) -> None:
        """Display what `say` makes of `views.cells`."""
        from colab_magics.translation import translator
        from colab_magics.views import cells, display
        from colab_magics.views.render_options import language_for

        translate = translator(language_for(self._settings.language))
        display.show_quietly(say(cells, translate), translate)


class _Gpus:
    """The part of a measurement that the observer's child takes."""

    def __init__(self) -> None:
        self._look_from = 0.0
        self._known: GpusOfCell = ((), ())
        """What is known of a cell's work on the GPUs until they are looked at again."""

    def begin(self) -> gpu_work.Begun | None:
        """Have the GPUs watched from now on, without waiting; not where there were none a moment ago."""
        if time.monotonic() < self._look_from:
            return None
        with trusted_imports:
            return gpu_work.begin()

    def drop(self, begun: gpu_work.Begun | None) -> None:
        """Let go of what was begun: nobody wants to know."""
        if begun is not None:
            gpu_work.drop(begun)

    def end(self, begun: gpu_work.Begun | None, cell: Cell, *, is_wanted: bool) -> Cell:
        """Return a cell with what it did on the GPUs; without waiting for that where it is not wanted."""
        if begun is not None and begun.number is not None and not is_wanted:
            gpu_work.drop(begun)
            return _with(cell, (None, (("gpus", "too_short"),)))
        if begun is None:
            return _with(cell, self._known)
        with trusted_imports:
            gpus = gpu_work.end(begun, deadline_seconds=_DEADLINE_SECONDS).gpus
        if isinstance(gpus, Unavailable):
            self._known = (None, (("gpus", "unreadable"),))
            self._look_from = time.monotonic() + _ASK_AGAIN_SECONDS
            return _with(cell, self._known)
        if not gpus:
            self._known = ((), ())
            self._look_from = time.monotonic() + _LOOK_AGAIN_SECONDS
        return _with(cell, (gpus, ()))


def _with(cell: Cell, known: GpusOfCell) -> Cell:
    gpus, why = known
    return replace(cell, gpus=gpus, unavailable=(*cell.unavailable, *why))


def _is_within_another() -> bool:
    """Tell whether the cell that begins is run by another's code: IPython's call for that one waits for it."""
    frame: FrameType | None = sys._getframe()  # noqa: SLF001 - Python's documented way
    calls = 0
    while frame is not None:
        calls += frame.f_code.co_name == "run_cell_async"
        frame = frame.f_back
    return calls > 1
