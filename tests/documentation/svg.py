"""Plots as SVG, drawn by hand: text stays text, the same figures give the same file, and both colour schemes read well.

A page shows such a file as an image, which follows the reader's colour scheme by the style sheet in it.
"""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #202124; }
.title { font-weight: 600; font-size: 15px; }
.small { font-size: 12px; fill: #5f6368; }
.grid { stroke: #dadce0; }
.goal { stroke: #202124; stroke-dasharray: 4 3; }
.c0 { fill: #0b57d0; stroke: #0b57d0; } .c1 { fill: #9a5b00; stroke: #9a5b00; }
.c2 { fill: #137333; stroke: #137333; } .c3 { fill: #8430ce; stroke: #8430ce; }
.c4 { fill: #5f6368; stroke: #5f6368; } .c5 { fill: #b3261e; stroke: #b3261e; }
.line { fill: none; stroke-width: 2; }
@media (prefers-color-scheme: dark) {
text { fill: #e8eaed; }
.small { fill: #bdc1c6; }
.grid { stroke: #4a4d51; }
.goal { stroke: #e8eaed; }
.c0 { fill: #8ab4f8; stroke: #8ab4f8; } .c1 { fill: #fcc35a; stroke: #fcc35a; }
.c2 { fill: #81c995; stroke: #81c995; } .c3 { fill: #c58af9; stroke: #c58af9; }
.c4 { fill: #9aa0a6; stroke: #9aa0a6; } .c5 { fill: #f2a19b; stroke: #f2a19b; }
.line { fill: none; }
}
"""
_WIDTH = 760
_TOP = 34
_LABELS = 270
_FOR_FIGURES = 70
_ROW = 24
_BAR = 9
_BAR_STEP = 14
_DASHES = ("", "7 3", "2 3", "10 3 2 3", "5 5", "1 3")
_LEGEND = 24


class Interval(NamedTuple):
    """A figure and within what it lies."""

    figure: float
    low: float
    high: float


def bars(title: str, series: Sequence[str], rows: Sequence[tuple[str, Sequence[float | None]]], *, unit: str) -> str:
    """Return bars from left to right, one for each series in each row; None is left out."""
    height_of_row = max(_ROW, _BAR_STEP * len(series) + 8)
    most = max(figure for _, figures in rows for figure in figures if figure is not None)
    wide = _WIDTH - _LABELS - _FOR_FIGURES
    body = []
    top = _TOP + (_LEGEND if len(series) > 1 else 0)
    for number, (label, figures) in enumerate(rows):
        middle = top + number * height_of_row + height_of_row / 2
        body.append(_text(_LABELS - 8, middle + 4, label, anchor="end"))
        first = middle - _BAR_STEP * len(series) / 2 + (_BAR_STEP - _BAR) / 2
        for place, figure in enumerate(figures):
            if figure is None:
                continue
            at = first + place * _BAR_STEP
            width = max(1.0, wide * figure / most)
            body.append(f'<rect class="c{place}" x="{_LABELS}" y="{at:.1f}" width="{width:.1f}" height="{_BAR}"/>')
            body.append(_text(_LABELS + width + 6, at + _BAR, f"{spoken(figure)} {unit}", names="small"))
    body += _legend(series) if len(series) > 1 else []
    return _whole(title, body, top + height_of_row * len(rows) + 8)


def dots(title: str, series: Sequence[str], rows: Sequence[tuple[str, Sequence[Interval | None]]], *, goal: str) -> str:
    """Return a dot with its interval for each series in each row, on a logarithmic scale where 1 is what is meant."""
    every = [interval for _, intervals in rows for interval in intervals if interval is not None]
    low = min(0.5, *(interval.low for interval in every)) / 1.1
    high = max(2.0, *(interval.high for interval in every)) * 1.1
    wide = _WIDTH - _LABELS - 20

    def across(figure: float) -> float:
        return _LABELS + wide * math.log(figure / low) / math.log(high / low)

    top, bottom = _TOP + _LEGEND, _TOP + _LEGEND + _ROW * len(rows)
    body = []
    for tick in (0.125, 0.25, 0.5, 1, 2, 4, 8, 16):
        if low <= tick <= high:
            kind = "goal" if tick == 1 else "grid"
            body.append(f'<path class="{kind}" d="M{across(tick):.1f} {top}V{bottom}"/>')
            body.append(_text(across(tick), bottom + 16, goal if tick == 1 else f"{tick:g} x", "small", "middle"))
    for number, (label, intervals) in enumerate(rows):
        middle = top + number * _ROW + _ROW / 2
        body.append(_text(_LABELS - 8, middle + 4, label, anchor="end"))
        for place, interval in enumerate(intervals):
            if interval is not None:
                at = middle + 7 * (place - (len(series) - 1) / 2)
                low_at, figure_at, high_at = map(across, (interval.low, interval.figure, interval.high))
                body.append(f'<path class="c{place} line" d="M{low_at:.1f} {at:.1f}H{high_at:.1f}"/>')
                body.append(_mark(place, figure_at, at))
    return _whole(title, [*body, *_legend(series, _mark)], bottom + 26)


def lines(
    title: str,
    series: Sequence[str],
    panels: Sequence[tuple[str, Sequence[Sequence[float]]]],
    *,
    steps: Sequence[str],
    unit: str,
) -> str:
    """Return panels side by side, in each a line for each series over the same steps, on one logarithmic scale."""
    every = [figure for _, of_series in panels for figures in of_series for figure in figures]
    low, high = 10 ** math.floor(math.log10(min(every))), 10 ** math.ceil(math.log10(max(every)))
    top, tall, left, gap = _TOP + _LEGEND * (1 + (len(series) - 1) // 3) + 18, 220, 80, 20
    wide = (_WIDTH - left - 10 - gap * (len(panels) - 1)) / len(panels)

    def up(figure: float) -> float:
        return top + tall * (1 - math.log(figure / low) / math.log(high / low))

    body = []
    decades = [low * 10**power for power in range(round(math.log10(high / low)) + 1)]
    body += [_text(left - 8, up(tick) + 4, f"{tick:,g} {unit}", "small", "end") for tick in decades]
    for number, (label, of_series) in enumerate(panels):
        start = left + number * (wide + gap)
        body.append(_text(start + wide / 2, top - 8, label, anchor="middle"))
        body += [f'<path class="grid" d="M{start:.1f} {up(tick):.1f}h{wide:.1f}"/>' for tick in decades]
        places = [start + wide * (step + 0.5) / len(steps) for step in range(len(steps))]
        body += [_text(at, top + tall + 18, step, "small", "middle") for at, step in zip(places, steps, strict=True)]
        for place, figures in enumerate(of_series):
            points = [(at, up(figure)) for at, figure in zip(places, figures, strict=True)]
            path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
            body.append(f'<path class="c{place} line" stroke-dasharray="{_DASHES[place]}" d="M{path}"/>')
            body += [_mark(place, x, y) for x, y in points]
    return _whole(title, [*body, *_legend(series, _mark)], top + tall + 30)


def spoken(figure: float) -> str:
    """Return a figure to three digits, never as a power of ten."""
    digits = max(0, 2 - math.floor(math.log10(abs(figure)))) if figure else 0
    return f"{figure:,.{min(digits, 2)}f}"


def _mark(place: int, x: float, y: float) -> str:
    """Return what stands for a series at a place; its form tells it too, where colours are not seen."""
    across = 3.5
    corners = (
        ((-1, -1), (1, -1), (1, 1), (-1, 1)),
        ((0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)),
        ((0, -1.2), (1.2, 1), (-1.2, 1)),
        ((0, 1.2), (1.2, -1), (-1.2, -1)),
        ((-1.3, -0.5), (1.3, -0.5), (1.3, 0.5), (-1.3, 0.5)),
    )
    if place == 0:
        return f'<circle class="c0" cx="{x:.1f}" cy="{y:.1f}" r="{across}"/>'
    drawn = " ".join(f"{x + across * right:.1f},{y + across * down:.1f}" for right, down in corners[place - 1])
    return f'<polygon class="c{place}" points="{drawn}"/>'


def _bar(place: int, x: float, y: float) -> str:
    return f'<rect class="c{place}" x="{x - 6:.1f}" y="{y - _BAR / 2:.1f}" width="12" height="{_BAR}"/>'


def _legend(series: Sequence[str], sign: Callable[[int, float, float], str] = _bar) -> Iterator[str]:
    for place, name in enumerate(series):
        x, y = 10 + 250 * (place % 3), _TOP + _LEGEND * (place // 3)
        yield sign(place, x + 6, y + _BAR / 2)
        yield _text(x + 18, y + _BAR, name, names="small")


def _text(x: float, y: float, text: str, names: str = "", anchor: str = "start") -> str:
    named = f' class="{names}"' if names else ""
    return f'<text{named} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{html.escape(text)}</text>'


def _whole(title: str, body: Sequence[str], height: float) -> str:
    size = f'width="{_WIDTH}" viewBox="0 0 {_WIDTH} {height:.0f}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{html.escape(title)}">',
        f"<title>{html.escape(title)}</title>",
        f"<style>{_STYLE}</style>",
        _text(10, 18, title, "title"),
        *body,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"
