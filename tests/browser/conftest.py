"""Fixtures for tests in a real browser: `pytest tests/browser --frontends lab,classic --axe FILE`.

The folder is no part of an ordinary test session (`norecursedirs` in pyproject.toml): what it needs, a browser and
Jupyter's pages, only the sessions install that name it.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Playwright, sync_playwright

from browser.accessibility import TALL_ENOUGH, Accessibility
from browser.frontends import FRONTENDS, LIGHT, Frontend, Notebook
from browser.servers import Server
from composed import Machine
from fake_nvml import FakeDriver

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
FIREFOX = ("firefox-esr", "firefox")
SWITCHES = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--no-sandbox",  # root has none
)
WIDE, TALL = 1100, 1000
PATIENCE_MILLISECONDS = 30_000


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("browser")
    group.addoption("--frontends", default="", help=f"where to look, of {', '.join(FRONTENDS)}; separated by commas")
    group.addoption("--engine", choices=("chromium", "firefox"), default="chromium", help="the browser to look in")
    group.addoption("--axe", type=Path, help="axe-core's axe.min.js")
    group.addoption("--screenshots", type=Path, help="take the pictures for the documentation, into this folder")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "frontends(*names): a test for these only")
    config.addinivalue_line("markers", "chromium: a test that asks of the browser what is done in Chromium alone")
    chosen = [name for name in str(config.getoption("--frontends")).split(",") if name]
    if not chosen or set(chosen) - set(FRONTENDS):
        raise pytest.UsageError(f"--frontends wants some of {', '.join(FRONTENDS)}")
    for frontend in (FRONTENDS[name] for name in chosen):
        if not frontend.is_installed():
            raise pytest.UsageError(f"{frontend.name} is chosen, and no {frontend.package} {frontend.version} is here")
    axe = config.getoption("--axe")
    if axe is None or not axe.is_file():
        raise pytest.UsageError("--axe wants axe.min.js of the npm package axe-core")
    if config.getoption("--engine") == "firefox" and firefox() is None:
        raise pytest.UsageError(f"no {' or '.join(FIREFOX)} on PATH, and FIREFOX does not say where one is")
    if config.getoption("--engine") == "chromium" and chromium() is None:
        raise pytest.UsageError(f"no {' or '.join(CHROMIUM)} on PATH, and CHROMIUM does not say where one is")


def chromium() -> str | None:
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM)), None)


def firefox() -> str | None:
    return os.environ.get("FIREFOX") or next(filter(None, map(shutil.which, FIREFOX)), None)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    wanted = config.getoption("--screenshots") is not None
    return True if collection_path.name == "test_screenshots.py" and not wanted else None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let a test run in each chosen frontend that it says it is for, and in each theme of it if it asks for one."""
    if "frontend" not in metafunc.fixturenames:
        return
    chosen = str(metafunc.config.getoption("--frontends")).split(",")
    marker = metafunc.definition.get_closest_marker("frontends")
    names = [name for name in chosen if marker is None or name in marker.args]
    if "theme" in metafunc.fixturenames:
        pairs = [(name, theme) for name in names for theme in FRONTENDS[name].themes]
        metafunc.parametrize(("frontend", "theme"), pairs, ids=map("-".join, pairs), indirect=["frontend"])
    else:
        metafunc.parametrize("frontend", names, indirect=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is for other frontends or another browser than the chosen: there is nothing to skip."""
    in_firefox = config.getoption("--engine") == "firefox"
    elsewhere = [
        item
        for item in items
        if item.get_closest_marker("skip") or (in_firefox and item.get_closest_marker("chromium"))
    ]
    items[:] = [item for item in items if item not in elsewhere]
    config.hook.pytest_deselected(items=elsewhere)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how long what was waited for took: figures to look at, no promises."""
    figures = [
        f"{value:>6} ms  {name}  [{report.nodeid.rpartition('[')[2]}"
        for report in terminalreporter.stats.get("passed", [])
        for name, value in report.user_properties
    ]
    if figures:
        terminalreporter.section("how long it took")
        terminalreporter.write("\n".join([*figures, ""]))


@pytest.fixture(scope="session")
def engine(request: pytest.FixtureRequest) -> str:
    """The browser to look in, `chromium` or `firefox`."""
    return str(request.config.getoption("--engine"))


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(playwright: Playwright, engine: str) -> Iterator[Browser]:
    browser = launch(playwright, engine)
    yield browser
    browser.close()


def launch(playwright: Playwright, engine: str, *, forced_colours: bool = False) -> Browser:
    """Start a browser; Firefox is told at its start whether the system chooses all colours, Chromium by its context."""
    if engine == "chromium":
        return playwright.chromium.launch(executable_path=chromium(), args=SWITCHES)
    return playwright.firefox.launch(
        channel="moz-firefox",  # the one that is there, by WebDriver BiDi; else Playwright wants one of its own making
        executable_path=firefox(),
        firefox_user_prefs={"browser.display.document_color_use": 2} if forced_colours else {},
    )


@pytest.fixture(scope="session")
def context(browser: Browser, engine: str) -> Iterator[BrowserContext]:
    """One context for all pages, so that what a frontend's page consists of is loaded once."""
    context = browser.new_context(locale="en-US", reduced_motion="reduce" if engine == "chromium" else None)
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    yield context
    context.close()


@pytest.fixture(scope="session")
def server_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Frontend], Server]]:
    """Return a frontend's server, started when it is first wanted."""
    running: dict[str, Server] = {}

    def server(frontend: Frontend) -> Server:
        if frontend.module not in running:
            running[frontend.module] = Server(frontend.module, tmp_path_factory.mktemp(frontend.module))
        return running[frontend.module]

    yield server
    for one in running.values():
        one.stop()


