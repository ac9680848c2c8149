"""Machines that nobody here has, composed by mounts: other folders over /sys/bus/pci/devices, /proc/driver and /dev.

Everything happens in a mount namespace of the process that is started, which ends with it; it needs root and `unshare`.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

_DEVICES = ("null", "zero", "urandom", "random", "tty")


@cache
def why_not() -> str | None:
    """Return why no machine can be composed here, None where one can."""
    if sys.platform != "linux" or not shutil.which("unshare"):
        return "needs Linux's unshare"
    done = subprocess.run(["unshare", "-m", "true"], capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else f"no mount namespace to be had: {done.stderr.strip()}"


class Machine:
    """A machine that shows these signs of NVIDIA; what is not named is as on a machine without any."""

    def __init__(
        self,
        folder: Path,
        *,
        pci: bool = False,
        module: bool = False,
        files: tuple[str, ...] = (),
        library: tuple[str, Path] | None = None,
    ) -> None:
        """Lay the folders out. `library` is where in the machine the library of a path here lies, beside CUDA's."""
        self._folder = folder
        bus, driver, devices = folder / "bus", folder / "driver", folder / "dev"
        for made in (bus, driver, devices):
            made.mkdir(parents=True)
        if pci:
            device = bus / "0000:00:04.0"
            device.mkdir()
            (device / "vendor").write_text("0x10de\n")
            (device / "class").write_text("0x030200\n")
        if module:
            (driver / "nvidia").mkdir()
            (driver / "nvidia" / "version").write_text("NVRM version: NVIDIA UNIX Kernel Module  580.82.07  x\n")
        for name in files:
            (devices / name).touch()
        mounts = [
            *(f"cp -a /dev/{name} {shlex.quote(str(devices))}/" for name in _DEVICES if os.path.exists(f"/dev/{name}")),
            f"mount --bind {shlex.quote(str(bus))} /sys/bus/pci/devices",
            f"mount --bind {shlex.quote(str(driver))} /proc/driver",
            f"mount --bind {shlex.quote(str(devices))} /dev",
        ]
        if library is not None:
            place, file = library
            mounts += [
                "mount -t tmpfs tmpfs /usr/local",
                f"mkdir -p {place}",
                f"cp -L {shlex.quote(str(file))} {place}/libnvidia-ml.so.1",
                f"touch {place}/libcuda.so.1",
            ]
        self._mounts = "\n".join(mounts)

    def run(self, *command: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command on that machine."""
        script = f"set -e\n{self._mounts}\nexec {shlex.join(command)}"
        return subprocess.run(
            ["unshare", "-m", "sh", "-c", script],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env=dict(os.environ) if environment is None else environment,
            cwd=self._folder,
        )
