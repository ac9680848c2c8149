"""The machine in words: where this is, its RAM, its disks, its ages and versions."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from colab_magics import facts, units
from colab_magics.model import SHARED_MEMORY, Cpu, Platform, Ram, Unavailable, seen
from colab_magics.translation import N_
from colab_magics.views import messages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from colab_magics.model import Disk, Snapshot
    from colab_magics.translation import Translator

_WHAT_IS_LEFT = N_("What is left is limited by {limited_by:limiter} {limit_bytes:size}.")


def sentence(snapshot: Snapshot, translate: Translator) -> str:
    """Return where this is and how large: service, cores, RAM, disk."""
    place, known = _place(snapshot, translate), sizes(snapshot, translate)
    if not known:
        return translate("{name}.", name=place)
    return translate("{name}: {facts}.", name=place, facts=translate.listed(known))


def sizes(snapshot: Snapshot, translate: Translator) -> list[str]:
    """Return how large the machine is: cores, RAM, disk, as far as they are known."""
    cores = snapshot.cpu.usable_cores if isinstance(snapshot.cpu, Cpu) else None
    ram_bytes = snapshot.ram.capacity_bytes if isinstance(snapshot.ram, Ram) else None
    disks = snapshot.runtime_disks
    disk_bytes = disks[0].usage.total_bytes if disks and disks[0].usage is not None else None
    return [*_sizes(cores, ram_bytes, disk_bytes, translate)]


@functools.lru_cache(maxsize=16)  # a panel asks at every refresh, and is told the same
def _sizes(
    cores: float | None, ram_bytes: int | None, disk_bytes: int | None, translate: Translator
) -> tuple[str, ...]:
    known = []
    if cores is not None:
        known.append(messages.cores(cores, translate))
    if ram_bytes is not None:
        known.append(translate("{size} RAM", size=units.size(ram_bytes)))
    if disk_bytes is not None:
        known.append(translate("{size} disk", size=units.size(disk_bytes)))
    return tuple(known)


def place_name(snapshot: Snapshot, translate: Translator) -> str:
    """Return where this runs: the service's own name, or the frontend's where it is no service we know."""
    platform = snapshot.platform
    if not isinstance(platform, Platform):
        return translate("A machine that could not be looked at")
    return _place_name(platform.service, platform.frontend.key, translate)


@functools.lru_cache(maxsize=16)
def _place_name(service: str | None, frontend: str, translate: Translator) -> str:
    if service is not None:
        return messages.service(service, translate)
    label = next((row.label for row in facts.frontends() if row.key == frontend), None)
    return frontend if label is None else translate(label)


def ram_size(ram: Ram, translate: Translator) -> str:
    """Return how much RAM there is to use: "12.7 GiB RAM"."""
    return translate("{size} RAM", size=units.size(ram.capacity_bytes))


def ram_answer(ram: Ram | Unavailable | None, translate: Translator) -> tuple[str, ...]:
    """Return RAM in sentences, where it is what was asked for: of how much is used, and what can still be allocated."""
    if not isinstance(ram, Ram):
        return (translate("RAM: not available."), messages.reason(ram, translate)) if ram else ()
    usage = ram.usage
    known = [
        messages.used_of(usage.used_bytes, usage.total_bytes, translate),
        translate("{size} can still be allocated", size=units.size(ram.headroom_bytes)),
        *_kernel(ram, translate),
    ]
    capacity = messages.capacity(ram, translate)
    return (
        translate("{name}: {facts}.", name=translate("RAM"), facts=translate.listed(known)),
        *_children(ram, translate),
        *(() if capacity is None else (capacity,)),
        *ram_notes(ram, translate),
    )


def ram_line(ram: Ram | Unavailable | None, translate: Translator) -> tuple[str, ...]:
    """Return RAM in sentences, where its size is said already: the share that is used, and what is left."""
    if not isinstance(ram, Ram):
        return ram_answer(ram, translate)
    known = [
        translate("{percent} % used", percent=f"{ram.usage.used_percent:.0f}"),
        size_left(ram.headroom_bytes, translate),
        *_kernel(ram, translate),
    ]
    return (
        translate("{name}: {facts}.", name=translate("RAM"), facts=translate.listed(known)),
        *_children(ram, translate),
        *ram_notes(ram, translate),
    )


def ram_notes(ram: Ram, translate: Translator) -> tuple[str, ...]:
    """Return what has to be said of RAM in whole sentences: what is not known of it, and why figures do not add up."""
    notes = []
    if "children_bytes" in dict(ram.unavailable):
        why = messages.field_reason(dict(ram.unavailable)["children_bytes"], translate)
        notes.append(translate("What its child processes hold is not known: {why}.", why=why))
    if ram.limited_by != ram.capacity_by or ram.limit_bytes != ram.capacity_bytes:
        tightest = (("limited_by", ram.limiter), ("limit_bytes", ram.limit_bytes))
        notes.append(messages.spoken(_WHAT_IS_LEFT, tightest, translate))
    return tuple(notes)


def size_left(size_bytes: int, translate: Translator) -> str:
    """Return what is left of something: "8.1 GiB left"."""
    return translate("{size} left", size=units.size(size_bytes))


def disk_sentences(snapshot: Snapshot, translate: Translator) -> list[str]:
    """Return what is left on the disks, and why that is not known of the others."""
    disks = snapshot.runtime_disks
    sentences = []
    for disk in disks:
        name, why = disk_name(disk, disks, translate), disk_reason(disk, translate)
        if disk.free_bytes is not None:
            left = size_left(disk.free_bytes, translate)
            sentences.append(translate("{name}: {facts}.", name=name, facts=left))
        elif why is not None:
            sentences.append(translate("{name}: {facts}", name=name, facts=why))
    return sentences


def disk_name(disk: Disk, disks: Sequence[Disk], translate: Translator) -> str:
    """Return "Disk", with the places on it where there are several; shared memory has a name of its own."""
    if disk.places == (SHARED_MEMORY,):
        return translate("Shared memory")
    several = sum(one.places != (SHARED_MEMORY,) for one in disks) > 1
    return translate("Disk") + (f" ({messages.places(disk.places, translate)})" if several else "")


def disk_reason(disk: Disk, translate: Translator) -> str | None:
    """Return the sentence that says why a disk's figures are not known, None where they are."""
    return None if disk.unavailable is None else messages.reason(disk.unavailable, translate)


