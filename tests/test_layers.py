"""The architecture: who may import whom, and that what is cheap stays cheap."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import colab_magics

PACKAGE = Path(colab_magics.__file__).parent
ROOT = Path(__file__).parents[1]
RUFF = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]["lint"]

# A module's room is its folder, or itself where it lies at the top. A floor imports only from floors below it.
FLOORS = {
    "__init__": 7,
    "magics": 6,
    "__main__": 4,
    "panel": 4,
    "answering": 5,
    "clusters": 4,
    "completion": 4,
    "explaining": 4,
    "report": 3,
    "cells": 3,
    "exhaustion": 3,
    "options": 3,
    "release": 3,
    "mistakes": 2,
    "line": 2,
    "probes": 2,
    "requirement": 2,
    "views": 2,
    "observer": 1,
    "rules": 1,
    "guides": 1,
    "autoload": 1,
    "stopping": 1,
    "facts": 0,
    "memory": 0,
    "model": -1,
    "cgroup": -1,
    "units": -1,
    "translation": -1,
    "procfs": -2,  # below cgroup, which reads by it
    "files": -3,
    "introspection": -3,
    "version": -3,
    "values": -2,  # below model, which is made of them
    "imports": -2,  # below all that is called from outside
}

# The floors within a room, from top to bottom: the same holds for its files.
INSIDE: dict[str, tuple[set[str], ...]] = {
    "views": (
        {"display"},
        {"terminal", "verdict"},
        {"html", "json", "text"},
        {"details", "goals_html", "holders_html"},
        {"gpu_table", "guide_html", "holders", "shares"},
        {"bars", "dialog_schematic", "tables"},
        {"html_parts", "summary"},
        {"work"},
        {"cluster", "out_of_memory"},
        {"cell", "cells", "gpus", "guide_text", "machine"},
        {"__init__", "layout", "markup", "messages", "render_options", "requirement_words", "said", "style_sheets"},
    ),
    "panel": (
        {"opening"},
        {"session"},
        {"card", "controls", "guidance"},
        {"gauges", "presence", "source", "sparkline"},
        {"__init__"},
    ),
    "cells": (
        {"footer"},
        {"closing"},
        {"meter", "session", "transformer"},
        {"__init__"},
    ),
    "clusters": (
        {"in_notebook"},
        {"status"},
        {"engines"},
        {"dask", "ipyparallel", "ray", "reading"},
        {"asking", "node"},
        {"__init__"},
    ),
    "guides": (
        {"__init__"},
        {"colab", "enterprise", "kaggle", "local_runtime"},
        {"colab_goals"},
        {"colab_menu", "generic"},
        {"interface"},
    ),
}

SERVICES = {
    "colab": {"colab", "colab_goals", "colab_menu"},
    "enterprise": {"enterprise"},
    "kaggle": {"kaggle"},
    "local runtime": {"local_runtime"},
}
"""The files in `guides` that are one service's, which no other service's may use."""

# A module, or all of a room.
DOORS = {
    "IPython": {"autoload", "cells.transformer", "magics", "mistakes", "views.display"},
    "traitlets": {"magics"},
    "psutil": {"probes"},
    "pynvml": {"observer.nvml"},  # which does not import it: the child loads it from its file, and hands it over
    "ipywidgets": {"panel.controls"},
    "ray": {"clusters.ray"},  # where the user has imported it
    "rich": {"report"},  # which does not need it: rich asks
    "tqdm": {"clusters.in_notebook"},  # where the user has it
}

CHILD_MODULES = {
    "cgroup",
    "files",
    "memory",
    "observer.child",
    "observer.devices",
    "observer.looks",
    "observer.nvml",
    "observer.samples",
    "observer.spans",
    "procfs",
    "values",
}

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


def imported_within(file: Path) -> set[str]:
    """Return the files of its own room that a module imports when it runs."""
    inside = f"colab_magics.{file.parent.name}."
    files = {one.stem for one in file.parent.glob("*.py")}
    first = {name.removeprefix(inside).split(".")[0] for name in imported(file) if name.startswith(inside)}
    return {name if name in files else "__init__" for name in first}


@pytest.mark.parametrize("file", MODULES, ids=dotted)
def test_imports_go_down_only(file: Path) -> None:
    ours = room(dotted(file))
    for name in imported(file):
        if name.startswith("colab_magics."):
            theirs = room(name.removeprefix("colab_magics."))
            assert theirs == ours or FLOORS[theirs] < FLOORS[ours], f"{dotted(file)} must not import {name}"


@pytest.mark.parametrize("inside", INSIDE)
def test_every_file_of_a_room_has_a_floor(inside: str) -> None:
    files = [file for floor in INSIDE[inside] for file in floor]

    assert sorted(files) == sorted(file.stem for file in (PACKAGE / inside).glob("*.py"))


@pytest.mark.parametrize("file", [file for file in MODULES if room(dotted(file)) in INSIDE], ids=dotted)
def test_imports_within_a_room_go_down_only(file: Path) -> None:
    inside = room(dotted(file))
    floors = {name: -number for number, floor in enumerate(INSIDE[inside]) for name in floor}
    for name in imported_within(file):
        assert floors[name] < floors[file.stem], f"{dotted(file)} must not import {name}"


@pytest.mark.parametrize("service", SERVICES)
def test_no_service_s_guides_use_another_service_s(service: str) -> None:
    others = set[str]().union(*SERVICES.values()) - SERVICES[service]
    for name in SERVICES[service]:
        assert imported_within(PACKAGE / "guides" / f"{name}.py").isdisjoint(others)


def test_all_guides_are_everybody_s_or_one_service_s() -> None:
    of_services = [name for files in SERVICES.values() for name in files]

    assert sorted([*of_services, "__init__", "generic", "interface"]) == sorted(
        file.stem for file in (PACKAGE / "guides").glob("*.py")
    )


@pytest.mark.parametrize("file", MODULES, ids=dotted)
def test_a_foreign_package_comes_in_by_its_door(file: Path) -> None:
    for name in imported(file):
        allowed = DOORS.get(name.split(".")[0])
        assert allowed is None or {dotted(file), room(dotted(file))} & allowed, f"{dotted(file)} must not import {name}"


@pytest.mark.parametrize("package", DOORS)
def test_ruff_names_the_same_doors_in_the_editor(package: str) -> None:
    message = RUFF["flake8-tidy-imports"]["banned-api"][package]["msg"]
    named = [name.removeprefix("colab_magics/") for name in re.findall(r"[\w/]+(?:\.py|/(?!\w))", message)]

    assert {name.removesuffix(".py").strip("/").replace("/", ".") for name in named} == DOORS[package]
    assert all((PACKAGE / name).exists() for name in named)


def test_ruff_knows_every_door() -> None:
    assert RUFF["flake8-tidy-imports"]["banned-api"].keys() == DOORS.keys()


@pytest.mark.parametrize("pattern", RUFF["per-file-ignores"])
def test_what_ruff_lets_pass_is_there(pattern: str) -> None:
    assert any(ROOT.glob(pattern))


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


def test_contributing_shows_the_same_floors() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    shown = {
        name: int(floor)
        for floor, names in re.findall(r"^\| (-?\d) \| (.*?) \|", text, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", names)
    }

    assert shown == FLOORS


def modules_after(code: str) -> set[str]:
    shown = subprocess.run(
        [sys.executable, "-c", f"{code}; import sys; print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    return set(shown.stdout.split())


def test_importing_the_package_imports_nothing_else() -> None:
    brought = modules_after("import colab_magics") - modules_after("pass")

    assert brought == {"colab_magics"}


def test_loading_the_magics_imports_nothing_that_a_report_needs() -> None:
    brought = modules_after("import colab_magics.magics")

    assert brought.isdisjoint({"psutil", "pynvml", "ipywidgets"})
    ours = {name for name in brought if name.startswith("colab_magics")}
    assert ours == {"colab_magics", "colab_magics.imports", "colab_magics.magics"}


def test_a_report_imports_nothing_of_requirements() -> None:
    assert not [name for name in modules_after("import colab_magics.report") if "requirement" in name]


def test_the_kernel_never_holds_the_driver_s_library() -> None:
    assert "pynvml" not in modules_after("import colab_magics; colab_magics.runtime_status()")
