"""What colab_magics costs: the tables and plots of docs/cost.md, from what benchmarks/ has kept."""

from __future__ import annotations

import functools
import json
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from documentation import svg
from documentation.markdown import code, plain, table

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
PLOTS = Path("docs/plots")
STACKS = {"newest": "newest", "colab": "Colab's"}
"""The two stacks, and what they are called in heads."""

SHORT = {
    "load": "load",
    "first_ram": "first %ram_info",
    "first_gpu": "first %gpu_info",
    "shown_ram": "shown %ram_info",
    "shown_gpu": "shown %gpu_info, no driver",
    "ram_info": "ram_info()",
    "gpu_info": "gpu_info(), 1 GPU",
    "gpu_info_64": "gpu_info(), 64 GPUs",
    "panel_look": "panel: to show one look",
    "panel_loop": "what a loop loses to the panel",
    "command": "colab-magics -j",
    "cell_hooks": "the footer's hooks, an empty cell",
    "cell_measured": "what a loop loses to %%runtime_status",
    "cell_footer": "what a loop loses to the footer",
}
"""The goals in the words of a plot."""

_LEAST_DRAWN = 0.1
"""What is less than this of a goal, or nothing, is drawn there."""

# What is kept -------------------------------------------------------------------------------------------------------


@functools.cache
def kept(name: str) -> dict[str, Any]:
    """Return what a benchmark has kept."""
    found: dict[str, Any] = json.loads((BENCHMARKS / "results" / f"{name}.json").read_text(encoding="utf-8"))
    return found


def on_both(name: str) -> dict[str, dict[str, Any]]:
    """Return what a benchmark has kept on both stacks."""
    return {stack: kept(f"{name}-{stack}") for stack in STACKS}


@functools.cache
def rows_of(table_of: str) -> list[dict[str, Any]]:
    """Return the rows of goals.toml or counts.toml."""
    rows: list[dict[str, Any]] = tomllib.loads((BENCHMARKS / f"{table_of}s.toml").read_text(encoding="utf-8"))[table_of]
    return rows


# The goals ----------------------------------------------------------------------------------------------------------


def goals() -> str:
    """Return every goal beside what was reached."""
    heads = ("what", "beside", "at most:", *(f"{name}:" for name in STACKS.values()), "")
    return table(heads, [_goal(row) for row in rows_of("goal")])


def _goal(row: dict[str, Any]) -> tuple[str, ...]:
    limits = dict.fromkeys(f"{row['most'][stack]:.2f}" for stack in STACKS)
    reached = []
    for stack in STACKS:
        seen = _reached(row, stack)
        is_met = "met" if seen["ratio"] <= row["most"][stack] else "not met"
        digits = 3 if row.get("of_work") else 2
        reached.append(f"{seen['ratio']:.{digits}f} ({seen['low']:.{digits}f} to {seen['high']:.{digits}f}), {is_met}")
    return row["what"], row["beside"], " / ".join(limits), *reached, row.get("remark", "")


def _reached(goal: dict[str, Any], stack: str) -> dict[str, float]:
    found: dict[str, float] = kept(f"{goal.get('benchmark', 'beside_floors')}-{stack}")["goals"][goal["key"]]
    return found


def goals_plot() -> str:
    """Return every goal's ratio, of the goal."""
    rows = [(SHORT[goal["key"]], [_of_the_goal(goal, stack) for stack in STACKS]) for goal in rows_of("goal")]
    return svg.dots("How far from the goal: at 1, and left of it, it is met", _stacks(), rows, goal="goal")


def _of_the_goal(goal: dict[str, Any], stack: str) -> svg.Interval:
    seen, most = _reached(goal, stack), goal["most"][stack]
    figures = [seen[figure] for figure in ("ratio", "low", "high")]
    if goal.get("of_work"):  # what it may lose is a share of it
        return svg.Interval(*(max(_LEAST_DRAWN, (figure - 1) / (most - 1)) for figure in figures))
    return svg.Interval(*(figure / most for figure in figures))


def counts() -> str:
    """Return what is counted in each run of CI."""
    return table(("what", "at most:"), [(row["what"], f"{row['most']:,}") for row in rows_of("count")])


# Beside others ------------------------------------------------------------------------------------------------------

GROUPS = {"load": "Load", "first": "First", "warm": "Warm"}


