from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from builders import (
    A100,
    CPU_RUNTIME,
    DISK,
    EIGHT_A100,
    GIB,
    HUNG_DRIVER,
    RAM,
    SILENT_DISK,
    T4,
    TORCH_CPU,
    a_ram,
    a_report,
)
from colab_magics.model import Subject
from colab_magics.report import Report
from colab_magics.units import width
from colab_magics.views import terminal, text
from colab_magics.views.render_options import RenderOptions
from runtimes import IN_A_CONTAINER, OF_A_MACHINE, REPORTED, TRANSLATED

ALL = RenderOptions(everything=True)
FULL_DISK = replace(DISK, free_bytes=GIB)
ROOT = replace(DISK, places=("/",))
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
BOLD, DIM, RED, YELLOW, CYAN = "1", "2", "31", "33", "36"


def plain(shown: str) -> str:
    return ESCAPES.sub("", shown)


def styles(line: str) -> list[tuple[str, str]]:
    """Return the pieces of a line that have a style, each with its style; what is left between them has none."""
    assert "\x1b" not in re.sub(r"\x1b\[[0-9;]+m[^\x1b]+\x1b\[0m", "", line), f"not closed, or empty: {line!r}"
    return re.findall(r"\x1b\[([0-9;]+)m([^\x1b]+)\x1b\[0m", line)


def line_with(shown: str, words: str) -> str:
    (line,) = [line for line in shown.split("\n") if words in plain(line)]
    return line


# When there are colours ---------------------------------------------------------------------------------------------


