"""Whose process the driver names: one of this pid namespace or of another, and this very kernel or not.

In a container the driver may report the host's process numbers, and such a number may by chance be that of another
process here (NVIDIA/nvidia-docker issues 179 and 1483). So a number counts as one of ours only if the process of that
number has a GPU's device file open.
"""

from __future__ import annotations

import os

from colab_magics import files, units

_INITIAL_NAMESPACE = "pid:[4026531836]"
"""PROC_PID_INIT_INO of Linux's include/linux/proc_ns.h; in any other namespace, numbers may be those of another one."""

_MOST_BYTES = 256
"""The longest name: the kernel cuts names to 15 characters, those of its own threads to 63."""

_DEVICE_FILES = ("/dev/nvidia", "/dev/dxg")


def is_here(pid: int, *, are_ours: bool, root: str = "/") -> bool | None:
    """Tell whether a process number of the driver's means the process of that number here; None if nobody can say.

    `are_ours`: this process is outside of every container (`in_initial_namespace`). There a process that cannot be
    seen has ended meanwhile, or /proc hides it.
    """
    folder = os.path.join(root, "proc", str(pid))
    if are_ours:
        return True if os.path.isdir(folder) else None
    if not os.path.isdir(folder):
        return False
    try:
        open_files = os.listdir(os.path.join(folder, "fd"))
    except OSError:
        return None
    return any(_is_device(os.path.join(folder, "fd", number)) for number in open_files)


def name_of(pid: int, *, root: str = "/") -> str | None:
    """Return the name of a process's command, None if it has ended. Never its arguments: they may hold secrets."""
    try:
        return units.name_or_none(files.read(os.path.join(root, "proc", str(pid), "comm"), _MOST_BYTES))
    except OSError:
        return None


def in_initial_namespace(*, root: str = "/") -> bool:
    """Tell whether this process sees the machine's own process numbers, as the driver does."""
    try:
        return os.readlink(os.path.join(root, "proc/self/ns/pid")) == _INITIAL_NAMESPACE
    except OSError:
        return False


def _is_device(path: str) -> bool:
    try:
        return os.readlink(path).startswith(_DEVICE_FILES)
    except OSError:
        return False
