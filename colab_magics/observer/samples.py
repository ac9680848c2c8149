"""What is noted over time while somebody watches: RAM, CPU time, the GPUs' use. Runs in the child process alone.

Expensive questions (processes, clocks, PCIe) are not asked here. What cannot be read is None, and costs only itself.

Source: proc(5), for /proc/stat.
"""

from __future__ import annotations

import os
import time
from collections import deque
from itertools import groupby
from typing import NamedTuple

from colab_magics import cgroup, files, memory, procfs

TYPE_CHECKING = False  # typing itself is slow to load
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from colab_magics.observer.devices import Devices

KEPT_SECONDS = 300.0
"""What is older is forgotten."""

SENT_SAMPLES = 40
"""The most samples in an answer: of more, neighbours are sent as one, since each costs the kernel time at each look."""

SECOND_AFTER_SECONDS = 0.2
"""So soon after the first sample comes the second: a share of CPU time, and a line, need two."""

UNASKED_SECONDS = 3600.0
"""After this long without a question nobody looks at the samples any more, so no more are taken."""

_IDLE, _WAITING_FOR_DISK = 3, 4
_GUEST = 8  # from here on is what "user" and "nice" have counted already


class Noted(NamedTuple):
    """One sample: which one it is, when it was taken on the monotonic clock, then the fields of `model.Sample`."""

    number: int
    at: float
    ram_headroom_bytes: int | None
    kernel_bytes: int | None
    cpu_percent: float | None
    gpus: list[dict[str, int | None]]


