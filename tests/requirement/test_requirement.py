from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

import colab_magics.requirement
from builders import A100, DRIVER, EIGHT_A100, GB10, MIB, T4, UNTOLD_GPU, a_snapshot
from colab_magics.model import KEYS, FoundGpu, Package, Remedy, State
from colab_magics.requirement import OPERATORS, Requirement, check, packages_of, parse, parser
from requirements import CPU, DARK, REPEATABLE, REQUIREMENTS, SNAPSHOTS, state


@REPEATABLE
@given(REQUIREMENTS, SNAPSHOTS)
def test_a_verdict_agrees_with_its_clauses(asked: Requirement, snapshot: Any) -> None:
    strict, lenient = check(asked, snapshot, strict=True), check(asked, snapshot)
    states = {clause.state for clause in lenient.clauses}

    assert strict.met == (states == {State.MET})
    assert lenient.met == (State.UNMET not in states)
    assert [clause.expression for clause in lenient.clauses] == [str(clause) for clause in asked.clauses]
    assert not (lenient.met and (lenient.remedy or lenient.offers or lenient.met_separately))
    assert not (lenient.remedy is None and (lenient.to_install or lenient.offers))
    assert not (lenient.remedy is Remedy.INSTALL and not lenient.to_install)


@pytest.mark.parametrize(
    "piece",
    ["a>{0},", "a!={0},", "x{0}|", "b{0},", "a={0}|{0}.1,", "gpu=A{0}X|", "gpu=A|", "vram>{0},", "shm>{0}|cores>{0},"],
)
def test_the_longest_requirement_is_judged_in_no_time(piece: str) -> None:
    text = "".join(piece.format(number) for number in range(600))[: parser.MOST_CHARACTERS].rpartition(piece[-1])[0]
    asked = parse(text, is_installed=lambda _name: True)
    names = packages_of(asked)
    packages = tuple(Package(name=name, is_installed=bool(names[1:]), version=None) for name in names)
    started = time.monotonic()
    check(asked, a_snapshot(tpus=(), gpus=EIGHT_A100, packages=packages))

    assert time.monotonic() - started < 20.0


def test_clauses_tell_what_is_there() -> None:
    asked = parse("gpu=A100|tpu, vram>=15, vram_free>=1, cc>=8, bf16, gpus>=3, ram>=20, python>=3.11, cuda>=12")
    verdict = check(asked, a_snapshot(tpus=(), gpus=(T4, UNTOLD_GPU)))

    assert dict(found for clause in verdict.clauses for found in clause.found) == {
        "gpu": ("Tesla T4", None),
        "tpu": (),
        "vram": (15360 * MIB, None),
        "vram_free": (14502 * MIB, None),
        "cc": ("7.5", None),
        "bf16": (False, None),
        "gpus": (2,),
        "ram": (int(12.7 * 2**30),),
        "python": ("3.13.15",),
        "cuda": ("12.8",),
    }


def test_clauses_are_told_for_the_gpu_that_comes_nearest() -> None:
    verdict = check(parse("gpu=A100, vram>=40, cc>=9"), a_snapshot(gpus=(T4, A100)))

    assert [clause.state for clause in verdict.clauses] == [State.MET, State.MET, State.UNMET]
    assert not verdict.met_separately
    assert check(parse("gpu=T4, vram>=40"), a_snapshot(gpus=(T4, A100))).met_separately


@pytest.mark.parametrize(
    ("expression", "changes", "lenient", "strict"),
    [
        pytest.param("gpu", {}, True, True, id="met"),
        pytest.param("gpu", CPU, False, False, id="unmet"),
        pytest.param("gpu", DARK, True, False, id="not known"),
    ],
)
def test_what_is_not_known_passes_unless_strict(
    expression: str, changes: dict[str, Any], lenient: bool, strict: bool
) -> None:
    snapshot = a_snapshot(**{"tpus": (), **changes})

    assert check(parse(expression), snapshot).met is lenient
    assert check(parse(expression), snapshot, strict=True).met is strict


def test_the_gpus_that_count_are_told_with_the_verdict() -> None:
    (shared,) = check(parse("gpu"), a_snapshot(gpus=(GB10,))).gpus or ()

    assert check(parse("gpu"), a_snapshot()).gpus == (
        FoundGpu(
            name="Tesla T4",
            memory_bytes=15360 * MIB,
            memory_free_bytes=14502 * MIB,
            compute_capability="7.5",
        ),
    )
    assert shared.shares_ram
    assert check(parse("gpu"), a_snapshot(**DARK)).gpus is None


def test_only_what_is_unmet_has_a_remedy() -> None:
    assert check(parse("gpu"), a_snapshot(**DARK), strict=True).remedy is None
    assert check(parse("gpu"), a_snapshot(**CPU)).remedy is Remedy.ANOTHER_MACHINE