def ages_and_versions(snapshot: Snapshot, translate: Translator) -> list[str]:
    """Return the versions of Python and IPython, and since when machine and kernel are up, as phrases."""
    platform = snapshot.platform
    if not isinstance(platform, Platform):
        return []
    phrases = [_versions(platform.python_version, platform.ipython_version, translate)]
    if platform.machine_age_seconds is not None and platform.kernel_age_seconds is not None:
        machine = messages.duration(platform.machine_age_seconds, translate)
        kernel = messages.duration(platform.kernel_age_seconds, translate)
        phrases.append(translate("machine up {machine}, kernel {kernel}", machine=machine, kernel=kernel))
    return phrases


@functools.lru_cache(maxsize=16)
def _versions(python: str, ipython: str | None, translate: Translator) -> str:
    known = [f"Python {python}"]
    if ipython is not None:
        known.append(f"IPython {units.printable(ipython)}")
    return translate.listed(known)


def _place(snapshot: Snapshot, translate: Translator) -> str:
    """Return where this is, with its kind where that is chosen: "Colab, CPU runtime", "Jupyter"."""
    name = place_name(snapshot, translate)
    service = None if snapshot.service is None else facts.service(snapshot.service)
    if service is None or not service.accelerator_is_chosen or not isinstance(snapshot.gpus, tuple):
        return name
    if snapshot.gpus:
        return translate.listed((name, translate("GPU runtime")))
    return translate.listed((name, translate("TPU runtime") if seen(snapshot.tpus) else translate("CPU runtime")))


def _kernel(ram: Ram, translate: Translator) -> list[str]:
    return [] if ram.kernel_bytes is None else [translate("this kernel {size}", size=units.size(ram.kernel_bytes))]


def _children(ram: Ram, translate: Translator) -> list[str]:
    if not ram.children_bytes:
        return []
    return [translate("Its child processes hold {size}.", size=units.size(ram.children_bytes))]
