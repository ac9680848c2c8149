from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from builders import CPU, a_snapshot
from colab_magics.model import Finding, Severity, Subject
from colab_magics.rules.rule import Milder, Rule, rule


@rule(Subject.RAM, Severity.WARNING, "{cores} cores are too many.")
def too_many_cores(snapshot: Any) -> Any:
    """More cores are there than anybody can use."""
    return (("cores", snapshot.cpu.logical_cores),) if snapshot.cpu else None


@rule(Subject.RAM, Severity.INFO, "It is so.", fixable_in_place=True, blocks_gpu=True, is_the_answer=True)
def always(_snapshot: Any) -> Any:
    """It is always so."""
    return ()


@rule(Subject.RAM, Severity.ERROR, "{cores} cores are too few.")
def too_few_cores(snapshot: Any) -> Any:
    """There are few cores, or only so-so."""
    values = (("cores", snapshot.cpu.logical_cores),)
    return values if snapshot.cpu.logical_cores < 2 else Milder(Severity.WARNING, values)


def test_what_matters_less_has_its_own_severity() -> None:
    assert too_few_cores(a_snapshot(cpu=replace(CPU, logical_cores=1))) == Finding(
        rule="too_few_cores", severity=Severity.ERROR, values=(("cores", 1),)
    )
    assert too_few_cores(a_snapshot(cpu=CPU)) == Finding(
        rule="too_few_cores", severity=Severity.WARNING, values=(("cores", 2),)
    )


def test_a_rule_that_applies_returns_its_finding_with_the_values_of_its_sentence() -> None:
    expected = Finding(rule="too_many_cores", severity=Severity.WARNING, values=(("cores", 2),))

    assert too_many_cores(a_snapshot()) == expected


def test_a_rule_that_does_not_apply_returns_nothing() -> None:
    assert too_many_cores(a_snapshot(cpu=None)) is None


def test_a_rule_that_needs_no_value_applies_all_the_same() -> None:
    assert always(a_snapshot()) == Finding(rule="always", severity=Severity.INFO)


def test_a_rule_is_named_after_its_function_and_holds_what_it_was_given() -> None:
    assert isinstance(too_many_cores, Rule)
    assert (too_many_cores.name, too_many_cores.subject) == ("too_many_cores", Subject.RAM)
    assert too_many_cores.message == "{cores} cores are too many."


def test_what_a_rule_is_beyond_that_it_says_of_itself() -> None:
    rules = (too_many_cores, always)

    assert [(one.fixable_in_place, one.blocks_gpu, one.is_the_answer) for one in rules] == [(False,) * 3, (True,) * 3]


def test_a_rule_without_a_message_cannot_be_made() -> None:
    with pytest.raises(TypeError, match="message"):
        rule(Subject.RAM, Severity.INFO)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="message"):
        Rule(  # type: ignore[call-arg]
            name="mute",
            subject=Subject.RAM,
            severity=Severity.INFO,
            applies=always.applies,
            fixable_in_place=False,
            blocks_gpu=False,
            is_the_answer=False,
        )
