"""README.md and CONTRIBUTING.md say what is true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from builders import HUNG_DRIVER, a_snapshot
from colab_magics import options
from colab_magics.magics import ColabMagics
from colab_magics.model import KEYS
from colab_magics.observer import client
from colab_magics.requirement import check, parse
from colab_magics.rules import RULES
from colab_magics.views import verdict

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_every_option_is_documented_and_no_other() -> None:
    rows = re.findall(r"^\| ((?:`-[^`]*`(?:, )?)+) \|", README, re.MULTILINE)
    table = {name.strip("`").partition(" ")[0] for row in rows for name in row.split(", ")}

    of_gpus_only, of_the_command_only = {"-p", "--processes"}, {"--wait", "--version"}
    of_magics = table - of_the_command_only
    assert set(options.flags(options.GPU)) == of_magics
    assert set(options.flags(options.RAM)) == set(options.flags(options.STATUS)) == of_magics - of_gpus_only
    assert set(options.flags(options.COMMAND)) <= table
    assert set(options.flags(options.COMMAND)) - of_magics == of_the_command_only


def test_every_exit_code_is_documented() -> None:
    rows = re.findall(r"^\| (\d) \| (.*) \|$", README, re.MULTILINE)

    assert [int(code) for code, _ in rows] == list(options.EXIT_CODES)
    assert all(meaning.startswith(options.EXIT_CODES[int(code)]) for code, meaning in rows)


def test_how_long_a_driver_is_waited_for_is_what_is_said() -> None:
    long, short, least = (
        f"{seconds:g}" for seconds in (options.WAIT_SECONDS, options.SHORT_WAIT_SECONDS, client.DEADLINE_SECONDS)
    )
    said = (
        f"ait so long for a driver that is starting, {least} seconds at least: {long} seconds with {{}}, else {short}"
    )
    (wait,) = [option for option in options.OPTIONS if option.field == "wait"]

    assert said.format("-r") in wait.help
    assert said.format("`-r`") in README
    assert f"A driver that is still starting is waited for, up to {long} seconds, where the answer depends" in README
    assert f"starting for more than {client.SLOW_SECONDS:g} seconds" in README


def test_the_line_of_what_could_not_be_checked_is_quoted_as_it_is() -> None:
    snapshot = a_snapshot(**HUNG_DRIVER)
    line = verdict.unchecked(check(parse("vram>=15"), snapshot), snapshot)

    assert f'named in one line, also with `-q`: "{line}"' in README


def test_the_keys_of_requirements_are_documented_and_no_others() -> None:
    section = README.split("### Stop readers on the wrong hardware")[1].split("\n### ")[0]
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", section, re.MULTILINE)
    named = [name.strip("`") for row in rows for name in row.split(", ")]
    (require,) = [option for option in options.OPTIONS if option.field == "require"]

    assert sorted(named) == list(KEYS)
    assert [row.split(",")[0] for row in rows] == sorted(row.split(",")[0] for row in rows)
    assert f"Keys: {', '.join(KEYS)}, and any installed package (torch>=2.4)." in require.help


def test_the_notebook_for_authors_names_every_key() -> None:
    notebook = (ROOT / "examples" / "author.ipynb").read_text(encoding="utf-8")
    listed = re.search(r"The keys: (.*?);", notebook)

    assert listed is not None
    assert re.findall(r"`(\w+)`", listed[1]) == list(KEYS)


def test_every_rule_is_documented_and_no_other() -> None:
    section = re.split(r"\n##", README.split("### What it finds")[1])[0]
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", section, re.MULTILINE)

    assert sorted(name.strip("`") for row in rows for name in row.split(", ")) == sorted(RULES)


def test_every_setting_is_documented_with_its_default() -> None:
    for name, trait in ColabMagics.class_traits(config=True).items():
        assert f"| `{name}` | {trait.default_value} |" in README


def test_there_are_exactly_two_commands_to_set_up_and_ci_runs_the_second() -> None:
    set_up = README.split("## Set up")[1].split("## The magics")[0]
    commands = re.findall(r"```sh\n(.*?)```", set_up, re.DOTALL)

    assert len(commands) == 2
    assert all(len(command.strip().splitlines()) == 1 for command in commands)
    assert f"<!-- test-command -->\n```sh\n{commands[1]}```" in README
    assert "test-command" in (ROOT / ".ci/run").read_text(encoding="utf-8")


ROOMS = sorted(one.name for one in (ROOT / "colab_magics").iterdir() if one.is_dir() and not one.name.startswith("_"))


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "README.md"])
def test_the_files_that_are_named_are_there(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    folders = "|".join(["benchmarks", "colab_magics", "constraints", "examples", "tests", *ROOMS])
    named = re.findall(rf"`((?:{folders})/[\w./]*)`", text)

    assert named
    for path in named:
        is_to_be_written = path == "guides/example_cloud.py"  # by who follows the recipe
        assert is_to_be_written or (ROOT / path).exists() or (ROOT / "colab_magics" / path).exists(), path


def test_the_map_names_every_room_and_no_other() -> None:
    map_of_all = re.search(r"## The map\n\n```\ncolab_magics/\n(.*?)```", CONTRIBUTING, re.DOTALL)
    assert map_of_all is not None
    named = re.findall(r"^  (\S+)  ", map_of_all[1], re.MULTILINE)
    modules = [file.name for file in (ROOT / "colab_magics").glob("*.py")]

    assert sorted(named) == sorted([*modules, *(f"{room}/" for room in ROOMS)])
