"""What the table of accelerators says of a machine: which of its rows it is, in which shape, and what would be larger.

Every figure that depends on the accelerator is derived here, once: rules, guides, requirements and views ask, and
compute nothing of their own.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from colab_magics.facts.loader import accelerators as offered
from colab_magics.facts.loader import images
from colab_magics.model import Ram, Unavailable, seen
from colab_magics.units import GIB
from colab_magics.values import Record

if TYPE_CHECKING:
    import datetime as dt

    from colab_magics.facts.tables import Accelerator
    from colab_magics.model import Snapshot, Tpu

__all__ = [
    "COLAB",
    "Rate",
    "by_device_name",
    "by_id",
    "by_menu_name",
    "cores",
    "device_names",
    "free_disk_gib",
    "image_gib",
    "in_high_ram_shape",
    "in_use",
    "is_high_ram",
    "label_gb",
    "larger_memory",
    "larger_ram",
    "may_depend_on_accelerator",
    "memory_gib",
    "offered",
    "ram_gib",
    "rate",
]

COLAB = "colab"
"""The service whose dialog the table describes: Google's hosted Colab."""

HIGH_RAM_BYTES = 20e9
"""From this much RAM on the Colab Pro notebook calls a runtime high-RAM (its RAM cell, read 2026-11-22)."""

HIGH_RAM_FACTOR = 1.5
"""From this many times the standard shape's RAM on it is the high-RAM shape: those published have twice as much or
more."""


_LABEL = r"(?i)(\d{1,4}) ?GB\b"
"""Finds the memory in a name; of several the last is the device's own: "NVIDIA H100 80GB HBM3 MIG 1g.10gb"."""

_MOST_BESIDE_LABEL = 0.125
"""By what share the memory that drivers report differs from a label, at most: up to 7.4 % with whole cards
(modal-labs/modal-client pull request 2797), 10.5 % with a slice "1g.24gb" of 20 GiB (NVIDIA/gpu-operator pull request
1303). The "NVIDIA GH200 480GB" is named for its processor's memory."""


class Rate(Record):
    """What an accelerator takes in one of its shapes, as seen on a day; it changes."""

    units_per_hour: float
    """Compute units."""
    date: dt.date | None
    """When it was seen."""
    origin: str
    """By whom: see `facts.tables`."""


def by_id(key: str) -> Accelerator:
    """Return the accelerator with Google's own id, such as "T4"; LookupError if there is none."""
    for accelerator in offered():
        if accelerator.id == key:
            return accelerator
    raise LookupError(key)


def by_device_name(name: str | None) -> Accelerator | None:
    """Return the accelerator with that device name (None: no accelerator at all), None if the table has none such."""
    for accelerator in offered():
        if name in accelerator.device_names or (name is None and accelerator.kind == "none"):
            return accelerator
    return None


def by_menu_name(name: str) -> Accelerator | None:
    """Return the accelerator that the dialog calls so, None if there is none."""
    return next((accelerator for accelerator in offered() if accelerator.menu_name == name), None)


def in_use(snapshot: Snapshot) -> Accelerator | None:
    """Return Colab's row for this runtime's accelerator; None elsewhere, and where it was not or could not be seen."""
    if snapshot.service != COLAB:
        return None
    gpus, tpus = snapshot.gpus, snapshot.tpus
    if seen(gpus):
        names = [gpu.name for gpu in snapshot.usable_gpus if gpu.name is not None]
        return by_device_name(names[0]) if names else None
    if seen(tpus):
        return _by_tpu(seen(tpus)[0])
    return by_device_name(None) if gpus == () and not isinstance(tpus, Unavailable) else None


def is_high_ram(snapshot: Snapshot) -> bool | None:
    """Tell whether this is the larger of hosted Colab's two shapes; None where there is no choice, or no way to tell.

    From half as much again as the accelerator's standard shape on, where the table has both shapes, else from the Colab
    Pro notebook's 20e9 bytes on. A large machine whose accelerator could not be seen is not judged: a standard A100 has
    83.5 GiB. TPUs come with one size of RAM, whichever it is.
    """
    if snapshot.service != COLAB or not isinstance(snapshot.ram, Ram):
        return None
    total_bytes = snapshot.ram.machine.total_bytes
    accelerator = in_use(snapshot)
    if accelerator is None:
        return _without_its_shape(snapshot, total_bytes)
    if accelerator.one_shape:
        return None
    if accelerator.standard_ram_gib is None or accelerator.high_ram_gib is None:
        return total_bytes >= HIGH_RAM_BYTES
    return total_bytes >= HIGH_RAM_FACTOR * accelerator.standard_ram_gib * GIB


def in_high_ram_shape(snapshot: Snapshot) -> bool:
    """Tell whether the machine is known to be of the larger shape: by its RAM, or by the card that only this has.

    A report on the GPU alone has not looked at the RAM.
    """
    if is_high_ram(snapshot) is True:
        return True
    accelerator = in_use(snapshot)
    if accelerator is None or accelerator.high_ram_memory_gib is None:
        return False
    return any(gpu.name in device_names(accelerator, high_ram=True) for gpu in snapshot.usable_gpus)


