from __future__ import annotations

import time
import tomllib
from pathlib import Path
from typing import Any

import psutil
import pytest

from colab_magics.facts import platforms
from colab_magics.model import Service
from colab_magics.probes import platform as platform_probe
from colab_magics.probes.platform import identify, probe_platform

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


@pytest.mark.parametrize("case", CASES)
def test_a_recorded_environment_is_recognised(case: dict[str, Any], tmp_path: Path) -> None:
    root = planted(tmp_path, case["files"])

    found = identify(shell_class=case.get("shell"), environment=case["environment"], root=root)

    assert found is Service(case["service"])


@pytest.mark.parametrize("case", CASES)
def test_a_recorded_environment_says_what_it_is_and_holds_no_secret(case: dict[str, Any]) -> None:
    assert case["kind"] in {"captured", "composed"}
    for name, value in case["environment"].items():
        assert value == "x" or not any(word in name for word in ("TOKEN", "KEY", "SECRET", "PASSWORD"))


def test_every_service_has_a_row_and_a_recorded_environment() -> None:
    rows = {row.service for row in platforms()}

    assert rows == {service.value for service in Service}
    assert rows == {tomllib.loads(file.read_text(encoding="utf-8"))["service"] for file in RECORDED}


@pytest.mark.parametrize(
    ("shell", "environment", "service"),
    [
        pytest.param(COLAB_SHELL, COLAB, Service.COLAB, id="hosted Colab"),
        pytest.param(None, COLAB, Service.COLAB, id="a command on hosted Colab"),
        pytest.param(JUPYTER_SHELL, KAGGLE, Service.KAGGLE, id="Kaggle, built from Colab's image"),
        pytest.param(COLAB_SHELL, {**COLAB, **KAGGLE}, Service.KAGGLE, id="Kaggle before Colab"),
        pytest.param(None, {"KAGGLE_URL_BASE": "https://www.kaggle.com"}, Service.KAGGLE, id="a command on Kaggle"),
        pytest.param(JUPYTER_SHELL, {"COLAB_RELEASE_TAG": "x"}, Service.COLAB_LOCAL, id="Colab's image somewhere else"),
        pytest.param(COLAB_SHELL, {}, Service.COLAB_LOCAL, id="Colab's kernel without Google's runtime manager"),
        pytest.param(COLAB_SHELL, {**COLAB, **ENTERPRISE}, Service.COLAB_ENTERPRISE, id="not the public Colab"),
        pytest.param(COLAB_SHELL, {**COLAB, "VERTEX_PRODUCT": "x"}, Service.JUPYTER, id="another product of Vertex"),
        pytest.param(JUPYTER_SHELL, {}, Service.JUPYTER, id="Jupyter"),
        pytest.param(TERMINAL_SHELL, {}, Service.TERMINAL, id="terminal IPython"),
        pytest.param(None, {}, Service.PYTHON, id="no IPython"),
    ],
)  # fmt: skip
def test_the_service_is_told_apart(shell: str | None, environment: dict[str, str], service: Service) -> None:
    assert identify(shell_class=shell, environment=environment, root="/nowhere") is service


def test_colab_s_shell_beside_its_hostname_file_is_hosted(tmp_path: Path) -> None:
    (tmp_path / "var/colab").mkdir(parents=True)
    (tmp_path / "var/colab/hostname").write_text("")

    assert identify(shell_class=COLAB_SHELL, environment={}, root=str(tmp_path)) is Service.COLAB
    assert identify(shell_class=JUPYTER_SHELL, environment={}, root=str(tmp_path)) is Service.JUPYTER


def test_colab_s_image_beside_its_hostname_file_is_hosted(tmp_path: Path) -> None:
    root = planted(tmp_path, ["var/colab/hostname"])

    assert identify(shell_class=None, environment={"COLAB_RELEASE_TAG": "x"}, root=root) is Service.COLAB


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
    """A machine that booted `seconds` ago; its process 1 is the one that psutil is made to see."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def age(self, *, seconds: float, container_started_at: float | Exception) -> float | None:
        class Process:
            def __init__(self, pid: int) -> None:
                assert pid == 1

            def create_time(self) -> float:
                if isinstance(container_started_at, Exception):
                    raise container_started_at
                return container_started_at

        platform_probe._container_started_at.cache_clear()
        with self._monkeypatch.context() as patch:
            patch.setattr(psutil, "Process", Process)
            age_seconds = platform_probe._container_age_seconds(seconds)
        platform_probe._container_started_at.cache_clear()
        return age_seconds


def test_the_container_s_age_is_that_of_process_1(monkeypatch: pytest.MonkeyPatch) -> None:
    age_seconds = Machine(monkeypatch).age(seconds=90_000, container_started_at=time.time() - 600)

    assert age_seconds == pytest.approx(600, abs=5)


@pytest.mark.parametrize(
    "container_started_at",
    [
        pytest.param(lambda: time.time() - 89_990, id="started with the machine"),
        pytest.param(lambda: time.time() + 600, id="a clock that was set back"),
        pytest.param(lambda: psutil.AccessDenied(1), id="hidden"),
        pytest.param(lambda: psutil.NoSuchProcess(1), id="a system without a process 1"),
        pytest.param(lambda: OSError("no /proc"), id="no /proc"),
    ],
)
def test_where_there_is_no_container_s_age_none_is_told(
    container_started_at: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Machine(monkeypatch).age(seconds=90_000, container_started_at=container_started_at()) is None


def test_the_ages_are_those_of_the_machine_and_of_this_process() -> None:
    first = probe_platform(shell_class=None, environment={})
    time.sleep(0.05)
    second = probe_platform(shell_class=None, environment={})

    assert first.machine_age_seconds is not None
    assert first.kernel_age_seconds is not None
    assert second.kernel_age_seconds is not None
    assert 0 < first.kernel_age_seconds < first.machine_age_seconds + 1
    assert second.kernel_age_seconds >= first.kernel_age_seconds + 0.04
