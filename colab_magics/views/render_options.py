"""How a report is to be shown: said once, and handed on whole."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Protocol

from colab_magics import facts
from colab_magics.translation import ENGLISH, Translator, preferred_language, translator
from colab_magics.values import Record

if TYPE_CHECKING:
    from colab_magics.report import Report


class RenderOptions(Record):
    """What a view is asked for beside the report."""

    language: str = ENGLISH
    """Of our sentences, where it is translated, and of the menus' words."""
    everything: bool = False
    """Whether to show every field and every finding, hints too."""
    processes: bool = False
    """Whether to show who holds the GPUs."""
    note: str | None = None
    """A sentence before the report, marked for translation; it may have a place for the `{time}` of the report."""

    @property
    def translate(self) -> Translator:
        """The translator into the language."""
        return translator(self.language)


DEFAULTS = RenderOptions()
"""In English, the short form."""


class View(Protocol):
    """A function that shows a report as one text."""

    def __call__(self, report: Report, options: RenderOptions = DEFAULTS, /) -> str:
        """Return the report as this view shows it."""


def language_for(setting: str = "auto") -> str:
    """Return the language to speak: the setting, or where that is "auto" the environment's, else English.

    A language that standard output cannot write is not spoken because of the environment.
    """
    preferred = preferred_language(setting, languages)
    return preferred if setting != "auto" or preferred == ENGLISH or _can_be_written(preferred) else ENGLISH


def languages() -> tuple[str, ...]:
    """Return the languages that can be asked for: those in which Colab's menus are known, English first."""
    return tuple(menu.language for menu in facts.menus())


def _can_be_written(language: str) -> bool:
    """Tell whether the encoding of standard output has the letters of a language; where it has none, whoever asks."""
    encoding, menu = getattr(sys.stdout, "encoding", None), facts.menu(language)
    if not isinstance(encoding, str):
        return True
    sample = translator(language)("not available") + ("" if menu is None else menu.change_runtime_type or "")
    try:
        sample.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
