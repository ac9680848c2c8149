"""ipyparallel: every engine is asked on what machine it is, and the first of each machine to answer looks at it.

An engine does one thing after the other: one that is busy answers when it has done that, or too late, and then it is
not known on which machine it is. Nothing of what was asked stays in the client, and what was too late is taken out of
the queue.

Source: ipyparallel 8.8 and 9.2, client/client.py, client/asyncresult.py.
"""

from __future__ import annotations

import contextlib
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
    return issubclass(type(thing), (ipyparallel.Client, view.View))


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
        self._sent: list[tuple[int, Any]] = []

    def ask(self, engines: list[int], tell: Tell) -> list[Asked]:
        until = time.monotonic() + self._deadline_seconds
        unknown = {engine: self._send(engine, _MACHINE) for engine in engines}
        machines: dict[str, list[int]] = {}
        looks: dict[str, tuple[Any, float]] = {}
        answers: dict[str, object] = {}
        while unknown or looks:
            now = time.monotonic()
            for engine in [engine for engine, result in unknown.items() if _is_ready(result)]:
                machine = _answer(unknown.pop(engine))
                name = machine if isinstance(machine, str) else f"engine {engine}"
                machines.setdefault(name, []).append(engine)
                if not isinstance(machine, str):
                    answers[name] = machine
                elif len(machines[name]) == 1:
                    looks[name] = self._send(engine, self._look), now + self._deadline_seconds
            for name, (result, its_until) in [*looks.items()]:
                if _is_ready(result) or now > its_until:
                    answers[name] = _answer(result) if _is_ready(result) else silent(self._deadline_seconds)
                    del looks[name]
            if now > until and unknown:
                late = ", ".join(map(str, unknown))
                machines[f"engines {late}"], answers[f"engines {late}"] = [*unknown], self._late(len(unknown))
                unknown = {}
            tell(len(answers), len(machines))
            time.sleep(POLL_SECONDS)
        return [Asked(name, len(machines[name]), answers[name]) for name in machines]

    def clean_up(self) -> None:
        """Take what was sent out of the client's memory, and out of the queues where it still waits."""
        ours = {one for _, result in self._sent for one in result.msg_ids}
        for engine, result in self._sent:
            if not result.ready() and engine in self._client.ids:
                self._client.abort(result.msg_ids, targets=engine, block=False)
            result.add_done_callback(self._forget)
        self._client.history[:] = [one for one in self._client.history if one not in ours]

    def _forget(self, result: Any) -> None:
        """Let the client forget a result; one that is too late comes here when it does come."""
        with contextlib.suppress(Exception):  # whoever has purged it before
            self._client.purge_local_results([result])

    def _late(self, count: int) -> Unavailable:
        """Return that engines have not even said on which machines they are."""
        return Unavailable(code="engines_silent", values=(("count", count), ("seconds", self._deadline_seconds)))

    def _send(self, engine: int, look: str) -> Any:
        """Send something to be evaluated, or return why that cannot be: the engine may have gone."""
        try:
            result = self._client[engine].apply_async(eval, look)
        except (IndexError, RuntimeError) as error:  # RuntimeError: there is no engine at all
            return failed(error)
        self._sent.append((engine, result))
        return result


def _is_ready(result: Any) -> bool:
    return isinstance(result, Unavailable) or result.ready()


def _answer(result: Any) -> object:
    if isinstance(result, Unavailable):
        return result
    try:
        return result.get(0)
    except Exception as error:  # noqa: BLE001 - whatever was raised there, or that the engine is gone
        return failed(error)
