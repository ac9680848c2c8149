"""IPython and the command in a terminal, typed into through a pseudo-terminal."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pexpect
import pytest

from fake_nvml import FakeDriver

PROMPT = r"In \[\d+\]: "
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
BAR = re.compile(r"━|╸|─{8}")
IN_PLAIN_TEXT = "Tesla T4: 0.0 of 15.0 GiB used, idle, 43 °C, 9 of 70 W. CUDA sees it as cuda:0."


@contextmanager
def typing_into(folder: Path, *arguments: str) -> Iterator[Any]:
    """Run Python with these arguments in a terminal, and end it afterwards."""
    terminal = pexpect.spawn(
        sys.executable, [*arguments], cwd=str(folder), encoding="utf-8", timeout=30, dimensions=(40, 100)
    )
    try:
        yield terminal
    finally:
        terminal.close(force=True)


IPYTHON = ("-m", "IPython", "--simple-prompt", "--no-banner", "--no-confirm-exit")


@pytest.fixture
def shows_colours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, plug_in: Callable[..., FakeDriver]) -> None:
    """A terminal that shows colours, with a T4."""
    plug_in("t4")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("PYTHONIOENCODING", "utf-8")
    monkeypatch.delenv("NO_COLOR", raising=False)


def said_by_gpu_info(folder: Path) -> str:
    with typing_into(folder, *IPYTHON) as terminal:
        terminal.expect(PROMPT)
        terminal.sendline("%load_ext colab_magics")
        terminal.expect(PROMPT)
        terminal.sendline("%gpu_info")
        terminal.expect(PROMPT)
        return str(terminal.before)


def test_a_session_in_the_terminal(shows_colours: None, tmp_path: Path) -> None:
    title = r"\x1b\[1mTesla T4\x1b\[0m\s+\x1b\[2mcuda:0"
    with typing_into(tmp_path, *IPYTHON) as terminal:
        terminal.expect(PROMPT)
        terminal.sendline("%load_ext colab_magics")
        terminal.expect(PROMPT)
        terminal.sendline("%runtime_status")
        terminal.expect(f"{title} · IPython in a terminal · ")
        terminal.expect("RAM.* left")
        terminal.expect(PROMPT)
        terminal.sendline("%gpu_info -w")
        terminal.expect("No panel, since it needs a notebook's page: the report without it.")
        terminal.expect(title)
        terminal.expect(PROMPT)
        terminal.sendline("%gpu_info 3")
        terminal.expect("UsageError: there is no GPU 3. Allowed: 0")
        terminal.expect(PROMPT)
        terminal.sendline('%gpu_info -r "gpu=A100"')
        terminal.expect("Requirement not met: gpu = A100.")
        terminal.expect("There is: Tesla T4")
        terminal.expect(PROMPT)
        terminal.sendline("report = %ram_info -o")
        terminal.expect(PROMPT)
        terminal.sendline("report")
        terminal.expect(r"\x1b\[1m[\d.]+ GiB RAM\x1b\[0m")
        terminal.expect("RAM.* left")
        terminal.expect(PROMPT)
        terminal.sendline("%unload_ext colab_magics")
        terminal.expect(PROMPT)
        terminal.sendline("%gpu_info")
        terminal.expect("not found")
        terminal.expect(PROMPT)
        terminal.sendline("report")
        terminal.expect(r"Out\[\d+\]: *\r?\n?RAM: .* can still be allocated")
        terminal.expect(PROMPT)
        terminal.sendline("exit")
        terminal.expect(pexpect.EOF)
        terminal.wait()
        assert terminal.exitstatus == 0


def test_in_a_terminal_a_report_has_colours_and_bars(shows_colours: None, tmp_path: Path) -> None:
    shown = said_by_gpu_info(tmp_path)

    assert "\x1b[1mTesla T4\x1b[0m" in shown
    assert "GPU memory" in shown
    assert BAR.search(shown)
    assert IN_PLAIN_TEXT not in shown


@pytest.mark.parametrize(
    ("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb"), ("PYTHONIOENCODING", "ascii:backslashreplace")]
)
def test_in_a_terminal_that_is_to_have_none_a_report_is_plain_text(
    name: str, value: str, shows_colours: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    shown = said_by_gpu_info(tmp_path)

    assert "Tesla T4: 0.0 of 15.0 GiB used, idle, " in shown
    assert "\x1b[1mTesla" not in shown
    assert not BAR.search(shown)


def shown_by_the_command(folder: Path) -> str:
    with typing_into(folder, "-m", "colab_magics", "gpu") as terminal:
        terminal.expect(pexpect.EOF)
        return str(terminal.before)


def test_the_command_has_colours_in_a_terminal(
    shows_colours: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    coloured = shown_by_the_command(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    plain = shown_by_the_command(tmp_path)

    assert coloured.startswith("\x1b[1mTesla T4\x1b[0m")
    assert BAR.search(coloured)
    assert plain.strip() == IN_PLAIN_TEXT


def test_the_command_has_none_where_its_output_goes_on(shows_colours: None, tmp_path: Path) -> None:
    piped = "import os, sys; os.system(f'{sys.executable} -m colab_magics gpu | cat')"
    with typing_into(tmp_path, "-c", piped) as pipe:
        pipe.expect(pexpect.EOF)

        assert str(pipe.before).strip() == IN_PLAIN_TEXT
