"""What the magics find: from the rules and the guides, with what is said of a machine where each rule applies."""

from __future__ import annotations

from builders import COLAB, JUPYTER, a_snapshot
from colab_magics import guides
from colab_magics.model import Severity
from colab_magics.rules import RULES, Rule
from colab_magics.translation import translator
from colab_magics.views import messages
from documentation.markdown import code, plain, table
from occurring import OCCURRING

_ENGLISH = translator("en")
_SEVERITIES = {Severity.ERROR: "Errors", Severity.WARNING: "Warnings", Severity.INFO: "Remarks"}


def findings() -> str:
    """Return a table of what may be found, for each severity."""
    return "\n".join(f"## {title}\n\n{_table_of(severity)}" for severity, title in _SEVERITIES.items())


def hints() -> str:
    """Return a table of the hints."""
    return table(("hint", "what it tells"), [(code(rule.name), _when(rule)) for rule in _rules(Severity.HINT)])


def _table_of(severity: Severity) -> str:
    return table(
        ("finding", "when", "for example", "what it leads to"),
        [(code(rule.name), _when(rule), plain(OCCURRING[rule.name][1]), _leads_to(rule)) for rule in _rules(severity)],
    )


def _rules(severity: Severity) -> list[Rule]:
    return [rule for rule in RULES.values() if rule.severity is severity]


def _when(rule: Rule) -> str:
    docstring = rule.applies.__doc__ or ""
    return docstring.strip().split("\n\n")[0].replace("CUDA_VISIBLE_DEVICES", code("CUDA_VISIBLE_DEVICES"))


def _leads_to(rule: Rule) -> str:
    """Return what the guides are for that belong to the finding, on hosted Colab and on a machine of one's own."""
    purposes = []
    for platform in (COLAB, JUPYTER):
        snapshot = a_snapshot(**{"platform": platform, **OCCURRING[rule.name][0]})
        finding = rule(snapshot)
        guide = None if finding is None else guides.for_finding(finding, snapshot)
        purpose = "" if guide is None else messages.sentence(guide.purpose, _ENGLISH)
        purposes.append(purpose[:1].lower() + purpose[1:])
    on_colab, elsewhere = purposes
    if on_colab == elsewhere:
        return plain(on_colab)
    said = [f"{where}: {purpose}" for where, purpose in (("on Colab", on_colab), ("elsewhere", elsewhere)) if purpose]
    return plain("; ".join(said))
