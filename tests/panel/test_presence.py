"""Whether somebody is there: as a value, and in real kernels, where nothing is sampled or sent for nobody."""

from __future__ import annotations

import pytest

from clocks import Clock
from colab_magics.panel import presence
from colab_magics.panel.presence import ANSWER_SECONDS, ASK_SECONDS, ATTENDED_SECONDS, Presence
from fake_nvml import FakeDriver
from notebooks import Notebook
from panels import THREADS, card, cards, open_panel, settle, words

GIB = 2**30
FOREVER = float("inf")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(presence, "time", clock)
    return clock


@pytest.fixture
def asked() -> list[int]:
    """The questions that were sent."""
    return []


@pytest.fixture
def somebody(clock: Clock, asked: list[int]) -> Presence:
    """A page that has answered once, after the cell that opened the panel."""
    somebody = Presence(asked.append, was_seen=False)
    somebody.ask()
    somebody.cell_ended()
    assert somebody.answered("1")
    return somebody


def test_until_a_page_has_answered_nobody_is_there(clock: Clock, asked: list[int]) -> None:
    nobody = Presence(asked.append, was_seen=False)
    nobody.ask()
    assert (nobody.was_seen, nobody.seconds_left) == (False, 0)
    nobody.cell_ended()
    nobody.cell_started()
    assert (nobody.was_seen, nobody.seconds_left, asked) == (False, 0, [1])

    assert nobody.answered("1")
    assert (nobody.was_seen, nobody.seconds_left) == (True, FOREVER)


@pytest.mark.parametrize("number", ["0", "2", "", "one", "1 "])
def test_what_is_no_answer_to_the_last_question_says_nothing(clock: Clock, asked: list[int], number: str) -> None:
    nobody = Presence(asked.append, was_seen=False)
    nobody.ask()

    assert not nobody.answered(number)
    assert not nobody.was_seen


def test_a_click_is_as_good_as_an_answer(clock: Clock, asked: list[int]) -> None:
    somebody = Presence(asked.append, was_seen=False)
    somebody.ask()
    somebody.cell_ended()
    somebody.clicked()

    assert somebody.seconds_left == ATTENDED_SECONDS


def test_a_page_that_is_left_open_is_somebody_for_ten_minutes(clock: Clock, somebody: Presence) -> None:
    assert somebody.seconds_left == ATTENDED_SECONDS == 600
    clock.now += 599
    assert somebody.seconds_left == 1
    somebody.clicked()
    clock.now += 599
    somebody.cell_started()
    somebody.cell_ended()
    clock.now += 600
    assert somebody.seconds_left == 0


def test_a_page_that_does_not_answer_in_time_is_closed(clock: Clock, somebody: Presence, asked: list[int]) -> None:
    clock.now += 60
    somebody.ask_in_time()
    assert (asked, somebody.seconds_left) == ([1, 2], ANSWER_SECONDS)
    clock.now += ANSWER_SECONDS
    assert somebody.seconds_left == 0

    assert somebody.answered("2")  # it was loaded again
    assert somebody.seconds_left > 0


def test_one_question_at_most_is_out_and_an_answer_holds_for_a_while(
    clock: Clock, somebody: Presence, asked: list[int]
) -> None:
    clock.now += ASK_SECONDS - 1
    somebody.ask_in_time()
    assert asked == [1]
    clock.now += 1
    somebody.ask_in_time()
    clock.now += 5 * ASK_SECONDS
    somebody.ask_in_time()
    assert asked == [1, 2]


def test_while_a_cell_runs_silence_says_nothing_and_its_end_gives_the_page_time(
    clock: Clock, somebody: Presence
) -> None:
    somebody.cell_started()
    clock.now += ASK_SECONDS
    somebody.ask_in_time()
    clock.now += 10 * ATTENDED_SECONDS
    assert somebody.seconds_left == FOREVER
    somebody.cell_ended()
    assert somebody.seconds_left == ANSWER_SECONDS


# In a real kernel ---------------------------------------------------------------------------------------------------

PATIENCE = """
from colab_magics.panel import presence
presence.ATTENDED_SECONDS, presence.ASK_SECONDS, presence.ANSWER_SECONDS = {attended}, 0.5, 0.5
"""
NOBODY = "Paused, since nobody seems to be here: a click or a cell lets it move again"


def be_quick(notebook: Notebook, *, attended: float = 600) -> None:
    """Let the panel notice within a second that nobody is there."""
    notebook.run(PATIENCE.format(attended=attended))


def assert_nothing_happens(notebook: Notebook, driver: FakeDriver) -> None:
    notebook.watch(seconds=0.3)  # what is under way
    notebook.updates.clear()
    calls = len(driver.calls())
    notebook.watch(seconds=1.5)
    assert notebook.updates == []
    assert len(driver.calls()) == calls


def test_where_no_page_answers_the_report_says_so_and_nothing_is_sampled_or_sent(
    jupyter: tuple[Notebook, FakeDriver],
) -> None:
    notebook, driver = jupyter
    notebook.is_page_open = False
    answer = notebook.run("%runtime_status -w")
    shown, _ = answer.shown
    why, report = shown["text/plain"].split("\n")[:2]

    assert why.startswith("No panel moves here, since no page has answered: this is the report of ")
    assert report.startswith("Tesla T4: 1.0 of 15.0 GiB used")
    assert why in shown["text/html"]
    assert_nothing_happens(notebook, driver)
    assert notebook.run(THREADS).stdout == "0\n"
    assert_nothing_happens(notebook, driver)
    assert answer.streams == {"stdout": "", "stderr": ""}
    assert notebook.replaced == []


