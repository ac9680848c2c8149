"""The pictures for the documentation; collected only with `--screenshots FOLDER`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from browser.frontends import Notebook
from fake_nvml import FakeDriver

OPEN = ("%load_ext colab_magics", "%runtime_status -w")

pytestmark = pytest.mark.frontends("lab")


@pytest.fixture
def keep(request: pytest.FixtureRequest) -> Callable[[str, Locator], None]:
    def keep(name: str, shown: Locator) -> None:
        folder = request.config.getoption("--screenshots")
        folder.mkdir(parents=True, exist_ok=True)
        Path(folder / f"{name}.png").write_bytes(shown.screenshot())

    return keep


def test_a_live_panel(
    open_notebook: Callable[..., Notebook], theme: str, a_live_t4: FakeDriver, keep: Callable[[str, Locator], None]
) -> None:
    notebook = open_notebook(*OPEN, theme=theme, width=1000)
    notebook.control("Every").select_option("0.5 s")
    for percent in (20, 60, 85, 90, 40, 70, 92, 88, 95, 87):
        a_live_t4.set(f"gpu0.utilization_gpu = {percent}", f"gpu0.memory_used = {percent * 2**27}")
        expect(notebook.card).to_contain_text(f"{percent} %")
    keep(f"panel-{theme}", notebook.panel)


@pytest.mark.usefixtures("on_colab")
def test_a_wish_on_colab(
    open_notebook: Callable[..., Notebook], theme: str, keep: Callable[[str, Locator], None]
) -> None:
    notebook = open_notebook(*OPEN, theme=theme, width=1000)
    notebook.wish("a GPU").click()
    expect(notebook.guide).to_contain_text("To use a GPU")
    notebook.page.set_viewport_size({"width": 1000, "height": 2000})
    keep(f"wish-{theme}", notebook.panel)
