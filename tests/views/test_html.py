from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from builders import (
    A100,
    CPU_RUNTIME,
    DISK,
    EIGHT_A100,
    GB10,
    GIB,
    HUNG_DRIVER,
    MIG_IN_A_CONTAINER,
    MUTE_GPU,
    RAM_IN_FULL,
    SHARED,
    SILENT_DISK,
    T4,
    TORCH_CPU,
    a_ram,
    a_report,
)
from colab_magics.guides import CommandStep, Guide, Sentence
from colab_magics.model import Subject
from colab_magics.translation import translator
from colab_magics.views import html
from colab_magics.views.render_options import RenderOptions
from markup import Markup
from runtimes import IN_A_CONTAINER, OF_A_MACHINE, REPORTED, REVIEWED, REVIEWED_IN_EVERY_LANGUAGE, TRANSLATED

ALL = RenderOptions(everything=True)


def without_style_sheet(shown: str) -> str:
    """Leave out what is the same in all of them, and no sentence."""
    return re.sub(r"<style>.*?</style>", "", shown, flags=re.DOTALL)


@pytest.mark.parametrize("everything", [False, True], ids=["short", "all"])
@pytest.mark.parametrize("subject", OF_A_MACHINE)
@pytest.mark.parametrize("case", REVIEWED)
def test_the_html_is_as_it_was_reviewed(
    case: str, subject: Subject, everything: bool, golden: Callable[[str, str], None]
) -> None:
    changes = {"ram": RAM_IN_FULL, **REPORTED[case]} if everything else REPORTED[case]
    shown = html.render(a_report(subject, **changes), RenderOptions(everything=everything))

    golden(f"{case}-{subject}{'-all' if everything else ''}.html", without_style_sheet(shown))


@pytest.mark.parametrize("language", TRANSLATED)
@pytest.mark.parametrize("case", REVIEWED_IN_EVERY_LANGUAGE)
def test_the_html_is_as_it_was_reviewed_in_every_language(
    case: str, language: str, golden: Callable[[str, str], None]
) -> None:
    shown = html.render(a_report(**REPORTED[case]), RenderOptions(language=language))

    golden(f"{language}/{case}.html", without_style_sheet(shown))


@pytest.mark.parametrize("options", [RenderOptions(processes=True), ALL], ids=["short", "all"])
@pytest.mark.parametrize("subject", OF_A_MACHINE)
@pytest.mark.parametrize("case", REPORTED)
def test_the_html_is_whole_and_brings_nothing_from_outside(case: str, subject: Subject, options: RenderOptions) -> None:
    page = Markup(html.render(a_report(subject, **REPORTED[case]), options))

    assert not page.names & {"script", "img", "link", "iframe", "object"}
    assert not [name for name in page.attributes if name.startswith("on") or name == "src"]
    assert all((link["href"] or "").startswith(("https://", "mailto:")) for link in page.all("a"))


def test_every_bar_has_its_number_beside_it() -> None:
    shown = html.render(a_report())

    assert shown.count("<meter") == 4
    for label, share, words in (
        ("GPU memory", "3 %", "0.4 of 15.0 GiB"),
        ("GPU use", "0 %", "43 °C"),
        ("RAM", "36 %", "8.1 GiB left"),
        ("Disk", "35 %", "69.6 GiB left"),
    ):
        assert re.search(
            f'<th scope="row">{label}</th><td class="cm-share">{share}</td>'
            f'<td class="cm-bar"><meter [^>]*value="{share[:-2]}" title="{label}"></meter></td>'
            f'<td class="cm-words"><span>{words}</span>',
            shown,
        )


def words_of(shown: str) -> str:
    """What is read of a page."""
    return re.sub(r"<[^>]+>", " ", without_style_sheet(shown))


