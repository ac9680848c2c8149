"""The reports that stay as they are: in every frontend, theme and width they can be read by everybody."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from browser.accessibility import Accessibility
from browser.frontends import DARK, LIGHT, Notebook
from browser.layout import WIDTHS, misfits
from browser.pictures import bars
from fake_nvml import FakeDriver


def test_a_report_is_readable_in_every_theme_and_width(
    open_notebook: Callable[..., Notebook], theme: str, accessibility: Accessibility, a_live_t4: FakeDriver
) -> None:
    notebook = open_notebook("%load_ext colab_magics", "%gpu_info", "%runtime_status -a", theme=theme)
    expect(notebook.report).to_have_count(2)
    for words in ("Tesla T4", "9.0 of 15.0 GiB", "87 %"):
        expect(notebook.report.first).to_contain_text(words)

    for preference in (LIGHT, DARK):  # of the operating system; the page has its own
        notebook.page.emulate_media(color_scheme=preference)
        assert accessibility.faults(notebook.page, ".colab-magics") == [], preference
        assert [bar for bar in bars(notebook.report) if bar.fill_to_track < 3] == [], preference
    for width in WIDTHS:
        notebook.page.set_viewport_size({"width": width, "height": 1000})
        assert misfits(notebook.report) == [], width
