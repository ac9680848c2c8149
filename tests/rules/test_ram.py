from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from builders import (
    A100,
    A_CELL,
    COLAB,
    GIB,
    HOLDERS,
    JUPYTER,
    KAGGLE,
    MIB,
    OUT_OF_MEMORY,
    SILENT,
    T4,
    V5E,
    a_ram,
    a_snapshot,
)
from colab_magics.model import Severity, Subject, Unavailable
from colab_magics.model.cells import Memory
from colab_magics.rules import judge, ram
from runtimes import OF_A_MACHINE

UNREADABLE = Unavailable(code="unreadable", values=(("error", "OSError"),))
L4 = replace(T4, name="NVIDIA L4")
UNHEARD_OF = replace(T4, name="NVIDIA B200")


def found(**changes: Any) -> list[str]:
    """Return what the rules of this module find."""
    return [rule.name for rule in ram.RULES if rule(a_snapshot(**changes)) is not None]


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        pytest.param(a_ram(10.0, headroom_bytes=GIB - 1), True, id="just under a tenth"),
        pytest.param(a_ram(10.0, headroom_bytes=GIB), False, id="a tenth"),
        pytest.param(
            a_ram(100.0, headroom_bytes=GIB // 4, limit_bytes=4 * GIB, limited_by="cgroup_v2", limit_level=0),
            True,
            id="the container's limit counts, not the machine's size",
        ),
        pytest.param(
            a_ram(100.0, headroom_bytes=3 * GIB, limit_bytes=4 * GIB, limited_by="cgroup_v2", limit_level=0),
            False,
            id="a small container with room in it",
        ),
        pytest.param(UNREADABLE, False, id="unavailable"),
        pytest.param(None, False, id="not asked"),
    ],
)
def test_ram_nearly_full(section: Any, expected: bool) -> None:
    assert (ram.ram_nearly_full(a_snapshot(ram=section)) is not None) is expected


@pytest.mark.parametrize(
    ("section", "values"),
    [
        pytest.param(a_ram(12.7, killed_for_memory=1), (("count", 1),), id="one"),
        pytest.param(a_ram(12.7, killed_for_memory=3), (("count", 3),), id="three"),
        pytest.param(a_ram(12.7, killed_for_memory=0), None, id="none"),
        pytest.param(a_ram(12.7, killed_for_memory=None), None, id="not told"),
        pytest.param(UNREADABLE, None, id="unavailable"),
    ],
)
@pytest.mark.parametrize("platform", [COLAB, KAGGLE, JUPYTER], ids=["colab", "kaggle", "jupyter"])
def test_killed_for_memory(section: Any, values: Any, platform: Any) -> None:
    finding = ram.killed_for_memory(a_snapshot(ram=section, platform=platform))

    assert (None if finding is None else finding.values) == values
    assert finding is None or finding.severity is Severity.INFO


def test_what_was_killed_is_said_in_the_reports_on_ram_and_on_the_whole_runtime() -> None:
    for subject in OF_A_MACHINE:
        found = judge(subject, a_snapshot(ram=a_ram(12.7, killed_for_memory=1)))
        assert ("killed_for_memory" in [finding.rule for finding in found]) == (subject is not Subject.GPU)


