"""Every GPU as plain fields: what NVML tells of each, or why it does not. Runs in the child process alone.

Units are those of the model's fields of the same names. One field, one slice, one GPU that fails costs only itself.
"""

from __future__ import annotations

import time
from operator import mul, sub

from colab_magics.observer.nvml import NOT_AVAILABLE, Nvml, Refused, is_no_figure

TYPE_CHECKING = False  # typing itself is slow to load
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from colab_magics.observer.nvml import Samples

    Reader = Callable[[Nvml, Any], Any]

# nvml.h: NVML_DEVICE_ARCH_*, nvmlGpuVirtualizationMode_t, nvmlClocksEventReason*. A number not here is shown as it is.
_ARCHITECTURES = {2: "Kepler", 3: "Maxwell", 4: "Pascal", 5: "Volta", 6: "Turing", 7: "Ampere", 8: "Ada", 9: "Hopper",
                  10: "Blackwell", 13: "Rubin"}  # fmt: skip
_VIRTUALIZATION = {0: "none", 1: "pass-through", 2: "vGPU guest", 3: "vGPU host", 4: "vSGA host"}
_SLOWDOWNS = ("idle", "application_clocks", "power_cap", "hardware_slowdown", "sync_boost", "thermal_software",
              "thermal_hardware", "power_brake", "display_clocks")  # fmt: skip

_GRAPHICS_CLOCK, _MEMORY_CLOCK = 0, 2
_UNCORRECTED, _SINCE_BOOT = 1, 0
_NOT_FOUND = 6
_UNKNOWN_PERFORMANCE_STATE = 32
_ADDRESS_TRANSLATION = 2  # NVML_DEVICE_ADDRESSING_MODE_ATS: GPU and processor share one memory
_UNIFIED_NAMES = ("GB10", "nvgpu", "Orin", "Thor", "Xavier")
_MOST_GPUS = 1024
_MOST_SLICES = 64
_MOST_BYTES = 2**60
_MOST_PERCENT = 100
_MOST_FAN_PERCENT = 255  # NVML's documentation: it may be more than 100
_MOST_CELSIUS = 255
_MOST_WATTS = 10**5
_MOST_JOULES = 10**15
_MOST_MHZ = 10**5
_MOST_OF_A_VERSION = 999

# Microseconds. Drivers keep about a hundred samples, one each sixth of a second to a second.
_REMEMBERED = 120_000_000
_FRESH = 3_000_000
_GAP = 2_000_000
_LEAST = 1_000_000

# Of each call the names by which it is asked for, in that order.
_TEMPERATURE = ("nvmlDeviceGetTemperature", "nvmlDeviceGetTemperatureV")
_WHY_SLOW = ("nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons")
_LISTS_OF_PROCESSES = {
    word: (f"nvmlDeviceGet{kind}RunningProcesses_v3", f"nvmlDeviceGet{kind}RunningProcesses_v2")
    for word, kind in (("compute", "Compute"), ("graphics", "Graphics"), ("mps", "MPSCompute"))
}

_GONE = frozenset({"gpu_lost", "gpu_needs_reset"})
_VITAL = frozenset({"memory", "utilization_percent", "temperature_celsius"})  # what a lost GPU no longer tells
_NONE_OF_THAT_KIND = frozenset({"driver_too_old", "binding_too_old", "call_was_removed", "not_supported"})