def peers() -> str:
    """Return what loading, a first and a warm report take beside other extensions and cells."""
    cases = _cases()
    rows = []
    for group, name in cases:
        found = [by_case[group, name] for by_case in _by_case().values()]
        times = ["" if one["beside"] == name else f"{one['times_ours']:.2f} x" for one in found]
        ms = [f"{svg.spoken(one['median_ms'])} ({svg.spoken(one['minimum_ms'])})" for one in found]
        beside = "ours" if found[0]["beside"] == name else code(found[0]["beside"])
        rows.append((GROUPS[group], code(name), beside, *times, *ms))
    names = STACKS.values()
    heads = ("", "what", "beside", *(f"{name}:" for name in names), *(f"{name}, ms:" for name in names))
    return table(heads, rows)


def _by_case() -> dict[str, dict[tuple[str, str], dict[str, Any]]]:
    return {
        stack: {(row["group"], row["name"]): row for row in found["results"]}
        for stack, found in on_both("notebook").items()
    }


def _cases() -> list[tuple[str, str]]:
    """Return the cases, group by group, in the order of what they take on the newest stack."""
    of_newest = _by_case()["newest"]
    return sorted(of_newest, key=lambda case: (list(GROUPS).index(case[0]), of_newest[case]["median_ms"]))


def load_plot() -> str:
    """Return what loading takes."""
    return _peers_plot("load", "Loading in a kernel (medians)")


def first_plot() -> str:
    """Return what the first report takes."""
    return _peers_plot("first", "The first report or cell, from sending it until it is done (medians)")


def _peers_plot(group: str, title: str) -> str:
    found = _by_case().values()
    rows = [(case[1], [by_case[case]["median_ms"] for by_case in found]) for case in _cases() if case[0] == group]
    return svg.bars(title, _stacks(), rows, unit="ms")


# Growth -------------------------------------------------------------------------------------------------------------

OURS, FLOOR = "colab_magics", "a bare child"


def growth_first() -> str:
    """Return how the first report grows with GPUs and processes."""
    return _growth("first_ms")


def growth_warm() -> str:
    """Return how every later report does."""
    return _growth("warm_ms")


def _growth(figure: str) -> str:
    contestants, cases, found = _contestants(), _growth_cases(), _grown(figure)
    others = [name for name in contestants if name != OURS]
    rows = [
        (
            str(gpus),
            f"{processes:,}",
            *(f"{found[gpus, processes, name] / found[gpus, processes, OURS]:.2f} x" for name in others),
            svg.spoken(found[gpus, processes, OURS]),
        )
        for gpus, processes in cases
    ]
    return table(("GPUs:", "processes:", *(f"{name}:" for name in others), f"{OURS}, ms:"), rows)


def growth_plot() -> str:
    """Return how a warm report grows."""
    found = _grown("warm_ms")
    cases = _growth_cases()
    gpus, processes = (list(dict.fromkeys(counts)) for counts in zip(*cases, strict=True))
    panels = [
        (
            f"{number} GPU{'s' if number > 1 else ''}, by processes",
            [[found[number, held, name] for held in processes] for name in _contestants()],
        )
        for number in gpus
    ]
    steps = [f"{held:,}" for held in processes]
    return svg.lines(
        "A warm look, by GPUs and by processes on them (medians)",
        _contestants(),
        panels,
        steps=steps,
        unit="ms",
    )


def _grown(figure: str) -> dict[tuple[int, int, str], float]:
    results = kept("gpu_growth")["results"]
    return {(row["gpus"], row["processes"], row["contestant"]): row[figure] for row in results}


def _contestants() -> list[str]:
    return list(dict.fromkeys(row["contestant"] for row in kept("gpu_growth")["results"]))


def _growth_cases() -> list[tuple[int, int]]:
    return list(dict.fromkeys((row["gpus"], row["processes"]) for row in kept("gpu_growth")["results"]))


# The panel ----------------------------------------------------------------------------------------------------------


def refreshes() -> str:
    """Return what one refresh takes."""
    heads = ("", "what", "messages:", "bytes:", "to show, µs:", "to look, µs:", "kernel, µs:", "child, µs:")
    figures = ("messages", "bytes", "show_us", "look_us", "kernel_us", "child_us")
    return table(
        heads,
        [
            (row["condition"], row["case"], *(f"{row[figure][0]:,.0f}" if figure in row else "" for figure in figures))
            for row in kept("live_panel")["refreshes"]
        ],
    )


def refreshes_plot() -> str:
    """Return what it takes to show one look."""
    rows = [(row["case"], [row["show_us"][0]]) for row in kept("live_panel")["refreshes"] if row["condition"] == "T4"]
    return svg.bars("To show one look, with a T4 (CPU time of the thread, medians)", ["T4"], rows, unit="µs")


def loops() -> str:
    """Return what a loop in pure Python loses to something that happens once a second."""
    heads = ("beside it, once a second", "the loop takes, times:", "by the clock:", "asleep for Python's lock:")
    return table(
        heads,
        [
            (row["case"], *(_of_loop(found) for found in (row, row["by_the_clock"], row["for_the_lock"])))
            for row in kept("live_panel")["loops"]
        ],
    )


