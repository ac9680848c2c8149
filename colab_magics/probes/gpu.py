"""NVIDIA GPUs and their driver, as the observer's child process reports them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from colab_magics.model import Driver, Gpu, GpuProcess, Unavailable, Usage
from colab_magics.observer import client

if TYPE_CHECKING:
    from collections.abc import Mapping


def probe_gpus(
    *, deadline_seconds: float = client.DEADLINE_SECONDS, environment: Mapping[str, str] = os.environ
) -> tuple[tuple[Gpu, ...] | Unavailable, Driver | None]:
    """Look at the GPUs and the driver within about `deadline_seconds`; no NVIDIA library means no GPU."""
    answer = client.ask(deadline_seconds=deadline_seconds)
    if isinstance(answer, Unavailable):
        return answer, None
    refused = answer.get("refused")
    if refused is not None:
        return Unavailable(reason=refused["reason"], values=(("code", refused["code"] or 0),)), None
    only_one = len(answer["gpus"]) == 1
    gpus = tuple(_gpu(seen, cuda_index=_cuda_index(environment) if only_one else None) for seen in answer["gpus"])
    return gpus, Driver(**answer["driver"]) if answer["driver"] else None


def _cuda_index(environment: Mapping[str, str]) -> int | None:
    """Return CUDA's number for the machine's only GPU: certain only where nothing chooses or reorders devices."""
    return None if "CUDA_VISIBLE_DEVICES" in environment else 0


def _gpu(seen: dict[str, Any], *, cuda_index: int | None) -> Gpu:
    memory, processes = seen["memory"], seen["processes"]
    return Gpu(
        index=seen["index"],
        cuda_index=cuda_index,
        name=seen["name"],
        uuid=seen["uuid"],
        memory=None if memory is None else Usage(**memory),
        utilization_percent=_number(seen["utilization_percent"]),
        temperature_celsius=_number(seen["temperature_celsius"]),
        power_watts=_number(seen["power_watts"]),
        power_limit_watts=_number(seen["power_limit_watts"]),
        processes=None if processes is None else tuple(GpuProcess(**process) for process in processes),
        unavailable=tuple(seen["unavailable"].items()),
    )


def _number(value: float | None) -> float | None:
    return None if value is None else float(value)
