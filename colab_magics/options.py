"""The options and their help, said once for the magics and the shell command, and how a line of them is read.

Parsers are made when they are first needed: loading the extension needs none.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, NoReturn

from colab_magics.line import arguments
from colab_magics.units import excerpt
from colab_magics.values import Record

if TYPE_CHECKING:
    import argparse

GPU, RAM, STATUS = "gpu_info", "ram_info", "runtime_status"
"""The magics' names, which are the plain functions' too."""

CELL = f"%{STATUS}"
"""The same magic in the first line of a cell: with its `%` it is typed `%%runtime_status`."""

COMMAND = "colab-magics"
"""The shell command, as it is typed."""

PARTS = {"gpu": GPU, "ram": RAM, "status": STATUS}
"""The words for what the command looks at, and the magics that show the same."""

SCHEMA = "schema"
"""The word for the JSON Schema of its JSON."""

AUTOLOAD = "autoload"
"""The word that loads the magics at every start; it has options of its own."""

MET, NOT_MET, MISTYPED, NOT_WRITTEN = range(4)
"""The command's exit codes."""

EXIT_CODES = {
    MET: "all is well",
    NOT_MET: "a requirement is not met",
    MISTYPED: "the line cannot be read",
    NOT_WRITTEN: "the answer could not be written",
}
"""What they mean."""

WAIT_SECONDS = 20.0
"""How long a requirement waits for a driver that is starting, unless told otherwise."""

SHORT_WAIT_SECONDS = 6.0
"""How long the shell command waits for it without a requirement."""

LONGEST_WAIT_SECONDS = 3600.0

ROWS = 10
"""How many rows a list has unless told otherwise."""

ROWS_OF_PANEL = 3
"""How many of them a panel shows."""

MOST_CHARACTERS = 10_000
"""The longest line of a magic: it is read letter by letter, and nobody types as much."""

_EXCLUDED = {
    "widget": ("json", "output", "everything", "quiet", "variables", "free"),
    "json": ("output", "quiet"),
    "on": ("widget", "cells"),
}
"""Options by their fields, and those that contradict them."""

_MOST_DIGITS = 6
"""The most digits of a GPU's number, and of a number of rows."""

_MOST_REPEATED = 200
"""The most characters of a line that a message about it repeats."""


class Option(Record):
    """An option: how it is typed, what its help says, and where it is."""

    flags: tuple[str, ...]
    """Short and long; none for what is typed without a flag."""
    field: str
    """Its field of `Options`."""
    help: str
    """A sentence; `%(prog)s` is the magic or the command."""
    takes: str | None = None
    """What follows it, in capitals; None where it is a switch."""
    where: tuple[str, ...] = (GPU, RAM, STATUS)
    """The magics that have it, and the command."""


