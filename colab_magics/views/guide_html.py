"""A page of the panel as HTML: what it is for, the steps beside their picture, what they cost, then the rest.

No style sheet and no script: `wishes.css` is for whoever shows the page. What a notebook that is opened again untrusted
keeps (no style sheet, no ARIA) reads in the same order.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, NamedTuple

from colab_magics import facts
from colab_magics.views import guides
from colab_magics.views.html import escaped
from colab_magics.translation import marked

if TYPE_CHECKING:
    from collections.abc import Iterable

    from colab_magics.translation import Say

_LINKS = {
    "billing": marked("Mail about bills: colab-billing@google.com"),
    "enterprise_idle": marked("When Colab Enterprise shuts a runtime down"),
    "enterprise_runtimes": marked("Runtimes of Colab Enterprise"),
    "faq": marked("Colab's FAQ: limits and lifetimes"),
    "gpu_guide": marked("TensorFlow with a GPU"),
    "overview": marked("An overview of Colab"),
    "signup": marked("Plans and compute units"),
    "tpu_guide": marked("TensorFlow with a TPU"),
}


class Page(NamedTuple):
    """What to show for a wish. Sentences are said already, but not escaped; the rest is HTML.

    `purpose` is the heading ("To use a GPU"). `remarks` (sentences) and `opening` (HTML) come before the steps,
    `consequences` (sentences) after them; `links` are keys of `facts.links`.
    """

    purpose: str
    remarks: tuple[str, ...] = ()
    opening: str = ""
    steps: tuple[str, ...] = ()
    picture: str = ""
    consequences: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    links: tuple[str, ...] = ()


def render(page: Page, say: Say) -> str:
    """Return a page as one `<div>`."""
    done = steps(page.steps) if page.steps else ""
    parts = [
        f'<p class="cm-wish-purpose"><strong>{escaped(page.purpose)}</strong></p>',
        paragraph(page.remarks, say),
        page.opening,
        f'<div class="cm-wish-way">{done}{page.picture}</div>' if page.picture else done,
        paragraph(page.consequences, say, name="cm-wish-cost"),
        *page.sections,
        _links(page.links, say),
    ]
    return f'<div class="cm-wish" lang="{say.spoken}">{"".join(parts)}</div>'


def paragraph(sentences: Iterable[str], say: Say, *, name: str = "cm-wish-text") -> str:
    """Return sentences as one paragraph, or nothing where there are none."""
    joined = say.joined(sentences)
    return f'<p class="{name}">{escaped(joined)}</p>' if joined else ""


def steps(items: Iterable[str]) -> str:
    """Return pieces of HTML as numbered steps."""
    return f'<ol class="cm-wish-steps">{"".join(f"<li>{item}</li>" for item in items)}</ol>'


def ways(items: Iterable[str]) -> str:
    """Return pieces of HTML as choices within a step."""
    return f'<ol type="a" class="cm-wish-ways">{"".join(f"<li>{item}</li>" for item in items)}</ol>'


def folded(title: str, content: str) -> str:
    """Return HTML that shows its title until it is opened."""
    return f"<details><summary>{escaped(title)}</summary>{content}</details>"


def listed(items: Iterable[str]) -> str:
    """Return pieces of HTML as a list."""
    return f'<ul class="cm-wish-list">{"".join(f"<li>{item}</li>" for item in items)}</ul>'


def quotation(way: tuple[str, ...], say: Say) -> str:
    """Return the words to click as HTML: those of the reader's language with the English beside, else the English."""
    local, english = guides.quoted(way, say)
    if local in (None, english):
        return quoted_english(english)
    theirs = f'<strong lang="{escape(say.language)}">{escaped(local)}</strong>'
    return f'{theirs} <span class="cm-wish-english" lang="en">({escaped(english)})</span>'


def quoted_english(words: str) -> str:
    """Return words that are the same in every language, or known in English alone, as HTML."""
    return f'<strong lang="en">{escaped(words)}</strong>'


def noted(quotation: str, note: str) -> str:
    """Return the words to click (HTML) with a remark of ours on the next line."""
    return f'{quotation}<div class="cm-wish-note">{escaped(note)}</div>'


def present_mark(say: Say) -> str:
    """Return the mark of what is in use, as HTML."""
    now = escaped(say("now"))
    return f' <span class="cm-wish-now">{now}</span>'


def _links(keys: Iterable[str], say: Say) -> str:
    anchors = [
        f'<a href="{escape(facts.link(key).url)}" target="_blank" rel="noopener">{escaped(say(_LINKS[key]))}</a>'
        for key in keys
    ]
    return f'<p class="cm-wish-links">{" · ".join(anchors)}</p>' if anchors else ""
