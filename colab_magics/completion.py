"""What Tab offers on a magic's line: the options that the magic has, GPUs' numbers, what a requirement may ask."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from colab_magics import options
from colab_magics.line import ending
from colab_magics.requirement import completion
from colab_magics.values import Record

if TYPE_CHECKING:
    from collections.abc import Callable

_END_OF_WORD = r"[\w.-]*$"
"""What is typed already of a key, or of an accelerator's name."""


class Offer(Record):
    """What may stand in the place of the last characters typed."""

    begun: str
    """Those characters; none behind a space."""
    words: list[str]
    """The words, in the order in which they are read; all of them begin as it was typed."""


def offer(magic: str, typed: str, indices: tuple[str, ...] = (), clusters: Callable[[], list[str]] = list) -> Offer:
    """Return what may follow on a magic's line, typed so far behind its name.

    The indices are those of the GPUs; `clusters` names the variables that drive one, where that is asked for.
    """
    found = ending(typed)
    if found is None:
        return Offer("", [])
    word, expression = found
    if expression is None:
        if typed.removesuffix(word).split()[-1:] == ["--on"] and "--on" in options.flags(magic):
            return Offer(word, [one for one in clusters() if one.startswith(word)])
        known = [*options.flags(magic), *(indices if magic == options.GPU else ())]
        return Offer(word, [one for one in known if one.startswith(word)])
    begun = re.findall(_END_OF_WORD, expression)[0]
    known = completion.completions(expression)
    return Offer(begun, [one for one in known if one.lower().startswith(begun.lower())])
