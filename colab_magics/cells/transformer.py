"""The first line of a cell that is to be measured, replaced by a call that begins the measurement.

IPython transforms a cell several times, also to find out whether it is complete: nothing here has an effect.
"""

from __future__ import annotations

from typing import Any

from IPython.core import inputtransformer2

BODY_FOLLOWS = "# the lines below\n"
"""What the call is given for the cell: the code stays where it is, so that it runs as it would by itself."""

_AS_BY_ITSELF = (
    inputtransformer2.leading_empty_lines,
    inputtransformer2.leading_indent,
    inputtransformer2.classic_prompt,
    inputtransformer2.ipython_prompt,
)
"""What IPython does first with a cell."""


def begun(lines: list[str], magic: str, shell: Any) -> list[str]:
    """Return a cell whose first line is that of a cell magic, with a call of the magic in its place.

    All other lines keep their numbers, unless they are another cell magic's, which takes them as a text in any case. A
    cell with nothing else is returned as it is: IPython says then what it says of every cell magic.
    """
    name, _, options = lines[0][2:].rstrip().partition(" ")
    body = lines[1:]
    for transform in _AS_BY_ITSELF:
        body = transform(body)  # type: ignore[no-untyped-call]  # IPython has not typed it
    if name != magic or not "".join(body).strip():
        return lines
    call = f"get_ipython().run_cell_magic({magic!r}, {options.strip()!r}, {BODY_FOLLOWS!r})\n"
    if body[0].startswith("%%"):
        return [call, *inputtransformer2.cell_magic(body)]  # type: ignore[no-untyped-call]
    return [call, *["\n"] * (len(lines) - 1 - len(body)), *_as_the_only_line(body, shell)]


def _as_the_only_line(body: list[str], shell: Any) -> list[str]:
    """Return a body of one line as IPython would take it: `exit` alone leaves, `ls` alone is a magic."""
    if len(body) != 1:
        return body
    (line,) = body
    plain = inputtransformer2.TransformerManager()  # type: ignore[no-untyped-call]
    if plain.transform_cell(line) != line.removesuffix("\n") + "\n":
        return body  # IPython makes Python of it, wherever it stands
    with shell.builtin_trap:
        return [shell.prefilter_manager.prefilter_lines(line.removesuffix("\n")) + "\n"]
