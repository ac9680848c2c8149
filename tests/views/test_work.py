from __future__ import annotations

from typing import Any

import pytest

from builders import A_CELL, A_SESSION, OUT_OF_MEMORY, a_report
from colab_magics.model import Severity, Subject
from colab_magics.translation import translator
from colab_magics.views import summary

ENGLISH = translator("en")

ON_WORK: dict[Subject, dict[str, Any]] = {
    Subject.CELL: {"cells": (A_CELL,)},
    Subject.CELLS: {"cells": (A_CELL,), "session": A_SESSION},
    Subject.OUT_OF_MEMORY: {"out_of_memory": OUT_OF_MEMORY},
}


@pytest.mark.parametrize(
    ("subject", "beginning"),
    [
        (Subject.CELL, "Took 42.0 s"),
        (Subject.CELLS, "[7] took the most RAM"),
        (Subject.OUT_OF_MEMORY, "The cell has run out of GPU memory."),
    ],
)
def test_each_says_its_own_first(subject: Subject, beginning: str) -> None:
    said = summary.answer(a_report(subject, **ON_WORK[subject]), ENGLISH)

    assert beginning in said.first[0]


@pytest.mark.parametrize(
    ("subject", "title", "severity"),
    [
        (Subject.CELL, "Took 42.0 s", None),
        (Subject.CELLS, "Cells of this session", None),
        (Subject.OUT_OF_MEMORY, "The cell has run out of GPU memory", Severity.ERROR),
    ],
)
def test_each_has_its_title(subject: Subject, title: str, severity: Severity | None) -> None:
    said = summary.heading(a_report(subject, **ON_WORK[subject]), ENGLISH)

    assert (said.title, said.severity) == (title, severity)


@pytest.mark.parametrize("subject", ON_WORK)
def test_what_is_noted_is_no_sentence_of_the_machine(subject: Subject) -> None:
    notes = summary.notes(a_report(subject, **ON_WORK[subject]), ENGLISH)

    assert not any("Colab" in note or "RAM:" in note for note in notes)
