"""The shell command, run as a user runs it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

import colab_magics
import documents
from colab_magics.options import COMMAND, SHORT_WAIT_SECONDS
from colab_magics.views import json as view
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
    seen = documents.read(done.stdout)
    assert list(seen) == [
        "schema",
        "version",
        "taken_at",
        "subject",
        "summary",
        "platform",
        "driver",
        "gpus",
        "visible_gpus",
        "tpus",
        "frameworks",
        "ram",
        "disks",
        "cpu",
        "unavailable",
        "findings",
        "requirement",
    ]
    assert seen["platform"]["ipython_version"] is None


MODULES = (
    "__future__",
    "argparse",
    "dataclasses",
    "enum",
    "json",
    "psutil",
    "pynvml",
    "select",
    "subprocess",
    "tomllib",
)


@pytest.mark.parametrize("path", [None, "{folder}", "/nowhere:{folder}/", "{folder}/link"])
def test_a_user_s_json_py_and_select_py_beside_it_are_not_run(
    path: str | None, tmp_path: Path, plug_in: Callable[..., FakeDriver], monkeypatch: pytest.MonkeyPatch
) -> None:
    plug_in("t4")
    for module in MODULES:
        (tmp_path / f"{module}.py").write_text("open('was-run', 'a').write(__name__)\n")
    (tmp_path / "link").symlink_to(".")
    if path is not None:
        monkeypatch.setenv("PYTHONPATH", path.format(folder=tmp_path))
    done = command("--json", folder=tmp_path)

    assert done.stderr == ""
    assert documents.read(done.stdout)["gpus"][0]["name"] == "Tesla T4"
    assert command("autoload", "status", folder=tmp_path).returncode == 0
    assert not (tmp_path / "was-run").exists()


def test_a_clone_runs_where_it_lies_and_what_lies_beside_it_takes_nobody_s_place(
    tmp_path: Path, plug_in: Callable[..., FakeDriver]
) -> None:
    plug_in("t4")
    package = Path(colab_magics.__file__).parent
    shutil.copytree(package, tmp_path / "colab_magics", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "json.py").write_text("open('was-run', 'a').write(__name__)\n")
    done = command("--json", folder=tmp_path)

    assert documents.read(done.stdout)["gpus"][0]["name"] == "Tesla T4"
    assert not (tmp_path / "was-run").exists()


@pytest.mark.parametrize("where", ["nvmlInitWithFlags", "nvmlDeviceGetCount_v2", "load"])
def test_under_a_hanging_driver_it_ends_within_its_deadline_and_leaves_no_process(
    where: str, tmp_path: Path, plug_in: Callable[..., FakeDriver]
) -> None:
    driver = plug_in("t4", f"hang {where}")
    started = time.monotonic()
    done = command(folder=tmp_path)

    assert SHORT_WAIT_SECONDS < time.monotonic() - started < SHORT_WAIT_SECONDS + 6
    assert done.returncode == 0
    assert re.match(
        r"The NVIDIA driver has not answered for [67](\.\d)? s: it starts very slowly, or it\s+hangs\.", done.stdout
    )
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


def test_a_driver_that_takes_its_time_is_waited_for(tmp_path: Path, plug_in: Callable[..., FakeDriver]) -> None:
    plug_in("eight-a100", "slow nvmlInitWithFlags = 4")

    assert command(folder=tmp_path).stdout.startswith("8 x NVIDIA A100-SXM4-40GB: ")
    at_once = command("--wait", "0", folder=tmp_path)
    assert re.match(r"The NVIDIA driver is still starting \(3(\.\d)? s\)\.", at_once.stdout)
    assert (at_once.returncode, at_once.stderr) == (0, "")


def test_with_a_requirement_it_is_waited_for_longer(tmp_path: Path, plug_in: Callable[..., FakeDriver]) -> None:
    """nvidia-container-toolkit#202, nvidia-docker#628."""
    plug_in("eight-a100", "slow nvmlInitWithFlags = 7.5")
    done = command("--require", "gpus>=9", folder=tmp_path)

    assert done.returncode == 1
    assert done.stderr.startswith("Requirement not met: gpus >= 9.\nThere is: 8 x NVIDIA A100-SXM4-40GB with 40.0 GiB.")
    assert done.stdout.startswith("8 x NVIDIA A100-SXM4-40GB: ")


