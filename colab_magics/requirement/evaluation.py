"""Whether a requirement holds for a machine, clause by clause: true, false or not known."""

from __future__ import annotations

import functools
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from colab_magics.requirement.machine import ANY, AS_ASKED, NOT_INSTALLED, Device, amount_of, computes_bf16, parts_of
from colab_magics.requirement.names import is_called
from colab_magics.requirement.parser import OF_A_DEVICE, Requirement, Size, Version, is_package

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from colab_magics.requirement.machine import Chip, Machine, Span, Truth
    from colab_magics.requirement.parser import Asked, Clause, Term

# Drivers report 15095 to 15360 MiB for the same T4 "of 16 GB": what they keep for themselves varies.
_VRAM_TOLERANCE = Decimal("0.05")

_NO_DEVICE = Device(present=False, is_gpu=False)
_UNKNOWN_GPU = Device(present=None)


def met(requirement: Requirement, machine: Machine) -> Truth:
    """Return how a requirement stands as a whole."""
    return all_of(nearest(requirement, machine))


def nearest(requirement: Requirement, machine: Machine) -> tuple[Truth, ...]:
    """Return how each clause stands for the device with which they stand best together."""
    gpus = (_UNKNOWN_GPU,) if machine.gpus is None else machine.gpus
    count = _count(requirement, machine, gpus)
    tpu = bool(machine.chips) if machine.gpus or machine.chips is not None else None  # no machine has a GPU and a TPU
    devices = [*gpus, Device(present=tpu, is_gpu=False), _NO_DEVICE]
    ways = [
        tuple(_clause_truth(clause, machine, device, count) for clause in requirement.clauses) for device in devices
    ]
    return max(ways, key=lambda truths: (_rank(all_of(truths)), -truths.count(False), truths.count(True)))


def _rank(truth: Truth) -> int:
    return 1 if truth is None else 2 * truth


def _count(requirement: Requirement, machine: Machine, gpus: Iterable[Device]) -> Span:
    """Count the GPUs that meet every clause that speaks of one: at least, at most."""
    clauses = [clause for clause in requirement.clauses if OF_A_DEVICE & {*clause.keys} and "gpus" not in clause.keys]
    truths = [all_of([gpu.present, *(_clause_truth(clause, machine, gpu, ANY) for clause in clauses)]) for gpu in gpus]
    if machine.gpus is None and None in truths:
        return ANY
    return truths.count(True), min(machine.most_gpus, len(truths) - truths.count(False))


def _clause_truth(clause: Clause, machine: Machine, device: Device, count: Span) -> Truth:
    return _any(_term_truth(term, machine, device, count) for term in clause.terms)


def _term_truth(term: Term, machine: Machine, device: Device, count: Span) -> Truth:  # noqa: PLR0911 - one for each kind of key
    match term.key:
        case "bf16":
            return all_of((device.present, computes_bf16(device)))
        case "tpu":
            chips = machine.chips
            return None if chips is None else _any(_fits(term, functools.partial(_is_chip, chip)) for chip in chips)
        case "gpus":
            return _fits(term, _figure(term, count)) if term.operator else _compare(">=", count, 1)
        case "gpu" | "vram" | "vram_free" | "cc":
            present = device.present if device.is_gpu else False
            return all_of((present, _fits(term, _of_device(term, device))))
        case "cuda" | "driver":
            version = machine.cuda if term.key == "cuda" else machine.driver
            return all_of((machine.has_driver, _fits(term, _version(term, version))))
        case "python":
            return _fits(term, _version(term, machine.python))
        case "shm" if term.operator is None:
            return None if machine.shm == ANY else True
        case key if is_package(key):
            return package_truth(term, machine)
        case _:
            return _fits(term, _figure(term, amount_of(term.key, machine)))


def package_truth(term: Term, machine: Machine) -> Truth:
    """Return how a term about a package stands."""
    if term.key not in machine.packages:
        return None
    version = machine.packages[term.key]
    if version in (AS_ASKED, NOT_INSTALLED):
        return version == AS_ASKED
    return _fits(term, _version(term, version))


def _fits(term: Term, matches: Callable[[Asked], Truth]) -> Truth:
    """Return whether a value matches, or none with "!="; a key alone asks for no value."""
    if term.operator is None:
        return True
    truth = _any(matches(value) for value in term.values)
    return _not(truth) if term.operator == "!=" else truth


def _of_device(term: Term, device: Device) -> Callable[[Asked], Truth]:
    if term.key == "gpu":
        return lambda asked: is_called(str(asked), device.names) if device.names else None
    if term.key == "cc":
        return _version(term, device.capability)
    return _memory(term, device) if term.key == "vram" else _figure(term, device.free)


def _memory(term: Term, device: Device) -> Callable[[Asked], Truth]:
    """Compare a GPU's memory: at least so much up to the tolerance; more where that holds, and its label says more.

    The others follow from these two, so that of "<", "=" and ">" exactly one holds for every GPU that is known.
    """

    def compare(asked: Asked) -> Truth:
        if not isinstance(asked, Size):
            return None
        at_least = _compare(">=", device.memory, asked.bytes * (1 - _VRAM_TOLERANCE))
        more = all_of((at_least, _compare(">", device.label, asked.bytes)))
        match term.operator:
            case ">=":
                return at_least
            case ">":
                return more
            case "<":
                return _not(at_least)
            case "<=":
                return _not(more)
            case _:
                return all_of((at_least, _not(more)))

    return compare


def _figure(term: Term, span: Span) -> Callable[[Asked], Truth]:
    return lambda asked: _compare(term.operator, span, asked.bytes if isinstance(asked, Size) else asked)


def _version(term: Term, version: str | None) -> Callable[[Asked], Truth]:
    found = parts_of(version)

    def compare(asked: Asked) -> Truth:
        if found is None or not isinstance(asked, Version):
            return None
        length = len(asked.parts)
        as_long = (*found, *[0] * length)[:length]
        return _compare(term.operator, (as_long, as_long), asked.parts)

    return compare


def _compare(operator: str | None, span: Span, asked: Any) -> Truth:
    """Compare a figure of which the bounds are known; "!=" asks whether it is equal, which `_fits` turns round."""
    least, most = span
    match operator:
        case ">=":
            return True if least >= asked else False if most < asked else None
        case ">":
            return True if least > asked else False if most <= asked else None
        case "<":
            return _not(_compare(">=", span, asked))
        case "<=":
            return _not(_compare(">", span, asked))
        case _:
            return False if asked < least or asked > most else True if least == most else None


def _is_chip(chip: Chip, asked: Asked) -> Truth:
    """Return whether a TPU is of that name. One known by its kind alone ("v5e") may be any size of it ("v5e-1")."""
    if is_called(str(asked), chip.names):
        return True
    may_be_larger = not chip.names or any(is_called(name, (str(asked),)) for name in chip.names)
    return None if may_be_larger and not chip.complete else False


def _not(truth: Truth) -> Truth:
    return None if truth is None else not truth


def all_of(truths: Iterable[Truth]) -> Truth:
    """Return whether all are true: one that is false settles it, whatever is not known."""
    known = [*truths]
    return False if False in known else None if None in known else True


def _any(truths: Iterable[Truth]) -> Truth:
    return _not(all_of(_not(truth) for truth in truths))
