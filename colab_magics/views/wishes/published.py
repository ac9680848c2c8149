"""Lifetimes and quotas as a service has published them: never what is left of them, which no kernel can see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics import facts
from colab_magics.views.html import escaped
from colab_magics.translation import marked
from colab_magics.views.guide_html import listed, paragraph

if TYPE_CHECKING:
    from colab_magics.model import Service
    from colab_magics.translation import Say

APPLIES = {
    "cli_keep_alive": marked("from Colab's command line: it stops keeping the runtime alive then"),
    "enterprise_idle": marked("without code running, by default"),
    "enterprise_lifetime": marked("for the default runtime, which is deleted then"),
    "free_lifetime": marked("without compute units, at most; depending on availability and use"),
    "idle": marked("without code running; the FAQ publishes no figure"),
    "kaggle_gpu_week": marked("with a GPU, in a week"),
    "kaggle_tpu_week": marked("with a TPU, in a week"),
    "pro_plus_lifetime": marked("with Pro+, at most, while code runs and compute units last"),
    "vscode_idle": marked("from the VS Code extension, without activity in the editor; it can be extended there"),
}
"""What the table of limits says of each, marked for translation."""

_SPANS = {"hours": marked("{number} h"), "minutes": marked("{number} min")}


def limits(service: Service, say: Say) -> str:
    """Return what a service has published, each with the day it was read; nothing where that is nothing."""
    items = [_limit(limit, say) for limit in facts.limits() if limit.service == service]
    return paragraph([say("Lifetimes as published")], say) + listed(items) if items else ""


def _limit(limit: facts.PublishedLimit, say: Say) -> str:
    number = say(_SPANS[limit.unit], number=f"{limit.value:g}")
    figure = say("about {number}", number=number) if limit.about else number
    applies = say("{facts} (read {date})", facts=say(APPLIES[limit.key]), date=limit.date)
    return f"<strong>{escaped(figure)}</strong> {escaped(applies)}"
