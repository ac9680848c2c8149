from __future__ import annotations

import os
import time
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from builders import JUPYTER_PAGE, SERVICE_PAGE
from colab_magics import facts, procfs
from colab_magics.probes import platform as platform_probe
from colab_magics.probes.platform import identify_service, probe_platform
from colab_magics.probes.signals import Signs

COLAB_SHELL = "google.colab._shell.Shell"
JUPYTER_SHELL = "ipykernel.zmqshell.ZMQInteractiveShell"
TERMINAL_SHELL = "IPython.terminal.interactiveshell.TerminalInteractiveShell"

COLAB = {"COLAB_RELEASE_TAG": "release-colab-external_20260819_RC00", "TBE_RUNTIME_ADDR": "172.28.0.1:8011"}
ENTERPRISE = {"VERTEX_PRODUCT": "COLAB_ENTERPRISE"}
KAGGLE = {
    "COLAB_RELEASE_TAG": "release-colab-external-images_20260514-060047_RC00",
    "KAGGLE_KERNEL_RUN_TYPE": "Interactive",
}

RECORDED = sorted((Path(__file__).parents[1] / "recorded" / "environments").glob("*.toml"))
CASES = [pytest.param(tomllib.loads(file.read_text(encoding="utf-8")), id=file.stem) for file in RECORDED]


def planted(root: Path, files: list[str]) -> str:
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).touch()
    return str(root)


def identified(shell: str | None, environment: dict[str, str], root: str = "/nowhere") -> str | None:
    return identify_service(Signs(shell_class=shell, environment=environment, root=root))


@pytest.mark.parametrize("case", CASES)
def test_a_recorded_environment_is_recognised(case: dict[str, Any], tmp_path: Path) -> None:
    root = planted(tmp_path, case["files"])
    found = probe_platform(shell_class=case.get("shell"), environment=case["environment"], root=root)

    assert (found.service, found.frontend.key) == (case.get("service"), case["frontend"])


@pytest.mark.parametrize("case", CASES)
def test_a_recorded_environment_says_what_it_is_and_holds_no_secret(case: dict[str, Any]) -> None:
    assert case["kind"] in {"captured", "composed"}
    for name, value in case["environment"].items():
        assert value == "x" or not any(word in name for word in ("TOKEN", "KEY", "SECRET", "PASSWORD"))


def test_every_service_and_every_frontend_has_a_recorded_environment() -> None:
    recorded = [tomllib.loads(file.read_text(encoding="utf-8")) for file in RECORDED]

    assert {case["service"] for case in recorded if "service" in case} == {row.key for row in facts.services()}
    assert {case["frontend"] for case in recorded} == {row.key for row in facts.frontends()}


@pytest.mark.parametrize(
    ("shell", "environment", "service"),
    [
        pytest.param(COLAB_SHELL, COLAB, "colab", id="hosted Colab"),
        pytest.param(None, COLAB, "colab", id="a command on hosted Colab"),
        pytest.param(JUPYTER_SHELL, KAGGLE, "kaggle", id="Kaggle, built from Colab's image"),
        pytest.param(COLAB_SHELL, {**COLAB, **KAGGLE}, "kaggle", id="Kaggle before Colab"),
        pytest.param(None, {"KAGGLE_URL_BASE": "https://www.kaggle.com"}, "kaggle", id="a command on Kaggle"),
        pytest.param(JUPYTER_SHELL, {"COLAB_RELEASE_TAG": "x"}, "colab_local", id="Colab's image somewhere else"),
        pytest.param(COLAB_SHELL, {}, "colab_local", id="Colab's kernel without Google's runtime manager"),
        pytest.param(COLAB_SHELL, {**COLAB, **ENTERPRISE}, "colab_enterprise", id="not the public Colab"),
        pytest.param(COLAB_SHELL, {**COLAB, "VERTEX_PRODUCT": "x"}, None, id="another product of Vertex"),
        pytest.param(JUPYTER_SHELL, {}, None, id="Jupyter"),
        pytest.param(JUPYTER_SHELL, {"VSCODE_PID": "2211"}, None, id="an editor is no service"),
        pytest.param(TERMINAL_SHELL, {}, None, id="terminal IPython"),
        pytest.param(None, {}, None, id="no IPython"),
    ],
)
def test_the_service_is_told_apart(shell: str | None, environment: dict[str, str], service: str | None) -> None:
    assert identified(shell, environment) == service


def test_colab_s_shell_beside_its_hostname_file_is_hosted(tmp_path: Path) -> None:
    root = planted(tmp_path, ["var/colab/hostname"])

    assert identified(COLAB_SHELL, {}, root) == "colab"
    assert identified(JUPYTER_SHELL, {}, root) is None


def test_colab_s_image_beside_its_hostname_file_is_hosted(tmp_path: Path) -> None:
    root = planted(tmp_path, ["var/colab/hostname"])

    assert identified(None, {"COLAB_RELEASE_TAG": "x"}, root) == "colab"


def test_the_frontend_is_that_of_the_service_it_runs_on() -> None:
    environment = {"VSCODE_PID": "412"}
    lightning = {**environment, "LIGHTNING_CLOUDSPACE_HOST": "x"}

    assert probe_platform(shell_class=JUPYTER_SHELL, environment={}, root="/nowhere").frontend == JUPYTER_PAGE
    assert probe_platform(shell_class=JUPYTER_SHELL, environment=environment, root="/nowhere").frontend.key == "vscode"
    assert probe_platform(shell_class=JUPYTER_SHELL, environment=lightning, root="/nowhere").frontend == SERVICE_PAGE


