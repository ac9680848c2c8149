"""What every benchmark has in common: the machine, the package that is measured, statistics, and the kept figures."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import random
import statistics
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import colab_magics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).resolve().parent / "results"

_RESAMPLED = 2000
_OUTSIDE_OF_THE_INTERVAL = 0.025

# Where it was measured ----------------------------------------------------------------------------------------------


def stack() -> str:
    """Return which of the two stacks this environment has: "colab" where IPython is Colab's, else "newest"."""
    return "colab" if importlib.metadata.version("ipython").startswith("7.") else "newest"


def machine() -> dict[str, Any]:
    """Describe the machine, without a word that tells whose it is."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "processor": _processor(),
        "kernel": f"{platform.system()} {platform.release().partition('-')[0]}",
        "load_average": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return platform.machine()


def package() -> dict[str, str]:
    """Say which colab_magics is measured: the one that this environment imports, installed or on PYTHONPATH."""
    folder = Path(colab_magics.__file__).resolve().parents[1]
    if not (folder / ".git").exists():
        return {"version": colab_magics.__version__, "from": "an installed wheel"}
    commit = _git(folder, "log", "-1", "--format=%h") or "an unknown commit"
    changed = ", changed since" if _git(folder, "status", "--porcelain", "--", "colab_magics") else ""
    return {"version": colab_magics.__version__, "from": f"a checkout of {commit}{changed}"}


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def versions(names: Iterable[str]) -> dict[str, str]:
    """Return the versions of the packages that are here."""
    found = {}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


# Statistics ---------------------------------------------------------------------------------------------------------


class Pairs(NamedTuple):
    """What ours and the floor took, turn by turn, in milliseconds."""

    ours: list[float]
    floor: list[float]

    def add(self, ours: float, floor: float) -> None:
        """Note what both took in one turn."""
        self.ours.append(ours)
        self.floor.append(floor)


def ratio(pairs: Pairs) -> dict[str, Any]:
    """Return how many times as long as the floor ours takes, by medians, with its interval of 95 %; and by minima."""

    def of_medians(chosen: Sequence[int]) -> float:
        return statistics.median(pairs.ours[one] for one in chosen) / statistics.median(
            pairs.floor[one] for one in chosen
        )

    turns = range(len(pairs.ours))
    low, high = interval(of_medians, len(pairs.ours))
    return {
        "ratio": rounded(of_medians(turns)),
        "low": rounded(low),
        "high": rounded(high),
        "of_minima": rounded(min(pairs.ours) / min(pairs.floor)),
        "ours_ms": rounded(statistics.median(pairs.ours)),
        "floor_ms": rounded(statistics.median(pairs.floor)),
        "turns": len(pairs.ours),
    }


def interval(figure: Callable[[Sequence[int]], float], turns: int) -> tuple[float, float]:
    """Return within what a figure of the turns lies by 95 %: it is taken again of turns that are drawn with return."""
    drawn = random.Random(turns)
    again = sorted(figure(drawn.choices(range(turns), k=turns)) for _ in range(_RESAMPLED))
    cut = int(_OUTSIDE_OF_THE_INTERVAL * _RESAMPLED)
    return again[cut], again[-1 - cut]


def rounded(figure: float) -> float:
    """Return a figure to four digits: more say nothing."""
    return float(f"{figure:.4g}")


# What is kept -------------------------------------------------------------------------------------------------------


def today() -> str:
    """Return the date, as results have it."""
    return datetime.now(tz=UTC).date().isoformat()


def described(benchmark: str, packages: Iterable[str]) -> dict[str, Any]:
    """Return what stands at the head of every kept result."""
    return {
        "benchmark": benchmark,
        "date": today(),
        "stack": stack(),
        "measured": package(),
        "machine": machine(),
        "packages": versions(packages),
    }


def keep(found: dict[str, Any], file: Path) -> None:
    """Write a result as JSON."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def say(what: str) -> None:
    """Tell how far it is."""
    print(what, file=sys.stderr, flush=True)
