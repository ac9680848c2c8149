from __future__ import annotations

from colab_magics.introspection import cause, class_name, context, is_derived, members, mro
from untouchable import ASKED, Untouchable


class Error(Exception):
    __cause__ = __context__ = property(ASKED.append)  # type: ignore[assignment]


def test_a_class_s_name_has_its_module_but_for_a_built_in_one() -> None:
    assert class_name(int) == "int"
    assert class_name(Error).endswith("test_introspection.Error")
    assert class_name(type("Nameless", (), {"__module__": 1})) == "Nameless"


def test_no_code_of_a_class_runs() -> None:
    ASKED.clear()
    kind = type(Untouchable())

    assert is_derived(kind, object)
    assert not is_derived(kind, int)
    assert mro(kind)[0] is kind
    assert class_name(kind).endswith("Untouchable")
    assert ASKED == []


def test_what_an_error_came_from_is_told_by_python_not_by_its_class() -> None:
    ASKED.clear()
    first, error = ValueError(), Error()
    try:
        try:
            raise first
        except ValueError:
            raise error from first
    except Error:
        pass

    assert (cause(error), context(error)) == (first, first)
    assert members(ExceptionGroup("both", [first, error])) == (first, error)
    assert ASKED == []
