from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from builders import (
    A100,
    CPU_RUNTIME,
    DISK,
    EIGHT_A100,
    GB10,
    MIG_IN_A_CONTAINER,
    RAM_IN_FULL,
    SHARED,
    SILENT_DISK,
    T4,
    a_report,
)
from colab_magics.guides import CommandStep, Guide, Sentence
from colab_magics.model import Subject
from colab_magics.translation import translator
from colab_magics.views import html
from colab_magics.views.render_options import RenderOptions
from markup import Markup
from runtimes import IN_A_CONTAINER, REPORTED, REVIEWED, REVIEWED_IN_EVERY_LANGUAGE, TRANSLATED

ALL = RenderOptions(everything=True)
NINE_A100 = (*EIGHT_A100, replace(A100, index=8))


def without_style_sheet(shown: str) -> str:
    """Leave out what is the same in all of them, and no sentence."""
    return re.sub(r"<style>.*?</style>", "", shown, flags=re.DOTALL)


@pytest.mark.parametrize("everything", [False, True], ids=["short", "all"])
@pytest.mark.parametrize("subject", Subject)
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
@pytest.mark.parametrize("subject", Subject)
@pytest.mark.parametrize("case", REPORTED)
def test_the_html_is_whole_and_brings_nothing_from_outside(case: str, subject: Subject, options: RenderOptions) -> None:
    page = Markup(html.render(a_report(subject, **REPORTED[case]), options))

    assert not page.names & {"script", "img", "link", "iframe", "object"}
    assert not [name for name in page.attributes if name.startswith("on") or name == "src"]
    assert all((link["href"] or "").startswith("https://") for link in page.all("a"))


def test_every_bar_has_its_number_in_words_beside_it() -> None:
    shown = html.render(a_report())

    assert shown.count("<meter") == 4
    for said in ("0.4 of 15.0 GiB used", "0 %", "4.6 of 12.7 GiB used", "38.1 of 107.7 GiB used"):
        assert f"<td>{said}</td>" in shown


def test_shared_memory_has_a_bar_where_everything_is_wanted() -> None:
    report = a_report(disks=(DISK, SHARED))

    assert html.render(report) == html.render(a_report())
    assert "0.0 of 5.7 GiB used" in html.render(report, RenderOptions(everything=True))


def test_a_disk_that_is_silent_has_the_reason_beside_it() -> None:
    assert "<td>The file system did not answer within 1 s.</td>" in html.render(a_report(disks=(DISK, SILENT_DISK)))


def test_in_a_container_the_bar_says_what_the_sentence_says() -> None:
    shown = html.render(a_report(**IN_A_CONTAINER))
    (meter,) = [meter for meter in Markup(shown).all("meter") if (meter["title"] or "").startswith("RAM")]

    assert (meter["value"], meter["title"]) == ("94", "RAM: 3.8 of 4.0 GiB used")
    assert "<td>3.8 of 4.0 GiB used</td>" in shown
    assert "<p>RAM: 3.8 of 4.0 GiB used, 256 MiB can still be allocated" in shown
    assert "64" not in without_style_sheet(shown)


def test_of_many_gpus_eight_have_a_bar_unless_all_is_wanted() -> None:
    report = a_report(Subject.GPU, gpus=NINE_A100, ram=None, disks=())

    assert html.render(report).count("<meter") == 8
    assert html.render(report, ALL).count("<meter") == 9


def test_slices_are_said_beside_the_bars() -> None:
    assert "<p>MIG 2  NVIDIA H100 80GB HBM3 MIG 1g.10gb: 1.0 of 9.8 GiB used, cuda:0.</p>" in html.render(
        a_report(Subject.GPU, gpus=(MIG_IN_A_CONTAINER,))
    )


def test_what_has_no_memory_of_its_own_has_no_bar_for_it() -> None:
    assert "GPU memory" not in html.render(a_report(Subject.GPU, gpus=(GB10,)))


def test_who_holds_the_gpu_is_a_table_on_request() -> None:
    row = '<tr><th scope="row">GPU 0</th><td>Process 1234 (python3), this kernel: 400 MiB.</td></tr>'

    assert row in html.render(a_report(Subject.GPU), RenderOptions(processes=True))
    assert row not in html.render(a_report(Subject.GPU))


def test_what_was_found_stands_with_what_to_do_about_the_first_of_them() -> None:
    full = replace(DISK, free_bytes=2**30)
    shown = html.render(a_report(disks=(full,)))

    assert '<div class="cm-found"><p>The disk is nearly full: 1.0 GiB of 107.7 GiB free (/).</p>' in shown
    assert "<li>!du -h -d 1 /content shows what to delete or move to Drive</li>" in shown
    assert '<div class="cm-found"><p>Not using a high-RAM runtime.</p></div>' in shown


def test_below_what_was_found_stand_the_steps_what_they_cost_and_where_to_read_more() -> None:
    assert (
        "<p>To use a GPU:</p>"
        '<ol class="cm-steps"><li>Runtime &gt; Change runtime type</li><li>T4 GPU</li><li>Save</li></ol>'
        "<p>This gives you a new machine: variables and files in /content are lost. "
        "Then run again from your first cell (%pip install, %load_ext).</p>"
        '<p><a href="https://colab.research.google.com/notebooks/gpu.ipynb">To read more</a></p>'
    ) in html.render(a_report(Subject.GPU, **CPU_RUNTIME))


def test_a_single_step_follows_its_purpose_and_is_escaped() -> None:
    guide = Guide(Sentence("To see"), steps=(CommandStep("ls <x>"),), consequences=(Sentence("Nothing is lost."),))

    assert html.found("1 < 2.", guide, translator("en")) == (
        '<div class="cm-found"><p>1 &lt; 2.</p><p>To see: ls &lt;x&gt; Nothing is lost.</p></div>'
    )
    assert html.found(None, None, translator("en")) == ""


def test_a_note_stands_before_the_answer() -> None:
    shown = html.render(a_report(**CPU_RUNTIME), RenderOptions(note="Seen at {time}, <now>."))

    assert '<p>Seen at 12:00:00, &lt;now&gt;.</p><p class="cm-answer">Not connected to a GPU.</p>' in shown


def test_without_its_style_sheet_and_the_rest_that_an_untrusted_notebook_loses_everything_is_said() -> None:
    kept = without_style_sheet(html.render(a_report(**CPU_RUNTIME)))
    words = re.sub(r"<[^>]+>", " ", kept)

    for said in (
        "Not connected to a GPU.",
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
