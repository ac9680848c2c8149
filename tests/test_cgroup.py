"""What the control groups allow: systems built as folders, and one real group that really runs out of memory."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from colab_magics import cgroup
from colab_magics.cgroup import CpuQuota, MemoryLevel, cpu_quota, cpu_quota_cores, memory_levels

MIB = 2**20
GIB = 2**30

V1_MEMORY = "/sys/fs/cgroup/memory"
V1_CPU = "/sys/fs/cgroup/cpu,cpuacct"
V2 = "/sys/fs/cgroup"
# What v1 writes for "no limit" where a page has 4 KiB.
V1_NO_LIMIT = 9223372036854771712

both_versions = pytest.mark.parametrize("version", [1, 2])


def v1_mount(controllers: str, at: str, *, root: str = "/") -> str:
    return f"32 31 0:29 {root} {at} rw,relatime shared:9 - cgroup cgroup rw,{controllers}"


def v2_mount(at: str = V2, *, root: str = "/") -> str:
    return f"29 23 0:26 {root} {at} rw,nosuid shared:4 master:1 - cgroup2 cgroup2 rw,nsdelegate"


def memory_files(version: int, *, limit: int | None, usage: int = 0, inactive_file: int = 0) -> dict[str, str]:
    """Return the files of a group in bytes; `limit` None is "no limit" as the kernel writes it."""
    if version == 1:
        return {
            "memory.limit_in_bytes": f"{V1_NO_LIMIT if limit is None else limit}\n",
            "memory.usage_in_bytes": f"{usage}\n",
            "memory.stat": f"cache 1\ninactive_file 2\ntotal_inactive_file {inactive_file}\ntotal_active_file 3\n",
        }
    return {
        "memory.max": f"{'max' if limit is None else limit}\n",
        "memory.current": f"{usage}\n",
        "memory.stat": f"anon 1\nfile 2\ninactive_file {inactive_file}\nactive_file 3\n",
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


@both_versions
def test_the_limit_of_the_own_group_counts(tmp_path: Path, version: int) -> None:
    groups = {
        "/parent": memory_files(version, limit=None, usage=8 * GIB),
        "/parent/own": memory_files(version, limit=4 * GIB, usage=1 * GIB),
    }
    (level,) = memory_levels(build_nested(tmp_path, version, groups))
    assert level == MemoryLevel(version, 0, 4 * GIB, 1 * GIB)
    assert level.headroom_bytes == 3 * GIB


@both_versions
def test_the_limit_of_the_parent_counts_too(tmp_path: Path, version: int) -> None:
    groups = {
        "/parent": memory_files(version, limit=6 * GIB, usage=5 * GIB),
        "/parent/own": memory_files(version, limit=4 * GIB, usage=1 * GIB),
    }
    own, parent = memory_levels(build_nested(tmp_path, version, groups))
    assert own == MemoryLevel(version, 0, 4 * GIB, 1 * GIB)
    assert parent == MemoryLevel(version, 1, 6 * GIB, 5 * GIB)


@both_versions
def test_the_limit_at_the_root_of_the_mount_counts_too(tmp_path: Path, version: int) -> None:
    unlimited = memory_files(version, limit=None)
    groups = {"": memory_files(version, limit=6 * GIB, usage=5 * GIB), "/parent": unlimited, "/parent/own": unlimited}
    assert memory_levels(build_nested(tmp_path, version, groups)) == (MemoryLevel(version, 2, 6 * GIB, 5 * GIB),)


@both_versions
def test_the_inactive_file_cache_counts_as_free(tmp_path: Path, version: int) -> None:
    files = memory_files(version, limit=4 * GIB, usage=4 * GIB, inactive_file=3 * GIB)
    (level,) = memory_levels(build_nested(tmp_path, version, {"/parent/own": files}))
    assert (level.used_bytes, level.headroom_bytes) == (1 * GIB, 3 * GIB)


@both_versions
def test_a_level_neither_uses_nor_leaves_less_than_nothing(tmp_path: Path, version: int) -> None:
    groups = {
        "/parent": memory_files(version, limit=1 * GIB, usage=1 * GIB + 4096),
        "/parent/own": memory_files(version, limit=1 * GIB, usage=4096, inactive_file=8192),
    }
    own, parent = memory_levels(build_nested(tmp_path, version, groups))
    assert (own.used_bytes, parent.headroom_bytes) == (0, 0)


@both_versions
def test_without_a_limit_there_is_no_level(tmp_path: Path, version: int) -> None:
    unlimited = memory_files(version, limit=None, usage=1 * GIB)
    # The root of a v2 hierarchy has no file for the limit at all.
    groups = {"": {}, "/parent": unlimited, "/parent/own": unlimited}
    assert memory_levels(build_nested(tmp_path, version, groups)) == ()


@both_versions
def test_a_negative_limit_is_none(tmp_path: Path, version: int) -> None:
    files = memory_files(version, limit=-1, usage=1 * GIB)
    assert memory_levels(build_nested(tmp_path, version, {"/parent/own": files})) == ()


@both_versions
def test_a_group_without_the_controller_does_not_end_the_way_up(tmp_path: Path, version: int) -> None:
    groups = {"/parent": memory_files(version, limit=4 * GIB, usage=1 * GIB), "/parent/own": {"cgroup.procs": "7\n"}}
    assert memory_levels(build_nested(tmp_path, version, groups)) == (MemoryLevel(version, 1, 4 * GIB, 1 * GIB),)


def test_a_hybrid_system_is_read_where_its_controllers_are(tmp_path: Path) -> None:
    root = build_root(
        tmp_path,
        "9:name=systemd:/service\n4:memory:/service\n0::/elsewhere",
        [
            v2_mount("/sys/fs/cgroup/unified"),
            v1_mount("name=systemd", "/sys/fs/cgroup/systemd"),
            v1_mount("memory", V1_MEMORY),
        ],
        {
            "/sys/fs/cgroup/unified/elsewhere": cpu_files(2, "150000"),
            f"{V1_MEMORY}/service": memory_files(1, limit=4 * GIB, usage=1 * GIB),
        },
    )
    assert memory_levels(root) == (MemoryLevel(1, 0, 4 * GIB, 1 * GIB),)
    assert cpu_quota_cores(root) == 1.5


@both_versions
def test_in_a_container_without_a_namespace_the_mount_is_the_own_group(tmp_path: Path, version: int) -> None:
    container = "/docker/c0ffee"
    v1 = f"4:memory:{container}", [v1_mount("memory", V1_MEMORY, root=container)]
    v2 = f"0::{container}", [v2_mount(V1_MEMORY, root=container)]
    groups = {V1_MEMORY: memory_files(version, limit=4 * GIB, usage=1 * GIB)}
    root = build_root(tmp_path, *(v1 if version == 1 else v2), groups)
    assert memory_levels(root) == (MemoryLevel(version, 0, 4 * GIB, 1 * GIB),)


def test_in_a_container_without_a_namespace_a_group_below_the_mount_is_found(tmp_path: Path) -> None:
    root = build_root(
        tmp_path,
        "4:memory:/docker/c0ffee/kernel",
        [v1_mount("memory", V1_MEMORY, root="/docker/c0ffee")],
        {
            V1_MEMORY: memory_files(1, limit=4 * GIB, usage=2 * GIB),
            f"{V1_MEMORY}/kernel": memory_files(1, limit=3 * GIB, usage=1 * GIB),
        },
    )
    assert memory_levels(root) == (MemoryLevel(1, 0, 3 * GIB, 1 * GIB), MemoryLevel(1, 1, 4 * GIB, 2 * GIB))


@pytest.mark.parametrize(
    ("path", "mount_root"),
    [
        ("/docker/c0ffee", "/"),
        ("/docker/c0ffee", "/docker/c0"),
        ("/docker", "/docker/c0ffee"),
        ("/../../neighbour", "/"),
        ("/..", "/"),
        ("/", "/../.."),
    ],
)
def test_where_the_mount_does_not_show_the_own_group_its_root_is_level_0(
    tmp_path: Path, path: str, mount_root: str
) -> None:
    root = build_root(
        tmp_path,
        f"0::{path}",
        [v2_mount(root=mount_root)],
        {
            V2: memory_files(2, limit=4 * GIB, usage=1 * GIB),
            # Groups that are not the process's, each at a place that its path seems to name.
            f"{V2}/docker": memory_files(2, limit=1 * GIB),
            f"{V2}/ffee": memory_files(2, limit=1 * GIB),
            "/sys/fs": memory_files(2, limit=1 * GIB),
            "/sys/neighbour": memory_files(2, limit=1 * GIB),
        },
    )
    assert memory_levels(root) == (MemoryLevel(2, 0, 4 * GIB, 1 * GIB),)


@pytest.mark.parametrize(
    ("mount_root", "mount_point", "path", "place"),
    [
        (r"/", r"/sys/fs/control\040groups", "/a group", "/sys/fs/control groups/a group"),
        (r"/back\134slash\011tab", r"/sys/fs/cgroup", "/back\\slash\ttab/own:1", "/sys/fs/cgroup/own:1"),
        (r"/", r"/sys/fs/not\134040a\134space", "/own", "/sys/fs/not\\040a\\space/own"),
    ],
)
def test_escaped_characters_in_names_are_understood(
    tmp_path: Path, mount_root: str, mount_point: str, path: str, place: str
) -> None:
    mounts = [v1_mount("memory", mount_point, root=mount_root)]
    root = build_root(tmp_path, f"4:memory:{path}", mounts, {place: memory_files(1, limit=4 * GIB, usage=1 * GIB)})
    assert memory_levels(root) == (MemoryLevel(1, 0, 4 * GIB, 1 * GIB),)


def test_of_several_mounts_the_one_that_shows_the_most_levels_counts(tmp_path: Path) -> None:
    root = build_root(
        tmp_path,
        "0::/machine/own",
        [v2_mount("/mnt/part", root="/machine"), v2_mount(), v2_mount("/mnt/empty")],
        {
            "/mnt/part/own": memory_files(2, limit=2 * GIB),
            f"{V2}/machine": memory_files(2, limit=1 * GIB),
            f"{V2}/machine/own": memory_files(2, limit=2 * GIB),
        },
    )
    assert memory_levels(root) == (MemoryLevel(2, 0, 2 * GIB, 0), MemoryLevel(2, 1, 1 * GIB, 0))


def test_a_mount_hides_an_earlier_one_at_the_same_place(tmp_path: Path) -> None:
    groups = {f"{V2}/own": memory_files(2, limit=2 * GIB)}
    root = build_root(tmp_path, "0::/machine/own", [v2_mount(root="/"), v2_mount(root="/machine")], groups)
    assert memory_levels(root) == (MemoryLevel(2, 0, 2 * GIB, 0),)


def test_a_process_that_is_moved_is_followed(tmp_path: Path) -> None:
    groups = {f"{V2}/one": memory_files(2, limit=1 * GIB), f"{V2}/two": memory_files(2, limit=2 * GIB)}
    root = build_root(tmp_path, "0::/one", [v2_mount()], groups)
    assert memory_levels(root) == (MemoryLevel(2, 0, 1 * GIB, 0),)
    (tmp_path / "proc/self/cgroup").write_text("0::/two\n")
    assert memory_levels(root) == (MemoryLevel(2, 0, 2 * GIB, 0),)


@both_versions
@pytest.mark.parametrize("text", ["", "\n", "lots\n", "1.5\n", "1073741824 1073741824\n", "\0", "9" * 5000])
@pytest.mark.parametrize("position", [0, 1, 2], ids=["limit", "usage", "statistics"])
def test_a_level_whose_files_make_no_sense_says_nothing(tmp_path: Path, version: int, position: int, text: str) -> None:
    parent = memory_files(version, limit=4 * GIB, usage=1 * GIB)
    own = memory_files(version, limit=1 * GIB)
    own[list(own)[position]] = text
    root = build_nested(tmp_path, version, {"/parent": parent, "/parent/own": own})
    assert memory_levels(root) == (MemoryLevel(version, 1, 4 * GIB, 1 * GIB),)


@both_versions
@pytest.mark.parametrize("position", [0, 1, 2], ids=["limit", "usage", "statistics"])
def test_a_level_whose_files_cannot_be_read_says_nothing(tmp_path: Path, version: int, position: int) -> None:
    parent = memory_files(version, limit=4 * GIB, usage=1 * GIB)
    own = memory_files(version, limit=1 * GIB)
    # A folder, which nobody can read as a file: permissions would not stop the tests of an administrator.
    unreadable = list(own)[position]
    del own[unreadable]
    root = build_nested(tmp_path, version, {"/parent": parent, "/parent/own": own, f"/parent/own/{unreadable}": {}})
    assert memory_levels(root) == (MemoryLevel(version, 1, 4 * GIB, 1 * GIB),)


@pytest.mark.parametrize("text", ["", "\n", "garbage", "4:memory", "::::\n", "\0", "0:name=systemd:/own"])
def test_memberships_that_make_no_sense_mean_no_limit_is_known(tmp_path: Path, text: str) -> None:
    files = {**memory_files(2, limit=1 * GIB), **cpu_files(2, "50000")}
    root = build_root(tmp_path, text, [v2_mount()], {V2: files})
    assert memory_levels(root) == ()
    assert cpu_quota_cores(root) is None


@pytest.mark.parametrize("line", ["", "garbage", " - ", " - cgroup2 ", "29 23 - cgroup2 cgroup2 rw", "\0 - \0"])
def test_mounts_that_make_no_sense_mean_no_limit_is_known(tmp_path: Path, line: str) -> None:
    root = build_root(tmp_path, "0::/", [line], {V2: {**memory_files(2, limit=1 * GIB), **cpu_files(2, "50000")}})
    assert memory_levels(root) == ()
    assert cpu_quota_cores(root) is None


def test_a_hierarchy_that_is_not_mounted_says_nothing(tmp_path: Path) -> None:
    root = build_root(tmp_path, "4:memory:/\n0::/", [v2_mount()], {V2: memory_files(2, limit=1 * GIB)})
    assert memory_levels(root) == ()


def test_a_failure_to_read_the_mounts_does_not_last(tmp_path: Path) -> None:
    root = build_root(tmp_path, "0::/", [v2_mount()], {V2: memory_files(2, limit=1 * GIB)})
    mountinfo = tmp_path / "proc/self/mountinfo"
    hidden = mountinfo.rename(tmp_path / "hidden")
    assert memory_levels(root) == ()
    hidden.rename(mountinfo)
    assert memory_levels(root) == (MemoryLevel(2, 0, 1 * GIB, 0),)


def test_a_system_without_control_groups_has_no_limits(tmp_path: Path) -> None:
    assert memory_levels(str(tmp_path)) == ()
    assert cpu_quota_cores(str(tmp_path)) is None


@both_versions
@pytest.mark.parametrize(("own", "parent"), [("150000", "400000"), ("400000", "150000")])
def test_the_least_cpu_quota_of_all_levels_counts(tmp_path: Path, version: int, own: str, parent: str) -> None:
    groups = {"": {}, "/parent": cpu_files(version, parent), "/parent/own": cpu_files(version, own)}
    assert cpu_quota_cores(build_nested(tmp_path, version, groups)) == 1.5


@pytest.mark.parametrize(("version", "no_limit"), [(1, "-1"), (2, "max")])
def test_a_level_without_a_cpu_quota_does_not_end_the_way_up(tmp_path: Path, version: int, no_limit: str) -> None:
    groups = {"/parent": cpu_files(version, "50000", 200_000), "/parent/own": cpu_files(version, no_limit)}
    assert cpu_quota_cores(build_nested(tmp_path, version, groups)) == 0.25


@pytest.mark.parametrize(("version", "no_limit"), [(1, "-1"), (2, "max")])
def test_without_a_cpu_quota_there_is_no_limit(tmp_path: Path, version: int, no_limit: str) -> None:
    groups = {"": {}, "/parent": cpu_files(version, no_limit), "/parent/own": cpu_files(version, no_limit)}
    assert cpu_quota_cores(build_nested(tmp_path, version, groups)) is None


@both_versions
@pytest.mark.parametrize(
    ("quota", "period"), [("", 100_000), ("lots", 100_000), ("0", 100_000), ("50000", 0), ("50000", -1), ("9" * 400, 1)]
)
def test_a_cpu_quota_that_makes_no_sense_says_nothing(tmp_path: Path, version: int, quota: str, period: int) -> None:
    groups = {"/parent": cpu_files(version, "150000"), "/parent/own": cpu_files(version, quota, period)}
    assert cpu_quota_cores(build_nested(tmp_path, version, groups)) == 1.5


def used_files(version: int, seconds: float) -> dict[str, str]:
    """Return the files of a group that has used so much CPU time, of which each version has its own unit."""
    if version == 1:
        return {"cpuacct.usage": f"{seconds * 1e9:.0f}\n"}
    return {"cpu.stat": f"usage_usec {seconds * 1e6:.0f}\nuser_usec 1\nsystem_usec 2\n"}


@both_versions
@pytest.mark.parametrize(
    ("own", "parent", "biting"),
    [("150000", "400000", "/parent/own"), ("400000", "150000", "/parent"), ("150000", "150000", "/parent/own")],
)
def test_the_use_of_the_quota_that_bites_is_of_the_group_that_has_it(
    tmp_path: Path, version: int, own: str, parent: str, biting: str
) -> None:
    groups = {
        "/parent": {**cpu_files(version, parent), **used_files(version, 7.0)},
        "/parent/own": {**cpu_files(version, own), **used_files(version, 2.5)},
    }
    root = build_nested(tmp_path, version, groups)
    folder = f"{root}{V2 if version == 2 else V1_CPU}{biting}"
    assert cpu_quota(root) == CpuQuota(folder, 1.5, 2.5 if biting == "/parent/own" else 7.0)


@both_versions
def test_without_a_cpu_quota_its_use_is_not_asked_for(tmp_path: Path, version: int) -> None:
    assert cpu_quota(build_nested(tmp_path, version, {"/parent/own": used_files(version, 2.5)})) is None


@both_versions
@pytest.mark.parametrize("text", [None, "", "\n", "lots\n", "\0"])
def test_a_use_that_cannot_be_read_is_unknown(tmp_path: Path, version: int, text: str | None) -> None:
    (name,) = used_files(version, 1)
    files = {**cpu_files(version, "150000"), **({} if text is None else {name: text})}
    quota = cpu_quota(build_nested(tmp_path, version, {"/parent/own": files}))
    assert quota is not None
    assert (quota.cores, quota.used_seconds) == (1.5, None)


@pytest.mark.parametrize(
    ("path", "used_seconds"),
    [pytest.param("/own", 2.5, id="the same group"), pytest.param("/other", None, id="another")],
)
def test_accounting_that_is_mounted_apart_is_used_where_it_is_of_the_same_group(
    tmp_path: Path, path: str, used_seconds: float | None
) -> None:
    accounts = "/sys/fs/cgroup/cpuacct"
    root = build_root(
        tmp_path,
        f"2:cpuacct:{path}\n1:cpu:/own",
        [v1_mount("cpu", "/sys/fs/cgroup/cpu"), v1_mount("cpuacct", accounts)],
        {"/sys/fs/cgroup/cpu/own": cpu_files(1, "150000"), f"{accounts}{path}": used_files(1, 2.5)},
    )
    assert cpu_quota(root) == CpuQuota(f"{root}/sys/fs/cgroup/cpu/own", 1.5, used_seconds)


def test_no_file_stays_open(tmp_path: Path) -> None:
    def next_descriptor() -> int:
        descriptor = os.open(os.devnull, os.O_RDONLY)
        os.close(descriptor)
        return descriptor

    groups = {"/parent": {**memory_files(2, limit=1 * GIB), **cpu_files(2, "50000")}, "/parent/own/memory.max": {}}
    root = build_nested(tmp_path, 2, groups)
    before = next_descriptor()
    assert memory_levels(root)
    assert cpu_quota_cores(root)
    assert next_descriptor() == before


def test_this_machine_can_be_asked() -> None:
    assert all(0 <= level.headroom_bytes <= level.limit_bytes for level in memory_levels())
    quota = cpu_quota_cores()
    assert quota is None or quota > 0


GROUP_LIMIT_BYTES = 256 * MIB
MARGIN_BYTES = 16 * MIB
CACHED_BYTES = 150 * MIB

# Joins the group, fills a file if asked to, notes the headroom, and then touches every page of what it allocates.
# Started bare, as the observer's child is. Its stdout is the file to fill, its stderr what it found.
ALLOCATE = """
import mmap
import os
import sys

