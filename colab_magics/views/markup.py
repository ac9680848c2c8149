"""HTML as a type of its own: whatever is not HTML yet is escaped where it becomes part of some."""

from __future__ import annotations

import functools
from html import escape
from typing import TYPE_CHECKING

from colab_magics.units import printable

if TYPE_CHECKING:
    from collections.abc import Iterable


class Html(str):
    """A piece of HTML. Made by the functions below, or from a text of ours that holds nothing from outside."""

    __slots__ = ()


def escaped(text: str) -> Html:
    """Make text fit to stand in HTML: the one place where it is escaped."""
    return Html(escape(printable(text)))


def joined(pieces: Iterable[str | Html]) -> Html:
    """Return pieces as one; those that are no HTML are escaped."""
    return Html("".join([piece if isinstance(piece, Html) else escaped(piece) for piece in pieces]))


def element(name: str, /, *content: str | Html, **attributes: str | None) -> Html:
    """Return an element with its content, of which what is no HTML is escaped, as by `escaped`.

    An attribute is named as in HTML, with `_` for `-` and one at the end where Python has the word: `class_`,
    `aria_label`. One that is None is left out.

    >>> element("p", "1 < 2 ", element("b", "& more"), class_="note")
    '<p class="note">1 &lt; 2 <b>&amp; more</b></p>'
    """
    pieces = ["<", name]
    for key, value in attributes.items():
        if value is not None:
            pieces.append(_attribute(key, value))
    pieces.append(">")
    for piece in content:
        pieces.append(piece if type(piece) is Html else escape(printable(piece)))  # noqa: PERF401 - a list for both
    pieces += ("</", name, ">")
    return Html("".join(pieces))


@functools.lru_cache(maxsize=512)
def _attribute(key: str, value: str) -> str:
    """Return an attribute as it stands in a tag: most are the same in every report."""
    return f' {key.rstrip("_").replace("_", "-")}="{escape(printable(value))}"'