class Devices:
    """The machine's GPUs; what never changes of one is asked once, and kept by its UUID."""

    def __init__(self, nvml: Nvml) -> None:
        self._nvml = nvml
        self._static: dict[str, dict[str, Any]] = {}

    def answer(self) -> dict[str, Any]:
        """Return `{"driver", "gpus"}`, or `{"refused": {"reason", "code", ...}}` if the driver cannot be asked at all.

        "driver" is None where there is no NVIDIA library that loads; "library" says how it was found.
        """
        why_none = self.open()
        if why_none is not None:
            return why_none
        try:
            count = self._count()
        except Refused as refused:
            return self._refusal(refused)
        return {"driver": self._nvml.driver, "gpus": [self._gpu(index) for index in range(count)]}

    def open(self) -> dict[str, Any] | None:
        """Open the driver; return what `answer` tells where it cannot be asked, None where it can."""
        try:
            if self._nvml.open():
                return None
        except Refused as refused:
            return self._refusal(refused)
        return {"driver": None, "gpus": [], "library": self._nvml.library}

    def _count(self) -> int:
        return _within(_MOST_GPUS, self._nvml.call("nvmlDeviceGetCount"))  # type: ignore[no-any-return]

    def _refusal(self, refused: Refused) -> dict[str, Any]:
        return {"refused": {"reason": refused.reason, "code": refused.code, "library": self._library_version()}}

    def use(self) -> list[dict[str, int | None]]:
        """Return of each GPU the memory that is used and the utilization, by the names of `model.GpuSample`.

        Nothing else is asked for. Empty where the driver refuses, and until `answer` has opened it: opening may take
        seconds, and would try again and again to load a library that is missing.
        """
        return [
            {
                "memory_used_bytes": seen["memory"] and seen["memory"]["used_bytes"],
                "utilization_percent": seen["utilization_percent"],
            }
            for seen, _ in self.look(("memory", "utilization_percent"))
        ]

    def look(self, names: tuple[str, ...]) -> list[tuple[dict[str, Any], dict[str, str]]]:
        """Return of each GPU these fields of `answer`, and why those are None that are; nothing else is asked for.

        Empty where the driver refuses, and until it has been opened.
        """
        if self._nvml.driver is None:
            return []
        try:
            count = self._count()
        except Refused:
            return []
        readers = {name: _READERS[name] for name in names}
        return [self._look(index, readers) for index in range(count)]

    def _look(self, index: int, readers: dict[str, Reader]) -> tuple[dict[str, Any], dict[str, str]]:
        seen: dict[str, Any] = {}
        unavailable: dict[str, str] = {}
        try:
            handle = self._nvml.call("nvmlDeviceGetHandleByIndex", index)
        except Refused as refused:
            return dict.fromkeys(readers), dict.fromkeys(readers, refused.reason)
        self._read(seen, readers, handle, unavailable)
        return seen, unavailable

    def history(self, index: int, since: int) -> Samples:
        """Return the driver's own samples of how busy a GPU was after a moment, the oldest first.

        Raise `Refused` where the driver keeps none, or what it tells cannot be.
        """
        return _history(self._nvml, self._nvml.call("nvmlDeviceGetHandleByIndex", index), since)

    def _library_version(self) -> str | None:
        """Return the library's own version: drivers from 535 on tell it without being open."""
        return self._nvml.reported("nvmlSystemGetNVMLVersion") if self._nvml.is_bound else None

    def _gpu(self, index: int) -> dict[str, Any]:
        seen: dict[str, Any] = {"index": index, "fault": None}
        unavailable: dict[str, str] = {}
        try:
            handle = self._nvml.call("nvmlDeviceGetHandleByIndex", index)
        except Refused as refused:
            nothing = dict.fromkeys((*_IDENTITY, *_STATIC_FIELDS, *_FIELDS, *_RECENT))
            reasons = dict.fromkeys(nothing, refused.reason)
            return {**seen, "fault": refused.reason, **nothing, "slices": [], "unavailable": reasons}
        self._read(seen, _IDENTITY, handle, unavailable)
        self._read_static(seen, handle, unavailable)
        self._read_recent(seen, handle, unavailable)
        self._read(seen, _FIELDS, handle, unavailable)
        seen["slices"] = self._slices(handle, unavailable) if seen["mig_enabled"] else []
        if unavailable.get("memory") == "not_supported" and self._is_unified(handle, seen["name"]):
            unavailable["memory"] = "unified_memory"
        if unavailable.keys() >= _VITAL:
            vital = {unavailable[name] for name in _VITAL}
            seen["fault"] = vital.pop() if len(vital) == 1 and vital <= _GONE else None
        seen["unavailable"] = unavailable
        return seen

    def _read_static(self, seen: dict[str, Any], handle: Any, unavailable: dict[str, str]) -> None:
        kept = self._static.get(seen["uuid"] or "")
        if kept is not None:
            seen.update(kept)
            return
        failed: dict[str, str] = {}
        static: dict[str, Any] = {}
        self._read(static, _STATIC_FIELDS, handle, failed)
        if seen["uuid"] is not None and not failed:
            self._static[seen["uuid"]] = static
        seen.update(static)
        unavailable.update(failed)

    def _read(self, seen: dict[str, Any], fields: dict[str, Reader], handle: Any, unavailable: dict[str, str]) -> None:
        """Add these fields to what was seen, and to `unavailable` the reason for each that is None."""
        nvml = self._nvml
        for name, read in fields.items():
            try:
                seen[name] = read(nvml, handle)
            except Refused as refused:
                seen[name] = None
                unavailable[name] = refused.reason

    def _read_recent(self, seen: dict[str, Any], handle: Any, unavailable: dict[str, str]) -> None:
        """Add how busy the driver says it was lately; None without a reason is that it has noted nothing lately."""
        now = int(time.time() * 1e6)
        try:
            recent = _recent(_history(self._nvml, handle, now - _REMEMBERED), now)
        except Refused as refused:
            recent = None, None
            unavailable.update(dict.fromkeys(_RECENT, refused.reason))
        seen.update(zip(_RECENT, recent, strict=True))

    def _slices(self, handle: Any, unavailable: dict[str, str]) -> list[dict[str, Any]]:
        """Return the MIG devices of a GPU; slots may be empty anywhere between them."""
        found = []
        try:
            slots = _within(_MOST_SLICES, int(self._nvml.call("nvmlDeviceGetMaxMigDeviceCount", handle)))
        except Refused as refused:
            unavailable["slices"] = refused.reason
            return []
        for slot in range(slots):
            try:
                slice_handle = self._nvml.call("nvmlDeviceGetMigDeviceHandleByIndex", handle, slot)
            except Refused as refused:
                if refused.code != _NOT_FOUND:
                    unavailable["slices"] = refused.reason
                continue
            refusals: dict[str, str] = {}
            seen: dict[str, Any] = {"index": slot, "unavailable": refusals}
            self._read(seen, _INSTANCE, slice_handle, {})
            self._read(seen, _IDENTITY, slice_handle, refusals)
            self._read(seen, _SLICE_FIELDS, slice_handle, refusals)
            found.append(seen)
        return found

    def _is_unified(self, handle: Any, name: str | None) -> bool:
        """Tell whether the GPU has no memory of its own: it says so, or is a chip known for it."""
        try:
            mode = self._nvml.call("nvmlDeviceGetAddressingMode", handle)
        except Refused:
            mode = None
        return mode == _ADDRESS_TRANSLATION or any(part in (name or "") for part in _UNIFIED_NAMES)