OPTIONS = (
    Option(
        ("-a", "--all"),
        "everything",
        "Show every field, the unavailable ones with their reason, and take the expensive readings too.",
        where=(GPU, RAM, STATUS, CELL, COMMAND),
    ),
    Option(
        ("-j", "--json"),
        "json",
        "Print one JSON document in one line instead of showing the report.",
        where=(GPU, RAM, STATUS, COMMAND),
    ),
    Option(("-o", "--output"), "output", "Return the report instead of showing it: report = %(prog)s -o"),
    Option(("-w", "--widget"), "widget", "Open the panel: live gauges, and what to click to get other hardware."),
    Option(
        ("-q", "--quiet"),
        "quiet",
        "Show nothing; with -r only a failure speaks, and what could not be checked.",
        where=(GPU, RAM, STATUS, CELL, COMMAND),
    ),
    Option(
        ("-r", "--require"),
        "require",
        'Stop this cell and "Run all" (the command: exit code 1) unless EXPR holds: -r "gpu=A100|L4, vram>=15". Keys: '
        "bf16, cc, cores, cuda, disk, driver, gpu, gpus, python, ram, ram_free, shm, tpu, vram, vram_free, and any "
        "installed package (torch>=2.4).",
        takes="EXPR",
        where=(GPU, RAM, STATUS, COMMAND),
    ),
    Option(
        ("--strict",),
        "strict",
        "With -r: what cannot be told counts as not met.",
        where=(GPU, RAM, STATUS, COMMAND),
    ),
    Option(
        ("--wait",),
        "wait",
        "Wait so long for a driver that is starting, 3 seconds at least: 20 seconds with -r, else 6.",
        takes="SECONDS",
        where=(COMMAND,),
    ),
    Option(
        ("-c", "--cells"),
        "cells",
        "Show which cells of this session took most RAM, GPU memory, time and energy.",
        where=(STATUS,),
    ),
    Option(
        ("--on",),
        "on",
        "Ask every machine of a cluster: NAME is the variable that has a Dask Client, an ipyparallel Client or view, "
        "or the module ray. With -r, EXPR must hold on each.",
        takes="NAME",
        where=(STATUS,),
    ),
    Option(("-p", "--processes"), "processes", "Show who holds GPU memory: number, name, memory.", where=(GPU,)),
    Option(
        ("-v", "--variables"),
        "variables",
        "Show what has the memory: the largest variables, what is kept beside them; of a GPU's also frameworks, their "
        "caches and other processes.",
        where=(GPU, RAM),
    ),
    Option(
        ("-f", "--free"),
        "free",
        "First let go of results (Out, _), of the last error and of frameworks' caches; no variable is deleted.",
        where=(RAM,),
    ),
    Option(
        ("-n",),
        "rows",
        f"With -v or -c: show so many variables or cells, {ROWS} unless told otherwise.",
        takes="N",
        where=(GPU, RAM, STATUS),
    ),
    Option(("--version",), "version", "Print the version.", where=(COMMAND,)),
    Option(
        (),
        "part",
        f"What to look at: {', '.join(PARTS)}; all of it without a word. {SCHEMA} prints the JSON Schema of -j.",
        takes="|".join((*PARTS, SCHEMA)),
        where=(COMMAND,),
    ),
    Option((), "indices", "Only the GPUs with these numbers (NVML's, as in nvidia-smi).", takes="INDEX", where=(GPU,)),
)
"""All options, in the order in which their help is read."""


class Options(Record):
    """A line of options, read."""

    everything: bool = False
    json: bool = False
    output: bool = False
    widget: bool = False
    quiet: bool = False
    require: str | None = None
    """All requirements on the line, as one expression."""
    strict: bool = False
    wait: float | None = None
    processes: bool = False
    variables: bool = False
    free: bool = False
    cells: bool = False
    on: str | None = None
    """The name of the variable that a cluster is driven by."""
    rows: int | None = None
    """How many of a list; None: as many as it has by itself."""
    indices: tuple[int, ...] = ()
    version: bool = False
    part: str | None = None
    """A key of `PARTS`, or `SCHEMA`."""


class OptionError(ValueError):
    """A line that cannot be read: what was found and what is allowed, in one line."""


def read_line(magic: str, line: str) -> Options:
    """Read what stands behind a magic's name."""
    if not line or line.isspace():
        return Options()
    if len(line) > MOST_CHARACTERS:
        raise OptionError(f"the line has {len(line)} characters. Allowed: at most {MOST_CHARACTERS}")
    try:
        return _checked(magic, vars(_parser(magic).parse_args(arguments(line))))
    except ValueError as error:
        if isinstance(error, OptionError):
            raise
        raise _mistake(magic, str(error)) from None  # unbalanced quotes


def read_arguments(typed: list[str]) -> Options:
    """Read the shell command's arguments."""
    found = vars(_parser(COMMAND).parse_args(typed))
    return _checked(COMMAND, {**found, "require": [_unquoted(one) for one in found["require"] or ()] or None})


def flags(magic: str) -> list[str]:
    """Return what may be typed after a magic's name to give it an option."""
    return [flag for option in OPTIONS if magic in option.where for flag in option.flags]


def help_text(magic: str, description: str) -> str:
    """Return a magic's help: how it is typed, what it does, what its options mean."""
    usage = f"{_usage(magic)}\n{_usage(CELL)}" if magic == STATUS else _usage(magic)
    _, _, meanings = _parser(magic).format_help().partition("\n\n")
    return f"{usage}\n\n{description}\n\n{meanings}"


