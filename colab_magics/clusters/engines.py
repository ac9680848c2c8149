"""The engines that can be asked, and which variables drive one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics.clusters import dask, ipyparallel, ray

if TYPE_CHECKING:
    from collections.abc import Mapping

ENGINES = (dask, ipyparallel, ray)


def driving(variables: Mapping[str, object]) -> list[str]:
    """Return the names of the variables that drive a cluster."""
    return [name for name, thing in variables.items() if any(engine.takes(thing) for engine in ENGINES)]
