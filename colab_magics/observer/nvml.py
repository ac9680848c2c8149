"""NVML, NVIDIA's management library: opened once, called with every way to fail turned into one reason.

Runs in the child process alone. Sources: `nvml.h` for codes, units and sentinels; nvidia-ml-py 12.535 to 13.615 for the
wrappers' behaviour; the symbol tables of drivers 470 to 610 for which of them has which call.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False  # typing itself is slow to load
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

NOT_AVAILABLE = 2**64 - 1
"""NVML_VALUE_NOT_AVAILABLE: what a driver writes for a size that it does not know."""

_GROWTH_TRIES = 5
_MOST_CUDA_VERSION = 999_999

# Codes of nvmlReturn_t. pynvml's own text for a code may call the driver, which may be what just failed.
_UNINITIALIZED = 1
_INSUFFICIENT_SIZE = 7
_LIBRARY_NOT_FOUND = 12
_FUNCTION_NOT_FOUND = 13
_TRANSIENT = frozenset({10, 19, 27})  # timeout, in use, not ready
_MISSING = frozenset({13, 25, 26})  # function not found, argument version mismatch, deprecated
_NO_CUDA = frozenset({12, 13})  # what nvmlSystemGetCudaDriverVersion answers where it finds no CUDA library
_LIBRARY = "libnvidia-ml.so.1"
_CUDA = "libcuda.so.1"
_KNOWN_FOLDERS = (
    "/usr/lib64-nvidia",  # Colab
    "/usr/lib/wsl/lib",  # WSL 2
    "/run/opengl-driver/lib",  # NixOS
    "/usr/local/nvidia/lib64",  # Kubernetes on Google Cloud
)
"""Where these libraries lie on machines whose loader finds them only by an LD_LIBRARY_PATH that is easily lost."""

_REASONS = {
    3: "not_supported",
    4: "no_permission",
    9: "driver_not_loaded",
    13: "driver_too_old",
    15: "gpu_lost",
    16: "gpu_needs_reset",
    17: "blocked_by_system",
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

    def __init__(self, load_pynvml: Callable[[], Any], *, about_to_load: Callable[[], None] = lambda: None) -> None:
        self._load_pynvml = load_pynvml
        self._about_to_load = about_to_load
        self._pynvml: Any = None
        self.library = "absent"
        """How NVIDIA's library was found: as a value of `probes.driver_state.Library`."""
        self.driver: dict[str, Any] | None = None

    def open(self) -> bool:
        """Load the binding and open the driver, once; return False if NVIDIA's library cannot be loaded."""
        if self._pynvml is None:
            self._pynvml = self._binding()
        if self.driver is None:
            self._about_to_load()
            self.library = find_library()
            if self.library != "loads":
                return False
            try:
                self.call("nvmlInit")
            except Refused as refused:
                if refused.code != _LIBRARY_NOT_FOUND:
                    raise
                self.library = "broken"  # it loads, but lacks a function that the binding needs
                return False
        if self.driver is None or None in self.driver.values():
            self.driver = {"version": self.reported("nvmlSystemGetDriverVersion"), **self._cuda()}
        return True

    def _cuda(self) -> dict[str, Any]:
        """Return the newest CUDA that the driver can run, and whether CUDA's own library is here."""
        try:
            version = self.call("nvmlSystemGetCudaDriverVersion")
        except Refused as refused:
            return {"cuda_version": None, "has_cuda_library": self._has_cuda_library(refused)}
        told = f"{version // 1000}.{version % 1000 // 10}" if 0 < version <= _MOST_CUDA_VERSION else None
        return {"cuda_version": told, "has_cuda_library": True}

    def _has_cuda_library(self, refused: Refused) -> bool | None:
        """Tell by the driver's refusal; None where the library lies in a folder that the loader may not search."""
        if refused.code not in _NO_CUDA or any(os.path.exists(f"{folder}/{_CUDA}") for folder in _KNOWN_FOLDERS):
            return None
        return False

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
        except Exception as error:  # a file of that name may be anybody's, and raise anything
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


def find_library() -> str:
    """Load NVIDIA's library by its name, else from the folders where it is known to lie; pynvml finds it loaded then.

    Return "loads", "broken" where a file is there that does not load, or "absent".
    """
    import ctypes  # noqa: PLC0415 - the binding has loaded it

    try:
        ctypes.CDLL(_LIBRARY)
    except OSError as error:
        # The loader names first what it did not find: the library itself, or something that this one needs.
        if not str(error).startswith(f"{_LIBRARY}: cannot open shared object file: No such file"):
            return "broken"
    else:
        return "loads"
    for file in (f"{folder}/{_LIBRARY}" for folder in _KNOWN_FOLDERS):
        if os.path.exists(file):
            try:
                ctypes.CDLL(file)
            except OSError:
                return "broken"
            return "loads"
    return "absent"


def is_no_figure(number: int) -> bool:
    """Tell whether a number is what drivers write where they know none: all bits set."""
    return number in (2**32 - 1, NOT_AVAILABLE)
