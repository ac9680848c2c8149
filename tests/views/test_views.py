"""What holds for every view: they say the same, and what comes from outside stays text in all of them."""

from __future__ import annotations

import getpass
import os
import platform
import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape

import pytest

from builders import A100, TORCH, V5E, a_report, a_snapshot
from colab_magics import guides, report, rules
from colab_magics.guides import Goal
from colab_magics.model import Subject
from colab_magics.panel import card
from colab_magics.report import Report
from colab_magics.requirement import check, parse
from colab_magics.translation import translator
from colab_magics.views import details, guide_html, html, json, terminal, text, verdict
from colab_magics.views.render_options import RenderOptions
from runtimes import IN_A_CONTAINER

ALL = RenderOptions(everything=True)


def in_words(page: str) -> str:
    """Return what is read of HTML, or of a text whose lines were broken."""
    return unescape(re.sub(r"\s+", " ", re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL)))


def pages(of: Report) -> str:
    return "".join(
        guide_html.page(guides.for_goal(goal, of.snapshot, rules.blocking(of.findings)), translator("en"))
        for goal in Goal
    )


VIEWS: dict[str, Callable[[Report], str]] = {
    "text": text.render,
    "text of all": lambda of: text.render(of, ALL),
    "terminal": terminal.render,
    "terminal of all": lambda of: terminal.render(of, ALL),
    "html": html.render,
    "html of all": lambda of: html.render(of, ALL),
    "json": json.render,
    "card": lambda of: card.render(of, RenderOptions(processes=True)),
    "title": lambda of: card.title(of, RenderOptions()),
    "goals": pages,
    "verdict": lambda of: verdict.render(check(parse("gpu=L4, tpu=v6e-1"), of.snapshot), of.snapshot),
}


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
@pytest.mark.parametrize("name", ["{name}", "{0}", "{", "{facts.__class__}", "%s %(name)s"])
def test_a_value_is_never_taken_for_a_message(view: Callable[[Report], str], name: str) -> None:
    gpu = replace(A100, name=name, uuid=name, processes=(replace(A100.processes[0], name=name),))
    tpu = replace(V5E, accelerator_type=name)
    for gpus in ((gpu,), (gpu, replace(gpu, index=1)), ()):
        framework = replace(TORCH, version=name, cpu_only=True)
        shown = view(a_report(gpus=gpus, tpus=(tpu,), frameworks=(framework,), cpu=None))

        assert name in unescape(shown) or view is VIEWS["goals"] or not gpus


def test_nobody_is_named_and_no_path_is_shown() -> None:
    seen = report.runtime_status(shell_class=None, everything=True)
    for shown in (text.render(seen, ALL), terminal.render(seen, ALL), html.render(seen, ALL), json.render(seen)):
        assert os.getcwd() not in shown
        assert platform.node() not in shown
        assert getpass.getuser() not in shown.replace("root file", "")


def test_in_a_container_report_and_panel_say_the_same_share_in_the_same_words() -> None:
    of = a_report(Subject.RAM, **IN_A_CONTAINER)
    drawn = (html.render(of), terminal.render(of), card.render(of, RenderOptions()))

    assert "RAM: 3.8 of 4.0 GiB used, 256 MiB can still be allocated" in text.render(of)
    for page in drawn:
        assert "94 %" in in_words(page)
        assert "256 MiB left" in in_words(page)
    for page in (*drawn, text.render(of)):
        assert "64.0 GiB" not in in_words(page)
    for page in (drawn[0], drawn[2]):
        assert re.findall(r'<meter [^>]*value="(\d+)"[^>]*title="RAM', page) == ["94"]
    assert "4.0 GiB RAM" in card.title(of, RenderOptions())


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_limits_are_in_the_reader_s_language_and_the_same_figures_in_all_fields_and_in_the_panel(language: str) -> None:
    translate = translator(language)
    snapshot = a_snapshot()
    titles = dict(details.sections(snapshot, translate))
    rows = titles[translate("Lifetimes as published")]
    page = in_words(guide_html.page(guides.for_goal(Goal.LONGER, snapshot, None), translate))

    assert len(rows) == 6
    for figure, applies in rows:
        assert f"{figure} {applies}" in page
    assert rows[0][0] == {"en": "12 h", "zh-CN": "12 小时"}[language]
    if language != "en":
        assert all(re.search(r"[\u4e00-\u9fff]", applies) for _, applies in rows)
        assert not re.search(r"\bh\b|hours|without", page.split(translate("Lifetimes as published"))[1])
