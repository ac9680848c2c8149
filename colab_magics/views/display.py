"""Put a report in front of the user: as one display bundle, alone or behind a widget, or as one line of JSON."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from IPython import get_ipython
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.display import display

from colab_magics.model import Platform
from colab_magics.translation import N_
from colab_magics.values import replace
from colab_magics.views import html, terminal
from colab_magics.views.markup import Html, element

if TYPE_CHECKING:
    from colab_magics.report import Report
    from colab_magics.translation import Translator
    from colab_magics.views.render_options import RenderOptions

WAS_OPEN = N_("This is the panel as it was opened at {time} UTC; run its cell again for one that is alive.")
WAITS = N_("No panel moves here, since no page has answered: this is the report of {time} UTC.")
WAS_CLOSED = N_("This is the panel as it was closed at {time} UTC; run its cell again for one that is alive.")

FALLBACK = "cm-fallback"
"""The class of the report that stands where a panel is, for when there is none; followed by the panel's model id."""

_HIDDEN_REMAINS = (
    "<style>"
    f".jp-OutputArea-child:has(.{FALLBACK}) + .jp-OutputArea-child:not(:has(.cm-panel)),"
    f".output_area:has(.{FALLBACK}) + .output_area:not(:has(.cm-panel)){{display:none}}"
    "</style>"
)
"""JupyterLab and the classic notebook put an error where a trusted notebook's widget has no kernel any more."""


_MUTED = "font-size:12px;opacity:.74"
"""The muted text of the reports, as `views/look.css` has it."""


class ShownWidget:
    """A widget on the page, and behind it the report that takes its place in the end."""

    def __init__(self, view: dict[str, Any], report: Report, options: RenderOptions, *, is_seen: bool) -> None:
        """Display them, the widget's `view` and the report; `is_seen`: it is known that a page shows widgets.

        Two outputs, because a bundle of both does not read without a kernel: a page that trusts a notebook shows the
        widget of a bundle or an error, and never the rest of it (JupyterLab 4.6, Notebook 7.6 and 6.5, tried 2026-11).
        The widget hides the report by a style sheet of its own (see `FALLBACK`).
        """
        self._names = f"{FALLBACK} {FALLBACK}-{view['model_id']}"
        behind = self._behind(report, options, WAS_OPEN if is_seen else WAITS)
        self._fallback: Any = display(behind, raw=True, display_id=True)  # type: ignore[no-untyped-call]
        alone = {"application/vnd.jupyter.widget-view+json": view, "text/plain": ""}
        self._widget: Any = display(alone, raw=True, display_id=True)  # type: ignore[no-untyped-call]

    def was_seen(self, report: Report, options: RenderOptions) -> None:
        """Let the report behind the widget say that the panel was open, now that a page has shown it."""
        self._fallback.update(self._behind(report, options, WAS_OPEN), raw=True)

    def replace(self, report: Report, options: RenderOptions) -> None:
        """Show a report, as HTML and text, where the widget is."""
        self._fallback.update(_bundle(report, replace(options, note=WAS_CLOSED)), raw=True)
        self._widget.update({"text/plain": ""}, raw=True)

    def _behind(self, report: Report, options: RenderOptions, note: str) -> dict[str, Any]:
        bundle = _bundle(report, replace(options, note=note))
        bundle["text/html"] = element("div", Html(_HIDDEN_REMAINS), bundle["text/html"], class_=self._names)
        return bundle


def show(report: Report, options: RenderOptions) -> None:
    """Display text and HTML together; the frontend takes the richer one that it knows."""
    # A finished bundle spares IPython's formatters, which cost more than making the report.
    display(_bundle(report, options), raw=True)  # type: ignore[no-untyped-call]  # IPython has not typed it


def show_card(report: Report, options: RenderOptions) -> str | None:
    """Display the requirement that a report does not meet, and return what is left to say in one line.

    None, and nothing is displayed, where no page would show it: in a terminal, and in a cell whose output is captured.
    """
    platform, shell = report.snapshot.platform, get_ipython()
    is_captured = shell is None or isinstance(shell.display_pub, CapturingDisplayPublisher)
    if (
        report.verdict is None
        or not isinstance(platform, Platform)
        or not platform.frontend.shows_widgets
        or is_captured
    ):
        return None
    from colab_magics.views import verdict

    seen = (report.verdict, report.snapshot, options)
    bundle = {"text/plain": verdict.render(*seen), "text/html": verdict.card(*seen)}
    display(bundle, raw=True)  # type: ignore[no-untyped-call]  # IPython has not typed it
    return verdict.in_one_line(*seen)


def show_line(line: str) -> None:
    """Display one line of text."""
    display({"text/plain": line, "text/html": element("p", line)}, raw=True)  # type: ignore[no-untyped-call]


def show_quietly(line: str, translate: Translator) -> None:
    """Display one muted line of text, which needs no style sheet."""
    page = element("div", line, class_="colab-magics-line", style=_MUTED, lang=translate.spoken)
    display({"text/plain": terminal.muted(line), "text/html": page}, raw=True)  # type: ignore[no-untyped-call]


def print_aside(line: str) -> None:
    """Print one line where it does not come into the way of what is read from standard output."""
    print(line, file=sys.stderr)


def print_json(report: Report, *, everything: bool) -> None:
    """Print one JSON document in one line on standard output; with `everything` the hints are among its findings."""
    print(report.to_json(everything=everything))


def _bundle(report: Report, options: RenderOptions) -> dict[str, Any]:
    return {"text/plain": terminal.shown(report, options), "text/html": html.render(report, options)}
