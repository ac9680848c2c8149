"""What runs in the kernel where the panel is measured: the contestants, and the clocks around them.

Of the panel itself only three things are touched: its `_source`, around whose looks lie the clocks, and its button that
pauses it and lets it go on.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from typing import Any

Update = Callable[[int], None]
"""Shows the figures of a moment; the moments are numbered."""

_PATIENCE_SECONDS = 30
_QUIET_SECONDS = 0.02

# Who is compared ----------------------------------------------------------------------------------------------------

ROWS = ("GPU memory", "GPU use", "RAM", "Disk", "CPU")


def nothing() -> Update:
    """Show nothing: what it costs a thread to wake up."""
    return lambda _number: None


def widgets_in_rows(*, names_change: bool) -> Update:
    """Show a row for each figure, a name, a bar and a text, which are a widget each; the names may stay as they are."""
    import ipywidgets as widgets
    from IPython.display import display

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
    import ipywidgets as widgets
    from IPython.display import display

    widget = widgets.HTML()
    display(widget)  # type: ignore[no-untyped-call]

    def update(number: int) -> None:
        widget.value = f"{card}{number}"

    return update


def displayed_html(card: str) -> Update:
    """Display such a text, and each time another in its place."""
    from IPython.display import HTML, display

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
LONGEST_CARD = "x" * 3300
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
        self.done = 0
        """So many looks were taken and handed on."""
        self.moments = 0
        """So many moments the last of them has of the last minutes."""

    def look(self, **how: Any) -> Any:
        """Look as the panel's own source does."""
        started_ns, thread = time.thread_time_ns(), threading.get_ident()
        if self._ended_ns is not None and thread == self._thread:
            self.show_us.append((started_ns - self._ended_ns) / 1000)
        report = self._source.look(**how)
        self._ended_ns, self._thread = time.thread_time_ns(), thread
        self.moments = len(report.snapshot.samples or ())
        self.look_us.append((self._ended_ns - started_ns) / 1000)
        self.done += 1
        return report

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)


def the_panel() -> Any:
    """Return the open panel."""
    from IPython import get_ipython

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

    def fill(self) -> None:
        """Wait until the lines are as full as they get, as in any panel that has been open for a while."""
        from colab_magics.observer.samples import SENT_SAMPLES

        while self.source.moments < SENT_SAMPLES - 2:
            before = self.source.moments
            self.wait_for(4)
            if self.source.moments == before:
                raise TimeoutError("the panel has no moments of the last minutes")

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
        """Return what so many looks take; it moves."""
        self.wait_for(1)
        self.source.look_us, self.source.show_us = [], []
        kernel_us, child_us = cpu_us(), cpu_us(_observer())
        self.wait_for(number)
        kernel_us, child_us = cpu_us() - kernel_us, cpu_us(_observer()) - child_us
        return {
            "show_us": self.source.show_us,
            "look_us": self.source.look_us,
            "kernel_us": kernel_us / number,
            "child_us": child_us / number,
        }


def _observer() -> int:
    from colab_magics.observer import client

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


def looped(times: int) -> dict[str, float]:
    """Return what a loop takes, in milliseconds: by the clock, without waits for a core, and of these while it slept.

    It never sleeps but for Python's lock. Other programs on the machine cost it waits for a core.
    """
    waited_ns, ran_ns, started_ns = _waited_for_a_core_ns(), time.thread_time_ns(), time.perf_counter_ns()
    count(times)
    wall_ns, ran_ns = time.perf_counter_ns() - started_ns, time.thread_time_ns() - ran_ns
    undisturbed_ns = wall_ns - (_waited_for_a_core_ns() - waited_ns)
    return {"wall": wall_ns / 1e6, "undisturbed": undisturbed_ns / 1e6, "asleep": (undisturbed_ns - ran_ns) / 1e6}


def _waited_for_a_core_ns() -> int:
    """Return how long this thread was ready to run, and others ran instead."""
    with open("/proc/thread-self/schedstat", encoding="ascii") as file:
        return int(file.read().split()[1])


Act = Callable[[], None]


def beside_panel(live: Live) -> tuple[Act, Act]:
    """Return how a paused panel goes on, which looks at once and then after a period, and how it pauses again."""
    return live.pause_or_go_on, live.pause_or_go_on


def beside_peer(update: Update) -> tuple[Act, Act]:
    """Return how a peer is updated once by a thread of its own, and how that is waited for."""
    threads: list[threading.Thread] = []

    def begin() -> None:
        threads.append(threading.Thread(target=update, args=(next(_NUMBERS),)))
        threads[-1].start()

    return begin, lambda: threads.pop().join()


def loops_in_turns(beside: tuple[Act, Act], pairs: int, seconds: float) -> list[dict[str, list[float]]]:
    """Return what a short loop takes with something that happens once beside it, and with nothing; in turns."""
    begin, end = beside
    times = times_for(seconds)
    taken: tuple[list[dict[str, float]], list[dict[str, float]]] = [], []
    for number in range(-2, pairs):
        for is_live in (number % 2 == 0, number % 2 == 1):
            if is_live:
                begin()
            one = looped(times)
            if is_live:
                time.sleep(_QUIET_SECONDS)  # it may not have come to its end
                end()
                time.sleep(_QUIET_SECONDS)
            if number >= 0:
                taken[0 if is_live else 1].append(one)
    return [{clock: [one[clock] for one in every] for clock in every[0]} for every in taken]
