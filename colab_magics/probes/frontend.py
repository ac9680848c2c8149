"""Where a person sees what this Python displays, and whether anybody is there to see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from colab_magics import facts
from colab_magics.model import Frontend

if TYPE_CHECKING:
    from collections.abc import Mapping

    from colab_magics.probes.signals import Signs


_VOILA_VARIABLES = ("VOILA_APP_PORT", "VOILA_KERNEL_ID")


def probe_frontend(signs: Signs, service: str | None) -> Frontend:
    """Name the frontend: the first of facts/frontends.toml of whose signals one holds on this service."""
    row = next(row for row in facts.frontends() if any(signs.hold(signal, service=service) for signal in row.signals))
    return Frontend(
        key=row.key,
        shows_widgets=row.shows_widgets,
        shows_thread_updates=row.shows_thread_updates,
        tells_whether_somebody_is_there=row.tells_whether_somebody_is_there,
    )


def is_nobody_there(frontend: Frontend, kernel: Any, environment: Mapping[str, str]) -> bool:
    """Tell whether the request that a kernel is at came from a client without anybody to click.

    Voila says so too, and has a page all the same; its server names itself in the environment.
    """
    if not frontend.tells_whether_somebody_is_there or _is_voila(environment):
        return False
    return _request(kernel).get("content", {}).get("allow_stdin") is False


def _is_voila(environment: Mapping[str, str]) -> bool:
    """Tell whether Voila has started the kernel, for a page that has come or, preheated, for one that will."""
    by_a_request = environment.get("SERVER_SOFTWARE", "").startswith("voila")
    return by_a_request or any(environment.get(name) for name in _VOILA_VARIABLES)


def _request(kernel: Any) -> Mapping[str, Any]:
    """Return the request that a kernel is working on; empty where it is not told as by ipykernel 6 and later."""
    try:
        request: Mapping[str, Any] = kernel.get_parent("shell")
    except (AttributeError, TypeError):  # ipykernel 5; xeus-python
        return {}
    return request
