"""An open panel: a card that stays true while the notebook works, and what to click to get other hardware.

Where the page shows what a thread sends, one thread refreshes the card; on Colab's page, which does not
(googlecolab/colabtools issue 3373, read 2026-11), it is refreshed after each cell and by its button. The thread only
sets values of widgets: it never prints or displays.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
import time
from typing import TYPE_CHECKING, Any, Protocol

from colab_magics import guides
from colab_magics.guides import Goal
from colab_magics.imports import trusted_imports
from colab_magics.model import Platform, Subject, Unavailable
from colab_magics.panel import card
from colab_magics.panel.controls import Controls, Handlers
from colab_magics.rules import blocking
from colab_magics.views import display, guide_html

if TYPE_CHECKING:
    from collections.abc import Callable

    from colab_magics.panel.source import Source
    from colab_magics.report import Report
    from colab_magics.translation import Translator
    from colab_magics.views.render_options import RenderOptions

UNATTENDED_SECONDS = 3 * 3600.0
"""A panel pauses after so long without a click or a new cell: what it sends to a closed page piles up in the server."""

_THREAD = "colab_magics panel"
_JOIN_SECONDS = 1.0

_GOAL_OF = {Subject.GPU: Goal.GPU, Subject.RAM: Goal.MEMORY}
"""The goal that a panel on a subject may open at."""


class Cells(Protocol):
    """Tells when a cell has ended: IPython's `shell.events`."""

    def register(self, event: str, function: Callable[..., None]) -> None:
        """Call a function at an event."""

    def unregister(self, event: str, function: Callable[..., None]) -> None:
        """Call it no more."""


