from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from builders import GIB, HOLDERS, JUPYTER, OUT_OF_MEMORY, TORCH_MEMORY, WEIGHTS, a_report
from colab_magics.model import Subject
from colab_magics.model.cells import Memory
from colab_magics.report import Report
from colab_magics.units import width
from colab_magics.views import html, terminal, text
from colab_magics.views.render_options import RenderOptions
from runtimes import TRANSLATED

OF_RAM = replace(
    OUT_OF_MEMORY,
    memory=Memory.RAM,
    error="numpy._core._exceptions._ArrayMemoryError",
    framework=None,
    device=None,
    array="float64 1000 x 500000",
    free_bytes=None,
    total_bytes=None,
    frameworks=(),
)
ON_GPU = replace(HOLDERS, largest=(WEIGHTS,))


def report(ran_out: Any, **changes: Any) -> Report:
    sections: dict[str, Any] = {"gpus": None, "driver": None, "disks": None, "cpu": None, **changes}
    if ran_out.memory is not Memory.RAM:
        sections["ram"] = None
    return a_report(Subject.OUT_OF_MEMORY, out_of_memory=ran_out, **sections)


CASES = {"ram": report(OF_RAM, holders=HOLDERS), "gpu": report(OUT_OF_MEMORY, holders=ON_GPU)}


@pytest.mark.parametrize("language", TRANSLATED)
@pytest.mark.parametrize("case", CASES)
def test_it_is_shown_as_it_was_reviewed(case: str, language: str, golden: Callable[[str, str], None]) -> None:
    options = RenderOptions(language=language)

    golden(f"{language}/out-of-{case}.txt", text.render(CASES[case], options))
    golden(f"{language}/out-of-{case}.html", html.render(CASES[case], options))


@pytest.mark.parametrize("everything", [False, True])
@pytest.mark.parametrize("language", TRANSLATED)
@pytest.mark.parametrize("case", CASES)
def test_it_keeps_to_eighty_columns(case: str, language: str, everything: bool) -> None:
    shown = text.render(CASES[case], RenderOptions(language=language, everything=everything))

    assert max(map(width, shown.split("\n"))) <= 80


def test_what_the_error_does_not_tell_is_left_out() -> None:
    mute = replace(OUT_OF_MEMORY, device=None, asked_bytes=None, free_bytes=None, total_bytes=None, frameworks=())
    lines = text.render(report(mute)).split("\n")

    assert lines[0] == "The cell has run out of GPU memory."
    assert lines[1].startswith("To make room:")


def test_an_array_of_unknown_size_is_told() -> None:
    tensor = replace(OUT_OF_MEMORY, asked_bytes=None, array="100 x 4096 x 32")

    assert "100 x 4096 x 32 asked for, 3.0 of 15.0 GiB were free, cuda:0." in text.render(report(tensor))


def test_a_framework_s_memory_on_other_gpus_is_left_out_where_the_gpu_is_known() -> None:
    other = replace(TORCH_MEMORY, device=1)
    both = replace(OUT_OF_MEMORY, frameworks=(TORCH_MEMORY, other))

    assert "torch on cuda:1" not in text.render(report(both))
    assert "torch on cuda:1" in text.render(report(replace(both, device=None)))


def test_emptying_the_cache_is_advised_only_where_it_is_large() -> None:
    small = replace(OUT_OF_MEMORY, frameworks=(replace(TORCH_MEMORY, reserved_bytes=9 * GIB + 2**20),))

    assert "torch.cuda.empty_cache()" in text.render(report(OUT_OF_MEMORY))
    assert "torch.cuda.empty_cache()" not in text.render(report(small))


def test_the_variable_to_delete_is_one_of_the_memory_that_has_run_out() -> None:
    assert "del weights" in text.render(report(OUT_OF_MEMORY, holders=replace(HOLDERS, largest=(*HOLDERS.largest,))))
    assert "del frame" in text.render(report(OF_RAM, holders=HOLDERS))
    assert "del what you no longer need" in text.render(report(OF_RAM))


def test_a_larger_machine_is_offered_where_one_can_be_had() -> None:
    assert "Runtime > Change runtime type" in text.render(report(OF_RAM))
    assert "Runtime >" not in text.render(report(OF_RAM, platform=JUPYTER))


def test_in_a_terminal_it_has_the_colour_of_an_error() -> None:
    shown = terminal.render(CASES["gpu"])

    assert shown.startswith("\x1b[1;31mError: The cell has run out of GPU memory\x1b[0m")
    assert "weights" in shown


def test_names_from_outside_do_no_harm() -> None:
    hostile = "<script>\x1b[31m"
    holders = replace(HOLDERS, largest=(replace(HOLDERS.largest[0], name=hostile, type_name=hostile, shape=hostile),))
    one = report(replace(OF_RAM, array=hostile), holders=holders)

    assert "<script>" not in html.render(one)
    assert "\x1b" not in text.render(one)
