"""Sizes what a namespace holds, in a process of its own: `sized_variables_child.py SIZER CASE`.

It prints one line of JSON: bytes, milliseconds of processor time, and what stayed in memory afterwards. The sizer
"truth" prints what the allocators have handed out for it, as tracemalloc counts. It imports nothing of the other
benchmarks.
"""

from __future__ import annotations

import gc
import json
import sys
import time
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

Namespace = dict[str, Any]

# What is sized ------------------------------------------------------------------------------------------------------


def scalars(number: int = 100_000) -> Namespace:
    """Make so many variables, a number each."""
    return {f"x{index}": index + 0.5 for index in range(number)}


def nested_dicts() -> Namespace:
    """Make records in dictionaries of dictionaries, no two alike."""
    numbers = range(60_000)
    return {"records": {one: {"id": one + 0.5, "place": {"x": one + 0.25, "y": (one, one + 0.75)}} for one in numbers}}


def floats() -> Namespace:
    """Make one list of a million numbers."""
    return {"floats": [index + 0.5 for index in range(1_000_000)]}


def views() -> Namespace:
    """Make ten variables that look into one array, which no variable is."""
    import numpy as np

    base = np.ones(10_000_000)
    return {f"view{index}": base[index:] for index in range(10)}


def object_column() -> Namespace:
    """Make a frame with a column of a million Python strings."""
    import pandas as pd

    return {"frame": pd.DataFrame({"name": pd.Series([f"name {index}" for index in range(1_000_000)], dtype=object)})}


CASES: dict[str, Callable[[], Namespace]] = {
    "100,000 variables, a number each": scalars,
    "60,000 nested dicts": nested_dicts,
    "a list of 1,000,000 floats": floats,
    "ten numpy views of one array": views,
    "a pandas object column, 1,000,000 strings": object_column,
}

# Who sizes it -------------------------------------------------------------------------------------------------------


class Sized(NamedTuple):
    """What a sizer says."""

    size_bytes: int
    is_at_least: bool = False


def by_getsizeof() -> Callable[[Namespace], Sized]:
    """Size each variable alone, without what it refers to."""
    return lambda names: Sized(sum(map(sys.getsizeof, names.values())))


def by_pympler() -> Callable[[Namespace], Sized]:
    """Size all variables together."""
    from pympler import asizeof

    return lambda names: Sized(asizeof.asizeof(*names.values()))


def by_objsize() -> Callable[[Namespace], Sized]:
    """Size all variables together."""
    import objsize

    return lambda names: Sized(objsize.get_deep_size(*names.values()))


def by_ours() -> Callable[[Namespace], Sized]:
    """Size all variables as `%ram_info -v` does, of `__main__` where there is no shell."""
    from colab_magics.probes.holders import probe_holders

    def size(names: Namespace) -> Sized:
        globals().update(names)
        found = probe_holders(None)
        return Sized(found.ram_bytes, found.is_at_least)

    return size


SIZERS: dict[str, Callable[[], Callable[[Namespace], Sized]]] = {
    "colab_magics": by_ours,
    "sys.getsizeof": by_getsizeof,
    "pympler": by_pympler,
    "objsize": by_objsize,
}


def truth(make: Callable[[], Namespace]) -> int:
    """Return what was allocated for a namespace, without the table of its names."""
    make()  # what is imported and kept for later is not the namespace's
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    names = make()
    gc.collect()
    held = tracemalloc.get_traced_memory()[0] - before
    keys = sys.getsizeof(names) + sum(map(sys.getsizeof, names))
    return held - keys


def resident_bytes() -> int:
    """Return this process's resident memory."""
    for line in Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Rss:"):
            return int(line.split()[1]) * 1024
    raise LookupError("Rss")


def main() -> None:
    """Size one namespace by one sizer."""
    sizer, case = sys.argv[1:]
    if sizer == "truth":
        print(json.dumps({"size_bytes": truth(CASES[case])}))
        return
    size = SIZERS[sizer]()
    size({"nothing": []})  # what it imports late is not what sizing takes
    names = CASES[case]()
    gc.collect()
    before = resident_bytes()
    started = time.process_time()
    sized = size(names)
    taken = time.process_time() - started
    gc.collect()
    left = resident_bytes() - before
    print(json.dumps({"ms": taken * 1e3, "left_bytes": left, **sized._asdict()}))


if __name__ == "__main__":
    main()
