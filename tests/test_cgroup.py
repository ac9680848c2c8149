"""What the control groups allow: systems built as folders, and one real group that really runs out of memory."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colab_magics import cgroup
from colab_magics.cgroup import (
    CpuQuota,
    MemoryLevel,
    cpu_quota,
    cpu_quota_cores,
    killed_for_memory,
    memory_levels,
    swap_used_bytes,
)
from groups import (
    GIB,
    MIB,
    V1_CPU,
    V1_MEMORY,
    V1_NO_LIMIT,
    V2,
    build_nested,
    build_root,
    cpu_files,
    make_group,
    memory_files,
    remove_group,
    v1_mount,
    v2_mount,
)

both_versions = pytest.mark.parametrize("version", [1, 2])


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


def kills(version: int, count: int) -> dict[str, str]:
    """Return the file that counts what was killed, as the kernel writes it."""
    if version == 1:
        return {"memory.oom_control": f"oom_kill_disable 0\nunder_oom 0\noom_kill {count}\n"}
    return {"memory.events": f"low 0\nhigh 0\nmax 9\noom 8\noom_kill {count}\noom_group_kill 7\n"}


@both_versions
def test_what_was_killed_is_counted_in_the_own_group_alone(tmp_path: Path, version: int) -> None:
    groups = {"/parent": kills(version, 5), "/parent/own": kills(version, 2)}

    assert killed_for_memory(root=build_nested(tmp_path, version, groups)) == 2


@both_versions
def test_where_nothing_counts_what_was_killed_it_is_not_known(tmp_path: Path, version: int) -> None:
    groups = {"/parent/own": memory_files(version, limit=GIB)}

    assert killed_for_memory(root=build_nested(tmp_path / "a", version, groups)) is None
    nonsense = {"/parent/own": dict.fromkeys(kills(version, 0), "oom_kill lots\n")}
    assert killed_for_memory(root=build_nested(tmp_path / "b", version, nonsense)) is None
    assert killed_for_memory(root=str(tmp_path / "nowhere")) is None


def test_of_several_counters_the_largest_counts_since_one_group_may_lie_in_another(tmp_path: Path) -> None:
    root = build_nested(tmp_path, 2, {"/parent/own": kills(2, 1)})
    children = tmp_path / "var/colab/cgroup/jupyter-children"
    children.mkdir(parents=True)
    (children / "memory.events").write_text(kills(2, 3)["memory.events"])

    assert killed_for_memory(("/var/colab/cgroup/jupyter-children/memory.events",), root) == 3
    assert killed_for_memory(("/nowhere",), root) == 1


def test_a_counter_that_is_too_long_to_be_one_is_none(tmp_path: Path) -> None:
    root = build_nested(tmp_path, 2, {"/parent/own": {"memory.events": "oom_kill 1\n" + "x" * 5000}})

    assert killed_for_memory(root=root) is None


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
@pytest.mark.parametrize("position", [0, 1], ids=["limit", "usage"])
def test_a_level_whose_files_make_no_sense_says_nothing(tmp_path: Path, version: int, position: int, text: str) -> None:
    parent = memory_files(version, limit=4 * GIB, usage=1 * GIB)
    own = memory_files(version, limit=1 * GIB)
    own[list(own)[position]] = text
    root = build_nested(tmp_path, version, {"/parent": parent, "/parent/own": own})
    assert memory_levels(root) == (MemoryLevel(version, 1, 4 * GIB, 1 * GIB),)


@both_versions
@pytest.mark.parametrize("position", [0, 1], ids=["limit", "usage"])
def test_a_level_whose_files_cannot_be_read_says_nothing(tmp_path: Path, version: int, position: int) -> None:
    parent = memory_files(version, limit=4 * GIB, usage=1 * GIB)
    own = memory_files(version, limit=1 * GIB)
    # A folder, which nobody can read as a file: permissions would not stop the tests of an administrator.
    unreadable = list(own)[position]
    del own[unreadable]
    root = build_nested(tmp_path, version, {"/parent": parent, "/parent/own": own, f"/parent/own/{unreadable}": {}})
    assert memory_levels(root) == (MemoryLevel(version, 1, 4 * GIB, 1 * GIB),)


@both_versions
@pytest.mark.parametrize(
    "text", [None, "", "\0", "inactive_file lots\n", "inactive_file -5\n", "inactive_file " + "9" * 5000]
)
def test_where_the_statistics_say_nothing_the_limit_counts_and_nothing_is_given_back(
    tmp_path: Path, version: int, text: str | None
) -> None:
    own = memory_files(version, limit=4 * GIB, usage=1 * GIB, inactive_file=1 * GIB)
    own = {**own, "memory.stat": f"total_{text}" if version == 1 and text else text or ""}
    if text is None:
        del own["memory.stat"]
    root = build_nested(tmp_path, version, {"/parent/own": own})
    assert memory_levels(root) == (MemoryLevel(version, 0, 4 * GIB, 1 * GIB),)


@both_versions
def test_what_was_read_more_than_once_and_the_kernel_s_caches_count_as_free_too(tmp_path: Path, version: int) -> None:
    files = memory_files(
        version, limit=4 * GIB, usage=4 * GIB, inactive_file=GIB, active_file=GIB, slab_reclaimable=GIB
    )
    (level,) = memory_levels(build_nested(tmp_path, version, {"/parent/own": files}))
    # v1 does not tell the kernel's caches.
    assert level.headroom_bytes == (2 if version == 1 else 3) * GIB


@pytest.mark.parametrize(
    ("most", "high", "limit"),
    [("max", f"{2 * GIB}", 2 * GIB), (f"{4 * GIB}", f"{2 * GIB}", 2 * GIB), (f"{GIB}", f"{2 * GIB}", GIB),
     (f"{GIB}", "max", GIB), (f"{GIB}", "lots", GIB), (f"{GIB}", "0", GIB)],
)  # fmt: skip
def test_memory_high_is_a_limit_too(tmp_path: Path, most: str, high: str, limit: int) -> None:
    files = {**memory_files(2, limit=0, usage=MIB), "memory.max": f"{most}\n", "memory.high": f"{high}\n"}
    assert memory_levels(build_nested(tmp_path, 2, {"/parent/own": files})) == (MemoryLevel(2, 0, limit, MIB),)


@pytest.mark.parametrize(
    ("own", "hidden", "levels"),
    [
        pytest.param(None, 4 * GIB, [MemoryLevel(1, 2, 4 * GIB, 2 * GIB)], id="above one without a limit"),
        pytest.param(
            8 * GIB, 4 * GIB, [MemoryLevel(1, 0, 8 * GIB, GIB), MemoryLevel(1, 2, 4 * GIB, 2 * GIB)], id="a lesser one"
        ),
        pytest.param(4 * GIB, 4 * GIB, [MemoryLevel(1, 0, 4 * GIB, GIB)], id="its own"),
        pytest.param(None, V1_NO_LIMIT, [], id="none at all"),
        pytest.param(None, 0, [], id="nothing"),
    ],
)
def test_a_limit_of_a_group_that_the_mount_does_not_show_counts_in_v1(
    tmp_path: Path, own: int | None, hidden: int, levels: list[MemoryLevel]
) -> None:
    files = memory_files(1, limit=own, usage=GIB)
    files["memory.stat"] = f"cache 1\nhierarchical_memory_limit {hidden}\n"
    root = build_root(
        tmp_path,
        "4:memory:/hidden/c0ffee/kernel",
        [v1_mount("memory", V1_MEMORY, root="/hidden/c0ffee")],
        {V1_MEMORY: memory_files(1, limit=None, usage=2 * GIB), f"{V1_MEMORY}/kernel": files},
    )
    assert list(memory_levels(root)) == levels


@both_versions
@pytest.mark.parametrize(("text", "used"), [(f"{3 * GIB}\n", 2 * GIB), (None, None), ("lots\n", None), ("-1\n", None)])
def test_the_swap_of_a_group_is_what_it_tells(tmp_path: Path, version: int, text: str | None, used: int | None) -> None:
    files = memory_files(version, limit=4 * GIB, usage=1 * GIB)
    if text is not None:
        files["memory.memsw.usage_in_bytes" if version == 1 else "memory.swap.current"] = text
    root = build_nested(tmp_path, version, {"/parent/own": files})
    (level,) = memory_levels(root)
    # v1 counts both together.
    assert swap_used_bytes(level, root) == (3 * GIB if used and version == 2 else used)


def test_another_process_s_groups_are_told_by_its_number(tmp_path: Path) -> None:
    groups = {f"{V2}/one": memory_files(2, limit=1 * GIB), f"{V2}/two": memory_files(2, limit=2 * GIB)}
    root = build_root(tmp_path, "0::/one", [v2_mount()], {**groups, "/proc/77": {"cgroup": "0::/two\n"}})
    assert memory_levels(root) == (MemoryLevel(2, 0, 1 * GIB, 0),)
    assert memory_levels(root, 77) == (MemoryLevel(2, 0, 2 * GIB, 0),)
    assert memory_levels(root, 78) == ()


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
print(*(getattr(levels[0], name) for name in levels[0]._fields), file=sys.stderr, flush=True)
allocated = mmap.mmap(-1, size_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
allocated[:: mmap.PAGESIZE] = bytes(len(range(0, size_bytes, mmap.PAGESIZE)))
"""


