"""The magics: a line of options becomes a report, a report is shown. Registers, unregisters.

Importing this module imports IPython's magic machinery and nothing that a report needs.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments, parse_argstring
from traitlets import Enum, Float, TraitError

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

    from IPython.core.interactiveshell import InteractiveShell

    from colab_magics.model import Report
    from colab_magics.requirement import Requirement
    from colab_magics.panel.session import Panel

LANGUAGES = (
    "auto", "en", "zh-CN", "zh-TW", "ja", "ko", "es", "pt-BR", "fr", "de", "ru", "it", "tr", "id", "vi", "pl", "uk",
)  # fmt: skip
"""What `ColabMagics.language` may be: our sentences are in English and zh-CN, menus are quoted in all of these."""

_IN_REQUIREMENT = re.compile(r"(?:-r|--require)[ =]+[\"']?([^\"']*)$")
"""The expression of -r as far as it is typed."""

_REPORT_CLASS = "colab_magics.model.Report"


def _shown_as_usual(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a magic the options that every report has."""
    options = (
        argument("-a", "--all", action="store_true", dest="everything",
                 help="Show every field, the unavailable ones with their reason, and take the dear readings too."),
        argument("-j", "--json", action="store_true",
                 help="Print one JSON document in one line instead of showing the report."),
        argument("-o", "--output", action="store_true",
                 help="Return the report instead of showing it: report = %%%(prog)s -o"),
        argument("-w", "--widget", action="store_true",
                 help="Open the panel: live gauges, and what to click to get other hardware."),
        argument("-q", "--quiet", action="store_true", help="Show nothing; with -r only a failure speaks."),
        argument("-r", "--require", metavar="EXPR",
                 help='Stop this cell and "Run all" unless EXPR holds: -r "gpu=A100|L4, vram>=15, ram>=20". Keys: gpu, '
                 "gpus, tpu, vram, vram_free, ram, ram_free, disk, cc, cuda, python, bf16."),
        argument("--strict", action="store_true", help="With -r: what cannot be told counts as not met."),
    )  # fmt: skip
    for option in reversed(options):
        function = option(function)
    return function


