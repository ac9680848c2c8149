"""Facts about services that no machine can measure: dated tables with their sources, and the one loader."""

from __future__ import annotations

import functools
import os
import tomllib
from typing import TYPE_CHECKING, Any, TypeVar

from colab_magics.facts.tables import (
    Accelerator,
    Link,
    Menu,
    OtherMenu,
    PlatformFacts,
    PublishedLimit,
    Retired,
    Signal,
    TpuChip,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    AnyRow = TypeVar("AnyRow")

__all__ = [
    "Accelerator",
    "Link",
    "Menu",
    "OtherMenu",
    "PlatformFacts",
    "PublishedLimit",
    "Retired",
    "Signal",
    "TpuChip",
    "accelerator_of",
    "accelerators",
    "limits",
    "link",
    "links",
    "menu",
    "menus",
    "other_menus",
    "platforms",
    "retired_accelerators",
    "tpu_chip",
    "tpu_chips",
]


@functools.cache
def accelerators() -> tuple[Accelerator, ...]:
    """Return the accelerators that Colab offers, the CPU alone among them, in the order of the dialog's kinds."""
    return _rows("accelerators", "accelerator", Accelerator)


def accelerator_of(device_name: str | None) -> Accelerator | None:
    """Return the accelerator with that device name (None: no accelerator at all), None if the table has none such."""
    for accelerator in accelerators():
        if device_name in accelerator.device_names or (device_name is None and accelerator.kind == "none"):
            return accelerator
    return None


@functools.cache
def retired_accelerators() -> tuple[Retired, ...]:
    """Return the accelerators that Colab no longer has."""
    return _rows("accelerators", "retired", Retired)


@functools.cache
def platforms() -> tuple[PlatformFacts, ...]:
    """Return the services in the order in which they are to be tried; the last is recognised everywhere."""
    return tuple(
        PlatformFacts(**row, signals=tuple(_signal(signal) for signal in signals))
        for row in _table("platforms")["platform"]
        for signals in [row.pop("signal")]
    )


@functools.cache
def menus() -> tuple[Menu, ...]:
    """Return Colab's words in the languages they are known in, English first."""
    return _rows("menus", "menu", Menu)


def menu(language: str) -> Menu | None:
    """Return Colab's words in a language ("zh-CN", "fr"), None where they are not known."""
    return next((words for words in menus() if words.language == language), None)


@functools.cache
def other_menus() -> tuple[OtherMenu, ...]:
    """Return the ways to the accelerators outside Colab's own web page."""
    return _rows("menus", "other", OtherMenu)


@functools.cache
def limits() -> tuple[PublishedLimit, ...]:
    """Return lifetimes and quotas as they were published."""
    return _rows("limits", "limit", PublishedLimit)


@functools.cache
def links() -> tuple[Link, ...]:
    """Return the addresses worth giving."""
    return _rows("links", "link", Link)


def link(key: str) -> Link:
    """Return one address by its key, such as "faq"."""
    return next(one for one in links() if one.key == key)


@functools.cache
def tpu_chips() -> tuple[TpuChip, ...]:
    """Return the kinds of TPU by their PCI numbers."""
    return _rows("tpu_chips", "tpu_chip", TpuChip)


def tpu_chip(device: str, subsystem: str | None) -> TpuChip | None:
    """Return the TPU with these PCI numbers, as sysfs writes them; None for another of Google's devices."""
    for chip in tpu_chips():
        if chip.device == device and chip.subsystem in (None, subsystem):
            return chip
    return None


def _table(name: str) -> dict[str, Any]:
    with open(os.path.join(os.path.dirname(__file__), f"{name}.toml"), "rb") as file:
        return tomllib.load(file)


def _rows(name: str, key: str, kind: Callable[..., AnyRow]) -> tuple[AnyRow, ...]:
    return tuple(
        kind(**{field: tuple(value) if isinstance(value, list) else value for field, value in row.items()})
        for row in _table(name)[key]
    )


def _signal(conditions: dict[str, Any]) -> Signal:
    return Signal(
        environment=tuple(conditions.get("environment", {}).items()),
        absent=tuple(conditions.get("absent", ())),
        file=conditions.get("file"),
        shell=conditions.get("shell"),
    )
