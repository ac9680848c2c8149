"""The requirement language: what a notebook needs, parsed and held against a snapshot.

    gpu=A100|L4, vram>=15, ram>=20, disk>=50, cc>=8.0
    gpu==a100 or L4 and vram >= 15 and torch>=2.4

Clauses, joined by commas or `and`, must all hold; a clause is one or more terms joined by `|` or `or`, of which one
must: `or` binds more closely than `and`, as `|` does than a comma. A comma before one of the words is part of it:
"A100, or L4". A term is a key (there is such a thing) or a key, an operator and values joined by `|` or `or`, of which
one must fit; with `!=` none may. The operators are `>=`, `>`, `<=`, `<`, `=` or `==`, and `!=`. Neither case nor spaces
matter.
After a value, what follows a `|` is a term if it is a key, alone or with an operator, or a package where that cannot be
a value; else another value: "gpu=A100|tpu" is two terms, "gpu=A100|L4" one.

* `gpu`, `tpu`: every word of the asked name stands in the device's name or in Colab's, in that order, whole: L4 is not
  L40S, G4 is the RTX PRO 6000. Names have no order, so only `=` and `!=` compare them.
* `vram`, `vram_free`, `ram`, `ram_free`, `disk` (free, where the working directory is), `shm` (free in /dev/shm, where
  PyTorch's DataLoader puts its data): GB of 10^9 bytes, unless the size says GiB, MB, MiB, TB or TiB.
* `vram`: `>=` forgives 5 %, since drivers report less or more than a card is sold as having, and `>` is strict: it asks
  for more than that label too (`facts.accelerators.label_gb`). A T4 meets vram>=16, and not vram>16. `<` is not `>=`,
  `<=` is not `>`, and `=` is neither `<` nor `>`: equal to the label, up to what is forgiven.
* `cc` (compute capability), `cuda` (the newest the driver can run), `driver` (NVIDIA's), `python`: compared by as many
  parts as are asked for, so python=3.11 and python<=3.11 hold for 3.11.7, python>3.11 does not.
* `cores`: the processor cores that this process may use; a container's quota may be a fraction, and compares as it is.
* `gpus`: how many. `bf16`: computes bfloat16, as GPUs do from compute capability 8.0 on, and every TPU; takes no value.
* Any other name is an installed package's, by its metadata: case, and which of `-_.` joins its words, do not matter.
  Its version is compared by its release, as `python` is: 2.4.0rc1 and 2.4.0+cu121 are 2.4.0. One that is not installed
  meets nothing. A name that is one letter off a key's, and no installed package's, is a mistake.

What is asked of a GPU must hold for one and the same, which CUDA can see; `gpus` counts those for which it does. A MIG
slice is a GPU of its own. What is not known is neither met nor unmet.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from colab_magics.model import KEYS, ClauseVerdict, State, Verdict
from colab_magics.requirement.alternatives import Help, help_for
from colab_magics.requirement.evaluation import all_of, met, nearest
from colab_magics.requirement.machine import found_for, found_gpu, machine_of
from colab_magics.requirement.names import KINDS, is_known, likely
from colab_magics.requirement.parser import (
    OPERATORS,
    Clause,
    Name,
    Requirement,
    RequirementSyntaxError,
    Size,
    Term,
    Version,
    packages_of,
    parse,
)

if TYPE_CHECKING:
    from colab_magics.model import Snapshot
    from colab_magics.requirement.machine import Truth

__all__ = [
    "KEYS",
    "OPERATORS",
    "Clause",
    "Name",
    "Requirement",
    "RequirementSyntaxError",
    "Size",
    "Term",
    "Version",
    "check",
    "packages_of",
    "parse",
]

_MOST_UNKNOWN_NAMES = 3
"""The most names that a verdict tells of."""


def check(requirement: Requirement, snapshot: Snapshot, *, strict: bool = False) -> Verdict:
    """Hold a requirement against what was seen. What is not known passes, unless `strict`."""
    machine = machine_of(snapshot)
    truths = nearest(requirement, machine)
    truth = all_of(truths)
    unmet = truth is False
    helps = help_for(requirement, snapshot, machine) if unmet else Help()
    return Verdict(
        met=truth is True or (truth is None and not strict),
        clauses=tuple(
            ClauseVerdict(expression=str(clause), state=_state(one), found=found_for(clause, machine))
            for clause, one in zip(requirement.clauses, truths, strict=True)
        ),
        gpus=None if machine.gpus is None else tuple(map(found_gpu, machine.gpus)),
        met_separately=unmet and all(met(Requirement((clause,)), machine) for clause in requirement.clauses),
        remedy=helps.remedy,
        to_install=helps.to_install,
        offers=helps.offers,
        others=helps.others,
        unknown_names=_unknown_names(requirement, truths) if unmet else (),
    )


def _unknown_names(requirement: Requirement, truths: tuple[Truth, ...]) -> tuple[tuple[str, str | None], ...]:
    """Return the names in unmet clauses that no table knows, and what was probably meant: see `model.Verdict`."""
    unmet = (clause for clause, truth in zip(requirement.clauses, truths, strict=True) if truth is False)
    asked = (
        (term.key, str(value))
        for clause in unmet
        for term in clause.terms
        if term.key in KINDS and term.operator == "="
        for value in term.values
    )
    unknown = dict.fromkeys((kind, name) for kind, name in asked if not is_known(kind, name))
    return tuple((name, likely(kind, name)) for kind, name in islice(unknown, _MOST_UNKNOWN_NAMES))


def _state(truth: Truth) -> State:
    return State.UNKNOWN if truth is None else State.MET if truth else State.UNMET
