# ruff: noqa: INP001, T201 - a script, which prints what it found
"""What the live panel costs in a real kernel, beside fifteen widgets and other ways to show the same figures.

It speaks to kernels as a notebook's page does; what runs in them is panel_kernel.py. Everything is compared with what
ran just before and after it in the same kernel.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import panel_kernel
from gpu_growth import RESULTS, ROOT, machine
from jupyter_client.manager import start_new_kernel
from panel_kernel import FIFTEEN, PEERS, PERIOD_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGES = (
    "comm", "ipykernel", "ipython", "ipywidgets", "jupyter_client", "nvidia-ml-py", "psutil", "pyzmq",
    "tornado", "traitlets",
)  # fmt: skip

LOOP_SECONDS = 2.0

# The client ---------------------------------------------------------------------------------------------------------

T4, NO_DRIVER = "T4", "no driver"
ANSWER_SECONDS = 60
CONTENT_OF_PAGES = frozenset(
    {"comm_open", "comm_msg", "comm_close", "display_data", "update_display_data", "execute_result"}
)
FOLDERS = ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")

TAKE_IN = f"%run -n {panel_kernel.__file__}\nimport time"
THE_PANEL = "get_ipython().find_line_magic('gpu_info').__self__.panel"
CLOSE = "get_ipython().find_line_magic('gpu_info').__self__.close_panel()"
OPEN = "%config ColabMagics.panel_period_seconds = {}\n%runtime_status -w"
BUILD_FIFTEEN = "widgets_in_rows(names_change=True);"


class Ran(NamedTuple):
    """What a cell took until the kernel had replied and was idle, what it printed, what it sent to the page."""

    ms: float
    printed: str
    messages: int
    size: int
    """Of the messages' content, in bytes, as the kernel sends it."""


