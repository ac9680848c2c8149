"""The shell command, run as a user runs it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from fake_nvml import FakeDriver


def command(*options: str, folder: Path, timeout: float = 20) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "colab_magics", *options],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def test_it_shows_the_whole_runtime(tmp_path: Path, plug_in: Callable[..., FakeDriver]) -> None:
    plug_in("t4")
    done = command(folder=tmp_path)

    assert done.returncode == 0
    assert done.stderr == ""
    assert done.stdout.startswith("Tesla T4: ")
    assert "RAM: " in done.stdout


def test_json_has_every_section(tmp_path: Path, plug_in: Callable[..., FakeDriver]) -> None:
    plug_in("t4")
    done = command("--json", folder=tmp_path)

    assert done.stdout.count("\n") == 1
    seen = json.loads(done.stdout)
    assert seen.keys() == {
        "schema",
        "taken_at",
        "platform",
        "driver",
        "gpus",
        "frameworks",
        "tpus",
        "ram",
        "disk",
        "cpu",
        "advice",
    }
    assert seen["platform"]["ipython_version"] is None


def test_a_user_s_json_py_and_select_py_beside_it_are_not_run(
    tmp_path: Path, plug_in: Callable[..., FakeDriver]
) -> None:
    plug_in("t4")
    for module in ("json", "select", "argparse", "tomllib", "dataclasses", "enum", "subprocess", "pynvml", "psutil"):
        (tmp_path / f"{module}.py").write_text("open('was-run', 'a').write(__name__)\n")
    done = command("--json", folder=tmp_path)

    assert done.stderr == ""
    assert json.loads(done.stdout)["gpus"][0]["name"] == "Tesla T4"
    assert not (tmp_path / "was-run").exists()


@pytest.mark.parametrize("where", ["nvmlInitWithFlags", "nvmlDeviceGetCount_v2", "load"])
def test_under_a_hanging_driver_it_ends_within_its_deadline_and_leaves_no_process(
    where: str, tmp_path: Path, plug_in: Callable[..., FakeDriver]
) -> None:
    driver = plug_in("t4", f"hang {where}")
    started = time.monotonic()
    done = command(folder=tmp_path)

    assert time.monotonic() - started < 5
    assert done.returncode == 0
    assert re.match(r"The NVIDIA driver is still starting \(3(\.\d)? s\)\.", done.stdout)
    assert "RAM: " in done.stdout
    marker = str(driver.library.parent)
    left = []
    for process in psutil.process_iter():
        try:
            if marker in process.environ().get("LD_LIBRARY_PATH", "") and process.pid != os.getpid():
                left.append(process)
        except psutil.Error:
            continue
    assert left == []


def test_a_console_without_the_degree_sign_is_no_reason_to_fail(
    tmp_path: Path, plug_in: Callable[..., FakeDriver], monkeypatch: pytest.MonkeyPatch
) -> None:
    plug_in("t4")
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    done = command(folder=tmp_path)

    assert done.returncode == 0
    assert "43 ?C" in done.stdout


def test_a_wrong_option_is_said_and_fails(tmp_path: Path) -> None:
    done = command("--bogus", folder=tmp_path)

    assert done.returncode == 2
    assert "unrecognized arguments: --bogus" in done.stderr
