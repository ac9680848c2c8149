"""Put a report in front of the user: as one display bundle, alone or behind a widget, or as one line of JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from IPython.display import display

from colab_magics.views import html, json, text
from colab_magics.translation import ENGLISH, marked, speaker

if TYPE_CHECKING:
    from colab_magics.model import Report

WAS_OPEN = marked("This is the panel as it was opened at {time} UTC; run its cell again for one that is alive.")
WAS_CLOSED = marked("This is the panel as it was closed at {time} UTC; run its cell again for one that is alive.")
NO_IPYWIDGETS = marked("No panel, since ipywidgets is not installed (%pip install ipywidgets): the report without it.")
NO_PAGE = marked("No panel, since it needs a notebook's page: the report without it.")
NOBODY_THERE = marked("No panel, since this notebook runs without a page to click in: the report without it.")


STILL = "cm-still"
"""The class of what stands in a panel's place while there is no panel; followed by the number of the panel's model."""

_HIDDEN_REMAINS = (
    ".jp-OutputArea-child:has(.cm-still) + .jp-OutputArea-child:not(:has(.cm-panel)),"
    ".output_area:has(.cm-still) + .output_area:not(:has(.cm-panel)){display:none}"
)
"""JupyterLab and the classic notebook put an error where a trusted notebook's widget has no kernel any more."""


class Shown:
    """A widget that is on the page behind a report, which takes its place in the end."""

    def __init__(self, still: Any, widget: Any) -> None:
        self._still = still
        self._widget = widget

    def replace(self, report: Report, *, language: str, processes: bool, note: str) -> None:
        """Show a report, as HTML and text, where the widget is."""
        self._still.update(_bundle(report, language=language, processes=processes, note=note), raw=True)
        self._widget.update({"text/plain": ""}, raw=True)


def show(
    report: Report,
    *,
    language: str = ENGLISH,
    everything: bool = False,
    processes: bool = False,
    note: str | None = None,
) -> None:
    """Display text and HTML together; the frontend takes the richer one that it knows.

    `note` is a sentence before the report; it may name the `{time}` of the report.
    """
    bundle = _bundle(report, language=language, everything=everything, processes=processes, note=note)
    # A finished bundle spares IPython's formatters, which cost more than making the report.
    display(bundle, raw=True)  # type: ignore[no-untyped-call]  # IPython has not typed it


def show_widget(view: dict[str, Any], report: Report, *, language: str, processes: bool) -> Shown:
    """Display a report, and right after it a widget, which hides it by a style sheet of its own (see `STILL`).

    Two outputs, because a bundle of both does not read without a kernel: a page that trusts a notebook shows the
    widget of a bundle or an error, and never the rest of it (JupyterLab 4.6, Notebook 7.6 and 6.5, tried 2026-11).
    """
    bundle = _bundle(report, language=language, processes=processes, note=WAS_OPEN)
    marked_as = f"{STILL} {STILL}-{view['model_id']}"
    bundle["text/html"] = f'<div class="{marked_as}"><style>{_HIDDEN_REMAINS}</style>{bundle["text/html"]}</div>'
    still = display(bundle, raw=True, display_id=True)  # type: ignore[no-untyped-call]
    alone = {"application/vnd.jupyter.widget-view+json": view, "text/plain": ""}
    return Shown(still, display(alone, raw=True, display_id=True))  # type: ignore[no-untyped-call]


def print_json(report: Report) -> None:
    """Print one JSON document in one line on standard output."""
    print(json.render(report))


def _bundle(
    report: Report, *, language: str, everything: bool = False, processes: bool = False, note: str | None = None
) -> dict[str, Any]:
    said = note and speaker(language)(note, time=f"{report.snapshot.taken_at:%H:%M:%S}")
    as_text = text.render(report, language=language, everything=everything, processes=processes)
    return {
        "text/plain": f"{said}\n{as_text}" if said else as_text,
        "text/html": html.render(report, language=language, everything=everything, processes=processes, note=said),
    }
