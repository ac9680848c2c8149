"""Google's TPU chips, by what sysfs, /proc and the environment say of them.

No chip is opened and no library that could open one (jax, libtpu, torch_xla) is imported or asked: a TPU belongs to the
first process that opens it.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
from typing import TYPE_CHECKING

from colab_magics import files, units
from colab_magics.facts import TpuChip, tpu_chip
from colab_magics.model import Tpu

if TYPE_CHECKING:
    from collections.abc import Mapping

_GOOGLE = "0x1ae0"


def probe_tpus(*, environment: Mapping[str, str] = os.environ, root: str = "/") -> tuple[Tpu, ...]:
    """Look at which TPU chips this machine has.

    The PCI bus knows every chip. Where it shows none (a sandbox may hide it) but TPU_ACCELERATOR_TYPE is set, one TPU
    is reported of which only that name is known: the "1" of "v5e-1" counts chips, that of "v2-8" and "v4-8" cores, and
    TPU_CHIPS_PER_HOST_BOUNDS says "2,2,1" on Colab's machines of one chip, so neither is a number of chips.
    """
    accelerator_type = units.name_or_none(environment.get("TPU_ACCELERATOR_TYPE"))
    chips = _chips(root=root)
    if not chips:
        return () if accelerator_type is None else (_known_by_name(accelerator_type),)
    opened_by = {address: _device_file(address, root=root) for address in chips}
    holders = _holders({file for file in opened_by.values() if file is not None}, root=root)
    return tuple(
        Tpu(
            index=index,
            kind=chip.name,
            accelerator_type=accelerator_type,
            memory_bytes=int(chip.devices_per_chip * chip.memory_gib * 2**30),
            pci_address=address,
            held_by=holders.get(opened_by[address]),
        )
        for index, (address, chip) in enumerate(chips.items())
    )


def _known_by_name(accelerator_type: str) -> Tpu:
    return Tpu(index=0, kind=None, accelerator_type=accelerator_type, memory_bytes=None, pci_address=None, held_by=None)


def _chips(*, root: str) -> dict[str, TpuChip]:
    """Return the chips on the PCI bus by their addresses, in that order."""
    folder = os.path.join(root, "sys/bus/pci/devices")
    try:
        addresses = os.listdir(folder)
    except OSError:
        return {}
    chips = {}
    for address in addresses:
        try:
            chip = _chip(f"{folder}/{address}")
        except OSError:
            continue
        if chip is not None:
            chips[address] = chip
    return dict(sorted(chips.items()))


# A device keeps its numbers as long as it is there, and most machines have no TPU: so each is read once, and a report
# only lists the folder. A device that could not be read raises, which is not kept.
@functools.cache
def _chip(folder: str) -> TpuChip | None:
    """Return what TPU chip a PCI device is, None for anything else, such as Google's network card (0x0042)."""
    if _word(f"{folder}/vendor") != _GOOGLE:
        return None
    device = _word(f"{folder}/device")
    try:
        subsystem = _word(f"{folder}/subsystem_device")
    except FileNotFoundError:
        subsystem = None
    return tpu_chip(device, subsystem)


def _device_file(address: str, *, root: str) -> str | None:
    """Return the file by which programs open a chip, None where the kernel does not say.

    Google's driver for v2 to v4 puts `accelN` below the PCI device; later chips are opened by VFIO, whose file bears
    the number of the device's IOMMU group (google/gvisor pkg/sentry/fsimpl/sys/pci.go; the kernel's driver-api/vfio).
    A file of that name that is not there may be there by another: a container can rename it.
    """
    folder = os.path.join(root, "sys/bus/pci/devices", address)
    try:
        names = [name for name in os.listdir(f"{folder}/accel") if re.fullmatch(r"accel\d+", name)]
    except OSError:
        names = []
    with contextlib.suppress(OSError):
        names.append(f"vfio/{os.path.basename(os.readlink(f'{folder}/iommu_group'))}")
    return next((f"/dev/{name}" for name in names if os.path.exists(os.path.join(root, "dev", name))), None)


def _holders(device_files: set[str], *, root: str) -> dict[str | None, tuple[int, ...]]:
    """Return for each file the numbers of this user's processes that have it open; nothing where nobody can look."""
    if not device_files:
        return {}
    proc = os.path.join(root, "proc")
    try:
        processes = sorted(int(name) for name in os.listdir(proc) if name.isdecimal())
    except OSError:
        return {}
    opened = [(process, _open_files(f"{proc}/{process}")) for process in processes]
    return {file: tuple(process for process, names in opened if file in names) for file in device_files}


def _open_files(folder: str) -> set[str]:
    """Return the names of the files a process has open; none if it is another user's or has ended."""
    names = set()
    try:
        if os.stat(folder).st_uid != os.getuid():
            return set()
        numbers = os.listdir(f"{folder}/fd")
    except OSError:
        return set()
    for number in numbers:
        try:
            names.add(os.readlink(f"{folder}/fd/{number}"))
        except OSError:  # closed meanwhile
            continue
    return names


def _word(path: str) -> str:
    return files.read(path).strip()