def test_what_is_left_is_told_of_what_bites_first() -> None:
    contained = a_ram(64.0, headroom_bytes=GIB // 4, limit_bytes=4 * GIB, limited_by="cgroup_v2", limit_level=0)
    finding = ram.ram_nearly_full(a_snapshot(ram=contained))

    assert finding is not None
    assert dict(finding.values) == {
        "headroom_bytes": GIB // 4,
        "limit_bytes": 4 * GIB,
        "limited_by": "cgroup_v2",
    }


def test_a_group_that_is_shared_is_told_from_the_own_one() -> None:
    shared = a_ram(64.0, headroom_bytes=MIB, limit_bytes=9 * GIB, limited_by="cgroup_v2", limit_level=1)
    own = replace(shared, capacity_bytes=4 * GIB)

    for section, limiter in ((shared, "cgroup_v2"), (own, "shared")):
        finding = ram.ram_nearly_full(a_snapshot(ram=section))
        assert finding is not None
        assert dict(finding.values)["limited_by"] == limiter


@pytest.mark.parametrize(
    ("figures", "rules"),
    [
        pytest.param({"kernel_bytes": 5 * GIB, "children_bytes": 0}, ["kernel_holds_most_ram"], id="half"),
        pytest.param({"kernel_bytes": 4 * GIB, "children_bytes": GIB}, ["kernel_holds_most_ram"], id="with children"),
        pytest.param({"kernel_bytes": 5 * GIB - 1, "children_bytes": 0}, [], id="just under"),
        pytest.param(
            {"kernel_bytes": 5 * GIB, "children_bytes": None}, ["kernel_holds_most_ram"], id="children unseen"
        ),
        pytest.param({"kernel_bytes": None, "children_bytes": None}, [], id="unknown"),
        pytest.param(
            {"kernel_bytes": GIB, "children_bytes": 3 * GIB, "capacity_by": "rlimit_as", "capacity_bytes": 4 * GIB},
            [],
            id="children do not count for a limit of the process's own",
        ),
        pytest.param(
            {"kernel_bytes": 3 * GIB, "children_bytes": 0, "capacity_by": "cgroup_v2", "capacity_bytes": 4 * GIB},
            ["kernel_holds_most_ram"],
            id="most of what may be used, whatever bites first",
        ),
        pytest.param(
            {"kernel_bytes": 0, "swap_used_bytes": GIB, "headroom_bytes": 1},
            ["ram_nearly_full", "swap_in_use"],
            id="swap while RAM is nearly full",
        ),
        pytest.param({"kernel_bytes": 0, "swap_used_bytes": GIB}, [], id="swap with room left"),
        pytest.param({"kernel_bytes": 0, "swap_used_bytes": None, "headroom_bytes": 1}, ["ram_nearly_full"], id="?"),
    ],
)
def test_what_the_ram_is_in(figures: dict[str, Any], rules: list[str]) -> None:
    assert found(ram=a_ram(10.0, **figures), platform=JUPYTER) == rules


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"ram": a_ram(12.7)}, "not_high_ram", id="T4 standard"),
        pytest.param({"ram": a_ram(51.0)}, "high_ram", id="T4 high-RAM"),
        pytest.param({"ram": a_ram(51.0), "gpus": (UNHEARD_OF,)}, "high_ram", id="a GPU that is not in the table"),
        pytest.param({"ram": a_ram(53.0), "gpus": (L4,)}, "one_shape_only", id="L4 has one shape"),
        pytest.param({"ram": a_ram(47.1), "gpus": (), "tpus": (V5E,)}, "one_shape_only", id="so has v5e-1"),
        pytest.param({"ram": a_ram(83.5), "gpus": (A100,)}, "not_high_ram", id="A100 has two"),
        pytest.param({"ram": a_ram(83.5), "gpus": SILENT}, None, id="large, but the accelerator is not known"),
        pytest.param({"ram": a_ram(51.0), "platform": KAGGLE}, None, id="Kaggle has no such choice"),
        pytest.param({"gpus": (L4,), "platform": JUPYTER}, None, id="nor has a machine of one's own"),
        pytest.param(
            {"ram": a_ram(51.0), "platform": replace(COLAB, service="colab_enterprise")}, None, id="nor Enterprise"
        ),
        pytest.param({"ram": UNREADABLE}, None, id="unavailable"),
    ],
)
def test_one_thing_at_most_is_said_of_colab_s_two_shapes(changes: dict[str, Any], expected: str | None) -> None:
    shapes = [rule for rule in found(**changes) if rule in {"high_ram", "not_high_ram", "one_shape_only"}]

    assert shapes == ([] if expected is None else [expected])


