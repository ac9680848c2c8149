"""Whether a panel can be opened here, and what one is handed: a source of reports, and the end of each cell."""

from __future__ import annotations

import importlib.util
import os
import sys
import time
from typing import TYPE_CHECKING, Any

from colab_magics import options
from colab_magics.model import Platform, Subject, Unavailable
from colab_magics.observer.samples import SECOND_AFTER_SECONDS
from colab_magics.probes.frontend import is_nobody_there
from colab_magics.probes.platform import probe_platform
from colab_magics.translation import N_

if TYPE_CHECKING:
    from collections.abc import Mapping

    from colab_magics.panel.session import Panel
    from colab_magics.panel.source import Source
    from colab_magics.report import Report
    from colab_magics.views.render_options import RenderOptions

SUBJECTS = {options.GPU: Subject.GPU, options.RAM: Subject.RAM, options.STATUS: Subject.RUNTIME}
"""What a magic's panel is about."""

_NO_IPYWIDGETS = N_("No panel, since ipywidgets is not installed (%pip install ipywidgets): the report without it.")
_NO_PAGE = N_("No panel, since it needs a notebook's page: the report without it.")
_NOBODY_THERE = N_("No panel, since this notebook runs without a page to click in: the report without it.")


def why_no_panel(shell: Any, *, shell_class: str | None, environment: Mapping[str, str] = os.environ) -> str | None:
    """Return why no panel can be opened here, as a sentence marked for translation; None where one can."""
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return _NO_PAGE
    frontend = probe_platform(shell_class=shell_class, environment=environment).frontend
    if is_nobody_there(frontend, kernel, environment):
        return _NOBODY_THERE
    return _NO_IPYWIDGETS if importlib.util.find_spec("ipywidgets") is None else None


def open_panel(first: Report, source: Source, shell: Any, chosen: RenderOptions, *, period_seconds: float) -> Panel:
    """Open a panel that begins with a report and goes on looking.

    One that does not move by itself looks once more before it is shown, at most `SECOND_AFTER_SECONDS` later, so that
    it has what needs two samples: a share of CPU time, and lines.
    """
    started = time.monotonic()
    from colab_magics.panel.session import Panel

    moves = moves_by_itself(first)
    if not moves and not isinstance(first.snapshot.gpus, Unavailable):  # else the driver would be waited for again
        time.sleep(max(0.0, SECOND_AFTER_SECONDS - (time.monotonic() - started)))
        first = source.look(sample_every_seconds=period_seconds)
    panel = Panel(first, source, shell.events, chosen, period_seconds=period_seconds, moves_by_itself=moves)
    panel.open()
    return panel


def moves_by_itself(report: Report) -> bool:
    """Tell whether the page shows what a thread sends, and a thread runs while the kernel is idle.

    Where gevent has taken the place of threading, it does not: the kernel waits in a loop that is not gevent's.
    """
    platform = report.snapshot.platform
    shows_it = isinstance(platform, Platform) and platform.frontend.shows_thread_updates
    monkey = sys.modules.get("gevent.monkey")
    return shows_it and not (monkey is not None and monkey.is_module_patched("threading"))
