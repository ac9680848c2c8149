"""Colab Enterprise: the machine is settled in Google Cloud, where the runtime was made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics.guides import generic
from colab_magics.guides.generic import (
    for_finding,
    for_unavailable,
    not_visible,
    offered_images,
    offered_machines,
)
from colab_magics.guides.interface import Goal, Guide, LimitsTable, Sentence
from colab_magics.translation import N_
from colab_magics.values import replace

if TYPE_CHECKING:
    from colab_magics.guides.interface import FactsTable
    from colab_magics.model import Finding, Offer, Snapshot

__all__ = [
    "for_finding",
    "for_goal",
    "for_unavailable",
    "not_visible",
    "offered_images",
    "offered_machines",
    "tables",
    "to_get",
]

_WHERE = Sentence(N_("Which machine you get is settled in Google Cloud, where the runtime was made."))
_LINKS = ("enterprise_runtimes", "enterprise_idle")


def for_goal(goal: Goal, snapshot: Snapshot, blocking: Finding | None) -> Guide:
    """Return what holds everywhere, with where the machine comes from and where Google explains that."""
    guide = generic.for_goal(goal, snapshot, blocking)
    if goal is Goal.GPU and blocking is not None:
        return guide
    return replace(guide, remarks=(_WHERE, *guide.remarks), links=_LINKS)


def to_get(_offers: tuple[Offer, ...], _others: tuple[Offer, ...]) -> Guide | None:
    """Return nothing of its own."""
    return None


def tables() -> tuple[FactsTable, ...]:
    """Return what Google has published of its lifetimes."""
    return (LimitsTable("colab_enterprise"),)
