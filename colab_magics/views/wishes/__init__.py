"""What a person wants of the machine, and the way there click by click: "I want a GPU", "more memory", ..."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from colab_magics.model import Service
from colab_magics.translation import ENGLISH, marked, speaker
from colab_magics.views.wishes import elsewhere, hosted, pages

if TYPE_CHECKING:
    from colab_magics.model import Report
    from colab_magics.translation import Say


class Wish(enum.StrEnum):
    """What people want of a machine, in the order in which it is offered."""

    GPU = "gpu"
    TPU = "tpu"
    MEMORY = "memory"
    LONGER = "longer"
    CHEAPER = "cheaper"
    LIMIT = "limit"


_LABELS = {
    Wish.GPU: marked("a GPU"),
    Wish.TPU: marked("a TPU"),
    Wish.MEMORY: marked("more memory"),
    Wish.LONGER: marked("longer runs"),
    Wish.CHEAPER: marked("to stop paying"),
    Wish.LIMIT: marked("I hit a limit"),
}
_ON_COLAB = {
    Wish.GPU: hosted.gpu,
    Wish.TPU: hosted.tpu,
    Wish.MEMORY: hosted.memory,
    Wish.LONGER: hosted.longer,
    Wish.CHEAPER: hosted.cheaper,
    Wish.LIMIT: hosted.limit,
}
_ELSEWHERE = {
    Wish.GPU: elsewhere.gpu,
    Wish.TPU: elsewhere.tpu,
    Wish.MEMORY: elsewhere.memory,
    Wish.LONGER: elsewhere.longer,
    Wish.CHEAPER: elsewhere.cheaper,
    Wish.LIMIT: elsewhere.limit,
}


def label(wish: Wish, say: Say) -> str:
    """Return the words that follow "I want" on a button."""
    return say(_LABELS[wish])


def render(wish: Wish, report: Report, *, language: str = ENGLISH) -> str:
    """Return the way to what is wanted, for the place the report comes from, as one `<div>` without a style sheet."""
    say = speaker(language)
    ways = _ON_COLAB if report.snapshot.platform.service is Service.COLAB else _ELSEWHERE
    return pages.render(ways[wish](report, say), say)
