from __future__ import annotations

import importlib
import inspect
import pkgutil
from dataclasses import replace

import pytest

import colab_magics.advice
from builders import (
    A100,
    COLAB,
    DISK,
    GIB,
    JUPYTER,
    KAGGLE,
    LIMITS,
    SILENT,
    T4,
    a_ram,
    a_snapshot,
)
from colab_magics.advice import RULES, advise
from colab_magics.model import Severity, Subject, Unavailable, Usage

STARTING = Unavailable(reason="driver_starting", values=(("seconds", 3.0),))
NOT_LOADED = Unavailable(reason="driver_not_loaded", values=(("code", 9),))
UNREADABLE = Unavailable(reason="unreadable", values=(("error", "OSError"),))
L4 = replace(T4, name="NVIDIA L4")
H100 = replace(T4, name="NVIDIA H100 80GB HBM3")
G4 = replace(T4, name="NVIDIA RTX PRO 6000 Blackwell Server Edition")


def advised(subject: Subject = Subject.RUNTIME, **changes: object) -> list[str]:
    return [advice.rule for advice in advise(subject, a_snapshot(**changes), LIMITS)]


def disk_with_free(percent: float) -> object:
    total = 100 * GIB
    free = int(total * percent / 100)
    return (replace(DISK, usage=Usage(total_bytes=total, used_bytes=total - free), free_bytes=free),)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"gpus": ()}, True, id="none there"),
        pytest.param({"gpus": (T4,)}, False, id="one there"),
        pytest.param({"gpus": SILENT}, False, id="nobody knows"),
        pytest.param({"gpus": None}, False, id="not asked"),
        pytest.param({"gpus": (), "platform": KAGGLE}, True, id="also on Kaggle"),
        pytest.param({"gpus": (), "platform": JUPYTER}, True, id="also elsewhere"),
    ],
)
def test_no_gpu_is_said_everywhere_once_it_is_certain(changes: dict[str, object], expected: bool) -> None:
    assert ("no_gpu" in advised(**changes)) is expected


@pytest.mark.parametrize(
    ("gpus", "expected"),
    [
        pytest.param(SILENT, [("driver_not_answering", Severity.ERROR)], id="silent"),
        pytest.param(STARTING, [("driver_not_answering", Severity.INFO)], id="starting is no fault yet"),
        pytest.param(NOT_LOADED, [("driver_failed", Severity.ERROR)], id="refused"),
        pytest.param(Unavailable(reason="linux_only"), [], id="another system"),
        pytest.param((T4,), [], id="well"),
    ],
)
def test_what_the_driver_did_decides_what_is_advised(gpus: object, expected: list[tuple[str, Severity]]) -> None:
    assert [(one.rule, one.severity) for one in advise(Subject.GPU, a_snapshot(gpus=gpus), LIMITS)] == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"ram": a_ram(12.7), "gpus": ()}, "not_high_ram", id="CPU standard"),
        pytest.param({"ram": a_ram(51.0), "gpus": ()}, "high_ram", id="CPU high-RAM"),
        pytest.param({"ram": a_ram(12.7)}, "not_high_ram", id="T4 standard"),
        pytest.param({"ram": a_ram(51.0)}, "high_ram", id="T4 high-RAM"),
        pytest.param({"ram": a_ram(83.5), "gpus": (A100,)}, "not_high_ram", id="a standard A100 has 83.5 GiB"),
        pytest.param({"ram": a_ram(167.1), "gpus": (A100,)}, "high_ram", id="A100 high-RAM"),
        pytest.param({"ram": a_ram(53.0), "gpus": (L4,)}, None, id="L4 has one shape"),
        pytest.param(
            {"ram": a_ram(47.1), "gpus": (), "platform": replace(COLAB, tpu_type="v5e-1")},
            None,
            id="v5e-1 has one shape",
        ),
        pytest.param({"ram": a_ram(180.0), "gpus": (G4,)}, None, id="G4: nobody has published its shapes"),
        pytest.param({"ram": a_ram(18.6), "gpus": (H100,)}, "not_high_ram", id="just under 20e9 bytes"),
        pytest.param(
            {"ram": a_ram(18.7), "gpus": (H100,)}, "high_ram", id="not in the table: the notebook's 20e9 bytes"
        ),
        pytest.param({"ram": a_ram(12.7), "gpus": SILENT}, "not_high_ram", id="small whatever the accelerator"),
        pytest.param({"ram": a_ram(83.5), "gpus": SILENT}, None, id="large, but the accelerator is not known"),
        pytest.param({"ram": a_ram(83.5), "gpus": (replace(A100, name=None),)}, None, id="large, nameless GPU"),
        pytest.param({"ram": a_ram(51.0), "gpus": (), "platform": KAGGLE}, None, id="Kaggle has no such choice"),
        pytest.param({"ram": a_ram(51.0), "gpus": (), "platform": JUPYTER}, None, id="nor has a machine of one's own"),
        pytest.param({"ram": UNREADABLE}, None, id="unavailable"),
    ],
)
def test_the_high_ram_verdict_is_given_where_colab_offers_the_choice(
    changes: dict[str, object], expected: str | None
) -> None:
    verdicts = [rule for rule in advised(**changes) if rule in {"high_ram", "not_high_ram"}]

    assert verdicts == ([] if expected is None else [expected])


