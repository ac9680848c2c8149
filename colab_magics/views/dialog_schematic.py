"""Colab's menu and dialog drawn in HTML, what a guide's steps click marked with the steps' numbers.

A drawing, and called one: Colab's page looks otherwise and changes. Each is one `role="img"` with a name that says the
same in words; where a notebook drops that, the words inside are read in order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics.facts import accelerators
from colab_magics.guides import ChoiceStep, ClickStep, Dialog, MenuAlone, MenuStep
from colab_magics.translation import ENGLISH
from colab_magics.views import messages
from colab_magics.views.html_parts import present_mark
from colab_magics.views.markup import Html, element, escaped, joined

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from colab_magics.facts import Accelerator
    from colab_magics.guides import Guide
    from colab_magics.guides.interface import Step
    from colab_magics.translation import Translator

    Marks = Mapping[str, str]
    """The numbers of the steps by what they click: a field of `facts.Menu`, or the id of an accelerator."""

    Words = tuple[str | None, str]
    """Words of Colab's page in the reader's language, None where they are not known, and in English."""

_ENTRIES = ("restart_session", "disconnect_and_delete", "change_runtime_type", "manage_sessions", "view_resources")
"""What of the menu is drawn, and where its words are known: neighbours to find an entry by."""


def draw(guide: Guide, translate: Translator) -> Html:
    """Return the drawing that belongs to a guide, nothing where none does."""
    marks = dict(_marks(guide.steps))
    match guide.drawing:
        case Dialog() as dialog:
            return _dialog(dialog, marks, translate)
        case MenuAlone():
            return _picture([_menu(marks, translate)], marks, (), translate)
        case None:
            return Html()


def _marks(steps: Iterable[Step], numbers: Iterable[str] | None = None) -> Iterator[tuple[str, str]]:
    """Give what each step clicks with its number; two ways at the second step are 2a and 2b."""
    for number, step in enumerate(steps, start=1) if numbers is None else zip(numbers, steps, strict=False):
        match step:
            case MenuStep(path):
                yield path[-1], str(number)
            case ClickStep(accelerator=str(accelerator)):
                yield accelerator, str(number)
            case ChoiceStep(ways=ways):
                yield from _marks(ways, [f"{number}{letter}" for letter in "abcdef"])
            case _:
                continue


def _dialog(dialog: Dialog, marks: Marks, translate: Translator) -> Html:
    """Return the menu, and the dialog that it opens."""
    title, group = _words("change_runtime_type", translate), _words("hardware_accelerator", translate)
    radios = (_row(marks.get(one.id), _radio(one, dialog, translate), None) for one in accelerators.offered())
    drawn = element(
        "div",
        element("div", _both(title, translate), class_="cm-guide-title"),
        _row(marks.get("hardware_accelerator"), _both(group, translate), "cm-guide-group"),
        *radios,
        _switch(marks.get("high_ram"), translate, high_ram=dialog.high_ram),
        *_version(marks.get("runtime_version"), translate),
        _row(marks.get("save"), _both(_words("save", translate), translate), "cm-guide-save"),
        class_="cm-guide-dialog",
    )
    choices = translate.listed(one.menu_name for one in accelerators.offered())
    sentences = [
        translate(
            "In the dialog {dialog}, under {group}: {choices}.",
            dialog=_preferred(title),
            group=_preferred(group),
            choices=choices,
        )
    ]
    if dialog.present is not None:
        sentences.append(translate("In use now: {accelerator}.", accelerator=dialog.present.menu_name))
    if dialog.high_ram is None:
        switch = _preferred(_words("high_ram", translate))
        sentences.append(translate("The switch {switch} cannot be clicked.", switch=switch))
    return _picture([_menu(marks, translate), drawn], marks, sentences, translate)


def _picture(drawn: Iterable[Html], marks: Marks, sentences: Iterable[str], translate: Translator) -> Html:
    caption = translate("Schematic, not a screenshot.")
    opened = translate("The menu {menu} is open.", menu=_preferred(_words("runtime_menu", translate)))
    marked = (
        translate("{number} marks {what}.", number=number, what=_name(key, translate)) for key, number in marks.items()
    )
    label = translate.joined((caption, opened, *sentences, *marked))
    titled = element("p", caption, class_="cm-guide-caption")
    return element("div", titled, *drawn, class_="cm-guide-picture", role="img", aria_label=label)


def _menu(marks: Marks, translate: Translator) -> Html:
    known = [key for key in _ENTRIES if key in marks or _words(key, translate)[0] is not None]
    entries = (_row(marks.get(key), _entry(key, translate, in_full=key in marks), None) for key in known)
    bar = element("div", _both(_words("runtime_menu", translate), translate), class_="cm-guide-bar")
    return element("div", bar, element("div", *entries, class_="cm-guide-entries"), class_="cm-guide-menu")


def _entry(key: str, translate: Translator, *, in_full: bool) -> Html:
    local, english = _words(key, translate)
    return _both((local, english) if in_full or local is None else (local, local), translate)


def _radio(accelerator: Accelerator, dialog: Dialog, translate: Translator) -> Html:
    button = "◉" if accelerator == dialog.chosen else "○"
    now = present_mark(translate) if accelerator == dialog.present else ""
    return joined((f"{button} {accelerator.menu_name}", now))


def _switch(mark: str | None, translate: Translator, *, high_ram: bool | None) -> Html:
    words = _both(_words("high_ram", translate), translate)
    if high_ram is None:
        return _row(mark, joined((words, " ", _state(translate("no choice")))), "cm-guide-group cm-guide-without")
    pill = element("span", class_="cm-guide-switch cm-guide-on" if high_ram else "cm-guide-switch")
    state = _state(translate("on") if high_ram else translate("off"))
    return _row(mark, joined((words, " ", pill, state)), "cm-guide-group")


def _version(mark: str | None, translate: Translator) -> Iterator[Html]:
    """Give the field for the image, where a step chooses one."""
    if mark is not None:
        yield _row(mark, _both(_words("runtime_version", translate), translate), "cm-guide-group")


def _state(words: str) -> Html:
    return element("span", words, class_="cm-guide-state")


def _row(mark: str | None, content: Html, name: str | None) -> Html:
    """Return one line; what is to be clicked has its number before it, and an outline."""
    names = " ".join(filter(None, ("cm-guide-row", name, "cm-guide-click" if mark else None)))
    badge = joined((element("b", mark, class_="cm-guide-badge"), " ")) if mark else ""
    return element("div", badge, element("span", content, class_="cm-guide-word"), class_=names)


def _words(key: str, translate: Translator) -> Words:
    return messages.menu_words((key,), translate)


def _both(words: Words, translate: Translator) -> Html:
    """Return a word as it stands on the page, with the English small beside it where that is another one."""
    local, english = words
    if local is None:
        return _in(ENGLISH, english, translate)
    theirs = _in(translate.language, local, translate)
    return theirs if local == english else joined((theirs, " ", element("small", english, lang=ENGLISH)))


def _in(language: str, words: str, translate: Translator) -> Html:
    """Return words, and in which language they are unless all that stands around them is in it."""
    return escaped(words) if language == translate.spoken else element("span", words, lang=language)


def _preferred(words: Words) -> str:
    local, english = words
    return english if local is None else local


def _name(key: str, translate: Translator) -> str:
    for accelerator in accelerators.offered():
        if accelerator.id == key:
            return accelerator.menu_name
    return _preferred(_words(key, translate))
