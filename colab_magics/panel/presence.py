"""Whether somebody is there to see a panel: by what its page answers, and by what the user does.

A page that is open answers a question without a click (`controls` says how); where none answers, or the user has done
nothing for long, nobody is taken to be there: what is sent then keeps a kernel alive, and perhaps a paid GPU.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

ATTENDED_SECONDS = 600.0
"""After so long without a click or a cell nobody is taken to be there, though the page answers: it was left open."""

ASK_SECONDS = 10.0
"""An answer holds for so long; each one costs a message both ways."""

ANSWER_SECONDS = 10.0
"""A page that has not answered for so long is taken to be closed."""


class Presence:
    """Somebody, or nobody. At most one question is out at a time, so that a closed page is sent no more than one."""

    def __init__(self, ask: Callable[[int], None], *, was_seen: bool) -> None:
        """Begin while the cell runs that opens the panel; `was_seen` is True where no page is ever asked."""
        self._ask = ask
        self._question = self._answer = 0
        self._asked_at = 0.0
        self._is_cell_running = True
        self._attended_at = time.monotonic()
        self.was_seen = was_seen
        """A page has answered, or somebody has clicked."""

    @property
    def seconds_left(self) -> float:
        """How long from now somebody is still taken to be there; 0 for nobody.

        A running cell may delay the answer of a page until it ends (the classic notebook): it is not known then.
        """
        if not self.was_seen:
            return 0.0
        if self._is_cell_running:
            return float("inf")
        until = self._attended_at + ATTENDED_SECONDS
        if self._is_question_out:
            until = min(until, max(self._asked_at, self._attended_at) + ANSWER_SECONDS)
        return max(0.0, until - time.monotonic())

    def ask_in_time(self) -> None:
        """Ask whether the page is still there, if the last answer is old."""
        if not self._is_question_out and time.monotonic() - self._asked_at >= ASK_SECONDS:
            self.ask()

    def ask(self) -> None:
        """Ask the page, in place of a question that may still be out: a page that was away may have missed that."""
        self._question += 1
        self._asked_at = time.monotonic()
        self._ask(self._question)

    def answered(self, number: str) -> bool:
        """Take what a page has sent; tell whether it is the answer to the last question."""
        if number != str(self._question):
            return False
        self._answer = self._question
        self.was_seen = True
        return True

    def clicked(self) -> None:
        """Take a click, which comes from a page: it answers the question that is out."""
        self._attended_at = time.monotonic()
        self._answer = self._question
        self.was_seen = True

    def cell_started(self) -> None:
        """Take it that somebody runs a cell, on this page or another."""
        self._attended_at = time.monotonic()
        self._is_cell_running = True

    def cell_ended(self) -> None:
        """Take it that the cell has ended: from now on the page has no reason to be silent."""
        self._attended_at = time.monotonic()
        self._is_cell_running = False

    @property
    def _is_question_out(self) -> bool:
        return self._answer != self._question
