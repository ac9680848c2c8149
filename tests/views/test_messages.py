from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path
from string import Formatter
from typing import Any

import pytest

import colab_magics
from builders import (
    A100,
    A_CELL,
    CPU_RUNTIME,
    DISK,
    DRIVER,
    EIGHT_A100,
    GIB,
    HOLDERS,
    HUNG_DRIVER,
    KAGGLE_TORCH,
    MUTE_GPU,
    P100,
    RAM,
    SHARED,
    T4,
    T4_WORK,
    TORCH,
    TORCH_CPU,
    a_ram,
    a_snapshot,
)
from colab_magics import facts
from colab_magics.guides import Sentence
from colab_magics.model import Finding, Severity, Unavailable, Usage
from colab_magics.observer import nvml
from colab_magics.rules import RULES
from colab_magics.translation import translator
from colab_magics.views import messages
from occurring import OCCURRING
from runtimes import LANGUAGES, TRANSLATED

ENGLISH = translator("en")
PACKAGE = Path(colab_magics.__file__).parent

VALUES: Any = (
    ("seconds", 3.0),
    ("cause", "SIGSEGV"),
    ("error", "EPERM"),
    ("library", "580.1"),
    ("module", "575.2"),
    ("where", "probes/gpu.py:7"),
    ("version", "0.2.0"),
    ("own", "0.1.0"),
    ("count", 2),
)
"""Every value that a reason needs."""

APPLIES: dict[str, dict[str, Any]] = {
    "cell_kept_ram": {
        "cells": (replace(A_CELL, ram_after_bytes=5 * 2**30),),
        "ram": a_ram(10.0, kernel_bytes=6 * 2**30),
    },
    "driver_failed": {"gpus": Unavailable(code="driver_missing"), "driver": None},
    "driver_not_answering": HUNG_DRIVER,
    "driver_starting": {"gpus": Unavailable(code="driver_starting", values=(("seconds", 3.0),)), "driver": None},
    "gpu_not_known": {
        "gpus": Unavailable(code="child_died", values=(("cause", "exit code 1"),)),
        "driver": None,
    },
    "no_gpu": CPU_RUNTIME,
    **{rule: OCCURRING[rule][0] for rule in ("out_of_ram", "out_of_gpu_memory", "out_of_tpu_memory")},
    **{rule: OCCURRING[rule][0] for rule in ("gpu_memory_cached", "gpu_memory_of_others")},
    "gpu_lost": {"gpus": (replace(MUTE_GPU, fault="gpu_lost"),)},
    "gpu_not_usable": {"gpus": (replace(MUTE_GPU, fault="driver_unknown_error"),)},
    "cuda_library_missing": {"driver": replace(DRIVER, cuda_version=None, has_cuda_library=False)},
    "gpu_memory_errors": {"gpus": (replace(T4, ecc_errors=2),)},
    "gpu_slowed": {"gpus": (replace(T4, slowdown_reasons=("thermal_hardware",)),)},
    "gpu_memory_nearly_full": {"gpus": (replace(T4, memory=replace(T4.memory, free_bytes=2**20)),)},
    "one_gpu_of_several": {"gpus": (T4, replace(A100, index=1))},
    "gpu_idle": {
        "gpus": (replace(EIGHT_A100[0], utilization_percent=0.0, memory=replace(T4.memory, used_bytes=2**33)),)
    },
    "framework_needs_newer_driver": {"frameworks": (replace(TORCH, cuda_version="13.0"),)},
    "build_lacks_gpu_code": {"gpus": (P100,), "frameworks": (KAGGLE_TORCH,)},
    "framework_cpu_only": {"frameworks": (TORCH_CPU,)},
    "cuda_hidden": {"gpus": (replace(T4, is_hidden=True, cuda_index=None),)},
    "files_hold_ram": {"ram": replace(RAM, headroom_bytes=2**20, shared_bytes=RAM.limit_bytes)},
    "ram_nearly_full": {"ram": replace(RAM, headroom_bytes=2**20)},
    "killed_for_memory": {"ram": replace(RAM, killed_for_memory=1)},
    "swap_in_use": {"ram": replace(RAM, headroom_bytes=2**20, swap_used_bytes=2**30)},
    "high_ram": {"ram": a_ram(51.0)},
    "not_high_ram": {},
    "one_shape_only": {"gpus": (replace(T4, name="NVIDIA L4"),)},
    "hidden_holders": {"holders": HOLDERS},
    "kernel_holds_most_ram": {"ram": replace(RAM, kernel_bytes=10 * 2**30)},
    "disk_nearly_full": {"disks": (replace(DISK, free_bytes=2**30),)},
    "no_inodes_left": {"disks": (replace(DISK, free_inodes=0),)},
    "shared_memory_nearly_full": {"disks": (replace(SHARED, free_bytes=2**20),)},
    "shared_memory_small": {
        "disks": (replace(SHARED, usage=Usage(total_bytes=2**26, used_bytes=0), free_bytes=2**26),)
    },
    "runtime_old": {"platform": replace(a_snapshot().platform, machine_age_seconds=40_000.0)},
    "costly_gpu_unused": {"gpus": (replace(A100, utilization_percent=0.0, memory=replace(A100.memory, used_bytes=0)),)},
    "gpu_unused": {"platform": replace(a_snapshot().platform, kernel_age_seconds=900.0)},
    "larger_accelerators": {},
    "newer_number_formats": {},
    "longer_runs": {},
    "usage_limits": {},
    "feedback": {},
    "more_resources": {},
    "cell_nearly_filled_ram": {"cells": (replace(A_CELL, ram_peak_bytes=15 * GIB),)},
    "cell_was_slowed": {"cells": (replace(A_CELL, gpus=(replace(T4_WORK, slowdown_reasons=("power_brake",)),)),)},
    "cell_left_gpu_idle": {
        "cells": (replace(A_CELL, gpus=(replace(T4_WORK, busy_percent=0.0, memory_peak_bytes=GIB),)),)
    },
}
"""A runtime in which each rule applies."""


