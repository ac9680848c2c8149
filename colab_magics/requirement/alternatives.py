"""What would make a requirement met that is not, on this machine or on another one that the service offers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from colab_magics import guides
from colab_magics.facts import accelerators
from colab_magics.model import Offer, Remedy, seen
from colab_magics.requirement.evaluation import met, nearest
from colab_magics.requirement.machine import ANY, Chip, Device, Machine, exactly, machine_of
from colab_magics.requirement.parser import OF_AN_ACCELERATOR, Requirement, Term
from colab_magics.units import GIB

if TYPE_CHECKING:
    from collections.abc import Sequence

    from colab_magics.guides import OfferedImage, OfferedMachine
    from colab_magics.model import Snapshot
    from colab_magics.requirement.machine import Span, Truth
    from colab_magics.requirement.parser import Clause

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
    images = guides.offered_images(snapshot)
    fitting = _fitting(requirement, machine, truths, images)
    if fitting:
        return Remedy.ANOTHER_MACHINE, (Offer(name="", is_current=True, images=fitting),)
    machines = guides.offered_machines(snapshot)
    kinds: list[str | None] = [None] if _speaks_of_accelerators(requirement) else [_kind(machine)]
    if kinds == ["none"]:
        kinds.append("gpu")  # who does without an accelerator can have one with a larger machine
    for kind in kinds:
        alike = [one for one in machines if kind in (None, one.kind)]
        chosen = _helpful(requirement, alike, machine, truths, ()) or _helpful(
            requirement, alike, machine, truths, images
        )
        if chosen:
            return Remedy.ANOTHER_MACHINE, chosen
    return None, ()


def others_for(
    requirement: Requirement, snapshot: Snapshot, machine: Machine, offers: Sequence[Offer]
) -> tuple[Offer, ...]:
    """Return what would do but for the accelerator's name, with no less memory of its own than those that have it."""
    relaxed = Requirement(tuple(map(_without_names, requirement.clauses)))
    if relaxed == requirement or not offers:
        return ()
    machines, named = guides.offered_machines(snapshot), {offer.name for offer in offers}
    least = min((one.memory_gib or 0.0 for one in machines if one.offer in offers), default=0.0)
    fit = [
        one.offer
        for one in machines
        if one.offer.name not in named
        and (one.memory_gib or 0.0) >= least
        and all(nearest(relaxed, _as_machine(one, machine)))
    ]
    return tuple({offer.name: offer for offer in reversed(fit)}.values())[::-1]


def _without_names(clause: Clause) -> Clause:
    """Return a clause that asks for a GPU whatever its name, where it asks for one by its name."""
    if not all(term.key == "gpu" and term.operator == "=" for term in clause.terms):
        return clause
    return replace(clause, terms=(Term("gpu"),))


def _helpful(
    requirement: Requirement,
    machines: Sequence[OfferedMachine],
    now: Machine,
    truths: Sequence[Truth],
    images: Sequence[OfferedImage],
) -> tuple[Offer, ...]:
    """Return those of the machines that would do, in one of these images if there are any."""
    helpful: dict[bool, list[Offer]] = {True: [], False: []}
    for offered in machines:
        then = _as_machine(offered, now)
        if images:
            fitting = _fitting(requirement, then, truths, images)
            if fitting:
                helpful[True].append(replace(offered.offer, images=fitting))
        elif (certain := _helps(nearest(requirement, then), truths)) is not None:
            helpful[certain].append(offered.offer)
    return _fewest(helpful[True] or helpful[False])


def _fitting(
    requirement: Requirement, machine: Machine, truths: Sequence[Truth], images: Sequence[OfferedImage]
) -> tuple[str, ...]:
    """Return the names of the images with which a machine would do."""
    then = ((one.name, nearest(requirement, replace(machine, python=one.python))) for one in images)
    return tuple(name for name, these in then if _helps(these, truths) is not None)


def _helps(then: Sequence[Truth], truths: Sequence[Truth]) -> bool | None:
    """Tell whether it is certain that what is not met now would be met then; None if it would not."""
    unmet = [number for number, truth in enumerate(truths) if truth is False]
    if False in then or not any(then[number] for number in unmet):
        return None
    return None not in then


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
    disk = None if usage is None else max(0.0, usage.total_bytes - _image_bytes(snapshot))
    gpus = None if machine.gpus is None else tuple(replace(gpu, free=gpu.memory) for gpu in machine.gpus)
    return replace(machine, gpus=gpus, ram_free=machine.ram, disk=exactly(disk))


def _image_bytes(snapshot: Snapshot) -> float:
    """Return what the service's image takes of the disk that files are written to: nobody can free that."""
    has_image = any({"/", "working directory"} <= {*one.places} for one in seen(snapshot.disks))
    return accelerators.image_gib(snapshot.service) * GIB if has_image else 0.0


def _as_machine(offered: OfferedMachine, now: Machine) -> Machine:
    """Return a machine that is offered as requirements see it, as far as it is published."""
    names, memory = offered.accelerator_names, offered.memory_gib
    gpu = Device(names=names, memory=_gib(memory), free=_when_fresh(memory), capability=offered.compute_capability)
    return Machine(
        gpus=(gpu,) * offered.accelerator_count if offered.kind == "gpu" else (),
        chips=(Chip(names, complete=True),) * offered.accelerator_count if offered.kind == "tpu" else (),
        ram=_gib(offered.ram_gib),
        ram_free=_when_fresh(offered.ram_gib),
        disk=_between(offered.free_disk_gib),
        cuda=now.cuda or None if offered.kind == "gpu" else "",
        python=now.python,
    )


def _gib(size: float | None) -> Span:
    return exactly(None if size is None else size * GIB)


def _between(sizes: tuple[float, float] | None) -> Span:
    return ANY if sizes is None else (sizes[0] * GIB, sizes[1] * GIB)


def _when_fresh(size: float | None) -> Span:
    return ANY if size is None else (size * GIB * _FREE_WHEN_FRESH, size * GIB)
