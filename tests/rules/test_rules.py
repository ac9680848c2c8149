from __future__ import annotations

import importlib
import inspect
import pkgutil
from dataclasses import replace

import pytest

import colab_magics.rules
from builders import (
    A100,
    COLAB,
    DISK,
    DRIVER,
    GIB,
    JUPYTER,
    KAGGLE,
    LIMITS,
    SILENT,
    SLICE,
    T4,
    TORCH,
    TORCH_CPU,
    V5E,
    a_ram,
    a_snapshot,
)
from colab_magics.rules import RULES, advise
from colab_magics.model import GpuMemory, Service, Severity, Subject, Unavailable, Usage

STARTING = Unavailable(code="driver_starting", values=(("seconds", 3.0),))
NOT_LOADED = Unavailable(code="driver_not_loaded", values=(("code", 9),))
UNREADABLE = Unavailable(code="unreadable", values=(("error", "OSError"),))
L4 = replace(T4, name="NVIDIA L4")
H100 = replace(T4, name="NVIDIA H100 80GB HBM3")
UNHEARD_OF = replace(T4, name="NVIDIA B200")
G4 = replace(T4, name="NVIDIA RTX PRO 6000 Blackwell Server Edition")


def advised(subject: Subject = Subject.RUNTIME, **changes: object) -> list[str]:
    """Return the rules that apply, without the hints, which are always the last."""
    given = advise(subject, a_snapshot(**changes), LIMITS)
    return [advice.rule for advice in given if advice.severity > Severity.HINT]


