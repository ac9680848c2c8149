"""The kernel's side of the observer: starts the child on first need, asks it with a deadline, lets it go.

One child per process, shared by every shell and by the plain functions. A process forked from the kernel forgets its
parent's child and starts its own.
"""

from __future__ import annotations

import atexit
import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from colab_magics.observer import DEADLINE_SECONDS, starting
from colab_magics.observer.answers import Gone, Nonsense

if TYPE_CHECKING:
    from colab_magics.model import Unavailable
    from colab_magics.observer.asking import Asking
    from colab_magics.observer.looking import Looking

WARM_SHARE = 1 / 3
"""Once the driver has answered, it gets this share of the deadline."""

STARTING_SECONDS = 60.0
"""A child that has not answered its first question for this long is given up."""

SLOW_SECONDS = 15.0
"""A driver that has not answered its first question for this long either starts very slowly or hangs."""

RESTING_SECONDS = 60.0
"""After two failures in a row the driver is left alone for this long."""

REFUSED_SECONDS = 60.0
"""So long a child is asked whose library finds no driver, then another one is, which loads the library again."""

SHORTEST_PERIOD_SECONDS = 0.5
"""Samples are taken no more often than that."""

MOST_SPANS = 64
"""So many spans are measured at a time, or wait to be taken; of more the oldest is given up."""

_FAILURES_BEFORE_REST = 2
_NOT_LOADED = "driver_not_loaded"
_KILL_SECONDS = 0.5


