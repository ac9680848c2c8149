"""The magics: a line of options becomes a report, a report is shown. Registers, unregisters, completes.

Importing this module imports IPython's magic machinery and nothing that a report needs.
"""

from __future__ import annotations

import contextlib
import functools
import re
import sys
from typing import TYPE_CHECKING, Any

from IPython import version_info
from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class
from traitlets import Bool, Float, TraitError, Unicode, observe, validate

from colab_magics.imports import trusted_imports

if TYPE_CHECKING:
    from collections.abc import Callable

    from IPython.core.interactiveshell import InteractiveShell

    from colab_magics.cells.footer import Footer
    from colab_magics.cells.session import Session
    from colab_magics.completion import Offer
    from colab_magics.model.cells import Cell
    from colab_magics.model.holders import Release
    from colab_magics.options import Options
    from colab_magics.panel.session import Panel
    from colab_magics.report import Held, Report
    from colab_magics.requirement import Requirement

_LINE = r"\s*(?:(?:[^%#\"']*=\s*|%\w[^#\"']*\s)(?=%))?(?P<escape>%{0,2})(?P<name>\w+)\s+(?P<typed>.*)"
"""A line with a magic, also one whose result is kept, or that another magic runs: `report = %gpu_info`, `%time ...`."""

_AUTOMAGIC = r"[-\d]|$"
"""How what stands behind a name begins where the name may be a magic's without its `%`."""

_HAS_MATCHERS = version_info >= (8, 6)
"""Whether IPython lets one matcher ask that no other is heard."""

_REPORT_CLASS = ("colab_magics.report", "Report")


