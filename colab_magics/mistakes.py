"""A mistake in a requirement, or in a line that asks one: it stops the cell as surely as one that is not met."""

from __future__ import annotations

from IPython.core.error import UsageError

from colab_magics.stopping import StopsCell


class RequirementMistake(StopsCell, UsageError):  # noqa: N818 - a notebook shows it as a UsageError
    """A `UsageError` of one line; `%%capture` and other magics that run code do not swallow it.

    IPython recognises a `UsageError` by exactly that class and then ignores `_render_traceback_`, which a subclass
    keeps.
    """

    def shown(self) -> str:
        """Return what is shown in place of a traceback: what IPython shows of a `UsageError`."""
        return f"UsageError: {self}"


def mistake(found: str, *, asks_requirement: bool = False) -> UsageError:
    """Return a mistake in a line; where the line asks a requirement, one that no other magic can swallow."""
    return RequirementMistake(found) if asks_requirement else UsageError(found)
