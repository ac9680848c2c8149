"""What the child's answers look like: each field with what it can be. Anything else is nonsense.

The fields are those that `devices`, `samples`, `spans` and `looks` write, whose words and bounds these are too; the
tests hold the two against each other. A field that is not known here is as wrong as one that is missing: the child is
of another version than this.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

Check = Callable[[Any], bool]
"""Whether a value of parsed JSON is what belongs there; never raises."""

_MOST_GPUS = 1024
_MOST_SLICES = 64
_MOST_PROCESSES = 100_000
_MOST_SAMPLES = 64
_LONGEST_TEXT = 255
"""NVML's longest text is 96 bytes, and a system's error a few words."""
_32_BITS, _64_BITS = 2**32 - 1, 2**64 - 1
_MOST_SECONDS = 10**9
_MOST_BYTES = 2**60

FIELD_REASONS = frozenset(
    {
        "binding_too_old", "blocked_by_system", "call_was_removed", "changing_too_fast", "driver_mismatch",
        "driver_not_loaded", "driver_too_old", "driver_unknown_error", "gpu_lost", "gpu_needs_reset", "impossible",
        "no_permission", "not_supported", "not_text", "unified_memory",
    }
)  # fmt: skip
"""Why a field is None, but for NVML's codes that have no word."""

SPAN_REASONS = FIELD_REASONS | {"counter_restarted", "too_late", "too_short"}
"""Why a figure of a span is None, with the same exception."""

REFUSALS = FIELD_REASONS | {"binding_broken"}
"""Why a driver cannot be asked at all, with the same exception."""

_WORDLESS = re.compile(r"nvml_error_-?[0-9]{1,10}")
_VERSION = re.compile(r"[0-9]{1,4}\.[0-9]{1,4}")
_SLOWDOWN = re.compile(r"[a-z][a-z0-9_]{0,31}")


def is_answer(line: dict[str, Any]) -> bool:
    """Tell whether this is what `devices.Devices.answer` and `samples.Sampler.answer` tell, without its id."""
    return _ANSWER(line) and all(gpu["index"] == place for place, gpu in enumerate(line.get("gpus", ())))


def is_stage(line: dict[str, Any]) -> bool:
    """Tell whether this is what the child says of itself."""
    return _STAGE(line)


def is_look(line: dict[str, Any]) -> bool:
    """Tell whether this is what `looks.Looks` answers, without its id."""
    return _LOOK(line)


def is_about_a_span(line: dict[str, Any]) -> bool:
    """Tell whether this is what the child answers to a request about a span, without its id: see `spans`."""
    return _ABOUT_A_SPAN(line) and all(
        gpu["index"] == place for place, gpu in enumerate((line.get("span") or {}).get("gpus", ()))
    )


def _whole(most: int, least: int = 0) -> Check:
    return lambda value: type(value) is int and least <= value <= most


def _number(most: float) -> Check:
    return lambda value: type(value) in (int, float) and 0 <= value <= most


def _flag(value: Any) -> bool:
    return type(value) is bool


def _none(value: Any) -> bool:
    return value is None


def _text(value: Any) -> bool:
    return type(value) is str and len(value) <= _LONGEST_TEXT


def _written_as(pattern: re.Pattern[str]) -> Check:
    return lambda value: type(value) is str and pattern.fullmatch(value) is not None


def _one_of(*words: str) -> Check:
    return lambda value: type(value) is str and value in words


def _reason(words: frozenset[str]) -> Check:
    return lambda value: type(value) is str and (value in words or _WORDLESS.fullmatch(value) is not None)


def _or_none(check: Check) -> Check:
    return lambda value: value is None or check(value)


def _listed(check: Check, most: int) -> Check:
    return lambda value: type(value) is list and len(value) <= most and all(map(check, value))


def _fields(fields: dict[str, Check], **optional: Check) -> Check:
    known = fields | optional

    def check(value: Any) -> bool:
        if type(value) is not dict or not fields.keys() <= value.keys() <= known.keys():
            return False
        for name, held in value.items():  # noqa: SIM110 - a generator for `all` takes half as long again
            if not known[name](held):
                return False
        return True

    return check


def _either(*checks: Check) -> Check:
    return lambda value: any(check(value) for check in checks)


def _refusals_of(fields: dict[str, Check], words: frozenset[str] = FIELD_REASONS) -> Check:
    """Return the check of an "unavailable": fields of the object that it stands in, each with a reason."""
    is_reason = _reason(words)
    return lambda value: type(value) is dict and value.keys() <= fields.keys() and all(map(is_reason, value.values()))


def _is_memory(value: Any) -> bool:
    return _MEMORY(value) and max(value["used_bytes"], value["free_bytes"]) <= value["total_bytes"]


def _are_processes(value: Any) -> bool:
    """Like the other checks, but in one function: there may be thousands of processes for each GPU."""
    return (
        type(value) is list
        and len(value) <= _MOST_PROCESSES
        and all(
            type(one) is dict
            and one.keys() == _OF_A_PROCESS
            and type(one["pid"]) is int
            and 0 <= one["pid"] <= _32_BITS
            and ((held := one["memory_used_bytes"]) is None or (type(held) is int and 0 <= held <= _MOST_BYTES))
            and one["kinds"] in _KINDS
            for one in value
        )
    )


_OF_A_PROCESS = frozenset({"pid", "memory_used_bytes", "kinds"})
_KINDS = (
    ["compute"], ["graphics"], ["compute", "graphics"], ["mps"], ["compute", "mps"], ["graphics", "mps"],
    ["compute", "graphics", "mps"],
)  # fmt: skip

_MEMORY = _fields(
    {
        "total_bytes": _whole(_MOST_BYTES, least=1),
        "used_bytes": _whole(_MOST_BYTES),
        "free_bytes": _whole(_MOST_BYTES),
        "reserved_bytes": _or_none(_whole(_MOST_BYTES)),
    }
)

