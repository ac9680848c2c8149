"""What a cluster of machines that are composed shows, as blocks of a page."""

from __future__ import annotations

from builders import NODES, OF_A_CLUSTER, a_report
from colab_magics.clusters.status import Question, cluster_status, held
from colab_magics.model import Subject
from colab_magics.report import Report
from colab_magics.requirement import parse
from colab_magics.views import text


def table() -> str:
    """Return the report."""
    return _block("%runtime_status --on client", text.render(a_report(Subject.CLUSTER, **OF_A_CLUSTER)))


def requirement() -> str:
    """Return what is said where a requirement does not hold on every machine."""
    expression = "gpu=T4|L4, ram>=12"
    answered = [node.report for node in NODES if isinstance(node.report, Report)]
    seen = cluster_status(answered, shell_class=None, question=Question(parse(expression)))
    return _block(f'%runtime_status --on client -r "{expression}"', held(seen, "en").said)


def _block(typed: str, shown: str) -> str:
    return f"```\n{typed}\n\n{shown}\n```"
