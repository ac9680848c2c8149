"""The notebooks of examples/, and how they are executed: what `nox -s examples` and the tests use.

They are stored with the outputs that they have on the machine of `machine_of_examples`, by text and by HTML, so that
they can be read on GitHub, which keeps neither scripts nor style sheets. An output is the same at every run, with every
version of Python and IPython: what these, a machine or a day would change in it is that machine's.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nbformat
from nbclient import NotebookClient
from traitlets.config import Config

from fake_nvml import FakeDriver

ROOT = Path(__file__).resolve().parents[1]
FILES = tuple(sorted((ROOT / "examples").glob("*.ipynb")))

_AT_THE_START = """\
def _compose():
    import sys
    sys.path.insert(0, {tests!r})
    from machine_of_examples import compose
    sys.path.remove({tests!r})
    compose({root!r})


_compose()
del _compose
"""

_OF_THIS_RUN = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z"), "2026-01-01T12:00:00.000Z"),
    (re.compile(r"\d\d:\d\d:\d\d UTC"), "12:00:00 UTC"),
    (re.compile(r"\b(cm-fallback-)?[0-9a-f]{32}\b"), rf"\g<1>{'0' * 32}"),
    (re.compile(r"\bcm-goals-\d+\b"), "cm-goals-0"),
)
"""What no machine has twice: when a report was made, the number of a panel or a group. With what is stored instead."""

_WIDGET = "application/vnd.jupyter.widget-view+json"


def run(file: Path, folder: Path, environment: dict[str, str] | None = None) -> Any:
    """Run a notebook in a folder, and return it with all that it showed.

    The kernel listens on sockets of files, whose paths must be short. Ports of TCP are chosen long before it listens
    there, under load seconds, and where another kernel is given one of them meanwhile, the second dies at its start.
    """
    notebook = nbformat.read(file, as_version=4)
    with TemporaryDirectory() as sockets:
        NotebookClient(
            notebook,
            timeout=60,
            iopub_timeout=60,
            raise_on_iopub_timeout=True,
            record_timing=False,
            resources={"metadata": {"path": str(folder)}},
            config=Config(KernelManager={"transport": "ipc", "ip": f"{sockets}/kernel"}),
        ).execute(env=environment or dict(os.environ))
    return notebook


def executed(file: Path, folder: Path) -> str:
    """Return a notebook as it is stored: executed on the machine of `machine_of_examples`, in a folder of its own.

    A panel is left out, since no page can show it without its kernel; the report behind it stays.
    """
    settings, empty, started = (folder / name for name in ("ipython", "empty", "notebook"))
    for made in (settings / "profile_default" / "startup", empty / "sys/bus/pci/devices", started):
        made.mkdir(parents=True)
    at_the_start = _AT_THE_START.format(tests=str(Path(__file__).parent), root=str(empty))
    (settings / "profile_default" / "startup" / "machine.py").write_text(at_the_start, encoding="utf-8")
    environment = FakeDriver(folder / "driver").environment()
    for name in [name for name in environment if name.startswith(("COLAB_", "CUDA_", "LANG", "LC_"))]:
        del environment[name]
    environment |= {"IPYTHONDIR": str(settings), "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    notebook = run(file, started, environment)
    notebook.metadata = nbformat.read(file, as_version=4).metadata
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [_as_stored(output) for output in cell.outputs if _WIDGET not in output.get("data", {})]
    return nbformat.writes(notebook) + "\n"


def _as_stored(output: Any) -> Any:
    """Return an output with what is stored of this run alone."""
    written = json.dumps(output, ensure_ascii=False)
    for found, instead in _OF_THIS_RUN:
        written = found.sub(instead, written)
    return nbformat.from_dict(json.loads(written))


def main() -> None:
    """Execute every example, and store it with its outputs."""
    for file in FILES:
        with TemporaryDirectory() as folder:
            file.write_text(executed(file, Path(folder)), encoding="utf-8")


if __name__ == "__main__":
    main()