def test_it_moves_from_the_first_answer_of_a_page_on(jupyter: tuple[Notebook, FakeDriver]) -> None:
    notebook, driver = jupyter
    notebook.is_page_open = False
    notebook.run("%runtime_status -w")
    assert "It moves once this page has answered, or after a click" in card(notebook)
    driver.set(f"gpu0.memory_used = {9 * GIB}")
    notebook.open_page()

    assert notebook.watch(until=lambda: "9.0 of 15.0 GiB" in card(notebook), seconds=5)
    assert "Pause" in words(notebook)
    assert "It moves once" not in card(notebook)
    assert [left["text/plain"].split(" at ")[0] for left in notebook.replaced] == ["This is the panel as it was opened"]


def test_a_click_shows_that_a_page_is_there_that_never_answers(jupyter: tuple[Notebook, FakeDriver]) -> None:
    notebook, _ = jupyter
    notebook.is_page_open = False
    notebook.run("%runtime_status -w")
    notebook.click("Resume")
    assert notebook.watch(until=lambda: len(cards(notebook)) > 3, seconds=5)
    assert "Pause" in words(notebook)


def test_once_its_page_is_closed_it_says_so_and_sends_nothing_more(jupyter: tuple[Notebook, FakeDriver]) -> None:
    notebook, driver = jupyter
    open_panel(notebook)
    be_quick(notebook)
    notebook.watch(seconds=2)
    assert "Pause" in words(notebook)
    notebook.is_page_open = False

    assert notebook.watch(until=lambda: NOBODY in card(notebook), seconds=4)
    assert "Resume" in words(notebook)
    assert_nothing_happens(notebook, driver)


def test_it_moves_again_where_a_page_answers_again(jupyter: tuple[Notebook, FakeDriver]) -> None:
    notebook, _ = jupyter
    open_panel(notebook)
    be_quick(notebook)
    notebook.is_page_open = False
    assert notebook.watch(until=lambda: NOBODY in card(notebook), seconds=4)
    notebook.open_page()

    assert notebook.watch(until=lambda: "Pause" in words(notebook) and NOBODY not in card(notebook), seconds=4)


def test_a_page_where_nobody_does_anything_is_left_alone_until_a_cell_or_a_click(
    jupyter: tuple[Notebook, FakeDriver],
) -> None:
    notebook, driver = jupyter
    open_panel(notebook)
    be_quick(notebook, attended=1.5)
    assert notebook.watch(until=lambda: NOBODY in card(notebook), seconds=5)
    assert_nothing_happens(notebook, driver)
    assert notebook.run(THREADS).stdout == "0\n"

    assert notebook.watch(until=lambda: "Pause" in words(notebook), seconds=4)  # since a cell has run
    assert notebook.watch(until=lambda: NOBODY in card(notebook), seconds=5)
    notebook.choose("Language", "Deutsch")
    assert notebook.watch(until=lambda: "Pause" in words(notebook), seconds=4)


def test_a_cell_of_another_client_does_not_let_it_move_for_a_page_that_is_closed(
    jupyter: tuple[Notebook, FakeDriver],
) -> None:
    notebook, driver = jupyter
    open_panel(notebook)
    be_quick(notebook)
    notebook.is_page_open = False
    assert notebook.watch(until=lambda: NOBODY in card(notebook), seconds=4)
    notebook.run("pass")

    assert "Resume" in words(notebook)
    assert_nothing_happens(notebook, driver)


def test_while_a_cell_runs_a_page_that_answers_only_afterwards_is_there(jupyter: tuple[Notebook, FakeDriver]) -> None:
    notebook, driver = jupyter
    open_panel(notebook)
    be_quick(notebook)
    sent = notebook.send("import time; time.sleep(3)")
    notebook.is_page_open = False
    notebook.watch(seconds=2)
    driver.set(f"gpu0.memory_used = {9 * GIB}")

    assert notebook.watch(until=lambda: "9.0 of 15.0 GiB" in card(notebook), seconds=2)
    notebook.open_page()
    notebook.answer(sent)
    notebook.watch(seconds=1)
    assert "Pause" in words(notebook)


def test_paused_by_a_click_it_stays_so_whatever_a_page_answers(jupyter: tuple[Notebook, FakeDriver]) -> None:
    notebook, driver = jupyter
    open_panel(notebook)
    be_quick(notebook)
    notebook.click("Pause")
    settle(notebook)
    notebook.run("pass")
    notebook.open_page()

    assert_nothing_happens(notebook, driver)
    assert notebook.run(THREADS).stdout == "0\n"
    assert "Paused" in card(notebook)


def test_on_colab_where_no_page_is_asked_the_sampling_ends_and_begins_with_the_next_cell(
    colab: tuple[Notebook, FakeDriver],
) -> None:
    notebook, driver = colab
    notebook.is_page_open = False
    notebook.run("%config ColabMagics.panel_period_seconds = 0.5")
    notebook.run("%runtime_status -w")
    calls = len(driver.calls())
    notebook.watch(seconds=1.5)
    assert len(driver.calls()) > calls
    be_quick(notebook, attended=0.5)
    notebook.watch(seconds=1)

    assert_nothing_happens(notebook, driver)
    driver.set(f"gpu0.memory_used = {9 * GIB}")
    notebook.run("pass")
    assert "9.0 of 15.0 GiB" in card(notebook)
    assert "Updates after each cell" in card(notebook)
