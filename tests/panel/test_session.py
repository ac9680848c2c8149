"""The panel in a real kernel: what it sends to the page, and what it leaves behind."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from colab_magics.guides import Goal
from fake_nvml import FakeDriver
from notebooks import Notebook
from panels import PANEL, THREADS, card, cards, goals, guide, open_panel, opened, settle, title, words

GIB = 2**30
MOST_MESSAGES = 34
"""With which a panel opens: each widget, layout and style is one, and so is each of their later states."""
MOST_BYTES = 42_000
"""With which it opens, most of them the guides; if more are right, say so here."""
COUNT = """
from colab_magics.panel import card, guidance
counts = dict.fromkeys(("render", "title", "fixable_in_place", "marking", "depends_on"), 0)
def counted(module, name):
    act = getattr(module, name)
    def one(*given, **named):
        counts[name] += 1
        return act(*given, **named)
    setattr(module, name, one)
for name in counts:
    counted(card if hasattr(card, name) else guidance, name)
"""

MISTAKES = {
    "in looking": """
from colab_magics import report as broken
def watch(*_, **__):
    raise LookupError('/home/somebody')
broken.watch = watch
""",
    "in showing": """
from colab_magics.panel import card as broken
def render(*_, **__):
    raise LookupError('/home/somebody')