def _with_help(magic: Callable[..., Any]) -> Callable[..., Any]:
    """Let `?` after a magic's name show its options too: IPython asks a function's `getdoc` for its help."""

    @trusted_imports
    def getdoc() -> str:
        from colab_magics import options

        return options.help_text(magic.__name__, magic.__doc__ or "")

    magic.getdoc = getdoc  # type: ignore[attr-defined]  # a function takes any attribute
    return magic


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

    language = Unicode(
        "auto",
        help="Language of the reports; the words of Colab's menus are quoted in it, with the English beside. "
        '"auto": COLAB_MAGICS_LANGUAGE, LANGUAGE, LC_ALL, LC_MESSAGES or LANG, the first that is set; else English.',
    ).tag(config=True)

    panel_period_seconds = Float(
        2.0,
        min=0.5,
        max=3600.0,
        help="Seconds between two looks of a live panel, 0.5 to 3600; the panel itself offers others.",
    ).tag(config=True)

    footer = Bool(
        default_value=False,
        help="Whether every cell is measured, and one line below those that took much says how much: time, RAM, GPU. "
        "%runtime_status -c ranks them.",
    ).tag(config=True)

    footer_seconds = Float(1.0, min=0.0, help="Seconds from which on a cell has that line.").tag(config=True)

    footer_megabytes = Float(
        50.0,
        min=0.0,
        help="Megabytes (1,000,000 bytes) of RAM or GPU memory, used beside what was there before or kept, from which "
        "on a cell has that line.",
    ).tag(config=True)

    panel: Panel | None = None
    """The panel that was opened last; opening another closes it."""

    replaced: tuple[tuple[str, str, Any], ...] = ()
    """The magics of the same names that were there before: (kind, name, function or None)."""

    _after_cell: Callable[..., None] | None = None
    """What IPython calls after every cell, while errors are explained."""

    _error_shown: int | None = None
    """The identity of the error that was shown last, which lives as long as Python keeps it."""

    _session: Session | None = None

    _footer: Footer | None = None
    """What measures every cell, while it is wanted."""

    _indices: tuple[str, ...] = ()
    """The GPUs that the last report saw, for completion."""

    @validate("language")
    @trusted_imports
    def _known_language(self, proposal: Any) -> str:
        from colab_magics.units import excerpt
        from colab_magics.views.render_options import languages

        known = ("auto", *languages())
        if proposal["value"] not in known:
            raise TraitError(f"The language is {excerpt(repr(proposal['value']))}. Allowed: {', '.join(known)}")
        return str(proposal["value"])

    @property
    def session(self) -> Session:
        """What was measured of this shell's cells since the magics were loaded."""
        if self._session is None:
            self._begin_session()
        assert self._session is not None  # noqa: S101 - for the type checker
        return self._session

    @trusted_imports
    def _begin_session(self) -> None:
        from colab_magics.cells.session import Session

        self._session = Session()

    @observe("footer")
    @trusted_imports
    def switch_footer(self, _change: object = None) -> None:
        """Begin to measure every cell, or end it, as the setting says; magics that are not registered measure none."""
        shell: Any = self.shell
        is_wanted = self.footer and shell.magics_manager.registry.get(ColabMagics.__name__) is self
        if is_wanted and self._footer is None:
            from colab_magics.cells.footer import Footer

            self._footer = Footer(self)
        elif not is_wanted and self._footer is not None:
            self._footer.close()
            self._footer = None

    @_with_help
    @line_magic
    @trusted_imports
    def gpu_info(self, line: str) -> Report | None:
        """Show which GPUs this runtime has, whether they are all right, and what to do about it."""
        from colab_magics import options

        return self._run(options.GPU, line)

    @_with_help
    @line_magic
    @trusted_imports
    def ram_info(self, line: str) -> Report | None:
        """Show how much RAM there is, how much can still be allocated, what limits it, and what to do about it."""
        from colab_magics import options

        return self._run(options.RAM, line)

    @_with_help
    @line_cell_magic
    @trusted_imports
    def runtime_status(self, line: str, cell: str | None = None) -> Report | None:
        """Show what machine this is: GPU, RAM, disk, processors, versions, ages; and what to do about it.

        With %%, in the first line of a cell: show what that cell took.
        """
        from colab_magics import options

        if cell is None:
            return self._run(options.STATUS, line)
        self._measure(line, cell)
        return None

    def begin_to_measure(self, lines: list[str]) -> list[str]:
        """Return a cell as it is, or where it begins with `%%runtime_status` with a call in the place of that line."""
        if not lines or not lines[0].startswith("%%runtime_status"):
            return lines
        return self._begun(lines)

    begin_to_measure.has_side_effects = True  # type: ignore[attr-defined]
    """It has none, but so IPython goes on to wait for an empty line where cells are typed line by line."""

    @trusted_imports
    def _begun(self, lines: list[str]) -> list[str]:
        from colab_magics import options
        from colab_magics.cells import transformer

        return transformer.begun(lines, options.STATUS, self.shell)

    def start_explaining(self) -> None:
        """From now on, explain errors that say that memory has run out."""
        shell: Any = self.shell
        self._error_shown = id(sys.__dict__.get("last_value"))
        self._after_cell = self.explain  # IPython 7 finds by its identity what it has wrapped
        shell.events.register("post_run_cell", self._after_cell)

    def stop_explaining(self) -> None:
        """Explain no more errors."""
        shell: Any = self.shell
        if self._after_cell is not None:
            called, self._after_cell = self._after_cell, None
            with contextlib.suppress(ValueError):  # somebody has cleared the list
                shell.events.unregister("post_run_cell", called)

    def explain(self, result: Any = None, *_: object) -> None:
        """Explain the error of a cell, where it says that memory has run out.

        Magics that run code, as `%%time` and `%run`, may show an error by themselves, and the cell has none then. What
        a cell within a cell has shown, and both fail by, is explained once.
        """
        shown = sys.__dict__.get("last_value")
        is_new = id(shown) != self._error_shown
        self._error_shown = id(shown)
        error = getattr(result, "error_in_exec", None)
        if error is None or error is shown:
            error = shown if is_new else None
        if error is None:
            return
        try:
            with trusted_imports:
                from colab_magics import explaining

                works = explaining.explain(error, self.shell, language=self.language)
        except MemoryError:  # too little is left to import it
            return
        if not works:
            self.stop_explaining()

    def complete_line(self, _line: str) -> list[str]:
        """Return what may follow on a line with a magic of ours: IPython below 8.6 asks this when Tab is pressed."""
        shell: Any = self.shell
        completer = shell.Completer
        until_cursor = completer.text_until_cursor
        offered = self._offer(until_cursor)
        if offered is None:
            return []
        token = completer.splitter.split_line(until_cursor)
        return [token.removesuffix(offered.begun) + word for word in offered.words]

    def complete_context(self, context: Any) -> Any:
        """Return the same for IPython 8.6 and newer, as its second form of matchers does."""
        offered = self._offer(context.text_until_cursor)
        if offered is None:
            return {"completions": []}
        from IPython.core.completer import SimpleCompletion

        return {
            "completions": [SimpleCompletion(text=word, type="keyword") for word in offered.words],
            "matched_fragment": offered.begun,
            "ordered": True,
            "suppress": True,
        }

    complete_context.matcher_api_version = 2  # type: ignore[attr-defined]  # a function takes any attribute

    def _offer(self, until_cursor: str) -> Offer | None:
        """Return what may follow on a line that is typed so far, None unless a magic of ours is on it."""
        found = re.fullmatch(_LINE, until_cursor)
        if found is None:
            return None
        escape, name, typed = found["escape"], found["name"], found["typed"]
        if name not in ColabMagics.magics["cell" if escape == "%%" else "line"]:
            return None
        if not escape and not self._is_automagic(name, typed):
            return None
        return self._offered(escape, name, typed)

    def _is_automagic(self, name: str, typed: str) -> bool:
        """Tell whether IPython takes a line that begins with a name for a magic's."""
        shell: Any = self.shell
        is_on = bool(shell.magics_manager.auto_magic)
        return is_on and name not in shell.user_ns and re.match(_AUTOMAGIC, typed) is not None

    @trusted_imports
    def _offered(self, escape: str, name: str, typed: str) -> Offer:
        from colab_magics import completion, options

        magic = options.CELL if escape == "%%" else name
        return completion.offer(magic, typed, self._indices)

    @property
    def _shell_class(self) -> str:
        """The dotted name of the shell's class."""
        shell = type(self.shell)
        return f"{shell.__module__}.{shell.__qualname__}"

    def _run(self, magic: str, line: str) -> Report | None:
        chosen = _read(magic, line)
        requirement = _requirement(chosen.require)
        shell_class = self._shell_class
        note = None
        if chosen.on is not None:
            return self._ask_cluster(chosen.on, chosen, requirement)
        if chosen.widget:
            from colab_magics.panel import opening

            note = opening.why_no_panel(self.shell, shell_class=shell_class)
            if note is None:
                self._open_panel(magic, chosen, requirement, shell_class)
                return None
        from colab_magics import options, report

        looks: dict[str, Callable[..., Report]] = {
            options.GPU: report.gpu_info,
            options.RAM: report.ram_info,
            options.STATUS: report.runtime_status,
        }
        if chosen.variables:
            variables = report.Variables(self.shell, options.ROWS if chosen.rows is None else chosen.rows)
            looks[options.GPU] = functools.partial(report.gpu_info, variables=variables)
            looks[options.RAM] = functools.partial(report.ram_info, variables=variables)
        if chosen.free:
            looks[options.RAM] = functools.partial(looks[options.RAM], free=self._free)
        if chosen.cells:
            wanted = None if chosen.everything else options.ROWS if chosen.rows is None else chosen.rows
            seen = report.of_cells(self.session.most(wanted), self.session.sums, shell_class=shell_class)
        else:
            seen = looks[magic](
                shell_class=shell_class,
                everything=chosen.everything,
                driver_deadline_seconds=self.driver_deadline_seconds,
            )
        seen = self._check_requirement(requirement, seen, chosen)
        return self._deliver(_only(seen, chosen.indices), chosen, note=note)

    def _ask_cluster(self, name: str, chosen: Options, requirement: Requirement | None) -> Report | None:
        """Ask every machine of the cluster that a variable stands for."""
        from colab_magics.clusters import in_notebook, status
        from colab_magics.clusters.asking import ClusterError
        from colab_magics.views.render_options import language_for

        language = language_for(self.language)
        question = status.Question(requirement, chosen.strict, self.driver_deadline_seconds)
        shown_in = None if chosen.quiet or chosen.json else language
        try:
            seen = in_notebook.ask(self.shell, name, question, shell_class=self._shell_class, language=shown_in)
        except ClusterError as error:
            raise _mistake(str(error), asks_requirement=requirement is not None) from None
        if requirement is not None:
            self._pass_or_stop(status.held(seen, language), chosen)
        return self._deliver(seen, chosen, note=None)

    def _measure(self, line: str, cell: str) -> None:
        """Measure the cell that runs, and show what it took when it has ended."""
        from colab_magics import options
        from colab_magics.cells import closing, transformer

        chosen = _read(options.CELL, line)
        if not cell.strip():  # Colab's shell calls a magic without a body, too
            raise UsageError("there is nothing to measure below %%runtime_status. Did you mean %runtime_status?")
        if cell != transformer.BODY_FOLLOWS:
            closing.drop_running()
            raise UsageError("%%runtime_status stands in the first line of a cell, once, and is not called")
        try:
            tell = functools.partial(self._tell, chosen)
            closing.Measurement(self.shell, tell, deadline_seconds=self.driver_deadline_seconds)
        except closing.NoRunError as no_run:
            closing.drop_running()
            raise UsageError(f"%%runtime_status measures a cell once: {no_run}") from None

    @trusted_imports
    def _tell(self, chosen: Options, cell: Cell) -> None:
        """Show what a cell took, and remember it; a mistake of ours costs one line, not the cell's outcome."""
        from colab_magics.views import display

        try:
            from colab_magics import report

            self.session.remember(cell)
            self._deliver(report.of_cell(cell, shell_class=self._shell_class), chosen, note=None)
        except Exception as error:  # noqa: BLE001 - IPython would show a traceback of ours below the user's cell
            display.print_aside(f"%%runtime_status could not tell what the cell took ({type(error).__name__}).")

    def _free(self) -> Release:
        """Let go of what keeps memory and is no variable of the user's."""
        from colab_magics.release import release

        return release(self.shell)

    def _open_panel(self, magic: str, chosen: Options, requirement: Requirement | None, shell_class: str) -> None:
        """Open a panel in place of the one before."""
        from colab_magics import options
        from colab_magics.observer import client
        from colab_magics.panel import opening
        from colab_magics.panel.source import Source
        from colab_magics.views.render_options import RenderOptions, language_for

        rows = options.ROWS_OF_PANEL if chosen.rows is None else chosen.rows
        source = Source(
            subject=opening.SUBJECTS[magic],
            indices=chosen.indices,
            driver_deadline_seconds=self.driver_deadline_seconds,
            shell_class=shell_class,
            cells=(lambda: (self.session.most(rows), self.session.sums)) if chosen.cells else None,
        )
        try:
            seen = source.look_at_all(sample_every_seconds=self.panel_period_seconds)
            seen = self._check_requirement(requirement, seen, chosen)
            first = _only(seen, chosen.indices)
            shown = RenderOptions(language=language_for(self.language), processes=chosen.processes)
            self.close_panel()
            self.panel = opening.open_panel(first, source, self.shell, shown, period_seconds=self.panel_period_seconds)
        except BaseException:
            if self.panel is None:
                client.stop_sampling()
            raise

    def _check_requirement(self, requirement: Requirement | None, seen: Report, chosen: Options) -> Report:
        """Hold a requirement against what was seen, and return that, with a driver that has started meanwhile.

        What could not be checked is said, also where the report is not shown.
        """
        if requirement is not None:
            from colab_magics import options, report
            from colab_magics.views import display
            from colab_magics.views.render_options import RenderOptions, language_for

            held = report.hold(
                requirement,
                seen,
                strict=chosen.strict,
                language=language_for(self.language),
                wait_seconds=options.WAIT_SECONDS,
                driver_deadline_seconds=self.driver_deadline_seconds,
            )
            seen = held.report
            options_of_card = RenderOptions(language=language_for(self.language))
            self._pass_or_stop(held, chosen, show_card=functools.partial(display.show_card, seen, options_of_card))
        if isinstance(seen.snapshot.gpus, tuple):
            self._indices = tuple(str(gpu.index) for gpu in seen.snapshot.gpus)
        return seen

    def _pass_or_stop(self, held: Held, chosen: Options, *, show_card: Callable[[], str | None] | None = None) -> None:
        """Raise where a requirement is not met; else say what of it could not be checked."""
        from colab_magics import report
        from colab_magics.views import display

        if not held.is_met:
            from colab_magics.stopping import RequirementNotMet

            if chosen.json:
                display.print_json(report.only(held.report, chosen.indices), everything=chosen.everything)
                raise RequirementNotMet(held.said)
            raise RequirementNotMet(held.said, show_card=show_card)
        if held.said:
            (display.print_aside if chosen.json else display.show_line)(held.said)

    def _deliver(self, seen: Report, chosen: Options, *, note: str | None) -> Report | None:
        if chosen.output:
            return seen
        if not chosen.quiet:
            from colab_magics.views import display

            if chosen.json:
                display.print_json(seen, everything=chosen.everything)
            else:
                from colab_magics.views.render_options import RenderOptions, language_for

                options = RenderOptions(
                    language=language_for(self.language),
                    everything=chosen.everything,
                    processes=chosen.processes,
                    note=note,
                )
                display.show(seen, options)
        return None

    def close_panel(self) -> None:
        """Close the panel, if one is open."""
        if self.panel is not None:
            self.panel.close()
            self.panel = None

    @trusted_imports
    def report_as_bundle(self, report: Report) -> dict[str, str]:
        """Show a returned report as a cell's result, in the language that was chosen here."""
        from colab_magics.views import html, terminal
        from colab_magics.views.render_options import RenderOptions, language_for

        options = RenderOptions(language=language_for(self.language))
        return {"text/plain": terminal.shown(report, options), "text/html": html.render(report, options)}


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
    _matchers(ipython).append(_matcher(magics))
    magics.start_explaining()
    ipython.input_transformers_cleanup.append(magics.begin_to_measure)
    formatters: Any = ipython.display_formatter
    formatters.mimebundle_formatter.for_type_by_name(*_REPORT_CLASS, magics.report_as_bundle)
    magics.switch_footer()


