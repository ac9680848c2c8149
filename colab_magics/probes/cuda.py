"""Which number CUDA gives each GPU in this process: told only where it is certain, and without touching CUDA.

CUDA numbers the devices that CUDA_VISIBLE_DEVICES names, in that order, or all of them: the fastest first, unless
CUDA_DEVICE_ORDER is PCI_BUS_ID. An entry that names nothing ends the list there, a device named twice empties it, and
of MIG devices only one is ever seen (CUDA C++ Programming Guide, "CUDA Environment Variables", read 2026-11).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Numbers(NamedTuple):
    """CUDA's number of each device by uuid, and the uuids that CUDA is kept from; what is in neither is uncertain."""

    number: dict[str, int]
    hidden: frozenset[str]


def cuda_numbers(gpus: Sequence[Mapping[str, Any]], environment: Mapping[str, str]) -> Numbers:
    """Work out CUDA's view of the GPUs as the observer reports them: `index`, `uuid`, `mig_enabled`, `slices`."""
    gpu_uuids = [str(gpu["uuid"]) for gpu in gpus]
    if any(gpu["uuid"] is None for gpu in gpus):
        return Numbers({}, frozenset())
    slice_uuids = [str(one["uuid"]) for gpu in gpus for one in gpu["slices"] if one["uuid"] is not None]
    by_order = len(gpus) == 1 or environment.get("CUDA_DEVICE_ORDER") == "PCI_BUS_ID"
    chosen = environment.get("CUDA_VISIBLE_DEVICES")
    if chosen is None:
        certain = by_order and not any(gpu["mig_enabled"] for gpu in gpus)
        return Numbers({uuid: number for number, uuid in enumerate(gpu_uuids)} if certain else {}, frozenset())
    entries = [entry.strip() for entry in chosen.split(",")]
    if any(entry.isdecimal() for entry in entries) and not by_order:
        return Numbers({}, frozenset())
    return _numbered(_named_devices(entries, gpu_uuids, slice_uuids), [*gpu_uuids, *slice_uuids])


def _named_devices(entries: Sequence[str], gpu_uuids: Sequence[str], slice_uuids: Sequence[str]) -> list[str]:
    """Return the devices that the entries name, up to the first that names none."""
    named: list[str] = []
    for entry in entries:
        uuid = _named_device(entry, gpu_uuids, slice_uuids)
        if uuid is None:
            break
        named.append(uuid)
        if uuid in slice_uuids:
            break
    return named


def _named_device(entry: str, gpu_uuids: Sequence[str], slice_uuids: Sequence[str]) -> str | None:
    if entry.isdecimal():
        return gpu_uuids[int(entry)] if int(entry) < len(gpu_uuids) else None
    if entry.startswith("MIG-"):
        return entry if entry in slice_uuids else None
    if not entry.startswith("GPU-"):
        return None
    beginning_so = [uuid for uuid in gpu_uuids if uuid.startswith(entry)]
    return beginning_so[0] if len(beginning_so) == 1 else None


def _numbered(named: Sequence[str], uuids: Sequence[str]) -> Numbers:
    seen = [] if len(set(named)) < len(named) else named
    return Numbers({uuid: number for number, uuid in enumerate(seen)}, frozenset(uuids) - frozenset(seen))
