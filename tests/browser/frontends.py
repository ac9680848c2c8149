"""The pages that a notebook is worked with in: how each is opened, how a cell is run there, where its output stands."""

from __future__ import annotations

import importlib.metadata
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Locator, Page

    from browser.servers import Server

LIGHT, DARK = "light", "dark"


class Frontend:
    """What the frontends have in common.

    `package` with a version that begins with `version` is what must be installed, `module` starts its server, `themes`
    are those it has, `output` is where what a cell shows is found.
    """

    name: str
    package: str
    version: str
    module = "jupyter_server"
    themes: tuple[str, ...] = (LIGHT, DARK)
    runs_cells = True
    output: str

    def is_installed(self) -> bool:
        try:
            return importlib.metadata.version(self.package).startswith(self.version)
        except importlib.metadata.PackageNotFoundError:
            return False

    def open(self, page: Page, server: Server, file: str, theme: str) -> None:
        """Bring a notebook into the page, and return when a cell can be run."""
        raise NotImplementedError

    def add_cell(self, page: Page, code: str) -> int:
        """Add a cell at the end, and return its place."""
        raise NotImplementedError

    def start_cell(self, page: Page, cell: int) -> None:
        """Run a cell, not waiting until it has ended."""
        raise NotImplementedError

    def has_ended(self, page: Page, cell: int) -> bool:
        raise NotImplementedError

    def save(self, page: Page) -> None:
        raise NotImplementedError


class Lab(Frontend):
    """JupyterLab 4, which puts its application into the page as `jupyterapp` if its server is told to."""

    name = "lab"
    package, version = "jupyterlab", "4."
    output = ".jp-Notebook .jp-Cell >> nth={cell} >> .jp-Cell-outputArea"
    path = "doc/tree"

    def open(self, page: Page, server: Server, file: str, theme: str) -> None:
        server.set_theme({LIGHT: "JupyterLab Light", DARK: "JupyterLab Dark"}[theme])
        page.goto(server.url(f"{self.path}/{file}"))
        # A cell that is run before the kernel is idle is lost.
        page.wait_for_function("window.jupyterapp?.shell.currentWidget?.sessionContext?.kernelDisplayStatus === 'idle'")
        page.wait_for_function("theme => document.body.dataset.jpThemeLight === String(theme)", arg=theme == LIGHT)

    def add_cell(self, page: Page, code: str) -> int:
        return int(
            page.evaluate(
                """code => {
                    const cells = jupyterapp.shell.currentWidget.content.model.sharedModel;
                    const place = cells.cells.length;
                    cells.insertCell(place, {cell_type: 'code', source: code, metadata: {trusted: true}});
                    return place;
                }""",
                code,
            )
        )

    def start_cell(self, page: Page, cell: int) -> None:
        # The command's promise is not awaited: it ends with the cell, and `evaluate` knows no deadline.
        page.evaluate(
            """cell => {
                const notebook = jupyterapp.shell.currentWidget.content;
                notebook.deselectAll();
                notebook.activeCellIndex = cell;
                jupyterapp.commands.execute('notebook:run-cell');
            }""",
            cell,
        )

    def has_ended(self, page: Page, cell: int) -> bool:
        return bool(
            page.evaluate("cell => jupyterapp.shell.currentWidget.content.widgets[cell].model.executionCount > 0", cell)
        )

    def change_kernel(self, page: Page, name: str) -> None:
        """Give the notebook a fresh kernel of another kernelspec, and take away what the last one has shown."""
        page.evaluate(
            """name => {
                jupyterapp.commands.execute('notebook:clear-all-cell-outputs');
                jupyterapp.shell.currentWidget.sessionContext.changeKernel({name});
            }""",
            name,
        )
        page.wait_for_function(
            """name => {
                const context = jupyterapp.shell.currentWidget.sessionContext;
                return context.session?.kernel?.name === name && context.kernelDisplayStatus === 'idle';
            }""",
            arg=name,
        )

    def save(self, page: Page) -> None:
        page.evaluate("() => { jupyterapp.commands.execute('docmanager:save'); }")
        page.wait_for_function("!jupyterapp.shell.currentWidget.context.model.dirty")


class Notebook7(Lab):
    """Notebook 7: JupyterLab's parts in a page with one notebook."""

    name = "notebook"
    package, version = "notebook", "7."
    path = "notebooks"


