"""The limits that the process's own control groups set, in cgroup v1 and v2: memory and CPU time.

It only looks and never raises: a file that cannot be read means that its level says nothing, and where there are no
control groups (not Linux) every answer is empty. Light to import, since the observer's child imports it too.

Sources: cgroups(7), proc_pid_mountinfo(5), the kernel's admin-guide/cgroup-v1/memory.rst and admin-guide/cgroup-v2.rst.
"""

from __future__ import annotations

import os
from functools import lru_cache

from colab_magics.files import read, read_bytes
from colab_magics.procfs import IMPOSSIBLE_BYTES, size, words
from colab_magics.values import Record


class MemoryLevel(Record):
    """A control group with a memory limit: the process's own, or one above it.

    At the limit the kernel kills processes, or slows them down almost to a standstill (v2's memory.high).
    """

    version: int
    """Of the hierarchy: 1 or 2."""
    level: int
    """How far above the process: 0 is its own group, 1 that group's parent."""
    limit_bytes: int
    """memory.limit_in_bytes (v1), the lesser of memory.max and memory.high (v2)."""
    used_bytes: int
    """What the group and all below it use, without what the kernel takes back before it kills: files that it has read,
    and its own caches. MemAvailable counts these as free for the whole machine, too."""

    @property
    def headroom_bytes(self) -> int:
        """What can at least still be allocated under this limit; swap is not counted."""
        return max(0, self.limit_bytes - self.used_bytes)


def memory_levels(root: str = "/", pid: int | str = "self") -> tuple[MemoryLevel, ...]:
    """Return the levels that have a memory limit, nearest the process first; `root` is a folder that stands for /.

    What the process can allocate is the least `headroom_bytes` of all levels. A level that the mount hides shows in v1
    by the least limit of all levels; at least as much is used there as in the topmost group that is shown.
    """
    groups = _own_groups(root, "memory", pid)
    # What is read of the nearest group is needed for the levels that are not shown too.
    nearest = _statistics(groups.folders[0]) if groups.version == 1 and groups.folders else None
    found = [
        _memory_level(groups.version, level, folder, None if level else nearest)
        for level, folder in enumerate(groups.folders)
    ]
    levels = [level for level in found if level is not None]
    if nearest is not None:
        least_bytes = _statistic(nearest, "hierarchical_memory_limit")
        if 0 < least_bytes < min([IMPOSSIBLE_BYTES, *(level.limit_bytes for level in levels)]):
            used_bytes = _memory_used_bytes(1, groups.folders[-1])
            if used_bytes is not None:
                levels.append(MemoryLevel(1, len(groups.folders), least_bytes, used_bytes))
    return tuple(levels)


def swap_used_bytes(level: MemoryLevel, root: str = "/", pid: int | str = "self") -> int | None:
    """Return what the group of a level and all below it have in swap, None if that is not told.

    `root` is a folder that stands for /.
    """
    groups = _own_groups(root, "memory", pid)
    if not groups.folders:
        return None
    folder = groups.folders[min(level.level, len(groups.folders) - 1)]
    if groups.version == 1:
        both_bytes = _bytes(f"{folder}/memory.memsw.usage_in_bytes")
        usage_bytes = _bytes(f"{folder}/memory.usage_in_bytes")
        return None if both_bytes is None or usage_bytes is None else max(0, both_bytes - usage_bytes)
    return _bytes(f"{folder}/memory.swap.current")


def shared_bytes(level: int, root: str = "/", pid: int | str = "self") -> int | None:
    """Return how much of a level's memory is files (tmpfs) and memory that processes share, None if that is not told.

    The kernel gives it back when the files are deleted, not before it kills. `root` is a folder that stands for /.
    """
    groups = _own_groups(root, "memory", pid)
    if level >= len(groups.folders):
        return None
    told = "".join(words(_statistics(groups.folders[level]), f"{_MEMORY_NAMES[groups.version].shared} "))
    return size(told)


def killed_for_memory(events: tuple[str, ...] = (), root: str = "/", pid: int | str = "self") -> int | None:
    """Return how many processes of the own group the kernel has killed for lack of memory, None if that is not told.

    At least so many, since the group was made; which, and whose they were, nobody tells. `events` are further files
    that a service names as such counters: of several the largest counts, since one group may lie in another. `root` is
    a folder that stands for /.
    """
    groups = _own_groups(root, "memory", pid)
    files = [f"{groups.folders[0]}/{_MEMORY_NAMES[groups.version].events}"] if groups.folders else []
    told = [_killed(path) for path in (*files, *(f"{root.rstrip('/')}{path}" for path in events))]
    return max((count for count in told if count is not None), default=None)


