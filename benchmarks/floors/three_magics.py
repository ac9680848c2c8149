"""The least extension with three magics, as `%load_ext three_magics`: what IPython itself takes to load one."""

from __future__ import annotations

from typing import Any

from IPython.core.magic import Magics, line_magic, magics_class


@magics_class
class ThreeMagics(Magics):
    """Three magics that do nothing."""

    @line_magic
    def floor_one(self, _line: str) -> None:
        """Do nothing."""

    @line_magic
    def floor_two(self, _line: str) -> None:
        """Do nothing."""

    @line_magic
    def floor_three(self, _line: str) -> None:
        """Do nothing."""


def load_ipython_extension(shell: Any) -> None:
    """Register them."""
    shell.register_magics(ThreeMagics)
