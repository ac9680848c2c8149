"""The line below cells and the session's ranking, in real kernels."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import documents
from fake_nvml import FakeDriver
from notebooks import Answer, Notebook

ON_THE_BUS = """
from colab_magics.probes import driver_state
from colab_magics.values import replace
read_signs = driver_state.read_signs
driver_state.read_signs = lambda **where: replace(read_signs(**where), pci_devices=1)
"""
"""A GPU, as a machine with a driver has one."""

HOLD = "x = bytearray(200_000_000)"


def run(notebook: Notebook, code: str) -> Answer:
    """Run a cell as a page does, which counts it."""
    return notebook.run(code, store_history=True)


def lines(answer: Answer) -> list[str]:
    return [shown["text/plain"] for shown in answer.shown]


def cells(notebook: Notebook) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = documents.read(run(notebook, "%runtime_status -c -a -j").stdout)["cells"]
    return found


def test_a_cell_that_takes_much_has_one_quiet_line_and_others_none(open_notebook: Callable[..., Notebook]) -> None:
    notebook = open_notebook()
    assert lines(run(notebook, HOLD)) == []
    run(notebook, "%config ColabMagics.footer = True")
    run(notebook, "%config ColabMagics.footer_seconds = 100")

    (line,) = lines(run(notebook, f"{HOLD}; del x"))
    assert re.search(r"peak 19[01] MiB over the start", line)  # the system counts in lots
    assert "GPU" not in line
    assert lines(run(notebook, "1")) == ["1"]
    (result, line) = lines(run(notebook, f"{HOLD}; 2"))
    assert result == "2"
    assert line.endswith("191 MiB kept")
    assert lines(notebook.run(f"y{HOLD}")) == []  # a tool's


def test_a_cell_that_fails_or_is_interrupted_has_its_line_and_its_error(
    open_notebook: Callable[..., Notebook], interruptible: None
) -> None:
    notebook = open_notebook()
    run(notebook, "%config ColabMagics.footer = True")
    failing = run(notebook, f"{HOLD}; 1/0")
    assert failing.error == "ZeroDivisionError"
    assert len(lines(failing)) == 1

    sent = notebook.client.execute("print('begun', flush=True)\nimport time; time.sleep(60)")
    assert notebook.watch(until=lambda: False, seconds=1.5) is False
    notebook.manager.interrupt_kernel()
    notebook.watch(seconds=2.0)
    assert notebook.client.get_shell_msg(timeout=30)["parent_header"]["msg_id"] == sent

    assert [(one["first_line"], one["failed"]) for one in cells(notebook)] == [
        (f"{HOLD}; 1/0", True),
        ("print('begun', flush=True)", True),
    ]


def test_cells_are_ranked_with_the_numbers_that_stand_beside_them(open_notebook: Callable[..., Notebook]) -> None:
    notebook = open_notebook()
    run(notebook, "%config ColabMagics.footer = True")
    run(notebook, "await __import__('asyncio').sleep(0.3)")
    run(notebook, "%%capture\ny = bytearray(90_000_000)")
    run(notebook, HOLD)
    number = json.loads(run(notebook, "print(get_ipython().execution_count)").stdout)
    (shown,) = run(notebook, "%runtime_status -c -n 2").shown
    text = shown["text/plain"].split("\n")

    current = int(run(notebook, "print(In.index(In[-1]))").stdout)
    ranked = [row for row in cells(notebook) if row["ram_peak_bytes"]]
    assert [row["first_line"] for row in ranked[:2]] == [HOLD, "y = bytearray(90_000_000)"]
    assert ranked[0]["number"] == ranked[1]["number"] + 1
    assert number - ranked[0]["number"] in {1, 2}  # whether a cell counts itself depends on IPython
    assert current > ranked[0]["number"]
    assert text[0].startswith(f"In [{ranked[0]['number']}] took the most RAM: 191 MiB")
    assert "<meter" in shown["text/html"]


def test_its_work_on_the_gpu_is_told(
    plug_in: Callable[..., FakeDriver], open_notebook: Callable[..., Notebook]
) -> None:
    plug_in("t4")
    notebook = open_notebook()
    run(notebook, ON_THE_BUS)
    run(notebook, "%config ColabMagics.footer = True")
    run(notebook, "import time; time.sleep(0.5)")  # the driver starts
    run(notebook, "time.sleep(1.2)")
    last = next(one for one in cells(notebook) if one["first_line"] == "time.sleep(1.2)")

    assert [gpu["name"] for gpu in last["gpus"]] == ["Tesla T4"]


def test_the_panel_has_the_session_s_cells(open_notebook: Callable[..., Notebook]) -> None:
    notebook = open_notebook()
    run(notebook, "%config ColabMagics.footer = True")
    run(notebook, HOLD)
    run(notebook, "%runtime_status -c -w")

    assert notebook.watch(until=lambda: bool(cards(notebook)), seconds=30)
    assert any("x = bytearray(200_000_000)" in card for card in cards(notebook))


def cards(notebook: Notebook) -> list[str]:
    shown = (str(state.get("value")) for state in notebook.widgets.values())
    return [value for value in shown if '"cm-cells"' in value and "<table" in value]


def test_nothing_is_measured_before_it_is_asked_for(open_notebook: Callable[..., Notebook]) -> None:
    notebook = open_notebook()
    (shown,) = run(notebook, "%runtime_status -c").shown

    assert shown["text/plain"].startswith("No cell has been measured yet.")
    answer = run(notebook, "report = %runtime_status -c -o\nprint(report.snapshot.session.measured)")
    assert answer.stdout == "0\n"


TEN_THOUSAND = """
import gc, os, statistics, time
measured = get_ipython().magics_manager.registry["ColabMagics"]._footer

class Info:
    store_history, raw_cell = True, ""

class Result:
    success = True

def cell(number):
    Info.raw_cell, Result.info, Result.execution_count = f"x = {number}", Info, number
    began = time.perf_counter()
    measured._cell_started(Info)
    measured._cell_ended(Result)
    return time.perf_counter() - began

def resident():
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

def some(first, last):
    return min(map(cell, range(first, last)))

early = some(1, 200)
some(200, 3_000)
before = resident()
some(3_000, 9_800)
late = some(9_800, 10_000)
print(early, late, resident() - before)
"""


def test_ten_thousand_cells_take_neither_more_memory_nor_more_time(open_notebook: Callable[..., Notebook]) -> None:
    notebook = open_notebook()
    run(notebook, "%config ColabMagics.footer = True")
    run(notebook, "%config ColabMagics.footer_seconds = 100")
    early, late, grown = map(float, notebook.run(TEN_THOUSAND).stdout.split())

    assert late < 3 * early  # of each the quickest of two hundred, on a machine where others work too
    assert grown < 2**20
    report = documents.read(run(notebook, "%runtime_status -c -j").stdout)
    assert report["session"]["measured"] == 10_000
    assert len(report["cells"]) < 20
