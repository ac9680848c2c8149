"""What a program writes in a terminal, and that as a page which a browser can take a picture of."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Mapping
from html import escape
from typing import NamedTuple

import pexpect
from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI, TerminalTheme
from rich.text import Text

ROWS = 50
PATIENCE_SECONDS = 60
_NO_COLOUR = re.compile(r"\x1b[P\]].*?(?:\x1b\\|\x07)|\x1b\[[0-9;?]*[A-Za-ln-z]|\x1b[()][0-9A-B]", re.DOTALL)
"""What asks the terminal, moves the cursor, clears, or chooses a character set: all but the colours (`m`)."""

_PAGE = """\
<!doctype html><meta charset="utf-8">
<style>
body {{ display: inline-flex; gap: 24px; align-items: flex-start; margin: 0; padding: 16px; background: {background}; }}
h2 {{ margin: 0 0 8px; font: 600 14px sans-serif; color: {foreground}; }}
pre {{ margin: 0; font: 13px/1.35 "DejaVu Sans Mono", monospace; color: {foreground}; }}
</style>
{columns}
"""


class Written(NamedTuple):
    """What was written, as it was."""

    ansi: str
    columns: int

    @property
    def plain(self) -> str:
        """Without colours."""
        return Text.from_ansi(self.ansi).plain


def run_in_a_terminal(*command: str, columns: int, environment: Mapping[str, str] | None = None) -> Written:
    """Run a command in a pseudo-terminal of so many columns and colours, and return what it wrote there."""
    terminal = {"TERM": "xterm-256color", "COLUMNS": str(columns), "LINES": str(ROWS), "LC_ALL": "C.UTF-8"}
    written = pexpect.run(
        command[0],
        args=list(command[1:]),
        env={**(os.environ if environment is None else environment), **terminal},
        timeout=PATIENCE_SECONDS,
        dimensions=(ROWS, columns),
        encoding="utf-8",
    )
    return Written(_NO_COLOUR.sub("", written).replace("\r\n", "\n").strip("\n"), columns)


def as_html(written: Mapping[str, Written], theme: TerminalTheme = DIMMED_MONOKAI) -> str:
    """Return a page that shows what each of some programs wrote, side by side under their names."""
    columns = "\n".join(
        f"<section><h2>{escape(name)}</h2>{_pre(one, theme)}</section>" for name, one in written.items()
    )
    return _PAGE.format(columns=columns, background=theme.background_color.hex, foreground=theme.foreground_color.hex)


def _pre(written: Written, theme: TerminalTheme) -> str:
    console = Console(
        file=io.StringIO(), record=True, width=written.columns, force_terminal=True, color_system="truecolor"
    )
    console.print(Text.from_ansi(written.ansi), no_wrap=True, crop=False, overflow="ignore")
    return console.export_html(theme=theme, inline_styles=True, code_format="<pre>{code}</pre>")
