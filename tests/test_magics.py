"""The magics through a shell: what a line of options does."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

import colab_magics
import documents
from colab_magics.facts import menus
from colab_magics.model import Subject
from colab_magics.observer import client
from colab_magics.report import Report
from colab_magics.views.json import Document
from fake_nvml import FakeDriver

MAGICS = {"gpu_info": Subject.GPU, "ram_info": Subject.RAM, "runtime_status": Subject.RUNTIME}

pytestmark = pytest.mark.usefixtures("ordinary_machine")


@pytest.fixture
def loaded(shell: InteractiveShell) -> InteractiveShell:
    shell.run_cell("%load_ext colab_magics").raise_error()
    return shell


def run(shell: InteractiveShell, cell: str) -> Any:
    result = shell.run_cell(cell)
    result.raise_error()
    return result.result


def texts(shell: InteractiveShell) -> list[str]:
    return [output["data"]["text/plain"] for output in shell.display_pub.outputs]


@pytest.mark.parametrize("magic", MAGICS)
def test_a_magic_displays_text_and_html_and_returns_nothing(loaded: InteractiveShell, magic: str) -> None:
    assert run(loaded, f"%{magic}") is None

    (output,) = loaded.display_pub.outputs
    assert output["data"].keys() == {"text/plain", "text/html"}
    assert output["data"]["text/html"].startswith('<div class="colab-magics" lang="en">')


def test_several_magics_in_one_cell_all_show(loaded: InteractiveShell) -> None:
    run(loaded, "%gpu_info\n%ram_info\nif True:\n    %runtime_status")

    assert [text.split(":")[0].split(".")[0] for text in texts(loaded)] == [
        "Not connected to a GPU",
        "RAM",
        "Not connected to a GPU",
    ]


@pytest.mark.parametrize(("magic", "subject"), MAGICS.items())
def test_output_returns_the_report_and_shows_nothing(
    loaded: InteractiveShell, magic: str, subject: Subject, capsys: pytest.CaptureFixture[str]
) -> None:
    run(loaded, f"report = %{magic} -o")

    report = loaded.user_ns["report"]
    assert isinstance(report, Report)
    assert report.subject is subject
    assert loaded.display_pub.outputs == []
    assert capsys.readouterr() == ("", "")


def test_a_returned_report_shows_itself_as_a_magic_would(loaded: InteractiveShell) -> None:
    report = run(loaded, "%ram_info -o")
    data, _ = loaded.display_formatter.format(report)

    assert data.keys() == {"text/plain", "text/html"}
    assert data["text/plain"].startswith("RAM:")
    assert data["text/html"].startswith('<div class="colab-magics" lang="en">')


def test_after_rich_was_loaded_a_report_shows_itself_all_the_same(loaded: InteractiveShell) -> None:
    run(loaded, "%load_ext rich")
    run(loaded, '%config ColabMagics.language = "zh-CN"')
    data, _ = loaded.display_formatter.format(run(loaded, "%gpu_info -o"))

    assert data.keys() == {"text/plain", "text/html"}
    assert data["text/plain"].startswith("未连接到 GPU")
    assert data["text/html"].startswith('<div class="colab-magics" lang="zh-CN">')


@pytest.mark.parametrize("magic", MAGICS)
def test_json_is_one_line_on_standard_output(
    loaded: InteractiveShell, magic: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run(loaded, f"%{magic} -j")

    shown = capsys.readouterr().out
    assert shown.count("\n") == 1
    assert documents.read(shown)["schema"] == 2
    assert loaded.display_pub.outputs == []


def test_each_magic_has_the_sections_it_looked_at(
    loaded: InteractiveShell, capsys: pytest.CaptureFixture[str], plug_in: Callable[..., FakeDriver]
) -> None:
    plug_in("t4")
    sections = {}
    for magic in MAGICS:
        run(loaded, f"%{magic} --json")
        seen = documents.read(capsys.readouterr().out)
        sections[magic] = seen.keys() - {"platform"} - set(Document.__annotations__)

    of_gpus = {"gpus", "visible_gpus", "tpus", "driver", "frameworks"}
    assert sections["gpu_info"] == of_gpus
    assert sections["ram_info"] == {"ram"}
    assert sections["runtime_status"] == of_gpus | {"ram", "disks", "cpu"}


def test_who_has_a_gpu_s_memory_is_shown_on_request(
    loaded: InteractiveShell, plug_in: Callable[..., FakeDriver], capsys: pytest.CaptureFixture[str]
) -> None:
    plug_in("t4")
    run(loaded, "%gpu_info -v -n 3")
    (shown,) = [output["data"]["text/plain"] for output in loaded.display_pub.outputs]
    assert "Memory of GPU 0: 15.0 GiB" in shown

    run(loaded, "%gpu_info -v -j")
    seen = documents.read(capsys.readouterr().out)
    assert [one["index"] for one in seen["gpu_shares"]] == [0]
    assert seen["holders"]["largest"] == []

    returned = colab_magics.gpu_info(variables=True)
    assert isinstance(returned.snapshot.gpu_shares, tuple)


@pytest.mark.parametrize("magic", MAGICS)
@pytest.mark.parametrize("option", ["-q", "--quiet", "-q -a"])
def test_quiet_shows_nothing(
    loaded: InteractiveShell, magic: str, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(loaded, f"%{magic} {option}") is None

    assert loaded.display_pub.outputs == []
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("magic", MAGICS)
def test_all_shows_every_field(loaded: InteractiveShell, magic: str) -> None:
    run(loaded, f"%{magic} -a")

    (shown,) = texts(loaded)
    assert "Platform" in shown
    if magic != "gpu_info":
        assert "(PSS): not available" not in shown
        assert "your other kernels" in shown


@pytest.mark.parametrize("magic", MAGICS)
@pytest.mark.parametrize(
    ("options", "found"),
    [
        ("--bogus", "unrecognized arguments: --bogus"),
        ('"unclosed', "No closing quotation"),
        ("-j -o", "-j and -o exclude each other"),
        ("--json=yes", "ignored explicit argument 'yes'"),
        ("\x1b[31m--x", "\\x1b[31m--x"),
    ],
)
def test_a_wrong_line_is_one_line_that_says_what_was_found_and_what_is_allowed(
    loaded: InteractiveShell, magic: str, options: str, found: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if magic == "gpu_info" and options.startswith("\x1b"):
        found = "\\x1b[31m--x' is not a GPU's number"
    result = loaded.run_cell(f"%{magic} {options}")

    shown = "".join(capsys.readouterr())
    assert type(result.error_in_exec) is UsageError
    assert shown.startswith("UsageError: ")
    assert shown.count("\n") == 1
    assert found in shown
    assert "Allowed:" in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("0", "there is no GPU 0. This machine has none"),
        ("x", "'x' is not a GPU's number"),
        ("-1", "-1"),
        ("1.5", "'1.5' is not a GPU's number"),
    ],
)
def test_a_gpu_that_is_not_there_is_a_usage_error(
    loaded: InteractiveShell, line: str, found: str, capsys: pytest.CaptureFixture[str]
) -> None:
    result = loaded.run_cell(f"%gpu_info {line}")

    assert type(result.error_in_exec) is UsageError
    assert found in "".join(capsys.readouterr())


def test_index_chooses_gpus(
    loaded: InteractiveShell, plug_in: Callable[..., FakeDriver], capsys: pytest.CaptureFixture[str]
) -> None:
    plug_in("eight-a100")
    chosen = run(loaded, "%gpu_info -o 7 2")
    assert [gpu.index for gpu in chosen.snapshot.gpus] == [2, 7]

    loaded.run_cell("%gpu_info 8")
    assert "there is no GPU 8. Allowed: 0, 1, 2, 3, 4, 5, 6, 7" in "".join(capsys.readouterr())


@pytest.mark.parametrize("magic", MAGICS)
def test_question_mark_gives_full_help(
    loaded: InteractiveShell, magic: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run(loaded, f"%{magic}?")
    shown = " ".join(("".join(capsys.readouterr()) + str(loaded.display_pub.outputs)).split())

    for said in (
        "-a, --all",
        "-j, --json",
        "-o, --output",
        f"report = %{magic} -o",
        "-q, --quiet",
        "what to do about it",
    ):
        assert said in shown


def test_the_deadline_is_the_setting_s(loaded: InteractiveShell, plug_in: Callable[..., FakeDriver]) -> None:
    plug_in("t4", "hang nvmlInitWithFlags")
    run(loaded, "%config ColabMagics.driver_deadline_seconds = 0.3")
    run(loaded, "%gpu_info")

    waited = re.match(r"The NVIDIA driver is still starting \((\d(?:\.\d)?) s\)\.", texts(loaded)[0])
    assert waited is not None
    assert 0.3 <= float(waited[1]) < client.DEADLINE_SECONDS


def test_the_languages_are_those_whose_menus_are_known(loaded: InteractiveShell) -> None:
    known = ["auto", *(menu.language for menu in menus())]
    assert len(known) > 2
    for language in known:
        run(loaded, f"%config ColabMagics.language = {language!r}")
        assert run(loaded, "%config ColabMagics.language") == language


def test_the_language_is_the_setting_s_or_the_environment_s(
    loaded: InteractiveShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLAB_MAGICS_LANGUAGE", "zh_CN")
    run(loaded, "%gpu_info")
    run(loaded, '%config ColabMagics.language = "en"')
    run(loaded, "%gpu_info")
    run(loaded, '%config ColabMagics.language = "zh-CN"')
    data, _ = loaded.display_formatter.format(run(loaded, "%gpu_info -o"))
    in_chinese, in_english = texts(loaded)

    assert in_chinese.startswith("未连接到 GPU")
    assert in_english.startswith("Not connected to a GPU.")
    assert data["text/plain"].startswith("未连接到 GPU")


@pytest.mark.parametrize("unknown", ["tlh", "", "zh_CN", "ZH-CN", "xx\nyy"])
def test_an_unknown_language_is_one_clear_line(
    loaded: InteractiveShell, unknown: str, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    loaded.run_cell(f"%config ColabMagics.language = {unknown!r}")
    (said,) = (caplog.text + "".join(capsys.readouterr())).splitlines()

    allowed = ", ".join(["auto", *(menu.language for menu in menus())])
    assert said.endswith(f"The language is {unknown!r}. Allowed: {allowed}")
    assert run(loaded, "%config ColabMagics.language") == "auto"


def test_an_unknown_language_in_the_configuration_is_one_clear_line(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.config.ColabMagics.language = "tlh"
    shell.run_cell("%load_ext colab_magics")
    (said,) = "".join(capsys.readouterr()).splitlines()

    assert said.startswith("UsageError: colab_magics: The language is 'tlh'. Allowed: auto, en, zh-CN")


@pytest.mark.parametrize(("name", "subject"), MAGICS.items())
def test_the_plain_functions_return_the_same_and_never_print(
    name: str, subject: Subject, capsys: pytest.CaptureFixture[str]
) -> None:
    report = getattr(colab_magics, name)()

    assert report.subject is subject
    assert capsys.readouterr() == ("", "")


def test_the_plain_functions_know_the_shell_they_run_in(loaded: InteractiveShell) -> None:
    inside = run(loaded, "import colab_magics; colab_magics.ram_info()")
    magic = run(loaded, "%ram_info -o")

    assert inside.snapshot.platform.service == magic.snapshot.platform.service
    assert inside.snapshot.platform.ipython_version is not None


# Who holds memory, and letting go ------------------------------------------------------------------------------------


def test_who_holds_memory_is_looked_at_only_where_that_is_asked(loaded: InteractiveShell) -> None:
    loaded.user_ns["large"] = bytearray(2**21)

    assert run(loaded, "%ram_info -o").snapshot.holders is None
    assert [one.name for one in run(loaded, "%ram_info -v -o").snapshot.holders.largest] == ["large"]


def test_the_plain_function_tells_the_same(loaded: InteractiveShell) -> None:
    loaded.user_ns["large"] = bytearray(2**21)

    inside = run(loaded, "import colab_magics; colab_magics.ram_info(variables=True)")

    assert [one.name for one in inside.snapshot.holders.largest] == ["large"]


def test_so_many_rows_are_shown_as_were_asked_for(loaded: InteractiveShell) -> None:
    for number in range(12):
        loaded.user_ns[f"large_{number}"] = bytearray(2**21)

    assert len(run(loaded, "%ram_info -v -o").snapshot.holders.largest) == 10
    assert len(run(loaded, "%ram_info -v -n 3 -o").snapshot.holders.largest) == 3
    run(loaded, "%ram_info -v -n 2")
    assert texts(loaded)[-1].count("bytearray") == 2


def test_letting_go_comes_before_the_look_and_before_a_requirement(loaded: InteractiveShell) -> None:
    loaded.run_cell("bytearray(2**21).copy", store_history=True)
    assert loaded.user_ns["Out"]

    report = run(loaded, "%ram_info -f -v -q -o -r ram>=0.1")

    assert report.snapshot.released.results == 1
    assert report.snapshot.holders.hidden_bytes < 2**20
    assert texts(loaded) == []


def test_letting_go_quietly_says_nothing(loaded: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    loaded.run_cell("'a result'", store_history=True)
    capsys.readouterr()

    run(loaded, "%ram_info -f -q")

    assert loaded.user_ns["Out"] == {}
    assert (texts(loaded), capsys.readouterr().out) == ([], "")


@pytest.mark.parametrize(
    ("place", "line", "section"),
    [
        ("colab_magics.probes.holders.probe_holders", "-v", "holders"),
        ("colab_magics.release.release", "-f", "released"),
    ],
)
def test_a_mistake_in_it_costs_its_section_alone(
    loaded: InteractiveShell, monkeypatch: pytest.MonkeyPatch, place: str, line: str, section: str
) -> None:
    def fails(*_arguments: object, **_named: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(place, fails)

    report = run(loaded, f"%ram_info {line} -o")

    assert getattr(report.snapshot, section).code == "unexpected"
    assert "RAM: " in str(report)
    assert "A mistake in colab_magics" in str(report)
