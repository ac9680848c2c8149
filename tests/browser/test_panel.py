"""The panel in the hands of a person: it opens, leads through every goal, moves by itself, and closes."""

from __future__ import annotations

import ast
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from browser.frontends import Notebook
from fake_nvml import FakeDriver

GIB = 2**30
OPEN = ("%load_ext colab_magics", "%runtime_status -w")
GOALS = {
    "a GPU": "To use a GPU",
    "a TPU": "To use a TPU",
    "more memory": "To get more memory",
    "another Python or image": "To use another Python or image",
    "longer runs": "For longer runs",
    "to stop paying": "To stop paying",
    "I hit a limit": "When you hit a limit",
}
SLEEPS = "import os, time\nwhile not os.path.exists('{seen}'):\n    time.sleep(0.5)"
COMPUTES = "import os\nwhile not os.path.exists('{seen}'):\n    sum(range(100_000))"
THREADS = "import threading; print([thread.name for thread in threading.enumerate()])"


def uses(card: Locator, gib: int) -> None:
    expect(card).to_contain_text(f"{gib}.0 of 15.0 GiB", timeout=10_000)


def threads(notebook: Notebook) -> list[str]:
    printed = notebook.run(THREADS)
    expect(printed).to_contain_text("MainThread")  # the page may learn that a cell has ended before what it printed
    return [name for name in ast.literal_eval(printed.inner_text().strip()) if name.startswith("colab_magics")]


@pytest.mark.chromium
def test_it_opens_with_bars_that_are_also_said_and_words_for_every_number(
    open_notebook: Callable[..., Notebook], a_live_t4: FakeDriver, took: Callable[[str, float], None]
) -> None:
    notebook = open_notebook(*OPEN)
    expect(notebook.panel).to_have_count(1)
    expect(notebook.panel).to_contain_text("Tesla T4")
    for words in ("GPU memory", "9.0 of 15.0 GiB", "GPU use", "87 %", "43 °C", "RAM", "Disk", "CPU"):
        expect(notebook.card).to_contain_text(words)
    expect(notebook.control("Check again")).not_to_be_visible()

    said = notebook.said()
    meters = {name: value for role, name, value in said if role == "meter"}
    for name in ("GPU memory", "GPU use", "RAM", "Disk"):
        assert [said for said in meters if said.startswith(name)], meters
    assert {"60", "87"} <= {value.removesuffix("%") for value in meters.values()}
    assert {name: value for role, name, value in said if role == "combobox"} == {"Every": "2 s", "Language": "English"}
    assert {"Pause", "Refresh", "Close"} <= {name for role, name, _ in said if role == "button"}
    assert ("group", "I want") in {(role, name) for role, name, _ in said}
    assert [name for role, name, _ in said if role.startswith("DisclosureTriangle")] == [*GOALS]
    periods = notebook.control("Every").locator("option").all_inner_texts()
    assert [period.replace("\xa0", " ") for period in periods] == ["0.5 s", "1 s", "2 s", "5 s", "10 s"]

    since = time.monotonic()
    notebook.goal("a TPU").click()
    expect(notebook.guide).to_contain_text(GOALS["a TPU"])
    took("a click shows its guide", since)
    notebook.control("Every").select_option("10 s")
    a_live_t4.set(f"gpu0.memory_used = {6 * GIB}")
    since = time.monotonic()
    notebook.control("Refresh").click()
    uses(notebook.card, 6)
    took("a click on Refresh shows a new number", since)


