from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from colab_magics.panel.sparkline import HEIGHT, WIDTH, draw
from colab_magics.translation import translator

ENGLISH = translator("en")


def lines(drawn: str) -> list[list[tuple[int, int]]]:
    found = re.findall(r'<polyline points="([^"]*)"></polyline>', drawn)
    return [[(int(across), int(down)) for across, down in (point.split(",") for point in one.split())] for one in found]


def test_the_right_end_is_now_and_the_left_end_at_least_twenty_seconds_ago() -> None:
    (line,) = lines(draw("RAM", ((10.0, 0.0), (0.0, 100.0)), ENGLISH))

    assert line == [(WIDTH // 2, HEIGHT - 1), (WIDTH, 1)]


def test_more_than_that_fills_the_width() -> None:
    (line,) = lines(draw("RAM", ((300.0, 0.0), (0.0, 0.0)), ENGLISH))

    assert line[0][0] == 0


def test_the_line_breaks_where_nothing_is_known() -> None:
    history = ((40.0, 1.0), (30.0, 2.0), (20.0, None), (10.0, 3.0), (0.0, 4.0))

    assert [len(line) for line in lines(draw("RAM", history, ENGLISH))] == [2, 2]


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
