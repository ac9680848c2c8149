"""One report on all machines of a cluster: each is asked by the cluster's own engine, and they are compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from colab_magics import report
from colab_magics.clusters import engines
from colab_magics.clusters.asking import Asked, ClusterError
from colab_magics.clusters.reading import report_of
from colab_magics.model import ClauseVerdict, State, Subject, Unavailable, Verdict
from colab_magics.model.cluster import Node
from colab_magics.observer import DEADLINE_SECONDS as DRIVER_DEADLINE_SECONDS
from colab_magics.requirement import check, packages_of
from colab_magics.units import excerpt
from colab_magics.values import Record, replace
from colab_magics.views import verdict as view
from colab_magics.views.render_options import RenderOptions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from colab_magics.clusters.asking import Tell
    from colab_magics.report import Report
    from colab_magics.requirement import Requirement

GATHERED = "reports"
"""In the place of an engine's name: reports that somebody has gathered in another way."""

COMPARED = ("cloudpickle", "cupy", "dask", "distributed", "ipyparallel", "jax", "msgpack", "numpy", "pandas", "polars",
            "pyarrow", "ray", "scikit-learn", "scipy", "tensorflow", "torch", "xgboost")  # fmt: skip
"""The packages whose versions are compared: what engines send their work with, and what is computed with."""

DEADLINE_SECONDS, BESIDE_THE_DRIVER_SECONDS = 15.0, 12.0
"""How long a machine is waited for at least, and so much longer than it waits for its driver: a worker may have to be
started first."""

ALLOWED = "a dask.distributed.Client, an ipyparallel Client or view, the module ray"
"""What a cluster can be driven by."""


class Question(Record):
    """What every machine is asked."""

    requirement: Requirement | None = None
    """What must hold on each; None for nothing."""
    strict: bool = False
    """Whether what is not known counts as not met."""
    driver_deadline_seconds: float = DRIVER_DEADLINE_SECONDS
    """How long a machine waits for its driver."""
    deadline_seconds: float | None = None
    """How long a machine is waited for; None for as long as it may take."""

    @property
    def longest_seconds(self) -> float:
        """How long a machine is waited for."""
        if self.deadline_seconds is not None:
            return self.deadline_seconds
        return max(DEADLINE_SECONDS, self.driver_deadline_seconds + BESIDE_THE_DRIVER_SECONDS)


def cluster_status(
    client: object, *, shell_class: str | None, question: Question | None = None, tell: Tell = lambda _done, _all: None
) -> Report:
    """Look at every machine of a cluster; `client` is what its engine is driven by, or reports gathered before.

    `tell` is called again and again with how many machines have answered, and of how many. Raise `ClusterError` where
    there is nothing to ask.
    """
    question = question or Question()
    packages = _packages(question.requirement)
    engine = next((one for one in engines.ENGINES if one.takes(client)), None)
    if engine is not None:
        request = {"packages": packages, "driver_deadline_seconds": question.driver_deadline_seconds}
        asked = engine.ask(client, request, deadline_seconds=question.longest_seconds, tell=tell)
        if not asked:
            raise ClusterError("the cluster has no workers. Allowed: one with at least one")
        seen = [report_of(one, engine=engine.NAME) for one in asked]
        name = engine.NAME
    else:
        seen, name, packages = _gathered(client), GATHERED, ()
        asked = [Asked("", None, None)] * len(seen)
    nodes = [
        Node(number=number, address=one.address, workers=one.workers, report=_held(its, question))
        for number, (one, its) in enumerate(zip(asked, seen, strict=True), start=1)
    ]
    whole = report.of_cluster(name, nodes, packages, shell_class=shell_class)
    return whole if question.requirement is None else replace(whole, verdict=_verdict(nodes, question))


def held(seen: Report, language: str) -> report.Held:
    """Return a report with whether the requirement holds on every machine, and what is to be said of it."""
    assert seen.verdict is not None  # noqa: S101 - for the type checker
    return report.Held(seen, seen.verdict.met, view.of_machines(seen, RenderOptions(language=language)))


def _gathered(client: object) -> list[Report | Unavailable]:
    """Return reports that were gathered in another way."""
    if not isinstance(client, (list, tuple)):
        kind = excerpt(type(client).__name__)
        raise ClusterError(f"a value of type {kind} is no cluster's client. Allowed: {ALLOWED}, or a list of reports")
    for one in client:
        if not isinstance(one, report.Report) or one.subject is not Subject.RUNTIME:
            is_report = isinstance(one, report.Report)
            what = f"report on {one.subject}" if is_report else f"value of type {excerpt(type(one).__name__)}"
            raise ClusterError(f"the list has a {what}. Allowed: reports of runtime_status")
    if not client:
        raise ClusterError("the list is empty. Allowed: reports of runtime_status")
    return [*client]


def _packages(requirement: Requirement | None) -> tuple[str, ...]:
    asked = () if requirement is None else packages_of(requirement)
    return (*dict.fromkeys((*COMPARED, *asked)),)


def _held(seen: Report | Unavailable, question: Question) -> Report | Unavailable:
    """Return a machine's report with how the requirement stands there."""
    if question.requirement is None or isinstance(seen, Unavailable):
        return seen
    return replace(seen, verdict=check(question.requirement, seen.snapshot, strict=question.strict))


def _verdict(nodes: Iterable[Node], question: Question) -> Verdict:
    """Return how a requirement stands on all machines together: each clause as where it stands worst."""
    requirement: Any = question.requirement
    verdicts = [None if isinstance(node.report, Unavailable) else node.report.verdict for node in nodes]
    clauses = []
    for number, clause in enumerate(requirement.clauses):
        states = {State.UNKNOWN if one is None else one.clauses[number].state for one in verdicts}
        worst = next(state for state in (State.UNMET, State.UNKNOWN, State.MET) if state in states)
        clauses.append(ClauseVerdict(expression=str(clause), state=worst, found=()))
    met = all(not question.strict if one is None else one.met for one in verdicts)
    return Verdict(met=met, clauses=tuple(clauses))
