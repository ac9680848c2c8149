"""The kernel's side of the looks that may never end: asks the child for one, with a deadline; see `looks`."""

from __future__ import annotations

import json
import os
import threading
import time
from typing import Any

from colab_magics.observer import shapes
from colab_magics.observer.answers import Answers, Gone, Nonsense
from colab_magics.values import Record

DEADLINE_SECONDS = 1.0
"""How long a look is waited for, from when the child has begun it."""

UP_SECONDS = 3.0
"""How long the child is waited for until it begins: it may just have been started, on a busy machine."""


LONGEST_ANSWER_BYTES = 4096
"""The longest answer: eight figures, or the few words of an error."""


class _Look(Record):
    """A look that has not been answered."""

    key: str
    began_at: float | None
    """When the child began it, on the monotonic clock; None before that is known."""


class Looking:
    """The conversation with one child about looks."""

    def __init__(self, requests: int, answers: int) -> None:
        self._lock = threading.Lock()
        self._requests = requests
        self._answers_end = answers
        self._answers = Answers(answers, longest_bytes=LONGEST_ANSWER_BYTES)
        self._number = 0
        self._is_closed = False
        self._under_way: dict[int, _Look] = {}
        os.set_blocking(requests, False)
        os.set_blocking(answers, False)

    @property
    def hanging(self) -> dict[str, float]:
        """The keys whose look has not been answered, as far as is known, and when it began on the monotonic clock."""
        latest_first = reversed([*self._under_way.values()])
        return {look.key: look.began_at for look in latest_first if look.began_at is not None}

    def ask(self, key: str, path: str) -> dict[str, Any]:
        """Return the child's answer: "figures", "error" or "silent_seconds".

        `key` is of what may hang: while one look of a key does, no other is sent after it. Raise `Gone` where the
        child has ended, `Nonsense` where it answers what it cannot mean.
        """
        with self._lock:
            if self._is_closed:
                raise Gone
            self._number += 1
            request = json.dumps({"id": self._number, "key": key, "path": path}).encode() + b"\n"
            self._under_way[self._number] = _Look(key, None)
            try:
                os.write(self._requests, request)
            except BlockingIOError:
                del self._under_way[self._number]
                return {"error": "the process that asks does not listen"}
            except OSError:
                raise Gone from None
            return self._answer()

    def _answer(self) -> dict[str, Any]:
        has_begun, until = False, time.monotonic() + UP_SECONDS
        while (answer := self._receive(until)) is not None:
            if "begun" not in answer:
                return answer
            has_begun, until = True, time.monotonic() + DEADLINE_SECONDS
        if has_begun:
            return {"silent_seconds": DEADLINE_SECONDS}
        return {"error": f"the process that asks was not up after {UP_SECONDS:g} s"}

    def close(self) -> None:
        """Close the pipes, once whoever waits for an answer is done."""
        with self._lock:
            if not self._is_closed:
                self._is_closed = True
                self.forget()

    def forget(self) -> None:
        """Close the pipes at once: in a process that was forked, nobody else uses them."""
        for descriptor in (self._requests, self._answers_end):
            os.close(descriptor)

    def _receive(self, until: float) -> dict[str, Any] | None:
        """Return the next answer to the last request, None if there is none in time.

        Each is answered once when it begins and once more, in whatever order they end.
        """
        while (answer := self._answers.next(until)) is not None:
            number = answer.pop("id", None)
            look = self._under_way.get(number) if type(number) is int else None
            if look is None or ("begun" in answer) is (look.began_at is not None):
                raise Nonsense("nobody asked")
            if not shapes.is_look(answer):
                raise Nonsense("unknown fields or values")
            if "begun" in answer:
                self._under_way[number] = _Look(look.key, time.monotonic())
            else:
                del self._under_way[number]
            if number == self._number:
                return answer
        return None
