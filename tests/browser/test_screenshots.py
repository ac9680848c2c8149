"""The pictures for the documentation; collected only with `--screenshots FOLDER`."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, FloatRect, Locator, expect

from browser.frontends import Notebook
from fake_nvml import FakeDriver

OPEN = ("%load_ext colab_magics", "%config ColabMagics.panel_period_seconds = 0.5", "%runtime_status -w")
WIDE, NARROW, TALL = 1000, 420, 2000
SHARPNESS = 2
MARGIN = 4
BUSY_PERCENT = (5, 9, 20, 48, 60, 72, 85, 90, 62, 40, 55, 70, 83, 92, 88, 95, 91, 87)

pytestmark = [pytest.mark.frontends("lab"), pytest.mark.usefixtures("on_colab"), pytest.mark.chromium]


@pytest.fixture(scope="session")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A context whose pictures are as sharp as on a good screen."""
    context = browser.new_context(locale="en-US", reduced_motion="reduce", device_scale_factor=SHARPNESS)
    yield context
    context.close()


@pytest.fixture
def keep(request: pytest.FixtureRequest) -> Callable[[str, Notebook, Locator], None]:
    """Keep a picture of the panel from its top down to something in it."""

    def keep(name: str, notebook: Notebook, last: Locator) -> None:
        folder: Path = request.config.getoption("--screenshots")
        folder.mkdir(parents=True, exist_ok=True)
        page = notebook.page
        page.mouse.move(0, 0)
        whole, end = notebook.panel.bounding_box(), last.bounding_box()
        assert whole is not None
        assert end is not None
        clip: FloatRect = {
            "x": whole["x"] - MARGIN,
            "y": whole["y"] - MARGIN,
            "width": whole["width"] + 2 * MARGIN,
            "height": end["y"] + end["height"] - whole["y"] + 2 * MARGIN,
        }
        picture = Image.open(io.BytesIO(page.screenshot(clip=clip)))
        picture.convert("RGB").quantize(256).save(folder / f"{name}.png", optimize=True)

    return keep


def a_busy_panel(
    open_notebook: Callable[..., Notebook], driver: FakeDriver, *, theme: str = "light", width: int = WIDE
) -> Notebook:
    """Open a panel whose GPU has worked for a while."""
    driver.set("gpu0.power_mw = 64000", "gpu0.temperature = 61")
    notebook = open_notebook(*OPEN, theme=theme, width=width)
    for percent in BUSY_PERCENT:
        driver.set(f"gpu0.utilization_gpu = {percent}", f"gpu0.memory_used = {percent * 2**27}")
        notebook.page.wait_for_timeout(600)
    notebook.page.set_viewport_size({"width": width, "height": TALL})
    notebook.control("Refresh").click()
    expect(notebook.card).to_contain_text(f"{BUSY_PERCENT[-1]} %")
    return notebook


def test_the_panel_with_the_way_to_another_gpu(
    open_notebook: Callable[..., Notebook],
    theme: str,
    a_live_t4: FakeDriver,
    keep: Callable[[str, Notebook, Locator], None],
) -> None:
    notebook = a_busy_panel(open_notebook, a_live_t4, theme=theme)
    notebook.goal("a GPU").click()
    expect(notebook.guide).to_contain_text("To use another GPU")
    keep(f"panel-{theme}", notebook, notebook.guide.locator(".cm-guide-cost"))


@pytest.mark.usefixtures("frontend")
def test_the_panel_where_there_is_little_room(
    open_notebook: Callable[..., Notebook], a_live_t4: FakeDriver, keep: Callable[[str, Notebook, Locator], None]
) -> None:
    notebook = a_busy_panel(open_notebook, a_live_t4, width=NARROW)
    notebook.goal("a TPU").click()
    expect(notebook.guide).to_contain_text("To use a TPU")
    keep("panel-narrow", notebook, notebook.guide.locator(".cm-guide-cost"))


@pytest.mark.usefixtures("frontend")
def test_the_panel_in_chinese(
    open_notebook: Callable[..., Notebook], a_live_t4: FakeDriver, keep: Callable[[str, Notebook, Locator], None]
) -> None:
    fonts = subprocess.run(["fc-list", ":lang=zh"], capture_output=True, text=True, check=True).stdout
    assert fonts, "install a font with Chinese characters, such as Debian's fonts-noto-cjk"
    notebook = a_busy_panel(open_notebook, a_live_t4)
    notebook.control("Language").select_option("简体中文")
    notebook.goal("GPU").click()
    expect(notebook.guide).to_contain_text("代码执行程序")
    keep("panel-chinese", notebook, notebook.guide.locator(".cm-guide-cost"))
