"""What Tab offers on a magic's line: the options that the magic has, GPUs' numbers, what a requirement may ask."""

from __future__ import annotations

import re

from colab_magics import options
from colab_magics.line import ending
from colab_magics.requirement import completion
from colab_magics.values import Record

_END_OF_WORD = r"[\w.-]*$"
"""What is typed already of a key, or of an accelerator's name."""


class Offer(Record):
    """What may stand in the place of the last characters typed."""

    begun: str
    """Those characters; none behind a space."""
    words: list[str]
    """The words, in the order in which they are read; all of them begin as it was typed."""


def offer(magic: str, typed: str, indices: tuple[str, ...] = ()) -> Offer:
    """Return what may follow on a magic's line, typed so far behind its name. The indices are those of the GPUs."""
    found = ending(typed)
    if found is None:
        return Offer("", [])
    word, expression = found
    if expression is None:
        known = [*options.flags(magic), *(indices if magic == options.GPU else ())]
        return Offer(word, [one for one in known if one.startswith(word)])
    begun = re.findall(_END_OF_WORD, expression)[0]
    known = completion.completions(expression)
    return Offer(begun, [one for one in known if one.lower().startswith(begun.lower())])
