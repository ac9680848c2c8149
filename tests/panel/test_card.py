from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from builders import (
    A_SESSION,
    A_SESSION_S_CELLS,
    CPU_RUNTIME,
    DISK,
    EIGHT_A100,
    GIB,
    HUNG_DRIVER,
    JUPYTER,
    MUTE_GPU,
    NOTHING_AVAILABLE,
    RAM,
    SHARED,
    T4,
    TORCH_CPU,
    a_ram,
    a_report,
)
from colab_magics.model import GpuSample, Sample, Subject, Usage
from colab_magics.panel import card
from colab_magics.report import Report
from colab_magics.rules import Rule
from colab_magics.translation import translator
from colab_magics.views import gpu_table, html, markup
from colab_magics.views.render_options import RenderOptions
from markup import Markup
from runtimes import OF_A_MACHINE, TRANSLATED

MINUTES = tuple(
    Sample(
        seconds_ago=7.4 * (40 - number),
        ram_headroom_bytes=(8 + number % 3) * GIB,
        kernel_bytes=GIB,
        cpu_percent=float(number % 100),
        gpus=(GpuSample(memory_used_bytes=number * 350 * 2**20, utilization_percent=float(number % 101)),) * 8,
    )
    for number in range(41)
)
FULL_DISK = replace(DISK, usage=Usage(total_bytes=100 * GIB, used_bytes=97 * GIB), free_bytes=3 * GIB)


def shown(report: Report, *, notes: Sequence[str] = (), **options: Any) -> str:
    return card.render(report, RenderOptions(**options), notes=notes)


def title(report: Report) -> str:
    return card.title(report, RenderOptions())


@pytest.mark.parametrize("language", TRANSLATED)
def test_with_one_gpu_and_five_minutes_it_is_sent_in_less_than_four_kilobytes(language: str) -> None:
    report = a_report(samples=MINUTES, disks=(FULL_DISK,), frameworks=(TORCH_CPU,), ram=a_ram(12.7))

    assert len(shown(report, language=language).encode()) <= 4096


@pytest.mark.parametrize(
    "changes",
    [{}, CPU_RUNTIME, HUNG_DRIVER, NOTHING_AVAILABLE, {"gpus": EIGHT_A100}, {"gpus": (MUTE_GPU,)}],
    ids=["t4", "cpu", "hung driver", "nothing", "eight", "mute"],
)
@pytest.mark.parametrize("subject", OF_A_MACHINE)
def test_it_is_whole_and_brings_nothing_from_outside(subject: Subject, changes: dict[str, object]) -> None:
    report = a_report(subject, samples=MINUTES, **changes)
    for moving_or_not in (title(report), shown(report, processes=True)):
        page = Markup(moving_or_not)

        assert not page.names & {"script", "img", "iframe", "link", "style"}
        assert not [name for name in page.attributes if name.startswith("on")]


def test_every_bar_has_its_name() -> None:
    meters = Markup(shown(a_report(samples=MINUTES))).all("meter")

    assert [meter["title"] for meter in meters] == ["GPU memory", "GPU use", "RAM", "Disk", "CPU"]


def test_what_is_nearly_full_is_marked_and_what_works_is_not() -> None:
    full = a_report(samples=MINUTES, disks=(FULL_DISK,), gpus=(replace(T4, utilization_percent=100.0),))
    meters = {meter["title"]: meter for meter in Markup(shown(full)).all("meter")}

    assert [title for title, meter in meters.items() if "high" in meter] == ["Disk"]
    assert re.search(r'<tr class="warning"><th scope="row">Disk</th>', shown(full))
    assert '<div class="cm-found warning"><p class="cm-said">Warning: The disk is nearly full' in shown(full)


def test_every_history_stands_in_its_row_and_none_where_there_is_none() -> None:
    rows = re.findall(r"<tr.*?</tr>", shown(a_report(samples=MINUTES)))
    drawn = {re.findall(r'scope="row">([^<]+)', row)[0]: row.count("<svg") for row in rows}

    assert drawn == {"GPU memory": 1, "GPU use": 1, "RAM": 1, "Disk": 0, "CPU": 1}
    assert all(row.count('class="cm-past"') == 1 for row in rows)


def test_several_gpus_are_the_report_s_table() -> None:
    report = a_report(gpus=EIGHT_A100, samples=MINUTES)
    table = html.table_of_gpus(gpu_table.rows(report.snapshot, translator("en")), translator("en"))

    assert table.count('scope="row"') == 8
    assert table in shown(report)
    assert [meter["title"] for meter in Markup(shown(report)).all("meter")][-3:] == ["RAM", "Disk", "CPU"]


