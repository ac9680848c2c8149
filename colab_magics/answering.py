"""From a magic's line to what it shows: read the line, look, hold a requirement against what was seen, show that.

The magics hand their lines on, so that what a report needs is imported when one is asked for.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from colab_magics.imports import trusted_imports

if TYPE_CHECKING:
    from collections.abc import Callable

    from colab_magics.magics import ColabMagics
    from colab_magics.model.cells import Cell
    from colab_magics.options import Options
    from colab_magics.report import Held, Report
    from colab_magics.requirement import Requirement


def run(magics: ColabMagics, magic: str, line: str) -> Report | None:
    """Do what a magic's line asks for; return the report where that is asked for."""
    chosen = _read(magic, line)
    requirement = _requirement(chosen.require)
    shell_class = magics.shell_class
    note = None
    if chosen.on is not None:
        return _ask_cluster(magics, chosen.on, chosen, requirement)
    if chosen.widget:
        from colab_magics.panel import opening

        note = opening.why_no_panel(magics.shell, shell_class=shell_class)
        if note is None:
            _open_panel(magics, magic, chosen, requirement, shell_class)
            return None
    from colab_magics import options, report

    looks: dict[str, Callable[..., Report]] = {
        options.GPU: report.gpu_info,
        options.RAM: report.ram_info,
        options.STATUS: report.runtime_status,
    }
    if chosen.variables:
        variables = report.Variables(magics.shell, options.ROWS if chosen.rows is None else chosen.rows)
        looks[options.GPU] = functools.partial(report.gpu_info, variables=variables)
        looks[options.RAM] = functools.partial(report.ram_info, variables=variables)
    if chosen.free:
        from colab_magics.release import release

        looks[options.RAM] = functools.partial(looks[options.RAM], free=functools.partial(release, magics.shell))
    if chosen.cells:
        wanted = None if chosen.everything else options.ROWS if chosen.rows is None else chosen.rows
        seen = report.of_cells(magics.session.most(wanted), magics.session.sums, shell_class=shell_class)
    else:
        seen = looks[magic](
            shell_class=shell_class,
            everything=chosen.everything,
            driver_deadline_seconds=magics.driver_deadline_seconds,
        )
    seen = _check_requirement(magics, requirement, seen, chosen)
    return _deliver(magics, _only(seen, chosen.indices), chosen, note=note)


def _ask_cluster(magics: ColabMagics, name: str, chosen: Options, requirement: Requirement | None) -> Report | None:
    """Ask every machine of the cluster that a variable stands for."""
    from colab_magics.clusters import in_notebook, status
    from colab_magics.clusters.asking import ClusterError
    from colab_magics.views.render_options import language_for

    language = language_for(magics.language)
    question = status.Question(requirement, chosen.strict, magics.driver_deadline_seconds)
    shown_in = None if chosen.quiet or chosen.json else language
    try:
        seen = in_notebook.ask(magics.shell, name, question, shell_class=magics.shell_class, language=shown_in)
    except ClusterError as error:
        raise _mistake(str(error), asks_requirement=requirement is not None) from None
    if requirement is not None:
        _pass_or_stop(status.held(seen, language), chosen)
    return _deliver(magics, seen, chosen, note=None)


def measure(magics: ColabMagics, line: str, cell: str) -> None:
    """Measure the cell that runs, and show what it took when it has ended."""
    from colab_magics import options
    from colab_magics.cells import closing, transformer

    chosen = _read(options.CELL, line)
    if not cell.strip():  # Colab's shell calls a magic without a body, too
        raise _mistake("there is nothing to measure below %%runtime_status. Did you mean %runtime_status?")
    if cell != transformer.BODY_FOLLOWS:
        closing.drop_running()
        raise _mistake("%%runtime_status stands in the first line of a cell, once, and is not called")
    try:
        tell = functools.partial(_tell, magics, chosen)
        closing.Measurement(magics.shell, tell, deadline_seconds=magics.driver_deadline_seconds)
    except closing.NoRunError as no_run:
        closing.drop_running()
        raise _mistake(f"%%runtime_status measures a cell once: {no_run}") from None


@trusted_imports
def _tell(magics: ColabMagics, chosen: Options, cell: Cell) -> None:
    """Show what a cell took, and remember it; a mistake of ours costs one line, not the cell's outcome."""
    from colab_magics.views import display

    try:
        from colab_magics import report

        magics.session.remember(cell)
        _deliver(magics, report.of_cell(cell, shell_class=magics.shell_class), chosen, note=None)
    except Exception as error:  # noqa: BLE001 - IPython would show a traceback of ours below the user's cell
        display.print_aside(f"%%runtime_status could not tell what the cell took ({type(error).__name__}).")


def _open_panel(
    magics: ColabMagics, magic: str, chosen: Options, requirement: Requirement | None, shell_class: str
) -> None:
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
        driver_deadline_seconds=magics.driver_deadline_seconds,
        shell_class=shell_class,
        cells=(lambda: (magics.session.most(rows), magics.session.sums)) if chosen.cells else None,
    )
    try:
        seen = source.look_at_all(sample_every_seconds=magics.panel_period_seconds)
        seen = _check_requirement(magics, requirement, seen, chosen)
        first = _only(seen, chosen.indices)
        shown = RenderOptions(language=language_for(magics.language), processes=chosen.processes)
        magics.close_panel()
        magics.panel = opening.open_panel(
            first, source, magics.shell, shown, period_seconds=magics.panel_period_seconds
        )
    except BaseException:
        if magics.panel is None:
            client.stop_sampling()
        raise


def _check_requirement(magics: ColabMagics, requirement: Requirement | None, seen: Report, chosen: Options) -> Report:
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
            language=language_for(magics.language),
            wait_seconds=options.WAIT_SECONDS,
            driver_deadline_seconds=magics.driver_deadline_seconds,
        )
        seen = held.report
        options_of_card = RenderOptions(language=language_for(magics.language))
        _pass_or_stop(held, chosen, show_card=functools.partial(display.show_card, seen, options_of_card))
    if isinstance(seen.snapshot.gpus, tuple):
        magics.indices = tuple(str(gpu.index) for gpu in seen.snapshot.gpus)
    return seen


def _pass_or_stop(held: Held, chosen: Options, *, show_card: Callable[[], str | None] | None = None) -> None:
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


def _deliver(magics: ColabMagics, seen: Report, chosen: Options, *, note: str | None) -> Report | None:
    if chosen.output:
        return seen
    if not chosen.quiet:
        from colab_magics.views import display

        if chosen.json:
            display.print_json(seen, everything=chosen.everything)
        else:
            from colab_magics.views.render_options import RenderOptions, language_for

            options = RenderOptions(
                language=language_for(magics.language),
                everything=chosen.everything,
                processes=chosen.processes,
                note=note,
            )
            display.show(seen, options)
    return None


def _mistake(found: str, *, asks_requirement: bool = False) -> Exception:
    from colab_magics.mistakes import mistake

    return mistake(found, asks_requirement=asks_requirement)


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
            raise _mistake(f"there is no GPU {index}. {allowed}")
    from colab_magics import report

    return report.only(seen, indices)
