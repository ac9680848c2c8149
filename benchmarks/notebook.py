# ruff: noqa: INP001, T201 - a script, which prints what it found
"""What the magics cost in a real kernel: colab_magics beside other extensions and the cells that notebooks share.

It measures the environment it is started in, and speaks to kernels as a notebook does. Whatever happens once (loading,
a first report) gets a fresh kernel each time; warm cells take turns in one kernel a run, the first of them changing.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from gpu_growth import RESULTS, machine
from jupyter_client.manager import start_new_kernel

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGES = (
    "colab_magics", "gpustat", "ipykernel", "ipython", "ipython-autotime", "jupyter_client", "memory_profiler",
    "nvidia-ml-py", "nvitop", "psutil", "pyinstrument", "pyzmq", "tornado", "traitlets", "watermark",
)  # fmt: skip

FOLDERS = ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
ANSWER_SECONDS = 60
SETTLE_SECONDS = 0.1
"""A fresh kernel is left alone for so long before anything is measured in it."""

MARK = "milliseconds:"
"""Before a figure that a kernel prints, where an extension prints too."""

WARM_ROUNDS = 10
"""So often every warm cell has its turn in a kernel, after two turns that do not count."""

# What is measured ---------------------------------------------------------------------------------------------------

RAM_CELL = r"""
from psutil import virtual_memory
ram_gb = virtual_memory().total / 1e9
print('Your runtime has {:.1f} gigabytes of available RAM\n'.format(ram_gb))

if ram_gb < 20:
  print('Not using a high-RAM runtime')
else:
  print('You are using a high-RAM runtime!')
"""
GPU_CELL = r"""
gpu_info = !nvidia-smi
gpu_info = '\n'.join(gpu_info)
if gpu_info.find('failed') >= 0:
  print('Not connected to a GPU')
else:
  print(gpu_info)
"""

CELLS = {
    "empty cell": "",
    "print(1)": "print(1)",
    "%ram_info": "%ram_info",
    "RAM cell": RAM_CELL,
    "%gpu_info": "%gpu_info",
    "GPU cell": GPU_CELL,
    "%runtime_status": "%runtime_status",
    "%watermark": "%watermark",
    "%watermark -h -m -i": "%watermark -h -m -i",
    "%memit pass": "%memit pass",
}

IN_THE_KERNEL = """
import time, statistics, colab_magics
def _timed(act, number=200):
    taken = []
    for _ in range(number):
        started = time.perf_counter()
        act()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken) * 1e3
