"""The recipes of CONTRIBUTING.md, followed to the letter on a copy of the package, which then makes its reports."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

import colab_magics

ROOT = Path(__file__).parents[1]
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
PACKAGE = Path(colab_magics.__file__).parent

# What every copy of the package must still be able to do, for machines with and without the new thing.
REPORTS = """
import json
from dataclasses import replace
from builders import COLAB, CPU_RUNTIME, JUPYTER, KAGGLE, T4, a_ram, a_report
from colab_magics import guides, rules
from colab_magics.guides import Goal
from colab_magics.model import Subject
from colab_magics.translation import translator
from colab_magics.views import guide_html, html, text
from colab_magics.views.json import document
from colab_magics.views.render_options import RenderOptions, languages

def every_view(report):
    shown = []
    for language in (languages()[0], languages()[1], languages()[-1]):  # English, the translated one, the newest
        for everything in (False, True):
            options = RenderOptions(language=language, everything=everything)
            shown += [text.render(report, options), html.render(report, options)]
        for goal in Goal:
            guide = guides.for_goal(goal, report.snapshot, rules.blocking(report.findings))
            shown.append(guide_html.page(guide, translator(language)))
    return "\\n".join([*shown, json.dumps(document(report), ensure_ascii=False)])

for subject in (Subject.GPU, Subject.RAM, Subject.RUNTIME):
    for platform in (COLAB, KAGGLE, JUPYTER):
        for changes in ({}, CPU_RUNTIME):
            every_view(a_report(subject, platform=platform, **changes))
"""


class Step(NamedTuple):
    """A block of a recipe: what to put into which file, at its end, or before or after a text that it has once."""

    file: str
    where: str
    anchor: str
    content: str


def recipe(title: str) -> list[Step]:
    """Return the steps of the recipe below a heading that begins so."""
    found = re.search(rf"^### {re.escape(title)}.*?\n(.*?)(?=^##)", CONTRIBUTING, re.MULTILINE | re.DOTALL)
    assert found is not None, f"CONTRIBUTING.md has no recipe {title}"
    blocks = re.findall(
        r'<!-- recipe: (append to|insert into) (\S+)(?: (before|after) "([^"]+)")? -->\n```\w+\n(.*?)```',
        found[1],
        re.DOTALL,
    )
    return [Step(file, where or verb, anchor, content) for verb, file, where, anchor, content in blocks]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the package; what is new in it has no translation yet, and is shown in English."""
    folder = tmp_path / "copy"
    shutil.copytree(PACKAGE, folder / "colab_magics", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def follow(steps: list[Step], copy: Path) -> None:
    for step in steps:
        file = copy / "colab_magics" / step.file
        text = file.read_text(encoding="utf-8")
        if step.where == "append to":
            text = f"{text}\n{step.content}"
        else:
            assert text.count(step.anchor) == 1, f"{step.file} has no one place {step.anchor!r}"
            before, after = text.split(step.anchor)
            whole = [before, step.anchor, after]
            whole.insert(1 if step.where == "before" else 2, f"\n{step.content}\n")
            text = "".join(whole)
        file.write_text(text, encoding="utf-8")


def run(copy: Path, code: str) -> None:
    program = f"import sys; sys.path[:0] = [{str(copy)!r}, {str(ROOT / 'tests')!r}]\n{REPORTS}\n{code}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=copy, check=False)

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("title", "files"),
    [
        ("A service that is recognised", {"facts/services.toml"}),
        ("An accelerator of Colab's dialog", {"facts/accelerators.toml"}),
        ("The menus of another language", {"facts/menus.toml"}),
        ("A rule", {"rules/runtime.py", "guides/generic.py"}),
    ],
)
def test_a_recipe_touches_these_files_of_the_package(title: str, files: set[str]) -> None:
    assert {step.file for step in recipe(title)} == files


def test_a_service_is_recognised_and_named(copy: Path) -> None:
    follow(recipe("A service that is recognised"), copy)
    run(
        copy,
        """
from colab_magics.probes.platform import probe_platform
platform = probe_platform(shell_class="ipykernel.zmqshell.ZMQInteractiveShell",
                          environment={"EXAMPLE_CLOUD_MACHINE": "x"}, root="/nowhere")
assert platform.service == "example_cloud", platform
assert platform.frontend.key == "service_page", platform
shown = every_view(a_report(platform=replace(JUPYTER, service="example_cloud", frontend=platform.frontend)))
assert "Example Cloud: 2 cores" in shown
assert "Example Cloud may tell, or whoever runs this machine." in shown
assert '"service": "example_cloud"' in shown
""",
    )


def test_an_accelerator_is_offered_and_known(copy: Path) -> None:
    follow(recipe("An accelerator of Colab's dialog"), copy)
    run(
        copy,
        """
from colab_magics.facts import accelerators
from colab_magics.requirement import check, parse
shown = every_view(a_report())
assert "X100 GPU" in shown
x100 = a_report(gpus=(replace(T4, name="NVIDIA X100"),))
assert accelerators.in_use(x100.snapshot).menu_name == "X100 GPU"
every_view(x100)
verdict = check(parse("gpu=X100"), a_report(tpus=()).snapshot)
assert [offer.name for offer in verdict.offers] == ["X100 GPU"], verdict
""",
    )


def test_the_menus_of_a_language_are_quoted(copy: Path) -> None:
    follow(recipe("The menus of another language"), copy)
    run(
        copy,
        """
assert "eo" in languages()
shown = text.render(a_report(Subject.GPU, **CPU_RUNTIME), RenderOptions(language="eo"))
assert "Rultempo > Ŝanĝi la tipon de rultempo (Runtime > Change runtime type)" in " ".join(shown.split())
every_view(a_report(**CPU_RUNTIME))
""",
    )


def test_a_rule_is_found_spoken_and_guided(copy: Path) -> None:
    follow(recipe("A rule"), copy)
    run(
        copy,
        """
old = a_report(platform=replace(JUPYTER, kernel_age_seconds=20 * 86_400.0))
assert "kernel_old" in [finding.rule for finding in old.findings], old.findings
shown = every_view(old)
assert "This kernel has been up 20 d 0 h: what it holds may be old." in shown
assert '"rule": "kernel_old"' in shown
assert "kernel_old" not in [finding.rule for finding in a_report().findings]
""",
    )
