"""What would make a requirement met that is not, on this machine or on another one that the service offers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics import guides
from colab_magics.facts import accelerators
from colab_magics.model import Offer, Remedy, seen
from colab_magics.requirement.evaluation import met, nearest, package_truth
from colab_magics.requirement.machine import ANY, AS_ASKED, Chip, Device, Machine, exactly, machine_of
from colab_magics.requirement.parser import OF_AN_ACCELERATOR, Requirement, Term, Version, is_package
from colab_magics.units import GIB
from colab_magics.values import Record, replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from colab_magics.guides import OfferedImage, OfferedMachine
    from colab_magics.model import Snapshot
    from colab_magics.requirement.machine import Span
    from colab_magics.requirement.parser import Clause

# An assumption, not a measurement: nobody has published how much of a fresh machine is free. It decides only whether
# a machine is offered as one that would do, never whether this one does.
_FREE_WHEN_FRESH = 0.85

_COMES_WITH_A_GPU = frozenset({"cuda", "driver"})
"""What a machine without a GPU does not have at all; nobody has published which version comes with a GPU."""


class Help(Record):
    """What would make a requirement met; empty where nothing is known to."""

    remedy: Remedy | None = None
    """As in `model.Verdict`."""
    offers: tuple[Offer, ...] = ()
    """The service's choices that would do, the least costly, where another machine is the remedy."""
    others: tuple[Offer, ...] = ()
    """As in `model.Verdict`."""
    to_install: tuple[str, ...] = ()
    """What is to be installed, on that machine or as well, as pip takes it."""


def help_for(requirement: Requirement, snapshot: Snapshot, machine: Machine) -> Help:
    """Return what would make a requirement met that is not: the least costly."""
    specifiers = _to_install(requirement, machine)
    completed = _with_packages(machine, specifiers)
    to_install = tuple(specifiers.values())
    if specifiers and met(requirement, completed) is not False:
        return Help(Remedy.INSTALL, to_install=to_install)
    remedy, offers = _on_hardware(requirement, snapshot, completed, specifiers)
    if remedy is None:
        return Help()
    return Help(remedy, offers, _others(requirement, snapshot, completed, offers), to_install)


def _on_hardware(
    requirement: Requirement, snapshot: Snapshot, machine: Machine, installed: Iterable[str]
) -> tuple[Remedy | None, tuple[Offer, ...]]:
    """Return what helps, for a machine that has all packages."""
    shown = _with_packages(machine_of(snapshot, with_hidden=True), installed)
    if shown != machine and met(requirement, shown) is not False:
        return Remedy.SHOW_GPUS, ()
    emptied = _emptied(machine, snapshot)
    if met(requirement, emptied) is not False:
        return Remedy.MAKE_ROOM, ()
    shared = guides.shared_memory_to_get(snapshot)
    if shared is not None and met(requirement, replace(emptied, shm=exactly(shared))) is not False:
        return Remedy.SHARE_MEMORY, ()
    search = _Search(requirement, machine, guides.offered_images(snapshot))
    if fitting := search.images_for(machine):
        return Remedy.ANOTHER_MACHINE, (Offer(name="", is_current=True, images=fitting),)
    machines = guides.offered_machines(snapshot)
    for kinds in _kinds(requirement, machine):
        alike = [one for one in machines if one.kind in kinds]
        chosen = search.among(alike) or search.among_with_images(alike)
        if chosen:
            return Remedy.ANOTHER_MACHINE, chosen
    return None, ()


