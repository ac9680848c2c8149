"""The panel's widgets: what moves, what is clicked, and how they lie. The one door to ipywidgets.

Core widgets with default buttons alone: Colab's page shows no others well, coloured buttons have too little contrast,
and a broken Output widget (widgetsnbextension from 3.6.7 on) empties the whole panel it is in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import ipywidgets as widgets

from colab_magics import facts
from colab_magics.imports import trusted_imports
from colab_magics.translation import N_
from colab_magics.views import style_sheets
from colab_magics.views.display import FALLBACK

if TYPE_CHECKING:
    from collections.abc import Callable

    from colab_magics.translation import Translator

PERIODS_SECONDS = (0.5, 1.0, 2.0, 5.0, 10.0)
"""The periods to choose from, besides the one that the settings ask for."""

_ADDED = (sheet for sheet in style_sheets.ADDED if sheet not in (style_sheets.HOLDERS, style_sheets.CELLS))
_STYLE_SHEETS = (style_sheets.LOOK, *_ADDED, "panel/panel.css")

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
    answered: Callable[[str], None]


class Controls:
    """The widgets, made once. Where `period_seconds` is None nothing moves by itself: no Pause, no choice of period."""

    def __init__(
        self, handlers: Handlers, translate: Translator, *, period_seconds: float | None, has_cells: bool = False
    ) -> None:
        """Make them; `has_cells` says whether the card has a table of the session's cells."""
        make = _Maker(translate)
        self._spoken = make.spoken
        self._title, self._card, self._goals = (make.html(name) for name in ("cm-title", "cm-card", "cm-fits"))
        self._moving = None if period_seconds is None else _Moving(make, handlers, period_seconds)
        self._refresh = make.button(N_("Refresh"), handlers.refresh)
        languages = [(menu.name, menu.language) for menu in facts.menus()]
        self._language = make.choice(N_("Language"), languages, translate.language, handlers.choose_language)
        buttons, choices = [self._refresh, make.button(N_("Close"), handlers.close)], [self._language]
        if self._moving is not None:
            buttons.insert(0, self._moving.pause)
            choices.insert(0, self._moving.period)
        # Of its own layout, which hides it.
        self._checking = make.row("cm-controls", make.button(N_("Check again"), handlers.check_again), is_shown=False)
        style = widgets.HTML(layout={"display": "none"})
        self._root = make.column(
            style,
            make.row("cm-controls", self._title, *buttons),
            self._card,
            self._checking,
            make.row("cm-controls cm-choices", *choices),
            self._goals,
        )
        # By `Widget.close_all()`, or whatever else closes widgets that are not its own.
        self._root.observe(lambda change: handlers.close() if change["new"] is None else None, names="comm")
        number = self._root.model_id
        self._root._dom_classes = ("cm-panel", f"cm-panel-{number}")  # noqa: SLF001 - in one message, not in two
        ours_alone = _IN_PLACE_OF_THE_REPORT.format(number=number, fallback=FALLBACK)
        sheets = (*_STYLE_SHEETS, style_sheets.CELLS) if has_cells else _STYLE_SHEETS
        style.value = f"<style>{style_sheets.together(*sheets)}{ours_alone}</style>"

    @property
    def view(self) -> dict[str, Any]:
        """What a display bundle holds for the widgets."""
        return {"version_major": 2, "version_minor": 0, "model_id": self._root.model_id}

    def speak(self, translate: Translator) -> None:
        """Put the words of a language on every control."""
        for widget, message in self._spoken:
            widget.description = translate(message)

    def show(self, *, title: str, card: str, can_check_again: bool, marking: str) -> None:
        """Show what was seen; only what has changed is sent. `marking` are the classes that mark a goal."""
        self._title.value = title
        self.show_card(card)
        self._checking.layout.display = None if can_check_again else "none"
        self._goals._dom_classes = tuple(marking.split())  # noqa: SLF001 - what is in the widget stays as it is

    def show_card(self, card: str) -> None:
        """Show what moves."""
        self._card.value = card

    def show_goals(self, goals: str) -> None:
        """Show the goals with their guides; unless they are the same this closes the one that is open."""
        self._goals.value = goals

    def show_moving(self, *, is_live: bool, translate: Translator) -> None:
        """Show whether the panel moves by itself."""
        if self._moving is not None:
            self._moving.pause.description = translate("Pause") if is_live else translate("Resume")

    def ask(self, number: int) -> None:
        """Have the page that shows the panel answer with a number, if there is one."""
        if self._moving is not None:
            self._moving.echo.ask(number)

    def close(self) -> None:
        """Take every widget off the page and out of the kernel."""
        if self._moving is not None:
            self._moving.echo.close()
        _close_all(self._root)


class _Moving:
    """What only a panel that moves by itself has."""

    def __init__(self, make: _Maker, handlers: Handlers, period_seconds: float) -> None:
        self.pause = make.button(N_("Resume"), handlers.pause_or_resume)
        periods = [(f"{seconds:g} s", seconds) for seconds in sorted({*PERIODS_SECONDS, period_seconds})]
        self.period = make.choice(N_("Every"), periods, period_seconds, handlers.choose_period)
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


class _Maker:
    """Makes widgets whose first state is whole, and which share what they need not have alone: each is a message."""

    def __init__(self, translate: Translator) -> None:
        self.spoken: list[tuple[widgets.Widget, str]] = []
        """What has words on it, and its message."""
        self._translate = translate
        self._layout = widgets.Layout()
        self._styles: dict[type[widgets.Widget], widgets.Widget] = {}

    def html(self, name: str) -> widgets.HTML:
        return self._styled(widgets.HTML, _dom_classes=(name,))

    def button(self, message: str, act: Callable[[], None]) -> widgets.Button:
        @trusted_imports
        def clicked(_button: widgets.Button) -> None:
            act()

        button = self._styled(widgets.Button, description=self._translate(message))
        button.on_click(clicked)
        self.spoken.append((button, message))
        return button

    def choice(
        self, message: str, options: list[tuple[str, Any]], value: object, choose: Callable[[Any], None]
    ) -> widgets.Dropdown:
        @trusted_imports
        def chosen(change: dict[str, Any]) -> None:
            choose(change["new"])

        dropdown = self._styled(widgets.Dropdown, description=self._translate(message), options=options, value=value)
        dropdown.observe(chosen, names="value")
        self.spoken.append((dropdown, message))
        return dropdown

    def row(self, names: str, *children: widgets.Widget, is_shown: bool = True) -> widgets.HBox:
        layout = self._layout if is_shown else widgets.Layout(display="none")
        return widgets.HBox(children, layout=layout, _dom_classes=tuple(names.split()))

    def column(self, *children: widgets.Widget) -> widgets.VBox:
        return widgets.VBox(children, layout=self._layout)

    def _styled(self, kind: type[widgets.Widget], **state: Any) -> Any:
        """Make a widget with the style that the others of its kind have."""
        if kind in self._styles:
            state["style"] = self._styles[kind]
        widget = kind(layout=self._layout, **state)
        self._styles[kind] = widget.style
        return widget


def _close_all(widget: Any) -> None:
    for child in getattr(widget, "children", ()):
        _close_all(child)
    for part in ("layout", "style"):
        if hasattr(widget, part):
            getattr(widget, part).close()
    widget.close()
