"""Rules about a cell that has run out of memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics.model import Severity, Subject
from colab_magics.rules.rule import rule
from colab_magics.translation import N_

if TYPE_CHECKING:
    from colab_magics.model import Snapshot, Values
    from colab_magics.rules.rule import Rule


@rule(
    Subject.OUT_OF_MEMORY,
    Severity.ERROR,
    N_("The cell has run out of RAM."),
    fixable_in_place=True,
    is_the_answer=True,
)
def out_of_ram(snapshot: Snapshot) -> Values | None:
    """A cell ended by an error that says that RAM has run out, Python's or a library's."""
    return _ran_out(snapshot, "ram")


@rule(
    Subject.OUT_OF_MEMORY,
    Severity.ERROR,
    N_("The cell has run out of GPU memory."),
    fixable_in_place=True,
    is_the_answer=True,
)
def out_of_gpu_memory(snapshot: Snapshot) -> Values | None:
    """A cell ended by an error that says that a GPU's memory has run out: PyTorch's, JAX's, TensorFlow's or CuPy's."""
    return _ran_out(snapshot, "gpu")


@rule(
    Subject.OUT_OF_MEMORY,
    Severity.ERROR,
    N_("The cell has run out of TPU memory."),
    fixable_in_place=True,
    is_the_answer=True,
)
def out_of_tpu_memory(snapshot: Snapshot) -> Values | None:
    """A cell ended by an error of JAX that says that a TPU's memory has run out."""
    return _ran_out(snapshot, "tpu")


def _ran_out(snapshot: Snapshot, memory: str) -> Values | None:
    return () if snapshot.out_of_memory is not None and snapshot.out_of_memory.memory == memory else None


RULES: tuple[Rule, ...] = (
    out_of_ram,
    out_of_gpu_memory,
    out_of_tpu_memory,
)
