"""A notebook with a panel in it, after its kernel is gone: it still says what was."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from nbconvert import HTMLExporter, MarkdownExporter
from playwright.sync_api import BrowserContext, Locator, expect

from browser.frontends import Notebook
from browser.layout import WIDTHS, misfits
from browser.servers import Server
from fake_nvml import FakeDriver

OPEN = ("%load_ext colab_magics", "%runtime_status -w")
WORDS = ("Tesla T4", "14.4 of 15.0 GiB", "87 %", "RAM", "Disk")
NEARLY_ALL_BYTES = 15 * 2**30 * 96 // 100

pytestmark = pytest.mark.frontends("lab", "notebook", "classic")


@pytest.fixture
def saved(open_notebook: Callable[..., Notebook], a_live_t4: FakeDriver, server: Server) -> Path:
    """Save a notebook while its panel is open, with something to warn of in it, and end its kernel."""
    a_live_t4.set(f"gpu0.memory_used = {NEARLY_ALL_BYTES}")
    notebook = open_notebook(*OPEN)
    expect(notebook.card).to_contain_text(WORDS[1])
    file = notebook.save()
    notebook.page.close()
    server.end_sessions()
    return file


def reads(place: Locator) -> None:
    for words in WORDS:
        expect(place).to_contain_text(words)
    expect(place).not_to_contain_text("VBox(")
    expect(place).not_to_contain_text("{")


def opens(page: Locator) -> None:
    """Check that what someone wants leads to its guide."""
    goal = page.locator(".cm-goals > details").nth(1)
    expect(goal.locator(".cm-guide")).not_to_be_visible()
    goal.locator("> summary").click()
    expect(goal.locator(".cm-guide")).to_contain_text("To use a TPU")
    expect(goal.locator(".cm-guide")).to_be_visible()


def of_somebody_else(saved: Path) -> Path:
    """Return a copy of a notebook that is not what was signed when it was saved, so that no page trusts it."""
    changed = json.loads(saved.read_text(encoding="utf-8"))
    changed["metadata"]["from"] = "somebody else"
    other = saved.with_stem(f"{saved.stem}-of-others")
    other.write_text(json.dumps(changed), encoding="utf-8")
    return other


def test_in_a_saved_report_what_someone_wants_opens(
    open_notebook: Callable[..., Notebook],
    open_file: Callable[..., Notebook],
    server: Server,
    context: BrowserContext,
    tmp_path: Path,
) -> None:
    notebook = open_notebook("%load_ext colab_magics", "%runtime_status -a")
    opens(notebook.output(1))
    saved = notebook.save()
    notebook.page.close()
    server.end_sessions()
    opens(open_file(saved).output(1))
    opens(open_file(of_somebody_else(saved)).output(1))

    html, _ = HTMLExporter().from_filename(saved)
    page = tmp_path / "saved.html"
    page.write_text(html, encoding="utf-8")
    offline = context.new_page()
    offline.goto(page.as_uri())
    opens(offline.locator(".jp-OutputArea").last)
    offline.close()


def test_opened_again_it_reads(saved: Path, open_file: Callable[..., Notebook]) -> None:
    again = open_file(saved)
    reads(again.output(1))
    expect(again.output(1).locator("style")).not_to_have_count(0)  # so it is trusted
    expect(again.panel).to_have_count(0)


def test_with_others_it_reads_untrusted_and_converted(
    saved: Path,
    open_file: Callable[..., Notebook],
    context: BrowserContext,
    look_at: Callable[[str, Locator], None],
    tmp_path: Path,
) -> None:
    untrusted = open_file(of_somebody_else(saved))
    reads(untrusted.output(1))
    expect(untrusted.output(1).locator("style")).to_have_count(0)
    for width in WIDTHS:
        untrusted.page.set_viewport_size({"width": width, "height": 1000})
        assert misfits(untrusted.report) == [], width
        look_at(f"untrusted-{untrusted.frontend.name}-{width}px", untrusted.output(1))

    markdown, _ = MarkdownExporter().from_filename(saved)
    for words in WORDS:
        assert words in markdown
    html, _ = HTMLExporter().from_filename(saved)
    page = tmp_path / "saved.html"
    page.write_text(html, encoding="utf-8")
    offline = context.new_page()
    offline.goto(page.as_uri())
    shown = offline.locator(".jp-OutputArea")
    reads(shown)
    look_at(f"converted-{untrusted.frontend.name}", shown)
    offline.close()
