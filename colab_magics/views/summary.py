"""What a report says, in which order: the answer, what else there is, what was found and what to do about it.

The text, the HTML, the terminal and the panel all take it from here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics.model import Ram, Severity, Subject, Unavailable, seen
from colab_magics.rules import RULES
from colab_magics.translation import N_
from colab_magics.units import printable
from colab_magics.values import replace
from colab_magics.views import gpus as gpu_words
from colab_magics.views import machine, messages
from colab_magics.views.said import Answer, Heading, as_phrase

if TYPE_CHECKING:
    from collections.abc import Sequence

    from colab_magics.guides import Guide
    from colab_magics.model import Finding, Snapshot, Tpu
    from colab_magics.report import Report
    from colab_magics.translation import Translator
    from colab_magics.views.render_options import RenderOptions
    from colab_magics.views.said import Paragraph

MOST_FINDINGS = 3
"""How many findings are shown beside the remarks, unless everything is wanted."""

_ELSEWHERE = frozenset({Subject.CELL, Subject.CELLS, Subject.OUT_OF_MEMORY, Subject.CLUSTER})
"""What is not this machine."""


def answer(report: Report, translate: Translator, *, everything: bool = False) -> Answer:
    """Return what a report says first."""
    snapshot = report.snapshot
    match report.subject:
        case Subject.GPU if snapshot.gpus == ():
            return Answer((*_gpu_sentences(snapshot, translate), machine.sentence(snapshot, translate)))
        case Subject.GPU:
            return _gpu_answer(snapshot, translate)
        case Subject.RAM:
            return Answer(machine.ram_answer(snapshot.ram, translate))
        case Subject.RUNTIME:
            return _runtime_answer(snapshot, translate)
        case _:
            from colab_magics.views import work

            return work.answer(report.subject, snapshot, translate, everything=everything)


def heading(report: Report, translate: Translator) -> Heading:
    """Return the title of a report and what stands beside it."""
    snapshot = report.snapshot
    if report.subject in _ELSEWHERE:
        from colab_magics.views import work

        return work.heading(report.subject, snapshot, translate)
    place = [machine.place_name(snapshot, translate)]
    if report.subject is Subject.RAM:
        ram = snapshot.ram
        title = machine.ram_size(ram, translate) if isinstance(ram, Ram) else translate("RAM: not available.")
        return Heading(as_phrase(title), None, tuple(place))
    found = next((one for one in report.findings if is_said(report, one)), None)
    severity = None if found is None or found.severity < Severity.WARNING else found.severity
    gpus = seen(snapshot.gpus)
    facts: list[str] = []
    if len(gpus) > 1:
        facts += filter(None, (gpu_words.memory_sum(gpus, translate), gpu_words.busy_of(gpus, translate)))
    elif gpus and gpus[0].cuda_index is not None:
        facts.append(f"cuda:{gpus[0].cuda_index}")
    facts += [*place, *machine.sizes(snapshot, translate)]
    return Heading(as_phrase(_accelerator(report, translate)), severity, tuple(facts))


def notes(report: Report, translate: Translator, *, everything: bool = False) -> Paragraph:
    """Return the sentences of the answer that neither the heading nor the bars say."""
    snapshot = subject_matter(report)
    if report.subject in _ELSEWHERE:
        from colab_magics.views import work

        return work.notes(report.subject, snapshot, translate, everything=everything)
    gpus, tpus = seen(snapshot.gpus), seen(snapshot.tpus)
    said = [] if gpus else [*_other_gpus(snapshot, translate)]
    if report.subject is Subject.GPU and snapshot.gpus == () and tpus:
        said.append(tpu_sentence(tpus, translate))
    if isinstance(snapshot.ram, Ram):
        said += machine.ram_notes(snapshot.ram, translate)
    said += [
        messages.reason(section, translate)
        for section in (snapshot.ram, snapshot.platform)
        if isinstance(section, Unavailable)
    ]
    if len(gpus) == 1 and gpus[0].memory is None and gpus[0].utilization_percent is None:
        said.append(translate("{name}.", name=gpu_words.words(gpus[0], translate).listed(translate)))
    return tuple(said)


def foot(report: Report, translate: Translator, *, everything: bool = False) -> Paragraph:
    """Return what is good to know and hardly ever matters, as phrases: remarks, versions, ages."""
    if not has_sections(report):
        from colab_magics.views import work

        about = work.foot(report.subject, report.snapshot, translate, everything=everything)
        return tuple(map(as_phrase, about))
    said = (as_phrase(messages.sentence(remark, translate)) for remark in remarks(report))
    return (*said, *ages_and_versions(report, translate))


def ages_and_versions(report: Report, translate: Translator) -> Paragraph:
    """Return what a report on the runtime says of versions and ages, as phrases."""
    if report.subject is not Subject.RUNTIME:
        return ()
    return tuple(machine.ages_and_versions(report.snapshot, translate))


def subject_matter(report: Report) -> Snapshot:
    """Return what the report is about.

    A report on RAM has looked at the GPU only to judge the size of the RAM, one on cells at RAM to judge what is kept.
    """
    if report.subject is Subject.CELLS:
        return replace(report.snapshot, ram=None, gpus=None)
    if report.subject is Subject.RAM:
        return replace(report.snapshot, gpus=None, driver=None, tpus=None, other_gpu_vendors=None)
    return report.snapshot


def has_sections(report: Report) -> bool:
    """Tell whether everything of a report is its fields by sections: of cells or machines it is the whole table."""
    return report.subject not in (Subject.CELLS, Subject.CLUSTER)


def note(report: Report, options: RenderOptions) -> str | None:
    """Return the sentence before the report, None where there is none."""
    if options.note is None:
        return None
    return options.translate(options.note, time=f"{report.snapshot.taken_at:%H:%M:%S}")


def shown_by_default(report: Report) -> tuple[Finding, ...]:
    """Return the findings that are shown when not everything is wanted, but for the remarks."""
    at_the_foot = remarks(report)
    matter = [one for one in report.findings if one.severity > Severity.HINT and one not in at_the_foot]
    return tuple(matter[:MOST_FINDINGS])


def remarks(report: Report) -> tuple[Finding, ...]:
    """Return what was found and is worth one quiet line.

    Where a graver finding of the same subject makes it matter it is no remark: that RAM could be had in a larger size,
    where it is nearly full.
    """
    grave = {RULES[one.rule].subject for one in report.findings if one.severity >= Severity.WARNING}
    return tuple(one for one in report.findings if RULES[one.rule].is_remark and RULES[one.rule].subject not in grave)


def what_to_do(report: Report) -> dict[str, Guide]:
    """Return the guides that are shown by default, by the rules of their findings.

    They are those of the first finding with something to do about it, and of what that makes matter (see `remarks`).
    """
    shown = shown_by_default(report)
    guided = {one.rule: guide for one in shown if (guide := guide_for(report, one)) is not None}
    first = next(iter(guided), None)
    return {rule: guide for rule, guide in guided.items() if rule == first or RULES[rule].is_remark}


def guide_for(report: Report, finding: Finding) -> Guide | None:
    """Return what to do about a finding, None where nothing is known to help."""
    from colab_magics import guides

    return guides.for_finding(finding, report.snapshot)


def is_said(report: Report, finding: Finding) -> bool:
    """Tell whether the answer's first sentence is what this finding says."""
    return RULES[finding.rule].is_the_answer and report.subject is not Subject.RAM


