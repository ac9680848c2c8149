"""What stops a cell, and with it "Run all": a requirement that is not met."""

from __future__ import annotations


class RequirementNotMet(Exception):  # noqa: N818 - the machine's fault, not an error in the program
    """This runtime does not meet a requirement; the text says what was asked, what is there and what to click.

    It stops the cell, "Run all", nbclient, nbconvert and papermill; a notebook shows its text in place of a traceback.
    """

    def _render_traceback_(self, *_: object) -> list[str]:
        """Return the lines that IPython shows in place of a traceback."""
        return str(self).split("\n")
