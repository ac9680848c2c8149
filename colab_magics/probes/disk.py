"""Disk space where a notebook's files go: the root file system, the working directory's, and shared memory.

A mount that may be silent is asked in the observer's child, with a deadline. What a file system says is held against
what can be.
"""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

from colab_magics.model import SHARED_MEMORY, Disk, Unavailable, Usage
from colab_magics.observer import client, looks
from colab_magics.probes.mounts import mount_of, mount_of_working_directory, mounts

if TYPE_CHECKING:
    from colab_magics.probes.mounts import Mount

    Told = dict[str, int] | Unavailable

_LARGEST_BYTES = 2**63
"""A size from here on is not believed: what claims 8 EiB has no limit, or does not know it."""

_READ_ONLY = 1
"""ST_RDONLY of statvfs(3); Python has a name for it on some systems only."""


def probe_disks() -> tuple[Disk, ...] | Unavailable:
    """Look at the file systems of ``/``, of the working directory, and of ``/dev/shm`` where it is one of its own."""
    told: dict[str, Told] = _on_linux() if sys.platform == "linux" else _elsewhere()
    disks: dict[object, Disk] = {}
    for place, figures in told.items():
        key = place if isinstance(figures, Unavailable) else figures["device"]
        before = disks.get(key)
        places = (place,) if before is None else (*before.places, place)
        disks[key] = _unknown(places, figures) if isinstance(figures, Unavailable) else _disk(places, figures)
    return tuple(disks.values())


def _on_linux() -> dict[str, Told]:
    table = mounts()
    answers: dict[object, Told] = {}

    def ask(mount: Mount | None, path: str, path_for_the_child: str) -> Told:
        if mount is not None and mount.always_answers:
            return _file_system(path)
        key = path_for_the_child if mount is None else mount.device
        if key not in answers:
            answers[key] = client.look(key, path_for_the_child)
        return answers[key]

    told = {
        "/": ask(mount_of("/", table), "/", "/"),
        "working directory": ask(mount_of_working_directory(table), os.curdir, _working_directory()),
    }
    shared = mount_of(SHARED_MEMORY, table)
    if shared is not None and shared.point == SHARED_MEMORY and shared.always_answers:
        told[SHARED_MEMORY] = _file_system(SHARED_MEMORY)
    return told


def _working_directory() -> str:
    """Return the working directory as the child reaches it, also one that has no name any more."""
    link = f"/proc/{os.getpid()}/cwd"
    if os.path.lexists(link):
        return link
    try:
        return os.getcwd()
    except OSError:
        return link


def _elsewhere() -> dict[str, Told]:
    return {"/": _file_system(os.path.abspath(os.sep)), "working directory": _file_system(os.curdir)}


def _file_system(path: str) -> Told:
    try:
        if hasattr(os, "statvfs"):
            return looks.file_system(path)
        space = shutil.disk_usage(path)
        figures = {"blocks": space.total, "free_blocks": space.free, "writable_blocks": space.free}
        return {
            **figures,
            "device": os.stat(path).st_dev,
            "block_bytes": 1,
            "inodes": 0,
            "writable_inodes": 0,
            "flags": 0,
        }
    except OSError as error:
        return Unavailable(code="unreadable", values=(("error", error.strerror or type(error).__name__),))


def _disk(places: tuple[str, ...], figures: dict[str, int]) -> Disk:
    block_bytes = figures["block_bytes"]
    total_bytes, unused_bytes, free_bytes = (
        block_bytes * figures[name] for name in ("blocks", "free_blocks", "writable_blocks")
    )
    if (
        not 0 < total_bytes < _LARGEST_BYTES
        or not 0 <= unused_bytes <= total_bytes
        or not 0 <= free_bytes <= total_bytes
    ):
        return _unknown(places, Unavailable(code="size_cannot_be"))
    counts_inodes = 0 <= figures["writable_inodes"] <= figures["inodes"] > 0
    return Disk(
        places=places,
        usage=Usage(total_bytes=total_bytes, used_bytes=total_bytes - unused_bytes),
        free_bytes=free_bytes,
        is_read_only=bool(figures["flags"] & _READ_ONLY),
        total_inodes=figures["inodes"] if counts_inodes else None,
        free_inodes=figures["writable_inodes"] if counts_inodes else None,
    )


def _unknown(places: tuple[str, ...], why: Unavailable) -> Disk:
    return Disk(places=places, usage=None, free_bytes=None, unavailable=why)