def test_an_accelerator_with_one_shape_is_named_as_the_dialog_names_it() -> None:
    finding = ram.one_shape_only(a_snapshot(gpus=(L4,)))

    assert finding is not None
    assert finding.values == (("accelerator", "L4 GPU"),)


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        pytest.param(replace(HOLDERS, hidden_bytes=64 * MIB), (("hidden_bytes", 64 * MIB),), id="much"),
        pytest.param(replace(HOLDERS, hidden_bytes=64 * MIB - 1), None, id="just less"),
        pytest.param(UNREADABLE, None, id="unavailable"),
        pytest.param(None, None, id="not asked"),
    ],
)
def test_hidden_holders(section: Any, expected: Any) -> None:
    finding = ram.hidden_holders(a_snapshot(holders=section))

    assert (None if finding is None else finding.values) == expected


@pytest.mark.parametrize(
    ("cell", "kernel_gib", "kept_gib"),
    [
        pytest.param({"ram_after_bytes": 5 * GIB}, 6, 3, id="all of it is still there"),
        pytest.param({"ram_after_bytes": 5 * GIB}, 4, 2, id="some was let go of since"),
        pytest.param({"ram_after_bytes": 5 * GIB}, 2.5, None, id="nearly all was"),
        pytest.param({"ram_after_bytes": 5 * GIB}, None, None, id="what the kernel holds now is not known"),
        pytest.param({"ram_after_bytes": 3 * GIB}, 6, 1, id="a tenth"),
        pytest.param({"ram_after_bytes": 3 * GIB - 2}, 6, None, id="just under a tenth"),
        pytest.param({"ram_after_bytes": GIB}, 6, None, id="it let go"),
        pytest.param({"ram_after_bytes": None}, 6, None, id="what it kept is not known"),
        pytest.param({"ram_after_bytes": 5 * GIB, "number": None}, 6, None, id="it has no number"),
    ],
)
def test_what_a_cell_kept_and_nobody_let_go_of_is_found(
    cell: dict[str, Any], kernel_gib: float | None, kept_gib: int | None
) -> None:
    kernel_bytes = None if kernel_gib is None else int(kernel_gib * GIB)
    seen = a_snapshot(cells=(replace(A_CELL, **cell),), ram=a_ram(10.0, kernel_bytes=kernel_bytes))
    finding = ram.cell_kept_ram(seen)

    assert (finding is None) is (kept_gib is None)
    if finding is not None:
        assert dict(finding.values) == {"number": 7, "kept_bytes": (kept_gib or 0) * GIB}


def test_of_several_cells_that_is_named_which_kept_most() -> None:
    cells = tuple(
        replace(A_CELL, number=number, ram_after_bytes=after * GIB) for number, after in ((1, 4), (2, 6), (3, 5))
    )
    finding = ram.cell_kept_ram(a_snapshot(cells=cells, ram=a_ram(10.0, kernel_bytes=9 * GIB)))

    assert finding is not None
    assert dict(finding.values)["number"] == 2


def test_where_no_cells_are_shown_nothing_is_said_of_them() -> None:
    assert ram.cell_kept_ram(a_snapshot(ram=a_ram(10.0, kernel_bytes=9 * GIB))) is None


def test_a_cell_that_has_run_out_of_ram_is_told_in_a_report_of_its_own() -> None:
    ran_out = replace(OUT_OF_MEMORY, memory=Memory.RAM)

    assert [(one.rule, one.severity) for one in judge(Subject.OUT_OF_MEMORY, a_snapshot(out_of_memory=ran_out))] == [
        ("out_of_ram", Severity.ERROR)
    ]
    assert judge(Subject.OUT_OF_MEMORY, a_snapshot()) == ()
    assert "out_of_ram" not in found(out_of_memory=OUT_OF_MEMORY)
