"""Colab's menu and dialog drawn in HTML, the things to click marked with the numbers of the steps.

A drawing, and called one: Colab's page looks otherwise and changes. Each is one `role="img"` with a name that says the
same in words; where a notebook drops that, the words inside are read in order.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from colab_magics import facts
from colab_magics.views.guides import quoted
from colab_magics.views.html import escaped
from colab_magics.views.guide_html import present_mark

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from colab_magics.facts import Accelerator
    from colab_magics.translation import Say

    Marks = Mapping[str, str]

_ENTRIES = ("restart_session", "disconnect_and_delete", "change_runtime_type", "manage_sessions", "view_resources")
"""What of the menu is drawn, and where its words are known: neighbours to find an entry by."""


def dialog(
    marks: Marks, say: Say, *, chosen: Accelerator | None, present: Accelerator | None, high_ram: bool | None
) -> str:
    """Return the menu, and the dialog that it opens.

    `marks` are the numbers by what they mark: fields of `facts.Menu`, or the id of an accelerator. `chosen` is the
    choice that is drawn as made, `present` the accelerator in use; None where there is none or it is not known.
    `high_ram` is how the switch stands, None where `chosen` comes with one size of RAM.
    """
    title, group = _words("change_runtime_type", say), _words("hardware_accelerator", say)
    radios = "".join(
        _row(marks.get(one.id), _radio(one, say, chosen=one == chosen, present=one == present))
        for one in facts.accelerators()
    )
    drawn = (
        f'<div class="cm-wish-dialog"><div class="cm-wish-title">{_both(title, say)}</div>'
        f"{_row(marks.get('hardware_accelerator'), _both(group, say), 'cm-wish-group')}{radios}"
        f"{_switch(marks.get('high_ram'), say, high_ram=high_ram)}"
        f"{_row(marks.get('save'), _both(_words('save', say), say), 'cm-wish-save')}</div>"
    )
    choices = say.listed(one.menu_name for one in facts.accelerators())
    sentences = [
        say(
            "In the dialog {dialog}, under {group}: {choices}.",
            dialog=_said(title),
            group=_said(group),
            choices=choices,
        )
    ]
    if present is not None:
        sentences.append(say("In use now: {accelerator}.", accelerator=present.menu_name))
    if high_ram is None:
        sentences.append(say("The switch {switch} cannot be clicked.", switch=_said(_words("high_ram", say))))
    return _picture(_menu(marks, say) + drawn, marks, sentences, say)


def menu(marks: Marks, say: Say) -> str:
    """Return the menu alone."""
    return _picture(_menu(marks, say), marks, (), say)


def _picture(drawn: str, marks: Marks, sentences: Iterable[str], say: Say) -> str:
    caption = say("Schematic, not a screenshot.")
    opened = say("The menu {menu} is open.", menu=_said(_runtime_menu(say)))
    marked = (say("{number} marks {what}.", number=mark, what=_name(key, say)) for key, mark in marks.items())
    label = say.joined((caption, opened, *sentences, *marked))
    return (
        f'<div class="cm-wish-picture" role="img" aria-label="{escaped(label)}">'
        f'<p class="cm-wish-caption">{escaped(caption)}</p>{drawn}</div>'
    )


def _menu(marks: Marks, say: Say) -> str:
    known = [key for key in _ENTRIES if key in marks or quoted((key,), say)[0] is not None]
    entries = "".join(_row(marks.get(key), _entry(key, say, in_full=key in marks)) for key in known)
    return (
        f'<div class="cm-wish-menu"><div class="cm-wish-bar">{_both(_runtime_menu(say), say)}</div>'
        f'<div class="cm-wish-entries">{entries}</div></div>'
    )


def _entry(key: str, say: Say, *, in_full: bool) -> str:
    local, english = _words(key, say)
    return _both((local, english) if in_full or local is None else (local, local), say)


def _radio(accelerator: Accelerator, say: Say, *, chosen: bool, present: bool) -> str:
    now = present_mark(say) if present else ""
    return f'<span class="cm-wish-radio">{"◉" if chosen else "○"}</span> {escaped(accelerator.menu_name)}{now}'


def _switch(mark: str | None, say: Say, *, high_ram: bool | None) -> str:
    words = _both(_words("high_ram", say), say)
    if high_ram is None:
        state = _state(say("no choice"))
        return _row(mark, f"{words} {state}", "cm-wish-group cm-wish-without")
    pill = f'<span class="cm-wish-switch{" cm-wish-on" if high_ram else ""}"></span>'
    state = _state(say("on") if high_ram else say("off"))
    return _row(mark, f"{words} {pill}{state}", "cm-wish-group")


def _state(words: str) -> str:
    return f'<span class="cm-wish-state">{escaped(words)}</span>'


def _row(mark: str | None, content: str, name: str = "") -> str:
    """Return one line; what is to be clicked has its number before it, and an outline."""
    names = " ".join(filter(None, ("cm-wish-row", name, "cm-wish-click" if mark else "")))
    badge = f'<b class="cm-wish-badge">{escaped(mark)}</b> ' if mark else ""
    return f'<div class="{names}">{badge}<span class="cm-wish-word">{content}</span></div>'


def _words(key: str, say: Say) -> tuple[str | None, str]:
    return quoted((key,), say)


def _runtime_menu(say: Say) -> tuple[str | None, str]:
    """Return the one name that the menu bar shows; the steps name them all."""
    theirs = facts.menu(say.language)
    local, english = _words("runtime_menu", say)
    return (None if local is None or theirs is None else theirs.runtime_menu[0]), english


def _both(words: tuple[str | None, str], say: Say) -> str:
    """Return a word as it stands on the page, with the English small beside it where that is another one."""
    local, english = words
    if local is None:
        return f'<span lang="en">{escaped(english)}</span>'
    theirs = f'<span lang="{escape(say.language)}">{escaped(local)}</span>'
    return theirs if local == english else f'{theirs} <small lang="en">{escaped(english)}</small>'


def _said(words: tuple[str | None, str]) -> str:
    local, english = words
    return english if local is None else local


def _name(key: str, say: Say) -> str:
    for accelerator in facts.accelerators():
        if accelerator.id == key:
            return accelerator.menu_name
    return _said(_words(key, say))
