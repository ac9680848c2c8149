from __future__ import annotations

import time
from pathlib import Path

import pytest

from colab_magics.model import Service
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


@pytest.mark.parametrize(
    ("shell", "environment", "service"),
    [
        pytest.param(COLAB_SHELL, COLAB, Service.COLAB, id="hosted Colab"),
        pytest.param(None, COLAB, Service.COLAB, id="a command on hosted Colab"),
        pytest.param(JUPYTER_SHELL, KAGGLE, Service.KAGGLE, id="Kaggle, built from Colab's image"),
        pytest.param(COLAB_SHELL, {**COLAB, **KAGGLE}, Service.KAGGLE, id="Kaggle before Colab"),
        pytest.param(None, {"KAGGLE_URL_BASE": "https://www.kaggle.com"}, Service.KAGGLE, id="a command on Kaggle"),
        pytest.param(JUPYTER_SHELL, {"COLAB_RELEASE_TAG": "x"}, Service.JUPYTER, id="Colab's image somewhere else"),
        pytest.param(COLAB_SHELL, {}, Service.JUPYTER, id="Colab's kernel without Google's runtime manager"),
        pytest.param(COLAB_SHELL, {**COLAB, **ENTERPRISE}, Service.JUPYTER, id="not the public Colab"),
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


def test_the_ages_are_those_of_the_machine_and_of_this_process() -> None:
    first = probe_platform(shell_class=None, environment={})
    time.sleep(0.05)
    second = probe_platform(shell_class=None, environment={})

    assert first.machine_age_seconds is not None
    assert first.kernel_age_seconds is not None
    assert second.kernel_age_seconds is not None
    assert 0 < first.kernel_age_seconds < first.machine_age_seconds + 1
    assert second.kernel_age_seconds >= first.kernel_age_seconds + 0.04


def test_a_tpu_is_named_by_its_variable() -> None:
    assert probe_platform(shell_class=None, environment={"TPU_ACCELERATOR_TYPE": "v5e-1"}).tpu_type == "v5e-1"
    assert probe_platform(shell_class=None, environment={"TPU_ACCELERATOR_TYPE": ""}).tpu_type is None
