"""The requirement language: what can be asked, and how a text is read and written. It knows nothing of machines."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from colab_magics.model import KEYS_OF_A_GPU
from colab_magics.stopping import StopsCell
from colab_magics.units import excerpt, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

KEYS = ("gpu", "gpus", "tpu", "vram", "vram_free", "ram", "ram_free", "disk", "cc", "cuda", "python", "bf16")
OPERATORS = (">=", ">", "<=", "<", "=", "!=")

_NAMES = frozenset({"gpu", "tpu"})
_SIZES = frozenset({"vram", "vram_free", "ram", "ram_free", "disk"})
_VERSIONS = frozenset({"cc", "cuda", "python"})
OF_A_DEVICE = KEYS_OF_A_GPU - {"gpus"}
OF_AN_ACCELERATOR = KEYS_OF_A_GPU | {"tpu"}

_UNITS = {"GB": 10**9, "GiB": 2**30, "MB": 10**6, "MiB": 2**20, "TB": 10**12, "TiB": 2**40}
_UNIT_NAMES = {unit.lower(): unit for unit in _UNITS}

_OPERATOR = re.compile(r"[<>=!]+")
_SIZE = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)\s*([A-Za-z]*)")
_VERSION = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,6}){0,3}")
_COUNT = re.compile(r"[0-9]{1,6}")
_TEMPLATE = frozenset("{}$")
"""Of a variable that IPython was to put in: it does not where other braces on the line confuse it."""
_SHOWN_OF_A_TEXT = 60

MOST_CHARACTERS = 2000
"""Of a requirement: one that names everything that can be asked has a tenth of it."""


class RequirementSyntaxError(StopsCell, ValueError):
    """A requirement that cannot be read: what was found, what is allowed, and where, in one line."""

    def __init__(self, problem: str, text: str, position: int) -> None:
        self.text = text
        self.position = position
        start = max(0, position - _SHOWN_OF_A_TEXT // 2)
        shown = text[start : start + _SHOWN_OF_A_TEXT]
        excerpt = f"{'...' if start else ''}{shown}{'...' if start + len(shown) < len(text) else ''}"
        super().__init__(printable(f'{problem}, at column {position + 1}: "{excerpt}"'))
        self._problem = problem

    def shown(self) -> str:
        """Return what is shown in place of a traceback."""
        return f"{type(self).__name__}: {self}"

    def __reduce__(self) -> tuple[type[RequirementSyntaxError], tuple[str, str, int]]:
        """Tell pickle what the exception is made of, which is not its message."""
        return type(self), (self._problem, self.text, self.position)


@dataclass(frozen=True, slots=True)
class Size:
    """A size as it is asked for: "15 GB", "16 GiB"."""

    amount: Decimal
    unit: str

    @property
    def bytes(self) -> Decimal:
        """The same in bytes."""
        return self.amount * _UNITS[self.unit]

    def __str__(self) -> str:
        return f"{self.amount.normalize():f} {self.unit}"


@dataclass(frozen=True, slots=True)
class Version:
    """A version as it is asked for: "8.0"."""

    parts: tuple[int, ...]

    def __str__(self) -> str:
        return ".".join(map(str, self.parts))


Asked = str | int | Size | Version


@dataclass(frozen=True, slots=True)
class Term:
    """A key that is to be present, or to compare with one of the values."""

    key: str
    operator: str | None = None
    values: tuple[Asked, ...] = ()

    def __str__(self) -> str:
        return self.key if self.operator is None else f"{self.key} {self.operator} {'|'.join(map(str, self.values))}"


@dataclass(frozen=True, slots=True)
class Clause:
    """Terms of which one must hold."""

    terms: tuple[Term, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys it speaks of, each once."""
        return tuple(dict.fromkeys(term.key for term in self.terms))

    def __str__(self) -> str:
        return " | ".join(map(str, self.terms))


@dataclass(frozen=True, slots=True)
class Requirement:
    """Clauses that must all hold. As a text it is in the one form that `parse` reads to an equal value."""

    clauses: tuple[Clause, ...]

    def __str__(self) -> str:
        return ", ".join(map(str, self.clauses))


