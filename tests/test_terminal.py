"""IPython in a terminal, typed into through a pseudo-terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest

from fake_nvml import FakeDriver


def test_a_session_in_the_terminal(
    tmp_path: Path, plug_in: Callable[..., FakeDriver], monkeypatch: pytest.MonkeyPatch
) -> None:
    plug_in("t4")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    terminal = pexpect.spawn(
        sys.executable,
        [
            "-m",
            "IPython",
            "--simple-prompt",
            "--no-banner",
            "--no-confirm-exit",
        ],
        cwd=str(tmp_path),
        encoding="utf-8",
        timeout=30,
        dimensions=(40, 100),
    )
    try:
        prompt = r"In \[\d+\]: "
        terminal.expect(prompt)
        terminal.sendline("%load_ext colab_magics")
        terminal.expect(prompt)
        terminal.sendline("%runtime_status")
        terminal.expect("Tesla T4: .* CUDA sees it as cuda:0")
        terminal.expect("IPython in a terminal: ")
        terminal.expect("RAM: ")
        terminal.expect(prompt)
        terminal.sendline("%gpu_info -w")
        terminal.expect("No panel, since it needs a notebook's page: the report without it.")
        terminal.expect("Tesla T4: .* CUDA sees it as cuda:0")
        terminal.expect(prompt)
        terminal.sendline("%gpu_info 3")
        terminal.expect("UsageError: there is no GPU 3. Allowed: 0")
        terminal.expect(prompt)
        terminal.sendline('%gpu_info -r "gpu=A100"')
        terminal.expect("Requirement not met: gpu = A100.")
        terminal.expect("There is: Tesla T4")
        terminal.expect(prompt)
        terminal.sendline("report = %ram_info -o")
        terminal.expect(prompt)
        terminal.sendline("report")
        terminal.expect("RAM: .* can still be allocated")
        terminal.expect(prompt)
        terminal.sendline("%unload_ext colab_magics")
        terminal.expect(prompt)
        terminal.sendline("%gpu_info")
        terminal.expect("not found")
        terminal.expect(prompt)
        terminal.sendline("report")
        terminal.expect(r"Out\[\d+\]: *\r?\n?RAM: .* can still be allocated")
        terminal.expect(prompt)
        terminal.sendline("exit")
        terminal.expect(pexpect.EOF)
        terminal.wait()
        assert terminal.exitstatus == 0
    finally:
        terminal.close(force=True)
