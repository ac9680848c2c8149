"""The requirement language: what can be asked, and how a text is read and written. It knows nothing of machines."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from colab_magics.model import KEYS, KEYS_OF_A_GPU
from colab_magics.requirement import names
from colab_magics.stopping import StopsCell
from colab_magics.units import excerpt, package_name, printable
from colab_magics.values import Record, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OPERATORS = (">=", ">", "<=", "<", "=", "!=")

AND, OR = ",", "|"
"""What joins clauses, and terms or values, in the canonical form."""

_NAMES = frozenset(names.KINDS)
_SIZES = frozenset({"vram", "vram_free", "ram", "ram_free", "disk", "shm"})
_VERSIONS = frozenset({"cc", "cuda", "driver", "python"})
OF_A_DEVICE = KEYS_OF_A_GPU - {"gpus"}
OF_AN_ACCELERATOR = KEYS_OF_A_GPU | {"tpu"}

_UNITS = {"GB": 10**9, "GiB": 2**30, "MB": 10**6, "MiB": 2**20, "TB": 10**12, "TiB": 2**40}
_UNIT_NAMES = {unit.lower(): unit for unit in _UNITS}

# A word joins only where it is one: "gpu=Andor" and "gpu=A-or-B" have none.
JOINT = re.compile(r"[,|]|(?<![^\s,|<>=!~])(?:and|or)(?![^\s,|<>=!~])", re.IGNORECASE)
"""What stands between two conditions."""

_OPERATOR = re.compile(r"[<>=!~]+")
_SIZE = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)\s*([A-Za-z]*)")
_VERSION = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9}){0,3}")
_COUNT = re.compile(r"[0-9]{1,6}")
_CORES = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,2})?")
_PACKAGE = re.compile(r"[A-Za-z](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
"""A package's name, as PyPA's specification of names has it, but for those few that begin with a figure."""

_TEMPLATE = frozenset("{}$")
"""A variable that IPython should have filled in: other braces on the line can keep it from that."""
_SHOWN_OF_A_TEXT = 60

_MEANT = {
    "capability": "cc",
    "compute_capability": "cc",
    "core": "cores",
    "cpu": "cores",
    "cpus": "cores",
    "gpu_memory": "vram",
    "gpu_ram": "vram",
    "mem": "ram",
    "memory": "ram",
    "storage": "disk",
    "vcpu": "cores",
    "vcpus": "cores",
}
"""Other words that people use for the keys."""

_SHORTEST_MISTYPED = 3
"""The shortest key that a name may be a slip for: two letters resemble too much."""

_PACKAGES_LIKE_KEYS = frozenset(
    {"bpython", "cuga", "cudf", "cython", "dask", "gpy", "ihm", "ipython", "rax", "ray", "river", "rpm", "sh",
     "spython", "wgpu"}
)  # fmt: skip
"""Packages whose names are one letter off a key's: of PyPI's 15,000 that are downloaded most (read 2026-11-26), and
RAPIDS' cudf."""

MOST_CHARACTERS = 2000
"""The most characters of a requirement: one that names everything that can be asked has a tenth of that."""


class RequirementSyntaxError(StopsCell, ValueError):
    """A requirement that cannot be read: what was found, what is allowed, and where, in one line.

    The text is repeated with a caret before the place: `Found "vrm" at column 6, in "gpu, ^vrm>=15": ...`.
    """

    def __init__(self, found: str, allowed: str, text: str, position: int) -> None:
        self.text = text
        self.position = position
        start = max(0, position - _SHOWN_OF_A_TEXT // 2)
        end = start + _SHOWN_OF_A_TEXT
        shown = f"{'...' * (start > 0)}{text[start:position]}^{text[position:end]}{'...' * (end < len(text))}"
        super().__init__(printable(f'{found} at column {position + 1}, in "{shown}": {allowed}'))
        self._said = found, allowed

    def shown(self) -> str:
        """Return what is shown in place of a traceback."""
        return f"{type(self).__name__}: {self}"

    def __reduce__(self) -> tuple[type[RequirementSyntaxError], tuple[str, str, str, int]]:
        """Tell pickle what the exception is made of, which is not its message."""
        return type(self), (*self._said, self.text, self.position)


class Size(Record):
    """A size as it is asked for: "15 GB", "16 GiB"."""

    amount: Decimal
    unit: str

    @property
    def bytes(self) -> Decimal:
        """The same in bytes."""
        return self.amount * _UNITS[self.unit]

    def __str__(self) -> str:
        return f"{self.amount.normalize():f} {self.unit}"


class Version(Record):
    """A version as it is asked for: "8.0"."""

    parts: tuple[int, ...]

    def __str__(self) -> str:
        return ".".join(map(str, self.parts))


class Name(Record):
    """A device's name as it is asked for: "A100". Two are equal that differ in case, or in what parts their words."""

    text: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Name) and names.words(self.text) == names.words(other.text)

    def __hash__(self) -> int:
        return hash((*names.words(self.text),))

    def __str__(self) -> str:
        return self.text


