"""Facts about services that no machine can measure: dated tables with their sources, and the one loader."""

from __future__ import annotations

import functools
import os
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date


@dataclass(frozen=True, kw_only=True, slots=True)
class Accelerator:
    """A choice of Colab's dialog. `device_names` is what the driver or TPU_ACCELERATOR_TYPE call it; RAM is in GiB."""

    menu_name: str
    device_names: list[str]
    source: str
    date: date
    one_shape: bool = False
    standard_ram_gib: float | None = None
    high_ram_gib: float | None = None


@functools.cache
def accelerators() -> tuple[Accelerator, ...]:
    """Return Colab's accelerators."""
    with open(os.path.join(os.path.dirname(__file__), "accelerators.toml"), "rb") as table:
        return tuple(Accelerator(**row) for row in tomllib.load(table)["accelerator"])


def accelerator_of(device_name: str | None) -> Accelerator | None:
    """Return the accelerator with that device name (None: no accelerator at all), None if the table has none such."""
    for accelerator in accelerators():
        if device_name in accelerator.device_names or (device_name is None and not accelerator.device_names):
            return accelerator
    return None