@pytest.mark.usefixtures("on_colab")
def test_each_goal_is_led_through_in_two_languages(open_notebook: Callable[..., Notebook]) -> None:
    notebook = open_notebook(*OPEN)
    expect(notebook.panel).to_contain_text("Not connected to a GPU")
    guides = []
    for goal, purpose in GOALS.items():
        notebook.goal(goal).click()
        expect(notebook.guide.locator(".cm-guide-purpose").first).to_have_text(purpose)
        assert notebook.guide.locator("li").count() >= 3
        guides.append(notebook.guide.inner_text())
    assert len(set(guides)) == len(GOALS)

    notebook.goal("a GPU").click()
    steps = notebook.guide.locator("ol > li")
    expect(steps.nth(0)).to_contain_text("Runtime > Change runtime type")
    expect(steps.nth(1)).to_contain_text("T4 GPU")
    expect(steps.nth(2)).to_contain_text("Save")
    expect(notebook.guide).to_contain_text("variables and files in /content are lost")

    notebook.control("Language").select_option("简体中文")
    chip = notebook.panel.locator(".cm-goal-gpu > summary")
    expect(chip).not_to_have_text("a GPU")  # the goals come anew, and closed
    chip.click()
    expect(steps.nth(0)).to_contain_text("代码执行程序")
    expect(steps.nth(0)).to_contain_text("Runtime > Change runtime type")
    expect(notebook.panel).not_to_contain_text("Not connected to a GPU")
    for word in ("Refresh", "Close"):
        expect(notebook.control(word)).to_have_count(0)
    for word in GOALS:
        expect(notebook.goal(word)).to_have_count(0)


@pytest.mark.frontends("lab", "notebook", "classic")
def test_it_moves_by_itself_also_while_a_cell_sleeps_or_computes_and_rests_when_paused(
    open_notebook: Callable[..., Notebook], a_live_t4: FakeDriver, took: Callable[[str, float], None]
) -> None:
    notebook = open_notebook(*OPEN)
    notebook.control("Every").select_option("0.5 s")
    uses(notebook.card, 9)
    for what, code, gib in (("sleeps", SLEEPS, 3), ("computes", COMPUTES, 12)):
        seen = notebook.file.with_suffix(f".{what}")
        busy = notebook.start(code.format(seen=seen))
        a_live_t4.set(f"gpu0.memory_used = {gib * GIB}")
        since = time.monotonic()
        uses(notebook.card, gib)
        took(f"a change is seen while a cell {what}, period 0.5 s", since)
        assert notebook.is_running(busy)
        seen.touch()
        notebook.wait_for(busy)
        assert notebook.output(busy).inner_text().strip() == ""

    notebook.control("Pause").click()
    expect(notebook.control("Resume")).to_be_visible()
    notebook.run("pass")
    a_live_t4.set(f"gpu0.memory_used = {4 * GIB}")
    notebook.page.wait_for_timeout(1500)
    uses(notebook.card, 12)
    notebook.control("Resume").click()
    uses(notebook.card, 4)
    expect(notebook.control("Pause")).to_be_visible()


@pytest.mark.frontends("lab", "notebook", "classic")
def test_clicks_while_a_cell_runs_are_answered_then_or_after_it(
    open_notebook: Callable[..., Notebook], a_live_t4: FakeDriver
) -> None:
    notebook = open_notebook(*OPEN)
    uses(notebook.card, 9)
    seen = notebook.file.with_suffix(".clicked")
    busy = notebook.start(SLEEPS.format(seen=seen))
    for goal in ("more memory", "a TPU", "a GPU", "a TPU"):
        notebook.goal(goal).click()
        expect(notebook.guide).to_contain_text(GOALS[goal].replace("a GPU", "another GPU"))
    assert notebook.is_running(busy)  # what someone wants asks no kernel
    notebook.control("Every").select_option("0.5 s")
    notebook.control("Pause").click()
    seen.touch()
    notebook.wait_for(busy)

    expect(notebook.guide).to_contain_text(GOALS["a TPU"])  # and stays open while the card is refreshed
    notebook.control("Resume").click()
    a_live_t4.set(f"gpu0.memory_used = {3 * GIB}")
    uses(notebook.card, 3)
    notebook.control("Close").click()
    expect(notebook.panel).to_have_count(0)
    assert threads(notebook) == []


