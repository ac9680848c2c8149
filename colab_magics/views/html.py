"""A report as HTML: no script, nothing from outside the page, readable without its style sheet.

A notebook that is opened again untrusted loses style sheets, SVG and ARIA, so bars are `<meter>` with their numbers in
words beside, and structure is plain paragraphs, lists and tables.
"""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING

from colab_magics import guides
from colab_magics.model import Ram, seen
from colab_magics.views import bars, guide_text, layout, messages, summary
from colab_magics.views.markup import Html, element, joined
from colab_magics.views.render_options import DEFAULTS, RenderOptions

if TYPE_CHECKING:
    from collections.abc import Iterable

    from colab_magics.guides import Guide
    from colab_magics.model import Snapshot
    from colab_magics.report import Report
    from colab_magics.translation import Translator
    from colab_magics.views.bars import Bar
    from colab_magics.views.summary import Answer, Paragraph
    from colab_magics.views.tables import Rows


def render(report: Report, options: RenderOptions = DEFAULTS) -> Html:
    """Return the report as one `<div>` with its style sheet."""
    translate, snapshot = options.translate, report.snapshot
    answer = summary.answer(report, translate)
    matter = summary.subject_matter(report)
    note = summary.note(report, options)
    parts = [] if note is None else [element("p", note)]
    parts.append(element("p", answer.first[0], class_="cm-answer"))
    parts += [element("p", translate.joined(sentences)) for sentences in _beside_the_bars(answer) if sentences]
    parts.append(_bars(matter, translate, everything=options.everything))
    if options.processes and not options.everything:
        parts.append(process_list(snapshot, translate))
    findings = report.findings if options.everything else summary.shown_by_default(report)
    for position, finding in enumerate(findings):
        guide = guides.for_finding(finding, snapshot) if options.everything or position == 0 else None
        said = None if summary.is_said(report, finding) else messages.sentence(finding, translate)
        parts.append(found(said, guide, translate))
    if options.everything:
        from colab_magics.views import details

        sections = details.sections(matter, translate) + details.of_findings(findings, snapshot, translate)
        parts += [_section(title, rows) for title, rows in sections]
    return element("div", _style_sheet(), *parts, class_="colab-magics", lang=translate.spoken)


def meter(name: str, percent: float, *, full_percent: int | None = None) -> Html:
    """Return a bar with its name; from `full_percent` on it is drawn as one that should not be so full."""
    high, optimum = (None, None) if full_percent is None else (str(full_percent), "0")
    value = f"{percent:.0f}"
    return element("meter", min="0", max="100", value=value, high=high, optimum=optimum, title=name)


def process_list(snapshot: Snapshot, translate: Translator) -> Html:
    """Return who holds each GPU as a table, nothing where there is no GPU."""
    rows = [
        (f"GPU {gpu.index}", sentence)
        for gpu in seen(snapshot.gpus)
        for sentence in summary.process_sentences(gpu, translate)
    ]
    return _rows(rows) if rows else Html()


def found(said: str | None, guide: Guide | None, translate: Translator) -> Html:
    """Return what was found and what to do about it, nothing where neither is to be said."""
    parts = [] if said is None else [element("p", said)]
    if guide is not None:
        parts.append(_brief(guide, translate))
    return element("div", *parts, class_="cm-found") if parts else Html()


def _brief(guide: Guide, translate: Translator) -> Html:
    """Return the steps of a guide and what they cost, as they stand below what was found."""
    purpose = guide_text.purpose(guide, translate)
    steps = [guide_text.step(step, translate) for step in guide.steps]
    consequences = [messages.sentence(sentence, translate) for sentence in guide.consequences]
    address = guide_text.address(guide)
    more = Html()
    if address is not None:
        more = element("p", element("a", translate("To read more"), href=address))
    if len(steps) == 1:
        return joined((element("p", translate.joined([f"{purpose} {steps[0]}", *consequences])), more))
    numbered = element("ol", *(element("li", step) for step in steps), class_="cm-steps")
    after = element("p", translate.joined(consequences)) if consequences else Html()
    return joined((element("p", purpose), numbered, after, more))


def _beside_the_bars(answer: Answer) -> Iterable[Paragraph]:
    """Give the paragraphs of the answer but for the GPUs of several: the bars say these again, one by one."""
    yield answer.first[1:]
    yield from ((device.sentence,) for device in answer.devices if device.is_slice)
    yield from answer.others


def _bars(snapshot: Snapshot, translate: Translator, *, everything: bool) -> Html:
    gpus, disks = seen(snapshot.gpus), seen(snapshot.disks) if everything else snapshot.runtime_disks
    rows: list[tuple[Bar, str]] = []
    if len(gpus) == 1:
        rows += [(bar, bar.words) for bar in bars.of_one_gpu(gpus[0], translate)]
    else:
        several = (bars.of_one_of_several(gpu, translate) for gpu in gpus[: None if everything else bars.MOST_GPUS])
        rows += [(bar, bar.listed(translate)) for bar in several]
    if isinstance(snapshot.ram, Ram):
        bar = bars.of_ram(snapshot.ram, translate)
        rows.append((bar, bar.words))
    for disk in disks:
        bar = bars.of_disk(disk, disks, translate)
        rows.append((bar, bar.words))
    return element("table", *(_bar(bar, words) for bar, words in rows), class_="cm-bars") if rows else Html()


def _bar(bar: Bar, words: str) -> Html:
    drawn = Html() if bar.percent is None else meter(f"{bar.label}: {words}", bar.percent)
    return element("tr", element("th", bar.label, scope="row"), element("td", drawn), element("td", words))


def _section(title: str, rows: Rows) -> Html:
    return joined((Html("<details open>"), element("summary", title), _rows(rows), Html("</details>")))


def _rows(rows: Rows) -> Html:
    cells = (element("tr", element("th", name, scope="row"), element("td", _value(value))) for name, value in rows)
    return element("table", *cells, class_="cm-rows")


def _value(value: str) -> str | Html:
    return element("a", value, href=value) if isinstance(value, layout.Address) else value


@functools.cache
def _style_sheet() -> Html:
    with open(os.path.join(os.path.dirname(__file__), "report.css"), encoding="utf-8") as file:
        return Html(f"<style>{file.read()}</style>")