@pytest.fixture
def standard_output(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Put a terminal in place of standard output, or what else is said."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    ends = os.openpty()
    opened: list[Any] = []

    def put(encoding: str = "utf-8", *, file: Any = None) -> None:
        stream = os.fdopen(os.dup(ends[1]), "w", encoding=encoding) if file is None else file
        opened.append(stream)
        monkeypatch.setattr(sys, "stdout", stream)

    yield put
    monkeypatch.undo()
    for stream in opened:
        if hasattr(stream, "close"):
            stream.close()
    for end in ends:
        os.close(end)


def test_a_terminal_has_colours_and_bars(standard_output: Callable[..., None]) -> None:
    standard_output()

    assert terminal.takes_colours()
    assert terminal.shown(a_report()) == terminal.render(a_report()) != text.render(a_report())


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("NO_COLOR", "0"), ("TERM", "dumb")])
def test_who_wants_none_has_none(
    name: str, value: str, standard_output: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    standard_output()
    monkeypatch.setenv(name, value)

    assert not terminal.takes_colours()
    assert terminal.shown(a_report()) == text.render(a_report())


def test_no_color_that_is_set_to_nothing_forbids_nothing(
    standard_output: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As no-color.org has it: "when present and not an empty string"."""
    standard_output()
    monkeypatch.setenv("NO_COLOR", "")

    assert terminal.takes_colours()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_a_terminal_that_has_no_letters_for_the_bars_has_plain_text(
    encoding: str, standard_output: Callable[..., None]
) -> None:
    standard_output(encoding)

    assert not terminal.takes_colours()


def a_closed_stream() -> io.StringIO:
    stream = io.StringIO()
    stream.close()
    return stream


class Terminal(io.StringIO):
    def __init__(self, encoding: str | None) -> None:
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self) -> str | None:  # type: ignore[override]
        return self._encoding

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    "stream",
    [
        pytest.param(io.StringIO, id="no terminal"),
        pytest.param(a_closed_stream, id="closed"),
        pytest.param(object, id="no stream"),
        pytest.param(lambda: Terminal(None), id="of no encoding"),
        pytest.param(lambda: Terminal("of-nobody"), id="of an encoding that nobody knows"),
    ],
)
def test_what_is_no_terminal_has_plain_text(stream: Callable[[], Any], standard_output: Callable[..., None]) -> None:
    standard_output(file=stream())

    assert not terminal.takes_colours()


def test_a_pipe_and_no_standard_output_at_all_have_plain_text(
    standard_output: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, writing = os.pipe()
    standard_output(file=os.fdopen(writing, "w", encoding="utf-8"))
    assert not terminal.takes_colours()
    os.close(reading)

    monkeypatch.setattr(sys, "stdout", None)
    assert not terminal.takes_colours()


# What is shown ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [RenderOptions(processes=True), ALL], ids=["short", "all"])
@pytest.mark.parametrize("subject", OF_A_MACHINE)
@pytest.mark.parametrize("case", REPORTED)
def test_every_style_ends_and_no_line_is_wider_than_eighty_columns(
    case: str, subject: Subject, options: RenderOptions
) -> None:
    for language in TRANSLATED:
        shown = terminal.render(a_report(subject, **REPORTED[case]), replace(options, language=language))
        for line in shown.split("\n"):
            assert {style for style, _ in styles(line)} <= {"1", "2", "31", "33", "36", "1;31", "1;33"}
            assert width(plain(line)) <= 80 or "https://" in line, language
            assert plain(line) == plain(line).rstrip()


def test_a_report_in_a_terminal_is_a_title_bars_and_the_foot() -> None:
    assert plain(terminal.render(a_report())).split("\n") == [
        "Tesla T4  cuda:0 · Colab · 2 cores · 12.7 GiB RAM · 107.7 GiB disk",
        "GPU memory    3 %  ╸───────────  0.4 of 15.0 GiB  this kernel 400 MiB",
        "GPU use       0 %  ────────────  43 °C  9 of 70 W",
        "RAM          36 %  ━━━━╸───────  8.1 GiB left  this kernel 3.1 GiB",
        "Disk         35 %  ━━━━────────  69.6 GiB left",
        "Not using a high-RAM runtime · Python 3.13.15, IPython 7.34.0",
        "machine up 2 h 5 min, kernel 3 min",
    ]


def test_weight_and_colour_tell_what_matters_from_what_does_not() -> None:
    title, memory, *_, foot = terminal.render(a_report()).split("\n")

    assert styles(title) == [(BOLD, "Tesla T4"), (DIM, "cuda:0 · Colab · 2 cores · 12.7 GiB RAM · 107.7 GiB disk")]
    assert styles(memory) == [
        (DIM, "GPU memory"), (BOLD, "  3 %"), (CYAN, "╸"), (DIM, "───────────"), (DIM, "this kernel 400 MiB"),
    ]  # fmt: skip
    assert styles(foot) == [(DIM, "machine up 2 h 5 min, kernel 3 min")]


@pytest.mark.parametrize(
    ("left_percent", "drawn"),
    [
        (100, "────────────"),
        (98, "────────────"),
        (97, "╸───────────"),
        (52, "━━━━━━──────"),
        (50, "━━━━━━──────"),
        (46, "━━━━━━╸─────"),
        (3, "━━━━━━━━━━━╸"),
        (0, "━━━━━━━━━━━━"),
    ],
)
def test_a_bar_is_as_full_as_what_it_shows_to_half_a_column(left_percent: int, drawn: str) -> None:
    ram = replace(RAM, headroom_bytes=RAM.capacity_bytes * left_percent // 100)

    _, shown, *_ = terminal.render(a_report(Subject.RAM, ram=ram)).split("\n")
    assert f" %  {drawn}  " in plain(shown)


def test_what_is_nearly_full_its_share_and_its_finding_have_one_colour_and_nothing_else_has_it() -> None:
    shown = terminal.render(a_report(disks=(FULL_DISK,)))

    assert styles(line_with(shown, "Disk ")) == [
        (DIM, "Disk      "), ("1;33", " 35 %"), (YELLOW, "━━━━"), (DIM, "────────"),
    ]  # fmt: skip
    assert styles(line_with(shown, "nearly full")) == [
        (YELLOW, "Warning: The disk is nearly full: 1.0 GiB of 107.7 GiB free (/).")
    ]
    coloured = [line for line in shown.split("\n") if re.search(r"\x1b\[(?:1;)?3[13]m", line)]
    assert len(coloured) == 2


def test_what_is_wrong_with_the_answer_itself_colours_the_title() -> None:
    title, *_ = terminal.render(a_report(**HUNG_DRIVER)).split("\n")

    assert styles(title) == [("1;31", "Error: The NVIDIA driver did not answer within 3 s")]
    assert styles(terminal.render(a_report(**CPU_RUNTIME)).split("\n")[0])[0] == (BOLD, "Not connected to a GPU")


def test_what_to_do_stands_under_what_is_wrong_and_the_rest_below() -> None:
    shown = plain(terminal.render(a_report(gpus=EIGHT_A100, disks=(FULL_DISK,)), RenderOptions(processes=True)))
    order = [
        "8 x NVIDIA",
        "held by",
        "RAM ",
        "GPU 0 to 7",
        "Warning: The disk",
        "To make room:",
        "Not using a high-RAM",
    ]

    assert sorted(order, key=shown.index) == order


def test_where_ram_is_nearly_full_it_is_said_how_to_get_more_of_it() -> None:
    shown = plain(terminal.render(a_report(Subject.RAM, ram=a_ram(12.7, headroom_bytes=GIB // 2))))

    assert shown.index("Warning: RAM is nearly full") < shown.index("To make room:") < shown.index("For more RAM")
    assert "Not using a high-RAM runtime" not in shown


def test_with_all_fields_nothing_of_them_is_missing_and_consequences_are_said_once() -> None:
    shown, in_text = (plain(view.render(a_report(), ALL)) for view in (terminal, text))

    assert shown.count("variables and files in /content are lost") == 1
    assert shown.count("Not using a high-RAM runtime") == 1
    assert shown[shown.index("\n\n") :] == in_text[in_text.index("\n\n") :]


def test_a_note_stands_before_the_report() -> None:
    note, title, *_ = terminal.render(a_report(), RenderOptions(note="Seen at {time}.")).split("\n")

    assert styles(note) == [(DIM, "Seen at 12:00:00.")]
    assert plain(title).startswith("Tesla T4")


def test_words_that_have_no_room_beside_a_bar_stand_below_it_whole() -> None:
    container = plain(terminal.render(a_report(Subject.RAM, **IN_A_CONTAINER)))
    silent = plain(terminal.render(a_report(disks=(ROOT, SILENT_DISK))))

    ram = container.split("\n").index("RAM    94 %  ━━━━━━━━━━━─  256 MiB left  this kernel 3.1 GiB")
    assert container.split("\n")[ram + 1] == " " * 27 + "its child processes 128 MiB  the container's limit"
    assert "The file system did not answer within 1 s." in " ".join(silent.split())


# Several GPUs -------------------------------------------------------------------------------------------------------


def test_several_gpus_are_one_table_with_bars_for_memory_and_use() -> None:
    idle = replace(A100, index=1, utilization_percent=0.0, processes=())
    report = a_report(Subject.GPU, gpus=(A100, idle), ram=None, disks=None)
    title, head, busy, quiet = terminal.render(report).split("\n")

    assert [plain(line) for line in (title, head, busy, quiet)] == [
        "2 x NVIDIA A100-SXM4-40GB  6.0 of 80.0 GiB used · 1 of 2 busy · Colab · 2 cores",
        "#  memory, GiB             use            °C    W  held by, GiB",
        "0   3.0 / 40.0  ╸───────  87 %  ━━━━━━━─  61  250  this kernel 0.4",
        "1   3.0 / 40.0  ╸───────  idle  ────────  61  250",
    ]
    assert styles(head) == [(DIM, plain(head))]
    assert [style for style, _ in styles(busy)] == [CYAN, DIM, CYAN, DIM]
    assert styles(quiet)[0] == (DIM, "1   3.0 / 40.0  ")
    assert styles(quiet)[-1] == (DIM, "  61  250")


def test_a_gpu_whose_memory_is_nearly_full_has_the_colour_of_its_finding() -> None:
    memory = replace(A100.memory, used_bytes=39 * GIB, free_bytes=GIB // 2)
    idle_and_full = replace(A100, index=1, memory=memory, utilization_percent=0.0)
    shown = terminal.render(a_report(Subject.GPU, gpus=(A100, idle_and_full)))

    assert styles(line_with(shown, "39.0 / 40.0"))[:2] == [(YELLOW, "1  39.0 / 40.0  "), (YELLOW, "━━━━━━━━")]
    assert styles(line_with(shown, "Warning: GPU 1"))[0][0] == YELLOW


def test_gpus_that_differ_have_their_names_whole_and_the_bars_make_room_for_them() -> None:
    shown = terminal.render(a_report(Subject.GPU, gpus=(T4, replace(A100, index=1))))

    assert "━" not in plain(shown).split("RAM  ")[0]
    assert styles(line_with(shown, "0  Tesla T4 ")) == [
        (DIM, "0  Tesla T4                0.4 / 15.0  idle  43    9  this kernel 0.4")
    ]
    assert line_with(shown, "1  NVIDIA A100-SXM4-40GB") == (
        "1  NVIDIA A100-SXM4-40GB   3.0 / 40.0  87 %  61  250  this kernel 0.4"
    )


def test_sixty_four_gpus_are_all_there() -> None:
    gpus = tuple(replace(A100, index=index, cuda_index=None) for index in range(64))
    shown = plain(terminal.render(a_report(Subject.GPU, gpus=gpus)))

    assert [int(number) for number in re.findall(r"(?m)^ ?(\d+)   3\.0 / 40\.0", shown)] == [*range(64)]


# What comes from outside --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [RenderOptions(processes=True), ALL], ids=["short", "all"])
@pytest.mark.parametrize(
    "name", ["\x1b[31mred\x1b]0;title\x07", "\x9b31mred", "\u202eAMD\u2066", "two\nlines\r", "\ue000" * 8, "x" * 300]
)
def test_a_hostile_name_steers_no_terminal(name: str, options: RenderOptions) -> None:
    def reports() -> Iterator[Report]:
        ours = replace(T4.processes[0], name=name, is_this_kernel=False)
        gpu = replace(A100, name=name, uuid=name, processes=(ours,))
        framework = replace(TORCH_CPU, version=name)
        for gpus in ((gpu,), (gpu, replace(gpu, index=1)), (gpu, replace(T4, index=1, processes=(ours,)))):
            yield a_report(gpus=gpus, frameworks=(framework,))

    for report in reports():
        shown = terminal.render(report, options)

        assert all(character == "\n" or character.isprintable() for character in plain(shown))
        for line in shown.split("\n"):
            styles(line)
            assert width(plain(line)) <= 80 or "https://" in line