def hinted(**changes: object) -> list[str]:
    given = advise(Subject.RUNTIME, a_snapshot(**changes), LIMITS)
    return [advice.rule for advice in given if advice.severity == Severity.HINT]


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
        pytest.param(Unavailable(code="linux_only"), [], id="another system"),
        pytest.param((T4,), [], id="well"),
    ],
)
def test_what_the_driver_did_decides_what_is_advised(gpus: object, expected: list[tuple[str, Severity]]) -> None:
    given = advise(Subject.GPU, a_snapshot(gpus=gpus), LIMITS)

    assert [(one.rule, one.severity) for one in given if one.severity > Severity.HINT] == expected


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
            {"ram": a_ram(47.1), "gpus": (), "tpus": (V5E,)},
            None,
            id="v5e-1 has one shape",
        ),
        pytest.param({"ram": a_ram(180.0), "gpus": (G4,)}, None, id="G4: nobody has published its shapes"),
        pytest.param({"ram": a_ram(180.0), "gpus": (H100,)}, None, id="nor those of H100"),
        pytest.param({"ram": a_ram(18.6), "gpus": (UNHEARD_OF,)}, "not_high_ram", id="just under 20e9 bytes"),
        pytest.param(
            {"ram": a_ram(18.7), "gpus": (UNHEARD_OF,)}, "high_ram", id="not in the table: the notebook's 20e9 bytes"
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


def gpu_with(**changes: object) -> dict[str, object]:
    return {"gpus": (replace(T4, **changes),)}


def memory(used_gib: float, free_gib: float) -> GpuMemory:
    return GpuMemory(
        total_bytes=15 * GIB, used_bytes=int(used_gib * GIB), free_bytes=int(free_gib * GIB), reserved_bytes=None
    )


BUSY = {"utilization_percent": 80.0}


@pytest.mark.parametrize(
    ("rule", "changes", "expected"),
    [
        pytest.param("gpu_lost", {"unavailable": (("name", "gpu_lost"),)}, True, id="lost"),
        pytest.param("gpu_lost", {"unavailable": (("memory", "gpu_needs_reset"),)}, True, id="needs a reset"),
        pytest.param("gpu_lost", {"unavailable": (("fan_percent", "not_supported"),)}, False, id="not lost"),
        pytest.param("gpu_memory_errors", {"ecc_errors": 1}, True, id="one error"),
        pytest.param("gpu_memory_errors", {"ecc_errors": 0}, False, id="no error"),
        pytest.param("gpu_memory_errors", {"ecc_errors": None}, False, id="no ECC"),
        pytest.param("gpu_slowed", {"slowdown_reasons": ("power_cap", "thermal_software")}, True, id="too hot"),
        pytest.param("gpu_slowed", {"slowdown_reasons": ("power_cap",)}, False, id="at its power limit"),
        pytest.param("gpu_slowed", {"slowdown_reasons": None}, False, id="slowdown unknown"),
        pytest.param("gpu_memory_nearly_full", {"memory": memory(14.2, 0.74)}, True, id="just under 5 % free"),
        pytest.param("gpu_memory_nearly_full", {"memory": memory(14.2, 0.76)}, False, id="just over 5 % free"),
        pytest.param("gpu_memory_nearly_full", {"memory": None}, False, id="memory unknown"),
        pytest.param("gpu_idle", {"memory": memory(1.5, 13)}, True, id="idle with a tenth held"),
        pytest.param("gpu_idle", {"memory": memory(1.4, 13)}, False, id="idle with less"),
        pytest.param("gpu_idle", {"memory": memory(1.5, 13), **BUSY}, False, id="busy"),
        pytest.param("gpu_idle", {"memory": memory(1.5, 13), "utilization_percent": None}, False, id="use unknown"),
        pytest.param("cuda_hidden", {"is_hidden": True, "cuda_index": None}, True, id="hidden"),
        pytest.param("cuda_hidden", {"is_hidden": False}, False, id="not hidden"),
    ],
)
def test_what_a_gpu_is_in(rule: str, changes: dict[str, object], expected: bool) -> None:
    assert (rule in advised(Subject.GPU, **gpu_with(**changes))) is expected


@pytest.mark.parametrize("gpus", [pytest.param(SILENT, id="unavailable"), pytest.param((), id="none")])
def test_without_a_gpu_nothing_is_said_of_one(gpus: object) -> None:
    rules = advised(Subject.GPU, gpus=gpus, frameworks=(TORCH_CPU,))

    assert rules in (["driver_not_answering"], ["no_gpu"])


def test_a_slice_that_cuda_sees_is_not_hidden() -> None:
    hidden = {"is_hidden": True, "cuda_index": None}

    assert "cuda_hidden" in advised(Subject.GPU, **gpu_with(slices=(replace(SLICE, cuda_index=None),), **hidden))
    assert "cuda_hidden" not in advised(Subject.GPU, **gpu_with(slices=(SLICE,), **hidden))


@pytest.mark.parametrize(
    ("used_gib", "hidden", "expected"),
    [
        pytest.param((8, 0.1), (False, False), True, id="one of two"),
        pytest.param((8, 1), (False, False), False, id="both"),
        pytest.param((0.1, 0.1), (False, False), False, id="none"),
        pytest.param((8, 0.1), (False, True), False, id="the other is hidden on purpose"),
        pytest.param((8,), (False,), False, id="only one is there"),
    ],
)
def test_several_gpus_and_one_used(used_gib: tuple[float, ...], hidden: tuple[bool, ...], expected: bool) -> None:
    gpus = tuple(
        replace(T4, index=index, memory=memory(used, 15 - used), is_hidden=is_hidden)
        for index, (used, is_hidden) in enumerate(zip(used_gib, hidden, strict=True))
    )
    assert ("one_gpu_of_several" in advised(Subject.GPU, gpus=gpus)) is expected


JAX = replace(TORCH, name="jax", version="0.7.2", cuda_version="12", loaded=False)


@pytest.mark.parametrize(
    ("frameworks", "expected"),
    [
        pytest.param((TORCH_CPU,), True, id="loaded and without CUDA"),
        pytest.param((TORCH,), False, id="with CUDA"),
        pytest.param((replace(TORCH_CPU, cpu_only=None),), False, id="cannot be told"),
        pytest.param((replace(TORCH_CPU, loaded=False),), True, id="installed, and the only one"),
        pytest.param((replace(TORCH_CPU, loaded=False), JAX), False, id="installed, beside one that can"),
        pytest.param((TORCH_CPU, JAX), True, id="loaded, beside one that can"),
        pytest.param((), False, id="none installed"),
        pytest.param(None, False, id="not asked"),
    ],
)
def test_a_framework_without_cuda_beside_a_gpu(frameworks: object, expected: bool) -> None:
    assert ("framework_cpu_only" in advised(Subject.GPU, frameworks=frameworks)) is expected


@pytest.mark.parametrize(
    ("needed", "newest", "expected"),
    [
        pytest.param("13.0", "12.8", True, id="a later major version"),
        pytest.param("13", "12.8", True, id="only the major version told"),
        pytest.param("12.8", "12.2", False, id="a later minor version will do"),
        pytest.param("12.8", "13.0", False, id="an earlier one"),
        pytest.param(None, "12.8", False, id="build unknown"),
        pytest.param("13.0", None, False, id="driver unknown"),
    ],
)
def test_a_framework_for_a_later_cuda_than_the_driver_s(needed: str | None, newest: str | None, expected: bool) -> None:
    changes = {"frameworks": (replace(TORCH, cuda_version=needed),), "driver": replace(DRIVER, cuda_version=newest)}

    assert ("framework_needs_newer_driver" in advised(Subject.GPU, **changes)) is expected


@pytest.mark.parametrize(
    ("ram", "rules"),
    [
        pytest.param({"kernel_bytes": 5 * GIB, "children_bytes": 0}, ["kernel_holds_most_ram"], id="half"),
        pytest.param({"kernel_bytes": 4 * GIB, "children_bytes": GIB}, ["kernel_holds_most_ram"], id="with children"),
        pytest.param({"kernel_bytes": 5 * GIB - 1, "children_bytes": 0}, [], id="just under"),
        pytest.param({"kernel_bytes": None, "children_bytes": None}, [], id="unknown"),
        pytest.param(
            {"kernel_bytes": 0, "swap_used_bytes": GIB, "headroom_bytes": 1},
            ["ram_nearly_full", "swap_in_use"],
            id="swap while RAM is nearly full",
        ),
        pytest.param({"kernel_bytes": 0, "swap_used_bytes": GIB}, [], id="swap with room left"),
        pytest.param({"kernel_bytes": 0, "swap_used_bytes": None, "headroom_bytes": 1}, ["ram_nearly_full"], id="?"),
    ],
)
def test_what_the_ram_is_in(ram: dict[str, object], rules: list[str]) -> None:
    assert advised(Subject.RAM, ram=a_ram(10.0, **ram), platform=JUPYTER) == rules


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"gpus": (L4,), "ram": a_ram(53.0)}, True, id="L4"),
        pytest.param({"gpus": (), "tpus": (V5E,), "ram": a_ram(47.1)}, True, id="v5e-1"),
        pytest.param({"gpus": (A100,), "ram": a_ram(83.5)}, False, id="A100 has two"),
        pytest.param({"gpus": (L4,), "platform": JUPYTER}, False, id="not on Colab"),
        pytest.param({"gpus": SILENT}, False, id="unavailable"),
    ],
)
def test_one_shape_only(changes: dict[str, object], expected: bool) -> None:
    assert ("one_shape_only" in advised(**changes)) is expected


