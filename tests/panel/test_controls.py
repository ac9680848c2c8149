from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import ipywidgets as widgets
import pytest

from colab_magics import facts
from colab_magics.panel.controls import Controls, Handlers
from colab_magics.translation import translator

Clicks = list[tuple[str, Any]]


@pytest.fixture
def clicks() -> Clicks:
    """What was clicked, in order."""
    return []


@pytest.fixture
def controls(clicks: Clicks) -> Iterator[Controls]:
    """Controls of a panel that moves by itself, in English."""
    made = Controls(handlers(clicks), translator("en"), period_seconds=2.0)
    yield made
    made.close()


def handlers(clicks: Clicks) -> Handlers:
    def note(name: str) -> Callable[..., None]:
        return lambda *choice: clicks.append((name, *choice))

    return Handlers(*map(note, Handlers._fields))


def every_widget(widget: Any) -> list[Any]:
    return [widget, *(one for child in getattr(widget, "children", ()) for one in every_widget(child))]


def buttons(controls: Controls) -> dict[str, widgets.Button]:
    return {one.description: one for one in every_widget(controls._root) if isinstance(one, widgets.Button)}


def dropdowns(controls: Controls) -> dict[str, widgets.Dropdown]:
    return {one.description: one for one in every_widget(controls._root) if isinstance(one, widgets.Dropdown)}


def test_only_core_widgets_are_used_and_buttons_have_no_colour(controls: Controls) -> None:
    allowed = {widgets.VBox, widgets.HBox, widgets.HTML, widgets.Button, widgets.Dropdown}

    assert {type(one) for one in every_widget(controls._root)} == allowed
    assert all(one.button_style == "" for one in buttons(controls).values())
    assert controls.view["model_id"] == controls._root.model_id


def test_languages_are_named_by_the_facts(controls: Controls) -> None:
    assert dropdowns(controls)["Language"].options == tuple((menu.name, menu.language) for menu in facts.menus())
    assert dropdowns(controls)["Language"].value == "en"


def test_words_are_those_of_the_language(controls: Controls) -> None:
    controls.show_moving(is_live=True, translate=translator("en"))
    assert buttons(controls).keys() == {"Pause", "Refresh", "Close", "Check again"}
    assert dropdowns(controls).keys() == {"Every", "Language"}

    controls.speak(translator("zh-CN"))
    controls.show_moving(is_live=False, translate=translator("zh-CN"))
    assert not buttons(controls).keys() & {"Pause", "Resume", "Refresh", "Close", "Check again"}


def test_a_click_is_handed_on(controls: Controls, clicks: Clicks) -> None:
    controls.show_moving(is_live=True, translate=translator("en"))
    for name in ("Pause", "Refresh", "Check again", "Close"):
        buttons(controls)[name].click()
    dropdowns(controls)["Every"].value = 5.0
    dropdowns(controls)["Language"].value = "zh-CN"

    assert clicks == [
        ("pause_or_resume",),
        ("refresh",),
        ("check_again",),
        ("close",),
        ("choose_period", 5.0),
        ("choose_language", "zh-CN"),
    ]


def test_another_language_is_no_click_and_leaves_the_goals_alone(controls: Controls, clicks: Clicks) -> None:
    controls.show_goals("<p>goals</p>")
    controls.speak(translator("zh-CN"))

    assert controls._goals.value == "<p>goals</p>"
    assert clicks == []


def test_what_fits_is_marked_around_the_goals_which_stay_as_they_are(controls: Controls) -> None:
    controls.show_goals("<p>goals</p>")
    changed = list[str]()
    controls._goals.observe(lambda change: changed.append(change["name"]))
    for _ in range(2):
        controls.show(title="", card="", can_check_again=False, marking="cm-fits cm-fits-memory")

    assert changed == ["_dom_classes"]
    assert tuple(controls._goals._dom_classes) == ("cm-fits", "cm-fits-memory")


def test_only_what_has_changed_is_sent(controls: Controls) -> None:
    sent = list[str]()
    for widget in every_widget(controls._root):
        for one in (widget, widget.layout):  # every change of one that a page has is a message
            one.observe(lambda change: sent.append(change["name"]))
    shown: dict[str, Any] = {"title": "<p>T4</p>", "can_check_again": True, "marking": "cm-fits"}
    controls.show(card="<p>1</p>", **shown)
    controls.show_moving(is_live=False, translate=translator("en"))
    sent.clear()

    controls.show(card="<p>1</p>", **shown)
    controls.show_goals("")
    controls.show_moving(is_live=False, translate=translator("en"))
    assert sent == []

    controls.show(card="<p>2</p>", **shown)
    assert sent == ["value"]


def test_the_setting_s_period_is_among_those_to_choose_from(clicks: Clicks) -> None:
    controls = Controls(handlers(clicks), translator("de"), period_seconds=3.5)

    assert (dropdowns(controls)["Every"].value, dropdowns(controls)["Language"].value) == (3.5, "de")
    assert [value for _, value in dropdowns(controls)["Every"].options] == [0.5, 1.0, 2.0, 3.5, 5.0, 10.0]
    controls.close()


def test_what_does_not_move_by_itself_has_neither_pause_nor_period(clicks: Clicks) -> None:
    controls = Controls(handlers(clicks), translator("en"), period_seconds=None)
    controls.show_moving(is_live=False, translate=translator("en"))

    assert buttons(controls).keys() == {"Refresh", "Close", "Check again"}
    assert dropdowns(controls).keys() == {"Language"}
    controls.close()


def test_check_again_is_there_where_something_may_be_gone(controls: Controls) -> None:
    controls.show(title="<p>t</p>", card="<p>c</p>", can_check_again=False, marking="cm-fits")
    assert controls._checking.layout.display == "none"

    controls.show(title="<p>t</p>", card="<p>c</p>", can_check_again=True, marking="cm-fits")
    assert controls._checking.layout.display is None
    assert (controls._title.value, controls._card.value) == ("<p>t</p>", "<p>c</p>")


def test_the_report_behind_it_is_hidden_until_the_kernel_is_gone(controls: Controls) -> None:
    (style,) = [
        one for one in every_widget(controls._root) if getattr(one, "value", None) and "<style>" in str(one.value)
    ]
    number = controls._root.model_id

    assert f".cm-fallback-{number} {{ display: none; }}" in style.value
    assert f"cm-panel-{number}" in controls._root._dom_classes
    assert style.layout.display == "none"


def test_what_is_closed_leaves_no_widget_behind(clicks: Clicks) -> None:
    controls = Controls(handlers(clicks), translator("en"), period_seconds=1.0)
    every = every_widget(controls._root)
    controls.close()

    assert all(one.comm is None for one in every)
    assert all(one.layout.comm is None for one in every)


@pytest.mark.parametrize("has_cells", [True, False])
def test_the_sheet_of_the_session_s_cells_is_sent_where_they_are_shown(clicks: Clicks, has_cells: bool) -> None:
    controls = Controls(handlers(clicks), translator("en"), period_seconds=1.0, has_cells=has_cells)
    sheets = [str(one.value) for one in every_widget(controls._root) if "<style>" in str(getattr(one, "value", ""))]

    assert [".cm-cells" in sheet for sheet in sheets] == [has_cells]
    controls.close()
