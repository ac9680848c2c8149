"""The panel for those who see it small, large or dark, and for those who have no mouse."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from playwright.sync_api import expect

from browser.accessibility import Accessibility
from browser.frontends import DARK, LIGHT, Notebook
from browser.layout import WIDTHS, misfits
from browser.pictures import bars, picture
from fake_nvml import FakeDriver

GIB = 2**30
NARROW, TALLEST_GUIDE = 420, 1200
OPEN = ("%load_ext colab_magics", "%runtime_status -w")
GOALS = {
    "a GPU": "To use another GPU",
    "a TPU": "To use a TPU",
    "more memory": "To get more memory",
    "another Python or image": "To use another Python or image",
    "longer runs": "For longer runs",
    "to stop paying": "To stop paying",
    "I hit a limit": "When you hit a limit",
}
STOPS = "button:visible, select:visible, a[href]:visible, summary:visible"
PLACE_OF_THE_GUIDE = """goals => {
    const guide = goals.querySelector(':scope > details[open] > .cm-guide').getBoundingClientRect();
    const chips = [...goals.querySelectorAll(':scope > details > summary')].map(one => one.getBoundingClientRect());
    const room = goals.getBoundingClientRect();
    return [guide.height, Math.round(room.width - guide.width), guide.top - Math.max(...chips.map(one => one.bottom))];
}"""
HAS_FOCUS = """panel => {
    const one = document.activeElement;
    if (!panel.contains(one)) return null;
    const box = one.getBoundingClientRect();
    return {said: one.innerText, left: box.left, top: box.top, bottom: box.bottom};
}"""


@pytest.mark.usefixtures("on_colab")
def test_everything_in_it_can_be_read_in_every_theme_and_width(
    open_notebook: Callable[..., Notebook], theme: str, accessibility: Accessibility, a_live_t4: FakeDriver
) -> None:
    a_live_t4.set(f"gpu0.memory_used = {14 * GIB}")  # so full that its bar warns
    notebook = open_notebook(*OPEN, theme=theme)
    expect(notebook.card).to_contain_text("14.0 of 15.0 GiB")
    for goal, purpose in GOALS.items():
        notebook.goal(goal).click()
        expect(notebook.guide.locator(".cm-guide-purpose").first).to_have_text(purpose)
        expect(notebook.guide).to_have_count(1)  # one is open at a time
        for summary in notebook.guide.locator("summary").all():
            summary.click()
        # What the operating system prefers is none of the notebook's business: the page has a theme of its own.
        for preference in (LIGHT, DARK):
            notebook.page.emulate_media(color_scheme=preference)
            assert accessibility.faults(notebook.page, ".cm-panel") == [], (goal, preference)
        for width in WIDTHS:
            notebook.page.set_viewport_size({"width": width, "height": 1000})
            assert misfits(notebook.panel) == [], (goal, width)
        notebook.page.set_viewport_size({"width": WIDTHS[0], "height": 1000})
    drawn = bars(notebook.panel)
    assert len(drawn) >= 3
    assert [bar for bar in drawn if bar.fill_to_track < 3] == []


@pytest.mark.frontends("lab")
@pytest.mark.parametrize("machine", ["colab", "colab with a T4", "kaggle"])
def test_where_there_is_little_room_a_guide_is_no_taller_than_a_page(
    machine: str,
    open_notebook: Callable[..., Notebook],
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if machine == "kaggle":
        monkeypatch.setenv("KAGGLE_KERNEL_RUN_TYPE", "Interactive")
    else:
        request.getfixturevalue("on_colab")
    if machine == "colab with a T4":
        request.getfixturevalue("a_live_t4")
    notebook = open_notebook(*OPEN, width=NARROW)
    for goal in GOALS:
        notebook.goal(goal).click()
        expect(notebook.guide).to_have_count(1)
        height, unused_width, below_the_chips = notebook.panel.locator(".cm-goals").evaluate(PLACE_OF_THE_GUIDE)
        assert height <= TALLEST_GUIDE, goal
        assert unused_width == 0, goal
        assert below_the_chips >= 0, goal
        assert misfits(notebook.panel) == [], goal


@pytest.mark.chromium  # Playwright's keys do not unfold a list in Firefox
def test_the_keyboard_alone_reaches_and_works_everything(
    open_notebook: Callable[..., Notebook], a_live_t4: FakeDriver
) -> None:
    notebook = open_notebook(*OPEN)
    keyboard = notebook.page.keyboard
    notebook.goal("a TPU").focus()
    keyboard.press("Enter")
    expect(notebook.guide).to_contain_text("To use a TPU")
    keyboard.press("Space")
    expect(notebook.guide).to_have_count(0)
    keyboard.press("Enter")
    chip = notebook.goal("more memory")
    chip.scroll_into_view_if_needed()
    unfocused = picture(chip)
    keyboard.press("Tab")
    while notebook.page.evaluate("document.activeElement.tagName") != "SUMMARY" or not chip.evaluate(
        "one => one === document.activeElement"
    ):
        keyboard.press("Tab")
    assert picture(chip) != unfocused, "it is not to be seen where the focus is"

    stops = notebook.panel.locator(STOPS)
    stops.first.focus()
    reached = []
    while (stop := notebook.panel.evaluate(HAS_FOCUS)) is not None:
        reached.append(stop)
        assert len(reached) <= stops.count(), "the focus never leaves the panel"
        keyboard.press("Tab")
    assert len(reached) == stops.count()
    for one, following in pairwise(reached):
        is_further_right = following["left"] > one["left"] and following["top"] < one["bottom"]
        assert is_further_right or following["top"] >= one["bottom"] - 1, (one, following)

    pause = notebook.control("Pause")
    unfocused = picture(pause)
    pause.focus()
    keyboard.press("Tab")
    keyboard.press("Shift+Tab")
    assert picture(pause) != unfocused, "it is not to be seen where the focus is"
    keyboard.press("Space")
    resume = notebook.control("Resume")
    expect(resume).to_be_focused()
    keyboard.press("Enter")
    expect(notebook.control("Pause")).to_be_visible()

    def choose_a_language(way: str) -> None:
        notebook.panel.locator("select").last.focus()
        for key in ("Space", way, "Enter"):  # JupyterLab takes arrows for itself while no list is unfolded
            keyboard.press(key)

    choose_a_language("ArrowDown")
    expect(notebook.card.locator("[lang=zh-CN]")).to_be_visible()
    choose_a_language("ArrowUp")
    expect(notebook.card.locator("[lang=en]")).to_be_visible()
    notebook.control("Close").focus()
    keyboard.press("Enter")
    expect(notebook.panel).to_have_count(0)
