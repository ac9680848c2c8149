"""What is made from the code, the facts and the kept benchmarks, and committed: the JSON Schema, docs/ tables, plots.

`nox -s docs` writes them, and a test compares them with what is there. In a page a table stands between
`<!-- made by nox -s docs: NAME -->` and `<!-- end -->`; what is written around these marks stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

from documentation import (
    cluster_examples,
    cost_figures,
    example_cells,
    fact_tables,
    finding_tables,
    json_schema,
    usage_tables,
)

MADE: dict[str, Callable[[], str]] = {
    "a requirement of a cluster": cluster_examples.requirement,
    "accelerators": fact_tables.accelerators,
    "cost beside others": cost_figures.peers,
    "cost goals": cost_figures.goals,
    "cost of a first look": cost_figures.growth_first,
    "cost of a loop": cost_figures.loops,
    "cost of a refresh": cost_figures.refreshes,
    "cost of a warm look": cost_figures.growth_warm,
    "cost of opening": cost_figures.openings,
    "cost in bytes": cost_figures.sizes,
    "cost in memory": cost_figures.memory,
    "cost measured on": cost_figures.measured_on,
    "cost of a measured cell": partial(cost_figures.measuring, "newest"),
    "cost of a measured cell on Colab": partial(cost_figures.measuring, "colab"),
    "cost of many cells": cost_figures.many_cells,
    "cost of many machines": cost_figures.many_machines,
    "cost of many variables": cost_figures.many_variables,
    "cost of sizing": partial(cost_figures.sized, "newest"),
    "counts": cost_figures.counts,
    "cuda builds": fact_tables.cuda_builds,
    "exactness of peaks": partial(cost_figures.exactness, "newest"),
    "exactness of peaks on Colab": partial(cost_figures.exactness, "colab"),
    "exit codes": usage_tables.exit_codes,
    "findings": finding_tables.findings,
    "frontends": fact_tables.frontends,
    "hints": finding_tables.hints,
    "images": fact_tables.images,
    "json": json_schema.tables,
    "keys": usage_tables.keys,
    "limits": fact_tables.limits,
    "links": fact_tables.links,
    "machines of a cluster": cluster_examples.table,
    "manners of measuring": cost_figures.manners,
    "memory in the footer": partial(example_cells.block, "memory", "block = bytearray(250 * 2**20)"),
    "memory let go of": partial(example_cells.block, "memory", "%ram_info -f"),
    "memory of a cell": partial(example_cells.block, "memory", "%%runtime_status"),
    "memory of a view": partial(example_cells.block, "memory", "first = memoryview(frame)[:1000]"),
    "memory of all cells": partial(example_cells.block, "memory", "%runtime_status -c"),
    "memory that nobody named": partial(example_cells.block, "memory", "%ram_info -v", 2),
    "menus": fact_tables.menus,
    "notices": fact_tables.notices,
    "options": usage_tables.options_of_magics,
    "options of the command": usage_tables.options_of_the_command,
    "other menus": fact_tables.other_menus,
    "retired": fact_tables.retired,
    "runtime versions": fact_tables.runtime_versions,
    "services": fact_tables.services,
    "settings": usage_tables.settings,
    "statements": fact_tables.statements,
    "tpu chips": fact_tables.tpu_chips,
}
"""What stands between marks, by its name there."""

_MARKS = re.compile(r"(<!-- made by nox -s docs: ([\w ]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(text: str) -> str:
    """Return a page with what stands between its marks as the code has it now."""
    return _MARKS.sub(lambda marks: f"{marks[1]}\n{MADE[marks[2]]().strip()}\n\n{marks[3]}", text)


def marked(text: str) -> list[str]:
    """Return the names of what a page has between marks."""
    return [name for _, name, _ in _MARKS.findall(text)]


def pages(root: Path) -> list[Path]:
    """Return the pages of the documentation, below the root of the project."""
    return sorted(file.relative_to(root) for file in (root / "docs").glob("*.md"))


def written(root: Path) -> dict[Path, str]:
    """Return the files that are made from the code, below the root of the project, as they must be."""
    return {
        json_schema.SCHEMA: json_schema.text(),
        **cost_figures.plots(),
        **{page: filled((root / page).read_text(encoding="utf-8")) for page in pages(root)},
    }
