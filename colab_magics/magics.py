"""The magics and their settings: registers, unregisters, completes; `answering` does what a line asks for.

Importing this module imports IPython's magic machinery and nothing that a report needs.
"""

from __future__ import annotations

import contextlib
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
    from colab_magics.panel.session import Panel
    from colab_magics.report import Report

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

    indices: tuple[str, ...] = ()
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
        from colab_magics import answering, options

        return answering.run(self, options.GPU, line)

    @_with_help
    @line_magic
    @trusted_imports
    def ram_info(self, line: str) -> Report | None:
        """Show how much RAM there is, how much can still be allocated, what limits it, and what to do about it."""
        from colab_magics import answering, options

        return answering.run(self, options.RAM, line)

    @_with_help
    @line_cell_magic
    @trusted_imports
    def runtime_status(self, line: str, cell: str | None = None) -> Report | None:
        """Show what machine this is: GPU, RAM, disk, processors, versions, ages; and what to do about it.

        With %%, in the first line of a cell: show what that cell took.
        """
        from colab_magics import answering, options

        if cell is None:
            return answering.run(self, options.STATUS, line)
        answering.measure(self, line, cell)
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
        return completion.offer(magic, typed, self.indices, self._clusters)

    def _clusters(self) -> list[str]:
        """Return the variables that drive a cluster."""
        from colab_magics.clusters import engines

        shell: Any = self.shell
        return engines.driving(shell.user_ns)

    @property
    def shell_class(self) -> str:
        """The dotted name of the shell's class."""
        shell = type(self.shell)
        return f"{shell.__module__}.{shell.__qualname__}"

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