Asked = Name | int | Decimal | Size | Version


class Term(Record):
    """A key that is to be present, or to compare with one of the values."""

    key: str
    operator: str | None = None
    values: tuple[Asked, ...] = ()

    def __str__(self) -> str:
        return self.key if self.operator is None else f"{self.key} {self.operator} {'|'.join(map(str, self.values))}"


class Clause(Record):
    """Terms of which one must hold."""

    terms: tuple[Term, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys it speaks of, each once."""
        return tuple(dict.fromkeys(term.key for term in self.terms))

    def __str__(self) -> str:
        return " | ".join(map(str, self.terms))


class Requirement(Record):
    """Clauses that must all hold. As a text it is in the one form that `parse` reads to an equal value."""

    clauses: tuple[Clause, ...]

    def __str__(self) -> str:
        return ", ".join(map(str, self.clauses))


def is_package(key: str) -> bool:
    """Tell whether a term's key is the name of a package."""
    return key not in KEYS


def packages_of(requirement: Requirement) -> tuple[str, ...]:
    """Return the names of the packages that a requirement asks for, each once."""
    return tuple(dict.fromkeys(key for clause in requirement.clauses for key in clause.keys if is_package(key)))


def parse(text: str, *, is_installed: Callable[[str], bool] = lambda _name: False) -> Requirement:
    """Read a requirement.

    A name that is nearly a key is a slip, unless `is_installed` knows a package of that name.

    >>> str(parse("gpu==a100 or L4|tpu and vram>=15"))
    'gpu = a100|L4 | tpu, vram >= 15 GB'
    """
    if len(text) > MOST_CHARACTERS:
        allowed = f"a requirement has at most {MOST_CHARACTERS}, and this one {len(text)}"
        raise RequirementSyntaxError("Found a character too many", allowed, text, MOST_CHARACTERS)
    if not text.strip():
        raise RequirementSyntaxError("Nothing is required", "give a key, such as gpu or vram>=15", text, 0)
    return _Reader(text, is_installed).requirement()


def pieces(text: str) -> Iterator[tuple[str, int, str]]:
    """Give what stands between two joints, each with the joint before it (`AND`, `OR`) and its position.

    A comma before a word is part of that: "A100, or L4".
    """
    joint, start = AND, 0
    for match in JOINT.finditer(text):
        word = match.group().lower()
        is_after_comma = (
            text[start - 1 : start] == "," and word in ("and", "or") and not text[start : match.start()].strip()
        )
        if not is_after_comma:
            yield joint, start, text[start : match.start()]
        joint, start = OR if word in (OR, "or") else AND, match.end()
    yield joint, start, text[start:]


class _Reader:
    """Reads one text."""

    def __init__(self, text: str, is_installed: Callable[[str], bool]) -> None:
        self._text = text
        self._is_installed = is_installed

    def requirement(self) -> Requirement:
        clauses: list[list[Term]] = []
        for joint, start, piece in pieces(self._text):
            if joint == AND:
                clauses.append([])
            self._add(clauses[-1], piece, start)
        return Requirement(tuple(Clause(tuple(terms)) for terms in clauses))

    def _add(self, terms: list[Term], piece: str, start: int) -> None:
        """Add to a clause what stands between two joints: a term, or another value of the last one."""
        word = piece.strip()
        position = start + len(piece) - len(piece.lstrip())
        last = terms[-1] if terms else None
        if last is not None and last.operator and word and not _is_term(word, last.key):
            terms[-1] = replace(last, values=(*last.values, self._value(last.key, word, position)))
        else:
            terms.append(self._term(word, position))

    def _term(self, part: str, position: int) -> Term:
        found = _OPERATOR.search(part)
        key = self._key((part[: found.start()] if found else part).strip(), position)
        if found is None:
            return Term(key)
        operator, place = found.group(), position + found.start()
        if key == "bf16":
            raise self._mistake(operator, "bf16 stands alone", place)
        operator = "=" if operator == "==" else operator
        allowed = ("=", "!=") if key in _NAMES else OPERATORS
        if operator not in allowed:
            instead = _ORDER_OF_NAMES[key] if key in _NAMES and operator in OPERATORS else ""
            raise self._mistake(operator, f"{key} takes {' '.join(allowed)}{instead}", place)
        rest = part[found.end() :]
        place = position + found.end() + len(rest) - len(rest.lstrip())
        return Term(key, operator, (self._value(key, rest.strip(), place),))

    def _key(self, word: str, position: int) -> str:
        """Return a key, or a package's name in the one form in which names are compared (PEP 503)."""
        key = word.lower()
        if key in KEYS:
            return key
        meant = names.condition(word)
        if meant is not None:
            raise self._mistake(word, f"did you mean {excerpt(meant)}?", position)
        if _PACKAGE.fullmatch(word):
            return self._package(word, position)
        first = word.split(maxsplit=1)[0].lower() if word else ""
        if first in KEYS:
            allowed = f"between {first} and its value stands one of {' '.join(OPERATORS)}"
        else:
            allowed = f"a key is one of {' '.join(KEYS)}, or a package's name"
        raise self._mistake(word, allowed, position, lacks="key")

    def _package(self, word: str, position: int) -> str:
        name = package_name(word)
        is_like_a_gpu = any(map(str.isdigit, word)) and names.likely("gpu", word) is not None
        meant = _key_meant(name) or (f"gpu={word}" if is_like_a_gpu else None)
        if meant is None or name in _PACKAGES_LIKE_KEYS or self._is_installed(name):
            return name
        raise self._mistake(word, f"no such package is installed; did you mean {meant}?", position)

    def _value(self, key: str, word: str, position: int) -> Asked:
        value, allowed = _read(key, word)
        if value is not None:
            return value
        begun = _OPERATOR.split(word, maxsplit=1)[0].split() if _OPERATOR.search(word) else []
        if begun and begun[-1].lower() in KEYS:
            raise self._mistake(word, f'before {begun[-1]} stands "," or "|"', position)
        raise self._mistake(word, f"{key} takes {allowed}", position, lacks="value")

    def _mistake(self, found: str, allowed: str, position: int, *, lacks: str = "") -> RequirementSyntaxError:
        """Return the mistake of what was found, or of what is missing (`lacks`) where nothing was."""
        what = f'Found "{excerpt(found)}"' if found else f"Found no {lacks}"
        return RequirementSyntaxError(what, allowed, self._text, position)


_ORDER_OF_NAMES = {
    "gpu": ", since names have no order: ask for memory (vram>=15), for compute capability (cc>=7.5), or list them"
    " (gpu=T4|L4)",
    "tpu": ", since names have no order: list them (tpu=v5e-1|v6e-1)",
}


def _is_term(part: str, last_key: str) -> bool:
    """Tell whether what follows a value begins a new term.

    A key alone does, or anything with an operator; and a package's name where that cannot be a value.
    """
    if part.lower() in KEYS or _OPERATOR.search(part) is not None:
        return True
    return last_key not in _NAMES and part[0].isalpha()


def _key_meant(name: str) -> str | None:
    """Return the key that people mean by a normalised name: by another word for it, or with one letter wrong."""
    typed = name.replace("-", "_")
    if typed in KEYS:
        return typed
    long = (key for key in KEYS if len(key) >= _SHORTEST_MISTYPED)
    return _MEANT.get(typed) or next((key for key in long if _is_slip(typed, key)), None)


def _is_slip(typed: str, meant: str) -> bool:
    """Tell whether there is one letter too many, too few, wrong, or in its neighbour's place."""
    for place in range(len(meant) + 1):
        before, after = meant[:place], meant[place:]
        if typed.startswith(before):
            rest = typed[place:]
            if rest[1:] in (after, after[1:]) or rest in (after[1:], after[1:2] + after[:1] + after[2:]):
                return True
    return False


def _read(key: str, word: str) -> tuple[Asked | None, str]:
    """Return the value that a word is for a key, None for none, and what is allowed."""
    if key in _NAMES:
        name = " ".join(word.split())
        is_name = names.words(name) and name.isprintable() and not _OPERATOR.search(name) and _TEMPLATE.isdisjoint(name)
        return Name(name) if is_name else None, f"a name, such as {'A100' if key == 'gpu' else 'v5e-1'}"
    if key in _SIZES:
        size = _SIZE.fullmatch(word)
        unit = None if size is None else _UNIT_NAMES.get((size[2] or "GB").lower())
        read = None if size is None or unit is None else Size(Decimal(size[1]), unit)
        return read, f"a size, such as 15 or 16GiB, in {' '.join(_UNITS)}"
    if key == "gpus":
        return int(word) if _COUNT.fullmatch(word) else None, "a number, such as 2"
    if key == "cores":
        return Decimal(word) if _CORES.fullmatch(word) else None, "a number, such as 4 or 1.5"
    version = Version(tuple(map(int, word.split(".")))) if _VERSION.fullmatch(word) else None
    example = "such as 8.0" if key in _VERSIONS else "such as 2.4, in figures alone"
    return version, f"a version, {example}"
