r"""A fake NVIDIA driver: a real `libnvidia-ml.so.1`, compiled from nvml.c, that answers and misbehaves as a test says.

The program under test runs in a process of its own, started with `FakeDriver.environment()`, and loads the library as
it would NVIDIA's; only so can a driver that hangs, crashes or lacks a call be met. What the driver is lies in a text
file, a profile to which `set` appends. In it:

    # a comment, also after a value and a blank
    key = value                          of the system: gpus, driver_version, cuda_version (12080 is 12.8)
    gpu0.key = value                     of one GPU
    gpu*.key = value                     of every GPU
    gpu0/mig1.key = value                of a MIG device (gpu* does not mean those); its `uuid` makes it exist
    fail FUNCTION[@DEVICE] = CODE        answers NVML's CODE, a number
    hang FUNCTION[@DEVICE]               never returns; only SIGKILL and the like end it
    slow FUNCTION[@DEVICE] = SECONDS     answers late
    segv FUNCTION[@DEVICE]               ends the process by SIGSEGV
    abort FUNCTION[@DEVICE]              ends the process by SIGABRT
    exit FUNCTION[@DEVICE] [= STATUS]    ends the process with a status, 3 if none is given
    print FUNCTION[@DEVICE] = TEXT       writes TEXT on standard output and on standard error, then answers
    grow FUNCTION[@DEVICE] = N           a process list outgrows the caller's buffer N times in a row, and then fits
    heal FUNCTION[@DEVICE]               takes back the faults set before it

The last line that applies is the one that holds. DEVICE is gpu0, gpu*, gpu0/mig1 or gpu0/mig*, and then only the calls
on its handle fail, and the one that gives the handle of a GPU by index; without it a fault concerns all calls. FUNCTION
is the name of an NVML call, a pattern of such names (`*`, `nvmlDeviceGet*RunningProcesses*`) or the word `load`: the
loading of the library, which no pattern means. A fault comes before all else that the call does, several of them in
this order: print, slow, hang, segv, abort, exit, fail.

A value is a number (decimal, 0x..., on, off) or a text; `\xHH` is a byte and `\e` an escape character, so that a name
can be anything, also not UTF-8. A key that is `none`, `not_supported` or not set makes its call answer NOT_SUPPORTED,
with these exceptions: gpus is 1, memory_reserved, memory_used, utilization_memory and mig_slots are 0, fans is 1 where
there is a fan and else 0, *_pending and enforced_limit_mw are as what they belong to; uuid and pci_bus_id of a GPU are
made up. `process = PID BYTES|none [C|G|M [GI CI]]` may be repeated, and `process = clear` forgets the ones before it;
`processes = N` adds N compute processes that share memory_used, with pids that no process can have.

A number may change with time: `utilization_gpu = 0, 1.5: 80, 4: 0` is 80 from a second and a half after the last `set`
until four seconds after it; a moment before the `set` is negative.
`samples = N` lets a GPU keep N samples of its utilization, one each `sample_ms` (167 unless set), the newest of now or
of `sample_age_ms` ago, as values of NVML's type number `sample_type` (1, unsigned int).

A profile may also hold `define NAME[=VALUE]`: see `FakeDriver`. Linux only.
"""

import fnmatch
import functools
import hashlib
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

__all__ = ["PROFILES", "FakeDriver", "escaped", "no_driver_environment"]

_HERE = Path(__file__).parent
_SOURCE = _HERE / "nvml.c"
_LIBRARY = "libnvidia-ml.so.1"
_FLAGS = ("-shared", "-fPIC", "-O1", "-pthread", "-Wall", "-Wextra", f"-Wl,-soname,{_LIBRARY}")

PROFILES = tuple(sorted(file.stem for file in (_HERE / "profiles").glob("*.txt")))

_DEVICE = r"gpu(?:\d+|\*)(?:/mig(?:\d+|\*))?"
_NUMBER = r"(?:-?\d+|0x[0-9A-Fa-f]+|on|off|none|not_supported)"
_SYSTEM_KEYS = {"cuda_version": _NUMBER, "driver_version": ".+", "gpus": r"\d+"}
_DEVICE_KEYS = {
    "cc": r"\d+\.\d+|none|not_supported",
    "name": ".+",
    "pci_bus_id": r"[0-9A-Fa-f]+:[0-9A-Fa-f]+:[0-9A-Fa-f]+\.\d",
    "process": r"clear|none|not_supported|\d+ (?:\d+|0x[0-9A-Fa-f]+|none)(?: [CGM](?: \d+ \d+)?)?",
    "serial": ".+",
    "uuid": ".+",
} | dict.fromkeys(
    # Sizes in bytes, power in mW, energy in mJ, clocks in MHz, temperature in °C, fan in %; the rest as NVML counts it.
    """addressing_mode architecture clock_graphics clock_memory clock_sm clock_video compute_instance compute_slices ecc
    ecc_corrected ecc_errors ecc_pending energy_mj enforced_limit_mw fan fans gpu_instance gpu_slices max_clock_graphics
    max_clock_memory max_clock_sm max_clock_video memory_reserved memory_total memory_used mig mig_pending mig_slots
    multiprocessors pci_device_id performance_state persistence power_limit_mw power_mw processes sample_age_ms
    sample_ms sample_type samples temperature throttle_reasons utilization_gpu utilization_memory
    virtualization""".split(),  # noqa: SIM905  forty lines would say no more
    rf"{_NUMBER}(?:, -?\d+(?:\.\d+)?: {_NUMBER})*",
)
_VERBS = {  # and the value that each wants
    "fail": r"\d+",
    "hang": "",
    "slow": r"\d+(?:\.\d+)?",
    "segv": "",
    "abort": "",
    "exit": r"\d*",
    "print": ".*",
    "grow": r"\d+",
    "heal": "",
}


