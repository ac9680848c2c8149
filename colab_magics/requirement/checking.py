"""The whole of it: a requirement and a snapshot in, a verdict out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics.requirement.evaluation import all_of, met, nearest
from colab_magics.requirement.parser import Requirement
from colab_magics.requirement.machine import found_for, found_gpu, machine_of
from colab_magics.requirement.alternatives import remedy_for
from colab_magics.requirement.verdict import ClauseVerdict, State, Verdict

if TYPE_CHECKING:
    from colab_magics.model import Snapshot
    from colab_magics.requirement.machine import Truth


def check(requirement: Requirement, snapshot: Snapshot, *, strict: bool = False) -> Verdict:
    """Hold a requirement against what was seen. What is not known passes, unless `strict`."""
    machine = machine_of(snapshot)
    truths = nearest(requirement, machine)
    truth = all_of(truths)
    unmet = truth is False
    remedy, offers = remedy_for(requirement, snapshot, machine, truths) if unmet else (None, ())
    return Verdict(
        met=truth is True or (truth is None and not strict),
        clauses=tuple(
            ClauseVerdict(asked=str(clause), state=_state(one), found=found_for(clause, machine))
            for clause, one in zip(requirement.clauses, truths, strict=True)
        ),
        gpus=None if machine.gpus is None else tuple(map(found_gpu, machine.gpus)),
        apart=unmet and all(met(Requirement((clause,)), machine) for clause in requirement.clauses),
        remedy=remedy,
        offers=offers,
    )


def _state(truth: Truth) -> State:
    return State.UNKNOWN if truth is None else State.MET if truth else State.UNMET