@pytest.mark.parametrize(
    ("ram", "expected"),
    [
        pytest.param(a_ram(10.0, headroom_bytes=GIB - 1), True, id="just under a tenth"),
        pytest.param(a_ram(10.0, headroom_bytes=GIB), False, id="a tenth"),
        pytest.param(
            a_ram(100.0, headroom_bytes=GIB // 4, limit_bytes=4 * GIB, limited_by="cgroup_v2", limit_level=0),
            True,
            id="the container's limit counts, not the machine's size",
        ),
        pytest.param(UNREADABLE, False, id="unavailable"),
        pytest.param(None, False, id="not asked"),
    ],
)
def test_ram_nearly_full(ram: object, expected: bool) -> None:
    assert ("ram_nearly_full" in advised(ram=ram)) is expected


@pytest.mark.parametrize(
    ("disks", "expected"),
    [
        pytest.param(disk_with_free(9.9), True, id="just under"),
        pytest.param(disk_with_free(10.1), False, id="just over"),
        pytest.param(UNREADABLE, False, id="unavailable"),
        pytest.param(None, False, id="not asked"),
    ],
)
def test_disk_nearly_full(disks: object, expected: bool) -> None:
    assert ("disk_nearly_full" in advised(disks=disks)) is expected


def test_the_most_serious_comes_first() -> None:
    rules = advised(gpus=SILENT, ram=a_ram(12.7, headroom_bytes=1))

    assert rules == ["driver_not_answering", "ram_nearly_full", "not_high_ram"]


def test_each_magic_gives_the_advice_of_its_subject() -> None:
    changes = {"gpus": (), "ram": a_ram(12.7, headroom_bytes=1), "disks": disk_with_free(1)}

    assert advised(Subject.GPU, **changes) == ["no_gpu"]
    assert advised(Subject.RAM, **changes) == ["ram_nearly_full", "not_high_ram"]
    assert set(advised(Subject.RUNTIME, **changes)) == {"no_gpu", "ram_nearly_full", "not_high_ram", "disk_nearly_full"}


def test_every_rule_is_in_the_table() -> None:
    written = [
        function.__name__
        for module in pkgutil.iter_modules(colab_magics.advice.__path__)
        for _, function in inspect.getmembers(
            importlib.import_module(f"colab_magics.advice.{module.name}"), inspect.isfunction
        )
        if list(inspect.signature(function).parameters)[1:] in (["limits"], ["_limits"])
    ]
    assert sorted(rule.__name__ for rule in RULES) == sorted(written), f"RULES should hold {sorted(written)}"
