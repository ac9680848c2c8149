"""Which row of the table of accelerators a machine is, and in which of that row's shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics.facts import Accelerator, accelerator_of
from colab_magics.model import Service
from colab_magics.units import GIB

if TYPE_CHECKING:
    from colab_magics.model import Snapshot


def accelerator_in_use(snapshot: Snapshot) -> Accelerator | None:
    """Return Colab's row for this runtime's accelerator; None elsewhere, and where it was not or could not be seen."""
    if snapshot.platform.service is not Service.COLAB or not isinstance(snapshot.gpus, tuple):
        return None
    if snapshot.gpus:
        return None if snapshot.gpus[0].name is None else accelerator_of(snapshot.gpus[0].name)
    return accelerator_of(snapshot.tpus[0].accelerator_type if snapshot.tpus else None)


def is_high_shape(accelerator: Accelerator, total_bytes: int) -> bool | None:
    """Tell which of an accelerator's two shapes a machine with that much RAM has; None without a choice or figures."""
    if accelerator.one_shape or accelerator.standard_ram_gib is None or accelerator.high_ram_gib is None:
        return None
    return total_bytes / GIB > (accelerator.standard_ram_gib + accelerator.high_ram_gib) / 2
