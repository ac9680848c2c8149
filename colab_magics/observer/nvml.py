"""NVML, NVIDIA's management library: opened once, called with every way to fail turned into one reason.

Runs in the child process alone. Sources: `nvml.h` for codes, units and sentinels; nvidia-ml-py 12.535 to 13.615 for the
wrappers' behaviour; the symbol tables of drivers 470 to 610 for which of them has which call.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing itself is slow to load
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

NOT_AVAILABLE = 2**64 - 1
"""NVML_VALUE_NOT_AVAILABLE: what a driver writes for a size that it does not know."""

_GROWTH_TRIES = 5

# Codes of nvmlReturn_t. pynvml's own text for a code may call the driver, which may be what just failed.
_UNINITIALIZED = 1
_INSUFFICIENT_SIZE = 7
_LIBRARY_NOT_FOUND = 12
_FUNCTION_NOT_FOUND = 13
_TRANSIENT = frozenset({10, 19, 27})  # timeout, in use, not ready
_MISSING = frozenset({13, 25, 26})  # function not found, argument version mismatch, deprecated
_REASONS = {
    3: "not_supported",
    4: "no_permission",
    9: "driver_not_loaded",
    13: "driver_too_old",
    15: "gpu_lost",
    16: "gpu_needs_reset",
    18: "driver_mismatch",
    25: "driver_too_old",
    26: "call_was_removed",
    999: "driver_unknown_error",
}


class Refused(Exception):  # noqa: N818 - a refusal is an answer here, not an error
    """The driver would not tell; `reason` is the key the report gives for it, `code` NVML's number if there is one."""

    def __init__(self, reason: str, code: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code


class Nvml:
    """The driver, opened at the first call and kept open: closing and opening again is slow, and has hung drivers."""

    def __init__(self, load_pynvml: Callable[[], Any]) -> None:
        self._load_pynvml = load_pynvml
        self._pynvml: Any = None
        self.driver: dict[str, Any] | None = None

    def open(self) -> bool:
        """Load the binding and open the driver, once; return False if this machine has no NVIDIA library."""
        if self._pynvml is None:
            self._pynvml = self._binding()
        if self.driver is None:
            try:
                self.call("nvmlInit")
            except Refused as refused:
                if refused.code == _LIBRARY_NOT_FOUND:
                    return False
                raise
        if self.driver is None or None in self.driver.values():
            version = self.reported("nvmlSystemGetCudaDriverVersion")
            self.driver = {
                "version": self.reported("nvmlSystemGetDriverVersion"),
                "cuda_version": None if version is None else f"{version // 1000}.{version % 1000 // 10}",
            }
        return True

    def call(self, function: str, *arguments: Any) -> Any:
        """Call one wrapper; what failed for a moment is tried once more, and a driver that was shut is opened again."""
        try:
            return self._call(function, *arguments)
        except Refused as refused:
            if refused.code == _UNINITIALIZED and function != "nvmlInit":
                self._call("nvmlInit")
            elif refused.code not in _TRANSIENT:
                raise
        return self._call(function, *arguments)

    def first(self, *alternatives: tuple[Any, ...]) -> Any:
        """Call the first of several wrappers that this driver and this binding both have.

        Calls come and go: what an old driver has not yet, the newest has no more.
        """
        missing = Refused("driver_too_old", _FUNCTION_NOT_FOUND)
        for function, *arguments in alternatives:
            try:
                return self.call(function, *arguments)
            except Refused as refused:
                if refused.code not in _MISSING:
                    raise
                missing = refused
        raise missing

    def listed(self, *alternatives: tuple[Any, ...]) -> Any:
        """Ask for a list that may outgrow the caller's buffer between sizing and reading it."""
        for _ in range(_GROWTH_TRIES):
            try:
                return self.first(*alternatives)
            except Refused as refused:
                if refused.code != _INSUFFICIENT_SIZE:
                    raise
        raise Refused("changing_too_fast", _INSUFFICIENT_SIZE)

    def reported(self, function: str) -> Any:
        """Return what the driver says of itself, None if it will not."""
        try:
            return self.call(function)
        except Refused:
            return None

    @property
    def is_bound(self) -> bool:
        """Whether the binding could be loaded."""
        return self._pynvml is not None

    def constant(self, name: str) -> Any:
        """Return one of the binding's constants."""
        return getattr(self._pynvml, name)

    def _binding(self) -> Any:
        try:
            pynvml = self._load_pynvml()
        except Exception as error:  # whatever somebody's file of that name raises
            raise Refused("binding_broken") from error
        if not hasattr(pynvml, "nvmlMemory_v2"):
            raise Refused("binding_too_old")
        return pynvml

    def _call(self, function: str, *arguments: Any) -> Any:
        pynvml = self._pynvml
        wrapper = getattr(pynvml, function, None)
        if wrapper is None:
            raise Refused("binding_too_old", _FUNCTION_NOT_FOUND)
        try:
            answer = wrapper(*arguments)
        except pynvml.NVMLError as error:
            # Only the number: an NVMLError cannot be hashed or compared, and its text may ask the driver.
            raise Refused(_REASONS.get(error.value, f"nvml_error_{error.value}"), error.value) from None
        except UnicodeDecodeError:
            raise Refused("not_text") from None
        except getattr(pynvml, "NVMLLibraryMismatchError", ()):
            raise Refused("driver_too_old", _FUNCTION_NOT_FOUND) from None
        if isinstance(answer, int) and is_no_figure(answer):
            raise Refused("not_supported")
        return answer


def is_no_figure(number: int) -> bool:
    """Tell whether a number is what drivers write where they know none: all bits set."""
    return number in (2**32 - 1, NOT_AVAILABLE)
