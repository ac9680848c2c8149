"""Rules about the rest of the runtime."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics.facts.accelerators import COLAB
from colab_magics.model import Platform, Severity, Subject, seen
from colab_magics.rules.rule import rule
from colab_magics.translation import N_

if TYPE_CHECKING:
    from colab_magics.model import Snapshot, Values
    from colab_magics.rules.rule import Rule

_DISK_FREE_PERCENT = 10.0
_OLD_SECONDS = 10 * 3600.0


@rule(
    Subject.RUNTIME,
    Severity.WARNING,
    N_("The disk is nearly full: {free_bytes:size} of {total_bytes:size} free ({place:place})."),
    fixable_in_place=True,
)
def disk_nearly_full(snapshot: Snapshot) -> Values | None:
    """Little space is left on a file system that a notebook writes to; the fullest is named."""
    disks = seen(snapshot.disks)
    if not disks:
        return None
    disk = min(disks, key=lambda disk: disk.free_bytes / max(1, disk.usage.total_bytes))
    if 100 * disk.free_bytes >= _DISK_FREE_PERCENT * disk.usage.total_bytes:
        return None
    return ("place", disk.places[0]), ("free_bytes", disk.free_bytes), ("total_bytes", disk.usage.total_bytes)


@rule(
    Subject.RUNTIME,
    Severity.INFO,
    N_("This machine has been up {age_seconds:span}; a free one lasts at most 12 h (Google publishes no exact limit)."),
)
def runtime_old(snapshot: Snapshot) -> Values | None:
    """The machine nears the longest life that Google names for free runtimes; how long it really lives nobody tells."""
    platform = snapshot.platform
    if not isinstance(platform, Platform) or platform.service != COLAB:
        return None
    ages = [age for age in (platform.machine_age_seconds, platform.container_age_seconds) if age is not None]
    return (("age_seconds", min(ages)),) if ages and min(ages) >= _OLD_SECONDS else None


RULES: tuple[Rule, ...] = (disk_nearly_full, runtime_old)
