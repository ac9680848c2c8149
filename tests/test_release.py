"""Letting go: what is nobody's variable is gone and its memory with it; what is the user's stays."""

from __future__ import annotations

import subprocess
import sys
import types
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from builders import MIB
from colab_magics import release as module
from colab_magics.model.holders import Cache, Keeper
from colab_magics.probes.namespace import error_locals, hidden_holders
from colab_magics.release import release

LARGE = 8 * MIB

SETUP = f"""
class Large:
    def __init__(self):
        self.data = bytearray(b"x") * {LARGE}
    def __repr__(self):
        return "large"

def train():
    batch = Large()
    alive.append(weakref.ref(batch))
    raise ValueError

import weakref
alive = []
"""


@pytest.fixture
def run(shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Any]:
    """Run cells; what comes of the last error stays within the test."""
    for name in ("last_type", "last_value", "last_traceback", "last_exc"):
        monkeypatch.delattr(sys, name, raising=False)

    def run(*cells: str) -> None:
        for cell in cells:
            shell.run_cell(cell, store_history=True)
        capsys.readouterr()

    run(SETUP)
    yield run
    for name in ("last_type", "last_value", "last_traceback", "last_exc"):
        sys.__dict__.pop(name, None)


def alive(shell: InteractiveShell) -> int:
    """Return how many of the large things that were noted are still there."""
    noted: list[weakref.ref[object]] = shell.user_ns["alive"]
    return sum(one() is not None for one in noted)


MAKE = "made = Large(); alive.append(weakref.ref(made)); shown = made; del made; shown"


# Results -------------------------------------------------------------------------------------------------------------


def test_results_are_gone(shell: InteractiveShell, run: Any) -> None:
    run(MAKE, "del shown", MAKE, "del shown", "'a third'", "'a fourth'")
    assert alive(shell) == 2

    released = release(shell)

    assert alive(shell) == 0
    assert released.results == 4
    assert released.let_go_bytes == pytest.approx(2 * LARGE, rel=0.01)
    assert [(one.keeper, one.name) for one in released.let_go] == [(Keeper.OUTPUT, "Out[2]"), (Keeper.OUTPUT, "Out[4]")]
    assert released.failed == ()
    assert not released.has_dropped_error


def test_also_those_that_stayed_after_the_outputs_were_reset(shell: InteractiveShell, run: Any) -> None:
    run(MAKE, "del shown", "%reset -f out")
    kept = alive(shell)

    release(shell)

    assert (kept, alive(shell)) == (1, 0)


def test_and_what_a_startup_file_made_and_the_user_has_deleted(shell: InteractiveShell, run: Any) -> None:
    run("made = Large(); alive.append(weakref.ref(made))")
    shell.push({"made": shell.user_ns["made"]}, interactive=False)
    run("del made")
    assert alive(shell) == 1

    release(shell)

    assert alive(shell) == 0


def test_results_are_numbered_and_named_as_before_afterwards(shell: InteractiveShell, run: Any) -> None:
    run("1", "2", "3")

    release(shell)
    run("'new'", "_ + '!'")

    assert [*shell.user_ns["Out"].values()] == ["new", "new!"]
    assert (shell.user_ns["_"], shell.user_ns["__"], shell.user_ns["___"]) == ("new!", "new", "")
    assert "_2" not in shell.user_ns


def test_the_text_of_the_cells_stays(shell: InteractiveShell, run: Any) -> None:
    run("1", "2")

    release(shell)

    assert shell.user_ns["In"][-2:] == ["1", "2"]
    assert (shell.user_ns["_i"], shell.user_ns["_ii"]) == ("1", SETUP.rstrip())


# What is the user's --------------------------------------------------------------------------------------------------


def test_variables_stay_also_what_is_a_result_too(shell: InteractiveShell, run: Any) -> None:
    run("mine = Large(); alive.append(weakref.ref(mine)); _ = ['mine too']", "_7 = 'seven'", "mine")
    before = {name: thing for name, thing in shell.user_ns.items() if name in ("_", "mine", "_7", "alive", "In", "Out")}

    released = release(shell)

    assert {name: shell.user_ns[name] for name in before} == before
    assert shell.user_ns["Out"] == {}
    assert released.let_go_bytes < MIB


