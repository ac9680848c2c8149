"""The architecture: who may import whom, and that what is cheap stays cheap."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import colab_magics

PACKAGE = Path(colab_magics.__file__).parent

# A module's room is its folder, or itself where it lies at the top. A floor imports only from floors below it.
FLOORS = {
    "__init__": 6,
    "magics": 5,
    "__main__": 4,
    "panels": 4,
    "report": 3,
    "probes": 2,
    "advice": 2,
    "requirement": 2,
    "views": 2,
    "observer": 1,
    "facts": 1,
    "autoload": 1,
    "model": 0,
    "cgroup": 0,
    "procfs": -1,  # below cgroup, which reads by it
    "units": 0,
}

DOORS = {
    "IPython": {"autoload", "magics", "views.display"},
    "traitlets": {"magics"},
    "psutil": {"probes.cpu", "probes.disk", "probes.platform", "probes.ram"},
    "pynvml": set(),  # the child loads it from its file, and hands it to observer.nvml
    "ipywidgets": {"views.panel.controls"},
}

CHILD_MODULES = {"observer.child", "observer.devices", "observer.nvml", "observer.samples", "cgroup", "procfs"}

MODULES = sorted(PACKAGE.rglob("*.py"))


def dotted(file: Path) -> str:
    return ".".join(file.relative_to(PACKAGE).with_suffix("").parts)


def room(module: str) -> str:
    return module.split(".", maxsplit=1)[0]


def imported(file: Path) -> set[str]:
    """Return the dotted names that a module imports when it runs, wherever in it the import stands."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    only_types = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for statement in node.body
        for inner in ast.walk(statement)
    }
    names: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in only_types:
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("file", MODULES, ids=dotted)
def test_imports_go_down_only(file: Path) -> None:
    ours = room(dotted(file))
    for name in imported(file):
        if name.startswith("colab_magics."):
            theirs = room(name.removeprefix("colab_magics."))
            assert theirs == ours or FLOORS[theirs] < FLOORS[ours], f"{dotted(file)} must not import {name}"


@pytest.mark.parametrize("file", MODULES, ids=dotted)
def test_a_foreign_package_comes_in_by_its_door(file: Path) -> None:
    for name in imported(file):
        allowed = DOORS.get(name.split(".")[0])
        assert allowed is None or dotted(file) in allowed, f"{dotted(file)} must not import {name}"


@pytest.mark.parametrize("file", MODULES, ids=dotted)
def test_no_other_foreign_package_is_used(file: Path) -> None:
    foreign = {name.split(".")[0] for name in imported(file)} - sys.stdlib_module_names - {"colab_magics"}
    assert foreign <= DOORS.keys()


@pytest.mark.parametrize("module", sorted(CHILD_MODULES))
def test_the_child_imports_the_standard_library_and_its_own(module: str) -> None:
    file = PACKAGE / f"{module.replace('.', '/')}.py"
    for name in imported(file):
        ours = name.startswith("colab_magics.") and any(
            name.removeprefix("colab_magics.").startswith(one) for one in CHILD_MODULES
        )
        assert ours or name.split(".")[0] in sys.stdlib_module_names, f"{module} must not import {name}"


def test_every_room_has_a_floor() -> None:
    assert {room(dotted(file)) for file in MODULES} == FLOORS.keys()


def modules_after(code: str) -> set[str]:
    shown = subprocess.run(
        [sys.executable, "-c", f"{code}; import sys; print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    return set(shown.stdout.split())


def test_importing_the_package_imports_nothing_else() -> None:
    brought = modules_after("import colab_magics") - modules_after("pass")

    assert brought == {"colab_magics", "__future__"}


def test_loading_the_magics_imports_nothing_that_a_report_needs() -> None:
    brought = modules_after("import colab_magics.magics")

    assert brought.isdisjoint({"psutil", "pynvml", "ipywidgets"})
    assert {name for name in brought if name.startswith("colab_magics")} == {"colab_magics", "colab_magics.magics"}


def test_a_report_imports_nothing_of_requirements() -> None:
    assert not [name for name in modules_after("import colab_magics.report") if "requirement" in name]


def test_the_kernel_never_holds_the_driver_s_library() -> None:
    assert "pynvml" not in modules_after("import colab_magics; colab_magics.runtime_status()")
