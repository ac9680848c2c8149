"""A requirement that is not met, as the text that stands in place of a traceback: asked, found, what to click."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from colab_magics import facts
from colab_magics.model import Advice, Service, Severity, Unavailable
from colab_magics.units import printable, size
from colab_magics.views import guides, summary, messages
from colab_magics.translation import ENGLISH, marked, speaker
from colab_magics.views.layout import broken, flow, guide_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from collections.abc import Set as AbstractSet

    from colab_magics.model import Snapshot
    from colab_magics.requirement import ClauseVerdict, FoundGpu, Offer, Verdict
    from colab_magics.translation import Say

_OF_A_GPU = frozenset({"gpu", "gpus", "vram", "vram_free", "cc", "bf16"})
_ROOM = {"ram_free": "ram_nearly_full", "vram_free": "gpu_memory_nearly_full", "disk": "disk_nearly_full"}
_CHANGE_RUNTIME_TYPE = ("runtime_menu", "change_runtime_type")
_MOST_GPUS = 4
_THERE = {
    "tpu": marked("a {figure} TPU"),
    "ram": marked("{figure} RAM"),
    "ram_free": marked("{figure} of RAM free"),
    "disk": marked("{figure} of disk free"),
    "cuda": "CUDA {figure}",
    "python": "Python {figure}",
}
_LACKING = {"tpu": marked("no TPU"), "cuda": marked("no CUDA driver")}
_PURPOSE = marked("To meet it")
_PURPOSE_PAID = marked("To meet it (paid)")


def render(verdict: Verdict, snapshot: Snapshot, *, language: str = ENGLISH) -> str:
    """Return what was asked for and is not there, what is there instead, and what to do about it."""
    say = speaker(language)
    unmet = [clause for clause in verdict.clauses if clause.state == "unmet"]
    unknown = [clause for clause in verdict.clauses if clause.state == "unknown"]
    lines = broken(_answer(verdict, unmet, unknown, say))
    if unmet:
        sentences = [say("There is: {what}.", what=say.listed(_there(verdict, unmet, say)))]
        if verdict.remedy == "show_gpus":
            sentences.append(say("CUDA_VISIBLE_DEVICES hides a GPU that would do."))
        elif verdict.apart:
            sentences.append(say("No one GPU meets all of it."))
        lines += flow(sentences, say.gap)
        lines += flow(_retired(unmet, snapshot, say), say.gap)
    if unknown:
        sentences = [say("Not known: {what}.", what=_asked(unknown, say))] if unmet else []
        lines += flow([*sentences, *_reasons(unknown, snapshot, say)], say.gap)
    guides = () if verdict.met else _guides(verdict, unmet, snapshot)
    for guide in guides:
        lines += [line for line in guide_lines(guide, say) if line not in lines]
    if unmet and not guides and snapshot.platform.service in (Service.COLAB, Service.KAGGLE):
        service = summary.service_name(snapshot.platform.service, say)
        lines += broken(say("Nothing that {service} offers is known to meet it.", service=service))
    return "\n".join(lines)


def _answer(verdict: Verdict, unmet: Sequence[ClauseVerdict], unknown: Sequence[ClauseVerdict], say: Say) -> str:
    if unmet:
        return say("Requirement not met: {what}.", what=_asked(unmet, say))
    if not unknown:
        return say("Requirement met.")
    if verdict.met:
        return say("Not known, so not checked: {what}.", what=_asked(unknown, say))
    return say("Requirement not known to be met: {what}.", what=_asked(unknown, say))


def _asked(clauses: Sequence[ClauseVerdict], say: Say) -> str:
    return say.listed(printable(clause.asked) for clause in clauses)


def _there(verdict: Verdict, unmet: Sequence[ClauseVerdict], say: Say) -> list[str]:
    """Return what is there of what was asked for, as phrases."""
    found = {key: figures for clause in unmet for key, figures in clause.found}
    phrases = _gpus(verdict.gpus, found.keys(), say) if _OF_A_GPU & found.keys() and verdict.gpus is not None else []
    for key, figures in found.items():
        if figures is not None and key not in _OF_A_GPU:
            phrases += [_phrase(key, figure, say) for figure in dict.fromkeys(figures or (None,))]
    return phrases


def _phrase(key: str, figure: str | int | None, say: Say) -> str:
    if figure is None:
        return say(_LACKING[key])
    shown = size(figure) if isinstance(figure, int) else printable(figure)
    return say(_THERE[key], figure=shown)


def _gpus(gpus: Sequence[FoundGpu], keys: AbstractSet[str], say: Say) -> list[str]:
    """Return the GPUs as phrases, those that are alike once."""
    if not gpus:
        return [say("no GPU")]
    alike: dict[str, int] = {}
    for gpu in gpus:
        phrase = _gpu(gpu, keys, say)
        alike[phrase] = alike.get(phrase, 0) + 1
    phrases = [f"{count} x {phrase}" if count > 1 else phrase for phrase, count in alike.items()]
    return [*phrases[:_MOST_GPUS], "..."] if len(phrases) > _MOST_GPUS else phrases


def _gpu(gpu: FoundGpu, keys: AbstractSet[str], say: Say) -> str:
    name = say("GPU of unknown name") if gpu.name is None else printable(gpu.name)
    facts_of = []
    if gpu.shares_ram:
        facts_of.append(say("the machine's RAM"))
    elif gpu.memory_bytes is not None:
        facts_of.append(size(gpu.memory_bytes))
    if "vram_free" in keys and gpu.memory_free_bytes is not None:
        facts_of.append(say("{size} free", size=size(gpu.memory_free_bytes)))
    if {"cc", "bf16"} & keys and gpu.compute_capability is not None:
        facts_of.append(say("compute capability {version}", version=printable(gpu.compute_capability)))
    return say("{name} with {facts}", name=name, facts=say.listed(facts_of)) if facts_of else name


def _retired(unmet: Sequence[ClauseVerdict], snapshot: Snapshot, say: Say) -> list[str]:
    """Return which of the accelerators asked for Colab no longer has: tutorials still name them."""
    if snapshot.platform.service is not Service.COLAB:
        return []
    asked = " ".join(clause.asked for clause in unmet if {"gpu", "tpu"} & {*clause.keys})
    return [
        say("Colab no longer has the {name}.", name=gone.name)
        for gone in facts.retired_accelerators()
        if re.search(rf"(?<![\w-]){re.escape(gone.name)}(?![\w-])", asked, re.IGNORECASE)
    ]


def _reasons(unknown: Sequence[ClauseVerdict], snapshot: Snapshot, say: Say) -> list[str]:
    """Return why the sections are not known that were asked about."""
    keys = {key for clause in unknown for key in clause.keys}
    sections = (
        (_OF_A_GPU | {"cuda"}, snapshot.gpus),
        ({"ram", "ram_free"}, snapshot.ram),
        ({"disk"}, snapshot.disks),
    )
    reasons = [messages.reason(one, say) for of, one in sections if of & keys and isinstance(one, Unavailable)]
    if isinstance(snapshot.gpus, tuple) and _OF_A_GPU & keys:
        fields = {"vram": "memory", "vram_free": "memory", "gpu": "name", "cc": "compute_capability"}
        wanted = {fields[key] for key in fields.keys() & keys} | ({"compute_capability"} if "bf16" in keys else set())
        causes = {reason: None for gpu in snapshot.gpus for field, reason in gpu.unavailable if field in wanted}
        causes.pop("unified_memory", None)
        if causes:
            why = say.listed(messages.field_reason(cause, say) for cause in causes)
            reasons.append(say("The NVIDIA driver does not tell: {why}.", why=why))
    return reasons


def _guides(verdict: Verdict, unmet: Sequence[ClauseVerdict], snapshot: Snapshot) -> tuple[guides.Guide, ...]:
    """Return what to do, in the words of the service; nothing where nothing is known to help."""
    keys = [key for clause in unmet for key in clause.keys]
    if not unmet:
        unseen = isinstance(snapshot.gpus, Unavailable) and guides.remedy(snapshot.gpus, snapshot.platform)
        return (unseen,) if unseen else ()
    if verdict.remedy == "show_gpus":
        return _known_guides(["cuda_hidden"], snapshot)
    if verdict.remedy == "make_room":
        shared = any(gpu.shares_ram for gpu in verdict.gpus or ())
        room = {**_ROOM, "vram_free": _ROOM["ram_free"]} if shared else _ROOM
        return _known_guides([room[key] for key in keys if key in room], snapshot)
    if snapshot.platform.service in (Service.COLAB, Service.KAGGLE):
        guide = _colab_guide if snapshot.platform.service is Service.COLAB else _kaggle_guide
        return (guide(verdict.offers),) if verdict.offers else ()
    if _OF_A_GPU.issuperset(keys) and verdict.gpus == ():
        return _known_guides(["no_gpu"], snapshot)
    return (guides.Guide(_PURPOSE, (marked("run this on a machine that has what is required."),)),)


def _known_guides(rules: Iterable[str], snapshot: Snapshot) -> tuple[guides.Guide, ...]:
    advice = [Advice(rule=rule, severity=Severity.ERROR) for rule in dict.fromkeys(rules)]
    return tuple(guide for one in advice if (guide := guides.guide(one, snapshot.platform)))


def _kaggle_guide(offers: Sequence[Offer]) -> guides.Guide:
    steps = ("Settings > Accelerator", _choice(offers), marked("confirm in the dialog"))
    return guides.Guide(_PURPOSE, steps, (marked("Then run again from your first cell."),))


def _colab_guide(offers: Sequence[Offer]) -> guides.Guide:
    steps: list[guides.Step] = [_CHANGE_RUNTIME_TYPE]
    if not offers[0].is_current:
        steps.append(_choice(offers))
    if all(offer.high_ram for offer in offers):
        steps.append(("high_ram",))
    paid = all(offer.paid for offer in offers)
    return guides.Guide(_PURPOSE_PAID if paid else _PURPOSE, (*steps, ("save",)), guides.NEW_MACHINE)


def _choice(offers: Sequence[Offer]) -> str:
    """Return the words to click, of which each is as good as the others."""
    return " / ".join(offer.name for offer in offers)
