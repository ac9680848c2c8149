"""Facts about services that no machine can measure: dated tables with their sources, and the questions they answer."""

from __future__ import annotations

from colab_magics.facts.loader import (
    frontends,
    limits,
    link,
    links,
    menu,
    menus,
    other_menus,
    retired_accelerators,
    service,
    services,
    tpu_chip,
    tpu_chips,
)
from colab_magics.facts.tables import (
    Accelerator,
    CudaBuild,
    FrontendFacts,
    Link,
    Menu,
    OtherMenu,
    PublishedLimit,
    Retired,
    ServiceFacts,
    Signal,
    TpuChip,
)

__all__ = [
    "Accelerator",
    "CudaBuild",
    "FrontendFacts",
    "Link",
    "Menu",
    "OtherMenu",
    "PublishedLimit",
    "Retired",
    "ServiceFacts",
    "Signal",
    "TpuChip",
    "frontends",
    "limits",
    "link",
    "links",
    "menu",
    "menus",
    "other_menus",
    "retired_accelerators",
    "service",
    "services",
    "tpu_chip",
    "tpu_chips",
]
