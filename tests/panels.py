"""A panel in a real kernel, as its page shows it."""

from __future__ import annotations

import re

from colab_magics.guides import Goal
from notebooks import Notebook

THREADS = "import threading; print(sum(t.name.startswith('colab_magics') for t in threading.enumerate()))"
PANEL = "get_ipython().find_line_magic('gpu_info').__self__.panel"


def card(notebook: Notebook) -> str:
    return str(notebook.widgets[notebook.of_class("cm-card")]["value"])


def title(notebook: Notebook) -> str:
    return str(notebook.widgets[notebook.of_class("cm-title")]["value"])


def goals(notebook: Notebook) -> str:
    return str(notebook.widgets[notebook.of_class("cm-fits")]["value"])


def guide(notebook: Notebook, goal: Goal) -> str:
    """Return what the page shows once a goal is opened."""
    found = re.search(
        rf'<details name="[^"]*"[^>]*class="cm-goal-{goal}">.*?(?=<details name=|$)', goals(notebook), re.DOTALL
    )
    assert found is not None
    return found[0]


def opened(notebook: Notebook) -> list[str]:
    """Return the goals that the page shows opened from the start."""
    return re.findall(r'<details name="[^"]*" open="" class="cm-goal-(\w+)">', goals(notebook))


def cards(notebook: Notebook) -> list[str]:
    model = notebook.of_class("cm-card")
    states = (update["data"]["state"] for update in notebook.updates if update["comm_id"] == model)
    return [state["value"] for state in states if "value" in state]


def open_panel(notebook: Notebook) -> None:
    """Open a panel, and return when it moves, since the page has answered."""
    notebook.run("%runtime_status -w")
    assert notebook.watch(until=lambda: "Pause" in words(notebook) and "It moves once" not in card(notebook), seconds=5)


def words(notebook: Notebook) -> set[str]:
    """What stands on the buttons and before the lists."""
    return {str(state.get("description")) for state in notebook.widgets.values()}


def settle(notebook: Notebook) -> None:
    """Take in what clicks have led to: the kernel answers in turn."""
    notebook.run("pass")
    notebook.watch(seconds=0.2)
