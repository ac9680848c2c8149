"""NVML, NVIDIA's management library: opened once, called with every way to fail turned into one reason.

Runs in the child process alone. Sources: `nvml.h` for codes, units and sentinels; nvidia-ml-py 12.535 to 13.615 for the
wrappers' behaviour; the symbol tables of drivers 470 to 610 for which of them has which call.
"""

from __future__ import annotations

import os
from struct import Struct, unpack_from

TYPE_CHECKING = False  # typing itself is slow to load
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Samples = tuple[tuple[int, ...], tuple[int | float, ...]]
    """When, in microseconds of the epoch, and what, in percent."""

NOT_AVAILABLE = 2**64 - 1
"""NVML_VALUE_NOT_AVAILABLE: what a driver writes for a size that it does not know."""

_GROWTH_TRIES = 5
_MOST_CUDA_VERSION = 999_999
_NO_FIGURES = frozenset({2**32 - 1, NOT_AVAILABLE})

_ROW = Struct("@IQII")
"""nvmlProcessInfo_t of versions 2 and 3: process number, bytes, GPU instance, compute instance."""

_SAMPLES = {kind: f"Q{value}" for kind, value in enumerate(("d", "I4x", "L", "Q", "q", "i4x", "H6x"))}
"""nvmlSample_t for each nvmlValueType_t: microseconds of the epoch, then the value in its part of a union."""

_HELD_BY_A_SAMPLE = 16
_NOT_FOUND = 6
_MOST_SAMPLES = 100_000
_UTILIZATION_SAMPLES = 1  # NVML_GPU_UTILIZATION_SAMPLES

_LIST_OF_PROCESSES = "RunningProcesses"
_FEW_PROCESSES = 64
_MOST_PROCESSES = 100_000

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

    @property
    def is_missing(self) -> bool:
        """Whether this driver, or this binding, does not have the call."""
        return self.code in _MISSING


class Nvml:
    """The driver, opened at the first call and kept open: closing and opening again is slow, and has hung drivers."""

    def __init__(self, load_pynvml: Callable[[], Any], *, about_to_load: Callable[[], None] = lambda: None) -> None:
        self._load_pynvml = load_pynvml
        self._about_to_load = about_to_load
        self._pynvml: Any = None
        self._wrappers: dict[str, Callable[..., Any]] = {}
        self._errors: tuple[type[Exception], ...] = ()
        self._rows = _Rows()
        self._samples = _Samples()
        self.library = "absent"
        """How NVIDIA's library was found: as a value of `probes.driver_state.Library`."""
        self.driver: dict[str, Any] | None = None

    def open(self) -> bool:
        """Load the binding and open the driver, once; return False if NVIDIA's library cannot be loaded."""
        if self._pynvml is None:
            self._pynvml = self._binding()
            self._about_to_load()
        if self.driver is None:
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
        wrapper = self._wrappers.get(function) or self._wrapper(function)
        try:
            answer = wrapper(*arguments)
        except self._errors as error:
            refused = self._refused(error)
            if refused.code == _UNINITIALIZED and function != "nvmlInit":
                self._call("nvmlInit")
            elif refused.code not in _TRANSIENT:
                raise refused from None
            return self._call(function, *arguments)
        if type(answer) is int and answer in _NO_FIGURES:
            raise Refused("not_supported")
        return answer

    def first(self, functions: tuple[str, ...], *arguments: Any) -> Any:
        """Call the first of several wrappers that this driver and this binding both have.

        Calls come and go: what an old driver has not yet, the newest has no more.
        """
        *newer, oldest = functions
        for function in newer:
            try:
                return self.call(function, *arguments)
            except Refused as refused:
                if not refused.is_missing:
                    raise
        return self.call(oldest, *arguments)

    def listed(self, functions: tuple[str, ...], handle: Any) -> list[tuple[int, int, int, int]]:
        """Ask for a list of processes as `first` does; it may outgrow the room for it again and again."""
        for _ in range(_GROWTH_TRIES):
            try:
                return self.first(functions, handle)  # type: ignore[no-any-return]
            except Refused as refused:
                if refused.code != _INSUFFICIENT_SIZE:
                    raise
        raise Refused("changing_too_fast", _INSUFFICIENT_SIZE)

    def samples(self, handle: Any, since: int) -> Samples:
        """Return the driver's samples of how busy a GPU was, after a moment; a driver that keeps none refuses."""
        for _ in range(_GROWTH_TRIES):
            try:
                return self.call("nvmlDeviceGetSamples", handle, since)  # type: ignore[no-any-return]
            except Refused as refused:
                if refused.code == _NOT_FOUND:
                    return (), ()
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
        mismatch = getattr(pynvml, "NVMLLibraryMismatchError", UnicodeDecodeError)  # not in the oldest
        self._errors = (pynvml.NVMLError, UnicodeDecodeError, mismatch)
        return pynvml

    def _wrapper(self, function: str) -> Callable[..., Any]:
        """Return the binding's wrapper of a call, and for lists our own: see `_Rows` and `_Samples`."""
        wrapper: Callable[..., Any] | None
        if _LIST_OF_PROCESSES in function:
            wrapper = self._rows.wrapper(self._pynvml, function)
        elif function == "nvmlDeviceGetSamples":
            wrapper = self._samples.wrapper(self._pynvml, function)
        else:
            wrapper = getattr(self._pynvml, function, None)
        if wrapper is None:
            raise Refused("binding_too_old", _FUNCTION_NOT_FOUND)
        self._wrappers[function] = wrapper
        return wrapper

    def _call(self, function: str, *arguments: Any) -> Any:
        """Call one wrapper once."""
        try:
            answer = self._wrapper(function)(*arguments)
        except self._errors as error:
            raise self._refused(error) from None
        if type(answer) is int and answer in _NO_FIGURES:
            raise Refused("not_supported")
        return answer

    def _refused(self, error: Exception) -> Refused:
        if isinstance(error, UnicodeDecodeError):
            return Refused("not_text")
        if isinstance(error, self._pynvml.NVMLError):
            # Only the number: an NVMLError cannot be hashed or compared, and its text may ask the driver.
            code: int = error.value
            return Refused(_REASONS.get(code, f"nvml_error_{code}"), code)
        return Refused("driver_too_old", _FUNCTION_NOT_FOUND)


