"""Put a report in front of the user: as one display bundle, or as one line of JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from IPython.display import display

from colab_magics.views import html, json, text
from colab_magics.views.language import ENGLISH

if TYPE_CHECKING:
    from colab_magics.model import Report


def show(report: Report, *, language: str = ENGLISH, everything: bool = False, processes: bool = False) -> None:
    """Display text and HTML together; the frontend takes the richer one that it knows."""
    bundle = {
        "text/plain": text.render(report, language=language, everything=everything, processes=processes),
        "text/html": html.render(report, language=language, everything=everything, processes=processes),
    }
    # A finished bundle spares IPython's formatters, which cost more than making the report.
    display(bundle, raw=True)  # type: ignore[no-untyped-call]  # IPython has not typed it


def print_json(report: Report) -> None:
    """Print one JSON document in one line on standard output."""
    print(json.render(report))
