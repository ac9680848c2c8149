"""What may be typed next in a requirement."""

from __future__ import annotations

import re

from colab_magics.facts.accelerators import offered
from colab_magics.model import KEYS
from colab_magics.requirement.names import KINDS
from colab_magics.requirement.parser import AND, pieces


def completions(text: str) -> list[str]:
    """Return the keys, or after a key's operator the accelerators of its kind, for an expression typed so far."""
    clause: list[str] = []
    for joint, _, piece in pieces(text):
        clause = [piece] if joint == AND else [*clause, piece]
    compared = re.match(r"\s*(\w+)\s*==?(?![<>=!])", next((one for one in reversed(clause) if "=" in one), ""))
    key = compared[1].lower() if compared else ""
    if key in KINDS:
        return [one.menu_name.removesuffix(f" {key.upper()}") for one in offered() if one.kind == key]
    return [] if re.search("[<>=!~]", clause[-1]) else list(KEYS)
