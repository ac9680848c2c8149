"""Reads the tables, each once, when it is first asked for.

A column that this version does not know is skipped, so that a table may be newer than the code.
The wheel has each table as a module too (hatch_build.py): the first report waits for two or three of them, and spent a
fifth of its time on parsing TOML (measured 2026-11).
"""

from __future__ import annotations

import functools
import importlib
import os
import zlib
from typing import TYPE_CHECKING, Any, TypeVar

from colab_magics.facts.tables import (
    Accelerator,
    CudaBuild,
    FrontendFacts,
    Image,
    Link,
    Menu,
    Notice,
    OtherMenu,
    PublishedLimit,
    Retired,
    RuntimeVersion,
    ServiceFacts,
    Signal,
    Statement,
    TpuChip,
)

if TYPE_CHECKING:
    from colab_magics.values import Record

    AnyRow = TypeVar("AnyRow", bound=Record)


@functools.cache
def accelerators() -> tuple[Accelerator, ...]:
    """Return the accelerators that Colab offers, the CPU alone among them, in the order of the dialog's kinds."""
    return _rows("accelerators", "accelerator", Accelerator)


@functools.cache
def retired_accelerators() -> tuple[Retired, ...]:
    """Return the accelerators that a service no longer has."""
    return _rows("accelerators", "retired", Retired)


@functools.cache
def images() -> tuple[Image, ...]:
    """Return what services' images take of a fresh machine's disk."""
    return _rows("accelerators", "image", Image)


@functools.cache
def services() -> tuple[ServiceFacts, ...]:
    """Return the services in the order in which they are to be tried."""
    return _rows("services", "service", ServiceFacts)


def service(key: str) -> ServiceFacts | None:
    """Return a service by its key, None for one that no table has."""
    return next((row for row in services() if row.key == key), None)


@functools.cache
def frontends() -> tuple[FrontendFacts, ...]:
    """Return the frontends in the order in which they are to be tried; the last is recognised everywhere."""
    return _rows("frontends", "frontend", FrontendFacts)


@functools.cache
def menus() -> tuple[Menu, ...]:
    """Return Colab's words in the languages they are known in, English first."""
    return _rows("menus", "menu", Menu)


def menu(language: str) -> Menu | None:
    """Return Colab's words in a language ("zh-CN", "fr"), None where they are not known."""
    return next((words for words in menus() if words.language == language), None)


@functools.cache
def other_menus() -> tuple[OtherMenu, ...]:
    """Return the ways to the accelerators elsewhere than in Colab's dialog."""
    return _rows("menus", "other", OtherMenu)


@functools.cache
def runtime_versions() -> tuple[RuntimeVersion, ...]:
    """Return the images that services offer, the newest first."""
    return _rows("runtime_versions", "runtime_version", RuntimeVersion)


@functools.cache
def image_menus() -> tuple[OtherMenu, ...]:
    """Return the ways to another image elsewhere than in Colab's dialog."""
    return _rows("runtime_versions", "image_menu", OtherMenu)


@functools.cache
def statements() -> tuple[Statement, ...]:
    """Return what services and their staff have said."""
    return _rows("statements", "statement", Statement)


def statement(key: str) -> Statement:
    """Return one statement by its key, such as "high_ram_plans"."""
    return next(one for one in statements() if one.key == key)


@functools.cache
def limits() -> tuple[PublishedLimit, ...]:
    """Return lifetimes and quotas as they were published."""
    return _rows("limits", "limit", PublishedLimit)


@functools.cache
def notices() -> tuple[Notice, ...]:
    """Return what services' pages say to their users."""
    return _rows("notices", "notice", Notice)


def notice(key: str) -> Notice:
    """Return one of them by its key, such as "out_of_ram"."""
    return next(one for one in notices() if one.key == key)


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


@functools.cache
def cuda_builds() -> tuple[CudaBuild, ...]:
    """Return what published builds of frameworks carry code for."""
    return _rows("cuda_builds", "cuda_build", CudaBuild)


def _rows(table: str, key: str, kind: type[AnyRow]) -> tuple[AnyRow, ...]:
    columns, rows = kind._fields, []
    for row in _read(table)[key]:
        signals = tuple(_signal(signal) for signal in row.get("signal", ()))
        cells = {"signals": signals, **row} if signals else row
        rows.append(kind(**{column: _frozen(cell) for column, cell in cells.items() if column in columns}))
    return tuple(rows)


def _read(table: str) -> dict[str, Any]:
    with open(os.path.join(os.path.dirname(__file__), f"{table}.toml"), "rb") as file:
        text = file.read()
    compiled = _compiled(table)
    if compiled is not None and zlib.crc32(text) == compiled.CHECKSUM:
        found: dict[str, Any] = compiled.TABLE
        return found
    import tomllib

    return tomllib.loads(text.decode())


def _compiled(table: str) -> Any:
    """Return the module that was built of a table, None in a checkout, which has none."""
    try:
        return importlib.import_module(f"colab_magics.facts.compiled.{table}")
    except ImportError:
        return None


def _frozen(cell: Any) -> Any:
    return tuple(cell) if isinstance(cell, list) else cell


def _signal(conditions: dict[str, Any]) -> Signal:
    return Signal(
        environment=tuple(conditions.get("environment", {}).items()),
        absent=tuple(conditions.get("absent", ())),
        file=conditions.get("file"),
        no_file=conditions.get("no_file"),
        shell=conditions.get("shell"),
        service=conditions.get("service"),
    )