def spoken(message: str, **values: Any) -> str:
    return messages.spoken(message, tuple(values.items()), ENGLISH)


def codes_in_the_package() -> set[str]:
    """Return the codes that stand in the package's modules where something is not known."""
    nodes = [node for file in PACKAGE.rglob("*.py") for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))]
    given: list[ast.AST | None] = []
    for node in nodes:
        match node:
            case ast.Call(func=ast.Name(id=called) | ast.Attribute(attr=called)):
                if called in ("Unavailable", "Refused", "_unavailable", "_failed"):
                    given += [*node.args[:1], *(keyword.value for keyword in node.keywords if keyword.arg == "code")]
            case ast.Assign(targets=[ast.Name(id="code")], value=value):
                given.append(value)
            case ast.FunctionDef(name=name) if name.startswith("code_"):
                given += [one.value for one in ast.walk(node) if isinstance(one, ast.Return)]
    values = [one.value for given_so in given if given_so for one in _chosen(given_so) if isinstance(one, ast.Constant)]
    return {value for value in values if isinstance(value, str)}


def _chosen(value: ast.AST) -> list[ast.AST]:
    """Return what an expression may come to."""
    return [*_chosen(value.body), *_chosen(value.orelse)] if isinstance(value, ast.IfExp) else [value]


@pytest.mark.parametrize("language", TRANSLATED)
@pytest.mark.parametrize("code", messages.REASONS)
def test_every_reason_is_a_sentence(code: str, language: str) -> None:
    said = messages.reason(Unavailable(code=code, values=VALUES), translator(language))

    assert said.endswith((".", "。"))
    assert not {"{", "}"} & {*said}


@pytest.mark.parametrize("code", sorted({*nvml._REASONS.values(), *messages.FIELD_REASONS, "nvml_error_77"}))
def test_every_reason_the_driver_can_give_has_words_for_a_field_and_for_the_whole(code: str) -> None:
    unavailable = Unavailable(code=code, values=VALUES)

    assert messages.reason(unavailable, ENGLISH).endswith(".")
    if code in messages.FIELD_REASONS or code.startswith("nvml_error_"):
        assert not messages.field_reason(code, ENGLISH).endswith(".")


def test_every_code_that_the_package_gives_has_words_and_every_reason_is_given() -> None:
    given = codes_in_the_package() | {*nvml._REASONS.values()}

    assert given <= messages.REASONS.keys() | messages.FIELD_REASONS.keys()
    assert messages.REASONS.keys() <= given
    assert {*nvml._REASONS.values()} <= messages.FIELD_REASONS.keys()


