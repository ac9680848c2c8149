"""The kernel's side of the questions about GPUs: sends the child requests and takes their answers; see `child`."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from typing import TYPE_CHECKING, Any

from colab_magics.observer import shapes
from colab_magics.observer.answers import Answers, Gone, Nonsense
from colab_magics.values import Record

if TYPE_CHECKING:
    import subprocess

LONGEST_ANSWER_BYTES = 64 << 20
"""256 GPUs with 3,900 processes each: the answer of 64 with 2,000 has 8.2 MB, 64 bytes for each process."""

FRESH_SECONDS = 1.0
"""So long after a question that was asked ahead its answer stands for now."""

_LOADING = "loading"
"""The stage from which on a death of the child may be the driver's doing."""

_STAGES = 2


class _Ahead(Record):
    """A question that was asked ahead."""

    sample_every_seconds: float | None
    at: float
    """When, on the monotonic clock."""


class Asking:
    """The conversation with one child about GPUs. One thread asks at a time; any may stop the sampling or close."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        # Held for moments only. Reentrant, because a finalizer that stops the sampling may run anywhere.
        self._writing = threading.RLock()
        self._process = process
        self._is_closed = False
        for pipe in (process.stdin, process.stdout):
            os.set_blocking(_descriptor(pipe), False)
        self._answers = Answers(_descriptor(process.stdout), longest_bytes=LONGEST_ANSWER_BYTES)
        self._number = 0
        self._answered = 0
        self._question = 0
        self._about_spans: dict[int, dict[str, Any] | None] = {}
        self._ends: dict[int, int] = {}
        self._is_awaited = False
        self._ahead: _Ahead | None = None
        self._stage: str | None = None
        self._stages_told = 0

    @property
    def has_loaded_the_driver(self) -> bool:
        """Whether the child has begun to load NVIDIA's library, as far as is known."""
        return self._stage == _LOADING

    def ask_ahead(self, sample_every_seconds: float | None) -> None:
        """Send a request whose answer is wanted in a moment: the child works on it meanwhile. Does not wait.

        Nothing is sent while an earlier one is unanswered.
        """
        if not self._is_awaited:
            with contextlib.suppress(OSError):  # it has ended: whoever wants the answer will find that out
                self._request(sample_every_seconds)
                self._ahead = _Ahead(sample_every_seconds, time.monotonic())

    def exchange(self, sample_every_seconds: float | None, *, until: float) -> dict[str, Any] | None:
        """Send a request and return its answer, None if it has not come in time. Answers to older ones are dropped.

        A request that the child is still working on is not sent again, except to change the period: its answer will be
        as of now. So is that of one that was asked ahead for the same samples, unless that was long ago. Raise `Gone`
        where the child has ended, `Nonsense` where it answers what it cannot mean.
        """
        has_come = self._receive(until, waits=False)
        ahead, self._ahead = self._ahead, None
        if ahead is not None and ahead.sample_every_seconds != sample_every_seconds:
            self._is_awaited = False  # its answer would have no samples
        elif ahead is not None and has_come is not None and time.monotonic() - ahead.at < FRESH_SECONDS:
            return has_come
        try:
            self._request(sample_every_seconds)
        except BlockingIOError:
            return None
        except BrokenPipeError:
            raise Gone from None
        try:
            return self._receive(until)
        except KeyboardInterrupt:
            self._is_awaited = False  # by the next question its answer would be out of date
            raise

    @property
    def spans(self) -> frozenset[int]:
        """The numbers of the spans that have been begun here, and neither taken nor dropped."""
        return frozenset(self._ends)

    def begin_span(self, number: int, *, with_gpus: bool) -> None:
        """Let a span begin now. Does not wait; raise OSError where the child does not listen any more."""
        self._send({"begin_span": number, "at": time.monotonic(), "with_gpus": with_gpus})
        self._ends[number] = 0

    def has_begun_span(self, number: int, *, with_gpus: bool, until: float) -> bool:
        """Let a span begin, and tell whether it has in time. Raise as `exchange` does."""
        request = self._ask_about_span({"begin_span": number, "with_gpus": with_gpus})
        self._ends[number] = 0
        return self._exchange_about_span(request, "begun", until) is not None

    def let_span_end(self, number: int) -> None:
        """Let a span end now; `end_span` takes what there was in it. Does not wait."""
        if self._ends.get(number) == 0:
            with contextlib.suppress(OSError, Gone):  # whoever takes it will find out
                self._ends[number] = self._ask_about_span({"end_span": number})

    def end_span(self, number: int, *, until: float) -> dict[str, Any] | None:
        """End a span and return what there was in it as "span", None if that has not come in time.

        "span" is None where the child has given it up. Raise as `exchange` does.
        """
        request = self._ends.pop(number) or self._ask_about_span({"end_span": number})
        return self._exchange_about_span(request, "span", until)

    def drop_span(self, number: int) -> None:
        """Let go of a span: nobody wants to know what there was in it. Does not wait."""
        request = self._ends.pop(number, 0)
        self._about_spans.pop(request, None)
        if not request:
            with contextlib.suppress(OSError):
                self._send({"drop_span": number})

    def _ask_about_span(self, request: dict[str, Any]) -> int:
        """Send a request about a span; return the number by which its answer is told from others."""
        with self._writing:
            number = self._next_number()
            try:
                self._send({"id": number, **request})
            except BrokenPipeError:
                raise Gone from None
            self._about_spans[number] = None
        return number

    def _exchange_about_span(self, number: int, field: str, until: float) -> dict[str, Any] | None:
        """Wait for the answer to a request about a span, unless it has come; what comes later is dropped."""
        try:
            while self._about_spans.get(number) is None and self._read_one(until) is not None:
                pass
        finally:
            answer = self._about_spans.pop(number, None)
        if answer is not None and field not in answer:
            raise Nonsense("nobody asked")
        return answer

    def stop_sampling(self) -> None:
        """Let the child take no more samples. Does not wait, not even for a question under way."""
        with contextlib.suppress(OSError):  # it has ended, or has not read for a long time because it hangs
            self._send({"sample_every_seconds": None})

    def close(self) -> None:
        """Let go of the pipes: nothing more is sent."""
        with self._writing:
            self.forget()

    def forget(self) -> None:
        """Let go of the pipes at once: in a process that was forked, nobody else uses them."""
        self._is_closed = True
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _request(self, sample_every_seconds: float | None) -> None:
        """Send what the child does not know yet: the question, unless it is at work on one, and a period."""
        request: dict[str, Any] = {}
        with self._writing:
            if not self._is_awaited:
                request["id"] = self._question = self._next_number()
            if sample_every_seconds is not None:
                request["sample_every_seconds"] = sample_every_seconds
            if request:
                self._send(request)
                self._is_awaited = True

    def _next_number(self) -> int:
        """Return the number of a request, to be sent before another gets one: answers come in the order of them."""
        self._number += 1
        return self._number

    def _send(self, request: dict[str, Any]) -> None:
        """Send a request, which is short enough for a pipe to take it whole or not at all."""
        with self._writing:
            if not self._is_closed:
                os.write(_descriptor(self._process.stdin), json.dumps(request).encode() + b"\n")

    def _receive(self, until: float, *, waits: bool = True) -> dict[str, Any] | None:
        """Read what comes; return the answer to the last question, None if it is not there in time."""
        while (read := self._read_one(until, waits=waits)) is not None:
            number, line = read
            if number == self._question:
                return line
        return None

    def _read_one(self, until: float, *, waits: bool = True) -> tuple[int, dict[str, Any]] | None:
        """Return the next answer and the number of its request, None if there is none in time.

        Requests are answered one after the other, each once. The answer to one about a span is kept for who wants it.
        """
        while (line := self._answers.next(until, waits=waits)) is not None:
            if "stage" in line:
                self._note_stage(line)
                continue
            number = line.pop("id", None)
            if type(number) is not int or not self._answered < number <= self._number:
                raise Nonsense("nobody asked")
            if not (number != self._question and shapes.is_about_a_span(line)) and not shapes.is_answer(line):
                raise Nonsense("unknown fields or values")
            self._answered = number
            if number == self._question:
                self._is_awaited = False
            elif number in self._about_spans:
                self._about_spans[number] = line
            return number, line
        return None

    def _note_stage(self, line: dict[str, Any]) -> None:
        """Note how far the child is: it says once that it is up, and once that it loads."""
        self._stages_told += 1
        if not shapes.is_stage(line) or self._stages_told > _STAGES:
            raise Nonsense("a stage that there is not")
        self._stage = line["stage"]


def _descriptor(pipe: Any) -> int:
    return pipe.fileno()  # type: ignore[no-any-return]  # Popen types its pipes as optional