_OF_A_DEVICE: dict[str, Check] = {
    "name": _or_none(_text),
    "uuid": _or_none(_text),
    "memory": _or_none(_is_memory),
    "processes": _or_none(_are_processes),
}

_OF_A_SLICE: dict[str, Check] = {
    **_OF_A_DEVICE,
    "index": _whole(_MOST_SLICES - 1),
    "instance": _or_none(_text),
}

_SLICE = _fields({**_OF_A_SLICE, "unavailable": _refusals_of(_OF_A_SLICE)})

_OF_A_GPU: dict[str, Check] = {
    **_OF_A_DEVICE,
    "index": _whole(_MOST_GPUS - 1),
    "fault": _or_none(_reason(FIELD_REASONS)),
    "pci_bus_id": _or_none(_text),
    "compute_capability": _or_none(_written_as(_VERSION)),
    "architecture": _or_none(_text),
    "virtualization": _or_none(_text),
    "utilization_percent": _or_none(_whole(100)),
    "memory_utilization_percent": _or_none(_whole(100)),
    "recent_busy_percent": _or_none(_number(100)),
    "recent_seconds": _or_none(_number(_MOST_SECONDS)),
    "temperature_celsius": _or_none(_whole(255)),
    "power_watts": _or_none(_number(10**5)),
    "power_limit_watts": _or_none(_number(10**5)),
    "energy_joules": _or_none(_number(10**15)),
    "graphics_clock_mhz": _or_none(_whole(10**5)),
    "memory_clock_mhz": _or_none(_whole(10**5)),
    "slowdown_reasons": _or_none(_listed(_written_as(_SLOWDOWN), 64)),
    "performance_state": _or_none(_whole(_32_BITS)),
    "fan_percent": _or_none(_whole(255)),
    "ecc_enabled": _or_none(_flag),
    "ecc_errors": _or_none(_whole(_64_BITS)),
    "persistence_enabled": _or_none(_flag),
    "mig_enabled": _or_none(_flag),
    "slices": _listed(_SLICE, _MOST_SLICES),
}

_GPU = _fields({**_OF_A_GPU, "unavailable": _refusals_of(_OF_A_GPU)})

_DRIVER = _fields(
    {
        "version": _or_none(_text),
        "cuda_version": _or_none(_written_as(_VERSION)),
        "has_cuda_library": _or_none(_flag),
    }
)

_REFUSED = _fields(
    {
        "reason": _reason(REFUSALS),
        "code": _or_none(_whole(2**31 - 1, least=-(2**31))),
        "library": _or_none(_text),
    }
)

_USE = _fields({"memory_used_bytes": _or_none(_whole(_MOST_BYTES)), "utilization_percent": _or_none(_whole(100))})

_SAMPLE = _fields(
    {
        "seconds_ago": _number(_MOST_SECONDS),
        "ram_headroom_bytes": _or_none(_whole(_MOST_BYTES)),
        "kernel_bytes": _or_none(_whole(_MOST_BYTES)),
        "cpu_percent": _or_none(_number(100)),
        "gpus": _listed(_USE, _MOST_GPUS),
    }
)

_SAMPLES = _listed(_SAMPLE, _MOST_SAMPLES)

_ANSWER = _either(
    _fields({"driver": _DRIVER, "gpus": _listed(_GPU, _MOST_GPUS)}, samples=_SAMPLES),
    _fields({"driver": _none, "gpus": _listed(_GPU, 0), "library": _one_of("absent", "broken")}, samples=_SAMPLES),
    _fields({"refused": _REFUSED}, samples=_SAMPLES),
)

_WORK_FIELDS: dict[str, Check] = {
    "index": _whole(_MOST_GPUS - 1),
    "name": _or_none(_text),
    "busy_percent": _or_none(_number(100)),
    "busy_source": _or_none(_one_of("driver", "sampled")),
    "memory_before_bytes": _or_none(_whole(_MOST_BYTES)),
    "memory_after_bytes": _or_none(_whole(_MOST_BYTES)),
    "memory_peak_bytes": _or_none(_whole(_MOST_BYTES)),
    "memory_total_bytes": _or_none(_whole(_MOST_BYTES)),
    "energy_joules": _or_none(_number(10**15)),
    "slowdown_reasons": _or_none(_listed(_written_as(_SLOWDOWN), 64)),
}

_WORK = _fields({**_WORK_FIELDS, "unavailable": _refusals_of(_WORK_FIELDS, SPAN_REASONS)})

_SPAN = _fields(
    {
        "seconds": _number(_MOST_SECONDS),
        "looks": _whole(_MOST_SECONDS),
        "kernel_peak_bytes": _or_none(_whole(_MOST_BYTES)),
        "gpus": _listed(_WORK, _MOST_GPUS),
        "without": _either(
            _none,
            _fields({"driver": _none, "gpus": _listed(_GPU, 0), "library": _one_of("absent", "broken")}),
            _fields({"refused": _REFUSED}),
        ),
    }
)

_ABOUT_A_SPAN = _either(_fields({"begun": lambda value: value is True}), _fields({"span": _or_none(_SPAN)}))

_STAGE = _fields({"stage": _one_of("up", "loading")})

_FIGURES = _fields(
    dict.fromkeys(
        ("device", "block_bytes", "blocks", "free_blocks", "writable_blocks", "inodes", "writable_inodes", "flags"),
        _whole(_64_BITS),
    )
)

_LOOK = _either(
    _fields({"begun": lambda value: value is True}),
    _fields({"figures": _FIGURES}),
    _fields({"error": _text}),
    _fields({"silent_seconds": _number(_MOST_SECONDS)}),
)
