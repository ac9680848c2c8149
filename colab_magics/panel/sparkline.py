"""The last minutes as a small line: inline SVG in the page's own colour, with a name that says it in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics.views import messages
from colab_magics.views.markup import Html, element

if TYPE_CHECKING:
    from colab_magics.panel.gauges import History
    from colab_magics.translation import Translator

WIDTH, HEIGHT = 100, 20
"""The size of the drawing in its own units; 100 % lies one unit below the upper edge, 0 % one above the lower."""

_LEAST_SPAN_SECONDS = 20.0


def draw(label: str, history: History, translate: Translator) -> Html:
    """Return the line, its right end being now; nothing for fewer than two known moments.

    The line breaks where nothing is known.
    """
    known = [percent for _, percent in history if percent is not None]
    if len(known) < 2:  # noqa: PLR2004 - a line has two ends
        return Html()
    per_second = WIDTH / max(_LEAST_SPAN_SECONDS, history[0][0])
    per_percent = (HEIGHT - 2) / 100
    lines = [""]
    for seconds_ago, percent in history:
        if percent is None:
            lines.append("")
            continue
        down = HEIGHT - 1 - per_percent * min(100.0, max(0.0, percent))
        lines[-1] += f" {WIDTH - per_second * seconds_ago:.0f},{down:.0f}"
    drawn = (element("polyline", points=points[1:]) for points in lines if points)
    name = translate(
        "{label}, last {span}: {least} to {most} %",
        label=label,
        span=messages.duration(history[0][0], translate),
        least=f"{min(known):.0f}",
        most=f"{max(known):.0f}",
    )
    return element(
        "svg",
        *drawn,
        class_="cm-spark",
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        preserveAspectRatio="none",
        role="img",
        aria_label=name,
    )