def test_an_error_that_is_a_variable_keeps_its_traceback(shell: InteractiveShell, run: Any) -> None:
    run("train()", "import sys; mine = sys.last_value")

    released = release(shell)

    assert released.error_kept_by == "mine"
    assert not released.has_dropped_error
    assert shell.user_ns["mine"].__traceback__ is not None
    assert alive(shell) == 1
    assert not any(one.keeper is Keeper.ERROR for one in released.let_go)


# The last error ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("later", [(), ("pass", "'a result'")], ids=["at once", "some cells later"])
def test_the_last_error_is_gone_and_what_its_functions_had(
    shell: InteractiveShell, run: Any, later: tuple[str, ...]
) -> None:
    run("train()", *later)
    assert alive(shell) == 1

    released = release(shell)

    assert alive(shell) == 0
    assert released.has_dropped_error
    assert [(one.keeper, one.name) for one in released.let_go] == [(Keeper.ERROR, "batch in train()")]
    assert [*error_locals(shell)] == []
    assert not hasattr(sys, "last_traceback")


def test_also_those_that_led_to_it(shell: InteractiveShell, run: Any) -> None:
    run("def outer():\n  try:\n    train()\n  except ValueError as error:\n    raise KeyError from error", "outer()")

    release(shell)

    assert alive(shell) == 0


@pytest.mark.parametrize("command", ["%tb", "%debug"])
def test_what_asks_for_the_last_error_then_says_that_there_is_none(
    shell: InteractiveShell, run: Any, command: str
) -> None:
    run("train()")
    release(shell)

    assert shell.run_cell(command).success


def test_a_second_time_there_is_nothing_left(shell: InteractiveShell, run: Any) -> None:
    run(MAKE, "del shown", "train()")
    release(shell)

    released = release(shell)

    assert (released.results, released.has_dropped_error, released.let_go, released.let_go_bytes < MIB) == (
        0, False, (), True
    )  # fmt: skip
    assert all(one.keeper is Keeper.INPUT or not one.thing for one in hidden_holders(shell))


# Frameworks ----------------------------------------------------------------------------------------------------------


class Cuda(types.ModuleType):
    """As much of `torch.cuda` as is asked."""

    def __init__(self, *, is_initialized: bool) -> None:
        super().__init__("torch.cuda")
        self._is_initialized, self.reserved = is_initialized, [5 * MIB, 0]

    def is_initialized(self) -> bool:
        return self._is_initialized

    def device_count(self) -> int:
        assert self._is_initialized, "this would open a GPU"
        return 2

    def memory_reserved(self, device: int) -> int:
        assert self._is_initialized
        return self.reserved[device]

    def empty_cache(self) -> None:
        assert self._is_initialized
        self.reserved = [2 * MIB, 0]


