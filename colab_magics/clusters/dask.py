"""Dask: the scheduler hands a coroutine to a worker of each machine, beside the tasks that they work on.

Source: distributed 2026.1 and 2026.8, `Client.run`, which its documentation gives for looks at workers. It runs on a
worker's event loop, which must go on meanwhile: so it looks in a thread.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import sys
from typing import TYPE_CHECKING, Any

from colab_magics.clusters.asking import POLL_SECONDS, Asked, ClusterError, Sent, failed, silent, workers_by_machine

if TYPE_CHECKING:
    from colab_magics.clusters.asking import Request, Tell

NAME = "dask"

_LOOK = Sent("look_aside")

_QUESTIONS, _MOST_AT_ONCE = 20, 50
"""A question costs the notebook more than an answer: from so many machines on several are asked by one question, up to
so many."""


def takes(thing: object) -> bool:
    """Tell whether this is a client of Dask's."""
    distributed: Any = sys.modules.get("distributed")
    return distributed is not None and issubclass(type(thing), distributed.Client)


def ask(client: Any, request: Request, *, deadline_seconds: float, tell: Tell) -> list[Asked]:
    """Ask one worker of each machine."""
    if client.asynchronous:
        raise ClusterError("the Dask client is asynchronous. Allowed: a synchronous one, Client(...)")
    if client.status != "running":
        raise ClusterError(f"the Dask client is {client.status}. Allowed: one that is connected")
    asking = _Asking(client, request, deadline_seconds)
    loop = client.loop.asyncio_loop
    future = asyncio.run_coroutine_threadsafe(asking.ask_all(), loop)
    try:
        while not concurrent.futures.wait((future,), POLL_SECONDS).done:
            tell(asking.answered, asking.machines)
            if client.status != "running":  # its loop may have ended, and the question with it
                raise ClusterError("the Dask scheduler has gone. Allowed: a client that is connected")
        return future.result()
    except (OSError, TimeoutError) as error:
        why = f"the Dask scheduler does not answer ({type(error).__name__})"
        raise ClusterError(f"{why}. Allowed: a client that is connected") from None
    finally:
        future.cancel()


class _Asking:
    """The machines of a scheduler being asked, on the client's own loop."""

    def __init__(self, client: Any, request: Request, deadline_seconds: float) -> None:
        self._client, self._request, self._deadline_seconds = client, request, deadline_seconds
        self.machines = 0
        self.answered = 0
        self._few_at_a_time = asyncio.Semaphore(_QUESTIONS)

    async def ask_all(self) -> list[Asked]:
        known = await asyncio.wait_for(self._client.scheduler.identity(), self._deadline_seconds)
        found = workers_by_machine((worker["host"], address) for address, worker in known["workers"].items())
        machines = [*found.items()]
        self.machines = len(machines)
        size = max(1, min(_MOST_AT_ONCE, len(machines) // _QUESTIONS))
        groups = [machines[first : first + size] for first in range(0, len(machines), size)]
        return [asked for group in await asyncio.gather(*map(self._ask, groups)) for asked in group]

    async def _ask(self, group: list[tuple[str, list[str]]]) -> list[Asked]:
        """Ask machines by one question; where one of them keeps the answer of the others, ask each by itself."""
        firsts = [workers[0] for _, workers in group]
        answers: dict[str, object]
        async with self._few_at_a_time:
            try:
                run = self._client.run(_LOOK, self._request, workers=firsts, on_error="return", asynchronous=True)
                answers = await asyncio.wait_for(run, self._deadline_seconds)
            except TimeoutError:
                answers = {firsts[0]: silent(self._deadline_seconds)}
            except Exception as error:  # noqa: BLE001 - whatever an engine raises is the answer of this machine
                answers = {firsts[0]: failed(error)}
        if len(group) > 1 and len(answers) < len(group):
            return [asked for alone in await asyncio.gather(*(self._ask([one]) for one in group)) for asked in alone]
        self.answered += len(group)
        return [Asked(machine, len(workers), _answer(answers.get(workers[0]))) for machine, workers in group]


def _answer(told: object) -> object:
    """Return what a worker has answered; nothing, where it has gone meanwhile."""
    if told is None:
        return failed(ConnectionError())
    return failed(told) if isinstance(told, Exception) else told
