from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from colab_magics.probes.blocks import shape
from colab_magics.probes.sizes import Held, Sizes

pytestmark = pytest.mark.libraries

MB = 1_000_000


def held(one: object) -> Held:
    return Sizes(seconds=60).of(one, "one")


def numpy() -> Any:
    return pytest.importorskip("numpy", reason="numpy is installed by nox -s tests_libraries alone")


def test_views_share_the_memory_of_their_base() -> None:
    np = numpy()
    base = np.ones(MB)
    sizes = Sizes(seconds=60)

    assert sizes.of(base, "base").ram_bytes == pytest.approx(8 * MB, rel=0.01)
    for view in (base[:10], base.reshape(1000, -1)[::2], base.T, base):
        found = sizes.of(view, "view")
        assert found.ram_bytes < 1000
        assert found.shares_with == "base"


def test_a_small_view_holds_all_of_its_base() -> None:
    np = numpy()
    view = np.ones(MB)[:10]

    assert held(view).ram_bytes == pytest.approx(8 * MB, rel=0.01)
    assert shape(view) == "float64 10"


def test_an_array_of_objects_holds_them() -> None:
    np = numpy()

    assert held(np.array([bytearray(MB) for _ in range(3)] + [None], dtype=object)).ram_bytes == pytest.approx(
        3 * MB, rel=0.01
    )


def test_an_array_on_another_s_memory_is_that_one_s() -> None:
    np = numpy()
    whole = bytearray(MB)
    sizes = Sizes(seconds=60)
    sizes.of(whole, "whole")

    assert sizes.of(np.frombuffer(whole, dtype="u1"), "array").ram_bytes < 1000
    assert held(np.frombuffer(whole, dtype="u1")).ram_bytes == pytest.approx(MB, rel=0.01)


def test_memory_that_libraries_hand_to_each_other_is_counted_once() -> None:
    np, pa = numpy(), pytest.importorskip("pyarrow", reason="pyarrow is installed by nox -s tests_libraries alone")
    array = np.ones(MB)
    sizes = Sizes(seconds=60)

    assert sizes.of(array, "array").ram_bytes == pytest.approx(8 * MB, rel=0.01)
    assert sizes.of(pa.array(array, from_pandas=False), "arrow").shares_with == "array"


def test_an_array_in_a_file_takes_no_memory(tmp_path: Path) -> None:
    np = numpy()
    mapped = np.memmap(tmp_path / "file", dtype="u1", mode="w+", shape=MB)

    assert held(mapped).ram_bytes < 10_000


def test_a_derived_array_is_asked_nothing() -> None:
    np = numpy()

    class Derived(np.ndarray):  # type: ignore[misc,name-defined]  # numpy may not be installed
        @property
        def nbytes(self) -> int:
            raise AssertionError("asked for its size")

        @property
        def base(self) -> object:
            raise AssertionError("asked for its base")

        def __array_finalize__(self, of: object) -> None:
            if not hasattr(np, "is_being_made"):
                raise AssertionError("made from")

    np.is_being_made = True
    derived = np.array([bytearray(MB), None], dtype=object).view(Derived)
    derived.note = bytearray(MB)
    del np.is_being_made

    assert held(derived).ram_bytes == pytest.approx(2 * MB, rel=0.01)
    assert shape(derived) == "object 2"


def test_a_frame_of_pandas_is_counted_with_its_texts_and_its_parts_are_not_again() -> None:
    np, pd = numpy(), pytest.importorskip("pandas", reason="pandas is installed by nox -s tests_libraries alone")
    frame = pd.DataFrame(np.ones((100_000, 5)), columns=list("abcde"))
    frame["text"] = pd.Series([f"text {number}" for number in range(len(frame))], dtype=object)
    sizes = Sizes(seconds=60)

    found = sizes.of(frame, "frame")

    assert found.ram_bytes == pytest.approx(frame.memory_usage(deep=True).sum(), rel=0.05)
    assert sizes.of(frame["a"], "column").shares_with == "frame"
    assert sizes.of(frame.iloc[:, :2], "part").ram_bytes < 10_000


def test_a_frame_of_polars_is_counted_once_and_a_lazy_one_is_not_computed() -> None:
    np, pl = numpy(), pytest.importorskip("polars", reason="polars is installed by nox -s tests_libraries alone")
    frame = pl.DataFrame({"number": np.ones(MB), "text": ["text"] * MB})
    computed = []
    lazy = frame.lazy().map_batches(lambda part: computed.append(part) or part)
    sizes = Sizes(seconds=60)

    assert sizes.of(frame, "frame").ram_bytes == pytest.approx(frame.estimated_size(), rel=0.01)
    assert sizes.of(frame["number"], "column").shares_with == "frame"
    assert sizes.of(lazy, "lazy").ram_bytes < 1000
    assert computed == []


def test_a_table_of_arrow_is_counted_once() -> None:
    np, pa = numpy(), pytest.importorskip("pyarrow", reason="pyarrow is installed by nox -s tests_libraries alone")
    table = pa.table({"number": np.ones(MB), "text": ["text"] * MB})
    sizes = Sizes(seconds=60)

    assert sizes.of(table, "table").ram_bytes == pytest.approx(table.get_total_buffer_size(), rel=0.01)
    for part in (table.slice(5, 10), table["number"], table["number"].chunk(0)):
        assert sizes.of(part, "part").shares_with == "table"
    assert sizes.of(table["number"].chunk(0).to_numpy(), "array").ram_bytes < 1000


def test_a_sparse_matrix_is_its_three_arrays() -> None:
    sparse = pytest.importorskip("scipy.sparse", reason="scipy is installed by nox -s tests_libraries alone")
    matrix = sparse.random(5000, 5000, 0.01, format="csr")

    arrays = (matrix.data, matrix.indices, matrix.indptr)
    assert held(matrix).ram_bytes == pytest.approx(sum(one.nbytes for one in arrays), rel=0.01)


def test_an_array_of_jax_is_counted_once_and_one_that_was_deleted_is_nothing() -> None:
    np, jax = numpy(), pytest.importorskip("jax", reason="jax is installed by nox -s tests_libraries alone")
    array = jax.numpy.ones((1000, 1000))
    sizes = Sizes(seconds=60)

    assert sizes.of(array, "array").ram_bytes == pytest.approx(4 * MB, rel=0.01)
    assert sizes.of({"weights": [array]}, "inside").ram_bytes < 1000
    assert sizes.of(np.asarray(array), "view").ram_bytes < 1000
    assert shape(array) == "float32 1000 x 1000"
    array.delete()
    assert held(array).ram_bytes < 1000