def peak_file(root: str = "/", pid: int | str = "self") -> str | None:
    """Return the file that tells the most that the own group has used, v2's memory.peak; None in v1.

    `root` is a folder that stands for /.
    """
    groups = _own_groups(root, "memory", pid)
    return f"{groups.folders[0]}/memory.peak" if groups.version == 2 and groups.folders else None  # noqa: PLR2004 - v2


def cpu_quota_cores(root: str = "/") -> float | None:
    """Return how many cores the process may keep busy: the least quota of all levels, None if no level has one.

    `root` is a folder that stands for /.
    """
    return min((cores for _, cores in _cpu_quotas(_own_groups(root, "cpu"))), default=None)


class CpuQuota(Record):
    """The quota that bites: of all levels', the least; of several alike, the one nearest the process."""

    group: str
    """The folder of the control group that has it."""
    cores: float
    """How many cores the group may keep busy."""
    used_seconds: float | None
    """CPU time of the group and all below it since it was made; None if that cannot be read."""


def cpu_quota(root: str = "/") -> CpuQuota | None:
    """Return the least CPU quota and how much of it was ever used, None if no level has one.

    `root` is a folder that stands for /.
    """
    groups = _own_groups(root, "cpu")
    level, cores = min(_cpu_quotas(groups), key=lambda quota: quota[1], default=(0, None))
    if cores is None:
        return None
    return CpuQuota(groups.folders[level], cores, _cpu_used_seconds(root, groups, level))


class _Groups(Record):
    """The groups of one hierarchy that the process is in: their folders, from its own up to the root of the mount."""

    version: int
    path: str
    """Of the process's own group in the hierarchy."""
    folders: tuple[str, ...]


class _MemoryNames(Record):
    limits: tuple[str, ...]
    usage: str
    given_back: tuple[str, ...]
    """The fields of memory.stat for what the kernel takes back before it kills."""
    shared: str
    """Its field for files in memory and memory that processes share."""
    events: str
    """The file that counts the processes that were killed."""


_MEMORY_NAMES = {
    1: _MemoryNames(
        ("memory.limit_in_bytes",),
        "memory.usage_in_bytes",
        ("total_inactive_file", "total_active_file"),
        "total_shmem",
        "memory.oom_control",
    ),
    2: _MemoryNames(
        ("memory.max", "memory.high"),
        "memory.current",
        ("inactive_file", "active_file", "slab_reclaimable"),
        "shmem",
        "memory.events",
    ),
}


def _memory_level(version: int, level: int, folder: str, statistics: str | None) -> MemoryLevel | None:
    # A limit of 0 cannot be: no process could live in that group.
    limits = filter(None, (_bytes(f"{folder}/{name}") for name in _MEMORY_NAMES[version].limits))
    limit_bytes = min(limits, default=None)
    used_bytes = None if limit_bytes is None else _memory_used_bytes(version, folder, statistics)
    if limit_bytes is None or used_bytes is None:
        return None
    return MemoryLevel(version, level, limit_bytes, used_bytes)


def _memory_used_bytes(version: int, folder: str, statistics: str | None = None) -> int | None:
    """Return what a group uses and will not give back; where memory.stat does not tell, it gives nothing back."""
    names = _MEMORY_NAMES[version]
    usage_bytes = _bytes(f"{folder}/{names.usage}")
    if usage_bytes is None:
        return None
    statistics = _statistics(folder) if statistics is None else statistics
    given_back_bytes = sum(_statistic(statistics, name) for name in names.given_back)
    # The counters behind memory.stat lag behind the usage, so the difference of an almost empty group can be negative.
    return max(0, usage_bytes - given_back_bytes)


def _statistics(folder: str) -> str:
    try:
        return read(f"{folder}/memory.stat")
    except OSError:
        return ""


def _statistic(statistics: str, name: str) -> int:
    """Return a size in memory.stat; 0 if it does not tell, or tells what cannot be."""
    return (size("".join(words(statistics, f"{name} "))) or 0) if statistics else 0


def _bytes(path: str) -> int | None:
    """Return the size that a file holds; None if it is none ("max" is v2's word for no limit) or cannot be.

    v1 writes "no limit" as a number just under 2**63 that depends on the page size.
    """
    try:
        return size(read(path).strip())
    except OSError:
        return None


# Such a file has a few short lines.
_MOST_EVENTS_BYTES = 4096


def _killed(path: str) -> int | None:
    try:
        return size("".join(words(read(path, _MOST_EVENTS_BYTES), "oom_kill ")))
    except OSError:
        return None


# The kernel takes no other period (scheduler/sched-bwc.rst).
_LEAST_MICROSECONDS = 1_000
_MOST_MICROSECONDS = 1_000_000


