"""Rules about RAM."""

from __future__ import annotations

from colab_magics.facts.accelerators import accelerator_in_use, is_high_shape
from colab_magics.model import Advice, Limits, Ram, Service, Severity, Snapshot

_NOTEBOOK_BYTES = 20e9
"""From here on the Colab Pro notebook calls a runtime high-RAM (its RAM cell, read 2026-11-22)."""


def ram_nearly_full(snapshot: Snapshot, limits: Limits) -> Advice | None:
    """Little is left before the system or the container's limit ends the kernel."""
    ram = snapshot.ram
    if not isinstance(ram, Ram) or 100 * ram.headroom_bytes >= limits.ram_headroom_percent * ram.limit_bytes:
        return None
    values = (
        ("headroom_bytes", ram.headroom_bytes),
        ("limit_bytes", ram.limit_bytes),
        ("limited_by", ram.limited_by),
    )
    return Advice(rule="ram_nearly_full", severity=Severity.WARNING, values=values)


def high_ram(snapshot: Snapshot, _limits: Limits) -> Advice | None:
    """The runtime has the larger of the two shapes that hosted Colab offers."""
    return Advice(rule="high_ram", severity=Severity.INFO) if is_high_ram(snapshot) is True else None


def not_high_ram(snapshot: Snapshot, _limits: Limits) -> Advice | None:
    """The runtime has the smaller of the two shapes that hosted Colab offers."""
    return Advice(rule="not_high_ram", severity=Severity.INFO) if is_high_ram(snapshot) is False else None


def one_shape_only(snapshot: Snapshot, _limits: Limits) -> Advice | None:
    """Colab offers no choice of RAM with this accelerator: looking for a high-RAM switch is in vain."""
    accelerator = accelerator_in_use(snapshot)
    if accelerator is None or not accelerator.one_shape:
        return None
    return Advice(rule="one_shape_only", severity=Severity.INFO, values=(("accelerator", accelerator.menu_name),))


def kernel_holds_most_ram(snapshot: Snapshot, limits: Limits) -> Advice | None:
    """This kernel and its children hold most of what is there: what to let go of lies in this notebook."""
    ram = snapshot.ram
    if not isinstance(ram, Ram) or ram.kernel_bytes is None:
        return None
    held = ram.kernel_bytes + (ram.children_bytes or 0)
    if 100 * held < limits.kernel_ram_percent * ram.limit_bytes:
        return None
    return Advice(rule="kernel_holds_most_ram", severity=Severity.INFO, values=(("kernel_bytes", held),))


def swap_in_use(snapshot: Snapshot, limits: Limits) -> Advice | None:
    """Memory is written out to disk while little is left: that, and not the code, is why everything is slow."""
    ram = snapshot.ram
    if not isinstance(ram, Ram) or not ram.swap_used_bytes or ram_nearly_full(snapshot, limits) is None:
        return None
    return Advice(rule="swap_in_use", severity=Severity.WARNING, values=(("swap_bytes", ram.swap_used_bytes),))


def is_high_ram(snapshot: Snapshot) -> bool | None:
    """Tell which shape of hosted Colab this is; None where there is no choice, or no way to tell.

    By the table's shapes where it has them for the accelerator, else by the Colab Pro notebook's 20e9 bytes. A large
    machine whose accelerator could not be seen is not judged: a standard A100 has 83.5 GiB.
    """
    if snapshot.platform.service is not Service.COLAB or not isinstance(snapshot.ram, Ram):
        return None
    total_bytes = snapshot.ram.machine.total_bytes
    if total_bytes < _NOTEBOOK_BYTES:
        return False
    if not isinstance(snapshot.gpus, tuple) or (snapshot.gpus and snapshot.gpus[0].name is None):
        return None
    accelerator = accelerator_in_use(snapshot)
    return True if accelerator is None else is_high_shape(accelerator, total_bytes)