class Observer:
    """One child process and the conversation with it. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._asking: Asking | None = None
        self._started_at = 0.0
        self._unanswered_since: float | None = None
        self._warm = False
        self._failures = 0
        self._rest_until = 0.0
        self._knows_pynvml = False
        self._was_refused = False
        self._looking: Looking | None = None
        self._left_behind: dict[str, tuple[subprocess.Popen[bytes], float]] = {}
        self._numbers = itertools.count(1)
        self._lost: dict[int, Unavailable] = {}
        self._spans_of_the_last: frozenset[int] = frozenset()

    def ask(
        self, *, deadline_seconds: float = DEADLINE_SECONDS, sample_every_seconds: float | None = None
    ) -> dict[str, Any] | Unavailable:
        """Return the child's answer, or why there is none; never takes much longer than the deadline.

        A late first answer leaves the child alone, and a later call takes it. A late answer after that, or the death
        of the child, is a failure: it ends the child. After a failure a late first answer is one too, and two in a row
        keep the driver from being asked for a while.

        With `sample_every_seconds` the child takes samples from now on, also while nobody asks, until `stop_sampling`.
        The answer has them in "samples", unless it was to an earlier question. Without it sampling stays as it is.
        """
        if sample_every_seconds is not None and not sample_every_seconds >= SHORTEST_PERIOD_SECONDS:
            raise ValueError(f"sample_every_seconds is {sample_every_seconds}, not {SHORTEST_PERIOD_SECONDS} or more")
        if sys.platform != "linux":
            return _unavailable("linux_only")
        until = time.monotonic() + deadline_seconds
        if not self._lock.acquire(timeout=deadline_seconds):  # another thread's question waits for the driver
            return _unavailable("driver_silent", seconds=round(deadline_seconds, 1))
        try:
            resting = self._rest_until - time.monotonic()
            if resting > 0:
                return _unavailable("driver_resting", seconds=round(resting))
            exit_code: int | None = 0
            for _ in range(2):
                try:
                    return self._converse(deadline_seconds, until, sample_every_seconds)
                except Nonsense as nonsense:
                    return self._believed_no_more(nonsense)
                except Gone:
                    exit_code = self._end()
                if exit_code != 0:  # else it had ended by itself, idle, before it could read the question
                    break
            return self._died(exit_code)
        finally:
            self._lock.release()

    def start(self, *, sample_every_seconds: float | None = None) -> None:
        """Let the child ask the driver for who is about to `ask` with these samples; start it first if there is none.

        Does not wait.
        """
        if sys.platform != "linux" or not self._lock.acquire(blocking=False):
            return
        try:
            if self._process is not None and self._process.poll() == 0:  # it has ended by itself, idle
                self._end()
            process = self._process
            if process is None and time.monotonic() >= self._rest_until:
                self._start()
            if self._process is not None and self._asking is not None and self._knows_pynvml:
                self._asking.ask_ahead(sample_every_seconds)
        finally:
            self._lock.release()

    def begin_span(self, *, with_gpus: bool = True, deadline_seconds: float | None = None) -> int | Unavailable:
        """Begin a span of work: from now to its end the child watches the GPUs and this process's resident memory.

        Return the span's number, or why there is none. Without a deadline nothing is waited for, though a child that is
        not there is started, which takes some milliseconds; of a span that the child could not begin in time it does
        not know what was at its beginning. With one, it has begun by then, or there is none.
        Without `with_gpus` the driver is left alone. Spans may overlap; of more than `MOST_SPANS` the oldest is lost.
        """
        from colab_magics.model import Unavailable

        if sys.platform != "linux":
            return _unavailable("linux_only")
        number, began_at = next(self._numbers), time.monotonic()
        if not self._lock.acquire(timeout=deadline_seconds or 0):  # another thread's question waits for the driver
            asking = self._asking
            if asking is None or deadline_seconds is not None:
                return _unavailable("driver_silent", seconds=round(deadline_seconds or 0, 1))
            return self._send_beginning(asking, number, with_gpus=with_gpus)
        try:
            asking_or_why = self._ready_to_measure(with_gpus=with_gpus)
            if isinstance(asking_or_why, Unavailable):
                return asking_or_why
            if deadline_seconds is None:
                return self._send_beginning(asking_or_why, number, with_gpus=with_gpus)
            return self._begin_span(asking_or_why, number, began_at + deadline_seconds, with_gpus=with_gpus)
        finally:
            self._lock.release()

    def end_span(self, number: int, *, deadline_seconds: float = DEADLINE_SECONDS) -> dict[str, Any] | Unavailable:
        """End a span and return what there was in it, see `spans`, or why that is not known.

        It has ended when this is called, or when `let_span_end` was. It can be asked for once.
        """
        until = time.monotonic() + deadline_seconds
        if not self._lock.acquire(timeout=deadline_seconds):
            self.drop_span(number)
            return _unavailable("driver_silent", seconds=round(deadline_seconds, 1))
        try:
            asking = self._asking
            if asking is None or self._process is None or number not in asking.spans:
                return self._lost.pop(number, None) or _unavailable("measurement_lost")
            try:
                answer = asking.end_span(number, until=until)
            except Nonsense as nonsense:
                return self._believed_no_more(nonsense)
            except Gone:
                return self._died(self._end())
            except BaseException:  # Ctrl-C
                asking.drop_span(number)
                raise
            if answer is None:
                return self._late(deadline_seconds)
            self._warm, self._failures, self._unanswered_since = True, 0, None
            return answer["span"] or _unavailable("measurement_lost")
        finally:
            self._lock.release()

    def let_span_end(self, number: int) -> None:
        """Let a span end now, without waiting; a later `end_span` returns what there was in it."""
        asking = self._asking
        if asking is not None:
            asking.let_span_end(number)

    def drop_span(self, number: int) -> None:
        """Let go of a span, if there is such one: nobody will want it. Does not wait."""
        self._lost.pop(number, None)
        asking = self._asking
        if asking is not None and number in asking.spans:
            asking.drop_span(number)

    def look(self, key: str, path: str) -> dict[str, int] | Unavailable:
        """Return `looks.file_system(path)`, or why it cannot be had; a mount that is silent costs no more than a while.

        `key` names what may be silent: it is asked again only once it has answered.
        """
        from colab_magics.model import Unavailable

        for _ in range(2):  # a child that had ended by itself, idle, is replaced
            left = self._left_behind.get(key)
            if left is not None and left[0].poll() is None:
                return _unavailable("mount_silent", seconds=round(time.monotonic() - left[1], 1))
            looking = self._looking or self._start_looking()
            if isinstance(looking, Unavailable):
                return looking
            try:
                answer = looking.ask(key, path)
            except Gone:
                self._stop_looking(looking)
                continue
            except Nonsense as nonsense:
                self._stop_looking(looking)
                return _unavailable("child_nonsense", error=str(nonsense))
            if "silent_seconds" in answer:
                return _unavailable("mount_silent", seconds=round(answer["silent_seconds"], 1))
            figures: dict[str, int] | None = answer.get("figures")
            return figures or _unavailable("unreadable", error=answer["error"])
        return _unavailable("no_looker", error="it ends at once")

    @property
    def pid(self) -> int | None:
        """The child's process number, None while there is none."""
        return None if self._process is None else self._process.pid

    def stop_sampling(self) -> None:
        """Let the child take no more samples, if there is one. Does not wait, not even for a question under way.

        A question with a period that reaches the child later starts it again.
        """
        asking = self._asking
        if asking is not None:
            asking.stop_sampling()

    def close(self) -> None:
        """End the child, if there is one; whoever waits for its answer waits no longer."""
        process = self._process
        if process is not None:
            process.kill()
        with self._lock:
            self._end()
            self._failures, self._rest_until = 0, 0.0

    def __del__(self) -> None:
        """End the child when nothing refers to it: `%autoreload` runs this module again, with a new observer."""
        self._end()

    def forget(self) -> None:
        """Let go of a child that belongs to the process this one was forked from."""
        if self._process is not None:
            for conversation in (self._asking, self._looking):
                if conversation is not None:
                    conversation.forget()
            self._process.returncode = 0  # not ours to wait for
            self._process = None

    def _converse(
        self, deadline_seconds: float, until: float, sample_every_seconds: float | None
    ) -> dict[str, Any] | Unavailable:
        from colab_magics.model import Unavailable

        if self._process is not None and not self._knows_pynvml:  # it was started for a look
            self._end()
        started = self._start() if self._process is None or self._asking is None else self._asking
        if isinstance(started, Unavailable):
            return started
        if self._unanswered_since is None:
            self._unanswered_since = time.monotonic()
        seconds = deadline_seconds * (WARM_SHARE if self._warm else 1)
        in_full = time.monotonic() + seconds
        answer = started.exchange(sample_every_seconds, until=min(until, in_full))
        if answer is not None:
            # A driver that comes after a refusal takes as long to start as any: what it answers then is its first.
            self._warm, self._failures, self._unanswered_since = "refused" not in answer, 0, None
            # Not while somebody watches, who would start a child with each look.
            is_watched = sample_every_seconds is not None or bool(started.spans)
            if "refused" in answer and not is_watched and not self._keeps(answer["refused"]["reason"]):
                was_refused = self._was_refused
                self._end()
                if was_refused:
                    return self._converse(deadline_seconds, until, None)
            return answer
        if self._warm and until < in_full:  # another thread's question took the time: nothing is known of the driver
            return _unavailable("driver_silent", seconds=round(deadline_seconds, 1))
        return self._late(seconds)

    def _late(self, seconds: float) -> Unavailable:
        """Return why an answer has not come in so many seconds; but for a first one, this ends the child."""
        waited = time.monotonic() - (self._unanswered_since or self._started_at)
        if not self._warm and not self._failures and waited < STARTING_SECONDS:
            code = "driver_starting" if waited < SLOW_SECONDS else "driver_slow"
            return _unavailable(code, seconds=round(waited, 1))
        seconds = seconds if self._warm else waited
        self._end()
        return self._failed("driver_silent", seconds=round(seconds, 1))

    def _ready_to_measure(self, *, with_gpus: bool) -> Asking | Unavailable:
        """Return the conversation with a child that can be asked for a span, started if there is none."""
        resting = self._rest_until - time.monotonic()
        if resting > 0 and with_gpus:
            return _unavailable("driver_resting", seconds=round(resting))
        if self._process is not None and (exit_code := self._process.poll()) is not None:
            self._end()
            if exit_code != 0:  # else it had ended by itself, idle
                return self._died(exit_code)
        if self._process is not None and with_gpus and not self._knows_pynvml:
            self._end()
        if self._process is not None and self._asking is not None:
            return self._asking
        return self._start() if with_gpus else self._spawn(starting.find_pynvml())

    def _send_beginning(self, asking: Asking, number: int, *, with_gpus: bool) -> int | Unavailable:
        self._make_room(asking)
        try:
            asking.begin_span(number, with_gpus=with_gpus)
        except OSError:  # it does not read: it hangs, or has just ended
            return _unavailable("measurement_lost")
        return number

    def _begin_span(self, asking: Asking, number: int, until: float, *, with_gpus: bool) -> int | Unavailable:
        self._make_room(asking)
        began_at = time.monotonic()
        try:
            has_begun = asking.has_begun_span(number, with_gpus=with_gpus, until=until)
        except Nonsense as nonsense:
            return self._believed_no_more(nonsense)
        except Gone:
            return self._died(self._end())
        except BaseException:  # Ctrl-C
            asking.drop_span(number)
            raise
        if not has_begun:
            asking.drop_span(number)
            return self._late(time.monotonic() - began_at)
        self._warm, self._failures, self._unanswered_since = True, 0, None
        return number

    def _make_room(self, asking: Asking) -> None:
        while len(asking.spans) >= MOST_SPANS:
            asking.drop_span(min(asking.spans))

    def _believed_no_more(self, nonsense: Nonsense) -> Unavailable:
        self._end()
        return self._and_of_spans(_unavailable("child_nonsense", error=str(nonsense)))

    def _and_of_spans(self, why: Unavailable) -> Unavailable:
        """Return why a child was ended; that is also why what it has measured is not known."""
        self._lost = dict.fromkeys(self._spans_of_the_last, why)
        return why

    def _keeps(self, reason: str) -> bool:
        """Tell whether a child whose driver has refused is asked again the next time, or another one is.

        A library once loaded keeps its version. Where there is no driver that does not matter: the child is kept for
        a while, so that reports on a machine without one cost no start of a process. If then one comes that this
        library does not suit, it refuses for another reason, and another child is asked at once.
        """
        is_kept = reason == _NOT_LOADED and time.monotonic() - self._started_at < REFUSED_SECONDS
        self._was_refused |= is_kept
        return is_kept

    def _start(self) -> Asking | Unavailable:
        pynvml_file = starting.find_pynvml()
        return _unavailable("binding_missing") if pynvml_file is None else self._spawn(pynvml_file)

    def _spawn(self, pynvml_file: str | None) -> Asking | Unavailable:
        try:
            process, requests, answers = starting.child(pynvml_file)
        except OSError as error:
            return _unavailable("no_child", error=error.strerror or type(error).__name__)
        self._process, self._started_at, self._warm = process, time.monotonic(), False
        self._unanswered_since = self._started_at
        self._knows_pynvml, self._was_refused = pynvml_file is not None, False
        # Imported while the child starts.
        from colab_magics.observer.asking import Asking
        from colab_magics.observer.looking import Looking

        self._looking = Looking(requests, answers)
        self._asking = Asking(process)
        return self._asking

    def _start_looking(self) -> Looking | Unavailable:
        from colab_magics.model import Unavailable

        if not self._lock.acquire(timeout=DEADLINE_SECONDS):
            return _unavailable("no_looker", error="another thread starts it")
        try:
            looking = self._looking
            if looking is not None:
                return looking
            started = self._spawn(starting.find_pynvml())
            if isinstance(started, Unavailable):
                return _unavailable("no_looker", error=str(dict(started.values)["error"]))
            return self._looking or _unavailable("no_looker", error="it has ended")
        finally:
            self._lock.release()

    def _stop_looking(self, looking: Looking) -> None:
        """End the child of a conversation that has ended, unless another one has taken its place."""
        if self._lock.acquire(timeout=DEADLINE_SECONDS):
            try:
                if self._looking is looking:
                    self._end()
            finally:
                self._lock.release()

    def _died(self, exit_code: int | None) -> Unavailable:
        if self._asking is None or not self._asking.has_loaded_the_driver:
            return self._and_of_spans(_unavailable("child_died", cause=_cause_of_death(exit_code)))
        from colab_magics.observer.child import STUCK_SECONDS

        if exit_code == -signal.SIGALRM:  # the driver hung in a sample, and nobody asked meanwhile
            return self._failed("driver_silent", seconds=STUCK_SECONDS)
        return self._failed("driver_crashed", cause=_cause_of_death(exit_code))

    def _failed(self, code: str, **values: float | str) -> Unavailable:
        self._failures += 1
        if self._failures >= _FAILURES_BEFORE_REST:
            self._failures, self._rest_until = 0, time.monotonic() + RESTING_SECONDS
        return self._and_of_spans(_unavailable(code, **values))

    def _end(self) -> int | None:
        """Kill the child and return its exit code, None if it would not even die: the driver may hold it for ever."""
        process, self._process, self._warm = self._process, None, False
        looking, self._looking = self._looking, None
        if process is None:
            return None
        process.kill()  # changes nothing for one that is already dying: its exit code stays its own
        if self._asking is not None:
            self._spans_of_the_last = self._asking.spans
            self._asking.close()
        hanging = {} if looking is None else looking.hanging
        if looking is not None:
            looking.close()
        try:
            return process.wait(_KILL_SECONDS)
        except subprocess.TimeoutExpired:
            self._left_behind.update((key, (process, at)) for key, at in hanging.items())
            return None


