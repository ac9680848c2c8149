"""Files that are missing, refused, cut short, or full of nonsense, each that a probe reads in turn.

Nobody lists these files: a probe looks once at a machine that is whole, what it opens is noted, and each of that is
then stood in for. A file that is read in future is among them.
"""

from __future__ import annotations

import builtins
import dataclasses
import functools
import math
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from builders import GIB, MIB
from colab_magics import cgroup, report
from colab_magics.model import Cpu, Disk, Ram, Unavailable, Usage
from colab_magics.observer.samples import Processor
from colab_magics.probes import children
from colab_magics.probes.cpu import probe_cpu
from colab_magics.probes.disk import probe_disks
from colab_magics.probes.driver_state import read_signs
from colab_magics.probes.frameworks import probe_frameworks
from colab_magics.probes.gpu import module_version
from colab_magics.probes.mounts import mounts
from colab_magics.probes.other_gpus import probe_other_gpus
from colab_magics.probes.platform import probe_platform
from colab_magics.probes.processes import name_of
from colab_magics.probes.ram import probe_ram
from colab_magics.probes.tpu import probe_tpus
from colab_magics.views.messages import FIELD_REASONS, REASONS
from groups import build_nested, cpu_files, memory_files

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="nowhere else are there such files")

Look = Callable[[], object]


# Machines that are whole. ------------------------------------------------------------------------------------------

MEMINFO = """\
MemTotal:       67108864 kB
MemAvailable:   50331648 kB
SwapTotal:       8388608 kB
SwapFree:        6291456 kB
Shmem:           1048576 kB
CommitLimit:    41943040 kB
Committed_AS:    5242880 kB
"""
LIMITS = """\
Limit                     Soft Limit           Hard Limit           Units
Max data size             21474836480          unlimited            bytes
Max address space         32212254720          unlimited            bytes
"""
ARC = "13 1 0x01 147 39984\nname   type data\nc_min  4    1073741824\nsize   4    3221225472\n"
PROCESS = "Name:\tpython\nVmSize:\t  2097152 kB\nVmData:\t  1048576 kB\n"
STAT = "cpu  900 0 100 9000 0 0 0 0 0 0\n" + "".join(f"cpu{n} 90 0 10 900 0 0 0 0 0 0\n" for n in range(256))
TORCH_NOTE = "__version__ = '2.11.0'\ndebug = False\ncuda: Optional[str] = '12.8'\n"
TENSORFLOW_NOTE = "build_info = {'cuda_version': '12.5.1', 'is_cuda_build': True}"