def unregister(ipython: InteractiveShell) -> None:
    """Leave a shell as it was before `register`: magics, settings' owner, formatters, panel, child process.

    Settings made with `%config` stay in the shell's configuration, where the next load finds them.
    """
    magics = ipython.magics_manager.registry.get(ColabMagics.__name__)
    if magics is None:
        return
    del ipython.magics_manager.registry[ColabMagics.__name__]
    magics.stop_explaining()
    magics.switch_footer()
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
    _matchers(ipython)[:] = [one for one in _matchers(ipython) if one != _matcher(magics)]
    before_us = [one for one in ipython.input_transformers_cleanup if one != magics.begin_to_measure]
    ipython.input_transformers_cleanup[:] = before_us
    closing = sys.modules.get("colab_magics.cells.closing")
    if closing is not None:
        closing.drop_all()
    formatters: Any = ipython.display_formatter
    formatters.mimebundle_formatter.pop(".".join(_REPORT_CLASS), None)
    _drop(ipython)
    client = sys.modules.get("colab_magics.observer.client")
    panel = magics.panel
    try:
        magics.close_panel()
    finally:
        if client is not None:
            client.close()
            if panel is not None:
                panel.wait()  # a look that was still going on may have started another child
                client.close()


def _matchers(ipython: InteractiveShell) -> list[Any]:
    """Return IPython's list in which what completes our lines stands; whoever stands there, completes them alone.

    From 8.6 on that are `custom_matchers`, as its documentation has it: one may ask that no other matcher is heard,
    Jedi neither, which IPython grants unless the user has set `IPCompleter.suppress_competing_matchers = False`. Before
    it are the `magic_arg_matchers`, by which IPython itself completes `%config`: the hook `complete_command`, which is
    documented, knows no line but one that begins with the magic's name, and Jedi adds Python's names to it.

    Neither can say that nothing fits. Where nothing of ours begins as it was typed, or nothing is to be offered (a size
    in a requirement), IPython goes on to its own: names, files.
    """
    completer: Any = ipython.Completer
    matchers: list[Any] = completer.custom_matchers if _HAS_MATCHERS else completer.magic_arg_matchers
    return matchers


