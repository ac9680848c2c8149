from __future__ import annotations

import pickle
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import (
    A100,
    CPU_RUNTIME,
    DISK,
    DRIVER,
    GB10,
    JUPYTER,
    KAGGLE,
    MIB,
    MIG_IN_A_CONTAINER,
    MUTE_GPU,
    NOTHING_AVAILABLE,
    SILENT,
    SLICE,
    T4,
    V5E,
    a_ram,
    a_snapshot,
)
from colab_magics.model import Gpu, Unavailable
from colab_magics.requirement import (
    KEYS,
    OPERATORS,
    Clause,
    Remedy,
    Requirement,
    RequirementNotMet,
    RequirementSyntaxError,
    Size,
    State,
    Term,
    Version,
    check,
    language,
    parse,
)

REPEATABLE = settings(derandomize=True, deadline=None, max_examples=60, database=None)


def a_gpu(name: str, mib: int, capability: str, **changes: Any) -> Gpu:
    assert T4.memory is not None
    memory = replace(T4.memory, total_bytes=mib * MIB, free_bytes=(mib - 600) * MIB)
    return replace(T4, name=name, memory=memory, compute_capability=capability, **changes)


L4 = a_gpu("NVIDIA L4", 23034, "8.9")
L40S = a_gpu("NVIDIA L40S", 46068, "8.9")
A100_80 = a_gpu("NVIDIA A100-SXM4-80GB", 81920, "8.0")
G4 = a_gpu("NVIDIA RTX PRO 6000 Blackwell Server Edition", 97887, "12.0")
HIDDEN = {"is_hidden": True, "cuda_index": None}
MIG = replace(MIG_IN_A_CONTAINER, compute_capability="9.0")
FULL = replace(DISK, places=("/",), free_bytes=0)
TPU: dict[str, Any] = {**CPU_RUNTIME, "tpus": (V5E,)}
CPU: dict[str, Any] = {**CPU_RUNTIME, "tpus": ()}
DARK: dict[str, Any] = {"gpus": SILENT, "driver": None, "tpus": ()}


def state(expression: str, **changes: Any) -> State:
    """Return how a requirement stands as a whole."""
    snapshot = a_snapshot(**{"tpus": (), **changes})
    if check(parse(expression), snapshot, strict=True).met:
        return State.MET
    return State.UNKNOWN if check(parse(expression), snapshot).met else State.UNMET


# Reading ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        (
            "gpu=A100|L4, vram>=15, ram>=20, disk>=50, cc>=8.0",
            "gpu = A100|L4, vram >= 15 GB, ram >= 20 GB, disk >= 50 GB, cc >= 8.0",
        ),
        ("gpu|tpu", "gpu | tpu"),
        ("gpus>=2", "gpus >= 2"),
        ("python>=3.11", "python >= 3.11"),
        ("vram>=16GiB", "vram >= 16 GiB"),
        ("vram >= 15000 mib", "vram >= 15000 MiB"),
        ("ram>=0.50tb", "ram >= 0.5 TB"),
        ("tpu=v5e-1", "tpu = v5e-1"),
        ("GPU = rtx  pro 6000 ,bf16", "gpu = rtx pro 6000, bf16"),
        ("gpu!=T4|P100", "gpu != T4|P100"),
    ],
)
def test_a_requirement_is_read_and_printed(text: str, canonical: str) -> None:
    assert str(parse(text)) == canonical
    assert parse(canonical) == parse(text)


@pytest.mark.parametrize(
    ("text", "clause"),
    [
        ("gpu=A100|L4", (Term("gpu", "=", ("A100", "L4")),)),
        ("gpu=A100|tpu", (Term("gpu", "=", ("A100",)), Term("tpu"))),
        ("gpu=A100|vram>=40", (Term("gpu", "=", ("A100",)), Term("vram", ">=", (Size(Decimal(40), "GB"),)))),
        ("gpu=A100|ram 6000", (Term("gpu", "=", ("A100", "ram 6000")),)),
        ("gpu=tpu", (Term("gpu", "=", ("tpu",)),)),
        ("python=3.11|3.12", (Term("python", "=", (Version((3, 11)), Version((3, 12)))),)),
    ],
)
def test_after_a_value_a_key_begins_a_term_and_all_else_is_another_value(text: str, clause: tuple[Term, ...]) -> None:
    assert parse(text) == Requirement((Clause(clause),))


