"""Where a page is closed the kernel is left to its server, which ends it as if there were no panel."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from browser.frontends import Frontend, Notebook
from browser.servers import Server
from fake_nvml import FakeDriver

CULL_SECONDS = 10
ATTENDED_SECONDS = 4
PATIENCE = f"presence.ATTENDED_SECONDS, presence.ASK_SECONDS, presence.ANSWER_SECONDS = {ATTENDED_SECONDS}, 1, 1"
OPEN = (
    "%load_ext colab_magics",
    "%config ColabMagics.panel_period_seconds = 0.5",
    f"from colab_magics.panel import presence; {PATIENCE}",
    "%runtime_status -w",
)


pytestmark = pytest.mark.chromium  # what the server sees is the same of every browser


@pytest.fixture
def server(frontend: Frontend, tmp_path: Path) -> Iterator[Server]:
    """A server that ends a kernel which has been idle for ten seconds, also one with a page."""
    server = Server(frontend.module, tmp_path / "server", cull_idle_seconds=CULL_SECONDS)
    yield server
    server.stop()


def kernel(server: Server) -> dict[str, Any] | None:
    kernels = server.kernels()
    return kernels[0] if kernels else None


def is_culled(server: Server, *, within_seconds: float) -> bool:
    until = time.monotonic() + within_seconds
    while time.monotonic() < until:
        if kernel(server) is None:
            return True
        time.sleep(0.2)
    return False


@pytest.mark.frontends("lab")
def test_a_kernel_lives_while_somebody_clicks_and_is_culled_once_its_page_is_closed(
    open_notebook: Callable[..., Notebook],
    server: Server,
    a_live_t4: FakeDriver,
    took: Callable[[str, float], None],
) -> None:
    notebook = open_notebook(*OPEN)
    expect(notebook.control("Pause")).to_be_visible()
    until = time.monotonic() + CULL_SECONDS + 4
    while time.monotonic() < until:  # no cell runs
        notebook.control("Refresh").click()
        notebook.page.wait_for_timeout(2000)
    assert kernel(server) is not None
    expect(notebook.control("Pause")).to_be_visible()

    notebook.page.close()
    since = time.monotonic()
    time.sleep(ATTENDED_SECONDS + 1)
    stands = kernel(server)
    assert stands is not None
    time.sleep(1.5)
    again = kernel(server)
    assert again is None or again["last_activity"] == stands["last_activity"]
    assert is_culled(server, within_seconds=CULL_SECONDS + 4)
    took("a kernel is culled after its page was closed, idle time 10 s", since)


@pytest.mark.frontends("lab")
def test_a_kernel_whose_page_is_left_open_is_culled_too(
    open_notebook: Callable[..., Notebook], server: Server, a_live_t4: FakeDriver
) -> None:
    notebook = open_notebook(*OPEN)
    expect(notebook.card).to_contain_text("Paused, since nobody seems to be here", timeout=15_000)
    expect(notebook.control("Resume")).to_be_visible()

    assert is_culled(server, within_seconds=CULL_SECONDS + 6)
