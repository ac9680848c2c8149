"""A machine as requirements see it, this one or one on offer; what is not known of it stays open."""

from __future__ import annotations

import math
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from colab_magics.facts import accelerators
from colab_magics.model import Cpu, FoundGpu, Platform, Ram, seen
from colab_magics.requirement.parser import is_package
from colab_magics.values import Record, Value, replace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from colab_magics.model import Gpu, MigSlice, Snapshot, Tpu
    from colab_magics.requirement.parser import Clause

    Figures = tuple[str | float | bool | None, ...]
    """What is there for a key: see `model.ClauseVerdict.found`."""

_BF16_FROM = (8, 0)

Truth = bool | None
"""True, False, or None: not known."""

Span = tuple[Any, Any]
"""A figure known to lie between two, both included."""

ANY: Span = (0, math.inf)

AS_ASKED = "as asked"
"""In place of a version: meets whatever is asked of it, as for a package that is about to be installed."""

NOT_INSTALLED = "not installed"
"""In place of a version."""


class Device(Value):
    """A GPU, to which everything that is asked of a GPU applies; or a TPU, which counts for bf16 alone.

    `present` is None for one that may not be there. `names` are what it is called; none if that is not known.
    `label` is the memory that it is sold as having.
    """

    present: Truth = True
    is_gpu: bool = True
    names: tuple[str, ...] = ()
    memory: Span = ANY
    label: Span = ANY
    free: Span = ANY
    capability: str | None = None
    shares_ram: bool = False


class Chip(Record):
    """A TPU's names; `complete` if there are no others it might have."""

    names: tuple[str, ...]
    complete: bool


class Machine(Value):
    """A machine as requirements see it: this one, or one on offer.

    `packages` are the versions of those that were looked for, by name; None for one that is not known. `cuda` and
    `driver` are None too where there is no driver.
    """

    gpus: tuple[Device, ...] | None
    chips: tuple[Chip, ...] | None
    most_gpus: float = math.inf
    """How many of the GPUs CUDA sees at most: that may be certain where it is not which."""
    ram: Span = ANY
    ram_free: Span = ANY
    disk: Span = ANY
    shm: Span = ANY
    cores: Span = ANY
    has_driver: Truth = None
    driver: str | None = None
    cuda: str | None = None
    python: str | None = None
    packages: Mapping[str, str | None] = MappingProxyType({})


def machine_of(snapshot: Snapshot, *, with_hidden: bool = False) -> Machine:
    """Return this machine; `with_hidden`: as it would be if CUDA_VISIBLE_DEVICES hid no GPU."""
    ram = snapshot.ram if isinstance(snapshot.ram, Ram) else None
    total = None if ram is None else ram.capacity_bytes
    headroom = None if ram is None else ram.headroom_bytes
    disk = next((one.free_bytes for one in seen(snapshot.disks) if "working directory" in one.places), None)
    gpus = None
    most_gpus = math.inf
    if isinstance(snapshot.gpus, tuple):
        found = (_devices(gpu, exactly(total), exactly(headroom), with_hidden=with_hidden) for gpu in
                 snapshot.usable_gpus)  # fmt: skip
        gpus = tuple(device for devices in found for device in devices)
        if snapshot.visible_gpus is not None and not with_hidden:
            gpus, most_gpus = _visible(gpus, snapshot.visible_gpus), snapshot.visible_gpus
        if snapshot.driver is not None and snapshot.driver.has_cuda_library is False:
            gpus = tuple(replace(gpu, present=None) for gpu in gpus)
    chips = tuple(map(_chip, snapshot.tpus)) if isinstance(snapshot.tpus, tuple) else None
    driver, shared = snapshot.driver, snapshot.shared_memory
    return Machine(
        gpus=gpus,
        chips=chips,
        most_gpus=most_gpus,
        ram=exactly(total),
        ram_free=exactly(headroom),
        disk=exactly(disk),
        shm=exactly(None if shared is None else shared.free_bytes),
        cores=exactly(snapshot.cpu.usable_cores if isinstance(snapshot.cpu, Cpu) else None),
        has_driver=driver is not None or (False if snapshot.gpus == () else None),
        driver=None if driver is None else driver.version,
        cuda=None if driver is None else driver.cuda_version,
        python=snapshot.platform.python_version if isinstance(snapshot.platform, Platform) else None,
        packages={one.name: one.version if one.is_installed else NOT_INSTALLED for one in seen(snapshot.packages)},
    )


def _visible(gpus: tuple[Device, ...], count: int) -> tuple[Device, ...]:
    """Return the GPUs of which CUDA sees this many: where all are alike it does not matter which."""
    if count >= len(gpus):
        return gpus
    kinds = {replace(gpu, free=ANY) for gpu in gpus}
    if len(kinds) > 1:
        return tuple(replace(gpu, present=None) for gpu in gpus)
    least, most = min(gpu.free[0] for gpu in gpus), max(gpu.free[1] for gpu in gpus)
    return (replace(gpus[0], free=(least, most)),) * count