@pytest.mark.parametrize(
    ("text", "position", "found"),
    [
        ("", 0, "Nothing is required"),
        ("  ", 0, "Nothing is required"),
        ("gpu==A100", 3, 'Found "==", but gpu takes = !=, at column 4: "gpu==A100"'),
        ("gpu>=T4", 3, 'Found ">=", but gpu takes = !='),
        ("vram=>15", 4, 'Found "=>", but vram takes >= > <= < = !='),
        ("gpu, vrm>=15", 5, 'Found "vrm": a key is one of gpu gpus tpu'),
        ("gpu=A100,", 9, "Found no key"),
        ("gpu=A100||L4", 9, "Found no key"),
        ("gpu|A100", 4, 'Found "A100": a key is one of'),
        (">=15", 0, "Found no key"),
        ("vram 15", 0, 'Found "vram 15": between vram and its value stands one of'),
        ("vram>=", 6, "Found no value: vram takes a size"),
        ("vram>=15 PB", 6, 'Found "15 PB": vram takes a size, such as 15 or 16GiB, in GB GiB'),
        ("ram>=20, disk >=  much", 18, 'Found "much": disk takes a size'),
        ("cc>=eight", 4, "cc takes a version, such as 8.0"),
        ("gpus>=1.5", 6, "gpus takes a number, such as 2"),
        ("bf16=yes", 4, 'Found "=", but bf16 stands alone'),
        ("gpu=--", 4, "gpu takes a name"),
        ("gpu=A\x1b[31m", 4, 'Found "A\\x1b[31m"'),
        ("gpu=A=B", 4, "gpu takes a name"),
    ],
)
def test_a_mistake_is_named_with_its_place_and_what_is_allowed(text: str, position: int, found: str) -> None:
    with pytest.raises(RequirementSyntaxError) as caught:
        parse(text)

    assert found in str(caught.value)
    assert caught.value.position == position
    assert caught.value.text == text


def test_a_mistake_in_a_long_text_is_shown_where_it_is() -> None:
    with pytest.raises(RequirementSyntaxError, match=r"at column 451: \"\.\.\..*nonsense>=1\"$") as caught:
        parse("gpu=A100," * 50 + "nonsense>=1")

    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.text, again.position) == (str(caught.value), caught.value.text, 450)


PIECES = st.sampled_from([*KEYS, *OPERATORS, ",", "|", " ", "A100", "15", "GiB", "8.0", "\n", "\u202e", "é"])


@REPEATABLE
@given(st.text() | st.lists(PIECES).map("".join))
def test_any_text_is_read_or_is_a_mistake_somewhere_in_it(text: str) -> None:
    found: Requirement | RequirementSyntaxError
    try:
        found = parse(text)
    except RequirementSyntaxError as error:
        found = error

    assert str(found).isprintable()  # and so is one line
    if isinstance(found, Requirement):
        assert parse(str(found)) == found
    else:
        assert 0 <= found.position <= len(text)


def names() -> st.SearchStrategy[str]:
    words = st.text("aBcé09-_.一", min_size=1, max_size=6).filter(language.words)
    return st.lists(words, min_size=1, max_size=3).map(" ".join)


def terms(key: str) -> st.SearchStrategy[Term]:
    alone = st.just(Term(key))
    if key == "bf16":
        return alone
    number = st.integers(0, 9999)
    values: st.SearchStrategy[Any] = number
    if key in language._NAMES:
        values = names().filter(lambda name: name.lower() not in KEYS)
    elif key in language._SIZES:
        amounts = st.decimals(0, 999_999, places=3)
        values = st.builds(Size, amounts, st.sampled_from(["GB", "GiB", "MB", "MiB", "TB", "TiB"]))
    elif key in language._VERSIONS:
        values = st.builds(Version, st.lists(number, min_size=1, max_size=4).map(tuple))
    operators = st.sampled_from(["=", "!="] if key in language._NAMES else OPERATORS)
    compared = st.builds(Term, st.just(key), operators, st.lists(values, min_size=1, max_size=3).map(tuple))
    return alone | compared


