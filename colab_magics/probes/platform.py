"""Where this Python runs: the service, the versions, the ages."""

from __future__ import annotations

import functools
import os
import platform
import sys
import time
from typing import TYPE_CHECKING

import psutil

from colab_magics.facts import platforms
from colab_magics.model import Platform, Service

if TYPE_CHECKING:
    from collections.abc import Mapping

    from colab_magics.facts import Signal

_WITH_COLAB_S_IMAGE = frozenset({Service.COLAB, Service.COLAB_ENTERPRISE, Service.COLAB_LOCAL, Service.KAGGLE})
_OLDER_THAN_ITS_CONTAINER_SECONDS = 60.0
"""A machine's own first process starts within seconds of its boot; what is this much younger belongs to a container."""


def probe_platform(
    *, shell_class: str | None, environment: Mapping[str, str] = os.environ, root: str = "/"
) -> Platform:
    """Look at where this Python runs; `shell_class` is the dotted name of the IPython shell's class, None outside."""
    ipython = sys.modules.get("IPython")
    service = identify(shell_class=shell_class, environment=environment, root=root)
    machine_age_seconds = _machine_age_seconds()
    return Platform(
        service=service,
        operating_system=platform.system(),
        python_version=platform.python_version(),
        ipython_version=getattr(ipython, "__version__", None),
        image=(environment.get("COLAB_RELEASE_TAG") or None) if service in _WITH_COLAB_S_IMAGE else None,
        machine_age_seconds=machine_age_seconds,
        container_age_seconds=_container_age_seconds(machine_age_seconds),
        kernel_age_seconds=time.time() - _started_at(os.getpid()),
    )


def identify(*, shell_class: str | None, environment: Mapping[str, str], root: str = "/") -> Service:
    """Name the service: the first of facts/platforms.toml of whose signals one holds."""
    variables = _Variables(environment)
    for service, signals in _services():
        for signal in signals:
            if _holds(signal, shell_class, variables, root):
                return service
    return Service.PYTHON


class _Variables(dict[str, str | None]):
    """Environment variables, each read once: a look at `os.environ` that finds nothing takes over a microsecond."""

    __slots__ = ("_environment",)

    def __init__(self, environment: Mapping[str, str]) -> None:
        super().__init__()
        self._environment = environment

    def __missing__(self, name: str) -> str | None:
        value = self[name] = self._environment.get(name)
        return value


@functools.cache
def _services() -> tuple[tuple[Service, tuple[Signal, ...]], ...]:
    return tuple((Service(row.service), row.signals) for row in platforms())


def _holds(signal: Signal, shell_class: str | None, variables: _Variables, root: str) -> bool:
    for name, expected in signal.environment:
        value = variables[name]
        if value is None or expected not in ("*", value):
            return False
    if signal.shell is not None and (shell_class is None or not shell_class.startswith(signal.shell)):
        return False
    if any(variables[name] is not None for name in signal.absent):
        return False
    return signal.file is None or _exists(root, signal.file)


@functools.cache
def _exists(root: str, file: str) -> bool:
    """Tell whether a service has left its file; they are there before any kernel starts."""
    return os.path.exists(os.path.join(root, file))


def _machine_age_seconds() -> float:
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.time() - psutil.boot_time()


def _container_age_seconds(machine_age_seconds: float) -> float | None:
    started_at = _container_started_at(os.getpid())
    if started_at is None:
        return None
    age_seconds = time.time() - started_at
    return age_seconds if 0 <= age_seconds < machine_age_seconds - _OLDER_THAN_ITS_CONTAINER_SECONDS else None


@functools.cache
def _container_started_at(_pid: int) -> float | None:
    """Return when process 1 started, in seconds since 1970; keyed as `_started_at`."""
    try:
        return float(psutil.Process(1).create_time())
    except (psutil.Error, OSError):
        return None


@functools.cache
def _started_at(pid: int) -> float:
    """Return when this process started, in seconds since 1970; keyed by its number because forked workers differ."""
    return float(psutil.Process(pid).create_time())
