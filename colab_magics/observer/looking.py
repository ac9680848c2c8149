"""The kernel's side of the looks that may never end: asks the child for one, with a deadline; see `looks`."""

from __future__ import annotations

import json
import os
import select
import threading
import time
from typing import Any

DEADLINE_SECONDS = 1.0
"""How long a look is waited for, from when the child has begun it."""

UP_SECONDS = 3.0
"""How long the child is waited for until it begins: it may just have been started, on a busy machine."""


class Gone(Exception):  # noqa: N818 - caught in `client`, never seen outside
    """The child has ended."""


class Looking:
    """The conversation with one child about looks."""

    def __init__(self, requests: int, answers: int) -> None:
        self._lock = threading.Lock()
        self._requests = requests
        self._answers = answers
        self._number = 0
        self._received = b""
        self._is_closed = False
        self._under_way: dict[str, tuple[int, float]] = {}
        os.set_blocking(requests, False)
        os.set_blocking(answers, False)

    @property
    def hanging(self) -> dict[str, float]:
        """The keys whose look has not been answered, as far as is known, and when it began on the monotonic clock."""
        return {key: at for key, (_, at) in self._under_way.items()}

    def ask(self, key: str, path: str) -> dict[str, Any]:
        """Return the child's answer: "figures", "error" or "silent_seconds"; raise `Gone` where the child has ended.

        `key` is of what may hang: while one look of a key does, no other is sent after it.
        """
        with self._lock:
            if self._is_closed:
                raise Gone
            self._number += 1
            request = json.dumps({"id": self._number, "key": key, "path": path}).encode() + b"\n"
            try:
                os.write(self._requests, request)
            except BlockingIOError:
                return {"error": "the process that asks does not listen"}
            except OSError:
                raise Gone from None
            return self._answer(key)

    def _answer(self, key: str) -> dict[str, Any]:
        has_begun, until = False, time.monotonic() + UP_SECONDS
        while (answer := self._receive(until)) is not None:
            if "begun" in answer:
                has_begun, until = True, time.monotonic() + DEADLINE_SECONDS
                self._under_way.setdefault(key, (self._number, time.monotonic()))
                continue
            if "silent_seconds" not in answer:
                self._under_way.pop(key, None)
            return answer
        if has_begun:
            return {"silent_seconds": DEADLINE_SECONDS}
        return {"error": f"the process that asks was not up after {UP_SECONDS:g} s"}

    def close(self) -> None:
        """Let go of the pipes; whoever waits for an answer is waited for."""
        with self._lock:
            if not self._is_closed:
                self._is_closed = True
                self.forget()

    def forget(self) -> None:
        """Let go of the pipes at once: in a process that was forked, nobody else uses them."""
        for descriptor in (self._requests, self._answers):
            os.close(descriptor)

    def _receive(self, until: float) -> dict[str, Any] | None:
        """Return the next answer to the last request, None if there is none in time."""
        waiting = select.poll()
        waiting.register(self._answers, select.POLLIN)
        while True:
            while b"\n" in self._received:
                line, _, self._received = self._received.partition(b"\n")
                answer: dict[str, Any] = json.loads(line)
                number = answer.pop("id")
                if number == self._number:
                    return answer
                if "begun" not in answer:
                    self._came_late(number)
            if not waiting.poll(max(0.0, until - time.monotonic()) * 1000):
                return None
            piece = os.read(self._answers, 65536)
            if not piece:
                raise Gone
            self._received += piece

    def _came_late(self, number: int) -> None:
        self._under_way = {key: begun for key, begun in self._under_way.items() if begun[0] != number}