def _within(most: int, figure: Any) -> Any:
    """Return a figure; one that no GPU of today or the near future can have is refused."""
    if not 0 <= figure <= most:
        raise Refused("impossible")
    return figure


def _plain(function: str, *arguments: Any) -> Reader:
    """Return a reader that returns a wrapper's answer as it is."""
    return lambda nvml, handle: nvml.call(function, handle, *arguments)


def _figure(most: int, function: str, *arguments: Any) -> Reader:
    """Return a reader for a figure that is `most` at most."""
    return lambda nvml, handle: _within(most, nvml.call(function, handle, *arguments))


def _thousandth(most: int, function: str) -> Reader:
    """Return a reader for what a wrapper answers in thousandths: milliwatts, millijoules."""
    return lambda nvml, handle: _within(most, nvml.call(function, handle) / 1000)


def _first_of_pair(function: str) -> Reader:
    """Return a reader for a setting that a wrapper answers as now and after the next start."""
    return lambda nvml, handle: bool(nvml.call(function, handle)[0])


def _named(function: str, names: dict[int, str]) -> Reader:
    def read(nvml: Nvml, handle: Any) -> str:
        number = int(nvml.call(function, handle))
        return names.get(number, str(number))

    return read


def _memory(nvml: Nvml, handle: Any) -> dict[str, int | None]:
    """Read memory; version 1 of the call, all that drivers up to 470 have, counts what is reserved as used."""
    try:
        memory = nvml.call("nvmlDeviceGetMemoryInfo", handle, nvml.constant("nvmlMemory_v2"))
    except Refused as refused:
        if not refused.is_missing:
            raise
        memory = nvml.call("nvmlDeviceGetMemoryInfo", handle)
    total, used, free = memory.total, memory.used, memory.free  # each is slow to read
    if total == 0 or NOT_AVAILABLE in (total, used, free):
        raise Refused("not_supported")
    _within(_MOST_BYTES, total)
    reserved = getattr(memory, "reserved", None)
    return {
        "total_bytes": total,
        "used_bytes": _within(total, used),
        "free_bytes": _within(total, free),
        "reserved_bytes": None if reserved is None else _within(total, reserved),
    }


