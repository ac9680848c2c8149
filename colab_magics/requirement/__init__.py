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

from colab_magics.requirement.checking import check
from colab_magics.requirement.parser import (
    KEYS,
    OPERATORS,
    Clause,
    Requirement,
    RequirementNotMet,
    RequirementSyntaxError,
    Size,
    Term,
    Version,
    parse,
)
from colab_magics.requirement.verdict import ClauseVerdict, FoundGpu, Offer, Remedy, State, Verdict

__all__ = [
    "KEYS",
    "OPERATORS",
    "Clause",
    "ClauseVerdict",
    "FoundGpu",
    "Offer",
    "Remedy",
    "Requirement",
    "RequirementNotMet",
    "RequirementSyntaxError",
    "Size",
    "State",
    "Term",
    "Verdict",
    "Version",
    "check",
    "parse",
]