def _devices(gpu: Gpu, ram: Span, ram_free: Span, *, with_hidden: bool) -> Iterator[Device]:
    """Give what CUDA can see of a GPU: itself, or its MIG slices."""
    names = tuple(filter(None, (gpu.name, *(_colab_names(gpu.name)))))
    whole = Device(names=names, capability=gpu.compute_capability)
    if gpu.slices:
        # CUDA_VISIBLE_DEVICES names one slice at most, which then has a number while the GPU counts as hidden.
        for one in gpu.slices:
            if with_hidden or not gpu.is_hidden or one.cuda_index is not None:
                yield _with_memory(replace(whole, names=tuple(filter(None, (one.name, *names)))), one)
    elif with_hidden or not gpu.is_hidden:
        if ("memory", "unified_memory") in gpu.unavailable:
            yield replace(whole, memory=ram, label=_label(None, ram), free=ram_free, shares_ram=True)
        elif gpu.mig_enabled:  # CUDA cannot use the whole, and the driver shows no slice: none, or none of ours
            yield replace(whole, present=None)
        else:
            yield _with_memory(whole, gpu)


def _with_memory(device: Device, owner: Gpu | MigSlice) -> Device:
    if owner.memory is None:
        return replace(device, label=_label(owner.name, ANY))
    memory, free = exactly(owner.memory.total_bytes), exactly(owner.memory.free_bytes)
    return replace(device, memory=memory, label=_label(owner.name, memory), free=free)


def _label(name: str | None, memory: Span) -> Span:
    label = accelerators.label_gb(name, _known(memory))
    return exactly(None if label is None else label * 10**9)


def _colab_names(name: str | None) -> tuple[str, ...]:
    row = accelerators.by_device_name(name) if name else None
    return () if row is None else (row.menu_name,)


def _chip(tpu: Tpu) -> Chip:
    """Return a TPU's names. Other services write the kind differently from Colab ("v5litepod-8" is a v5e-8)."""
    whole = tpu.accelerator_type
    size = re.search(r"-[0-9]+$", whole or "")
    ours = f"{tpu.kind}{size.group()}" if size and tpu.kind else None
    return Chip(tuple(filter(None, (whole, tpu.kind, ours, *_colab_names(whole)))), complete=whole is not None)


def exactly(figure: float | None) -> Span:
    """Return the span of a figure that is known; of None, which may be any."""
    return ANY if figure is None else (figure, figure)


def _known(span: Span) -> int | None:
    least, most = span
    return int(least) if least == most else None


def found_gpu(device: Device) -> FoundGpu:
    """Return a GPU as a verdict shows it."""
    return FoundGpu(
        name=device.names[0] if device.names else None,
        memory_bytes=_known(device.memory),
        memory_free_bytes=_known(device.free),
        compute_capability=device.capability,
        shares_ram=device.shares_ram,
    )


def amount_of(key: str, machine: Machine) -> Span:
    """Return how much there is of what a key of the machine as a whole asks for."""
    return {
        "cores": machine.cores,
        "disk": machine.disk,
        "ram": machine.ram,
        "ram_free": machine.ram_free,
        "shm": machine.shm,
    }[key]


def parts_of(version: str | None) -> tuple[int, ...] | None:
    """Return a version's release, without what follows: "3.13.0rc1" is 3.13.0, "2.11.0+cu128" 2.11.0.

    None for one with an epoch ("1!2.0"), which would have to be asked too.
    """
    found = re.match(r"[0-9]+(?:\.[0-9]+)*(?![0-9]*!)", version or "")
    return tuple(map(int, found.group().split("."))) if found else None


def computes_bf16(device: Device) -> Truth:
    """Tell whether a device computes bfloat16."""
    parts = parts_of(device.capability)
    return (None if parts is None else parts >= _BF16_FROM) if device.is_gpu else True


def found_for(clause: Clause, machine: Machine) -> tuple[tuple[str, Figures | None], ...]:
    """Return what is there for each key of a clause: see `model.ClauseVerdict.found`."""
    return tuple((key, _figures(key, machine)) for key in clause.keys)


def _figures(key: str, machine: Machine) -> Figures | None:  # noqa: PLR0911 - one for each kind of key
    """Return what is there for a key: see `model.ClauseVerdict.found`."""
    if is_package(key):
        version = machine.packages.get(key)
        return None if key not in machine.packages else () if version == NOT_INSTALLED else (version,)
    if key == "tpu":
        return None if machine.chips is None else tuple(chip.names[0] if chip.names else None for chip in machine.chips)
    if key in ("cuda", "driver", "python"):
        version = {"cuda": machine.cuda, "driver": machine.driver, "python": machine.python}[key]
        is_none_there = key != "python" and machine.has_driver is False
        return () if is_none_there else None if version is None else (version,)
    if key in ("cores", "disk", "ram", "ram_free", "shm"):
        least, most = amount_of(key, machine)
        return (least,) if least == most else None
    if key == "bf16" and machine.chips:
        return (True,)
    if machine.gpus is None:
        return None
    if key == "gpus":
        return (len(machine.gpus),)
    if key == "bf16":
        return tuple(map(computes_bf16, machine.gpus))
    return tuple(_of_found(key, found_gpu(gpu)) for gpu in machine.gpus)


def _of_found(key: str, gpu: FoundGpu) -> str | int | None:
    return {
        "gpu": gpu.name,
        "vram": gpu.memory_bytes,
        "vram_free": gpu.memory_free_bytes,
        "cc": gpu.compute_capability,
    }[key]
