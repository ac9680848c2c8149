from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import pytest

from builders import a_report
from colab_magics.clusters import node
from colab_magics.clusters.asking import Asked
from colab_magics.clusters.reading import report_of
from colab_magics.model import Finding, Severity, Unavailable
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
    """Not by its own name, nor by that of a type of ours whose place another thing takes."""
    for harm in (Calls(tmp_path / "made"), replace(REPORT, findings=Calls(tmp_path / "made"))):
        assert code(answer(harm)) == "node_nonsense"
        assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("name", ["colab_magics.report\nos\n", "colab_magics.model\nseen\n", "builtins\neval\n",
                                  "colab_magics.reports\nx\n"])  # fmt: skip
def test_what_is_no_type_of_ours_is_not_even_found(name: str) -> None:
    assert code(answer(report=b"c" + name.encode() + b".")) == "node_nonsense"
