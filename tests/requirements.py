"""What requirements are tried on: machines that differ in what is asked for, and any requirement there may be."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from builders import (
    A100,
    CPU_RUNTIME,
    DISK,
    GB10,
    JUPYTER,
    KAGGLE,
    MIB,
    MIG_IN_A_CONTAINER,
    NOTHING_AVAILABLE,
    SHARED,
    SILENT,
    T4,
    UNTOLD_GPU,
    V5E,
    a_snapshot,
)
from colab_magics.model import KEYS, Gpu, Package, State, Unavailable, Usage
from colab_magics.requirement import (
    OPERATORS,
    Clause,
    Name,
    Requirement,
    Size,
    Term,
    Version,
    check,
    names,
    parse,
    parser,
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
TPU: dict[str, Any] = {**CPU_RUNTIME, "tpus": (V5E,)}
CPU: dict[str, Any] = {**CPU_RUNTIME, "tpus": ()}
SMALL_SHARED = replace(SHARED, usage=Usage(total_bytes=64 * MIB, used_bytes=0), free_bytes=64 * MIB)
IN_DOCKER = replace(JUPYTER, container_age_seconds=60.0)
INSTALLED = (
    Package(name="torch", is_installed=True, version="2.4.1+cu121"),
    Package(name="jax-cuda12-plugin", is_installed=True, version=None),
    Package(name="scikit-learn", is_installed=False, version=None),
)
DARK: dict[str, Any] = {"gpus": SILENT, "driver": None, "tpus": ()}


def state(expression: str, **changes: Any) -> State:
    """Return how a requirement stands as a whole."""
    snapshot = a_snapshot(**{"tpus": (), **changes})
    if check(parse(expression), snapshot, strict=True).met:
        return State.MET
    return State.UNKNOWN if check(parse(expression), snapshot).met else State.UNMET


def _names() -> st.SearchStrategy[str]:
    words = st.text("aBcéOr09-_.一", min_size=1, max_size=6).filter(names.words)
    joined = st.lists(words, min_size=1, max_size=3).map(" ".join)
    return joined.filter(lambda name: not parser.JOINT.search(name))


def _terms(key: str) -> st.SearchStrategy[Term]:
    alone = st.just(Term(key))
    if key == "bf16":
        return alone
    number = st.integers(0, 9999)
    values: st.SearchStrategy[Any] = number
    if key in parser._NAMES:
        values = _names().filter(lambda name: name.lower() not in KEYS).map(Name)
    elif key == "cores":
        values = st.decimals(0, 9999, places=2)
    elif key in parser._SIZES:
        amounts = st.decimals(0, 999_999, places=3)
        values = st.builds(Size, amounts, st.sampled_from(["GB", "GiB", "MB", "MiB", "TB", "TiB"]))
    elif key in parser._VERSIONS or key in PACKAGES:
        values = st.builds(Version, st.lists(number, min_size=1, max_size=4).map(tuple))
    operators = st.sampled_from(["=", "!="] if key in parser._NAMES else OPERATORS)
    compared = st.builds(Term, st.just(key), operators, st.lists(values, min_size=1, max_size=3).map(tuple))
    return alone | compared


PACKAGES = ("torch", "scikit-learn", "jax-cuda12-plugin", "dask", "x")
"""Packages that are asked for; keys that no table knows."""


def _can_stand(terms: list[Term]) -> bool:
    """Tell whether terms can be written so: what follows a name and is no key is another name."""
    return not any(
        one.key in parser._NAMES and one.operator and two.key in PACKAGES and not two.operator
        for one, two in itertools.pairwise(terms)
    )


_TERMS = st.lists(st.sampled_from([*KEYS, *PACKAGES]).flatmap(_terms), min_size=1, max_size=3)
_CLAUSES = st.builds(Clause, _TERMS.filter(_can_stand).map(tuple))

REQUIREMENTS = st.builds(Requirement, st.lists(_CLAUSES, min_size=1, max_size=4).map(tuple))
"""Any requirement."""

SNAPSHOTS = st.sampled_from(
    [
        a_snapshot(**changes)
        for changes in (
            {}, CPU, TPU, DARK, NOTHING_AVAILABLE, {"gpus": (T4, A100)}, {"gpus": (MIG,)}, {"gpus": (UNTOLD_GPU,)},
            {"gpus": (GB10,), "ram": None, "disks": None}, {"gpus": (replace(T4, **HIDDEN),)},
            {**CPU, "platform": KAGGLE}, {**CPU, "platform": JUPYTER}, {"packages": INSTALLED},
            {"packages": Unavailable(code="unreadable", values=(("error", "OSError"),)), "disks": (DISK, SHARED)},
            {**CPU, "platform": IN_DOCKER, "disks": (DISK, SMALL_SHARED), "packages": INSTALLED},
        )
    ]
)  # fmt: skip
"""What a requirement may be held against."""