class _Search:
    """Looks for a machine that would meet the requirement in place of this one, which does not."""

    def __init__(self, requirement: Requirement, now: Machine, images: Sequence[OfferedImage]) -> None:
        self._requirement = requirement
        self._now = now
        self._images = images
        self._unmet = [number for number, truth in enumerate(nearest(requirement, now)) if truth is False]
        self._comes_with_a_gpu = [
            now.has_driver is False and _COMES_WITH_A_GPU.issuperset(clause.keys) for clause in requirement.clauses
        ]

    def images_for(self, machine: Machine) -> tuple[str, ...]:
        """Return the names of the images with which a machine would do."""
        return tuple(one.name for one in self._images if self._helps(replace(machine, python=one.python)) is not None)

    def among(self, machines: Sequence[OfferedMachine]) -> tuple[Offer, ...]:
        """Return those of the machines that would do, and are the least costly; what is certain to do comes first."""
        certain = [(one.offer, self._helps(_as_machine(one, self._now))) for one in machines]
        return _fewest([offer for offer, one in certain if one] or [offer for offer, one in certain if one is False])

    def among_with_images(self, machines: Sequence[OfferedMachine]) -> tuple[Offer, ...]:
        """Return those that would do with another image."""
        fitting = [(one.offer, self.images_for(_as_machine(one, self._now))) for one in machines]
        return _fewest([replace(offer, images=images) for offer, images in fitting if images])

    def _helps(self, machine: Machine) -> bool | None:
        """Tell whether it is certain that a machine would do; None if it would not.

        That what lacks now is there must be known.
        """
        then = nearest(self._requirement, machine)
        lacking = [number for number in self._unmet if not then[number] and not self._comes_with_a_gpu[number]]
        if False in then or lacking or not any(then[number] for number in self._unmet):
            return None
        return None not in then


