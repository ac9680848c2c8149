"""A magic's line as people write it: sixty and more of them, and whatever else may be typed."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from colab_magics.line import arguments, asks_requirement, ending
from colab_magics.options import GPU, OptionError, Options, read_line
from requirements import REPEATABLE

EXPRESSION = "gpu=T4, vram>=15"

LINES = {
    # Quotes, where a shell takes them
    '-r "gpu=T4, vram>=15"': Options(require=EXPRESSION),
    "-r 'gpu=T4, vram>=15'": Options(require=EXPRESSION),
    '-r"gpu=T4, vram>=15"': Options(require=EXPRESSION),
    "-r'gpu=T4, vram>=15'": Options(require=EXPRESSION),
    '-r="gpu=T4, vram>=15"': Options(require=EXPRESSION),
    '--require "gpu=T4, vram>=15"': Options(require=EXPRESSION),
    '--require="gpu=T4, vram>=15"': Options(require=EXPRESSION),
    "--require='gpu=T4, vram>=15'": Options(require=EXPRESSION),
    '--require= "gpu=T4, vram>=15"': Options(require=EXPRESSION),
    '--req "gpu=T4, vram>=15"': Options(require=EXPRESSION),
    '--r="gpu=T4, vram>=15"': Options(require=EXPRESSION),
    '"--require=gpu=T4, vram>=15"': Options(require=EXPRESSION),
    '-r gpu="T4", vram>=15': Options(require=EXPRESSION),
    '-r "gpu=T4", vram>=15': Options(require=EXPRESSION),
    '-r gpu="RTX 6000" -q': Options(require="gpu=RTX 6000", quiet=True),
    "-r \"gpu='T4'\"": Options(require="gpu='T4'"),
    "-r ''": Options(require=""),
    "\"0\" '1'": Options(indices=(0, 1)),
    # Typographic ones, as pages and word processors make them
    "-r \u201cgpu=T4, vram>=15\u201d": Options(require=EXPRESSION),
    "-r \u2018gpu=T4, vram>=15\u2019": Options(require=EXPRESSION),
    "-r \u201egpu=T4, vram>=15\u201c": Options(require=EXPRESSION),
    "-r \u201agpu=T4, vram>=15\u2018": Options(require=EXPRESSION),
    "-r \u201dgpu=T4, vram>=15\u201d": Options(require=EXPRESSION),
    "-r \u00abgpu=T4, vram>=15\u00bb": Options(require=EXPRESSION),
    "-r \u00bbgpu=T4, vram>=15\u00ab -q": Options(require=EXPRESSION, quiet=True),
    "--require=\u201cgpu=T4, vram>=15\u201d --strict": Options(require=EXPRESSION, strict=True),
    '-r \u201cgpu=T4, vram>=15" -q': Options(require=EXPRESSION, quiet=True),
    '-r "\u201cgpu\u201d"': Options(require="\u201cgpu\u201d"),
    # No quotes at all
    "-r gpu=T4, vram>=15": Options(require=EXPRESSION),
    "-rgpu=T4, vram>=15": Options(require=EXPRESSION),
    "-r=gpu=T4, vram>=15": Options(require=EXPRESSION),
    "--require gpu=T4, vram>=15": Options(require=EXPRESSION),
    "--require=gpu=T4, vram>=15": Options(require=EXPRESSION),
    "  -r   gpu=T4,\tvram>=15  ": Options(require=EXPRESSION),
    "-r vram >= 15": Options(require="vram >= 15"),
    "-r gpu": Options(require="gpu"),
    "-r gpu=A100 | L4, ram > 20 GiB": Options(require="gpu=A100 | L4, ram > 20 GiB"),
    "-r gpu=A100 or tpu": Options(require="gpu=A100 or tpu"),
    "-r gpu=T4, vram>=15 -q": Options(require=EXPRESSION, quiet=True),
    "-r gpu=T4, vram>=15 --strict -q": Options(require=EXPRESSION, strict=True, quiet=True),
    "-q -r gpu=T4, vram>=15": Options(require=EXPRESSION, quiet=True),
    "-qr gpu=T4, vram>=15": Options(require=EXPRESSION, quiet=True),
    "-qargpu=T4, vram>=15": Options(require=EXPRESSION, quiet=True, everything=True),
    '-qr"gpu=T4, vram>=15" 0': Options(require=EXPRESSION, quiet=True, indices=(0,)),
    "-r gpu=v5e-1": Options(require="gpu=v5e-1"),
    "-r cc>= -1": Options(require="cc>= -1"),
    # Numbers of GPUs beside it
    "0 -r gpu=T4, vram>=15": Options(require=EXPRESSION, indices=(0,)),
    '-r "gpu=T4, vram>=15" 0 1': Options(require=EXPRESSION, indices=(0, 1)),
    '--require="gpu=T4, vram>=15" 0': Options(require=EXPRESSION, indices=(0,)),
    "-r gpu=T4, vram>=15 -p 0": Options(require=EXPRESSION, processes=True, indices=(0,)),
    "-r gpu=T4 0": Options(require="gpu=T4 0"),
    # Several
    '-r "gpu=T4" -r "vram>=15"': Options(require=EXPRESSION),
    "-r gpu=T4 -r vram>=15 -q": Options(require=EXPRESSION, quiet=True),
    # Comments and semicolons
    "# which GPU?": Options(),
    "  # don't": Options(),
    "#@title RAM": Options(),
    '#@title RAM { run: "auto" }': Options(),
    "-a # all of it": Options(everything=True),
    "-a #": Options(everything=True),
    "-o;": Options(output=True),
    "-o ;": Options(output=True),
    "-o;;": Options(output=True),
    "-o; # the report": Options(output=True),
    "-o;# the report": Options(output=True),
    ";": Options(),
    "0 1;": Options(indices=(0, 1)),
    "-r gpu=T4, vram>=15  # it's for training": Options(require=EXPRESSION),
    '-r "gpu=T4, vram>=15"  #@title Needs {a: "GPU"}': Options(require=EXPRESSION),
    '-r "gpu=T4, vram>=15";': Options(require=EXPRESSION),
    "-r gpu=T4, vram>=15;": Options(require=EXPRESSION),
    '-r "gpu=#1; #2"': Options(require="gpu=#1; #2"),
    "-r gpu=T4#1": Options(require="gpu=T4#1"),
}


@pytest.mark.parametrize("line", LINES)
def test_a_line_is_read_as_it_is_meant(line: str) -> None:
    assert read_line(GPU, line) == LINES[line]


def test_there_are_sixty() -> None:
    assert len(LINES) >= 60


@pytest.mark.parametrize(
    "line", ["-r", "-r -q", "--require", "--require=", "--require= --strict", "-qr", "-r;", "-r # T4"]
)
def test_an_expression_that_is_not_there_is_missed(line: str) -> None:
    with pytest.raises(OptionError, match="expected one argument"):
        read_line(GPU, line)


@pytest.mark.parametrize(
    "line", ['-r "gpu', "-r 'gpu", "-r \u201cgpu", "-r \u201cgpu'", '-r gpu"', "it's", "-r 'it's'"]
)
def test_a_quotation_that_does_not_end_is_said(line: str) -> None:
    with pytest.raises(OptionError, match="No closing quotation"):
        read_line(GPU, line)


@pytest.mark.parametrize(
    ("line", "asks"),
    [("-r gpu", True), ("-qr 'gpu", True), ("--require=gpu", True), ("--req", True), ("-q --wrong -r", True),
     ("", False), ("-q", False), ("0 -x", False), ("--strict", False), ("--wrong", False), ("-p -- r", False)],
)  # fmt: skip
def test_a_line_asks_a_requirement_also_where_it_cannot_be_read(line: str, asks: bool) -> None:
    assert asks_requirement(line) == asks


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", ("", None)),
        ("-q --st", ("--st", None)),
        ("-q ", ("", None)),
        ("-r", ("-r", None)),
        ("--requ", ("--requ", None)),
        ("-r ", ("", " ")),
        ("--require=", ("--require=", "")),
        ('-r "gpu=T4, vr', ('"gpu=T4, vr', " gpu=T4, vr")),
        ("-qr gpu=T4, vr", ("vr", " gpu=T4, vr")),
        ("-rgpu=T4, ", ("", "gpu=T4, ")),
        ('-r "gpu=T4"', ('"gpu=T4"', None)),
        ('-r "gpu=T4" ', ("", None)),
        ("-r gpu=T4 -q ", ("", None)),
        ("-r gpu=T4 # vr", None),
        ("-q #", None),
    ],
)
def test_a_line_that_is_still_typed_ends_in_a_word_or_in_a_requirement(
    line: str, expected: tuple[str, str | None] | None
) -> None:
    assert ending(line) == expected


PIECES = st.sampled_from(
    ["-r", "--require", "--require=", "-q", "-qr", "--", "-", "=", "gpu=T4", ",", " ", "  ", "\t", '"', "'", "\u201c",
     "\u201d", "\u2018", "\u00ab", "#", ";", "0", "-o", "--strict", "{x}", "\\", "\xa0", "\n", "\0"]
)  # fmt: skip


@REPEATABLE
@given(st.text(max_size=80) | st.lists(PIECES, max_size=20).map("".join))
@example("-\n")
def test_whatever_is_typed_is_read_or_refused_in_one_line(line: str) -> None:
    said = ""
    try:
        read_line(GPU, line)
    except OptionError as error:
        said = str(error)

    assert said.isprintable()


@REPEATABLE
@given(st.text(max_size=80) | st.lists(PIECES, max_size=20).map("".join))
def test_a_line_has_arguments_or_a_quotation_that_does_not_end(line: str) -> None:
    said = "No closing quotation"
    try:
        arguments(line)
    except ValueError as error:
        said = str(error)

    assert said == "No closing quotation"


@REPEATABLE
@given(st.text(max_size=80) | st.lists(PIECES, max_size=20).map("".join))
def test_whatever_is_typed_it_ends_in_what_its_end_is(line: str) -> None:
    found = ending(line)

    assert found is None or line.endswith(found[0])
