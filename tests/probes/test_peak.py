"""The peak of a span, against a known size that lives a millisecond; and what is left where the record is refused."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import mmap
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from builders import MIB
from colab_magics.model.cells import PeakMethod
from colab_magics.probes import peak
from colab_magics.probes.peak import Peak, Span
from composed import why_not

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")

KNOWN = 500 * MIB


def touched(size: int, *, library: Callable[..., ctypes.CDLL] = ctypes.CDLL) -> None:
    """Have memory of this size for a moment: a `PyDLL` holds the interpreter's lock meanwhile."""
    memory = mmap.mmap(-1, size)
    start = ctypes.c_char.from_buffer(memory)
    library(None).memset(ctypes.byref(start), 1, ctypes.c_size_t(size))
    time.sleep(0.001)
    del start
    memory.close()


def in_a_thread() -> None:
    thread = threading.Thread(target=touched, args=(KNOWN,))
    thread.start()
    thread.join()


def awaited() -> None:
    async def work() -> None:
        await asyncio.sleep(0)
        touched(KNOWN)
        await asyncio.sleep(0)

    asyncio.run(work())


def with_numpy() -> None:
    numpy = pytest.importorskip("numpy", reason="numpy is installed by nox -s tests_libraries alone")
    numpy.ones(KNOWN, dtype=numpy.uint8)


def python_s_own() -> None:
    b"\1" * KNOWN


WAYS = {
    "plain": lambda: touched(KNOWN),
    "with the interpreter's lock held": lambda: touched(KNOWN, library=ctypes.PyDLL),
    "a thread's": in_a_thread,
    "awaited": awaited,
    "Python's own": python_s_own,
}


def over_start(seen: Peak) -> int:
    assert seen.peak_bytes is not None
    assert seen.before_bytes is not None
    return seen.peak_bytes - seen.before_bytes


@on_linux
@pytest.mark.parametrize(
    "work",
    [
        *(pytest.param(work, id=name) for name, work in WAYS.items()),
        pytest.param(with_numpy, id="numpy's", marks=pytest.mark.libraries),
    ],
)
def test_what_lived_a_moment_is_known_to_2_mib(work: Callable[[], None]) -> None:
    work()  # what it imports and keeps is of no interest
    gc.collect()
    span = Span()
    work()
    seen = span.end()

    assert seen.method is PeakMethod.RESET
    assert seen.error_bytes is not None
    assert abs(over_start(seen) - KNOWN) <= max(2 * MIB, seen.error_bytes)
    assert seen.after_bytes is not None
    assert seen.before_bytes is not None
    assert abs(seen.after_bytes - seen.before_bytes) <= max(2 * MIB, seen.error_bytes)


@on_linux
def test_an_older_peak_is_of_no_matter() -> None:
    touched(KNOWN)
    span = Span()
    touched(100 * MIB)

    assert over_start(span.end()) == pytest.approx(100 * MIB, abs=2 * MIB)


@on_linux
def test_a_span_within_another_leaves_it_its_peak() -> None:
    outer = Span()
    touched(KNOWN)
    inner = Span()
    touched(100 * MIB)

    assert over_start(inner.end()) == pytest.approx(100 * MIB, abs=2 * MIB)
    assert over_start(outer.end()) == pytest.approx(KNOWN, abs=2 * MIB)


@on_linux
def test_spans_that_overlap_have_each_its_own() -> None:
    first = Span()
    touched(200 * MIB)
    second = Span()
    touched(100 * MIB)
    of_first = over_start(first.end())
    touched(300 * MIB)

    assert of_first == pytest.approx(200 * MIB, abs=2 * MIB)
    assert over_start(second.end()) == pytest.approx(300 * MIB, abs=2 * MIB)


@on_linux
def test_the_peak_after_an_inner_span_is_the_outer_s_too() -> None:
    outer = Span()
    Span().end()
    touched(200 * MIB)

    assert over_start(outer.end()) == pytest.approx(200 * MIB, abs=2 * MIB)


@on_linux
def test_a_span_that_nobody_ends_is_forgotten() -> None:
    before = len(peak._open)
    span = Span()
    assert len(peak._open) == before + 1
    del span
    gc.collect()

    assert len(peak._open) == before


@on_linux
def test_the_greatest_ever_outlives_a_reset() -> None:
    touched(KNOWN)
    greatest = peak.greatest_bytes()
    Span().end()

    assert greatest is not None
    assert greatest >= KNOWN
    assert peak.greatest_bytes() == greatest