class Panel:
    """One panel, shown by `open` and gone after `close`. Clicks come in the kernel's main thread."""

    def __init__(
        self, report: Report, source: Source, cells: Cells, options: RenderOptions, *, period_seconds: float
    ) -> None:
        """Make a panel that begins with `report`, and looks every `period_seconds` where its page shows that."""
        self._report = report
        self._source = source
        self._cells = cells
        self._options = options
        self._period_seconds = period_seconds
        self._moves = _moves_by_itself(report)
        self._is_live = self._moves
        self._is_closed = False
        self._note = ""
        self._is_asked = False
        self._checked: frozenset[str] | None = None
        self._last_attended = time.monotonic()
        self._pid = os.getpid()
        self._lock = threading.RLock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._shown: display.ShownWidget | None = None
        self._goal = _goal_to_open_at(report)
        self._controls = Controls(
            Handlers(
                pause_or_resume=self._pause_or_resume,
                refresh=self._refresh,
                check_again=self._check_again,
                close=self.close,
                choose_period=self._choose_period,
                choose_language=self._choose_language,
                choose_goal=self._choose_goal,
            ),
            language=options.language,
            period_seconds=period_seconds if self._moves else None,
        )

    def open(self) -> None:
        """Display the panel, behind it the report as HTML and as text, and keep it true from now on."""
        atexit.register(self.close)
        try:
            self._speak()
            self._shown = display.show_widget(self._controls.view, self._report, self._options)
            if self._moves:
                self._cells.register("pre_run_cell", self._attended)
                self._thread = threading.Thread(target=self._keep_true, name=_THREAD, daemon=True)
                self._thread.start()
            else:
                self._cells.register("post_run_cell", self._after_cell)
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
        atexit.unregister(self.close)
        event, function = ("pre_run_cell", self._attended) if self._moves else ("post_run_cell", self._after_cell)
        with contextlib.suppress(ValueError):  # it did not open so far
            self._cells.unregister(event, function)
        self._wake.set()
        self._source.stop_sampling()
        if self._shown is not None:
            self._shown.replace(self._report, self._options)
        self._controls.close()
        if self._thread is not None:
            self._thread.join(_JOIN_SECONDS)

    def _keep_true(self) -> None:
        """Refresh again and again: the one thread. Without a live panel it sleeps until it is woken."""
        while True:
            is_asked = self._wake.wait(self._period_seconds if self._is_live else None)
            self._wake.clear()
            if self._is_closed:
                return
            if self._is_live or is_asked:  # neither: paused while it slept
                self._refresh_now()

    def _attended(self, *_info: Any) -> None:
        self._last_attended = time.monotonic()

    def _after_cell(self, *_result: Any) -> None:
        """Refresh after a cell; the next one does not wait for a driver that did not answer last time."""
        with contextlib.suppress(KeyboardInterrupt):  # meant for the cell, which has ended
            self._refresh_now(briefly=isinstance(self._report.snapshot.gpus, Unavailable))

    @trusted_imports
    def _refresh_now(self, *, briefly: bool = False) -> None:
        """Look and show. Whatever goes wrong is said in the panel: it must not disturb the user's cells."""
        try:
            self._look_and_show(briefly=briefly)
        except Exception as error:  # noqa: BLE001 - a mistake of ours, which nobody else would ever see
            self._is_live = False
            self._source.stop_sampling()
            with contextlib.suppress(Exception), self._lock:  # it may be one in showing
                if not self._is_closed:
                    self._controls.show_moving(is_live=False, translate=self._translate)
                    # Its name alone: what it says may hold a path.
                    why = self._translate("The panel stopped: {error}.", error=type(error).__name__)
                    self._controls.show_card(card.without_report(why, self._options))

    def _look_and_show(self, *, briefly: bool) -> None:
        if self._is_live and self._moves and time.monotonic() - self._last_attended > UNATTENDED_SECONDS:
            self._pause(self._translate("Paused, since for three hours nobody has clicked here or run a cell."))
            return
        with self._lock:
            was_live, checked = self._is_live, self._checked
            restart = self._is_asked and isinstance(self._report.snapshot.gpus, Unavailable)
            self._is_asked, self._checked = False, None
        report = self._source.look(sample_every_seconds=self._period_seconds, restart_observer=restart, briefly=briefly)
        if self._is_closed or (self._moves and not self._is_live):  # meanwhile, or this look was asked for by a click
            self._source.stop_sampling()
        with self._lock:
            if self._is_closed or was_live > self._is_live:  # paused meanwhile
                return
            findings = card.fixable_in_place(report)
            if checked is not None:
                gone = not checked & findings
                self._note = (
                    self._translate("Checked again: it is gone.")
                    if gone
                    else self._translate("Checked again: still so.")
                )
            elif findings != card.fixable_in_place(self._report):
                self._note = ""
            guided = _guided_by(self._report)
            self._report = report
            self._show()
            if _guided_by(report) != guided:
                self._show_guide()

    def _show(self) -> None:
        """Show the last report again, in the language of now."""
        self._controls.show(
            title=card.title(self._report, self._options),
            card=card.render(self._report, self._options, note=self._note),
            can_check_again=bool(card.fixable_in_place(self._report)),
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
            self._show_guide()

    def _show_guide(self) -> None:
        if self._goal is not None:
            guide = guides.for_goal(self._goal, self._report.snapshot, blocking(self._report.findings))
            self._controls.show_guide(self._goal, guide_html.page(guide, self._translate))

    def _pause(self, note: str) -> None:
        self._source.stop_sampling()
        with self._lock:
            self._is_live = False
            self._note = note
            self._controls.show_moving(is_live=False, translate=self._translate)
            self._show()

    def _clicked(self) -> None:
        self._attended()
        self._note = ""

    def _pause_or_resume(self) -> None:
        self._clicked()
        if self._is_live:
            self._pause(self._translate("Paused."))
            return
        self._is_live = True
        self._controls.show_moving(is_live=True, translate=self._translate)
        self._refresh_soon()

    def _refresh(self) -> None:
        self._clicked()
        self._refresh_soon()

    def _refresh_soon(self) -> None:
        """Have the thread look at once, so that a slow driver keeps no cell waiting; without a thread look here.

        A driver that could not be asked is asked by another child: it may have been mended.
        """
        with self._lock:
            self._is_asked = True
        if self._thread is None:
            self._refresh_now()
        else:
            self._wake.set()

    def _check_again(self) -> None:
        self._clicked()
        with self._lock:
            self._checked = card.fixable_in_place(self._report)
        self._refresh_soon()

    def _choose_period(self, seconds: float) -> None:
        self._clicked()
        self._period_seconds = seconds
        self._refresh_soon()

    def _choose_language(self, language: str) -> None:
        self._clicked()
        self._options = self._options._replace(language=language)
        self._speak()

    def _choose_goal(self, goal: Goal) -> None:
        self._clicked()
        self._goal = goal
        self._show_guide()


def _moves_by_itself(report: Report) -> bool:
    """Tell whether the page shows what a thread sends."""
    platform = report.snapshot.platform
    return isinstance(platform, Platform) and platform.frontend.shows_thread_updates


def _goal_to_open_at(report: Report) -> Goal | None:
    """Return the goal that a report on GPUs or RAM suggests."""
    goal = _GOAL_OF.get(report.subject)
    found = (guides.for_finding(finding, report.snapshot) for finding in report.findings)
    is_suggested = any(guide is not None and goal in (guide.goal, guide.otherwise) for guide in found)
    return goal if is_suggested else None


def _guided_by(report: Report) -> tuple[object, ...]:
    """Return what of a report the guides depend on."""
    snapshot = report.snapshot
    gpus = tuple(gpu.name for gpu in snapshot.gpus) if isinstance(snapshot.gpus, tuple) else snapshot.gpus
    return gpus, snapshot.tpus, tuple(finding.rule for finding in report.findings)