class Page:
    """A kernel, and what its cells take as a page sees it."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def run(self, code: str) -> Ran:
        """Run a cell that succeeds."""
        started = time.perf_counter()
        sent = self._client.execute(code, store_history=False)
        printed, sizes = self._until_idle(sent)
        while True:
            reply = self._client.get_shell_msg(timeout=ANSWER_SECONDS)
            if reply["parent_header"].get("msg_id") == sent:
                break
        taken = (time.perf_counter() - started) * 1e3
        if reply["content"]["status"] != "ok":
            raise RuntimeError(f"a cell failed: {code!r}: {reply['content'].get('evalue')} {printed}")
        return Ran(taken, printed, len(sizes), sum(sizes))

    def _until_idle(self, sent: str) -> tuple[str, list[int]]:
        """Return what was printed, and the sizes of what was sent while the cell ran, by whatever thread."""
        printed, sizes, runs = "", list[int](), False
        while True:
            message = self._client.get_iopub_msg(timeout=ANSWER_SECONDS)
            kind, content = message["msg_type"], message["content"]
            is_its_own = message["parent_header"].get("msg_id") == sent
            if kind == "status" and is_its_own:
                runs = content["execution_state"] == "busy"
                if not runs:
                    return printed, sizes
            elif kind == "stream" and is_its_own:
                printed += content["text"]
            elif runs and kind in CONTENT_OF_PAGES:
                sizes.append(len(self._client.session.pack(content)))

    def asked(self, expression: str) -> tuple[Any, Ran]:
        """Return the value of an expression in the kernel, with what its cell took."""
        ran = self.run(f"import json; print(json.dumps({expression}))")
        return json.loads(ran.printed), ran


@contextlib.contextmanager
def page(folder: Path, environment: dict[str, str]) -> Iterator[Page]:
    """Start a kernel with colab_magics loaded; it ends with the block."""
    manager, client = start_new_kernel(
        kernel_name="python3", cwd=str(folder), env=environment, stderr=subprocess.DEVNULL
    )
    try:
        one = Page(client)
        one.run("%load_ext colab_magics")
        yield one
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def environments(folder: Path) -> dict[str, dict[str, str]]:
    """Return the environments of a kernel with a fake T4 and of one without a driver; both find this checkout."""
    sys.path.insert(0, str(ROOT / "tests"))
    from fake_nvml import FakeDriver, no_driver_environment  # noqa: PLC0415 - lies beside the tests

    with_driver = FakeDriver(folder / "t4").environment()
    del with_driver["FAKE_NVML_LOG"]
    ours = {name: str(folder / name.lower()) for name in FOLDERS}
    ours |= {"PYDEVD_DISABLE_FILE_VALIDATION": "1", "PYTHONPATH": str(ROOT)}
    return {T4: with_driver | ours, NO_DRIVER: no_driver_environment() | ours}


# The measurements ---------------------------------------------------------------------------------------------------

PANEL = "the panel"
COMPARED = {T4: (PANEL, *PEERS), NO_DRIVER: (PANEL, FIFTEEN)}

STATES = {
    "nothing": ("pass", "pass"),
    "panel every 2 s": (OPEN.format(2.0), CLOSE),
    "panel every 1 s": (OPEN.format(1.0), CLOSE),
    "panel every 0.5 s": (OPEN.format(0.5), CLOSE),
    "15 widgets every 1 s": ("live = Repeated(peers[FIFTEEN], 1.0)", "live.end()"),
}
"""What is live beside the loop: how it begins and how it ends."""

VISITS = (
    (("panel, first", "%runtime_status -w"), ("", CLOSE), ("panel, second", "%runtime_status -w")),
    (
        ("import ipywidgets", "import ipywidgets"),
        ("report, first", "%runtime_status"),
        ("report, second", "%runtime_status"),
        ("panel, after these", "%runtime_status -w"),
    ),
    (
        ("", f"{TAKE_IN}, ipywidgets"),
        ("15 widgets, first", BUILD_FIFTEEN),
        ("15 widgets, second", BUILD_FIFTEEN),
    ),
)
"""What is opened in a fresh kernel, one cell after the other; a cell without a name is not measured."""

Samples = dict[tuple[str, str], list[dict[str, Any]]]
"""By the condition and the case, one for each round."""


def refreshes(one: Page, condition: str, shift: int, samples: Samples) -> None:
    """Let the contestants take turns in one kernel, each for some refreshes while the others rest."""
    names = COMPARED[condition]
    shift %= len(names)
    for name in names[shift:] + names[:shift]:
        if name == PANEL:
            one.run(f"{THE_PANEL}._pause_or_resume(); time.sleep({PERIOD_SECONDS / 2})")
            taken, ran = one.asked(f"refreshes_of_panel({THE_PANEL})")
            one.run(f"{THE_PANEL}._pause_or_resume()")
        else:
            taken, ran = one.asked(f"refreshes_of(peers[{name!r}])")
        number = len(taken["show_us"])
        figures = {key: statistics.median(value) if isinstance(value, list) else value for key, value in taken.items()}
        sent = {"messages": ran.messages / number, "bytes": ran.size / number}
        samples.setdefault((condition, name), []).append(sent | figures)


def slow_downs(one: Page, times: int, shift: int, samples: Samples) -> None:
    """Run the loop with each thing live, and before and after each with nothing: the mean of these two is the base."""
    names = list(STATES)
    shift %= len(names)
    before = one.asked(f"loop_ms({times})")[0]
    for name in names[shift:] + names[:shift]:
        begin, end = STATES[name]
        one.run(begin)
        period_seconds = float(name.split()[-2]) if "every" in name else 0
        time.sleep(period_seconds / 2)  # so that the refreshes lie evenly in the loop
        live = one.asked(f"loop_ms({times})")[0]
        one.run(end)
        after = one.asked(f"loop_ms({times})")[0]
        percent = {key: 100 * (2 * live[key] / (before[key] + after[key]) - 1) for key in ("wall", "undisturbed")}
        percent["for_the_lock"] = 100 * (live["undisturbed"] / live["on_a_core"] - 1)
        samples.setdefault(("slow-down", name), []).append(percent)
        before = after


def openings(folder: Path, environment: dict[str, str], condition: str, samples: Samples) -> None:
    """Open what there is to open, each group in a fresh kernel."""
    for cells in VISITS:
        with page(folder, environment) as one:
            for name, code in cells:
                ran = one.run(code)
                if name:
                    taken = {"ms": ran.ms, "messages": ran.messages, "bytes": ran.size}
                    samples.setdefault((condition, name), []).append(taken)


def run(runs: int) -> dict[str, Samples]:
    """Measure everything so many times."""
    refreshed: Samples = {}
    slowed: Samples = {}
    opened: Samples = {}
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as kernels:
        folder = Path(name) / "notebook"
        folder.mkdir()
        kinds = environments(Path(name))
        os.environ.update({key: kinds[T4][key] for key in FOLDERS})
        pages = {kind: kernels.enter_context(page(folder, environment)) for kind, environment in kinds.items()}
        for one in pages.values():
            one.run(TAKE_IN)
            one.run(OPEN.format(PERIOD_SECONDS))
        say("the panels fill, which takes more than a minute")
        for one in pages.values():
            one.run(f"peers = rested_peers({THE_PANEL})")
        for number in range(runs):
            say(f"refreshes {number + 1} of {runs}")
            for kind, one in pages.items():
                refreshes(one, kind, number, refreshed)
        pages[NO_DRIVER].run(CLOSE)
        times, _ = pages[T4].asked(f"times_for({LOOP_SECONDS})")
        for number in range(runs):
            say(f"slow-down {number + 1} of {runs}")
            slow_downs(pages[T4], times, number, slowed)
        kernels.close()
        for number in range(runs):
            say(f"openings {number + 1} of {runs}")
            for kind, environment in kinds.items():
                openings(folder, environment, kind, opened)
    return {"refreshes": refreshed, "slow_down": slowed, "openings": opened}


def say(what: str) -> None:
    """Tell how far it is."""
    print(what, file=sys.stderr)


# What comes of it ---------------------------------------------------------------------------------------------------

GOALS = {
    "messages": 1,
    "bytes": 4096,
    "show, of 15 widgets": 0.25,
    "slow-down every 1 s, %": 1.0,
    "of it for the lock, %": 1.0,
}


def rows(samples: Samples) -> list[dict[str, Any]]:
    """Return each case's medians, and every round's figures they are taken of."""
    found = []
    for (condition, case), rounds in samples.items():
        every = {figure: [round(one[figure], 3) for one in rounds] for figure in rounds[0]}
        medians = {figure: round(statistics.median(values), 3) for figure, values in every.items()}
        found.append({"condition": condition, "case": case, **medians, "rounds": every})
    return found


def spread(values: list[float], form: str) -> str:
    """Return a median, with the least and the greatest."""
    return f"{statistics.median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


def ratios(samples: Samples, condition: str, case: str) -> list[float]:
    """Return what showing takes of what fifteen widgets take in the same round."""
    both = zip(samples[condition, case], samples[condition, FIFTEEN], strict=True)
    return [one["show_us"] / of["show_us"] for one, of in both]


def judged(samples: dict[str, Samples]) -> list[dict[str, Any]]:
    """Return every goal with what the panel reached, by the worst of both conditions."""
    mine = [rounds for (_, case), rounds in samples["refreshes"].items() if case == PANEL]
    reached = {figure: max(one[figure] for rounds in mine for one in rounds) for figure in ("messages", "bytes")}
    reached["show, of 15 widgets"] = max(
        statistics.median(ratios(samples["refreshes"], condition, PANEL)) for condition in COMPARED
    )
    every_second = samples["slow_down"]["slow-down", "panel every 1 s"]
    reached["slow-down every 1 s, %"] = statistics.median(one["undisturbed"] for one in every_second)
    reached["of it for the lock, %"] = statistics.median(one["for_the_lock"] for one in every_second)
    return [
        {"goal": goal, "at_most": most, "reached": round(reached[goal], 3), "met": reached[goal] <= most}
        for goal, most in GOALS.items()
    ]


def tables(samples: dict[str, Samples], goals: list[dict[str, Any]]) -> str:
    """Return what was found as tables in Markdown."""
    lines = [
        "| one refresh | | messages | bytes | show, of 15 widgets | show, µs | look, µs | kernel, µs | child, µs |"
    ]
    lines += ["|---|---|---:|---:|---:|---:|---:|---:|---:|"]
    for row in rows(samples["refreshes"]):
        ratio = spread(ratios(samples["refreshes"], row["condition"], row["case"]), ".2f")
        shown = [f"{row['messages']:.0f}", f"{row['bytes']:.0f}", ratio, f"{row['show_us']:.0f}"]
        shown += [f"{row[figure]:.0f}" if figure in row else "" for figure in ("look_us", "kernel_us", "child_us")]
        lines.append(f"| {row['condition']} | {row['case']} | {' | '.join(shown)} |")
    lines += ["", "| slow-down of a loop, % | by the clock | without waits for a core | for Python's lock |"]
    lines += ["|---|---:|---:|---:|"]
    for (_, case), rounds in samples["slow_down"].items():
        shown = [spread([one[figure] for one in rounds], ".2f") for figure in ("wall", "undisturbed", "for_the_lock")]
        lines.append(f"| {case} | {' | '.join(shown)} |")
    lines += ["", "| opening | | ms | messages | bytes |", "|---|---|---:|---:|---:|"]
    for (condition, case), rounds in samples["openings"].items():
        ms = spread([one["ms"] for one in rounds], ".0f")
        sent = " | ".join(f"{statistics.median(one[figure] for one in rounds):.0f}" for figure in ("messages", "bytes"))
        lines.append(f"| {condition} | {case} | {ms} | {sent} |")
    lines += ["", "| goal | at most | reached | |", "|---|---:|---:|---|"]
    for goal in goals:
        verdict = "met" if goal["met"] else "not met"
        lines.append(f"| {goal['goal']} | {goal['at_most']} | {goal['reached']:.2f} | {verdict} |")
    return "\n".join(lines)


def versions() -> dict[str, str]:
    """Return the versions of what takes part."""
    sys.path.insert(0, str(ROOT))
    import colab_magics  # noqa: PLC0415 - the one in this checkout, installed or not

    return {"colab_magics": colab_magics.__version__} | {name: importlib.metadata.version(name) for name in PACKAGES}


def main() -> None:
    """Run the benchmark, print its tables, keep its figures."""
    today = datetime.now(tz=UTC).date().isoformat()
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--runs", type=int, default=5, help="how often everything is measured (default: 5)")
    options.add_argument("--output", type=Path, default=RESULTS / f"panel-{today}.json", help="the file to write")
    given = options.parse_args()
    described = machine()
    samples = run(given.runs)
    described["load_average_at_the_end"] = round(os.getloadavg()[0], 1)
    goals = judged(samples)
    found = {
        "benchmark": "panel",
        "date": today,
        "machine": described,
        "packages": versions(),
        "runs": given.runs,
        "goals": goals,
        **{part: rows(of_part) for part, of_part in samples.items()},
    }
    given.output.parent.mkdir(parents=True, exist_ok=True)
    given.output.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(tables(samples, goals))


if __name__ == "__main__":
    main()
