"""What the cells of a session took: the last ones, the largest ones by every measure, and sums over all of them."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from colab_magics.model.cells import Measure, SessionSums, leaders

if TYPE_CHECKING:
    from colab_magics.model.cells import Cell

LAST = 1_000
"""How many of the last cells are remembered, whatever they took."""

LARGEST = 50
"""How many of those before them are, by each measure."""

_NANOSECONDS = 1_000_000_000

_MOST_LOOKED_AT = 4_000

_MOST_OF_A_LINE = 60
"""So many characters of a cell's first line are kept: reports are shared, and a line may hold what its writer would not
share."""


def first_line(code: str) -> str:
    r"""Return by what a cell's reader knows it again: its first line of code, cut where it is long.

    Cell magics and comments are passed over where there is code below.

    >>> first_line("%%time\n# Train\nmodel.fit(x)\n")
    'model.fit(x)'
    """
    beginning = [line for line in map(str.strip, code[:_MOST_LOOKED_AT].splitlines()) if line]
    body = [line for line in beginning if not line.startswith("%%")]
    of_code = [line for line in body if not line.startswith("#")]
    return (of_code or body or beginning or [""])[0][:_MOST_OF_A_LINE]


class Session:
    """A memory of cells that does not grow: a cell is some 500 bytes, so all of it is under a megabyte.

    It is filled by the shell's main thread, or by a subshell's; what it hands on is never changed later.
    """

    def __init__(self) -> None:
        self._last: deque[Cell] = deque()
        self._largest: dict[Measure, list[Cell]] = {measure: [] for measure in Measure}
        self._measured = self._failed = 0
        # Whole numbers, so that the ten thousandth cell is added as exactly as the first.
        self._wall_nanoseconds = self._cpu_nanoseconds = self._energy_microjoules = 0
        self._has_energy = False

    def remember(self, cell: Cell) -> None:
        """Take a cell in, once."""
        self._measured += 1
        self._failed += cell.failed
        self._wall_nanoseconds += round(cell.wall_seconds * _NANOSECONDS)
        self._cpu_nanoseconds += round(cell.cpu_seconds * _NANOSECONDS)
        energy_joules = cell.energy_joules
        if energy_joules is not None:
            self._has_energy = True
            self._energy_microjoules += round(energy_joules * 1_000_000)
        self._last.append(cell)
        while len(self._last) > LAST:
            self._keep_if_large(self._last.popleft())

    @property
    def sums(self) -> SessionSums:
        """What all of them took."""
        return SessionSums(
            measured=self._measured,
            failed=self._failed,
            remembered=len(self.cells),
            wall_seconds=self._wall_nanoseconds / _NANOSECONDS,
            cpu_seconds=self._cpu_nanoseconds / _NANOSECONDS,
            energy_joules=self._energy_microjoules / 1_000_000 if self._has_energy else None,
        )

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Those that are remembered; those before the last ones come first, in no order that means anything."""
        earlier = {id(cell): cell for kept in tuple(self._largest.values()) for cell in tuple(kept)}
        return (*earlier.values(), *self._last.copy())

    def most(self, number: int | None) -> tuple[Cell, ...]:
        """Return those with the highest peaks of RAM, the highest first, and behind them who leads by another measure.

        All that are remembered where `number` is None. Those with peaks alike, or without, are ordered by what else
        they took.
        """
        ordered = sorted(self.cells, key=lambda cell: tuple(measure.of(cell) for measure in Measure), reverse=True)
        if number is None:
            return tuple(ordered)
        chosen = {id(cell): cell for cell in (*ordered[:number], *leaders(ordered).values())}
        return tuple(chosen.values())

    def _keep_if_large(self, cell: Cell) -> None:
        for measure, kept in self._largest.items():
            figure = measure.of(cell)
            if not figure or (len(kept) == LARGEST and figure <= measure.of(kept[-1])):
                continue
            kept.append(cell)
            kept.sort(key=measure.of, reverse=True)
            del kept[LARGEST:]