@pytest.mark.parametrize(
    ("changes", "facts"),
    [
        ({}, ["12.7", "8.1", "107.7", "69.6", "15.0", "43 °C", "9 of 70", "Tesla T4", "Colab", "3.1 GiB"]),
        (CPU_RUNTIME, ["Not connected to a GPU", "12.7", "8.1", "107.7", "69.6", "3.1 GiB", "High-RAM", "high-RAM"]),
        (HUNG_DRIVER, ["did not answer", "12.7", "107.7", "Error"]),
        ({"gpus": EIGHT_A100}, ["NVIDIA A100-SXM4-40GB", "24.0", "320.0", "8 of 8 busy"]),
    ],
    ids=["t4", "cpu", "hung driver", "eight"],
)
def test_each_fact_is_said_once(changes: Any, facts: list[str]) -> None:
    shown = words_of(html.render(a_report(**changes)))

    assert {fact: shown.count(fact) for fact in facts} == {fact: int(fact != "High-RAM") for fact in facts}


def test_with_all_fields_a_remark_is_said_once_and_not_at_the_foot_too() -> None:
    shown = html.render(a_report(), ALL)

    assert words_of(shown).count("Not using a high-RAM runtime") == 1
    assert "cm-foot" not in without_style_sheet(shown)


def test_shared_memory_has_a_bar_where_everything_is_wanted() -> None:
    report = a_report(disks=(DISK, SHARED))

    assert html.render(report) == html.render(a_report())
    assert 'title="Shared memory"' in html.render(report, ALL)


def test_a_disk_that_is_silent_has_the_reason_in_place_of_its_share() -> None:
    shown = html.render(a_report(disks=(replace(DISK, places=("/",)), SILENT_DISK)))

    assert (
        '<tr><th scope="row">Disk (working directory)</th><td class="cm-share"></td><td class="cm-bar"></td>'
        '<td class="cm-words"><span>The file system did not answer within 1 s.</span></td></tr>'
    ) in shown


def test_in_a_container_everything_is_of_what_the_container_may_use() -> None:
    shown = html.render(a_report(**IN_A_CONTAINER))
    (meter,) = [meter for meter in Markup(shown).all("meter") if meter["title"] == "RAM"]

    assert meter["value"] == "94"
    assert "<span>4.0 GiB RAM</span>" in shown
    assert "<span>256 MiB left</span>" in shown
    assert "64" not in without_style_sheet(shown)


def rows_of(shown: str, table: str) -> list[str]:
    (body,) = re.findall(rf'<table class="{table}">(.*?)</table>', shown)
    return re.findall(r"<tr.*?</tr>", body)


@pytest.mark.parametrize("count", [0, 1, 2, 8, 64])
def test_several_gpus_are_one_table_with_all_of_them(count: int) -> None:
    gpus = tuple(replace(A100, index=index, cuda_index=None) for index in range(count))
    shown = html.render(a_report(Subject.GPU, gpus=gpus, ram=None, disks=()))

    if count < 2:
        assert 'class="cm-gpus"' not in shown
        return
    head, *rows = rows_of(shown, "cm-gpus")
    assert re.findall(r'<th scope="row">(\d+)</th>', "".join(rows)) == [str(index) for index in range(count)]
    assert re.findall(r">([^<>]+)</th>", head) == ["#", "memory, GiB", "use", "°C", "W", "held by, GiB"]
    assert all(row.count("<meter") == 2 for row in rows)
    assert shown.count("NVIDIA A100-SXM4-40GB") == 1


def test_gpus_that_differ_have_their_names_in_the_table() -> None:
    shown = html.render(a_report(Subject.GPU, gpus=(T4, replace(A100, index=1))))
    head, first, second = rows_of(shown, "cm-gpus")

    assert ">name</th>" in head
    assert '<td class="cm-name">Tesla T4</td>' in first
    assert '<td class="cm-name">NVIDIA A100-SXM4-40GB</td>' in second