def _checked(magic: str, found: dict[str, Any]) -> Options:
    """Return the options of a line, unless they contradict each other."""
    words = found.get("indices") or ()
    for word in words:
        if not (word.isdecimal() and len(word) <= _MOST_DIGITS):
            raise OptionError(f"{excerpt(word)!r} is not a GPU's number. Allowed: whole numbers from 0 on")
    options = Options(
        **{
            **found,
            "indices": tuple(map(int, words)),
            "require": ", ".join(found["require"]) if found.get("require") else None,
            "wait": _seconds(found.get("wait")),
            "rows": _rows(found.get("rows")),
        }
    )
    if magic == COMMAND:
        _check_part(options)
    for alone, others in _EXCLUDED.items():
        for other in others:
            if getattr(options, alone) and getattr(options, other):
                raise _mistake(magic, f"{_flag(alone)} and {_flag(other)} exclude each other")
    if options.rows is not None and not (options.variables or options.cells):
        raise _mistake(magic, f"-n goes with {'-c' if magic == STATUS else '-v'}")
    if options.strict and options.require is None:
        raise _mistake(magic, "--strict goes with -r")
    return options


def _check_part(options: Options) -> None:
    """Raise unless the command knows its word, and the word goes with the options."""
    allowed = (*PARTS, SCHEMA)
    if options.part is not None and options.part not in allowed:
        raise _mistake(COMMAND, f"Found '{excerpt(options.part)}': the words are {' '.join((*allowed, AUTOLOAD))}")
    if options.part == SCHEMA and options != Options(part=SCHEMA):
        raise _mistake(COMMAND, f"{SCHEMA} stands alone")


def _flag(field: str) -> str:
    return next(option.flags[0] for option in OPTIONS if option.field == field)


def _rows(text: str | None) -> int | None:
    """Read how many rows are wanted."""
    if text is None:
        return None
    if not (text.isdecimal() and len(text) <= _MOST_DIGITS and int(text)):
        raise OptionError(f"{excerpt(text)!r} is no number of rows. Allowed: whole numbers from 1 on")
    return int(text)


def _seconds(text: str | None) -> float | None:
    """Read a span of time."""
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= LONGEST_WAIT_SECONDS:
        found = f"{excerpt(text)!r} is no time to wait"
        raise OptionError(f"{found}. Allowed: seconds from 0 to {LONGEST_WAIT_SECONDS:g}")
    return seconds


def _unquoted(expression: str) -> str:
    """Return an expression without the quotes around it, which some shells hand on."""
    if len(expression) > 1 and expression[0] == expression[-1] and expression[0] in "\"'":
        return expression[1:-1]
    return expression


@functools.cache
def _parser(magic: str) -> argparse.ArgumentParser:
    import argparse

    class Parser(argparse.ArgumentParser):
        def error(self, message: str) -> NoReturn:
            raise _mistake(magic, message)

    is_command = magic == COMMAND
    parser = Parser(
        prog=COMMAND if is_command else f"%{magic}",
        description="Show what machine this is." if is_command else None,
        epilog=_epilog() if is_command else None,
        add_help=is_command,
    )
    for option in OPTIONS:
        if magic not in option.where:
            continue
        if not option.flags:
            parser.add_argument(option.field, nargs="?" if is_command else "*", metavar=option.takes, help=option.help)
        elif option.takes is None:
            parser.add_argument(*option.flags, action="store_true", dest=option.field, help=option.help)
        else:
            action = "append" if option.field == "require" else "store"  # two requirements are both asked
            parser.add_argument(*option.flags, action=action, metavar=option.takes, dest=option.field, help=option.help)
    return parser


def _epilog() -> str:
    codes = ", ".join(f"{code} {meaning}" for code, meaning in EXIT_CODES.items())
    return f"{COMMAND} {AUTOLOAD} on|off|status: load the magics in every IPython and kernel. Exit codes: {codes}."


def _usage(magic: str) -> str:
    return " ".join(_parser(magic).format_usage().split()).removeprefix("usage: ")


def _mistake(magic: str, found: str) -> OptionError:
    return OptionError(f"{excerpt(found.strip(), _MOST_REPEATED)}. Allowed: {_usage(magic)}")
