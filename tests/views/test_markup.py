from __future__ import annotations

import pytest

from colab_magics.views.markup import Html, element, escaped, joined
from markup import Markup

HOSTILE = ["<script>alert(1)</script>", '"><img src=x>', "' onclick='x", "a & b", "\x1b[31m", "\u202e", "</p>"]


@pytest.mark.parametrize("text", HOSTILE)
def test_text_becomes_no_markup_wherever_it_stands(text: str) -> None:
    for piece in (escaped(text), joined((text,)), element("p", text)):
        assert Markup(piece).names <= {"p"}
        assert piece.isprintable()
    (page,) = Markup(element("p", title=text)).tags
    assert page[0] == "p"
    assert page[1].keys() == {"title"}


def test_every_character_that_markup_is_made_of_is_escaped() -> None:
    assert escaped("<&>\"'") == "&lt;&amp;&gt;&quot;&#x27;"


def test_what_is_html_already_is_left_alone_and_only_that() -> None:
    assert joined((Html("<b>"), "<i>", Html("</b>"))) == "<b>&lt;i&gt;</b>"
    assert element("p", element("b", "<"), "<") == "<p><b>&lt;</b>&lt;</p>"
    assert element("p", Html("<b>") + "<i>") == "<p>&lt;b&gt;&lt;i&gt;</p>"  # a sum of texts is a text


def test_an_attribute_is_escaped_even_where_it_is_html() -> None:
    assert element("p", title=Html('"<b>')) == '<p title="&quot;&lt;b&gt;"></p>'


def test_an_attribute_is_named_as_in_html_and_left_out_where_it_is_none() -> None:
    assert element("p", class_="a", aria_label="b", data_label="c", high=None) == (
        '<p class="a" aria-label="b" data-label="c"></p>'
    )


def test_every_piece_is_html_and_an_empty_one_is_nothing() -> None:
    assert all(isinstance(piece, Html) for piece in (escaped("a"), joined(("a",)), element("p")))
    assert not Html()
    assert joined(()) == ""
