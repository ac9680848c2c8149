"""GPUs of other makers than NVIDIA: whose they are, so that nobody is told that there is no GPU and left at that.

No driver is asked and nothing is said of what they could compute.
"""

from __future__ import annotations

import functools
import os
import sys

from colab_magics import files

_DISPLAYS = ("0x0300", "0x0302", "0x0380")  # VGA, 3D, other
_ACCELERATORS = "0x1200"  # processing accelerators, as AMD's Instinct MI300X and MI325X are (apache/cloudstack#11701)
_VENDORS = {
    "0x1002": ("AMD", (*_DISPLAYS, _ACCELERATORS)),
    "0x8086": ("Intel", _DISPLAYS),  # Intel's processing accelerators are no GPUs
}
"""Makers and the classes of their devices. A virtual machine's display (Cirrus, virtio, QXL, VMware, Bochs) and a
server's (ASPEED, Matrox) have other numbers; QEMU's imitations of old ATI cards are listed below."""

_IMITATED = frozenset({"0x5046", "0x5159"})
"""The devices that QEMU's "ati-vga" says it is (hw/display/ati.c): Rage 128 Pro, RV100."""


def probe_other_gpus(*, system: str = sys.platform, machine: str | None = None, root: str = "/") -> tuple[str, ...]:
    """Return whose GPUs there are beside NVIDIA's: "AMD", "Intel", "Apple".

    `system` is as in `sys.platform`, `machine` as in `os.uname()`. Every Mac with Apple's processor has its GPU.
    """
    if system == "darwin":
        return ("Apple",) if (machine or os.uname().machine) == "arm64" else ()
    folder = os.path.join(root, "sys/bus/pci/devices")
    try:
        addresses = os.listdir(folder)
    except OSError:
        return ()
    return tuple(sorted({vendor for address in addresses if (vendor := _vendor_at(f"{folder}/{address}"))}))


def _vendor_at(folder: str) -> str | None:
    try:
        return _vendor(folder)
    except OSError:
        return None


# As with TPUs: a device keeps its numbers as long as it is there, so each is read once, and a report only lists them. A
# device that could not be read raises, which is not kept.
@functools.cache
def _vendor(folder: str) -> str | None:
    """Return whose GPU a PCI device is, None for anything else."""
    number = files.read(f"{folder}/vendor").strip()
    if number not in _VENDORS:
        return None
    name, classes = _VENDORS[number]
    if not files.read(f"{folder}/class").startswith(classes):
        return None
    is_imitated = name == "AMD" and files.read(f"{folder}/device").strip() in _IMITATED
    return None if is_imitated else name
