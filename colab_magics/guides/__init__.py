"""What to do about it: for what was found, for what is not known, for a goal, for a requirement that is not met.

Each service has one module that keeps `interface.ServiceGuides`, and one line in the registry below; what it does not
tell is told by `generic`. Nothing else asks which service this is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics.guides import colab, enterprise, generic, kaggle, local_runtime
from colab_magics.guides.generic import shared_memory_to_get
from colab_magics.guides.interface import (
    GOAL_LABELS,
    ChoicesTable,
    ChoiceStep,
    ClickStep,
    CommandStep,
    Dialog,
    Goal,
    Guide,
    LimitsTable,
    LinksTable,
    MenuAlone,
    MenuStep,
    Note,
    NoticesTable,
    OfferedImage,
    OfferedMachine,
    OtherMenusTable,
    Point,
    RuntimeVersionsTable,
    Sentence,
    TextStep,
)
from colab_magics.model import KEYS_OF_A_GPU, Finding, Remedy, Severity, State, Unavailable, seen

if TYPE_CHECKING:
    from collections.abc import Iterable

    from colab_magics.guides.interface import FactsTable, ServiceGuides
    from colab_magics.model import Snapshot, Verdict

__all__ = [
    "GOAL_LABELS",
    "ChoiceStep",
    "ChoicesTable",
    "ClickStep",
    "CommandStep",
    "Dialog",
    "Goal",
    "Guide",
    "LimitsTable",
    "LinksTable",
    "MenuAlone",
    "MenuStep",
    "Note",
    "NoticesTable",
    "OfferedImage",
    "OfferedMachine",
    "OtherMenusTable",
    "Point",
    "RuntimeVersionsTable",
    "Sentence",
    "TextStep",
    "for_finding",
    "for_goal",
    "for_unavailable",
    "for_verdict",
    "not_visible",
    "offered_images",
    "offered_machines",
    "shared_memory_to_get",
    "tables",
]

_SERVICES: dict[str | None, ServiceGuides] = {
    "colab": colab,
    "colab_enterprise": enterprise,
    "colab_local": local_runtime,
    "kaggle": kaggle,
}

_ROOM = {
    "disk": "disk_nearly_full",
    "ram_free": "ram_nearly_full",
    "shm": "shared_memory_nearly_full",
    "vram_free": "gpu_memory_nearly_full",
}
"""The findings whose guides make room of a kind that a requirement asks for."""

_MENDED_AS: dict[Remedy | None, str] = {
    Remedy.SHARE_MEMORY: "shared_memory_small",
    Remedy.SHOW_GPUS: "cuda_hidden",
}
"""The findings whose guides are a remedy."""


def for_finding(finding: Finding, snapshot: Snapshot) -> Guide | None:
    """Return what to do about a finding, None where nothing is known to help."""
    return _here(snapshot).for_finding(finding, snapshot)


def for_unavailable(unavailable: Unavailable, snapshot: Snapshot) -> Guide | None:
    """Return what to do about a section that is not known, None where nothing is known to help."""
    return _here(snapshot).for_unavailable(unavailable, snapshot)


def for_goal(goal: Goal, snapshot: Snapshot, blocking: Finding | None) -> Guide:
    """Return the way to a goal; `blocking` is what stands between programs and the GPU that is there."""
    return _here(snapshot).for_goal(goal, snapshot, blocking) or generic.for_goal(goal, snapshot, blocking)


def offered_machines(snapshot: Snapshot) -> tuple[OfferedMachine, ...]:
    """Return the machines that the service offers instead of this one; none where it is no service that offers any."""
    return _here(snapshot).offered_machines(snapshot)


def offered_images(snapshot: Snapshot) -> tuple[OfferedImage, ...]:
    """Return the images that the service offers for its machines; none where it is no service that offers any."""
    return _here(snapshot).offered_images(snapshot)


def tables(snapshot: Snapshot) -> tuple[FactsTable, ...]:
    """Return what is known of the service beside what a machine tells."""
    return _here(snapshot).tables()


def not_visible(snapshot: Snapshot) -> Sentence | None:
    """Return what people look for here and a kernel cannot see, None where there is no such thing."""
    return _here(snapshot).not_visible()


def for_verdict(verdict: Verdict, snapshot: Snapshot) -> tuple[Guide, ...]:
    """Return what to do about a requirement that is not met, or not known to be; nothing where nothing would help."""
    if verdict.met:
        return ()
    unmet = [key for clause in verdict.clauses if clause.state is State.UNMET for key in clause.keys]
    if unmet:
        hardware = () if verdict.remedy is Remedy.INSTALL else _for_unmet(unmet, verdict, snapshot)
        return (*hardware, generic.to_install(verdict.to_install)) if verdict.to_install else hardware
    if isinstance(snapshot.gpus, Unavailable):
        unseen = for_unavailable(snapshot.gpus, snapshot)
        return () if unseen is None else (unseen,)
    unknown = {key for clause in verdict.clauses if clause.state is State.UNKNOWN for key in clause.keys}
    lacks_cuda = snapshot.driver is not None and snapshot.driver.has_cuda_library is False
    return _for_rules(["cuda_library_missing"], snapshot) if lacks_cuda and unknown & {*KEYS_OF_A_GPU, "cuda"} else ()


def _for_unmet(  # noqa: PLR0911 - one for each kind of remedy
    unmet: list[str], verdict: Verdict, snapshot: Snapshot
) -> tuple[Guide, ...]:
    """Return what to do where these keys ask for what is not there."""
    if verdict.remedy in _MENDED_AS:
        return _for_rules([_MENDED_AS[verdict.remedy]], snapshot)
    if verdict.remedy is Remedy.MAKE_ROOM:
        shares_ram = any(gpu.shares_ram for gpu in verdict.gpus or ())
        room = {**_ROOM, "vram_free": _ROOM["ram_free"]} if shares_ram else _ROOM
        return _for_rules([room[key] for key in unmet if key in room], snapshot)
    faults = [gpu.fault for gpu in seen(snapshot.gpus) if gpu.fault is not None]
    if faults and KEYS_OF_A_GPU & {*unmet} and (not verdict.gpus or "gpus" in unmet):
        finding = Finding(rule="gpu_not_usable", severity=Severity.ERROR, values=(("cause", faults[0]),))
        guide = for_finding(finding, snapshot)
        return () if guide is None else (guide,)
    if offered_machines(snapshot):
        way = _here(snapshot).to_get(verdict.offers, verdict.others) if verdict.offers else None
        return (way,) if way is not None else ()
    if {*unmet} == {"python"} and (python := _python_asked(verdict)) is not None:
        return (generic.to_another_python(python),)
    if KEYS_OF_A_GPU.issuperset(unmet) and verdict.gpus == ():
        return _for_rules(["no_gpu"], snapshot)
    return (generic.to_get(verdict.offers, ()),)


def _python_asked(verdict: Verdict) -> str | None:
    """Return which Python is asked for, as conda takes it; None where it would take the words otherwise."""
    asked = [clause.expression.removeprefix("python") for clause in verdict.clauses if clause.keys == ("python",)]
    conditions = ",".join(asked).replace(" ", "")
    return None if {"|", "!"} & {*conditions} else f'"python{conditions}"'


def _here(snapshot: Snapshot) -> ServiceGuides:
    return _SERVICES.get(snapshot.service, generic)


def _for_rules(rules: Iterable[str], snapshot: Snapshot) -> tuple[Guide, ...]:
    findings = [Finding(rule=rule, severity=Severity.ERROR) for rule in dict.fromkeys(rules)]
    return tuple(guide for finding in findings if (guide := for_finding(finding, snapshot)) is not None)