def lay(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def a_group(version: int, gib: int) -> dict[str, str]:
    """Return the files of a group that may use so many GiB and has a quarter of it in use, and as many cores."""
    files = memory_files(
        version, limit=gib * GIB, usage=gib * GIB // 4, inactive_file=gib * GIB // 16, shmem=gib * GIB // 32
    )
    if version == 1:
        swap = {"memory.memsw.usage_in_bytes": f"{gib * GIB // 2}\n"}
        used = {"cpuacct.usage": f"{gib}000000000\n"}
    else:
        swap = {"memory.swap.current": f"{gib * GIB // 8}\n"}
        used = {"cpu.stat": f"usage_usec {gib}000000\nuser_usec 5\n"}
    return {**files, **swap, **used, **cpu_files(version, f"{gib}00000")}


def a_container(root: Path, version: int) -> str:
    groups = {"/parent": a_group(version, 12), "/parent/own": a_group(version, 8)}
    lay(
        root,
        {
            "proc/meminfo": MEMINFO,
            "proc/stat": STAT,
            "proc/self/limits": LIMITS,
            "proc/self/status": PROCESS,
            "proc/spl/kstat/zfs/arcstats": ARC,
            "proc/sys/vm/overcommit_memory": "2\n",
        },
    )
    return build_nested(root, version, groups)


def ram_of_a_container(version: int, root: Path, _child: int) -> Look:
    place = a_container(root, version)
    return lambda: probe_ram(everything=True, root=place)


def ram_by_psutil(_root: Path, _child: int) -> Look:
    return lambda: probe_ram(root="/nowhere")


def cpu_of_a_container(version: int, root: Path, _child: int) -> Look:
    place = a_container(root, version)
    return lambda: (probe_cpu(root=place), cgroup.cpu_quota(place))


def busy_cores(root: Path, _child: int) -> Look:
    place = a_container(root, 2)
    (root / "sys/fs/cgroup/parent/own/cpu.max").unlink()
    (root / "sys/fs/cgroup/parent/cpu.max").unlink()

    def look() -> object:
        processor = Processor(os.getpid(), root=place)
        return [processor.busy_percent(time.monotonic()) for _ in range(2)]

    return look


def children_by_what_they_hold(_root: Path, _child: int) -> Look:
    return lambda: children.look(GIB, capacity_bytes=0, most_bytes=2**50, but=None, everything=True)


def children_by_their_shares(_root: Path, _child: int) -> Look:
    return lambda: children.look(GIB, capacity_bytes=0, most_bytes=1, but=None, everything=True)


def the_disks(_root: Path, _child: int) -> Look:
    return probe_disks


def the_mounts(root: Path, _child: int) -> Look:
    place = a_container(root, 2)
    return lambda: mounts(place)


def the_platform(root: Path, _child: int) -> Look:
    return lambda: probe_platform(shell_class=None, environment={}, root=str(root))


def a_bus(root: Path, *devices: tuple[str, str, str, str]) -> str:
    for number, device in enumerate(devices):
        folder = f"sys/bus/pci/devices/0000:00:{number:02}.0"
        names = ("vendor", "device", "subsystem_device", "class")
        lay(root, {f"{folder}/{name}": f"{word}\n" for name, word in zip(names, device, strict=True)})
    return str(root)


def tpus(root: Path, _child: int) -> Look:
    place = a_bus(
        root,
        ("0x1ae0", "0x0027", "0x004e", "0x120000"),
        ("0x1ae0", "0x0063", "0x0000", "0x120000"),
        ("0x1ae0", "0x0042", "0x0058", "0x020000"),
    )
    return lambda: probe_tpus(environment={}, root=place)


def other_gpus(root: Path, _child: int) -> Look:
    place = a_bus(root, ("0x1002", "0x74a1", "0x0000", "0x120000"), ("0x8086", "0x0bd5", "0x0000", "0x038000"))
    return lambda: probe_other_gpus(system="linux", machine="x86_64", root=place)


def signs_of_a_driver(root: Path, child: int) -> Look:
    place = a_bus(root, ("0x10de", "0x1eb8", "0x12a2", "0x030200"))
    lay(
        root,
        {
            "proc/driver/nvidia/version": "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.82.07  Release Build\n",
            f"proc/{child}/comm": "python3\n",
        },
    )
    return lambda: (read_signs(root=place), module_version(root=place), name_of(child, root=place))


def frameworks(root: Path, _child: int) -> Look:
    lay(
        root,
        {
            "torch/version.py": TORCH_NOTE,
            "torch/lib/libtorch_python.so": "\0sm_75 sm_80\0",
            "tensorflow/python/platform/build_info.py": TENSORFLOW_NOTE,
            "jaxlib/nothing": "",
            **{
                f"{name}.dist-info/METADATA": f"Metadata-Version: 2.4\nVersion: {name.rpartition('-')[2]}\n\nText\n"
                for name in ("torch-2.11.0", "tensorflow-2.20.0", "jax-0.7.2", "jaxlib-0.7.2", "cupy_cuda12x-13.6.0")
            },
        },
    )
    return lambda: probe_frameworks(modules={}, search_path=[str(root)], platform="linux_x86_64")


MACHINES: dict[str, Callable[[Path, int], Look]] = {
    "RAM, control groups v1": functools.partial(ram_of_a_container, 1),
    "RAM, control groups v2": functools.partial(ram_of_a_container, 2),
    "RAM, by psutil": ram_by_psutil,
    "cores, control groups v1": functools.partial(cpu_of_a_container, 1),
    "cores, control groups v2": functools.partial(cpu_of_a_container, 2),
    "busy cores": busy_cores,
    "children by what they hold": children_by_what_they_hold,
    "children by their shares": children_by_their_shares,
    "disks": the_disks,
    "mounts": the_mounts,
    "platform": the_platform,
    "TPUs": tpus,
    "other GPUs": other_gpus,
    "signs of a driver": signs_of_a_driver,
    "frameworks": frameworks,
}


# What can be wrong with a file. -------------------------------------------------------------------------------------

TELLS_NOTHING: dict[str, bytes | None] = {
    "a folder": None,
    "empty": b"",
    "blank": b" \n\n",
    "binary": bytes(range(256)) * 8,
    "not UTF-8": b"\xff\xfe\xe9\x80 \xff\n" * 8,
    "40 digits": b"9" * 40 + b"\n",
    "5000 digits": b"9" * 5000 + b"\n",
    "2**64 - 1": b"18446744073709551615\n",
    "negative": b"-1\n",
    "MiBs in one line": b"\xff" * (2 * MIB),
    "MiBs in lines": b"x: 0x y\n" * (MIB // 4),
}
"""What is in place of a file, None for a folder; such a file is as good as one that is not there."""


def with_numbers(number: bytes) -> Callable[[bytes], bytes]:
    return lambda content: re.sub(rb"\d+", number, content)


TELLS_WHAT_MAY_BE_WRONG: dict[str, Callable[[bytes], bytes]] = {
    "cut in half": lambda content: content[: len(content) // 2],
    "cut in its last word": lambda content: content.rstrip()[:-1],
    "every number of 40 digits": with_numbers(b"9" * 40),
    "every number of 5000 digits": with_numbers(b"9" * 5000),
    "every number 2**64 - 1": with_numbers(b"18446744073709551615"),
    "every number 2**60": with_numbers(b"1152921504606846976"),
    "every number negative": with_numbers(b"-1"),
    "every number 0": with_numbers(b"0"),
    "without numbers": with_numbers(b"lots"),
    "without its line ends": lambda content: content.replace(b"\n", b""),
    "twice": lambda content: content * 2,
    "goes on for MiBs": lambda content: content + b"\xffx 1\n" * (MIB // 2),
}


class Files:
    """Stands between this process and its files: notes what is opened, and lets another file stand in for one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.opened: list[str] = []
        self.stood_in_for = ""
        self.stand_in: str | OSError = ""
        self.has_stood_in = False
        for module, name, opens in ((os, "open", True), (builtins, "open", True), (os, "stat", False)):
            monkeypatch.setattr(module, name, self._instead_of(getattr(module, name), opens=opens))

    def _instead_of(self, real: Callable[..., Any], *, opens: bool) -> Callable[..., Any]:
        def stand_between(path: Any, *arguments: Any, **named: Any) -> Any:
            if not isinstance(path, str):
                return real(path, *arguments, **named)
            if opens:
                self.opened.append(path)
            if path == self.stood_in_for:
                self.has_stood_in = True
                if isinstance(self.stand_in, str):
                    path = self.stand_in
                elif opens:
                    raise self.stand_in
            return real(path, *arguments, **named)

        return stand_between

    def look(self, look: Look, path: str = "", stand_in: str | OSError = "") -> object:
        """Look afresh, with what stands in for a path; a mistake is what the guard makes of it."""
        forget()
        self.opened.clear()
        self.stood_in_for, self.stand_in, self.has_stood_in = path, stand_in, False
        try:
            return report._look(look)
        finally:
            self.stood_in_for = ""


def forget() -> None:
    """Forget what is read once for a process."""
    for name, module in list(sys.modules.items()):
        if name.startswith("colab_magics.probes.") or name == "colab_magics.cgroup":
            for thing in list(vars(module).values()):
                if hasattr(thing, "cache_clear"):
                    thing.cache_clear()
    vars(psutil)["_pmap"].clear()


@pytest.fixture(scope="module")
def child() -> Iterator[int]:
    """A process below this one that is named as a kernel is."""
    with subprocess.Popen(["/bin/sh", "-c", "read _", "kernel-1.json"], stdin=subprocess.PIPE) as process:
        yield process.pid
        process.communicate()


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch, child: int) -> Files:
    """Files as they are so far; of the processes, two do not come and go."""
    monkeypatch.setattr(psutil, "pids", lambda: [os.getpid(), child])
    return Files(monkeypatch)


# What must hold. ----------------------------------------------------------------------------------------------------


def leaves(thing: object, name: str = "") -> Iterator[tuple[str, Any]]:
    """Return all that a value holds in the end, by names such as ".machine.total_bytes"."""
    if dataclasses.is_dataclass(thing):
        parts = {field.name: getattr(thing, field.name) for field in dataclasses.fields(thing)}
    elif isinstance(thing, tuple | list):
        parts = thing._asdict() if hasattr(thing, "_asdict") else dict(enumerate(thing))
    else:
        yield name, thing
        return
    yield name, type(thing).__name__
    for part, held in parts.items():
        yield from leaves(held, f"{name}.{part}")


def parts(thing: object) -> Iterator[object]:
    yield thing
    if isinstance(thing, tuple | list):
        for part in thing:
            yield from parts(part)
    elif dataclasses.is_dataclass(thing):
        for field in dataclasses.fields(thing):
            yield from parts(getattr(thing, field.name))


def what_cannot_be(seen: object) -> list[str]:
    """Return what is said that cannot be."""
    wrong = [f"{name} = {value}" for name, value in leaves(seen) if not can_be(name.rpartition(".")[2], value)]
    return wrong + [str(part) for part in parts(seen) if not agrees_with_itself(part)]


def can_be(field: str, value: object) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return True
    if field.endswith("_bytes"):
        return isinstance(value, int) and 0 <= value < 2**60
    if field.endswith("cores") or field == "total_inodes":
        return 0 < value < 2**60
    return math.isfinite(value) and 0 <= value < 2**60


def agrees_with_itself(part: object) -> bool:
    match part:
        case Unavailable():
            return part.code in {*REASONS, *FIELD_REASONS} - {"unexpected"}
        case Usage():
            return part.used_bytes <= part.total_bytes
        case Disk():
            return part.usage is None or (part.free_bytes or 0) <= part.usage.total_bytes
        case Cpu():
            return part.usable_cores <= part.logical_cores
        case Ram():
            return (
                part.available_bytes <= part.machine.total_bytes
                and part.headroom_bytes <= part.limit_bytes
                and 0 < part.capacity_bytes <= min(part.machine.total_bytes, part.limit_bytes)
                and (part.kernel_bytes or 0) <= part.machine.total_bytes
                and {reason for _, reason in part.unavailable} <= set(FIELD_REASONS)
            )
    return True


def invented(seen: object, without: object, whole: object) -> list[str]:
    """Return the figures of a look that are told neither without the file nor by it, and whether a section is lost."""
    if type(seen) is not type(without):
        return [f"{seen}, not {without}"]
    told = [dict(leaves(without)), dict(leaves(whole))]
    return [
        f"{name}: {figure}, not {[others.get(name) for others in told]}"
        for name, figure in leaves(seen)
        if isinstance(figure, int | float) and not isinstance(figure, bool)
        if not any(is_like(name, figure, others.get(name)) for others in told)
    ]


def is_like(name: str, figure: float, other: object) -> bool:
    """Tell whether a figure is another one, but for what goes on meanwhile on the machine that runs the tests."""
    moves = {"used_bytes": GIB, "load_average": 5.0}.get(name.rpartition(".")[2], 0)
    return type(figure) is type(other) and figure == pytest.approx(other, rel=0.5, abs=moves)


def tells_none(path: str, content: bytes | None) -> bool:
    """Tell whether a file with that in it says that there is nothing: most processes have no children."""
    return path.endswith("/children") and content is not None and not content.strip()


def opened_by(look: Look, files: Files) -> list[str]:
    """Return what files a probe opens on the machine that is whole, also those that are not there."""
    files.look(look)  # what is imported or started at the first look is no part of it
    files.look(look)
    return sorted(path for path in set(files.opened) if not os.path.isdir(path))


@pytest.mark.filterwarnings("ignore::RuntimeWarning:psutil")
@pytest.mark.parametrize("machine", MACHINES)
def test_a_whole_machine_is_told_in_full(machine: str, tmp_path: Path, files: Files, child: int) -> None:
    look = MACHINES[machine](tmp_path, child)

    assert opened_by(look, files)
    assert what_cannot_be(files.look(look)) == []


@pytest.mark.filterwarnings("ignore::RuntimeWarning:psutil")
@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("wrong", ["not allowed", *TELLS_NOTHING])
def test_a_file_that_tells_nothing_is_as_one_that_is_not_there(
    wrong: str, machine: str, tmp_path: Path, files: Files, child: int
) -> None:
    """So no figure is made of it: each is another source's that is there without it, or not known."""
    look = MACHINES[machine](tmp_path / "root", child)
    content = TELLS_NOTHING.get(wrong)
    bad = tmp_path / "bad"
    if content is None:
        bad.mkdir()
    else:
        bad.write_bytes(content)
    stand_in = PermissionError(13, "Permission denied") if wrong == "not allowed" else str(bad)
    failed = []
    paths = opened_by(look, files)
    whole = files.look(look)
    for path in paths:
        if tells_none(path, content):
            continue
        without = files.look(look, path, str(tmp_path / "none"))
        seen = files.look(look, path, stand_in)
        assert files.has_stood_in
        wrong_now = what_cannot_be(without) + what_cannot_be(seen) + invented(seen, without, whole)
        failed += [f"{path}: {what}" for what in wrong_now]

    assert failed == []


@pytest.mark.filterwarnings("ignore::RuntimeWarning:psutil")
@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("wrong", TELLS_WHAT_MAY_BE_WRONG)
def test_whatever_a_file_tells_no_figure_cannot_be(
    wrong: str, machine: str, tmp_path: Path, files: Files, child: int
) -> None:
    look = MACHINES[machine](tmp_path / "root", child)
    bad, failed = tmp_path / "bad", []
    for path in opened_by(look, files):
        content = Path(path).read_bytes() if os.path.exists(path) else b"1\n"
        bad.write_bytes(TELLS_WHAT_MAY_BE_WRONG[wrong](content))
        seen = files.look(look, path, str(bad))
        assert files.has_stood_in
        failed += [f"{path}: {what}" for what in what_cannot_be(seen)]

    assert failed == []
