from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import A100, DISK, DRIVER, GB10, JUPYTER, SHARED, SLICE, T4, UNTOLD_GPU, V5E, a_ram
from builders import CPU as CORES
from colab_magics.model import Gpu, State, Unavailable
from requirements import (
    A100_80,
    CPU,
    DARK,
    G4,
    HIDDEN,
    INSTALLED,
    L4,
    L40S,
    MIG,
    REPEATABLE,
    TPU,
    a_gpu,
    state,
)

FULL = replace(DISK, places=("/",), free_bytes=0)


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
        ("gpu", UNTOLD_GPU, State.MET),
        ("gpu=T4", UNTOLD_GPU, State.UNKNOWN),
        ("gpu!=T4", UNTOLD_GPU, State.UNKNOWN),
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
    assert state("vram>15", gpus=gpus) is State.MET
    assert state("vram>16", gpus=gpus) is State.UNMET
    assert state("vram=16", gpus=gpus) is State.MET
    assert state("vram=15", gpus=gpus) is State.UNMET
    assert state("vram>=17", gpus=gpus) is State.UNMET
    assert state("vram>=16GiB", gpus=gpus) is State.UNMET


@pytest.mark.parametrize(
    ("expression", "gpu", "expected"),
    [
        ("vram>40GB", A100, State.UNMET),
        ("vram>39GB", A100, State.MET),
        ("vram>=40GB", A100, State.MET),
        ("vram<=40GB", A100, State.MET),
        ("vram<40GB", A100, State.UNMET),
        ("vram>40GB", A100_80, State.MET),
        ("vram>24", L4, State.UNMET),
        ("vram=24", L4, State.MET),
        ("vram!=24", L4, State.UNMET),
        ("vram=16|24", L4, State.MET),
        ("vram>96", G4, State.UNMET),
        ("vram>10", MIG, State.UNMET),
        ("vram>9", MIG, State.MET),
        ("vram>24", a_gpu("NVIDIA GeForce RTX 4090", 24564, "8.9"), State.UNMET),
        ("vram>23", a_gpu("NVIDIA GeForce RTX 4090", 24564, "8.9"), State.MET),
        ("vram>12", GB10, State.MET),
        ("vram>13", GB10, State.UNMET),
        ("vram>1", UNTOLD_GPU, State.UNKNOWN),
        pytest.param("vram>16", replace(T4, memory=None), State.UNMET, id="its label is known"),
        pytest.param("vram>=16", replace(T4, memory=None), State.UNKNOWN, id="its memory is not"),
    ],
)
def test_more_memory_is_more_than_what_is_on_the_label(expression: str, gpu: Gpu, expected: State) -> None:
    assert state(expression, gpus=(gpu,)) is expected


CARDS = st.builds(
    a_gpu,
    st.sampled_from(["Tesla T4", "NVIDIA L4", "NVIDIA A100-SXM4-40GB", "NVIDIA H100 80GB HBM3 MIG 1g.10gb", "Odd 3GB"]),
    st.integers(700, 200_000),
    st.just("8.0"),
)


@REPEATABLE
@given(CARDS, st.decimals(0, 200, places=2), st.sampled_from(["GB", "GiB"]))
def test_of_less_equal_and_more_exactly_one_holds_for_every_card(gpu: Gpu, size: Decimal, unit: str) -> None:
    def holds(operator: str) -> bool:
        found = state(f"vram{operator}{size:f}{unit}", gpus=(gpu,))
        assert found is not State.UNKNOWN
        return found is State.MET

    less, equal, more = holds("<"), holds("="), holds(">")

    assert less + equal + more == 1
    assert holds(">=") is (equal or more)
    assert holds("<=") is (less or equal)
    assert holds("!=") is not equal


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
        ("bf16", {"gpus": (UNTOLD_GPU,)}, State.UNKNOWN),
        ("gpu", CPU, State.UNMET),
        ("tpu", CPU, State.UNMET),
        ("tpu", {"tpus": None}, State.UNKNOWN),
        ("gpus=0", CPU, State.MET),
        ("gpus", CPU, State.UNMET),
        ("gpus", {}, State.MET),
        ("cuda", DARK, State.UNKNOWN),
        ("driver", {}, State.MET),
        ("driver", CPU, State.UNMET),
        ("driver", DARK, State.UNKNOWN),
        ("driver>=550", {}, State.MET),
        ("driver>=580.82.7", {}, State.MET),
        ("driver=580", {}, State.MET),
        ("driver>580", {}, State.UNMET),
        ("driver>=581", {}, State.UNMET),
        ("driver>=550", CPU, State.UNMET),
        ("driver>=550", DARK, State.UNKNOWN),
        ("driver>=550", {"driver": replace(DRIVER, version=None)}, State.UNKNOWN),
        ("cores>=2", {}, State.MET),
        ("cores>=4", {}, State.UNMET),
        ("cores>=1.5", {"cpu": replace(CORES, usable_cores=1.5)}, State.MET),
        ("cores>=2", {"cpu": replace(CORES, usable_cores=1.5)}, State.UNMET),
        ("cores<0.34", {"cpu": replace(CORES, usable_cores=1 / 3)}, State.MET),
        ("cores>=2", {"cpu": Unavailable(code="unreadable")}, State.UNKNOWN),
        ("shm>=6", {"disks": (DISK, SHARED)}, State.MET),
        ("shm>=6GiB", {"disks": (DISK, SHARED)}, State.UNMET),
        ("shm>=1", {"disks": (DISK, replace(SHARED, free_bytes=0))}, State.UNMET),
        ("shm", {"disks": (DISK, SHARED)}, State.MET),
        ("shm", {}, State.UNKNOWN),
        ("shm>=1", {}, State.UNKNOWN),
        ("shm>=1", {"disks": None}, State.UNKNOWN),
    ],
)
def test_each_key_has_its_figure(expression: str, changes: dict[str, Any], expected: State) -> None:
    assert state(expression, **changes) is expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("torch", State.MET),
        ("Torch>=2.4", State.MET),
        ("torch>=2.4.1", State.MET),
        ("torch>=2.4.2", State.UNMET),
        ("torch>2.4", State.UNMET),
        ("torch<=2.4", State.MET),
        ("torch=2|3", State.MET),
        ("torch!=2.4", State.UNMET),
        ("torch<2", State.UNMET),
        ("scikit-learn", State.UNMET),
        ("scikit_learn>=1", State.UNMET),
        pytest.param("scikit.learn!=1", State.UNMET, id="what is not there has no other version"),
        ("jax-cuda12-plugin", State.MET),
        pytest.param("jax-cuda12-plugin>=1", State.UNKNOWN, id="no version is told"),
        pytest.param("numpy>=2", State.UNKNOWN, id="nobody looked"),
        ("numpy>=2|torch", State.MET),
        ("scikit-learn|torch>=2.4", State.MET),
    ],
)
def test_a_package_is_there_in_a_version_or_not(expression: str, expected: State) -> None:
    assert state(expression, packages=INSTALLED) is expected


def test_packages_that_nobody_could_look_for_are_not_known() -> None:
    assert state("torch", packages=Unavailable(code="unexpected")) is State.UNKNOWN


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
        ("gpus>=2, vram>=40", (T4, UNTOLD_GPU, A100), State.UNKNOWN),
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
