from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import nbformat
import psutil
import pytest
from nbclient import NotebookClient

from builders import CPU_RUNTIME, GIB, JUPYTER, MIB, RAM, a_report
from colab_magics import files, guides, procfs
from colab_magics.model import Ram, Subject, Unavailable, Usage
from colab_magics.probes import ram
from colab_magics.probes.ram import probe_ram
from colab_magics.requirement import check, parse
from colab_magics.translation import translator
from colab_magics.views import messages
from groups import V1_MEMORY, build_nested, build_root, memory_files, v1_mount

Groups = dict[str, dict[str, str]]


def looked(root: str = "/", *, everything: bool = False) -> Ram:
    seen = probe_ram(root=root, everything=everything)
    assert isinstance(seen, Ram)
    return seen


def a_v2_tree(root: Path, **limits: int) -> str:
    """Build /a/b/c with these limits, a tenth of each in use."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text("0::/a/b/c\n")
    (root / "proc/self/mountinfo").write_text("30 23 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw\n")
    for name, path in (("a", "a"), ("b", "a/b"), ("c", "a/b/c")):
        folder = root / "sys/fs/cgroup" / path
        folder.mkdir(parents=True)
        limit = limits.get(name)
        (folder / "memory.max").write_text("max\n" if limit is None else f"{limit}\n")
        (folder / "memory.current").write_text(f"{(limit or 0) // 10}\n")
        (folder / "memory.stat").write_text("inactive_file 0\n")
    return str(root)


def test_used_is_what_is_not_available_as_on_colab_s_panel() -> None:
    seen = looked("/nowhere")
    machine = psutil.virtual_memory()

    assert seen.machine.total_bytes == machine.total
    assert seen.machine.used_bytes == seen.machine.total_bytes - seen.available_bytes
    assert abs(seen.available_bytes - machine.available) < 256 * MIB


def test_without_a_cgroup_limit_the_machine_bites(tmp_path: Path) -> None:
    seen = looked(a_v2_tree(tmp_path))

    assert (seen.limited_by, seen.limit_level) == ("machine", None)
    assert seen.headroom_bytes == seen.available_bytes
    assert seen.limit_bytes == seen.machine.total_bytes


@pytest.mark.parametrize(
    ("limits", "level"),
    [
        pytest.param({"c": 200 * MIB}, 0, id="its own"),
        pytest.param({"c": 300 * MIB, "b": 200 * MIB}, 1, id="the one above"),
        pytest.param({"c": 300 * MIB, "b": 250 * MIB, "a": 200 * MIB}, 2, id="the top"),
    ],
)
def test_the_tightest_level_bites(tmp_path: Path, limits: dict[str, int], level: int) -> None:
    seen = looked(a_v2_tree(tmp_path, **limits))

    assert (seen.limited_by, seen.limit_level) == ("cgroup_v2", level)
    assert seen.headroom_bytes == 180 * MIB
    assert seen.limit_bytes == 200 * MIB


def test_a_limit_larger_than_the_machine_does_not_bite(tmp_path: Path) -> None:
    assert looked(a_v2_tree(tmp_path, c=2**50)).limited_by == "machine"


def meminfo(root: Path, *, total: int, available: int) -> None:
    (root / "proc/meminfo").write_text(f"MemTotal: {total // 1024} kB\nMemAvailable: {available // 1024} kB\n")


@pytest.mark.parametrize(
    ("limits", "capacity_bytes"),
    [
        pytest.param({}, 64 * GIB, id="no limit"),
        pytest.param({"c": 4 * GIB}, 4 * GIB, id="its own"),
        pytest.param({"c": 8 * GIB, "a": 4 * GIB}, 4 * GIB, id="the top's"),
        pytest.param({"c": 100 * GIB}, 64 * GIB, id="more than the machine has"),
    ],
)
def test_what_may_be_used_in_all_is_the_least_of_the_machine_and_every_limit(
    tmp_path: Path, limits: dict[str, int], capacity_bytes: int
) -> None:
    root = a_v2_tree(tmp_path, **limits)
    meminfo(tmp_path, total=64 * GIB, available=60 * GIB)

    assert looked(root).capacity_bytes == capacity_bytes


def test_a_container_of_4_gib_on_a_machine_of_64_is_told_as_4(tmp_path: Path) -> None:
    root = a_v2_tree(tmp_path, b=4 * GIB)
    meminfo(tmp_path, total=64 * GIB, available=60 * GIB)
    seen = looked(root)

    assert (seen.machine.total_bytes, seen.capacity_bytes) == (64 * GIB, 4 * GIB)
    assert (seen.limited_by, seen.limit_bytes, seen.limit_level) == ("cgroup_v2", 4 * GIB, 1)
    assert seen.headroom_bytes == 4 * GIB - 4 * GIB // 10
    assert seen.usage == Usage(total_bytes=4 * GIB, used_bytes=4 * GIB // 10)


def test_a_container_on_a_machine_that_is_nearly_full_has_its_limit_and_the_machine_s_rest(tmp_path: Path) -> None:
    root = a_v2_tree(tmp_path, c=4 * GIB)
    meminfo(tmp_path, total=64 * GIB, available=GIB)
    seen = looked(root)

    assert (seen.limited_by, seen.limit_bytes) == ("machine", 64 * GIB)
    assert seen.headroom_bytes == GIB
    assert seen.usage == Usage(total_bytes=4 * GIB, used_bytes=3 * GIB)


def test_a_container_s_capacity_is_what_everything_speaks_of(tmp_path: Path) -> None:
    """The sentence, the bar, the requirement, the guide: jupyter-resource-usage#43, jupyterlab#17901."""
    root = a_v2_tree(tmp_path, b=4 * GIB)
    meminfo(tmp_path, total=64 * GIB, available=60 * GIB)
    report = a_report(Subject.RAM, ram=looked(root), platform=JUPYTER, **CPU_RUNTIME)
    verdict = check(parse("ram>=20"), report.snapshot)
    guide = guides.for_goal(guides.Goal.MEMORY, report.snapshot, None)
    english = translator("en")

    assert "0.4 of 4.0 GiB used" in str(report)
    assert "64.0" not in str(report)
    assert not verdict.met
    assert verdict.clauses[0].found == (("ram", (4 * GIB,)),)
    assert messages.sentence(guide.remarks[0], english).startswith("This container may use 4.0 GiB RAM")