CLAUSES = st.builds(Clause, st.lists(st.sampled_from(KEYS).flatmap(terms), min_size=1, max_size=3).map(tuple))
REQUIREMENTS = st.builds(Requirement, st.lists(CLAUSES, min_size=1, max_size=4).map(tuple))
SNAPSHOTS = st.sampled_from(
    [
        a_snapshot(**changes)
        for changes in (
            {}, CPU, TPU, DARK, NOTHING_AVAILABLE, {"gpus": (T4, A100)}, {"gpus": (MIG,)}, {"gpus": (MUTE_GPU,)},
            {"gpus": (GB10,), "ram": None, "disks": None}, {"gpus": (replace(T4, **HIDDEN),)},
            {**CPU, "platform": KAGGLE}, {**CPU, "platform": JUPYTER},
        )
    ]
)  # fmt: skip


@REPEATABLE
@given(REQUIREMENTS)
def test_what_is_printed_is_read_as_the_same(asked: Requirement) -> None:
    assert parse(str(asked)) == asked


@REPEATABLE
@given(REQUIREMENTS, SNAPSHOTS)
def test_a_verdict_agrees_with_its_clauses(asked: Requirement, snapshot: Any) -> None:
    strict, lenient = check(asked, snapshot, strict=True), check(asked, snapshot)
    states = {clause.state for clause in lenient.clauses}

    assert strict.met == (states == {State.MET})
    assert lenient.met == (State.UNMET not in states)
    assert [clause.asked for clause in lenient.clauses] == [str(clause) for clause in asked.clauses]
    assert not (lenient.met and (lenient.remedy or lenient.offers or lenient.met_separately))


# Names --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "gpu", "expected"),
    [
        ("gpu", T4, State.MET),
        ("gpu=T4", T4, State.MET),
        ("gpu=t4", T4, State.MET),
        ("gpu=T4 GPU", T4, State.MET),
        ("gpu=Tesla T4", T4, State.MET),
        ("gpu=T", T4, State.UNMET),
        ("gpu=A100|L4", T4, State.UNMET),
        ("gpu=L4", L4, State.MET),
        ("gpu=L4", L40S, State.UNMET),
        ("gpu=L40", L40S, State.UNMET),
        ("gpu=L40S", L40S, State.MET),
        ("gpu=A100", A100, State.MET),
        ("gpu=A100-SXM4-40GB", A100, State.MET),
        ("gpu=A100 40GB", A100, State.MET),
        ("gpu=A100 80GB", A100, State.UNMET),
        ("gpu=A100-80GB", A100_80, State.MET),
        ("gpu=40GB A100", A100, State.UNMET),
        ("gpu=G4", G4, State.MET),
        ("gpu=G4", T4, State.UNMET),
        ("gpu=RTX PRO 6000", G4, State.MET),
        ("gpu!=T4", T4, State.UNMET),
        ("gpu!=T4|P100", A100, State.MET),
        ("gpu=GB10", GB10, State.MET),
        ("gpu=H100", MIG, State.MET),
        ("gpu=MIG", MIG, State.MET),
        ("gpu=H100", replace(MIG, slices=(replace(SLICE, name=None),)), State.MET),
        ("gpu", MUTE_GPU, State.MET),
        ("gpu=T4", MUTE_GPU, State.UNKNOWN),
        ("gpu!=T4", MUTE_GPU, State.UNKNOWN),
    ],
)
def test_a_gpu_is_known_by_whole_words(expression: str, gpu: Gpu, expected: State) -> None:
    assert state(expression, gpus=(gpu,)) is expected


