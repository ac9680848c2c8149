from __future__ import annotations

import pickle
import sys
from collections.abc import Iterator
from typing import Any

import pytest

import colab_magics
from builders import CPU_RUNTIME, a_report, versions
from colab_magics.clusters import engines, status
from colab_magics.clusters.asking import Asked, ClusterError
from colab_magics.clusters.status import COMPARED, Question, cluster_status, held
from colab_magics.model import State, Subject, Unavailable
from colab_magics.report import Report
from colab_magics.requirement import parse
from colab_magics.version import FORM, VERSION
from machines_of_clusters import of, refused

SILENT = Unavailable(code="node_silent", values=(("seconds", 15.0),))


class Engine:
    """What drives no cluster, and answers at once."""

    NAME = "dask"

    def __init__(self, *answers: object) -> None:
        self.answers = answers
        self.request: dict[str, Any] = {}

    def takes(self, thing: object) -> bool:
        return thing is self

    def ask(self, _client: object, request: Any, *, deadline_seconds: float, tell: Any) -> list[Asked]:
        assert deadline_seconds == status.DEADLINE_SECONDS
        self.request = request
        tell(len(self.answers), len(self.answers))
        return [Asked(f"10.0.0.{number}", 2, answer) for number, answer in enumerate(self.answers)]


def sent(answer: Report | Unavailable) -> object:
    """Return what a machine sends that answers by a report."""
    if isinstance(answer, Unavailable):
        return answer
    return {"version": VERSION, "form": FORM, "report": pickle.dumps(answer)}


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    def with_answers(*answers: Report | Unavailable) -> Engine:
        made = Engine(*map(sent, answers))
        monkeypatch.setattr(engines, "ENGINES", (made,))
        return made

    return with_answers  # type: ignore[return-value]


def test_reports_that_were_gathered_in_any_way_make_the_same_report() -> None:
    reports = [
        a_report(),
        a_report(packages=versions(numpy="1")),
        a_report(packages=versions(numpy="2"), **CPU_RUNTIME),
    ]

    seen = colab_magics.cluster_status(reports)

    assert seen.subject is Subject.CLUSTER
    assert of(seen).engine == "reports"
    assert [node.report for node in of(seen).nodes] == reports
    assert [one.name for one in of(seen).differences] == ["numpy"]
    assert not any(variant.is_here for one in of(seen).differences for variant in one.variants)


def test_machines_are_compared_with_this_process_too(engine: Any) -> None:
    asked = engine(a_report(packages=versions(psutil="0.1")))

    seen = cluster_status(asked, shell_class=None)

    differs = {one.name: one for one in of(seen).differences}
    assert differs.keys() >= {"Python"}
    assert {variant.is_here for variant in differs["Python"].variants} == {True, False}


def test_machines_are_asked_for_the_packages_that_are_compared_and_required(engine: Any) -> None:
    asked = engine(SILENT)

    cluster_status(asked, shell_class=None, question=Question(parse("polars>=1, fancy-package")))

    assert asked.request["packages"] == (*COMPARED, "fancy-package")


@pytest.mark.parametrize(
    ("expression", "strict", "states"),
    [
        ("ram>=1", False, ["unknown"]),
        ("ram>=1", True, ["unknown"]),
        ("gpu=T4, ram>=1", False, ["unmet", "unknown"]),
    ],
)
def test_a_requirement_stands_as_where_it_stands_worst(
    engine: Any, expression: str, strict: bool, states: list[str]
) -> None:
    asked = engine(a_report(), a_report(**CPU_RUNTIME), SILENT)

    seen = cluster_status(asked, shell_class=None, question=Question(parse(expression), strict))

    assert seen.verdict is not None
    assert [clause.state for clause in seen.verdict.clauses] == states
    assert seen.verdict.met == held(seen, "en").is_met == (states == ["unknown"] and not strict)


def test_where_it_does_not_hold_is_said_for_a_few_and_counted_for_the_rest(engine: Any) -> None:
    asked = engine(a_report(), *[a_report(**CPU_RUNTIME)] * 8)

    said = held(cluster_status(asked, shell_class=None, question=Question(parse("gpu=T4"))), "en").said.split("\n")

    assert said[0] == "Requirement not met on 8 of 9 machines (2 to 9): gpu = T4."
    assert said[1] == "Machine 2. There is: no GPU."
    assert said[-1] == "Machine 6. There is: no GPU."
    assert len(said) == 6


def test_machines_are_named_up_to_a_bound() -> None:
    reports = [a_report(**CPU_RUNTIME) if number % 2 else a_report() for number in range(1000)]

    said = held(cluster_status(reports, shell_class=None, question=Question(parse("gpu=T4"))), "en").said

    assert said.startswith("Requirement not met on 500 of 1000 machines (2, 4, 6, ")
    assert "58, 60, ...): gpu = T4." in said.replace("\n ", "")
    assert len(said) < 600


def test_what_a_gathered_report_has_not_looked_for_is_not_known() -> None:
    reports = [a_report(), a_report()]

    passes = held(cluster_status(reports, shell_class=None, question=Question(parse("torch>=2"))), "en")
    strict = held(cluster_status(reports, shell_class=None, question=Question(parse("torch>=2"), strict=True)), "en")

    assert (passes.is_met, passes.said) == (True, "Not known, so not checked, on 2 of 2 machines (1, 2): torch >= 2.")
    assert (strict.is_met, strict.said) == (
        False,
        "Requirement not known to be met on 2 of 2 machines (1, 2): torch >= 2.",
    )


@pytest.mark.parametrize(("driver_seconds", "expected"), [(3.0, 15.0), (20.0, 32.0)])
def test_a_machine_is_waited_for_longer_than_it_waits_for_its_driver(driver_seconds: float, expected: float) -> None:
    assert Question(driver_deadline_seconds=driver_seconds).longest_seconds == expected
    assert Question(deadline_seconds=2.0).longest_seconds == 2.0


def test_where_it_holds_on_all_nothing_is_said(engine: Any) -> None:

    seen = cluster_status(engine(a_report()), shell_class=None, question=Question(parse("gpu=T4")))

    assert (held(seen, "en").is_met, held(seen, "en").said) == (True, "")
    assert State.MET in {clause.state for clause in seen.verdict.clauses}  # type: ignore[union-attr]


NO_CLUSTER = (
    "is no cluster's client. Allowed: a dask.distributed.Client, an ipyparallel Client or view, the module ray, or "
)


@pytest.mark.parametrize(
    ("client", "expected"),
    [
        (5, f"a value of type int {NO_CLUSTER}a list of reports"),
        (None, f"a value of type NoneType {NO_CLUSTER}a list of reports"),
        ([], "the list is empty. Allowed: reports of runtime_status"),
        ([5], "the list has a value of type int. Allowed: reports of runtime_status"),
        ([a_report(Subject.RAM)], "the list has a report on ram. Allowed: reports of runtime_status"),
    ],
)
def test_what_is_no_cluster_is_one_line(client: object, expected: str) -> None:
    assert refused(client) == expected


def test_a_cluster_without_workers_is_one_line(engine: Any) -> None:
    with pytest.raises(ClusterError, match=r"^the cluster has no workers\."):
        cluster_status(engine(), shell_class=None)


def test_no_engine_is_imported_to_find_out() -> None:
    assert not any(one.takes(object()) for one in engines.ENGINES)
    assert not {"distributed", "ipyparallel", "ray"} & sys.modules.keys()