@magics_class
class ColabMagics(Magics):
    """The magics of colab_magics, and their settings.

    Set them with `%config ColabMagics.driver_deadline_seconds = 5`, or as `c.ColabMagics.driver_deadline_seconds` in
    `ipython_config.py`.
    """

    driver_deadline_seconds = Float(
        3.0,
        min=0.1,
        help="Seconds to wait for the NVIDIA driver's first answer; once it has answered, a third of that.",
    ).tag(config=True)

    language = Enum(
        LANGUAGES,
        default_value="auto",
        help="Language of the reports; the words of Colab's menus are quoted in it, with the English beside. "
        '"auto": COLAB_MAGICS_LANGUAGE, LANGUAGE, LC_ALL or LANG, else English.',
    ).tag(config=True)

    panel_period_seconds = Float(
        2.0,
        min=0.5,
        max=3600.0,
        help="Seconds between two looks of a live panel, 0.5 to 3600; the panel itself offers others.",
    ).tag(config=True)

    panel: Panel | None = None
    """The panel that was opened last; opening another closes it."""

    replaced: tuple[tuple[str, str, Any], ...] = ()
    """The magics of the same names that were there before: (kind, name, function or None)."""

    _indices: tuple[str, ...] = ()
    """The GPUs that the last report saw, for completion."""

    @magic_arguments()
    @_shown_as_usual
    @argument("-p", "--processes", action="store_true", help="Show who holds GPU memory: number, name, memory.")
    @argument("index", nargs="*", metavar="INDEX", help="Only the GPUs with these numbers (NVML's, as in nvidia-smi).")
    @line_magic
    def gpu_info(self, line: str) -> Report | None:
        """Show which GPUs this runtime has, whether they are all right, and what to do about it."""
        return self._run("gpu_info", line)

    @magic_arguments()
    @_shown_as_usual
    @line_magic
    def ram_info(self, line: str) -> Report | None:
        """Show how much RAM there is, how much can still be allocated, what limits it, and what to do about it."""
        return self._run("ram_info", line)

    @magic_arguments()
    @_shown_as_usual
    @line_magic
    def runtime_status(self, line: str) -> Report | None:
        """Show what machine this is: GPU, RAM, disk, processors, versions, ages; and what to do about it."""
        return self._run("runtime_status", line)

    def complete(self, _shell: Any, event: Any) -> list[str]:
        """Return what may follow in a magic's line: IPython calls this when Tab is pressed after the magic's name."""
        required = _IN_REQUIREMENT.search(event.text_until_cursor)
        if required:
            from colab_magics.requirement.completion import completions

            return completions(required[1])
        parser = getattr(self, event.command.removeprefix("%")).parser
        options = [option for action in parser._actions for option in action.option_strings]  # noqa: SLF001 - argparse tells it nowhere else
        return [*options, *self._indices] if "gpu_info" in event.command else options

    def _run(self, magic: str, line: str) -> Report | None:
        options = self._parse(magic, line)
        indices = _indices(options.index) if "index" in options else ()
        requirement = _requirement(options.require)
        if magic != "ram_info":
            from colab_magics.observer import client

            client.start()  # it comes up while the rest is imported
        shell = type(self.shell)
        shell_class = f"{shell.__module__}.{shell.__qualname__}"
        obstacle = None
        if options.widget:
            from colab_magics.panel import opening

            obstacle = opening.obstacle(self.shell, shell_class=shell_class)
            if obstacle is None:
                self._open_panel(magic, options, indices, requirement, shell_class)
                return None
        from colab_magics import report as reports

        report: Report = getattr(reports, magic)(
            shell_class=shell_class,
            everything=options.everything,
            driver_deadline_seconds=self.driver_deadline_seconds,
        )
        self._hold(requirement, report, options)
        return self._deliver(_only(report, indices), options, note=obstacle)

    def _open_panel(
        self,
        magic: str,
        options: Namespace,
        indices: tuple[int, ...],
        requirement: Requirement | None,
        shell_class: str,
    ) -> None:
        """Open a panel in place of the one before."""
        from functools import partial

        from colab_magics.panel import opening
        from colab_magics.model import Subject
        from colab_magics.observer import client
        from colab_magics.panel.session import Settings

        subject, deadline_seconds = Subject(magic.partition("_")[0]), self.driver_deadline_seconds
        try:
            all_gpus = partial(opening.look_at, subject, (), deadline_seconds, shell_class)
            report = all_gpus(sample_every_seconds=self.panel_period_seconds)
            self._hold(requirement, report, options)
            chosen = _only(report, indices)
            settings = Settings(
                languages=LANGUAGES[1:],
                language=self._spoken_language(),
                period_seconds=self.panel_period_seconds,
                processes="processes" in options and options.processes,
            )
            self.close_panel()
            look = partial(opening.look_at, subject, indices, deadline_seconds, shell_class)
            self.panel = opening.open_panel(chosen, look, self.shell, settings)
        except BaseException:
            if self.panel is None:
                client.stop_sampling()
            raise

    def _hold(self, requirement: Requirement | None, report: Report, options: Namespace) -> None:
        """Hold a requirement against what was seen, and remember the GPUs for completion."""
        if isinstance(report.snapshot.gpus, tuple):
            self._indices = tuple(str(gpu.index) for gpu in report.snapshot.gpus)
        if requirement is not None:
            from colab_magics import report as reports

            reports.require(
                requirement,
                report.snapshot,
                strict=options.strict,
                language=self._spoken_language(),
                driver_deadline_seconds=self.driver_deadline_seconds,
            )

    def _parse(self, magic: str, line: str) -> Namespace:
        """Parse a magic's line; a mistake in it becomes one line that says what was found and what is allowed."""
        function = getattr(self, magic)
        try:
            options: Namespace = parse_argstring(function, line)
        except (UsageError, ValueError) as error:  # ValueError: unbalanced quotes
            raise _usage_error(function, str(error)) from None
        chosen = [flag for flag in ("widget", "json", "output") if getattr(options, flag)]
        if len(chosen) > 1:
            raise _usage_error(function, f"-{chosen[0][0]} and -{chosen[1][0]} exclude each other")
        for flag in ("everything", "quiet"):
            if options.widget and getattr(options, flag):
                raise _usage_error(function, f"-{'a' if flag == 'everything' else 'q'} and -w exclude each other")
        if options.strict and options.require is None:
            raise _usage_error(function, "--strict goes with -r")
        return options

    def _deliver(self, report: Report, options: Namespace, *, note: str | None) -> Report | None:
        if options.output:
            return report
        if not options.quiet:
            from colab_magics.views import display

            if options.json:
                display.print_json(report)
            else:
                display.show(
                    report,
                    language=self._spoken_language(),
                    everything=options.everything,
                    processes="processes" in options and options.processes,
                    note=note,
                )
        return None

    def close_panel(self) -> None:
        """Close the panel, if one is open."""
        if self.panel is not None:
            self.panel.close()
            self.panel = None

    def _spoken_language(self) -> str:
        from colab_magics.translation import preferred_language

        return preferred_language(self.language, LANGUAGES[1:])

    def report_as_text(self, report: Report, printer: Any, _cycle: bool) -> None:  # noqa: FBT001 - IPython's signature
        """Show a returned report as a cell's result, in text."""
        from colab_magics.views import text

        printer.text(text.render(report, language=self._spoken_language()))

    def report_as_html(self, report: Report) -> str:
        """Show a returned report as a cell's result, in HTML."""
        from colab_magics.views import html

        return html.render(report, language=self._spoken_language())


