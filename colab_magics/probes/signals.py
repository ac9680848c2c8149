"""Whether the signals of the tables of services and frontends hold here."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from colab_magics.facts import Signal


class Signs:
    """What the signals rest on: the class of the IPython shell, the environment, the files below a root."""

    def __init__(self, *, shell_class: str | None, environment: Mapping[str, str], root: str = "/") -> None:
        self._shell_class = shell_class
        self._environment = environment
        self._root = root

    def hold(self, signal: Signal, *, service: str | None) -> bool:
        """Tell whether all conditions of a signal hold on a service, None for none that we know."""
        for name, expected in signal.environment:
            value = self._environment.get(name)
            if not value or expected not in ("*", value):  # an empty value is no sign
                return False
        shell = self._shell_class
        if signal.shell is not None and (shell is None or not shell.startswith(signal.shell)):
            return False
        if signal.service is not None and (service is None or signal.service not in ("*", service)):
            return False
        if any(self._environment.get(name) for name in signal.absent):
            return False
        if signal.no_file is not None and _exists(self._root, signal.no_file):
            return False
        return signal.file is None or _exists(self._root, signal.file)


@functools.cache
def _exists(root: str, file: str) -> bool:
    """Tell whether a service has left its file; they are there before any kernel starts."""
    return os.path.exists(os.path.join(root, file))