def _others(
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


def _fewest(offers: Sequence[Offer]) -> tuple[Offer, ...]:
    """Return the same accelerator with more RAM if that will do, else what costs nothing, else all."""
    by_accelerator = {offer.name: offer for offer in reversed(offers)}  # the smaller size of RAM, if both will do
    small = tuple(reversed(by_accelerator.values()))
    current = tuple(offer for offer in small if offer.is_current)
    return current or tuple(offer for offer in small if not offer.paid) or small


def _kinds(requirement: Requirement, machine: Machine) -> tuple[frozenset[str], ...]:
    """Return the kinds of machines to look among, in this order.

    Whoever has a GPU stays with GPUs, unless a TPU is asked for. Whoever has no accelerator is offered a GPU where more
    RAM or disk comes only with one.
    """
    asked = {key for clause in requirement.clauses for key in clause.keys}
    if not asked & (OF_AN_ACCELERATOR | _COMES_WITH_A_GPU):
        own = "tpu" if machine.chips else "gpu" if machine.gpus else "none"
        return (frozenset({own}), frozenset({"gpu"}))[: 2 if own == "none" else 1]
    return (frozenset({"gpu", "none"} if machine.gpus and "tpu" not in asked else {"gpu", "tpu", "none"}),)


def _to_install(requirement: Requirement, machine: Machine) -> dict[str, str]:
    """Return the packages that would make unmet clauses met, of a clause the first, with what pip is to be told."""
    terms: dict[str, list[Term]] = {}
    lacking: dict[str, None] = {}
    for clause, truth in zip(requirement.clauses, nearest(requirement, machine), strict=True):
        term = next((term for term in clause.terms if is_package(term.key)), None)
        if term is not None and (truth is False or len(clause.keys) == 1):
            terms.setdefault(term.key, []).append(term)
            lacking |= {term.key: None} if truth is False else {}
    return {name: _specifier(name, terms[name]) for name in lacking if _can_be(name, terms[name], machine)}


def _can_be(name: str, terms: Sequence[Term], machine: Machine) -> bool:
    """Tell whether some version can be all that is asked of it; every bound is a version asked for, or the next."""
    versions = [version for term in terms for version in term.values if isinstance(version, Version)]
    tried = dict.fromkeys(["0", *map(str, versions), *(str(_following(version)) for version in versions)])
    with_each = (replace(machine, packages={name: version}) for version in tried)
    return any(all(package_truth(term, one) for term in terms) for one in with_each)


def _with_packages(machine: Machine, names: Iterable[str]) -> Machine:
    return replace(machine, packages={**machine.packages, **dict.fromkeys(names, AS_ASKED)})


def _specifier(name: str, terms: Sequence[Term]) -> str:
    """Return a package as pip takes it, with all that is asked of it: "torch>=2.4,<3"."""
    return name + ",".join(dict.fromkeys(condition for term in terms for condition in _conditions(term)))


def _following(version: Version) -> Version:
    return Version((*version.parts[:-1], version.parts[-1] + 1))


def _conditions(term: Term) -> Iterator[str]:
    """Give what pip is to be told. It compares whole versions, we only the parts asked for: 2.4.1 is not > 2.4."""
    versions = [value for value in term.values if isinstance(value, Version)]
    for version in versions if term.operator == "!=" else versions[:1]:
        match term.operator:
            case ">":
                yield f">={_following(version)}"
            case "<=":
                yield f"<{_following(version)}"
            case "=":
                yield f"=={version}.*"
            case "!=":
                yield f"!={version}.*"
            case _:
                yield f"{term.operator}{version}"


def _emptied(machine: Machine, snapshot: Snapshot) -> Machine:
    """Return this machine with nothing in its memory and on its disk."""
    usage = next((one.usage for one in seen(snapshot.disks) if "working directory" in one.places), None)
    disk = None if usage is None else max(0.0, usage.total_bytes - _image_bytes(snapshot))
    shared = None if snapshot.shared_memory is None else snapshot.shared_memory.usage
    gpus = None if machine.gpus is None else tuple(replace(gpu, free=gpu.memory) for gpu in machine.gpus)
    shm = None if shared is None else shared.total_bytes
    return replace(machine, gpus=gpus, ram_free=machine.ram, disk=exactly(disk), shm=exactly(shm))


def _image_bytes(snapshot: Snapshot) -> float:
    """Return what the service's image takes of the disk that files are written to: nobody can free that."""
    has_image = any({"/", "working directory"} <= {*one.places} for one in seen(snapshot.disks))
    return accelerators.image_gib(snapshot.service) * GIB if has_image else 0.0


def _as_machine(offered: OfferedMachine, now: Machine) -> Machine:
    """Return a machine that is offered as requirements see it, as far as it is published.

    It has the packages of this one: a service has one image, and what was installed can be again.
    """
    names, memory = offered.accelerator_names, offered.memory_gib
    is_gpu = offered.kind == "gpu"
    gpu = Device(
        names=names,
        memory=_gib(memory),
        label=_label(names, memory),
        free=_when_fresh(memory),
        capability=offered.compute_capability,
    )
    return Machine(
        gpus=(gpu,) * offered.accelerator_count if is_gpu else (),
        chips=(Chip(names, complete=True),) * offered.accelerator_count if offered.kind == "tpu" else (),
        ram=_gib(offered.ram_gib),
        ram_free=_when_fresh(offered.ram_gib),
        disk=_between(offered.free_disk_gib),
        cores=exactly(offered.cores),
        has_driver=is_gpu,
        driver=now.driver if is_gpu else None,
        cuda=now.cuda if is_gpu else None,
        python=now.python,
        packages=now.packages,
    )


def _gib(size: float | None) -> Span:
    return exactly(None if size is None else size * GIB)


def _between(sizes: tuple[float, float] | None) -> Span:
    return ANY if sizes is None else (sizes[0] * GIB, sizes[1] * GIB)


def _label(names: Sequence[str], memory_gib: float | None) -> Span:
    memory_bytes = None if memory_gib is None else int(memory_gib * GIB)
    label = accelerators.label_gb(names[0] if names else None, memory_bytes)
    return exactly(None if label is None else label * 10**9)


def _when_fresh(size: float | None) -> Span:
    return ANY if size is None else (size * GIB * _FREE_WHEN_FRESH, size * GIB)