class _Rows:
    """Reads the lists of processes, into room that is kept for the next one.

    The binding's wrappers ask for each list twice, for its length and then for its rows, and drivers have taken 4.5 ms
    for one (flightlessmango/MangoHud#2104); and they make an object of each row, which takes ten times as long as all
    else that is done with it.
    """

    def __init__(self) -> None:
        self._capacity = 0
        self._room: Any = None
        self._there: Any = None

    def wrapper(self, pynvml: Any, function: str) -> Callable[[Any], list[tuple[int, int, int, int]]]:
        """Return what reads one of the lists, and raises the binding's error where the driver answers with a code."""
        from ctypes import byref  # noqa: PLC0415 - the binding has loaded it

        if not self._capacity:
            self._make_room(_FEW_PROCESSES)
        call = getattr(pynvml.nvmlLib, function, None)

        def read(handle: Any) -> list[tuple[int, int, int, int]]:
            if call is None:
                raise pynvml.NVMLError(_FUNCTION_NOT_FOUND)
            there = self._there
            there.value = self._capacity
            code = call(handle, byref(there), self._room)
            count = there.value
            if count > (self._capacity if not code else _MOST_PROCESSES):
                raise Refused("impossible")
            if code == _INSUFFICIENT_SIZE and count > self._capacity:
                self._make_room(2 * count)  # more may come meanwhile
            if code:
                raise pynvml.NVMLError(code)
            return [*_ROW.iter_unpack(self._room[: count * _ROW.size])] if count else []

        return read

    def _make_room(self, capacity: int) -> None:
        import ctypes  # noqa: PLC0415 - the binding has loaded it

        self._capacity, self._there = capacity, ctypes.c_uint()
        self._room = (ctypes.c_char * (capacity * _ROW.size))()


class _Samples:
    """Reads the ring in which a driver keeps how busy a GPU was, into room that is kept for the next time.

    The binding's wrapper asks twice each time, and makes an object of each sample and another of its value.
    """

    def __init__(self) -> None:
        self._capacity = 0
        self._room: Any = None
        self._there: Any = None
        self._kind: Any = None

    def wrapper(self, pynvml: Any, function: str) -> Callable[[Any, int], Samples]:
        """Return what reads the samples after a moment, and raises the binding's error where it gets a code."""
        import ctypes  # noqa: PLC0415 - the binding has loaded it

        self._there, self._kind = ctypes.c_uint(), ctypes.c_uint()
        call = getattr(pynvml.nvmlLib, function, None)

        def read(handle: Any, since: int) -> Samples:
            if call is None:
                raise pynvml.NVMLError(_FUNCTION_NOT_FOUND)
            moment = ctypes.c_ulonglong(since)
            code = 0 if self._capacity else self._learn_capacity(call, handle, moment)
            code = code or self._ask(call, handle, moment)
            if code == _INSUFFICIENT_SIZE and self._there.value > self._capacity:
                self._make_room(2 * self._there.value)
            if code:
                raise pynvml.NVMLError(code)
            return self._found()

        return read

    def _learn_capacity(self, call: Any, handle: Any, moment: Any) -> int:
        """Make room for as many as the driver keeps, which it tells where it is given none; return its code."""
        code = self._ask(call, handle, moment)
        if code in (0, _INSUFFICIENT_SIZE):
            code = 0 if self._there.value else _NOT_FOUND
            self._make_room(self._there.value)
        return code

    def _ask(self, call: Any, handle: Any, moment: Any) -> int:
        from ctypes import byref  # noqa: PLC0415 - the binding has loaded it

        self._there.value = self._capacity
        code: int = call(handle, _UTILIZATION_SAMPLES, moment, byref(self._kind), byref(self._there), self._room)
        if self._there.value > (self._capacity if self._capacity and not code else _MOST_SAMPLES):
            raise Refused("impossible")
        return code

    def _found(self) -> Samples:
        count = self._there.value
        if count and self._kind.value not in _SAMPLES:
            raise Refused("impossible")
        # Of one format, which Python remembers: four times as fast as one sample after the other.
        flat = unpack_from(f"@{_SAMPLES[self._kind.value] * count}", self._room) if count else ()
        return flat[::2], flat[1::2]

    def _make_room(self, capacity: int) -> None:
        import ctypes  # noqa: PLC0415 - the binding has loaded it

        self._capacity = capacity
        self._room = (ctypes.c_char * (capacity * _HELD_BY_A_SAMPLE))() if capacity else None


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
    return number in _NO_FIGURES
