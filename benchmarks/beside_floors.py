"""The table of goals: what colab_magics takes beside a floor, each pair in turns in the same run."""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
import time
import tomllib
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import live_panel
from floors import cells
from kernels import Machines, Page, machines, page, pages
from measured import RESULTS, Pairs, described, keep, ratio, say, stack

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).resolve().parent
PACKAGES = (
    "ipykernel", "ipython", "ipython-autotime", "ipywidgets", "jupyter_client", "nvidia-ml-py", "psutil", "pyzmq",
    "tornado", "traitlets",
)  # fmt: skip

Samples = dict[str, Pairs]
_PYNVML = importlib.util.find_spec("pynvml")
assert _PYNVML is not None  # noqa: S101
assert _PYNVML.origin is not None  # noqa: S101
START_THE_FLOOR = f"floor = BareChild({str(Path(_PYNVML.origin).parent)!r})"

# What happens once: a fresh kernel each time ------------------------------------------------------------------------


def once(on: Machines, runs: int, *, peer: str = "autotime") -> Samples:
    """Load and report for the first time, and the floors, each in a kernel of its own."""
    found = {key: Pairs([], []) for key in ("load", "first_ram", "first_gpu")}
    bare, t4 = on.without_driver(), on.with_gpus()
    for number in range(-1, runs):
        with pages(on, [bare, bare, t4, t4]) as (ours, floor, ours_t4, floor_t4):
            floor_t4.take_in(HERE / "floors" / "child.py")
            floor.run(f"import sys; sys.path.append({str(HERE / 'floors')!r})")

            def with_ours(ours: Page = ours) -> tuple[float, float]:
                return ours.load("colab_magics"), ours.run("%ram_info").ms

            def with_floor(floor: Page = floor) -> tuple[float, float]:
                return floor.load(peer), floor.run(cells.RAM_CELL).ms

            def gpus_of_ours(ours: Page = ours_t4) -> float:
                ours.load("colab_magics")
                return ours.run("%gpu_info").ms

            def gpus_of_floor(floor: Page = floor_t4) -> float:
                return floor.run(f"{START_THE_FLOOR}; print(floor.ask()['driver'])").ms

            (load, ram), (load_floor, ram_floor) = in_turn(number, with_ours, with_floor)
            gpu, gpu_floor = in_turn(number, gpus_of_ours, gpus_of_floor)
        if number >= 0:
            found["load"].add(load, load_floor)
            found["first_ram"].add(ram, ram_floor)
            found["first_gpu"].add(gpu, gpu_floor)
    return found


def in_turn(number: int, ours: Callable[[], Any], floor: Callable[[], Any]) -> tuple[Any, Any]:
    """Do both, and return what they give; who begins changes from run to run."""
    if number % 2:
        given = ours()
        return given, floor()
    given = floor()
    return ours(), given


# What is shown again and again --------------------------------------------------------------------------------------


def shown(on: Machines, runs: int) -> Samples:
    """Let cells take turns in one kernel without a driver."""
    found = {key: Pairs([], []) for key in ("shown_ram", "shown_gpu")}
    both = {"shown_ram": ("%ram_info", cells.RAM_CELL), "shown_gpu": ("%gpu_info", cells.gpu_cell())}
    with page(on, on.without_driver()) as one:
        one.load("colab_magics")
        for turn in range(-2, runs * 10):
            for key, (ours, floor) in both.items():
                taken = in_turn(turn, partial(milliseconds, one, ours), partial(milliseconds, one, floor))
                if turn >= 0:
                    found[key].add(*taken)
    return found


def milliseconds(one: Page, code: str) -> float:
    """Return what a cell takes."""
    return one.run(code).ms


# The functions ------------------------------------------------------------------------------------------------------


