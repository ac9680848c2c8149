"""ipyparallel: every engine is asked on what machine it is, and the first of each machine to answer looks at it.

An engine does one thing after the other: one that is busy answers when it has done that, or too late. Nothing of what
was asked stays in the client, and what was too late is taken out of the queue.

Source: ipyparallel 8.8 and 9.2, client/client.py, client/asyncresult.py.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from colab_magics.clusters.asking import POLL_SECONDS, Asked, ClusterError, expression, failed, silent
from colab_magics.model import Unavailable

if TYPE_CHECKING:
    from colab_magics.clusters.asking import Request, Tell

NAME = "ipyparallel"

_MACHINE = "__import__('socket').gethostname()"


def takes(thing: object) -> bool:
    """Tell whether this is a client of ipyparallel's, or a view of engines."""
    ipyparallel: Any = sys.modules.get("ipyparallel")
    if ipyparallel is None:
        return False
    view: Any = sys.modules["ipyparallel.client.view"]
    return isinstance(thing, (ipyparallel.Client, view.View))


def ask(thing: Any, request: Request, *, deadline_seconds: float, tell: Tell) -> list[Asked]:
    """Ask one engine of each machine, of those that a view is of."""
    client = getattr(thing, "client", thing)
    if client._closed:  # noqa: SLF001 - it tells nobody in another way
        raise ClusterError("the ipyparallel client is closed. Allowed: one that is connected")
    targets = None if thing is client else thing.targets
    engines = [targets] if isinstance(targets, int) else [*(client.ids if targets in (None, "all") else targets)]
    asking = _Asking(client, f"{expression('look')}({request!r})", deadline_seconds)
    try:
        return asking.ask(engines, tell)
    finally:
        asking.clean_up()


class _Asking:
    """The engines of a client being asked."""

    def __init__(self, client: Any, look: str, deadline_seconds: float) -> None:
        self._client, self._look, self._deadline_seconds = client, look, deadline_seconds
        self._sent: list[Any] = []
        self._earlier = len(client.history)

    def ask(self, engines: list[int], tell: Tell) -> list[Asked]:
        until = time.monotonic() + self._deadline_seconds
        unknown = {engine: self._send(engine, _MACHINE) for engine in engines}
        machines: dict[str, list[int]] = {}
        looks: dict[str, tuple[Any, float]] = {}
        answers: dict[str, object] = {}
        while (unknown and time.monotonic() < until) or len(answers) < len(looks):
            for engine in [engine for engine, result in unknown.items() if result.ready()]:
                machine = _answer(unknown.pop(engine))
                name = machine if isinstance(machine, str) else f"engine {engine}"
                machines.setdefault(name, []).append(engine)
                if isinstance(machine, Unavailable):
                    answers[name] = machine
                if name not in looks:
                    looks[name] = (self._send(engine, self._look), time.monotonic() + self._deadline_seconds)
            for name, (result, its_until) in looks.items():
                if name in answers:
                    continue
                if result.ready():
                    answers[name] = _answer(result)
                elif time.monotonic() > its_until:
                    answers[name] = silent(self._deadline_seconds)
            tell(len(answers), max(len(looks), 1))
            time.sleep(POLL_SECONDS)
        late = [Asked(f"engine {engine}", 1, silent(self._deadline_seconds)) for engine in unknown]
        return [Asked(name, len(machines[name]), answers[name]) for name in machines] + late

    def clean_up(self) -> None:
        """Take what was sent out of the client's memory, and out of the queues where it still waits."""
        late = [result for result in self._sent if not result.ready()]
        for result in late:
            self._client.abort(result.msg_ids, block=False)
        done = [result for result in self._sent if result not in late]
        if done:
            self._client.purge_local_results(done)
        del self._client.history[self._earlier :]

    def _send(self, engine: int, look: str) -> Any:
        result = self._client[engine].apply_async(eval, look)
        self._sent.append(result)
        return result


def _answer(result: Any) -> object:
    try:
        return result.get(0)
    except Exception as error:  # noqa: BLE001 - whatever was raised there, or that the engine is gone
        return failed(error)
