"""Where a module is tested: in the file of the same name, colab_magics/a/b.py in tests/a/test_b.py."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import colab_magics

PACKAGE = Path(colab_magics.__file__).parent
TESTS = Path(__file__).parent

ELSEWHERE = {
    "__init__.py": "test_magics.py, test_extension.py and test_require.py come in by it",
    "__main__.py": "test_command.py runs it as a shell does",
    "answering.py": "test_magics.py and test_stopping.py come in by the magics",
    "model/holders.py": "model/test_model.py reads every type of the model",
    "views/holders_html.py": "views/test_holders.py shows every table by it",
    "observer/__init__.py": "probes/test_ram.py, test_docs.py and test_magics.py read it",
    "observer/asking.py": "observer/test_client.py, test_faults.py and test_nonsense.py ask by it",
    "observer/nvml.py": "observer/test_child.py and test_faults.py ask it through the child that it runs in",
    "observer/starting.py": "observer/test_client.py and test_faults.py start every child by it",
    "probes/by_psutil.py": "probes/test_ram.py, test_children.py and test_bad_files.py look by it",
    "version.py": "test_extension.py holds it against what is installed",
    "procfs.py": "test_cgroup.py, probes/test_gpu.py and observer/test_samples.py read by it",
}
"""The modules that are tested in other files, and why."""

_WRITTEN_WHEN_BUILT = PACKAGE / "facts" / "compiled"  # test_build.py holds them to the tables that they are made of
MODULES = sorted(
    file.relative_to(PACKAGE).as_posix() for file in PACKAGE.rglob("*.py") if file.parent != _WRITTEN_WHEN_BUILT
)


def mirror(module: str) -> Path:
    """Return the file of tests that is a module's own."""
    file = Path(module)
    name = file.parent.name if file.stem == "__init__" else file.stem
    return TESTS / file.parent / f"test_{name}.py"


def says_nothing(module: str) -> bool:
    """Tell whether there is nothing in a module but what it is for."""
    return all(isinstance(node, ast.Expr) for node in ast.parse((PACKAGE / module).read_text(encoding="utf-8")).body)


@pytest.mark.parametrize("module", MODULES)
def test_every_module_has_its_file_of_tests_or_is_known_to_be_tested_elsewhere(module: str) -> None:
    has_its_own = mirror(module).exists()

    assert has_its_own or module in ELSEWHERE or says_nothing(module), f"there is no {mirror(module)}"
    assert not (has_its_own and module in ELSEWHERE), f"{mirror(module)} is there: {module} need not be listed"


@pytest.mark.parametrize("module", ELSEWHERE)
def test_what_is_tested_elsewhere_is_there_and_says_something(module: str) -> None:
    assert module in MODULES
    assert not says_nothing(module)


@pytest.mark.parametrize("module", ELSEWHERE)
def test_the_files_that_test_it_instead_are_there(module: str) -> None:
    folders = (TESTS, TESTS / Path(module).parent)
    named = [word.strip(",") for word in ELSEWHERE[module].split() if word.strip(",").endswith(".py")]

    assert named
    assert all(any((folder / name).exists() for folder in folders) for name in named)