group, package, beyond_headroom_bytes, cached_bytes = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
with open(f"{group}/cgroup.procs", "w") as members:
    members.write("0")
sys.path.insert(0, package)
from colab_magics import cgroup

cgroup.memory_levels()
for _ in range(cached_bytes // 2**20):
    os.write(1, bytes(2**20))
if cached_bytes:
    os.fsync(1)
levels = cgroup.memory_levels()
size_bytes = min(level.headroom_bytes for level in levels) + beyond_headroom_bytes
print(*levels[0], file=sys.stderr, flush=True)
allocated = mmap.mmap(-1, size_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
allocated[:: mmap.PAGESIZE] = bytes(len(range(0, size_bytes, mmap.PAGESIZE)))
"""


def possible_parents() -> Iterator[Path]:
    """Give the process's own group of the memory controller and those above it, at the usual mount points."""
    membership = Path("/proc/self/cgroup")
    for line in membership.read_text().splitlines() if membership.exists() else ():
        _, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(",") or not controllers:
            mount = Path(V1_MEMORY if controllers else V2)
            own = mount / path[1:]
            yield from (group for group in (own, *own.parents) if group.is_relative_to(mount))


def limit_memory(group: Path) -> None:
    """Set the limit and forbid swap. An OSError means that this group's memory cannot be limited."""
    if not (group / "cgroup.procs").exists():
        raise FileNotFoundError(group)  # an ordinary folder, beside the mount points of a hybrid system
    if (group / "memory.limit_in_bytes").exists():
        (group / "memory.limit_in_bytes").write_text(f"{GROUP_LIMIT_BYTES}")
        (group / "memory.swappiness").write_text("0")
    else:
        (group / "memory.max").write_text(f"{GROUP_LIMIT_BYTES}")
        if (group / "memory.swap.max").exists():
            (group / "memory.swap.max").write_text("0")


def make_group() -> Path | None:
    """Make a group with little memory, at the first place where that is allowed."""
    for parent in possible_parents():
        try:
            group = Path(tempfile.mkdtemp(prefix="colab_magics_test_", dir=parent))
        except OSError:
            continue
        try:
            limit_memory(group)
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


@pytest.fixture
def small_group() -> Iterator[Path]:
    """Give a real group with a limit of 256 MiB and no swap."""
    # The kernel must kill for the limit of this group, never for one above it, where it would hit others.
    roomy = all(level.headroom_bytes > 2 * GROUP_LIMIT_BYTES for level in memory_levels())
    group = make_group() if roomy else None
    if group is None:
        pytest.skip("needs to make a memory control group: a writable /sys/fs/cgroup and 512 MiB to spare")
    yield group
    remove_group(group)


def allocate(group: Path, *, beyond_headroom_bytes: int, cached_bytes: int = 0) -> tuple[int, MemoryLevel]:
    """Allocate in a process of the group: its return code, and the level that it saw before."""
    package = Path(cgroup.__file__).parents[1]
    arguments = [f"{group}", f"{package}", f"{beyond_headroom_bytes}", f"{cached_bytes}"]
    program = [sys.executable, "-I", "-S", "-c", ALLOCATE, *arguments]
    # /var/tmp outlasts a reboot, so it is on a disk: a file in memory would not be cache.
    with tempfile.TemporaryFile(dir="/var/tmp") as file:
        child = subprocess.run(program, stdout=file, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    version, level, limit_bytes, used_bytes = map(int, child.stderr.split()[:4])
    return child.returncode, MemoryLevel(version, level, limit_bytes, used_bytes)


def test_a_little_less_than_the_headroom_can_really_be_allocated(small_group: Path) -> None:
    code, level = allocate(small_group, beyond_headroom_bytes=-MARGIN_BYTES)
    assert (level.level, level.limit_bytes) == (0, GROUP_LIMIT_BYTES)
    assert code == 0


def test_a_little_more_than_the_headroom_is_really_killed(small_group: Path) -> None:
    code, _ = allocate(small_group, beyond_headroom_bytes=MARGIN_BYTES)
    assert code == -signal.SIGKILL


def test_the_page_cache_is_really_given_back(small_group: Path) -> None:
    code, level = allocate(small_group, beyond_headroom_bytes=-MARGIN_BYTES, cached_bytes=CACHED_BYTES)
    # More than would be left if the cache counted as used.
    assert level.headroom_bytes > GROUP_LIMIT_BYTES - CACHED_BYTES + MARGIN_BYTES
    assert code == 0
