from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import pytest

from builders import RAM, V5E, a_report
from colab_magics.clusters import node
from colab_magics.clusters.asking import Asked
from colab_magics.clusters.reading import report_of
from colab_magics.model import Driver, Finding, Severity, Subject, Unavailable
from colab_magics.report import Report
from colab_magics.values import replace
from colab_magics.version import FORM, VERSION

REPORT = a_report()


def read(answer: object) -> Report | Unavailable:
    return report_of(Asked("10.0.0.4", 1, answer), engine="dask")


def answer(sent: object = REPORT, **changes: Any) -> dict[str, Any]:
    return {"version": VERSION, "form": FORM, "report": pickle.dumps(sent), **changes}


def code(answer: object) -> str | None:
    told = read(answer)
    return told.code if isinstance(told, Unavailable) else None


def test_a_report_arrives_as_it_was_sent() -> None:
    assert read(answer()) == REPORT


def test_a_real_answer_is_read() -> None:
    told = read(node.answer({"packages": ("psutil",), "driver_deadline_seconds": 1.0}))

    assert isinstance(told, Report)


@pytest.mark.parametrize("protocol", range(4, pickle.HIGHEST_PROTOCOL + 1))
def test_whatever_the_protocol(protocol: int) -> None:
    assert read({**answer(), "report": pickle.dumps(REPORT, protocol)}) == REPORT


def test_why_a_machine_could_not_be_asked_stays_what_it_is() -> None:
    silent = Unavailable(code="node_silent", values=(("seconds", 3.0),))

    assert read(silent) == silent


def test_an_empty_answer_says_that_the_package_is_missing() -> None:
    assert read({}) == Unavailable(code="node_lacks_package", values=(("engine", "dask"),))


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (None, "node_nonsense"),
        ("text", "node_nonsense"),
        ({"version": VERSION}, "node_nonsense"),
        (answer(report=b"not a pickle"), "node_nonsense"),
        (answer({"a": "dictionary"}), "node_nonsense"),
        (answer(version=None), "node_nonsense"),
        (answer(report=b"0" * 10_000_001), "node_nonsense"),
        (answer(form=FORM + 1), "node_nonsense"),
        (answer(version="9.9", form=FORM + 1), "node_other_version"),
        (answer(version="9.9", report=b"not a pickle"), "node_other_version"),
    ],
)
def test_what_is_no_report_is_said_to_be_none(told: object, expected: str) -> None:
    assert code(told) == expected


class Newer:
    """A report as a later version pickles it: with more fields, and a finding of a rule that is not known here."""

    def __reduce__(self) -> tuple[Any, ...]:
        make, (kind, values) = REPORT.__reduce__()
        unknown = Finding(rule="of_a_later_version", severity=Severity.ERROR)
        return make, (kind, {**values, "weather": "fine", "findings": (unknown, *REPORT.findings)})


def test_what_a_later_version_has_more_is_left_out() -> None:
    assert read(answer(Newer(), version="9.9")) == REPORT


class Calls:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def test_nothing_is_called_that_a_pickle_names(tmp_path: Path) -> None:
    for harm in (Calls(tmp_path / "made"), replace(REPORT, findings=Calls(tmp_path / "made"))):
        assert code(answer(harm)) == "node_nonsense"
        assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("name", ["colab_magics.report\nos\n", "colab_magics.report\nHeld\n",
                                  "colab_magics.model\nseen\n", "colab_magics.model.cluster\nCounter\n",
                                  "builtins\neval\n", "colab_magics.reports\nx\n"])  # fmt: skip
def test_what_is_no_type_of_a_report_is_not_made(name: str) -> None:
    assert code(answer(report=b"c" + name.encode() + b".")) == "node_nonsense"


@pytest.mark.parametrize("name", ["colab_magics.report\nReport\n", "colab_magics.model\nSubject\n",
                                  "colab_magics.values\n_restored\n"])  # fmt: skip
@pytest.mark.parametrize("state", [{"_fields": 7}, (None, {"_fields": 7}), (None, {"kind": 7})], ids=str)
def test_nothing_that_is_here_is_changed(name: str, state: object) -> None:
    put = pickle.dumps(state, 2)[2:-1]
    before = Report._fields

    assert code(answer(report=b"\x80\x02c" + name.encode() + put + b"b.")) == "node_nonsense"
    assert Report._fields is before
    assert read(answer()) == REPORT


SNAPSHOT = REPORT.snapshot


@pytest.mark.parametrize(
    "wrong",
    [
        a_report(Subject.RAM),
        replace(REPORT, findings=5),
        replace(REPORT, findings=(5,)),
        replace(REPORT, snapshot=None),
        replace(REPORT, snapshot="x"),
        replace(REPORT, subject="x"),
    ],
)
@pytest.mark.parametrize(("version", "expected"), [(VERSION, "node_nonsense"), ("9.9", "node_other_version")])
def test_what_has_the_form_of_a_report_and_is_none(wrong: object, version: str, expected: str) -> None:
    assert code(answer(wrong, version=version)) == expected


@pytest.mark.parametrize(
    "wrong",
    [
        replace(SNAPSHOT, packages=(1,)),
        replace(SNAPSHOT, gpus=(5,)),
        replace(SNAPSHOT, ram=replace(RAM, capacity_bytes="x")),
    ],
)
def test_of_another_version_what_cannot_be_shown_is_not_read(wrong: Any) -> None:
    assert code(answer(replace(REPORT, snapshot=wrong), version="9.9")) == "node_other_version"


def test_nor_a_finding_that_says_itself_by_other_values() -> None:
    finding = Finding(rule="ram_nearly_full", severity=Severity.WARNING, values=(("left", 5),))

    assert code(answer(replace(REPORT, findings=(finding,)), version="9.9")) == "node_other_version"


def test_every_text_is_short_and_steers_nothing_wherever_it_stands() -> None:
    hostile = "\x1b]0;title\x07" + "x" * 1000
    sent = replace(
        SNAPSHOT,
        tpus=(replace(V5E, kind=hostile),),
        driver=Driver(version=hostile, cuda_version=None),
        gpus=Unavailable(code="child_died", values=(("cause", hostile),)),
    )

    told = read(answer(replace(REPORT, snapshot=sent)))

    assert isinstance(told, Report)
    seen: Any = told.snapshot
    for text in (seen.tpus[0].kind, seen.driver.version, dict(seen.gpus.values)["cause"]):
        assert text.startswith("\\x1b]0;title\\x07")
        assert text.endswith("x...")
        assert len(text) < 250