broken.render = render
""",
}


def test_behind_the_panel_stands_the_report_which_reads_without_a_kernel(jupyter: tuple[Notebook, FakeDriver]) -> None:
    notebook, _ = jupyter
    fallback, panel = notebook.run("%runtime_status -w").shown
    notebook.watch(until=lambda: bool(notebook.replaced), seconds=5)
    (once_seen,) = notebook.replaced

    for behind, note in (
        (fallback, "No panel moves here, since"),
        (once_seen, "This is the panel as it was opened at "),
    ):
        assert behind.keys() == {"text/html", "text/plain"}
        assert "Tesla T4</strong>" in behind["text/html"]
        assert "1.0 of 15.0 GiB" in behind["text/html"]
        first, second = behind["text/plain"].split("\n")[:2]
        assert first.startswith(note)
        assert second.startswith("Tesla T4: 1.0 of 15.0 GiB used")
    name = f"cm-fallback-{notebook.of_class('cm-panel')}"
    assert f'class="cm-fallback {name}"' in fallback["text/html"]
    assert f'class="cm-fallback {name}"' in once_seen["text/html"]

    assert panel["application/vnd.jupyter.widget-view+json"]["model_id"] == notebook.of_class("cm-panel")
    assert panel["text/plain"] == ""


def test_the_panel_hides_the_report_that_stands_behind_it_and_no_other(jupyter: tuple[Notebook, FakeDriver]) -> None:
    notebook, _ = jupyter
    fallback, panel = notebook.run("%runtime_status -w").shown
    name = f"cm-fallback-{panel['application/vnd.jupyter.widget-view+json']['model_id']}"

    assert f'class="cm-fallback {name}"' in fallback["text/html"]
    styles = [str(state["value"]) for state in notebook.widgets.values() if "<style>" in str(state.get("value"))]
    assert [f"\n.{name} {{ display: none; }}" in style for style in styles] == [True]


@pytest.mark.parametrize(
    "cell",
    ["time.sleep(4)", "end = time.time() + 4\nwhile time.time() < end: sum(range(999))"],
    ids=["sleeping", "computing"],
)
def test_it_stays_true_while_a_cell_runs(jupyter: tuple[Notebook, FakeDriver], cell: str) -> None:
    notebook, driver = jupyter
    notebook.run("%runtime_status -w")
    sent = notebook.send(f"import time\n{cell}")
    driver.set(f"gpu0.memory_used = {9 * GIB}")

    assert notebook.watch(until=lambda: "9.0 of 15.0 GiB" in card(notebook), seconds=3.5)
    answer = notebook.answer(sent)
    assert (answer.stdout, answer.shown) == ("", [])


def test_a_look_costs_one_message_of_at_most_four_kilobytes(jupyter: tuple[Notebook, FakeDriver]) -> None:
    notebook, _ = jupyter
    notebook.run("%runtime_status -w")
    settle(notebook)
    notebook.updates.clear()
    notebook.watch(seconds=3.2)

    assert 4 <= len(notebook.updates) <= 7
    assert {update["comm_id"] for update in notebook.updates} == {notebook.of_class("cm-card")}
    assert max(len(json.dumps(update)) for update in notebook.updates) <= 4096


def test_of_each_look_everything_is_derived_once(jupyter: tuple[Notebook, FakeDriver]) -> None:
    notebook, _ = jupyter
    open_panel(notebook)
    notebook.run(COUNT)
    notebook.watch(seconds=2.2)
    counts = json.loads(notebook.run("import json; print(json.dumps(counts))").stdout)

    assert min(counts.values()) >= 3
    assert max(counts.values()) <= min(counts.values()) + 1, counts  # one may be under way


def test_the_last_minutes_are_drawn_from_the_second_sample_on(jupyter: tuple[Notebook, FakeDriver]) -> None:
    notebook, driver = jupyter
    notebook.run("%runtime_status -w")
    assert "<svg" not in card(notebook)
    driver.set(f"gpu0.memory_used = {14 * GIB}")

    assert notebook.watch(until=lambda: "7 to 93 %" in card(notebook) and "CPU, last" in card(notebook), seconds=5)
    assert 'aria-label="GPU memory, last ' in card(notebook)


def test_paused_it_sends_nothing_and_the_driver_is_left_alone(jupyter: tuple[Notebook, FakeDriver]) -> None:
    notebook, driver = jupyter
    open_panel(notebook)
    notebook.click("Pause")
    settle(notebook)
    assert "Paused" in card(notebook)
    notebook.updates.clear()
    calls = len(driver.calls())
    notebook.watch(seconds=1.5)
    assert notebook.updates == []
    assert len(driver.calls()) == calls

    notebook.click("Resume")
    settle(notebook)
    assert notebook.watch(until=lambda: len(cards(notebook)) > 3, seconds=5)
    assert "Paused" not in card(notebook)


def test_the_period_can_be_chosen(jupyter: tuple[Notebook, FakeDriver]) -> None:
    notebook, _ = jupyter
    notebook.run("%runtime_status -w")
    notebook.choose("Every", "10 s")
    settle(notebook)
    notebook.updates.clear()
    notebook.watch(seconds=2)

    assert cards(notebook) == []


@pytest.mark.parametrize(
    ("goal", "said"),
    [
        (Goal.GPU, "L4 GPU"),
        (Goal.TPU, "v5e-1 TPU"),
        (Goal.MEMORY, "High-RAM"),
        (Goal.LONGER, "24 h"),
        (Goal.CHEAPER, "Disconnect and delete runtime"),
        (Goal.LIMIT, "colab-billing@google.com"),
    ],
)
def test_every_goal_is_there_with_its_guide(colab: tuple[Notebook, FakeDriver], goal: Goal, said: str) -> None:
    notebook, _ = colab
    notebook.run("%runtime_status -w")

    assert said in guide(notebook, goal)
    assert opened(notebook) == []


def test_it_begins_with_its_subject_where_something_can_be_done(colab: tuple[Notebook, FakeDriver]) -> None:
    notebook, driver = colab
    notebook.run("%gpu_info -w")
    assert opened(notebook) == []

    driver.set("gpus = 0")
    notebook.run("%gpu_info -w")
    assert opened(notebook) == ["gpu"]
    assert "cm-fits-gpu" in notebook.widgets[notebook.of_class("cm-fits")]["_dom_classes"]
    assert "T4 GPU" in guide(notebook, Goal.GPU)


def test_a_panel_on_ram_begins_with_it(colab: tuple[Notebook, FakeDriver]) -> None:
    notebook, _ = colab
    notebook.run("%ram_info -w")

    assert card(notebook).index('<th scope="row">RAM</th>') < card(notebook).index('<th scope="row">GPU memory</th>')


def test_the_goals_are_sent_once_and_again_only_with_another_language_or_other_hardware(
    jupyter: tuple[Notebook, FakeDriver],
) -> None:
    notebook, driver = jupyter
    open_panel(notebook)
    model, first = notebook.of_class("cm-fits"), goals(notebook)
    notebook.updates.clear()
    driver.set(f"gpu0.memory_used = {14 * GIB + GIB * 4 // 10}")
    assert notebook.watch(until=lambda: "cm-fits-memory" in notebook.widgets[model]["_dom_classes"], seconds=5)
    notebook.click("Refresh")
    notebook.choose("Every", "1 s")
    settle(notebook)
    sent = [update["data"]["state"] for update in notebook.updates if update["comm_id"] == model]
    assert [set(state) for state in sent] == [{"_dom_classes"}]

    notebook.choose("Language", "简体中文")
    settle(notebook)
    assert goals(notebook) != first
    assert re.findall('name="([^"]*)"', goals(notebook)) == re.findall('name="([^"]*)"', first)


def test_a_panel_opens_with_few_messages_of_few_bytes(
    jupyter: tuple[Notebook, FakeDriver], monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook, _ = jupyter
    notebook.is_page_open = False  # so that it does not move yet
    sent = notebook.send("%runtime_status -w")
    kinds = list[str]()
    sizes = list[int]()
    heard = notebook._next_message

    def note(*, timeout: float) -> dict[str, Any]:
        message = heard(timeout=timeout)
        kinds.append(message["msg_type"])
        if message["msg_type"] in {"comm_open", "comm_msg", "display_data"}:
            sizes.append(len(json.dumps(message["content"], ensure_ascii=False).encode()))
        return message

    monkeypatch.setattr(notebook, "_next_message", note)
    notebook.answer(sent)

    opening = [kind for kind in kinds if kind in {"comm_open", "comm_msg", "display_data"}]
    assert len(opening) <= MOST_MESSAGES, opening
    assert sum(sizes) <= MOST_BYTES, sizes


def test_another_language_changes_every_word(colab: tuple[Notebook, FakeDriver]) -> None:
    notebook, _ = colab
    notebook.run("%runtime_status -w")
    notebook.choose("Language", "简体中文")
    settle(notebook)

    buttons = {state["description"] for state in notebook.widgets.values() if state["_model_name"] == "ButtonModel"}
    assert {"刷新", "关闭"} <= buttons
    assert "显存" in card(notebook)
    assert "代码执行程序" in guide(notebook, Goal.GPU)
    assert "我想要：" in goals(notebook)
    notebook.choose("语言", "Deutsch")
    settle(notebook)
    assert "Laufzeittyp ändern" in guide(notebook, Goal.GPU)
    assert "GPU memory" in card(notebook)


def test_closed_it_leaves_the_last_report_and_nothing_else(jupyter: tuple[Notebook, FakeDriver]) -> None:
    notebook, driver = jupyter
    before = notebook.run(THREADS).stdout
    notebook.run("%runtime_status -w")
    assert notebook.run(THREADS).stdout == "1\n"
    driver.set(f"gpu0.memory_used = {9 * GIB}")
    assert notebook.watch(until=lambda: "9.0 of 15.0 GiB" in card(notebook), seconds=3)
    notebook.click("Close")
    settle(notebook)

    assert notebook.widgets == {}
    was_open, left, nothing = notebook.replaced
    assert was_open["text/plain"].startswith("This is the panel as it was opened at ")
    assert nothing == {"text/plain": ""}
    assert left.keys() == {"text/html", "text/plain"}
    assert "cm-fallback" not in left["text/html"]
    assert left["text/plain"].startswith("This is the panel as it was closed at ")
    assert "9.0 of 15.0 GiB" in left["text/html"]
    assert notebook.run(THREADS).stdout == before == "0\n"
    calls = len(driver.calls())
    notebook.watch(seconds=1.2)
    assert len(driver.calls()) == calls


def test_another_panel_closes_the_one_before(jupyter: tuple[Notebook, FakeDriver]) -> None:
    notebook, _ = jupyter
    notebook.run("%runtime_status -w")
    first = notebook.of_class("cm-panel")
    notebook.run("%gpu_info -w")

    assert notebook.of_class("cm-panel") != first
    assert len(notebook.replaced) == 3
    assert notebook.run(THREADS).stdout == "1\n"


def test_unloading_closes_it(jupyter: tuple[Notebook, FakeDriver]) -> None:
    notebook, _ = jupyter
    notebook.run("%runtime_status -w")
    notebook.run("%unload_ext colab_magics")

    assert notebook.widgets == {}
    assert notebook.run(THREADS).stdout == "0\n"


def test_a_kernel_that_is_shut_down_leaves_the_last_report(jupyter: tuple[Notebook, FakeDriver]) -> None:
    notebook, _ = jupyter
    notebook.run("%runtime_status -w")
    notebook.client.shutdown()

    assert notebook.watch(until=lambda: bool(notebook.replaced), seconds=10)
    assert "Tesla T4" in notebook.replaced[0]["text/plain"]
    until = time.monotonic() + 10
    while notebook.manager.is_alive() and time.monotonic() < until:
        time.sleep(0.05)
    assert not notebook.manager.is_alive()


def test_on_colab_it_is_refreshed_after_each_cell_and_by_its_button(colab: tuple[Notebook, FakeDriver]) -> None:
    notebook, driver = colab
    notebook.is_page_open = False  # whether this page answers is not known, and not asked
    shown, _ = notebook.run("%runtime_status -w").shown
    assert shown["text/plain"].startswith("This is the panel as it was opened at ")
    assert "Updates after each cell" in card(notebook)
    assert not {"Pause", "Resume", "Every"} & words(notebook)
    driver.set(f"gpu0.memory_used = {9 * GIB}")
    notebook.run("1 + 1")
    assert "9.0 of 15.0 GiB" in card(notebook)

    notebook.updates.clear()
    notebook.watch(seconds=1)
    assert notebook.updates == []
    driver.set(f"gpu0.memory_used = {3 * GIB}")
    notebook.click("Refresh")
    assert notebook.watch(until=lambda: "3.0 of 15.0 GiB" in card(notebook), seconds=5)

    notebook.click("Close")
    settle(notebook)
    assert (
        "[]"
        in notebook.run(
            "print([f for f in get_ipython().events.callbacks['post_run_cell'] if 'Panel' in repr(f)])"
        ).stdout
    )


def test_on_colab_the_first_look_has_a_share_of_cpu_time_and_lines(colab: tuple[Notebook, FakeDriver]) -> None:
    notebook, _ = colab
    notebook.run("%runtime_status -w")

    first, *_ = cards(notebook)  # the next is of the look after the cell that opened it
    assert "Updates after each cell" in first
    for name in ("GPU memory", "GPU use", "RAM"):
        assert f'aria-label="{name}, last ' in first
    assert 'title="CPU"' in first


def test_on_colab_no_cell_waits_for_a_driver_that_hangs(colab: tuple[Notebook, FakeDriver]) -> None:
    notebook, driver = colab
    driver.set("hang nvmlInitWithFlags")
    started = time.monotonic()
    notebook.run("%runtime_status -w")
    assert time.monotonic() - started < 6
    assert "still starting" in title(notebook)
    started = time.monotonic()
    for _ in range(3):
        notebook.run("1 + 1")

    assert time.monotonic() - started < 3
    assert "RAM" in card(notebook)


def test_ctrl_c_while_the_panel_looks_after_a_cell_says_nothing_in_the_cell(colab: tuple[Notebook, FakeDriver]) -> None:
    notebook, driver = colab
    notebook.run("%config ColabMagics.driver_deadline_seconds = 15")
    notebook.run("%runtime_status -w")
    driver.set("slow nvmlDeviceGetMemoryInfo* = 3")
    sent = notebook.send("print('mine')")
    time.sleep(1)
    notebook.manager.interrupt_kernel()
    answer = notebook.answer(sent)

    assert (answer.status, answer.streams) == ("ok", {"stdout": "mine\n", "stderr": ""})


def test_the_guides_follow_what_they_depend_on(jupyter: tuple[Notebook, FakeDriver]) -> None:
    notebook, driver = jupyter
    driver.set("fail nvmlInitWithFlags = 18")
    notebook.run("%runtime_status -w")
    assert "are of different versions" in guide(notebook, Goal.GPU)
    driver.set("heal nvmlInitWithFlags")
    notebook.click("Refresh")

    assert notebook.watch(until=lambda: "There is a GPU here: Tesla T4." in guide(notebook, Goal.GPU), seconds=5)


def test_a_verdict_is_of_a_look_that_began_after_the_click_and_goes_with_what_it_was_about(
    jupyter: tuple[Notebook, FakeDriver],
) -> None:
    notebook, driver = jupyter
    driver.set("fail nvmlInitWithFlags = 18")
    notebook.run("%runtime_status -w")
    slow_look = """