"""
OWN_WORK = {
    "colab_magics.ram_info()": "colab_magics.ram_info",
    "%ram_info -q": "lambda: get_ipython().run_line_magic('ram_info', '-q')",
    "colab_magics.gpu_info()": "colab_magics.gpu_info",
    "%gpu_info -q": "lambda: get_ipython().run_line_magic('gpu_info', '-q')",
    "psutil.virtual_memory()": "__import__('psutil').virtual_memory",
}


COUNTERPARTS = {
    "empty cell": "%ram_info",
    "print(1)": "%ram_info",
    "RAM cell": "%ram_info",
    "%memit pass": "%ram_info",
    "GPU cell": "%gpu_info",
    "%watermark": "%runtime_status",
    "%watermark -h -m -i": "%runtime_status",
    "psutil.virtual_memory()": "colab_magics.ram_info()",
}
"""What of ours a case stands beside in the table, where it is not itself ours."""


class Visit(NamedTuple):
    """What happens in a fresh kernel: an extension is loaded or a module imported, then a cell runs.

    `loaded` is an extension whose load was measured in another visit.
    """

    extension: str | None = None
    loaded: str | None = None
    module: str | None = None
    cell: str | None = None


VISITS = (
    Visit(extension="colab_magics", cell="%ram_info"),
    Visit(loaded="colab_magics", cell="%gpu_info"),
    Visit(loaded="colab_magics", cell="%runtime_status"),
    Visit(extension="watermark", cell="%watermark -h -m -i"),
    Visit(extension="memory_profiler", cell="%memit pass"),
    Visit(extension="autotime"),
    Visit(extension="pyinstrument"),
    Visit(module="gpustat"),
    Visit(module="nvitop"),
    Visit(cell="RAM cell"),
    Visit(cell="GPU cell"),
)


class Goal(NamedTuple):
    """How much of what `peer` takes `ours` may take."""

    group: str
    ours: str
    peer: str
    most: float


GOALS = (
    Goal("load", "colab_magics", "watermark", 0.25),
    Goal("load", "colab_magics", "memory_profiler", 0.03),
    Goal("warm", "%ram_info", "RAM cell", 1.0),
    Goal("warm", "%gpu_info", "GPU cell", 0.7),
)
OWN_WORK_GOAL_MS = 0.1

# In a kernel --------------------------------------------------------------------------------------------------------


class Notebook:
    """A kernel, and the time its cells take as the client sees it."""

    def __init__(self, client: Any) -> None:
        self.client = client

    def run(self, code: str) -> tuple[float, str]:
        """Run a cell; return the milliseconds until the kernel is idle again and has replied, and what was printed."""
        started = time.perf_counter()
        sent = self.client.execute(code, store_history=False, allow_stdin=False)
        printed = self._until_idle(sent)
        while True:
            reply = self.client.get_shell_msg(timeout=ANSWER_SECONDS)
            if reply["parent_header"].get("msg_id") == sent:
                break
        taken = (time.perf_counter() - started) * 1e3
        if reply["content"]["status"] != "ok":
            raise RuntimeError(f"a cell failed: {code!r}: {reply['content'].get('evalue')} {printed}")
        return taken, printed

    def _until_idle(self, sent: str) -> str:
        printed = ""
        while True:
            message = self.client.get_iopub_msg(timeout=ANSWER_SECONDS)
            if message["parent_header"].get("msg_id") != sent:
                continue
            if message["msg_type"] == "stream":
                printed += message["content"]["text"]
            elif message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                return printed

    def timed_inside(self, statement: str) -> float:
        """Return the milliseconds that a statement takes in the kernel, by the kernel's own clock."""
        code = f"import time; _s = time.perf_counter(); {statement}; print({MARK!r}, (time.perf_counter() - _s) * 1e3)"
        (line,) = (line for line in self.run(code)[1].splitlines() if line.startswith(MARK))
        return float(line.removeprefix(MARK))


@contextlib.contextmanager
def notebook(folder: str) -> Iterator[Notebook]:
    """Start a kernel in an empty folder; it ends with the block."""
    manager, client = start_new_kernel(kernel_name="python3", cwd=folder, stderr=subprocess.DEVNULL)
    try:
        one = Notebook(client)
        one.run("")
        time.sleep(SETTLE_SECONDS)
        yield one
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def code_of(cell: str) -> str:
    """Return a cell's code; where IPython cannot read `name = !command`, what it would have made of it."""
    code = CELLS[cell]
    if sys.version_info >= (3, 12) and importlib.metadata.version("ipython").startswith("7."):
        code = code.replace("= !nvidia-smi", "= get_ipython().getoutput('nvidia-smi')")
    return code


# The measurements ---------------------------------------------------------------------------------------------------

GROUPS = ("load", "first", "warm", "own work")
Samples = dict[tuple[str, str], list[float]]


def visit(what: Visit, folder: str, samples: Samples) -> None:
    """Load and run what a visit is made of, in a kernel of its own."""
    with notebook(folder) as one:
        if what.extension:
            taken = one.timed_inside(f"get_ipython().run_line_magic('load_ext', {what.extension!r})")
            samples.setdefault(("load", what.extension), []).append(taken)
        if what.loaded:
            one.run(f"%load_ext {what.loaded}")
        if what.module:
            taken = one.timed_inside(f"import {what.module}")
            samples.setdefault(("load", f"import {what.module}"), []).append(taken)
        if what.cell:
            samples.setdefault(("first", what.cell), []).append(one.run(code_of(what.cell))[0])


def warm(folder: str, shift: int, samples: Samples) -> None:
    """Let the cells take turns in one kernel that has met them all; then time our own work without a display."""
    names = list(CELLS)[shift % len(CELLS) :] + list(CELLS)[: shift % len(CELLS)]
    with notebook(folder) as one:
        for extension in ("colab_magics", "watermark", "memory_profiler"):
            one.run(f"%load_ext {extension}")
        for turn in range(-2, WARM_ROUNDS):
            for name in names:
                taken = one.run(code_of(name))[0]
                if turn >= 0:
                    samples.setdefault(("warm", name), []).append(taken)
        one.run(IN_THE_KERNEL)
        for name, act in OWN_WORK.items():
            samples.setdefault(("own work", name), []).append(float(one.run(f"print(_timed({act}))")[1]))