def sentence(report: Report, finding: Finding, translate: Translator) -> str | None:
    """Return what was found, with the word for how grave it is; None where it is said already.

    The answer may say it, or what to do about it: "For more RAM" of a runtime whose size is no remark any more.
    """
    if is_said(report, finding) or (RULES[finding.rule].is_remark and finding.rule in what_to_do(report)):
        return None
    said, word = messages.sentence(finding, translate), messages.severity_word(finding.severity, translate)
    return said if word is None else translate("{name}: {facts}", name=word, facts=said)


def tpu_sentence(tpus: Sequence[Tpu], translate: Translator) -> str:
    """Return what TPU this is: the environment's name for the whole, else the chips' kind and number."""
    first = tpus[0]
    if first.accelerator_type is not None:
        return translate("This is a {name} TPU runtime.", name=printable(first.accelerator_type))
    if len(tpus) == 1:
        return translate("There is a TPU device: {kind}.", kind=first.kind or translate("kind unknown"))
    return translate(
        "There are {count} TPU devices: {kind}.", count=len(tpus), kind=first.kind or translate("kind unknown")
    )


def _accelerator(report: Report, translate: Translator) -> str:
    """Return what computes here beside the processors: the GPUs by name, the TPU, or what the answer says instead."""
    gpus = seen(report.snapshot.gpus)
    return gpu_words.counted(gpus, translate) if gpus else answer(report, translate).first[0]