import time
from colab_magics import report as slowed
usual = slowed.watch
def watch(*given, **how):
    seen = usual(*given, **how)
    time.sleep(1)
    return seen
slowed.watch = watch
"""
    notebook.run(slow_look)
    time.sleep(0.8)  # a look is under way
    driver.set("heal nvmlInitWithFlags")
    notebook.click("Check again")
    assert notebook.watch(until=lambda: "Checked again" in card(notebook), seconds=8)
    assert "Checked again: it is gone" in card(notebook)

    driver.set("segv nvmlDeviceGetMemoryInfo*")
    assert notebook.watch(until=lambda: "took down the process" in title(notebook), seconds=8)
    assert notebook.watch(until=lambda: "Checked again" not in card(notebook), seconds=1)


def test_who_holds_the_gpu_is_said_in_the_report_that_is_left_too(jupyter: tuple[Notebook, FakeDriver]) -> None:
    notebook, driver = jupyter
    driver.set("gpu0.process = 4194304 1048576")
    shown, _ = notebook.run("%gpu_info -w -p").shown
    notebook.click("Close")
    settle(notebook)

    assert "4194304" in shown["text/plain"] or "outside this container" in shown["text/plain"]
    assert notebook.replaced[0]["text/plain"].count("\n") >= shown["text/plain"].count("\n")


def test_ctrl_c_while_it_opens_leaves_nothing(jupyter: tuple[Notebook, FakeDriver]) -> None:
    notebook, driver = jupyter
    notebook.run("%config ColabMagics.driver_deadline_seconds = 15")
    driver.set("hang nvmlInitWithFlags")
    sent = notebook.send("%runtime_status -w")
    time.sleep(1.5)
    notebook.manager.interrupt_kernel()
    assert notebook.answer(sent).error == "KeyboardInterrupt"

    assert notebook.widgets == {}
    assert notebook.run(THREADS).stdout == "0\n"
    calls = len(driver.calls())
    notebook.watch(seconds=1.2)
    assert len(driver.calls()) == calls


def test_unloading_does_not_wait_for_a_driver(jupyter: tuple[Notebook, FakeDriver]) -> None:
    notebook, driver = jupyter
    notebook.run("%config ColabMagics.driver_deadline_seconds = 20")
    notebook.run("%runtime_status -w")
    driver.set("hang nvmlDeviceGetMemoryInfo*")
    notebook.watch(seconds=1)
    started = time.monotonic()
    notebook.run("%unload_ext colab_magics")

    assert time.monotonic() - started < 3
    assert notebook.widgets == {}


def test_a_mended_driver_is_seen_at_once(jupyter: tuple[Notebook, FakeDriver]) -> None:
    notebook, driver = jupyter
    driver.set("fail nvmlInitWithFlags = 18")
    notebook.run("%runtime_status -w")
    assert "are of different versions" in card(notebook) + title(notebook)
    notebook.click("Check again")
    settle(notebook)
    assert notebook.watch(until=lambda: "Checked again: still so" in card(notebook), seconds=5)

    driver.set("heal nvmlInitWithFlags")
    notebook.click("Check again")
    settle(notebook)
    assert notebook.watch(until=lambda: "Checked again: it is gone" in card(notebook), seconds=5)
    assert "Tesla T4" in title(notebook)


def test_a_disk_with_room_again_is_seen_and_the_last_minutes_are_kept(jupyter: tuple[Notebook, FakeDriver]) -> None:
    notebook, _ = jupyter
    notebook.run("from colab_magics.rules import runtime; runtime._DISK_FREE_PERCENT = 100")
    notebook.run("%runtime_status -w")
    assert notebook.watch(until=lambda: "<svg" in card(notebook), seconds=5)
    notebook.run("runtime._DISK_FREE_PERCENT = 0")
    notebook.click("Check again")
    settle(notebook)

    assert notebook.watch(until=lambda: "Checked again: it is gone" in card(notebook), seconds=5)
    assert "<svg" in card(notebook)


def test_a_driver_that_hangs_is_said_in_the_panel_and_delays_no_cell(jupyter: tuple[Notebook, FakeDriver]) -> None:
    notebook, driver = jupyter
    notebook.run("%runtime_status -w")
    driver.set("hang nvmlDeviceGetMemoryInfo*")
    title = notebook.of_class("cm-title")
    assert notebook.watch(until=lambda: "did not answer" in notebook.widgets[title]["value"], seconds=8)
    started = time.monotonic()
    notebook.run("1 + 1")

    assert time.monotonic() - started < 1
    assert "RAM" in card(notebook)


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_of_ours_is_said_in_the_panel_and_nowhere_else(
    jupyter: tuple[Notebook, FakeDriver], mistake: str
) -> None:
    notebook, _ = jupyter
    notebook.run("%runtime_status -w")
    broken = notebook.run(mistake)
    assert notebook.watch(until=lambda: "LookupError" in card(notebook), seconds=5)
    after = notebook.run("1 + 1")

    assert "The panel stopped: LookupError." in card(notebook)
    assert "/home/somebody" not in card(notebook)
    assert broken.streams == after.streams == {"stdout": "", "stderr": ""}
    notebook.run("import importlib; importlib.reload(broken)")
    notebook.click("Resume")
    assert notebook.watch(until=lambda: "of 15.0 GiB" in card(notebook), seconds=5)


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_on_colab_a_mistake_of_ours_breaks_no_cell(colab: tuple[Notebook, FakeDriver], mistake: str) -> None:
    notebook, _ = colab
    notebook.run("%runtime_status -w")
    notebook.run(mistake)
    after = notebook.run("print('fine')")

    assert (after.status, after.streams) == ("ok", {"stdout": "fine\n", "stderr": ""})
    assert "The panel stopped: LookupError." in card(notebook)
    notebook.run("import importlib; importlib.reload(broken)")
    assert "LookupError" not in card(notebook)


def test_a_mistake_in_one_look_costs_that_section_alone(jupyter: tuple[Notebook, FakeDriver]) -> None:
    notebook, driver = jupyter
    notebook.run("%runtime_status -w")
    broken = """
