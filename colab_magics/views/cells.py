"""The cells of a session in words and as a table: which took most of what, and all of them together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics import units
from colab_magics.model.cells import Measure, leaders
from colab_magics.translation import N_, NP_
from colab_magics.values import Record
from colab_magics.views import layout, messages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from colab_magics.model import Snapshot
    from colab_magics.model.cells import Cell, GpuWork, SessionSums
    from colab_magics.translation import Translator

NOT_KNOWN = "-"
"""What stands in place of a figure that could not be measured."""

_LEAST_OF_A_LINE = 8
"""How many columns of a cell's code are shown at least."""

_LEADS = {
    Measure.TIME: N_("Longest: {cell} {figure}."),
    Measure.RAM_KEPT: N_("Most RAM kept: {cell} {figure}."),
    Measure.GPU_MEMORY: N_("Most GPU memory: {cell} {figure}."),
    Measure.ENERGY: N_("Most energy: {cell} {figure}."),
}
"""How it is said which cell leads; who leads by RAM is the answer."""

_HOW_TO_MEASURE = (
    N_("To have every cell measured from now on, and those that take much say so: %config ColabMagics.footer = True"),
    N_("To measure one cell: %%runtime_status as its first line."),
)


COLUMNS = ("number", "code", "time", "processors", "peak", "kept", "child", "gpu", "busy", "energy")
"""The columns in their order; one with nothing in it is left out."""

SHARES = {"time": "time_percent", "peak": "peak_percent"}
"""The columns that have a bar behind them, and what it shows."""


class Row(Record):
    """One cell, or the names of the columns."""

    number: str
    """ "[7]"."""
    code: str
    """The beginning of its code, made printable."""
    time: str
    """ "42 s"."""
    peak: str
    """The most RAM over the start, in GiB."""
    kept: str
    """The RAM kept, in GiB."""
    gpu: str
    """The most GPU memory over the start, in GiB."""
    energy: str
    """ "840 J"."""
    processors: str
    """The processor time as a share of the time: above 100 % where several cores worked."""
    child: str
    """The largest child process, in GiB."""
    busy: str
    """The share of the time in which the busiest GPU worked."""
    time_percent: float | None = None
    """Its share of the longest time."""
    peak_percent: float | None = None
    """Its share of the highest peak."""


class _Frame(Record):
    """What a row depends on beside its cell."""

    longest_seconds: float
    """Of all rows, as what follows."""
    highest_bytes: int
    without: str
    """What a cell has of GPUs of which nothing is known: nothing where no cell has any."""
    everything: bool
    """Whether all columns are shown."""


def headings(translate: Translator, *, everything: bool) -> Row:
    """Return the names of the columns; the unit is said below the table where all of them are shown."""
    if everything:
        peak, kept, gpu, child = translate("peak"), translate("kept"), "GPU", translate("child")
    else:
        peak, kept = translate("peak, GiB"), translate("kept, GiB")
        gpu, child = translate("GPU, GiB"), ""
    return Row(
        number=translate("cell"), code=translate("code"), time=translate("time"), peak=peak, kept=kept, gpu=gpu,
        energy=translate("energy"), processors="CPU" if everything else "", child=child,
        busy=translate("busy") if everything else "",
    )  # fmt: skip


def rows(cells: Sequence[Cell], translate: Translator, *, everything: bool) -> list[Row]:
    """Return a row for each cell, in the order in which they are given."""
    frame = _Frame(
        longest_seconds=max((cell.wall_seconds for cell in cells), default=0),
        highest_bytes=max((cell.ram_over_start_bytes or 0 for cell in cells), default=0),
        without=NOT_KNOWN if any(cell.gpus for cell in cells) else "",
        everything=everything,
    )
    return [_row(cell, frame, translate) for cell in cells]


def lines(table: Sequence[Row], translate: Translator, *, everything: bool) -> list[str]:
    """Return the table as text of at most 80 columns, its headings first; nothing where there is no row."""
    if not table:
        return []
    names = headings(translate, everything=everything)
    return [line.rstrip() for line in in_columns([[getattr(row, column) for column in COLUMNS]
                                                  for row in (names, *table)])]  # fmt: skip


