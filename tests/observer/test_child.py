"""The child process by itself."""

from __future__ import annotations

import importlib.util
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from colab_magics.observer import child
from fake_nvml import FakeDriver

PYNVML = importlib.util.find_spec("pynvml")


def command(*looks: int, **constants: float) -> list[str]:
    """Return what starts the child as the client does, with its patience shortened, in the process that runs it."""
    assert PYNVML is not None
    patience = "".join(f"child.{name} = {value};" for name, value in constants.items())
    code = (
        "import importlib.util, os, sys;"
        f"spec = importlib.util.spec_from_file_location('child', {child.__file__!r});"
        f"child = importlib.util.module_from_spec(spec); spec.loader.exec_module(child); {patience}"
        f"child.main(os.getppid(), {PYNVML.origin!r}, {looks})"
    )
    return [sys.executable, "-I", "-S", "-c", code]


def start(*looks: int, **constants: float) -> subprocess.Popen[bytes]:
    """Start the child; `looks` are the ends of the pipes for looks that are its."""
    return subprocess.Popen(command(*looks, **constants), stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=looks)


def test_it_ends_by_itself_when_nothing_is_asked(plug_in: Callable[..., FakeDriver]) -> None:
    plug_in("t4")
    with start(IDLE_SECONDS=0.3) as process:
        assert process.wait(5) == 0


def test_work_puts_the_end_off(plug_in: Callable[..., FakeDriver]) -> None:
    plug_in("t4")
    with start(IDLE_SECONDS=0.5) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for number in range(4):
            time.sleep(0.25)
            process.stdin.write(b'{"id": %d}\n' % number)
            process.stdin.flush()
            assert answered(process)["id"] == number


def ask(process: subprocess.Popen[bytes], request: str) -> dict[str, Any]:
    assert process.stdin is not None
    assert process.stdout is not None
    tell(process, request)
    return answered(process)


