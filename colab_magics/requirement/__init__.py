"""The requirement language: what a notebook needs, parsed and held against a snapshot.

    gpu=A100|L4, vram>=15, ram>=20, disk>=50, cc>=8.0

Clauses, joined by commas, must all hold; a clause is one or more terms joined by `|`, of which one must. A term is a
key (there is such a thing) or a key, an operator and values joined by `|`, of which one must fit; with `!=` none may.
After a value, what follows a `|` is a term if it is a key, alone or with an operator, else another value:
"gpu=A100|tpu" is two terms, "gpu=A100|L4" one.

* `gpu`, `tpu`: every word of the asked name stands in the device's name or in Colab's, in that order, whole and in
  whatever case: L4 is not L40S, G4 is the RTX PRO 6000.
* `vram`, `vram_free`, `ram`, `ram_free`, `disk` (free, where the working directory is): GB of 10^9 bytes, unless the
  size says GiB, MB, MiB, TB or TiB. `vram >=` and `vram >` forgive 5 %.
* `cc` (compute capability), `cuda` (the newest the driver can run), `python`: compared by as many parts as are asked
  for, so python=3.11 and python<=3.11 hold for 3.11.7.
* `gpus`: how many. `bf16`: computes bfloat16, as GPUs do from compute capability 8.0 on, and every TPU; takes no value.

What is asked of a GPU must hold for one and the same, which CUDA can see; `gpus` counts those for which it does. A MIG
slice is a GPU of its own. What is not known is neither met nor unmet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics.model import ClauseVerdict, State, Verdict
from colab_magics.requirement.alternatives import others_for, remedy_for
from colab_magics.requirement.evaluation import all_of, met, nearest
from colab_magics.requirement.machine import found_for, found_gpu, machine_of
from colab_magics.requirement.parser import (
    KEYS,
    OPERATORS,
    Clause,
    Requirement,
    RequirementSyntaxError,
    Size,
    Term,
    Version,
    parse,
)

if TYPE_CHECKING:
    from colab_magics.model import Snapshot
    from colab_magics.requirement.machine import Truth

__all__ = [
    "KEYS",
    "OPERATORS",
    "Clause",
    "Requirement",
    "RequirementSyntaxError",
    "Size",
    "Term",
    "Version",
    "check",
    "parse",
]


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
        met_separately=unmet and all(met(Requirement((clause,)), machine) for clause in requirement.clauses),
        remedy=remedy,
        offers=offers,
        others=others_for(requirement, snapshot, machine, offers),
    )


def _state(truth: Truth) -> State:
    return State.UNKNOWN if truth is None else State.MET if truth else State.UNMET
