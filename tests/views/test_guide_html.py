"""A goal's guide as a page; what each says of a machine is in tests/guides."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from builders import CPU_RUNTIME, HUNG_DRIVER, JUPYTER, KAGGLE, T4, V5E, a_report
from colab_magics import facts, guides, rules
from colab_magics.guides import CommandStep, Goal, Guide, Point, Sentence, TextStep
from colab_magics.translation import translator
from colab_magics.views import guide_html, messages
from markup import Markup
from runtimes import GUIDED, LARGEST_TPU, SERVICES, TPU_RUNTIME, at

LANGUAGES = ("en", "zh-CN", "de", "ja")
ENGLISH = translator("en")
NEW_MACHINE = "This gives you a new machine: variables and files in /content are lost."


def shown(goal: Goal, language: str = "en", **changes: Any) -> str:
    report = a_report(**changes)
    guide = guides.for_goal(goal, report.snapshot, rules.blocking(report.findings))
    return guide_html.page(guide, translator(language))


def words(page: str) -> str:
    """Return what is read without any style sheet."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page)))


def steps(page: str) -> list[str]:
    """Return the first list of steps, those within a step too, as they are read."""
    found = re.search(
        r'<ol class="cm-guide-steps">(.*?)</ol>(?=<div class="cm-guide-picture"|</div>|<p)', page, re.DOTALL
    )
    assert found is not None
    return [words(item).strip() for item in re.split(r"<li>", found[1])[1:]]


def marks(page: str) -> dict[str, str]:
    """Return what the schematic marks, by number."""
    rows = re.findall(r'<b class="cm-guide-badge">(\w+)</b> <span class="cm-guide-word">(.*?)</div>', page)
    return {number: words(row).strip() for number, row in rows}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("service", SERVICES, ids=str)
@pytest.mark.parametrize("goal", Goal)
def test_every_page_is_whole_and_brings_nothing_from_outside(goal: Goal, service: str | None, language: str) -> None:
    for changes in GUIDED.values():
        page = Markup(shown(goal, language, **at(service, changes)))

        assert not page.names & {"script", "style", "img", "link", "iframe", "object", "svg"}
        assert not [name for name in page.attributes if name.startswith("on") or name in ("src", "style")]
        addresses = [link["href"] or "" for link in page.all("a")]
        assert all(address.startswith(("https://", "mailto:")) for address in addresses)
        assert page.tags[0] == ("div", {"class": "cm-guide", "lang": translator(language).spoken})


@pytest.mark.parametrize("service", ["colab", "kaggle", None], ids=str)
@pytest.mark.parametrize("goal", Goal)
def test_a_device_s_name_is_never_html(goal: Goal, service: str | None) -> None:
    gpu = shown(goal, **at(service, {"gpus": (replace(T4, name="<b>x</b>"),)}))
    tpu = shown(goal, **at(service, {**TPU_RUNTIME, "tpus": (replace(V5E, accelerator_type="<b>x</b>"),)}))

    assert "<b>x" not in gpu + tpu
    if goal is Goal.GPU:
        assert "&lt;b&gt;x&lt;/b&gt;" in gpu
    if goal is Goal.TPU and service == "colab":
        assert "&lt;b&gt;x&lt;/b&gt;" in tpu


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("goal", [Goal.GPU, Goal.TPU, Goal.MEMORY])
def test_the_steps_quote_the_menu_in_the_reader_s_language_and_in_english(goal: Goal, language: str) -> None:
    page, translate = shown(goal, language, **CPU_RUNTIME), translator(language)

    first, *_, last = steps(page)
    menu = facts.menu(language)
    assert menu is not None
    assert first == messages.way(("runtime_menu", "change_runtime_type"), translate)
    assert menu.change_runtime_type in first
    assert "Runtime > Change runtime type" in first
    assert last == messages.way(("save",), translate)
    assert "Save" in last