from colab_magics.probes import ram as broken
def probe_ram(**_):
    raise LookupError('/home/somebody')
broken.probe_ram = probe_ram
"""
    notebook.run(broken)
    driver.set(f"gpu0.memory_used = {9 * GIB}")

    assert notebook.watch(until=lambda: "9.0 of 15.0 GiB" in card(notebook), seconds=5)
    assert '<th scope="row">RAM</th>' not in card(notebook)
    assert '<th scope="row">CPU</th>' in card(notebook)
    assert "LookupError" in card(notebook)
    assert "/home/somebody" not in card(notebook)


def test_what_the_driver_calls_a_gpu_does_not_become_html(jupyter: tuple[Notebook, FakeDriver]) -> None:
    notebook, driver = jupyter
    driver.set("gpu0.name = <img src=x onerror=alert(1)>")
    notebook.run("%runtime_status -w")

    assert "&lt;img" in goals(notebook)
    assert not any("<img" in str(state.get("value")) for state in notebook.widgets.values())


def test_a_process_that_is_forked_from_the_kernel_leaves_the_panel_alone(jupyter: tuple[Notebook, FakeDriver]) -> None:
    notebook, _ = jupyter
    open_panel(notebook)
    notebook.replaced.clear()
    fork_while_it_shows = f"""
