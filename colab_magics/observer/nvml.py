"""NVML, NVIDIA's management library, as plain answers: runs in the child process alone.

Sources: `nvml.h` for codes, units and sentinels; nvidia-ml-py 12.535 to 13.6xx for the wrappers' behaviour.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing itself is slow to load
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_NOT_AVAILABLE = 2**64 - 1  # NVML_VALUE_NOT_AVAILABLE, for sizes in bytes
_GROWTH_TRIES = 5

# Codes of nvmlReturn_t. pynvml's own text for a code may call the driver, which may be what just failed.
_LIBRARY_NOT_FOUND = 12
_FUNCTION_NOT_FOUND = 13
_INSUFFICIENT_SIZE = 7
_REASONS = {
    3: "not_supported",
    4: "no_permission",
    9: "driver_not_loaded",
    13: "driver_too_old",
    15: "gpu_lost",
    16: "gpu_needs_reset",
    18: "driver_mismatch",
}


class _Refused(Exception):  # noqa: N818 - a refusal is an answer here, not an error
    """The driver would not tell; `reason` is the key the report gives for it, `code` NVML's number if there is one."""

    def __init__(self, reason: str, code: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code


class Nvml:
    """The driver, opened at the first request and kept open: closing and opening again is dear and has hung drivers."""

    def __init__(self, load_pynvml: Callable[[], Any]) -> None:
        self._load_pynvml = load_pynvml
        self._pynvml: Any = None
        self._driver: dict[str, Any] | None = None

    def answer(self) -> dict[str, Any]:
        """Return `{"driver", "gpus"}`, or `{"refused": {"reason", "code"}}` if the driver cannot be asked at all.

        No library and no GPU are the same answer: an empty list.
        """
        try:
            if self._driver is None:
                self._driver = self._open()
            count = self._call("nvmlDeviceGetCount")
        except _Refused as refused:
            if refused.code == _LIBRARY_NOT_FOUND:
                return {"driver": None, "gpus": []}
            return {"refused": {"reason": refused.reason, "code": refused.code}}
        return {"driver": self._driver, "gpus": [self._gpu(index) for index in range(count)]}

    def _open(self) -> dict[str, Any]:
        """Load the binding, open the driver and return what it says of itself."""
        if self._pynvml is None:
            self._pynvml = self._binding()
        self._call("nvmlInit")
        return {
            "version": self._reported("nvmlSystemGetDriverVersion"),
            "cuda_version": self._cuda_version(),
        }

    def _binding(self) -> Any:
        try:
            pynvml = self._load_pynvml()
        except Exception as error:  # whatever somebody's file of that name raises
            raise _Refused("binding_broken") from error
        if not hasattr(pynvml, "nvmlMemory_v2"):
            raise _Refused("binding_too_old")
        return pynvml

    def _cuda_version(self) -> str | None:
        version = self._reported("nvmlSystemGetCudaDriverVersion")
        return None if version is None else f"{version // 1000}.{version % 1000 // 10}"

    def _gpu(self, index: int) -> dict[str, Any]:
        unavailable: dict[str, str] = {}

        def field(name: str, read: Callable[[], Any]) -> Any:
            try:
                return read()
            except _Refused as refused:
                unavailable[name] = refused.reason
                return None

        handle = field("gpu", lambda: self._call("nvmlDeviceGetHandleByIndex", index))
        if handle is None:
            everything = ("name", "uuid", "memory", "utilization_percent", "temperature_celsius", "power_watts",
                          "power_limit_watts", "processes")  # fmt: skip
            reason = unavailable.pop("gpu")
            return {"index": index, **dict.fromkeys(everything), "unavailable": dict.fromkeys(everything, reason)}
        return {
            "index": index,
            "name": field("name", lambda: self._call("nvmlDeviceGetName", handle)),
            "uuid": field("uuid", lambda: self._call("nvmlDeviceGetUUID", handle)),
            "memory": field("memory", lambda: self._memory(handle)),
            "utilization_percent": field(
                "utilization_percent", lambda: self._call("nvmlDeviceGetUtilizationRates", handle).gpu
            ),
            "temperature_celsius": field(
                "temperature_celsius",
                lambda: self._call("nvmlDeviceGetTemperature", handle, self._pynvml.NVML_TEMPERATURE_GPU),
            ),
            "power_watts": field("power_watts", lambda: self._call("nvmlDeviceGetPowerUsage", handle) / 1000),
            "power_limit_watts": field(
                "power_limit_watts", lambda: self._call("nvmlDeviceGetEnforcedPowerLimit", handle) / 1000
            ),
            "processes": field("processes", lambda: self._processes(handle)),
            "unavailable": unavailable,
        }

    def _memory(self, handle: Any) -> dict[str, int]:
        """Read memory in bytes; version 1 of the call, all that drivers up to 470 have, counts the reserved as used."""
        try:
            memory = self._call("nvmlDeviceGetMemoryInfo", handle, self._pynvml.nvmlMemory_v2)
        except _Refused as refused:
            if refused.code != _FUNCTION_NOT_FOUND:
                raise
            memory = self._call("nvmlDeviceGetMemoryInfo", handle)
        if memory.total in (0, _NOT_AVAILABLE):
            raise _Refused("not_supported")
        return {"total_bytes": memory.total, "used_bytes": memory.used}

    def _processes(self, handle: Any) -> list[dict[str, int | None]]:
        held: dict[int, int | None] = {}
        for call in ("nvmlDeviceGetComputeRunningProcesses", "nvmlDeviceGetGraphicsRunningProcesses"):
            for process in self._listed(call, handle):
                size = process.usedGpuMemory
                held[process.pid] = held.get(process.pid) if size in (None, _NOT_AVAILABLE) else size
        return [{"pid": pid, "memory_used_bytes": size} for pid, size in sorted(held.items())]

    def _listed(self, call: str, handle: Any) -> list[Any]:
        """Ask for a list that may outgrow the caller's buffer between sizing and reading it."""
        for _ in range(_GROWTH_TRIES):
            try:
                return self._call(call, handle)  # type: ignore[no-any-return]  # pynvml is not typed
            except _Refused as refused:
                if refused.code != _INSUFFICIENT_SIZE:
                    raise
        raise _Refused("changing_too_fast", _INSUFFICIENT_SIZE)

    def _reported(self, function: str) -> Any:
        """Return what the driver says of itself, None if it will not."""
        try:
            return self._call(function)
        except _Refused:
            return None

    def _call(self, function: str, *arguments: Any) -> Any:
        """Call one wrapper; every way it can fail becomes a `_Refused` with a reason."""
        pynvml = self._pynvml
        wrapper = getattr(pynvml, function, None)
        if wrapper is None:
            raise _Refused("binding_too_old", _FUNCTION_NOT_FOUND)
        try:
            return wrapper(*arguments)
        except pynvml.NVMLError as error:
            # Only the number: an NVMLError cannot be hashed or compared, and its text may ask the driver.
            raise _Refused(_REASONS.get(error.value, f"nvml_error_{error.value}"), error.value) from None
        except UnicodeDecodeError:
            raise _Refused("not_text") from None
        except getattr(pynvml, "NVMLLibraryMismatchError", ()):
            raise _Refused("driver_too_old", _FUNCTION_NOT_FOUND) from None
