"""Where each thing that Google's Colab Pro page tells has its place here.

The page is the notebook "Making the most of your Colab subscription" (pro.ipynb), read in Chinese on 2026-11-22.
"""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from builders import A100, CPU_RUNTIME, a_ram, a_report
from colab_magics import facts, guides
from colab_magics.guides import Goal
from colab_magics.model import Subject
from colab_magics.rules import RULES
from colab_magics.translation import translator
from colab_magics.views import guide_html, guide_text, messages, text
from colab_magics.views.render_options import RenderOptions

ENGLISH = translator("en")
HIGH_RAM = {"ram": a_ram(51.0)}
A_LARGER = {"gpus": (A100,), "ram": a_ram(83.5)}

TOLD: list[tuple[str, str | Goal, dict[str, Any], str]] = [
    ("the menu to a GPU", "no_gpu", CPU_RUNTIME, "1 Runtime > Change runtime type"),
    ("the menu to another GPU", Goal.GPU, {}, "Runtime > Change runtime type"),
    ("which GPUs are paid", Goal.GPU, {}, "A100 GPU paid"),
    ("that a T4 is free too, as there are any", Goal.GPU, CPU_RUNTIME, "T4 GPU free too, as available"),
    ("the answer where there is no GPU", "no_gpu", CPU_RUNTIME, "Not connected to a GPU."),
    ("to run the cell again after the change", "no_gpu", CPU_RUNTIME, "Then run again from your first cell"),
    ("TensorFlow with a GPU", "no_gpu", CPU_RUNTIME, "https://colab.research.google.com/notebooks/gpu.ipynb"),
    ("the answer where the RAM is the smaller", "not_high_ram", {}, "Not using a high-RAM runtime."),
    ("the answer where it is the larger", "high_ram", HIGH_RAM, "You are using a high-RAM runtime!"),
    (
        "the switch to the larger, for who pays",
        "not_high_ram",
        {},
        "For more RAM (Pro, Pro+): 1 Runtime > Change",
    ),
    ("where the larger is in the older dialog", Goal.MEMORY, {}, "more RAM is under Runtime shape > High-RAM"),
    ("that runtimes are reset, sooner when idle", "longer_runs", {}, "resets every runtime after a while, sooner when"),
    ("that Pro and Pro+ have longer ones", Goal.LONGER, {}, "Colab Pro and Pro+ have longer runtimes"),
    ("background execution", Goal.LONGER, {}, "Pro+ also runs on with the tab closed, up to 24 h while there are"),
    ("background execution", "longer_runs", {}, "Pro+ also runs on with the tab closed, up to 24 h while there are"),
    ("that there are limits", "usage_limits", {}, "Resources on Colab are not unlimited"),
    ("to use a GPU only when needed", Goal.LIMIT, {}, "use a GPU only while you need it"),
    ("to close the tab when done", Goal.LIMIT, {}, "close Colab's tab when you are done"),
    ("to close the tab when done", Goal.LONGER, {}, "close Colab's tab when you are done"),
    ("to close the tab when done", "usage_limits", {}, "close Colab's tab when you are done"),
    ("units as you go, without a subscription", Goal.LIMIT, {}, "or buy compute units as you go: no subscription"),
    ("where to sign up", Goal.LIMIT, {}, "https://colab.research.google.com/signup"),
    ("at a limit of Pro: Pro+", Goal.LIMIT, {}, "or, if you are at a limit of Pro, take Pro+"),
    ("at a limit of Pro: Pro+", "usage_limits", {}, "or, if you are at a limit of Pro, take Pro+"),
    ("feedback", "feedback", {}, "Help > Send feedback"),
    ("feedback", Goal.LIMIT, {}, "Help > Send feedback"),
    ("bills", "feedback", {}, "for billing, write to colab-billing@google.com"),
    ("bills", Goal.CHEAPER, A_LARGER, "mailto:colab-billing@google.com"),
]
"""What the page tells, the finding or the goal that tells it here, on which runtime, and in which words."""

COLAB, EDU, HUB = (
    "https://colab.research.google.com/notebooks/",
    "https://colab.research.google.com/github/google/eng-edu/blob/main/ml/cc/exercises/",
    "https://tensorflow.org/hub/tutorials/",
)
LINKED = [
    *(f"{COLAB}{name}.ipynb" for name in ("basic_features_overview", "markdown_guide", "snippets/importing_libraries")),
    "https://colab.research.google.com/github/googlecolab/colabtools/blob/master/notebooks/colab-github-demo.ipynb",
    *(f"{COLAB}{name}.ipynb" for name in ("forms", "widgets", "io", "charts", "bigquery")),
    "https://developers.google.com/machine-learning/crash-course/",
    *(
        f"{EDU}{name}.ipynb"
        for name in ("pandas_dataframe_ultraquick_tutorial", "linear_regression_with_synthetic_data")
    ),
    *(f"{COLAB}{name}.ipynb" for name in ("gpu", "tpu")),
    "https://tfhub.dev/",
    *(f"{HUB}{name}" for name in ("tf2_image_retraining", "tf2_text_classification")),
    *(f"{HUB}{name}" for name in ("tf2_arbitrary_image_stylization", "retrieval_with_tf_hub_universal_encoder_qa")),
    f"{HUB}tweening_conv3d",
]
"""The links at the page's end, in its order."""


def place(where: str | Goal, changes: dict[str, Any]) -> str:
    """Return all that a finding with its guide, or a goal's guide, says there."""
    report = a_report(**changes)
    if isinstance(where, Goal):
        page = guide_html.page(guides.for_goal(where, report.snapshot, None), ENGLISH)
        links = re.findall(r'href="([^"]*)"', page)
        return " ".join([re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page))), *links])
    finding = RULES[where](report.snapshot)
    assert finding is not None
    guide = guides.for_finding(finding, report.snapshot)
    told = [messages.sentence(finding, ENGLISH)]
    if guide is not None:
        told += [*guide_text.lines(guide, ENGLISH), guide_text.address(guide) or ""]
    return re.sub(r"\s+", " ", " ".join(told))


@pytest.mark.parametrize(("topic", "where", "changes", "words"), TOLD, ids=[f"{one[0]}: {one[1]}" for one in TOLD])
def test_what_the_page_tells_is_told_here(topic: str, where: str | Goal, changes: dict[str, Any], words: str) -> None:
    assert words in place(where, changes), topic


def test_every_accelerator_that_the_page_names_is_offered_or_known_to_be_gone() -> None:
    offered = place(Goal.GPU, {})
    gone = {row.name for row in facts.retired_accelerators()}

    assert all(name in offered or name in gone for name in ("T4", "A100", "V100"))


def test_the_links_at_the_page_s_end_are_listed_in_its_order() -> None:
    assert [link.url for link in facts.links() if link.to_learn_more] == LINKED
    everything = RenderOptions(everything=True)
    shown = text.render(a_report(), everything)

    assert all(f": {url}\n" in shown for url in LINKED)
    assert not any(f": {url}\n" in text.render(a_report(Subject.GPU), everything) for url in LINKED)
