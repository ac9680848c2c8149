"""Where this Python runs: the service, the versions, the ages."""

from __future__ import annotations

import functools
import os
import platform
import sys
import time
from typing import TYPE_CHECKING

import psutil

from colab_magics.model import Platform, Service

if TYPE_CHECKING:
    from collections.abc import Mapping


def probe_platform(
    *, shell_class: str | None, environment: Mapping[str, str] = os.environ, root: str = "/"
) -> Platform:
    """Look at where this Python runs; `shell_class` is the dotted name of the IPython shell's class, None outside."""
    ipython = sys.modules.get("IPython")
    return Platform(
        service=identify(shell_class=shell_class, environment=environment, root=root),
        operating_system=platform.system(),
        python_version=platform.python_version(),
        ipython_version=getattr(ipython, "__version__", None),
        tpu_type=environment.get("TPU_ACCELERATOR_TYPE") or None,
        machine_age_seconds=_machine_age_seconds(),
        kernel_age_seconds=time.time() - _started_at(os.getpid()),
    )


def identify(*, shell_class: str | None, environment: Mapping[str, str], root: str = "/") -> Service:
    """Name the service.

    Kaggle first: its image is built from Colab's, so Colab's release tag and package are there too
    (Kaggle/docker-python Dockerfile.tmpl, 2026-08-12). Hosted Colab is what has the address of Google's runtime
    manager (googlecolab/colabtools google/colab/runtime.py, 2026-04-07), or Colab's shell on a machine that has
    /var/colab/hostname; Colab's image on one's own machine has neither, Colab Enterprise names its product.
    """
    if "KAGGLE_KERNEL_RUN_TYPE" in environment or "KAGGLE_URL_BASE" in environment:
        return Service.KAGGLE
    shell = shell_class or ""
    hosted = "TBE_RUNTIME_ADDR" in environment or (
        shell.startswith("google.colab.") and os.path.exists(os.path.join(root, "var/colab/hostname"))
    )
    if hosted and "VERTEX_PRODUCT" not in environment:
        return Service.COLAB
    if not shell:
        return Service.PYTHON
    if shell.endswith(".TerminalInteractiveShell"):
        return Service.TERMINAL
    return Service.JUPYTER


def _machine_age_seconds() -> float:
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.time() - psutil.boot_time()


@functools.cache
def _started_at(pid: int) -> float:
    """Return when this process started, in seconds since 1970; keyed by its number because forked workers differ."""
    return float(psutil.Process(pid).create_time())
