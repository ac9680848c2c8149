"""A requirement that is not met, as text and as a card: what was asked, what is there, what to click."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from colab_magics import facts, guides
from colab_magics.model import KEYS, KEYS_OF_A_GPU, KEYS_OF_THE_DRIVER, SHARED_MEMORY, Remedy, State, Unavailable, seen
from colab_magics.rules import RULES
from colab_magics.translation import N_, NP_
from colab_magics.units import printable, size
from colab_magics.values import Record
from colab_magics.views import guide_text, html, machine, messages, requirement_words
from colab_magics.views.layout import broken, flow
from colab_magics.views.markup import Html, element
from colab_magics.views.render_options import DEFAULTS, RenderOptions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

    from colab_magics.guides import Guide
    from colab_magics.model import ClauseVerdict, FoundGpu, Snapshot, Verdict
    from colab_magics.model.cluster import Node
    from colab_magics.report import Report
    from colab_magics.translation import Translator

_MOST_GPUS = 4
_MOST_MACHINES, _MOST_NUMBERS = 5, 30
"""Of how many machines it is told why, and how many are named by their numbers."""
_THERE = {
    "tpu": N_("a {figure} TPU"),
    "ram": N_("{figure} RAM"),
    "ram_free": N_("{figure} of RAM free"),
    "disk": N_("{figure} of disk free"),
    "shm": N_("{figure} of shared memory free"),
    "cuda": "CUDA {figure}",
    "driver": N_("NVIDIA driver {figure}"),
    "python": "Python {figure}",
}
_LACKING = {"tpu": N_("no TPU"), "cuda": N_("no CUDA driver"), "driver": N_("no NVIDIA driver")}


class Told(Record):
    """What there is to say of a requirement that is not met, or not known to be, in reading order."""

    answer: str
    """What of it is not met, in its author's words."""
    needed: str
    """The same for the notebook's reader."""
    facts: tuple[tuple[str, ...], ...]
    """Paragraphs of sentences: what is there instead, and why more is not known."""
    guides: tuple[Guide, ...]
    """What to do about it."""
    last: str | None
    """The sentence that nothing helps, where nothing does."""


def told(verdict: Verdict, snapshot: Snapshot, translate: Translator) -> Told:
    """Return what there is to say of a requirement that does not pass."""
    unmet = [clause for clause in verdict.clauses if clause.state is State.UNMET]
    unknown = [clause for clause in verdict.clauses if clause.state is State.UNKNOWN]
    facts: list[list[str]] = []
    if unmet:
        there, absent = _there(verdict, unmet, translate), _absent(unmet)
        sentences = [translate("There is: {what}.", what=translate.listed(there))] if there else []
        if absent:
            sentences.append(translate("Not installed: {what}.", what=translate.listed(absent)))
        if verdict.remedy is Remedy.SHOW_GPUS:
            sentences.append(translate("CUDA_VISIBLE_DEVICES hides a GPU that would do."))
        elif verdict.met_separately:
            sentences.append(translate("No one GPU meets all of it."))
        facts.append([*sentences, *_faults(unmet, snapshot, translate)])
        facts.append([*_retired(unmet, snapshot, translate), *_unknown_names(verdict, translate)])
    if unknown:
        sentences = [translate("Not known: {what}.", what=_asked(unknown, translate))] if unmet else []
        facts.append([*sentences, *_reasons(unknown, snapshot, translate)])
    ways = guides.for_verdict(verdict, snapshot)
    last = None
    if unmet and not ways:
        service = machine.place_name(snapshot, translate)
        last = translate("Nothing that {service} offers is known to meet it.", service=service)
    return Told(
        _answer(verdict, unmet, unknown, translate),
        translate("This notebook needs {what}.", what=requirement_words.needs(unmet or unknown, translate)),
        tuple(tuple(sentences) for sentences in facts if sentences),
        tuple(ways),
        last,
    )


