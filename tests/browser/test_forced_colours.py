"""Where the reader's system chooses all colours ("high contrast"), bars are still bars and chips still chips."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Locator, Playwright, expect

from browser.conftest import PATIENCE_MILLISECONDS, launch
from browser.frontends import Notebook
from browser.pictures import bars, edge
from fake_nvml import FakeDriver

OPEN = ("%load_ext colab_magics", "%runtime_status", "%runtime_status -w")
GOALS = ("a GPU", "a TPU", "more memory")


@pytest.fixture(scope="session")
def context(playwright: Playwright, engine: str) -> Iterator[BrowserContext]:
    """A context whose pages have none but the system's colours."""
    browser = launch(playwright, engine, forced_colours=True)
    context = browser.new_context(locale="en-US", forced_colors="active" if engine == "chromium" else None)
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    yield context
    browser.close()


@pytest.fixture
def notebook(open_notebook: Callable[..., Notebook], a_live_t4: FakeDriver) -> Notebook:
    notebook = open_notebook(*OPEN)
    expect(notebook.card).to_contain_text("9.0 of 15.0 GiB")
    assert notebook.page.evaluate("matchMedia('(forced-colors: active)').matches")
    return notebook


@pytest.mark.frontends("lab", "classic")
@pytest.mark.usefixtures("on_colab")
def test_bars_are_seen_in_forced_colours(notebook: Notebook, look_at: Callable[[str, Locator], None]) -> None:
    look_at(f"forced-colours-{notebook.frontend.name}", notebook.panel)
    for place in (notebook.output(1), notebook.panel):
        drawn = bars(place)
        assert len(drawn) >= 3
        assert [bar for bar in drawn if bar.fill_to_track < 3] == []


@pytest.mark.frontends("lab", "classic")
@pytest.mark.usefixtures("on_colab")
def test_chips_have_an_edge_in_forced_colours(notebook: Notebook) -> None:
    assert [goal for goal in GOALS if edge(notebook.goal(goal)) < 3] == []
