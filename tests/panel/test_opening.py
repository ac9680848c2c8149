from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from builders import COLAB_PAGE, JUPYTER, JUPYTER_PAGE, a_report
from colab_magics import options
from colab_magics.model import Frontend, Subject
from colab_magics.panel import opening

JUPYTER_SHELL = "ipykernel.zmqshell.ZMQInteractiveShell"
NO_PAGE = "No panel, since it needs a notebook's page: the report without it."
NOBODY_THERE = "No panel, since this notebook runs without a page to click in: the report without it."
NO_IPYWIDGETS = "No panel, since ipywidgets is not installed (%pip install ipywidgets): the report without it."


def a_shell(*, allow_stdin: bool | None = True) -> Any:
    """A kernel's shell, at a request that says so much of whether somebody can answer."""
    content = {} if allow_stdin is None else {"allow_stdin": allow_stdin}
    return SimpleNamespace(kernel=SimpleNamespace(get_parent=lambda _channel: {"content": content}))


def why(shell: Any, shell_class: str = JUPYTER_SHELL, **environment: str) -> str | None:
    return opening.why_no_panel(shell, shell_class=shell_class, environment=environment)


def test_every_magic_has_a_subject() -> None:
    assert opening.SUBJECTS == {
        options.GPU: Subject.GPU,
        options.RAM: Subject.RAM,
        options.STATUS: Subject.RUNTIME,
    }


@pytest.mark.parametrize("allow_stdin", [True, None])
def test_on_a_page_a_panel_can_be_opened(allow_stdin: bool | None) -> None:
    assert why(a_shell(allow_stdin=allow_stdin)) is None


def test_a_terminal_has_no_page() -> None:
    assert why(SimpleNamespace(), "IPython.terminal.interactiveshell.TerminalInteractiveShell") == NO_PAGE
    assert why(SimpleNamespace(kernel=None)) == NO_PAGE


def test_where_nobody_can_click_there_is_no_panel() -> None:
    assert why(a_shell(allow_stdin=False)) == NOBODY_THERE


def test_voila_s_page_says_that_nobody_can_answer_and_has_somebody_to_click() -> None:
    assert why(a_shell(allow_stdin=False), SERVER_SOFTWARE="voila/0.5") is None


@pytest.mark.parametrize("environment", [{"TBE_RUNTIME_ADDR": "1"}, {"VSCODE_PID": "7"}], ids=["colab", "vscode"])
def test_a_page_of_which_it_is_not_known_what_it_says_has_somebody_to_click(environment: dict[str, str]) -> None:
    assert why(a_shell(allow_stdin=False), **environment) is None


def test_without_ipywidgets_there_is_no_panel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)

    assert why(a_shell()) == NO_IPYWIDGETS
    assert why(a_shell(allow_stdin=False)) == NOBODY_THERE


@pytest.mark.parametrize(
    ("page", "threads_are_gevent_s", "expected"),
    [
        pytest.param(JUPYTER_PAGE, None, True, id="Jupyter"),
        pytest.param(COLAB_PAGE, None, False, id="Colab's page"),
        pytest.param(JUPYTER_PAGE, False, True, id="gevent beside threads"),
        pytest.param(JUPYTER_PAGE, True, False, id="gevent in the place of threads"),
    ],
)
def test_a_panel_moves_by_itself_where_a_thread_runs_and_the_page_shows_what_it_sends(
    page: Frontend, threads_are_gevent_s: bool | None, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "gevent.monkey", raising=False)
    if threads_are_gevent_s is not None:
        patched = {"threading"} if threads_are_gevent_s else set[str]()
        monkeypatch.setitem(sys.modules, "gevent.monkey", SimpleNamespace(is_module_patched=patched.__contains__))
    report = a_report(platform=replace(JUPYTER, frontend=page))

    assert opening.moves_by_itself(report) is expected
