"""Who holds memory: the variables first, then what is kept beside them, each piece of memory once."""

from __future__ import annotations

import gc
import sys
import time
import tracemalloc
from array import array
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from builders import MIB
from colab_magics.model.holders import Deletion, Holder, Holders, Keeper
from colab_magics.probes import holders as probe
from colab_magics.probes.holders import probe_hidden, probe_holders
from untouchable import ASKED, Untouchable

SECONDS = 60.0
"""Time enough for all, on any machine."""


class Shell:
    """As much of IPython's as holds names."""

    def __init__(self, **names: object) -> None:
        self.user_ns: dict[Any, Any] = dict(names)


@pytest.fixture(autouse=True)
def no_last_error(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("last_type", "last_value", "last_traceback", "last_exc"):
        monkeypatch.delattr(sys, name, raising=False)


def look(shell: object, **options: Any) -> Holders:
    return probe_holders(shell, **{"seconds": SECONDS, **options})


def listed(found: Holders) -> list[str]:
    return [one.name for one in found.largest]


def one_of(found: Holders, name: str) -> Holder:
    (one,) = (one for one in found.largest if one.name == name)
    return one


# Who is listed -------------------------------------------------------------------------------------------------------


def test_those_that_hold_most_are_listed_the_largest_first() -> None:
    found = look(Shell(small=bytearray(2 * MIB), large=bytearray(5 * MIB), nothing=[1], text="x" * 3 * MIB))

    assert listed(found) == ["large", "text", "small"]
    assert found.looked_at == 4
    assert found.ram_bytes == pytest.approx(10 * MIB, rel=0.01)
    assert not found.is_at_least
    assert one_of(found, "large") == Holder(
        keeper=Keeper.VARIABLE,
        name="large",
        type_name="bytearray",
        shape=None,
        ram_bytes=sys.getsizeof(bytearray(5 * MIB)),
        devices=(),
        is_at_least=False,
        shares_with=None,
    )


def test_no_more_are_listed_than_were_asked_for() -> None:
    found = look(Shell(**{f"x{number}": bytearray(2 * MIB) for number in range(5)}), most=2)

    assert len(found.largest) == 2
    assert found.ram_bytes == pytest.approx(10 * MIB, rel=0.01)


@pytest.mark.libraries
def test_the_same_thing_and_a_view_of_it_are_listed_below_it() -> None:
    np = pytest.importorskip("numpy", reason="numpy is installed by nox -s tests_libraries alone")
    base = np.ones(MIB)
    found = look(Shell(base=base, same=base, part=base[:5], other=bytearray(2 * MIB)))

    assert listed(found) == ["base", "same", "part", "other"]
    assert [one.shares_with for one in found.largest] == [None, "base", "base", None]
    assert [one.ram_bytes for one in found.largest[1:3]] == [0, 0]
    assert one_of(found, "base").shape == "float64 1048576"


@pytest.mark.libraries
def test_a_small_view_that_keeps_a_large_base_holds_it() -> None:
    np = pytest.importorskip("numpy", reason="numpy is installed by nox -s tests_libraries alone")

    found = look(Shell(part=np.ones(MIB)[:5]))

    assert one_of(found, "part").ram_bytes == 8 * MIB
    assert one_of(found, "part").shape == "float64 5"


def test_an_array_s_memory_is_its_own_not_that_of_a_list_that_has_it() -> None:
    data = array("d", bytes(8 * MIB))

    found = look(Shell(a_list=[data], data=data))

    assert listed(found) == ["data"]


def test_a_function_that_holds_much_is_listed_and_a_module_never() -> None:
    large = bytearray(2 * MIB)

    found = look(Shell(f=lambda: large, sys=sys))

    assert listed(found) == ["f"]


def test_a_name_that_is_no_text_is_left_out() -> None:
    shell = Shell(x=bytearray(2 * MIB))
    shell.user_ns[8] = bytearray(2 * MIB)

    assert listed(look(shell)) == ["x"]


def test_names_that_are_very_long_are_cut() -> None:
    large = bytearray(2 * MIB)

    found = look(Shell(**{"x" * 10_000: large, "y" * 10_000: large}))

    assert [len(one.name) for one in found.largest] == [128, 128]
    assert len(found.largest[1].shares_with or "") == 128
    assert found.deletion is None


# The line that would delete ------------------------------------------------------------------------------------------


def test_to_delete_the_largest_takes_all_that_share_its_memory() -> None:
    large = bytearray(4 * MIB)

    found = look(Shell(small=bytearray(2 * MIB), large=large, same=large))

    assert found.deletion == Deletion(names=("large", "same"), is_kept_elsewhere=False)


@pytest.mark.parametrize("name", ["<b>", "1x", "class", "a b", "x; import os", "x\n"])
def test_nothing_is_to_be_deleted_that_code_cannot_name(name: str) -> None:
    assert look(Shell(**{name: bytearray(4 * MIB)})).deletion is None


def test_nothing_is_to_be_deleted_where_nothing_holds_much() -> None:
    assert look(Shell(x=1)).deletion is None


def test_what_is_a_result_too_has_to_be_let_go_of_as_well(shell: InteractiveShell) -> None:
    shell.run_cell("large = bytearray(4 * 2**20)\nlarge;", store_history=True)
    shell.run_cell("_ = Out[1] = large", store_history=True)

    deletion = look(shell).deletion

    assert deletion is not None
    assert deletion.is_kept_elsewhere


# What is kept beside the variables -----------------------------------------------------------------------------------

FAILS = """
def train(given):
    batch = bytearray(4 * 2**20)
    raise ValueError
"""


def test_results_and_the_last_error_have_what_no_variable_has(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.display_formatter.formatters["text/plain"].for_type(bytearray, lambda *_: None)
    for cell in (FAILS, "x = bytearray(8 * 2**20)", "bytearray(2 * 2**20)", "train(x)"):
        shell.run_cell(cell, store_history=True)
    capsys.readouterr()

    found = look(shell)

    assert listed(found) == ["x", "given in train()", "batch in train()", "Out[3]"]
    assert one_of(found, "given in train()").shares_with == "x"
    assert one_of(found, "batch in train()").keeper is Keeper.ERROR
    assert found.traceback_bytes == pytest.approx(4 * MIB, rel=0.01)
    assert found.hidden_bytes == pytest.approx(6 * MIB, rel=0.01)
    assert [one.name for one in probe_hidden(shell, seconds=SECONDS)][:2] == ["batch in train()", "Out[3]"]


# Time and memory -----------------------------------------------------------------------------------------------------


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[float], None]]:
    """Give what lets time pass."""
    now = [0.0]

    def passes(seconds: float) -> None:
        now[0] += seconds

    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    yield passes
    monkeypatch.undo()