class Classic(Frontend):
    """Notebook 6.5 as Colab pins it: the nearest to Colab's own page that can be run elsewhere."""

    name = "classic"
    package, version = "notebook", "6."
    module = "notebook"
    themes = (LIGHT,)
    output = "#notebook-container > .cell >> nth={cell} >> .output_wrapper"

    def open(self, page: Page, server: Server, file: str, theme: str) -> None:
        def says_that_it_looked_for_widgets(message: ConsoleMessage) -> bool:
            return "jupyter.widget.control" in message.text

        # The page asks a new kernel for widgets in a way that ipywidgets 7 does not know, then in another, and draws
        # all outputs anew: a panel shown meanwhile is lost.
        with page.expect_console_message(says_that_it_looked_for_widgets):
            page.goto(server.url(f"notebooks/{file}"))
        page.wait_for_function("Jupyter.notebook?.kernel?.is_connected() && !Jupyter.notebook.kernel_busy")
        page.evaluate("() => { IPython.OutputArea.auto_scroll_threshold = -1; }")  # of 100 lines on it hides the rest

    def add_cell(self, page: Page, code: str) -> int:
        return int(
            page.evaluate(
                """code => {
                    const cell = Jupyter.notebook.insert_cell_at_bottom('code');
                    cell.set_text(code);
                    return Jupyter.notebook.find_cell_index(cell);
                }""",
                code,
            )
        )

    def start_cell(self, page: Page, cell: int) -> None:
        page.evaluate("cell => { Jupyter.notebook.get_cell(cell).execute(); }", cell)

    def has_ended(self, page: Page, cell: int) -> bool:
        return bool(page.evaluate("cell => Jupyter.notebook.get_cell(cell).input_prompt_number > 0", cell))

    def save(self, page: Page) -> None:
        page.evaluate("() => { Jupyter.notebook.save_notebook(); }")
        page.wait_for_function("!Jupyter.notebook.dirty")


class Voila(Frontend):
    """Voila runs a notebook once and shows its outputs; there is no cell to run."""

    name = "voila"
    package, version = "voila", ""
    runs_cells = False
    output = ".jp-OutputArea >> nth={cell}"

    def open(self, page: Page, server: Server, file: str, theme: str) -> None:
        page.goto(server.url(f"voila/render/{file}?theme={theme}"))


FRONTENDS: dict[str, Frontend] = {one.name: one for one in (Lab(), Notebook7(), Classic(), Voila())}


@dataclass(frozen=True, slots=True)
class Notebook:
    """A notebook that is open in a page."""

    page: Page
    frontend: Frontend
    file: Path

    @property
    def panel(self) -> Locator:
        """All panels with their controls; one panel of ours is open at a time."""
        return self.page.locator(".cm-panel")

    @property
    def card(self) -> Locator:
        """The part of the panel that moves."""
        return self.panel.locator(".cm-card")

    @property
    def guide(self) -> Locator:
        """The guide to the goal that is open in the panel."""
        return self.panel.locator(".cm-goals > details[open] > .cm-guide")

    @property
    def report(self) -> Locator:
        return self.page.locator(".colab-magics")

    def control(self, name: str) -> Locator:
        """A button or a list of the panel, by the name that a screen reader says."""
        buttons = self.panel.get_by_role("button", name=name, exact=False)
        return buttons.or_(self.panel.get_by_role("combobox", name=name))

    @property
    def chips(self) -> Locator:
        """What follows "I want"."""
        return self.panel.locator(".cm-goals > details > summary")

    def goal(self, name: str) -> Locator:
        """The chip after "I want" with this name."""
        return self.chips.filter(has_text=re.compile(f"^{re.escape(name)}$"))

    def said(self) -> list[tuple[str, str, str]]:
        """Return role, name and value of all in the panel that a screen reader is told of."""
        session = self.page.context.new_cdp_session(self.page)
        document = session.send("DOM.getDocument")["root"]["nodeId"]
        panel = session.send("DOM.querySelector", {"nodeId": document, "selector": ".cm-panel"})
        nodes = session.send("Accessibility.queryAXTree", panel)["nodes"]
        session.detach()
        parts = ("role", "name", "value")
        said = [[str(node.get(part, {}).get("value", "")) for part in parts] for node in nodes if not node["ignored"]]
        return [(role, name, value.replace("\xa0", " ")) for role, name, value in said]

    def start(self, code: str) -> int:
        """Run code in a new cell, and return its place while it runs."""
        cell = self.frontend.add_cell(self.page, code)
        self.frontend.start_cell(self.page, cell)
        return cell

    def run_existing(self, cell: int) -> None:
        self.frontend.start_cell(self.page, cell)
        self.wait_for(cell)

    def wait_for(self, cell: int, seconds: float = 30) -> None:
        until = time.monotonic() + seconds
        while not self.frontend.has_ended(self.page, cell):
            if time.monotonic() > until:
                raise TimeoutError(f"cell {cell} still runs after {seconds} s")
            self.page.wait_for_timeout(50)

    def is_running(self, cell: int) -> bool:
        return not self.frontend.has_ended(self.page, cell)

    def run(self, code: str) -> Locator:
        """Run code in a new cell to its end, and return where its output stands."""
        cell = self.start(code)
        self.wait_for(cell)
        return self.output(cell)

    def output(self, cell: int) -> Locator:
        return self.page.locator(self.frontend.output.format(cell=cell))

    def save(self) -> Path:
        self.frontend.save(self.page)
        return self.file
