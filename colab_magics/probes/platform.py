"""Where this Python runs: the service, the frontend, the versions, the ages."""

from __future__ import annotations

import functools
import os
import sys
import time
from typing import TYPE_CHECKING

from colab_magics import facts, procfs, units
from colab_magics.model import Platform
from colab_magics.probes.frontend import probe_frontend
from colab_magics.probes.signals import Signs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from colab_magics.model import Frontend

_WITH_COLAB_S_IMAGE = frozenset({"colab", "colab_enterprise", "colab_local", "kaggle"})
_OLDER_THAN_ITS_CONTAINER_SECONDS = 60.0
"""A machine's own first process starts within seconds of its boot; what is this much younger belongs to a container."""

_HAS_BOOT_CLOCK = hasattr(time, "CLOCK_BOOTTIME")
"""Whether time is told from the machine's boot on, as Linux does: nobody sets that clock."""


def probe_platform(
    *, shell_class: str | None, environment: Mapping[str, str] = os.environ, root: str = "/"
) -> Platform:
    """Look at where this Python runs; `shell_class` is the dotted name of the IPython shell's class, None outside."""
    ipython = sys.modules.get("IPython")
    if environment is os.environ:
        service, frontend = _where_we_are(shell_class, root)
    else:
        service, frontend = _where(Signs(shell_class=shell_class, environment=environment, root=root))
    machine_age_seconds = _machine_age_seconds()
    return Platform(
        service=service,
        frontend=frontend,
        operating_system=_operating_system(),
        python_version=sys.version.split()[0],
        ipython_version=units.name_or_none(getattr(ipython, "__version__", None)),
        image=units.name_or_none(environment.get("COLAB_RELEASE_TAG")) if service in _WITH_COLAB_S_IMAGE else None,
        machine_age_seconds=machine_age_seconds,
        container_age_seconds=_container_age_seconds(machine_age_seconds),
        kernel_age_seconds=_age_seconds(os.getpid()),
    )


@functools.cache
def _where_we_are(shell_class: str | None, root: str) -> tuple[str | None, Frontend]:
    """Return the service and the frontend of this process, found once: it does not move to another."""
    return _where(Signs(shell_class=shell_class, environment=os.environ, root=root))


def _where(signs: Signs) -> tuple[str | None, Frontend]:
    """Return the service and the frontend that the signs tell."""
    service = identify_service(signs)
    return service, probe_frontend(signs, service)


def identify_service(signs: Signs) -> str | None:
    """Name the service: the first of facts/services.toml of whose signals one holds; None where none does."""
    for service in facts.services():
        if any(signs.hold(signal, service=None) for signal in service.signals):
            return service.key
    return None


def _operating_system() -> str:
    """Return the name that `platform.system` gives the system; that module takes longer to import than a look takes."""
    if hasattr(os, "uname"):
        return os.uname().sysname
    import platform

    return platform.system()


def _machine_age_seconds() -> float | None:
    if _HAS_BOOT_CLOCK:
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    from colab_magics.probes import by_psutil

    return _since(by_psutil.booted_at(), time.time())


def _container_age_seconds(machine_age_seconds: float | None) -> float | None:
    age_seconds = _age_seconds(1)
    if age_seconds is None or machine_age_seconds is None:
        return None
    return age_seconds if age_seconds < machine_age_seconds - _OLDER_THAN_ITS_CONTAINER_SECONDS else None


def _age_seconds(pid: int) -> float | None:
    """Return how long ago a process started, None where that is not known."""
    started = _started(pid, os.getpid())
    if started is None:
        return None
    after_boot, seconds = started
    return _since(seconds, time.clock_gettime(time.CLOCK_BOOTTIME) if after_boot else time.time())


def _since(moment: float | None, now: float) -> float | None:
    """Return the time since a moment; None where it is not known, or in the future."""
    return None if moment is None or now < moment else now - moment


@functools.cache
def _started(pid: int, _asked_by: int) -> tuple[bool, float] | None:
    """Return whether it is told from the machine's boot on, and when a process started; else it is since 1970.

    Keyed by who asks too: a forked worker may have another process 1.
    """
    if _HAS_BOOT_CLOCK:
        try:
            return True, procfs.started_seconds(pid)
        except OSError:
            pass
    from colab_magics.probes import by_psutil

    moment = by_psutil.started_at(pid)
    return None if moment is None else (False, moment)
