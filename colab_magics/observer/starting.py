"""How the child is started: what it inherits of this process, and which binding it is told to load."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys

from colab_magics import files
from colab_magics.imports import trusted_folders

_FOLDERS = "LD_LIBRARY_PATH"
_STANDARD_ERROR = 2
_CHILD_FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "child.py")


def child(pynvml_file: str | None) -> tuple[subprocess.Popen[bytes], int, int]:
    """Start the child; return it, where requests for looks are written, and where their answers are read.

    The other questions go by its standard streams. Raise OSError where it cannot be started.
    """
    pipes: list[int] = []  # for looks: one for their requests, one for their answers
    try:
        pipes += _pipe()
        pipes += _pipe()
        process = subprocess.Popen(
            [_interpreter(), "-I", "-S", _CHILD_FILE, str(os.getpid()), pynvml_file or "", *map(str, pipes[::3])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env=_environment(),
            cwd="/",  # an empty entry of LD_LIBRARY_PATH means the working directory
            start_new_session=True,  # Ctrl-C in a terminal goes to the kernel alone
            pass_fds=pipes[::3],
        )
    except OSError:
        for descriptor in pipes:
            os.close(descriptor)
        raise
    for descriptor in pipes[::3]:
        os.close(descriptor)
    return process, pipes[1], pipes[2]


def find_pynvml() -> str | None:
    """Return the file of nvidia-ml-py's module, never one that lies in the working directory."""
    candidates = (os.path.join(folder, "pynvml.py") for folder in trusted_folders())
    return next(filter(os.path.isfile, candidates), None)


def _interpreter() -> str:
    """Return this process's Python; a program that embeds Python may not name one. Never one of the working directory.

    PATH may name that too: by an empty or relative entry.
    """
    folders = filter(os.path.isabs, os.get_exec_path())
    found = sys.executable or shutil.which("python3", path=os.pathsep.join(folders))
    return found or os.path.join(sys.exec_prefix, "bin", "python3")


def _pipe() -> tuple[int, int]:
    """Return a pipe none of whose ends has the number of a standard stream, which a child gets anew."""
    import fcntl  # noqa: PLC0415 - on Linux, where a child is started

    ends = os.pipe()
    try:
        low = [end for end in ends if end <= _STANDARD_ERROR]
        moved = {end: fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, _STANDARD_ERROR + 1) for end in low}
    except OSError:
        for end in ends:
            os.close(end)
        raise
    for end in low:
        os.close(end)
    return moved.get(ends[0], ends[0]), moved.get(ends[1], ends[1])


def _environment() -> dict[str, str]:
    """Return this process's environment, with the folders of libraries too that it was started with.

    On Colab only these lead to the driver's library, and a notebook may have set others since.
    """
    environment = dict(os.environ)
    with contextlib.suppress(OSError):
        variables = os.fsdecode(files.read_bytes("/proc/self/environ")).split("\0")
        started_with = next((one.partition("=")[2] for one in variables if one.startswith(f"{_FOLDERS}=")), "")
        folders = [*filter(None, (environment.get(_FOLDERS), started_with))]
        if folders:
            environment[_FOLDERS] = ":".join(dict.fromkeys(folders))
    return environment
