"""Each state of a machine as a person sees it: readable, in its place, and with `--screenshots FOLDER` in a picture."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, expect

import composed
from browser.accessibility import Accessibility
from browser.frontends import DARK, FRONTENDS, LIGHT, Lab, Notebook
from browser.layout import WIDTHS, misfits
from browser.servers import Server
from browser.states import LOOKED_AT_CLOSELY, STATES, Composed, State, compose
from browser.terminal import as_html, run_in_a_terminal

ROOTS = ".cm-panel, .colab-magics:not(.cm-panel *)"  # what the panel holds is changed while it is looked at
WIDE, TALL = 1100, 1000
COLUMNS = 80

pytestmark = [
    pytest.mark.skipif(composed.why_not() is not None, reason=str(composed.why_not())),
    pytest.mark.chromium,
]

LookAt = Callable[[str, Locator], None]


@pytest.fixture
def state(request: pytest.FixtureRequest) -> State:
    return STATES[request.param]


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """Of the state."""
    return str(request.node.callspec.params["state"])


@pytest.fixture
def composed_machine(state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Composed:
    """Lay the state's machine out, and let what is started from now on find its driver and its service."""
    machine = compose(state, tmp_path / "machine")
    for variable, value in machine.environment.items():
        monkeypatch.setenv(variable, value)
    return machine


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, context: BrowserContext) -> Iterator[tuple[Notebook, Server]]:
    """A notebook in JupyterLab that stays open for all states: each brings another kernel, and no page is loaded."""
    lab = FRONTENDS["lab"]
    server = Server(lab.module, tmp_path_factory.mktemp("desk"))
    file = server.write_notebook("desk", ())
    server.start_kernel(file)
    page = context.new_page()
    page.set_viewport_size({"width": WIDE, "height": TALL})
    lab.open(page, server, file.name, LIGHT)
    yield Notebook(page, lab, file), server
    page.close()
    server.stop()


def has_opened(notebook: Notebook, state: State, report: Locator) -> None:
    """Wait for the report, and for the panel."""
    expect(report).to_contain_text(state.says)
    expect(notebook.panel).to_contain_text(state.says)


@pytest.mark.frontends("lab")
@pytest.mark.usefixtures("frontend", "composed_machine")
@pytest.mark.parametrize("state", [name for name in STATES if name not in LOOKED_AT_CLOSELY], indirect=True)
def test_a_state_can_be_read(  # noqa: PLR0913, PLR0917 - what it is looked at with
    desk: tuple[Notebook, Server],
    state: State,
    name: str,
    composed_machine: Composed,
    accessibility: Accessibility,
    look_at: LookAt,
) -> None:
    notebook, server = desk
    assert isinstance(notebook.frontend, Lab)
    server.write_notebook(name, (), composed_machine.machine)
    notebook.frontend.change_kernel(notebook.page, name)
    notebook.run("%load_ext colab_magics")
    report = notebook.run(state.magic)
    notebook.run(f"{state.magic} -w")
    has_opened(notebook, state, report)
    assert accessibility.faults(notebook.page, ROOTS) == []
    assert misfits(notebook.report) == []
    assert misfits(notebook.panel) == []
    look_at(f"{name}-report", report)
    look_at(f"{name}-panel", notebook.panel)


@pytest.mark.parametrize("state", LOOKED_AT_CLOSELY, indirect=True)
def test_two_states_can_be_read_in_every_theme_and_width(  # noqa: PLR0913, PLR0917 - what it is looked at with
    open_notebook: Callable[..., Notebook],
    theme: str,
    state: State,
    name: str,
    composed_machine: Composed,
    accessibility: Accessibility,
    look_at: LookAt,
) -> None:
    cells = ("%load_ext colab_magics", state.magic, f"{state.magic} -w")
    notebook = open_notebook(*cells, theme=theme, machine=composed_machine.machine)
    report = notebook.report.first
    has_opened(notebook, state, report)
    where = f"{name}-{notebook.frontend.name}-{theme}"
    for preference in (LIGHT, DARK):
        notebook.page.emulate_media(color_scheme=preference)
        assert accessibility.faults(notebook.page, ROOTS) == [], preference
        against = "" if preference == theme else "-against-the-system"
        look_at(f"{where}{against}-report", report)
        look_at(f"{where}{against}-panel", notebook.panel)
    notebook.page.emulate_media(color_scheme=LIGHT)
    for width in WIDTHS:
        notebook.page.set_viewport_size({"width": width, "height": TALL})
        assert misfits(notebook.report) == [], width
        assert misfits(notebook.panel) == [], width
        if width != WIDE:
            look_at(f"{where}-{width}px-report", report)
            look_at(f"{where}-{width}px-panel", notebook.panel)
    notebook.page.set_viewport_size({"width": WIDE, "height": TALL})

    if notebook.frontend.runs_cells and theme == LIGHT:
        notebook.run("%config ColabMagics.language = 'zh-CN'")
        report = notebook.run(state.magic)
        notebook.run(f"{state.magic} -w")
        expect(report.locator("[lang=zh-CN]").first).to_be_visible()
        expect(notebook.panel.locator("[lang=zh-CN]").first).to_be_visible()
        assert accessibility.faults(notebook.page, ROOTS) == []
        assert misfits(notebook.report) == []
        assert misfits(notebook.panel) == []
        look_at(f"{where}-chinese-report", report)
        look_at(f"{where}-chinese-panel", notebook.panel)


@pytest.mark.parametrize("state", [*LOOKED_AT_CLOSELY, "eight-gpus"], indirect=True)
def test_a_state_can_be_read_in_a_terminal(
    browser: Browser, state: State, name: str, composed_machine: Composed, look_at: LookAt
) -> None:
    command = (sys.executable, "-m", "colab_magics", *(["gpu"] if state.magic == "%gpu_info" else []))
    written = run_in_a_terminal(*composed_machine.machine.prefix, *command, columns=COLUMNS)
    assert state.says in written.plain
    assert [line for line in written.plain.splitlines() if len(line) > COLUMNS] == []

    page = browser.new_page()
    page.set_content(as_html({"colab-magics": written}))
    expect(page.locator("pre")).to_contain_text(state.says)
    look_at(f"{name}-terminal", page.locator("body"))
    page.close()


@pytest.mark.parametrize(
    "state",
    [name for name, state in STATES.items() if state.gravest],
    indirect=True,
)
def test_the_gravest_finding_is_told_by_its_word(state: State, composed_machine: Composed) -> None:
    subject = state.magic.removeprefix("%")
    program = f"import colab_magics; print(colab_magics.{subject}()._repr_mimebundle_()['text/html'])"
    html = composed_machine.machine.run(sys.executable, "-c", program).stdout
    assert state.says in html
    assert state.gravest is not None
    assert state.gravest in html
