"""The child process: reads one JSON request a line, asks the driver, writes one JSON answer a line.

Started by path as ``python -I -S child.py KERNEL_PID PYNVML_FILE``, so that nothing but the standard library is on the
module path: a `json.py` in the user's working directory cannot run here. This package and `pynvml` are loaded from
their files.
"""

from __future__ import annotations

import importlib.util
import json
import os
import select
import signal
import sys
import threading
import time

TYPE_CHECKING = False  # typing itself is slow to load
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType
    from typing import Any

IDLE_SECONDS = 60.0
"""Without work for this long the child ends: an open driver would stand in the way of a reload or a reset."""

STUCK_SECONDS = 65
"""A request that takes longer ends the child. Longer than `client.STARTING_SECONDS`, after which the client kills."""

_PARENT_CHECK_SECONDS = 1.0
_PACKAGE_FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def main(kernel_pid: int, pynvml_file: str) -> None:
    """Answer requests from standard input until the kernel ends or nothing has been asked for a while."""
    replies = _take_standard_output()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(kernel_pid,), daemon=True).start()
    _load("colab_magics", os.path.join(_PACKAGE_FOLDER, "__init__.py"), package_folder=_PACKAGE_FOLDER)
    from colab_magics.observer.devices import Devices  # noqa: PLC0415 - importable only now
    from colab_magics.observer.nvml import Nvml  # noqa: PLC0415

    devices = Devices(Nvml(lambda: _load("pynvml", pynvml_file)))
    for request in _requests():
        # SIGALRM's default action ends the process even where the driver's loader holds Python's lock for ever.
        signal.alarm(STUCK_SECONDS)
        answer = devices.answer()
        signal.alarm(0)
        _write(replies, json.dumps({"id": request["id"], **answer}).encode() + b"\n")


def _take_standard_output() -> int:
    """Keep standard output for the answers alone: what a driver prints goes nowhere."""
    replies = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return replies


def _end_with(kernel_pid: int) -> None:
    """End this process when the kernel ends; runs in a thread, because the main one may hang in the driver.

    The end of standard input is late when workers forked from the kernel hold the pipe.
    """
    try:
        kernel = os.pidfd_open(kernel_pid)
    except ProcessLookupError:
        os._exit(0)
    except OSError:  # Linux before 5.3, and sandboxes without the call
        while os.getppid() == kernel_pid:
            time.sleep(_PARENT_CHECK_SECONDS)
    else:
        if os.getppid() == kernel_pid:
            poll = select.poll()
            poll.register(kernel, select.POLLIN)
            poll.poll()
    os._exit(0)


def _requests() -> Iterator[dict[str, Any]]:
    """Yield each request; end at the end of input or after an idle minute."""
    waiting = select.poll()
    waiting.register(0, select.POLLIN)
    received = b""
    while waiting.poll(IDLE_SECONDS * 1000):
        piece = os.read(0, 65536)
        if not piece:
            return
        *lines, received = (received + piece).split(b"\n")
        yield from map(json.loads, lines)


def _write(replies: int, answer: bytes) -> None:
    while answer:
        answer = answer[os.write(replies, answer) :]


def _load(name: str, file: str, *, package_folder: str | None = None) -> ModuleType:
    """Import a module from its file, with nothing added to the module path."""
    folders = [package_folder] if package_folder else None
    spec = importlib.util.spec_from_file_location(name, file, submodule_search_locations=folders)
    if spec is None or spec.loader is None:
        raise ImportError(name, path=file)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
