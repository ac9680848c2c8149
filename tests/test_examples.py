"""The notebooks of examples/ run from top to bottom."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from traitlets.config import Config

from fake_nvml import FakeDriver

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.ipynb"))


def run(file: Path, folder: Path) -> list[Any]:
    """Run a notebook in a folder and return its cells of code, each with all that it showed.

    The kernel listens on sockets of files, whose paths must be short. Ports of TCP are chosen long before it listens
    there, under load seconds, and where another kernel is given one of them meanwhile, the second dies at its start.
    """
    notebook = nbformat.read(file, as_version=4)
    with TemporaryDirectory() as sockets:
        NotebookClient(
            notebook,
            timeout=60,
            iopub_timeout=60,
            raise_on_iopub_timeout=True,
            resources={"metadata": {"path": str(folder)}},
            config=Config(KernelManager={"transport": "ipc", "ip": f"{sockets}/kernel"}),
        ).execute()
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@pytest.fixture(autouse=True)
def a_home_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")


@pytest.mark.parametrize("gpu", [False, True], ids=["no GPU", "T4"])
@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_an_example_runs_top_to_bottom(
    file: Path, gpu: bool, tmp_path: Path, plug_in: Callable[..., FakeDriver]
) -> None:
    if gpu:
        plug_in("t4")
    for cell in run(file, tmp_path):
        for output in cell.outputs:
            assert output.output_type != "error"
            assert output.get("name") != "stderr"
            if output.output_type == "display_data":
                assert output.data["text/plain"]
                assert output.data["text/html"]


def test_run_without_a_page_the_tour_shows_the_report_in_the_panel_s_place(tmp_path: Path) -> None:
    (opened,) = [cell for cell in run(EXAMPLES[-1], tmp_path) if cell.source == "%runtime_status -w"]

    (shown,) = opened.outputs
    assert "application/vnd.jupyter.widget-view+json" not in shown.data
    assert shown.data["text/plain"].startswith("No panel, since this notebook runs without a page to click in")


def test_there_are_examples_and_they_are_kept_without_outputs() -> None:
    assert EXAMPLES
    for file in EXAMPLES:
        assert not [cell for cell in nbformat.read(file, as_version=4).cells if cell.get("outputs")]
