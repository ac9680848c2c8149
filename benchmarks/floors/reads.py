"""What `ram_info()` reads, done bare: each file opened and read, and the figures in it parsed.

`files_of_ram_info` finds out which files these are, by an audit hook: the kernel that it is called in is slower
afterwards.
"""

from __future__ import annotations

import os
import re
import sys
from typing import Any

WANTED = {
    "meminfo": ("MemTotal:", "MemAvailable:", "SwapTotal:", "SwapFree:", "Shmem:", "CommitLimit:", "Committed_AS:"),
    "memory.stat": ("inactive_file", "shmem"),
    "limits": ("Max data size", "Max address space"),
}
"""What is wanted of a file of many lines, by the file's name; of all others it is everything."""

_TASKS = "/proc/self/task"
_LONGEST = 1 << 16


def read_all(files: list[str]) -> list[list[str]]:
    """Read every file, and return the figures that are wanted of each; none where there is no such file."""
    found = []
    for file in files:
        if "*" in file:
            found += [_figures(file.replace("*", task)) for task in os.listdir(_TASKS)]
        else:
            found.append(_figures(file))
    return found


def _figures(file: str) -> list[str]:
    try:
        descriptor = os.open(file, os.O_RDONLY)
    except OSError:
        return []
    text = os.read(descriptor, _LONGEST).decode()
    os.close(descriptor)
    wanted = WANTED.get(os.path.basename(file))
    if wanted is None:
        return text.split()
    return [text.partition(name)[2].split(None, 1)[0] for name in wanted if name in text]


def files_of_ram_info() -> list[str]:
    """Return the files that a warm report opens, each once, those that are not there too; `*` stands for a thread."""
    import colab_magics

    seen: dict[str, None] = {}
    listens = False

    def note(event: str, arguments: tuple[Any, ...]) -> None:
        if listens and event == "open" and str(arguments[0]).startswith(("/proc/", "/sys/")):
            file = str(arguments[0]).replace(f"/proc/{os.getpid()}/", "/proc/self/")
            seen[re.sub(rf"(?<={_TASKS}/)\d+", "*", file)] = None

    sys.addaudithook(note)
    colab_magics.ram_info()
    listens = True
    colab_magics.ram_info()
    listens = False
    return list(seen)
