"""Chinese reports are in Chinese: what is said in English in them is a quotation, code, or a name.

Every report, guide, goal and requirement of every runtime that is on record is read, in all views; what is English and
neither quoted nor named below fails.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest

from builders import a_report
from colab_magics import facts, guides, rules
from colab_magics.guides import Goal
from colab_magics.panel import card
from colab_magics.report import Report
from colab_magics.requirement import check, parse
from colab_magics.translation import translator
from colab_magics.views import guide_html, html, terminal, text, verdict
from colab_magics.views.render_options import RenderOptions
from rules.test_rules import OCCURRING
from runtimes import GUIDED, OF_A_MACHINE, REPORTED, SERVICES, at

CHINESE = translator("zh-CN")
SHORT, ALL = (RenderOptions(language="zh-CN", everything=everything) for everything in (False, True))

NAMES = {
    *(
        "Colab",
        "Pro",
        "Enterprise",
        "Kaggle",
        "Google",
        "Cloud",
        "Storage",
        "In",  # [7], as it stands beside a cell
        "GitHub",
        "Markdown",
        "BigQuery",
        "Jupyter",
    ),
    *("Databricks", "SageMaker", "Studio", "Lab", "Paperspace", "Gradient", "Lightning", "AI", "Binder"),
    *(
        "Vertex",
        "Workbench",
        "VS",
        "Code",
        "Linux",
        "Windows",
        "Python",
        "IPython",
        "DataLoader",
        "DataFrame",
        "pandas",
    ),
    *("PyTorch", "JAX", "RTX"),
    *("TensorFlow", "Hub", "torch", "NVIDIA", "Tesla", "Turing", "Ampere", "Pascal"),
    *("weights", "frame", "batch", "Out"),
}
"""Of services, programs and devices; and those of variables."""

TERMS = {
    *("shell", "GPU", "TPU", "CPU", "RAM", "CUDA", "MIG", "ECC", "PCI", "UUID", "PSS", "CLI", "SSH", "UTC", "Cookie"),
    *(
        "GiB",
        "MiB",
        "MHz",
        "kWh",
        "kJ",
        "Wh",
        "J",
        "W",
        "C",
        "x",
        "inode",
        "cgroup",
        "pass-through",
        "OSError",
        "PermissionError",
    ),
}
"""What Chinese texts call so too: abbreviations, units, and what a driver or Python names."""

COMMANDS = re.compile(
    r"%pip install|conda create -n other \"?python[0-9.<>=,]+\"? ipykernel|"
    r"conda run -n other python -m ipykernel install --user --name other|"
    r"batch in train\(\)|(?<![A-Za-z])(?:numpy|torch)\.\S* \S*|"
    r"docker run|nvidia-smi|(?<![A-Za-z])(?:ls|du|rm|del)(?= |$)|!du -h|!rm -rf|wsl(?= --shutdown)"
)
"""Of what is typed, the words that look like some of a sentence."""

BESIDE = ("Reconnect", "Help", "Send feedback")
"""Words of Colab's page that no table has: they stand in brackets beside the Chinese ones, as a menu's do."""


class Read(HTMLParser):
    """What is read of HTML, but for what it marks as English or as code."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self._within: list[tuple[str, bool]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        is_other = tag in ("style", "code") or given.get("lang") == "en"
        self._within.append((tag, is_other))
        if not self._is_other():
            self.words += [value for name in ("title", "aria-label", "data-label") if (value := given.get(name))]

    def handle_endtag(self, tag: str) -> None:
        while self._within and self._within.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not self._is_other():
            self.words.append(data)

    def _is_other(self) -> bool:
        return any(is_other for _, is_other in self._within)


