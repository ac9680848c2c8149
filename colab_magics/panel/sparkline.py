"""The last minutes as a small line: inline SVG in the page's own colour, with a name that says it in words."""

from __future__ import annotations

from itertools import pairwise
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
    """Return the ground below the line and the line, its right end being now; nothing for fewer than two known moments.

    Both break where nothing is known.
    """
    known = [percent for _, percent in history if percent is not None]
    if len(known) < 2:  # noqa: PLR2004 - a line has two ends
        return Html()
    per_second = WIDTH / max(_LEAST_SPAN_SECONDS, history[0][0])
    per_percent = (HEIGHT - 2) / 100
    lines: list[list[tuple[int, int]]] = [[]]
    for seconds_ago, percent in history:
        if percent is None:
            lines.append([])
            continue
        down = HEIGHT - 1 - per_percent * min(100.0, max(0.0, percent))
        lines[-1].append((round(WIDTH - per_second * seconds_ago), round(down)))
    drawn = [(_path(points), points[0][0]) for points in lines if points]
    name = translate(
        "{label}, last {span}: {least} to {most} %",
        label=label,
        span=messages.duration(history[0][0], translate),
        least=f"{min(known):.0f}",
        most=f"{max(known):.0f}",
    )
    return element(
        "svg",
        element("path", d="".join(f"{path}V{HEIGHT}H{begin}" for path, begin in drawn)),
        element("path", d="".join(path for path, _ in drawn)),
        class_="cm-spark",
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        preserveAspectRatio="none",
        role="img",
        aria_label=name,
    )


def _path(points: list[tuple[int, int]]) -> str:
    """Return a line by its steps: a refresh sends it twice, and this takes half as many letters as its points."""
    steps = (f"{across - before[0]} {down - before[1]}" for before, (across, down) in pairwise(points))
    return f"M{points[0][0]} {points[0][1]}l{' '.join(steps)}".replace(" -", "-")
