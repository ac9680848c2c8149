"""Dask: the scheduler hands a coroutine to a worker of each machine, beside the tasks that they work on.

Source: distributed 2026.1 and 2026.8, `Client.run`, which its documentation gives for looks at workers. It runs on a
worker's event loop, which must go on meanwhile: so it looks in a thread.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import sys
from typing import TYPE_CHECKING, Any

from colab_magics.clusters.asking import POLL_SECONDS, Asked, ClusterError, failed, sent, silent, workers_by_machine

if TYPE_CHECKING:
    from colab_magics.clusters.asking import Request, Tell

NAME = "dask"


def takes(thing: object) -> bool:
    """Tell whether this is a client of Dask's."""
    distributed: Any = sys.modules.get("distributed")
    return distributed is not None and isinstance(thing, distributed.Client)


def ask(client: Any, request: Request, *, deadline_seconds: float, tell: Tell) -> list[Asked]:
    """Ask one worker of each machine."""
    if client.asynchronous:
        raise ClusterError("the Dask client is asynchronous. Allowed: one that waits, Client(...) by itself")
    if client.status != "running":
        raise ClusterError(f"the Dask client is {client.status}. Allowed: one that is connected")
    asking = _Asking(client, request, deadline_seconds)
    loop = client.loop.asyncio_loop
    future = asyncio.run_coroutine_threadsafe(asking.ask_all(), loop)
    try:
        while not concurrent.futures.wait((future,), POLL_SECONDS).done:
            tell(len(asking.answered), asking.machines)
        return future.result()
    except (OSError, TimeoutError) as error:
        raise ClusterError(f"the Dask scheduler does not answer ({type(error).__name__})") from None
    finally:
        future.cancel()


class _Asking:
    """The machines of a scheduler being asked, on the client's own loop."""

    def __init__(self, client: Any, request: Request, deadline_seconds: float) -> None:
        self._client, self._request, self._deadline_seconds = client, request, deadline_seconds
        self.machines = 0
        self.answered: list[str] = []

    async def ask_all(self) -> list[Asked]:
        known = await asyncio.wait_for(self._client.scheduler.identity(), self._deadline_seconds)
        machines = workers_by_machine((worker["host"], address) for address, worker in known["workers"].items())
        self.machines = len(machines)
        return [*await asyncio.gather(*(self._ask(machine, workers) for machine, workers in machines.items()))]

    async def _ask(self, machine: str, workers: list[str]) -> Asked:
        answer: object
        first = workers[0]
        run = self._client.run(
            sent()["look_aside"], self._request, workers=[first], on_error="return", asynchronous=True
        )
        try:
            answer = (await asyncio.wait_for(run, self._deadline_seconds))[first]
            if isinstance(answer, Exception):
                answer = failed(answer)
        except TimeoutError:
            answer = silent(self._deadline_seconds)
        except (OSError, KeyError) as error:  # KeyError: it has gone meanwhile
            answer = failed(error)
        self.answered.append(machine)
        return Asked(machine, len(workers), answer)
