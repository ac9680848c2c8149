"""A report as one JSON document in one line, for agents and scripts.

Field names are the model's, sizes are integers of bytes, what is not known is null, and sentences are English.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from colab_magics.model import Gpu, MigSlice, Platform, Report, Unavailable
from colab_magics.views import guides, messages
from colab_magics.translation import ENGLISH, speaker

SCHEMA = 1
_SAY = speaker(ENGLISH)


def document(report: Report) -> dict[str, Any]:
    """Return the report as plain values; a section that was not asked for is not there."""
    snapshot = report.snapshot
    sections: dict[str, Any] = {
        "driver": snapshot.driver,
        "gpus": snapshot.gpus,
        "tpus": snapshot.tpus,
        "frameworks": snapshot.frameworks,
        "ram": snapshot.ram,
        "disk": snapshot.disks,
        "cpu": snapshot.cpu,
    }
    return {
        "schema": SCHEMA,
        "taken_at": snapshot.taken_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "platform": asdict(snapshot.platform),
        **{name: _section(seen, snapshot.platform) for name, seen in sections.items() if seen is not None},
        "advice": [
            {
                "rule": advice.rule,
                "severity": advice.severity.name.lower(),
                "finding": messages.finding(advice, _SAY),
                **_instructions(guides.guide(advice, snapshot.platform)),
            }
            for advice in report.advice
        ],
    }


def render(report: Report) -> str:
    """Return the report as JSON in one line of ASCII."""
    return json.dumps(document(report))


def _section(seen: Any, platform: Platform) -> Any:
    match seen:
        case Unavailable():
            remedy = guides.remedy(seen, platform)
            return {
                "unavailable": {
                    "reason": messages.reason(seen, _SAY),
                    "remedy": remedy and ", then ".join(guides.step(step, _SAY) for step in remedy.steps),
                }
            }
        case tuple():
            return [_section(item, platform) for item in seen]
        case Gpu():
            return {
                **asdict(seen),
                "unavailable": _reasons(seen),
                "slices": [_section(one, platform) for one in seen.slices],
            }
        case MigSlice():
            return {**asdict(seen), "unavailable": _reasons(seen)}
        case _:
            return asdict(seen)


def _reasons(seen: Gpu | MigSlice) -> dict[str, str]:
    return {field: messages.field_reason(key, _SAY) for field, key in seen.unavailable}


def _instructions(guide: guides.Guide | None) -> dict[str, Any]:
    if guide is None:
        return {"steps": [], "consequences": [], "link": None}
    return {
        "steps": [guides.step(step, _SAY) for step in guide.steps],
        "consequences": list(guide.consequences),
        "link": guides.address(guide),
    }