@pytest.mark.parametrize(
    ("platform", "expected"),
    [
        pytest.param({"machine_age_seconds": 36_001.0}, True, id="over ten hours"),
        pytest.param({"machine_age_seconds": 35_999.0}, False, id="just under"),
        pytest.param({"machine_age_seconds": 90_000.0, "container_age_seconds": 60.0}, False, id="a young container"),
        pytest.param({"machine_age_seconds": None}, False, id="unknown"),
        pytest.param({"machine_age_seconds": 90_000.0, "service": Service.JUPYTER}, False, id="not on Colab"),
    ],
)
def test_runtime_old(platform: dict[str, object], expected: bool) -> None:
    assert ("runtime_old" in advised(platform=replace(COLAB, **platform))) is expected


UNUSED = {"utilization_percent": 0.0, "memory": memory(0.1, 14.5)}


@pytest.mark.parametrize(
    ("gpu", "platform", "expected"),
    [
        pytest.param(replace(A100, **UNUSED), COLAB, True, id="a paid GPU that nobody uses"),
        pytest.param(A100, COLAB, False, id="a paid GPU at work"),
        pytest.param(replace(T4, **UNUSED), COLAB, False, id="a free one"),
        pytest.param(replace(A100, **UNUSED), JUPYTER, False, id="not on Colab"),
        pytest.param(replace(A100, utilization_percent=None), COLAB, False, id="use unknown"),
        pytest.param(replace(H100, **UNUSED), COLAB, False, id="no rate published"),
    ],
)
def test_costly_gpu_unused(gpu: object, platform: object, expected: bool) -> None:
    assert ("costly_gpu_unused" in advised(gpus=(gpu,), platform=platform)) is expected


def test_a_rate_is_told_with_its_date() -> None:
    given = advise(Subject.GPU, a_snapshot(gpus=(replace(A100, **UNUSED),)), LIMITS)
    (advice,) = [one for one in given if one.rule == "costly_gpu_unused"]

    assert dict(advice.values) == {"accelerator": "A100 GPU", "units": 5.4, "date": "2026-03-10"}


def test_hints_are_for_colab_and_say_which_accelerator_has_what() -> None:
    general = {"longer_runs", "usage_limits", "feedback", "more_resources"}

    assert set(hinted()) == general | {"larger_accelerators", "newer_number_formats"}
    assert set(hinted(gpus=())) == general
    assert hinted(platform=JUPYTER) == []
    assert "newer_number_formats" not in hinted(gpus=(A100,))


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
        for module in pkgutil.iter_modules(colab_magics.rules.__path__)
        for _, function in inspect.getmembers(
            importlib.import_module(f"colab_magics.rules.{module.name}"), inspect.isfunction
        )
        if list(inspect.signature(function).parameters)[1:] in (["limits"], ["_limits"])
    ]
    assert sorted(rule.__name__ for rule in RULES) == sorted(written), f"RULES should hold {sorted(written)}"
