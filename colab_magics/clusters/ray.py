"""Ray: a task that needs no processor is bound to each node.

Source: ray 2.60, `ray.nodes`, `NodeAffinitySchedulingStrategy`.
"""

from __future__ import annotations

import functools
import sys
import time
from typing import TYPE_CHECKING, Any

from colab_magics.clusters.asking import POLL_SECONDS, Asked, ClusterError, expression, failed, silent

if TYPE_CHECKING:
    from colab_magics.clusters.asking import Request, Tell

NAME = "ray"


def takes(thing: object) -> bool:
    """Tell whether this is the module ray."""
    ray: Any = sys.modules.get("ray")
    return ray is not None and thing is ray


def ask(ray: Any, request: Request, *, deadline_seconds: float, tell: Tell) -> list[Asked]:
    """Ask each node that is alive."""
    if not ray.is_initialized():
        raise ClusterError("ray is not initialised. Allowed: after ray.init()")
    import ray.util.scheduling_strategies as strategies

    look = _look(ray)
    nodes = [node["NodeID"] for node in ray.nodes() if node["Alive"]]
    sent_to = {
        look.options(scheduling_strategy=strategies.NodeAffinitySchedulingStrategy(node, soft=False)).remote(
            request
        ): node
        for node in nodes
    }
    answers: dict[str, object] = {}
    waiting, until = [*sent_to], time.monotonic() + deadline_seconds
    try:
        while waiting and time.monotonic() < until:
            done, waiting = ray.wait(waiting, num_returns=len(waiting), timeout=POLL_SECONDS)
            answers |= {sent_to[one]: _answer(ray, one) for one in done}
            tell(len(answers), len(nodes))
    finally:
        for one in waiting:
            ray.cancel(one, force=True)
    return [Asked(node, None, answers.get(node, silent(deadline_seconds))) for node in nodes]


@functools.cache
def _look(ray: Any) -> Any:
    """Return what is run on a node, always the same: Ray keeps every function that it has sent until the job ends."""
    return ray.remote(num_cpus=0, max_retries=0)(eval(expression("look")))  # noqa: S307 - our own text


def _answer(ray: Any, reference: Any) -> object:
    try:
        return ray.get(reference)
    except Exception as error:  # noqa: BLE001 - whatever was raised there, or that the node is gone
        return failed(error)
