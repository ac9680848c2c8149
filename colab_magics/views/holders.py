"""Who holds this kernel's memory, and what was let go of: as rows, and in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics import units
from colab_magics.model import Ram, Subject, Unavailable
from colab_magics.model.cells import Memory
from colab_magics.model.holders import Holders, Release
from colab_magics.translation import N_, NP_
from colab_magics.units import printable
from colab_magics.values import Record
from colab_magics.views import layout, messages

if TYPE_CHECKING:
    from collections.abc import Iterable

    from colab_magics.model import Snapshot
    from colab_magics.model.holders import Holder
    from colab_magics.translation import Translator

_MOST_OF_A_NAME = 24
"""How many columns the name of a holder gets: anybody may give it."""

_MOST_OF_A_LINE = 60
"""How long a line that deletes may be: of more variables than fit, none is offered."""

_RESULTS = NP_("{count} result", "{count} results", counted="count")
_LOOKED_AT = NP_(
    "Nothing here holds 1 MiB or more: {count} thing was looked at.",
    "Nothing here holds 1 MiB or more: {count} things were looked at.",
    counted="count",
)
_NOT_LET_GO = {
    "look": N_("how much it was"),
    "results": N_("results of cells"),
    "error": N_("the last error"),
    "torch": N_("PyTorch's cache"),
    "cupy": N_("CuPy's cache"),
    "pyarrow": N_("Arrow's free memory"),
    "system": N_("the C library's free memory"),
}


class Row(Record):
    """Something that holds memory."""

    name: str
    kind: str
    """What it is: its class, and an array's elements and shape."""
    size: str
    """Of this process's memory; empty where it has none of its own."""
    elsewhere: str
    """On which device how much, or whose memory it shares."""
    percent: float | None
    """The share of what this kernel holds."""


class Headings(Record):
    """The columns' names."""

    name: str
    kind: str
    size: str
    elsewhere: str


class Table(Record):
    """Rows, and what stands before and after them."""

    title: str
    headings: Headings
    rows: tuple[Row, ...]
    sentences: tuple[str, ...]
    """What they come to, and what would help."""
    command: str | None
    """The line that lets go of the largest variable."""
    then_free: bool = False
    """Whether what is kept beside the variables has that memory too."""


def tables(subject: Subject, snapshot: Snapshot, translate: Translator) -> list[Table]:
    """Return what was let go of, and who holds the memory that a report is about; nothing where neither is told."""
    if subject is not Subject.RAM:
        return _beside(subject, snapshot, translate)
    found = []
    if snapshot.released is not None:
        found.append(_released(snapshot.released, translate))
    if snapshot.holders is not None:
        found.append(_held(snapshot, translate))
    return found


def lines(table: Table, translate: Translator) -> list[str]:
    """Return a table as text of at most 80 columns."""
    shown = layout.broken(table.title)
    shown += cells(table)
    for sentence in table.sentences:
        shown += layout.broken(sentence)
    if table.command is not None:
        shown += layout.broken(to_delete(table, table.command, translate))
    return shown


def cells(table: Table, *, room: int = layout.WIDTH) -> list[str]:
    """Return the rows in so many columns, their headings first; nothing where there are none."""
    if not table.rows:
        return []
    names = table.headings
    head = [names.name, names.kind, names.size, names.elsewhere]
    rows = [head, *([one.name, one.kind, one.size, one.elsewhere] for one in table.rows)]
    columns = layout.columns(rows, left={0, 1, 3}, shorten=(1, 3, 0), most=room - 2)
    return [f"  {line.rstrip()}" for line in columns]


def to_delete(table: Table, command: str, translate: Translator) -> str:
    """Return the sentence that offers a line, which is never run."""
    if table.then_free:
        return translate("To let go of the largest variable: {command}, then %ram_info -f", command=command)
    return translate("To let go of the largest variable: {command}", command=command)


def _beside(subject: Subject, snapshot: Snapshot, translate: Translator) -> list[Table]:
    """Return who holds a GPU's memory, or the memory that has run out, as a table that says no more than that."""
    holders, ran_out = snapshot.holders, snapshot.out_of_memory
    if not isinstance(holders, Holders) or subject not in (Subject.GPU, Subject.OUT_OF_MEMORY):
        return []
    if subject is Subject.GPU or (ran_out is not None and ran_out.memory is not Memory.RAM):
        there = sorted((one for one in holders.largest if one.devices), key=lambda one: -one.device_bytes)
        title, rows = translate("What holds GPU memory here:"), [_row_there(one) for one in there]
    else:
        rows = [_row(one, None, translate) for one in holders.largest if one.ram_bytes or one.shares_with is not None]
        title = translate("What holds RAM here:")
    return [Table(title, _headings(translate), tuple(rows), (), None)] if rows else []


def _held(snapshot: Snapshot, translate: Translator) -> Table:
    holders = snapshot.holders
    title = translate("What holds memory in this kernel:")
    if not isinstance(holders, Holders):
        assert isinstance(holders, Unavailable)  # noqa: S101 - for the type checker
        return _without_rows(title, (messages.reason(holders, translate),), translate)
    kernel_bytes = snapshot.ram.kernel_bytes if isinstance(snapshot.ram, Ram) else None
    if not holders.largest:
        count = holders.looked_at
        title = translate.counting(_LOOKED_AT, count, count=count)
    return Table(
        title,
        _headings(translate),
        tuple(_row(one, kernel_bytes, translate) for one in holders.largest),
        (_sum(holders, kernel_bytes, translate),) if holders.largest or holders.ram_bytes >= units.MIB else (),
        _command(holders),
        then_free=holders.deletion is not None and holders.deletion.is_kept_elsewhere,
    )