def test_the_title_says_what_this_runtime_is() -> None:
    assert '<strong class="cm-title">Tesla T4</strong>' in title(a_report())
    assert "<span>2 cores</span> · <span>12.7 GiB RAM</span>" in title(a_report())
    assert '<strong class="cm-title">Not connected to a GPU</strong>' in title(a_report(**CPU_RUNTIME))
    assert '<strong class="cm-title">8 x NVIDIA A100-SXM4-40GB</strong>' in title(a_report(gpus=EIGHT_A100))
    assert '<strong class="cm-title error">Error: The NVIDIA driver did not answer within 3 s</strong>' in title(
        a_report(**HUNG_DRIVER)
    )


def test_names_from_outside_are_escaped() -> None:
    report = a_report(gpus=(replace(T4, name="<b>T4\x1b"),))

    assert "<b>T4" not in title(report) + shown(report, processes=True)
    assert "&lt;b&gt;T4\\x1b" in title(report)


def test_a_finding_comes_with_what_to_do_unless_a_goal_leads_there() -> None:
    full = shown(a_report(disks=(FULL_DISK,)))

    assert "The disk is nearly full" in full
    assert "!du -h -d 1 /content" in full
    assert "Change runtime type" not in shown(a_report(**CPU_RUNTIME))


def test_what_may_be_fixed_in_place_can_be_checked_again() -> None:
    assert card.fixable_in_place(a_report(disks=(FULL_DISK,))) == {"disk_nearly_full"}
    assert card.fixable_in_place(a_report(**HUNG_DRIVER)) == {"driver_not_answering"}
    assert card.fixable_in_place(a_report()) == frozenset()
    assert card.fixable_in_place(a_report(**CPU_RUNTIME)) == frozenset()


def test_who_holds_the_gpus_is_said_on_request() -> None:
    assert "Process 1234" in shown(a_report(platform=JUPYTER), processes=True)
    assert "Process 1234" not in shown(a_report(platform=JUPYTER))


def test_the_foot_says_of_when_it_is_the_notes_and_what_is_good_to_know() -> None:
    said = shown(a_report(), notes=["Updates after each cell.", "Paused."])

    assert (
        '<p class="cm-foot"><span>As of 12:00:00 UTC</span> · <span>Updates after each cell</span> · '
        "<span>Paused</span> · <span>Not using a high-RAM runtime</span> · <span>Python 3.13.15"
    ) in said


def test_a_panel_without_a_report_says_why() -> None:
    assert card.without_report("<x> stopped.", RenderOptions(language="zh-CN")) == (
        '<div class="colab-magics cm-now" lang="zh-CN"><p>&lt;x&gt; stopped.</p></div>'
    )


def test_from_look_to_look_only_what_has_changed_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    element = markup.element
    monkeypatch.setattr(
        html, "element", lambda name, *content, **rest: made.append(name) or element(name, *content, **rest)
    )
    shown(a_report(samples=MINUTES))
    title(a_report(samples=MINUTES))
    made.clear()

    later = tuple(replace(sample, seconds_ago=sample.seconds_ago + 1) for sample in MINUTES)
    shown(a_report(samples=later))
    title(a_report(samples=later))
    again = [*made]
    made.clear()
    shown(a_report(samples=later, ram=replace(RAM, headroom_bytes=5 * GIB)))

    assert again.count("tr") == again.count("meter") == again.count("strong") == 0
    assert "table" in again
    assert made.count("meter") == 1


def test_a_look_asks_each_rule_of_a_bar_once_where_nothing_is_nearly_full(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    applies = Rule.__call__
    monkeypatch.setattr(Rule, "__call__", lambda rule, snapshot: asked.append(rule.name) or applies(rule, snapshot))
    report = a_report(samples=MINUTES, disks=(DISK, SHARED))
    asked.clear()

    shown(report)

    assert sorted(asked) == [
        "disk_nearly_full", "gpu_memory_nearly_full", "ram_nearly_full", "shared_memory_nearly_full",
    ]  # fmt: skip


def test_the_session_s_cells_are_a_small_part_of_it_where_they_were_asked_for() -> None:
    with_cells = shown(a_report(cells=A_SESSION_S_CELLS, session=A_SESSION))

    assert "cm-cells" not in shown(a_report())
    assert "Cells of this session" in with_cells
    assert with_cells.count('scope="row"') - shown(a_report()).count('scope="row"') == 3
    assert len(with_cells) - len(shown(a_report())) < 2_500


def test_before_a_cell_was_measured_it_says_so() -> None:
    nothing = replace(A_SESSION, measured=0, remembered=0)

    assert "No cell has been measured yet" in shown(a_report(cells=(), session=nothing))
