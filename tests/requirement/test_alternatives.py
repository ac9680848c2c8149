from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from builders import A100, COLAB, DISK, JUPYTER, KAGGLE, SHARED, T4, V5E, a_ram, a_snapshot
from colab_magics.model import Remedy
from colab_magics.requirement import check, parse
from requirements import CPU, DARK, HIDDEN, IN_DOCKER, INSTALLED, SMALL_SHARED

TPU = {**CPU, "tpus": (V5E,), "ram": a_ram(47.1)}
MOUNTED = replace(DISK, places=("working directory",))
FOR_3_12 = ("2026.07", "2026.04", "2026.01", "2025.10", "2025.07")
OLD = {"platform": replace(COLAB, python_version="3.12.13")}
UNHEARD_OF = replace(T4, name="NVIDIA B200", compute_capability="10.0")


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
        ("ram>=60", {}, ["A100 GPU, paid", "G4 GPU, paid"]),
        ("ram>=60", CPU, ["A100 GPU, paid", "G4 GPU, paid"]),
        ("ram>=60", TPU, ["v6e-1 TPU, paid"]),
        ("ram>=300", CPU, []),
        ("gpu=T4, ram>=20", CPU, ["T4 GPU, high RAM, paid"]),
        ("ram>=60", {"ram": a_ram(51.0)}, ["A100 GPU, paid", "G4 GPU, paid"]),
        ("ram>=60", {"gpus": (UNHEARD_OF,), "ram": a_ram(51.0)}, ["A100 GPU, paid", "G4 GPU, paid"]),
        ("ram>=100", {"gpus": (UNHEARD_OF,), "ram": a_ram(51.0)}, ["A100 GPU, high RAM, paid", "G4 GPU, paid"]),
        ("ram>=100", {"gpus": (A100,), "ram": a_ram(83.5)}, ["A100 GPU, high RAM, paid"]),
        ("ram>=200", {"gpus": (A100,), "ram": a_ram(167.1)}, []),
        ("gpu=A100, disk>=10", {}, ["A100 GPU, paid"]),
        ("gpu=V100", {}, []),
        ("gpus>=2", {}, []),
        ("python>=3.14", {}, []),
        ("gpu", {**CPU, "platform": KAGGLE}, ["GPU T4 x2", "GPU L4 x4", "GPU RTX Pro 6000", "GPU P100"]),
        ("gpus>=2, vram>=15", {**CPU, "platform": KAGGLE}, ["GPU T4 x2", "GPU L4 x4"]),
        ("gpu=RTX PRO 6000", {**CPU, "platform": KAGGLE}, ["GPU RTX Pro 6000"]),
        ("disk>=150", CPU, ["L4 GPU, paid", "A100 GPU, paid", "G4 GPU, paid"]),
        ("disk>=150", {}, ["L4 GPU, paid", "A100 GPU, paid", "G4 GPU, paid"]),
        ("disk>=100", {}, ["L4 GPU, paid", "A100 GPU, paid", "G4 GPU, paid"]),
        ("disk>=220", {}, []),
        ("tpu=v5e-8", {**CPU, "platform": KAGGLE}, ["TPU v5e-8"]),
        ("gpu=A100", {**CPU, "platform": KAGGLE}, []),
        ("gpu=A100", {**CPU, "platform": JUPYTER}, []),
        ("vram>16", {}, ["L4 GPU, paid", "A100 GPU, paid", "H100 GPU, paid", "G4 GPU, paid"]),
        ("vram>40GB", {}, ["A100 GPU, high RAM, paid", "H100 GPU, paid", "G4 GPU, paid"]),
        pytest.param(
            "bf16", {}, ["L4 GPU, paid", "A100 GPU, paid", "H100 GPU, paid", "G4 GPU, paid"], id="stays a GPU"
        ),
        pytest.param("bf16|tpu", {}, ["v5e-1 TPU"], id="a TPU is asked for"),
        pytest.param("bf16", CPU, ["v5e-1 TPU"], id="on a CPU runtime both kinds count, and one costs nothing"),
        ("bf16, vram>=20", CPU, ["L4 GPU, paid", "A100 GPU, paid", "H100 GPU, paid", "G4 GPU, paid"]),
        ("gpus=0", {}, ["CPU"]),
        pytest.param("driver>=600", {}, [], id="no choice brings another driver"),
        ("driver", CPU, ["T4 GPU"]),
        pytest.param("driver>=550", CPU, [], id="in which version it comes nobody has published"),
        pytest.param("gpu=T4, driver>=550, cuda>=12", CPU, ["T4 GPU"], id="but that it comes"),
        pytest.param("cores>=8", {}, ["T4 GPU, high RAM, paid"], id="more cores come with more RAM"),
        pytest.param("cores>=12", {}, ["L4 GPU, paid", "A100 GPU, paid", "G4 GPU, paid"], id="or with another GPU"),
        pytest.param("cores>=64", {}, [], id="nothing has so many"),
        pytest.param("gpu=H100, cores>=8", {}, [], id="a GPU that would do has not the cores, as far as is known"),
        pytest.param("gpu=A100, cores>=2", {}, ["A100 GPU, paid"], id="what is there now is no reason against it"),
        pytest.param("gpu=H100|cores>=64", {}, ["H100 GPU, paid"], id="either will do"),
        ("shm>=16", {"disks": (DISK, SHARED)}, []),
        ("gpu=A100, shm>=16", {"disks": (DISK, SHARED)}, []),
        ("torch>=3", {"packages": INSTALLED}, []),
        ("gpu=A100, torch>=3", {"packages": INSTALLED}, ["A100 GPU, paid"]),
        ("gpu=A100, torch>=2", {"packages": INSTALLED}, ["A100 GPU, paid"]),
        ("gpu=V100, torch>=3", {"packages": INSTALLED}, []),
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
        ("disk>=78", {}, Remedy.MAKE_ROOM),
        ("disk>=100", {}, Remedy.ANOTHER_MACHINE),
        ("disk>=100", {"platform": JUPYTER}, Remedy.MAKE_ROOM),
        ("disk>=100", {"disks": (MOUNTED,)}, Remedy.MAKE_ROOM),
        ("python<3.13", {}, Remedy.ANOTHER_MACHINE),
        ("python<3.13", {"platform": JUPYTER}, None),
        ("disk>=1000", {}, None),
        ("ram_free>=20", {}, Remedy.ANOTHER_MACHINE),
        ("gpu", {}, None),
        ("torch>=3", {"packages": INSTALLED}, Remedy.INSTALL),
        ("gpu=A100|torch>=3", {"packages": INSTALLED}, Remedy.INSTALL),
        ("gpu=A100, torch>=3", {"packages": INSTALLED}, Remedy.ANOTHER_MACHINE),
        ("disk>=75, torch>=3", {"packages": INSTALLED}, Remedy.MAKE_ROOM),
        ("torch>=3", {"packages": INSTALLED, "gpus": (replace(T4, **HIDDEN),)}, Remedy.INSTALL),
        ("gpu, torch>=3", {"packages": INSTALLED, "gpus": (replace(T4, **HIDDEN),)}, Remedy.SHOW_GPUS),
        ("torch>=3, torch<3", {"packages": INSTALLED}, None),
        ("torch>=3, python>=3.14", {"packages": INSTALLED}, None),
        ("driver>=600", {}, None),
        ("shm>=6", {"disks": (DISK, replace(SHARED, free_bytes=0))}, Remedy.MAKE_ROOM),
        ("shm>=16", {"disks": (DISK, SHARED)}, None),
        ("shm>=2", {"disks": (DISK, SMALL_SHARED), "platform": IN_DOCKER}, Remedy.SHARE_MEMORY),
        pytest.param("shm>=9", {"disks": (DISK, SMALL_SHARED), "platform": IN_DOCKER}, None, id="more than we say"),
        pytest.param("shm>=9", {"disks": (DISK, SHARED), "platform": JUPYTER}, None, id="no container"),
        pytest.param(
            "shm>=2",
            {"disks": (DISK, SMALL_SHARED), "platform": replace(IN_DOCKER, service="sagemaker")},
            None,
            id="a service's container",
        ),
        ("shm>=2, gpu=A100", {"disks": (DISK, SMALL_SHARED), "platform": IN_DOCKER}, None),
    ],
)
def test_the_least_costly_remedy_comes_first(expression: str, changes: dict[str, Any], expected: Remedy | None) -> None:
    assert check(parse(expression), a_snapshot(tpus=(), **changes)).remedy is expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("torch>=3", ["torch>=3"]),
        ("scikit_learn", ["scikit-learn"]),
        ("torch>2.4", ["torch>=2.5"]),
        ("torch<=2.3", ["torch<2.4"]),
        ("torch<2", ["torch<2"]),
        ("torch=2.5|2.6", ["torch==2.5.*"]),
        ("torch!=2.4|2.5", ["torch!=2.4.*,!=2.5.*"]),
        ("torch>=2.5|3", ["torch>=2.5"]),
        pytest.param("torch>=2.5, torch<3", ["torch>=2.5,<3"], id="with all that is asked of it"),
        pytest.param("torch, torch>=2.5", ["torch>=2.5"], id="that it is there goes without saying"),
        pytest.param("torch>=2.5, torch<3|gpu", ["torch>=2.5"], id="but for what is met otherwise"),
        ("torch>=2.5, scikit-learn>=1.5", ["torch>=2.5", "scikit-learn>=1.5"]),
        pytest.param("scikit-learn|torch>=3", ["scikit-learn"], id="one of several will do"),
        ("gpu=A100, torch>=2.5", ["torch>=2.5"]),
        ("torch>=2.5, torch<2.5", []),
        ("torch=2.5, torch!=2.5", []),
        ("torch>=2.5, ram>=5000", []),
        ("torch>=2.4", []),
    ],
)
def test_pip_is_told_all_that_is_asked_of_a_package(expression: str, expected: list[str]) -> None:
    assert list(check(parse(expression), a_snapshot(tpus=(), packages=INSTALLED)).to_install) == expected


