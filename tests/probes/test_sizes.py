from __future__ import annotations

import ast
import gc
import mmap
import subprocess
import sys
import textwrap
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from colab_magics.introspection import class_name
from colab_magics.probes.blocks import shape
from colab_magics.probes.sizes import Held, Sizes

MB = 1_000_000


def held(one: object, **limits: Any) -> Held:
    return Sizes(seconds=60, **limits).of(one, "one")


# Python's own ---------------------------------------------------------------------------------------------------------


class Plain:
    def __init__(self, number: int) -> None:
        self.number = number + 0.5
        self.text = f"text {number}"


class Slotted:
    __slots__ = ("number", "text")

    def __init__(self, number: int) -> None:
        self.number = number + 0.5
        self.text = f"text {number}"


MADE: dict[str, Callable[[], object]] = {
    "floats": lambda: [number + 0.5 for number in range(20_000)],
    "whole numbers": lambda: [number + 10**6 for number in range(20_000)],
    "texts": lambda: [f"text {number}" * 3 for number in range(20_000)],
    "pairs": lambda: [(number + 10**6, number + 0.5) for number in range(20_000)],
    "objects": lambda: [Plain(number) for number in range(20_000)],
    "objects with slots": lambda: [Slotted(number) for number in range(20_000)],
    "dictionaries in dictionaries": lambda: {
        f"key {outer}": {f"key {inner}": [outer + 10**6, inner + 0.5] for inner in range(20)} for outer in range(1000)
    },
    "a very long list": lambda: [number + 0.5 for number in range(200_000)],
    "a set": lambda: {number + 0.5 for number in range(20_000)},
    "bytes": lambda: [bytes(1000) + str(number).encode() for number in range(1000)],
}


@pytest.mark.parametrize("make", MADE.values(), ids=MADE)
def test_python_s_own_are_counted_to_within_a_quarter(make: Callable[[], object]) -> None:
    gc.collect()
    tracemalloc.start()
    made = make()
    truth_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    found = held(made)

    assert found.ram_bytes == pytest.approx(truth_bytes, rel=0.25)
    assert not found.is_at_least
    assert found.devices == ()


def test_what_two_share_is_counted_for_the_first_alone() -> None:
    text = "x" * MB
    sizes = Sizes(seconds=60)

    assert sizes.of([text], "first").ram_bytes >= MB
    assert sizes.of([text], "second").ram_bytes < 1000


def test_another_name_for_the_same_says_whose_it_is() -> None:
    text = bytearray(MB)
    sizes = Sizes(seconds=60)
    sizes.of(text, "first")

    found = sizes.of(text, "second")

    assert found.ram_bytes == 0
    assert found.shares_with == "first"


def test_what_holds_itself_is_counted_once() -> None:
    endless: list[object] = [bytearray(MB)]
    endless.append(endless)

    assert held(endless).ram_bytes == pytest.approx(MB, rel=0.01)


def test_what_lies_apart_is_not_followed() -> None:
    shell = [bytearray(MB)]

    assert held([shell], apart_from=[shell]).ram_bytes < 1000


def test_modules_classes_and_functions_globals_are_not_followed() -> None:
    class Holder:
        kept = bytearray(MB)

    assert held([sys, Holder, Holder(), held, test_what_lies_apart_is_not_followed]).ram_bytes < 100_000


def test_a_function_holds_the_variables_around_it_and_its_defaults() -> None:
    def around() -> Callable[..., object]:
        kept = bytearray(MB)

        def inside(default: object = bytearray(MB)) -> object:
            return kept, default

        return inside

    assert held(around()).ram_bytes == pytest.approx(2 * MB, rel=0.01)


def test_a_generator_holds_its_variables_and_is_not_run() -> None:
    def endless() -> Any:
        kept = bytearray(MB)
        while True:
            yield len(kept)

    numbers = endless()
    next(numbers)

    assert held(numbers).ram_bytes == pytest.approx(MB, rel=0.01)