@pytest.mark.parametrize(
    ("expression", "tpu", "expected"),
    [
        ("tpu", V5E, State.MET),
        ("gpu|tpu", V5E, State.MET),
        ("tpu=v5e-1", V5E, State.MET),
        ("tpu=V5E", V5E, State.MET),
        ("tpu=v5e-1 TPU", V5E, State.MET),
        ("tpu=v6e", V5E, State.UNMET),
        ("tpu=v5e-8", V5E, State.UNMET),
        ("tpu!=v6e-1", V5E, State.MET),
        ("tpu=v5e-8", replace(V5E, accelerator_type="v5litepod-8"), State.MET),
        ("tpu=v5e-1", replace(V5E, accelerator_type=None), State.UNKNOWN),
        ("tpu=v5e", replace(V5E, accelerator_type=None), State.MET),
        ("tpu=v6e-1", replace(V5E, accelerator_type=None), State.UNMET),
        ("tpu=v6e", replace(V5E, accelerator_type=None, kind=None), State.UNKNOWN),
        ("tpu=v5e-1", replace(V5E, kind=None), State.MET),
        ("bf16", V5E, State.MET),
        ("gpu, bf16", V5E, State.UNMET),
        ("vram>=1", V5E, State.UNMET),
    ],
)
def test_a_tpu_is_known_by_its_kind_or_its_type(expression: str, tpu: Any, expected: State) -> None:
    assert state(expression, **{**TPU, "tpus": (tpu,)}) is expected


# Figures ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mib", [15095, 15102, 15109, 15110, 15360])
def test_every_driver_s_t4_has_16_gb_but_not_16_gib(mib: int) -> None:
    gpus = (a_gpu("Tesla T4", mib, "7.5"),)

    assert state("vram>=16", gpus=gpus) is State.MET
    assert state("vram>=15", gpus=gpus) is State.MET
    assert state("vram>16", gpus=gpus) is State.MET
    assert state("vram>=17", gpus=gpus) is State.UNMET
    assert state("vram>=16GiB", gpus=gpus) is State.UNMET


TEN_GB = a_ram(10e9 / 2**30, limit_bytes=10**10, headroom_bytes=8 * 10**9)
TEN_GB = replace(TEN_GB, machine=replace(TEN_GB.machine, total_bytes=10**10))


@pytest.mark.parametrize(
    ("operator", "met"),
    [(">=", "9 10"), (">", "9"), ("<=", "10 11"), ("<", "11"), ("=", "10"), ("!=", "9 11")],
)
def test_each_operator_compares_exactly_without_tolerance(operator: str, met: str) -> None:
    for asked in ("9", "10", "11"):
        expected = State.MET if asked in met.split() else State.UNMET
        assert state(f"ram{operator}{asked}", ram=TEN_GB) is expected
        assert state(f"gpus{operator}{asked}", gpus=(A100,) * 10) is expected
        assert state(f"python{operator}3.{asked}", platform=replace(JUPYTER, python_version="3.10.4")) is expected


@pytest.mark.parametrize(
    ("expression", "changes", "expected"),
    [
        ("ram>=10.1", {"ram": TEN_GB}, State.UNMET),
        ("ram>=10|11", {"ram": TEN_GB}, State.MET),
        ("ram!=10|11", {"ram": TEN_GB}, State.UNMET),
        ("ram>=10GiB", {"ram": TEN_GB}, State.UNMET),
        ("ram>=9|tpu", {"ram": TEN_GB}, State.MET),
        ("ram", {}, State.MET),
        ("ram>=20", {"ram": a_ram(64.0, limited_by="cgroup_v2", limit_bytes=4 * 2**30)}, State.UNMET),
        ("ram_free>=8", {"ram": TEN_GB}, State.MET),
        ("ram_free>=8.1", {"ram": TEN_GB}, State.UNMET),
        ("ram>=1", {"ram": None}, State.UNKNOWN),
        ("ram_free>=1", {"ram": Unavailable(code="unreadable")}, State.UNKNOWN),
        ("disk>=74.7", {}, State.MET),
        ("disk>=75", {}, State.UNMET),
        ("disk>=1", {"disks": (replace(DISK, places=("/",)),)}, State.UNKNOWN),
        ("disk>=75", {"disks": (FULL, replace(DISK, places=("working directory",), free_bytes=75 * 10**9))}, State.MET),
        ("disk>=1", {"disks": None}, State.UNKNOWN),
        ("vram_free>=15.2", {}, State.MET),
        ("vram_free>=15.3", {}, State.UNMET),
        ("cc>=7.5", {}, State.MET),
        ("cc>=8", {}, State.UNMET),
        ("cc>=9.0", {"gpus": (G4,)}, State.MET),
        ("cc=8", {"gpus": (L4,)}, State.MET),
        ("cc>8.0", {"gpus": (L4,)}, State.MET),
        ("cc>8", {"gpus": (L4,)}, State.UNMET),
        ("cuda>=12.4", {}, State.MET),
        ("cuda>=12.10", {}, State.UNMET),
        ("cuda>=13", {}, State.UNMET),
        ("cuda", {}, State.MET),
        ("cuda", CPU, State.UNMET),
        ("cuda", {"driver": replace(DRIVER, cuda_version=None)}, State.MET),
        ("cuda>=12", {"driver": replace(DRIVER, cuda_version=None)}, State.UNKNOWN),
        ("cuda>=12", DARK, State.UNKNOWN),
        ("python>=3.11", {}, State.MET),
        ("python<=3.13", {}, State.MET),
        ("python>3.13", {}, State.UNMET),
        ("python=3.13", {"platform": replace(JUPYTER, python_version="3.13.0rc1")}, State.MET),
        ("python>=3.13.0.1", {"platform": replace(JUPYTER, python_version="3.13")}, State.UNMET),
        ("python>=3.11", {"platform": replace(JUPYTER, python_version="odd")}, State.UNKNOWN),
        ("bf16", {}, State.UNMET),
        ("bf16", {"gpus": (L4,)}, State.MET),
        ("bf16", {"gpus": (G4,)}, State.MET),
        ("bf16", CPU, State.UNMET),
        ("bf16", {"gpus": (MUTE_GPU,)}, State.UNKNOWN),
        ("gpu", CPU, State.UNMET),
        ("tpu", CPU, State.UNMET),
        ("tpu", {"tpus": None}, State.UNKNOWN),
        ("gpus=0", CPU, State.MET),
        ("gpus", CPU, State.UNMET),
        ("gpus", {}, State.MET),
    ],
)
def test_each_key_has_its_figure(expression: str, changes: dict[str, Any], expected: State) -> None:
    assert state(expression, **changes) is expected