def _utilization(part: str) -> Reader:
    def read(nvml: Nvml, handle: Any) -> int:
        percent: int = getattr(nvml.call("nvmlDeviceGetUtilizationRates", handle), part)
        if is_no_figure(percent):
            raise Refused("not_supported")
        return _within(_MOST_PERCENT, percent)  # type: ignore[no-any-return]

    return read


def _history(nvml: Nvml, handle: Any, since: int) -> Samples:
    """Read the driver's samples after a moment; places of its ring that it has not filled yet have no time."""
    times, percents = nvml.samples(handle, since)
    if times and (times[0] <= since or min(map(sub, times[1:], times), default=0) < 0):
        kept = sorted(one for one in zip(times, percents, strict=True) if one[0] > since)
        times, percents = tuple(at for at, _ in kept), tuple(percent for _, percent in kept)
    # The sum too: what is no number is neither more nor less than any.
    if times and not (0 <= min(percents) <= max(percents) <= _MOST_PERCENT and sum(percents) >= 0):
        raise Refused("impossible")
    return times, percents


def _recent(history: Samples, now: int) -> tuple[float | None, float | None]:
    """Return how busy a GPU was of the seconds before now that the driver has noted without a gap, and how many.

    Each sample is of the time since the one before it, so the first tells nothing.
    """
    times, percents = history
    if not times or not -_FRESH < now - times[-1] < _FRESH:
        return None, None
    spans, percents = [*map(sub, times[1:], times)], percents[1:]
    if spans and max(spans) > _GAP:
        first = max(place for place, span in enumerate(spans) if span > _GAP) + 1
        spans, percents = spans[first:], percents[first:]
    noted = sum(spans)
    if noted < _LEAST:
        return None, None
    return round(sum(map(mul, spans, percents)) / noted, 1), round(noted / 1e6, 1)


def _temperature(nvml: Nvml, handle: Any) -> int:
    celsius = nvml.first(_TEMPERATURE, handle, nvml.constant("NVML_TEMPERATURE_GPU"))
    return _within(_MOST_CELSIUS, celsius)  # type: ignore[no-any-return]


def _slowdown_reasons(nvml: Nvml, handle: Any) -> list[str]:
    mask = nvml.first(_WHY_SLOW, handle)
    bits = [bit for bit in range(mask.bit_length()) if mask >> bit & 1]
    return [_SLOWDOWNS[bit] if bit < len(_SLOWDOWNS) else f"reason_{bit}" for bit in bits]


def _performance_state(nvml: Nvml, handle: Any) -> int:
    state = int(nvml.call("nvmlDeviceGetPerformanceState", handle))
    if state == _UNKNOWN_PERFORMANCE_STATE:
        raise Refused("not_supported")
    return state


def _capability(nvml: Nvml, handle: Any) -> str:
    major, minor = nvml.call("nvmlDeviceGetCudaComputeCapability", handle)
    return f"{_within(_MOST_OF_A_VERSION, major)}.{_within(_MOST_OF_A_VERSION, minor)}"


def _ecc_errors(nvml: Nvml, handle: Any) -> int:
    errors: int = nvml.call("nvmlDeviceGetTotalEccErrors", handle, _UNCORRECTED, _SINCE_BOOT)
    return errors


def _pci_bus_id(nvml: Nvml, handle: Any) -> str:
    bus_id = nvml.call("nvmlDeviceGetPciInfo", handle).busId
    return bus_id.decode("ascii", "replace") if isinstance(bus_id, bytes) else str(bus_id)