def answered(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    """Return the next answer, past the stages that the child tells."""
    assert process.stdout is not None
    while "stage" in (line := json.loads(process.stdout.readline())):
        pass
    return dict(line)


def tell(process: subprocess.Popen[bytes], request: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{request}\n".encode())
    process.stdin.flush()


def test_while_it_samples_it_does_not_end_for_want_of_questions(plug_in: Callable[..., FakeDriver]) -> None:
    plug_in("t4")
    with start(IDLE_SECONDS=0.3) as process:
        assert len(ask(process, '{"id": 1, "sample_every_seconds": 0.5}')["samples"]) == 1
        time.sleep(1.2)
        assert process.poll() is None
        # After 0, 0.2, 0.7 and, if it was not asked a moment before, 1.2 seconds.
        assert len(ask(process, '{"id": 2, "sample_every_seconds": 0.5}')["samples"]) in (3, 4)
        tell(process, '{"sample_every_seconds": null}')
        assert process.wait(5) == 0


def test_a_period_by_itself_is_no_question(plug_in: Callable[..., FakeDriver]) -> None:
    plug_in("t4")
    with start() as process:
        tell(process, '{"sample_every_seconds": 0.5}')
        time.sleep(0.7)
        answer = ask(process, '{"id": 1, "sample_every_seconds": 0.5}')
        assert process.stdin is not None
        process.stdin.close()

    assert answer["id"] == 1
    assert [sample["gpus"] for sample in answer["samples"]] == [[], []]  # no question had opened the driver


def test_while_it_measures_a_span_it_does_not_end_for_want_of_questions(plug_in: Callable[..., FakeDriver]) -> None:
    plug_in("t4")
    with start(IDLE_SECONDS=0.3) as process:
        tell(process, '{"begin_span": 1}')
        time.sleep(1)
        assert process.poll() is None
        assert ask(process, '{"id": 1, "end_span": 1}')["span"]["looks"] > 5
        assert ask(process, '{"id": 2, "end_span": 1}') == {"id": 2, "span": None}
        tell(process, '{"begin_span": 2, "with_gpus": false}')
        tell(process, '{"drop_span": 2}')
        assert process.wait(5) == 0


def test_it_ends_with_its_input(plug_in: Callable[..., FakeDriver]) -> None:
    plug_in("t4")
    with start() as process:
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(5) == 0


@pytest.mark.parametrize("where", ["load", "nvmlInitWithFlags"])
def test_stuck_in_the_driver_it_ends_without_anybody_s_help(where: str, plug_in: Callable[..., FakeDriver]) -> None:
    plug_in("t4", f"hang {where}")
    with start(STUCK_SECONDS=1) as process:
        assert process.stdin is not None
        process.stdin.write(b'{"id": 1}\n')
        process.stdin.flush()
        assert process.wait(5) == -14


def test_stuck_in_a_sample_it_ends_as_well(plug_in: Callable[..., FakeDriver], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_NVML_LIVE", "1")
    driver = plug_in("t4")
    with start(STUCK_SECONDS=1) as process:
        ask(process, '{"id": 1, "sample_every_seconds": 0.5}')
        driver.set("hang nvmlDeviceGetUtilizationRates")
        assert process.wait(5) == -14


def test_where_no_thread_can_be_had_it_answers_all_the_same() -> None:
    def refuse() -> None:
        raise RuntimeError("can't start new thread")

    child._start_thread(refuse)


# What it loads ----------------------------------------------------------------------------------------------------

OURS = {"colab_magics", "colab_magics.observer", "colab_magics.observer.devices", "colab_magics.observer.nvml"}
OF_PYTHON = {
    # What Python starts with, and what `os` needs.
    "abc", "builtins", "codecs", "encodings", "encodings.aliases", "encodings.utf_8", "genericpath", "io", "linecache",
    "marshal", "os", "os.path", "posix", "posixpath", "stat", "sys", "time", "zipimport",
    # What the child uses.
    "errno", "importlib", "importlib.abc", "importlib.machinery", "importlib.util", "json", "json.decoder",
    "json.encoder", "json.scanner", "select", "signal", "threading",
    # What these and the binding use.
    "collections", "collections.abc", "contextlib", "copyreg", "ctypes", "enum", "functools", "itertools", "keyword",
    "operator", "re", "reprlib", "string", "struct", "types", "warnings", "weakref",
}  # fmt: skip


def test_it_loads_no_more_than_it_needs_for_its_first_answer(plug_in: Callable[..., FakeDriver]) -> None:
    plug_in("t4")
    *python, code = command()
    code += ";import sys; sys.stderr.write(' '.join(sys.modules))"
    asked = subprocess.run([*python, code], input=b'{"id": 1}\n', capture_output=True, check=True)
    loaded = {name for name in asked.stderr.decode().split() if not name.startswith("_") and "._" not in name}

    assert b'"Tesla T4"' in asked.stdout
    assert loaded - OF_PYTHON == {*OURS, "pynvml"}


# What it inherits -------------------------------------------------------------------------------------------------

SIGNALS = {signal.SIGALRM, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD, signal.SIGUSR1, signal.SIGRTMIN}


@pytest.fixture(params=["ignored", "blocked"])
def deaf(request: pytest.FixtureRequest) -> Iterator[None]:
    """This process, and so each that it starts, ignores signals or has them blocked."""
    if request.param == "blocked":
        before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        yield
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return
    handlers = {number: signal.signal(number, signal.SIG_IGN) for number in SIGNALS - {signal.SIGCHLD}}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


def ended(process: subprocess.Popen[bytes]) -> int:
    """Return how a child has ended that must have ended by now; whom nothing else would end is killed."""
    try:
        return process.wait(5)
    finally:
        process.kill()


def mask_of(pid: int, name: str) -> int:
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return next(int(line.split()[1], 16) for line in file if line.startswith(f"{name}:"))


def test_no_signal_is_blocked_or_ignored_that_this_process_blocks_or_ignores(
    deaf: None, plug_in: Callable[..., FakeDriver]
) -> None:
    plug_in("t4")
    with start() as process:
        ask(process, '{"id": 1}')
        ours = sum(1 << number - 1 for number in SIGNALS)
        assert mask_of(process.pid, "SigIgn") & ours == 0
        assert mask_of(process.pid, "SigBlk") == 0
        assert mask_of(process.pid, "SigIgn") & 1 << signal.SIGINT - 1  # Ctrl-C is for the kernel
        process.terminate()
        assert ended(process) == -signal.SIGTERM


@pytest.mark.parametrize("where", ["load", "nvmlInitWithFlags"])
def test_stuck_in_the_driver_it_ends_also_where_the_alarm_is_ignored_or_blocked(
    where: str, deaf: None, plug_in: Callable[..., FakeDriver]
) -> None:
    plug_in("t4", f"hang {where}")
    with start(STUCK_SECONDS=1) as process:
        tell(process, '{"id": 1}')
        assert ended(process) == -signal.SIGALRM


KERNEL = """
import os, signal, subprocess, sys
signal.signal(signal.SIGALRM, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM, signal.SIGTERM])
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
child.stdin.write(b'{"id": 1}\\n')
child.stdin.flush()
print(child.pid, flush=True)
signal.pause()
"""


def test_a_library_that_blocks_while_it_is_loaded_does_not_outlive_a_killed_kernel(
    plug_in: Callable[..., FakeDriver],
) -> None:
    """The loader holds Python's lock: neither the thread that watches the kernel runs, nor the end of input is read."""
    driver = plug_in("t4", "hang load")
    with subprocess.Popen([sys.executable, "-c", KERNEL, *command(STUCK_SECONDS=2)], stdout=subprocess.PIPE) as kernel:
        assert kernel.stdout is not None
        left = os.pidfd_open(int(kernel.stdout.readline()))
        until = time.monotonic() + 5
        while driver.calls() != ["load"]:
            assert time.monotonic() < until
            time.sleep(0.01)
        kernel.kill()
        kernel.wait()
    try:
        assert not select.select([left], [], [], 0.3)[0]  # nobody but the alarm ends it
        has_ended = bool(select.select([left], [], [], 5)[0])
        if not has_ended:
            signal.pidfd_send_signal(left, signal.SIGKILL)
        assert has_ended
    finally:
        os.close(left)


# What it is told --------------------------------------------------------------------------------------------------

NO_REQUESTS = {
    "no JSON": b"stop\n",
    "a list": b"[]\n",
    "nested": b"[" * 60_000 + b"\n",
    "digits": b'{"id": ' + b"9" * 5000 + b"}\n",
    "fields that are none": b'{"sample_every_seconds": "x"}\n',
    "bytes": bytes(range(11, 256)) + b"\n",
    "no end": b"x" * (child.LONGEST_REQUEST_BYTES + 1),
}


@pytest.mark.parametrize("said", NO_REQUESTS.values(), ids=NO_REQUESTS)
def test_what_is_no_request_ends_it_without_a_word(said: bytes) -> None:
    with start() as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(said)
        process.stdin.flush()
        assert ended(process) == 0
        assert process.stdout.read() == b'{"stage":"up"}\n'


@pytest.mark.parametrize("said", NO_REQUESTS.values(), ids=NO_REQUESTS)
def test_what_is_no_request_for_a_look_ends_it_too(said: bytes) -> None:
    requests, to_child = os.pipe()
    from_child, replies = os.pipe()
    with start(requests, replies) as process:
        os.close(requests)
        os.close(replies)
        os.write(to_child, said[:65536])
        os.write(to_child, said[65536:])
        assert ended(process) == 0
        assert os.read(from_child, 100) == b""
    os.close(to_child)
    os.close(from_child)