_shared = Observer()


def ask(
    *, deadline_seconds: float = DEADLINE_SECONDS, sample_every_seconds: float | None = None
) -> dict[str, Any] | Unavailable:
    """Ask this process's one observer; see `Observer.ask`."""
    return _shared.ask(deadline_seconds=deadline_seconds, sample_every_seconds=sample_every_seconds)


def look(key: str, path: str) -> dict[str, int] | Unavailable:
    """Let this process's observer look at a file system; see `Observer.look`."""
    return _shared.look(key, path)


def start(*, sample_every_seconds: float | None = None) -> None:
    """Let this process's observer ask the driver ahead; see `Observer.start`."""
    _shared.start(sample_every_seconds=sample_every_seconds)


def begin_span(*, with_gpus: bool = True, deadline_seconds: float | None = None) -> int | Unavailable:
    """Let this process's observer begin a span of work; see `Observer.begin_span`."""
    return _shared.begin_span(with_gpus=with_gpus, deadline_seconds=deadline_seconds)


def end_span(number: int, *, deadline_seconds: float = DEADLINE_SECONDS) -> dict[str, Any] | Unavailable:
    """Return what there was in a span; see `Observer.end_span`."""
    return _shared.end_span(number, deadline_seconds=deadline_seconds)


def let_span_end(number: int) -> None:
    """Let a span end now; see `Observer.let_span_end`."""
    _shared.let_span_end(number)