def test_a_map_of_memory_counts_and_one_of_a_file_does_not(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(bytes(MB))
    with file.open("r+b") as opened, mmap.mmap(opened.fileno(), 0) as mapped:
        assert held(mapped).ram_bytes < 1000
    with mmap.mmap(-1, MB) as mapped:
        assert held(mapped).ram_bytes == pytest.approx(MB, rel=0.01)
    assert held(mapped).ram_bytes < 1000  # closed


# Time and harm --------------------------------------------------------------------------------------------------------


def test_what_cannot_be_looked_through_in_time_is_counted_in_part() -> None:
    many = [Plain(number) for number in range(300_000)]
    began = time.perf_counter()

    found = Sizes(seconds=0.02).of(many, "many")

    assert time.perf_counter() - began < 2
    assert found.is_at_least
    assert 0 < found.ram_bytes < 300_000 * 100


def test_one_has_no_more_than_its_share_of_the_time() -> None:
    sizes = Sizes(seconds=60)

    assert sizes.of([Plain(number) for number in range(100_000)], "many", seconds=0.001).is_at_least
    assert not sizes.of(bytearray(MB), "few").is_at_least
    assert sizes.seconds_left > 30


def test_nothing_is_left_behind() -> None:
    many = [Plain(number) for number in range(20_000)]
    held(many)
    gc.collect()
    tracemalloc.start()
    before_bytes, _ = tracemalloc.get_traced_memory()

    held(many)
    gc.collect()

    after_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after_bytes - before_bytes < 10_000


ASKED: list[str] = []


def asked(what: str) -> Any:
    ASKED.append(what)
    raise AssertionError(what)


class Sworn(type):
    """A class of classes that fails whatever is asked of a class."""

    def __eq__(cls, other: object) -> bool:
        return asked("compared")  # type: ignore[no-any-return]

    def __hash__(cls) -> int:
        return asked("hashed")  # type: ignore[no-any-return]

    def __instancecheck__(cls, instance: object) -> bool:
        return asked("asked for an instance")  # type: ignore[no-any-return]

    def __subclasscheck__(cls, subclass: type) -> bool:
        return asked("asked for a class")  # type: ignore[no-any-return]

    def __getattribute__(cls, name: str) -> object:
        return asked(f"asked for {name}")  # type: ignore[no-any-return]


class Hostile(metaclass=Sworn):
    """Fails whatever is asked of an object."""

    def __init__(self) -> None:
        object.__setattr__(self, "kept", bytearray(MB))

    def __getattribute__(self, name: str) -> object:
        return asked(f"asked for {name}")  # type: ignore[no-any-return]

    def __len__(self) -> int:
        return asked("asked for its length")  # type: ignore[no-any-return]

    def __sizeof__(self) -> int:
        return asked("asked for its size")  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return asked("asked for its words")  # type: ignore[no-any-return]

    def __eq__(self, other: object) -> bool:
        return asked("compared")  # type: ignore[no-any-return]

    def __hash__(self) -> int:
        return asked("hashed")  # type: ignore[no-any-return]

    def __bool__(self) -> bool:
        return asked("asked whether it is true")  # type: ignore[no-any-return]

    def __iter__(self) -> Any:
        return asked("gone through")  # type: ignore[no-any-return]

    @property
    def __class__(self) -> type:
        return asked("asked for its class")  # type: ignore[no-any-return]


class HostileList(list[object], metaclass=Sworn):
    def __iter__(self) -> Any:
        return asked("gone through")  # type: ignore[no-any-return]

    def __getitem__(self, index: object) -> Any:
        return asked("asked for an item")  # type: ignore[no-any-return]

    def __len__(self) -> int:
        return asked("asked for its length")  # type: ignore[no-any-return]

    def __sizeof__(self) -> int:
        return asked("asked for its size")  # type: ignore[no-any-return]


def test_no_code_of_the_objects_runs() -> None:
    ASKED.clear()

    assert held(Hostile()).ram_bytes == pytest.approx(MB, rel=0.01)
    assert held([Hostile(), HostileList([bytearray(MB)])]).ram_bytes == pytest.approx(2 * MB, rel=0.01)
    assert class_name(type(Hostile())).endswith("test_sizes.Hostile")
    assert shape(Hostile()) is None
    assert ASKED == []


def test_a_class_s_name_is_that_of_its_definition() -> None:
    assert class_name(type([])) == "list"
    assert class_name(type(Path())).startswith("pathlib.")


def test_nothing_is_imported() -> None:
    code = """
        import sys
        from colab_magics.probes.blocks import shape
        from colab_magics.probes.sizes import Sizes
        before = {*sys.modules}
        Sizes(seconds=1).of([1.5, "text", {}], "one"), shape([])
        print(sorted({*sys.modules} - before))
    """
    said = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, check=True, text=True)

    assert ast.literal_eval(said.stdout) == []
