"""How a requirement stands and what would help: figures and names, no sentence."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class State(enum.StrEnum):
    """What is known of a requirement, or of a part of it."""

    MET = "met"
    UNMET = "unmet"
    UNKNOWN = "unknown"


class Remedy(enum.StrEnum):
    """What would make a requirement met that is not.

    SHOW_GPUS: take away what CUDA_VISIBLE_DEVICES hides. MAKE_ROOM: free memory or disk. ANOTHER_MACHINE: one of those
    that the service offers.
    """

    SHOW_GPUS = "show_gpus"
    MAKE_ROOM = "make_room"
    ANOTHER_MACHINE = "another_machine"


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundGpu:
    """A GPU or MIG slice that CUDA can see, as far as requirements speak of it. None: not known."""

    name: str | None
    memory_bytes: int | None
    memory_free_bytes: int | None
    compute_capability: str | None
    shares_ram: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """A choice of the service's dialog, in its words, that would meet the requirement.

    `is_current`: it is the accelerator of this machine, with more RAM.
    """

    name: str
    high_ram: bool = False
    paid: bool = False
    is_current: bool = False


Figures = tuple[str | int | bool | None, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ClauseVerdict:
    """How a clause stands: its canonical text, and for each of its keys what is there.

    `found` has one figure for each device (`gpu`, `vram`, `vram_free`, `cc`, `bf16`, `tpu`) or one for the machine;
    none if there is no such thing; None in place of a figure, or of them all, for what is not known.
    """

    asked: str
    state: State
    found: tuple[tuple[str, Figures | None], ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys it speaks of."""
        return tuple(key for key, _ in self.found)


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """Whether a requirement is met, clause by clause; the clauses stand as they do for the GPU that comes nearest.

    `gpus` are those that count, None if nobody could look. `apart`: each clause would be met by itself, but no one GPU
    meets all. `offers` are the service's machines that would do, where the remedy is another one.
    """

    met: bool
    clauses: tuple[ClauseVerdict, ...]
    gpus: tuple[FoundGpu, ...] | None = None
    apart: bool = False
    remedy: Remedy | None = None
    offers: tuple[Offer, ...] = ()
