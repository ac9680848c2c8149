"""The last minutes as a small line: inline SVG in the page's own colour, with a name that says it in words."""

from __future__ import annotations

from html import escape
from itertools import groupby
from typing import TYPE_CHECKING

from colab_magics.views import words

if TYPE_CHECKING:
    from colab_magics.views.language import Say
    from colab_magics.views.panel.gauges import Course

WIDTH, HEIGHT = 100, 20
"""The size of the drawing in its own units; 100 % lies one unit below the upper edge, 0 % one above the lower."""

_MOST_POINTS = 40
_LEAST_SPAN_SECONDS = 60.0


def draw(label: str, course: Course, say: Say) -> str:
    """Return the line, its right end being now; nothing for fewer than two known moments.

    Where there are more moments than points, each point is the greatest of its share of them: what ends a kernel is a
    peak. The line breaks where nothing is known.
    """
    known = [percent for _, percent in course if percent is not None]
    if len(known) < 2:  # noqa: PLR2004 - a line has two ends
        return ""
    span_seconds = max(_LEAST_SPAN_SECONDS, course[0][0])
    lines = []
    for is_known, piece in groupby(_thinned(course), lambda moment: moment[1] is not None):
        if is_known:
            points = " ".join(_point(seconds_ago, percent or 0.0, span_seconds) for seconds_ago, percent in piece)
            lines.append(f'<polyline points="{points}"/>')
    name = say(
        "{label}, last {span}: {least} to {most} %",
        label=label,
        span=words.duration(course[0][0], say),
        least=f"{min(known):.0f}",
        most=f"{max(known):.0f}",
    )
    return (
        f'<svg class="cm-spark" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(name)}">{"".join(lines)}</svg>'
    )


def _thinned(course: Course) -> Course:
    size = -(-len(course) // _MOST_POINTS)
    groups = [course[start : start + size] for start in range(0, len(course), size)]
    return tuple((group[-1][0], max((one for _, one in group if one is not None), default=None)) for group in groups)


def _point(seconds_ago: float, percent: float, span_seconds: float) -> str:
    across = WIDTH * (1 - seconds_ago / span_seconds)
    down = (HEIGHT - 2) * (1 - min(100.0, max(0.0, percent)) / 100) + 1
    return f"{across:.0f},{down:.0f}"
