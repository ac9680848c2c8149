from __future__ import annotations

import re
from typing import Any

import pytest

from builders import CPU_RUNTIME, EIGHT_A100, HUNG_DRIVER, MUTE_GPU, NOTHING_AVAILABLE, a_report
from colab_magics.model import Subject
from colab_magics.views import html
from markup import Markup

CASES: dict[str, dict[str, Any]] = {
    "cpu": CPU_RUNTIME,
    "t4": {},
    "hung driver": HUNG_DRIVER,
    "eight": {"gpus": EIGHT_A100},
    "mute": {"gpus": (MUTE_GPU,)},
    "nothing": NOTHING_AVAILABLE,
}


@pytest.mark.parametrize("everything", [False, True], ids=["short", "all"])
@pytest.mark.parametrize("subject", Subject)
@pytest.mark.parametrize("case", CASES)
def test_the_html_is_whole_and_brings_nothing_from_outside(case: str, subject: Subject, everything: bool) -> None:
    page = Markup(html.render(a_report(subject, **CASES[case]), everything=everything))

    assert not page.names & {"script", "img", "link", "iframe", "object"}
    assert not [name for name in page.attributes if name.startswith("on") or name == "src"]
    assert all((link["href"] or "").startswith("https://") for link in page.all("a"))


def test_every_bar_has_its_number_in_words_beside_it() -> None:
    shown = html.render(a_report())

    assert shown.count("<meter") == 4
    for said in ("0.4 of 15.0 GiB used", "0 %", "4.6 of 12.7 GiB used", "38.1 of 107.7 GiB used"):
        assert f"<td>{said}</td>" in shown


def test_without_its_style_sheet_and_the_rest_that_an_untrusted_notebook_loses_everything_is_said() -> None:
    kept = re.sub(r"<style>.*?</style>", "", html.render(a_report(**CPU_RUNTIME)), flags=re.DOTALL)
    words = re.sub(r"<[^>]+>", " ", kept)

    for said in (
        "Not connected to a GPU.",
        "Runtime &gt; Change runtime type",
        "T4 GPU",
        "Save",
        "are lost",
        "12.7 GiB",
    ):
        assert said in words
    assert "<ol" in kept


def test_a_report_on_ram_shows_ram_alone() -> None:
    shown = html.render(a_report(Subject.RAM), everything=True)

    assert "RAM" in shown
    assert "GPU memory" not in shown
    assert "Tesla T4" not in shown


def test_colours_come_from_the_page() -> None:
    shown = html.render(a_report())

    for variable in ("--colab-primary-text-color", "--jp-content-font-color1", "--vscode-editor-foreground"):
        assert variable in shown
    text_rules = re.sub(r"[^{}]*\bmeter\b[^{]*\{[^}]*\}", "", shown)
    assert not re.search(r"(?<![-\w])background(-color)?:\s*(#|rgb|white|black)", text_rules)
