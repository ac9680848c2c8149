"""A goal's guide as HTML: no style sheet and no script.

What to do is seen at once; the tables of facts, and where to read more, are folded. What a notebook that is opened
again untrusted keeps (no style sheet, no ARIA) reads in the same order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics import facts
from colab_magics.guides import ChoiceStep, ClickStep, CommandStep, MenuStep, TextStep
from colab_magics.views import dialog_schematic, guide_text, messages, tables
from colab_magics.views.html_parts import folded, listed, noted, paragraph, quotation, quoted_english
from colab_magics.views.markup import Html, element, joined

if TYPE_CHECKING:
    from collections.abc import Iterable

    from colab_magics.guides import Guide, Point
    from colab_magics.guides.interface import Step
    from colab_magics.translation import Translator


def page(guide: Guide, translate: Translator) -> Html:
    """Return a guide as one `<div>`: its purpose, the steps beside their drawing, what they cost; the rest folded."""
    return element("div", *_parts(guide, translate), _rest(guide, translate), class_="cm-guide", lang=translate.spoken)


def _parts(guide: Guide, translate: Translator) -> list[Html]:
    """Return a guide from its purpose to what it costs."""
    purpose = messages.sentence(guide.purpose, translate)
    parts = [
        element("p", element("strong", purpose), class_="cm-guide-purpose"),
        paragraph([messages.sentence(remark, translate) for remark in guide.remarks], translate),
    ]
    if guide.points_title is not None:
        title = messages.sentence(guide.points_title, translate)
        parts.append(paragraph([translate("{purpose}:", purpose=title)], translate))
    if guide.points:
        parts.append(listed(_point(point, translate) for point in guide.points))
    if guide.steps:
        steps = element("ol", *(_item(step, translate) for step in guide.steps), class_="cm-guide-steps")
        drawing = dialog_schematic.draw(guide, translate)
        parts.append(element("div", steps, drawing, class_="cm-guide-way") if drawing else steps)
    consequences = [messages.sentence(sentence, translate) for sentence in guide.consequences]
    parts.append(paragraph(consequences, translate, class_="cm-guide-cost"))
    return parts + [part for other in guide.also for part in _parts(other, translate)]


def _rest(guide: Guide, translate: Translator) -> Html:
    """Return the tables and the links, folded where they are more than a line; nothing where there are none."""
    links = _links(guide.links, translate)
    facts_shown = [tables.as_html(table, translate) for table in guide.tables]
    if not any(facts_shown):
        return links
    return folded(translate("More about it"), joined((*facts_shown, links)), class_="cm-guide-more")


def _point(point: Point, translate: Translator) -> Html:
    sentence = messages.sentence(point.sentence, translate)
    if point.term is None:
        return joined((sentence,))
    return joined((element("strong", messages.sentence(point.term, translate)), " ", sentence))


def _item(step: Step, translate: Translator) -> Html:
    return element("li", _step(step, translate))


def _step(step: Step, translate: Translator) -> Html:
    match step:
        case MenuStep() | ClickStep():
            return _click(step, translate)
        case CommandStep(command):
            return element("code", command)
        case TextStep(sentence):
            return joined((messages.sentence(sentence, translate),))
        case ChoiceStep(introduction, ways):
            items = (element("li", _click(way, translate)) for way in ways)
            return joined(
                (messages.sentence(introduction, translate), element("ol", *items, type="a", class_="cm-guide-ways"))
            )


def _click(step: MenuStep | ClickStep, translate: Translator) -> Html:
    words = quotation(step.path, translate) if isinstance(step, MenuStep) else quoted_english(" / ".join(step.choices))
    return words if step.note is None else noted(words, guide_text.note(step.note, translate))


def _links(keys: Iterable[str], translate: Translator) -> Html:
    pieces: list[str | Html] = []
    for key in keys:
        link = facts.link(key)
        pieces += [" · "] if pieces else []
        pieces.append(element("a", translate(link.label), href=link.url, target="_blank", rel="noopener"))
    return element("p", *pieces, class_="cm-guide-links") if pieces else Html()
