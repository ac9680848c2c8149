"""The child process by itself."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from colab_magics.observer import child
from fake_nvml import FakeDriver

PYNVML = importlib.util.find_spec("pynvml")


def start(**constants: float) -> subprocess.Popen[bytes]:
    """Start the child as the client does, with its patience shortened."""
    assert PYNVML is not None
    patience = "".join(f"child.{name} = {value};" for name, value in constants.items())
    code = (
        "import importlib.util, sys;"
        f"spec = importlib.util.spec_from_file_location('child', {child.__file__!r});"
        f"child = importlib.util.module_from_spec(spec); spec.loader.exec_module(child); {patience}"
        f"child.main({os.getpid()}, {PYNVML.origin!r})"
    )
    return subprocess.Popen([sys.executable, "-I", "-S", "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)


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
        assert len(ask(process, '{"id": 2, "sample_every_seconds": 0.5}')["samples"]) == 3
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
