"""The options: which there are, how a line of them is read, what a line that cannot be read is answered."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colab_magics.options import (
    COMMAND,
    EXIT_CODES,
    GPU,
    OPTIONS,
    RAM,
    STATUS,
    Option,
    OptionError,
    Options,
    flags,
    help_text,
    read_arguments,
    read_line,
)
from colab_magics.values import replace
from requirements import REPEATABLE

MAGICS = (GPU, RAM, STATUS)

OF_ALL = ["-a", "--all", "-j", "--json", "-o", "--output", "-w", "--widget", "-q", "--quiet", "-r", "--require",
          "--strict"]  # fmt: skip
OF_GPU = [*OF_ALL, "-p", "--processes", "-v", "--variables", "-n"]
OF_RAM = [*OF_ALL, "-v", "--variables", "-f", "--free", "-n"]
OF_STATUS = [*OF_ALL, "-c", "--cells", "--on", "-n"]
OF_COMMAND = ["-a", "--all", "-j", "--json", "-q", "--quiet", "-r", "--require", "--strict", "--wait", "--version"]

USAGES = {
    GPU: "%gpu_info [-a] [-j] [-o] [-w] [-q] [-r EXPR] [--strict] [-p] [-v] [-n N] [INDEX ...]",
    RAM: "%ram_info [-a] [-j] [-o] [-w] [-q] [-r EXPR] [--strict] [-v] [-f] [-n N]",
    STATUS: "%runtime_status [-a] [-j] [-o] [-w] [-q] [-r EXPR] [--strict] [-c] [--on NAME] [-n N]",
    COMMAND: "colab-magics [-h] [-a] [-j] [-q] [-r EXPR] [--strict] [--wait SECONDS] [--version] "
    "[gpu|ram|status|schema]",
}

SWITCHES = [
    pytest.param(magic, flag, option.field, id=f"{magic} {flag}")
    for option in OPTIONS
    if option.takes is None and option.field != "strict"
    for magic in MAGICS
    if magic in option.where
    for flag in option.flags
]


def squeezed(text: str) -> str:
    """Return text without its spaces: a line of help may end within "nvidia-smi" too."""
    return "".join(text.split())


# Which there are -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "expected"), [(GPU, OF_GPU), (RAM, OF_RAM), (STATUS, OF_STATUS), (COMMAND, OF_COMMAND)]
)
def test_each_magic_and_the_command_have_their_options(where: str, expected: list[str]) -> None:
    assert flags(where) == expected


def test_every_option_has_a_field_of_what_is_read_and_there_is_no_other() -> None:
    assert sorted(option.field for option in OPTIONS) == sorted(Options._fields)


def test_no_two_options_are_typed_alike() -> None:
    typed = [flag for option in OPTIONS for flag in option.flags]

    assert len(set(typed)) == len(typed)


@pytest.mark.parametrize("magic", MAGICS)
def test_the_help_says_how_a_magic_is_typed_what_it_does_and_what_each_option_means(magic: str) -> None:
    shown = help_text(magic, "Show something.")
    usage, description, meanings = shown.split("\n\n", maxsplit=2)

    assert usage == USAGES[magic] + ("\n%%runtime_status [-a] [-q]" if magic == STATUS else "")
    assert description == "Show something."
    for option in OPTIONS:
        meaning = option.help.replace("%(prog)s", f"%{magic}")
        assert (squeezed(meaning) in squeezed(meanings)) is (magic in option.where)
        if magic in option.where:
            assert all(re.search(rf"(?<![\w-]){flag}(?![\w-])", meanings) for flag in option.flags)
            assert option.takes is None or option.takes in meanings


def test_the_command_s_help_says_its_options_and_how_to_load_the_magics_everywhere(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        read_arguments(["--help"])
    shown = squeezed(capsys.readouterr().out)

    assert not ended.value.code
    assert shown.startswith(squeezed(f"usage: {USAGES[COMMAND]} Show what machine this is. positional arguments:"))
    assert squeezed(f"{COMMAND} autoload on|off|status: load the magics in every IPython and kernel.") in shown
    assert all(squeezed(f"{code} {meaning}") in shown for code, meaning in EXIT_CODES.items())
    for option in OPTIONS:
        assert (squeezed(option.help) in shown) is (COMMAND in option.where)


# Lines that can be read ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("magic", MAGICS)
@pytest.mark.parametrize("line", ["", " ", "\t"])
def test_an_empty_line_asks_for_nothing_in_particular(magic: str, line: str) -> None:
    assert read_line(magic, line) == Options()


@pytest.mark.parametrize(("magic", "flag", "field"), SWITCHES)
def test_a_switch_changes_its_own_field_and_no_other(magic: str, flag: str, field: str) -> None:
    assert read_line(magic, flag) == replace(Options(), **{field: True})


@pytest.mark.parametrize("line", ["-a -q -p", "-aqp", "-p --all --quiet", "  -q\t-ap "])
def test_switches_go_together_in_any_order(line: str) -> None:
    assert read_line(GPU, line) == Options(everything=True, quiet=True, processes=True)


@pytest.mark.parametrize(
    ("line", "expression"),
    [
        ("-r gpu", "gpu"),
        ("-rgpu", "gpu"),
        ("--require gpu", "gpu"),
        ("--require=gpu=T4", "gpu=T4"),
        ('-r "gpu=A100|L4, vram>=15"', "gpu=A100|L4, vram>=15"),
        ("-r 'gpu=A100|L4, vram>=15'", "gpu=A100|L4, vram>=15"),
        ("-r \"'gpu'\"", "'gpu'"),
        ('-r ""', ""),
        ('-r "', None),
        ("-r '\"gpu\"'", '"gpu"'),
        ("-r \"gpu='a b'\"", "gpu='a b'"),
        ("-r gpu=T4#1", "gpu=T4#1"),
        ("-r gpu -r ram", "gpu, ram"),
        ('-r "gpu=T4|L4" --require=ram>=1 -rdisk', "gpu=T4|L4, ram>=1, disk"),
    ],
)
def test_an_expression_loses_one_pair_of_quotes_and_nothing_else(line: str, expression: str | None) -> None:
    if expression is None:
        with pytest.raises(OptionError, match="No closing quotation"):
            read_line(GPU, line)
    else:
        assert read_line(GPU, line) == Options(require=expression)


def test_so_many_rows_are_shown_as_are_asked_for() -> None:
    assert read_line(STATUS, "-c").rows is None
    assert read_line(STATUS, "-c -n 3") == read_line(STATUS, "-n3 --cells") == Options(cells=True, rows=3)


@pytest.mark.parametrize("typed", ["0", "-1", "x", "1.5", "³", "1000000", "9" * 5000])
def test_a_number_of_rows_is_a_whole_one_from_one_on(typed: str) -> None:
    with pytest.raises(OptionError) as caught:
        read_line(STATUS, f"-c -n {typed}")

    assert "\n" not in str(caught.value)
    assert "Allowed: " in str(caught.value)
    assert len(str(caught.value)) < 500


def test_rows_are_those_of_a_list() -> None:
    with pytest.raises(OptionError, match="-n goes with -c"):
        read_line(STATUS, "-n 3")


def test_what_follows_an_expression_is_read_too() -> None:
    assert read_line(GPU, '-r "gpu, ram>=1" --strict -q 0 3') == Options(
        require="gpu, ram>=1", strict=True, quiet=True, indices=(0, 3)
    )


def test_how_many_variables_are_wanted_is_a_number() -> None:
    assert read_line(GPU, "-v") == Options(variables=True)
    assert read_line(GPU, "-v -n 3 0") == Options(variables=True, rows=3, indices=(0,))


@pytest.mark.parametrize("word", ["0", "-1", "x", "1.5", "9" * 5000, "٣x"])
def test_a_number_of_rows_that_is_none_is_one_line(word: str) -> None:
    with pytest.raises(OptionError) as refused:
        read_line(GPU, f"-v -n {word}" if not word.startswith("-") else f"-v -n={word}")

    assert "is no number of rows. Allowed: whole numbers from 1 on" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_number_of_rows_goes_with_a_list() -> None:
    with pytest.raises(OptionError, match="-n goes with -v"):
        read_line(GPU, "-n 3")


@pytest.mark.parametrize(
    ("line", "indices"), [("0", (0,)), ("7 2 7", (7, 2, 7)), ("-p 1 2", (1, 2)), ("1 2 -p", (1, 2)), ("007", (7,))]
)
def test_words_without_a_flag_are_numbers_of_gpus(line: str, indices: tuple[int, ...]) -> None:
    assert read_line(GPU, line).indices == indices


def test_the_command_s_arguments_are_read_as_a_magic_s_line_is() -> None:
    assert read_arguments([]) == Options()
    assert read_arguments(["--json"]) == read_arguments(["-j"]) == Options(json=True)
    assert read_arguments(["-r", "gpu=A100|L4, vram>=15", "--strict", "--json"]) == Options(
        json=True, require="gpu=A100|L4, vram>=15", strict=True
    )
    assert read_arguments(["--wait", "1.5"]) == read_arguments(["--wait=1.5"]) == Options(wait=1.5)
    assert read_arguments(["--wait", "0", "-r", "gpu"]) == Options(wait=0.0, require="gpu")
    assert read_arguments(["--require='gpu'"]) == Options(require="gpu")  # cmd.exe leaves such quotes
    assert read_arguments(["-r", "gpu", "-r", "'ram>=1'"]) == Options(require="gpu, ram>=1")


# Lines that cannot ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("magic", MAGICS)
@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("--bogus", "unrecognized arguments: --bogus"),
        ("-x -y", "unrecognized arguments: -x -y"),
        ("-h", "unrecognized arguments: -h"),
        ("--json=yes", "argument -j/--json: ignored explicit argument 'yes'"),
        ("-r", "argument -r/--require: expected one argument"),
        ("-r -a", "argument -r/--require: expected one argument"),
        ('"unclosed', "No closing quotation"),
        ("-r 'unclosed", "No closing quotation"),
        ("-a\n--bogus", "unrecognized arguments: --bogus"),
        ("-a --\x1b[31m", r"unrecognized arguments: --\x1b[31m"),
        ("--strict", "--strict goes with -r"),
        ("-j -o", "-j and -o exclude each other"),
        ("-j -q", "-j and -q exclude each other"),
        ("--output --json", "-j and -o exclude each other"),
        ("-w -j", "-w and -j exclude each other"),
        ("-o -w", "-w and -o exclude each other"),
        ("-a -w", "-w and -a exclude each other"),
        ("-w -q", "-w and -q exclude each other"),
        ("-w -q -a", "-w and -a exclude each other"),
    ],
)
def test_a_line_that_cannot_be_read_is_one_line_that_says_what_was_found_and_what_is_allowed(
    magic: str, line: str, found: str
) -> None:
    with pytest.raises(OptionError) as refused:
        read_line(magic, line)

    assert str(refused.value) == f"{found}. Allowed: {USAGES[magic]}"


@pytest.mark.parametrize("word", ["x", "-1", "1.5", "+1", "0x1", "²", "1,2", "3#"])
def test_a_word_that_is_no_gpu_s_number_is_one_line(word: str) -> None:
    with pytest.raises(OptionError) as refused:
        read_line(GPU, word)

    assert str(refused.value) == f"{word!r} is not a GPU's number. Allowed: whole numbers from 0 on"


@pytest.mark.parametrize("word", ["9" * 7, "9" * 5000, "٣" * 5000])
def test_a_number_that_no_gpu_has_is_cut_in_the_message(word: str) -> None:
    with pytest.raises(OptionError) as refused:
        read_line(GPU, word)

    assert "is not a GPU's number" in str(refused.value)
    assert len(str(refused.value)) < 150


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("-n 3", "-n goes with -v"),
        ("-f -n 3", "-n goes with -v"),
        ("-v -n", "argument -n: expected one argument"),
        ("-w -v", "-w and -v exclude each other"),
        ("-f -w", "-w and -f exclude each other"),
        ("-f -q -j", "-j and -q exclude each other"),
    ],
)
def test_what_does_not_go_with_holders_and_letting_go_is_one_line(line: str, found: str) -> None:
    with pytest.raises(OptionError) as refused:
        read_line(RAM, line)

    assert str(refused.value) == f"{found}. Allowed: {USAGES[RAM]}"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("-v", Options(variables=True)),
        ("-v -n 3", Options(variables=True, rows=3)),
        ("--variables -n3 -a", Options(variables=True, rows=3, everything=True)),
        ("-fv -j", Options(variables=True, free=True, json=True)),
        ("--free -q", Options(free=True, quiet=True)),
        ("-f -o -r ram_free>=1", Options(free=True, output=True, require="ram_free>=1")),
    ],
)
def test_holders_and_letting_go_are_asked_for(line: str, expected: Options) -> None:
    assert read_line(RAM, line) == expected


def test_a_line_that_is_too_long_is_not_split() -> None:
    with pytest.raises(OptionError, match=r"^the line has 10001 characters\. Allowed: at most 10000$"):
        read_line(GPU, "x" * 10_001)
    with pytest.raises(OptionError) as refused:
        read_line(GPU, "--x" + "y" * 9_000)

    assert len(str(refused.value)) < 500


@pytest.mark.parametrize(("magic", "line"), [(RAM, "-p"), (STATUS, "--processes"), (RAM, "0"), (STATUS, "0")])
def test_what_only_the_gpu_s_magic_takes_is_refused_by_the_others(magic: str, line: str) -> None:
    with pytest.raises(OptionError) as refused:
        read_line(magic, line)

    assert str(refused.value) == f"unrecognized arguments: {line}. Allowed: {USAGES[magic]}"


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["--output"], "unrecognized arguments: --output"),
        (["-w"], "unrecognized arguments: -w"),
        (["0"], "Found '0': the words are gpu ram status schema autoload"),
        (["gpuu", "-j"], "Found 'gpuu': the words are gpu ram status schema autoload"),
        (["-j", "autoload"], "Found 'autoload': the words are gpu ram status schema autoload"),
        (["\x1b[31m"], r"Found '\x1b[31m': the words are gpu ram status schema autoload"),
        (["gpu", "ram"], "unrecognized arguments: ram"),
        (["schema", "gpu"], "unrecognized arguments: gpu"),
        (["schema", "-a"], "schema stands alone"),
        (["--strict", "schema", "-r", "gpu"], "schema stands alone"),
        (["-j", "-q"], "-j and -q exclude each other"),
        (["-jq", "-r", "gpu"], "-j and -q exclude each other"),
        (["--strict"], "--strict goes with -r"),
        (["-r"], "argument -r/--require: expected one argument"),
        (["--\n\x07"], r"unrecognized arguments: --\n\x07"),
        (["--wait"], "argument --wait: expected one argument"),
    ],
)
def test_the_command_answers_in_one_line_too(arguments: list[str], found: str) -> None:
    with pytest.raises(OptionError) as refused:
        read_arguments(arguments)

    assert str(refused.value) == f"{found}. Allowed: {USAGES[COMMAND]}"


@pytest.mark.parametrize("word", [None, "gpu", "ram", "status"])
@pytest.mark.parametrize("others", [[], ["-a"], ["-j", "--wait", "3"], ["-q", "-r", "gpu=A100 or L4", "--strict"]])
def test_the_command_s_word_stands_before_its_options_or_behind_them(word: str | None, others: list[str]) -> None:
    words = [] if word is None else [word]
    read = read_arguments([*words, *others])

    assert read.part == word
    assert read == read_arguments([*others, *words])


@pytest.mark.parametrize("words", [["--wait", "-1"], ["--wait", "-1", "gpu"]])
def test_a_time_below_nothing_is_read_as_what_follows_wait(words: list[str]) -> None:
    with pytest.raises(OptionError, match=r"^'-1' is no time to wait\. Allowed: seconds from 0 to 3600$"):
        read_arguments(words)


@pytest.mark.parametrize("span", ["x", "", "nan", "inf", "-1", "3601", "1s", "²"])
def test_what_is_no_time_to_wait_is_one_line(span: str) -> None:
    with pytest.raises(OptionError) as refused:
        read_arguments([f"--wait={span}"])

    assert str(refused.value) == f"{span!r} is no time to wait. Allowed: seconds from 0 to 3600"


@pytest.mark.parametrize("magic", MAGICS)
def test_only_the_command_is_told_how_long_to_wait(magic: str) -> None:
    with pytest.raises(OptionError, match="Allowed: "):
        read_line(magic, "--wait 3")


@REPEATABLE
@given(
    st.sampled_from(MAGICS), st.text() | st.lists(st.sampled_from([*OF_GPU, "0", "x", '"', "'", "--"])).map(" ".join)
)
def test_whatever_is_typed_is_read_or_answered_in_one_line(magic: str, line: str) -> None:
    said = "Allowed: "
    try:
        read_line(magic, line)
    except OptionError as error:
        said = str(error)

    assert "Allowed: " in said
    assert said.isprintable()


def test_an_option_says_what_it_is_once() -> None:
    assert all(isinstance(option, Option) and option.help.strip() == option.help for option in OPTIONS)
