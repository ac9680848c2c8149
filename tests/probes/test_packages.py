from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from colab_magics.model import Package
from colab_magics.probes.packages import is_installed, probe_packages


def record(folder: Path, entry: str, file: str = "METADATA") -> None:
    """Write metadata under that name as an installer does."""
    version = re.search(r"-(\d[^-]*?)(-py[\d.]+)?\.(dist|egg)-info$", entry)
    told = version[1] if version else "1.0.dev1"
    metadata = folder / entry / file
    metadata.parent.mkdir(parents=True, exist_ok=True)
    metadata.write_text(f"Metadata-Version: 2.4\nName: x\nVersion: {told}\n\nVersion: of the text\n")


def look(name: str, *folders: Path) -> tuple[bool, str | None]:
    (package,) = probe_packages((name,), search_path=[*map(str, folders)])
    assert package.name == name
    return package.is_installed, package.version


@pytest.mark.parametrize(
    ("entry", "name", "version"),
    [
        ("torch-2.11.0+cu128.dist-info", "torch", "2.11.0+cu128"),
        ("scikit_learn-1.7.2.dist-info", "scikit-learn", "1.7.2"),
        ("Zope.Interface-7.2.dist-info", "zope-interface", "7.2"),
        ("jax-cuda12-plugin-0.7.2.dist-info", "jax-cuda12-plugin", "0.7.2"),
        ("jax_cuda12_plugin-0.7.2.dist-info", "jax-cuda12-plugin", "0.7.2"),
    ],
)
def test_a_package_is_known_by_its_name_however_that_is_written(
    entry: str, name: str, version: str, tmp_path: Path
) -> None:
    record(tmp_path, entry)

    assert look(name, tmp_path) == (True, version)


def test_setuptools_and_debian_s_metadata_are_read_too(tmp_path: Path) -> None:
    record(tmp_path, "developed.egg-info", "PKG-INFO")
    record(tmp_path, "egg-2.0-py3.12.egg-info", "PKG-INFO")
    (tmp_path / "debian-3.0.egg-info").write_text("Name: debian\nVersion: 3.0\n")

    assert look("developed", tmp_path) == (True, "1.0.dev1")
    assert look("egg", tmp_path) == (True, "2.0")
    assert look("debian", tmp_path) == (True, "3.0")


def test_names_that_begin_alike_are_other_packages(tmp_path: Path) -> None:
    record(tmp_path, "torch_geometric-2.6.dist-info")
    record(tmp_path, "torchvision-0.26.dist-info")

    assert look("torch", tmp_path) == (False, None)


def test_all_that_is_asked_for_is_told_in_its_order(tmp_path: Path) -> None:
    record(tmp_path, "b-2.dist-info")

    assert probe_packages(("c", "b", "c"), search_path=[str(tmp_path)]) == (
        Package(name="c", is_installed=False, version=None),
        Package(name="b", is_installed=True, version="2"),
    )
    assert probe_packages(()) == ()


def test_of_two_the_one_that_an_import_finds_first_counts(tmp_path: Path) -> None:
    record(tmp_path / "first", "torch-2.4.dist-info")
    record(tmp_path / "second", "torch-2.11.dist-info")

    assert look("torch", tmp_path / "nowhere", tmp_path / "first", tmp_path / "second") == (True, "2.4")


def test_folders_behind_the_one_that_has_it_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of data on a slow drive, put at the end of the path."""
    record(tmp_path, "torch-2.4.dist-info")
    listed: list[str] = []
    listdir = os.listdir
    monkeypatch.setattr(os, "listdir", lambda folder: listed.append(folder) or listdir(folder))

    look("torch", tmp_path, tmp_path / "drive")
    assert listed == [str(tmp_path)]


def test_two_in_one_folder_that_differ_tell_no_version(tmp_path: Path) -> None:
    record(tmp_path, "torch-2.4.dist-info")
    record(tmp_path, "torch-2.11.dist-info")

    assert look("torch", tmp_path) == (True, None)


def damage(metadata: Path, how: str) -> None:
    if how == "gone":
        metadata.unlink()
    elif how == "a folder":
        metadata.unlink()
        metadata.mkdir()
    elif how == "a pipe":
        metadata.unlink()
        os.mkfifo(metadata)
    else:
        metadata.write_bytes(DAMAGED[how])


DAMAGED = {
    "empty": b"",
    "without a version": b"Metadata-Version: 2.4\nName: torch\n\nVersion: 9\n",
    "no text": bytes(range(256)),
    "a version that is none": b"Version: <b>2.4\x1b[31m\n",
    "a version that is too long": b"Version: " + b"9" * 65 + b"\n",
}


@pytest.mark.parametrize("how", DAMAGED)
def test_damaged_metadata_tells_no_version(how: str, tmp_path: Path) -> None:
    record(tmp_path, "torch-2.4.dist-info")
    damage(tmp_path / "torch-2.4.dist-info/METADATA", how)

    assert look("torch", tmp_path) == (True, None)


@pytest.mark.parametrize("how", ["gone", "a folder", "a pipe"])
def test_metadata_without_its_file_is_what_an_installer_left_behind(how: str, tmp_path: Path) -> None:
    record(tmp_path, "torch-2.4.dist-info")
    damage(tmp_path / "torch-2.4.dist-info/METADATA", how)

    assert look("torch", tmp_path) == (False, None)


@pytest.mark.parametrize("folder", ["/nowhere", "null\0character", "/dev/null"])
def test_what_is_no_folder_holds_nothing(folder: str) -> None:
    assert look("torch", Path(folder)) == (False, None)


def test_what_lies_in_the_working_directory_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record(tmp_path, "not_ours-1.0.dist-info")
    monkeypatch.chdir(tmp_path)
    for path in (["", *sys.path], [str(tmp_path), *sys.path]):
        monkeypatch.setattr(sys, "path", path)
        assert not is_installed("not-ours")


def test_nothing_is_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record(tmp_path, "harmful-1.0.dist-info")
    (tmp_path / "harmful.py").write_text("raise SystemExit")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()

    assert is_installed("harmful")
    assert "harmful" not in sys.modules


def test_the_packages_of_this_python_are_found() -> None:
    packages: Callable[..., tuple[Package, ...]] = probe_packages
    ours, pytest_s, none = packages(("colab-magics", "pytest", "no-such-package-at-all"))

    assert (ours.is_installed, pytest_s.version) == (True, pytest.__version__)
    assert not none.is_installed
