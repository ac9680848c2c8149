"""What is packed: what git tracks, and the catalogues and the tables of facts, compiled for the wheel."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NOT_TRACKED = (
    ".env",
    "facts/prices.toml",
    "drafts/idea.py",
    "odd [a]! #.css",
    "#x.py",
    "!y.py",
    "views/back\\slash.css",
)
IGNORED = ("locale/zh_CN/LC_MESSAGES/stale.mo", "__pycache__/model.cpython-313.pyc")


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-C", str(folder), *words], check=True, capture_output=True)


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A copy of what a build needs, with things of somebody's in the package that git would not track."""
    folder = tmp_path / "sources"
    folder.mkdir()
    for name in ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE", ".gitignore"):
        shutil.copy(ROOT / name, folder)
    leave_out = shutil.ignore_patterns("__pycache__", "*.mo")
    shutil.copytree(ROOT / "colab_magics", folder / "colab_magics", ignore=leave_out)
    return folder


@pytest.fixture
def checkout(sources: Path) -> Path:
    if not shutil.which("git"):
        pytest.skip("there is no git")
    git(sources, "init", "--quiet")
    git(sources, "add", ".")
    plant(sources)
    return sources


def plant(sources: Path) -> None:
    for name in (*NOT_TRACKED, *IGNORED):
        file = sources / "colab_magics" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("SECRET = 1\n")


def of_package(folder: Path) -> set[str]:
    files = (file for file in (folder / "colab_magics").rglob("*") if file.is_file())
    return {file.relative_to(folder).as_posix() for file in files}


def build(folder: Path, target: str) -> set[str]:
    """Build the wheel or the sdist and return the names of the package's files in it."""
    built = folder.parent / f"built-{folder.name}"
    whole = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(built)]
    subprocess.run(whole, cwd=folder, check=True, capture_output=True)
    if target == "wheel":
        (wheel,) = built.glob("*.whl")
        with zipfile.ZipFile(wheel) as opened:
            names = opened.namelist()
    else:
        (sdist,) = built.glob("*.tar.gz")
        with tarfile.open(sdist) as opened:
            names = [name.partition("/")[2] for name in opened.getnames()]
    return {name for name in names if name.startswith("colab_magics/")}


def with_what_is_compiled(files: set[str]) -> set[str]:
    tables = {Path(name).stem for name in files if Path(name).match("colab_magics/facts/*.toml")}
    compiled = {f"colab_magics/facts/compiled/{name}.py" for name in (*tables, "__init__")}
    return compiled | {f"{name.removesuffix('.po')}.mo" if name.endswith(".po") else name for name in files}


def test_what_git_does_not_track_is_not_packed(sources: Path, checkout: Path) -> None:
    theirs = {f"colab_magics/{name}" for name in (*NOT_TRACKED, *IGNORED)}
    tracked = of_package(checkout) - theirs

    assert theirs <= of_package(checkout)
    assert {"colab_magics/py.typed", "colab_magics/facts/menus.toml", "colab_magics/views/look.css"} <= tracked
    assert build(checkout, "sdist") == tracked
    assert build(checkout, "wheel") == with_what_is_compiled(tracked)


def test_a_checkout_that_another_s_variables_name_is_not_asked(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = checkout.parent / "other"
    other.mkdir()
    git(other, "init", "--quiet")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))

    assert not [name for name in build(checkout, "wheel") if name.endswith((".env", "idea.py"))]


def test_of_an_sdist_all_is_packed_even_where_it_lies_within_a_checkout(sources: Path) -> None:
    if shutil.which("git"):
        git(sources.parent, "init", "--quiet")
    there = of_package(sources)

    assert build(sources, "wheel") == with_what_is_compiled(there)


def test_without_git_all_that_is_not_ignored_is_packed(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.path.dirname(sys.executable))
    expected = of_package(checkout) - {f"colab_magics/{name}" for name in IGNORED}

    assert build(checkout, "wheel") == with_what_is_compiled(expected)


FIRST_REPORT = """
import sys
import colab_magics
str(colab_magics.runtime_status())
print("tomllib" in sys.modules)
"""


def test_every_table_of_facts_is_in_the_wheel_as_a_module_too(sources: Path) -> None:
    build(sources, "wheel")
    (wheel,) = (sources.parent / "built-sources").glob("*.whl")
    unpacked = sources.parent / "unpacked"
    with zipfile.ZipFile(wheel) as opened:
        opened.extractall(unpacked)
    facts = unpacked / "colab_magics" / "facts"
    tables = sorted(facts.glob("*.toml"))

    assert tables
    for table in tables:
        module: dict[str, object] = {}
        exec((facts / "compiled" / f"{table.stem}.py").read_text(encoding="utf-8"), module)
        assert module["TABLE"] == tomllib.loads(table.read_text(encoding="utf-8"))
    assert parses_toml(unpacked) is False, "the tables were built for nothing"

    services = facts / "services.toml"
    services.write_text(services.read_text(encoding="utf-8") + "\n# edited\n", encoding="utf-8")
    assert parses_toml(unpacked) is True, "an edited table is read itself"


def parses_toml(package: Path) -> bool:
    """Tell whether a first report parses any table itself."""
    environment = {**os.environ, "PYTHONPATH": str(package)}
    run = [sys.executable, "-c", FIRST_REPORT]
    printed = subprocess.run(
        run, env=environment, cwd=package.parent, capture_output=True, text=True, check=True
    ).stdout
    return {"True\n": True, "False\n": False}[printed]
