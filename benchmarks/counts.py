"""What is counted: modules that are imported, files that are opened, messages and bytes that are sent."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections import Counter
from typing import TYPE_CHECKING

from beside_floors import HERE
from kernels import page
from memory_and_bytes import MAGICS, saved

if TYPE_CHECKING:
    from kernels import Machines, Page

WATCHING = HERE / "watching.py"


def allowed() -> dict[str, int]:
    """Return how much each figure may be, by its key."""
    return {row["key"]: row["most"] for row in tomllib.loads((HERE / "counts.toml").read_text())["count"]}


def counted(on: Machines) -> dict[str, int]:
    """Return all figures but the panel's."""
    found: dict[str, int] = {}
    for magic in MAGICS:
        with page(on, on.with_gpus()) as one:
            one.take_in(WATCHING)
            found |= _imports("load", _watched(one, "%load_ext colab_magics")["imported"])
            found |= _imports(magic, _watched(one, magic)["imported"])
            found |= _files(magic, _watched(one, magic)["opened"])
            ran = one.run(magic)
            found["a report: messages"] = ran.messages
            found[f"{magic}: bytes"] = len(ran.shown[0]["text/html"].encode())
            if magic == "%runtime_status":
                found["ten reports: bytes"] = len(saved(one).encode())
    return found | _imports("colab-magics -j", _imported_by_the_command(on))


def _watched(one: Page, code: str) -> dict[str, list[str]]:
    one.run("listen()")
    one.run(code)
    heard: dict[str, list[str]] = one.asked("heard()")
    return heard


def _imports(what: str, modules: list[str]) -> dict[str, int]:
    ours = [name for name in modules if name.partition(".")[0] == "colab_magics"]
    return {f"{what}: modules of ours": len(ours), f"{what}: other modules": len(modules) - len(ours)}


def _files(magic: str, opened: list[str]) -> dict[str, int]:
    """Count files. How many threads a kernel has, and how deep its control group lies, is the machine's affair."""
    again = sum(number - 1 for number in Counter(opened).values())
    kinds = {
        re.sub(r"^/sys/fs/cgroup/.*/", "/sys/fs/cgroup/", re.sub(r"/task/\d+/", "/task/", file)) for file in opened
    }
    return {f"{magic}: files": len(kinds), f"{magic}: files opened again": again}


def _imported_by_the_command(on: Machines) -> list[str]:
    command = [sys.executable, str(WATCHING), "colab_magics", "-j"]
    ran = subprocess.run(command, env=on.without_driver(), cwd=on.cells, capture_output=True, text=True, check=True)
    imported: list[str] = json.loads(ran.stderr.splitlines()[-1])
    return imported
