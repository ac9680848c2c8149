"""Rules about the rest of the runtime."""

from __future__ import annotations

from colab_magics.model import Advice, Limits, Service, Severity, Snapshot


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


def runtime_old(snapshot: Snapshot, limits: Limits) -> Advice | None:
    """The machine nears the longest life that Google names for free runtimes; how long it really lives nobody tells."""
    platform = snapshot.platform
    ages = [age for age in (platform.machine_age_seconds, platform.container_age_seconds) if age is not None]
    if platform.service is not Service.COLAB or not ages or min(ages) < limits.runtime_age_hours * 3600:
        return None
    return Advice(rule="runtime_old", severity=Severity.INFO, values=(("age_seconds", min(ages)),))
