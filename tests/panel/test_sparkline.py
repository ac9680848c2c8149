from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from colab_magics.panel.sparkline import HEIGHT, WIDTH, draw
from colab_magics.translation import translator

ENGLISH = translator("en")


def read(path: str) -> list[list[tuple[int, int]]]:
    """Return the corners of each part of a path of steps."""
    parts = []
    for part in path.split("M")[1:]:
        begin, steps, edge = re.fullmatch(r"([^l]*)l([^V]*)(.*)", part).groups()
        corners = [tuple(map(int, re.findall(r"-?\d+", begin)))]
        figures = [int(figure) for figure in re.findall(r"-?\d+", steps)]
        for across, down in zip(figures[::2], figures[1::2], strict=True):
            corners.append((corners[-1][0] + across, corners[-1][1] + down))
        if edge:
            down, across = map(int, re.fullmatch(r"V(\d+)H(\d+)", edge).groups())
            corners += [(corners[-1][0], down), (across, down)]
        parts.append(corners)
    return parts


def lines(drawn: str) -> list[list[tuple[int, int]]]:
    _, line = re.findall(r'<path d="([^"]*)"></path>', drawn)
    return read(line)


def test_the_right_end_is_now_and_the_left_end_at_least_twenty_seconds_ago() -> None:
    (line,) = lines(draw("RAM", ((10.0, 0.0), (0.0, 100.0)), ENGLISH))

    assert line == [(WIDTH // 2, HEIGHT - 1), (WIDTH, 1)]


def test_more_than_that_fills_the_width() -> None:
    (line,) = lines(draw("RAM", ((300.0, 0.0), (0.0, 0.0)), ENGLISH))

    assert line[0][0] == 0


def test_the_line_breaks_where_nothing_is_known() -> None:
    history = ((40.0, 1.0), (30.0, 2.0), (20.0, None), (10.0, 3.0), (0.0, 4.0))

    assert [len(line) for line in lines(draw("RAM", history, ENGLISH))] == [2, 2]


def test_below_each_line_its_ground_is_shaded_down_to_the_edge() -> None:
    history = ((20.0, 0.0), (15.0, 100.0), (10.0, None), (5.0, 50.0), (0.0, 50.0))
    drawn = draw("RAM", history, ENGLISH)
    ground, _ = re.findall(r'<path d="([^"]*)"></path>', drawn)

    assert lines(drawn) == [[(0, HEIGHT - 1), (WIDTH // 4, 1)], [(WIDTH * 3 // 4, HEIGHT // 2), (WIDTH, HEIGHT // 2)]]
    assert read(ground) == [[*line, (line[-1][0], HEIGHT), (line[0][0], HEIGHT)] for line in lines(drawn)]


def test_one_moment_is_no_line() -> None:
    assert draw("RAM", ((0.0, 50.0),), ENGLISH) == ""
    assert draw("RAM", ((2.0, None), (0.0, 50.0)), ENGLISH) == ""


def test_its_name_says_it_in_words() -> None:
    (drawing,) = ET.fromstring(f"<p>{draw('RAM', ((180.0, 12.0), (90.0, 70.0), (0.0, 33.0)), ENGLISH)}</p>")

    assert drawing.get("role") == "img"
    assert drawing.get("aria-label") == "RAM, last 3 min: 12 to 70 %"


def test_a_label_from_outside_is_escaped() -> None:
    assert "<b>" not in draw('"<b>', ((2.0, 1.0), (0.0, 2.0)), ENGLISH)


def test_what_lies_outside_a_hundred_percent_stays_inside_the_drawing() -> None:
    (line,) = lines(draw("fan", ((60.0, -5.0), (0.0, 120.0)), ENGLISH))

    assert {down for _, down in line} == {1, HEIGHT - 1}
