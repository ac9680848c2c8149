"""What is imported, and which files are opened: noted by an audit hook, in a kernel or before a program.

`%run -n watching.py` brings it into a kernel; `python watching.py PROGRAM ...` runs a module as `python -m` does, and
prints what it imported as the last line on standard error.
"""

from __future__ import annotations

import json
import runpy
import sys
from typing import Any

_LISTENING: list[bool] = []
_IMPORTED: list[str] = []
_OPENED: list[str] = []


def listen() -> None:
    """Note what happens from now on."""
    _IMPORTED.clear()
    _OPENED.clear()
    if not _LISTENING:
        sys.addaudithook(_note)  # there is no way to take it away
    _LISTENING[:] = [True]


def heard() -> dict[str, list[str]]:
    """Return what was imported and which files were opened since, and listen no more."""
    _LISTENING[:] = [False]
    return {"imported": [name for name in dict.fromkeys(_IMPORTED) if name in sys.modules], "opened": list(_OPENED)}


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if not _LISTENING[0]:
        return
    if event == "import":
        _IMPORTED.append(str(arguments[0]))
    elif event == "open" and isinstance(arguments[0], str | bytes):
        _OPENED.append(str(arguments[0]))


if __name__ == "__main__":
    del sys.argv[0]
    sys.path.pop(0)
    listen()
    try:
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    finally:
        print(json.dumps(heard()["imported"]), file=sys.stderr)
