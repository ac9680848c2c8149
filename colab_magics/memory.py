"""How much memory a process may use: everything that limits it, how large each limit is, and how much it leaves.

It only looks and never raises: a limit that cannot be read, or has an impossible value, is none. Light to import, since
the observer's child imports it too.

Sources: proc(5), getrlimit(2), the kernel's mm/overcommit-accounting.rst and mm/util.c, zfs(4).
"""

from __future__ import annotations

from colab_magics import cgroup, files, procfs
from colab_magics.values import Record


class Machine(Record):
    """The machine's memory."""

    total_bytes: int
    """MemTotal."""
    available_bytes: int
    """MemAvailable, and what the cache of ZFS gives back, which MemAvailable does not count."""
    swap_used_bytes: int | None
    """What is swapped out to disk."""
    committable_bytes: int | None = None
    """CommitLimit: the most memory that the kernel promises to programs where vm.overcommit_memory is 2; None
    otherwise."""
    committed_bytes: int = 0
    """Committed_AS: how much it has promised."""
    shared_bytes: int | None = None
    """Shmem: files in memory (tmpfs), and memory that processes share."""


class Limit(Record):
    """One of the limits on a process's memory."""

    by: str
    """ "machine", "cgroup_v1", "cgroup_v2", "rlimit_as", "rlimit_data" or "commit"."""
    size_bytes: int
    """The most that there can be in use."""
    headroom_bytes: int
    """What can still be allocated under it."""
    level: int | None = None
    """How far up the control group is (0: the process's own); None for all else."""


def machine(root: str = "/") -> Machine | None:
    """Return the machine's memory, None where /proc/meminfo does not tell, or tells what cannot be.

    `root` is a folder that stands for /.
    """
    root = root.rstrip("/")
    try:
        sizes = procfs.sizes(f"{root}/proc/meminfo", *_OF_THE_MACHINE)
    except OSError:
        return None
    total_bytes, available_bytes = sizes.get("MemTotal", 0), sizes.get("MemAvailable")
    if available_bytes is None or not available_bytes <= total_bytes or not total_bytes:
        return None
    swap_used_bytes = sizes.get("SwapTotal", 0) - sizes["SwapFree"] if "SwapFree" in sizes else -1
    return Machine(
        total_bytes,
        available_bytes + _zfs_gives_back(root, total_bytes - available_bytes),
        None if swap_used_bytes < 0 else swap_used_bytes,
        sizes.get("CommitLimit") if _text(f"{root}/proc/sys/vm/overcommit_memory").strip() == "2" else None,
        sizes.get("Committed_AS", 0),
        sizes.get("Shmem"),
    )


def limits(machine: Machine, pid: int | str = "self", root: str = "/") -> tuple[Limit, ...]:
    """Return all that limits a process's memory: the machine first, then its control groups, the nearest first.

    What it may use in all is the least size, and what it can still allocate the least headroom; these may belong to two
    different limits. `root` is a folder that stands for /.
    """
    found = [Limit("machine", machine.total_bytes, machine.available_bytes)]
    found += [
        Limit(f"cgroup_v{level.version}", level.limit_bytes, level.headroom_bytes, level.level)
        for level in cgroup.memory_levels(root, pid)
    ]
    own = _own_limits(f"{root.rstrip('/')}/proc/{pid}/limits")
    if not own and machine.committable_bytes is None:
        return tuple(found)
    try:
        mapped = procfs.sizes(f"{root.rstrip('/')}/proc/{pid}/status", "VmSize", "VmData")
    except OSError:
        mapped = {}
    for by, size_bytes, name in own:
        if name in mapped:
            found.append(Limit(by, size_bytes, max(0, size_bytes - mapped[name])))
    if machine.committable_bytes:
        left_bytes = machine.committable_bytes - machine.committed_bytes
        kept_bytes = _KEPT_FOR_THE_ADMINISTRATOR_BYTES + min(mapped.get("VmSize", 0) // 32, _MOST_KEPT_OF_ONE_BYTES)
        found.append(Limit("commit", machine.committable_bytes, max(0, left_bytes - kept_bytes)))
    return tuple(found)


def capacity(limits: tuple[Limit, ...]) -> Limit:
    """Return the limit that says what the process may use in all."""
    return min(limits, key=lambda limit: limit.size_bytes)


def tightest(limits: tuple[Limit, ...]) -> Limit:
    """Return the limit that bites first."""
    return min(limits, key=lambda limit: limit.headroom_bytes)


# Where the kernel promises no more than there is, it keeps a little back: for the administrator, and for each program a
# 32nd of its size up to this much (the defaults of vm.admin_reserve_kbytes and vm.user_reserve_kbytes).
_KEPT_FOR_THE_ADMINISTRATOR_BYTES = 2**23
_MOST_KEPT_OF_ONE_BYTES = 2**27

_OF_THE_MACHINE = ("MemTotal", "MemAvailable", "SwapTotal", "SwapFree", "CommitLimit", "Committed_AS", "Shmem")
_OWN_LIMITS = (
    ("Max data size ", "rlimit_data", "VmData"),
    ("Max address space ", "rlimit_as", "VmSize"),
)
"""The name in /proc/PID/limits, ours, and what counts against the limit in /proc/PID/status."""


def _own_limits(path: str) -> list[tuple[str, int, str]]:
    """Return the process's own limits: by what, how much, and what counts against it.

    The kernel takes a limit of nothing for the data as a wish to measure, and does not keep to it.
    """
    text = _text(path)
    found = ((by, procfs.size(next(iter(procfs.words(text, label)), "")), name) for label, by, name in _OWN_LIMITS)
    return [(by, size, name) for by, size, name in found if size]


def _zfs_gives_back(root: str, used_bytes: int) -> int:
    """Return what the cache of ZFS would give back; nothing where it is larger than what this machine has in use.

    A container's /proc may show the host's cache beside a memory of its own.
    """
    text = _text(f"{root}/proc/spl/kstat/zfs/arcstats")
    if not text:
        return 0
    size, least = (procfs.size((procfs.words(text, f"{name} ") or [""])[-1]) for name in ("size", "c_min"))
    return max(0, size - least) if size is not None and least is not None and size <= used_bytes else 0


def _text(path: str) -> str:
    try:
        return files.read(path)
    except OSError:
        return ""