class FakeDriver:
    """A driver with a state of its own, in a folder of its own.

    `define`s say at compile time what it lacks: `BRANCH=470` what drivers of that branch had not yet, `CUDA14` what is
    announced to go, `NO_GetName` one call, by its name without nvml, nvmlSystem or nvmlDevice.
    `library` is the file that is loaded, `functions` the names of all calls, those that it lacks too.
    """

    def __init__(self, folder: Path, profile: str = "t4", *, defines: tuple[str, ...] = ()) -> None:
        if profile not in PROFILES:
            raise ValueError(f"there is no profile {profile}; there are {', '.join(PROFILES)}")
        lines = (_HERE / "profiles" / f"{profile}.txt").read_text(encoding="utf-8").splitlines()
        own = tuple(line.partition("#")[0].split()[1] for line in lines if line.startswith("define "))
        compiled = _compiled((*own, *defines))
        folder = folder.absolute()
        self.library = folder / "lib" / _LIBRARY  # a link: its path is this driver's alone
        self.library.parent.mkdir(parents=True, exist_ok=True)
        link = folder / "lib" / "new"
        link.unlink(missing_ok=True)
        link.symlink_to(compiled)
        link.replace(self.library)
        self.functions = _functions(compiled)
        self._log = folder / "calls.log"
        self._log.unlink(missing_ok=True)
        self._state = folder / "state.txt"
        self._lines: list[str] = []
        self.set(*(line for line in lines if not line.startswith("define ")))

    def set(self, *lines: str) -> None:
        """Append to the state; a line that could do nothing is a ValueError, lest a test prove nothing.

        A process that has asked the driver already does not see it, unless its environment is a live one.
        """
        for line in lines:
            _check(line, self.functions)
        self._lines.extend(lines)
        new = self._state.with_suffix(".new")
        new.write_text("".join(f"{line}\n" for line in self._lines), encoding="utf-8")
        new.replace(self._state)

    def environment(self, *, live: bool = False) -> dict[str, str]:
        """Return this process's environment with the driver in it; `live`: a running process sees what is set later."""
        added = {"FAKE_NVML_STATE": str(self._state), "FAKE_NVML_LOG": str(self._log)}
        if live:
            added["FAKE_NVML_LIVE"] = "1"
        return _environment_with(self.library.parent) | added

    def calls(self) -> list[str]:
        """Return the names of the calls made so far, `load` for each loading of the library, by whatever process."""
        return self._log.read_text(encoding="utf-8").splitlines() if self._log.exists() else []


def no_driver_environment() -> dict[str, str]:
    """Return this process's environment, but with no NVML to be found by its name, also where there is a driver.

    A file of that name which is no library stands first in LD_LIBRARY_PATH. glibc ends the search at a file that it
    cannot load, so what lies behind it is not reached, and `dlopen` fails as it does without a driver, with another
    text: "file too short" for "cannot open shared object file". nvidia-ml-py makes LIBRARY_NOT_FOUND of both.
    It does not hide a library from who opens it by its path or has it loaded already, nor the GPU: /dev/nvidia*,
    /proc/driver/nvidia and the PCI bus stay as they are.
    """
    blocker = _cache() / "no-driver" / _LIBRARY
    blocker.parent.mkdir(exist_ok=True)
    blocker.touch()
    return _environment_with(blocker.parent)


def escaped(value: bytes | str) -> str:
    """Spell any bytes as a value of the state file: a name that is not UTF-8, has control characters, blanks around."""
    data = value.encode() if isinstance(value, str) else value
    return "".join(chr(byte) if chr(byte).isascii() and chr(byte).isalnum() else f"\\x{byte:02x}" for byte in data)


def _environment_with(folder: Path) -> dict[str, str]:
    others = [path for path in os.environ.get("LD_LIBRARY_PATH", "").split(":") if path and path != str(folder)]
    return dict(os.environ) | {"LD_LIBRARY_PATH": ":".join([str(folder), *others])}


