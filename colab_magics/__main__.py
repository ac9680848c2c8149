"""The shell command: `python -m colab_magics [--json]` shows the whole runtime."""

from __future__ import annotations

import os
import sys

if __name__ == "__main__" and sys.path and sys.path[0] in ("", os.getcwd()):
    # `python -m` puts the working directory first: a `json.py` of the user's there must not run in place of Python's.
    del sys.path[0]

import argparse

from colab_magics import report
from colab_magics.facts import menus
from colab_magics.views import json, text
from colab_magics.views.language import preferred_language


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m colab_magics", description="Show what machine this is.")
    parser.add_argument("--json", action="store_true", help="print one JSON document in one line")
    options = parser.parse_args(arguments)
    seen = report.runtime_status(shell_class=None)
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]  # a console that has no degree sign
    language = preferred_language("auto", [menu.language for menu in menus()])
    print(json.render(seen) if options.json else text.render(seen, language=language))
    return 0


if __name__ == "__main__":
    sys.exit(main())