@pytest.mark.parametrize("options", [(), ("--json",)], ids=["text", "json"])
def test_what_could_not_be_checked_is_said_on_standard_error(
    options: tuple[str, ...], tmp_path: Path, plug_in: Callable[..., FakeDriver]
) -> None:
    plug_in("eight-a100", "slow nvmlInitWithFlags = 60")
    passed = command("-r", "gpus>=9, python>=3.11", "--wait", "0", *options, folder=tmp_path)
    strict = command("-r", "gpus>=9", "--strict", "--wait", "0", *options, folder=tmp_path)

    assert passed.returncode == 0
    (line,) = passed.stderr.splitlines()
    assert re.fullmatch(
        r"Not known, so not checked: gpus >= 9\. The NVIDIA driver is still starting \(3(\.\d)? s\)\.", line
    )
    assert "not checked" not in passed.stdout
    if options:
        assert documents.read(passed.stdout)["schema"] == 2
    assert strict.returncode == 1
    assert strict.stderr.startswith("Requirement not known to be met: gpus >= 9.")


def test_a_time_that_is_none_is_said_and_fails(tmp_path: Path) -> None:
    done = command("--wait", "soon", folder=tmp_path)

    assert done.returncode == 2
    assert "'soon' is no time to wait. Allowed: seconds from 0 to 3600" in done.stderr


def test_a_console_without_the_degree_sign_is_no_reason_to_fail(
    tmp_path: Path, plug_in: Callable[..., FakeDriver], monkeypatch: pytest.MonkeyPatch
) -> None:
    plug_in("t4")
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    done = command(folder=tmp_path)

    assert done.returncode == 0
    assert "43 ?C" in done.stdout


