"""The child process by itself."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable

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
            assert json.loads(process.stdout.readline())["id"] == number


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
