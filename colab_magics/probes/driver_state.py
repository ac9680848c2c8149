"""What the signs of an NVIDIA driver mean together: one table, from what is there to what it is.

No sign is believed alone. A driver that answers with GPUs is believed; else what the PCI bus, /proc, /dev and the
library say decides between "no GPU here", which is said only where nothing speaks of one, and the reason why none can
be used.
What to do about each reason stands in `guides`.
"""

from __future__ import annotations

import enum
import functools
import os

from colab_magics import files
from colab_magics.values import Record

_NVIDIA = "0x10de"
_DISPLAY_CLASSES = ("0x0300", "0x0302")
_GPU_FILE = "nvidia"  # and a number
_TEGRA_FILES = ("nvhost-gpu", "nvgpu", "nvmap")


class Library(enum.StrEnum):
    """How NVIDIA's management library (libnvidia-ml.so.1) was found."""

    ABSENT = "absent"
    """Not found, by its name or in a known folder."""
    BROKEN = "broken"
    """A file is there, and does not load."""
    LOADS = "loads"
    """It loads."""


class Signs(Record):
    """What a machine shows of an NVIDIA GPU and its driver before the driver is asked."""

    pci_devices: int | None = 0
    """How many display devices of NVIDIA's are on the PCI bus; None where the bus cannot be seen."""
    has_module: bool = False
    """Whether the driver's kernel module is loaded: /proc/driver/nvidia/version. Containers see their host's."""
    has_control_file: bool = False
    """Whether there is /dev/nvidiactl, by which every program reaches the driver."""
    has_gpu_file: bool = False
    """Whether there is a /dev/nvidiaN, by which programs reach a GPU."""
    has_dxg: bool = False
    """Whether there is /dev/dxg: Windows hands its GPU, of whatever make, to WSL by it."""
    is_tegra: bool = False
    """Whether there are the device files of a Tegra (Jetson), whose GPU is not on the PCI bus."""

    @property
    def has_files(self) -> bool:
        """Whether the driver has left any device file here."""
        return self.has_control_file or self.has_gpu_file

    @property
    def are_none(self) -> bool:
        """Whether nothing that can be seen speaks of an NVIDIA GPU."""
        return self == Signs(pci_devices=self.pci_devices) and not self.pci_devices

    @property
    def are_certainly_none(self) -> bool:
        """Whether nothing speaks of an NVIDIA GPU, the PCI bus included."""
        return self.are_none and self.pci_devices is not None


def read_signs(*, root: str = "/") -> Signs:
    """Look at the bus, /proc and /dev; `root` is a folder that stands for /."""
    names = _names(os.path.join(root, "dev"))
    return Signs(
        pci_devices=_count_devices(root),
        has_module=_exists(root, "proc/driver/nvidia/version"),
        has_control_file="nvidiactl" in names,
        has_gpu_file=any(name.startswith(_GPU_FILE) and name[len(_GPU_FILE) :].isdecimal() for name in names),
        has_dxg="dxg" in names,
        is_tegra=any(name in names for name in _TEGRA_FILES),
    )


def code_without_library(signs: Signs, library: Library) -> str | None:
    """Return why no driver could be asked, None where there certainly is no NVIDIA GPU."""
    if library is Library.BROKEN and not signs.are_none:
        return "library_broken"
    if signs.has_dxg:
        return "wsl_library_missing"
    if signs.is_tegra:
        return "tegra_library_missing"
    if signs.has_files:
        return "library_missing"
    if signs.has_module:
        return "gpu_not_given"
    return "driver_missing" if signs.pci_devices else None


def code_of_refusal(signs: Signs, code: str) -> str | None:
    """Return what the driver's refusal means here, None where there is no GPU: the library alone lies about."""
    if code != "driver_not_loaded":
        return "wsl_blocked" if code == "blocked_by_system" and signs.has_dxg else code
    if signs.has_module:
        return "driver_not_loaded" if signs.has_files else "gpu_not_given"
    return None if signs.are_certainly_none else code


def code_of_no_device(signs: Signs) -> str | None:
    """Return why a driver that answers counts no GPU, None where there is none to count."""
    if signs.has_gpu_file:
        return "gpu_not_started"
    if signs.pci_devices:
        return "gpu_not_started" if signs.has_control_file else "gpu_not_given"
    if signs.is_tegra or signs.has_dxg:
        return "gpu_not_told"
    return None


def _count_devices(root: str) -> int | None:
    """Count the NVIDIA display devices on the PCI bus, which are there with or without a driver."""
    folder = os.path.join(root, "sys/bus/pci/devices")
    try:
        devices = os.listdir(folder)
    except OSError:
        return None
    return _count_of_nvidia(folder, tuple(devices))


@functools.lru_cache(maxsize=16)  # what is plugged in has an address of its own
def _count_of_nvidia(folder: str, devices: tuple[str, ...]) -> int:
    return sum(
        _line(f"{folder}/{device}/vendor") == _NVIDIA and _line(f"{folder}/{device}/class").startswith(_DISPLAY_CLASSES)
        for device in devices
    )


def _names(folder: str) -> frozenset[str]:
    try:
        return frozenset(os.listdir(folder))
    except OSError:
        return frozenset()


def _exists(root: str, file: str) -> bool:
    return os.path.exists(os.path.join(root, file))


def _line(path: str) -> str:
    """Return a file's first line, empty if it cannot be read."""
    try:
        return files.read(path).partition("\n")[0].strip()
    except OSError:
        return ""