def test_what_this_kernel_holds_is_seen() -> None:
    before = looked().kernel_bytes
    held = bytearray(os.urandom(1)) * (64 * MIB)
    after = looked().kernel_bytes

    assert before is not None
    assert after is not None
    assert 60 * MIB < after - before < 80 * MIB
    assert len(held) == 64 * MIB


@pytest.mark.parametrize("limited", [True, False])
def test_no_finding_rests_on_children_that_are_not_known(limited: bool) -> None:
    unknown = replace(
        RAM, kernel_bytes=GIB, children_bytes=None, unavailable=(("children_bytes", "counted_twice"),),
        capacity_by="cgroup_v2" if limited else "machine",
    )  # fmt: skip
    report = a_report(Subject.RAM, ram=unknown, platform=JUPYTER, **CPU_RUNTIME)

    assert "kernel_holds_most_ram" not in {finding.rule for finding in report.findings}
    unknown_is_said = "What its child processes hold is not known: what they share is counted more than once."
    assert unknown_is_said in " ".join(str(report).split())


@pytest.mark.parametrize(
    "text", ["", "1", "1 2", "1 2 3", "1 lots 0", "1 -5 -6", "1 " + "9" * 5000 + " 0", f"1 {2**60} 0"]
)
def test_a_process_whose_memory_makes_no_sense_has_none_that_is_known(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "read", lambda _path: text)

    with pytest.raises(OSError, match="Invalid argument"):
        procfs.resident_bytes(os.getpid())


def test_a_kernel_that_holds_more_than_there_is_cannot_be(tmp_path: Path) -> None:
    root = a_v2_tree(tmp_path)
    (tmp_path / "proc/meminfo").write_text("MemTotal: 8000 kB\nMemAvailable: 2000 kB\n")
    seen = looked(root)

    assert seen.kernel_bytes is None
    assert ("kernel_bytes", "impossible") in seen.unavailable


@pytest.mark.parametrize("available", [-1, 2**50])
def test_a_machine_that_tells_what_cannot_be_is_said_to(available: int, monkeypatch: pytest.MonkeyPatch) -> None:
    told = SimpleNamespace(total=GIB, available=available)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: told)

    assert probe_ram(root="/nowhere") == Unavailable(code="impossible")


def test_the_dear_readings_are_taken_on_request_only() -> None:
    plain, full = looked(), looked(everything=True)

    assert plain.kernel_proportional_bytes is None
    assert plain.other_kernels is None
    assert full.kernel_proportional_bytes is not None
    assert full.kernel_bytes is not None
    assert 0 < full.kernel_proportional_bytes <= full.kernel_bytes * 1.2