def english_of(said: str) -> set[str]:
    """Return the English words of a text that are neither quoted nor beside the Chinese ones of a menu."""
    said = re.sub(r"“[^”]*”", " ", re.sub(r"\s+", " ", said))
    english = facts.menu("en")
    assert english is not None
    cells = (getattr(english, name) for name in english._fields[5:])
    words = [one for cell in cells for one in (cell if isinstance(cell, tuple) else (cell,))]
    menu = "|".join(map(re.escape, [*words, *BESIDE]))
    said = re.sub(rf"\((?:{menu})(?: > (?:{menu}))*\)", " ", said)
    said = COMMANDS.sub(" ", said)
    tokens = (token.strip("()[]<>,;:.'\"*+") for token in re.findall(r"[!-~]+", said))
    return {token for token in tokens if re.fullmatch(r"[A-Za-z][A-Za-z'-]*", token)} - NAMES - TERMS


def test_what_is_english_is_told_from_quotations_code_and_names() -> None:
    assert english_of("3 Save") == {"Save"}
    assert english_of("共 free 3 GiB，the disk") == {"free", "the", "disk"}
    assert english_of("3 保存 (Save)，代码执行程序 (Runtime > Manage sessions)") == set()
    assert english_of("提示 “Your session crashed.” 时运行 !du -h -d 1 /content，见 %ram_info") == set()
    page = '<p title="shown">一<q lang="en">No room</q>二 two<code>ls x</code></p><strong lang="en">Save</strong>'
    assert Read(page).words == ["shown", "一", "二 two"]


def shown(report: Report) -> Iterator[str]:
    for options in (SHORT, ALL):
        yield text.render(report, options)
        yield re.sub(r"\x1b\[[0-9;]*m", "", terminal.render(report, options))
        yield " ".join(Read(html.render(report, options)).words)
    yield " ".join(Read(card.render(report, SHORT)).words)
    yield " ".join(Read(card.title(report, SHORT)).words)


RUNTIMES = {**REPORTED, **GUIDED, **{f"rule {rule}": changes for rule, (changes, _) in OCCURRING.items()}}


@pytest.mark.parametrize("case", RUNTIMES)
def test_reports_are_in_chinese(case: str) -> None:
    found = set[str]()
    for service in SERVICES if case in GUIDED else ("as it is",):
        changes = RUNTIMES[case] if service == "as it is" else at(service, RUNTIMES[case])
        for subject in OF_A_MACHINE:
            for page in shown(a_report(subject, **changes)):
                found |= english_of(page)

    assert found == set()


@pytest.mark.parametrize("service", SERVICES, ids=str)
def test_the_guides_to_goals_are_in_chinese(service: str | None) -> None:
    found = set[str]()
    for changes in GUIDED.values():
        report = a_report(**at(service, changes))
        for goal in Goal:
            guide = guides.for_goal(goal, report.snapshot, rules.blocking(report.findings))
            found |= english_of(" ".join(Read(guide_html.page(guide, CHINESE)).words))

    assert found == set()


@pytest.mark.parametrize("service", SERVICES, ids=str)
def test_what_is_said_of_a_requirement_is_in_chinese(service: str | None) -> None:
    found = set[str]()
    for changes in GUIDED.values():
        snapshot = a_report(**at(service, changes)).snapshot
        for asked in (
            "gpu=A100",
            "gpu=V100",
            "vram>=80",
            "ram>=30",
            "disk>=500",
            "tpu",
            "cuda>=14",
            "python>=4",
            "python<3.13",
            "torch>=9",
            "gpu=A10G0",
            "cores>=12",
            "shm>=64",
        ):
            found |= english_of(verdict.render(check(parse(asked), snapshot), snapshot, SHORT))

    assert found <= {"gpu", "vram", "ram", "disk", "tpu", "cuda", "python", "cores", "shm", "GB"}


def test_what_follows_i_want_joins_to_it() -> None:
    assert CHINESE("I want") == "我想要："
    assert [CHINESE(label) for label in guides.GOAL_LABELS.values()] == [
        "GPU",
        "TPU",
        "更多内存",
        "另一个 Python 或镜像",
        "更长的运行时",
        "不再付费",
        "解决限额问题",
    ]


def test_a_gpu_s_memory_and_a_tpu_s_are_each_named_once() -> None:
    assert CHINESE("GPU memory") == "显存"
    assert CHINESE("memory, as published for this kind").startswith("TPU 内存")
