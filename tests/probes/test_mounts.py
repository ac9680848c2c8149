"""On which mount a place lies: tables as kernels write them, and this machine's own."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colab_magics.probes import mounts
from colab_magics.probes.mounts import Mount, mount_of, mount_of_working_directory
from colab_magics.values import replace

COLAB = """\
1218 1017 0:257 / / rw,relatime master:450 - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/l/A:/B
1219 1218 0:260 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw
1226 1220 0:259 / /dev/shm rw,nosuid,nodev,noexec,relatime - tmpfs shm rw,size=6026240k
1230 1218 8:1 /var/lib /etc/hosts rw,nosuid,nodev,relatime - ext4 /dev/sda1 rw,commit=30
1301 1218 0:280 / /content/drive rw,nosuid,nodev,relatime - fuse.drive drive rw,user_id=0
"""


def table(tmp_path: Path, text: str) -> tuple[Mount, ...]:
    folder = tmp_path / "proc/self"
    folder.mkdir(parents=True)
    (folder / "mountinfo").write_text(text)
    return mounts.mounts(str(tmp_path))


@pytest.mark.parametrize(
    ("path", "point", "always_answers"),
    [
        pytest.param("/", "/", True, id="the root"),
        pytest.param("/content", "/", True, id="a folder of it"),
        pytest.param("/content/drive", "/content/drive", False, id="Drive itself"),
        pytest.param("/content/drive/MyDrive/a b", "/content/drive", False, id="a folder of Drive"),
        pytest.param("/content/drives", "/", True, id="only its name begins so"),
        pytest.param("/dev/shm", "/dev/shm", True, id="shared memory"),
        pytest.param("/content/gone (deleted)", "/", True, id="a folder that was deleted"),
    ],
)
def test_a_path_lies_on_the_nearest_mount_above_it(path: str, point: str, always_answers: bool, tmp_path: Path) -> None:
    mount = mount_of(path, table(tmp_path, COLAB))

    assert mount is not None
    assert (mount.point, mount.always_answers) == (point, always_answers)


def test_of_several_at_one_point_the_last_lies_on_top(tmp_path: Path) -> None:
    seen = table(tmp_path, "27 1 254:0 / / rw - ext4 /dev/vda rw\n99 27 0:50 / / rw - 9p remote rw\n")

    assert mount_of("/a", seen) == Mount(99, "0:50", "/", "9p")


def test_a_name_with_spaces_is_read(tmp_path: Path) -> None:
    seen = table(tmp_path, "31 27 0:44 / /mnt/a\\040b\\134c rw shared:1 master:2 - nfs4 server:/x rw\n")

    assert mount_of("/mnt/a b\\c/d", seen) == Mount(31, "0:44", "/mnt/a b\\c", "nfs4")
    assert mount_of("/mnt/a", seen) is None


@pytest.mark.parametrize(
    "junk", ["", "\n\n", "a b c", "1 2 3 4 5", "x 1 0:1 / / rw - ext4 a rw", " - ", "1 1 0:1 / / rw -"]
)
def test_junk_is_no_mount(junk: str, tmp_path: Path) -> None:
    assert table(tmp_path, junk) == ()


def test_where_there_is_no_proc_nothing_is_known(tmp_path: Path) -> None:
    assert mounts.mounts(str(tmp_path)) == ()
    assert mount_of("/", ()) is None
    assert mount_of_working_directory(()) is None


@pytest.mark.parametrize(
    "type_",
    [
        "fuse",
        "fuse.sshfs",
        "fuseblk",
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "9p",
        "virtiofs",
        "ceph",
        "lustre",
        "autofs",
        "new",
    ],
)
def test_what_may_be_silent_is_whatever_is_not_known_to_answer(type_: str) -> None:
    assert not Mount(1, "0:1", "/", type_).always_answers


@pytest.mark.parametrize("type_", ["ext4", "xfs", "btrfs", "overlay", "tmpfs", "zfs"])
def test_a_local_file_system_always_answers(type_: str) -> None:
    assert Mount(1, "0:1", "/", type_).always_answers


def test_the_working_directory_is_told_by_its_mount_not_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    seen = mounts.mounts()
    here = mount_of_working_directory(seen)

    assert here is not None
    assert here in seen
    number, _, rest = here.device.partition(":")
    if here.type != "btrfs":
        assert os.stat(".").st_dev == os.makedev(int(number), int(rest))
    assert mount_of_working_directory(tuple(mount for mount in seen if mount.number != here.number)) != here


def test_a_folder_in_which_something_was_unmounted_is_on_no_mount(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its name is that of a folder on a local disk, its mount is not in the table any more."""
    monkeypatch.chdir("/")
    seen = mounts.mounts()
    here = mount_of_working_directory(seen)

    assert here is not None
    assert mount_of_working_directory((replace(here, number=10**9),)) is None


PIECES = st.sampled_from(
    [b"1218 1017 0:257 / / rw ", b"- overlay overlay rw", b" - ", b"-", b" ", b"\n", b"/a", b"\\040", b"\\777", b"\xff",
     b"9" * 5000, b"fuse.x", b"\0", b"\r"]
)  # fmt: skip


@settings(derandomize=True, deadline=None, max_examples=200, database=None)
@given(st.binary() | st.lists(PIECES).map(b"".join))
def test_whatever_the_table_says_it_is_read(text: bytes) -> None:
    with tempfile.TemporaryDirectory() as root:
        (Path(root) / "proc/self").mkdir(parents=True)
        (Path(root) / "proc/self/mountinfo").write_bytes(text)
        found = mounts.mounts(root)

    assert all(mount.type and mount.number >= 0 for mount in found)
    assert mount_of("/a/b", found) in (None, *found)


def test_a_mount_whose_name_is_not_utf_8_is_known_by_it(tmp_path: Path) -> None:
    folder = tmp_path / "proc/self"
    folder.mkdir(parents=True)
    (folder / "mountinfo").write_bytes(b"7 1 0:45 / /mnt/\xe9t\xe9 rw - fuse.sshfs x rw\n")
    (mount,) = mounts.mounts(str(tmp_path))

    assert mount_of(os.fsdecode(b"/mnt/\xe9t\xe9/data"), (mount,)) == mount
