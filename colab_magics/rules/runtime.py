"""Rules about the rest of the runtime."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics.facts.accelerators import COLAB
from colab_magics.model import Platform, Severity, Subject
from colab_magics.rules.rule import rule
from colab_magics.translation import N_

if TYPE_CHECKING:
    from colab_magics.model import Snapshot, Values
    from colab_magics.rules.rule import Rule

_DISK_FREE_PERCENT = 10.0
_SHARED_MEMORY_FREE_PERCENT = 10.0
_SMALL_SHARED_MEMORY_BYTES = 2**30
_OLD_SECONDS = 10 * 3600.0


@rule(
    Subject.RUNTIME,
    Severity.WARNING,
    N_("The disk is nearly full: {free_bytes:size} of {total_bytes:size} free ({place:place})."),
    fixable_in_place=True,
)
def disk_nearly_full(snapshot: Snapshot) -> Values | None:
    """Less than 10 % of a disk that a notebook writes to is free; the fullest is named."""
    writable = [
        (disk.free_bytes, disk.usage.total_bytes, disk.places[0])
        for disk in snapshot.runtime_disks
        if disk.usage is not None and disk.free_bytes is not None and not disk.is_read_only
    ]
    if not writable:
        return None
    free_bytes, total_bytes, place = min(writable, key=lambda one: one[0] / one[1])
    if 100 * free_bytes >= _DISK_FREE_PERCENT * total_bytes:
        return None
    return ("place", place), ("free_bytes", free_bytes), ("total_bytes", total_bytes)


@rule(
    Subject.RUNTIME,
    Severity.WARNING,
    N_("No more files can be made on the disk ({place:place}): its inodes are used up."),
    fixable_in_place=True,
)
def no_inodes_left(snapshot: Snapshot) -> Values | None:
    """A disk that a notebook writes to holds as many files as it can, whatever space is left."""
    full = [disk for disk in snapshot.runtime_disks if disk.free_inodes == 0 and not disk.is_read_only]
    return (("place", full[0].places[0]),) if full else None


@rule(
    Subject.RUNTIME,
    Severity.WARNING,
    N_("Shared memory (/dev/shm) is nearly full: {free_bytes:size} of {total_bytes:size} free. A process that finds no "
       "room in it is killed by a bus error."),
    fixable_in_place=True,
)  # fmt: skip
def shared_memory_nearly_full(snapshot: Snapshot) -> Values | None:
    """Less than 10 % of the memory is free through which PyTorch's DataLoader and its workers exchange data."""
    shared = snapshot.shared_memory
    if shared is None or shared.usage is None or shared.free_bytes is None:
        return None
    if 100 * shared.free_bytes >= _SHARED_MEMORY_FREE_PERCENT * shared.usage.total_bytes:
        return None
    return ("free_bytes", shared.free_bytes), ("total_bytes", shared.usage.total_bytes)


@rule(
    Subject.RUNTIME,
    Severity.INFO,
    N_("Shared memory (/dev/shm) has {total_bytes:size} in all: a DataLoader with workers may need more, and is then "
       "killed by a bus error."),
    is_remark=True,
)  # fmt: skip
def shared_memory_small(snapshot: Snapshot) -> Values | None:
    """A container has less than 1 GiB of the memory through which DataLoader's workers hand over their data.

    An ordinary system gives half of its RAM.
    """
    shared = snapshot.shared_memory
    if shared is None or shared.usage is None or shared_memory_nearly_full(snapshot) is not None:
        return None
    total_bytes = shared.usage.total_bytes
    is_small = total_bytes < _SMALL_SHARED_MEMORY_BYTES
    return (("total_bytes", total_bytes),) if snapshot.is_in_container and is_small else None


@rule(
    Subject.RUNTIME,
    Severity.INFO,
    N_("This machine has been up {age_seconds:span}; a free one lasts at most 12 h (Google publishes no exact limit)."),
    is_remark=True,
)
def runtime_old(snapshot: Snapshot) -> Values | None:
    """Hosted Colab: up for ten hours or more, near the longest life that Google names for free runtimes."""
    platform = snapshot.platform
    if not isinstance(platform, Platform) or platform.service != COLAB:
        return None
    ages = [age for age in (platform.machine_age_seconds, platform.container_age_seconds) if age is not None]
    return (("age_seconds", min(ages)),) if ages and min(ages) >= _OLD_SECONDS else None


RULES: tuple[Rule, ...] = (
    disk_nearly_full,
    no_inodes_left,
    shared_memory_nearly_full,
    shared_memory_small,
    runtime_old,
)