def _runtime_answer(snapshot: Snapshot, translate: Translator) -> Answer:
    gpus = _gpu_answer(snapshot, translate)
    if snapshot.gpus == () and seen(snapshot.tpus):
        gpus = Answer((tpu_sentence(seen(snapshot.tpus), translate), *_other_gpus(snapshot, translate)))
    platform = snapshot.platform
    unseen = (messages.reason(platform, translate),) if isinstance(platform, Unavailable) else ()
    rest = (
        (machine.sentence(snapshot, translate),),
        (*machine.ram_line(snapshot.ram, translate), *machine.disk_sentences(snapshot, translate), *unseen),
    )
    return Answer(gpus.first, (*gpus.others, *(paragraph for paragraph in rest if paragraph)))


def _gpu_answer(snapshot: Snapshot, translate: Translator) -> Answer:
    gpus = seen(snapshot.gpus)
    if len(gpus) > 1:
        return Answer((_all_gpus_sentence(snapshot, translate),))
    slices = tuple((gpu_words.slice_sentence(part, translate),) for gpu in gpus for part in gpu.slices)
    return Answer(_gpu_sentences(snapshot, translate), slices)


def _gpu_sentences(snapshot: Snapshot, translate: Translator) -> Paragraph:
    match snapshot.gpus:
        case Unavailable() as unavailable:
            return (messages.reason(unavailable, translate), *_other_gpus(snapshot, translate))
        case (gpu,):
            name = f"cuda:{gpu.cuda_index}"
            cuda = () if gpu.cuda_index is None else (translate("CUDA sees it as {name}.", name=name),)
            return (gpu_words.sentence(gpu, translate), *cuda)
        case _:
            tpus = seen(snapshot.tpus)
            tpu = (tpu_sentence(tpus, translate),) if tpus else ()
            others = _other_gpus(snapshot, translate)
            not_connected = N_("Not connected to an NVIDIA GPU.") if others else RULES["no_gpu"].message
            return (translate(not_connected), *others, *tpu)


def _other_gpus(snapshot: Snapshot, translate: Translator) -> Paragraph:
    """Return whose GPUs are here that are not NVIDIA's, and that no more is known of them."""
    vendors = seen(snapshot.other_gpu_vendors)
    if len(vendors) == 1:
        return (translate("There is an {vendor} GPU here, which colab_magics does not look at.", vendor=vendors[0]),)
    names = translate.listed(vendors)
    several = translate("There are GPUs of {vendors} here, which colab_magics does not look at.", vendors=names)
    return (several,) if vendors else ()


def _all_gpus_sentence(snapshot: Snapshot, translate: Translator) -> str:
    gpus = seen(snapshot.gpus)
    listed, used = gpu_words.counted(gpus, translate), gpu_words.memory_sum(gpus, translate)
    if used is None:
        return translate("{name}.", name=listed)
    known = [used, *filter(None, (gpu_words.busy_of(gpus, translate),))]
    return translate("{name}: {facts}.", name=listed, facts=translate.listed(known))
