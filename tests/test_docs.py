"""README.md, CONTRIBUTING.md and the pages of docs/ say what is true, and their links lead somewhere."""

from __future__ import annotations

import re
import runpy
import unicodedata
from pathlib import Path

import pytest

from builders import HUNG_DRIVER, a_snapshot
from colab_magics import options
from colab_magics.model import KEYS
from colab_magics.observer import client
from colab_magics.requirement import OPERATORS, check, parse
from colab_magics.views import verdict

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
REQUIREMENTS = (ROOT / "docs" / "requirements.md").read_text(encoding="utf-8")
PAGES = sorted(file.relative_to(ROOT).as_posix() for file in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")))

# The README --------------------------------------------------------------------------------------------------------

MOST_WORDS = 800
"""What a newcomer reads in a few minutes."""


def test_a_newcomer_reads_little_and_sees_a_picture_first() -> None:
    first, heading, _ = README.partition("\n## More\n")

    assert heading
    assert len(first.split()) <= MOST_WORDS
    assert re.search(r"!\[[^]]+\]\(examples/screenshots/panel-light\.png\)", README[:900])


def test_the_first_command_brings_what_the_panel_needs() -> None:
    set_up = README.split("## Set up")[1].split("\n## ")[0]
    (command,) = re.findall(r"```sh\n(.*)\n```", set_up)

    assert '".[panel]"' in command
    assert command.endswith('-c "%runtime_status"')
    assert "`[panel]` adds ipywidgets" in set_up


def test_ci_runs_the_command_for_tests() -> None:
    development = README.split("\n### Development\n")[1]

    assert re.search(r"\n<!-- test-command -->\n```sh\npython3 -m venv .* && \.venv/bin/nox\n```\n", development)
    assert README.count("<!-- test-command -->") == 1
    assert "test-command" in (ROOT / ".ci/run").read_text(encoding="utf-8")


BY_NAME = re.compile(r"""pip3?\s+install\s[^\n&;]*?(?<![\w./\\-])colab[-_.]magics(?![\w/]|[-*]\S*\.whl)""")


@pytest.mark.parametrize("file", [*PAGES, *(f"examples/{file.name}" for file in (ROOT / "examples").glob("*.ipynb"))])
def test_nobody_is_told_to_install_a_name_that_anybody_could_register(file: str) -> None:
    assert BY_NAME.findall((ROOT / file).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("line", "is_by_name"),
    [
        ("pip install colab_magics", True),
        ('%pip install -q "colab-magics[panel]"', True),
        ("pip install -U pip colab_magics==1.0", True),
        ("%pip install -q /content/colab_magics-*.whl", False),
        ('pip install ".[panel]" && ipython --ext=colab_magics', False),
        ("pip install ./colab_magics", False),
    ],
)
def test_an_installation_by_name_is_recognised(line: str, is_by_name: bool) -> None:
    assert bool(BY_NAME.search(line)) is is_by_name


# What is said in words ---------------------------------------------------------------------------------------------


def test_how_long_a_driver_is_waited_for_is_what_is_said() -> None:
    long, short, least = (
        f"{seconds:g}" for seconds in (options.WAIT_SECONDS, options.SHORT_WAIT_SECONDS, client.DEADLINE_SECONDS)
    )
    (wait,) = [option for option in options.OPTIONS if option.field == "wait"]

    assert f"{least} seconds at least: {long} seconds with -r, else {short}" in wait.help
    assert f"A driver that is still starting is waited for, up to {long} seconds, where the answer" in REQUIREMENTS


def test_the_line_of_what_could_not_be_checked_is_quoted_as_it_is() -> None:
    snapshot = a_snapshot(**HUNG_DRIVER)
    line = verdict.unchecked(check(parse("vram>=15"), snapshot), snapshot)

    assert f'named in one line, also with `-q`: "{line}"' in REQUIREMENTS


def test_the_language_of_requirements_is_described_in_full() -> None:
    (require,) = [option for option in options.OPTIONS if option.field == "require"]
    language = REQUIREMENTS.split("## The language")[1].split("\n## ")[0]

    assert [operator for operator in (*OPERATORS, "==") if f"`{operator}`" not in language] == []
    assert f"Keys: {', '.join(KEYS)}, and any installed package (torch>=2.4)." in require.help


def test_what_excludes_each_other_is_said() -> None:
    page = (ROOT / "docs" / "magics.md").read_text(encoding="utf-8")

    assert "`-w` goes with none of `-a`, `-j`, `-o` and `-q`, and `-j` with neither `-o` nor `-q`." in page
    for line in ("-w -a", "-w -j", "-w -o", "-w -q", "-j -o", "-j -q"):
        with pytest.raises(options.OptionError, match="exclude each other"):
            options.read_line(options.GPU, line)
    assert options.read_line(options.GPU, "-o -q -a").output


def test_the_notebook_for_authors_names_every_key() -> None:
    notebook = (ROOT / "examples" / "author.ipynb").read_text(encoding="utf-8")
    listed = re.search(r"The keys: (.*?);", notebook)

    assert listed is not None
    assert re.findall(r"`(\w+)`", listed[1]) == list(KEYS)


# Names and links ---------------------------------------------------------------------------------------------------

ROOMS = sorted(one.name for one in (ROOT / "colab_magics").iterdir() if one.is_dir() and not one.name.startswith("_"))


@pytest.mark.parametrize("name", PAGES)
def test_the_files_that_are_named_are_there(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    folders = "|".join(["benchmarks", "colab_magics", "constraints", "docs", "examples", "tests", "tools", *ROOMS])
    is_to_be_written = "guides/example_cloud.py"  # by who follows the recipe

    for path in re.findall(rf"`((?:{folders})/[\w./]*)`", text):
        assert (
            path == is_to_be_written or (ROOT / path).exists() or (ROOT / "colab_magics" / path).exists()
        ), path  # fmt: skip


def test_the_map_names_every_room_and_no_other() -> None:
    map_of_all = re.search(r"## The map\n\n```\ncolab_magics/\n(.*?)```", CONTRIBUTING, re.DOTALL)
    assert map_of_all is not None
    named = re.findall(r"^  (\S+)  ", map_of_all[1], re.MULTILINE)
    modules = [file.name for file in (ROOT / "colab_magics").glob("*.py")]

    assert sorted(named) == sorted([*modules, *(f"{room}/" for room in ROOMS)])


def prose(page: str) -> str:
    """Return a page without its code."""
    text = re.sub(r"^```.*?^```", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]*`", "", text)


def anchors(file: Path) -> set[str]:
    """Return what a link to a page may end in: its headings, as GitHub writes them."""
    lines = re.sub(r"^```.*?^```", "", file.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL).splitlines()
    headings = (line.lstrip("#").strip().lower() for line in lines if line.startswith("#"))
    return {
        "".join(
            "-" if char == " " else char
            for char in heading
            if char in " -_" or unicodedata.category(char)[0] in "LN"
        )
        for heading in headings
    }  # fmt: skip


LINKS = [
    (page, link)
    for page in PAGES
    for link in dict.fromkeys(re.findall(r"(?<=\]\()([^)\s]+)", prose(page)))
    if not re.match(r"https?:|mailto:", link)
]


@pytest.mark.parametrize(("page", "link"), LINKS, ids=[f"{page} to {link}" for page, link in LINKS])
def test_every_link_leads_somewhere(page: str, link: str) -> None:
    path, _, anchor = link.partition("#")
    file = ROOT / page if not path else (ROOT / page).parent / path

    assert file.exists()
    assert not anchor or anchor in anchors(file)


def test_links_between_files_of_the_repository_are_links_of_the_site() -> None:
    link_on_site = runpy.run_path(str(ROOT / "tools" / "site_files.py"))["link_on_site"]

    assert link_on_site("docs/panel.md", "") == "panel.md"
    assert link_on_site("SECURITY.md", "") == "security.md"
    assert link_on_site("../README.md", "docs") == "index.md"
    assert link_on_site("json.md", "docs") == "json.md"
    assert link_on_site("../examples/screenshots/panel-dark.png", "docs") == "examples/screenshots/panel-dark.png"


def test_the_site_loads_nothing_from_elsewhere() -> None:
    settings = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    style = (ROOT / "docs" / "site.css").read_text(encoding="utf-8")

    assert re.search(r"^  font: false\b", settings, re.MULTILINE)
    assert "://" not in settings
    assert "url(" not in style
    assert "@import" not in style


def test_every_page_can_be_reached_from_the_readme_and_on_the_site() -> None:
    from_readme = {link for page, link in LINKS if page == "README.md"}
    on_the_site = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")

    assert [page for page in PAGES if page not in from_readme | {"README.md"}] == []
    assert [page for page in PAGES if page.startswith("docs/") and f": {page[5:]}\n" not in on_the_site] == []
