"""What every engine is asked for and answers with, and the text that runs on a machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from colab_magics.model import Unavailable
from colab_magics.values import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeAlias

    Request: TypeAlias = "dict[str, Any]"
    """What a machine is asked, in plain values: it may have another version of this package."""
    Tell: TypeAlias = "Callable[[int, int], None]"
    """Called with how many machines have answered, and of how many."""

_MOST_OF_A_NAME = 64
"""The most characters of an error's name that are kept."""

POLL_SECONDS = 0.02
"""How long is waited between two looks at what has been answered."""

LOOK = '''
def look(request):
    """Have colab_magics look at this machine; sent by `%runtime_status --on` or `cluster_status`."""
    try:
        from colab_magics.clusters import node
    except ImportError:
        return {}
    return node.answer(request)

async def look_aside(request):
    """Do so beside the event loop, which has other things to do."""
    import asyncio
    return await asyncio.to_thread(look, request)
'''
"""What is sent: as text, which every Python reads. Engines send a function of a package by its name alone, and a
machine that lacks the package could not even say so."""


class ClusterError(ValueError):
    """A cluster that cannot be asked: what was found and what is allowed, in one line."""


class Asked(Record):
    """A machine that was asked."""

    address: str
    """What the cluster calls it."""
    workers: int | None
    """How many workers it runs; None where the cluster does not tell."""
    answer: object
    """What it answered: `node.answer`'s, an empty dictionary where the package is missing there; or an
    `Unavailable`."""


class Sent:
    """One of the functions of `LOOK`, as an engine sends it: its pickle is the text that makes it where it arrives."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        return eval, (expression(self._name),)


def expression(name: str) -> str:
    """Return the expression that makes one of the functions of `LOOK`.

    Its module is called `__main__`: functions of that are what engines send whole where they do pickle them.
    """
    return f"(lambda scope: (exec({LOOK!r}, scope), scope[{name!r}])[1])({{'__name__': '__main' + '__'}})"


def silent(seconds: float) -> Unavailable:
    """Return that a machine did not answer in time."""
    return Unavailable(code="node_silent", values=(("seconds", seconds),))


def failed(error: BaseException) -> Unavailable:
    """Return that asking a machine failed; never the error's own words, which may name it."""
    return Unavailable(code="node_failed", values=(("error", type(error).__name__[:_MOST_OF_A_NAME]),))


def workers_by_machine(machines: Iterable[tuple[str, Any]]) -> dict[str, list[Any]]:
    """Group workers by the machine that they run on, in the order in which both are met."""
    found: dict[str, list[Any]] = {}
    for machine, worker in machines:
        found.setdefault(machine, []).append(worker)
    return found
