"""Machines that are whole, laid out in files as far as a probe reads them, and what stands between it and a file."""

from __future__ import annotations

import builtins
import functools
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from builders import GIB
from colab_magics import cgroup, report
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
from colab_magics.probes.processes import Processes
from colab_magics.probes.ram import probe_ram
from colab_magics.probes.tpu import probe_tpus
from groups import build_nested, cpu_files, memory_files

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
        killed = {"memory.oom_control": f"oom_kill_disable 0\nunder_oom 0\noom_kill {gib}\n"}
    else:
        swap = {"memory.swap.current": f"{gib * GIB // 8}\n"}
        used = {"cpu.stat": f"usage_usec {gib}000000\nuser_usec 5\n"}
        killed = {"memory.events": f"max 0\noom 0\noom_kill {gib}\n"}
    return {**files, **swap, **used, **killed, **cpu_files(version, f"{gib}00000")}


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
    return lambda: (read_signs(root=place), module_version(root=place), Processes(root=place).name_of(child))


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


class Files:
    """Stands between this process and its files: notes what is opened, and lets another file stand in for one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.opened: list[str] = []
        self.opened_by_others: set[str] = set()
        self.stood_in_for = ""
        self.stand_in: str | OSError = ""
        self.has_stood_in = False
        monkeypatch.setattr(children, "_LATE", 1e6)  # a machine under load would leave out what takes too long
        for module, name in ((os, "open"), (builtins, "open"), (os, "stat")):
            real = getattr(module, name)
            monkeypatch.setattr(module, name, self._instead_of(real, opens=name == "open", is_ours=module is os))

    def _instead_of(self, real: Callable[..., Any], *, opens: bool, is_ours: bool) -> Callable[..., Any]:
        def stand_between(path: Any, *arguments: Any, **named: Any) -> Any:
            if not isinstance(path, str):
                return real(path, *arguments, **named)
            if opens:
                self.opened.append(path)
                if not is_ours:
                    self.opened_by_others.add(path)
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


def opened_by(look: Look, files: Files) -> list[str]:
    """Return what files a probe opens on the machine that is whole, also those that are not there."""
    files.look(look)  # what is imported or started at the first look is no part of it
    files.look(look)
    return sorted(path for path in set(files.opened) if not os.path.isdir(path))
