"""Where a person sees what this Python displays, and whether anybody is there to see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from colab_magics import facts
from colab_magics.model import Frontend

if TYPE_CHECKING:
    from collections.abc import Mapping

    from colab_magics.probes.signals import Signs


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
    if not frontend.tells_whether_somebody_is_there or environment.get("SERVER_SOFTWARE", "").startswith("voila"):
        return False
    return kernel.get_parent("shell").get("content", {}).get("allow_stdin") is False