def shell(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a line of sh in which `$ours` is the command."""
    ours = f"{sys.executable} -m colab_magics"
    return subprocess.run(["sh", "-c", line.replace("$ours", ours)], cwd=folder, capture_output=True, text=True,
                          timeout=30, check=False)  # fmt: skip


@pytest.mark.parametrize("line", ["$ours >&-", "$ours --json >&- 2>&- <&-", "$ours --bogus >&- 2>&-; test $? = 2"])
def test_where_its_streams_are_closed_it_exits_quietly(line: str, tmp_path: Path) -> None:
    done = shell(line, tmp_path)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_where_its_reader_has_ended_it_exits_quietly(tmp_path: Path) -> None:
    done = shell("{ $ours -j; echo $? >&2; } | :", tmp_path)

    assert (done.stdout, done.stderr) == ("", "0\n")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
def test_a_report_that_could_not_be_written_is_a_failure(tmp_path: Path) -> None:
    done = shell("$ours -j > /dev/full", tmp_path)

    assert done.returncode == 3
    assert done.stderr == "The answer could not be written: No space left on device.\n"


def test_a_language_that_the_stream_cannot_write_is_not_spoken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "zh_CN")
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    assert command(folder=tmp_path).stdout.startswith("Not connected to a GPU.")
    monkeypatch.setenv("PYTHONIOENCODING", "utf-8")
    monkeypatch.setenv("PYTHONUTF8", "1")
    assert command(folder=tmp_path).stdout.startswith("未连接到 GPU")


def test_a_wrong_option_is_said_and_fails(tmp_path: Path) -> None:
    done = command("--bogus", folder=tmp_path)

    assert done.returncode == 2
    assert "unrecognized arguments: --bogus" in done.stderr


@pytest.mark.parametrize(
    "words", [["--wait", "-1"], ["-j", "-q"], ["schema", "gpu"], ["gpus"], ["-r", "gpuu"], ["-r", ""], ["gpu", "0"]]
)
def test_a_line_that_cannot_be_read_is_one_line_on_standard_error(words: list[str], tmp_path: Path) -> None:
    done = command(*words, folder=tmp_path)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "subject", "first"),
    [
        ([], "runtime", "Tesla T4: "),
        (["status"], "runtime", "Tesla T4: "),
        (["gpu"], "gpu", "Tesla T4: "),
        (["ram"], "ram", "RAM: "),
    ],
)
def test_each_word_has_its_report(
    words: list[str], subject: str, first: str, tmp_path: Path, plug_in: Callable[..., FakeDriver]
) -> None:
    plug_in("t4")
    short, full, as_json = (command(*words, *more, folder=tmp_path) for more in ([], ["-a"], ["-j"]))

    assert (short.returncode, short.stderr) == (full.returncode, full.stderr) == (as_json.returncode, as_json.stderr)
    assert (short.returncode, short.stderr) == (0, "")
    assert short.stdout.startswith(first)
    assert full.stdout.startswith(first)
    assert full.stdout.count("\n") > short.stdout.count("\n") + 5
    seen = documents.read(as_json.stdout)
    assert seen["subject"] == subject
    assert ("gpus" in seen) is (subject != "ram")


def test_quiet_shows_nothing_but_what_a_requirement_has_to_say(
    tmp_path: Path, plug_in: Callable[..., FakeDriver]
) -> None:
    plug_in("t4")
    met, unmet = (command("-q", "-r", expression, folder=tmp_path) for expression in ("gpu=T4", "gpu=A100"))

    assert (met.returncode, met.stdout, met.stderr) == (0, "", "")
    assert (unmet.returncode, unmet.stdout) == (1, "")
    assert unmet.stderr.startswith("Requirement not met: gpu = A100.\nThere is: Tesla T4 with 15.0 GiB.")


@pytest.mark.parametrize("word", ["gpu", "ram", "status"])
def test_a_requirement_that_is_not_met_has_its_verdict_in_the_json_that_comes_first(
    word: str, tmp_path: Path, plug_in: Callable[..., FakeDriver]
) -> None:
    plug_in("t4")
    done = command(word, "-j", "-r", "gpu=A100, python>=3.11", folder=tmp_path)

    assert done.returncode == 1
    assert done.stderr.startswith("Requirement not met: gpu = A100.")
    asked = documents.read(done.stdout)["requirement"]
    assert asked["met"] is False
    assert [(clause["expression"], clause["state"]) for clause in asked["clauses"]] == [
        ("gpu = A100", "unmet"),
        ("python >= 3.11", "met"),
    ]
    assert asked["clauses"][0]["found"] == {"gpu": ["Tesla T4"]}


def test_it_tells_its_version(tmp_path: Path) -> None:
    done = command("--version", folder=tmp_path)

    assert (done.returncode, done.stdout, done.stderr) == (0, f"colab-magics {colab_magics.__version__}\n", "")


def test_it_prints_the_schema_that_its_json_is_of(tmp_path: Path) -> None:
    done = command("schema", folder=tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == view.schema() + "\n"
    assert json.loads(done.stdout)["title"] == "colab_magics report"


@pytest.mark.parametrize("words", [["status", "-a"], ["gpu", "-j", "-r", "gpu"], ["schema"], ["--version"]])
def test_ipython_is_not_imported(words: list[str], tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-X", "importtime", "-m", "colab_magics", *words], cwd=tmp_path,
                          capture_output=True, text=True, timeout=60, check=False)  # fmt: skip
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}

    assert "colab_magics.options" in imported
    assert not {name for name in imported if name.partition(".")[0] in ("IPython", "ipywidgets", "traitlets")}


# The installed command -----------------------------------------------------------------------------------------------


def installed() -> str:
    """Return the script that installing the package has written beside this Python."""
    script = Path(sysconfig.get_path("scripts"), f"{COMMAND}.exe" if os.name == "nt" else COMMAND)
    assert script.exists()
    return str(script)


def test_the_installed_command_is_the_same(tmp_path: Path, plug_in: Callable[..., FakeDriver]) -> None:
    plug_in("t4")
    for words in (["gpu"], ["-q", "-r", "gpu=A100"], ["schema", "gpu"], ["--version"], ["autoload", "status"]):
        module = command(*words, folder=tmp_path)
        script = subprocess.run([installed(), *words], cwd=tmp_path, capture_output=True, text=True, timeout=60,
                                check=False)  # fmt: skip

        assert (script.returncode, script.stdout, script.stderr) == (module.returncode, module.stdout, module.stderr)


def test_the_installed_command_runs_nothing_of_the_folder_that_it_is_called_in(
    tmp_path: Path, plug_in: Callable[..., FakeDriver], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the folder on PYTHONPATH, Python itself and the script import `re` and what it needs before us."""
    plug_in("t4")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    for module in ("argparse", "gettext", "json", "psutil", "pynvml", "select", "subprocess", "tomllib"):
        (tmp_path / f"{module}.py").write_text("open('was-run', 'a').write(__name__)\n")
    done = subprocess.run([installed(), "gpu", "-j"], cwd=tmp_path, capture_output=True, text=True, timeout=60,
                          check=False)  # fmt: skip

    assert documents.read(done.stdout)["gpus"][0]["name"] == "Tesla T4"
    assert not (tmp_path / "was-run").exists()
