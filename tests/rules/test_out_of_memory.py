from __future__ import annotations

from dataclasses import replace

import pytest

from builders import OUT_OF_MEMORY, a_snapshot
from colab_magics.model import Severity, Subject
from colab_magics.model.cells import Memory
from colab_magics.rules import judge, out_of_memory


@pytest.mark.parametrize(
    ("memory", "rule"),
    [(Memory.RAM, "out_of_ram"), (Memory.GPU, "out_of_gpu_memory"), (Memory.TPU, "out_of_tpu_memory")],
)
def test_what_has_run_out_is_the_one_thing_that_is_found(memory: Memory, rule: str) -> None:
    snapshot = a_snapshot(out_of_memory=replace(OUT_OF_MEMORY, memory=memory))

    assert [(found.rule, found.severity) for found in judge(Subject.OUT_OF_MEMORY, snapshot)] == [
        (rule, Severity.ERROR)
    ]


def test_where_nothing_has_run_out_nothing_is_found() -> None:
    assert judge(Subject.OUT_OF_MEMORY, a_snapshot()) == ()
    assert [rule for rule in out_of_memory.RULES if rule(a_snapshot()) is not None] == []
