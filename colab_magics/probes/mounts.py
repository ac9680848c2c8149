"""On which mount a place lies, read from /proc alone: touching a mount that does not answer would block this process.

Sources: proc(5), for mountinfo and fdinfo; filesystems(5).
"""

from __future__ import annotations

import functools
import os
import re

from colab_magics import files, procfs
from colab_magics.values import Record

_LOCAL = frozenset(
    {
        "aufs", "bcachefs", "bpf", "btrfs", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "devtmpfs",
        "efivarfs", "erofs", "exfat", "ext2", "ext3", "ext4", "f2fs", "hugetlbfs", "iso9660", "jfs", "mqueue", "msdos",
        "nsfs", "ntfs3", "overlay", "proc", "pstore", "ramfs", "reiserfs", "rootfs", "securityfs", "squashfs", "sysfs",
        "tmpfs", "tracefs", "udf", "vfat", "xfs", "zfs",
    }
)  # fmt: skip
"""Types whose answer depends on no other machine and on no program; every other one may be silent."""

_ESCAPED = r"\\([0-7]{3})"


class Mount(Record):
    """A mounted file system."""

    number: int
    """As the kernel counts mounts."""
    device: str
    """Such as "0:45": two mounts of it are one file system."""
    point: str
    """Where it is mounted."""
    type: str
    """Such as "ext4", "fuse.sshfs"."""

    @property
    def always_answers(self) -> bool:
        """Whether it always answers, since no server stands behind it that could be silent."""
        return self.type in _LOCAL


def mounts(root: str = "/") -> tuple[Mount, ...]:
    """Return what is mounted, in the order in which it was; nothing where that cannot be told."""
    try:
        return _table(files.read_bytes(f"{root}/proc/self/mountinfo"))
    except OSError:
        return ()


@functools.lru_cache(maxsize=4)  # hardly ever is anything mounted between two reports
def _table(mountinfo: bytes) -> tuple[Mount, ...]:
    return tuple(filter(None, map(_parsed, os.fsdecode(mountinfo).split("\n"))))


def mount_of(path: str, table: tuple[Mount, ...]) -> Mount | None:
    """Return the mount that a path lies on, by the path's words alone; None where none of these is."""
    best = None
    for mount in table:
        point = mount.point.rstrip("/")
        # Of several at one point the last lies on top.
        if (path == point or path.startswith(f"{point}/")) and (best is None or len(mount.point) >= len(best.point)):
            best = mount
    return best


def mount_of_working_directory(table: tuple[Mount, ...]) -> Mount | None:
    """Return the mount that the working directory lies on; None where it is none of these, or that cannot be told.

    The folder's name alone may mislead, once something was mounted over it or it was unmounted with us in it.
    """
    try:
        named = mount_of(os.readlink("/proc/self/cwd"), table)
    except OSError:
        return None
    if named is None or not named.always_answers:
        return named
    number = _mount_number()
    return named if number is None else next((mount for mount in table if mount.number == number), None)


def _mount_number() -> int | None:
    """Return the number of the working directory's mount; O_PATH asks no FUSE server."""
    try:
        descriptor = os.open(os.curdir, os.O_PATH)
    except OSError:
        return None
    try:
        found = re.search(r"^mnt_id:\s*(\d+)$", files.read(f"/proc/self/fdinfo/{descriptor}"), re.MULTILINE)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return procfs.size(found[1]) if found else None


def _parsed(line: str) -> Mount | None:
    before, _, after = line.partition(" - ")
    fields, kind = before.split(" "), after.partition(" ")[0]
    number = procfs.size(fields[0])
    if len(fields) < 5 or number is None or not kind:  # noqa: PLR2004 - number, parent, device, root, point
        return None
    point = re.sub(_ESCAPED, lambda octal: chr(int(octal[1], 8)), fields[4])
    return Mount(number, fields[2], point, kind)
