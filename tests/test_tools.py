"""The programs of tools/, which noxfile.py runs."""

from __future__ import annotations

import os
import re
import runpy
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]


def tool(name: str) -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "tools" / f"{name}.py"))


def test_the_hooks_before_a_commit_fetch_nothing() -> None:
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")

    assert re.findall(r"repo: (.*)", hooks) == ["local"]
    assert re.findall(r"language: (.*)", hooks) == ["system"] * len(re.findall(r"- id: ", hooks))


@pytest.mark.parametrize(
    ("after", "wrong"),
    [
        ({"ipython": "7.34.0", "psutil": "5.9.5"}, set()),
        ({"ipython": "7.34.0", "psutil": "5.9.5", "colab-magics": "0.1", "jedi": "0.19"}, set()),
        ({"ipython": "9.18.1", "psutil": "5.9.5"}, {"ipython"}),
        ({"psutil": "5.9.5"}, {"ipython"}),
        ({"ipython": "7.34.0", "psutil": "5.9.5", "numpy": "2.0"}, {"numpy"}),
    ],
    ids=["nothing changed", "what may come came", "upgraded", "removed", "something else came"],
)
def test_installing_may_add_a_few_packages_to_colabs_and_change_none(after: dict[str, str], wrong: set[str]) -> None:
    before = {"ipython": "7.34.0", "psutil": "5.9.5"}

    assert tool("install_as_on_colab")["wrongly_changed"](before, after) == wrong


def test_what_a_wheel_lacks_is_named(tmp_path: Path) -> None:
    wheel = tmp_path / "some.whl"
    left_out = tool("check_wheel")["left_out"]
    with zipfile.ZipFile(wheel, "w"):
        pass
    everything = left_out(wheel)
    with zipfile.ZipFile(wheel, "w") as opened:
        for file in everything:
            if file != "colab_magics/py.typed":
                opened.writestr(file, "")

    assert {"colab_magics/magics.py", "colab_magics/locale/zh_CN/LC_MESSAGES/colab_magics.mo"} < set(everything)
    assert left_out(wheel) == ["colab_magics/py.typed"]


def test_the_first_python_that_can_make_an_environment_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version, status in (("9.1", 1), ("9.2", 0)):
        python = tmp_path / f"python{version}"
        python.write_text(f"#!/bin/sh\nexit {status}\n", encoding="utf-8")
        python.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "none"))
    first_python = tool("pythons")["first_python"]

    assert first_python("9.1", "9.2") == str(tmp_path / "python9.2")
    assert first_python("9.1") == sys.executable