def test_other_kernels_of_this_user_are_found_by_their_connection_file(tmp_path: Path) -> None:
    code = "print(flush=True); input()"
    arguments = [sys.executable, "-c", code, "-f", str(tmp_path / "kernel-12ab.json")]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        found = looked(everything=True).other_kernels
        other.communicate(b"\n")

    assert found is not None
    assert other.pid in {kernel.pid for kernel in found}
    assert all(kernel.resident_bytes > 0 for kernel in found)


@pytest.mark.parametrize(
    ("command", "is_one"),
    [
        ("/usr/bin/python -m ipykernel_launcher -f /run/jupyter/kernel-12ab.json", True),
        ("/usr/bin/python -m ipykernel_launcher -f /tmp/tmpx1y2.json", True),
        ("/usr/bin/python -m colab_kernel_launcher -f /data/x.json", True),
        ("/usr/bin/python -m ipykernel_launcher --f=/data/x.json", True),
        ("/usr/bin/xpython -f /tmp/tmpx1y2.json", True),
        ("R --slave -e IRkernel::main() --args /run/kernel-12ab.json", True),
        ("kubectl apply -f pod.json", False),
        ("kubectl apply -f kernels.json", False),
        ("python train.py --config model.json", False),
        ("python -m ipykernel install", False),
        ("jupyter lab --config=kernel.json", False),
        ("", False),
    ],
)
def test_a_kernel_is_known_by_how_it_was_started(command: str, is_one: bool) -> None:
    assert ram._is_kernel(command.split()) is is_one


@pytest.mark.slow
def test_a_kernel_of_nbclient_s_is_another_kernel_and_its_command_line_is_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    report = "import colab_magics, os; print(os.getpid(), colab_magics.ram_info(everything=True).to_json(), sep='\\n')"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(report)])
    client = NotebookClient(notebook, timeout=60, kernel_name="python3")
    with client.setup_kernel():
        client.execute_cell(notebook.cells[0], 0)
        pid, _, shown = notebook.cells[0].outputs[0].text.partition("\n")
        command = psutil.Process(int(pid)).cmdline()
        found = looked(everything=True).other_kernels

    assert found is not None
    assert int(pid) in {kernel.pid for kernel in found}
    assert not [word for word in command if word.endswith(".json") and word in shown]


def test_a_machine_without_proc_is_read_by_psutil() -> None:
    seen = looked("/nowhere")

    assert seen.machine.total_bytes == psutil.virtual_memory().total
    assert seen.swap_used_bytes == psutil.swap_memory().used


# What was reported of programs that tell how much memory there is. -------------------------------------------------


def a_container(
    version: int = 2, *, gib: float = 4, used: float = 0.5, stat: str | None = None, **files: str
) -> Groups:
    """A group of so many GiB with so much of it used; the files are named with two underscores for a point."""
    group = memory_files(version, limit=int(gib * GIB), usage=int(used * GIB))
    group |= {name.replace("__", "."): text for name, text in files.items()}
    return {"/parent/own": {**group, **({} if stat is None else {"memory.stat": stat})}}


def without(groups: Groups, file: str) -> Groups:
    return {path: {name: text for name, text in files.items() if name != file} for path, files in groups.items()}


NEIGHBOUR = {
    "/parent": memory_files(2, limit=900 * MIB, usage=800 * MIB),
    "/parent/own": memory_files(2, limit=400 * MIB, usage=100 * MIB),
}
ARC = "13 1 0x01 147 39984\nname   type data\nc_min  4    1073741824\nsize   4    9663676416\n"
LIMITS = "Limit   Soft Limit   Hard Limit   Units\nMax {name:<22} {size:<20} unlimited            bytes\n"
STATUS = "Name:\tpython\nVmSize:\t  524288 kB\nVmData:\t  262144 kB\n"
OF_64_GIB = {"MemTotal": 64, "MemAvailable": 60}