def _of_loop(found: dict[str, float]) -> str:
    return f"{found['ratio']:.4f} ({found['low']:.4f} to {found['high']:.4f})"


def openings() -> str:
    """Return what it takes to open a panel."""
    return table(
        ("", "what", "ms:", "messages:", "bytes:"),
        [
            (row["condition"], row["case"], *(f"{row[figure][0]:,.0f}" for figure in ("ms", "messages", "bytes")))
            for row in kept("live_panel")["openings"]
        ],
    )


# Memory and bytes ---------------------------------------------------------------------------------------------------

_MIB = 2**20


def memory() -> str:
    """Return what the kernel and the child hold."""
    return _of_both("memory_bytes", "what holds it", "MiB", lambda size: f"{size / _MIB:.1f}")


def sizes() -> str:
    """Return how many bytes reports are."""
    return _of_both("bytes", "what", "bytes", lambda size: f"{size:,}")


def _of_both(part: str, head: str, unit: str, speak: Any) -> str:
    both = [found[part] for found in on_both("memory_and_bytes").values()]
    rows = [(name, *(speak(found[name]) for found in both)) for name in both[0]]
    return table((head, *(f"{name}, {unit}:" for name in STACKS.values())), rows)


# Cells that are measured ---------------------------------------------------------------------------------------------

_LIVES_MS = (1, 10, 100)
_WORK = {"loop": "a loop", "objects": "objects", "allocations": "numpy arrays", "matmul": "matrices"}
"""The kinds of work, in the words of a head."""


def manners() -> str:
    """Return whether a measured cell does what it does when it is left alone."""
    rows = [one for one in _measurers("newest") if "failed" not in one]
    heads = ("measured by", *rows[0]["manners"])
    return table(heads, [(one["name"], *("yes" if so else "no" for so in one["manners"].values())) for one in rows])


def exactness(stack: str) -> str:
    """Return by how many MB the peak that is told differs from what it was."""
    rows: list[tuple[str, ...]] = []
    for one in _measurers(stack):
        if "failed" in one:
            rows.append((one["name"], "", f"does not load: {plain(one['failed'])}", "", ""))
            continue
        for kind in dict.fromkeys(row["kind"] for row in one["exactness"]):
            told = [row for row in one["exactness"] if row["kind"] == kind]
            if all("failed" in row for row in told):
                rows.append((one["name"], kind, f"does not run it: {plain(told[0]['failed'])}", "", ""))
            else:
                rows.append((one["name"], kind, *map(_error_of_peak, told)))
    return table(("measured by", "memory taken by", *(f"{ms} ms:" for ms in _LIVES_MS)), rows)


def _error_of_peak(row: dict[str, Any]) -> str:
    if "failed" in row:
        return plain(row["failed"])
    median, least, greatest = (figure + 0.0 for figure in row["error_mb"])  # there is no -0.0
    return f"{median:+.1f} ({least:+.1f} to {greatest:+.1f})"


def exactness_plot() -> str:
    """Return the worst that each misses of a temporary, whoever takes it."""
    rows = []
    for one in _measurers("newest"):
        told = [row for row in one.get("exactness", ()) if "error_mb" in row]
        worst = [max(max(map(abs, row["error_mb"][1:])) for row in told if row["ms"] == ms) for ms in _LIVES_MS]
        rows.append((one["name"].strip("`"), worst))
    title = "The most that is missed of 500 MB, by how long they live"
    return svg.bars(title, [f"{ms} ms" for ms in _LIVES_MS], rows, unit="MB")


def measuring(stack: str) -> str:
    """Return how many times as long a measured cell takes: in all, and its work by its own clock."""
    rows = []
    for one in _measurers(stack):
        if "failed" in one:
            continue
        by_case = {row["case"]: row for row in one["costs"]}
        whole = [_times(row["whole"]) for row in by_case.values()]
        work = [_times(by_case[name]["work"]) for name in _WORK]
        rows += [(one["name"], "the cell", *whole), ("", "its work", "", *work)]
    return table(("measured by", "", "an empty cell:", *(f"{name}:" for name in _WORK.values())), rows)


def _times(found: dict[str, float]) -> str:
    return f"{found['ratio']:.2f} ({found['low']:.2f} to {found['high']:.2f})"