def drop_span(number: int) -> None:
    """Let go of a span; see `Observer.drop_span`."""
    _shared.drop_span(number)


def stop_sampling() -> None:
    """Let this process's observer take no more samples; see `Observer.stop_sampling`."""
    _shared.stop_sampling()


def pid() -> int | None:
    """Return the process number of this process's observer, None while there is none."""
    return _shared.pid


def close() -> None:
    """End this process's observer; the next question starts another."""
    _shared.close()


def _forget_in_forked_process() -> None:
    global _shared  # noqa: PLW0603 - the parent's lock may be held by a thread that does not exist here
    _shared.forget()
    _shared = Observer()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_forked_process)
# A child that hangs in the driver's loader cannot see the kernel end.
atexit.register(close)


def _unavailable(code: str, **values: float | str) -> Unavailable:
    """Return why there is no answer. The model takes longer to import than the child takes to start."""
    from colab_magics.model import Unavailable

    return Unavailable(code=code, values=tuple(values.items()))


def _cause_of_death(exit_code: int | None) -> str:
    """Return how the child ended. Where other code waits for our children, all of them seem to have ended well."""
    if not exit_code:
        return "unknown"
    if exit_code > 0:
        return f"exit code {exit_code}"
    try:
        return signal.Signals(-exit_code).name
    except ValueError:
        return f"signal {-exit_code}"