def functions(on: Machines, runs: int) -> Samples:
    """Let `ram_info()` and `gpu_info()` take turns with the same reads and calls done bare."""
    reads = HERE / "floors" / "reads.py"
    with page(on, on.without_driver()) as one:
        one.take_in(reads)
        files = one.asked("files_of_ram_info()")
    found = {}
    with page(on, on.without_driver()) as one:
        one.take_in(reads)
        one.take_in(HERE / "in_kernel.py")
        one.run(f"import colab_magics; files = {files!r}")
        found["ram_info"] = of_turns(one, "colab_magics.ram_info", "lambda: read_all(files)", turns=runs * 20, calls=5)
    for key, environment, turns, calls in (
        ("gpu_info", on.with_gpus(), runs * 20, 5),
        ("gpu_info_64", on.with_gpus("64-gpus", gpus=64, processes=2000), runs * 5, 1),
    ):
        with page(on, environment) as one:
            one.take_in(HERE / "floors" / "child.py")
            one.take_in(HERE / "in_kernel.py")
            one.run(f"import colab_magics; {START_THE_FLOOR}")
            found[key] = of_turns(one, "colab_magics.gpu_info", "floor.ask", turns=turns, calls=calls)
            one.run("floor.close()")
    return found


def of_turns(one: Page, ours: str, floor: str, *, turns: int, calls: int) -> Pairs:
    """Return what two functions of a kernel take in turns."""
    return Pairs(*one.asked(f"in_turns({ours}, {floor}, turns={turns}, calls={calls})"))


# In a shell ---------------------------------------------------------------------------------------------------------


def command(on: Machines, runs: int) -> Samples:
    """Run the command, and Python with nothing to do."""
    script = Path(sys.executable).with_name("colab-magics")
    ours = [str(script)] if script.exists() else [sys.executable, "-m", "colab_magics"]
    environment = on.without_driver()

    def ran(*line: str) -> float:
        started = time.perf_counter()
        subprocess.run(line, env=environment, cwd=on.cells, check=True, capture_output=True)
        return (time.perf_counter() - started) * 1e3

    found = Pairs([], [])
    for number in range(-1, runs * 2):
        taken = in_turn(number, lambda: ran(*ours, "-j"), lambda: ran(sys.executable, "-c", "pass"))
        if number >= 0:
            found.add(*taken)
    return {"command": found}


# All of them --------------------------------------------------------------------------------------------------------

PARTS: dict[str, Callable[[Machines, int], dict[str, Any]]] = {
    "once": lambda on, runs: ratios(once(on, runs)),
    "shown": lambda on, runs: ratios(shown(on, runs)),
    "functions": lambda on, runs: ratios(functions(on, runs)),
    "command": lambda on, runs: ratios(command(on, runs)),
    "panel": lambda on, runs: live_panel.for_goals(on, -(-runs // 2)),
}


def ratios(samples: Samples) -> dict[str, Any]:
    """Return each pair's ratio."""
    return {key: ratio(pairs) for key, pairs in samples.items()}


def goals() -> list[dict[str, Any]]:
    """Return the table of goals."""
    return list(tomllib.loads((HERE / "goals.toml").read_text(encoding="utf-8"))["goal"])


def table(found: dict[str, Any]) -> str:
    """Return what was reached beside what was meant, a line for each goal."""
    lines = []
    for goal in goals():
        seen = found.get(goal["key"])
        if seen is None:
            continue
        most = goal["most"][stack()]
        lines.append(
            f"{goal['key']:12} {seen['ratio']:7.3f} ({seen['low']:.3f} to {seen['high']:.3f})  at most {most:5.2f} "
            f"{'met    ' if seen['ratio'] <= most else 'NOT MET'}  "
            f"{seen['ours_ms']:.4g} / {seen['floor_ms']:.4g} ms, minima {seen['of_minima']:.3f}"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure, print the table, keep the figures."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("parts", nargs="*", metavar="PART", help=f"only these: {', '.join(PARTS)} (default: all)")
    options.add_argument("--runs", type=int, default=12, help="fresh kernels of each kind (default: 12)")
    options.add_argument("--output", type=Path, help="the file to write (default: in results/, if all is measured)")
    given = options.parse_args()
    if unknown := set(given.parts) - set(PARTS):
        options.error(f"there is no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    head = described("beside_floors", PACKAGES)
    say("colab_magics {version} from {from}".format_map(head["measured"]))
    found: dict[str, Any] = {}
    with machines() as on:
        for name in given.parts or PARTS:
            say(name)
            found |= PARTS[name](on, given.runs)
    print(table(found))
    output = given.output or (None if given.parts else RESULTS / f"beside_floors-{head['stack']}.json")
    if output:
        keep(head | {"runs": given.runs, "goals": found}, output)


if __name__ == "__main__":
    main()
