from __future__ import annotations

from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

import documents
from builders import CPU_RUNTIME, a_report
from colab_magics.views import display, html, text
from colab_magics.views.render_options import RenderOptions
from markup import Markup

VIEW = {"version_major": 2, "version_minor": 0, "model_id": "abc123"}


def bundles(shell: InteractiveShell) -> list[dict[str, Any]]:
    return [shown["data"] if isinstance(shown, dict) else shown.data for shown in shell.display_pub.outputs]


def test_a_report_is_displayed_once_as_text_and_html(shell: InteractiveShell) -> None:
    options = RenderOptions(language="zh-CN", everything=True)
    display.show(a_report(), options)

    (bundle,) = bundles(shell)
    assert bundle == {"text/plain": text.render(a_report(), options), "text/html": html.render(a_report(), options)}


def test_json_is_printed_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    display.print_json(a_report(**CPU_RUNTIME), everything=False)

    (line,) = capsys.readouterr().out.splitlines()
    assert documents.read(line)["schema"] == 2


def test_a_line_is_displayed_as_text_and_as_html_that_says_the_same(shell: InteractiveShell) -> None:
    display.show_line("Not known, so not checked: gpu = <b>T4 & more.")

    (bundle,) = bundles(shell)
    assert bundle == {
        "text/plain": "Not known, so not checked: gpu = <b>T4 & more.",
        "text/html": "<p>Not known, so not checked: gpu = &lt;b&gt;T4 &amp; more.</p>",
    }


def test_a_line_aside_leaves_standard_output_to_what_is_read_from_it(capsys: pytest.CaptureFixture[str]) -> None:
    display.print_aside("Not known, so not checked: gpu.")

    assert capsys.readouterr() == ("", "Not known, so not checked: gpu.\n")


WAITS = "No panel moves here, since no page has answered: this is the report of 12:00:00 UTC."
WAS_OPEN = "This is the panel as it was opened at 12:00:00 UTC; run its cell again for one that is alive."
WAS_CLOSED = "This is the panel as it was closed at 12:00:00 UTC"


@pytest.mark.parametrize(("is_seen", "said"), [(True, WAS_OPEN), (False, WAITS)])
def test_behind_a_widget_stands_the_report_and_whether_a_page_has_shown_it(
    is_seen: bool, said: str, shell: InteractiveShell
) -> None:
    display.ShownWidget(VIEW, a_report(), RenderOptions(), is_seen=is_seen)

    behind, widget = bundles(shell)
    assert " ".join(behind["text/plain"].split()).startswith(said)
    assert said in behind["text/html"]
    assert Markup(behind["text/html"]).tags[0] == ("div", {"class": "cm-fallback cm-fallback-abc123"})
    assert widget == {"application/vnd.jupyter.widget-view+json": VIEW, "text/plain": ""}


def test_once_a_page_has_shown_it_the_report_behind_says_so(shell: InteractiveShell) -> None:
    shown = display.ShownWidget(VIEW, a_report(), RenderOptions(), is_seen=False)
    shown.was_seen(a_report(), RenderOptions())

    assert WAS_OPEN in bundles(shell)[-1]["text/html"]


def test_in_a_widget_s_place_comes_the_report_as_it_was_last(shell: InteractiveShell) -> None:
    shown = display.ShownWidget(VIEW, a_report(), RenderOptions(), is_seen=True)
    shown.replace(a_report(**CPU_RUNTIME), RenderOptions())

    *_, last, widget = bundles(shell)
    assert last["text/plain"].startswith(WAS_CLOSED)
    assert "Not connected to a GPU" in last["text/html"]
    assert "cm-fallback" not in last["text/html"]
    assert widget == {"text/plain": ""}
