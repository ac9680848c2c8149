"""What limits a process's memory: systems built as folders, and limits that really bite."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from colab_magics import memory
from colab_magics.memory import Limit, Machine
from colab_magics.values import replace
from groups import GIB, MIB, V2, build_root, make_group, memory_files, remove_group, v2_mount

MEMINFO = {"MemTotal": 64 * GIB, "MemFree": 50 * GIB, "MemAvailable": 60 * GIB, "SwapTotal": 4 * GIB, "SwapFree": GIB,
           "CommitLimit": 32 * GIB, "Committed_AS": 8 * GIB}  # fmt: skip
MACHINE = Machine(64 * GIB, 60 * GIB, 3 * GIB)


def listed(sizes: dict[str, int | str]) -> str:
    """Return sizes as /proc writes them; a text stands as it is."""
    lines = (f"{name}:\t{size // 1024 if isinstance(size, int) else size} kB\n" for name, size in sizes.items())
    return "".join(lines)


def a_system(folder: Path, files: dict[str, str], **groups: dict[str, str]) -> str:
    """Build a system with these files and its group /own."""
    root = build_root(folder, "0::/own", [v2_mount()], {f"{V2}/{name}": files for name, files in groups.items()})
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return root


def own_limits(**soft: str) -> str:
    """Return /proc/PID/limits with these soft limits."""
    rows = {"Max cpu time": "unlimited", "Max data size": "unlimited", "Max address space": "unlimited"}
    rows |= {f"Max {name.replace('_', ' ')}": size for name, size in soft.items()}
    head = f"{'Limit':<25} {'Soft Limit':<20} {'Hard Limit':<20} Units\n"
    return head + "".join(f"{name:<25} {size:<20} {'unlimited':<20} bytes\n" for name, size in rows.items())


def arcstats(**figures: int) -> str:
    return "13 1 0x01 147 39984\nname   type data\nhits   4    12\n" + "".join(
        f"{name:<31} 4    {figure}\n" for name, figure in figures.items()
    )


def test_the_machine_s_memory_is_what_it_tells(tmp_path: Path) -> None:
    assert memory.machine(a_system(tmp_path, {"proc/meminfo": listed(MEMINFO)})) == Machine(
        64 * GIB, 60 * GIB, 3 * GIB, None, 8 * GIB
    )


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"MemTotal": 0}, id="none at all"),
        pytest.param({"MemTotal": 2**60}, id="more than can be"),
        pytest.param({"MemTotal": "9" * 5000}, id="a figure without end"),
        pytest.param({"MemTotal": "-5"}, id="less than nothing"),
        pytest.param({"MemTotal": "lots"}, id="no figure"),
        pytest.param({"MemAvailable": 65 * GIB}, id="more left than there is"),
        pytest.param({"MemAvailable": "-1"}, id="less left than nothing"),
    ],
)
def test_a_machine_that_tells_what_cannot_be_tells_nothing(tmp_path: Path, changes: dict[str, Any]) -> None:
    assert memory.machine(a_system(tmp_path, {"proc/meminfo": listed({**MEMINFO, **changes})})) is None


@pytest.mark.parametrize("text", ["", "\0", "garbage\n", "MemTotal:", "MemTotal: kB\nMemAvailable: kB\n", "\udcff"])
def test_a_meminfo_that_makes_no_sense_tells_nothing(tmp_path: Path, text: str) -> None:
    root = a_system(tmp_path, {})
    (tmp_path / "proc/meminfo").write_bytes(text.encode(errors="surrogateescape"))
    assert memory.machine(root) is None


def test_a_meminfo_that_is_not_there_or_cannot_be_read_tells_nothing(tmp_path: Path) -> None:
    assert memory.machine(str(tmp_path)) is None
    (tmp_path / "proc/meminfo").mkdir(parents=True)
    assert memory.machine(str(tmp_path)) is None


@pytest.mark.parametrize(
    ("changes", "used"),
    [({"SwapTotal": 0, "SwapFree": 0}, 0), ({"SwapFree": 5 * GIB}, None), ({"SwapFree": "-1"}, None)],
)
def test_swap_that_cannot_be_is_unknown(tmp_path: Path, changes: dict[str, Any], used: int | None) -> None:
    machine = memory.machine(a_system(tmp_path, {"proc/meminfo": listed({**MEMINFO, **changes})}))
    assert machine is not None
    assert machine.swap_used_bytes == used


@pytest.mark.parametrize(
    ("text", "more"),
    [
        pytest.param(arcstats(c_min=GIB, size=3 * GIB), 2 * GIB, id="what is above its least size"),
        pytest.param(arcstats(c_min=3 * GIB, size=GIB), 0, id="below its least size"),
        pytest.param(arcstats(size=3 * GIB), 0, id="no least size"),
        pytest.param(arcstats(c_min=GIB, size=5 * GIB), 0, id="a host's, larger than what is in use here"),
        pytest.param("lots", 0, id="no sense"),
    ],
)
def test_what_the_cache_of_zfs_gives_back_is_available(tmp_path: Path, text: str, more: int) -> None:
    files = {"proc/meminfo": listed(MEMINFO), "proc/spl/kstat/zfs/arcstats": text}
    machine = memory.machine(a_system(tmp_path, files))
    assert machine is not None
    assert machine.available_bytes == 60 * GIB + more


@pytest.mark.parametrize(("mode", "committable"), [("2\n", 32 * GIB), ("0\n", None), ("1\n", None), ("", None)])
def test_what_is_promised_limits_only_where_the_machine_keeps_to_it(
    tmp_path: Path, mode: str, committable: int | None
) -> None:
    files = {"proc/meminfo": listed(MEMINFO), "proc/sys/vm/overcommit_memory": mode}
    machine = memory.machine(a_system(tmp_path, files))
    assert machine is not None
    assert (machine.committable_bytes, machine.committed_bytes) == (committable, 8 * GIB)


def test_all_that_limits_a_process_is_named_the_machine_first(tmp_path: Path) -> None:
    files = {
        "proc/self/limits": own_limits(address_space=f"{16 * GIB}", data_size=f"{8 * GIB}"),
        "proc/self/status": listed({"VmPeak": 5 * GIB, "VmSize": 4 * GIB, "VmData": GIB}),
    }
    root = a_system(tmp_path, files, own=memory_files(2, limit=6 * GIB, usage=2 * GIB))
    limits = memory.limits(replace(MACHINE, committable_bytes=32 * GIB, committed_bytes=8 * GIB), root=root)
    assert limits == (
        Limit("machine", 64 * GIB, 60 * GIB),
        Limit("cgroup_v2", 6 * GIB, 4 * GIB, 0),
        Limit("rlimit_data", 8 * GIB, 7 * GIB),
        Limit("rlimit_as", 16 * GIB, 12 * GIB),
        # What the kernel keeps back for the administrator and of this process is not left.
        Limit("commit", 32 * GIB, 24 * GIB - 8 * MIB - 128 * MIB),
    )
    assert memory.capacity(limits).by == "cgroup_v2"
    assert memory.tightest(limits).by == "cgroup_v2"


def test_of_limits_alike_the_machine_s_is_named() -> None:
    limits = (Limit("machine", GIB, MIB), Limit("cgroup_v2", GIB, MIB, 0))
    assert memory.capacity(limits).by == memory.tightest(limits).by == "machine"


@pytest.mark.parametrize("size", ["unlimited", "0", "-1", "lots", "", "9" * 5000, f"{2**60}"])
def test_an_own_limit_that_is_none_or_makes_no_sense_limits_nothing(tmp_path: Path, size: str) -> None:
    files = {
        "proc/self/limits": own_limits(address_space=size, data_size=size),
        "proc/self/status": listed({"VmSize": GIB, "VmData": GIB}),
    }
    assert [limit.by for limit in memory.limits(MACHINE, root=a_system(tmp_path, files))] == ["machine"]


@pytest.mark.parametrize("status", [None, "", "VmSize: lots kB\n", "VmSize:\t-4 kB\n"])
def test_an_own_limit_of_which_the_use_is_not_known_limits_nothing(tmp_path: Path, status: str | None) -> None:
    files = {"proc/self/limits": own_limits(address_space=f"{GIB}"), "proc/self/status": status}
    root = a_system(tmp_path, {path: text for path, text in files.items() if text is not None})
    assert [limit.by for limit in memory.limits(MACHINE, root=root)] == ["machine"]


def test_no_limit_leaves_less_than_nothing(tmp_path: Path) -> None:
    files = {
        "proc/self/limits": own_limits(address_space=f"{GIB}"),
        "proc/self/status": listed({"VmSize": 2 * GIB}),
    }
    machine = replace(MACHINE, committable_bytes=GIB, committed_bytes=2 * GIB)
    limits = memory.limits(machine, root=a_system(tmp_path, files))
    assert [limit.headroom_bytes for limit in limits] == [60 * GIB, 0, 0]


def test_the_limits_of_another_process_are_its_own() -> None:
    machine = memory.machine()
    assert machine is not None
    code = "import resource; resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30)); print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        seen = {limit.by: limit for limit in memory.limits(machine, other.pid)}
        other.communicate(b"\n")
    assert seen["rlimit_as"].size_bytes == 3 * GIB
    assert 2 * GIB < seen["rlimit_as"].headroom_bytes < 3 * GIB
    assert "rlimit_as" not in {limit.by for limit in memory.limits(machine)}


# What really can be allocated --------------------------------------------------------------------------------------

MARGIN_BYTES = 16 * MIB

# Joins the group, sets its own limits, reads a file if asked to, looks, and then touches every page of what it
# allocates, so much beyond what it saw is left. Its stdout is what it saw.
ALLOCATE = """
import json, mmap, os, resource, sys
how = json.loads(sys.argv[1])
with open("/proc/self/oom_score_adj", "w") as file:
    file.write("1000")
