"""A real Jupyter server in a folder of its own, on a free port of this machine, with nobody's settings but ours."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat

if TYPE_CHECKING:
    from composed import Machine

START_SECONDS = 60
STOP_SECONDS = 15

SETTINGS = {
    "@jupyterlab/apputils-extension/notification": {"checkForUpdates": False, "fetchNews": "false"},
    # What is scrolled away stays in the page: a test looks at outputs, not at how the page saves work.
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
    # Notebook 7 lets a long output scroll, under a shade through which no contrast can be measured.
    "@jupyter-notebook/notebook-extension/scroll-output": {"autoScrollOutputs": False},
}
THEMES = "@jupyterlab/apputils-extension/themes"


class Server:
    """A server that is running; `module` is what starts it: `jupyter_server` with what is installed, or `notebook`.

    With `cull_idle_seconds` it ends kernels that have been idle for so long.
    """

    def __init__(self, module: str, folder: Path, *, cull_idle_seconds: int = 0) -> None:
        self.folder = folder
        self.notebooks = folder / "notebooks"
        self.notebooks.mkdir(parents=True)
        self._data = folder / "data"
        self._log = folder / "server.log"
        self._cull_idle_seconds = cull_idle_seconds
        self._token = secrets.token_hex(16)
        self._address = f"http://127.0.0.1:{_free_port()}"
        self._environment = self._own_environment()
        for name, values in SETTINGS.items():
            self._set(name, values)
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, f"--config={self._config()}"],
                cwd=self.notebooks,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._wait_until_up()

    def url(self, path: str) -> str:
        return f"{self._address}/{path}{'&' if '?' in path else '?'}token={self._token}"

    def set_theme(self, name: str) -> None:
        """Choose the theme of the pages that are opened from now on; the classic notebook has but one."""
        self._set(THEMES, {"theme": name})

    def write_notebook(self, name: str, cells: Sequence[str], machine: Machine | None = None) -> Path:
        """Write a notebook whose kernel has this process's environment as it is now, and runs on a composed machine."""
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        notebook.metadata["kernelspec"] = {"name": name, "display_name": name, "language": "python"}
        self._write_kernelspec(name, () if machine is None else machine.prefix)
        file = self.notebooks / f"{name}.ipynb"
        nbformat.write(notebook, file)
        return file

    def start_kernel(self, file: Path) -> None:
        """Start a notebook's kernel, which a page that is opened meanwhile takes."""
        session = {"path": file.name, "name": file.name, "type": "notebook", "kernel": {"name": file.stem}}
        self._ask("POST", "api/sessions", session)

    def kernels(self) -> list[dict[str, Any]]:
        """Return what the server knows of each kernel that runs."""
        kernels: list[dict[str, Any]] = self._ask("GET", "api/kernels")
        return kernels

    def end_sessions(self) -> None:
        for session in self._ask("GET", "api/sessions"):
            self._ask("DELETE", f"api/sessions/{session['id']}")

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _own_environment(self) -> dict[str, str]:
        hosted = ("COLAB_", "KAGGLE_", "TPU_", "CUDA_", "VERTEX_", "TBE_", "LANG", "LC_")
        own = {
            "IPYTHONDIR": "ipython",
            "JUPYTER_CONFIG_DIR": "config",
            "JUPYTER_DATA_DIR": "data",
            "JUPYTER_RUNTIME_DIR": "runtime",
            "JUPYTERLAB_SETTINGS_DIR": "settings",
            "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        }
        return (
            {name: value for name, value in os.environ.items() if not name.startswith(hosted)}
            | {name: str(self.folder / value) for name, value in own.items()}
            | {"PYDEVD_DISABLE_FILE_VALIDATION": "1"}
        )

    def _config(self) -> Path:
        port = int(self._address.rpartition(":")[2])
        every = {
            "allow_root": True,
            "ip": "127.0.0.1",
            "open_browser": False,
            "password": "",
            "port": port,
            "port_retries": 0,
            "token": self._token,
        }
        exposed = {"expose_app_in_browser": True}
        config = {
            "ServerApp": every | {"root_dir": str(self.notebooks)},
            "NotebookApp": every | {"notebook_dir": str(self.notebooks)},
            "LabApp": exposed,
            "JupyterNotebookApp": exposed,
            "MappingKernelManager": {
                "cull_connected": True,
                "cull_idle_timeout": self._cull_idle_seconds,
                "cull_interval": 1,
            },
            "VoilaConfiguration": {"allow_theme_override": "YES"},
        }
        file = self.folder / "server.json"
        file.write_text(json.dumps(config), encoding="utf-8")
        return file

    def _wait_until_up(self) -> None:
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self._process.poll() is None:
            try:
                self._ask("GET", "api/status")
            except urllib.error.URLError:
                time.sleep(0.1)
            else:
                return
        self.stop()
        raise RuntimeError(f"the server did not start:\n{self._log.read_text(encoding='utf-8', errors='replace')}")

    def _ask(self, method: str, path: str, content: Mapping[str, Any] | None = None) -> Any:
        request = urllib.request.Request(
            f"{self._address}/{path}",
            data=None if content is None else json.dumps(content).encode(),
            headers={"Authorization": f"token {self._token}", "Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read() or "null")

    def _set(self, name: str, values: Mapping[str, Any]) -> None:
        file = self.folder / "settings" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values), encoding="utf-8")

    def _write_kernelspec(self, name: str, prefix: tuple[str, ...]) -> None:
        servers = ("IPYTHONDIR", "JUPYTER", "PYTEST")
        changed = os.environ.items() - self._environment.items()
        own = {variable: value for variable, value in changed if not variable.startswith(servers)}
        spec = {
            "argv": [*prefix, sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            "display_name": name,
            "env": own,
            "language": "python",
        }
        file = self._data / "kernels" / name / "kernel.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(spec), encoding="utf-8")


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
