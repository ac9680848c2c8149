"""For which GPUs a framework's build has code: what its own words mean, what the table of builds knows, what to take.

How code and GPUs fit, Tegra's exceptions among it, is read from torch/cuda/__init__.py of torch 2.14.1 (the checks of
capability, `PYTORCH_RELEASES_CODE_CC`), 2026-11-25.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from colab_magics.facts.loader import cuda_builds as known
from colab_magics.values import Record

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from colab_magics.facts.tables import CudaBuild
    from colab_magics.model import Framework

__all__ = ["Fitting", "fitting", "known", "published", "read_on", "runs_on", "serves"]

_TEGRA = frozenset({53, 62, 72, 87, 101, 110})
"""Chips with the GPU beside the processor: code for another chip of their generation does not run on them."""

_ONE_CHIP = {101: 110}
"""Thor, which CUDA 13 numbers anew."""

_CODE_FOR_ORIN_SINCE = (13, 2)
"""From this CUDA on, code for 8.0 and 8.6 runs on 8.7 too."""

_ORIN = 87
_WORD = r"(?P<kind>sm|compute)_(?P<number>[0-9]{2,3})(?P<only>[af]?)"
_RELEASE = r"[0-9]+(\.[0-9]+)+(\.?post[0-9]+)?"


class Fitting(Record):
    """A published build to take."""

    version: str
    """Of the framework."""
    cuda: str
    """Which it is built for."""
    date: dt.date
    """When that was read."""


def published(framework: str, version: str, cuda_version: str | None, platform: str | None) -> CudaBuild | None:
    """Return the row of a build, None for one that is not in the table, or not the framework's own.

    PyTorch's own builds say in their version for which CUDA they are ("2.8.0+cu128"); those of distributions and
    vendors say nothing there, or something else.
    """
    release, _, local = version.partition("+")
    tag = "cu" + (cuda_version or "").replace(".", "") if framework == "torch" else ""
    if local != tag:
        return None
    return next(
        (
            row
            for row in known()
            if (row.framework, row.cuda, row.platform) == (framework, cuda_version, platform)
            and _is_one_of(release, row.versions)
        ),
        None,
    )


def runs_on(framework: Framework, capability: str | None) -> bool | None:
    """Tell whether a framework's build has code that runs on GPUs of a compute capability; None: that is not known."""
    words = framework.architectures
    if words is None:
        return None
    if serves(_machine_code(words), capability, framework.cuda_version):
        return True
    row = published(framework.name, framework.version, framework.cuda_version, framework.platform)
    if row is not None and row.carries == words and capability in row.fails_on:
        return False
    return serves(words, capability, framework.cuda_version)


def serves(words: Iterable[str], capability: str | None, cuda_version: str | None = None) -> bool | None:
    """Tell whether what a build carries runs on GPUs of a compute capability; None: that cannot be told.

    Machine code runs on its own compute capability and on later ones of the same major number, except for Tegra's; with
    an "a" behind it only on its own, with an "f" within its family. What a driver translates ("compute_") runs on all
    later ones.
    """
    wanted = _number(capability)
    if wanted is None:
        return None
    answers = {_serves(word, wanted, cuda_version) for word in words} or {None}
    return True if True in answers else None if None in answers else False


def fitting(
    framework: str, capability: str | None, *, like: Framework | None, newest_cuda: str | None
) -> Fitting | None:
    """Return the published build to take for a compute capability with a driver that runs CUDA up to `newest_cuda`.

    The version of `like`, which is installed, comes first, then the newest; of one version the build for the earliest
    CUDA. Only machine code counts, since the driver's translation takes long. None where no build is known to do.
    """
    platform = None if like is None else like.platform
    newest = _numbers(newest_cuda or "")[:1]
    installed = "" if like is None else like.version.partition("+")[0]
    found = [
        (
            _is_one_of(installed, row.versions),
            _numbers(version),
            [-number for number in _numbers(row.cuda)],
            version,
            row,
        )
        for row in known()
        if row.framework == framework
        and row.platform == platform
        and _numbers(row.cuda)[:1] <= newest
        and serves(_machine_code(row.carries), capability, row.cuda)
        for version in row.versions
    ]
    if not found:
        return None
    is_installed, _, _, version, row = max(found, key=lambda one: one[:3])
    return Fitting(version=installed if is_installed else version, cuda=row.cuda, date=row.date)


def read_on(framework: str) -> dt.date | None:
    """Return the day up to which the table knows a framework's builds, None where it knows none."""
    return max((row.date for row in known() if row.framework == framework), default=None)


def _serves(word: str, wanted: int, cuda_version: str | None) -> bool | None:
    found = re.fullmatch(_WORD, word)
    if found is None:
        return None
    number = int(found["number"])
    number, wanted = _ONE_CHIP.get(number, number), _ONE_CHIP.get(wanted, wanted)
    if found["only"] == "a" or number >= wanted:
        return number == wanted
    if found["kind"] == "compute" and not found["only"]:
        return True
    return number // 10 == wanted // 10 and _serves_a_later_one(number, wanted, cuda_version)


def _serves_a_later_one(number: int, wanted: int, cuda_version: str | None) -> bool | None:
    """Tell whether machine code runs on a later GPU of its major number."""
    if wanted == _ORIN:
        return None if cuda_version is None else _numbers(cuda_version) >= _CODE_FOR_ORIN_SINCE
    if wanted in _TEGRA:
        return False
    return None if number in _TEGRA else True


def _machine_code(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(word for word in words if word.startswith("sm_"))


def _number(capability: str | None) -> int | None:
    """Return a compute capability as the words write it: 75 for "7.5"."""
    found = re.fullmatch(r"(\d{1,2})\.(\d)", capability or "", re.ASCII)
    return int(found[1] + found[2]) if found else None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))


def _is_one_of(release: str, versions: Iterable[str]) -> bool:
    """Tell whether a release is one of these versions or of these series; a pre-release is none."""
    return bool(re.fullmatch(_RELEASE, release)) and any(
        release == version or (version.count(".") == 1 and release.startswith(f"{version}.")) for version in versions
    )
