"""Who holds memory and what was let go of, as rows and in sentences."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import hostile
from builders import BATCH, FRAME, GIB, HOLDERS, MIB, OUT_OF_MEMORY, OUTPUT, RELEASE, WEIGHTS, a_ram, a_report
from colab_magics.model import Subject, Unavailable
from colab_magics.model.cells import Memory
from colab_magics.model.holders import Cache, Deletion, Holder
from colab_magics.translation import translator
from colab_magics.units import width
from colab_magics.views import holders, html, terminal, text
from colab_magics.views.holders import Table
from markup import Markup

ENGLISH = translator("en")
BROKEN = Unavailable(code="unexpected", values=(("error", "RuntimeError"), ("where", "probes/holders.py:1")))


def tables(**sections: Any) -> list[Table]:
    report = a_report(Subject.RAM, **{"ram": a_ram(12.7, kernel_bytes=4 * GIB), **sections})
    return holders.tables(Subject.RAM, report.snapshot, ENGLISH)


def the_table(**sections: Any) -> Table:
    (table,) = tables(**sections)
    return table


def holding(*largest: Holder, **changes: Any) -> Any:
    return replace(HOLDERS, largest=largest, **changes)


def a_row(holder: Holder) -> holders.Row:
    return the_table(holders=holding(holder)).rows[0]


# Who holds memory ----------------------------------------------------------------------------------------------------


def test_nothing_is_told_that_was_not_asked_for() -> None:
    assert tables() == []


def test_a_row_says_what_it_is_how_large_and_its_share_of_what_the_kernel_holds() -> None:
    row = a_row(BATCH)

    assert (row.name, row.kind, row.size) == ("batch in train()", "numpy.ndarray float64 1000 x 1000", "381 MiB")
    assert row.percent == pytest.approx(100 * 381 / 4096)


@pytest.mark.parametrize(
    ("holder", "size", "elsewhere"),
    [
        pytest.param(FRAME, ">= 3.0 GiB", "", id="no time for all of it"),
        pytest.param(WEIGHTS, "", "64 MiB on cuda:0", id="on a GPU alone"),
        pytest.param(replace(WEIGHTS, ram_bytes=MIB), "1 MiB", "64 MiB on cuda:0", id="on both"),
        pytest.param(replace(OUTPUT, ram_bytes=0, shares_with="frame"), "", "memory of frame", id="another's memory"),
    ],
)
def test_where_it_lies_and_whose_it_is(holder: Holder, size: str, elsewhere: str) -> None:
    row = a_row(holder)

    assert (row.size, row.elsewhere) == (size, elsewhere)


@pytest.mark.parametrize(
    ("type_name", "kind"),
    [("pandas.core.frame.DataFrame", "pandas.DataFrame"), ("__main__.Model", "Model"), ("list", "list"),
     ("__main__.f.<locals>.Model", "Model")],
)  # fmt: skip
def test_a_class_is_named_as_its_users_call_it(type_name: str, kind: str) -> None:
    assert a_row(replace(FRAME, type_name=type_name)).kind == kind


@pytest.mark.parametrize(
    ("changes", "ram", "expected"),
    [
        pytest.param({}, a_ram(12.7, kernel_bytes=4 * GIB), "Together they hold >= 3.4 GiB of this kernel's 4.0 GiB: "
                     "the rest is Python, libraries, and memory that is not given back.", id="a part of it"),
        pytest.param({"is_at_least": False}, a_ram(12.7, kernel_bytes=GIB), "Together they have 3.4 GiB, more than "
                     "this kernel's 1.0 GiB: what was never written to takes no memory.", id="more than there is"),
        pytest.param({}, a_ram(12.7, kernel_bytes=None), "Together they hold >= 3.4 GiB.", id="the kernel's not known"),
        pytest.param({}, BROKEN, "Together they hold >= 3.4 GiB.", id="RAM not known"),
    ],
)  # fmt: skip
def test_what_they_come_to(changes: dict[str, Any], ram: Any, expected: str) -> None:
    assert the_table(holders=replace(HOLDERS, **changes), ram=ram).sentences == (expected,)


def said(table: Table) -> str:
    return "\n".join(holders.lines(table, ENGLISH))


@pytest.mark.parametrize(
    ("deletion", "expected"),
    [
        pytest.param(Deletion(names=("frame",), is_kept_elsewhere=False), "variable: del frame", id="one"),
        pytest.param(Deletion(names=("x", "v"), is_kept_elsewhere=True), "variable: del x, v, then %ram_info -f",
                     id="several, and a result"),
        pytest.param(Deletion(names=("x" * 100,), is_kept_elsewhere=False), None, id="too long for a line"),
        pytest.param(None, None, id="none"),
    ],
)  # fmt: skip
def test_the_line_that_would_delete_the_largest_is_shown(deletion: Deletion | None, expected: str | None) -> None:
    shown = said(the_table(holders=replace(HOLDERS, deletion=deletion)))

    assert ("To let go of" in shown) is (expected is not None)
    assert expected is None or shown.endswith(expected)


def test_where_nothing_holds_much_that_is_said() -> None:
    table = the_table(holders=holding(ram_bytes=1000, hidden_bytes=0, is_at_least=False, deletion=None))

    assert said(table).splitlines()[0] == "Nothing here holds 1 MiB or more: 23 things were looked at."
    assert (table.rows, table.sentences) == ((), ())


def test_many_small_things_are_summed_up() -> None:
    table = the_table(holders=holding(ram_bytes=30 * MIB, hidden_bytes=0, is_at_least=False, deletion=None))

    assert table.rows == ()
    assert "30 MiB" in table.sentences[0]


def test_a_look_that_failed_says_so() -> None:
    assert "A mistake in colab_magics kept it from being read" in said(the_table(holders=BROKEN))


# What was let go of --------------------------------------------------------------------------------------------------


def test_what_was_let_go_of_what_that_gave_back_and_what_it_costs() -> None:
    assert said(the_table(released=RELEASE)).splitlines() == [
        "Let go of: 7 results, the last error.",
        "  name              type                                  size",
        "  batch in train()  numpy.ndarray float64 1000 x 1000  381 MiB",
        "  Out[3]            numpy.ndarray float64 1000 x 1000    8 MiB",
        "This kernel held 4.0 GiB and holds 3.6 GiB now.",
        "torch had 11.0 GiB on cuda:0 and has 9.0 GiB now.",
        "Out, _ and their like are empty now.",
        "%debug and %tb know nothing of the last error any more.",
    ]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"results": 1, "has_dropped_error": False}, "Let go of: 1 result.", id="one result"),
        pytest.param({"results": 0}, "Let go of: the last error.", id="an error"),
        pytest.param({"results": 0, "has_dropped_error": False},
                     "There were no results and no last error to let go of.", id="nothing"),
        pytest.param({"error_kept_by": "mine"}, "it is your variable mine.", id="an error that stays"),
        pytest.param({"failed": ("results", "torch")}, "What failed: results of cells, PyTorch's cache.", id="failed"),
    ],
)  # fmt: skip
def test_what_else_may_have_come_of_it(changes: dict[str, Any], expected: str) -> None:
    assert expected in said(the_table(released=replace(RELEASE, **changes))).replace("\n ", "")


def test_what_is_not_known_is_not_told() -> None:
    shown = said(the_table(released=replace(RELEASE, ram_before_bytes=None, caches=())))

    assert "This kernel held" not in shown
    assert "torch" not in shown


def test_it_stands_before_who_holds_memory_now() -> None:
    assert [one.title for one in tables(released=RELEASE, holders=HOLDERS)] == [
        "Let go of: 7 results, the last error.", "What holds memory in this kernel:"]  # fmt: skip


def test_every_step_that_may_fail_has_a_name() -> None:
    for step in ("look", "results", "error", "torch", "cupy", "pyarrow", "system"):
        assert said(the_table(released=replace(RELEASE, failed=(step,))))


# As it is shown ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", hostile.TEXTS)
@pytest.mark.parametrize("field", ["name", "type_name", "shape", "shares_with"])
def test_what_comes_from_outside_harms_no_view(kind: str, field: str) -> None:
    named = hostile.TEXTS[kind][:128]
    bad = replace(FRAME, **{field: named})
    caches = (Cache(framework="torch", device=0, reserved_before_bytes=MIB, reserved_after_bytes=0),)
    released = replace(RELEASE, let_go=(bad,), error_kept_by=named, caches=caches)
    deletion = Deletion(names=(named,), is_kept_elsewhere=False)
    report = a_report(Subject.RAM, holders=holding(bad, deletion=deletion), released=released)

    hostile.shown(report)
    lines = text.render(report).splitlines()

    assert max(map(width, lines)) <= 80


def test_in_html_it_is_a_table_with_bars_that_reads_without_its_style_sheet() -> None:
    shown = html.render(a_report(Subject.RAM, ram=a_ram(12.7, kernel_bytes=4 * GIB), holders=HOLDERS))

    assert [one["value"] for one in Markup(shown).all("meter")][2:] == ["75", "9", "0"]
    assert '<th scope="row" class="cm-holder">frame</th>' in shown
    assert '<meter max="100" value="75" title="frame: 75 %"></meter>' in shown
    assert "<code>del frame</code>" in shown
    assert ".cm-holders" in shown
    assert ".cm-holders" not in html.render(a_report(Subject.RAM))


def test_in_a_terminal_each_row_has_its_bar_and_fits() -> None:
    shown = terminal.render(a_report(Subject.RAM, ram=a_ram(12.7, kernel_bytes=4 * GIB), holders=HOLDERS))
    (row,) = (line for line in shown.splitlines() if " frame " in line)

    assert "\u2501" in row
    assert ">= 3.0 GiB" in row


def test_a_report_on_something_else_does_not_tell_it() -> None:
    assert "What holds memory" not in text.render(a_report(Subject.GPU, holders=HOLDERS))


# On a GPU, and after memory has run out ------------------------------------------------------------------------------


def test_a_report_on_gpus_lists_what_is_there_alone() -> None:
    (table,) = holders.tables(Subject.GPU, a_report(Subject.GPU, holders=HOLDERS).snapshot, ENGLISH)

    (row,) = table.rows
    assert (row.name, row.size, row.elsewhere) == ("weights", "64 MiB", "cuda:0")
    assert (table.sentences, table.command) == ((), None)


def test_after_ram_has_run_out_those_are_listed_that_hold_some_or_share_another_s() -> None:
    view = replace(WEIGHTS, name="view", devices=(), shares_with="frame")
    ran_out = replace(OUT_OF_MEMORY, memory=Memory.RAM)
    seen = a_report(Subject.OUT_OF_MEMORY, holders=holding(FRAME, view, WEIGHTS), out_of_memory=ran_out).snapshot
    (table,) = holders.tables(Subject.OUT_OF_MEMORY, seen, ENGLISH)

    assert [(row.name, row.size, row.elsewhere) for row in table.rows] == [
        ("frame", ">= 3.0 GiB", ""),
        ("view", "", "memory of frame"),
    ]


def test_after_a_gpu_s_memory_has_run_out_those_are_listed_that_hold_some_there() -> None:
    seen = a_report(Subject.OUT_OF_MEMORY, holders=HOLDERS, out_of_memory=OUT_OF_MEMORY).snapshot
    (table,) = holders.tables(Subject.OUT_OF_MEMORY, seen, ENGLISH)

    assert [row.name for row in table.rows] == ["weights"]


def test_a_report_on_the_runtime_lists_none() -> None:
    assert holders.tables(Subject.RUNTIME, a_report(holders=HOLDERS).snapshot, ENGLISH) == []
