"""Our own sentences in the reader's language: gettext catalogues, with English where there is none.

The words of menus are not ours: they are quotations, and stand in `facts`.
"""

from __future__ import annotations

import functools
import gettext
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

ENGLISH = "en"

_LOCALE = ("LC_ALL", "LC_MESSAGES", "LANG")
"""The first of these variables that is set counts: POSIX, Base Definitions, 8.2."""

_NO_LANGUAGE = ("C", "POSIX")
"""Locales in which gettext ignores LANGUAGE."""
_DOMAIN = "colab_magics"
_CATALOGUES = os.path.join(os.path.dirname(__file__), "locale")


def N_(message: str) -> str:  # noqa: N802 - gettext's customary name
    """Mark a message for translation where it stands; it is translated where it is shown."""
    return message


class Plural(str):
    """A message that counts something: its English words for one, with those for several, and the place that counts."""

    __slots__ = ("counted", "several")

    several: str
    counted: str
    """The place with a number, or with as many things."""


def NP_(one: str, several: str, *, counted: str) -> Plural:  # noqa: N802 - as gettext names what marks a message
    """Mark a message that counts for translation where it stands, as `N_` does."""
    message = Plural(one)
    message.several, message.counted = several, counted
    return message


class Translator:
    """Translates messages, which are their English words, into one language.

    `translate("{used} used", used="3 GiB")` fills a message's places.
    """

    def __init__(self, language: str) -> None:
        self.language = language
        """The language that was asked for: that of the menus' words."""
        names = [language.replace("-", "_")]
        self._catalogue = gettext.translation(_DOMAIN, _CATALOGUES, names, fallback=True)
        self.spoken = language if isinstance(self._catalogue, gettext.GNUTranslations) else ENGLISH
        """The language that the sentences really are in."""

    def __call__(self, message: str, /, **values: object) -> str:
        """Return a message in this language, with its places filled."""
        translated = self._catalogue.gettext(message)
        return translated.format(**values) if values else translated

    def counting(self, message: Plural, count: int, /, **values: object) -> str:
        """Return a message that counts in this language, in the form for so many, with its places filled."""
        return self._catalogue.ngettext(message, message.several, count).format(**values)

    def listed(self, items: Iterable[str]) -> str:
        """Return items as a list in words."""
        return self(", ").join(items)

    def joined(self, sentences: Iterable[str]) -> str:
        """Return sentences as one text: whether a space stands between two of them depends on the language."""
        return self.gap.join(sentences)

    @property
    def gap(self) -> str:
        """What stands between two sentences."""
        return self("{sentence} {sentence}").replace("{sentence}", "")


@functools.cache
def translator(language: str) -> Translator:
    """Return the one translator into a language."""
    return Translator(language)


def preferred_language(
    setting: str, known: Callable[[], Iterable[str]], environment: Mapping[str, str] = os.environ
) -> str:
    """Return the language to speak: the setting unless it is "auto", then the environment's, then English.

    What is `known` beside English is asked only where the environment names another language.

    COLAB_MAGICS_LANGUAGE comes first, then as gettext orders them LANGUAGE and the locale. They name languages as POSIX
    does (zh_CN.UTF-8), LANGUAGE several of them; the first known one counts, by its language alone if its country is
    not known.
    """
    if setting != "auto":
        return setting
    locale = next(filter(None, map(environment.get, _LOCALE)), "")
    named = [environment.get("COLAB_MAGICS_LANGUAGE", ""), locale]
    if locale not in _NO_LANGUAGE:
        named.insert(1, environment.get("LANGUAGE", ""))
    by_name: dict[str, str] = {}
    by_language: dict[str, str] = {}
    for value in ":".join(named).split(":"):
        name = value.partition(".")[0].partition("@")[0].replace("_", "-").lower()
        language = name.partition("-")[0]
        if language in ("", "c", "posix"):
            continue
        if language == ENGLISH:
            break
        by_name = by_name or {one.lower(): one for one in known()}
        by_language = by_language or {one.partition("-")[0]: by_name[one] for one in reversed(by_name)}
        if name in by_name:
            return by_name[name]
        if language in by_language:
            return by_language[language]
    return ENGLISH
