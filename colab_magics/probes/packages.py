"""Packages: which are installed and in which version, as their metadata tells. None is imported.

Read are the folders that hold metadata on the search path, one after the other until all names are found; what lies in
the working directory is the user's own, and left alone. `importlib.metadata` would take in that too, and whatever code
a package has put into its place.

Sources: PyPA's specifications of names, of recorded projects (`*.dist-info`) and of core metadata; setuptools'
documentation of `*.egg-info`, which is a folder, or a file where distutils or Debian wrote it.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from colab_magics import files
from colab_magics.imports import trusted_folders
from colab_magics.model import Package
from colab_magics.units import package_name

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence


def probe_packages(names: Iterable[str], *, search_path: Sequence[str] | None = None) -> tuple[Package, ...]:
    """Look for packages by their normalised names; of two the one that an import finds first."""
    wanted = dict.fromkeys(names)
    found: dict[str, Package] = {}
    for folder in trusted_folders() if search_path is None else search_path:
        if len(found) == len(wanted):
            break
        found |= _in_folder(folder, wanted.keys() - found.keys())
    return tuple(found.get(name) or Package(name=name, is_installed=False, version=None) for name in wanted)


def is_installed(name: str) -> bool:
    """Tell whether a package is installed, by its normalised name."""
    return probe_packages((name,))[0].is_installed


def version_in(metadata: str) -> str | None:
    """Return the version that a folder or file of metadata tells; None for one that is damaged.

    Raise OSError where there is no metadata that can be read.
    """
    for line in _read(metadata).split("\n"):
        header, _, value = line.partition(":")
        if header.lower() == "version":
            version = value.strip()
            return version if VERSION.fullmatch(version) else None
        if not line.strip():  # the description begins
            return None
    return None


def _read(metadata: str) -> str:
    try:
        return files.read_beginning(os.path.join(metadata, "METADATA"), MOST_BYTES)  # a wheel's
    except OSError:
        is_by_itself = metadata.endswith(".egg-info") and os.path.isfile(metadata)
        return files.read_beginning(metadata if is_by_itself else os.path.join(metadata, "PKG-INFO"), MOST_BYTES)


def _in_folder(folder: str, wanted: Collection[str]) -> dict[str, Package]:
    """Return those of the packages that a folder of the search path has."""
    try:
        entries = os.listdir(folder)
    except (OSError, ValueError):  # ValueError: a null character in a name
        return {}
    told: dict[str, set[str | None]] = {}
    for entry in entries:
        metadata = _METADATA.fullmatch(entry)
        name = package_name(metadata["name"]) if metadata else ""
        if name in wanted:
            try:
                told.setdefault(name, set()).add(version_in(os.path.join(folder, entry)))
            except OSError:  # what an installer left behind
                continue
    return {
        name: Package(name=name, is_installed=True, version=versions.pop() if len(versions) == 1 else None)
        for name, versions in told.items()
        if versions
    }


MOST_BYTES = 100_000
"""The most that is read of a note or of metadata, where the version stands at the top; known notes have less than a
tenth."""

VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+!_-]{0,63}")
"""What can be a version, of a release or of somebody's own build; nothing longer is shown."""

_METADATA = re.compile(
    r"(?P<name>[a-z0-9][a-z0-9._-]*?)(?:-[0-9v][^-]*(?:-py[0-9.]+)?)?\.(?:dist|egg)-info", re.IGNORECASE | re.ASCII
)
"""A name of a folder, or a file, that holds metadata. One in which a project is being developed has no version."""
