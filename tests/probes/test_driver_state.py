"""What the signs of a driver mean, for every combination of them."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from colab_magics.probes.driver_state import (
    Library,
    Signs,
    code_of_no_device,
    code_of_refusal,
    code_without_library,
    read_signs,
)
from colab_magics.views.messages import REASONS

ALL = [
    Signs(*values)
    for values in product((None, 0, 1), (False, True), (False, True), (False, True), (False, True), (False, True))
]
BARE = Signs(pci_devices=0)
REFUSALS = (
    "driver_not_loaded",
    "driver_mismatch",
    "blocked_by_system",
    "no_permission",
    "driver_unknown_error",
    "gpu_lost",
)


@pytest.mark.parametrize("library", [Library.ABSENT, Library.BROKEN])
def test_no_gpu_is_said_only_where_no_sign_speaks_of_one(library: Library) -> None:
    for signs in ALL:
        code = code_without_library(signs, library)

        assert (code is None) == signs.are_none, signs
        assert code is None or code in REASONS


def test_a_driver_is_to_be_installed_only_where_nothing_of_one_is_there() -> None:
    for signs, library in product(ALL, (Library.ABSENT, Library.BROKEN)):
        if code_without_library(signs, library) == "driver_missing":
            assert signs.pci_devices
            assert library is Library.ABSENT
            assert signs == Signs(pci_devices=signs.pci_devices)


def test_a_driver_that_counts_nothing_is_believed_where_no_gpu_is_to_be_seen() -> None:
    for signs in ALL:
        code = code_of_no_device(signs)

        seen = signs.pci_devices or signs.has_gpu_file or signs.is_tegra or signs.has_dxg
        assert (code is None) == (not seen), signs
        assert code is None or code in REASONS


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_refusal_is_no_gpu_only_where_the_library_lies_about_and_the_bus_is_empty(refusal: str) -> None:
    for signs in ALL:
        code = code_of_refusal(signs, refusal)

        assert (code is None) == (refusal == "driver_not_loaded" and signs.are_certainly_none), signs
        assert code is None or code in REASONS


# The name of the public report, what is there, and what it means.
WITHOUT_LIBRARY = [
    ("none of it", BARE, Library.ABSENT, None),
    ("a library that lies about", BARE, Library.BROKEN, None),
    ("kubeflow/notebooks#68", Signs(1, has_module=True), Library.ABSENT, "gpu_not_given"),
    ("kubeflow/notebooks#68, the bus hidden", Signs(None, has_module=True), Library.ABSENT, "gpu_not_given"),
    ("nvidia-docker#1163", Signs(1, True, True, True), Library.ABSENT, "library_missing"),
    ("libnvidia-container#67, the bus hidden", Signs(None, True, True, True), Library.ABSENT, "library_missing"),
    ("pytorch#5070, /proc hidden", Signs(0, False, True, True), Library.ABSENT, "library_missing"),
    ("NixOS-WSL#454", Signs(0, has_dxg=True), Library.ABSENT, "wsl_library_missing"),
    ("nvtop#318", Signs(None, has_dxg=True), Library.ABSENT, "wsl_library_missing"),
    ("a Jetson", Signs(0, is_tegra=True), Library.ABSENT, "tegra_library_missing"),
    ("a GPU and nothing of a driver", Signs(1), Library.ABSENT, "driver_missing"),
    ("a library that does not load", Signs(1, True, True, True), Library.BROKEN, "library_broken"),
]


@pytest.mark.parametrize(("signs", "library", "code"), [pytest.param(*row[1:], id=row[0]) for row in WITHOUT_LIBRARY])
def test_without_a_library(signs: Signs, library: Library, code: str | None) -> None:
    assert code_without_library(signs, library) == code


@pytest.mark.parametrize(
    ("signs", "code"),
    [
        pytest.param(Signs(1, True, True, True), "gpu_not_started", id="open-gpu-kernel-modules#789"),
        pytest.param(Signs(1, True, True, False), "gpu_not_started", id="pytorch#163658, no file of the GPU's own"),
        pytest.param(Signs(1, True, False, False), "gpu_not_given", id="a container that sees its host's bus"),
        pytest.param(Signs(None, True, True, True), "gpu_not_started", id="the bus hidden"),
        pytest.param(Signs(0, True, True, False), None, id="a driver without any GPU"),
        pytest.param(Signs(0, has_dxg=True), "gpu_not_told", id="WSL"),
        pytest.param(Signs(0, is_tegra=True), "gpu_not_told", id="a Jetson"),
    ],
)
def test_a_driver_that_counts_no_gpu(signs: Signs, code: str | None) -> None:
    assert code_of_no_device(signs) == code


@pytest.mark.parametrize(
    ("signs", "refusal", "code"),
    [
        pytest.param(Signs(0, has_dxg=True), "blocked_by_system", "wsl_blocked", id="WSL#9938"),
        pytest.param(Signs(1, True, True, True), "blocked_by_system", "blocked_by_system", id="not in WSL"),
        pytest.param(Signs(1), "driver_not_loaded", "driver_not_loaded", id="a module that is not loaded"),
        pytest.param(Signs(1, has_module=True), "driver_not_loaded", "gpu_not_given", id="loaded, and no file here"),
        pytest.param(BARE, "driver_not_loaded", None, id="a library on a machine without a GPU"),
        pytest.param(Signs(None), "driver_not_loaded", "driver_not_loaded", id="the bus cannot be seen"),
    ],
)
def test_a_driver_that_refuses(signs: Signs, refusal: str, code: str | None) -> None:
    assert code_of_refusal(signs, refusal) == code


def lay(root: Path, **files: str) -> None:
    for path, content in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)


def device(root: Path, address: str, vendor: str, kind: str) -> None:
    folder = f"sys/bus/pci/devices/{address}"
    lay(root, **{f"{folder}/vendor": f"{vendor}\n", f"{folder}/class": f"{kind}\n"})


def test_the_signs_are_read_below_a_root(tmp_path: Path) -> None:
    assert read_signs(root=str(tmp_path)) == Signs(pci_devices=None)
    device(tmp_path, "0000:00:04.0", "0x10de", "0x030200")
    device(tmp_path, "0000:00:05.0", "0x10de", "0x030000")
    device(tmp_path, "0000:00:06.0", "0x10de", "0x040300")  # the audio function of a graphics card
    device(tmp_path, "0000:00:07.0", "0x10de", "0x068000")  # a switch between GPUs
    device(tmp_path, "0000:00:08.0", "0x8086", "0x030000")
    lay(tmp_path, **{"proc/driver/nvidia/version": "x", "dev/nvidiactl": "", "dev/nvidia12": "", "dev/nvidia-uvm": ""})

    assert read_signs(root=str(tmp_path)) == Signs(2, True, True, True)


@pytest.mark.parametrize(
    ("file", "signs"),
    [
        ("dev/dxg", Signs(None, has_dxg=True)),
        ("dev/nvhost-gpu", Signs(None, is_tegra=True)),
        ("dev/nvidia-uvm", Signs(None)),
        ("dev/nvidiactl", Signs(None, has_control_file=True)),
        ("sys/bus/pci/devices/0000:00:04.0/vendor", Signs(0)),
    ],
)
def test_each_sign_has_its_file(file: str, signs: Signs, tmp_path: Path) -> None:
    lay(tmp_path, **{file: ""})

    assert read_signs(root=str(tmp_path)) == signs


@pytest.mark.parametrize("content", ["", "nonsense", "\x00" * 100, "0x10de" * 10_000])
def test_nonsense_on_the_bus_is_no_gpu_and_no_mistake(content: str, tmp_path: Path) -> None:
    device(tmp_path, "0000:00:04.0", content, content)

    assert read_signs(root=str(tmp_path)) == Signs(0)
