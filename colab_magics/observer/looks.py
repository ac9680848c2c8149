"""Looks that may never end: what a file system says of itself. They are taken in threads of the child process.

A FUSE or NFS mount whose server does not answer holds whoever asks it, and no signal ends that. A request is a line of
JSON on a pipe of their own, so that neither the driver's questions nor these wait for each other: {"id", "key",
"path"}. It is answered twice: {"id", "begun"} when it is read, then {"id", "figures"}, {"id", "error"} or, where an
earlier look of that key still hangs, {"id", "silent_seconds"}; no second thread is sent after the first.

Sources: stat(2), statvfs(3).
"""

from __future__ import annotations

import json
import os
import threading
import time

TYPE_CHECKING = False  # typing itself is slow to load
if TYPE_CHECKING:
    from typing import Any


LONGEST_REQUEST_BYTES = 1 << 16
"""The longest request: what is longer did not come from `looking`."""


def file_system(path: str) -> dict[str, int]:
    """Return what the file system on which a path lies says of itself; raise OSError where it refuses."""
    device = os.stat(path).st_dev
    told = os.statvfs(path)
    return {
        "device": device,
        "block_bytes": told.f_frsize,
        "blocks": told.f_blocks,
        "free_blocks": told.f_bfree,
        "writable_blocks": told.f_bavail,
        "inodes": told.f_files,
        "writable_inodes": told.f_favail,
        "flags": told.f_flag,
    }


class Looks:
    """Takes the looks that are asked for on a pipe, each in a thread of its own, until the pipe's other end closes."""

    def __init__(self, requests: int, answers: int) -> None:
        self._requests = requests
        self._answers = answers
        self._writing = threading.Lock()
        self._under_way: dict[str, float] = {}

    def start(self) -> None:
        """Serve in a thread."""
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def hang(self) -> bool:
        """Whether a look is going on: a process with a thread that hangs cannot end anyway."""
        return bool(self._under_way)

    def _serve(self) -> None:
        received = b""
        while len(received) <= LONGEST_REQUEST_BYTES and (piece := os.read(self._requests, 65536)):
            *lines, received = (received + piece).split(b"\n")
            for line in lines:
                try:
                    self._begin(**json.loads(line))
                except (TypeError, ValueError, RecursionError):  # no request, or that of another version
                    os._exit(0)
        if received:
            os._exit(0)

    def _begin(self, *, id: int, key: str, path: str) -> None:  # noqa: A002 - the name that requests have here
        self._say(id, begun=True)
        since = self._under_way.get(key)
        if since is not None:
            self._say(id, silent_seconds=time.monotonic() - since)
            return
        self._under_way[key] = time.monotonic()
        try:
            threading.Thread(target=self._look, args=(id, key, path), daemon=True).start()
        except RuntimeError:  # the system allows no further thread
            del self._under_way[key]
            self._say(id, error="no thread")

    def _look(self, number: int, key: str, path: str) -> None:
        answer: dict[str, Any]
        try:
            answer = {"figures": file_system(path)}
        except OSError as error:
            answer = {"error": error.strerror or type(error).__name__}
        del self._under_way[key]
        self._say(number, **answer)

    def _say(self, number: int, **answer: Any) -> None:
        line = json.dumps({"id": number, **answer}).encode() + b"\n"
        with self._writing:
            while line:
                line = line[os.write(self._answers, line) :]