@pytest.mark.parametrize(
    ("goal", "case", "marked"),
    [
        (Goal.GPU, "cpu", {"2": "◉ T4 GPU"}),
        (Goal.GPU, "hung driver", {"2": "◉ T4 GPU"}),
        (Goal.GPU, "t4", {"2": "◉ L4 GPU"}),
        (Goal.GPU, "a100", {"2": "◉ T4 GPU"}),
        (Goal.TPU, "cpu", {"2": "◉ v5e-1 TPU"}),
        (Goal.TPU, "tpu", {"2": "◉ v6e-1 TPU"}),
        (Goal.MEMORY, "cpu", {"2": "High-RAM on"}),
        (Goal.IMAGE, "t4", {"2": "Runtime version"}),
        (Goal.MEMORY, "t4", {"2a": "High-RAM on", "2b": "○ L4 GPU"}),
        (Goal.MEMORY, "l4", {"2": "◉ A100 GPU"}),
        (Goal.MEMORY, "a100", {"2a": "High-RAM on", "2b": "○ H100 GPU"}),
        (Goal.MEMORY, "a100 high-ram", {"2": "◉ G4 GPU"}),
        (Goal.MEMORY, "tpu", {"2": "◉ v6e-1 TPU"}),
        (Goal.MEMORY, "hung driver", {"2a": "High-RAM on", "2b": "Hardware accelerator"}),
    ],
)
def test_the_picture_marks_what_the_steps_say(goal: Goal, case: str, marked: dict[str, str]) -> None:
    page = shown(goal, **GUIDED[case])

    assert marks(page) == {"1": "Change runtime type", **marked, "3": "Save"}
    said = " ".join(steps(page))
    for row in marked.values():
        assert re.sub(r"^[○◉] | on$", "", row) in said
    label = re.search(r'role="img" aria-label="([^"]*)"', page)
    assert label is not None
    for number in marks(page):
        assert f" {number} marks " in label[1]


def test_a_guide_without_steps_has_no_picture() -> None:
    page = shown(Goal.MEMORY, **LARGEST_TPU)

    assert "Nothing that Colab offers is known to have more." in page
    assert "cm-guide-steps" not in page
    assert "cm-guide-picture" not in page
    assert NEW_MACHINE not in page


@pytest.mark.parametrize(("goal", "changes"), [(Goal.GPU, True), (Goal.TPU, True), (Goal.MEMORY, True),
                                               (Goal.CHEAPER, True), (Goal.LONGER, False)])  # fmt: skip
def test_a_new_machine_is_told_where_there_will_be_one(goal: Goal, changes: bool) -> None:
    page = shown(goal)

    assert (NEW_MACHINE in page) == changes
    assert ("Then run again from your first cell" in page) == changes
    assert NEW_MACHINE not in shown(goal, platform=JUPYTER)


def test_two_kinds_of_memory_are_told_apart() -> None:
    page = words(shown(Goal.MEMORY))

    assert "RAM When it runs out, the kernel ends" in page
    assert "GPU memory When it runs out, the cell fails" in page
    assert "GPU memory" not in words(shown(Goal.MEMORY, **CPU_RUNTIME)).split("What each choice gives")[0]
    assert "High-RAM more RAM, a card with 80 GiB (for Pro and Pro+, not with compute units" in words(
        shown(Goal.MEMORY, **GUIDED["a100"])
    )


def test_to_stop_paying_the_menu_alone_is_drawn() -> None:
    page = shown(Goal.CHEAPER)

    assert marks(page) == {"2": "Manage sessions", "3": "Disconnect and delete runtime"}
    assert "cm-guide-dialog" not in page
    assert [step.split(" end ")[0] for step in steps(page)][1:] == [
        "Runtime > Manage sessions",
        "Runtime > Disconnect and delete runtime gives this machine back",
    ]
    assert "CPU / T4 GPU / v5e-1 TPU" in page


@pytest.mark.parametrize("goal", [Goal.GPU, Goal.TPU, Goal.MEMORY])
def test_the_ways_outside_colab_s_web_page_are_folded_away(goal: Goal) -> None:
    page = shown(goal)

    assert "<details><summary>Not on Colab&#x27;s web page?</summary>" in page
    for place in ("VS Code", "Colab CLI", "Colab, the older dialog"):
        assert f"{place}:" in words(page)


