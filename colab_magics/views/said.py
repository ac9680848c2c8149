"""What a report says first: the forms of it, whatever the report is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics.values import Record

if TYPE_CHECKING:
    from colab_magics.model import Severity

Paragraph = tuple[str, ...]
"""Sentences that belong together."""


class Answer(Record):
    """What a report says first, in sentences."""

    first: Paragraph
    """Its first sentence answers the question that was asked."""
    others: tuple[Paragraph, ...] = ()
    """The rest; several GPUs are a table of their own."""


class Heading(Record):
    """The same answer as a title, with the figures left to the bars."""

    title: str
    """What this is."""
    severity: Severity | None
    """How grave it is, where it is something that was found."""
    facts: Paragraph
    """What the machine is, in phrases."""


def as_phrase(sentence: str) -> str:
    """Return a sentence as it stands in a title or in a row of phrases: without its full stop."""
    return sentence.rstrip(".。")