def may_depend_on_accelerator(snapshot: Snapshot) -> bool:
    """Tell whether one must see the accelerator to judge the RAM of a snapshot in which nobody looked for it."""
    ram = snapshot.ram
    return snapshot.service == COLAB and isinstance(ram, Ram) and ram.machine.total_bytes >= HIGH_RAM_BYTES


def memory_gib(accelerator: Accelerator, *, high_ram: bool) -> float | None:
    """Return the accelerator's own memory in one of its shapes: with Colab's A100 more RAM brings another card."""
    return (accelerator.high_ram_memory_gib if high_ram else None) or accelerator.memory_gib


def device_names(accelerator: Accelerator, *, high_ram: bool) -> tuple[str, ...]:
    """Return what the driver calls the card that comes with one of the shapes, where each has its own."""
    other_gib = memory_gib(accelerator, high_ram=not high_ram)
    if other_gib == memory_gib(accelerator, high_ram=high_ram):
        return accelerator.device_names
    return tuple(name for name in accelerator.device_names if f"{other_gib:g}GB" not in name)


def label_gb(name: str | None, memory_bytes: int | None) -> int | None:
    """Return how many GB a GPU or a MIG slice is sold as having; None where nothing tells.

    The table's figure, else the one in its name, where the memory that the driver reports bears it out; else that
    memory's GiB, rounded up.
    """
    row = by_device_name(name) if name else None
    in_name = re.findall(_LABEL, name or "")
    label = row.label_gb if row is not None and row.label_gb is not None else int(in_name[-1]) if in_name else None
    if memory_bytes is None:
        return label
    if label and abs(memory_bytes - label * 1e9) <= _MOST_BESIDE_LABEL * label * 1e9:
        return label
    return math.ceil(memory_bytes / GIB)


def ram_gib(accelerator: Accelerator, *, high_ram: bool) -> float | None:
    """Return the RAM of one of the accelerator's shapes; None where it is not published."""
    return accelerator.high_ram_gib if high_ram else accelerator.standard_ram_gib


def cores(accelerator: Accelerator, *, high_ram: bool) -> float | None:
    """Return the cores of one of the accelerator's shapes; None where they are not published."""
    return (accelerator.high_ram_cores if high_ram else None) or accelerator.cores


def free_disk_gib(accelerator: Accelerator) -> tuple[float, float] | None:
    """Return what is free of the disk of a fresh machine, at least and at most; None where that is not published."""
    image = next((one for one in images() if one.service == COLAB), None)
    if accelerator.disk_gib is None or image is None:
        return None
    most = accelerator.most_disk_gib or accelerator.disk_gib
    return max(0.0, accelerator.disk_gib - image.most_gib), most - image.least_gib


def image_gib(service: str | None) -> float:
    """Return what a service's image takes of the disk at least, which no user can free; 0 where nothing is known."""
    return next((one.least_gib for one in images() if one.service == service), 0.0)


def rate(snapshot: Snapshot) -> Rate | None:
    """Return what the accelerator in use takes by the hour in this machine's shape; None where nobody published it."""
    accelerator = in_use(snapshot)
    if accelerator is None:
        return None
    high_ram = in_high_ram_shape(snapshot) and accelerator.high_ram_units_per_hour is not None
    units = accelerator.high_ram_units_per_hour if high_ram else accelerator.units_per_hour
    return None if units is None else Rate(units, accelerator.units_date, accelerator.origin)


def larger_memory(snapshot: Snapshot) -> tuple[Accelerator, ...]:
    """Return the accelerators of the kind in use that have more memory of their own than this one in its shape."""
    ours = in_use(snapshot)
    if ours is None:
        return ()
    size = memory_gib(ours, high_ram=in_high_ram_shape(snapshot))
    return tuple(one for one in offered() if size and one.kind == ours.kind and (one.memory_gib or 0) > size)


def larger_ram(snapshot: Snapshot) -> tuple[Accelerator, ...]:
    """Return the accelerators of the kind in use whose standard shape has more RAM than this machine."""
    ours = in_use(snapshot)
    if ours is None:
        return ()
    total_gib = snapshot.ram.machine.total_bytes / GIB if isinstance(snapshot.ram, Ram) else ours.standard_ram_gib
    if total_gib is None:
        return ()
    others = (one for one in offered() if one.kind == ours.kind and one != ours)
    return tuple(one for one in others if (one.standard_ram_gib or 0) > total_gib)


def _by_tpu(tpu: Tpu) -> Accelerator | None:
    """Return the row of a TPU, by the environment's name for it, else by its chip if only one row has that."""
    if tpu.accelerator_type is not None:
        return by_device_name(tpu.accelerator_type)
    rows = [one for one in offered() if any(name.startswith(f"{tpu.kind}-") for name in one.device_names)]
    return rows[0] if len(rows) == 1 else None


def _without_its_shape(snapshot: Snapshot, total_bytes: int) -> bool | None:
    if seen(snapshot.tpus):
        return None
    if total_bytes < HIGH_RAM_BYTES:
        return False
    gpus = snapshot.gpus
    if isinstance(snapshot.tpus, Unavailable):
        return None
    is_unseen = not isinstance(gpus, tuple) or (bool(gpus) and not any(gpu.name for gpu in snapshot.usable_gpus))
    return None if is_unseen else True