import os
with {PANEL}._lock:  # as its thread holds it for moments
    pid = os.fork()
if not pid:
    import threading; threading.Thread(target={PANEL}.close, daemon=True).start()
    import time; time.sleep(1)
    os._exit(threading.active_count() - 1)
_, status = os.waitpid(pid, 0)
print(os.waitstatus_to_exitcode(status))
"""
    assert notebook.run(fork_while_it_shows).stdout == "0\n"
    settle(notebook)
    notebook.updates.clear()

    assert notebook.watch(until=lambda: bool(cards(notebook)), seconds=3)
    assert notebook.replaced == []


def test_only_the_gpus_that_were_asked_for_are_shown(
    open_notebook: Callable[..., Notebook], plug_in: Callable[..., FakeDriver]
) -> None:
    plug_in("eight-a100")
    notebook = open_notebook()
    notebook.run("%config ColabMagics.panel_period_seconds = 0.5")
    notebook.run("%gpu_info -w 3 5")
    settle(notebook)
    assert notebook.watch(until=lambda: len(cards(notebook)) > 2, seconds=5)

    shown = [number for number in range(8) if f'<th scope="row">{number}</th>' in card(notebook)]
    assert shown == [3, 5]


def test_a_gpu_that_was_asked_for_and_is_gone_is_not_said_never_to_have_been(
    monkeypatch: pytest.MonkeyPatch, open_notebook: Callable[..., Notebook], plug_in: Callable[..., FakeDriver]
) -> None:
    driver = plug_in("eight-a100")
    monkeypatch.setenv("FAKE_NVML_LIVE", "1")
    notebook = open_notebook()
    notebook.run("%config ColabMagics.panel_period_seconds = 0.5")
    notebook.run("%gpu_info -w 7")
    driver.set("gpus = 4")

    assert notebook.watch(until=lambda: "has lost the GPU" in title(notebook), seconds=5)
    assert "Not connected" not in title(notebook)


# Where there can be no panel ----------------------------------------------------------------------------------------


def test_without_ipywidgets_the_report_is_shown_and_why(jupyter: tuple[Notebook, FakeDriver]) -> None:
    notebook, _ = jupyter
    notebook.run("import sys; sys.modules['ipywidgets'] = None")
    (shown,) = notebook.run("%gpu_info -w").shown

    assert shown.keys() == {"text/html", "text/plain"}
    why, report = shown["text/plain"].split("\n")[:2]
    assert why == "No panel, since ipywidgets is not installed (%pip install ipywidgets): the report without it."
    assert report.startswith("Tesla T4: ")
    assert why in shown["text/html"]


def test_where_nobody_can_click_the_report_is_shown_and_why(jupyter: tuple[Notebook, FakeDriver]) -> None:
    notebook, _ = jupyter
    (shown,) = notebook.run("%gpu_info -w", allow_stdin=False).shown

    assert shown.keys() == {"text/html", "text/plain"}
    assert shown["text/plain"].startswith("No panel, since this notebook runs without a page to click in")
    assert notebook.widgets == {}


def test_voila_has_a_page_though_nobody_types_there(
    monkeypatch: pytest.MonkeyPatch, open_notebook: Callable[..., Notebook]
) -> None:
    monkeypatch.setenv("SERVER_SOFTWARE", "voila/0.5.11")
    _, shown = open_notebook().run("%gpu_info -w", allow_stdin=False).shown

    assert "application/vnd.jupyter.widget-view+json" in shown


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("%runtime_status -w -j", "-w and -j exclude each other"),
        ("%ram_info -o --widget", "-w and -o exclude each other"),
        ("%gpu_info -a -w", "-w and -a exclude each other"),
        ("%gpu_info -w --quiet", "-w and -q exclude each other"),
    ],
)
def test_what_excludes_each_other_is_said_in_one_line(
    jupyter: tuple[Notebook, FakeDriver], line: str, found: str
) -> None:
    notebook, _ = jupyter
    answer = notebook.run(line)

    assert answer.status == "error"
    assert answer.streams["stderr"].startswith(f"UsageError: {found}. Allowed: %")
    assert answer.streams["stderr"].count("\n") == 1


def test_a_requirement_that_is_not_met_stops_before_the_panel(jupyter: tuple[Notebook, FakeDriver]) -> None:
    notebook, _ = jupyter
    answer = notebook.run('%runtime_status -w -r "gpu=H100"')

    assert answer.status == "error"
    assert notebook.widgets == {}


def test_a_period_that_is_too_short_is_refused_in_one_line_and_the_one_before_holds(
    jupyter: tuple[Notebook, FakeDriver],
) -> None:
    notebook, _ = jupyter
    notebook.run("%config ColabMagics.panel_period_seconds = 3")
    refused = notebook.run("%config ColabMagics.panel_period_seconds = 0.1").streams["stderr"]
    notebook.run("%runtime_status -w")

    assert refused.count("\n") == 1
    assert "should not be less than 0.5, but a value of 0.1 was specified" in refused
    offered = notebook.widgets[notebook.widget(description="Every")]
    assert offered["_options_labels"] == ["0.5 s", "1 s", "2 s", "3 s", "5 s", "10 s"]
    assert offered["index"] == 3


def test_an_unknown_language_is_refused_in_one_line_and_the_panel_speaks_the_one_before(
    jupyter: tuple[Notebook, FakeDriver],
) -> None:
    notebook, _ = jupyter
    refused = notebook.run("%config ColabMagics.language = 'tlh'").streams["stderr"]
    notebook.run("%runtime_status -w")

    assert refused.count("\n") == 1
    assert "The language is 'tlh'. Allowed: auto, en, zh-CN, " in refused
    assert notebook.widget(description="Refresh")
