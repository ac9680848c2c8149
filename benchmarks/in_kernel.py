"""What runs in a kernel that is measured: acts that take turns, and the clocks around them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def in_turns(ours: Callable[[], Any], floor: Callable[[], Any], *, turns: int, calls: int) -> list[list[float]]:
    """Return what both take, in milliseconds a call: some calls of one, as many of the other, again and again."""
    both: tuple[list[float], list[float]] = [], []
    for turn in range(-2, turns):
        for which in (0, 1) if turn % 2 else (1, 0):
            act = floor if which else ours
            started = time.perf_counter()
            for _ in range(calls):
                act()
            taken = (time.perf_counter() - started) / calls * 1e3
            if turn >= 0:
                both[which].append(taken)
    return list(both)