@pytest.mark.frontends("lab", "notebook", "classic")
@pytest.mark.usefixtures("on_colab")
def test_on_colab_it_is_refreshed_after_each_cell_and_by_its_button(
    open_notebook: Callable[..., Notebook], a_live_t4: FakeDriver
) -> None:
    notebook = open_notebook(*OPEN)
    expect(notebook.control("Refresh")).to_be_visible()
    expect(notebook.control("Pause")).to_have_count(0)
    expect(notebook.control("Every")).to_have_count(0)

    a_live_t4.set(f"gpu0.memory_used = {5 * GIB}")
    notebook.page.wait_for_timeout(2500)
    uses(notebook.card, 9)
    notebook.run("pass")
    uses(notebook.card, 5)
    a_live_t4.set(f"gpu0.memory_used = {6 * GIB}")
    notebook.control("Refresh").click()
    uses(notebook.card, 6)


@pytest.mark.frontends("lab", "notebook", "classic")
def test_another_panel_takes_its_place_and_closed_it_leaves_the_last_state_and_nothing_running(
    open_notebook: Callable[..., Notebook], a_live_t4: FakeDriver
) -> None:
    notebook = open_notebook(*OPEN)
    uses(notebook.card, 9)
    notebook.run("%gpu_info -w")
    expect(notebook.output(1).locator(".cm-panel")).to_have_count(0)
    expect(notebook.output(1)).to_contain_text("9.0 of 15.0 GiB")
    expect(notebook.output(2).locator(".cm-panel")).to_have_count(1)
    a_live_t4.set(f"gpu0.memory_used = {10 * GIB}")
    uses(notebook.card, 10)  # it moves, since its page has answered
    assert len(threads(notebook)) == 1

    notebook.control("Close").click()
    expect(notebook.panel).to_have_count(0)
    assert threads(notebook) == []
    a_live_t4.set(f"gpu0.memory_used = {5 * GIB}")
    notebook.run("pass")
    expect(notebook.output(2)).to_contain_text("10.0 of 15.0 GiB")
    expect(notebook.page.locator("body")).not_to_contain_text("VBox(")

    notebook.run("%ram_info -w")
    expect(notebook.panel).to_have_count(1)
    notebook.run("%unload_ext colab_magics")
    expect(notebook.panel).to_have_count(0)
    assert threads(notebook) == []


@pytest.mark.frontends("lab", "notebook")
def test_when_its_kernel_is_restarted_the_report_behind_it_comes_back(
    open_notebook: Callable[..., Notebook], a_live_t4: FakeDriver
) -> None:
    notebook = open_notebook(*OPEN)
    uses(notebook.card, 9)
    notebook.page.evaluate("() => { jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart(); }")

    expect(notebook.panel).not_to_be_visible()
    expect(notebook.output(1).locator(".colab-magics").first).to_be_visible()
    expect(notebook.output(1)).to_contain_text("9.0 of 15.0 GiB")
    notebook.page.wait_for_function("jupyterapp.shell.currentWidget.sessionContext.kernelDisplayStatus === 'idle'")


@pytest.mark.frontends("lab", "notebook", "classic")
def test_check_again_tells_that_what_was_mended_is_gone(
    open_notebook: Callable[..., Notebook], a_live_t4: FakeDriver
) -> None:
    a_live_t4.set("fail nvmlInit* = 4")  # no permission
    notebook = open_notebook(*OPEN)
    expect(notebook.control("Check again")).to_be_visible()
    expect(notebook.card).to_contain_text("/dev/nvidia")

    notebook.control("Check again").click()
    expect(notebook.card).to_contain_text("still so")
    a_live_t4.set("heal nvmlInit*")
    notebook.control("Check again").click()
    uses(notebook.card, 9)
    expect(notebook.card).to_contain_text("it is gone")
    expect(notebook.control("Check again")).not_to_be_visible()
