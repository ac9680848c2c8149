"""Kernels as a notebook's page meets them: started, spoken to, and timed."""

from __future__ import annotations

import compileall
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from jupyter_client.manager import KernelManager
from measured import ROOT

import colab_magics

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ANSWER_SECONDS = 120
SETTLE_SECONDS = 0.1
"""A fresh kernel is left alone for so long before anything is measured in it."""

CONTENT_OF_PAGES = frozenset(
    {"comm_open", "comm_msg", "comm_close", "display_data", "update_display_data", "execute_result"}
)
_FOLDERS = ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
_MARK = "milliseconds:"


class CellFailedError(RuntimeError):
    """A cell that was to succeed has not; `error` is what it says."""

    def __init__(self, code: str, error: str, printed: str) -> None:
        super().__init__(f"a cell failed: {code!r}: {error} {printed}")
        self.error = error


class Ran(NamedTuple):
    """What a cell took until the kernel had replied and was idle, what it printed, what it sent to the page."""

    ms: float
    printed: str
    sent: list[dict[str, Any]]
    """The messages' contents."""

    @property
    def messages(self) -> int:
        """How many messages went to the page."""
        return len(self.sent)

    @property
    def size(self) -> int:
        """How many bytes their contents are, as a kernel sends them."""
        return sum(len(json.dumps(content, ensure_ascii=False, default=str).encode()) for content in self.sent)

    @property
    def shown(self) -> list[dict[str, str]]:
        """What was displayed, by its MIME types."""
        return [content["data"] for content in self.sent if "text/plain" in content.get("data", {})]


class Page:
    """A kernel, and what its cells take as a page sees it."""

    def __init__(self, manager: Any, client: Any) -> None:
        self._manager, self._client = manager, client

    @property
    def pid(self) -> int:
        """The kernel's process."""
        return int(self._manager.provisioner.process.pid)

    def run(self, code: str, *, is_numbered: bool = False) -> Ran:
        """Run a cell that succeeds; `is_numbered` counts it and keeps its text, as those that a user runs."""
        started = time.perf_counter()
        sent = self._client.execute(code, store_history=is_numbered)
        printed, contents = self._until_idle(sent)
        while True:
            reply = self._client.get_shell_msg(timeout=ANSWER_SECONDS)
            if reply["parent_header"].get("msg_id") == sent:
                break
        taken = (time.perf_counter() - started) * 1e3
        if reply["content"]["status"] != "ok":
            told = "{ename}: {evalue}".format_map({"ename": "", "evalue": "", **reply["content"]})
            raise CellFailedError(code, told, printed)
        return Ran(taken, printed, contents)

    def _until_idle(self, sent: str) -> tuple[str, list[dict[str, Any]]]:
        """Return what was printed, and what was sent while the cell ran, by whatever thread."""
        printed, contents, runs = "", list[dict[str, Any]](), False
        while True:
            message = self._client.get_iopub_msg(timeout=ANSWER_SECONDS)
            kind, content = message["msg_type"], message["content"]
            is_its_own = message["parent_header"].get("msg_id") == sent
            if kind == "status" and is_its_own:
                runs = content["execution_state"] == "busy"
                if not runs:
                    return printed, contents
            elif kind == "stream" and is_its_own:
                printed += content["text"]
            elif runs and kind in CONTENT_OF_PAGES:
                contents.append(content)

    def asked(self, expression: str) -> Any:
        """Return the value of an expression in the kernel."""
        printed = self.run(f"import json; print(json.dumps({expression}))").printed
        return json.loads(printed.partition("\n")[0])  # what measures cells may add lines of its own

    def timed_inside(self, statement: str) -> float:
        """Return the milliseconds that a statement takes in the kernel, by the kernel's own clock."""
        code = f"import time; _s = time.perf_counter(); {statement}; print({_MARK!r}, (time.perf_counter() - _s) * 1e3)"
        (line,) = (line for line in self.run(code).printed.splitlines() if line.startswith(_MARK))
        return float(line.removeprefix(_MARK))

    def load(self, extension: str) -> float:
        """Load an extension, and return the milliseconds that it took."""
        return self.timed_inside(f"get_ipython().run_line_magic('load_ext', {extension!r})")

    def leave(self) -> None:
        """Speak to the kernel no more."""
        self._client.stop_channels()

    def take_in(self, file: Path) -> None:
        """Run a file in the kernel, and keep its names there."""
        self.run(f"%run -n {file}")


class Machines:
    """What kernels can be started on: with the tests' fake driver and so many GPUs and processes, or without one."""

    def __init__(self, folder: Path) -> None:
        sys.path.insert(0, str(ROOT / "tests"))
        from fake_nvml import FakeDriver, no_driver_environment

        self._folder, self._driver, self._no_driver = folder, FakeDriver, no_driver_environment
        (folder / "notebook").mkdir()
        _compile()
        self._own = {name: str(folder / name.lower()) for name in _FOLDERS} | {"PYDEVD_DISABLE_FILE_VALIDATION": "1"}
        os.environ.update(self._own)
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

    def without_driver(self) -> dict[str, str]:
        """Return the environment of a process that finds no driver."""
        environment: dict[str, str] = self._no_driver()
        return environment | self._own

    def with_gpus(self, profile: str = "t4", *, gpus: int = 1, processes: int = 0) -> dict[str, str]:
        """Return the environment of a process that finds GPUs, and so many processes spread over them.

        The driver answers at once, and the processes are none of this machine, as a container sees those of others.
        """
        driver = self._driver(self._folder / f"{profile}-{processes}", profile)
        if processes:
            each, rest = divmod(processes, gpus)
            driver.set(*(f"gpu{index}.processes = {each + (index < rest)}" for index in range(gpus)))
            driver.set("gpu*.memory_used = 2147483648")
        environment: dict[str, str] = driver.environment() | self._own
        del environment["FAKE_NVML_LOG"]
        return environment

    @property
    def cells(self) -> Path:
        """The empty folder that kernels start in."""
        return self._folder / "notebook"


def _compile() -> None:
    """Compile what is measured, as pip does when it installs: a checkout may have been changed since."""
    for folder in (Path(colab_magics.__file__).parent, ROOT / "benchmarks"):
        compileall.compile_dir(folder, quiet=1)


@contextlib.contextmanager
def machines() -> Iterator[Machines]:
    """Make machines in a folder that is there for the block."""
    with tempfile.TemporaryDirectory() as folder:
        yield Machines(Path(folder))


@contextlib.contextmanager
def pages(on: Machines, environments: Sequence[dict[str, str]]) -> Iterator[list[Page]]:
    """Start a kernel in each environment, all at a time; they end with the block."""
    managers = [KernelManager(kernel_name="python3") for _ in environments]
    opened = []
    try:
        for manager, environment in zip(managers, environments, strict=True):
            manager.start_kernel(cwd=str(on.cells), env=environment, stderr=subprocess.DEVNULL)
        for manager in managers:
            client = manager.client()
            client.start_channels()
            client.wait_for_ready(timeout=ANSWER_SECONDS)
            opened.append(Page(manager, client))
            opened[-1].run("")
        time.sleep(SETTLE_SECONDS)
        yield opened
    finally:
        for one in opened:
            one.leave()
        for manager in managers:
            if manager.has_kernel:
                manager.shutdown_kernel(now=True)


@contextlib.contextmanager
def page(on: Machines, environment: dict[str, str]) -> Iterator[Page]:
    """Start one kernel; it ends with the block."""
    with pages(on, [environment]) as (one,):
        yield one
