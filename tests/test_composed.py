"""Whole reports on machines that are composed by mounts: what the signs of a driver mean, from /dev to the sentence."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import composed
import documents
from composed import Machine
from fake_nvml import FakeDriver

pytestmark = pytest.mark.skipif(composed.why_not() is not None, reason=str(composed.why_not()))

FILES = ("nvidiactl", "nvidia0")
COLAB = {"TBE_RUNTIME_ADDR": "172.28.0.1:8011"}


def plain() -> dict[str, str]:
    """An environment in which no library stands in the way of another."""
    return {name: value for name, value in os.environ.items() if name != "LD_LIBRARY_PATH"}


def status(machine: Machine, *options: str, **environment: str) -> tuple[dict[str, Any], str]:
    """Return the JSON document of a report, and its text."""
    variables = {**plain(), **environment}
    command = (sys.executable, "-m", "colab_magics", *options)
    as_json = machine.run(*command, "--json", environment=variables)
    as_text = machine.run(*command, environment=variables)
    assert (as_json.stderr, as_json.returncode) == ("", 0)
    return documents.read(as_json.stdout), as_text.stdout


WITHOUT_LIBRARY = [
    pytest.param({}, "Not connected to a GPU.", id="nothing"),
    pytest.param({"pci": True}, "There is an NVIDIA GPU here, but no driver for it.", id="a GPU alone"),
    pytest.param(
        {"pci": True, "module": True},
        "There is an NVIDIA driver here, but this container was given no GPU.",
        id="kubeflow/notebooks#68",
    ),
    pytest.param(
        {"pci": True, "module": True, "files": FILES},
        "The NVIDIA driver is here, but its library (libnvidia-ml.so.1) is missing.",
        id="nvidia-docker#1163",
    ),
    pytest.param(
        {"module": True, "files": FILES},
        "The NVIDIA driver is here, but its library (libnvidia-ml.so.1) is missing.",
        id="libnvidia-container#67",
    ),
    pytest.param(
        {"files": ("dxg",)},
        "Windows hands this Linux a GPU, but NVIDIA's library is not in /usr/lib/wsl/lib.",
        id="NixOS-WSL#454",
    ),
]


@pytest.mark.parametrize(("signs", "said"), WITHOUT_LIBRARY)
def test_without_a_library_the_other_signs_decide(signs: dict[str, Any], said: str, tmp_path: Path) -> None:
    seen, text = status(Machine(tmp_path / "machine", **signs))

    assert text.startswith(said)
    if signs:
        assert seen["unavailable"]["gpus"]["reason"] == said
        assert "no_gpu" not in {one["rule"] for one in seen["findings"]}
    else:
        assert seen["gpus"] == []


@pytest.mark.parametrize("signs", [signs for signs in (param.values[0] for param in WITHOUT_LIBRARY) if signs])
def test_on_a_service_nobody_is_told_to_install_a_driver(signs: dict[str, Any], tmp_path: Path) -> None:
    machine = Machine(tmp_path / "machine", **signs)

    for variables in (COLAB, {"KAGGLE_KERNEL_RUN_TYPE": "Interactive"}, {"DATABRICKS_RUNTIME_VERSION": "15"}):
        _, text = status(machine, **variables)
        assert "Install NVIDIA's driver" not in text


@pytest.mark.parametrize("signs", [signs for signs in (param.values[0] for param in WITHOUT_LIBRARY) if signs])
def test_a_requirement_does_not_take_what_is_not_known_for_no_gpu(signs: dict[str, Any], tmp_path: Path) -> None:
    machine = Machine(tmp_path / "machine", **signs)
    command = (sys.executable, "-m", "colab_magics", "--require", "gpu")
    passed, failed = (machine.run(*command, *more, environment=plain()) for more in ((), ("--strict",)))

    assert passed.returncode == 0
    assert passed.stderr.startswith("Not known, so not checked: gpu. ")
    assert failed.returncode == 1
    assert failed.stderr.startswith("Requirement not known to be met: gpu.")


@pytest.mark.parametrize(
    ("signs", "said"),
    [
        pytest.param(
            {"pci": True, "module": True, "files": FILES},
            "There is an NVIDIA GPU here, but the driver does not start it.",
            id="open-gpu-kernel-modules#789",
        ),
        pytest.param(
            {"pci": True, "module": True},
            "There is an NVIDIA driver here, but this container was given no GPU.",
            id="a container that sees its host's bus",
        ),
        pytest.param({"module": True}, "Not connected to a GPU.", id="a driver without a GPU"),
    ],
)
def test_a_driver_that_counts_nothing_is_held_against_the_other_signs(
    signs: dict[str, Any], said: str, tmp_path: Path, plug_in: Callable[..., FakeDriver]
) -> None:
    driver = plug_in("t4", "gpus = 0")
    _, text = status(Machine(tmp_path / "machine", **signs), **driver.environment())

    assert text.startswith(said)


@pytest.mark.parametrize("signs", [{"pci": True, "module": True, "files": FILES}, {}], ids=["all signs", "none"])
def test_a_library_in_a_folder_that_is_known_is_found_without_any_path(
    signs: dict[str, Any], tmp_path: Path, plug_in: Callable[..., FakeDriver]
) -> None:
    """colabtools#4300, tinygrad#16023, colab-ssh#118: the path by which Colab's library is found was lost."""
    driver = plug_in("t4")
    machine = Machine(tmp_path / "machine", library=("/usr/local/nvidia/lib64", driver.library), **signs)
    variables = {name: value for name, value in driver.environment().items() if name.startswith("FAKE_NVML")}
    seen, text = status(machine, **variables)

    assert text.startswith("Tesla T4: ")
    assert seen["gpus"][0]["name"] == "Tesla T4"


def test_cuda_s_library_in_a_folder_that_is_known_is_not_said_to_be_missing(
    tmp_path: Path, plug_in: Callable[..., FakeDriver]
) -> None:
    driver = plug_in("t4", "fail nvmlSystemGetCudaDriverVersion* = 12")
    machine = Machine(tmp_path / "machine", library=("/usr/local/nvidia/lib64", driver.library))
    variables = {name: value for name, value in driver.environment().items() if name.startswith("FAKE_NVML")}
    seen, _ = status(machine, **variables)

    assert seen["driver"] == {"version": "580.82.07", "cuda_version": None, "has_cuda_library": None}


def test_the_path_that_a_kernel_was_started_with_counts_though_it_was_changed_since(
    tmp_path: Path, plug_in: Callable[..., FakeDriver]
) -> None:
    driver = plug_in("t4")
    code = (
        "import os; os.environ['LD_LIBRARY_PATH'] = '/elsewhere'; import colab_magics; print(colab_magics.gpu_info())"
    )
    done = Machine(tmp_path / "machine").run(sys.executable, "-c", code, environment=driver.environment())

    assert done.stderr == ""
    assert done.stdout.startswith("Tesla T4: ")