def _sum(holders: Holders, kernel_bytes: int | None, translate: Translator) -> str:
    """Return what all hold together, against what this kernel holds."""
    held = _size(holders.ram_bytes, is_at_least=holders.is_at_least)
    if kernel_bytes is None:
        return translate("Together they hold {held}.", held=held)
    kernel = units.size(kernel_bytes)
    if holders.ram_bytes > kernel_bytes:
        return translate(
            "Together they have {held}, more than this kernel's {kernel}: what was never written to takes no memory.",
            held=held,
            kernel=kernel,
        )
    return translate(
        "Together they hold {held} of this kernel's {kernel}: "
        "the rest is Python, libraries, and memory that is not given back.",
        held=held,
        kernel=kernel,
    )


def _command(holders: Holders) -> str | None:
    deletion = holders.deletion
    if deletion is None:
        return None
    line = f"del {', '.join(deletion.names)}"
    if len(line) > _MOST_OF_A_LINE or not line.isprintable():
        return None
    return line


def _released(released: Release | Unavailable, translate: Translator) -> Table:
    if isinstance(released, Unavailable):
        return _without_rows(translate("Nothing was let go of:"), (messages.reason(released, translate),), translate)
    dropped = [translate.counting(_RESULTS, released.results, count=released.results)] if released.results else []
    if released.has_dropped_error:
        dropped.append(translate("the last error"))
    if dropped:
        title = translate("Let go of: {names}.", names=translate.listed(dropped))
    else:
        title = translate("There were no results and no last error to let go of.")
    rows = tuple(_row(one, None, translate) for one in released.let_go)
    return Table(title, _headings(translate), rows, tuple(_what_came_of_it(released, translate)), None)


def _what_came_of_it(released: Release, translate: Translator) -> Iterable[str]:
    before_bytes, after_bytes = released.ram_before_bytes, released.ram_after_bytes
    if before_bytes is not None and after_bytes is not None:
        before, after = units.size(before_bytes), units.size(after_bytes)
        yield translate("This kernel held {before} and holds {after} now.", before=before, after=after)
    for cache in released.caches:
        yield translate(
            "{framework} had {before} on cuda:{device} and has {after} now.",
            framework=cache.framework,
            device=cache.device,
            before=units.size(cache.reserved_before_bytes),
            after=units.size(cache.reserved_after_bytes),
        )
    if released.results:
        yield translate("Out, _ and their like are empty now.")
    if released.has_dropped_error:
        yield translate("%debug and %tb know nothing of the last error any more.")
    if released.error_kept_by is not None:
        name = layout.shortened(printable(released.error_kept_by), _MOST_OF_A_NAME)
        yield translate("The last error stays, with all that its functions had: it is your variable {name}.", name=name)
    if released.failed:
        failed = translate.listed(translate(_NOT_LET_GO[one]) for one in released.failed)
        yield translate("What failed: {names}.", names=failed)


def _without_rows(title: str, sentences: tuple[str, ...], translate: Translator) -> Table:
    return Table(title, _headings(translate), (), sentences, None)


def _headings(translate: Translator) -> Headings:
    return Headings(translate("name"), translate("type"), translate("size"), "")


def _row(one: Holder, kernel_bytes: int | None, translate: Translator) -> Row:
    elsewhere = [
        translate(
            "{size} on {device}",
            size=_size(there.size_bytes, is_at_least=one.is_at_least),
            device=printable(there.device),
        )
        for there in one.devices
    ]
    if one.shares_with is not None:
        name = layout.shortened(printable(one.shares_with), _MOST_OF_A_NAME)
        elsewhere.append(translate("memory of {name}", name=name))
    has_none = not one.ram_bytes and bool(elsewhere)
    return Row(
        layout.shortened(printable(one.name), _MOST_OF_A_NAME),
        _kind_of(one),
        "" if has_none else _size(one.ram_bytes, is_at_least=one.is_at_least),
        translate.listed(elsewhere),
        None if has_none or not kernel_bytes else min(100.0, 100 * one.ram_bytes / kernel_bytes),
    )


def _row_there(one: Holder) -> Row:
    """Return the row of something on a device."""
    return Row(
        layout.shortened(printable(one.name), _MOST_OF_A_NAME),
        _kind_of(one),
        _size(one.device_bytes, is_at_least=one.is_at_least),
        ", ".join(printable(there.device) for there in one.devices),
        None,
    )


def _kind_of(one: Holder) -> str:
    """Return what a holder is: its class, and an array's elements and shape."""
    kind = _kind(one.type_name)
    return kind if one.shape is None else f"{kind} {printable(one.shape)}"


def _kind(type_name: str) -> str:
    """Return a class as its users call it: with its package, without the modules between, and of a cell's by its name.

    >>> _kind("pandas.core.frame.DataFrame"), _kind("__main__.Model"), _kind("list")
    ('pandas.DataFrame', 'Model', 'list')
    """
    package, _, rest = printable(type_name).partition(".")
    if not rest:
        return package
    name = rest.rpartition(".")[2]
    return name if package == "__main__" else f"{package}.{name}"


def _size(size_bytes: int, *, is_at_least: bool) -> str:
    return f">= {units.size(size_bytes)}" if is_at_least else units.size(size_bytes)
