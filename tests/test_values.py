from __future__ import annotations

import copy
import dataclasses
import pickle
import re
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import colab_magics
from colab_magics.values import Record, Value, replace

if TYPE_CHECKING:
    from collections.abc import Callable

PACKAGE = Path(colab_magics.__file__).parent


class Point(Value):
    """A place."""

    x: int
    y: int = 0

    @property
    def sum(self) -> int:
        return self.x + self.y


class Place(Value):
    """Another kind of value with the same fields."""

    x: int
    y: int = 0


def test_a_value_is_made_by_keywords_and_of_what_is_left_out_by_default() -> None:
    point = Point(x=1)

    assert (point.x, point.y, point.sum) == (1, 0, 1)
    with pytest.raises(TypeError):
        Point(1, 2)  # type: ignore[misc]


def test_a_field_without_a_default_must_be_given() -> None:
    with pytest.raises(TypeError, match="Point needs a value for x"):
        Point(y=1)  # type: ignore[call-arg]


@pytest.mark.parametrize("values", [{"x": 1, "z": 2}, {"x": 1, "y": 2, "z": 3}])
def test_a_field_that_there_is_not_is_a_mistake(values: dict[str, int]) -> None:
    with pytest.raises(TypeError, match=r"Point has no z\. Allowed: x, y"):
        Point(**values)


def test_a_value_cannot_be_changed() -> None:
    point = Point(x=1)
    with pytest.raises(FrozenInstanceError, match="'x'"):
        point.x = 2  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError, match="'x'"):
        del point.x
    with pytest.raises(FrozenInstanceError, match="'z'"):
        point.z = 2  # type: ignore[attr-defined]

    assert point == Point(x=1)


def test_a_value_has_slots_alone() -> None:
    assert not hasattr(Point(x=1), "__dict__")


def test_values_are_equal_by_kind_and_fields() -> None:
    assert Point(x=1, y=2) == Point(y=2, x=1)
    assert Point(x=1) != Point(x=2)
    assert Point(x=1) != Place(x=1)
    assert Point(x=1) != (1, 0)


def test_equal_values_are_one_key() -> None:
    assert len({Point(x=1), Point(x=1, y=0), Point(x=2), Place(x=1)}) == 3


def test_a_value_shows_its_fields() -> None:
    assert repr(Point(x=1)) == "Point(x=1, y=0)"


def test_a_value_pickles_and_is_copied() -> None:
    point = Point(x=1, y=2)

    assert pickle.loads(pickle.dumps(point)) == point
    assert copy.copy(point) == copy.deepcopy(point) == point


def test_what_was_pickled_before_a_field_was_added_has_its_default() -> None:
    restore, (kind, fields) = Point(x=1, y=2).__reduce__()

    assert restore(kind, {"x": fields["x"]}) == Point(x=1)


@pytest.mark.parametrize("change", [replace, dataclasses.replace], ids=["ours", "dataclasses"])
def test_a_value_with_fields_changed_is_another_one(change: type) -> None:
    point = Point(x=1, y=2)

    assert change(point, y=3) == Point(x=1, y=3)
    assert point == Point(x=1, y=2)
    with pytest.raises(TypeError, match="z"):
        change(point, z=3)


def test_the_functions_of_dataclasses_take_a_value_as_one() -> None:
    fields = dataclasses.fields(Point)

    assert dataclasses.is_dataclass(Point)
    assert dataclasses.asdict(Point(x=1)) == {"x": 1, "y": 0}
    assert [(field.name, field.default) for field in fields] == [("x", dataclasses.MISSING), ("y", 0)]
    assert all(field.kw_only for field in fields)


class Step(Record):
    """A record."""

    name: str
    note: str | None = None


def test_a_record_is_made_and_matched_by_position_too() -> None:
    step = Step("Save", note="soon")

    assert step == Step("Save", "soon") == Step(name="Save", note="soon")
    match step:
        case Step(name, note):
            assert (name, note) == ("Save", "soon")
    assert replace(step, note=None) == Step("Save")
    assert pickle.loads(pickle.dumps(step)) == step


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: Step("a", "b", "c"), id="too many"),  # type: ignore[call-arg]
        pytest.param(lambda: Step("a", name="b"), id="one twice"),  # type: ignore[misc]
    ],
)
def test_a_record_takes_each_field_once(make: Callable[[], Step]) -> None:
    with pytest.raises(TypeError, match="Step is made of name, note, each once"):
        make()


def defines_values(file: Path) -> bool:
    return re.search(r"^class \w+\((?:Value|Record)\):", file.read_text(encoding="utf-8"), re.MULTILINE) is not None


@pytest.mark.parametrize(
    "file", [*filter(defines_values, sorted(PACKAGE.rglob("*.py")))], ids=lambda file: str(file.relative_to(PACKAGE))
)
def test_annotations_are_strings_where_values_are_defined(file: Path) -> None:
    """Later Pythons (3.14) keep no others in the body of a class, where the fields are read."""
    assert "\nfrom __future__ import annotations\n" in file.read_text(encoding="utf-8")