def render(verdict: Verdict, snapshot: Snapshot, options: RenderOptions = DEFAULTS) -> str:
    """Return what was asked for and is not there, what is there instead, and what to do about it."""
    translate = options.translate
    said = told(verdict, snapshot, translate)
    lines = broken(said.answer)
    for sentences in said.facts:
        lines += flow(sentences, translate.gap)
    for guide in said.guides:
        lines += [line for line in guide_text.lines(guide, translate) if line not in lines]
    return "\n".join(lines if said.last is None else [*lines, *broken(said.last)])


def in_one_line(verdict: Verdict, snapshot: Snapshot, options: RenderOptions = DEFAULTS) -> str:
    """Return the same in one line, without what the way costs: where a card shows all of it."""
    translate = options.translate
    said = told(verdict, snapshot, translate)
    ways = [translate.joined((guide_text.purpose(guide, translate), guide_text.in_a_row(guide, translate)))
            for guide in said.guides[:1]]  # fmt: skip
    facts = [sentence for sentences in said.facts[:1] for sentence in sentences]
    return translate.joined((said.answer, *facts, *ways, *filter(None, (said.last,))))


def card(verdict: Verdict, snapshot: Snapshot, options: RenderOptions = DEFAULTS) -> Html:
    """Return the same as a card for the notebook's reader: what it needs, what is there, what to do."""
    translate = options.translate
    said = told(verdict, snapshot, translate)
    parts = [element("p", said.needed, class_="cm-said")]
    parts += [element("p", translate.joined(sentences)) for sentences in said.facts]
    parts += [html.steps(guide, translate) for guide in said.guides]
    parts += [element("p", said.last)] if said.last is not None else []
    found = element("div", *parts, class_="cm-found error")
    return html.with_style_sheet([found], translate)


def of_machines(report: Report, options: RenderOptions = DEFAULTS) -> str:
    """Return on which machines of a cluster a requirement does not hold, and what is there instead.

    Of one that passes it is said where it could not be checked; nothing where it holds on all.
    """
    verdict, cluster, translate = report.verdict, report.snapshot.cluster, options.translate
    if verdict is None or cluster is None:
        return ""
    state = next(
        (one for one in (State.UNMET, State.UNKNOWN) if any(clause.state is one for clause in verdict.clauses)), None
    )
    found = {node.number: why for node in cluster.nodes if (why := _why(node, state, translate)) is not None}
    if state is None:
        return ""
    if state is State.UNMET:
        message = NP_(
            "Requirement not met on {number} of {count} machine ({numbers}): {what}.",
            "Requirement not met on {number} of {count} machines ({numbers}): {what}.",
            counted="count",
        )
    elif verdict.met:
        message = NP_(
            "Not known, so not checked, on {number} of {count} machine ({numbers}): {what}.",
            "Not known, so not checked, on {number} of {count} machines ({numbers}): {what}.",
            counted="count",
        )
    else:
        message = NP_(
            "Requirement not known to be met on {number} of {count} machine ({numbers}): {what}.",
            "Requirement not known to be met on {number} of {count} machines ({numbers}): {what}.",
            counted="count",
        )
    what = _asked([clause for clause in verdict.clauses if clause.state is state], translate)
    numbers = messages.numbers((*found,)[:_MOST_NUMBERS], translate)
    numbers, count = (f"{numbers}, ..." if len(found) > _MOST_NUMBERS else numbers), len(cluster.nodes)
    first = translate.counting(message, count, count=count, number=len(found), numbers=numbers, what=what)
    if verdict.met:
        return first
    lines = broken(first)
    for number, why in [*found.items()][:_MOST_MACHINES]:
        if why:
            lines += broken(translate("Machine {number}. {facts}", number=number, facts=why))
    return "\n".join(lines)


def _why(node: Node, state: State | None, translate: Translator) -> str | None:
    """Return why a requirement does not hold on a machine, or is not known to; None where that is not so.

    Nothing, where the report does not tell: one that was gathered in another way has not looked for packages.
    """
    if isinstance(node.report, Unavailable):
        return messages.reason(node.report, translate) if state is State.UNKNOWN else None
    verdict = node.report.verdict
    if verdict is None or all(clause.state is not state for clause in verdict.clauses):
        return None
    said = told(verdict, node.report.snapshot, translate).facts
    return translate.joined(said[0]) if said else ""