if how["group"]:
    with open(f"{how['group']}/cgroup.procs", "w") as members:
        members.write("0")
sys.path.insert(0, how["package"])
from colab_magics.probes.ram import probe_ram
for name, size in how["limits"].items():
    resource.setrlimit(getattr(resource, name), (size, size))
for _ in range(3 if how["file"] else 0):
    with open(how["file"], "rb") as file:
        while file.read(1 << 20):
            pass
probe_ram()
seen = probe_ram()
print(json.dumps([seen.capacity_bytes, seen.headroom_bytes, seen.limited_by, seen.limit_bytes]), flush=True)
size_bytes = seen.headroom_bytes + how["beyond_bytes"]
allocated = mmap.mmap(-1, size_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
allocated[:: mmap.PAGESIZE] = bytes(len(range(0, size_bytes, mmap.PAGESIZE)))
"""

NEIGHBOUR = """
import sys
with open(f"{sys.argv[1]}/cgroup.procs", "w") as members:
    members.write("0")
held = bytearray(b"x") * int(sys.argv[2])
print(flush=True)
input()
"""

# The mount shows nothing above the process's own group.
HIDE_ABOVE = 'echo 0 >"$1/cgroup.procs" && mount --bind "$1" /sys/fs/cgroup/memory && shift && exec "$@"'

FAILS = {-MARGIN_BYTES: False, MARGIN_BYTES: True}


def allocate(beyond_bytes: int, *, hide_above: bool = False, **how: Any) -> tuple[int, list[Any]]:
    """Allocate in a process of its own: its return code, and what it saw before."""
    package = str(Path(memory.__file__).parents[1])
    how = {"group": None, "limits": {}, "file": None, "package": package, **how, "beyond_bytes": beyond_bytes}
    around = []
    if hide_above:
        around = ["unshare", "-m", "/bin/sh", "-c", HIDE_ABOVE, "sh", str(how["group"])]
        how["group"] = None
    program = [*around, sys.executable, "-c", ALLOCATE, json.dumps(how, default=str)]
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    child = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False, env=environment)
    assert child.stdout, child.stderr
    return child.returncode, json.loads(child.stdout)


@pytest.fixture
def a_parent() -> Iterator[Path]:
    """Give a real group with a limit of 400 MiB, no swap, and groups below it that can have limits too."""
    machine = memory.machine()
    roomy = machine is not None and memory.tightest(memory.limits(machine)).headroom_bytes > GIB
    parent = make_group(400 * MIB) if roomy else None
    if parent is None:
        pytest.skip("needs to make a memory control group: a writable /sys/fs/cgroup and 1 GiB to spare")
    try:
        if (parent / "cgroup.subtree_control").exists():
            (parent / "cgroup.subtree_control").write_text("+memory")
        yield parent
    finally:
        for group in (*(one for one in parent.iterdir() if one.is_dir()), parent):
            remove_group(group)


def below(parent: Path, limit_bytes: int) -> Path:
    group = make_group(limit_bytes, parent)
    assert group is not None
    return group


@pytest.fixture
def a_neighbour(a_parent: Path) -> Iterator[Path]:
    """Give a parent in which a neighbour holds 200 MiB."""
    program = [sys.executable, "-I", "-S", "-c", NEIGHBOUR, str(below(a_parent, 300 * MIB)), str(200 * MIB)]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as neighbour:
        assert neighbour.stdout is not None
        neighbour.stdout.readline()
        yield a_parent
        neighbour.communicate(b"\n")


@pytest.mark.parametrize("beyond_bytes", FAILS)
def test_a_neighbour_in_the_parent_s_limit_really_takes_of_what_is_left(a_neighbour: Path, beyond_bytes: int) -> None:
    """cadvisor#3682, automemlimit#31: the capacity is the own group's, always; what bites is the parent's."""
    code, seen = allocate(beyond_bytes, group=below(a_neighbour, 300 * MIB))
    assert (seen[0], seen[3]) == (300 * MIB, 400 * MIB)
    assert seen[1] < 200 * MIB
    assert code == (-signal.SIGKILL if FAILS[beyond_bytes] else 0)


def can_hide(parent: Path) -> bool:
    unshare = ["unshare", "-m", "mount", "--bind", str(parent), "/sys/fs/cgroup/memory"]
    return subprocess.run(unshare, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("beyond_bytes", FAILS)
def test_a_limit_that_the_mount_does_not_show_really_bites(a_parent: Path, beyond_bytes: int) -> None:
    """gosigar#57, VictoriaMetrics#699: v1's hierarchical_memory_limit."""
    if not (a_parent / "memory.limit_in_bytes").exists() or not can_hide(a_parent):
        pytest.skip("needs cgroup v1 and to mount")
    code, seen = allocate(beyond_bytes, group=below(a_parent, GIB), hide_above=True)
    assert (seen[0], seen[3]) == (400 * MIB, 400 * MIB)
    assert code == (-signal.SIGKILL if FAILS[beyond_bytes] else 0)


@pytest.mark.parametrize("beyond_bytes", FAILS)
def test_a_file_that_was_read_more_than_once_is_really_given_back(a_parent: Path, beyond_bytes: int) -> None:
    """kubernetes#43916: active_file counts as free."""
    # /var/tmp outlasts a reboot, so it is on a disk: a file in memory would not be cache.
    with tempfile.NamedTemporaryFile(dir="/var/tmp") as file:
        file.write(bytes(250 * MIB))
        file.flush()
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)  # nobody's cache: the group's, who reads it
        code, seen = allocate(beyond_bytes, group=below(a_parent, 400 * MIB), file=file.name)
    assert seen[1] > 400 * MIB - 250 * MIB + MARGIN_BYTES
    assert code == (-signal.SIGKILL if FAILS[beyond_bytes] else 0)


@pytest.mark.parametrize("beyond_bytes", FAILS)
@pytest.mark.parametrize(("name", "by"), [("RLIMIT_AS", "rlimit_as"), ("RLIMIT_DATA", "rlimit_data")])
def test_the_process_s_own_limit_really_bites(name: str, by: str, beyond_bytes: int) -> None:
    """The limits of `ulimit -v` and `ulimit -d`: notebook PR#5876, distributed#2665."""
    code, seen = allocate(beyond_bytes, limits={name: GIB})
    assert (seen[0], seen[2], seen[3]) == (GIB, by, GIB)
    assert code == (1 if FAILS[beyond_bytes] else 0)


HOLD_IN_FILES = """
import os, sys, tempfile
with open(f"{sys.argv[1]}/cgroup.procs", "w") as members:
    members.write("0")
sys.path.insert(0, sys.argv[2])
from colab_magics.probes.ram import probe_ram
with tempfile.TemporaryFile(dir="/dev/shm") as file:
    for _ in range(360):
        file.write(bytes(2**20))
    file.flush()
    held = probe_ram()
print(held.shared_bytes, held.is_mostly_shared, probe_ram().shared_bytes)
"""


def test_files_in_memory_are_really_told_from_what_a_kernel_holds(a_parent: Path) -> None:
    """kubernetes#128339: a group full of files in /dev/shm."""
    if os.statvfs("/dev/shm").f_bavail * os.statvfs("/dev/shm").f_frsize < 400 * MIB:
        pytest.skip("/dev/shm has no 400 MiB left")
    group, package = below(a_parent, 400 * MIB), str(Path(memory.__file__).parents[1])
    program = [sys.executable, "-c", HOLD_IN_FILES, str(group), package]
    done = subprocess.run(program, capture_output=True, text=True, timeout=60, check=True)
    held, is_mostly_shared, after = done.stdout.split()

    assert 350 * MIB < int(held) < 370 * MIB
    assert is_mostly_shared == "True"
    assert int(after) < 10 * MIB