def _check(line: str, functions: frozenset[str]) -> None:
    """Raise ValueError, saying what is wrong, for a line that the driver would not understand or would not heed."""
    left, equals, value = re.sub(r"(^|\s)#.*", "", line).partition("=")
    verb, _, call = left.strip().partition(" ")
    why = None
    if "\n" in line:
        why = "one line at a time; a line break in a name is \\x0a"
    elif call:
        why = _wrong_fault(verb, call.strip(), value.strip() if equals else None, functions)
    elif verb or equals:
        why = _wrong_value(verb, value.strip())
    if why:
        raise ValueError(f"{line!r} in the state of a fake driver: {why}")


def _wrong_fault(verb: str, call: str, value: str | None, functions: frozenset[str]) -> str | None:
    pattern, at, device = call.partition("@")
    if verb not in _VERBS:
        return f"the verbs are {', '.join(_VERBS)}"
    if pattern != "load" and not fnmatch.filter(functions, pattern):
        return f"no function is called {pattern}"
    if at and not re.fullmatch(_DEVICE, device):
        return "after @ comes gpu0, gpu*, gpu0/mig1 or gpu0/mig*"
    if not re.fullmatch(_VERBS[verb], value or "") or (value is not None and not _VERBS[verb]):
        return f"{verb} wants a value like {_VERBS[verb]}" if _VERBS[verb] else f"{verb} takes no value"
    return None


def _wrong_value(name: str, value: str) -> str | None:
    device, dot, key = name.rpartition(".")
    keys = _DEVICE_KEYS if dot else _SYSTEM_KEYS
    if dot and not re.fullmatch(_DEVICE, device):
        return "keys of a device begin with gpu0., gpu*., gpu0/mig1. or gpu0/mig*."
    if key not in keys:
        return f"the keys of {'a device' if dot else 'the system'} are {', '.join(sorted(keys))}"
    return None if re.fullmatch(keys[key], value) else f"a value of {key} is like {keys[key]}"


@functools.cache
def _functions(library: Path) -> frozenset[str]:
    """Return the names of all calls it knows: each writes its name into the log, so each name is in the file."""
    return frozenset(name.decode() for name in re.findall(rb"\bnvml[A-Z]\w*", library.read_bytes()))


@functools.cache
def _compiled(defines: tuple[str, ...]) -> Path:
    """Return the library with these defines; compiled once, also when several test processes want it at a time."""
    source = _SOURCE.read_bytes()
    for define in defines:
        name = re.fullmatch(r"BRANCH=[3-9]\d\d|CUDA14|NO_(\w+)", define)
        if not name or (name[1] and not re.search(rb"\b%s\b" % name[1].encode(), source)):
            raise ValueError(f"{define!r} leaves nothing out: BRANCH=470, CUDA14, NO_GetName are understood")
    command = [*find_compiler(), *_FLAGS, *(f"-D{define}" for define in defines)]
    key = hashlib.sha256(source + "\0".join(command).encode()).hexdigest()[:16]
    library = _cache() / key / _LIBRARY
    if library.exists():
        return library
    with tempfile.TemporaryDirectory(dir=_cache()) as folder:
        new = Path(folder) / _LIBRARY
        done = subprocess.run([*command, "-o", str(new), str(_SOURCE)], capture_output=True, text=True, check=False)
        if done.returncode or not new.exists():
            raise RuntimeError(f"{shlex.join(command)} cannot compile {_SOURCE.name}:\n{done.stderr or done.stdout}")
        library.parent.mkdir(exist_ok=True)
        new.replace(library)
    return library


def find_compiler() -> list[str]:
    """Return the command of a C compiler: $CC, else cc, gcc, or the one in the package ziglang.

    Without one the tests fail. They do not skip: a suite that leaves out the driver is green and proves nothing.
    """
    if named := shlex.split(os.environ.get("CC", "")):
        if shutil.which(named[0]):
            return named
        raise RuntimeError(f"CC is {shlex.join(named)}, which is no program here; set it to a C compiler, or unset it")
    for name in ("cc", "gcc"):
        if found := shutil.which(name):
            return [found]
    if importlib.util.find_spec("ziglang"):
        return [sys.executable, "-m", "ziglang", "cc"]
    raise RuntimeError("the fake NVIDIA driver needs a C compiler: install gcc, or `pip install ziglang`, or set CC")


def _cache() -> Path:
    """Return the folder for what is compiled. Nobody else may write there: it holds code that the tests will run."""
    cache = Path(tempfile.gettempdir()) / f"colab-magics-fake-nvml-{os.getuid()}"
    cache.mkdir(mode=0o700, exist_ok=True)
    seen = cache.lstat()
    if seen.st_uid != os.getuid() or seen.st_mode & 0o170077 != 0o040000:  # a folder, and ours alone
        raise RuntimeError(f"{cache} is not a folder that only you can enter; remove it")
    return cache