def _processes(nvml: Nvml, handle: Any) -> list[dict[str, Any]]:
    """Read who holds the GPU, once for each process whatever it does there.

    Drivers 535.43 to 535.86 wrote rows of another length under the newest version of the call.
    """
    are_long = _writes_long_rows(nvml)
    held: dict[int, dict[str, Any]] = {}
    for word, functions in _LISTS_OF_PROCESSES.items():
        for pid, used_bytes, _, _ in _processes_of(nvml, handle, word, functions[::-1] if are_long else functions):
            seen = held.get(pid)
            if seen is None:
                seen = held[pid] = {"pid": pid, "memory_used_bytes": None, "kinds": [word]}
            elif word not in seen["kinds"]:  # processes of another namespace may share a number
                seen["kinds"].append(word)
            if used_bytes <= _MOST_BYTES:
                seen["memory_used_bytes"] = used_bytes
    return [held[pid] for pid in sorted(held)]


def _processes_of(nvml: Nvml, handle: Any, word: str, functions: tuple[str, ...]) -> list[tuple[int, int, int, int]]:
    """Ask for one of the three lists; a driver or a card that does not know graphics or MPS has none of these."""
    try:
        return nvml.listed(functions, handle)
    except Refused as refused:
        if word == "compute" or refused.reason not in _NONE_OF_THAT_KIND:
            raise
        return []


def _writes_long_rows(nvml: Nvml) -> bool:
    branch, _, rest = ((nvml.driver or {}).get("version") or "").partition(".")
    minor = rest.partition(".")[0]
    return bool(branch == "535" and minor.isdecimal() and int(minor) < 98)  # noqa: PLR2004 - 535.98 mended it


def _instance(nvml: Nvml, handle: Any) -> str:
    """Read the numbers of a MIG device's GPU instance and compute instance: its older name is made of them."""
    numbers = (nvml.call(f"nvmlDeviceGet{kind}InstanceId", handle) for kind in ("Gpu", "Compute"))
    return "/".join(map(str, numbers))


_IDENTITY: dict[str, Reader] = {"uuid": _plain("nvmlDeviceGetUUID")}

_STATIC_FIELDS: dict[str, Reader] = {
    "name": _plain("nvmlDeviceGetName"),
    "pci_bus_id": _pci_bus_id,
    "compute_capability": _capability,
    "architecture": _named("nvmlDeviceGetArchitecture", _ARCHITECTURES),
    "virtualization": _named("nvmlDeviceGetVirtualizationMode", _VIRTUALIZATION),
}

_FIELDS: dict[str, Reader] = {
    "memory": _memory,
    "utilization_percent": _utilization("gpu"),
    "memory_utilization_percent": _utilization("memory"),
    "temperature_celsius": _temperature,
    "power_watts": _thousandth(_MOST_WATTS, "nvmlDeviceGetPowerUsage"),
    "power_limit_watts": _thousandth(_MOST_WATTS, "nvmlDeviceGetEnforcedPowerLimit"),
    "energy_joules": _thousandth(_MOST_JOULES, "nvmlDeviceGetTotalEnergyConsumption"),
    "graphics_clock_mhz": _figure(_MOST_MHZ, "nvmlDeviceGetClockInfo", _GRAPHICS_CLOCK),
    "memory_clock_mhz": _figure(_MOST_MHZ, "nvmlDeviceGetClockInfo", _MEMORY_CLOCK),
    "slowdown_reasons": _slowdown_reasons,
    "performance_state": _performance_state,
    "fan_percent": _figure(_MOST_FAN_PERCENT, "nvmlDeviceGetFanSpeed"),
    "ecc_enabled": _first_of_pair("nvmlDeviceGetEccMode"),
    "ecc_errors": _ecc_errors,
    "persistence_enabled": lambda nvml, handle: bool(nvml.call("nvmlDeviceGetPersistenceMode", handle)),
    "mig_enabled": _first_of_pair("nvmlDeviceGetMigMode"),
    "processes": _processes,
}

_RECENT = ("recent_busy_percent", "recent_seconds")

_READERS = _STATIC_FIELDS | _FIELDS

_SLICE_FIELDS: dict[str, Reader] = {
    "name": _plain("nvmlDeviceGetName"),
    "memory": _memory,
    "processes": _processes,
}

_INSTANCE: dict[str, Reader] = {"instance": _instance}
