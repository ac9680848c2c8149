"""What would make a requirement met that is not, on this machine or on another one that the service offers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from colab_magics import guides
from colab_magics.model import Remedy, seen
from colab_magics.requirement.evaluation import met, nearest
from colab_magics.requirement.machine import ANY, Chip, Device, Machine, exactly, machine_of
from colab_magics.requirement.parser import OF_AN_ACCELERATOR
from colab_magics.units import GIB

if TYPE_CHECKING:
    from collections.abc import Sequence

    from colab_magics.guides import OfferedMachine
    from colab_magics.model import Offer, Snapshot
    from colab_magics.requirement.machine import Span, Truth
    from colab_magics.requirement.parser import Requirement

# An assumption, not a measurement: nobody has published how much of a fresh machine is free. It decides only whether
# a machine is offered as one that would do, never whether this one does.
_FREE_WHEN_FRESH = 0.85


def remedy_for(
    requirement: Requirement, snapshot: Snapshot, machine: Machine, truths: Sequence[Truth]
) -> tuple[Remedy | None, tuple[Offer, ...]]:
    """Return what would make it met: the least costly first."""
    shown = machine_of(snapshot, with_hidden=True)
    if shown != machine and met(requirement, shown) is not False:
        return Remedy.SHOW_GPUS, ()
    if met(requirement, _emptied(machine, snapshot)) is not False:
        return Remedy.MAKE_ROOM, ()
    unmet = [number for number, truth in enumerate(truths) if truth is False]
    helpful: dict[bool, list[Offer]] = {True: [], False: []}
    for offered in guides.offered_machines(snapshot):
        if not _speaks_of_accelerators(requirement) and offered.kind != _kind(machine):
            continue
        then = nearest(requirement, _as_machine(offered, machine))
        if False not in then and any(then[number] for number in unmet):
            helpful[None not in then].append(offered.offer)
    chosen = _fewest(helpful[True] or helpful[False])
    return (Remedy.ANOTHER_MACHINE, chosen) if chosen else (None, ())


def _fewest(offers: Sequence[Offer]) -> tuple[Offer, ...]:
    """Return the same accelerator with more RAM if that will do, else what costs nothing, else all."""
    by_accelerator = {offer.name: offer for offer in reversed(offers)}  # the smaller size of RAM, if both will do
    small = tuple(reversed(by_accelerator.values()))
    current = tuple(offer for offer in small if offer.is_current)
    return current or tuple(offer for offer in small if not offer.paid) or small


def _speaks_of_accelerators(requirement: Requirement) -> bool:
    return any(OF_AN_ACCELERATOR & {*clause.keys} for clause in requirement.clauses)


def _kind(machine: Machine) -> str:
    return "tpu" if machine.chips else "gpu" if machine.gpus else "none"


def _emptied(machine: Machine, snapshot: Snapshot) -> Machine:
    """Return this machine with nothing in its memory and on its disk."""
    usage = next((one.usage for one in seen(snapshot.disks) if "working directory" in one.places), None)
    disk = None if usage is None else usage.total_bytes
    gpus = None if machine.gpus is None else tuple(replace(gpu, free=gpu.memory) for gpu in machine.gpus)
    return replace(machine, gpus=gpus, ram_free=machine.ram, disk=exactly(disk))


def _as_machine(offered: OfferedMachine, now: Machine) -> Machine:
    """Return a machine that is offered as requirements see it, as far as it is published."""
    names, memory = offered.accelerator_names, offered.memory_gib
    gpu = Device(names=names, memory=_gib(memory), free=_when_fresh(memory), capability=offered.compute_capability)
    return Machine(
        gpus=(gpu,) * offered.accelerator_count if offered.kind == "gpu" else (),
        chips=(Chip(names, complete=True),) * offered.accelerator_count if offered.kind == "tpu" else (),
        ram=_gib(offered.ram_gib),
        ram_free=_when_fresh(offered.ram_gib),
        cuda=now.cuda or None if offered.kind == "gpu" else "",
        python=now.python,
    )


def _gib(size: float | None) -> Span:
    return exactly(None if size is None else size * GIB)


def _when_fresh(size: float | None) -> Span:
    return ANY if size is None else (size * GIB * _FREE_WHEN_FRESH, size * GIB)
