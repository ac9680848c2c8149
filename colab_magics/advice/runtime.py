"""Rules about the rest of the runtime."""

from __future__ import annotations

from colab_magics.model import Advice, Limits, Severity, Snapshot


def disk_nearly_full(snapshot: Snapshot, limits: Limits) -> Advice | None:
    """Little space is left on a file system that a notebook writes to; the fullest is named."""
    if not isinstance(snapshot.disks, tuple) or not snapshot.disks:
        return None
    disk = min(snapshot.disks, key=lambda disk: disk.free_bytes / max(1, disk.usage.total_bytes))
    if 100 * disk.free_bytes >= limits.disk_free_percent * disk.usage.total_bytes:
        return None
    values = (
        ("place", disk.places[0]),
        ("free_bytes", disk.free_bytes),
        ("total_bytes", disk.usage.total_bytes),
    )
    return Advice(rule="disk_nearly_full", severity=Severity.WARNING, values=values)