def _matcher(magics: ColabMagics) -> Callable[..., Any]:
    """Return what completes our lines, in the form that this IPython calls."""
    return magics.complete_context if _HAS_MATCHERS else magics.complete_line


def _drop(ipython: InteractiveShell) -> None:
    """Remove every instance of ours from the list that `%config` reads, also one whose making failed halfway."""
    ipython.configurables[:] = [one for one in ipython.configurables if not isinstance(one, ColabMagics)]


def _read(magic: str, line: str) -> Options:
    """Read a magic's line; a mistake in it becomes one line that says what was found and what is allowed.

    If the line asks a requirement, this goes unchecked, so no magic may swallow the mistake.
    """
    from colab_magics import options
    from colab_magics.line import asks_requirement

    try:
        return options.read_line(magic, line)
    except options.OptionError as error:
        raise _mistake(str(error), asks_requirement=asks_requirement(line)) from None


def _mistake(found: str, *, asks_requirement: bool) -> UsageError:
    """Return a mistake in a line; where the line asks a requirement, one that no other magic can swallow."""
    if not asks_requirement:
        return UsageError(found)
    from colab_magics.mistakes import RequirementMistake

    return RequirementMistake(found)


def _requirement(expression: str | None) -> Requirement | None:
    """Read the expression of -r."""
    if expression is None:
        return None
    from colab_magics import report
    from colab_magics.requirement import RequirementSyntaxError

    try:
        return report.read_requirement(expression)
    except RequirementSyntaxError as error:
        raise _mistake(str(error), asks_requirement=True) from None


def _only(seen: Report, indices: tuple[int, ...]) -> Report:
    """Keep the GPUs that were asked for. Where the GPUs could not be looked at, the report says so by itself."""
    gpus = seen.snapshot.gpus
    if not indices or not isinstance(gpus, tuple):
        return seen
    there = {gpu.index for gpu in gpus}
    for index in indices:
        if index not in there:
            allowed = f"Allowed: {', '.join(map(str, sorted(there)))}" if there else "This machine has none"
            raise UsageError(f"there is no GPU {index}. {allowed}")
    from colab_magics import report

    return report.only(seen, indices)
