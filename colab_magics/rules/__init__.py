"""What a snapshot means: each rule decides by a snapshot alone whether it applies, and hands on the figures.

A rule stands whole in the module of its subject; that module's `RULES` lists all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics.model import Subject
from colab_magics.rules import cell, colab, frameworks, gpu, ram, runtime
from colab_magics.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterable

    from colab_magics.model import Finding, Snapshot

__all__ = ["RULES", "Rule", "blocking", "judge"]

RULES = {rule.name: rule for module in (gpu, frameworks, ram, runtime, colab, cell) for rule in module.RULES}
"""All rules by their names, in the order in which findings of one severity are told."""

_SUBJECTS = tuple(Subject)
_BY_SUBJECT = {
    subject: tuple(rule for rule in RULES.values() if subject in (Subject.RUNTIME, rule.subject))
    for subject in _SUBJECTS
}


def judge(subject: Subject, snapshot: Snapshot) -> tuple[Finding, ...]:
    """Return what the rules of a subject find.

    The most serious comes first; of those alike what keeps the GPU from working, then by the subject and the order of
    the rules.
    """
    found = [(finding, rule) for rule in _BY_SUBJECT[subject] if (finding := rule(snapshot)) is not None]
    found.sort(key=lambda one: (-one[0].severity, not one[1].blocks_gpu, _SUBJECTS.index(one[1].subject)))
    return tuple(finding for finding, _ in found)


def blocking(findings: Iterable[Finding]) -> Finding | None:
    """Return the gravest of the findings that stand between programs and the GPU, None where nothing does."""
    return next((finding for finding in findings if RULES[finding.rule].blocks_gpu), None)
