"""A report as one JSON document in one line, for agents and scripts.

Field names are the model's, sizes are integers of bytes, what is not known is null, and sentences are English.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from colab_magics import guides
from colab_magics.model import Disk, Gpu, MigSlice, Platform, Ram, Unavailable
from colab_magics.translation import ENGLISH, translator
from colab_magics.views import guide_text, messages

if TYPE_CHECKING:
    from colab_magics.guides import Guide
    from colab_magics.model import Finding, Snapshot
    from colab_magics.report import Report

SCHEMA = 1


def document(report: Report) -> dict[str, Any]:
    """Return the report as plain values; a section that was not asked for is not there."""
    snapshot = report.snapshot
    sections: dict[str, Any] = {
        "driver": snapshot.driver,
        "gpus": snapshot.gpus,
        "tpus": snapshot.tpus,
        "other_gpu_vendors": snapshot.other_gpu_vendors,
        "frameworks": snapshot.frameworks,
        "ram": snapshot.ram,
        "disk": snapshot.disks,
        "cpu": snapshot.cpu,
    }
    return {
        "schema": SCHEMA,
        "taken_at": snapshot.taken_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "platform": _section(snapshot.platform, snapshot),
        **{name: _section(seen, snapshot) for name, seen in sections.items() if seen is not None},
        "advice": [_finding(finding, snapshot) for finding in report.findings],
    }


def render(report: Report) -> str:
    """Return the report as JSON in one line of ASCII."""
    return json.dumps(document(report))


def _finding(finding: Finding, snapshot: Snapshot) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "severity": finding.severity.name.lower(),
        "finding": messages.sentence(finding, translator(ENGLISH)),
        **_instructions(guides.for_finding(finding, snapshot)),
    }


def _section(seen: Any, snapshot: Snapshot) -> Any:
    match seen:
        case Unavailable():
            remedy = guides.for_unavailable(seen, snapshot)
            return {
                "unavailable": {
                    "reason": messages.reason(seen, translator(ENGLISH)),
                    "remedy": remedy and ", then ".join(_steps(remedy)),
                }
            }
        case tuple():
            return [_section(item, snapshot) for item in seen]
        case Gpu():
            slices = [_section(one, snapshot) for one in seen.slices]
            return {**asdict(seen), "unavailable": _reasons(seen), "slices": slices}
        case MigSlice() | Ram() | Disk():
            return {**asdict(seen), "unavailable": _reasons(seen)}
        case Platform():
            # In this schema a frontend stands where there is no service.
            fields = asdict(seen)
            frontend = fields.pop("frontend")
            return {**fields, "service": seen.service or frontend["key"]}
        case _:
            return seen if isinstance(seen, str) else asdict(seen)


def _reasons(seen: Gpu | MigSlice | Ram | Disk) -> dict[str, str]:
    if isinstance(seen, Disk):
        why = seen.unavailable
        return {} if why is None else dict.fromkeys(("usage", "free_bytes"), messages.reason(why, translator(ENGLISH)))
    return {field: messages.field_reason(key, translator(ENGLISH)) for field, key in seen.unavailable}


def _instructions(guide: Guide | None) -> dict[str, Any]:
    if guide is None:
        return {"steps": [], "consequences": [], "link": None}
    return {
        "steps": _steps(guide),
        "consequences": [messages.sentence(sentence, translator(ENGLISH)) for sentence in guide.consequences],
        "link": guide_text.address(guide),
    }


def _steps(guide: Guide) -> list[str]:
    return [guide_text.step(step, translator(ENGLISH)) for step in guide.steps]