def test_what_there_is_no_time_for_is_not_counted_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch, clock: Callable[[float], None]
) -> None:
    sizes = probe.sizes.Sizes
    of = sizes.of

    def slow(self: Any, *arguments: Any, **named: Any) -> Any:
        clock(0.03)
        return of(self, *arguments, **named)

    monkeypatch.setattr(sizes, "of", slow)

    found = probe_holders(Shell(**{f"x{number}": bytearray(2 * MIB) for number in range(9)}), seconds=0.08)

    assert len(found.largest) == 2  # 70 % of the time are the variables'
    assert found.is_at_least
    assert found.looked_at == 9


def test_a_container_without_end_leaves_time_for_what_comes_after_it() -> None:
    endless = [[number] for number in range(1_000_000)]

    found = probe_holders(Shell(endless=endless, after=[bytearray(4 * MIB)], data=bytearray(9 * MIB)), seconds=0.3)

    assert {"after", "data"} <= {*listed(found)}


def test_arrays_are_found_among_a_hundred_thousand_variables() -> None:
    shell = Shell(**{f"x{number}": [number] for number in range(100_000)}, data=bytearray(4 * MIB))

    found = probe_holders(shell)

    assert listed(found) == ["data"]
    assert found.looked_at == 100_001


def test_a_hundred_thousand_objects_are_looked_through() -> None:
    found = look(Shell(objects=[object() for _ in range(100_000)]))

    assert one_of(found, "objects").ram_bytes == pytest.approx(2.4 * MIB, rel=0.1)
    assert not found.is_at_least


def test_what_holds_itself_ends() -> None:
    shell = Shell(data=bytearray(2 * MIB))
    shell.user_ns["itself"] = itself = [shell.user_ns]
    itself.append(itself)

    assert listed(look(shell)) == ["data"]


def test_a_look_leaves_no_memory_behind() -> None:
    shell = Shell(objects=[[number + 0.5] for number in range(20_000)], data=bytearray(MIB))
    look(shell)
    gc.collect()
    tracemalloc.start()
    look(shell)
    gc.collect()
    left_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert left_bytes < 20_000


def test_nothing_is_asked_of_what_is_looked_at() -> None:
    ASKED.clear()
    thing = Untouchable()

    found = look(Shell(thing=thing, there=[thing, bytearray(2 * MIB)]))

    assert listed(found) == ["there", "thing"]
    assert one_of(found, "thing").type_name == "untouchable.Untouchable"
    assert ASKED == []


# Libraries -----------------------------------------------------------------------------------------------------------


def made(library: str) -> Any:
    """Return something of about 8 MiB that a library makes."""
    module = pytest.importorskip(library, reason=f"{library} is installed by nox -s tests_libraries alone")
    match library:
        case "numpy":
            return module.ones(MIB)
        case "pandas":
            return module.DataFrame({"a": [0.5] * MIB})
        case "polars":
            return module.DataFrame({"a": [0.5] * MIB})
        case "pyarrow":
            return module.table({"a": [0.5] * MIB})
        case "scipy.sparse":
            return module.diags([0.5] * (MIB // 2), format="csr")
        case _:
            return module.numpy.ones(2 * MIB, dtype="float32")


@pytest.mark.libraries
@pytest.mark.parametrize("library", ["numpy", "pandas", "polars", "pyarrow", "scipy.sparse", "jax"])
def test_what_a_library_has_made_is_listed_with_its_size(library: str) -> None:
    thing = made(library)

    found = look(Shell(thing=thing, there=[thing], same=thing))

    assert listed(found)[:2] == ["thing", "same"]
    assert one_of(found, "thing").ram_bytes == pytest.approx(8 * MIB, rel=0.05)
    assert one_of(found, "same").ram_bytes == 0
    assert found.deletion == Deletion(names=("thing", "same"), is_kept_elsewhere=False)


@pytest.mark.libraries
def test_what_is_lazy_is_not_computed() -> None:
    polars = pytest.importorskip("polars", reason="polars is installed by nox -s tests_libraries alone")
    computed = []
    lazy = polars.LazyFrame({"a": [1]}).map_batches(lambda frame: computed.append(1) or frame)

    def endless() -> Iterator[int]:
        computed.append(2)
        while True:
            yield 1

    found = look(Shell(lazy=lazy, query=lazy.select(polars.col("a") + 1), numbers=endless(), mapped=map(asked, [1])))

    assert found.largest == ()
    assert computed == []


def asked(_number: int) -> int:
    raise AssertionError
