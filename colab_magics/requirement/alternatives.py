"""What would make a requirement met that is not, on this machine or on another one that the service offers."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from colab_magics import facts
from colab_magics.model import Service
from colab_magics.requirement.evaluation import met, nearest
from colab_magics.requirement.parser import OF_AN_ACCELERATOR
from colab_magics.requirement.machine import ANY, Chip, Device, Machine, exactly, machine_of
from colab_magics.requirement.verdict import Offer, Remedy
from colab_magics.units import GIB

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from colab_magics.model import Snapshot
    from colab_magics.requirement.parser import Requirement
    from colab_magics.requirement.machine import Span, Truth

# An assumption, not a measurement: nobody has published how much of a fresh machine is free. It decides only whether
# a machine is offered as one that would do, never whether this one does.
_FREE_WHEN_FRESH = 0.85
# Between a machine's two sizes of RAM on Colab lies a factor of two at least.
_HIGH_RAM_FACTOR = 1.5


def remedy_for(
    requirement: Requirement, snapshot: Snapshot, machine: Machine, truths: Sequence[Truth]
) -> tuple[Remedy | None, tuple[Offer, ...]]:
    """Return what would make it met: the least costly first."""
    shown = machine_of(snapshot, with_hidden=True)
    if shown != machine and met(requirement, shown) is not False:
        return Remedy.SHOW_GPUS, ()
    if met(requirement, _emptied(machine, snapshot)) is not False:
        return Remedy.MAKE_ROOM, ()
    offers = [
        (offer, there)
        for offer, kind, there in _offered(snapshot, machine)
        if _speaks_of_accelerators(requirement) or kind == _kind(machine)
    ]
    unmet = [number for number, truth in enumerate(truths) if truth is False]
    helpful: dict[bool, list[Offer]] = {True: [], False: []}
    for offer, there in offers:
        then = nearest(requirement, there)
        if False not in then and any(then[number] for number in unmet):
            helpful[None not in then].append(offer)
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
    disks = snapshot.disks if isinstance(snapshot.disks, tuple) else ()
    disk = next((one.usage.total_bytes for one in disks if "working directory" in one.places), None)
    gpus = None if machine.gpus is None else tuple(replace(gpu, free=gpu.memory) for gpu in machine.gpus)
    return replace(machine, gpus=gpus, ram_free=machine.ram, disk=exactly(disk))


def _offered(snapshot: Snapshot, machine: Machine) -> Iterator[tuple[Offer, str, Machine]]:
    """Give what the service offers, each with its kind and the machine one gets."""
    if snapshot.platform.service is Service.COLAB:
        for row in facts.accelerators():
            current = _is_current(row, machine)
            least = row.standard_ram_gib or math.inf
            large = current and machine.ram != ANY and machine.ram[0] > least * GIB * _HIGH_RAM_FACTOR
            if not current:
                offer = Offer(name=row.menu_name, paid=row.tier == "paid")
                yield offer, row.kind, _colab_machine(row, machine, high_ram=False)
            if not row.one_shape and row.high_ram_gib is not None and not large:
                offer = Offer(name=row.menu_name, high_ram=True, paid=True, is_current=current)
                yield offer, row.kind, _colab_machine(row, machine, high_ram=True)
    if snapshot.platform.service is Service.KAGGLE:
        menu = next(menu for menu in facts.other_menus() if menu.place == "kaggle")
        for choice in menu.choices:
            yield Offer(name=choice), choice.split()[0].lower(), _kaggle_machine(choice, machine)


def _is_current(row: facts.Accelerator, machine: Machine) -> bool:
    if row.kind == "none":
        return not machine.gpus and not machine.chips
    devices: Iterable[Device | Chip] = (*(machine.gpus or ()), *(machine.chips or ()))
    return any(row.menu_name in one.names for one in devices)


def _colab_machine(row: facts.Accelerator, now: Machine, *, high_ram: bool) -> Machine:
    """Return the machine one gets on Colab with an accelerator, as far as it is published."""
    ram = row.high_ram_gib if high_ram else row.standard_ram_gib
    return Machine(
        gpus=(_colab_gpu(row, high_ram=high_ram),) if row.kind == "gpu" else (),
        chips=(Chip((*row.device_names, row.menu_name), complete=True),) if row.kind == "tpu" else (),
        ram=_gib(ram),
        ram_free=_when_fresh(ram),
        cuda=now.cuda or None if row.kind == "gpu" else "",
        python=now.python,
    )


def _colab_gpu(row: facts.Accelerator, *, high_ram: bool) -> Device:
    """Return the card one gets; where more RAM brings another card, only that one's names."""
    larger = row.high_ram_memory_gib
    memory, other = (larger, row.memory_gib) if high_ram and larger else (row.memory_gib, larger)
    names = tuple(name for name in row.device_names if other is None or f"{other:g}GB" not in name)
    return Device(
        names=(*names, row.menu_name),
        memory=_gib(memory),
        free=_when_fresh(memory),
        capability=row.compute_capability,
    )


def _kaggle_machine(choice: str, now: Machine) -> Machine:
    """Return the machine one gets with a choice of Kaggle's: "GPU T4 x2" is two of what Colab calls "T4 GPU"."""
    kind, *rest = choice.split()
    name = rest[0] if rest else ""
    row = next((row for row in facts.accelerators() if row.id == name), None)
    gpu = Device(names=(name,)) if row is None else _colab_gpu(row, high_ram=False)
    count = int(rest[1].removeprefix("x")) if len(rest) > 1 else 1
    return Machine(
        gpus=(gpu,) * count if kind == "GPU" else (),
        chips=(Chip((name,), complete=True),) if kind == "TPU" else (),
        cuda=None if kind == "GPU" else "",
        python=now.python,
    )


def _gib(size: float | None) -> Span:
    return exactly(None if size is None else size * GIB)


def _when_fresh(size: float | None) -> Span:
    return ANY if size is None else (size * GIB * _FREE_WHEN_FRESH, size * GIB)
