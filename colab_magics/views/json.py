"""A report as one JSON document in one line, for agents and scripts.

Field names are the model's, sizes are integers of bytes, what is not known is null with the reason beside it, and
sentences are English. `report.schema.json` beside this module describes the document; `tests/documentation` makes it
from the types below and the model.
"""

from __future__ import annotations

import enum
import json
import os
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from colab_magics import guides
from colab_magics.model import Severity, State, Subject, Unavailable
from colab_magics.translation import ENGLISH, translator
from colab_magics.values import Value
from colab_magics.version import FORM, VERSION
from colab_magics.views import guide_text, messages, summary
from colab_magics.views.render_options import DEFAULTS, RenderOptions

if TYPE_CHECKING:
    from colab_magics.guides import Guide
    from colab_magics.model import ClauseVerdict, Finding, Snapshot, Verdict
    from colab_magics.model import cluster as model
    from colab_magics.model.cluster import Difference, Totals
    from colab_magics.report import Report

Schema = Literal[2]
"""The number of the document's form: it changes when a field is taken away or comes to mean something else."""

Level = Literal["hint", "info", "warning", "error"]
"""How much a finding matters."""

LOOKED_AT_TOGETHER = {"gpus": ("driver", "visible_gpus")}
"""The fields of a snapshot that say something only where another was looked at: None is an answer there."""

_SCHEMA: Schema = FORM
_LEVELS: dict[Severity, Level] = {
    Severity.HINT: "hint",
    Severity.INFO: "info",
    Severity.WARNING: "warning",
    Severity.ERROR: "error",
}

_LISTS = frozenset(
    {"cells", "disks", "frameworks", "gpu_shares", "gpus", "other_gpu_vendors", "packages", "samples", "tpus"}
)
"""The sections that are lists, also where nobody could look."""


class Reason(TypedDict):
    """Why something is not known."""

    code: str
    """The same in one word, which stays the same."""
    reason: str
    """The same as a phrase or a sentence."""


class SectionReason(Reason):
    """Why a section is not known, and what helps."""

    remedy: str | None
    """What to do; null where nothing is known to help."""


class Instructions(TypedDict):
    """What to do."""

    steps: list[str]
    """Each step, in order; menus are quoted."""
    consequences: list[str]
    """What is lost or stays, a sentence each."""
    link: str | None
    """Where to read more."""


class FindingEntry(Instructions):
    """Something that matters."""

    rule: str
    """Its name, which stays the same."""
    severity: Level
    """How much it matters; a hint is there with `-a` alone."""
    message: str
    """What was found, in a sentence."""


class ClauseEntry(TypedDict):
    """A clause of a requirement."""

    expression: str
    """The clause in its canonical form."""
    state: State
    """Whether it holds."""
    found: dict[str, list[str | int | float | bool | None] | None]
    """What is there, by the clause's keys: a figure for each device, or one for the machine; empty: no such thing; null
    for a figure, or for them all, that is not known."""


class RequirementEntry(Instructions):
    """How a requirement stands."""

    expression: str
    """The requirement in its canonical form."""
    met: bool
    """Whether it passes: what is not known does, unless `--strict` was given."""
    clauses: list[ClauseEntry]
    """How each of its clauses stands."""


class Document(TypedDict):
    """A report of colab_magics: what was seen of a machine, what it means, and what to do about it."""

    schema: Schema
    """The number of this form."""
    version: str
    """Of colab_magics."""
    taken_at: str
    """When, in UTC: "2026-11-22T12:00:00.250Z"."""
    subject: Subject
    """The question that was asked."""
    summary: str
    """The answer in short."""
    unavailable: dict[str, SectionReason]
    """The sections that nobody could look at, by their names: they are null, or empty where they are lists."""
    findings: list[FindingEntry]
    """What matters, the most serious first."""
    requirement: RequirementEntry | None
    """The requirement that was held against the machine; null where there was none."""


class Node(TypedDict):
    """One machine of a cluster, as one of its workers sees it."""

    number: int
    """From 1 on, in the order in which the cluster names its machines."""
    workers: int | None
    """How many workers it runs; None where the cluster does not tell."""
    report: Document | None
    """What it said of itself; None where nothing is known of it."""
    unknown: SectionReason | None
    """Why nothing is known of it."""


class Cluster(TypedDict):
    """A cluster of machines."""

    engine: str
    """What runs it: "dask", "ipyparallel", "ray"; "reports" where somebody gathered the reports in another way."""
    nodes: list[Node]
    """Its machines by their numbers."""
    differences: list[Difference]
    """What is of another version on some of them."""
    totals: Totals
    """What they have together."""


