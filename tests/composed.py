"""Machines that nobody here has, composed by mounts: other folders over /sys/bus/pci/devices, /proc/driver and /dev.

Any other file or folder can be laid over too, those of /proc/self and what a whole machine says of its memory.

Everything happens in a mount namespace of the process that is started, which ends with it; it needs root and `unshare`.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

_DEVICES = ("null", "zero", "urandom", "random", "tty")
_GPU = {"vendor": "0x10de\n", "class": "0x030200\n"}


@cache
def why_not() -> str | None:
    """Return why no machine can be composed here, None where one can."""
    if sys.platform != "linux" or not shutil.which("unshare"):
        return "needs Linux's unshare"
    done = subprocess.run(["unshare", "-m", "true"], capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else f"no mount namespace to be had: {done.stderr.strip()}"


class Machine:
    """A machine that shows these signs of NVIDIA; what is not named is as on a machine without any."""

    def __init__(  # noqa: PLR0913 - as many as the signs
        self,
        folder: Path,
        *,
        pci: int = 0,
        devices: Sequence[Mapping[str, str]] = (),
        module: bool = False,
        files: tuple[str, ...] = (),
        library: tuple[str, Path] | None = None,
        laid_over: Mapping[str, str | Mapping[str, str]] | None = None,
    ) -> None:
        """Lay the folders out.

        `pci` is how many GPUs the bus shows, `devices` are the files of what it shows before them. `library` is
        where in the machine the library of a path here lies, beside CUDA's. `laid_over` gives a path of the machine
        another text, or as a folder other files, by their paths in it; /proc/self is the process that is run.
        """
        self._folder = folder
        bus, driver, nodes = folder / "bus", folder / "driver", folder / "dev"
        for made in (bus, driver, nodes):
            made.mkdir(parents=True)
        for slot, device in enumerate((*devices, *(_GPU for _ in range(pci)))):
            _lay(bus / f"0000:00:{slot:02x}.0", device)
        if module:
            (driver / "nvidia").mkdir()
            (driver / "nvidia" / "version").write_text("NVRM version: NVIDIA UNIX Kernel Module  580.82.07  x\n")
        for name in files:
            (nodes / name).touch()
        mounts = [
            *(f"cp -a /dev/{name} {shlex.quote(str(nodes))}/" for name in _DEVICES if os.path.exists(f"/dev/{name}")),
            f"mount --bind {shlex.quote(str(bus))} /sys/bus/pci/devices",
            f"mount --bind {shlex.quote(str(driver))} /proc/driver",
            f"mount --bind {shlex.quote(str(nodes))} /dev",
        ]
        if library is not None:
            place, file = library
            mounts += [
                "mount -t tmpfs tmpfs /usr/local",
                f"mkdir -p {place}",
                f"cp -L {shlex.quote(str(file))} {place}/libnvidia-ml.so.1",
                f"touch {place}/libcuda.so.1",
            ]
        for number, (path, what) in enumerate((laid_over or {}).items()):
            mounts.append(f"mount --bind {shlex.quote(str(_lay(folder / f'over-{number}', what)))} {_place(path)}")
        self._mounts = "\n".join(mounts)

    @property
    def prefix(self) -> tuple[str, ...]:
        """What to put before a command so that it runs on that machine, as the process that it would be here."""
        return ("unshare", "-m", "sh", "-c", f'set -e\n{self._mounts}\nexec "$@"', "machine")

    def run(self, *command: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command on that machine."""
        return subprocess.run(
            [*self.prefix, *command],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env=dict(os.environ) if environment is None else environment,
            cwd=self._folder,
        )


def _lay(place: Path, what: str | Mapping[str, str]) -> Path:
    """Write a file with this text, or a folder with these files."""
    if isinstance(what, str):
        place.write_text(what, encoding="utf-8")
        return place
    place.mkdir()
    for name, text in what.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text, encoding="utf-8")
    return place


def _place(path: str) -> str:
    """Return a path as the shell spells it that becomes the process which is run."""
    own = path.removeprefix("/proc/self/")
    return shlex.quote(path) if own == path else f"/proc/$$/{shlex.quote(own)}"
