"""The shell command: `python -m colab_magics [--json] [--require EXPR]`, and `python -m colab_magics autoload ...`."""

from __future__ import annotations

import os
import sys

if __name__ == "__main__" and sys.path and sys.path[0] in ("", os.getcwd()):
    # `python -m` puts the working directory first: a `json.py` of the user's there must not run in place of Python's.
    del sys.path[0]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from colab_magics.options import Options

NOT_MET = 1
MISTYPED = 2


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit code: 1 if a requirement is not met, 2 if the line cannot be read."""
    words = sys.argv[1:] if arguments is None else arguments
    if words[:1] == ["autoload"]:
        from colab_magics import autoload

        return autoload.command(words[1:])
    from colab_magics.options import OptionError, read_arguments

    try:
        return _show(read_arguments(words))
    except OptionError as error:
        print(error, file=sys.stderr)
        return MISTYPED


def _show(options: Options) -> int:
    from colab_magics import report
    from colab_magics.options import SHORT_WAIT_SECONDS, WAIT_SECONDS
    from colab_magics.requirement import RequirementSyntaxError, parse
    from colab_magics.stopping import RequirementNotMet
    from colab_magics.views.render_options import language_for

    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # a console that has no degree sign
    try:
        requirement = None if options.require is None else parse(options.require)
    except RequirementSyntaxError as error:
        print(error, file=sys.stderr)
        return MISTYPED
    wait_seconds = WAIT_SECONDS if requirement is not None else SHORT_WAIT_SECONDS
    seen = report.awaited(
        report.runtime_status(shell_class=None), wait_seconds=wait_seconds if options.wait is None else options.wait
    )
    print(seen.to_json() if options.json else seen)
    if requirement is not None:
        try:
            unchecked = report.require(
                requirement, seen.snapshot, strict=options.strict, language=language_for(), wait_seconds=0
            )
        except RequirementNotMet as failure:
            print(failure, file=sys.stderr)
            return NOT_MET
        if unchecked is not None:
            print(unchecked, file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