def in_a_process(code: str, *, within: tuple[str, ...] = ()) -> str:
    """Run code after this file's names in a Python of its own, which works where a mount or a user is another."""
    path = [str(Path(__file__).parent), *sys.path]
    preamble = f"import sys; sys.path[:0] = {path!r}; from test_peak import *\n"
    done = subprocess.run([*within, sys.executable, "-c", preamble + code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


_TWICE = """
record = peak.greatest_bytes()  # what it was before it became this program counts, too
span = Span(); touched(record); first = span.end()
span = Span(); touched(record // 2); second = span.end()
third = Span().end(sampled_bytes=2**40)
print(first.method, abs(over_start(first) - record) < 2 * MIB)
print(second.method, second.peak_bytes, second.error_bytes, second.before_bytes > 0)
print(third.method, third.peak_bytes, third.error_bytes)
"""

REFUSED = "record True\nNone None None True\nsampled 1099511627776 None"
"""A new record of the process's life is known, a lesser peak is not; what was sampled is said to be that."""

_NOT_DUMPABLE = """
import ctypes
os.setgroups([]); os.setuid(65534)
assert ctypes.CDLL(None).prctl(4, 0, 0, 0, 0) == 0  # PR_SET_DUMPABLE
"""


@on_linux
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may become somebody else")
def test_a_process_that_may_not_be_looked_into_has_the_record_of_its_life() -> None:
    assert in_a_process(_NOT_DUMPABLE + _TWICE) == REFUSED


@on_linux
@pytest.mark.skipif(bool(why_not()), reason=str(why_not()))
def test_a_proc_that_may_only_be_read_leaves_the_same() -> None:
    mounted = ("unshare", "-m", "sh", "-c", 'mount -o remount,ro,bind /proc && exec "$@"', "sh")

    assert in_a_process(_TWICE, within=mounted) == REFUSED


@on_linux
@pytest.mark.skipif(bool(why_not()), reason=str(why_not()))
def test_a_proc_without_such_a_file_leaves_the_same() -> None:
    hidden = ("unshare", "-m", "sh", "-c", 'mount -t tmpfs none /proc && exec "$@"', "sh")
    shown = in_a_process("print(Span().end())", within=hidden)

    assert "method=None" in shown
    assert "peak_bytes=None" in shown


def a_group(root: Path, peak_bytes: int) -> Path:
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text("0::/a\n")
    (root / "proc/self/mountinfo").write_text("30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n")
    folder = root / "sys/fs/cgroup/a"
    folder.mkdir(parents=True)
    (folder / "memory.peak").write_text(f"{peak_bytes}\n")
    return folder / "memory.peak"


@pytest.fixture
def group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the record of a control group: reset, it tells 7 GB, as the kernel does of what is used then."""
    file = a_group(tmp_path, 9_000_000_000)
    write = os.write

    def reset(descriptor: int, content: bytes) -> int:
        if content == b"reset\n":
            file.write_text("7000000000\n")
            return len(content)
        return write(descriptor, content)

    monkeypatch.setattr(os, "write", reset)
    return file


@on_linux
def test_the_control_group_s_record_tells_what_it_grew_by(tmp_path: Path, group: Path) -> None:
    span = Span(root=str(tmp_path))
    group.write_text("7300000000\n")
    seen = span.end()

    assert seen.method is PeakMethod.CGROUP
    assert over_start(seen) == 300_000_000


@on_linux
def test_a_group_s_record_that_the_user_s_code_has_closed_is_left_alone(tmp_path: Path, group: Path) -> None:
    span = Span(root=str(tmp_path))
    assert span._group is not None
    os.close(span._group._descriptor)
    other = os.open("/dev/null", os.O_RDONLY)
    assert other == span._group._descriptor

    assert span.end().method is None
    os.close(other)  # still open: it was not ours


@on_linux
def test_a_group_s_record_that_cannot_be_reset_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_group(tmp_path, 9_000_000_000)

    def refused(descriptor: int, content: bytes) -> int:
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr(os, "write", refused)
    open_before = len(os.listdir("/proc/self/fd"))

    assert Span(root=str(tmp_path)).end().method is None
    assert len(os.listdir("/proc/self/fd")) == open_before


@on_linux
def test_a_forked_process_does_not_end_its_parent_s_span() -> None:
    code = """
span = Span()
child = os.fork()
if not child:
    assert span.end() == Peak(None, None, None, None, None)
    assert Span().end().method is PeakMethod.RESET
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
print(span.end().method)
"""
    assert in_a_process(code) == "reset"


@on_linux
@pytest.mark.parametrize(
    ("processors", "release", "error"),
    [(2, (6, 2), 2 * 32), (96, (6, 18), 96 * 192), (96, (6, 1), 64), (2, (4, 4), 64)],
)
def test_more_processors_make_it_less_exact(
    processors: int, release: tuple[int, int], error: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peak, "_processors", lambda: processors)
    monkeypatch.setattr(peak, "_linux_version", lambda: release)
    monkeypatch.setattr(peak, "_threads", lambda: 1)

    assert peak._error_bytes() == error * peak._PAGE_BYTES


def test_elsewhere_than_on_linux_a_new_record_is_exact_and_all_else_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    told = iter([100, 300, 300, 300])
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(peak, "_maxrss_bytes", lambda _who: next(told))
    monkeypatch.setattr(peak, "_greatest_bytes", 0)
    monkeypatch.setattr(peak, "_resident_bytes", lambda _pid: 90)
    monkeypatch.setattr(peak, "_status", lambda _root: {})

    assert Span().end() == Peak(90, 90, 300, PeakMethod.RECORD, None)
    assert Span().end() == Peak(90, 90, None, None, None)


def test_the_largest_child_is_read() -> None:
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    told = peak.largest_child_bytes()

    assert (told is None) == (sys.platform == "win32")
    assert told is None or told > MIB
