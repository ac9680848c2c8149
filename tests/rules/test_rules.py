from __future__ import annotations

import importlib
import pkgutil
from dataclasses import replace
from typing import Any

import pytest

import colab_magics.rules
from builders import COLAB, DRIVER, SILENT, T4, TORCH_CPU, a_ram, a_snapshot
from colab_magics.model import Finding, Severity, Subject, Unavailable
from colab_magics.rules import RULES, Rule, blocking, judge
from colab_magics.translation import translator
from colab_magics.views import messages
from occurring import FOR_CUDA_13, FULL_DISK, LITTLE_RAM, OCCURRING, with_memory
from runtimes import OF_A_MACHINE, TRANSLATED

MODULES = [
    importlib.import_module(f"colab_magics.rules.{module.name}")
    for module in pkgutil.iter_modules(colab_magics.rules.__path__)
    if module.name != "rule"
]


def found(subject: Subject, **changes: Any) -> list[str]:
    """Return the rules that apply, without the hints, which are always the last."""
    findings = judge(subject, a_snapshot(**changes))
    return [finding.rule for finding in findings if finding.severity > Severity.HINT]


# What there is to find --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__.rpartition(".")[2])
def test_every_rule_of_a_module_is_among_its_rules(module: Any) -> None:
    made = {rule for rule in vars(module).values() if isinstance(rule, Rule)}

    assert made
    assert set(module.RULES) == made
    assert len(module.RULES) == len(made)


def test_every_rule_of_every_module_is_judged_by_and_under_its_own_name() -> None:
    told = [rule for module in MODULES for rule in module.RULES]

    assert {rule.name for rule in told} == RULES.keys()
    assert len(told) == len(RULES)
    assert [name for name, rule in RULES.items() if name != rule.name or rule not in told] == []


def test_every_rule_is_tried() -> None:
    assert OCCURRING.keys() == RULES.keys()


@pytest.mark.parametrize("name", RULES)
def test_what_a_rule_finds_can_be_said(name: str) -> None:
    changes, sentence = OCCURRING[name]
    findings = {finding.rule: finding for finding in judge(Subject.RUNTIME, a_snapshot(**changes))}

    assert RULES[name].message
    assert messages.sentence(findings[name], translator("en")) == sentence


@pytest.mark.parametrize("language", TRANSLATED)
@pytest.mark.parametrize("name", RULES)
def test_what_a_rule_finds_can_be_said_in_every_language(name: str, language: str) -> None:
    finding = RULES[name](a_snapshot(**OCCURRING[name][0]))
    assert finding is not None
    said = messages.sentence(finding, translator(language))

    assert said
    assert not set(said) & {"{", "}"}
    assert (said == OCCURRING[name][1]) is (language == "en")


# How they are told ------------------------------------------------------------------------------------------------


def test_the_most_serious_comes_first() -> None:
    rules = found(Subject.RUNTIME, gpus=SILENT, ram=a_ram(12.7, headroom_bytes=1))

    assert rules == ["driver_not_answering", "ram_nearly_full", "not_high_ram"]


def test_of_those_alike_what_keeps_the_gpu_from_working_comes_first() -> None:
    gpus = (replace(T4, ecc_errors=1, slowdown_reasons=("power_brake",), is_hidden=True, cuda_index=None),)

    assert found(Subject.GPU, gpus=gpus, frameworks=(FOR_CUDA_13,)) == [
        "framework_needs_newer_driver",
        "gpu_memory_errors",
        "cuda_hidden",
        "gpu_slowed",
    ]


def test_of_those_alike_the_gpu_comes_before_the_ram_and_that_before_the_rest() -> None:
    rules = found(
        Subject.RUNTIME,
        disks=(FULL_DISK,),
        ram=LITTLE_RAM,
        gpus=(replace(T4, slowdown_reasons=("power_brake",), memory=with_memory(8, 7)),),
        platform=replace(COLAB, machine_age_seconds=40_000.0),
    )
    assert rules == [
        *["gpu_slowed", "ram_nearly_full", "swap_in_use", "disk_nearly_full"],
        *["gpu_idle", "not_high_ram", "kernel_holds_most_ram", "runtime_old"],
    ]


def test_hints_come_last() -> None:
    severities = [finding.severity for finding in judge(Subject.RUNTIME, a_snapshot())]

    assert severities == sorted(severities, reverse=True)
    assert severities[-1] is Severity.HINT


def test_each_subject_has_its_own_findings_and_the_runtime_has_all() -> None:
    changes: dict[str, Any] = {
        "gpus": (),
        "ram": a_ram(12.7, headroom_bytes=1),
        "disks": (FULL_DISK,),
    }
    assert found(Subject.GPU, **changes) == ["no_gpu"]
    assert found(Subject.RAM, **changes) == ["ram_nearly_full", "not_high_ram"]
    assert found(Subject.RUNTIME, **changes) == ["ram_nearly_full", "disk_nearly_full", "no_gpu", "not_high_ram"]


@pytest.mark.parametrize("subject", OF_A_MACHINE)
def test_what_is_found_for_a_subject_is_what_its_rules_find(subject: Subject) -> None:
    snapshot = a_snapshot()
    rules = [rule for rule in RULES.values() if subject in (Subject.RUNTIME, rule.subject)]
    expected = {finding for rule in rules if (finding := rule(snapshot)) is not None}

    assert set(judge(subject, snapshot)) == expected


def test_where_nobody_looked_nothing_is_found() -> None:
    nothing = dict.fromkeys(("driver", "gpus", "ram", "disks", "cpu"))

    assert judge(Subject.RUNTIME, a_snapshot(**nothing, platform=Unavailable(code="unexpected"))) == ()


# What stands in the way -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, None, id="nothing"),
        pytest.param({"gpus": ()}, None, id="no GPU is not in the way of one"),
        pytest.param({"gpus": SILENT}, "driver_not_answering", id="the driver"),
        pytest.param(
            {"gpus": Unavailable(code="driver_starting", values=(("seconds", 3.0),))},
            "driver_starting",
            id="the driver, for a moment",
        ),
        pytest.param({"gpus": Unavailable(code="gpu_not_told")}, "gpu_not_known", id="that nobody knows"),
        pytest.param({"gpus": (replace(T4, fault="gpu_lost"),)}, "gpu_lost", id="a GPU that is gone"),
        pytest.param({"gpus": (replace(T4, fault="nvml_error_77"),)}, "gpu_not_usable", id="a GPU that is refused"),
        pytest.param(
            {"driver": replace(DRIVER, has_cuda_library=False)},
            "cuda_library_missing",
            id="a library that is not there",
        ),
        pytest.param({"frameworks": (TORCH_CPU,)}, "framework_cpu_only", id="a build without CUDA"),
        pytest.param(
            {"gpus": (replace(T4, is_hidden=True, cuda_index=None),), "frameworks": (FOR_CUDA_13,)},
            "framework_needs_newer_driver",
            id="the gravest of two",
        ),
        pytest.param({"gpus": (replace(T4, ecc_errors=1),)}, None, id="a faulty GPU is in nobody's way"),
    ],
)
def test_what_stands_between_programs_and_the_gpu(changes: dict[str, Any], expected: str | None) -> None:
    finding = blocking(judge(Subject.GPU, a_snapshot(**changes)))

    assert (None if finding is None else finding.rule) == expected


def test_of_no_finding_nothing_is_in_the_way() -> None:
    assert blocking(()) is None
    assert blocking([Finding(rule="no_gpu", severity=Severity.INFO)]) is None