def unchecked(verdict: Verdict, snapshot: Snapshot, options: RenderOptions = DEFAULTS) -> str | None:
    """Return in one line what a requirement that passes asks and could not be checked, None where there is no such."""
    unknown = [clause for clause in verdict.clauses if clause.state is State.UNKNOWN]
    if not verdict.met or not unknown:
        return None
    translate = options.translate
    return translate.joined((_answer(verdict, [], unknown, translate), *_reasons(unknown, snapshot, translate)))


def _answer(
    verdict: Verdict, unmet: Sequence[ClauseVerdict], unknown: Sequence[ClauseVerdict], translate: Translator
) -> str:
    if unmet:
        return translate("Requirement not met: {what}.", what=_asked(unmet, translate))
    if not unknown:
        return translate("Requirement met.")
    if verdict.met:
        return translate("Not known, so not checked: {what}.", what=_asked(unknown, translate))
    return translate("Requirement not known to be met: {what}.", what=_asked(unknown, translate))


def _asked(clauses: Sequence[ClauseVerdict], translate: Translator) -> str:
    return translate.listed(printable(clause.expression) for clause in clauses)


def _there(verdict: Verdict, unmet: Sequence[ClauseVerdict], translate: Translator) -> list[str]:
    """Return what is there of what was asked for, as phrases."""
    found = {key: figures for clause in unmet for key, figures in clause.found}
    phrases = (
        _gpus(verdict.gpus, found.keys(), translate)
        if KEYS_OF_A_GPU & found.keys() and verdict.gpus is not None
        else []
    )
    for key, figures in found.items():
        if figures == () and key in _LACKING:
            phrases.append(translate(_LACKING[key]))
        elif figures is not None and key not in KEYS_OF_A_GPU:
            phrases += [_phrase(key, figure, translate) for figure in dict.fromkeys(figures) if figure is not None]
    return phrases


def _absent(unmet: Sequence[ClauseVerdict]) -> list[str]:
    """Return the packages that were asked for and are not installed."""
    found = {key: figures for clause in unmet for key, figures in clause.found}
    return [key for key, figures in found.items() if figures == () and key not in KEYS]


def _phrase(key: str, figure: str | float, translate: Translator) -> str:
    if key == "cores":
        return messages.cores(float(figure), translate)
    shown = printable(figure) if isinstance(figure, str) else size(figure)
    return translate(_THERE[key], figure=shown) if key in _THERE else f"{key} {shown}"


def _gpus(gpus: Sequence[FoundGpu], keys: AbstractSet[str], translate: Translator) -> list[str]:
    """Return the GPUs as phrases, those that are alike once."""
    if not gpus:
        return [translate("no GPU")]
    alike: dict[str, int] = {}
    for gpu in gpus:
        phrase = _gpu(gpu, keys, translate)
        alike[phrase] = alike.get(phrase, 0) + 1
    phrases = [f"{count} x {phrase}" if count > 1 else phrase for phrase, count in alike.items()]
    return [*phrases[:_MOST_GPUS], "..."] if len(phrases) > _MOST_GPUS else phrases


def _gpu(gpu: FoundGpu, keys: AbstractSet[str], translate: Translator) -> str:
    name = translate("GPU of unknown name") if gpu.name is None else printable(gpu.name)
    facts_of = []
    if gpu.shares_ram:
        facts_of.append(translate("the machine's RAM"))
    elif gpu.memory_bytes is not None:
        facts_of.append(size(gpu.memory_bytes))
    if "vram_free" in keys and gpu.memory_free_bytes is not None:
        facts_of.append(translate("{size} free", size=size(gpu.memory_free_bytes)))
    if {"cc", "bf16"} & keys and gpu.compute_capability is not None:
        facts_of.append(translate("compute capability {version}", version=printable(gpu.compute_capability)))
    return translate("{name} with {facts}", name=name, facts=translate.listed(facts_of)) if facts_of else name