@pytest.fixture
def small_group() -> Iterator[Path]:
    """Give a real group with a limit of 256 MiB and no swap."""
    # The kernel must kill for the limit of this group, never for one above it, where it would hit others.
    roomy = all(level.headroom_bytes > 2 * GROUP_LIMIT_BYTES for level in memory_levels())
    group = make_group(GROUP_LIMIT_BYTES) if roomy else None
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


COUNT = """
import sys

with open(f"{sys.argv[1]}/cgroup.procs", "w") as members:
    members.write("0")
sys.path.insert(0, sys.argv[2])
from colab_magics import cgroup

print(cgroup.killed_for_memory())
"""


def test_what_was_really_killed_is_counted_by_a_process_that_comes_after(small_group: Path) -> None:
    def counted() -> str:
        program = [sys.executable, "-I", "-S", "-c", COUNT, f"{small_group}", f"{Path(cgroup.__file__).parents[1]}"]
        return subprocess.run(program, capture_output=True, text=True, timeout=60, check=True).stdout.strip()

    assert counted() == "0"
    code, _ = allocate(small_group, beyond_headroom_bytes=MARGIN_BYTES)
    assert code == -signal.SIGKILL
    assert counted() == "1"


def test_the_page_cache_is_really_given_back(small_group: Path) -> None:
    code, level = allocate(small_group, beyond_headroom_bytes=-MARGIN_BYTES, cached_bytes=CACHED_BYTES)
    # More than would be left if the cache counted as used.
    assert level.headroom_bytes > GROUP_LIMIT_BYTES - CACHED_BYTES + MARGIN_BYTES
    assert code == 0


