"""The shell command: `colab-magics [gpu|ram|status|schema] ...`, the same as `python -m colab_magics`."""

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
    from colab_magics.report import Report


def installed() -> int:
    """Run the command as the installed script does, which may have the working directory on its path too."""
    sys.path[:] = trusted_folders()
    return main()


def main(arguments: "list[str] | None" = None) -> int:
    """Run the command and return its exit code: a key of `options.EXIT_CODES`."""
    from colab_magics import options

    words = sys.argv[1:] if arguments is None else arguments
    if words[:1] == [options.AUTOLOAD]:
        from colab_magics import autoload

        return autoload.command(words[1:])
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # it is None where it was closed
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # a console that has no degree sign
    try:
        chosen = options.read_arguments(words)
    except options.OptionError as error:
        return _complain(error, options.MISTYPED)
    if chosen.version:
        from colab_magics.version import VERSION

        return _answer(f"{options.COMMAND} {VERSION}")
    if chosen.part == options.SCHEMA:
        from colab_magics.views import json

        return _answer(json.schema())
    return _report(chosen)


def _report(chosen: "Options") -> int:
    """Show what was asked for, and hold the requirement against it."""
    from colab_magics import options, report

    requirement = None
    if chosen.require is not None:
        from colab_magics.requirement import RequirementSyntaxError
        from colab_magics.views.render_options import language_for

        try:
            requirement = report.read_requirement(chosen.require)
        except RequirementSyntaxError as error:
            return _complain(error, options.MISTYPED)
    if options.PARTS.get(chosen.part or "") != options.RAM:
        from colab_magics.observer import client

        client.start()  # it starts while the rest is imported
    if chosen.json:
        from colab_magics.views import json  # noqa: F401
    looks = {options.GPU: report.gpu_info, options.RAM: report.ram_info, options.STATUS: report.runtime_status}
    look = looks[options.STATUS if chosen.part is None else options.PARTS[chosen.part]]
    seen, held = look(shell_class=None, everything=chosen.everything), None
    usual_seconds = options.SHORT_WAIT_SECONDS if requirement is None else options.WAIT_SECONDS
    wait_seconds = usual_seconds if chosen.wait is None else chosen.wait
    if requirement is None:
        seen = report.awaited(seen, wait_seconds=wait_seconds)
    else:
        held = report.hold(requirement, seen, strict=chosen.strict, language=language_for(), wait_seconds=wait_seconds)
        seen = held.report
    code = options.MET if chosen.quiet else _answer(_shown(seen, chosen))
    if code == options.MET and held is not None and held.said:
        return _complain(held.said, options.MET if held.is_met else options.NOT_MET)
    return code


def _shown(seen: "Report", chosen: "Options") -> str:
    if chosen.json:
        return seen.to_json(everything=chosen.everything)
    from colab_magics.views import terminal
    from colab_magics.views.render_options import RenderOptions, language_for

    return terminal.shown(seen, RenderOptions(language=language_for(), everything=chosen.everything))


def _answer(text: str) -> int:
    """Print an answer. That its reader has ended or was closed is no error."""
    from colab_magics import options

    try:
        print(text, flush=True)
    except OSError as error:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())  # Python flushes what is left when it exits
        os.close(nowhere)
        if not isinstance(error, BrokenPipeError):
            return _complain(f"The answer could not be written: {error.strerror}.", options.NOT_WRITTEN)
    return options.MET


def _complain(sentence: object, code: int) -> int:
    """Print to standard error, and return an exit code.

    Where standard error is closed nothing is printed: `print` would take standard output instead.
    """
    if sys.stderr is not None:
        print(sentence, file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
