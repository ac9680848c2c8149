"""The code in README.md, SECURITY.md and the pages of docs/ runs as it stands there.

What sets up an environment is left to CI, which runs the README's command for tests; of the first command, what it
runs in the end is run here.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from colab_magics.stopping import RequirementNotMet

ROOT = Path(__file__).parents[1]
SCRIPTS = Path(sys.executable).parent
BLOCK = re.compile(r"^```(python|sh)\n(.*?)^```", re.MULTILINE | re.DOTALL)
BLOCKS = [
    pytest.param(language, code, id=f"{file.name}:{text[: found.start()].count(chr(10)) + 2}")
    for file in (ROOT / "README.md", ROOT / "SECURITY.md", *sorted(ROOT.glob("docs/*.md")))
    for text in [file.read_text(encoding="utf-8")]
    for found in BLOCK.finditer(text)
    for language, code in [found.groups()]
    if not code.endswith(".venv/bin/nox\n")
]


@pytest.mark.parametrize(("language", "code"), BLOCKS)
def test_the_code_runs(
    language: str, code: str, shell: InteractiveShell, tmp_path: Path, ordinary_machine: None
) -> None:
    if language == "python":
        runs_in_a_notebook(code, shell)
    else:
        runs_in_a_terminal(code, tmp_path)


def runs_in_a_notebook(code: str, shell: InteractiveShell) -> None:
    shell.user_ns["c"] = Config()  # as in ipython_config.py
    shell.run_line_magic("load_ext", "colab_magics")
    cell = re.sub(r"^%pip .*\n", "", code, flags=re.MULTILINE)
    result = shell.run_cell(cell)

    assert result.error_before_exec is None
    assert result.error_in_exec is None or isinstance(result.error_in_exec, RequirementNotMet)


def runs_in_a_terminal(code: str, tmp_path: Path) -> None:
    command = re.sub(r"^python3 -m venv .*? && (?=\.venv/bin/ipython)", "", code, flags=re.MULTILINE)
    command = command.replace(".venv/bin/", f"{SCRIPTS}/")
    environment = {
        **os.environ,
        "HOME": str(tmp_path),
        "IPYTHONDIR": str(tmp_path / "ipython"),
        "PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}",
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command], env=environment, cwd=tmp_path, capture_output=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout
