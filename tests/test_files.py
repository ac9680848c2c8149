"""Files that somebody else put there: read whole, cut, or refused; never waited for."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from builders import MIB
from colab_magics import files

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")

READERS: dict[str, Callable[[str], object]] = {
    "read": files.read,
    "read_bytes": files.read_bytes,
    "read_beginning": lambda path: files.read_beginning(path, 100),
    "pieces": lambda path: list(files.pieces(path, 100)),
}


def a_socket(path: Path) -> None:
    with contextlib.chdir(path.parent), socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path.name)


NOT_REGULAR: dict[str, Callable[[Path], object]] = {
    "a folder": Path.mkdir,
    "a FIFO": os.mkfifo,
    "a socket": a_socket,
    "a terminal": lambda path: path.symlink_to(os.ttyname(os.openpty()[1])),
    "a device without an end": lambda path: path.symlink_to("/dev/zero"),
    "a device that holds nothing": lambda path: path.symlink_to("/dev/null"),
    "a link to itself": lambda path: path.symlink_to(path),
    "a link to nothing": lambda path: path.symlink_to("nowhere"),
    "nothing": lambda _path: None,
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("kind", NOT_REGULAR)
def test_what_is_no_regular_file_is_refused_at_once(kind: str, reader: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    NOT_REGULAR[kind](path)
    opened, started = set(os.listdir("/dev/fd")), time.monotonic()
    with pytest.raises(OSError):  # noqa: PT011 - which one is the system's choice
        READERS[reader](str(path))

    assert time.monotonic() - started < 1
    assert set(os.listdir("/dev/fd")) == opened


def test_a_file_is_read_whole_through_links(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"\xffx" * 50_000)
    (tmp_path / "link").symlink_to("file")

    assert files.read(str(tmp_path / "link")) == "\ufffdx" * 50_000
    assert files.read_bytes(str(tmp_path / "link")) == b"\xffx" * 50_000
    assert b"".join(files.pieces(str(tmp_path / "link"), 4096)) == b"\xffx" * 50_000


def test_an_empty_file_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert files.read(str(tmp_path / "file")) == ""
    assert files.read_beginning(str(tmp_path / "file"), 10) == ""
    assert list(files.pieces(str(tmp_path / "file"), 10)) == []


@pytest.mark.parametrize("most_bytes", [1, 9, 10, 16_383, 16_384, 16_385, 40_000])
def test_a_file_of_just_so_many_bytes_is_read_and_one_of_a_byte_more_is_not(most_bytes: int, tmp_path: Path) -> None:
    path = str(tmp_path / "file")
    Path(path).write_bytes(b"x" * most_bytes)

    assert files.read(path, most_bytes) == "x" * most_bytes
    Path(path).write_bytes(b"x" * (most_bytes + 1))
    with pytest.raises(OSError, match="too large"):
        files.read(path, most_bytes)
    assert files.read_beginning(path, most_bytes) == "x" * most_bytes


def test_of_a_file_of_tebibytes_no_more_is_read_than_the_cap(tmp_path: Path) -> None:
    path = str(tmp_path / "file")
    Path(path).touch()
    os.truncate(path, 2**40)
    with pytest.raises(OSError, match="too large"):
        files.read(path)

    assert len(files.read_beginning(path, 3 * MIB)) == 3 * MIB
    assert len(next(files.pieces(path, MIB))) == MIB


def test_a_name_with_a_null_character_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="null"):
        files.read("a\0b")
