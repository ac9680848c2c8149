"""The panel's widgets: what moves, what is clicked, and how they lie. The one door to ipywidgets.

Core widgets with default buttons alone: Colab's page shows no others well, coloured buttons have too little contrast,
and a broken Output widget (widgetsnbextension from 3.6.7 on) empties the whole panel it is in.
"""

from __future__ import annotations

import contextlib
import functools
import os
import threading
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

_STYLE_SHEETS = ("views/look.css", "views/gpu_table.css", "panel/panel.css", "views/guide.css")

_IN_PLACE_OF_THE_REPORT = """
.{fallback}-{number} {{ display: none; }}
.cm-panel-{number}.jupyter-widgets-disconnected {{ display: none; }}
:root:has(.cm-panel-{number}.jupyter-widgets-disconnected) .{fallback}-{number} {{ display: block; }}
"""
"""The panel hides the report behind it, until its kernel is gone: then ipywidgets 8 marks it so."""


class Handlers(NamedTuple):
    """What happens on a click or another message; a choice, or what the page answered, is handed on with it.

    They come in the thread that a kernel hears its page in: the main thread between cells, or a subshell's during one.
    """

    pause_or_resume: Callable[[], None]
    refresh: Callable[[], None]
    check_again: Callable[[], None]
    close: Callable[[], None]
    choose_period: Callable[[float], None]
    choose_language: Callable[[str], None]
    choose_goal: Callable[[Goal], None]
    answered: Callable[[str], None]


class Controls:
    """The widgets, made once. Where `period_seconds` is None nothing moves by itself: no Pause, no choice of period."""

    def __init__(self, handlers: Handlers, *, language: str, period_seconds: float | None) -> None:
        self._setting_thread: int | None = None
        self._title, self._card, self._guide = (_html(name) for name in ("cm-title", "cm-card", "cm-goal"))
        self._refresh = _button(handlers.refresh)
        self._check_again = _button(handlers.check_again)
        self._close = _button(handlers.close)
        self._moving = None if period_seconds is None else _Moving(handlers, period_seconds)
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
        # By `Widget.close_all()`, or whatever else closes widgets that are not its own.
        self._root.observe(lambda change: handlers.close() if change["new"] is None else None, names="comm")
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

    def show_goal(self, goal: Goal) -> None:
        """Show that a goal is the one chosen."""
        with self._not_chosen():
            self._goal.value = goal

    def show_guide(self, guide: str) -> None:
        """Show what to click for the goal that is chosen."""
        self._guide.value = guide

    def ask(self, number: int) -> None:
        """Have the page that shows the panel answer with a number, if there is one."""
        if self._moving is not None:
            self._moving.echo.ask(number)

    def close(self) -> None:
        """Take every widget off the page and out of the kernel."""
        if self._moving is not None:
            self._moving.echo.close()
        _close_all(self._root)

    @contextlib.contextmanager
    def _not_chosen(self) -> Iterator[None]:
        """Let what this thread sets now be no choice of the user's, which may come in another."""
        self._setting_thread = threading.get_ident()
        try:
            yield
        finally:
            self._setting_thread = None

    def _on_choice(self, widget: widgets.Widget, choose: Callable[[Any], None]) -> None:
        @trusted_imports
        def chosen(change: dict[str, Any]) -> None:
            if self._setting_thread != threading.get_ident() and change["new"] is not None:
                choose(change["new"])

        widget.observe(chosen, names="value")


class _Moving:
    """What only a panel that moves by itself has."""

    def __init__(self, handlers: Handlers, period_seconds: float) -> None:
        self.pause = _button(handlers.pause_or_resume)
        periods = [(f"{seconds:g} s", seconds) for seconds in sorted({*PERIODS_SECONDS, period_seconds})]
        self.period = widgets.Dropdown(options=periods, value=period_seconds)
        self.echo = _Echo(handlers.answered)


class _Echo:
    """What only a page can do: copy what is asked into what is answered, and send that back.

    It does so without a view, a timer or a click, and one that is loaded later answers the last question. Layouts are
    the least of the core widgets that hold a text.
    """

    def __init__(self, answered: Callable[[str], None]) -> None:
        self._asked, self._answered = widgets.Layout(order="0"), widgets.Layout(order="0")
        self._link = widgets.jsdlink((self._asked, "order"), (self._answered, "order"))
        self._answered.observe(lambda change: answered(change["new"]), names="order")

    def ask(self, number: int) -> None:
        self._asked.order = str(number)

    def close(self) -> None:
        for widget in (self._link, self._asked, self._answered):
            widget.close()


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