# Which GPU ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "gpus", "expected"),
    [
        ("vram>=40, cc>=8.0", (T4, A100), State.MET),
        ("gpu=A100, vram>=40, bf16", (T4, A100), State.MET),
        ("gpu=T4, vram>=40", (T4, A100), State.UNMET),
        ("gpu=T4|vram>=40", (T4, A100), State.MET),
        ("gpus>=2", (T4, A100), State.MET),
        ("gpus>=2, vram>=40", (T4, A100), State.UNMET),
        ("gpus=1, vram>=40", (T4, A100), State.MET),
        ("gpus>=2, vram>=40", (T4, MUTE_GPU, A100), State.UNKNOWN),
        ("gpus>=3|bf16, cc>=8.0", (T4, A100), State.MET),
        ("gpu", (replace(T4, **HIDDEN),), State.UNMET),
        ("gpu=A100", (T4, replace(A100, **HIDDEN)), State.UNMET),
        ("gpus>=2", (T4, replace(A100, **HIDDEN)), State.UNMET),
        ("vram>=10", (MIG,), State.MET),
        ("vram>=20", (MIG,), State.UNMET),
        ("cc>=9.0, vram_free>=9", (MIG,), State.MET),
        ("gpus=2", (replace(MIG, slices=(SLICE, SLICE)),), State.MET),
        ("gpus=1", (replace(MIG, is_hidden=True, slices=(SLICE, replace(SLICE, cuda_index=None))),), State.MET),
        ("gpu", (replace(A100, mig_enabled=True),), State.UNKNOWN),
        ("vram>=1", (replace(A100, memory=None),), State.UNKNOWN),
        ("vram>=13", (GB10,), State.MET),
        ("vram>=16", (GB10,), State.UNMET),
        ("vram_free>=8", (GB10,), State.MET),
        ("vram_free>=10", (GB10,), State.UNMET),
    ],
)
def test_one_visible_gpu_meets_all_of_it(expression: str, gpus: tuple[Gpu, ...], expected: State) -> None:
    assert state(expression, gpus=gpus) is expected


@pytest.mark.parametrize("expression", ["gpu", "gpu=T4", "gpu!=T4", "gpus>=1", "gpus=0", "vram>=0", "cc>=8", "bf16"])
def test_where_nobody_could_look_nothing_is_known(expression: str) -> None:
    assert state(expression, **DARK) is State.UNKNOWN
    assert state(f"{expression}, ram>=500", **DARK) is State.UNMET
    assert state(f"{expression}|ram>=1", **DARK) is State.MET