def _faults(unmet: Sequence[ClauseVerdict], snapshot: Snapshot, translate: Translator) -> list[str]:
    """Return which GPU is there and cannot be used, where GPUs were asked for."""
    if not any(KEYS_OF_A_GPU & {*clause.keys} for clause in unmet):
        return []
    return _said(("gpu_lost", "gpu_not_usable"), snapshot, translate)


def _retired(unmet: Sequence[ClauseVerdict], snapshot: Snapshot, translate: Translator) -> list[str]:
    """Return which of the accelerators asked for the service no longer has: tutorials still name them."""
    asked = " ".join(clause.expression for clause in unmet if {"gpu", "tpu"} & {*clause.keys})
    service = machine.place_name(snapshot, translate)
    return [
        translate("{service} no longer has the {name}.", service=service, name=gone.name)
        for gone in facts.retired_accelerators()
        if gone.service == snapshot.service
        and re.search(rf"(?<![\w-]){re.escape(gone.name)}(?![\w-])", asked, re.IGNORECASE)
    ]


def _unknown_names(verdict: Verdict, translate: Translator) -> list[str]:
    """Return which of the names asked for no table knows: elsewhere they may be right."""
    return [
        translate(
            '"{name}" is no name that colab_magics knows: did you mean {likely}?', name=printable(name), likely=meant
        )
        if meant
        else translate('"{name}" is no name that colab_magics knows.', name=printable(name))
        for name, meant in verdict.unknown_names
    ]


def _reasons(unknown: Sequence[ClauseVerdict], snapshot: Snapshot, translate: Translator) -> list[str]:
    """Return why the sections are not known that were asked about."""
    keys = {key for clause in unknown for key in clause.keys}
    sections = (
        (KEYS_OF_THE_DRIVER, snapshot.gpus),
        ({"tpu", "bf16"}, snapshot.tpus),
        ({"ram", "ram_free"}, snapshot.ram),
        ({"disk", "shm"}, snapshot.disks),
        ({"cores"}, snapshot.cpu),
        ({"python"}, snapshot.platform),
        (keys - {*KEYS}, snapshot.packages),
    )
    reasons = [messages.reason(one, translate) for of, one in sections if of & keys and isinstance(one, Unavailable)]
    if keys & (KEYS_OF_A_GPU | {"cuda"}):
        reasons += _said(("cuda_library_missing",), snapshot, translate)
    for key, place in (("disk", "working directory"), ("shm", SHARED_MEMORY)):
        disks = [disk for disk in seen(snapshot.disks) if key in keys and place in disk.places]
        reasons += [why for disk in disks if (why := machine.disk_reason(disk, translate)) is not None]
    if "shm" in keys and isinstance(snapshot.disks, tuple) and snapshot.shared_memory is None:
        reasons.append(translate("{place} is no file system of its own here.", place=SHARED_MEMORY))
    for package in seen(snapshot.packages):
        if package.is_installed and package.version is None and package.name in keys:
            reasons.append(translate("What is installed of {package} does not tell its version.", package=package.name))
    if KEYS_OF_A_GPU & keys:
        fields = {"vram": "memory", "vram_free": "memory", "gpu": "name", "cc": "compute_capability"}
        wanted = {fields[key] for key in fields.keys() & keys} | ({"compute_capability"} if "bf16" in keys else set())
        causes = {reason: None for gpu in seen(snapshot.gpus) for field, reason in gpu.unavailable if field in wanted}
        causes.pop("unified_memory", None)
        if causes:
            why = translate.listed(messages.field_reason(cause, translate) for cause in causes)
            reasons.append(translate("The NVIDIA driver does not tell: {why}.", why=why))
    return reasons


def _said(rules: Sequence[str], snapshot: Snapshot, translate: Translator) -> list[str]:
    """Return what these rules find, in words."""
    found = (RULES[rule](snapshot) for rule in rules)
    return [messages.sentence(finding, translate) for finding in found if finding is not None]
