"""A real kernel, spoken to as a notebook's page does; what its widgets say is kept as a page would show it."""

from __future__ import annotations

import queue
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from jupyter_client.manager import KernelManager


class Notebook:
    """A kernel, what its cells answered, and the widgets that are open: their states, by the number of their model."""

    def __init__(self, manager: KernelManager, client: Any) -> None:
        self.manager, self.client = manager, client
        self.is_page_open = True
        """A page answers what it is asked by a link between widgets; where none is open, nobody does."""
        self.widgets: dict[str, dict[str, Any]] = {}
        self.updates: list[dict[str, Any]] = []
        """The messages with new states of widgets, as they came."""
        self.replaced: list[dict[str, Any]] = []
        """The bundles that took the place of what was displayed before."""

    @property
    def pid(self) -> int:
        (line,) = self.run("import os; print(os.getpid())").stdout.split()
        return int(line)

    def send(self, code: str, **options: Any) -> str:
        """Send a cell. After an error a kernel drops what comes within a moment: not here, where nobody is so quick."""
        return str(self.client.execute(code, **{"store_history": False, "stop_on_error": False, **options}))

    def run(self, code: str, **options: Any) -> Answer:
        return self.answer(self.send(code, **options))

    def answer(self, sent: str) -> Answer:
        answer = Answer()
        while True:
            message = self._next_message(timeout=60)
            if message["parent_header"].get("msg_id") != sent:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "stream":
                answer.streams[content["name"]] += content["text"]
            elif kind in {"display_data", "execute_result"}:
                answer.shown.append(content["data"])
            elif kind == "error":
                answer.error = content["ename"]
                answer.traceback = content["traceback"]
                answer.traceback = content["traceback"]
            elif kind == "status" and content["execution_state"] == "idle":
                break
        while True:
            reply = self.client.get_shell_msg(timeout=60)
            if reply["parent_header"].get("msg_id") == sent:
                answer.status = reply["content"]["status"]
                return answer

    def watch(self, *, until: Callable[[], bool] = lambda: False, seconds: float) -> bool:
        """Take in what the kernel sends until something holds; tell whether it did within the time."""
        end = time.monotonic() + seconds
        while not until():
            left = end - time.monotonic()
            if left <= 0:
                return False
            try:
                self._next_message(timeout=left)
            except queue.Empty:
                return until()
        return True

    def widget(self, **state: Any) -> str:
        """Return the model of the one open widget with this state."""
        (found,) = (model for model, has in self.widgets.items() if state.items() <= has.items())
        return found

    def of_class(self, name: str) -> str:
        """Return the model of the one open widget with this class of CSS."""
        (found,) = (model for model, state in self.widgets.items() if name in state.get("_dom_classes", ()))
        return found

    def click(self, description: str) -> None:
        """Press the button with these words."""
        model = self.widget(_model_name="ButtonModel", description=description)
        self._tell(model, {"method": "custom", "content": {"event": "click"}})

    def choose(self, description: str, option: str) -> None:
        """Choose an option of the list, or of the row of buttons, with these words before it."""
        (model,) = (
            model
            for model, state in self.widgets.items()
            if state.get("description") == description and "_options_labels" in state
        )
        index = self.widgets[model]["_options_labels"].index(option)
        self._tell(model, {"method": "update", "state": {"index": index}, "buffer_paths": []})

    def open_page(self) -> None:
        """Open a page on what the kernel has displayed; it answers the last question, as one that is loaded again."""
        self.is_page_open = True
        self._follow_links()

    def _follow_links(self) -> None:
        """Copy what links between widgets tell a page to copy (`jsdlink`), and tell the kernel."""
        if not self.is_page_open:
            return
        for state in list(self.widgets.values()):
            if state.get("_model_name") == "DirectionalLinkModel":
                (source, name), (target, target_name) = (
                    (model.removeprefix("IPY_MODEL_"), trait) for model, trait in (state["source"], state["target"])
                )
                if source in self.widgets and self.widgets[target][target_name] != self.widgets[source][name]:
                    self.widgets[target][target_name] = self.widgets[source][name]
                    self._tell(
                        target,
                        {"method": "update", "state": {target_name: self.widgets[source][name]}, "buffer_paths": []},
                    )

    def _tell(self, model: str, data: dict[str, Any]) -> None:
        message = self.client.session.msg("comm_msg", {"comm_id": model, "data": data})
        self.client.shell_channel.send(message)

    def _next_message(self, *, timeout: float) -> dict[str, Any]:
        message: dict[str, Any] = self.client.get_iopub_msg(timeout=timeout)
        content = message["content"]
        match message["msg_type"]:
            case "comm_open":
                self.widgets[content["comm_id"]] = dict(content["data"]["state"])
                self._follow_links()
            case "comm_msg" if content["data"].get("method") == "update":
                self.widgets[content["comm_id"]].update(content["data"]["state"])
                self.updates.append(content)
                self._follow_links()
            case "comm_close":
                self.widgets.pop(content["comm_id"], None)
            case "update_display_data":
                self.replaced.append(content["data"])
        return message


class Answer:
    """What one cell showed."""

    def __init__(self) -> None:
        self.streams = {"stdout": "", "stderr": ""}
        self.shown: list[dict[str, Any]] = []
        self.error: str | None = None
        self.traceback: list[str] = []
        self.status = ""

    @property
    def stdout(self) -> str:
        return self.streams["stdout"]
