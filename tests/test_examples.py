"""The notebooks of examples/ run from top to bottom, and are stored with what they show."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

import examples

EXAMPLE = pytest.mark.parametrize("file", examples.FILES, ids=lambda file: file.stem)


def cells_of_code(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def stored(file: Path) -> list[Any]:
    return cells_of_code(nbformat.read(file, as_version=4))


@pytest.fixture(autouse=True)
def a_home_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")


@EXAMPLE
def test_an_example_runs_top_to_bottom_on_this_machine(file: Path, tmp_path: Path) -> None:
    for cell in cells_of_code(examples.run(file, tmp_path)):
        for output in cell.outputs:
            assert output.output_type != "error"
            assert output.get("name") != "stderr"
            if output.output_type == "display_data":
                assert output.data["text/plain"]
                assert output.data["text/html"]


@EXAMPLE
def test_what_is_stored_is_what_an_example_shows(file: Path, tmp_path: Path) -> None:
    """On both stacks alike: the machine, its Python too, is composed."""
    now = nbformat.reads(examples.executed(file, tmp_path), as_version=4)

    for was, cell in zip(stored(file), cells_of_code(now), strict=True):
        assert cell.outputs == was.outputs, "run `nox -s examples`, then read the diff"
    assert now == nbformat.read(file, as_version=4)


@EXAMPLE
def test_a_stored_output_can_be_read_without_scripts_and_style_sheets(file: Path) -> None:
    reports = [output.data for cell in stored(file) for output in cell.outputs if output.output_type == "display_data"]
    for report in reports:
        html = report["text/html"]
        assert "<script" not in html
        words = re.sub("<[^>]*>", " ", re.sub("<style>.*?</style>", "", html, flags=re.DOTALL))
        told = [re.split(r"[:：(]", line)[0].strip() for line in report["text/plain"].splitlines()]
        assert any(beginning in " ".join(words.split()) for beginning in told if len(beginning) > 2)


def test_all_are_stored_executed_and_none_tells_of_the_run() -> None:
    assert len(examples.FILES) > 2
    for file in examples.FILES:
        cells = stored(file)
        assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
        assert any(cell.outputs for cell in cells)
        text = file.read_text(encoding="utf-8")
        assert {*re.findall(r"(?<![\d:])\d\d:\d\d:\d\d(?!\.\d\b)", text)} <= {"12:00:00"}
        assert {*re.findall(r"[0-9a-f]{32}", text)} <= {"0" * 32}
        assert "Tesla T4" in text


def test_run_without_a_page_the_tour_shows_the_report_in_the_panel_s_place(tmp_path: Path) -> None:
    (opened,) = [
        cell
        for cell in cells_of_code(examples.run(examples.FILES[-1], tmp_path))
        if cell.source == "%runtime_status -w"
    ]

    (shown,) = opened.outputs
    assert "application/vnd.jupyter.widget-view+json" not in shown.data
    assert shown.data["text/plain"].startswith("No panel, since this notebook runs without a page to click in")
