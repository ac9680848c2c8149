"""The last minutes as a small line: inline SVG in the page's own colour, with a name that says it in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

from colab_magics.views import messages
from colab_magics.views.markup import Html, escaped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from colab_magics.panel.gauges import Shares
    from colab_magics.translation import Translator

WIDTH, HEIGHT = 100, 20
"""The size of the drawing in its own units; 100 % lies one unit below the upper edge, 0 % one above the lower."""

_LEAST_SPAN_SECONDS = 20.0
_LOWEST = HEIGHT - 1
_PER_PERCENT = (HEIGHT - 2) / 100
_BEGIN = f'<svg class="cm-spark" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" role="img" aria-label="'


class Axis(NamedTuple):
    """The moments of a look, of which all its lines are drawn."""

    across: list[int]
    """How far from the left each of them lies, the oldest first."""
    span: str
    """How long they last, in words."""


def axis(seconds_ago: Sequence[float], translate: Translator) -> Axis | None:
    """Return the moments, told from the oldest on, in a drawing whose right end is now; None where there are none."""
    if not seconds_ago:
        return None
    per_second = WIDTH / max(_LEAST_SPAN_SECONDS, seconds_ago[0])
    across = [round(WIDTH - per_second * seconds) for seconds in seconds_ago]
    return Axis(across, messages.duration(seconds_ago[0], translate))


def draw(label: str, moments: Axis | None, percents: Shares, translate: Translator) -> Html:
    """Return the line of the shares at these moments, and the ground below it; nothing where fewer than two are known.

    Both break where nothing is known.
    """
    known = [percent for percent in percents if percent is not None]
    if moments is None or len(known) < 2:  # noqa: PLR2004 - a line has two ends
        return Html()
    least, most = min(known), max(known)
    if least < 0 or most > 100:  # noqa: PLR2004 - percent
        percents = [percent if percent is None else min(100.0, max(0.0, percent)) for percent in percents]
    name = translate(
        "{label}, last {span}: {least} to {most} %",
        label=label,
        span=moments.span,
        least=f"{least:.0f}",
        most=f"{most:.0f}",
    )
    line = ground = ""
    for across, part in _parts(moments.across, percents):
        path = _path(across, [int(_LOWEST + 0.5 - _PER_PERCENT * percent) for percent in part])
        line += path
        ground += f"{path}V{HEIGHT}H{across[0]}"
    # Not by `element`: at every refresh that would look for what to escape in hundreds of figures.
    return Html(f'{_BEGIN}{escaped(name)}"><path d="{ground}"/><path d="{line}"/></svg>')


def _parts(across: list[int], percents: Shares) -> list[tuple[list[int], Sequence[float]]]:
    """Return the stretches in which all is known."""
    parts = []
    begin = 0
    for end in [*(place for place, percent in enumerate(percents) if percent is None), len(percents)]:
        if begin < end:
            parts.append((across[begin:end], cast("Sequence[float]", percents[begin:end])))
        begin = end + 1
    return parts


def _path(across: list[int], down: list[int]) -> str:
    """Return a line in few letters, since a refresh sends it twice: by the steps between its corners.

    Where it runs level there are none.
    """
    steps = []
    level, corner = down[0], across[0]
    before = corner
    for right, here in zip(across, down, strict=True):
        if here != level:
            if before != corner:
                steps.append(f"{before - corner} 0")
            steps.append(f"{right - before} {here - level}")
            level, corner = here, right
        before = right
    if before != corner or not steps:  # no step at all is a dot
        steps.append(f"{before - corner} 0")
    return f"M{across[0]} {down[0]}l{' '.join(steps)}".replace(" -", "-")
