"""Control groups for tests: systems laid out as folders, and real groups, where they can be made."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

MIB = 2**20
GIB = 2**30

V1_MEMORY = "/sys/fs/cgroup/memory"
V1_CPU = "/sys/fs/cgroup/cpu,cpuacct"
V2 = "/sys/fs/cgroup"
# What v1 writes for "no limit" where a page has 4 KiB.
V1_NO_LIMIT = 9223372036854771712


def v1_mount(controllers: str, at: str, *, root: str = "/") -> str:
    return f"32 31 0:29 {root} {at} rw,relatime shared:9 - cgroup cgroup rw,{controllers}"


def v2_mount(at: str = V2, *, root: str = "/") -> str:
    return f"29 23 0:26 {root} {at} rw,nosuid shared:4 master:1 - cgroup2 cgroup2 rw,nsdelegate"


def memory_files(  # noqa: PLR0913 - as many as the kernel tells
    version: int,
    *,
    limit: int | None,
    usage: int = 0,
    inactive_file: int = 0,
    active_file: int = 0,
    slab_reclaimable: int = 0,
    shmem: int = 0,
) -> dict[str, str]:
    """Return the files of a group in bytes; `limit` None is "no limit" as the kernel writes it."""
    if version == 1:
        return {
            "memory.limit_in_bytes": f"{V1_NO_LIMIT if limit is None else limit}\n",
            "memory.usage_in_bytes": f"{usage}\n",
            "memory.stat": f"cache 1\ninactive_file 2\ntotal_inactive_file {inactive_file}\n"
            f"total_active_file {active_file}\nshmem 3\ntotal_shmem {shmem}\n",
        }
    return {
        "memory.max": f"{'max' if limit is None else limit}\n",
        "memory.current": f"{usage}\n",
        "memory.stat": f"anon 1\nfile 2\ninactive_file {inactive_file}\nactive_file {active_file}\n"
        f"slab_reclaimable {slab_reclaimable}\nshmem {shmem}\n",
    }


def cpu_files(version: int, quota: str, period: int = 100_000) -> dict[str, str]:
    """Return the files of a group; the quota is in microseconds, or what this version writes for "no limit"."""
    if version == 1:
        return {"cpu.cfs_quota_us": f"{quota}\n", "cpu.cfs_period_us": f"{period}\n"}
    return {"cpu.max": f"{quota} {period}\n"}


def build_root(folder: Path, membership: str, mounts: list[str], groups: dict[str, dict[str, str]]) -> str:
    """Make `folder` stand for /: what the process is a member of, what is mounted, the files in each folder."""
    mountinfo = "\n".join(["22 27 0:21 / /proc rw - proc proc rw", *mounts, "27 1 254:0 / / rw - ext4 /dev/vda rw", ""])
    process = {"cgroup": f"{membership}\n", "mountinfo": mountinfo}
    for place, files in {"/proc/self": process, **groups}.items():
        (folder / place[1:]).mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / place[1:] / name).write_text(text)
    return str(folder)


def build_nested(folder: Path, version: int, groups: dict[str, dict[str, str]]) -> str:
    """Make a system of one version, the process in its group /parent/own."""
    if version == 2:
        places = {f"{V2}{path}": files for path, files in groups.items()}
        return build_root(folder, "0::/parent/own", [v2_mount()], places)
    return build_root(
        folder,
        "5:cpu,cpuacct:/parent/own\n4:memory:/parent/own",
        [v1_mount("memory", V1_MEMORY), v1_mount("cpu,cpuacct", V1_CPU)],
        {
            f"{mount}{path}": {name: text for name, text in files.items() if name.startswith(kind)}
            for mount, kind in ((V1_MEMORY, "memory."), (V1_CPU, "cpu"))
            for path, files in groups.items()
        },
    )


def possible_parents() -> Iterator[Path]:
    """Give the process's own group of the memory controller and those above it, at the usual mount points."""
    membership = Path("/proc/self/cgroup")
    for line in membership.read_text().splitlines() if membership.exists() else ():
        _, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(",") or not controllers:
            mount = Path(V1_MEMORY if controllers else V2)
            own = mount / path[1:]
            yield from (group for group in (own, *own.parents) if group.is_relative_to(mount))


def limit_memory(group: Path, limit_bytes: int) -> None:
    """Set the limit and forbid swap. An OSError means that this group's memory cannot be limited."""
    if not (group / "cgroup.procs").exists():
        raise FileNotFoundError(group)  # an ordinary folder, beside the mount points of a hybrid system
    if (group / "memory.limit_in_bytes").exists():
        (group / "memory.limit_in_bytes").write_text(f"{limit_bytes}")
        (group / "memory.swappiness").write_text("0")
    else:
        (group / "memory.max").write_text(f"{limit_bytes}")
        if (group / "memory.swap.max").exists():
            (group / "memory.swap.max").write_text("0")


def make_group(limit_bytes: int, above: Path | None = None) -> Path | None:
    """Make a group with little memory below `above`, by default at the first place where that is allowed."""
    for parent in possible_parents() if above is None else (above,):
        try:
            group = Path(tempfile.mkdtemp(prefix="colab_magics_test_", dir=parent))
        except OSError:
            continue
        try:
            limit_memory(group, limit_bytes)
            # To make a group is not yet to be allowed to move a process into it.
            subprocess.run(["/bin/sh", "-c", f"echo 0 >'{group}/cgroup.procs'"], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            remove_group(group)
        else:
            return group
    return None


def remove_group(group: Path) -> None:
    """Remove the group, which the kernel may keep busy for a moment after its last process has ended."""
    deadline = time.monotonic() + 5
    while group.exists():
        try:
            group.rmdir()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