def in_columns(cells: Sequence[Sequence[str]]) -> list[str]:
    """Lay the cells of a table out, the code second: it gets what room the figures leave, and keeps its beginning."""
    without = layout.columns([[number, "", *figures] for number, _, *figures in cells], left=(), shorten=())
    room = max(_LEAST_OF_A_LINE, layout.WIDTH - max(map(units.width, without)) - 2)
    fitting = [[number, _beginning(code, room), *figures] for number, code, *figures in cells]
    return layout.columns(fitting, left={1}, shorten=())


def answer(snapshot: Snapshot, translate: Translator) -> tuple[str, tuple[tuple[str, ...], ...]]:
    """Return which cell took most RAM, and in paragraphs what else there is to say."""
    sums, cells = snapshot.session, snapshot.cells or ()
    if sums is None or not sums.measured:
        return translate("No cell has been measured yet."), tuple((translate(way),) for way in _HOW_TO_MEASURE)
    first = leaders(cells).get(Measure.RAM_PEAK)
    if first is None:
        return _count(sums, translate), (lead_sentences(cells, translate),)
    size = units.size(first.ram_over_start_bytes or 0)
    said = translate("{cell} took the most RAM: {size} over the start.", cell=name(first), size=size)
    return said, (lead_sentences(cells, translate), (_count(sums, translate),))


def heading(snapshot: Snapshot, translate: Translator) -> tuple[str, tuple[str, ...]]:
    """Return the title, and phrases that stand beside it."""
    sums = snapshot.session
    if sums is None or not sums.measured:
        return translate("No cell has been measured yet."), ()
    facts = [
        translate("{count} measured", count=sums.measured),
        translate("{time} in all", time=messages.elapsed(sums.wall_seconds, translate)),
    ]
    if sums.energy_joules is not None:
        facts.append(units.energy(sums.energy_joules))
    return translate("Cells of this session"), tuple(facts)


def notes(snapshot: Snapshot, translate: Translator) -> tuple[str, ...]:
    """Return the sentences of the answer that neither the heading nor the table says."""
    if snapshot.session is None or not snapshot.session.measured:
        return tuple(map(translate, _HOW_TO_MEASURE))
    leading = lead_sentences(snapshot.cells or (), translate)
    return (translate.joined(leading),) if leading else ()


def foot(snapshot: Snapshot, translate: Translator, *, everything: bool) -> tuple[str, ...]:
    """Return what is good to know of the table: what its figures are, how many cells are not in it, and why."""
    sums, shown = snapshot.session, len(snapshot.cells or ())
    if sums is None or not shown:
        return ()
    said = []
    if sums.failed:
        said.append(translate("Failed: {count}.", count=sums.failed))
    if shown < sums.remembered:
        said.append(translate("Shown: {shown} of {count}.", shown=shown, count=sums.remembered))
    forgotten = sums.measured - sums.remembered
    if forgotten:
        said.append(translate("Forgotten, since long ago and small: {count}.", count=forgotten))
    said.append(translate("Peak: the most RAM over what was there when the cell began."))
    if everything:
        said.append(translate("Sizes are in GiB."))
    return tuple(said)


def lead_sentences(cells: Sequence[Cell], translate: Translator) -> tuple[str, ...]:
    """Return which cell leads by each measure but the peak of RAM."""
    leading = leaders(cells)
    return tuple(
        translate(message, cell=_mark(leading[measure]), figure=_figure(measure, leading[measure], translate))
        for measure, message in _LEADS.items()
        if measure in leading
    )


def name(cell: Cell) -> str:
    """Return a cell's name, as it stands beside it on a page."""
    return f"In {_mark(cell)}"


