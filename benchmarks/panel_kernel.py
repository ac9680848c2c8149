# ruff: noqa: INP001 - taken into a kernel, with `%run`
"""What runs in the kernel where the panel is measured: the contestants, and the clocks around them.

Of the panel itself only three things are touched: its `_source`, around whose looks lie the clocks, and its button that
pauses it and lets it go on.
"""

from __future__ import annotations

import itertools
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    Update = Callable[[int], None]
    """Shows the figures of a moment; the moments are numbered."""

_PATIENCE_SECONDS = 30

# Who is compared ----------------------------------------------------------------------------------------------------

ROWS = ("GPU memory", "GPU use", "RAM", "Disk", "CPU")


def nothing() -> Update:
    """Show nothing: what it costs a thread to wake up."""
    return lambda _number: None


def widgets_in_rows(*, names_change: bool) -> Update:
    """Show a row for each figure, a name, a bar and a text, which are a widget each; the names may stay as they are."""
    import ipywidgets as widgets  # noqa: PLC0415, TID251 - its import is measured
    from IPython.display import display  # noqa: PLC0415, TID251 - there in a kernel

    rows = [(widgets.Label(name), widgets.FloatProgress(max=100), widgets.Label()) for name in ROWS]
    display(widgets.VBox([widgets.HBox(row) for row in rows]))  # type: ignore[no-untyped-call]

    def update(number: int) -> None:
        for place, (name, bar, text) in enumerate(rows):
            percent = (number + 10 * place) % 100
            if names_change:
                name.value = f"{ROWS[place]} {percent} %"
            bar.value = percent
            text.value = f"{percent / 100 * 15:.2f} of 15.0 GiB used, {percent} °C"

    return update


def one_html_widget(card: str) -> Update:
    """Show one text as long as the panel's card, which is made beforehand."""
    import ipywidgets as widgets  # noqa: PLC0415, TID251
    from IPython.display import display  # noqa: PLC0415, TID251

    widget = widgets.HTML()
    display(widget)  # type: ignore[no-untyped-call]

    def update(number: int) -> None:
        widget.value = f"{card}{number}"

    return update


def displayed_html(card: str) -> Update:
    """Display such a text, and each time another in its place."""
    from IPython.display import HTML, display  # noqa: PLC0415, TID251

    handle: Any = display(HTML(card), display_id=True)  # type: ignore[no-untyped-call]
    return lambda number: handle.update(HTML(f"{card}{number}"))  # type: ignore[no-untyped-call]


FIFTEEN = "15 widgets"
PEERS: dict[str, Callable[[str], Update]] = {
    FIFTEEN: lambda _card: widgets_in_rows(names_change=True),
    "15 widgets, 10 of them changing": lambda _card: widgets_in_rows(names_change=False),
    "one HTML widget": one_html_widget,
    "display(HTML, display_id).update": displayed_html,
    "a thread that wakes up": lambda _card: nothing(),
}
LONGEST_CARD = "x" * 2600
"""A text as long as the panel's card is with a T4 and full lines."""

_NUMBERS = itertools.count()

# The clocks ---------------------------------------------------------------------------------------------------------


class TimedSource:
    """The panel's own source, with the CPU time noted that the thread that looks takes for each look, and between two.

    What lies between two looks is showing: the report becomes a card, and the card goes to the page.
    """

    def __init__(self, source: Any) -> None:
        self._source = source
        self._ended_ns: int | None = None
        self._thread: int | None = None
        self.look_us: list[float] = []
        self.show_us: list[float] = []
        self.begun = 0
        self.done = 0
        """So many looks were taken and handed on."""
        self.bells: dict[int, threading.Event] = {}

    def look(self, **how: Any) -> Any:
        """Look as the panel's own source does."""
        started_ns, thread = time.thread_time_ns(), threading.get_ident()
        if self._ended_ns is not None and thread == self._thread:
            self.show_us.append((started_ns - self._ended_ns) / 1000)
        self.begun += 1
        report = self._source.look(**how)
        self._ended_ns, self._thread = time.thread_time_ns(), thread
        self.look_us.append((self._ended_ns - started_ns) / 1000)
        self.done += 1
        return report

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)


def the_panel() -> Any:
    """Return the open panel."""
    from IPython import get_ipython  # noqa: PLC0415, TID251

    return get_ipython().find_line_magic("gpu_info").__self__.panel