def run(runs: int) -> Samples:
    """Measure everything so many times, the order turning from run to run."""
    samples: Samples = {}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"
        os.environ |= {name: str(Path(folder) / name.lower()) for name in FOLDERS}
        cells = Path(folder) / "notebook"
        cells.mkdir()
        for number in range(runs):
            print(f"run {number + 1} of {runs}", file=sys.stderr)
            shift = number % len(VISITS)
            for one in VISITS[shift:] + VISITS[:shift]:
                visit(one, str(cells), samples)
            warm(str(cells), number, samples)
    return samples


# What comes of it ---------------------------------------------------------------------------------------------------


def row(group: str, case: str, taken: list[float]) -> dict[str, Any]:
    """Return a case's median, minimum and quartiles, in milliseconds."""
    low, middle, high = statistics.quantiles(taken, n=4) if len(taken) > 1 else taken * 3
    figures = {"median_ms": middle, "minimum_ms": min(taken), "lower_quartile_ms": low, "upper_quartile_ms": high}
    return {
        "group": group,
        "case": case,
        "samples": len(taken),
        **{name: round(value, 4) for name, value in figures.items()},
    }


def judged(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return every goal with what was reached, by medians and by minima; a goal is met by medians."""
    by_case = {(row["group"], row["case"]): row for row in rows}
    found = []
    for goal in GOALS:
        ours, peer = by_case[goal.group, goal.ours], by_case[goal.group, goal.peer]
        ratio, of_minima = (ours[figure] / peer[figure] for figure in ("median_ms", "minimum_ms"))
        found.append(
            {**goal._asdict(), "ratio": round(ratio, 3), "of_minima": round(of_minima, 3), "met": ratio <= goal.most}
        )
    return found


def table(rows: list[dict[str, Any]]) -> str:
    """Return the medians as a table in Markdown: how many times as long as its counterpart of ours, milliseconds."""
    medians = {(row["group"], row["case"]): row["median_ms"] for row in rows}
    lines = ["| | | beside | times ours | median, ms | minimum, ms |", "|---|---|---|---:|---:|---:|"]
    for row in rows:
        ours = "colab_magics" if row["group"] == "load" else COUNTERPARTS.get(row["case"], row["case"])
        ratio = row["median_ms"] / medians[row["group"], ours]
        digits = 3 if row["group"] == "own work" else 2
        lines.append(
            f"| {row['group']} | `{row['case']}` | `{ours}` | {ratio:.2f} x "
            f"| {row['median_ms']:.{digits}f} | {row['minimum_ms']:.{digits}f} |"
        )
    return "\n".join(lines)


def verdicts(rows: list[dict[str, Any]], goals: list[dict[str, Any]]) -> str:
    """Return a line for every goal: what was reached, what was meant."""
    lines = [
        f"{goal['group']}: {goal['ours']} is {goal['ratio']:.3f} of {goal['peer']}, {goal['of_minima']:.3f} by minima; "
        f"at most {goal['most']}: {'met' if goal['met'] else 'not met'}"
        for goal in goals
    ]
    for row in rows:
        if row["group"] == "own work" and "colab_magics" in row["case"]:
            met = row["median_ms"] <= OWN_WORK_GOAL_MS
            lines.append(
                f"own work: {row['case']} {row['median_ms']:.3f} ms, at most {OWN_WORK_GOAL_MS}: "
                f"{'met' if met else 'not met'}"
            )
    return "\n".join(lines)


def main() -> None:
    """Run the benchmark, print its table, keep its figures."""
    today = datetime.now(tz=UTC).date().isoformat()
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--runs", type=int, default=12, help="how often everything is measured (default: 12)")
    options.add_argument("--output", type=Path, default=RESULTS / f"notebook-{today}.json", help="the file to write")
    given = options.parse_args()
    described = machine() | {"nvidia_smi": shutil.which("nvidia-smi") is not None}
    samples = run(given.runs)
    rows = [row(*key, samples[key]) for group in GROUPS for key in samples if key[0] == group]
    goals = judged(rows)
    found = {
        "benchmark": "notebook",
        "date": today,
        "machine": described,
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
        "runs": given.runs,
        "goals": goals,
        "results": rows,
    }
    given.output.parent.mkdir(parents=True, exist_ok=True)
    given.output.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(table(rows), verdicts(rows, goals), sep="\n\n")


if __name__ == "__main__":
    main()
