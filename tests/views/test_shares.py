from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from builders import GIB, HOLDERS, MIB, T4_SHARES, TORCH_MEMORY, WEIGHTS, a_report
from colab_magics.model import Subject, Unavailable
from colab_magics.translation import translator
from colab_magics.units import width
from colab_magics.views import html, shares, terminal, text
from colab_magics.views.render_options import RenderOptions
from runtimes import TRANSLATED

ENGLISH = translator("en")
ON_GPU = replace(HOLDERS, largest=(WEIGHTS,))
NOT_TOLD = (("context_bytes", "processes_not_told"), ("other_processes_bytes", "processes_not_told"))
TOGETHER = replace(
    T4_SHARES, context_bytes=None, other_processes_bytes=None, untold_bytes=300 * MIB, unavailable=NOT_TOLD
)


def report(*gpu_shares: Any, **changes: Any) -> Any:
    return a_report(Subject.GPU, gpu_shares=gpu_shares, **changes)


def bars(one: Any) -> dict[str, tuple[float | None, str]]:
    (divided,) = shares.divided(report(one), ENGLISH)
    return {bar.label: (None if bar.percent is None else round(bar.percent), bar.words) for bar in divided.bars}


@pytest.mark.parametrize("language", TRANSLATED)
def test_it_is_shown_as_it_was_reviewed(language: str, golden: Callable[[str, str], None]) -> None:
    one, options = report(T4_SHARES, holders=ON_GPU), RenderOptions(language=language)

    golden(f"{language}/t4-variables.txt", text.render(one, options))
    golden(f"{language}/t4-variables.html", html.render(one, options))


def test_every_part_has_its_share_of_the_whole() -> None:
    assert bars(T4_SHARES) == {
        "torch, allocated": (60, "9.0 GiB"),
        "torch, cache": (13, "2.0 GiB"),
        "context of this kernel": (2, "300 MiB"),
        "other processes": (0, "0 MiB"),
        "driver": (3, "450 MiB"),
        "free": (22, "3.3 GiB"),
    }


def test_what_cannot_be_told_apart_is_said_as_that_and_never_as_nothing() -> None:
    shown = text.render(report(TOGETHER))

    assert "context of this kernel, and other processes  300 MiB" in shown
    assert "Not known: context of this kernel, other processes\n  (the driver does not say which process" in shown
    assert "0 MiB" not in shown.replace("300 MiB", "").replace("450 MiB", "")


@pytest.mark.parametrize(
    ("changes", "label"),
    [
        ({"context_bytes": None, "unavailable": (("context_bytes", "framework_not_told"),)}, "the rest of this kernel"),
        ({"driver_bytes": None, "unavailable": (("driver_bytes", "counted_as_used"),)}, "not told whose"),
    ],
)
def test_what_is_left_over_says_what_it_may_be(changes: dict[str, Any], label: str) -> None:
    (found,) = [name for name in bars(replace(T4_SHARES, untold_bytes=GIB, **changes)) if name.startswith(label)]

    assert bars(replace(T4_SHARES, untold_bytes=GIB, **changes))[found][1] == "1.0 GiB"


def test_a_framework_without_figures_is_named() -> None:
    mute = replace(TORCH_MEMORY, framework="jax", allocated_bytes=None, reserved_bytes=None)
    one = replace(T4_SHARES, frameworks=(mute,))

    assert "jax on cuda:0: how much it has there it does not tell." in text.render(report(one))


def test_a_framework_that_tells_only_what_it_has_taken_has_a_part() -> None:
    taken = replace(TORCH_MEMORY, framework="jax", allocated_bytes=None)

    assert bars(replace(T4_SHARES, frameworks=(taken,)))["jax"] == (73, "11.0 GiB")


def test_mig_devices_and_gpus_that_cannot_be_told_are_named() -> None:
    unknown = dict.fromkeys(("total_bytes", "context_bytes", "untold_bytes", "driver_bytes", "free_bytes"))
    unplaced = replace(T4_SHARES, index=None, **unknown, unavailable=(("total_bytes", "gpu_not_certain"),))
    unified = replace(T4_SHARES, **unknown, unavailable=(("total_bytes", "unified_memory"),))
    shown = text.render(report(replace(T4_SHARES, slice_index=3), unplaced, unified))

    assert "Memory of GPU 0 MIG 3: 15.0 GiB" in shown
    assert "Memory of cuda:0: which GPU that is cannot be told." in shown
    assert "Memory of GPU 0: this GPU shares the machine's RAM." in shown
    assert shown.count("torch on cuda:0: 9.0 GiB allocated, 2.0 GiB kept for later (cache).") == 2


def test_in_html_each_part_is_a_meter_with_its_words() -> None:
    page = html.render(report(T4_SHARES, holders=ON_GPU))

    assert '<meter max="100" value="60" title="torch, allocated">' in page
    assert "<span>9.0 GiB</span>" in page
    assert ">weights</th>" in page


def test_a_terminal_shows_the_same() -> None:
    shown = terminal.render(report(T4_SHARES, holders=ON_GPU))

    assert "torch, allocated" in shown
    assert "weights" in shown


def test_a_report_that_was_not_asked_for_it_shows_none() -> None:
    assert "torch, allocated" not in html.render(a_report(Subject.GPU))
    assert shares.divided(a_report(Subject.GPU), ENGLISH) == []
    assert text.memory_lines(report(holders=Unavailable(code="unexpected")), ENGLISH) == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_it_keeps_to_eighty_columns(language: str) -> None:
    long = replace(WEIGHTS, name="n" * 70, type_name="t" * 70)
    one = report(TOGETHER, holders=replace(HOLDERS, largest=(long,)))

    assert max(map(width, text.render(one, RenderOptions(language=language)).split("\n"))) <= 80
