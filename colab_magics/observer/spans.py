"""What the GPUs did during a span of work, such as a cell: from its beginning to its end. Runs in the child alone.

Spans may overlap, and each has a number. While there is one, what changes quickly is looked at every tenth of a second,
less often once it has lasted a minute: the GPUs' memory, how busy they are, why their clocks are held down, and the
kernel's resident memory. Only what comes of the looks is kept, so that a span of hours costs no more than one of
seconds.
How busy a GPU was the driver notes by itself, more exactly than looks can; it keeps about ten seconds of that, which
are fetched before they are gone.

Source: `nvml.h` for the driver's samples, and for a utilization that is of the last sixth of a second to a second.
"""

from __future__ import annotations

import time

from colab_magics import procfs
from colab_magics.observer.nvml import Refused

TYPE_CHECKING = False  # typing itself is slow to load
if TYPE_CHECKING:
    from typing import Any

    from colab_magics.observer.devices import Devices

MOST_SPANS = 64
"""Of more the oldest is given up."""

LONGEST_SECONDS = 86_400.0
"""After this long nobody ends a span any more; hosted runtimes live no longer."""

LATE_SECONDS = 0.25
"""A span that is known so long after its beginning has no figures of the beginning."""

LOOK_SECONDS = 0.1
"""How often looks are taken at first."""

_SLOWEST_LOOK_SECONDS = 5.0
_LOOKS_IN_A_SPAN = 600  # about as many as are taken, however long it lasts
_MOST_OF_THE_TIME = 0.05  # that looks may take where a driver is slow

_FETCH_SECONDS = 5.0
_LONGEST_GAP = 2_000_000
"""Microseconds: where two of the driver's samples are further apart, the time between is not known."""

_SETTLING_SECONDS = 0.2
"""A utilization this soon after the beginning is of the time before it."""

_MOST_UNKNOWN = 0.25
_FEWEST_SAMPLES = 2
_MOST_JOULES_A_SECOND = 10**5

_LOOKED_AT = ("memory", "utilization_percent", "slowdown_reasons")
_AT_THE_ENDS = (*_LOOKED_AT, "energy_joules", "name")
_ENERGY_SECONDS = 1.0


class Spans:
    """The spans that have begun and not ended, and the looks that are taken for all of them."""

    def __init__(self, kernel_pid: int, devices: Devices) -> None:
        self._kernel_pid = kernel_pid
        self._devices = devices
        self._open: dict[int, _Span] = {}
        self._histories: dict[int, _History] = {}
        self._next_at = 0.0
        self._fetch_at = 0.0
        self._energy_at = 0.0

    def begin(self, number: int, began_at: float | None, *, with_gpus: bool) -> None:
        """Begin a span at a moment of the monotonic clock, None for when this returns.

        `with_gpus`, open the driver and look at the GPUs too.
        """
        without = self._devices.open() if with_gpus else None
        gpus = self._devices.look(_AT_THE_ENDS) if with_gpus and without is None else []
        now = time.monotonic()
        if not self._open:
            self._histories = {}
            self._fetch_at, self._energy_at = now + _FETCH_SECONDS, now + _ENERGY_SECONDS
        while len(self._open) >= MOST_SPANS:
            del self._open[next(iter(self._open))]
        self._open[number] = _Span(
            now if began_at is None else began_at, now, gpus, _resident_bytes(self._kernel_pid), without
        )
        self._next_at = now + LOOK_SECONDS

    def end(self, number: int) -> dict[str, Any] | None:
        """Return what there was in a span, None where there is no such one."""
        span = self._open.get(number)
        if span is None:
            return None
        self._fetch()
        gpus = self._devices.look(_AT_THE_ENDS) if span.gpus else []
        now = time.monotonic()
        span.look(now, gpus, _resident_bytes(self._kernel_pid))
        del self._open[number]
        return span.summary(now, gpus)

    def drop(self, number: int) -> None:
        """Forget a span, if there is such one."""
        self._open.pop(number, None)

    def seconds_to_next(self) -> float | None:
        """Return how long it is until the next look is due, None while there is no span."""
        return max(0.0, self._next_at - time.monotonic()) if self._open else None

    def look_if_due(self) -> None:
        """Take the look whose moment has come."""
        now = time.monotonic()
        if not self._open or now < self._next_at:
            return
        for number in [number for number, span in self._open.items() if now - span.began_at > LONGEST_SECONDS]:
            del self._open[number]
        if not self._open:
            return
        if now >= self._fetch_at:
            self._fetch()
            self._fetch_at = now + _FETCH_SECONDS
        gpus: list[_Look] = []
        if any(span.gpus for span in self._open.values()):
            names: tuple[str, ...] = _LOOKED_AT
            if now >= self._energy_at:
                names, self._energy_at = (*_LOOKED_AT, "energy_joules"), now + _ENERGY_SECONDS
            gpus = self._devices.look(names)
        kernel_bytes = _resident_bytes(self._kernel_pid)
        ended_at = time.monotonic()
        for span in self._open.values():
            span.look(ended_at, gpus, kernel_bytes)
        youngest = min(now - span.began_at for span in self._open.values())
        period = min(_SLOWEST_LOOK_SECONDS, max(LOOK_SECONDS, youngest / _LOOKS_IN_A_SPAN))
        self._next_at = max(now + period, ended_at + (ended_at - now) / _MOST_OF_THE_TIME)

    def _fetch(self) -> None:
        """Fetch what the driver has noted since the last time, and give each span its part."""
        now = int(time.time() * 1e6)
        for index in range(max((len(span.gpus) for span in self._open.values()), default=0)):
            history = self._histories.get(index)
            if history is None:
                first = min(span.began for span in self._open.values())
                history = self._histories[index] = _History(first - _LONGEST_GAP)
            for begin, end, percent in history.fetch(self._devices, index):
                for span in self._open.values():
                    if index < len(span.gpus):
                        span.gpus[index].note_busy(max(begin, span.began), min(end, now), percent, end - begin)


