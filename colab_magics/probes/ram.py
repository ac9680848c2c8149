"""RAM: the machine's, what this container may use of it, what this kernel holds."""

from __future__ import annotations

import os
from typing import NamedTuple

import psutil

from colab_magics import cgroup, procfs
from colab_magics.model import OtherKernel, Ram, Unavailable, Usage
from colab_magics.observer import client


def probe_ram(*, everything: bool = False, root: str = "/") -> Ram | Unavailable:
    """Look at RAM.

    `everything` adds what is expensive: 10 ms per GB that this kernel holds, and a scan of all processes.
    """
    try:
        machine = _machine(root)
    except (OSError, RuntimeError, psutil.Error) as error:
        return Unavailable(code="unreadable", values=(("error", type(error).__name__),))
    levels = cgroup.memory_levels(root)
    tightest = min(levels, key=lambda level: level.headroom_bytes, default=None)
    if tightest is not None and tightest.headroom_bytes >= machine.available:
        tightest = None
    return Ram(
        machine=Usage(total_bytes=machine.total, used_bytes=machine.total - machine.available),
        available_bytes=machine.available,
        capacity_bytes=min([machine.total, *(level.limit_bytes for level in levels)]),
        swap_used_bytes=machine.swap_used,
        headroom_bytes=machine.available if tightest is None else tightest.headroom_bytes,
        limited_by="machine" if tightest is None else f"cgroup_v{tightest.version}",
        limit_bytes=machine.total if tightest is None else tightest.limit_bytes,
        limit_level=None if tightest is None else tightest.level,
        kernel_bytes=_resident_bytes(os.getpid()),
        children_bytes=_children_bytes(),
        observer_bytes=_observer_bytes(),
        kernel_proportional_bytes=_proportional_bytes() if everything else None,
        other_kernels=_other_kernels() if everything else None,
    )


class _Machine(NamedTuple):
    total: int
    available: int
    swap_used: int | None


def _machine(root: str) -> _Machine:
    """Read the machine's memory in bytes: /proc/meminfo, elsewhere what psutil knows."""
    try:
        sizes = procfs.memory_sizes(root)
        swap_used = sizes["SwapTotal"] - sizes["SwapFree"] if "SwapTotal" in sizes else None
        return _Machine(sizes["MemTotal"], sizes["MemAvailable"], swap_used)
    except (OSError, KeyError):
        memory = psutil.virtual_memory()
        return _Machine(memory.total, memory.available, psutil.swap_memory().used)


def _resident_bytes(pid: int) -> int | None:
    """Return the resident memory of a process, None if it has ended or may not be read."""
    try:
        return procfs.resident_bytes(pid)
    except OSError:  # it has ended, or this system has no /proc
        pass
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return None


def _children_bytes() -> int | None:
    """Return the resident memory of all processes below this one, our observer apart."""
    try:
        pids = _descendants(os.getpid())
    except OSError:  # no /proc/PID/task/TID/children: another system, or a kernel built without it
        try:
            pids = [child.pid for child in psutil.Process().children(recursive=True)]
        except psutil.Error:
            return None
    observer = client.pid()
    return sum(_resident_bytes(pid) or 0 for pid in pids if pid != observer)


def _observer_bytes() -> int:
    observer = client.pid()
    return 0 if observer is None else _resident_bytes(observer) or 0


def _descendants(pid: int) -> list[int]:
    found: list[int] = []
    for thread in os.listdir(f"/proc/{pid}/task"):
        found += map(int, procfs.read(f"/proc/{pid}/task/{thread}/children").split())
    for child in tuple(found):
        try:
            found += _descendants(child)
        except OSError:  # it has ended meanwhile
            continue
    return found


def _proportional_bytes() -> int | None:
    """Return this process's PSS: its own pages and its share of those it has in common with others."""
    try:
        memory = psutil.Process().memory_full_info()
    except psutil.Error:
        return None
    return getattr(memory, "pss", None)


def _other_kernels() -> tuple[OtherKernel, ...] | None:
    """Return this user's other kernels, the largest first: processes started with a kernel's connection file."""
    ours = psutil.Process()
    try:
        owner = ours.username()
    except (psutil.Error, KeyError):
        return None
    kernels = [
        OtherKernel(pid=process.pid, resident_bytes=process.info["memory_info"].rss)
        for process in psutil.process_iter(["username", "cmdline", "memory_info"])
        if process.pid != ours.pid
        and process.info["username"] == owner
        and process.info["memory_info"] is not None
        and any(_is_connection_file(argument) for argument in process.info["cmdline"] or ())
    ]
    return tuple(sorted(kernels, key=lambda kernel: -kernel.resident_bytes))


def _is_connection_file(argument: str) -> bool:
    name = os.path.basename(argument)
    return name.startswith("kernel-") and name.endswith(".json")
