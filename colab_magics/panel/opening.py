"""Whether a panel can be opened here, and what one is handed: a source of reports, and the end of each cell."""

from __future__ import annotations

import importlib.util
import os
from typing import TYPE_CHECKING, Any

from colab_magics import report as reports
from colab_magics.model import Service
from colab_magics.observer import client
from colab_magics.probes.platform import probe_platform
from colab_magics.views import display

if TYPE_CHECKING:
    from collections.abc import Mapping

    from colab_magics.model import Report, Subject
    from colab_magics.panel.session import Look, Panel, Settings


MOMENT_SECONDS = 0.2
"""How long a driver that did not answer last time is waited for where a cell would wait with us."""


def obstacle(shell: Any, *, shell_class: str | None, environment: Mapping[str, str] = os.environ) -> str | None:
    """Return why no panel can be opened here, as a sentence for `display.show`; None where one can.

    A page lets its user type answers to `input()`; nbclient, nbconvert and papermill tell the kernel that nobody does,
    and so does Voila, which has a page all the same. Of other services' pages this is not known, so it is asked of
    Jupyter alone.
    """
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return display.NO_PAGE
    if (
        probe_platform(shell_class=shell_class).service is Service.JUPYTER
        and kernel.get_parent("shell").get("content", {}).get("allow_stdin") is False
        and not environment.get("SERVER_SOFTWARE", "").startswith("voila")
    ):
        return display.NOBODY_THERE
    return display.NO_IPYWIDGETS if importlib.util.find_spec("ipywidgets") is None else None


def look_at(  # noqa: PLR0913 - what it looks with, and how
    subject: Subject,
    indices: tuple[int, ...],
    driver_deadline_seconds: float,
    shell_class: str | None,
    *,
    sample_every_seconds: float,
    afresh: bool = False,
    briefly: bool = False,
) -> Report:
    """Look as a panel does; with `indices`, at these GPUs alone. See `panel.session.Look`."""
    seen = reports.watch(
        subject,
        shell_class=shell_class,
        sample_every_seconds=sample_every_seconds,
        driver_deadline_seconds=min(MOMENT_SECONDS, driver_deadline_seconds) if briefly else driver_deadline_seconds,
        afresh=afresh,
    )
    return reports.only(seen, indices)


def open_panel(report: Report, look: Look, shell: Any, settings: Settings) -> Panel:
    """Open a panel that begins with `report` and goes on looking."""
    from colab_magics.panel.session import Panel, Source

    panel = Panel(report, Source(look, client.stop_sampling, shell.events), settings)
    panel.open()
    return panel
