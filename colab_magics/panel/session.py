"""An open panel: a card that stays true while the notebook works, and what to click to get other hardware.

Where the page shows what a thread sends, one thread refreshes the card while somebody is there to see it; on Colab's
page, which does not (googlecolab/colabtools issue 3373, read 2026-11), it is refreshed after each cell and by its
button, and the thread only ends the sampling. It sets values of widgets, and never prints or displays.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import threading
import time
from typing import TYPE_CHECKING, Any, Protocol

from colab_magics.imports import trusted_imports
from colab_magics.model import Unavailable
from colab_magics.panel import card, guidance
from colab_magics.panel.controls import Controls, Handlers
from colab_magics.panel.presence import Presence
from colab_magics.values import replace
from colab_magics.views import display

if TYPE_CHECKING:
    from collections.abc import Callable

    from colab_magics.panel.source import Source
    from colab_magics.report import Report
    from colab_magics.translation import Translator
    from colab_magics.views.render_options import RenderOptions

_THREAD = "colab_magics panel"
_JOIN_SECONDS = 1.0


class Cells(Protocol):
    """Tells when a cell begins and ends: IPython's `shell.events`."""

    def register(self, event: str, function: Callable[..., None]) -> None:
        """Call a function at an event."""

    def unregister(self, event: str, function: Callable[..., None]) -> None:
        """Call it no more."""