def footer(cell: Cell, translate: Translator) -> str:
    """Return the quiet line below a cell: how long it took, and what of RAM and GPUs is more than next to nothing."""
    said = [messages.elapsed(cell.wall_seconds, translate)]
    over_bytes, kept_bytes = cell.ram_over_start_bytes or 0, cell.ram_kept_bytes or 0
    if over_bytes >= units.MIB:
        said.append(translate("peak {size} over the start", size=units.size(over_bytes)))
    if kept_bytes >= units.MIB:
        said.append(translate("{size} kept", size=units.size(kept_bytes)))
    elif kept_bytes <= -units.MIB:
        said.append(translate("{size} let go", size=units.size(-kept_bytes)))
    for gpu in cell.gpus or ():
        said += _gpu_phrases(gpu, translate)
    return translate.listed(said)


def stopped(why: str, translate: Translator) -> str:
    """Return what is said when the line below cells is turned off because cells could not be measured."""
    return translate("No more lines below cells (ColabMagics.footer): {why}", why=why)


def _gpu_phrases(gpu: GpuWork, translate: Translator) -> list[str]:
    """Return what a GPU did, nothing where it did nothing."""
    said = []
    device = f"GPU {gpu.index}"
    if gpu.busy_percent:
        said.append(translate("{name} busy {percent} %", name=device, percent=f"{gpu.busy_percent:.0f}"))
    if gpu.memory_over_start_bytes:
        size = units.size(gpu.memory_over_start_bytes)
        said.append(translate("its memory {size} over the start", size=size) if said
                    else translate("{name}'s memory {size} over the start", name=device, size=size))  # fmt: skip
    return said


def _row(cell: Cell, frame: _Frame, translate: Translator) -> Row:
    code = units.printable(cell.first_line)
    peak_bytes, energy, over = cell.ram_over_start_bytes, cell.energy_joules, cell.gpu_over_start_bytes
    busy = max((gpu.busy_percent for gpu in cell.gpus or () if gpu.busy_percent is not None), default=None)
    without, longest_seconds, highest_bytes = frame.without, frame.longest_seconds, frame.highest_bytes
    processors = child = share = ""
    if frame.everything:
        processors = f"{100 * cell.cpu_seconds / cell.wall_seconds:.0f} %" if cell.wall_seconds else NOT_KNOWN
        child = "" if cell.largest_child_bytes is None else _gib(cell.largest_child_bytes)
        share = without if busy is None else f"{busy:.0f} %"
    return Row(
        number=_mark(cell),
        code=translate("failed: {code}", code=code) if cell.failed else code,
        time=messages.elapsed(cell.wall_seconds, translate),
        peak=_gib(peak_bytes),
        kept=_gib(cell.ram_kept_bytes),
        gpu=without if over is None else _gib(over),
        energy=without if energy is None else units.energy(energy),
        processors=processors,
        child=child,
        busy=share,
        time_percent=100 * cell.wall_seconds / longest_seconds if longest_seconds else None,
        peak_percent=100 * peak_bytes / highest_bytes if peak_bytes is not None and highest_bytes else None,
    )


def _mark(cell: Cell) -> str:
    return f"[{NOT_KNOWN if cell.number is None else cell.number}]"


def _beginning(code: str, most: int) -> str:
    """Return code in at most so many columns: what is too long loses its end."""
    if units.width(code) <= most:
        return code
    while units.width(code) >= most:
        code = code[:-1]
    return f"{code.rstrip()}…"


def _gib(size_bytes: int | None) -> str:
    """Return a size in GiB, with what a cell of some MiB needs; no minus before a nothing."""
    if size_bytes is None:
        return NOT_KNOWN
    shown = f"{size_bytes / units.GIB:.2f}"
    return "0.00" if shown == "-0.00" else shown


def _count(sums: SessionSums, translate: Translator) -> str:
    message = NP_("{count} cell was measured: {time}.", "{count} cells were measured: {time} in all.", counted="count")
    time = messages.elapsed(sums.wall_seconds, translate)
    return translate.counting(message, sums.measured, count=sums.measured, time=time)


def _figure(measure: Measure, cell: Cell, translate: Translator) -> str:
    figure = measure.of(cell)
    if measure is Measure.TIME:
        return messages.elapsed(figure, translate)
    return units.energy(figure) if measure is Measure.ENERGY else units.size(figure)
