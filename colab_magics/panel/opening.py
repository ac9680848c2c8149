"""Whether a panel can be opened here, and what one is handed: a source of reports, and the end of each cell."""

from __future__ import annotations

import importlib.util
import os
from typing import TYPE_CHECKING, Any, NamedTuple

from colab_magics import options, report
from colab_magics.model import Subject
from colab_magics.observer import client
from colab_magics.probes.frontend import is_nobody_there
from colab_magics.probes.platform import probe_platform
from colab_magics.translation import N_

if TYPE_CHECKING:
    from collections.abc import Mapping

    from colab_magics.panel.session import Panel
    from colab_magics.report import Report
    from colab_magics.views.render_options import RenderOptions

SUBJECTS = {options.GPU: Subject.GPU, options.RAM: Subject.RAM, options.STATUS: Subject.RUNTIME}
"""What a magic's panel is about."""

MOMENT_SECONDS = 0.2
"""How long a driver that did not answer last time is waited for where a cell would wait with us."""

_NO_IPYWIDGETS = N_("No panel, since ipywidgets is not installed (%pip install ipywidgets): the report without it.")
_NO_PAGE = N_("No panel, since it needs a notebook's page: the report without it.")
_NOBODY_THERE = N_("No panel, since this notebook runs without a page to click in: the report without it.")


class Source(NamedTuple):
    """Where a panel's reports come from."""

    subject: Subject
    """What the panel is about."""
    indices: tuple[int, ...]
    """The GPUs it shows; all of them where none is named."""
    driver_deadline_seconds: float
    """How long the driver is waited for."""
    shell_class: str | None
    """The dotted name of the IPython shell's class."""

    def look(self, *, sample_every_seconds: float, restart_observer: bool = False, briefly: bool = False) -> Report:
        """Look at the runtime now.

        `restart_observer` forgets what the driver said before, `briefly` waits for it a moment only.
        """
        seen = self.look_at_all(
            sample_every_seconds=sample_every_seconds, restart_observer=restart_observer, briefly=briefly
        )
        return report.only(seen, self.indices)

    def look_at_all(
        self, *, sample_every_seconds: float, restart_observer: bool = False, briefly: bool = False
    ) -> Report:
        """Look as `look` does, at the GPUs too that are not shown."""
        deadline_seconds = self.driver_deadline_seconds
        return report.watch(
            self.subject,
            shell_class=self.shell_class,
            sample_every_seconds=sample_every_seconds,
            driver_deadline_seconds=min(MOMENT_SECONDS, deadline_seconds) if briefly else deadline_seconds,
            restart_observer=restart_observer,
        )

    def stop_sampling(self) -> None:
        """End the sampling that a look has started."""
        client.stop_sampling()


def why_no_panel(shell: Any, *, shell_class: str | None, environment: Mapping[str, str] = os.environ) -> str | None:
    """Return why no panel can be opened here, as a sentence marked for translation; None where one can."""
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return _NO_PAGE
    frontend = probe_platform(shell_class=shell_class).frontend
    if is_nobody_there(frontend, kernel, environment):
        return _NOBODY_THERE
    return _NO_IPYWIDGETS if importlib.util.find_spec("ipywidgets") is None else None


def open_panel(first: Report, source: Source, shell: Any, chosen: RenderOptions, *, period_seconds: float) -> Panel:
    """Open a panel that begins with a report and goes on looking."""
    from colab_magics.panel.session import Panel

    panel = Panel(first, source, shell.events, chosen, period_seconds=period_seconds)
    panel.open()
    return panel