@pytest.mark.parametrize(
    ("expression", "unknown"),
    [
        ("gpu=A10G0", (("A10G0", "gpu=A100"),)),
        ("gpu=A1OO or RTX 4090", (("A1OO", "gpu=A100"), ("RTX 4090", None))),
        ("gpu=v5e-1", (("v5e-1", "tpu=v5e-1"),)),
        ("tpu=T4, gpu=A100", (("T4", "gpu=T4"),)),
        ("gpu=V100|A100|P100", ()),
        ("gpu=X1|X2|X3|X4|X5, gpu=X1", (("X1", None), ("X2", None), ("X3", None))),
        pytest.param("gpu=T4|A10G0", (), id="it is met"),
        pytest.param("gpu!=A10G0, gpu=A100", (), id="it is not wanted"),
        pytest.param("gpu=T4|A10G0, gpu=A100", (), id="another clause is unmet"),
    ],
)
def test_a_name_that_no_table_knows_is_told_where_it_is_asked_in_vain(expression: str, unknown: Any) -> None:
    assert check(parse(expression), a_snapshot(tpus=())).unknown_names == unknown


def test_a_name_that_no_table_knows_may_be_right() -> None:
    verdict = check(parse("gpu=B200"), a_snapshot(gpus=(replace(T4, name="NVIDIA B200"),)))

    assert (verdict.met, verdict.unknown_names) == (True, ())


def test_the_reference_of_the_language_names_every_key_and_operator() -> None:
    reference = colab_magics.requirement.__doc__ or ""

    assert [key for key in KEYS if f"`{key}`" not in reference] == []
    assert [operator for operator in (*OPERATORS, "==") if f"`{operator}`" not in reference] == []


def test_the_examples_of_the_language_stand_as_its_documentation_says() -> None:
    assert "gpu==a100 or L4 and vram >= 15 and torch>=2.4" in (colab_magics.requirement.__doc__ or "")
    assert str(parse("gpu==a100 or L4 and vram >= 15 and torch>=2.4")) == "gpu = a100|L4, vram >= 15 GB, torch >= 2.4"
    assert "gpu=A100|L4, vram>=15, ram>=20, disk>=50, cc>=8.0" in (colab_magics.requirement.__doc__ or "")
    assert isinstance(parse("gpu=A100|L4, vram>=15, ram>=20, disk>=50, cc>=8.0"), Requirement)
    assert state("gpu=A100|L4, vram>=15, ram>=10, disk>=50, cc>=8.0", gpus=(A100,)) is State.MET
    assert state("python=3.13") is state("python<=3.13") is State.MET


EIGHT = {"gpus": EIGHT_A100, "visible_gpus": 1}


@pytest.mark.parametrize(
    ("expression", "changes", "met"),
    [
        pytest.param("gpus>=8", EIGHT, False, id="pytorch#94568: one of eight is visible"),
        pytest.param("gpus>=1, gpu=A100", EIGHT, True, id="and it is an A100, whichever it is"),
        pytest.param("gpus=1", EIGHT, True, id="exactly one"),
        pytest.param(
            "gpu",
            {"gpus": tuple(replace(gpu, is_hidden=True) for gpu in EIGHT_A100), "visible_gpus": 0},
            False,
            id="autogluon#5908: a number beyond the last hides all",
        ),
        pytest.param("gpu", {"gpus": (replace(UNTOLD_GPU, fault="driver_unknown_error"),)}, False, id="nvgpu#6"),
        pytest.param("gpus>=1", {"gpus": (replace(UNTOLD_GPU, fault="gpu_lost"),)}, False, id="dcgm-exporter#604"),
        pytest.param("gpus>=2", {"gpus": (T4, replace(T4, fault="gpu_lost"))}, False, id="one of two is lost"),
        pytest.param("gpu=T4", {"gpus": (replace(T4, fault="gpu_lost"), T4)}, True, id="the other will do"),
    ],
)
def test_gpus_that_cannot_be_used_are_none(expression: str, changes: dict[str, Any], met: bool) -> None:
    for strict in (False, True):
        assert check(parse(expression), a_snapshot(tpus=(), **changes), strict=strict).met is met


@pytest.mark.parametrize("expression", ["gpu=A100", "vram>=40"])
def test_where_it_is_not_known_which_gpu_is_visible_a_requirement_of_one_is_not_known(expression: str) -> None:
    snapshot = a_snapshot(tpus=(), gpus=(T4, A100), visible_gpus=1)

    assert check(parse(expression), snapshot).clauses[0].state is State.UNKNOWN
    assert not check(parse("gpus>=2"), snapshot).met


@pytest.mark.parametrize("expression", ["cuda>=12", "gpu", "vram>=10"])
def test_without_cuda_s_library_what_is_asked_of_a_gpu_is_not_known(expression: str) -> None:
    """ros-docker-gui#12."""
    snapshot = a_snapshot(driver=replace(DRIVER, cuda_version=None, has_cuda_library=False))

    assert check(parse(expression), snapshot).clauses[0].state is State.UNKNOWN
