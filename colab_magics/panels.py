"""Whether a panel can be opened here, and what one is handed: a source of reports, and the end of each cell."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from colab_magics import report as reports
from colab_magics.model import Service
from colab_magics.observer import client
from colab_magics.probes.platform import probe_platform
from colab_magics.views import display

if TYPE_CHECKING:
    from collections.abc import Mapping

    from colab_magics.model import Report, Subject
    from colab_magics.views.panel.live import Panel, Settings


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


def open_panel(  # noqa: PLR0913 - what it looks with, at what, and what it shows
    subject: Subject,
    *,
    shell: Any,
    shell_class: str | None,
    indices: tuple[int, ...],
    driver_deadline_seconds: float,
    settings: Settings,
) -> Panel:
    """Look at the runtime and open a panel on it that goes on looking; with `indices`, at these GPUs alone."""
    from colab_magics.views.panel.live import Panel, Source

    def look(*, sample_every_seconds: float, afresh: bool) -> Report:
        seen = reports.watch(
            subject,
            shell_class=shell_class,
            sample_every_seconds=sample_every_seconds,
            driver_deadline_seconds=driver_deadline_seconds,
            afresh=afresh,
        )
        return of_gpus(seen, indices)

    first = look(sample_every_seconds=settings.period_seconds, afresh=False)
    panel = Panel(first, Source(look, client.stop_sampling, shell.events), settings)
    panel.open()
    return panel


def of_gpus(report: Report, indices: tuple[int, ...]) -> Report:
    """Keep the GPUs with these indices; all of them where none is named, or nobody could look."""
    gpus = report.snapshot.gpus
    if not indices or not isinstance(gpus, tuple):
        return report
    chosen = tuple(gpu for gpu in gpus if gpu.index in indices)
    return replace(report, snapshot=replace(report.snapshot, gpus=chosen))
