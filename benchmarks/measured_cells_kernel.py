"""What runs in a kernel whose cells are measured: temporaries of a known size, and work of a known kind.

`%run -n measured_cells_kernel.py` brings it there. Each function returns once it has done its part, and notes that in
`done`: a measurement that does not run its cell is found out.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

TEMPORARY_BYTES = 500_000_000
WORK_SECONDS = 0.06
"""How long a piece of work takes here at least, with nothing beside it."""

done: list[float] = []
"""The milliseconds that each piece of work took by its own clock, without those in which it waited for a core; of a
temporary, how long it lived."""

# Temporaries --------------------------------------------------------------------------------------------------------


def hold(kind: str, ms: float) -> None:
    """Let a temporary live for so long once it is whole; what lives before that is what its making takes."""
    if kind == "thread":
        thread = threading.Thread(target=_hold, args=(_zeros, ms))
        thread.start()
        thread.join()
    elif kind == "numpy":
        import numpy as np

        _hold(lambda: np.ones(TEMPORARY_BYTES // 8), ms)
    elif kind == "GIL held":
        block = _zeros()
        ctypes.PyDLL(None).usleep(int(ms * 1e3))  # of libc, by a door that keeps the lock
        del block
        done.append(ms)
    else:
        raise ValueError(kind)


async def hold_awaiting(ms: float) -> None:
    """Let a temporary live while the event loop goes on."""
    block = _zeros()
    await asyncio.sleep(ms / 1e3)
    del block
    done.append(ms)


def _zeros() -> bytearray:
    return bytearray(TEMPORARY_BYTES)


def _hold(make: Callable[[], Any], ms: float) -> None:
    block = make()
    time.sleep(ms / 1e3)
    del block
    done.append(ms)


# Work ---------------------------------------------------------------------------------------------------------------


def loop(times: int) -> None:
    """Count, in pure Python."""
    total = 0
    for number in range(times * 10_000):
        total += number


def objects(times: int) -> None:
    """Make many small objects, and let go of them."""
    for _ in range(times):
        _ = [{"number": number, "both": (number, str(number))} for number in range(2_000)]


def allocations(times: int) -> None:
    """Make arrays and let go of them."""
    import numpy as np

    for _ in range(times):
        _ = np.ones(500_000)


def matmul(times: int) -> None:
    """Multiply matrices."""
    import numpy as np

    one = np.full((200, 200), 0.5)
    for _ in range(times):
        _ = one @ one


WORK = {"loop": loop, "objects": objects, "allocations": allocations, "matmul": matmul}
_times: dict[str, int] = {}


def prepare(names: list[str]) -> None:
    """Find out how often each is to be done so that it takes long enough; the first times take longer."""
    for name in names:
        times = 1
        while min(_taken_ms(name, times) for _ in range(3)) < WORK_SECONDS * 1e3:
            times = times * 5 // 4 + 1
        _times[name] = times


def work(name: str) -> None:
    """Do a piece of work, and note what it took."""
    done.append(_taken_ms(name, _times[name]))


def _taken_ms(name: str, times: int) -> float:
    waited_ns, started_ns = _waited_for_a_core_ns(), time.perf_counter_ns()
    WORK[name](times)
    wall_ns = time.perf_counter_ns() - started_ns
    return (wall_ns - (_waited_for_a_core_ns() - waited_ns)) / 1e6


def _waited_for_a_core_ns() -> int:
    """Return how long this thread was ready to run, and others ran instead: those of other programs, mostly."""
    with open("/proc/thread-self/schedstat", encoding="ascii") as file:
        return int(file.read().split()[1])


# The floor ----------------------------------------------------------------------------------------------------------


class BareRecord:
    """The least that finds a cell's exact peak: the process's record is reset before it and read after it."""

    def __init__(self, shell: Any) -> None:
        self._events = shell.events
        self._reset = os.open("/proc/self/clear_refs", os.O_WRONLY)
        self._status = os.open("/proc/self/status", os.O_RDONLY)
        self._started, self._before = 0.0, 0
        self.over_start_bytes = 0
        self._hooks = {"pre_run_cell": self._begin, "post_run_cell": self._end}

    def start(self) -> None:
        """Measure every cell from now on."""
        for event, hook in self._hooks.items():
            self._events.register(event, hook)

    def stop(self) -> None:
        """Measure no more."""
        for event, hook in self._hooks.items():
            self._events.unregister(event, hook)

    def _begin(self, _info: Any) -> None:
        os.pwrite(self._reset, b"5", 0)
        self._before = self._read(b"VmRSS:")
        self._started = time.perf_counter()

    def _end(self, _result: Any) -> None:
        self.took = time.perf_counter() - self._started
        self.over_start_bytes = self._read(b"VmHWM:") - self._before

    def _read(self, key: bytes) -> int:
        status = os.pread(self._status, 4096, 0)
        return int(status[status.index(key) + len(key) :].split(maxsplit=1)[0]) * 1024


def hooks_of(shell: Any, owner: str) -> Callable[[], None]:
    """Return a function that calls what an owner has registered for the begin and the end of cells, as a cell does.

    The owner stands in the names of the hooks. They get what the next cell gives that is counted.
    """
    given: dict[str, Any] = {}
    found = {
        event: [hook for hook in shell.events.callbacks[event] if owner in f"{hook.__module__}.{hook.__qualname__}"]
        for event in ("pre_run_cell", "post_run_cell")
    }

    def note_info(info: Any) -> None:
        if info.store_history:
            given.setdefault("info", info)

    def note_result(result: Any) -> None:
        if result.info.store_history:
            given.setdefault("result", result)

    def call() -> None:
        for hook in found["pre_run_cell"]:
            hook(given["info"])
        for hook in found["post_run_cell"]:
            hook(given["result"])

    shell.events.register("pre_run_cell", note_info)
    shell.events.register("post_run_cell", note_result)
    return call
