"""What every engine is asked for and answers with, and the text that runs on a machine."""

from __future__ import annotations

import functools
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

POLL_SECONDS = 0.02
"""How long is waited between two looks at what has been answered."""

LOOK = '''
def look(request):
    """Have colab_magics look at this machine; it is what the notebook of %runtime_status --on has sent."""
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
"""What is sent: as text, since engines send a function of a package by its name alone, and a machine that lacks the
package could not even say so."""


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


@functools.cache
def sent() -> dict[str, Any]:
    """Return the functions of `LOOK`, as of a module `__main__`: those engines send whole, with their code."""
    scope: dict[str, Any] = {"__name__": "__main__"}
    exec(LOOK, scope)  # noqa: S102 - our own text, which stands above
    return scope


def expression(request: Request) -> str:
    """Return an expression that does the same: for an engine that would send a function's code as of one Python."""
    return f"(lambda scope: (exec({LOOK!r}, scope), scope['look']({request!r}))[1])({{}})"


def silent(seconds: float) -> Unavailable:
    """Return that a machine did not answer in time."""
    return Unavailable(code="node_silent", values=(("seconds", seconds),))


def failed(error: BaseException) -> Unavailable:
    """Return that asking a machine failed; never the error's own words, which may name it."""
    return Unavailable(code="node_failed", values=(("error", type(error).__name__[:MOST_OF_A_NAME]),))


MOST_OF_A_NAME = 64


def workers_by_machine(machines: Iterable[tuple[str, Any]]) -> dict[str, list[Any]]:
    """Group workers by the machine that they run on, in the order in which both are met."""
    found: dict[str, list[Any]] = {}
    for machine, worker in machines:
        found.setdefault(machine, []).append(worker)
    return found
