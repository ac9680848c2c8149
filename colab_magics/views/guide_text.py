"""A guide in text: what it is for, the steps with the words to click, what they cost, where to read more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics import facts
from colab_magics.facts import accelerators
from colab_magics.guides import ChoiceStep, ClickStep, CommandStep, MenuStep, TextStep
from colab_magics.views import layout, messages

if TYPE_CHECKING:
    from colab_magics.guides import Guide, Note
    from colab_magics.guides.interface import Step
    from colab_magics.translation import Translator


def lines(guide: Guide, translate: Translator, *, with_consequences: bool = True) -> list[str]:
    """Return what to do: the purpose with the steps in order, numbered where there are several, then what it costs."""
    first = purpose(guide, translate)
    steps = _numbered(guide, translate)
    gap = " " if len(steps) == 1 else "  "
    shown = layout.flow([f"{first}{gap}{steps[0]}", *steps[1:]], "   ")
    if with_consequences:
        for sentence in guide.consequences:
            shown += layout.broken(messages.sentence(sentence, translate))
    return shown


def in_a_row(guide: Guide, translate: Translator) -> str:
    """Return the steps alone, in one line."""
    return "   ".join(_numbered(guide, translate))


def purpose(guide: Guide, translate: Translator) -> str:
    """Return what a guide is for, as it stands before its steps: "To use a GPU:"."""
    return translate("{purpose}:", purpose=messages.sentence(guide.purpose, translate))


def step(step: Step, translate: Translator) -> str:
    """Return a step in words."""
    match step:
        case MenuStep(path):
            return messages.way(path, translate)
        case ClickStep(choices):
            return " / ".join(_words(choice, translate) for choice in choices)
        case CommandStep(command):
            return command
        case TextStep(sentence):
            return messages.sentence(sentence, translate)
        case ChoiceStep(introduction, ways):
            listed = " / ".join(_choice(way, translate) for way in ways)
            return f"{messages.sentence(introduction, translate)} {listed}"


def note(note: Note, translate: Translator) -> str:
    """Return the remark beside a step: what it gives, who gets it, what else could be clicked."""
    words = translate.listed(messages.sentence(one, translate) for one in note.gives)
    if note.who is not None:
        who = messages.sentence(note.who, translate)
        words = translate("{gives} ({who})", gives=words, who=who) if words else who
    if note.others:
        words = translate("{who}; or another: {others}", who=words, others=translate.listed(note.others))
    return words


def address(guide: Guide) -> str | None:
    """Return where to read more about what to do, None where there is nothing."""
    return facts.link(guide.links[0]).url if guide.links else None


def _numbered(guide: Guide, translate: Translator) -> list[str]:
    """Return the steps in words, with numbers where there are several."""
    steps = [step(one, translate) for one in guide.steps]
    return steps if len(steps) == 1 else [f"{number} {words}" for number, words in enumerate(steps, start=1)]


def _words(choice: str, translate: Translator) -> str:
    """Return what to click: the choices of Colab's dialog are the same in every language."""
    return choice if accelerators.by_menu_name(choice) is not None else messages.in_english(choice, translate)


def _choice(way: MenuStep | ClickStep, translate: Translator) -> str:
    words = step(way, translate)
    return words if way.note is None else f"{words} ({note(way.note, translate)})"