def test_a_variable_that_comes_or_goes_is_seen_at_the_next_look() -> None:
    environment: dict[str, str] = {}
    seen = []
    for change in ({"KAGGLE_URL_BASE": "https://www.kaggle.com"}, {"BINDER_REPO_URL": "https://github.com/x/y"}, {}):
        environment.clear()
        environment.update(change)
        seen.append(probe_platform(shell_class=JUPYTER_SHELL, environment=environment, root="/nowhere").service)

    assert seen == ["kaggle", "binder", None]


def test_where_this_process_is_is_found_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAGGLE_URL_BASE", "https://www.kaggle.com")
    first = probe_platform(shell_class=JUPYTER_SHELL, root="/nowhere")
    monkeypatch.setattr(facts, "services", lambda: pytest.fail("the table is gone through again"))

    assert first.service == "kaggle"
    assert probe_platform(shell_class=JUPYTER_SHELL, root="/nowhere").service == "kaggle"


def test_the_image_is_told_where_it_is_colab_s() -> None:
    kaggle = probe_platform(shell_class=JUPYTER_SHELL, environment=KAGGLE, root="/nowhere")
    binder = probe_platform(
        shell_class=JUPYTER_SHELL,
        environment={"BINDER_LAUNCH_HOST": "https://mybinder.org/"},
        root="/nowhere",
    )

    assert kaggle.image == "release-colab-external-images_20260514-060047_RC00"
    assert binder.image is None


class Machine:
    """A machine that booted `seconds` ago; its process 1 is the one that it is made to have."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def age(self, *, seconds: float, container_started: float | Exception, told_by: str = "/proc") -> float | None:
        def told(pid: int) -> float:
            assert pid == 1
            if isinstance(container_started, Exception):
                raise container_started
            return container_started

        def process(pid: int) -> Any:
            return SimpleNamespace(create_time=lambda: told(pid))

        def hidden(pid: int) -> float:
            raise PermissionError(13, "Permission denied", f"/proc/{pid}/stat")

        platform_probe._started.cache_clear()
        with self._monkeypatch.context() as patch:
            patch.setattr(procfs, "started_seconds", told if told_by == "/proc" else hidden)
            patch.setattr(psutil, "Process", process)
            age_seconds = platform_probe._container_age_seconds(seconds)
        platform_probe._started.cache_clear()
        return age_seconds


@pytest.mark.parametrize("told_by", ["/proc", "psutil"])
def test_the_container_s_age_is_that_of_process_1(told_by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.clock_gettime(time.CLOCK_BOOTTIME) if told_by == "/proc" else time.time()
    age_seconds = Machine(monkeypatch).age(seconds=90_000, container_started=now - 600, told_by=told_by)

    assert age_seconds == pytest.approx(600, abs=5)


def test_this_process_started_when_psutil_says_too() -> None:
    after_boot = procfs.started_seconds(os.getpid())
    since_1970 = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + after_boot

    assert since_1970 == pytest.approx(psutil.Process().create_time(), abs=1)


@pytest.mark.parametrize(
    "container_started",
    [
        pytest.param(lambda: time.time() - 89_990, id="started with the machine"),
        pytest.param(lambda: time.time() + 600, id="a clock that was set back"),
        pytest.param(lambda: psutil.AccessDenied(1), id="hidden"),
        pytest.param(lambda: psutil.NoSuchProcess(1), id="a system without a process 1"),
        pytest.param(lambda: OSError("no /proc"), id="no /proc"),
    ],
)
def test_where_there_is_no_container_s_age_none_is_told(
    container_started: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = container_started()

    assert Machine(monkeypatch).age(seconds=90_000, container_started=started, told_by="psutil") is None


def test_the_ages_are_those_of_the_machine_and_of_this_process() -> None:
    first = probe_platform(shell_class=None, environment={})
    time.sleep(0.05)
    second = probe_platform(shell_class=None, environment={})

    assert first.machine_age_seconds is not None
    assert first.kernel_age_seconds is not None
    assert second.kernel_age_seconds is not None
    assert 0 < first.kernel_age_seconds < first.machine_age_seconds + 1
    assert second.kernel_age_seconds >= first.kernel_age_seconds + 0.04


def test_a_start_in_the_future_is_no_age(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.clock_gettime(time.CLOCK_BOOTTIME)
    monkeypatch.setattr(platform_probe, "_started", lambda *_: (True, now + 3600))
    seen = platform_probe.probe_platform(shell_class=None, environment={}, root="/nowhere")

    assert (seen.kernel_age_seconds, seen.container_age_seconds) == (None, None)


def test_a_start_that_cannot_be_read_is_no_age(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform_probe, "_started", lambda *_: None)

    assert platform_probe.probe_platform(shell_class=None, environment={}, root="/nowhere").kernel_age_seconds is None


def test_a_boot_in_the_future_is_no_age(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform_probe, "_HAS_BOOT_CLOCK", False)
    monkeypatch.setattr(psutil, "boot_time", lambda: time.time() + 60)

    assert platform_probe.probe_platform(shell_class=None, environment={}, root="/nowhere").machine_age_seconds is None
