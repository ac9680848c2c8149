"""What a requirement asks for, in words for who reads a notebook and has never seen its expression."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics.model import KEYS
from colab_magics.translation import N_
from colab_magics.units import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from colab_magics.model import ClauseVerdict
    from colab_magics.translation import Translator

_THINGS = {
    "bf16": N_("a GPU with bfloat16"),
    "gpu": N_("a GPU"),
    "tpu": N_("a TPU"),
}
_AMOUNTS = {
    "cc": N_("compute capability of {amount}"),
    "cores": N_("{amount} processor cores"),
    "disk": N_("{amount} of free disk"),
    "gpus": N_("{amount} GPUs"),
    "ram": N_("{amount} of RAM"),
    "ram_free": N_("{amount} of free RAM"),
    "shm": N_("{amount} of free shared memory"),
    "vram": N_("{amount} of GPU memory"),
    "vram_free": N_("{amount} of free GPU memory"),
}
_HOW_MUCH = {
    ">=": N_("at least {value}"),
    ">": N_("more than {value}"),
    "<=": N_("at most {value}"),
    "<": N_("less than {value}"),
    "=": "{value}",
    "!=": N_("other than {value}"),
}
_VERSIONED = {
    "cuda": "CUDA",
    "driver": N_("NVIDIA driver"),
    "python": "Python",
}
_WHICH = {
    ">=": N_("{name} {value} or later"),
    ">": N_("{name} later than {value}"),
    "<=": N_("{name} {value} or earlier"),
    "<": N_("{name} before {value}"),
    "=": "{name} {value}",
    "!=": N_("{name} other than {value}"),
}


def needs(clauses: Iterable[ClauseVerdict], translate: Translator) -> str:
    """Return what clauses ask for, as a list in words."""
    return translate.listed(_clause(clause.expression, translate) for clause in clauses)


def _clause(expression: str, translate: Translator) -> str:
    """Return a clause in its canonical form, conditions of which one is enough, in words."""
    return _one_of([_condition(condition, translate) for condition in expression.split(" | ")], translate)


def _condition(condition: str, translate: Translator) -> str:
    key, operator, value = (*condition.split(" ", 2), "", "")[:3]
    shown = printable(value)
    if key in _THINGS:
        thing = translate(_THINGS[key])
        if not value:
            return thing
        names = _one_of(shown.split("|"), translate)
        which = N_("{thing}: {names}") if operator == "=" else N_("{thing} other than {names}")
        return translate(which, thing=thing, names=names)
    if not value:
        return printable(key)
    if key in _AMOUNTS:
        amount = translate(_HOW_MUCH[operator], value=shown)
        return translate(_AMOUNTS[key], amount=amount)
    name = translate(_VERSIONED[key]) if key in KEYS else printable(key)
    return translate(_WHICH[operator], name=name, value=shown)


def _one_of(names: Sequence[str], translate: Translator) -> str:
    """Return "A, B or C"."""
    if len(names) == 1:
        return names[0]
    return translate("{names} or {last}", names=translate.listed(names[:-1]), last=names[-1])
