"""What may be typed next in a requirement."""

from __future__ import annotations

import re

from colab_magics.facts.accelerators import offered
from colab_magics.requirement.parser import KEYS

_NAMED = ("gpu", "tpu")


def completions(text: str) -> list[str]:
    """Return the keys, or after a key's operator the accelerators of its kind, for an expression typed so far."""
    part = re.split("[,|]", text)[-1]
    clause = text.rpartition(",")[2]
    key = clause.partition("=")[0].strip().lower()
    if "=" in clause and key in _NAMED:
        return [one.menu_name.removesuffix(f" {key.upper()}") for one in offered() if one.kind == key]
    return [] if re.search("[<>=!]", part) else list(KEYS)