@pytest.mark.parametrize(
    ("rule", "values", "english", "chinese"),
    [
        ("gpu_memory_errors", (("index", 0), ("errors", 1)), "had 1 memory error that", "出现了 1 个"),
        ("gpu_memory_errors", (("index", 0), ("errors", 2)), "had 2 memory errors that", "出现了 2 个"),
        ("gpu_idle", (("indices", (3,)), ("used_bytes", 2**30)), "GPU 3 is idle while", "GPU 3 处于"),
        (
            "gpu_idle",
            (("indices", (1, 2, 3, 4, 5, 6)), ("used_bytes", 2**30)),
            "GPUs 1 to 6 are idle while 1.0 GiB of their memory are held.",
            "GPU 1 至 6 处于",
        ),
    ],
)
def test_one_and_several_are_told_apart(rule: str, values: Any, english: str, chinese: str) -> None:
    finding = Finding(rule=rule, severity=Severity.INFO, values=values)

    assert english in messages.sentence(finding, ENGLISH)
    assert chinese in messages.sentence(finding, translator("zh-CN"))


def test_an_error_of_nvml_s_that_nobody_knows_is_said_by_its_number() -> None:
    assert messages.reason(Unavailable(code="nvml_error_77"), ENGLISH) == (
        "The NVIDIA driver cannot be asked: NVML error 77."
    )


@pytest.mark.parametrize("language", TRANSLATED)
@pytest.mark.parametrize("rule", RULES)
def test_what_a_rule_finds_is_a_sentence_with_all_its_values(rule: str, language: str) -> None:
    finding = RULES[rule](a_snapshot(**APPLIES[rule]))

    assert finding is not None
    said = messages.sentence(finding, translator(language))
    assert said.endswith((".", "。", "!", "！", "?", "？"))
    assert not {"{", "}"} & {*said}


def test_a_finding_whose_sentence_is_a_reason_says_the_reason() -> None:
    silent = HUNG_DRIVER["gpus"]
    finding = Finding(rule="driver_not_answering", severity=Severity.ERROR, values=(("cause", silent),))

    assert messages.sentence(finding, ENGLISH) == messages.sentence(silent, ENGLISH)
    assert messages.sentence(silent, ENGLISH) == "The NVIDIA driver did not answer within 3 s."


@pytest.mark.parametrize(
    ("way", "value", "said"),
    [
        ("", "580.82", "580.82"),
        ("", 3.0, "3"),
        ("", 2, "2"),
        ("numbers", (3,), "3"),
        ("numbers", (0, 1), "0, 1"),
        ("numbers", (0, 2, 4, 5, 6, 7), "0, 2, 4 to 7"),
        ("numbers", (1, 2, 3, 4, 5, 6), "1 to 6"),
        ("device", "Tesla T4", "Tesla T4"),
        ("device", "", "GPU of unknown name"),
        ("field_reason", "no_permission", "no permission"),
        ("field_reason", "nvml_error_77", "NVML error 77"),
        ("limiter", "machine", "the machine's"),
        ("limiter", "cgroup_v2", "this container's"),
        ("list", ("L4 GPU", "A100 GPU"), "L4 GPU, A100 GPU"),
        ("origin", "users", "seen by users"),
        ("origin", "friends", "friends"),
        ("place", "/", "/"),
        ("place", "working directory", "working directory"),
        ("quoted", ("No <room>", "Try later."), "“No <room>” “Try later.”"),
        ("rate", 5.4, "5.40"),
        ("reason", Unavailable(code="linux_only"), "NVIDIA GPUs are looked at on Linux only."),
        ("service", "kaggle", "Kaggle"),
        ("service", "colab_local", "Colab, local runtime"),
        ("service", "new_cloud", "new_cloud"),
        ("size", 4 * 2**30, "4.0 GiB"),
        ("size", 70 * 2**20, "70 MiB"),
        (
            "statement",
            "tpu_image",
            "TPU runtimes have JAX, and no TensorFlow (published, 2026-08-19)",
        ),
        ("slowdown", "power_brake", "the power supply asks for it"),
        ("slowdown", "unknown_8", "unknown 8"),
        ("span", 7500.0, "2 h 5 min"),
        ("tpu", "v5e-1", "v5e-1"),
        ("tpu", "", "kind unknown"),
        ("way", ("runtime_menu", "view_resources"), "Runtime > View resources"),
    ],
)
def test_a_value_is_spoken_as_its_place_says(way: str, value: Any, said: str) -> None:
    assert spoken(f"<{{value:{way}}}>", value=value) == f"<{said}>"


def test_every_way_of_speaking_is_one_of_those_tried_above_and_is_used() -> None:
    tried = {case[0] for case in test_a_value_is_spoken_as_its_place_says.pytestmark[0].args[1]}

    assert messages._WAYS_OF_SPEAKING.keys() == tried


def test_an_unknown_way_of_speaking_fails() -> None:
    with pytest.raises(LookupError):
        spoken("{value:loudly}", value=1)


