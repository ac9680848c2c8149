"""A FUSE file system that stops answering, tells sizes that cannot be, or dies: a real server, mounted for a test.

Run as a program it is the server: ``python fuse_mounts.py POINT CONTROL``. While CONTROL/silent is there it answers
nothing that is named in it ("statfs", or "all"); CONTROL/statfs holds what statfs tells, as JSON.
"""

from __future__ import annotations

import contextlib
import ctypes
import ctypes.util
import errno
import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

_MNT_DETACH = 2

SIZES = {"f_bsize": 4096, "f_frsize": 4096, "f_blocks": 2**20, "f_bfree": 2**19, "f_bavail": 2**19}


def why_not() -> str | None:
    """Return why nothing can be mounted here, None where it can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "only root may mount"
    try:
        os.close(os.open("/dev/fuse", os.O_RDWR))
    except OSError as error:
        return f"/dev/fuse: {error.strerror}"
    return None if ctypes.util.find_library("fuse") else "there is no libfuse2"


class FuseMount:
    """A mounted folder and its server."""

    def __init__(self, folder: Path) -> None:
        self.point = folder / "mounted"
        self._control = folder / "control"
        self.point.mkdir()
        self._control.mkdir()
        self._server = subprocess.Popen([sys.executable, __file__, str(self.point), str(self._control)])
        until = time.monotonic() + 10
        while not os.path.ismount(self.point):
            assert self._server.poll() is None, "the server has ended"
            assert time.monotonic() < until, "it is not mounted"
            time.sleep(0.02)

    @property
    def server_pid(self) -> int:
        """The server's process number."""
        return self._server.pid

    def tell(self, **sizes: int) -> None:
        """Let statfs tell these."""
        (self._control / "statfs").write_text(json.dumps({**SIZES, **sizes}))

    def fall_silent(self, about: str = "all") -> None:
        """Answer nothing from now on, or no question about the sizes ("statfs")."""
        (self._control / "new").write_text(about)
        (self._control / "new").replace(self._control / "silent")

    def speak(self) -> None:
        """Answer what was asked, and all that will be."""
        (self._control / "silent").unlink(missing_ok=True)

    def die(self) -> None:
        """Kill the server: the kernel says ENOTCONN from now on."""
        self._server.kill()
        self._server.wait()

    def unmount(self) -> None:
        """Take it out of the tree, whoever is in it; umount(8) would first ask the server about it."""
        ctypes.CDLL(None).umount2(os.fsencode(self.point), _MNT_DETACH)

    def close(self) -> None:
        """Leave nothing mounted, and nobody waiting."""
        self.speak()
        self.unmount()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._server.wait(2)
        self.die()


def serve(point: str, control: str) -> None:
    """Serve an empty folder until it is unmounted."""
    import mfusepy

    class Served(mfusepy.Operations):
        use_ns = True

        def getattr(self, path: str, fh: Any = None) -> dict[str, Any]:  # noqa: ARG002
            _wait_while_silent(control, "getattr")
            if path != "/":
                raise mfusepy.FuseOSError(errno.ENOENT)
            return {"st_mode": stat.S_IFDIR | 0o755, "st_nlink": 2}

        def access(self, path: str, amode: int) -> int:  # noqa: ARG002
            _wait_while_silent(control, "access")
            return 0

        def readdir(self, path: str, fh: int) -> list[str]:  # noqa: ARG002
            _wait_while_silent(control, "readdir")
            return [".", ".."]

        def statfs(self, path: str) -> dict[str, int]:  # noqa: ARG002
            _wait_while_silent(control, "statfs")
            try:
                with open(os.path.join(control, "statfs"), encoding="utf-8") as file:
                    told: dict[str, int] = json.load(file)
            except FileNotFoundError:
                return SIZES
            return told

    mfusepy.FUSE(Served(), point, foreground=True, attr_timeout=0, entry_timeout=0)


def _wait_while_silent(control: str, question: str) -> None:
    while True:
        try:
            with open(os.path.join(control, "silent"), encoding="utf-8") as file:
                about = file.read()
        except FileNotFoundError:
            return
        if about not in ("all", question):
            return
        time.sleep(0.02)


if __name__ == "__main__":
    serve(*sys.argv[1:])
