"""What can be told from the pixels only: how far the bars stand out."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image

if TYPE_CHECKING:
    from playwright.sync_api import Locator

Colour = tuple[int, int, int]
MARGIN = 6
_LEAST_SHARE, _MOST_SHARE = 0.05, 0.95
"""Between them both parts of a bar are wide enough to have a pixel that is wholly theirs."""


class Bar(NamedTuple):
    """A bar as it is drawn, with the contrast of its filled part to the rest of it, and of that to what is around."""

    name: str
    fill_to_track: float
    track_to_page: float


def bars(root: Locator) -> list[Bar]:
    """Return the bars within `root` that are neither all full nor all empty."""
    meters = [(meter, _share(meter)) for meter in root.locator("meter").all()]
    return [_bar(meter, share) for meter, share in meters if _LEAST_SHARE < share < _MOST_SHARE]


def contrast(one: Colour, other: Colour) -> float:
    """Return the contrast of two colours as WCAG 2 defines it, 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: Colour) -> float:
    def linear(part: int) -> float:
        share = part / 255
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    red, green, blue = map(linear, colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _share(meter: Locator) -> float:
    return float(meter.evaluate("meter => (meter.value - meter.min) / (meter.max - meter.min)"))


def picture(one: Locator) -> bytes:
    """Take a picture of something and a little of what is around it, where its outline and its shadow are."""
    one.scroll_into_view_if_needed()
    box = one.bounding_box()
    if box is None:
        raise ValueError("it is not to be seen")
    clip = {"x": box["x"] - MARGIN, "y": box["y"] - MARGIN}
    return one.page.screenshot(clip=clip | {"width": box["width"] + 2 * MARGIN, "height": box["height"] + 2 * MARGIN})


def _bar(meter: Locator, share: float) -> Bar:
    drawn = Image.open(io.BytesIO(picture(meter))).convert("RGB")
    width, middle = drawn.width - 2 * MARGIN, drawn.height / 2

    def colour(across: float, down: float) -> Colour:
        at = drawn.getpixel((round(across), round(down)))
        return (int(at[0]), int(at[1]), int(at[2]))

    fill = colour(MARGIN + width * share / 2, middle)
    track = colour(MARGIN + width * (1 + share) / 2, middle)
    return Bar(str(meter.get_attribute("title")), contrast(fill, track), contrast(track, colour(drawn.width / 2, 1)))


def edge(one: Locator) -> float:
    """Return how far the left edge of something stands out from what is around it, at half its height."""
    drawn = Image.open(io.BytesIO(picture(one))).convert("RGB")
    row = [drawn.getpixel((x, drawn.height // 2)) for x in range(2 * MARGIN)]
    colours = [(int(red), int(green), int(blue)) for red, green, blue in row]
    return max(contrast(colour, colours[0]) for colour in colours)