def test_a_place_without_a_value_fails() -> None:
    with pytest.raises(LookupError):
        spoken("{one} {other}", one=1)


def test_a_value_is_never_formatted_again() -> None:
    assert spoken("{name:device}: {other}", name="{other}", other="{name.__class__}") == "{other}: {name.__class__}"
    assert spoken("{names:list}", names=("{0}", "{names}")) == "{0}, {names}"
    error = Unavailable(code="unreadable", values=(("error", "{error}"),))
    assert spoken("{cause:reason}", cause=error) == "It could not be read ({error})."


@pytest.mark.parametrize("way", ["", "device", "tpu"])
def test_a_value_from_outside_steers_no_terminal(way: str) -> None:
    assert spoken(f"{{value:{way}}}", value="\x1b[31mred") == "\\x1b[31mred"
    assert spoken("{value:list}", value=("\x1b",)) == "\\x1b"


def test_a_guide_s_sentence_is_spoken_with_its_values() -> None:
    assert messages.sentence(Sentence("{a} and {b:size}", (("a", "x"), ("b", 2**30))), ENGLISH) == "x and 1.0 GiB"
    assert messages.sentence(Sentence("100 %"), ENGLISH) == "100 %"


def test_the_places_of_every_rule_s_sentence_are_spoken_in_known_ways() -> None:
    for rule in RULES.values():
        ways = {way for _, name, way, _ in Formatter().parse(rule.message) if name is not None}
        assert ways <= messages._WAYS_OF_SPEAKING.keys(), rule.name


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_way_is_quoted_in_the_reader_s_language_with_the_english_beside(language: str) -> None:
    menu = facts.menu(language)
    assert menu is not None
    local = f"{'/'.join(menu.runtime_menu)} > {menu.change_runtime_type}"
    english = "Runtime > Change runtime type"

    shown = messages.way(("runtime_menu", "change_runtime_type"), translator(language))
    assert shown == (english if local == english else f"{local} ({english})")


def test_a_word_that_is_not_known_in_the_reader_s_language_is_english() -> None:
    assert messages.menu_words(("restart_session",), translator("fr")) == (None, "Restart session")
    assert messages.way(("restart_session",), translator("fr")) == "Restart session"


def test_a_word_that_no_menu_has_fails() -> None:
    with pytest.raises(LookupError):
        messages.menu_words(("no_such_entry",), ENGLISH)


def test_cores_and_places_are_counted_and_named() -> None:
    assert [messages.cores(count, ENGLISH) for count in (1, 1.5, 2.0)] == ["1 core", "1.5 cores", "2 cores"]
    assert messages.places(("/", "working directory"), translator("zh-CN")).startswith("/")
    assert messages.places(("/", "working directory"), ENGLISH) == "/, working directory"


@pytest.mark.parametrize(
    ("count", "words"),
    [(1, "1 core"), (2.0, "2 cores"), (0.33333, "0.33 cores"), (1.999, "2 cores"), (0.999, "1 core"), (96, "96 cores"),
     (0.001, "0.01 cores"), (2_000_000.0, "2000000 cores"), (1.5, "1.5 cores"), (100, "100 cores")],
)  # fmt: skip
def test_cores_are_told_to_a_hundredth(count: float, words: str) -> None:
    assert messages.cores(count, ENGLISH) == words


@pytest.mark.parametrize("limiter", ["machine", "cgroup_v1", "cgroup_v2", "rlimit_as", "rlimit_data", "commit"])
def test_whatever_limits_the_ram_has_words(limiter: str) -> None:
    limited = a_ram(64.0, limited_by=limiter, limit_bytes=2 * 2**30, headroom_bytes=2**20)
    finding = RULES["ram_nearly_full"](a_snapshot(ram=limited))

    assert messages.limit(limiter, ENGLISH)
    assert finding is not None
    assert "2.0 GiB can still be allocated" in messages.sentence(finding, ENGLISH)
    assert (messages.capacity(limited, ENGLISH) is None) == (limiter == "machine")


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.0, "< 1 ms"),
        (0.0004, "< 1 ms"),
        (0.012, "12 ms"),
        (0.153, "153 ms"),
        (0.9996, "1.0 s"),
        (3.24, "3.2 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (200.0, "3 min 20 s"),
        (3599.7, "1 h 0 min"),
        (7450.0, "2 h 4 min"),
    ],
)
def test_how_long_something_took_is_said_as_exactly_as_matters(seconds: float, expected: str) -> None:
    assert messages.elapsed(seconds, ENGLISH) == expected