class Live:
    """The open panel with clocks around its looks."""

    def __init__(self, period_seconds: float) -> None:
        self.panel = the_panel()
        self.source = TimedSource(self.panel._source)  # noqa: SLF001 - no other way in
        self.panel._source = self.source  # noqa: SLF001
        self.panel._choose_period(period_seconds)  # noqa: SLF001 - a click, by which it goes on

    def every(self, period_seconds: float) -> None:
        """Choose another period for when it goes on."""
        self.panel._period_seconds = period_seconds  # noqa: SLF001

    def pause_or_go_on(self) -> None:
        """Click the button that does so."""
        self.panel._pause_or_resume()  # noqa: SLF001

    def wait_for(self, looks: int) -> None:
        """Wait until so many more looks have been taken, and the last of them is shown."""
        until = self.source.done + looks
        given_up = time.monotonic() + _PATIENCE_SECONDS
        while self.source.done < until:
            if time.monotonic() > given_up:
                raise TimeoutError("the panel does not look")
            time.sleep(0.01)
        time.sleep(0.05)

    def refreshes(self, number: int) -> dict[str, Any]:
        """Let it move for so many looks; return what they took."""
        self.source.look_us, self.source.show_us, self.source._ended_ns = [], [], None  # noqa: SLF001
        kernel_us, child_us = cpu_us(), cpu_us(_observer())
        self.pause_or_go_on()
        self.wait_for(number + 1)
        self.pause_or_go_on()
        kernel_us, child_us = cpu_us() - kernel_us, cpu_us(_observer()) - child_us
        return {
            "show_us": self.source.show_us,
            "look_us": self.source.look_us,
            "kernel_us": kernel_us / (number + 1),
            "child_us": child_us / (number + 1),
        }


def _observer() -> int:
    from colab_magics.observer import client  # noqa: PLC0415 - the one that the panel uses

    return client.pid() or 0


class Repeated:
    """A thread that does something again and again; `taken_us` has its CPU time from one begin to the next."""

    def __init__(self, update: Update, period_seconds: float) -> None:
        self.taken_us: list[float] = []
        self._update, self._period_seconds = update, period_seconds
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._repeat, daemon=True)
        self._thread.start()

    def _repeat(self) -> None:
        before_ns = None
        while not self._end.wait(self._period_seconds):
            now_ns = time.thread_time_ns()
            if before_ns is not None:
                self.taken_us.append((now_ns - before_ns) / 1000)
            before_ns = now_ns
            self._update(next(_NUMBERS))

    def end(self) -> None:
        """Do it no more."""
        self._end.set()
        self._thread.join()


def refreshes_of(update: Update, number: int, period_seconds: float) -> dict[str, Any]:
    """Return what so many refreshes of a peer take."""
    kernel_us = cpu_us()
    repeated = Repeated(update, period_seconds)
    while len(repeated.taken_us) < number:
        time.sleep(period_seconds)
    repeated.end()
    return {"show_us": repeated.taken_us, "kernel_us": (cpu_us() - kernel_us) / (len(repeated.taken_us) + 1)}


def cpu_us(pid: int = 0) -> float:
    """Return the CPU time that all threads of a process have taken, of this one unless told otherwise.

    The clock of another process has the number that glibc's clock_getcpuclockid gives it.
    """
    clock = (~pid << 3) | 2 if pid else time.CLOCK_PROCESS_CPUTIME_ID
    return time.clock_gettime_ns(clock) / 1000


# A loop beside it ---------------------------------------------------------------------------------------------------


def count(times: int) -> None:
    """Do what Python does slowest: a loop of its own."""
    total = 0
    for number in range(times):
        total += number & 7


def times_for(seconds: float) -> int:
    """Return how many times a loop of about so many seconds goes round."""
    least = float("inf")
    for _ in range(5):
        started = time.perf_counter()
        count(500_000)
        least = min(least, time.perf_counter() - started)
    return int(500_000 * seconds / least)


def loops_in_turns(live: Live, pairs: int, seconds: float) -> dict[str, Any]:
    """Return what a short loop takes while the paused panel goes on for one look, and with nothing live; in turns."""
    times = times_for(seconds)
    with_ms, without_ms, late = list[float](), list[float](), 0
    for number in range(-2, pairs):
        for is_live in (number % 2 == 0, number % 2 == 1):
            before = live.source.done
            started = time.perf_counter()
            if is_live:
                live.pause_or_go_on()
            count(times)
            taken_ms = (time.perf_counter() - started) * 1e3
            if is_live:
                late += live.source.done == before
                time.sleep(0.02)
                live.pause_or_go_on()
                time.sleep(0.02)
            if number >= 0:
                (with_ms if is_live else without_ms).append(taken_ms)
    return {"with_ms": with_ms, "without_ms": without_ms, "late": late}