def register(ipython: InteractiveShell) -> None:
    """Add the magics to a shell, in place of any that an earlier load left."""
    unregister(ipython)
    try:
        magics = ColabMagics(ipython)
    except TraitError as error:
        _drop(ipython)
        raise UsageError(f"colab_magics: {error}") from None
    kinds = ipython.magics_manager.magics
    magics.replaced = tuple((kind, name, kinds[kind].get(name)) for kind in kinds for name in ColabMagics.magics[kind])
    ipython.register_magics(magics)
    for name in ColabMagics.magics["line"]:
        ipython.set_hook("complete_command", magics.complete, str_key=f"%{name}")
    formatters: Any = ipython.display_formatter
    for mimetype, render in (("text/plain", magics.report_as_text), ("text/html", magics.report_as_html)):
        formatters.formatters[mimetype].for_type_by_name(*_REPORT_CLASS.rsplit(".", 1), render)


def unregister(ipython: InteractiveShell) -> None:
    """Leave a shell as it was before `register`: magics, settings' owner, formatters, panel, child process.

    Settings made with `%config` stay in the shell's configuration, where the next load finds them.
    """
    magics = ipython.magics_manager.registry.get(ColabMagics.__name__)
    if magics is None:
        return
    magics.close_panel()
    del ipython.magics_manager.registry[ColabMagics.__name__]
    for kind, name, earlier in magics.replaced:
        table = ipython.magics_manager.magics[kind]
        if earlier is not None:
            table[name] = earlier
        else:
            table.pop(name, None)
    configured = ipython.config.get(ColabMagics.__name__, {})
    for name in magics.trait_names(config=True):
        value = getattr(magics, name)
        if name in configured or value != magics.trait_defaults(name):
            ipython.config[ColabMagics.__name__][name] = value
    completers: Any = ipython.strdispatchers.get("complete_command")
    for name in ColabMagics.magics["line"]:
        completers.strs.pop(f"%{name}", None)
    formatters: Any = ipython.display_formatter
    for mimetype in ("text/plain", "text/html"):
        formatters.formatters[mimetype].pop(_REPORT_CLASS, None)
    _drop(ipython)
    client = sys.modules.get("colab_magics.observer.client")
    if client is not None:
        client.close()


def _drop(ipython: InteractiveShell) -> None:
    """Take every instance of ours, a half-made one too, off the list that `%config` reads."""
    ipython.configurables[:] = [one for one in ipython.configurables if not isinstance(one, ColabMagics)]


def _usage_error(function: Any, found: str) -> UsageError:
    from colab_magics.units import printable

    usage = " ".join(function.parser.format_usage().split())
    return UsageError(f"{printable(found.strip())}. Allowed: {usage[usage.index('%') :]}")


def _requirement(text: str | None) -> Requirement | None:
    """Read the expression of -r; IPython leaves the quotes around it."""
    if text is None:
        return None
    from colab_magics.requirement import RequirementSyntaxError, parse

    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1]
    try:
        return parse(text)
    except RequirementSyntaxError as error:
        raise UsageError(str(error)) from None


def _indices(words: list[str]) -> tuple[int, ...]:
    wrong = [word for word in words if not word.isdecimal()]
    if wrong:
        from colab_magics.units import printable

        raise UsageError(f"{printable(wrong[0])!r} is not a GPU's number. Allowed: whole numbers from 0 on")
    return tuple(map(int, words))


def _only(report: Report, indices: tuple[int, ...]) -> Report:
    """Keep the GPUs that were asked for. Where the GPUs could not be looked at, the report says so by itself."""
    gpus = report.snapshot.gpus
    if not indices or not isinstance(gpus, tuple):
        return report
    there = {gpu.index for gpu in gpus}
    for index in indices:
        if index not in there:
            allowed = f"Allowed: {', '.join(map(str, sorted(there)))}" if there else "This machine has none"
            raise UsageError(f"there is no GPU {index}. {allowed}")
    from colab_magics.report import only

    return only(report, indices)
