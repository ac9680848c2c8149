"""What a rule is: one record, made beside the function that decides whether it applies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics.model import Finding, Severity, Subject
from colab_magics.values import Record

if TYPE_CHECKING:
    from collections.abc import Callable

    from colab_magics.model import Snapshot, Values

    Applies = Callable[[Snapshot], "Values | Milder | None"]


class Milder(Record):
    """What a rule returns where its finding matters less than usual."""

    severity: Severity
    """How much it matters there."""
    values: Values
    """What the rule's sentence needs."""


class Rule(Record):
    """What may be found in a snapshot.

    Called with a snapshot it returns the finding, or None where it does not apply.
    """

    name: str
    """Of the function; it is the rule's name in JSON and in the documentation."""
    subject: Subject
    """Whose report it belongs to; the report on the whole runtime has all."""
    severity: Severity
    """How much it matters at most: a rule may say less (`Milder`)."""
    message: str
    """Its sentence in English, marked for translation. A place says how its value is spoken: `{free_bytes:size}`; the
    ways are those of `views.messages`."""
    applies: Applies
    """Returns what the sentence needs, None where the rule does not apply."""
    fixable_in_place: bool
    """Whether it can be repaired without another machine, so that it is worth looking again."""
    blocks_gpu: bool
    """Whether it stands between programs and the GPU."""
    is_the_answer: bool
    """Whether the first line of a report on the GPU or the runtime says it already."""
    is_remark: bool
    """Whether it is one quiet line at the foot: what can be done about it is said only where a graver finding of the
    same subject makes that matter."""

    def __call__(self, snapshot: Snapshot, /) -> Finding | None:
        """Return what is found in a snapshot."""
        found = self.applies(snapshot)
        if found is None:
            return None
        if isinstance(found, Milder):
            return Finding(rule=self.name, severity=found.severity, values=found.values)
        return Finding(rule=self.name, severity=self.severity, values=found)


def rule(  # noqa: PLR0913 - a record has as many fields
    subject: Subject,
    severity: Severity,
    message: str,
    *,
    fixable_in_place: bool = False,
    blocks_gpu: bool = False,
    is_the_answer: bool = False,
    is_remark: bool = False,
) -> Callable[[Applies], Rule]:
    """Make the function below a rule with these properties; see `Rule`."""

    def made(applies: Applies) -> Rule:
        return Rule(
            name=applies.__name__,
            subject=subject,
            severity=severity,
            message=message,
            applies=applies,
            fixable_in_place=fixable_in_place,
            blocks_gpu=blocks_gpu,
            is_the_answer=is_the_answer,
            is_remark=is_remark,
        )

    return made
