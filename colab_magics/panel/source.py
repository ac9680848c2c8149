"""Where a panel's reports come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from colab_magics import report
from colab_magics.observer import client

if TYPE_CHECKING:
    from collections.abc import Callable

    from colab_magics.model import Subject
    from colab_magics.model.cells import Cell, SessionSums
    from colab_magics.report import Report

MOMENT_SECONDS = 0.2
"""How long a driver that did not answer last time is waited for where a cell would wait with us."""


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
    cells: Callable[[], tuple[tuple[Cell, ...], SessionSums]] | None = None
    """Tells which of the session's cells took most, and what all took; None where they are not shown."""

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
        seen = report.watch(
            self.subject,
            shell_class=self.shell_class,
            sample_every_seconds=sample_every_seconds,
            driver_deadline_seconds=min(MOMENT_SECONDS, deadline_seconds) if briefly else deadline_seconds,
            restart_observer=restart_observer,
        )
        return seen if self.cells is None else report.with_cells(seen, *self.cells())

    def stop_sampling(self) -> None:
        """End the sampling that a look has started."""
        client.stop_sampling()
