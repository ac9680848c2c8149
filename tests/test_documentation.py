"""What is made from the code is what the code makes now, and all of it is on some page."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import get_args
from xml.etree import ElementTree as ET

import pytest

import colab_magics
import documentation
from colab_magics.model import Severity, Subject
from colab_magics.rules import RULES
from colab_magics.views import json as view
from documentation import cost_figures, example_cells, json_schema, svg
from documentation.markdown import plain, table

ROOT = Path(__file__).parents[1]
PAGES = {page: (ROOT / page).read_text(encoding="utf-8") for page in documentation.pages(ROOT)}
FACTS = Path(colab_magics.__file__).parent / "facts"


@pytest.mark.parametrize("file", sorted(documentation.written(ROOT)), ids=str)
def test_what_is_committed_is_what_nox_docs_writes(file: Path) -> None:
    assert (ROOT / file).read_text(encoding="utf-8") == documentation.written(ROOT)[file], "nox -s docs"


def test_every_table_is_on_one_page() -> None:
    shown = [name for page in PAGES.values() for name in documentation.marked(page)]

    assert sorted(shown) == sorted(documentation.MADE)


def test_what_stands_around_the_marks_stays() -> None:
    page = "Before.\n<!-- made by nox -s docs: exit codes -->\nold\n<!-- end -->\nAfter.\n"
    filled = documentation.filled(page)

    assert filled.startswith("Before.\n<!-- made by nox -s docs: exit codes -->\n\n| exit code |")
    assert filled.endswith("|\n\n<!-- end -->\nAfter.\n")
    assert documentation.filled(filled) == filled


def test_every_finding_is_explained_once_under_its_severity() -> None:
    page = PAGES[Path("docs/findings.md")]
    titles = {Severity.ERROR: "Errors", Severity.WARNING: "Warnings", Severity.INFO: "Remarks", Severity.HINT: "Hints"}

    for rule in RULES.values():
        before, row, _ = page.partition(f"\n| `{rule.name}` | ")
        assert row, rule.name
        assert before.rpartition("\n## ")[2].startswith(titles[rule.severity])
    assert page.count("\n| `") == len(RULES)


@pytest.mark.parametrize("file", sorted(FACTS.glob("*.toml")), ids=lambda file: file.stem)
def test_every_fact_is_shown_with_its_source(file: Path) -> None:
    pages = "".join(PAGES.values())
    rows = [row for rows in tomllib.loads(file.read_text(encoding="utf-8")).values() for row in rows]

    assert rows
    assert [row for row in rows if f". {plain(row['source'])}\n" not in pages] == []


def test_text_from_elsewhere_is_no_markdown() -> None:
    cells = plain("<b> a_b*c* | [x](y) `z`"), "1"

    assert table(("a", "b:"), [cells]) == (
        "| a | b |\n| --- | ---: |\n| \\<b\\> a\\_b\\*c\\* \\| \\[x\\](y) \\`z\\` | 1 |\n"
    )


# The JSON Schema --------------------------------------------------------------------------------------------------


def test_the_file_that_is_committed_is_the_one_that_is_shipped() -> None:
    assert json.loads((ROOT / json_schema.SCHEMA).read_text(encoding="utf-8")) == json.loads(view.schema())


def test_every_field_is_explained() -> None:
    schema = json_schema.schema()

    for kind in (schema, *schema["$defs"].values()):
        assert kind["description"]
        assert all(field["description"] for field in kind["properties"].values())


def test_the_schema_says_which_sections_each_report_has() -> None:
    assert set(json_schema.ALWAYS_LOOKED_AT) == {subject.value for subject in Subject}
    for sections in json_schema.ALWAYS_LOOKED_AT.values():
        assert json_schema.schema()["properties"].keys() >= set(sections)


def test_the_page_names_the_form_it_explains() -> None:
    assert f"`schema` is the number of the form, {get_args(view.Schema)[0]}." in PAGES[Path("docs/json.md")]


# Cells of the examples --------------------------------------------------------------------------------------------


def test_a_cell_stands_on_a_page_as_a_terminal_shows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": ["printed\n", "twice\n"]},
        {"output_type": "display_data", "data": {"text/plain": ["a report\n", "of two lines"]}},
    ]
    both = [
        {"execution_count": 9, "source": ["%magic"], "outputs": []},
        {"execution_count": 10, "source": ["one = 1\n", "\n", "%magic"], "outputs": outputs},
    ]
    monkeypatch.setattr(example_cells, "cells", lambda _notebook: both)

    assert example_cells.block("any", "%magic") == "```\nIn [9]: %magic\n```"
    assert example_cells.block("any", "%magic", 2) == (
        "```\nIn [10]: one = 1\n    ...:\n    ...: %magic\n\nprinted\ntwice\n\na report\nof two lines\n```"
    )


def test_the_guide_to_memory_shows_cells_of_its_notebook() -> None:
    assert example_cells.block("memory", "%ram_info -f") in PAGES[Path("docs/memory.md")]


# What it costs ----------------------------------------------------------------------------------------------------

COST = Path("docs/cost.md")


def test_every_goal_is_shown_with_what_it_stands_beside_and_why_it_cannot_be_had() -> None:
    for goal in cost_figures.rows_of("goal"):
        assert f"| {goal['what']} | {goal['beside']} |" in PAGES[COST]
        assert goal.get("remark", "") in PAGES[COST]
        assert goal["key"] in cost_figures.SHORT


def test_a_goal_is_met_by_its_ratio_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    goal = {"key": "load", "what": "a", "beside": "b", "most": {"newest": 1.0, "colab": 2.0}, "remark": "Why not."}
    seen = {"goals": {"load": {"ratio": 1.5, "low": 0.5, "high": 2.5}}}
    monkeypatch.setattr(cost_figures, "rows_of", lambda _table: [goal])
    monkeypatch.setattr(cost_figures, "kept", lambda _name: seen)

    (row,) = cost_figures.goals().splitlines()[2:]
    assert row == "| a | b | 1.00 / 2.00 | 1.50 (0.50 to 2.50), not met | 1.50 (0.50 to 2.50), met | Why not. |"


def test_who_does_not_load_or_does_not_run_a_cell_is_named_with_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    told = [{"kind": "await", "ms": ms, "failed": "SyntaxError: 'await' outside function"} for ms in (1, 10, 100)]
    told += [{"kind": "numpy", "ms": ms, "error_mb": [-0.1, -500.0, 0.25]} for ms in (1, 10, 100)]
    measurers = [{"name": "one", "exactness": told}, {"name": "two", "failed": "ImportError: no_two"}]
    monkeypatch.setattr(cost_figures, "kept", lambda _name: {"contestants": measurers})

    assert cost_figures.exactness("newest").splitlines()[2:] == [
        "| one | await | does not run it: SyntaxError: 'await' outside function |  |  |",
        "| one | numpy | -0.1 (-500.0 to +0.2) | -0.1 (-500.0 to +0.2) | -0.1 (-500.0 to +0.2) |",
        "| two |  | does not load: ImportError: no\\_two |  |  |",
    ]


def test_a_size_is_told_beside_the_truth(monkeypatch: pytest.MonkeyPatch) -> None:
    sizers = [
        {"sizer": "one", "ms": [2.0, 1.0, 3.0], "size_bytes": 5_000_000, "is_at_least": False, "left_bytes": 100_000},
        {"sizer": "two", "ms": [2.0, 1.0, 3.0], "size_bytes": 5_000_000, "is_at_least": True, "left_bytes": 0},
        {"sizer": "three", "failed": "ValueError: no"},
    ]
    found = {"sized": [{"case": "a list", "true_bytes": 10_000_000, "sizers": sizers}]}
    monkeypatch.setattr(cost_figures, "kept", lambda _name: found)

    assert cost_figures.sized("newest").splitlines()[2:] == [
        "| a list | 10.0 | one | 5.0 (-50 %) | 2.00 | 0.1 |",
        "| a list | 10.0 | two | at least 5.0 | 2.00 | 0.0 |",
        "| a list | 10.0 | three | ValueError: no |  |  |",
    ]


def test_what_was_measured_names_no_place_on_a_machine() -> None:
    for file in (cost_figures.BENCHMARKS / "results").glob("*.json"):
        assert re.findall(r"/(?:home|root|tmp|Users|work)\b", file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("file", sorted(cost_figures.plots()), ids=lambda file: file.stem)
def test_a_plot_is_shown_reads_in_both_colour_schemes_and_loads_nothing(file: Path) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    drawn = ET.fromstring(text)

    assert f"](plots/{file.name})" in PAGES[COST]
    assert drawn.findtext("{*}title") == drawn.get("aria-label")
    assert "@media (prefers-color-scheme: dark)" in text
    assert re.findall(r"url\(|href|@import|<script", text) == []


def test_what_stands_in_a_plot_is_text() -> None:
    drawn = svg.bars("<&>", ["one"], [("<b>", [1.0]), ("none", [None])], unit="ms")

    assert [text.text for text in ET.fromstring(drawn).findall(".//{*}text")] == ["<&>", "<b>", "1.00 ms", "none"]


@pytest.mark.parametrize(
    ("figure", "words"),
    [(0.0, "0"), (0.0123, "0.01"), (0.5, "0.50"), (5.25, "5.25"), (52.5, "52.5"), (5250.4, "5,250")],
)
def test_a_figure_is_said_to_three_digits(figure: float, words: str) -> None:
    assert svg.spoken(figure) == words
