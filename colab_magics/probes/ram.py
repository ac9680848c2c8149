"""RAM: the machine's, what this container may use of it, what this kernel holds."""

from __future__ import annotations

import os
import posixpath

from colab_magics import cgroup, memory, procfs
from colab_magics.model import OtherKernel, Ram, Unavailable, Usage
from colab_magics.observer import child_pid
from colab_magics.probes import children

_EVENTS = "CGROUP_MEMORY_EVENTS"
"""Where Colab names, separated by spaces, the files that count what was killed: of its container, and of its kernels'
group, which a kernel may not see as its own (an environment that users have published, 2025)."""

_PLACES_OF_EVENTS = ("/sys/fs/cgroup/", "/var/colab/cgroup/")
_MOST_EVENTS = 4


def probe_ram(*, everything: bool = False, root: str = "/") -> Ram | Unavailable:
    """Look at RAM.

    `everything` adds what is expensive: 10 ms per GB that this kernel holds, and a scan of all processes.
    """
    machine = memory.machine(root) or _machine_by_psutil()
    if isinstance(machine, Unavailable):
        return machine
    if not 0 <= machine.available_bytes <= machine.total_bytes < procfs.IMPOSSIBLE_BYTES or not machine.total_bytes:
        return Unavailable(code="impossible")
    limits = memory.limits(machine, root=root)
    capacity, tightest = memory.capacity(limits), memory.tightest(limits)
    told_bytes = resident_bytes(os.getpid())
    kernel_bytes = _possible(told_bytes, machine.total_bytes)
    below = children.look(
        kernel_bytes,
        capacity_bytes=capacity.size_bytes,
        most_bytes=min(map(_most_in_use_bytes, limits)),
        but=child_pid(),
        everything=everything,
    )
    return Ram(
        machine=Usage(total_bytes=machine.total_bytes, used_bytes=machine.total_bytes - machine.available_bytes),
        available_bytes=machine.available_bytes,
        capacity_bytes=capacity.size_bytes,
        capacity_by=capacity.by,
        swap_used_bytes=_swap_used_bytes(machine, root),
        headroom_bytes=tightest.headroom_bytes,
        limited_by=tightest.by,
        limit_bytes=tightest.size_bytes,
        limit_level=tightest.level,
        kernel_bytes=kernel_bytes,
        children_bytes=below.held_bytes,
        observer_bytes=_observer_bytes(),
        kernel_proportional_bytes=_possible(_proportional_bytes(), machine.total_bytes) if everything else None,
        other_kernels=_other_kernels() if everything else None,
        shared_bytes=_shared_bytes(machine, tightest, root),
        killed_for_memory=cgroup.killed_for_memory(_events(), root),
        unavailable=(
            *((("kernel_bytes", "impossible"),) if kernel_bytes != told_bytes else ()),
            *((("children_bytes", below.why_unknown),) if below.why_unknown is not None else ()),
        ),
    )


def _machine_by_psutil() -> memory.Machine | Unavailable:
    """Return the machine's memory where /proc/meminfo does not tell it."""
    from colab_magics.probes import by_psutil

    try:
        return by_psutil.machine()
    except by_psutil.ERRORS as error:
        return Unavailable(code="unreadable", values=(("error", type(error).__name__),))


def _possible(size_bytes: int | None, most_bytes: int) -> int | None:
    return size_bytes if size_bytes is not None and 0 <= size_bytes <= most_bytes else None


def _swap_used_bytes(machine: memory.Machine, root: str) -> int | None:
    """Return what is swapped out of this process's own group, where it has a limit: the rest is others'."""
    levels = cgroup.memory_levels(root) if machine.swap_used_bytes else ()
    return cgroup.swap_used_bytes(levels[0], root) if levels else machine.swap_used_bytes


def _shared_bytes(machine: memory.Machine, tightest: memory.Limit, root: str) -> int | None:
    """Return the shared part of what counts against the limit reached first; a process's own counts none."""
    if tightest.by == "machine":
        return machine.shared_bytes
    return None if tightest.level is None else cgroup.shared_bytes(tightest.level, root)


def _events() -> tuple[str, ...]:
    """Return the counters that the environment names; of a place where there are others' files, none."""
    named = os.environ.get(_EVENTS, "").split()[:_MOST_EVENTS]
    return tuple(path for path in named if path.startswith(_PLACES_OF_EVENTS) and path == posixpath.normpath(path))


def resident_bytes(pid: int) -> int | None:
    """Return the resident memory of a process, None if it has ended or may not be read."""
    try:
        return procfs.resident_bytes(pid)[0]
    except OSError:  # it has ended, or this system has no /proc
        from colab_magics.probes import by_psutil

        return by_psutil.resident_bytes(pid)


def _most_in_use_bytes(limit: memory.Limit) -> int:
    """Return how much all processes under a limit can hold; a limit of this process alone says nothing of others."""
    if limit.by == "machine":
        return limit.size_bytes - limit.headroom_bytes
    return limit.size_bytes if limit.level is not None else procfs.IMPOSSIBLE_BYTES


def _observer_bytes() -> int:
    observer = child_pid()
    return 0 if observer is None else resident_bytes(observer) or 0


def _proportional_bytes() -> int | None:
    """Return this process's PSS: its own pages and its share of those it has in common with others."""
    try:
        told_bytes = procfs.proportional_bytes(os.getpid())
    except OSError:  # this system has no such file
        told_bytes = None
    if told_bytes:
        return told_bytes
    from colab_magics.probes import by_psutil

    return by_psutil.proportional_bytes()


def _other_kernels() -> tuple[OtherKernel, ...] | None:
    """Return this user's other kernels, the largest first: processes started with a kernel's connection file."""
    from colab_magics.probes import by_psutil

    processes = by_psutil.processes_of_this_user()
    if processes is None:
        return None
    pids = [one.pid for one in processes if one.pid != os.getpid() and _is_kernel(one.command)]
    sizes = {pid: resident_bytes(pid) for pid in pids}
    kernels = [OtherKernel(pid=pid, resident_bytes=size) for pid, size in sizes.items() if size is not None]
    return tuple(sorted(kernels, key=lambda kernel: -kernel.resident_bytes))


def _is_kernel(command: tuple[str, ...]) -> bool:
    """Tell whether a command starts a kernel: with a connection file, which nbclient and others call as they like.

    `-f FILE.json` alone could be any program's; a kernel's launcher has "kernel" in its name, or is one of xeus's.
    """
    files = [
        argument
        for before, argument in zip(("", *command), command, strict=False)
        if argument.endswith(".json") and (before == "-f" or argument.startswith(("-f", "--f=")))
    ]
    is_launcher = any("kernel" in word for word in command if word not in files) or (
        os.path.basename(command[0]).startswith("x") if command else False
    )
    named_for_it = any(os.path.basename(word).startswith("kernel-") and word.endswith(".json") for word in command)
    return named_for_it or (bool(files) and is_launcher)
