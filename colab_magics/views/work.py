"""What a report says that is not on this machine: on a cell, on cells of a session, on a cluster's machines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics.model import Severity, Subject
from colab_magics.views.said import Answer, Heading, as_phrase

if TYPE_CHECKING:
    from colab_magics.model import Snapshot
    from colab_magics.translation import Translator
    from colab_magics.views.said import Paragraph

# Each of these is imported where it is needed: a report is about one of them.


def answer(subject: Subject, snapshot: Snapshot, translate: Translator, *, everything: bool) -> Answer:
    """Return what the report says first."""
    match subject:
        case Subject.CELLS:
            from colab_magics.views import cells

            first, others = cells.answer(snapshot, translate)
            return Answer((first,), others)
        case Subject.CLUSTER:
            from colab_magics.views import cluster

            first_sentences, paragraphs = cluster.answer(snapshot, translate, everything=everything)
            return Answer(first_sentences, paragraphs)
        case Subject.OUT_OF_MEMORY:
            from colab_magics.views import out_of_memory

            frameworks = out_of_memory.framework_sentences(snapshot, translate)
            return Answer(out_of_memory.sentences(snapshot, translate), (frameworks,) if frameworks else ())
        case _:
            from colab_magics.views import cell

            measured = cell.of_report(snapshot)
            works = [cell.gpu_sentence(work, measured, translate) for work in measured.gpus or ()]
            others = (*((work,) for work in works[1:]), cell.notes(measured, translate))
            first_of_all = (cell.sentence(measured, translate), *works[:1])
            return Answer(first_of_all, tuple(paragraph for paragraph in others if paragraph))


def heading(subject: Subject, snapshot: Snapshot, translate: Translator) -> Heading:
    """Return the title of the report and what stands beside it."""
    match subject:
        case Subject.CELLS:
            from colab_magics.views import cells

            title, facts = cells.heading(snapshot, translate)
            return Heading(as_phrase(title), None, facts)
        case Subject.CLUSTER:
            from colab_magics.views import cluster

            return Heading(cluster.title(snapshot, translate), None, cluster.facts(snapshot, translate))
        case Subject.OUT_OF_MEMORY:
            from colab_magics.views import out_of_memory

            title = out_of_memory.title(out_of_memory.of_report(snapshot), translate)
            return Heading(as_phrase(title), Severity.ERROR, out_of_memory.facts(snapshot, translate))
        case _:
            from colab_magics.views import cell

            measured = cell.of_report(snapshot)
            facts = (cell.processor_time(measured, translate), cell.name(measured, translate))
            return Heading(cell.took(measured, translate), None, facts)


def notes(subject: Subject, snapshot: Snapshot, translate: Translator, *, everything: bool) -> Paragraph:
    """Return the sentences of the answer that neither the heading nor the bars say."""
    match subject:
        case Subject.CELLS:
            from colab_magics.views import cells

            return cells.notes(snapshot, translate)
        case Subject.CLUSTER:
            from colab_magics.views import cluster

            return (*cluster.wrong(snapshot, translate), *cluster.notes(snapshot, translate, everything=everything))
        case Subject.OUT_OF_MEMORY:
            from colab_magics.views import out_of_memory

            return out_of_memory.framework_sentences(snapshot, translate)
        case _:
            from colab_magics.views import cell

            return cell.notes(cell.of_report(snapshot), translate)


def foot(subject: Subject, snapshot: Snapshot, translate: Translator, *, everything: bool) -> Paragraph:
    """Return what is good to know of the table of cells or machines that the report is."""
    if subject is Subject.CLUSTER:
        from colab_magics.views import cluster

        return cluster.foot(snapshot, translate, everything=everything)
    from colab_magics.views import cells

    return cells.foot(snapshot, translate, everything=everything)