class _History:
    """What the driver notes of how busy a GPU is, fetched piece by piece."""

    def __init__(self, since: int) -> None:
        self._since = since
        self._is_first = True

    def fetch(self, devices: Devices, index: int) -> list[tuple[int, int, int | float]]:
        """Return what has been noted since the last time: (from, to, percent), in microseconds of the epoch."""
        try:
            times, percents = devices.history(index, self._since)
        except Refused:
            return []
        if not times:
            return []
        before = times[0] if self._is_first else self._since
        self._since, self._is_first = times[-1], False
        pieces = zip((before, *times), times, percents, strict=False)
        return [(begin, end, percent) for begin, end, percent in pieces if 0 < end - begin <= _LONGEST_GAP]


_Look = tuple[dict[str, "Any"], dict[str, str]]
"""What was seen of a GPU, and why some of it was not: see `Devices.look`."""


class _Span:
    """What is known of a span: one figure of each kind, however many looks have been taken."""

    def __init__(
        self,
        began_at: float,
        now: float,
        gpus: list[_Look],
        kernel_bytes: int | None,
        without: dict[str, Any] | None,
    ) -> None:
        self.began_at = min(began_at, now)
        self.began = int((time.time() - (now - self.began_at)) * 1e6)
        """When it began, in microseconds of the epoch."""
        self.gpus = [_Work(index, seen, now) for index, seen in enumerate(gpus)]
        self._is_late = now - self.began_at > LATE_SECONDS
        self._kernel_bytes = kernel_bytes
        self._without = without
        self._looks = 1

    def look(self, now: float, gpus: list[_Look], kernel_bytes: int | None) -> None:
        """Note a look."""
        self._looks += 1
        self._kernel_bytes = _most(self._kernel_bytes, kernel_bytes)
        for work, seen in zip(self.gpus, gpus, strict=False):
            work.note(seen, now, is_settled=now - self.began_at >= _SETTLING_SECONDS)

    def summary(self, now: float, gpus: list[_Look]) -> dict[str, Any]:
        """Return what `shapes.is_span` describes; `gpus` are as they are at its end."""
        seconds = now - self.began_at
        missing: _Look = (dict.fromkeys(_AT_THE_ENDS), dict.fromkeys(_AT_THE_ENDS, "gpu_lost"))
        ends = [gpus[index] if index < len(gpus) else missing for index in range(len(self.gpus))]
        return {
            "seconds": seconds,
            "looks": self._looks,
            "kernel_peak_bytes": self._kernel_bytes,
            "gpus": [
                work.summary(seconds, int(time.time() * 1e6) - self.began, end, is_late=self._is_late)
                for work, end in zip(self.gpus, ends, strict=True)
            ],
            "without": self._without,
        }


