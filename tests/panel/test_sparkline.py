from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from colab_magics.panel.sparkline import HEIGHT, WIDTH, axis, draw
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


def drawing(label: str, *history: tuple[float, float | None]) -> str:
    """Return the line of moments, each some seconds ago with its share in percent."""
    moments = axis([seconds for seconds, _ in history], ENGLISH)
    return draw(label, moments, [percent for _, percent in history], ENGLISH)


def lines(drawn: str) -> list[list[tuple[int, int]]]:
    _, line = re.findall(r'<path d="([^"]*)"/>', drawn)
    return read(line)


def test_the_right_end_is_now_and_the_left_end_at_least_twenty_seconds_ago() -> None:
    (line,) = lines(drawing("RAM", (10.0, 0.0), (0.0, 100.0)))

    assert line == [(WIDTH // 2, HEIGHT - 1), (WIDTH, 1)]


def test_more_than_that_fills_the_width() -> None:
    (line,) = lines(drawing("RAM", (300.0, 0.0), (0.0, 0.0)))

    assert line[0][0] == 0


def test_the_line_breaks_where_nothing_is_known() -> None:
    history = ((40.0, 1.0), (30.0, 2.0), (20.0, None), (10.0, 3.0), (0.0, 4.0))

    assert [len(line) for line in lines(drawing("RAM", *history))] == [2, 2]


def test_below_each_line_its_ground_is_shaded_down_to_the_edge() -> None:
    history = ((20.0, 0.0), (15.0, 100.0), (10.0, None), (5.0, 50.0), (0.0, 50.0))
    drawn = drawing("RAM", *history)
    ground, _ = re.findall(r'<path d="([^"]*)"/>', drawn)

    assert lines(drawn) == [[(0, HEIGHT - 1), (WIDTH // 4, 1)], [(WIDTH * 3 // 4, HEIGHT // 2), (WIDTH, HEIGHT // 2)]]
    assert read(ground) == [[*line, (line[-1][0], HEIGHT), (line[0][0], HEIGHT)] for line in lines(drawn)]


def test_one_moment_is_no_line() -> None:
    assert drawing("RAM", (0.0, 50.0)) == ""
    assert drawing("RAM", (2.0, None), (0.0, 50.0)) == ""
    assert draw("Disk", axis([2.0, 0.0], ENGLISH), (), ENGLISH) == ""
    assert draw("CPU", axis([], ENGLISH), (), ENGLISH) == ""


def test_one_moment_between_two_gaps_is_a_dot_and_hides_nothing_of_what_follows() -> None:
    history = ((40.0, 50.0), (30.0, None), (20.0, 0.0), (0.0, 0.0))

    assert [len(line) for line in lines(drawing("RAM", *history))] == [2, 2]


def test_where_it_runs_level_it_has_no_corners_and_looks_the_same() -> None:
    percents = [0.0] * 5 + [100.0] * 3 + [50.0, 0.0] + [0.2] * 4
    (line,) = lines(drawing("RAM", *((70.0 - 5.0 * place, percent) for place, percent in enumerate(percents))))

    assert line == [(0, 19), (29, 19), (36, 1), (50, 1), (57, 10), (64, 19), (93, 19)]


def test_its_name_says_it_in_words() -> None:
    (shown,) = ET.fromstring(f"<p>{drawing('RAM', (180.0, 12.0), (90.0, 70.0), (0.0, 33.0))}</p>")

    assert shown.get("role") == "img"
    assert shown.get("aria-label") == "RAM, last 3 min: 12 to 70 %"


def test_a_label_from_outside_is_escaped() -> None:
    assert "<b>" not in drawing('"<b>', (2.0, 1.0), (0.0, 2.0))


def test_what_lies_outside_a_hundred_percent_stays_inside_the_drawing() -> None:
    (line,) = lines(drawing("fan", (60.0, -5.0), (0.0, 120.0)))

    assert {down for _, down in line} == {1, HEIGHT - 1}