def document(report: Report, options: RenderOptions = DEFAULTS) -> dict[str, Any]:
    """Return the report as plain values: a `Document`, and between its fields the sections that were looked at."""
    snapshot = report.snapshot
    sections = {name: getattr(snapshot, name) for name in sections_of(snapshot)}
    unavailable = {name: seen for name, seen in sections.items() if isinstance(seen, Unavailable)}
    shown = report.findings if options.everything else filter(_is_no_hint, report.findings)
    return {
        "schema": _SCHEMA,
        "version": VERSION,
        "taken_at": snapshot.taken_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "subject": report.subject,
        "summary": " ".join(summary.answer(report, translator(ENGLISH)).first),
        **{name: _section(name, seen, snapshot) for name, seen in sections.items()},
        "unavailable": {name: _section_reason(why, snapshot) for name, why in unavailable.items()},
        "findings": [_finding(finding, snapshot) for finding in shown],
        "requirement": None if report.verdict is None else _requirement(report.verdict, snapshot),
    }


def render(report: Report, options: RenderOptions = DEFAULTS) -> str:
    """Return the report as JSON in one line of ASCII."""
    return json.dumps(document(report, options))


def schema() -> str:
    """Return the JSON Schema of the document, as a text."""
    with open(os.path.join(os.path.dirname(__file__), "report.schema.json"), encoding="utf-8") as file:
        return file.read().strip()


def sections_of(snapshot: Snapshot) -> tuple[str, ...]:
    """Return the names of the sections that were looked at, in the model's order."""
    asked = {name for name in snapshot._fields if getattr(snapshot, name) is not None}
    together = {name for other, names in LOOKED_AT_TOGETHER.items() if other in asked for name in names}
    return tuple(name for name in snapshot._fields if name in asked | together and name != "taken_at")


def _is_no_hint(finding: Finding) -> bool:
    return finding.severity > Severity.HINT


def _section(name: str, seen: Any, snapshot: Snapshot) -> Any:
    if isinstance(seen, Unavailable):
        return [] if name in _LISTS else None
    return _cluster(seen, snapshot) if name == "cluster" else _plain(seen)


def _cluster(seen: model.Cluster, snapshot: Snapshot) -> Cluster:
    """Return a cluster with each machine's own document, and without what the cluster calls the machines."""
    return {
        "engine": seen.engine,
        "nodes": [_node(node, snapshot) for node in seen.nodes],
        "differences": _plain(seen.differences),
        "totals": _plain(seen.totals),
    }


def _node(node: model.Node, snapshot: Snapshot) -> Node:
    known: dict[str, Any] = {"report": None, "unknown": None}
    if isinstance(node.report, Unavailable):
        known["unknown"] = _section_reason(node.report, snapshot)
    else:
        known["report"] = document(node.report)
    return {"number": node.number, "workers": node.workers, **known}  # type: ignore[typeddict-item]  # mypy reads no dict


def _plain(seen: Any) -> Any:
    """Return a value of the model as JSON has it: a field's name stays, why it is not known is put into words."""
    match seen:
        case Value():
            return {
                name: _reasons(seen) if name == "unavailable" else _plain(getattr(seen, name)) for name in seen._fields
            }
        case tuple():
            return [_plain(item) for item in seen]
        case enum.Enum():
            return seen.value
        case _:
            return seen


def _reasons(seen: Any) -> dict[str, Reason]:
    """Return why fields of a device are not known, by their names."""
    translate, why = translator(ENGLISH), seen.unavailable
    if isinstance(why, Unavailable):
        reason = Reason(code=why.code, reason=messages.reason(why, translate))
        return {name: reason for name in seen._fields if getattr(seen, name) is None}
    return {field: Reason(code=code, reason=messages.field_reason(code, translate)) for field, code in why or ()}


def _section_reason(why: Unavailable, snapshot: Snapshot) -> SectionReason:
    remedy = guides.for_unavailable(why, snapshot)
    return {
        "code": why.code,
        "reason": messages.reason(why, translator(ENGLISH)),
        "remedy": None if remedy is None else ", then ".join(_steps(remedy)) or None,
    }


def _finding(finding: Finding, snapshot: Snapshot) -> FindingEntry:
    return {
        "rule": finding.rule,
        "severity": _LEVELS[finding.severity],
        "message": messages.sentence(finding, translator(ENGLISH)),
        **_instructions(guides.for_finding(finding, snapshot)),
    }


def _requirement(verdict: Verdict, snapshot: Snapshot) -> RequirementEntry:
    return {
        "expression": ", ".join(clause.expression for clause in verdict.clauses),
        "met": verdict.met,
        "clauses": [_clause(clause) for clause in verdict.clauses],
        **_instructions(*guides.for_verdict(verdict, snapshot)),
    }


def _clause(clause: ClauseVerdict) -> ClauseEntry:
    return {
        "expression": clause.expression,
        "state": clause.state,
        "found": {key: None if figures is None else list(figures) for key, figures in clause.found},
    }


def _instructions(*ways: Guide | None) -> Instructions:
    known = [way for way in ways if way is not None]
    lost = (messages.sentence(sentence, translator(ENGLISH)) for way in known for sentence in way.consequences)
    return {
        "steps": [step for way in known for step in _steps(way)],
        "consequences": list(dict.fromkeys(lost)),
        "link": next((link for way in known if (link := guide_text.address(way)) is not None), None),
    }


def _steps(guide: Guide) -> list[str]:
    return [guide_text.step(step, translator(ENGLISH)) for step in guide.steps]
