from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from colab_magics.model import Unavailable
from colab_magics.probes import disk
from colab_magics.probes.disk import probe_disks


def test_one_file_system_is_one_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    disks = probe_disks()

    assert isinstance(disks, tuple)
    assert [disk.places for disk in disks] == [("/", "working directory")]
    assert disks[0].usage.total_bytes == shutil.disk_usage("/").total


def test_a_working_directory_elsewhere_is_an_entry_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/dev")
    disks = probe_disks()

    assert isinstance(disks, tuple)
    assert [disk.places for disk in disks] == [("/",), ("working directory",)]


def test_a_removed_working_directory_is_no_reason_to_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    disks = probe_disks()

    assert isinstance(disks, tuple)
    assert disks[0].places[0] == "/"


def test_what_can_still_be_written_is_what_this_user_may_write(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    disks = probe_disks()

    assert isinstance(disks, tuple)
    assert disks[0].free_bytes <= disks[0].usage.total_bytes - disks[0].usage.used_bytes


def test_file_systems_that_cannot_be_read_are_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_path: str) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(disk.psutil, "disk_usage", refuse)

    assert probe_disks() == Unavailable(code="unreadable", values=(("error", "OSError"),))