def test_clauses_tell_what_is_there() -> None:
    asked = parse("gpu=A100|tpu, vram>=15, vram_free>=1, cc>=8, bf16, gpus>=3, ram>=20, python>=3.11, cuda>=12")
    verdict = check(asked, a_snapshot(tpus=(), gpus=(T4, MUTE_GPU)))

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


# What would help ----------------------------------------------------------------------------------------------------


def offered(expression: str, **changes: Any) -> list[str]:
    verdict = check(parse(expression), a_snapshot(**{"tpus": (), **changes}))
    assert (verdict.remedy is Remedy.ANOTHER_MACHINE) == bool(verdict.offers)
    return [f"{one.name}{', high RAM' * one.high_ram}{', paid' * one.paid}" for one in verdict.offers]


@pytest.mark.parametrize(
    ("expression", "changes", "expected"),
    [
        ("gpu=A100", {}, ["A100 GPU, paid"]),
        ("gpu=A100-80GB", {}, ["A100 GPU, high RAM, paid"]),
        ("gpu=G4", {}, ["G4 GPU, paid"]),
        ("gpu", CPU, ["T4 GPU"]),
        ("gpu|tpu", CPU, ["T4 GPU", "v5e-1 TPU"]),
        ("tpu", {}, ["v5e-1 TPU"]),
        ("vram>=20", {}, ["L4 GPU, paid", "A100 GPU, paid", "H100 GPU, paid", "G4 GPU, paid"]),
        ("gpu, cc>=8.9, vram>=40", {}, ["H100 GPU, paid", "G4 GPU, paid"]),
        ("ram>=20", {}, ["T4 GPU, high RAM, paid"]),
        ("ram>=20", CPU, ["CPU, high RAM, paid"]),
        ("ram>=20", DARK, ["CPU, high RAM, paid"]),
        ("ram>=60", {}, ["A100 GPU, paid"]),
        ("ram>=60", CPU, []),
        ("gpu=T4, ram>=20", CPU, ["T4 GPU, high RAM, paid"]),
        ("ram>=60", {"ram": a_ram(51.0)}, ["A100 GPU, paid"]),
        ("gpu=A100, disk>=10", {}, ["A100 GPU, paid"]),
        ("gpu=V100", {}, []),
        ("gpus>=2", {}, []),
        ("python>=3.14", {}, []),
        ("gpu", {**CPU, "platform": KAGGLE}, ["GPU T4 x2", "GPU P100"]),
        ("gpus>=2, vram>=15", {**CPU, "platform": KAGGLE}, ["GPU T4 x2"]),
        ("tpu=v5e-8", {**CPU, "platform": KAGGLE}, ["TPU v5e-8"]),
        ("gpu=A100", {**CPU, "platform": KAGGLE}, []),
        ("gpu=A100", {**CPU, "platform": JUPYTER}, []),
    ],
)
def test_what_the_service_offers_that_would_do(expression: str, changes: dict[str, Any], expected: list[str]) -> None:
    assert offered(expression, **changes) == expected


@pytest.mark.parametrize(
    ("expression", "changes", "expected"),
    [
        ("gpu", {"gpus": (replace(T4, **HIDDEN),)}, Remedy.SHOW_GPUS),
        ("gpu=A100", {"gpus": (replace(T4, **HIDDEN),)}, Remedy.ANOTHER_MACHINE),
        ("ram_free>=10", {}, Remedy.MAKE_ROOM),
        ("vram_free>=15.3", {}, Remedy.MAKE_ROOM),
        ("disk>=100", {}, Remedy.MAKE_ROOM),
        ("disk>=1000", {}, None),
        ("ram_free>=20", {}, Remedy.ANOTHER_MACHINE),
        ("gpu", {}, None),
    ],
)
def test_the_least_costly_remedy_comes_first(expression: str, changes: dict[str, Any], expected: Remedy | None) -> None:
    assert check(parse(expression), a_snapshot(tpus=(), **changes)).remedy is expected


def test_the_exception_shows_its_text_alone() -> None:
    assert RequirementNotMet("one\ntwo")._render_traceback_() == ["one", "two"]
