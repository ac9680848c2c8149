"""Finds the Pythons to test with."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path


def first_python(*versions: str) -> str:
    """Return the first Python of these versions that starts and can make an environment, on PATH or among pyenv's.

    pyenv puts a command on PATH for every version it has; those that are not switched on refuse to start. Where none of
    these versions is found, the answer is the Python that asks.
    """
    pyenv_versions = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    for version in versions:
        from_pyenv = sorted(
            pyenv_versions.glob(f"{version}.*/bin/python"),
            key=lambda python: [int(digits) for digits in re.findall(r"\d+", python.parts[-3])],
            reverse=True,
        )
        for python in filter(None, (shutil.which(f"python{version}"), *map(str, from_pyenv))):
            trial = subprocess.run([python, "-c", "import ensurepip, venv"], check=False, capture_output=True)
            if trial.returncode == 0:
                return python
    return sys.executable
