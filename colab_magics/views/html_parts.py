"""The pieces that guides, their tables and the drawing of Colab's dialog are built of, as HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics.views import messages
from colab_magics.views.markup import Html, element, joined

if TYPE_CHECKING:
    from collections.abc import Iterable

    from colab_magics.translation import Translator


def paragraph(sentences: Iterable[str], translate: Translator, *, class_: str = "cm-guide-text") -> Html:
    """Return sentences as one paragraph, or nothing where there are none."""
    text = translate.joined(sentences)
    return element("p", text, class_=class_) if text else Html()


def listed(items: Iterable[str | Html]) -> Html:
    """Return items as a list without an order."""
    return element("ul", *(element("li", item) for item in items), class_="cm-guide-list")


def folded(title: str, content: Html, *, class_: str | None = None) -> Html:
    """Return content that shows its title until it is opened."""
    return element("details", element("summary", title), content, class_=class_)


def quotation(path: tuple[str, ...], translate: Translator) -> Html:
    """Return the words to click: those of the reader's language with the English beside, else the English."""
    local, english = messages.menu_words(path, translate)
    if local is None or local == english:
        return quoted_english(english)
    beside = element("span", f"({english})", class_="cm-guide-english", lang="en")
    return joined((element("strong", local, lang=translate.language), " ", beside))


def quoted_english(words: str) -> Html:
    """Return words that are the same in every language, or known in English alone."""
    return element("strong", words, lang="en")


def noted(quotation: Html, note: str) -> Html:
    """Return the words to click with a remark of ours on the next line."""
    return joined((quotation, element("div", note, class_="cm-guide-note")))


def present_mark(translate: Translator) -> Html:
    """Return the mark of what is in use."""
    return joined((" ", element("span", translate("now"), class_="cm-guide-now")))