def parse(text: str) -> Requirement:
    """Read a requirement.

    >>> str(parse("gpu=a100|L4|tpu,vram>=15"))
    'gpu = a100|L4 | tpu, vram >= 15 GB'
    """
    if len(text) > MOST_CHARACTERS:
        problem = f"Found {len(text)} characters: a requirement has at most {MOST_CHARACTERS}"
        raise RequirementSyntaxError(problem, text, MOST_CHARACTERS)
    if not text.strip():
        raise RequirementSyntaxError("Nothing is required: give a key, such as gpu or vram>=15", text, 0)
    return Requirement(tuple(_clause(piece, start, text) for start, piece in _pieces(text, ",", 0)))


def _pieces(text: str, separator: str, start: int) -> Iterator[tuple[int, str]]:
    """Give the parts between separators, each with its position."""
    for piece in text.split(separator):
        yield start, piece
        start += len(piece) + 1


def _clause(piece: str, start: int, text: str) -> Clause:
    terms: list[Term] = []
    for place, part in _pieces(piece, "|", start):
        last = terms[-1] if terms else None
        word = part.strip()
        position = place + len(part) - len(part.lstrip())
        if last is not None and last.operator and word and not _is_term(word):
            terms[-1] = replace(last, values=(*last.values, _value(last.key, word, position, text)))
        else:
            terms.append(_term(word, position, text))
    return Clause(tuple(terms))


def _is_term(part: str) -> bool:
    """Tell whether what follows a value begins a new term: a key alone, or anything with an operator."""
    return part.lower() in KEYS or _OPERATOR.search(part) is not None


def _term(part: str, position: int, text: str) -> Term:
    found = _OPERATOR.search(part)
    word = (part[: found.start()] if found else part).strip()
    key = word.lower()
    if key not in KEYS:
        raise RequirementSyntaxError(_not_a_key(word), text, position)
    if found is None:
        return Term(key)
    operator, place = found.group(), position + found.start()
    if key == "bf16":
        raise RequirementSyntaxError(f'Found "{excerpt(operator)}", but bf16 stands alone', text, place)
    allowed = ("=", "!=") if key in _NAMES else OPERATORS
    if operator not in allowed:
        raise RequirementSyntaxError(f'Found "{excerpt(operator)}", but {key} takes {" ".join(allowed)}', text, place)
    rest = part[found.end() :]
    place = position + found.end() + len(rest) - len(rest.lstrip())
    return Term(key, operator, (_value(key, rest.strip(), place, text),))


def _not_a_key(word: str) -> str:
    keys = f"a key is one of {' '.join(KEYS)}"
    if not word:
        return f"Found no key: {keys}"
    first = word.split(maxsplit=1)[0].lower()
    if first in KEYS:
        return f'Found "{excerpt(word)}": between {first} and its value stands one of {" ".join(OPERATORS)}'
    return f'Found "{excerpt(word)}": {keys}'


def _value(key: str, word: str, position: int, text: str) -> Asked:
    if key in _NAMES:
        name = " ".join(word.split())
        if words(name) and name.isprintable() and not _OPERATOR.search(name) and _TEMPLATE.isdisjoint(name):
            return name
        allowed = "a name, such as A100" if key == "gpu" else "a name, such as v5e-1"
    elif key in _SIZES:
        size = _SIZE.fullmatch(word)
        if size and (size[2] or "GB").lower() in _UNIT_NAMES:
            return Size(Decimal(size[1]), _UNIT_NAMES[(size[2] or "GB").lower()])
        allowed = f"a size, such as 15 or 16GiB, in {' '.join(_UNITS)}"
    elif key in _VERSIONS:
        if _VERSION.fullmatch(word):
            return Version(tuple(map(int, word.split("."))))
        allowed = "a version, such as 8.0"
    else:
        if _COUNT.fullmatch(word):
            return int(word)
        allowed = "a number, such as 2"
    found = f'Found "{excerpt(word)}"' if word else "Found no value"
    raise RequirementSyntaxError(f"{found}: {key} takes {allowed}", text, position)


def words(name: str) -> list[str]:
    """Return the words of a name, in the one case in which names are compared."""
    return re.findall(r"[^\W_]+", name.casefold())
