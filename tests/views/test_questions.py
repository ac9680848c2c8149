"""What Colab's users ask most, from the runtime to what they read: each answer, as it was reviewed."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from builders import a_report
from colab_magics import guides, rules
from colab_magics.guides import Goal
from colab_magics.model import Subject
from colab_magics.requirement import check, parse
from colab_magics.translation import translator
from colab_magics.views import guide_html, html, text, verdict
from colab_magics.views.render_options import RenderOptions
from questions import QUESTIONS, Question
from runtimes import TRANSLATED

_LINES = re.compile(r"(</(?:li|tr|p|div|ol|ul|table|caption)>)")


def answer(question: Question, language: str) -> dict[str, str]:
    """Return what is read: of a report text and page, of a goal the page, of a requirement the text."""
    asked, options = question.asked, RenderOptions(language=language)
    if isinstance(asked, Subject):
        report = a_report(asked, **question.runtime)
        page = re.sub(r"<style>.*?</style>", "", html.render(report, options), flags=re.DOTALL)
        return {"txt": text.render(report, options), "html": _LINES.sub(r"\1\n", page)}
    report, translate = a_report(**question.runtime), translator(language)
    if isinstance(asked, Goal):
        guide = guides.for_goal(asked, report.snapshot, rules.blocking(report.findings))
        return {"html": _LINES.sub(r"\1\n", guide_html.page(guide, translate))}
    return {"txt": verdict.render(check(parse(asked), report.snapshot), report.snapshot, options)}


@pytest.mark.parametrize("language", TRANSLATED)
@pytest.mark.parametrize("name", QUESTIONS)
def test_the_answer_is_as_it_was_reviewed(name: str, language: str, golden: Callable[[str, str], None]) -> None:
    question = QUESTIONS[name]
    for kind, shown in answer(question, language).items():
        golden(f"questions/{language}/{name}.{kind}", f"{question.words}\n\n{shown}" if kind == "txt" else shown)