@pytest.mark.parametrize(
    ("machine", "version", "groups", "files", "expected"),
    [
        pytest.param(
            OF_64_GIB, 2, NEIGHBOUR, {}, (400 * MIB, 100 * MIB, "cgroup_v2",
             "This container's limit is 400 MiB.\nWhat is left is limited by the shared group's 900 MiB."),
            id="cadvisor#3682, automemlimit#31",
        ),
        pytest.param(
            {"MemTotal": 64, "MemAvailable": 3}, 2, a_container(), {},
            (4 * GIB, 3 * GIB, "machine", "What is left is limited by the machine's 64.0 GiB."),
            id="a container on a machine that is nearly full",
        ),
        pytest.param(
            OF_64_GIB, 1, without(a_container(1, used=3), "memory.stat"), {},
            (4 * GIB, GIB, "cgroup_v1", "This container's limit is 4.0 GiB."),
            id="eclipse-omr#7453, beta9#1910",
        ),
        pytest.param(
            OF_64_GIB, 2, without(a_container(2, used=3), "memory.stat"), {},
            (4 * GIB, GIB, "cgroup_v2", "This container's limit is 4.0 GiB."),
            id="the same in v2",
        ),
        pytest.param(
            OF_64_GIB, 2, a_container(used=3.5, memory__max="max\n", memory__high=f"{4 * GIB}\n"), {},
            (4 * GIB, GIB // 2, "cgroup_v2", "This container's limit is 4.0 GiB."),
            id="cockroach#114774, dask#7051",
        ),
        pytest.param(
            OF_64_GIB, 2, a_container(used=4, stat=f"inactive_file 0\nactive_file {3 * GIB}\n"), {},
            (4 * GIB, 3 * GIB, "cgroup_v2", "RAM: 1.0 of 4.0 GiB used"),
            id="kubernetes#43916",
        ),
        pytest.param(
            {"MemTotal": 16, "MemAvailable": 1}, 2, {}, {"proc/spl/kstat/zfs/arcstats": ARC},
            (16 * GIB, 9 * GIB, "machine", "RAM: 7.0 of 16.0 GiB used"),
            id="openzfs#10255, psutil PR#2385",
        ),
        pytest.param(
            OF_64_GIB, 2, {},
            {"proc/self/limits": LIMITS.format(name="address space", size=2 * GIB), "proc/self/status": STATUS},
            (2 * GIB, GIB + GIB // 2, "rlimit_as", "This process's own limit (ulimit -v) is 2.0 GiB."),
            id="notebook PR#5876, distributed#2665: ulimit -v",
        ),
        pytest.param(
            OF_64_GIB, 2, {},
            {"proc/self/limits": LIMITS.format(name="data size", size=GIB), "proc/self/status": STATUS},
            (GIB, GIB - GIB // 4, "rlimit_data", "This process's own limit for its data (ulimit -d) is 1.0 GiB."),
            id="notebook PR#5876, distributed#2665: ulimit -d",
        ),
        pytest.param(
            {**OF_64_GIB, "CommitLimit": 32, "Committed_AS": 31}, 2, {},
            {"proc/sys/vm/overcommit_memory": "2\n", "proc/self/status": STATUS},
            (32 * GIB, GIB - 24 * MIB, "commit", "This machine promises its programs no more than 32.0 GiB"),
            id="notebook PR#5876, distributed#2665: vm.overcommit_memory=2",
        ),
    ],
)  # fmt: skip
def test_what_others_reported_is_told_rightly(  # noqa: PLR0913, PLR0917 - a row of a table
    tmp_path: Path,
    machine: dict[str, int],
    version: int,
    groups: Groups,
    files: dict[str, str],
    expected: tuple[int, int, str, str],
) -> None:
    """What may be used in all, what can still be allocated, by what, and how that is said."""
    root = build_nested(tmp_path, version, groups)
    sizes = "".join(f"{name}: {size * 2**20} kB\n" for name, size in machine.items())
    for path, text in {"proc/meminfo": sizes, **files}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    seen = looked(root)
    capacity_bytes, headroom_bytes, limited_by, said = expected

    assert (seen.capacity_bytes, seen.headroom_bytes, seen.limited_by) == (capacity_bytes, headroom_bytes, limited_by)
    assert said in str(a_report(Subject.RAM, ram=seen, platform=JUPYTER, **CPU_RUNTIME))


def test_a_parent_that_the_mount_does_not_show_limits_too(tmp_path: Path) -> None:
    """gosigar#57, VictoriaMetrics#699."""
    own = memory_files(1, limit=None, usage=100 * MIB) | {"memory.stat": f"hierarchical_memory_limit {300 * MIB}\n"}
    mounts = [v1_mount("memory", V1_MEMORY, root="/hidden/own")]
    seen = looked(build_root(tmp_path, "4:memory:/hidden/own", mounts, {V1_MEMORY: own}))

    assert (seen.capacity_bytes, seen.headroom_bytes, seen.limit_level) == (300 * MIB, 200 * MIB, 1)


@pytest.mark.parametrize(
    ("limit", "told", "swap_used_bytes"),
    [
        pytest.param(4 * GIB, "0\n", 0, id="docs#6833: a container that may not swap, on a host that does"),
        pytest.param(4 * GIB, f"{GIB}\n", GIB, id="a container's own"),
        pytest.param(4 * GIB, None, None, id="a container that does not tell"),
        pytest.param(None, f"{GIB}\n", 10 * GIB, id="without a limit the machine's"),
    ],
)
def test_in_a_container_only_its_own_swap_counts(
    tmp_path: Path, limit: int | None, told: str | None, swap_used_bytes: int | None
) -> None:
    files = memory_files(2, limit=limit, usage=4 * GIB - MIB)
    root = build_nested(tmp_path, 2, {"/parent/own": files | ({"memory.swap.current": told} if told else {})})
    (tmp_path / "proc/meminfo").write_text(
        "MemTotal: 67108864 kB\nMemAvailable: 33554432 kB\nSwapTotal: 16777216 kB\nSwapFree: 6291456 kB\n"
    )
    seen = looked(root)
    said = str(a_report(Subject.RAM, ram=seen, platform=JUPYTER, **CPU_RUNTIME))

    assert seen.swap_used_bytes == swap_used_bytes
    assert ("swapped out" in said) == bool(limit and swap_used_bytes)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("limit", [GIB, None], ids=["the container's", "the machine's"])
def test_what_is_shared_is_of_what_bites_first(version: int, limit: int | None, tmp_path: Path) -> None:
    files = memory_files(version, limit=limit, usage=GIB - MIB, shmem=900 * MIB)
    root = build_nested(tmp_path, version, {"/parent/own": files})
    (tmp_path / "proc/meminfo").write_text("MemTotal: 67108864 kB\nMemAvailable: 33554432 kB\nShmem: 4096 kB\n")
    seen = looked(root)

    assert seen.shared_bytes == (4 * MIB if limit is None else 900 * MIB)
    assert seen.is_mostly_shared is (limit is not None)


def test_what_is_shared_and_not_told_is_unknown(tmp_path: Path) -> None:
    seen = looked(a_v2_tree(tmp_path, c=GIB))

    assert seen.limit_level == 0
    assert seen.shared_bytes is None
    assert not seen.is_mostly_shared


def test_swap_in_use_is_read(tmp_path: Path) -> None:
    root = a_v2_tree(tmp_path)
    (tmp_path / "proc/meminfo").write_text(
        "MemTotal: 8000 kB\nMemAvailable: 2000 kB\nSwapTotal: 500 kB\nSwapFree: 200 kB\n"
    )
    seen = looked(root)

    assert (seen.machine.total_bytes, seen.available_bytes) == (8000 * 1024, 2000 * 1024)
    assert seen.swap_used_bytes == 300 * 1024


def test_a_machine_that_cannot_be_read_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise PermissionError(13, "Permission denied", "/proc/meminfo")

    monkeypatch.setattr(psutil, "virtual_memory", refuse)

    assert probe_ram(root="/nowhere") == Unavailable(code="unreadable", values=(("error", "PermissionError"),))


EVENTS = "oom_kill 4\n"


@pytest.mark.parametrize(
    ("named", "count"),
    [
        pytest.param("/sys/fs/cgroup/memory.events /var/colab/cgroup/jupyter-children/memory.events", 4, id="Colab's"),
        pytest.param("/var/colab/cgroup/jupyter-children/memory.events", 4, id="one"),
        pytest.param("", None, id="empty"),
        pytest.param("/etc/events", None, id="elsewhere"),
        pytest.param("/var/colab/cgroup/../../../etc/events", None, id="elsewhere by a detour"),
        pytest.param("/sys/fs/cgroup-of-mine/events", None, id="a name that begins alike"),
        pytest.param("var/colab/cgroup/jupyter-children/memory.events", None, id="not from the root on"),
        pytest.param(" ".join(["/var/colab/cgroup/no"] * 9 + ["/var/colab/cgroup/jupyter-children/memory.events"]),
                     None, id="too many"),
        pytest.param("\x1b[31m \udcff", None, id="nonsense"),
    ],
)  # fmt: skip
def test_what_was_killed_is_counted_where_colab_says_and_in_no_other_place(
    named: str, count: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in ("var/colab/cgroup/jupyter-children/memory.events", "etc/events", "sys/fs/cgroup-of-mine/events"):
        (tmp_path / place).parent.mkdir(parents=True)
        (tmp_path / place).write_text(EVENTS)
    monkeypatch.setenv("CGROUP_MEMORY_EVENTS", named)

    assert looked(str(tmp_path)).killed_for_memory == count


def test_what_was_killed_is_counted_by_the_own_group_where_nobody_names_a_counter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CGROUP_MEMORY_EVENTS", raising=False)
    root = a_v2_tree(tmp_path, c=200 * MIB)

    assert looked(root).killed_for_memory is None
    (tmp_path / "sys/fs/cgroup/a/b/c/memory.events").write_text(EVENTS)
    assert looked(root).killed_for_memory == 4
