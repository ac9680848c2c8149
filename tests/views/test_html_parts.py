from __future__ import annotations

from colab_magics.translation import translator
from colab_magics.views import html_parts
from colab_magics.views.markup import Html

ENGLISH, GERMAN = translator("en"), translator("de")


def test_a_paragraph_of_nothing_is_nothing() -> None:
    assert html_parts.paragraph([], ENGLISH) == ""
    assert html_parts.paragraph(["1 < 2.", "So."], ENGLISH) == '<p class="cm-guide-text">1 &lt; 2. So.</p>'
    assert html_parts.paragraph(["a"], ENGLISH, class_="x") == '<p class="x">a</p>'


def test_items_are_escaped_unless_they_are_html() -> None:
    assert html_parts.listed(["<a>", Html("<b>b</b>")]) == (
        '<ul class="cm-guide-list"><li>&lt;a&gt;</li><li><b>b</b></li></ul>'
    )


def test_what_is_folded_shows_its_title() -> None:
    assert html_parts.folded("A & B", Html("<p>c</p>")) == "<details><summary>A &amp; B</summary><p>c</p></details>"
    assert html_parts.folded("A", Html("c"), class_="x") == '<details class="x"><summary>A</summary>c</details>'


def test_words_to_click_are_marked_with_their_language() -> None:
    assert html_parts.quotation(("save",), ENGLISH) == '<strong lang="en">Save</strong>'
    assert html_parts.quotation(("change_runtime_type",), GERMAN) == (
        '<strong lang="de">Laufzeittyp ändern</strong> '
        '<span class="cm-guide-english" lang="en">(Change runtime type)</span>'
    )
    assert html_parts.quotation(("save",), GERMAN) == '<strong lang="en">Save</strong>'  # whose word is not known
    assert html_parts.quoted_english("<T4>") == '<strong lang="en">&lt;T4&gt;</strong>'


def test_a_remark_stands_on_the_next_line() -> None:
    assert html_parts.noted(Html("<b>x</b>"), "a < b") == '<b>x</b><div class="cm-guide-note">a &lt; b</div>'


def test_what_is_in_use_is_marked() -> None:
    assert html_parts.present_mark(ENGLISH) == ' <span class="cm-guide-now">now</span>'
