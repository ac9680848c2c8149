from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from colab_magics.facts import Signal
from colab_magics.probes.signals import Signs
from colab_magics.values import replace

SHELL = "google.colab._shell.Shell"


def holds(
    signal: Signal,
    *,
    shell: str | None = None,
    environment: Mapping[str, str] | None = None,
    root: str = "/nowhere",
    service: str | None = None,
) -> bool:
    return Signs(shell_class=shell, environment=environment or {}, root=root).hold(signal, service=service)


def test_a_signal_without_a_condition_holds_everywhere() -> None:
    assert holds(Signal())


@pytest.mark.parametrize(
    ("asked", "environment", "expected"),
    [
        pytest.param((("A", "*"),), {"A": "1"}, True, id="any value"),
        pytest.param((("A", "*"),), {"A": ""}, False, id="an empty one is none"),
        pytest.param((("A", "*"),), {"B": "1"}, False, id="not set"),
        pytest.param((("A", "1"),), {"A": "1"}, True, id="that value"),
        pytest.param((("A", "1"),), {"A": "12"}, False, id="another value"),
        pytest.param((("A", "1"), ("B", "*")), {"A": "1", "B": "2"}, True, id="both"),
        pytest.param((("A", "1"), ("B", "*")), {"A": "1"}, False, id="one of two"),
    ],
)
def test_variables_are_set(asked: tuple[tuple[str, str], ...], environment: dict[str, str], expected: bool) -> None:
    assert holds(Signal(environment=asked), environment=environment) is expected


@pytest.mark.parametrize(
    ("environment", "expected"), [({}, True), ({"A": "1"}, False), ({"A": ""}, True), ({"B": "1"}, False)]
)
def test_variables_are_not_set(environment: dict[str, str], expected: bool) -> None:
    assert holds(Signal(absent=("A", "B")), environment=environment) is expected


@pytest.mark.parametrize(
    ("asked", "shell", "expected"),
    [
        pytest.param("google.colab.", SHELL, True, id="of that package"),
        pytest.param("google.colab.", "google.colaboratory.Shell", False, id="of another"),
        pytest.param("google.colab.", None, False, id="none"),
        pytest.param("", SHELL, True, id="any"),
        pytest.param("", None, False, id="any, but there is none"),
        pytest.param(None, None, True, id="not asked"),
    ],
)
def test_there_is_a_shell(asked: str | None, shell: str | None, expected: bool) -> None:
    assert holds(Signal(shell=asked), shell=shell) is expected


@pytest.mark.parametrize(
    ("asked", "service", "expected"),
    [
        pytest.param("colab", "colab", True, id="that one"),
        pytest.param("colab", "colab_local", False, id="another"),
        pytest.param("colab", None, False, id="none"),
        pytest.param("*", "kaggle", True, id="any"),
        pytest.param("*", None, False, id="any, but there is none"),
        pytest.param(None, "kaggle", True, id="not asked"),
    ],
)
def test_a_service_was_recognised(asked: str | None, service: str | None, expected: bool) -> None:
    assert holds(Signal(service=asked), service=service) is expected


def test_a_file_or_a_folder_is_there(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/release").touch()

    assert holds(Signal(file="etc/release"), root=str(tmp_path))
    assert holds(Signal(file="etc"), root=str(tmp_path))
    assert not holds(Signal(file="etc/other"), root=str(tmp_path))
    assert holds(Signal(no_file="etc/other"), root=str(tmp_path))
    assert not holds(Signal(no_file="etc/release"), root=str(tmp_path))
    assert not holds(Signal(file="etc/release"), root=str(tmp_path / "etc"))


@pytest.mark.parametrize("missing", ["environment", "absent", "file", "shell", "service"])
def test_a_signal_holds_if_all_its_conditions_do(missing: str, tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    whole = Signal(environment=(("A", "*"),), absent=("B",), file="a", shell="google.", service="colab")
    others = {"environment": (("C", "*"),), "absent": ("A",), "file": "b", "shell": "IPython.", "service": "kaggle"}
    signs = Signs(shell_class=SHELL, environment={"A": "1"}, root=str(tmp_path))

    assert signs.hold(whole, service="colab")
    assert not signs.hold(replace(whole, **{missing: others[missing]}), service="colab")
