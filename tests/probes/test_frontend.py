from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from builders import COLAB_PAGE, JUPYTER_PAGE, SERVICE_PAGE
from colab_magics import facts
from colab_magics.model import Frontend
from colab_magics.probes.frontend import is_nobody_there, probe_frontend
from colab_magics.probes.signals import Signs

COLAB_SHELL = "google.colab._shell.Shell"
JUPYTER_SHELL = "ipykernel.zmqshell.ZMQInteractiveShell"
TERMINAL_SHELL = "IPython.terminal.interactiveshell.TerminalInteractiveShell"
VSCODE = {"VSCODE_PID": "2211"}
PYCHARM = {"PYCHARM_HOSTED": "1"}


def found(shell: str | None, environment: dict[str, str] | None = None, *, service: str | None = None) -> Frontend:
    return probe_frontend(Signs(shell_class=shell, environment=environment or {}, root="/nowhere"), service)


@pytest.mark.parametrize(
    ("shell", "environment", "service", "expected"),
    [
        pytest.param(COLAB_SHELL, {}, "colab", "colab_page", id="hosted Colab"),
        pytest.param(COLAB_SHELL, {}, "colab_enterprise", "colab_page", id="Colab Enterprise"),
        pytest.param(COLAB_SHELL, {}, "colab_local", "colab_page", id="Colab's page on a machine of one's own"),
        pytest.param(JUPYTER_SHELL, {}, "colab_local", "colab_page", id="Colab's image, whatever the kernel's class"),
        pytest.param(COLAB_SHELL, VSCODE, "colab", "colab_page", id="the page before an editor's variable"),
        pytest.param(TERMINAL_SHELL, {}, "colab", "terminal", id="a terminal on hosted Colab"),
        pytest.param(None, {}, "colab", "python", id="a command on hosted Colab"),
        pytest.param(JUPYTER_SHELL, {}, "kaggle", "service_page", id="another service's page"),
        pytest.param(JUPYTER_SHELL, VSCODE, "lightning", "service_page", id="a service beside VS Code's server"),
        pytest.param(TERMINAL_SHELL, {}, "kaggle", "terminal", id="a terminal on another service"),
        pytest.param(TERMINAL_SHELL, {}, None, "terminal", id="a terminal"),
        pytest.param(TERMINAL_SHELL, VSCODE, None, "terminal", id="a terminal in VS Code"),
        pytest.param(TERMINAL_SHELL, PYCHARM, None, "terminal", id="a terminal in PyCharm"),
        pytest.param(JUPYTER_SHELL, VSCODE, None, "vscode", id="VS Code"),
        pytest.param(JUPYTER_SHELL, PYCHARM, None, "pycharm", id="PyCharm"),
        pytest.param(JUPYTER_SHELL, {}, None, "jupyter", id="Jupyter"),
        pytest.param("some.other.Shell", {}, None, "jupyter", id="a shell of another class"),
        pytest.param(None, {}, None, "python", id="no shell"),
        pytest.param(None, {}, "a new service", "python", id="no shell on a new service"),
    ],
)
def test_the_frontend_is_told_apart(
    shell: str | None, environment: dict[str, str], service: str | None, expected: str
) -> None:
    assert found(shell, environment, service=service).key == expected


@pytest.mark.parametrize(
    ("frontend", "can"),
    [
        pytest.param(COLAB_PAGE, (True, False, False), id="colab_page"),
        pytest.param(SERVICE_PAGE, (True, True, False), id="service_page"),
        pytest.param(JUPYTER_PAGE, (True, True, True), id="jupyter"),
        pytest.param(found(JUPYTER_SHELL, VSCODE), (True, True, False), id="vscode"),
        pytest.param(found(JUPYTER_SHELL, PYCHARM), (True, True, False), id="pycharm"),
        pytest.param(found(TERMINAL_SHELL), (False, False, False), id="terminal"),
        pytest.param(found(None), (False, False, False), id="python"),
    ],
)
def test_what_a_frontend_can_do(frontend: Frontend, can: tuple[bool, bool, bool]) -> None:
    told = (frontend.shows_widgets, frontend.shows_thread_updates, frontend.tells_whether_somebody_is_there)

    assert told == can


def test_what_a_frontend_can_do_is_what_the_table_says() -> None:
    assert found(COLAB_SHELL, service="colab") == COLAB_PAGE
    assert found(JUPYTER_SHELL, service="kaggle") == SERVICE_PAGE
    assert found(JUPYTER_SHELL) == JUPYTER_PAGE
    assert [row.key for row in facts.frontends() if row.tells_whether_somebody_is_there] == ["jupyter"]


def a_kernel(**content: Any) -> Any:
    """A kernel that is at a request with this content."""
    return SimpleNamespace(get_parent=lambda channel: {"shell": {"content": content}}[channel])


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param({"allow_stdin": False}, True, id="nobody can answer"),
        pytest.param({"allow_stdin": True}, False, id="somebody can"),
        pytest.param({}, False, id="nothing is said of that"),
    ],
)
def test_a_client_without_a_page_says_that_nobody_is_there(content: dict[str, Any], expected: bool) -> None:
    assert is_nobody_there(JUPYTER_PAGE, a_kernel(**content), {}) is expected


def test_a_kernel_that_is_at_no_request_is_not_without_anybody() -> None:
    idle = SimpleNamespace(get_parent=lambda _channel: {})

    assert not is_nobody_there(JUPYTER_PAGE, idle, {})


@pytest.mark.parametrize(
    "kernel",
    [
        pytest.param(SimpleNamespace(), id="ipykernel 5 has no such method"),
        pytest.param(SimpleNamespace(get_parent=lambda: {"content": {}}), id="that of xeus-python takes no channel"),
    ],
)
def test_a_kernel_that_does_not_tell_its_request_is_not_without_anybody(kernel: Any) -> None:
    assert not is_nobody_there(JUPYTER_PAGE, kernel, {})


@pytest.mark.parametrize("variable", ["VOILA_APP_PORT", "VOILA_KERNEL_ID"])
def test_a_kernel_that_voila_has_heated_before_a_page_came_will_have_one(variable: str) -> None:
    assert not is_nobody_there(JUPYTER_PAGE, a_kernel(allow_stdin=False), {variable: "8866"})


@pytest.mark.parametrize(
    ("server", "expected"), [("voila/0.5.8", False), ("voila/0.5.8 tornado", False), ("jupyter_server", True)]
)
def test_voila_s_page_is_seen_by_somebody_all_the_same(server: str, expected: bool) -> None:
    kernel = a_kernel(allow_stdin=False)

    assert is_nobody_there(JUPYTER_PAGE, kernel, {"SERVER_SOFTWARE": server}) is expected


@pytest.mark.parametrize(
    "frontend", [COLAB_PAGE, SERVICE_PAGE, replace(JUPYTER_PAGE, tells_whether_somebody_is_there=False)]
)
def test_where_it_is_not_known_what_the_page_says_somebody_is_there(frontend: Frontend) -> None:
    assert not is_nobody_there(frontend, a_kernel(allow_stdin=False), {})
