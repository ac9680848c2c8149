"""What the GPUs did during a span of work, such as a cell, as the observer's child process watches it.

    begun = gpu_work.begin()                    # before the work; with a deadline, waits until it has begun
    gpu_work.let_end(begun)                     # after it, where the answer is wanted later
    done = gpu_work.end(begun)                  # after it: waits for the answer
    done.gpus                                   # () where there is no GPU, or a `GpuWork` for each, or Unavailable
    done.kernel_peak_bytes, done.looks          # this process's resident memory, as it was sampled
    gpu_work.drop(begun)                        # instead of `end`: nobody wants to know

Where nothing speaks of an NVIDIA GPU no child is started and nothing waited for, unless the kernel's resident memory is
to be sampled (`with_kernel`): the last resort for its peak, where the system has no record of it.
None of these raises, but for Ctrl-C in `begin` with a deadline and in `end`.
"""

from __future__ import annotations

import functools
import time
from typing import Any

from colab_magics.model import Unavailable
from colab_magics.model.cells import GpuWork
from colab_magics.observer import DEADLINE_SECONDS, client
from colab_magics.probes import driver_state, gpu
from colab_magics.values import Record

_NO_BINDING = "binding_missing"
_SIGNS_SECONDS = 60.0


class Begun(Record):
    """A span that has begun."""

    number: int | None
    """The observer's number of it; None where it watches nothing."""
    gpus: tuple[()] | Unavailable | None
    """What is known of the GPUs' work already: that there is none to do any, or why nobody can look."""
    root: str
    """The folder that stands for /."""


class Done(Record):
    """What there was in a span."""

    gpus: tuple[GpuWork, ...] | Unavailable
    """What each did; empty where there is none."""
    kernel_peak_bytes: int | None = None
    """The most of this process's resident memory at any of the looks; None where nobody looked."""
    looks: int = 0
    """How many there were, one at the beginning and one at the end included."""


def begin(*, with_kernel: bool = False, deadline_seconds: float | None = None, root: str = "/") -> Begun:
    """Begin a span: now, without waiting, or, with a deadline, when this returns.

    Without a deadline a child that is not there is started, which takes some milliseconds, and what was at the
    beginning is not known where the child comes too late for it.
    """
    gpus: tuple[()] | Unavailable = ()
    if not _certainly_none(root, int(time.monotonic() // _SIGNS_SECONDS)):
        number = client.begin_span(deadline_seconds=deadline_seconds)
        if not isinstance(number, Unavailable):
            return Begun(number, None, root)
        gpus = number
    if not with_kernel or (gpus and gpus.code != _NO_BINDING):
        return Begun(None, gpus, root)
    number = client.begin_span(with_gpus=False, deadline_seconds=deadline_seconds)
    return Begun(None if isinstance(number, Unavailable) else number, gpus, root)


def let_end(begun: Begun) -> None:
    """Let a span end now, without waiting: a later `end` tells of it."""
    if begun.number is not None:
        client.let_span_end(begun.number)


def end(begun: Begun, *, deadline_seconds: float = DEADLINE_SECONDS) -> Done:
    """End a span, unless it has, and return what there was in it; it can be asked for once."""
    if begun.number is None:
        return Done(begun.gpus if begun.gpus is not None else ())
    seen = client.end_span(begun.number, deadline_seconds=deadline_seconds)
    if isinstance(seen, Unavailable):
        return Done(seen if begun.gpus is None else begun.gpus)
    gpus: tuple[GpuWork, ...] | Unavailable | None = begun.gpus
    if gpus is None:
        gpus = tuple(map(_work, seen["gpus"])) or gpu.why_none(seen["without"], root=begun.root)
    return Done(gpus, seen["kernel_peak_bytes"], seen["looks"])


def drop(begun: Begun) -> None:
    """Let go of a span: nobody will ask what there was in it."""
    if begun.number is not None:
        client.drop_span(begun.number)


@functools.lru_cache(maxsize=2)
def _certainly_none(root: str, _minute: int) -> bool:
    """Tell whether nothing speaks of an NVIDIA GPU: to look before each cell would cost most of what measuring does."""
    return driver_state.read_signs(root=root).are_certainly_none


def _work(seen: dict[str, Any]) -> GpuWork:
    reasons = seen["slowdown_reasons"]
    return GpuWork(
        index=seen["index"],
        name=seen["name"],
        busy_percent=None if seen["busy_percent"] is None else float(seen["busy_percent"]),
        busy_source=seen["busy_source"],
        memory_before_bytes=seen["memory_before_bytes"],
        memory_after_bytes=seen["memory_after_bytes"],
        memory_peak_bytes=seen["memory_peak_bytes"],
        memory_total_bytes=seen["memory_total_bytes"],
        peak_source=None if seen["memory_peak_bytes"] is None else "sampled",
        energy_joules=None if seen["energy_joules"] is None else float(seen["energy_joules"]),
        slowdown_reasons=None if reasons is None else tuple(reason for reason in reasons if reason != "idle"),
        unavailable=tuple(seen["unavailable"].items()),
    )
