"""Disk space where a notebook's files go: the root file system and the working directory's."""

from __future__ import annotations

import os

import psutil

from colab_magics.model import Disk, Unavailable, Usage


def probe_disks() -> tuple[Disk, ...] | Unavailable:
    """Look at the file systems of ``/`` and of the working directory; one entry if they are the same."""
    places = {"/": os.path.abspath(os.sep), "working directory": os.curdir}
    devices: dict[int, list[str]] = {}
    for place, path in places.items():
        try:
            devices.setdefault(os.stat(path).st_dev, []).append(place)
        except OSError:  # the working directory may have been removed
            continue
    disks = []
    for on_device in devices.values():
        try:
            space = psutil.disk_usage(places[on_device[0]])
        except OSError:
            continue
        usage = Usage(total_bytes=space.total, used_bytes=space.used)
        disks.append(Disk(places=tuple(on_device), usage=usage, free_bytes=space.free))
    return tuple(disks) if disks else Unavailable(code="unreadable", values=(("error", "OSError"),))