@pytest.fixture
def frontend(request: pytest.FixtureRequest) -> Frontend:
    return FRONTENDS[request.param]


@pytest.fixture
def server(frontend: Frontend, server_of: Callable[[Frontend], Server]) -> Iterator[Server]:
    server = server_of(frontend)
    yield server
    server.end_sessions()


@pytest.fixture
def open_file(frontend: Frontend, server: Server, context: BrowserContext) -> Iterator[Callable[..., Notebook]]:
    """Open a notebook that is there in a fresh page."""
    pages = []

    def open_file(file: Path, *, theme: str = LIGHT, width: int = WIDE) -> Notebook:
        page = context.new_page()
        pages.append(page)
        page.set_viewport_size({"width": width, "height": TALL})
        frontend.open(page, server, file.name, theme)
        return Notebook(page, frontend, file)

    yield open_file
    for page in pages:
        page.close()


@pytest.fixture
def open_notebook(frontend: Frontend, server: Server, open_file: Callable[..., Notebook]) -> Callable[..., Notebook]:
    """Open a fresh notebook and run its cells; its kernel has the environment that the test has by then.

    So `plug_in("t4")` and `monkeypatch.setenv("TBE_RUNTIME_ADDR", ...)` before it say what machine it is; one that is
    composed is so in its files too.
    """

    def open_new(*cells: str, machine: Machine | None = None, **looks: str | int) -> Notebook:
        file = server.write_notebook(f"notebook-{len(list(server.notebooks.iterdir()))}", cells, machine)
        if frontend.runs_cells:
            server.start_kernel(file)
        notebook = open_file(file, **looks)
        if frontend.runs_cells:
            for place in range(len(cells)):
                notebook.run_existing(place)
        return notebook

    return open_new


@pytest.fixture
def a_live_t4(plug_in: Callable[..., FakeDriver], monkeypatch: pytest.MonkeyPatch) -> FakeDriver:
    """Plug in a busy T4 whose state may change while it is looked at."""
    monkeypatch.setenv("FAKE_NVML_LIVE", "1")
    return plug_in("t4", f"gpu0.memory_used = {9 * 2**30}", "gpu0.utilization_gpu = 87")


@pytest.fixture
def on_colab(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the kernel take this for hosted Colab."""
    monkeypatch.setenv("TBE_RUNTIME_ADDR", "172.28.0.1:8011")
    monkeypatch.setenv("COLAB_RELEASE_TAG", "release-colab-external_20260819-060047_RC00")


@pytest.fixture
def took(record_property: Callable[[str, object], None]) -> Callable[[str, float], None]:
    """Note how long something took since a moment of `time.monotonic()`, for the figures at the end of the run."""
    return lambda name, since: record_property(name, round(1000 * (time.monotonic() - since)))


@pytest.fixture
def look_at(request: pytest.FixtureRequest) -> Callable[[str, Locator], None]:
    """Take a picture of a place, if pictures are asked for; these are for looking at, and not kept with the source."""
    folder: Path | None = request.config.getoption("--screenshots")

    def look_at(name: str, place: Locator) -> None:
        if folder is None:
            return
        page = place.page
        size = page.viewport_size
        assert size is not None
        page.set_viewport_size({"width": size["width"], "height": TALL_ENOUGH})
        page.mouse.move(0, 0)
        file = folder / "states" / f"{name}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(place.screenshot())  # Playwright would write it in a thread, and keep that
        page.set_viewport_size(size)

    return look_at


@pytest.fixture
def accessibility(request: pytest.FixtureRequest) -> Accessibility:
    return Accessibility(request.config.getoption("--axe").read_text(encoding="utf-8"))