def test_on_kaggle_the_steps_are_kaggle_s() -> None:
    page = shown(Goal.GPU, **{**CPU_RUNTIME, "platform": KAGGLE})

    assert steps(page) == ["Settings > Accelerator", "GPU T4 x2", "confirm in the dialog"]
    assert "GPU P100 is being phased out" in words(page)
    assert "GPU L4 x4, GPU RTX Pro 6000" in words(page)
    assert "phone number" in page
    assert "about 30 h" in words(page)


@pytest.mark.parametrize("service", [service for service in SERVICES if service != "colab"], ids=str)
@pytest.mark.parametrize("goal", Goal)
def test_colab_s_dialog_is_shown_on_hosted_colab_alone(goal: Goal, service: str | None) -> None:
    page = shown(goal, **at(service, CPU_RUNTIME))

    assert "Change runtime type" not in page
    assert "cm-guide-picture" not in page


def test_the_finding_that_blocks_the_gpu_is_said_before_its_steps() -> None:
    hidden = shown(Goal.GPU, platform=JUPYTER, gpus=(replace(T4, is_hidden=True, cuda_index=None),))

    assert hidden.index("CUDA_VISIBLE_DEVICES hides every GPU from CUDA.") < hidden.index("cm-guide-steps")
    assert steps(hidden) == ["take CUDA_VISIBLE_DEVICES out of the environment", "restart the kernel"]
    assert "The NVIDIA driver did not answer within 3 s." in shown(Goal.GPU, platform=JUPYTER, **HUNG_DRIVER)


@pytest.mark.parametrize("goal", Goal)
def test_every_link_is_one_of_the_facts(goal: Goal) -> None:
    known = {one.url for one in facts.links()}

    assert set(re.findall(r'href="([^"]*)"', shown(goal))) <= known
    assert 'target="_blank" rel="noopener"' in shown(goal)


def test_what_comes_from_outside_is_escaped_wherever_it_stands() -> None:
    guide = Guide(
        Sentence("To {what}", (("what", "<b>"),)),
        points=(Point(Sentence("{what}!", (("what", "<i>"),))),),
        steps=(CommandStep("pip install <x>"), TextStep(Sentence("then {what}", (("what", "<u>"),)))),
    )
    page = guide_html.page(guide, ENGLISH)

    assert not Markup(page).names & {"b", "i", "u", "x"}
    assert "<li><code>pip install &lt;x&gt;</code></li><li>then &lt;u&gt;</li>" in page
    assert "<li>&lt;i&gt;!</li>" in page


def test_further_guides_for_the_same_goal_follow_with_their_own_purpose() -> None:
    other = Guide(Sentence("To go on"), points=(Point(Sentence("so"), term=Sentence("then")),))
    page = guide_html.page(Guide(Sentence("To see"), also=(other,), links=("faq",)), ENGLISH)

    assert (
        page.index("To see") < page.index("To go on") < page.index("<strong>then</strong> so") < page.index("faq.html")
    )


def test_the_style_sheet_styles_pages_alone() -> None:
    sheet = Path(guide_html.__file__).with_name("guide.css").read_text(encoding="utf-8")

    assert re.fullmatch(r"(/\*.*?\*/\n)?\.cm-goals \.cm-guide \{\n(  .*\n|\n)*\}\n", sheet)


GOLDEN = {
    "goal-gpu-cpu": (Goal.GPU, CPU_RUNTIME),
    "goal-memory-t4": (Goal.MEMORY, {}),
    "goal-cheaper-a100": (Goal.CHEAPER, GUIDED["a100"]),
    "goal-gpu-kaggle": (Goal.GPU, {**CPU_RUNTIME, "platform": KAGGLE}),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_pages_are_as_they_were_reviewed(name: str, golden: Callable[[str, str], None]) -> None:
    goal, changes = GOLDEN[name]

    golden(f"{name}.html", re.sub(r"(</(?:li|tr|p|div|ol|ul|table|caption)>)", r"\1\n", shown(goal, "de", **changes)))