def test_pytorch_s_cache_is_emptied_where_it_has_opened_a_gpu(
    shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch.cuda", Cuda(is_initialized=True))

    assert release(shell).caches == (
        Cache(framework="torch", device=0, reserved_before_bytes=5 * MIB, reserved_after_bytes=2 * MIB),
    )


def test_pytorch_is_left_alone_where_it_has_not(shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.cuda", Cuda(is_initialized=False))

    released = release(shell)

    assert (released.caches, released.failed) == ((), ())


class Pool:
    def __init__(self, total_bytes: int) -> None:
        self._total_bytes = total_bytes

    def total_bytes(self) -> int:
        return self._total_bytes

    def free_all_blocks(self) -> None:
        self._total_bytes //= 4


@pytest.mark.parametrize(("total_bytes", "expected"), [(8 * MIB, (8 * MIB, 2 * MIB)), (0, None)])
def test_cupy_s_pool_is_emptied_where_it_has_anything(
    shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch, total_bytes: int, expected: tuple[int, int] | None
) -> None:
    cupy: Any = types.ModuleType("cupy")
    pools = Pool(total_bytes), Pool(total_bytes)
    cupy.get_default_memory_pool, cupy.get_default_pinned_memory_pool = lambda: pools[0], lambda: pools[1]
    cupy.cuda = types.SimpleNamespace(runtime=types.SimpleNamespace(getDevice=lambda: 1))
    monkeypatch.setitem(sys.modules, "cupy", cupy)

    found = [(one.device, one.reserved_before_bytes, one.reserved_after_bytes) for one in release(shell).caches]

    assert found == ([] if expected is None else [(1, *expected)])


@pytest.mark.libraries
def test_arrow_gives_back_what_pandas_has_let_go_of(shell: InteractiveShell, run: Any) -> None:
    arrow = pytest.importorskip("pyarrow", reason="pyarrow is installed by nox -s tests_libraries alone")
    held = arrow.array([f"text {number}" * 20 for number in range(100_000)])
    assert len(held)
    del held

    assert release(shell).failed == ()


# What the system gets back -------------------------------------------------------------------------------------------

IN_A_PROCESS_OF_ITS_OWN = """
import sys
from IPython.core.interactiveshell import InteractiveShell
from colab_magics.release import release

shell = InteractiveShell()
for cell in sys.argv[1:]:
    shell.run_cell(cell, store_history=True)
released = release(shell)
print(released.let_go_bytes, released.ram_before_bytes - released.ram_after_bytes)
"""


def let_go_and_given_back(*cells: str) -> tuple[int, int]:
    """Return, after these cells, how much was let go of and how much less the process has.

    The heap of a process that has run a thousand tests decides by itself where a new object comes to lie.
    """
    line = [sys.executable, "-c", IN_A_PROCESS_OF_ITS_OWN, *cells]
    said = subprocess.run(line, check=True, capture_output=True, text=True).stdout.splitlines()
    let_go_bytes, given_back_bytes = map(int, said[-1].split())
    return let_go_bytes, given_back_bytes


@pytest.mark.parametrize(
    "cells", [pytest.param((MAKE, "del shown", "'another'"), id="a result"), pytest.param(("train()",), id="an error")]
)
def test_the_system_gets_it_back(cells: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))

    let_go_bytes, given_back_bytes = let_go_and_given_back(SETUP, *cells)

    assert let_go_bytes == pytest.approx(LARGE, rel=0.01)
    assert given_back_bytes > 0.9 * LARGE


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's alone")
def test_also_what_lies_between_what_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))

    _, given_back_bytes = let_go_and_given_back(f"kept = [bytes(2000) for _ in range({64 * MIB} // 2000)][::1000]")

    assert given_back_bytes > 32 * MIB


# What goes wrong -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["_kept_by", "_drop_results", "_drop_error", "_empty_torch", "_empty_cupy",
                                  "_empty_arrow", "_give_back"])  # fmt: skip
def test_what_fails_is_named_and_the_rest_is_let_go_of(
    shell: InteractiveShell, run: Any, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fails(*_arguments: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(module, step, fails)
    run(MAKE, "del shown", "train()")

    released = release(shell)

    assert len(released.failed) == 1
    assert alive(shell) == (1 if step in ("_drop_results", "_drop_error") else 0)


def test_without_a_shell_there_is_only_what_python_keeps() -> None:
    def fails() -> None:
        raise ValueError

    with pytest.raises(ValueError) as caught:  # noqa: PT011 - any will do
        fails()
    sys.last_value = caught.value

    released = release(None)

    assert not hasattr(sys, "last_value")
    assert (released.results, released.has_dropped_error, released.failed) == (0, True, ())


def test_it_looks_again_a_little_later_where_somebody_has_a_copy_for_a_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told, slept = iter([100 * MIB, 20 * MIB]), list[float]()
    monkeypatch.setattr(module, "resident_bytes", lambda _pid: next(told))
    monkeypatch.setattr(module.time, "sleep", slept.append)

    assert module._settled(100 * MIB, 80 * MIB) == 20 * MIB
    assert slept == [0.3]


@pytest.mark.parametrize(("let_go_bytes", "after_bytes"), [(80 * MIB, 21 * MIB), (1000, 100 * MIB), (80 * MIB, None)])
def test_and_does_not_wait_elsewhere(
    monkeypatch: pytest.MonkeyPatch, let_go_bytes: int, after_bytes: int | None
) -> None:
    monkeypatch.setattr(module, "resident_bytes", lambda _pid: after_bytes)
    monkeypatch.setattr(module.time, "sleep", pytest.fail)

    assert module._settled(100 * MIB, let_go_bytes) == after_bytes
