"""The processor cores this process may use, and how busy the machine is."""

from __future__ import annotations

import os

from colab_magics import cgroup
from colab_magics.model import Cpu


def probe_cpu(*, root: str = "/") -> Cpu:
    """Look at cores under affinity and quota, and at the load of the last minute."""
    logical = _logical_cores()
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else logical
    quota = cgroup.cpu_quota_cores(root)
    return Cpu(
        usable_cores=float(allowed) if quota is None else min(float(allowed), quota),
        logical_cores=logical,
        quota_cores=quota,
        load_average=_load_average(),
    )


def _logical_cores() -> int:
    """Return the cores in service; Python's own count obeys PYTHON_CPU_COUNT from 3.13 on."""
    try:
        count = os.sysconf("SC_NPROCESSORS_ONLN")
    except (OSError, ValueError, AttributeError):  # Windows has no sysconf
        count = 0
    return count if count > 0 else os.cpu_count() or 1


def _load_average() -> float | None:
    try:
        return os.getloadavg()[0]
    except (OSError, AttributeError):  # Windows keeps none
        return None