@pytest.mark.parametrize(
    ("changes", "is_current"),
    [
        pytest.param({}, True, id="listed"),
        pytest.param({"gpus": (UNHEARD_OF,)}, False, id="not in the table: its own larger shape is not known"),
    ],
)
def test_more_ram_beside_the_same_accelerator_is_told_from_another_one(
    changes: dict[str, Any], is_current: bool
) -> None:
    verdict = check(parse("ram>=20"), a_snapshot(tpus=(), **changes))

    assert verdict.remedy is Remedy.ANOTHER_MACHINE
    assert {offer.is_current for offer in verdict.offers} == {is_current}


def test_where_it_is_met_nothing_is_offered() -> None:
    verdict = check(parse("ram>=20"), a_snapshot(tpus=(), gpus=(UNHEARD_OF,), ram=a_ram(51.0)))

    assert (verdict.met, verdict.remedy, verdict.offers) == (True, None, ())


@pytest.mark.parametrize(
    ("expression", "changes", "expected"),
    [
        pytest.param("python<3.13", {}, [("", True, FOR_3_12)], id="the same machine with another image"),
        pytest.param("python<3.12", {}, [("", True, ("2025.07",))], id="the one image that has it"),
        pytest.param("python>=3.13", OLD, [("", True, ("Latest (recommended)",))], id="the newest"),
        pytest.param("gpu=A100, python<3.13", CPU, [("A100 GPU", False, FOR_3_12)], id="another machine with it"),
        pytest.param("gpu, python<3.13", CPU, [("T4 GPU", False, FOR_3_12)], id="what costs nothing first"),
        pytest.param("python<3.13", {"platform": KAGGLE}, [], id="Kaggle tells of none"),
    ],
)
def test_another_python_comes_with_another_image(expression: str, changes: Any, expected: Any) -> None:
    offers = check(parse(expression), a_snapshot(**{"tpus": (), **changes})).offers

    assert [(one.name, one.is_current, one.images) for one in offers] == expected


@pytest.mark.parametrize(
    ("expression", "changes", "expected"),
    [
        pytest.param("gpu=A100", {}, ["H100 GPU", "G4 GPU"], id="no less memory than what is asked for"),
        pytest.param("gpu=A100, vram>=95", {}, [], id="nothing is offered for it, nor instead"),
        pytest.param("gpu=H100, vram>=80", {}, ["A100 GPU", "G4 GPU"], id="in the shape that meets the rest"),
        pytest.param("gpu=A100, cc>=8.0, vram>=40", {}, ["H100 GPU", "G4 GPU"], id="the rest is about the card"),
        pytest.param("vram>=20", {}, [], id="no name is asked for"),
        pytest.param("gpu!=T4", {}, [], id="a name that is not wanted is no name asked for"),
        pytest.param("gpu=A100", {"platform": JUPYTER}, [], id="nothing is offered there"),
    ],
)
def test_what_would_do_but_for_its_name(expression: str, changes: Any, expected: list[str]) -> None:
    assert [one.name for one in check(parse(expression), a_snapshot(tpus=(), **changes)).others] == expected
