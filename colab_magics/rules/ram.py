"""Rules about RAM."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics.facts import accelerators
from colab_magics.model import Ram, Severity, Subject, Unavailable
from colab_magics.rules.rule import rule
from colab_magics.translation import N_

if TYPE_CHECKING:
    from colab_magics.model import Snapshot, Values
    from colab_magics.rules.rule import Rule

_HIDDEN_BYTES = 64 * 2**20
_HEADROOM_PERCENT = 10.0
_KERNEL_PERCENT = 50.0
_KEPT_PERCENT = 10.0


@rule(
    Subject.RAM,
    Severity.WARNING,
    N_("RAM is nearly full: {headroom_bytes:size} of {limited_by:limiter} {limit_bytes:size} can still be allocated."),
    fixable_in_place=True,
)
def ram_nearly_full(snapshot: Snapshot) -> Values | None:
    """Less than 10 % of the RAM that this process may use is left; at the end the system kills the kernel."""
    ram = snapshot.ram
    if not isinstance(ram, Ram) or 100 * ram.headroom_bytes >= _HEADROOM_PERCENT * ram.limit_bytes:
        return None
    return (
        ("headroom_bytes", ram.headroom_bytes),
        ("limit_bytes", ram.limit_bytes),
        ("limited_by", ram.limiter),
    )


@rule(
    Subject.RAM,
    Severity.WARNING,
    N_("{swap_bytes:size} are swapped out to disk: everything may be slow."),
    fixable_in_place=True,
)
def swap_in_use(snapshot: Snapshot) -> Values | None:
    """Memory is swapped out to disk while little is left, which makes everything slow."""
    ram = snapshot.ram
    if not isinstance(ram, Ram) or not ram.swap_used_bytes or ram_nearly_full(snapshot) is None:
        return None
    return (("swap_bytes", ram.swap_used_bytes),)


@rule(
    Subject.RAM,
    Severity.WARNING,
    N_(
        "Files in memory, as in /dev/shm, and what processes share hold {shared_bytes:size} of it: files outlive a"
        " restart of the kernel."
    ),
    fixable_in_place=True,
)
def files_hold_ram(snapshot: Snapshot) -> Values | None:
    """Half or more of a nearly full RAM is files in memory or shared: a restart of the kernel does not free it."""
    ram = snapshot.ram
    if not isinstance(ram, Ram) or ram.shared_bytes is None or ram_nearly_full(snapshot) is None:
        return None
    return (("shared_bytes", ram.shared_bytes),) if ram.is_mostly_shared else None


@rule(
    Subject.RAM,
    Severity.INFO,
    N_("Processes killed here for lack of memory since the start: at least {count}."),
)
def killed_for_memory(snapshot: Snapshot) -> Values | None:
    """The system has killed processes here for lack of memory: which is not known, mostly a notebook's kernel."""
    ram = snapshot.ram
    return (("count", ram.killed_for_memory),) if isinstance(ram, Ram) and ram.killed_for_memory else None


@rule(Subject.RAM, Severity.INFO, N_("You are using a high-RAM runtime!"), is_remark=True)
def high_ram(snapshot: Snapshot) -> Values | None:
    """The runtime has the larger of the two sizes of RAM that hosted Colab offers."""
    return () if accelerators.is_high_ram(snapshot) is True else None


@rule(Subject.RAM, Severity.INFO, N_("Not using a high-RAM runtime."), is_remark=True)
def not_high_ram(snapshot: Snapshot) -> Values | None:
    """The runtime has the smaller of the two sizes of RAM that hosted Colab offers."""
    return () if accelerators.is_high_ram(snapshot) is False else None


@rule(
    Subject.RAM,
    Severity.INFO,
    N_("{accelerator} comes with one size of RAM: there is no high-RAM choice."),
    is_remark=True,
)
def one_shape_only(snapshot: Snapshot) -> Values | None:
    """Colab offers one size of RAM with this accelerator: there is no high-RAM switch to look for."""
    accelerator = accelerators.in_use(snapshot)
    return (("accelerator", accelerator.menu_name),) if accelerator is not None and accelerator.one_shape else None


@rule(
    Subject.RAM,
    Severity.INFO,
    N_("This kernel holds {kernel_bytes:size}, most of the RAM."),
    fixable_in_place=True,
)
def kernel_holds_most_ram(snapshot: Snapshot) -> Values | None:
    """This kernel and its children hold half of the RAM or more: what can be freed is in this notebook."""
    ram = snapshot.ram
    if not isinstance(ram, Ram) or ram.kernel_bytes is None:
        return None
    # A limit of this process alone leaves its children out.
    children_bytes = 0 if ram.capacity_by.startswith("rlimit") else ram.children_bytes or 0
    held_bytes = ram.kernel_bytes + children_bytes
    return (("kernel_bytes", held_bytes),) if 100 * held_bytes >= _KERNEL_PERCENT * ram.capacity_bytes else None


@rule(
    Subject.RAM,
    Severity.INFO,
    N_("Results of cells and the last error hold {hidden_bytes:size} that no variable holds."),
    fixable_in_place=True,
)
def hidden_holders(snapshot: Snapshot) -> Values | None:
    """IPython's results (`Out`, `_`) and the last error's functions keep 64 MiB or more that no variable holds."""
    holders = snapshot.holders
    if holders is None or isinstance(holders, Unavailable) or holders.hidden_bytes < _HIDDEN_BYTES:
        return None
    return (("hidden_bytes", holders.hidden_bytes),)


@rule(
    Subject.CELLS,
    Severity.INFO,
    N_("In [{number}] kept {kept_bytes:size} of RAM: this kernel still has that much more than before it."),
    fixable_in_place=True,
)
def cell_kept_ram(snapshot: Snapshot) -> Values | None:
    """A cell of this session has kept a tenth of the RAM or more, which was not let go of since."""
    ram = snapshot.ram
    if not isinstance(ram, Ram) or ram.kernel_bytes is None:
        return None
    still = [
        (min(cell.ram_kept_bytes, ram.kernel_bytes - cell.ram_before_bytes), cell.number)
        for cell in snapshot.cells or ()
        if cell.ram_kept_bytes is not None and cell.ram_before_bytes is not None and cell.number is not None
    ]
    kept_bytes, number = max(still, default=(0, 0))
    if 100 * kept_bytes < _KEPT_PERCENT * ram.capacity_bytes:
        return None
    return ("number", number), ("kept_bytes", kept_bytes)


@rule(
    Subject.OUT_OF_MEMORY,
    Severity.ERROR,
    N_("The cell has run out of RAM."),
    fixable_in_place=True,
    is_the_answer=True,
)
def out_of_ram(snapshot: Snapshot) -> Values | None:
    """A cell ended by an error that says that RAM has run out, Python's or a library's."""
    ran_out = snapshot.out_of_memory
    return () if ran_out is not None and ran_out.memory == "ram" else None


RULES: tuple[Rule, ...] = (
    out_of_ram,
    ram_nearly_full,
    files_hold_ram,
    swap_in_use,
    killed_for_memory,
    high_ram,
    not_high_ram,
    one_shape_only,
    kernel_holds_most_ram,
    hidden_holders,
    cell_kept_ram,
)