def _cpu_quotas(groups: _Groups) -> list[tuple[int, float]]:
    """Return the level and the cores of each quota, nearest the process first."""
    quotas = ((level, _cpu_quota_cores(groups.version, folder)) for level, folder in enumerate(groups.folders))
    return [(level, cores) for level, cores in quotas if cores is not None]


def _cpu_quota_cores(version: int, folder: str) -> float | None:
    try:
        if version == 1:
            quota, period = (read(f"{folder}/cpu.cfs_{name}_us").strip() for name in ("quota", "period"))
        else:
            quota, period = read(f"{folder}/cpu.max").split()
    except (OSError, ValueError):
        return None
    # What is no number says that there is no limit: "-1" in v1, "max" in v2.
    quota_microseconds, period_microseconds = size(quota), size(period) or 0
    if not quota_microseconds or not _LEAST_MICROSECONDS <= period_microseconds <= _MOST_MICROSECONDS:
        return None
    return quota_microseconds / period_microseconds


def _cpu_used_seconds(root: str, groups: _Groups, level: int) -> float | None:
    try:
        if groups.version == 1:
            # Some systems mount v1's accounting apart: it is of the same group only where the paths are the same.
            accounting = _own_groups(root, "cpuacct")
            if accounting.path != groups.path or len(accounting.folders) != len(groups.folders):
                return None
            used, of_a_second = size(read(f"{accounting.folders[level]}/cpuacct.usage").strip()), 1e9
        else:
            used, of_a_second = size("".join(words(read(f"{groups.folders[level]}/cpu.stat"), "usage_usec "))), 1e6
    except OSError:
        return None
    return None if used is None else used / of_a_second


def _own_groups(root: str, controller: str, pid: int | str = "self") -> _Groups:
    root = root.rstrip("/")
    try:
        return _find_groups(root, os.fsdecode(read_bytes(f"{root}/proc/{pid}/cgroup")), controller)
    except (OSError, ValueError):
        return _Groups(2, "", ())


# mountinfo takes longest to read, and the mounts of control groups do not change under a running process: it is read
# once for each membership. A failure to read it is not kept.
@lru_cache(maxsize=16)
def _find_groups(root: str, memberships: str, controller: str) -> _Groups:
    version, path = _hierarchy(memberships, controller)
    mounts = _mounts(os.fsdecode(read_bytes(f"{root}/proc/self/mountinfo")), version, controller)
    chains = [_chain(root + mount_point, mount_root, path) for mount_point, mount_root in mounts.items()]
    # Of several mounts, the one that shows the most levels. Where none shows the process's own group (in a cgroup
    # namespace the path may lead outside it), the root of the mount is the nearest group that is known.
    visible = [chain for chain in chains if chain and os.access(chain[0], os.F_OK)]
    nearest_known = tuple(root + mount_point for mount_point in mounts)[:1]
    return _Groups(version, path, max(visible, key=len, default=nearest_known))


def _hierarchy(memberships: str, controller: str) -> tuple[int, str]:
    """Return the version of the hierarchy that holds the controller, and the process's path in it.

    A hybrid system lists v2 as well, without this controller: v1 comes first.
    """
    unified_path = None
    for line in memberships.split("\n"):
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controller in controllers.split(","):
            return 1, path
        if number == "0" and not controllers:
            unified_path = path
    if unified_path is None:
        raise ValueError(memberships)
    return 2, unified_path


def _mounts(mountinfo: str, version: int, controller: str) -> dict[str, str]:
    """Return mount point and mounted root of each mount of the hierarchy; a later mount at the same point hides it."""
    filesystem = "cgroup" if version == 1 else "cgroup2"
    mounts = {}
    for line in mountinfo.split("\n"):
        place, _, source = line.partition(" - ")
        if not source.startswith(f"{filesystem} "):
            continue
        options = source.rpartition(" ")[2].split(",")
        if version == 1 and controller not in options:
            continue
        mount_root, mount_point = place.split(" ")[3:5]
        mounts[_unescape(mount_point)] = _unescape(mount_root)
    return mounts


def _unescape(field: str) -> str:
    r"""Undo what the kernel writes for a space, a tab, a line end and a backslash, such as \040."""
    # The backslash last: what it gives back must not be read as the start of another escape.
    for character in " \t\n\\":
        field = field.replace(f"\\{ord(character):03o}", character)
    return field


def _chain(mount_point: str, mount_root: str, path: str) -> tuple[str, ...]:
    """Return the folders from the group at `path` up to the mount point, none if the mount does not reach it."""
    mount_root = mount_root.rstrip("/")
    if not f"{path}/".startswith(f"{mount_root}/"):
        return ()
    steps = [step for step in path[len(mount_root) :].split("/") if step]
    if ".." in steps:
        return ()
    return tuple("/".join((mount_point, *steps[:depth])) for depth in range(len(steps), -1, -1))
