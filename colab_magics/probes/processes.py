"""Whose process the driver names: one of this pid namespace or of another, and this very kernel or not.

In a container the driver may report the host's process numbers, and such a number may by chance be that of another
process here (NVIDIA/nvidia-docker issues 179 and 1483). So a number counts as one of ours only if the process of that
number has a GPU's device file open.
"""

from __future__ import annotations

import os
from functools import cached_property

from colab_magics import files, units

_INITIAL_NAMESPACE = "pid:[4026531836]"
"""PROC_PID_INIT_INO of Linux's include/linux/proc_ns.h; in any other namespace, numbers may be those of another one."""

_MOST_BYTES = 256
"""The longest name: the kernel cuts names to 15 characters, those of its own threads to 63."""

_FEW = 32
"""So many looks at single processes cost as much as a list of two hundred (0.1 ms, measured 2026-11)."""

_DEVICE_FILES = ("/dev/nvidia", "/dev/dxg")


class Processes:
    """The processes that this one sees. Whoever asks about more than a few has them listed, once.

    `root` is a folder that stands for /.
    """

    def __init__(self, *, root: str = "/") -> None:
        self._root = root
        self._looks = 0

    @cached_property
    def _are_ours(self) -> bool:
        return in_initial_namespace(root=self._root)

    @cached_property
    def _numbers(self) -> frozenset[str]:
        try:
            return frozenset(os.listdir(os.path.join(self._root, "proc")))
        except OSError:
            return frozenset()

    def is_here(self, pid: int) -> bool | None:
        """Tell whether a process number of the driver's means the process of that number here; None if nobody can say.

        Outside of every container a process that cannot be seen has ended meanwhile, or /proc hides it.
        """
        is_seen = self._is_seen(pid)
        if self._are_ours:
            return is_seen or None
        if not is_seen:
            return False
        folder = os.path.join(self._root, "proc", str(pid), "fd")
        try:
            open_files = os.listdir(folder)
        except OSError:
            return None
        return any(_is_device(os.path.join(folder, number)) for number in open_files)

    def _is_seen(self, pid: int) -> bool:
        if self._looks == _FEW:
            return str(pid) in self._numbers
        self._looks += 1
        return os.path.isdir(os.path.join(self._root, "proc", str(pid)))

    def name_of(self, pid: int) -> str | None:
        """Return the name of a process's command, None if it has ended. Never its arguments: they may hold secrets."""
        try:
            file = os.path.join(self._root, "proc", str(pid), "comm")
            return units.name_or_none(files.read(file, _MOST_BYTES))
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
