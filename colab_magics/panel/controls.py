"""The panel's widgets: what moves, what is clicked, and how they lie. The one door to ipywidgets.

Core widgets with default buttons alone: Colab's page shows no others well, coloured buttons have too little contrast,
and a broken Output widget (widgetsnbextension from 3.6.7 on) empties the whole panel it is in.
"""

from __future__ import annotations

import contextlib
import functools
import os
from typing import TYPE_CHECKING, Any, NamedTuple

import ipywidgets as widgets

from colab_magics import facts
from colab_magics.guides import GOAL_LABELS, Goal
from colab_magics.imports import trusted_imports
from colab_magics.views.display import FALLBACK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from colab_magics.translation import Translator

PERIODS_SECONDS = (0.5, 1.0, 2.0, 5.0, 10.0)
"""The periods to choose from, besides the one that the settings ask for."""

_STYLE_SHEETS = ("views/report.css", "panel/panel.css", "views/guide.css")

_IN_PLACE_OF_THE_REPORT = """
.{fallback}-{number} {{ display: none; }}
.cm-panel-{number}.jupyter-widgets-disconnected {{ display: none; }}
:root:has(.cm-panel-{number}.jupyter-widgets-disconnected) .{fallback}-{number} {{ display: block; }}
"""
"""The panel hides the report behind it, until its kernel is gone: then ipywidgets 8 marks it so."""


class Handlers(NamedTuple):
    """What happens on a click; a choice is handed on with it."""

    pause_or_resume: Callable[[], None]
    refresh: Callable[[], None]
    check_again: Callable[[], None]
    close: Callable[[], None]
    choose_period: Callable[[float], None]
    choose_language: Callable[[str], None]
    choose_goal: Callable[[Goal], None]


class Controls:
    """The widgets, made once. Where `period_seconds` is None nothing moves by itself: no Pause, no choice of period."""

    def __init__(self, handlers: Handlers, *, language: str, period_seconds: float | None) -> None:
        self._is_being_set = False
        self._title, self._card, self._guide = (_html(name) for name in ("cm-title", "cm-card", "cm-goal"))
        self._refresh = _button(handlers.refresh)
        self._check_again = _button(handlers.check_again)
        self._close = _button(handlers.close)
        self._moving = None if period_seconds is None else _Moving(handlers.pause_or_resume, period_seconds)
        self._language = widgets.Dropdown(
            options=[(menu.name, menu.language) for menu in facts.menus()], value=language
        )
        self._goal = widgets.ToggleButtons(options=[(goal.value, goal) for goal in Goal], value=None)
        self._on_choice(self._language, handlers.choose_language)
        self._on_choice(self._goal, handlers.choose_goal)
        pause: tuple[widgets.Widget, ...] = ()
        period: tuple[widgets.Widget, ...] = ()
        if self._moving is not None:
            self._on_choice(self._moving.period, handlers.choose_period)
            pause, period = (self._moving.pause,), (self._moving.period,)
        self._checking = _row(self._check_again)
        style = widgets.HTML(layout={"display": "none"})
        self._root = widgets.VBox(
            [
                style,
                _row(self._title, *pause, self._refresh, self._close),
                self._card,
                self._checking,
                self._goal,
                self._guide,
                _row(*period, self._language),
            ]
        )
        number = self._root.model_id
        self._root.add_class("cm-panel")
        self._root.add_class(f"cm-panel-{number}")
        style.value = (
            f"<style>{_style_sheet()}{_IN_PLACE_OF_THE_REPORT.format(number=number, fallback=FALLBACK)}</style>"
        )

    @property
    def view(self) -> dict[str, Any]:
        """What a display bundle holds for the widgets."""
        return {"version_major": 2, "version_minor": 0, "model_id": self._root.model_id}

    def speak(self, translate: Translator) -> None:
        """Put the words of a language on every control."""
        self._refresh.description = translate("Refresh")
        self._check_again.description = translate("Check again")
        self._close.description = translate("Close")
        if self._moving is not None:
            self._moving.period.description = translate("Every")
        self._language.description = translate("Language")
        self._goal.description = translate("I want")
        goal = self._goal.value
        with self._not_chosen():
            self._goal.options = [(translate(GOAL_LABELS[one]), one) for one in Goal]  # which chooses the first of them
            self._goal.value = goal

    def show(self, *, title: str, card: str, can_check_again: bool) -> None:
        """Show what was seen; only what has changed is sent."""
        self._title.value = title
        self.show_card(card)
        self._checking.layout.display = None if can_check_again else "none"

    def show_card(self, card: str) -> None:
        """Show what moves."""
        self._card.value = card

    def show_moving(self, *, is_live: bool, translate: Translator) -> None:
        """Show whether the panel moves by itself."""
        if self._moving is not None:
            self._moving.pause.description = translate("Pause") if is_live else translate("Resume")

    def show_guide(self, goal: Goal, guide: str) -> None:
        """Show what to click for a goal, and that it is the one chosen."""
        with self._not_chosen():
            self._goal.value = goal
        self._guide.value = guide

    def close(self) -> None:
        """Take every widget off the page and out of the kernel."""
        _close_all(self._root)

    @contextlib.contextmanager
    def _not_chosen(self) -> Iterator[None]:
        """Let what is set now be no choice of the user's."""
        self._is_being_set = True
        try:
            yield
        finally:
            self._is_being_set = False

    def _on_choice(self, widget: widgets.Widget, choose: Callable[[Any], None]) -> None:
        @trusted_imports
        def chosen(change: dict[str, Any]) -> None:
            if not self._is_being_set and change["new"] is not None:
                choose(change["new"])

        widget.observe(chosen, names="value")


class _Moving:
    """What only a panel that moves by itself has."""

    def __init__(self, pause_or_resume: Callable[[], None], period_seconds: float) -> None:
        self.pause = _button(pause_or_resume)
        periods = [(f"{seconds:g} s", seconds) for seconds in sorted({*PERIODS_SECONDS, period_seconds})]
        self.period = widgets.Dropdown(options=periods, value=period_seconds)


def _html(name: str) -> widgets.HTML:
    widget = widgets.HTML()
    widget.add_class(name)
    return widget


def _button(act: Callable[[], None]) -> widgets.Button:
    @trusted_imports
    def clicked(_button: widgets.Button) -> None:
        act()

    button = widgets.Button()
    button.on_click(clicked)
    return button


def _row(*children: widgets.Widget) -> widgets.HBox:
    row = widgets.HBox(children)
    row.add_class("cm-controls")
    return row


def _close_all(widget: Any) -> None:
    for child in getattr(widget, "children", ()):
        _close_all(child)
    for part in ("layout", "style"):
        if hasattr(widget, part):
            getattr(widget, part).close()
    widget.close()


@functools.cache
def _style_sheet() -> str:
    folder = os.path.dirname(os.path.dirname(__file__))
    sheets = []
    for name in _STYLE_SHEETS:
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            sheets.append(file.read())
    return "".join(sheets)
