"""A cluster that a variable of the notebook stands for: looked up by its name, and waited for in sight."""

from __future__ import annotations

import time
import warnings
from typing import TYPE_CHECKING, Any

from colab_magics.clusters.asking import ClusterError
from colab_magics.clusters.status import ALLOWED, cluster_status
from colab_magics.translation import NP_, translator
from colab_magics.units import excerpt
from colab_magics.views import display

if TYPE_CHECKING:
    from colab_magics.clusters.status import Question
    from colab_magics.report import Report

_SHOWN_AFTER_SECONDS = 0.5
"""What is over sooner needs no sign that it goes on."""


def ask(shell: Any, name: str, question: Question, *, shell_class: str, language: str | None) -> Report:
    """Look at every machine of the cluster behind a variable; raise `ClusterError` where there is none.

    How many have answered is shown in `language`; None: not at all.
    """
    variables = shell.user_ns
    if not name.isidentifier():
        raise ClusterError(f"{excerpt(name)!r} is not a variable's name. Allowed: the name of one that holds {ALLOWED}")
    if name not in variables:
        raise ClusterError(f"there is no variable {excerpt(name)}. Allowed: the name of one that holds {ALLOWED}")
    progress = _Progress(language)
    try:
        return cluster_status(variables[name], shell_class=shell_class, question=question, tell=progress)
    finally:
        progress.close()


class _Progress:
    """How many machines have answered: a bar of tqdm's where that is installed, else one line."""

    def __init__(self, language: str | None) -> None:
        self._language = language
        self._began = time.monotonic()
        self._bar: Any = None
        self._is_shown = language is None

    def __call__(self, done: int, total: int) -> None:
        if not self._is_shown and total and time.monotonic() - self._began > _SHOWN_AFTER_SECONDS:
            self._is_shown = True
            self._bar = _bar(total)
            if self._bar is None:
                self._say(total)
        if self._bar is not None:
            self._bar.total = total
            self._bar.update(done - self._bar.n)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()

    def _say(self, total: int) -> None:
        translate = translator(str(self._language))
        message = NP_("Asking {count} machine.", "Asking {count} machines.", counted="count")
        display.show_quietly(translate.counting(message, total, count=total), translate)


def _bar(total: int) -> Any:
    """Return a bar of tqdm's, None where there is none to be had."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # tqdm's, where ipywidgets is not installed
            from tqdm.auto import tqdm

            return tqdm(total=total, leave=False, unit="machine")
    except Exception:  # noqa: BLE001 - the user's own tqdm, whatever is wrong with it: there is a line instead
        return None