def test_in_the_table_of_gpus_those_that_do_nothing_are_quiet_and_full_memory_is_not() -> None:
    full = replace(A100, index=1, memory=replace(A100.memory, used_bytes=39 * GIB, free_bytes=GIB // 2))
    shown = html.render(a_report(Subject.GPU, gpus=(T4, full, replace(MUTE_GPU, index=2))))
    _, idle, busy, lost = rows_of(shown, "cm-gpus")

    assert idle.startswith('<tr class="cm-idle">')
    assert busy.startswith('<tr class="warning">')
    assert [meter.get("high") for meter in Markup(f"<table>{busy}</table>").all("meter")] == ["1", None]
    assert '<td class="cm-holder">the GPU is lost</td>' in lost
    assert "<meter" not in lost


def test_what_is_nearly_full_is_marked_in_its_row_its_bar_and_its_finding_and_nothing_else_is() -> None:
    shown = html.render(a_report(disks=(replace(DISK, free_bytes=GIB),)))
    rows = {re.findall(r'<th scope="row">([^<]+)', row)[0]: row for row in rows_of(shown, "cm-bars")}

    assert rows["Disk"].startswith('<tr class="warning">')
    assert 'high="1" optimum="0" title="Disk"' in rows["Disk"]
    assert '<div class="cm-found warning"><p class="cm-said">Warning: The disk is nearly full' in shown
    for label in ("GPU memory", "GPU use", "RAM"):
        assert rows[label].startswith("<tr><th")
        assert "high=" not in rows[label]


def test_what_is_wrong_with_the_answer_itself_is_marked_in_the_title() -> None:
    assert (
        '<strong class="cm-title error">Error: The NVIDIA driver did not answer within 3 s</strong>'
    ) in html.render(a_report(**HUNG_DRIVER))
    assert '<div class="cm-found error"><p>To get another machine:</p>' in html.render(a_report(**HUNG_DRIVER))
    assert '<strong class="cm-title">Not connected to a GPU</strong>' in html.render(a_report(**CPU_RUNTIME))


def test_slices_have_a_bar_each() -> None:
    shown = html.render(a_report(Subject.GPU, gpus=(MIG_IN_A_CONTAINER,)))

    assert '<th scope="row">MIG 2</th><td class="cm-share">10 %</td>' in shown
    assert '<span class="cm-more">NVIDIA H100 80GB HBM3 MIG 1g.10gb</span> <span class="cm-more">cuda:0</span>' in shown


def test_what_has_no_memory_of_its_own_has_no_bar_for_it() -> None:
    assert "GPU memory" not in html.render(a_report(Subject.GPU, gpus=(GB10,)))


def test_who_holds_the_gpu_is_a_table_on_request() -> None:
    row = '<tr><th scope="row">GPU 0</th><td>Process 1234 (python3), this kernel: 400 MiB.</td></tr>'

    assert row in html.render(a_report(Subject.GPU), RenderOptions(processes=True))
    assert row not in html.render(a_report(Subject.GPU))


def test_what_was_found_stands_with_what_to_do_about_it_and_remarks_are_the_foot_s() -> None:
    full = replace(DISK, free_bytes=2**30)
    shown = without_style_sheet(html.render(a_report(disks=(full,))))

    assert '<p class="cm-said">Warning: The disk is nearly full: 1.0 GiB of 107.7 GiB free (/).</p>' in shown
    assert "<li>!du -h -d 1 /content shows what to delete or move to Drive</li>" in shown
    assert '<p class="cm-foot"><span>Not using a high-RAM runtime</span> · <span>Python 3.13.15' in shown
    assert "For more RAM" not in shown


def test_where_ram_is_nearly_full_it_is_said_how_to_get_more_of_it() -> None:
    shown = without_style_sheet(html.render(a_report(Subject.RAM, ram=a_ram(12.7, headroom_bytes=GIB // 2))))

    assert shown.index("Warning: RAM is nearly full") < shown.index("To make room:") < shown.index("For more RAM")
    assert "<li>High-RAM</li>" in shown
    assert "Not using a high-RAM runtime" not in shown


def test_what_matters_most_comes_first() -> None:
    full = replace(DISK, free_bytes=2**30)
    note = RenderOptions(note="Seen at {time}.", processes=True)
    shown = without_style_sheet(html.render(a_report(Subject.RUNTIME, gpus=EIGHT_A100, disks=(full,)), note))
    order = ["cm-note", "cm-head", "cm-gpus", "cm-bars", "cm-rows", "cm-found", "cm-foot"]

    assert sorted(order, key=lambda name: shown.index(f'class="{name}')) == order
    assert [shown.count(f'class="{name}') for name in order] == [1] * len(order)


def test_below_what_was_found_stand_the_steps_what_they_cost_and_where_to_read_more() -> None:
    assert (
        '<div class="cm-found info"><p>To use a GPU:</p>'
        '<ol class="cm-steps"><li>Runtime &gt; Change runtime type</li><li>T4 GPU</li><li>Save</li></ol>'
        '<p class="cm-cost">This gives you a new machine: variables and files in /content are lost. '
        "Then run again from your first cell (%pip install, %load_ext).</p>"
        '<p><a href="https://colab.research.google.com/notebooks/gpu.ipynb">To read more</a></p></div>'
    ) in html.render(a_report(Subject.GPU, **CPU_RUNTIME))


def test_a_single_step_follows_its_purpose_and_is_escaped() -> None:
    guide = Guide(Sentence("To see"), steps=(CommandStep("ls <x>"),), consequences=(Sentence("Nothing is lost."),))
    report = a_report(frameworks=(replace(TORCH_CPU, version="1 < 2"),))
    (finding,) = [one for one in report.findings if one.rule == "framework_cpu_only"]

    assert html.found(report, finding, guide, translator("en")) == (
        '<div class="cm-found warning">'
        '<p class="cm-said">Warning: torch 1 &lt; 2 is a build without CUDA: it cannot use the GPU.</p>'
        '<p>To see: ls &lt;x&gt;</p><p class="cm-cost">Nothing is lost.</p></div>'
    )


def test_what_is_said_already_and_has_no_steps_is_no_box() -> None:
    report = a_report(**CPU_RUNTIME)
    (finding,) = [one for one in report.findings if one.rule == "no_gpu"]

    assert html.found(report, finding, None, translator("en")) == ""
    assert html.foot(()) == ""
    assert html.rows(()) == ""


def test_a_note_stands_before_the_answer() -> None:
    shown = html.render(a_report(**CPU_RUNTIME), RenderOptions(note="Seen at {time}, <now>."))

    assert '<p class="cm-note">Seen at 12:00:00, &lt;now&gt;.</p><p class="cm-head"><strong' in shown


def test_without_its_style_sheet_and_the_rest_that_an_untrusted_notebook_loses_everything_is_said() -> None:
    kept = without_style_sheet(html.render(a_report(**CPU_RUNTIME)))
    words = re.sub(r"<[^>]+>", " ", kept)

    for said in (
        "Not connected to a GPU",
        "Runtime &gt; Change runtime type",
        "T4 GPU",
        "Save",
        "are lost",
        "12.7 GiB",
    ):
        assert said in words
    assert "<ol" in kept


def test_a_report_on_ram_shows_ram_alone() -> None:
    shown = html.render(a_report(Subject.RAM), ALL)

    assert "RAM" in shown
    assert "GPU memory" not in shown
    assert "Tesla T4" not in shown


def test_its_language_is_named() -> None:
    def root(language: str) -> str | None:
        return Markup(html.render(a_report(), RenderOptions(language=language))).tags[0][1]["lang"]

    assert [root(language) for language in ("en", "zh-CN", "de")] == ["en", "zh-CN", "en"]


@pytest.mark.parametrize("options", [RenderOptions(processes=True), ALL], ids=["short", "all"])
@pytest.mark.parametrize("name", ["<img src=x>", "\x1b[31mred", "\u202eAMD", "quote\" ' & <script>alert(1)</script>"])
def test_a_hostile_device_name_stays_text(name: str, options: RenderOptions) -> None:
    hostile = replace(T4, name=name, uuid=name, processes=(replace(T4.processes[0], name=name),))
    for gpus in ((hostile,), (hostile, replace(hostile, index=1))):
        shown = html.render(a_report(gpus=gpus), options)

        assert not {"\x1b", "\u202e"} & {*shown}
        assert not Markup(shown).names & {"img", "script"}


def test_colours_come_from_the_page() -> None:
    shown = html.render(a_report())

    for variable in ("--colab-primary-text-color", "--jp-content-font-color1", "--vscode-editor-foreground"):
        assert variable in shown
    text_rules = re.sub(r"[^{}]*\bmeter\b[^{]*\{[^}]*\}", "", shown)
    assert not re.search(r"(?<![-\w])background(-color)?:\s*(#|rgb|white|black)", text_rules)