def _measurers(stack: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = kept(f"measured_cells-{stack}")["contestants"]
    return found


# Variables, and many cells --------------------------------------------------------------------------------------------


def sized(stack: str) -> str:
    """Return how large variables are said to be beside the truth, what that takes, and what stays in memory."""
    rows = []
    for one in kept(f"sized_variables-{stack}")["sized"]:
        true = one["true_bytes"]
        for row in one["sizers"]:
            if "failed" in row:
                rows.append((one["case"], f"{true / 1e6:.1f}", row["sizer"], plain(row["failed"]), "", ""))
                continue
            said = f"{row['size_bytes'] / 1e6:.1f}"
            off = f"{(row['size_bytes'] / true - 1) * 100:+.0f} %"
            told = f"at least {said}" if row["is_at_least"] else f"{said} ({off})"
            left = f"{row['left_bytes'] / 1e6:.1f}"
            rows.append((one["case"], f"{true / 1e6:.1f}", row["sizer"], told, svg.spoken(row["ms"][0]), left))
    return table(("what", "MB:", "sized by", "says, MB:", "ms:", "left behind, MB:"), rows)


def many_variables() -> str:
    """Return how a report of the largest variables grows with them."""
    magics = tuple(kept("sized_variables-newest")["growth"][0]["ms"])
    rows = []
    for of_newest, of_colab in zip(*(found["growth"] for found in on_both("sized_variables").values()), strict=True):
        ms = [svg.spoken(found["ms"][magic][0]) for magic in magics for found in (of_newest, of_colab)]
        rows.append((f"{of_newest['variables']:,}", *ms))
    heads = [f"{code(magic)}, {name}, ms:" for magic in magics for name in STACKS.values()]
    return table(("variables:", *heads), rows)


def many_cells() -> str:
    """Return what the cells of a long session take and hold, beside the same session without us."""
    rows = []
    for of_newest, of_colab in zip(*(found["parts"] for found in on_both("many_cells").values()), strict=True):
        grown = [f"{size / _MIB:.1f}" for found in (of_newest, of_colab) for size in found["grown_bytes"].values()]
        times = [_times(found["time"]) for found in (of_newest, of_colab)]
        rows.append((f"{of_newest['cells']:,}", *times, *grown))
    names = [f"{name}, {stack}, MiB:" for stack in STACKS.values() for name in ("ours", "without")]
    return table(("cells:", *(f"a cell, {stack}, times:" for stack in STACKS.values()), *names), rows)


def many_machines() -> str:
    """Return what asking many machines of a cluster takes of the notebook's time, and what one report of them takes."""
    found = on_both("many_machines")
    heads = ("machines:", "", *(f"{stack}, ms:" for stack in STACKS.values()))
    rows = []
    for of_each in zip(*(one["asked"] for one in found.values()), strict=True):
        count = f"{of_each[0]['machines']:,}"
        rows.append((count, "asked: each", *(svg.spoken(one["time"]["ours_ms"] / one["machines"]) for one in of_each)))
        rows.append(("", "by the engine alone: each",
                     *(svg.spoken(one["time"]["floor_ms"] / one["machines"]) for one in of_each)))  # fmt: skip
    for of_each in zip(*(one["gathered"] for one in found.values()), strict=True):
        rows.append((f"{of_each[0]['machines']:,}", "gathered: all", *(svg.spoken(one["ms"]) for one in of_each)))
        rows.append(("", "shown as text", *(svg.spoken(one["text_ms"]) for one in of_each)))
    return table(heads, rows)


# Where it was measured ----------------------------------------------------------------------------------------------


def measured_on() -> str:
    """Return for each kept result when, where and on which versions it was measured."""
    names = sorted(file.stem for file in (BENCHMARKS / "results").glob("*.json"))
    heads = ("benchmark", "day", "runs:", "colab_magics", "machine", "load average:", "versions")
    return table(heads, [_described(kept(name)) for name in names])


def _described(found: dict[str, Any]) -> tuple[str, ...]:
    machine = found["machine"]
    packages = ", ".join(f"{name} {version}" for name, version in found["packages"].items())
    return (
        f"{code(found['benchmark'])}, {STACKS[found['stack']]}",
        found["date"],
        str(found["runs"]),
        f"{found['measured']['version']}, {found['measured']['from']}",
        f"{machine['cores']} cores ({plain(machine['processor'])}), {machine['kernel']}",
        f"{machine['load_average']}",
        f"Python {machine['python']}, {plain(packages)}",
    )


def _stacks() -> list[str]:
    return ["newest of everything", "Colab's versions"]


def plots() -> dict[Path, str]:
    """Return the plots, by their files below the root of the project."""
    drawn: Iterable[tuple[str, str]] = (
        ("goals", goals_plot()),
        ("load", load_plot()),
        ("first", first_plot()),
        ("growth", growth_plot()),
        ("panel", refreshes_plot()),
        ("peaks", exactness_plot()),
    )
    return {PLOTS / f"{name}.svg": text for name, text in drawn}
