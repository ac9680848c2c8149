"""The shell command: `python -m colab_magics [--json] [--require EXPR]`, and `python -m colab_magics autoload ...`."""

from __future__ import annotations

import os
import sys


def _take_the_working_directory_off_the_path() -> None:
    """Let no `json.py` of the user's run in place of Python's: `python -m` puts the working directory first.

    One that was deleted has no path, and Python has put nothing there, or the empty name.
    """
    try:
        here = os.getcwd()
    except OSError:
        here = ""
    if sys.path and sys.path[0] in ("", here):
        del sys.path[0]


if __name__ == "__main__":
    _take_the_working_directory_off_the_path()

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
    seen = report.runtime_status(shell_class=None)
    print(seen.to_json() if options.json else seen)
    if requirement is not None:
        try:
            report.require(requirement, seen.snapshot, strict=options.strict, language=language_for())
        except RequirementNotMet as failure:
            print(failure, file=sys.stderr)
            return NOT_MET
    return 0


if __name__ == "__main__":
    sys.exit(main())
