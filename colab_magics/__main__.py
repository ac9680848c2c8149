"""The shell command: `python -m colab_magics [--json] [--require EXPR]`, and `python -m colab_magics autoload ...`."""

import os
import sys

from colab_magics.imports import trusted_folders

# Before anything else is imported, __future__ too: `python -m` puts the working directory first, and a `json.py` of the
# user's must not run in place of Python's.
if __name__ == "__main__":
    sys.path[:] = trusted_folders()

TYPE_CHECKING = False
if TYPE_CHECKING:
    from colab_magics.options import Options

NOT_MET = 1
MISTYPED = 2
NOT_WRITTEN = 3


def main(arguments: "list[str] | None" = None) -> int:
    """Run the command and return its exit code: 1 if a requirement is not met, 2 if the line cannot be read.

    3: the report could not be written.
    """
    words = sys.argv[1:] if arguments is None else arguments
    if words[:1] == ["autoload"]:
        from colab_magics import autoload

        return autoload.command(words[1:])
    from colab_magics.options import OptionError, read_arguments

    try:
        return _show(read_arguments(words))
    except OptionError as error:
        _complain(error)
        return MISTYPED


def _show(options: "Options") -> int:
    from colab_magics import report
    from colab_magics.options import SHORT_WAIT_SECONDS, WAIT_SECONDS
    from colab_magics.requirement import RequirementSyntaxError, parse
    from colab_magics.stopping import RequirementNotMet
    from colab_magics.views.render_options import language_for

    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # it is where it was closed
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # a console that has no degree sign
    try:
        requirement = None if options.require is None else parse(options.require)
    except RequirementSyntaxError as error:
        _complain(error)
        return MISTYPED
    usual = SHORT_WAIT_SECONDS if requirement is None else WAIT_SECONDS
    seen = report.awaited(
        report.runtime_status(shell_class=None),
        wait_seconds=usual if options.wait is None else options.wait,
        requirement=requirement,
    )
    if not _is_written(seen.to_json() if options.json else str(seen)):
        return NOT_WRITTEN
    if requirement is not None:
        try:
            unchecked = report.require(
                requirement, seen.snapshot, strict=options.strict, language=language_for(), wait_seconds=0
            )
        except RequirementNotMet as failure:
            _complain(str(failure))
            return NOT_MET
        if unchecked is not None:
            _complain(unchecked)
    return 0


def _is_written(answer: str) -> bool:
    """Print the answer; what reads it may have ended, or have been closed: that is nobody's mistake."""
    try:
        print(answer, flush=True)
    except OSError as error:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())  # Python writes the rest at its end
        os.close(nowhere)
        if not isinstance(error, BrokenPipeError):
            _complain(f"The report could not be written: {error.strerror}.")
            return False
    return True


def _complain(sentence: object) -> None:
    """Print to standard error; not to standard output, which `print` takes where the other is closed."""
    if sys.stderr is not None:
        print(sentence, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
