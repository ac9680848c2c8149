"""The tables of colab_magics/facts, each row with its source, the day it was read, and how sure it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

from colab_magics.facts import Accelerator, OtherMenu, Signal, loader
from documentation.markdown import code, figure, plain, table


def accelerators() -> str:
    """Return what Colab's dialog offers, and what users have seen come with it."""
    heads = ("choice", "card's GiB:", "RAM GiB:", "cores:", "disk GiB:", "units an hour:", "capability:", "plan")
    return _table(heads, [(_accelerator(row), row) for row in loader.accelerators()])


def images() -> str:
    """Return what services' images take of a fresh machine's disk."""
    return _table(
        ("service", "the image takes, GiB:"),
        [((_service(row.service), _two(row.least_gib, row.most_gib, between=" to ")), row) for row in loader.images()],
    )


def retired() -> str:
    """Return the accelerators that a service no longer has."""
    heads = ("accelerator", "service", "in its place")
    return _table(
        heads,
        [((row.name, _service(row.service), row.replaced_by or ""), row) for row in loader.retired_accelerators()],
    )


def runtime_versions() -> str:
    """Return the images that services offer."""
    heads = ("image", "service", "Python", "PyTorch", "TensorFlow", "JAX")
    return _table(
        heads,
        [
            ((row.name, _service(row.service), row.python, row.torch or "", row.tensorflow or "", row.jax or ""), row)
            for row in loader.runtime_versions()
        ],
    )


def limits() -> str:
    """Return lifetimes and quotas as they were published."""
    return _table(
        ("limit:", "service", "applies"),
        [
            ((f"{'about ' if row.about else ''}{row.value:g} {row.unit}", _service(row.service), row.applies), row)
            for row in loader.limits()
        ],
    )


def statements() -> str:
    """Return what services and their staff have said."""
    return _table(
        ("about", "what was said", "last on"),
        [((row.key.replace("_", " "), row.applies, str(row.said_on)), row) for row in loader.statements()],
    )


def notices() -> str:
    """Return what Colab's page says, what that means, and what helps."""
    return _table(
        ("the page says", "it means", "what helps"),
        [((" / ".join(row.words), row.meaning, row.advice), row) for row in loader.notices()],
    )


def menus() -> str:
    """Return the words of Colab's menus in the languages they are known in."""
    columns = ("runtime_menu", "change_runtime_type", "hardware_accelerator", "high_ram", "runtime_version", "save")
    return _table(
        ("language", *(column.replace("_", " ") for column in columns)),
        [
            ((f"{row.name} ({row.language})", *(_words(getattr(row, column)) for column in columns)), row)
            for row in loader.menus()
        ],
    )


def other_menus() -> str:
    """Return the ways to accelerators and images elsewhere than in Colab's dialog."""
    return _table(
        ("where", "what to click or type", "choices", "to"),
        [((row.label, _path(row), ", ".join(row.choices), row.purpose), row) for row in _ways()],
    )


def services() -> str:
    """Return the services that are recognised, and by what."""
    rows = [((plain(row.label or row.name), _signs(row.signals)), row) for row in loader.services()]
    return _table(("service", "a sign of it"), rows, are_markdown=True)


def frontends() -> str:
    """Return where a person may see what a Python displays, and by what that is recognised."""
    rows = [((plain(row.label), _signs(row.signals)), row) for row in loader.frontends()]
    return _table(("frontend", "a sign of it"), rows, are_markdown=True)


def tpu_chips() -> str:
    """Return Google's TPU chips by their PCI numbers."""
    return _table(
        ("chip", "PCI device", "subsystem", "GiB a device:", "devices a chip:"),
        [
            ((row.name, row.device, row.subsystem or "", figure(row.memory_gib), figure(row.devices_per_chip)), row)
            for row in loader.tpu_chips()
        ],
    )


def cuda_builds() -> str:
    """Return what published builds of frameworks carry code for."""
    return _table(
        ("framework", "versions", "CUDA", "platform", "code for"),
        [
            ((row.framework, ", ".join(row.versions), row.cuda, row.platform, " ".join(row.carries)), row)
            for row in loader.cuda_builds()
        ],
    )


def links() -> str:
    """Return the addresses that the guides give."""
    rows = [((f"[{plain(row.label)}]({row.url})",), row) for row in loader.links()]
    return _table(("link",), rows, are_markdown=True)


def _table(heads: Sequence[str], rows: Iterable[tuple[Sequence[str], Any]], *, are_markdown: bool = False) -> str:
    """Return a table that says of each row whose word it is, when it was read and how sure it is, and the sources."""
    rows = list(rows)
    has_origin = hasattr(rows[0][1], "origin")
    sources = list(dict.fromkeys(row.source for _, row in rows))
    shown = table(
        (*heads, *(("whose word",) if has_origin else ()), "read", "sure", "source:"),
        [
            [
                *(cells if are_markdown else map(plain, cells)),
                *((row.origin,) if has_origin else ()),
                str(row.date),
                row.confidence,
                str(sources.index(row.source) + 1),
            ]
            for cells, row in rows
        ],
    )
    listed = "".join(f"{number}. {plain(source)}\n" for number, source in enumerate(sources, start=1))
    return f"{shown}\nSources:\n\n{listed}"


def _accelerator(row: Accelerator) -> tuple[str, ...]:
    return (
        row.menu_name,
        _two(row.memory_gib, row.high_ram_memory_gib),
        _two(row.standard_ram_gib, row.high_ram_gib),
        _two(row.cores, row.high_ram_cores),
        _two(row.disk_gib, row.most_disk_gib, between=" to "),
        _two(row.units_per_hour, row.high_ram_units_per_hour),
        row.compute_capability or "",
        row.tier,
    )


def _two(first: float | None, second: float | None, between: str = " / ") -> str:
    return between.join(figure(number) for number in (first, second) if number is not None)


def _service(key: str) -> str:
    service = loader.service(key)
    return key if service is None else service.name


def _words(words: str | tuple[str, ...] | None) -> str:
    return " / ".join(words) if isinstance(words, tuple) else words or ""


def _ways() -> Iterable[OtherMenu]:
    return chain(loader.other_menus(), loader.image_menus())


def _path(row: OtherMenu) -> str:
    return ("; " if row.path_is_commands else " > ").join(row.path)


def _signs(signals: tuple[Signal, ...]) -> str:
    return "; or ".join(filter(None, map(_sign, signals)))


def _sign(signal: Signal) -> str:
    """Return all the conditions of a signal."""
    conditions = [code(name if value == "*" else f"{name}={value}") for name, value in signal.environment]
    conditions += [f"no {code(name)}" for name in signal.absent]
    conditions += [code(f"/{signal.file}")] if signal.file else []
    conditions += [f"no {code(f'/{signal.no_file}')}"] if signal.no_file else []
    if signal.shell is not None:
        conditions.append(f"a shell of {code(signal.shell.rstrip('.'))}" if signal.shell else "any shell of IPython's")
    if signal.service is not None:
        conditions.append("any service" if signal.service == "*" else f"on {plain(_service(signal.service))}")
    return ", ".join(conditions)
