# ruff: noqa: INP001 - taken into a kernel by panel.py, with `%run`
"""What runs in the kernel when panel.py measures: the contestants, and the clocks around them."""

from __future__ import annotations

import itertools
import threading
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    Update = Callable[[int], None]
    """Shows the figures of a moment; the moments are numbered."""

PERIOD_SECONDS = 0.5
"""How long a refresh waits for the next where its cost is measured: the shortest period that the panel offers."""

REFRESHES = 6
"""So many of each contestant are measured in a row."""

# Who is compared ---------------------------------------------------------------------------------------

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

# What is measured --------------------------------------------------------------------------------------

NUMBERS = itertools.count()


def spent(act: Callable[..., Any], taken_us: list[float]) -> Callable[..., Any]:
    """Return an act that notes the CPU time, in µs, that each call takes of the thread it runs in."""

    def noted(*given: Any, **named: Any) -> Any:
        started = time.thread_time_ns()
        try:
            return act(*given, **named)
        finally:
            taken_us.append((time.thread_time_ns() - started) / 1000)

    return noted


class Repeated:
    """A thread that does something again and again; `taken_us` has the CPU time of each."""

    def __init__(self, update: Update, period_seconds: float) -> None:
        self.taken_us: list[float] = []
        self._update, self._period_seconds = spent(update, self.taken_us), period_seconds
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._repeat, daemon=True)
        self._thread.start()

    def _repeat(self) -> None:
        while not self._end.wait(self._period_seconds):
            self._update(next(NUMBERS))

    def end(self) -> None:
        """Do it no more."""
        self._end.set()
        self._thread.join()


def rested_peers(panel: Any) -> dict[str, Update]:
    """Wait until a panel's last minutes are full, as in any that has been open for a while; pause it; return the peers.

    They are open from now on, and show as much as the panel does then.
    """
    from colab_magics.observer.samples import SENT_SAMPLES  # noqa: PLC0415 - the one that the panel uses

    while len(panel._report.snapshot.samples or ()) < SENT_SAMPLES - 2:  # noqa: SLF001 - no other way in
        time.sleep(PERIOD_SECONDS)
    panel._pause_or_resume()  # noqa: SLF001
    card = panel._controls._card.value  # noqa: SLF001
    return {name: build(card) for name, build in PEERS.items()}


def refreshes_of(update: Update) -> dict[str, Any]:
    """Return what the refreshes of a peer take."""
    whole = cpu_us()
    repeated = Repeated(update, PERIOD_SECONDS)
    time.sleep(PERIOD_SECONDS * (REFRESHES + 0.5))
    repeated.end()
    return {"show_us": repeated.taken_us, "kernel_us": (cpu_us() - whole) / len(repeated.taken_us)}


def refreshes_of_panel(panel: Any) -> dict[str, Any]:
    """Return what the refreshes of an open panel take: its own thread works, with clocks around its three steps."""
    from colab_magics.observer import client  # noqa: PLC0415 - the one that the panel uses

    look, show, whole = list[float](), list[float](), list[float]()
    source, controls, refresh = panel._source, panel._controls, panel._look_and_show  # noqa: SLF001 - no other way in
    done = threading.Event()

    def refresh_and_count() -> None:
        spent(refresh, whole)()
        if len(whole) == REFRESHES:
            done.set()

    timed = SimpleNamespace(look=spent(source.look, look), stop_sampling=source.stop_sampling)
    panel._source = timed  # noqa: SLF001
    controls.show = spent(controls.show, show)
    panel._look_and_show = refresh_and_count  # noqa: SLF001
    kernel_us, child_us = cpu_us(), cpu_us(client.pid())
    done.wait(30)
    kernel_us, child_us = cpu_us() - kernel_us, cpu_us(client.pid()) - child_us
    panel._source, panel._look_and_show = source, refresh  # noqa: SLF001
    del controls.show
    return {
        "look_us": look,
        "render_us": [every - of_look - of_send for every, of_look, of_send in zip(whole, look, show, strict=True)],
        "send_us": show,
        "show_us": [every - of_look for every, of_look in zip(whole, look, strict=True)],
        "kernel_us": kernel_us / len(whole),
        "child_us": child_us / len(whole),
        "samples": len(panel._report.snapshot.samples or ()),  # noqa: SLF001
    }


def cpu_us(pid: int | None = None) -> float:
    """Return the CPU time that all threads of a process have taken, of this one unless told otherwise.

    The clock of another process has the number that glibc's clock_getcpuclockid gives it.
    """
    clock = time.CLOCK_PROCESS_CPUTIME_ID if pid is None else (~pid << 3) | 2
    return time.clock_gettime_ns(clock) / 1000


def count(times: int) -> None:
    """Do what Python does slowest: a loop of its own."""
    total = 0
    for number in range(times):
        total += number & 7


def times_for(seconds: float) -> int:
    """Return how many times a loop of about so many seconds goes round."""
    started = time.perf_counter()
    count(2_000_000)
    return int(2_000_000 * seconds / (time.perf_counter() - started))


def loop_ms(times: int) -> dict[str, float]:
    """Return how long a loop takes: by the clock, without the time that this thread waited for a core, and on one.

    What lies between the latter two is mostly sleep: the loop never sleeps but for Python's lock.
    """
    waited_ns, ran_ns, started_ns = waited_for_a_core_ns(), time.thread_time_ns(), time.perf_counter_ns()
    count(times)
    wall_ns, ran_ns = time.perf_counter_ns() - started_ns, time.thread_time_ns() - ran_ns
    waited_ns = waited_for_a_core_ns() - waited_ns
    return {"wall": wall_ns / 1e6, "undisturbed": (wall_ns - waited_ns) / 1e6, "on_a_core": ran_ns / 1e6}


def waited_for_a_core_ns() -> int:
    """Return how long this thread was ready to run, and others ran instead."""
    with open("/proc/thread-self/schedstat", encoding="ascii") as file:
        return int(file.read().split()[1])
