"""Files that are missing, refused, cut short, or full of nonsense, each that a probe reads in turn.

Nobody lists these files: a probe looks once at a machine that is whole, what it opens is noted, and each of that is
then stood in for. A file that is read in future is among them.
"""

from __future__ import annotations

import dataclasses
import math
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

import hostile
from builders import GIB, MIB
from colab_magics.model import Cpu, Disk, Ram, Unavailable, Usage
from colab_magics.views.messages import FIELD_REASONS, REASONS
from whole_machines import MACHINES, Files, opened_by

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="nowhere else are there such files")

# What can be wrong with a file. -------------------------------------------------------------------------------------

Put = Callable[[Path], object]


def of(content: bytes) -> Put:
    return lambda path: path.write_bytes(content)


TELLS_NOTHING: dict[str, Put] = {
    **hostile.FILES,
    "a folder": Path.mkdir,
    "blank": of(b" \n\n"),
    "not UTF-8": of(b"\xff\xfe\xe9\x80 \xff\n" * 8),
    "40 digits": of(b"9" * 40 + b"\n"),
    "5000 digits": of(b"9" * 5000 + b"\n"),
    "2**64 - 1": of(b"18446744073709551615\n"),
    "negative": of(b"-1\n"),
    "MiBs in one line": of(b"\xff" * (2 * MIB)),
    "MiBs in lines": of(b"x: 0x y\n" * (MIB // 4)),
}
"""Puts something in place of a file; it is as good as one that is not there."""

HOLDS_UP_PSUTIL = ("huge", "endless", "blocking")
"""What is not tried where psutil opens a file: it reads /proc alone, which is the kernel's own."""


def with_numbers(number: bytes) -> Callable[[bytes], bytes]:
    return lambda content: re.sub(rb"\d+", number, content)


TELLS_WHAT_MAY_BE_WRONG: dict[str, Callable[[bytes], bytes]] = {
    "cut in half": lambda content: content[: len(content) // 2],
    "cut in its last word": lambda content: content.rstrip()[:-1],
    "every number of 40 digits": with_numbers(b"9" * 40),
    "every number of 5000 digits": with_numbers(b"9" * 5000),
    "every number 2**64 - 1": with_numbers(b"18446744073709551615"),
    "every number 2**60": with_numbers(b"1152921504606846976"),
    "every number negative": with_numbers(b"-1"),
    "every number 0": with_numbers(b"0"),
    "without numbers": with_numbers(b"lots"),
    "without its line ends": lambda content: content.replace(b"\n", b""),
    "twice": lambda content: content * 2,
    "goes on for MiBs": lambda content: content + b"\xffx 1\n" * (MIB // 2),
}


@pytest.fixture(scope="module")
def child() -> Iterator[int]:
    """A process below this one that is named as a kernel is."""
    with subprocess.Popen(["/bin/sh", "-c", "read _", "kernel-1.json"], stdin=subprocess.PIPE) as process:
        yield process.pid
        process.communicate()


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch, child: int) -> Files:
    """Files as they are so far; of the processes, two do not come and go."""
    monkeypatch.setattr(psutil, "pids", lambda: [os.getpid(), child])
    return Files(monkeypatch)


# What must hold. ----------------------------------------------------------------------------------------------------


def leaves(thing: object, name: str = "") -> Iterator[tuple[str, Any]]:
    """Return all that a value holds in the end, by names such as ".machine.total_bytes"."""
    if dataclasses.is_dataclass(thing):
        parts = {field.name: getattr(thing, field.name) for field in dataclasses.fields(thing)}
    elif isinstance(thing, tuple | list):
        parts = dict(enumerate(thing))
    else:
        yield name, thing
        return
    yield name, type(thing).__name__
    for part, held in parts.items():
        yield from leaves(held, f"{name}.{part}")


def parts(thing: object) -> Iterator[object]:
    yield thing
    if isinstance(thing, tuple | list):
        for part in thing:
            yield from parts(part)
    elif dataclasses.is_dataclass(thing):
        for field in dataclasses.fields(thing):
            yield from parts(getattr(thing, field.name))


def what_cannot_be(seen: object) -> list[str]:
    """Return what is said that cannot be."""
    wrong = [f"{name} = {value}" for name, value in leaves(seen) if not can_be(name.rpartition(".")[2], value)]
    return wrong + [str(part) for part in parts(seen) if not agrees_with_itself(part)]


def can_be(field: str, value: object) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return True
    if field.endswith("_bytes"):
        return isinstance(value, int) and 0 <= value < 2**60
    if field.endswith("cores") or field == "total_inodes":
        return 0 < value < 2**60
    return math.isfinite(value) and 0 <= value < 2**60


def agrees_with_itself(part: object) -> bool:
    match part:
        case Unavailable():
            return part.code in {*REASONS, *FIELD_REASONS} - {"unexpected"}
        case Usage():
            return part.used_bytes <= part.total_bytes
        case Disk():
            return part.usage is None or (part.free_bytes or 0) <= part.usage.total_bytes
        case Cpu():
            return part.usable_cores <= part.logical_cores
        case Ram():
            return (
                part.available_bytes <= part.machine.total_bytes
                and part.headroom_bytes <= part.limit_bytes
                and 0 < part.capacity_bytes <= min(part.machine.total_bytes, part.limit_bytes)
                and (part.kernel_bytes or 0) <= part.machine.total_bytes
                and {reason for _, reason in part.unavailable} <= set(FIELD_REASONS)
            )
    return True


def invented(seen: object, without: object, whole: object) -> list[str]:
    """Return the figures of a look that are told neither without the file nor by it, and whether a section is lost."""
    if type(seen) is not type(without):
        return [f"{seen}, not {without}"]
    told = [dict(leaves(without)), dict(leaves(whole))]
    return [
        f"{name}: {figure}, not {[others.get(name) for others in told]}"
        for name, figure in leaves(seen)
        if isinstance(figure, int | float) and not isinstance(figure, bool)
        if not any(is_like(name, figure, others.get(name)) for others in told)
    ]


def is_like(name: str, figure: float, other: object) -> bool:
    """Tell whether a figure is another one, but for what goes on meanwhile on the machine that runs the tests."""
    moves = {"used_bytes": GIB, "load_average": 5.0}.get(name.rpartition(".")[2], 0)
    return type(figure) is type(other) and figure == pytest.approx(other, rel=0.5, abs=moves)


def tells_none(path: str, bad: Path) -> bool:
    """Tell whether a file with that in it says that there is nothing: most processes have no children.

    A FIFO that nobody writes to is as an empty file, where the kernel's own files are not asked what kind they are.
    """
    is_blank = bad.is_file() and bad.stat().st_size < MIB and not bad.read_bytes().strip()
    return path.endswith("/children") and (is_blank or bad.is_fifo())


@pytest.mark.filterwarnings("ignore::RuntimeWarning:psutil")
@pytest.mark.parametrize("machine", MACHINES)
def test_a_whole_machine_is_told_in_full(machine: str, tmp_path: Path, files: Files, child: int) -> None:
    look = MACHINES[machine](tmp_path, child)

    assert opened_by(look, files)
    assert what_cannot_be(files.look(look)) == []


@pytest.mark.filterwarnings("ignore::RuntimeWarning:psutil")
@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("wrong", ["not allowed", *TELLS_NOTHING])
def test_a_file_that_tells_nothing_is_as_one_that_is_not_there(
    wrong: str, machine: str, tmp_path: Path, files: Files, child: int
) -> None:
    """So no figure is made of it: each is another source's that is there without it, or not known."""
    look = MACHINES[machine](tmp_path / "root", child)
    bad = tmp_path / "bad"
    if wrong in TELLS_NOTHING:
        TELLS_NOTHING[wrong](bad)
    stand_in = PermissionError(13, "Permission denied") if wrong == "not allowed" else str(bad)
    failed = []
    paths = opened_by(look, files)
    whole = files.look(look)
    for path in paths:
        if tells_none(path, bad):
            continue
        without = files.look(look, path, str(tmp_path / "none"))
        if wrong in HOLDS_UP_PSUTIL and path in files.opened_by_others:
            continue
        seen = files.look(look, path, stand_in)
        assert files.has_stood_in
        wrong_now = what_cannot_be(without) + what_cannot_be(seen) + invented(seen, without, whole)
        failed += [f"{path}: {what}" for what in wrong_now]

    assert failed == []


@pytest.mark.filterwarnings("ignore::RuntimeWarning:psutil")
@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("wrong", TELLS_WHAT_MAY_BE_WRONG)
def test_whatever_a_file_tells_no_figure_cannot_be(
    wrong: str, machine: str, tmp_path: Path, files: Files, child: int
) -> None:
    look = MACHINES[machine](tmp_path / "root", child)
    bad, failed = tmp_path / "bad", []
    for path in opened_by(look, files):
        content = Path(path).read_bytes() if os.path.exists(path) else b"1\n"
        bad.write_bytes(TELLS_WHAT_MAY_BE_WRONG[wrong](content))
        seen = files.look(look, path, str(bad))
        assert files.has_stood_in
        failed += [f"{path}: {what}" for what in what_cannot_be(seen)]

    assert failed == []
