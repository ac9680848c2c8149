"""Cells of the example notebooks with what they show, as blocks of a page: what stands there is what was shown."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).parents[2] / "examples"


@functools.cache
def cells(notebook: str) -> list[dict[str, Any]]:
    """Return the cells of a notebook that hold code."""
    found = json.loads((EXAMPLES / f"{notebook}.ipynb").read_text(encoding="utf-8"))
    return [cell for cell in found["cells"] if cell["cell_type"] == "code"]


def block(notebook: str, line: str, number: int = 1) -> str:
    """Return a cell and the text that it shows: of those with this line, that of this number."""
    having = [cell for cell in cells(notebook) if line in "".join(cell["source"]).splitlines()]
    cell = having[number - 1]
    shown = [_text(output).rstrip() for output in cell["outputs"]]
    return "\n".join(["```", _as_entered(cell), *(f"\n{text}" for text in shown), "```"])


def _as_entered(cell: dict[str, Any]) -> str:
    """Return code as a terminal shows it."""
    prompt = f"In [{cell['execution_count']}]: "
    rest = "...: ".rjust(len(prompt))
    first, *others = "".join(cell["source"]).splitlines()
    return "\n".join([f"{prompt}{first}", *(f"{rest}{line}".rstrip() for line in others)])


def _text(output: dict[str, Any]) -> str:
    if output["output_type"] == "stream":
        return "".join(output["text"])
    return "".join(output["data"]["text/plain"])