class Sampler:
    """Takes samples at the moments of a schedule that does not drift, and keeps the last of them."""

    def __init__(self, kernel_pid: int, devices: Devices) -> None:
        self._kernel_pid = kernel_pid
        self._devices = devices
        self._processor = Processor(kernel_pid)
        self._kept: deque[Noted] = deque()
        self._taken = 0
        self._period_seconds: float | None = None
        self._begins = False
        self._next_at = 0.0
        self._asked_at = 0.0

    def set_period(self, seconds: float | None) -> None:
        """Sample every so many seconds, beginning at once; None: no more. What has been noted is kept.

        The second sample comes sooner, after `SECOND_AFTER_SECONDS`.
        """
        self._asked_at = time.monotonic()
        if seconds is not None and self._period_seconds is None:
            self._begins = True
            if self._kept:
                self._note_a_gap()
        if seconds is not None and seconds != self._period_seconds:
            # Not sooner after the last one than the period says: CPU time is counted in hundredths of a second.
            self._next_at = max(time.monotonic(), self._kept[-1].at + seconds if self._kept else 0)
        self._period_seconds = seconds
        self.take_if_due()

    def seconds_to_next(self) -> float | None:
        """Return how long it is until the next sample is due, None if there will be none."""
        return None if self._period_seconds is None else max(0.0, self._next_at - time.monotonic())

    def take_if_due(self) -> None:
        """Take the sample whose moment has come; moments that were missed are not made up for."""
        now = time.monotonic()
        if now - self._asked_at > UNASKED_SECONDS:
            self._period_seconds = None
        if self._period_seconds is None or now < self._next_at:
            return
        self._next_at += self._period_seconds * ((now - self._next_at) // self._period_seconds + 1)
        if self._begins:
            self._begins, self._next_at = False, min(self._next_at, now + SECOND_AFTER_SECONDS)
        while self._kept and now - self._kept[0].at > KEPT_SECONDS:
            self._kept.popleft()
        self._taken += 1
        self._kept.append(
            Noted(
                self._taken,
                now,
                _headroom_bytes(self._kernel_pid),
                _resident_bytes(self._kernel_pid),
                self._processor.busy_percent(now),
                self._devices.use(),
            )
        )

    def _note_a_gap(self) -> None:
        """Begin anew after a pause, so that what was before does not run on into what comes after."""
        self._processor = Processor(self._kernel_pid)
        self._taken += 1
        self._kept.append(Noted(self._taken, self._kept[-1].at, None, None, None, []))

    def answer(self) -> list[dict[str, Any]]:
        """Return the samples, the oldest first, by the names of `model.Sample`; the newest stands for itself."""
        now = time.monotonic()
        size = -(-len(self._kept) // SENT_SAMPLES)
        older, newest = list(self._kept)[:-1], list(self._kept)[-1:]
        # By their numbers, so that the same ones stay together from answer to answer.
        spans = [list(span) for _, span in groupby(older, lambda noted: noted.number // size)]
        sent = [_fullest(span) for span in spans] + newest
        return [
            {
                "seconds_ago": round(now - noted.at, 2),
                "ram_headroom_bytes": noted.ram_headroom_bytes,
                "kernel_bytes": noted.kernel_bytes,
                "cpu_percent": noted.cpu_percent,
                "gpus": noted.gpus,
            }
            for noted in sent
        ]


def _fullest(span: list[Noted]) -> Noted:
    """Return the samples of a span as one, at its end: with the least that was left, and the most that was used."""
    last = span[-1]
    return last._replace(
        ram_headroom_bytes=_known(min, [noted.ram_headroom_bytes for noted in span]),
        kernel_bytes=_known(max, [noted.kernel_bytes for noted in span]),
        cpu_percent=_known(max, [noted.cpu_percent for noted in span]),
        gpus=[
            {field: _known(max, [use[field] for use in uses]) for field in uses[0]}
            for uses in zip(*(noted.gpus for noted in span if len(noted.gpus) == len(last.gpus)), strict=True)
        ],
    )


def _known(choose: Callable[[list[Any]], Any], figures: Iterable[Any]) -> Any:
    """Return the least or the greatest of the figures that are known, None if none is."""
    known = [figure for figure in figures if figure is not None]
    return choose(known) if known else None


class Processor:
    """How busy the cores are that a process may use, between one look and the next."""

    def __init__(self, pid: int, *, root: str = "/") -> None:
        self._pid = pid
        self._root = root
        self._seen_at = 0.0
        self._quota: cgroup.CpuQuota | None = None
        self._cores: dict[str, tuple[int, int]] = {}

    def busy_percent(self, now: float) -> float | None:
        """Return how much was busy since the last look, 0 to 100; None at the first, and where it cannot be told.

        `now` is the monotonic clock's. Where a quota allows less than the affinity, what counts is the group's use of
        its quota, else the machine's work on the cores of the affinity.
        """
        seconds, self._seen_at = now - self._seen_at, now
        quota, self._quota = self._quota, cgroup.cpu_quota(self._root)
        cores, self._cores = self._cores, _cores(self._root)
        allowed = _affinity(self._pid)
        if self._quota is not None and self._quota.cores < len(allowed):
            return _share_of_quota(quota, self._quota, seconds)
        both = [core for core in allowed if core in cores and core in self._cores]
        busy, total = (sum(self._cores[core][part] - cores[core][part] for core in both) for part in (0, 1))
        return _percent(busy, total)


def _share_of_quota(before: cgroup.CpuQuota | None, after: cgroup.CpuQuota, seconds: float) -> float | None:
    if before is None or before.group != after.group or before.used_seconds is None or after.used_seconds is None:
        return None
    return _percent(after.used_seconds - before.used_seconds, after.cores * seconds)


def _percent(part: float, whole: float) -> float | None:
    """Return a share, kept within 0 to 100: its two figures are counted by different clocks."""
    return round(min(100.0, max(0.0, 100 * part / whole)), 1) if whole > 0 else None


def _affinity(pid: int) -> list[str]:
    """Return the names in /proc/stat of the cores that a process may use; none if it has ended."""
    try:
        return [f"cpu{number}" for number in os.sched_getaffinity(pid)]
    except OSError:
        return []


def _cores(root: str) -> dict[str, tuple[int, int]]:
    """Return for each core how long it was busy and how long it was there, in hundredths of a second since boot."""
    cores = {}
    try:
        for line in files.read(f"{root}/proc/stat").split("\n"):
            if line.startswith("cpu"):
                name, *counts = line.split()
                times = [int(count) for count in counts[:_GUEST]]
                cores[name] = sum(times) - times[_IDLE] - times[_WAITING_FOR_DISK], sum(times)
    except (OSError, ValueError, IndexError):
        return {}
    return cores


def _headroom_bytes(pid: int) -> int | None:
    """Return what a process can still allocate, as `model.Ram` means it."""
    machine = memory.machine()
    return None if machine is None else memory.tightest(memory.limits(machine, pid)).headroom_bytes


def _resident_bytes(pid: int) -> int | None:
    try:
        return procfs.resident_bytes(pid)[0]
    except OSError:
        return None
