"""The shell command: `python -m colab_magics [--json] [--require EXPR]`, and `python -m colab_magics autoload ...`."""

from __future__ import annotations

import os
import sys

if __name__ == "__main__" and sys.path and sys.path[0] in ("", os.getcwd()):
    # `python -m` puts the working directory first: a `json.py` of the user's there must not run in place of Python's.
    del sys.path[0]

import argparse

NOT_MET = 1
MISTYPED = 2


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit code: 1 if a requirement is not met, 2 if it cannot be read."""
    words = sys.argv[1:] if arguments is None else arguments
    if words[:1] == ["autoload"]:
        from colab_magics import autoload

        return autoload.command(words[1:])
    return _show(_parser().parse_args(words))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m colab_magics",
        description="Show what machine this is.",
        epilog="python -m colab_magics autoload on|off|status: load the magics in every IPython and kernel.",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document in one line")
    parser.add_argument(
        "--require", metavar="EXPR", help='fail (exit code 1) unless EXPR holds: "gpu=A100|L4, vram>=15, ram>=20"'
    )
    parser.add_argument("--strict", action="store_true", help="with --require: what cannot be told is not met")
    return parser


def _show(options: argparse.Namespace) -> int:
    from colab_magics.observer import client

    client.start()  # it comes up while the rest is imported
    from colab_magics import report
    from colab_magics.facts import menus
    from colab_magics.requirement import RequirementNotMet, RequirementSyntaxError, parse
    from colab_magics.views import json, text
    from colab_magics.translation import preferred_language

    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # a console that has no degree sign
    try:
        requirement = None if options.require is None else parse(options.require)
    except RequirementSyntaxError as error:
        print(error, file=sys.stderr)
        return MISTYPED
    seen = report.runtime_status(shell_class=None)
    language = preferred_language("auto", [menu.language for menu in menus()])
    print(json.render(seen) if options.json else text.render(seen, language=language))
    if requirement is not None:
        try:
            report.require(requirement, seen.snapshot, strict=options.strict, language=language)
        except RequirementNotMet as failure:
            print(failure, file=sys.stderr)
            return NOT_MET
    return 0


if __name__ == "__main__":
    sys.exit(main())