class Panel:
    """One panel, shown by `open` and gone after `close`.

    Clicks and answers come in the kernel's main thread between cells, or during one in a subshell's: what they change
    is changed under the lock, which is not held while anything is looked at.
    """

    def __init__(  # noqa: PLR0913 - what it shows, where it looks, how it moves
        self,
        report: Report,
        source: Source,
        cells: Cells,
        options: RenderOptions,
        *,
        period_seconds: float,
        moves_by_itself: bool,
    ) -> None:
        """Make a panel that begins with `report`, and looks every `period_seconds` if it moves by itself."""
        self._take(report)
        self._source = source
        self._cells = cells
        self._options = options
        self._period_seconds = period_seconds
        self._moves = moves_by_itself
        self._is_live = False
        self._waits = False
        self._is_closed = False
        self._note = ""
        self._is_asked = False
        self._checked: frozenset[str] | None = None
        self._next_look = 0.0
        self._pid = os.getpid()
        self._lock = threading.RLock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._shown: display.ShownWidget | None = None
        self._registered: list[tuple[str, Callable[..., None]]] = []
        self._closing = self.close  # the same object every time: `%autoreload` makes the method anew
        self._controls = Controls(
            Handlers(
                pause_or_resume=self._pause_or_resume,
                refresh=self._refresh,
                check_again=self._check_again,
                close=self.close,
                choose_period=self._choose_period,
                choose_language=self._choose_language,
                answered=self._answered,
            ),
            options.translate,
            period_seconds=period_seconds if self._moves else None,
            has_cells=source.cells is not None,
        )
        self._presence = Presence(self._controls.ask, was_seen=not self._moves)

    def open(self) -> None:
        """Display the panel, behind it the report as HTML and as text, and keep it true from now on."""
        atexit.register(self._closing)
        try:
            with self._lock:
                if self._moves:
                    self._waits = True
                    self._note = self._translate("It moves once this page has answered, or after a click.")
                    self._source.stop_sampling()
                self._speak()
                self._shown = display.ShownWidget(
                    self._controls.view, self._report, self._options, is_seen=self._presence.was_seen
                )
                self._hear("pre_run_cell", self._cell_started)
                self._hear("post_run_cell", self._cell_ended)
                if self._moves:
                    self._presence.ask()
                else:
                    self._go_on()
        except BaseException:
            self.close()
            raise

    @trusted_imports
    def close(self) -> None:
        """Leave the last report in the panel's place, and nothing running. Closing twice does nothing."""
        if os.getpid() != self._pid:  # a process forked from the kernel has no panel, and perhaps a lock held for ever
            return
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
        atexit.unregister(self._closing)
        for event, function in self._registered:
            with contextlib.suppress(ValueError):  # somebody else has
                self._cells.unregister(event, function)
        self._wake.set()
        self._source.stop_sampling()
        try:
            if self._shown is not None:
                self._shown.replace(self._report, self._options)
        finally:
            self._controls.close()
            self.wait()

    def wait(self) -> None:
        """Wait a moment for a look that is under way: after the panel is closed it is the last one."""
        thread = self._thread
        if thread is not None:
            thread.join(_JOIN_SECONDS)

    def _hear(self, event: str, function: Callable[..., None]) -> None:
        self._cells.register(event, function)
        self._registered.append((event, function))

    def _keep_true(self) -> None:
        """Refresh again and again, until the panel rests, is paused or is closed: the one thread."""
        while True:
            with self._lock:
                self._wake.clear()
                if self._is_live and not self._is_closed and not self._presence.seconds_left:
                    self._safely(self._rest)
                if self._is_closed or not (self._is_live or self._is_asked):
                    self._thread = None
                    return
                left = self._next_look - time.monotonic() if self._moves else threading.TIMEOUT_MAX
                is_due = self._moves and (self._is_asked or left <= 0)
                left = min(left, self._presence.seconds_left)
            if is_due:
                self._safely(self._look_and_show)
                self._next_look = time.monotonic() + self._period_seconds
            else:
                self._wake.wait(left)

    def _go_on(self) -> None:
        """Let the thread look now, and again and again; where the page would not show that, only end the sampling."""
        self._is_live, self._waits, self._next_look = True, False, 0.0
        self._controls.show_moving(is_live=True, translate=self._translate)
        self._wake_thread()

    def _wake_thread(self) -> None:
        if self._thread is None and not self._is_closed:
            self._thread = threading.Thread(target=self._keep_true, name=_THREAD, daemon=True)
            self._thread.start()
        self._wake.set()

    def _rest(self) -> None:
        """Send nothing more, and leave the driver alone, until somebody is there again."""
        if self._moves:
            self._waits = True
            self._pause(self._translate("Paused, since nobody seems to be here: a click or a cell lets it move again."))
        else:
            self._is_live = False
            self._source.stop_sampling()

    @trusted_imports
    def _answered(self, number: str) -> None:
        with self._lock:
            if self._presence.answered(number):
                self._seen()

    def _seen(self) -> None:
        """Take it that the page is there: a panel that waits moves, if somebody has done something lately."""
        if self._is_closed or self._shown is None:
            return
        self._shown.was_seen(self._report, self._options)
        if self._waits and self._presence.seconds_left:
            self._note = ""
            self._go_on()

    def _cell_started(self, *_info: Any) -> None:
        with self._lock:
            self._presence.cell_started()
            if self._waits and self._presence.was_seen:
                self._safely(self._presence.ask)

    def _cell_ended(self, *_result: Any) -> None:
        with self._lock:
            self._presence.cell_ended()
            self._wake.set()  # how long somebody is taken to be there has changed
        if not self._moves:
            with contextlib.suppress(KeyboardInterrupt):  # meant for the cell, which has ended
                # The next one does not wait for a driver that did not answer last time.
                briefly = isinstance(self._report.snapshot.gpus, Unavailable)
                self._safely(functools.partial(self._look_and_show, briefly=briefly))

    @trusted_imports
    def _safely(self, act: Callable[[], None]) -> None:
        """Do something. Whatever goes wrong is said in the panel: it must not disturb the user's cells."""
        try:
            act()
        except Exception as error:  # noqa: BLE001 - a mistake of ours, which nobody else would ever see
            self._is_live = self._waits = False
            self._source.stop_sampling()
            with contextlib.suppress(Exception), self._lock:  # it may be one in showing
                if not self._is_closed:
                    self._controls.show_moving(is_live=False, translate=self._translate)
                    # Its name alone: what it says may hold a path.
                    why = self._translate("The panel stopped: {error}.", error=type(error).__name__)
                    self._controls.show_card(card.without_report(why, self._options))

    def _look_and_show(self, *, briefly: bool = False) -> None:
        with self._lock:
            if not self._moves:
                self._go_on()
            elif self._is_live:
                self._presence.ask_in_time()
            was_live, checked = self._is_live, self._checked
            restart = self._is_asked and isinstance(self._report.snapshot.gpus, Unavailable)
            self._is_asked, self._checked = False, None
        report = self._source.look(sample_every_seconds=self._period_seconds, restart_observer=restart, briefly=briefly)
        if self._is_closed or (self._moves and not self._is_live):  # meanwhile, or this look was asked for by a click
            self._source.stop_sampling()
        with self._lock:
            if self._is_closed or was_live > self._is_live:  # paused meanwhile
                return
            fixable, guided = self._fixable, self._guided
            self._take(report)
            if checked is not None:
                gone = not checked & self._fixable
                self._note = (
                    self._translate("Checked again: it is gone.")
                    if gone
                    else self._translate("Checked again: still so.")
                )
            elif self._fixable != fixable:
                self._note = ""
            self._show()
            if self._guided != guided:
                self._show_goals()

    def _take(self, report: Report) -> None:
        """Let a report be the last one, with what follows from it."""
        self._report = report
        self._fixable = card.fixable_in_place(report)
        self._guided = guidance.depends_on(report)

    def _show(self) -> None:
        """Show the last report again, in the language of now."""
        notes = [] if self._moves else [self._translate("Updates after each cell.")]
        notes += [self._note] if self._note else []
        self._controls.show(
            title=card.title(self._report, self._options),
            card=card.render(self._report, self._options, notes=notes),
            can_check_again=bool(self._fixable),
            marking=guidance.marking(self._report),
        )

    @property
    def _translate(self) -> Translator:
        return self._options.translate

    def _speak(self) -> None:
        """Say everything in the language of now."""
        with self._lock:
            self._controls.speak(self._translate)
            self._controls.show_moving(is_live=self._is_live, translate=self._translate)
            self._show()
            self._show_goals()

    def _show_goals(self) -> None:
        goals = guidance.render(self._report, self._translate, group=f"cm-goals-{self._controls.view['model_id']}")
        self._controls.show_goals(goals)

    def _pause(self, note: str) -> None:
        self._source.stop_sampling()
        with self._lock:
            self._is_live = False
            self._note = note
            self._controls.show_moving(is_live=False, translate=self._translate)
            self._show()
            self._wake.set()

    def _clicked(self) -> None:
        self._note = ""
        self._presence.clicked()
        self._seen()

    def _pause_or_resume(self) -> None:
        with self._lock:
            was_live = self._is_live
            self._clicked()
            if was_live:
                self._pause(self._translate("Paused."))
                return
            self._go_on()
        self._refresh_soon()

    def _refresh(self) -> None:
        with self._lock:
            self._clicked()
        self._refresh_soon()

    def _refresh_soon(self) -> None:
        """Have the thread look at once, so that a slow driver keeps no cell waiting; on Colab's page look here.

        A driver that could not be asked is asked by another child: it may have been mended.
        """
        with self._lock:
            self._is_asked = True
            if self._moves:
                self._wake_thread()
        if not self._moves:
            self._safely(self._look_and_show)

    def _check_again(self) -> None:
        with self._lock:
            self._clicked()
            self._checked = self._fixable
        self._refresh_soon()

    def _choose_period(self, seconds: float) -> None:
        with self._lock:
            self._clicked()
            self._period_seconds = seconds
        self._refresh_soon()

    def _choose_language(self, language: str) -> None:
        with self._lock:
            self._clicked()
            self._options = replace(self._options, language=language)
            self._speak()
