"""The README says what is true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from IPython.core.magic_arguments import MagicArgumentParser

from colab_magics.rules import RULES
from colab_magics.magics import ColabMagics

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def options(magic: str) -> set[str]:
    parser: MagicArgumentParser = getattr(ColabMagics, magic).parser
    return {option for action in parser._actions for option in action.option_strings}


def test_every_option_is_documented_and_no_other() -> None:
    rows = re.findall(r"^\| ((?:`-[^`]*`(?:, )?)+) \|", README, re.MULTILINE)
    table = {name.strip("`").removesuffix(" EXPR") for row in rows for name in row.split(", ")}

    of_gpus_only = {"-p", "--processes"}
    assert options("gpu_info") == table
    assert options("ram_info") == options("runtime_status") == table - of_gpus_only


def test_every_rule_is_documented() -> None:
    for rule in RULES:
        assert f"`{rule.__name__}`" in README


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


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "README.md"])
def test_the_map_names_files_that_are_there(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    for path in re.findall(
        r"`((?:tests|examples|constraints|colab_magics|views|advice|observer|probes|facts|locale)/[\w./]*)`", text
    ):
        assert (ROOT / path).exists() or (ROOT / "colab_magics" / path).exists(), path
