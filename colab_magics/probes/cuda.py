"""Which number CUDA gives each GPU in this process: told only where it is certain, and without touching CUDA.

CUDA numbers the devices that CUDA_VISIBLE_DEVICES names, in that order, or all of them: the fastest first, unless
CUDA_DEVICE_ORDER is PCI_BUS_ID. An entry that names nothing ends the list there, a device named twice empties it, and
of MIG devices only one is ever seen (CUDA C++ Programming Guide, "CUDA Environment Variables", read 2026-11). An entry
that begins with a number is that number, as C's strtoul reads it (torch/cuda/__init__.py, _parse_visible_devices).
How many devices are seen is certain where it is not which: "0" is one of eight.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from colab_magics.values import Record

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Device = int | str
    """A GPU by NVML's number, or a MIG device by its uuid."""

_UUID_PREFIX = "GPU-"
_MOST_ENTRIES = 4096
"""What is read of the variable: far more than any machine has devices."""


class Numbers(Record):
    """CUDA's view of the devices; what is in neither `gpus`, `slices` nor `hidden` is uncertain."""

    gpus: dict[int, int]
    """CUDA's number of each GPU, by NVML's."""
    slices: dict[str, int]
    """CUDA's number of each MIG device, by its uuid."""
    hidden: frozenset[Device]
    """The devices that CUDA is kept from."""
    visible: int | None
    """How many devices CUDA sees, None unless that is certain."""


_UNKNOWN = Numbers({}, {}, frozenset(), None)


def cuda_numbers(gpus: Sequence[Mapping[str, Any]], environment: Mapping[str, str]) -> Numbers:
    """Work out CUDA's view of the GPUs as the observer reports them.

    Read are "index", "uuid", "fault", "mig_enabled", "unavailable" and "slices" with "uuid" and, where known,
    "instance": the numbers of its GPU instance and compute instance.
    """
    machine = _Machine(gpus)
    is_by_order = len(gpus) == 1 or environment.get("CUDA_DEVICE_ORDER") == "PCI_BUS_ID"
    chosen = environment.get("CUDA_VISIBLE_DEVICES")
    if chosen is None:
        if machine.divided or machine.has_fault:
            return _UNKNOWN
        numbers = {index: index for index in range(len(gpus))} if is_by_order else {}
        return Numbers(numbers, {}, frozenset(), len(gpus))
    named = _named(chosen, machine)
    if named is None:
        return _UNKNOWN
    if not named:
        return Numbers({}, {}, machine.everything, 0)
    if machine.has_fault or (not is_by_order and any(entry.is_number for entry in named)):
        return Numbers({}, {}, frozenset(), None if machine.has_fault else len(named))
    order = {entry.device: number for number, entry in enumerate(named)}
    return Numbers(
        {device: number for device, number in order.items() if isinstance(device, int)},
        {device: number for device, number in order.items() if isinstance(device, str)},
        machine.everything - frozenset(order),
        len(named),
    )


class _Entry(Record):
    device: Device
    is_number: bool


class _Machine:
    """The devices there are, and what they are called."""

    def __init__(self, gpus: Sequence[Mapping[str, Any]]) -> None:
        self.count = len(gpus)
        self.uuids = {str(gpu["uuid"]): int(gpu["index"]) for gpu in gpus if gpu["uuid"] is not None}
        self.slices = {str(one["uuid"]) for gpu in gpus for one in gpu["slices"] if one["uuid"] is not None}
        self.instances = {
            f"{gpu['uuid']}/{one['instance']}": str(one["uuid"])
            for gpu in gpus
            for one in gpu["slices"]
            if one.get("instance") and one["uuid"] is not None
        }
        self.divided = {int(gpu["index"]) for gpu in gpus if gpu["mig_enabled"]}
        self.has_fault = any(gpu.get("fault") for gpu in gpus)
        self.knows_all_names = len(self.uuids) == len(gpus)
        self.knows_all_slices = not any("slices" in gpu["unavailable"] for gpu in gpus) and all(
            one["uuid"] is not None for gpu in gpus for one in gpu["slices"]
        )
        self.everything: frozenset[Device] = frozenset((*(int(gpu["index"]) for gpu in gpus), *self.slices))


def _named(chosen: str, machine: _Machine) -> list[_Entry] | None:
    """Return the devices that the variable names, up to the first entry that names none; None: cannot be told."""
    named: list[_Entry] = []
    for text in chosen.split(",", _MOST_ENTRIES)[:_MOST_ENTRIES]:
        entry = _entry(text.strip(), machine)
        if entry is None:
            return None
        if entry is _NOTHING:
            break
        if entry.device in {one.device for one in named}:
            return []
        named.append(entry)
        if isinstance(entry.device, str):
            break
    return named


_NOTHING = _Entry(-1, is_number=True)


def _entry(text: str, machine: _Machine) -> _Entry | None:
    """Return the device that an entry names, `_NOTHING` for one that names none; None: cannot be told."""
    if text.startswith("MIG-"):
        return _slice(text, machine)
    if text.startswith(_UUID_PREFIX):
        found = [index for uuid, index in machine.uuids.items() if uuid.startswith(text)]
        if not machine.knows_all_names or (found and found[0] in machine.divided):
            return None
        return _Entry(found[0], is_number=False) if len(found) == 1 else _NOTHING
    digits = re.match(r"[+-]?\d{1,18}", text, re.ASCII)
    number = int(digits[0]) if digits else -1
    if number in machine.divided:  # which of its MIG devices that means is CUDA's own choice
        return None
    return _Entry(number, is_number=True) if 0 <= number < machine.count else _NOTHING


def _slice(text: str, machine: _Machine) -> _Entry | None:
    """Return a MIG device by its uuid, or in the older form MIG-GPU-<uuid>/<GPU instance>/<compute instance>."""
    if text in machine.slices:
        return _Entry(text, is_number=False)
    if text.startswith("MIG-GPU-"):
        uuid = machine.instances.get(text.removeprefix("MIG-"))
        return None if uuid is None else _Entry(uuid, is_number=False)
    return _NOTHING if machine.knows_all_slices else None