MEMBERSHIPS = st.sampled_from(
    ["0::/own", "9:memory:/own", "4:cpu,cpuacct:/own/", "0::/../own", "::", ":", "0:/own", "9:memory", "", "x", "0::"]
)
MOUNTS = st.sampled_from(
    [
        v2_mount(), v2_mount(root="/own"), v2_mount(at="/sys/fs/cg\\040roup"), v1_mount("memory", V1_MEMORY),
        v1_mount("cpu,cpuacct", V1_CPU), " - ", "- cgroup2", "29 23 0:26 / /sys - cgroup2", "1 2 - cgroup2 x rw",
    ]
)  # fmt: skip
WORDS = st.sampled_from(
    ["max", "-1", "0", "1", "4096", "9" * 19, "9" * 40, "9" * 5000, "lots", "é", "\0", "max 100000"]
)


def lines_of(lines: st.SearchStrategy[str]) -> st.SearchStrategy[bytes]:
    return st.binary(max_size=200) | st.lists(lines, max_size=6).map(lambda found: "\n".join(found).encode())


@settings(derandomize=True, deadline=None, max_examples=200, database=None)
@given(lines_of(MEMBERSHIPS), lines_of(MOUNTS), st.lists(WORDS, min_size=8, max_size=8))
def test_whatever_the_files_say_no_limit_is_told_that_cannot_be(
    memberships: bytes, mountinfo: bytes, words: list[str]
) -> None:
    names = (
        *("memory.max", "memory.current", "memory.swap.current", "memory.limit_in_bytes", "memory.usage_in_bytes"),
        *("cpu.max", "cpu.cfs_quota_us", "cpu.cfs_period_us"),
    )
    with tempfile.TemporaryDirectory() as root:
        (Path(root) / "proc/self").mkdir(parents=True)
        (Path(root) / "proc/self/cgroup").write_bytes(memberships)
        (Path(root) / "proc/self/mountinfo").write_bytes(mountinfo)
        for mount in (V1_CPU, V1_MEMORY, V2, f"{V2}/own", f"{V1_MEMORY}/own"):
            folder = Path(root + mount)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "memory.stat").write_text("\n".join(f"inactive_file {word}" for word in words))
            for name, word in zip(names, words, strict=True):
                (folder / name).write_text(word)
        levels, quota = memory_levels(root), cpu_quota(root)
        swapped = [swap_used_bytes(level, root) for level in levels]

    assert all(0 <= level.used_bytes < 2**60 and 0 < level.limit_bytes < 2**60 for level in levels)
    assert all(used is None or 0 <= used < 2**60 for used in swapped)
    assert quota is None or 0 < quota.cores < 2**60