class _Work:
    """What one GPU did in a span."""

    def __init__(self, index: int, begin: _Look, now: float) -> None:
        self._index = index
        self._begin, self._unavailable = begin
        self._looked_at = now
        self._peak_bytes = _used_bytes(self._begin)
        self._reasons: set[str] | None = None
        self._energy_joules: float | None = self._begin["energy_joules"]
        self._has_fallen = False
        self._busy_sampled, self._seconds_sampled = 0.0, 0.0
        self._busy_noted, self._time_noted, self._period = 0.0, 0, 0

    def note(self, look: _Look, now: float, *, is_settled: bool) -> None:
        """Note a look; before it `is_settled` the utilization is of what was before the span."""
        seen, _ = look
        self._peak_bytes = _most(self._peak_bytes, _used_bytes(seen))
        if seen["slowdown_reasons"] is not None:
            self._reasons = (self._reasons or set()) | {*seen["slowdown_reasons"]}
        percent = seen["utilization_percent"]
        if percent is not None and is_settled:
            self._busy_sampled += percent * (now - self._looked_at)
            self._seconds_sampled += now - self._looked_at
        self._looked_at = now
        energy = seen.get("energy_joules")
        if energy is not None:
            self._has_fallen |= self._energy_joules is not None and energy < self._energy_joules
            self._energy_joules = energy

    def note_busy(self, begin: int, end: int, percent: float, period: int) -> None:
        """Note that the driver says how busy it was from one microsecond to another, by a sample of a period."""
        if end > begin:
            self._busy_noted += percent * (end - begin)
            self._time_noted += end - begin
            self._period = max(self._period, period)

    def summary(self, seconds: float, microseconds: int, end: _Look, *, is_late: bool) -> dict[str, Any]:
        """Return what it did in so many seconds, and as many microseconds by the clock of the driver's samples."""
        at_end, why_not = end
        unavailable: dict[str, str] = {}

        def refused(name: str, *fields: str) -> None:
            reason = why_not.get(name) or self._unavailable.get(name)
            if reason is not None:
                unavailable.update(dict.fromkeys(fields, reason))

        if self._begin["name"] is None:
            refused("name", "name")
        busy_percent, source = self._busy(microseconds)
        if busy_percent is None:
            unavailable["busy_percent"] = "too_short"
            refused("utilization_percent", "busy_percent")
        before, after = _used_bytes(self._begin), _used_bytes(at_end)
        energy, why_no_energy = self._energy(at_end["energy_joules"], seconds)
        if why_no_energy is not None:
            unavailable["energy_joules"] = why_no_energy
            refused("energy_joules", "energy_joules")
        total = _of_memory(self._begin, "total_bytes") or _of_memory(at_end, "total_bytes")
        for field, figure in (("before", before), ("after", after), ("peak", self._peak_bytes), ("total", total)):
            if figure is None:
                refused("memory", f"memory_{field}_bytes")
        if self._reasons is None:
            refused("slowdown_reasons", "slowdown_reasons")
        if is_late:
            before, energy = None, None
            unavailable |= {"memory_before_bytes": "too_late", "energy_joules": "too_late"}
        return {
            "index": self._index,
            "name": self._begin["name"],
            "busy_percent": busy_percent,
            "busy_source": source,
            "memory_before_bytes": before,
            "memory_after_bytes": after,
            "memory_peak_bytes": self._peak_bytes,
            "memory_total_bytes": total,
            "energy_joules": energy,
            "slowdown_reasons": None if self._reasons is None else sorted(self._reasons),
            "unavailable": unavailable,
        }

    def _busy(self, microseconds: int) -> tuple[float | None, str | None]:
        """Return how busy it was and how that is known: by the driver's samples where these are of nearly all of it.

        A sample that is only to a small part of the span says more of what was before it.
        """
        unknown = microseconds - self._time_noted
        is_long = microseconds >= _FEWEST_SAMPLES * self._period
        if self._time_noted and is_long and unknown <= max(self._period, _MOST_UNKNOWN * microseconds):
            return round(min(100.0, self._busy_noted / self._time_noted), 1), "driver"
        if self._seconds_sampled:
            return round(min(100.0, self._busy_sampled / self._seconds_sampled), 1), "sampled"
        return None, None

    def _energy(self, at_end: float | None, seconds: float) -> tuple[float | None, str | None]:
        """Return what it drew, or why that is not known: the counter may begin anew with the driver."""
        at_begin = self._begin["energy_joules"]
        if at_begin is None or at_end is None:
            return None, "not_supported"
        if self._has_fallen:
            return None, "counter_restarted"
        if at_end - at_begin > _MOST_JOULES_A_SECOND * max(seconds, 1.0):
            return None, "impossible"
        return round(at_end - at_begin, 3), None


def _used_bytes(seen: dict[str, Any]) -> int | None:
    return _of_memory(seen, "used_bytes")


def _of_memory(seen: dict[str, Any], name: str) -> int | None:
    return None if seen["memory"] is None else seen["memory"][name]


def _most(one: int | None, other: int | None) -> int | None:
    return max((figure for figure in (one, other) if figure is not None), default=None)


def _resident_bytes(pid: int) -> int | None:
    try:
        return procfs.resident_bytes(pid)[0]
    except OSError:
        return None
