"""Colab's page on a machine of one's own, which its dialog does not change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics.guides import generic
from colab_magics.guides.generic import (
    for_finding,
    for_unavailable,
    not_visible,
    offered_images,
    offered_machines,
    tables,
    to_get,
)
from colab_magics.guides.interface import Goal, Guide, Sentence
from colab_magics.translation import N_
from colab_magics.values import replace

if TYPE_CHECKING:
    from colab_magics.model import Finding, Snapshot

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

_WHERE = Sentence(N_("Colab is connected to a machine of your own here: its dialog changes nothing on it."))


def for_goal(goal: Goal, snapshot: Snapshot, blocking: Finding | None) -> Guide:
    """Return what holds everywhere, with a word on Colab's dialog."""
    guide = generic.for_goal(goal, snapshot, blocking)
    if goal is Goal.GPU and blocking is not None:
        return guide
    return replace(guide, remarks=(_WHERE, *guide.remarks))
