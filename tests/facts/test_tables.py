"""What stands in the tables, row by row."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from colab_magics import facts
from colab_magics.facts import cuda_builds
from colab_magics.facts.accelerators import by_id, offered
from colab_magics.facts.loader import images
from colab_magics.facts.tables import Accelerator, Signal
from fake_nvml import FakeDriver

TABLES = {
    "accelerators": offered,
    "retired_accelerators": facts.retired_accelerators,
    "services": facts.services,
    "frontends": facts.frontends,
    "menus": facts.menus,
    "other_menus": facts.other_menus,
    "limits": facts.limits,
    "images": images,
    "runtime_versions": facts.runtime_versions,
    "image_menus": facts.image_menus,
    "statements": facts.statements,
    "links": facts.links,
    "notices": facts.notices,
    "tpu_chips": facts.tpu_chips,
    "cuda_builds": cuda_builds.known,
}
ROWS = [
    pytest.param(row, id=f"{name}-{number}") for name, table in TABLES.items() for number, row in enumerate(table())
]
RECOGNISED = (*facts.services(), *facts.frontends())


def words(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple):
        for one in value:
            yield from words(one)


def cells(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row._fields}


@pytest.mark.parametrize("row", ROWS)
def test_every_row_has_its_source_its_date_and_how_sure_it_is(row: Any) -> None:
    assert row.source
    assert isinstance(row.date, date)
    assert date(2026, 1, 1) <= row.date
    assert row.confidence in {"high", "medium"}
    assert getattr(row, "origin", "users") in {"official", "staff", "users"}


@pytest.mark.parametrize("row", ROWS)
def test_no_word_is_empty_or_a_question(row: Any) -> None:
    told = {name: value for name, value in cells(row).items() if name != "signals"}
    for word in words(list(told.values())):
        assert word.strip() == word != ""
        assert "?" not in word


@pytest.mark.parametrize(
    "names",
    [
        pytest.param([row.id for row in offered()], id="ids"),
        pytest.param([row.menu_name for row in offered()], id="menu names"),
        pytest.param([name for row in offered() for name in row.device_names], id="device names"),
        pytest.param([row.key for row in facts.services()], id="services"),
        pytest.param([row.name for row in facts.services()], id="services' names"),
        pytest.param([row.key for row in facts.frontends()], id="frontends"),
        pytest.param([row.language for row in facts.menus()], id="languages"),
        pytest.param([row.name for row in facts.menus()], id="languages' names"),
        pytest.param([row.place for row in facts.other_menus()], id="other menus"),
        pytest.param([row.key for row in facts.limits()], id="limits"),
        pytest.param([row.key for row in facts.links()], id="links"),
        pytest.param([row.key for row in facts.statements()], id="statements"),
        pytest.param([(row.service, row.name) for row in facts.runtime_versions()], id="runtime versions"),
        pytest.param([row.place for row in facts.image_menus()], id="image menus"),
        pytest.param([row.url for row in facts.links()], id="addresses"),
        pytest.param([row.key for row in facts.notices()], id="notices"),
        pytest.param([row.words for row in facts.notices()], id="notices' words"),
        pytest.param([(row.device, row.subsystem) for row in facts.tpu_chips()], id="chips"),
    ],
)
def test_a_name_leads_to_one_row(names: list[Any]) -> None:
    assert [name for name, count in Counter(names).items() if count > 1] == []


# Accelerators -----------------------------------------------------------------------------------------------------


def test_the_accelerators_are_those_of_google_s_own_client() -> None:
    assert {row.id for row in offered()} == {"NONE", "G4", "T4", "L4", "A100", "H100", "V5E1", "V6E1"}


def test_no_retired_accelerator_is_offered() -> None:
    retired = {row.name for row in facts.retired_accelerators()}
    told = {word for row in offered() for word in words(tuple(cells(row).values()))}

    assert retired == {"V100", "P100", "K80", "v2-8"}
    assert not any(name in word for name in retired for word in told)
    assert {row.replaced_by for row in facts.retired_accelerators()} - {None} <= {row.id for row in offered()}


def test_who_does_not_pay_may_have_three_of_them() -> None:
    assert {row.id for row in offered() if row.tier == "free"} == {"NONE", "T4", "V5E1"}
    assert {row.tier for row in offered()} == {"free", "paid"}


def test_only_the_a100_s_high_ram_choice_is_another_card() -> None:
    assert [(row.id, row.high_ram_memory_gib) for row in offered() if row.high_ram_memory_gib] == [("A100", 80)]


def test_a_price_has_its_own_date() -> None:
    for row in offered():
        assert (row.units_per_hour is None) == (row.units_date is None)


@pytest.mark.parametrize("row", offered(), ids=lambda row: row.id)
def test_bfloat16_follows_from_the_compute_capability(row: Accelerator) -> None:
    if row.kind == "gpu":
        assert row.compute_capability is not None
        assert row.supports_bf16 is (float(row.compute_capability) >= 8)
    else:
        assert row.supports_bf16 is (True if row.kind == "tpu" else None)


def test_one_shape_has_no_other_figures() -> None:
    for row in offered():
        if row.one_shape:
            assert row.high_ram_gib is None
            assert row.high_ram_units_per_hour is None


@pytest.mark.parametrize(
    ("accelerator", "unpublished"),
    [
        ("H100", ("units_per_hour", "standard_ram_gib", "high_ram_gib", "cores", "disk_gib")),
        ("G4", ("high_ram_gib", "high_ram_units_per_hour")),
        ("L4", ("high_ram_gib", "high_ram_cores")),
    ],
)
def test_what_nobody_has_published_well_is_not_told(accelerator: str, unpublished: tuple[str, ...]) -> None:
    assert {getattr(by_id(accelerator), field) for field in unpublished} == {None}


@pytest.mark.parametrize(
    ("profile", "menu_name"),
    [("t4", "T4 GPU"), ("l4", "L4 GPU"), ("a100", "A100 GPU"), ("h100", "H100 GPU"), ("rtx-pro-6000", "G4 GPU")],
)
def test_the_name_that_a_card_s_driver_gives_leads_to_one_choice_of_the_menu(
    profile: str, menu_name: str, tmp_path: Path
) -> None:
    state = FakeDriver(tmp_path, profile).environment()["FAKE_NVML_STATE"]
    (name,) = re.findall(r"^gpu\*\.name = (.*?)(?:\s+#.*)?$", Path(state).read_text(encoding="utf-8"), re.MULTILINE)

    assert [row.menu_name for row in offered() if name in row.device_names] == [menu_name]


# Services and frontends -------------------------------------------------------------------------------------------


def test_kaggle_is_tried_before_colab_and_the_rest_last() -> None:
    order = [row.key for row in facts.services()]

    assert order[:4] == ["kaggle", "colab_enterprise", "colab", "colab_local"]


def test_where_the_accelerator_of_each_notebook_is_chosen_there_are_words_to_click() -> None:
    chosen = {row.key for row in facts.services() if row.accelerator_is_chosen}

    assert chosen == {"colab", "kaggle"}
    assert chosen == {row.service for row in facts.other_menus()}


def test_a_terminal_is_tried_before_the_editors_and_plain_python_last() -> None:
    order = [row.key for row in facts.frontends()]

    assert order == ["terminal", "colab_page", "service_page", "vscode", "pycharm", "jupyter", "python"]


def test_no_signal_rests_on_a_name_without_a_source() -> None:
    names = {name for row in RECOGNISED for signal in row.signals for name, _ in signal.environment}

    assert names.isdisjoint({"CODESPACES", "COLAB_GPU", "COLAB_TPU_ADDR", "AZURE_NOTEBOOKS_HOST"})
    assert not any(name.startswith("AZUREML") for name in names)
    assert {row.key for row in RECOGNISED}.isdisjoint({"codespaces", "azure_ml"})


@pytest.mark.parametrize("row", RECOGNISED, ids=lambda row: row.key)
def test_only_the_last_frontend_has_a_signal_without_a_condition(row: Any) -> None:
    assert row.signals
    assert (Signal() in row.signals) is (row.key == "python")


def test_no_service_rests_on_a_service() -> None:
    assert {signal.service for row in facts.services() for signal in row.signals} == {None}


def test_a_frontend_rests_on_services_that_exist() -> None:
    named = {signal.service for row in facts.frontends() for signal in row.signals} - {None, "*"}

    assert named == {"colab", "colab_enterprise", "colab_local"}
    assert named <= {row.key for row in facts.services()}


# Menus ------------------------------------------------------------------------------------------------------------


def test_chinese_has_both_names_of_the_runtime_menu() -> None:
    chinese = facts.menu("zh-CN")

    assert chinese is not None
    assert chinese.name == "简体中文"
    assert chinese.runtime_menu == ("代码执行程序", "运行时")
    assert chinese.change_runtime_type == "更改运行时类型"


def test_english_comes_first_and_lacks_no_word() -> None:
    english = facts.menus()[0]

    assert english.language == "en"
    assert None not in cells(english).values()


@pytest.mark.parametrize("language", ["ar", "hi", "th", "nl"])
def test_a_language_without_a_good_source_is_left_out(language: str) -> None:
    assert facts.menu(language) is None


@pytest.mark.parametrize("language", ["zh-TW", "es", "pt-BR", "fr", "de", "ru", "it", "tr", "id", "vi", "pl", "uk"])
def test_high_ram_is_not_put_into_languages_that_nobody_has_quoted(language: str) -> None:
    found = facts.menu(language)

    assert found is not None
    assert found.high_ram is None


def test_only_a_command_line_s_way_is_commands() -> None:
    commands = [row for row in facts.other_menus() if row.path_is_commands]

    assert [row.place for row in commands] == ["colab_cli"]
    assert all(step.startswith("colab ") for row in commands for step in row.path)


# Limits and links -------------------------------------------------------------------------------------------------


def test_the_limits_are_those_of_services_that_exist() -> None:
    assert {row.service for row in facts.limits()} <= {row.key for row in facts.services()}
    assert {row.unit for row in facts.limits()} == {"hours", "minutes"}


def test_the_idle_time_is_not_promised() -> None:
    (idle,) = (row for row in facts.limits() if row.key == "idle")

    assert idle.about
    assert "publishes no figure" in idle.applies


def test_a_link_leads_to_a_page_or_an_address() -> None:
    assert all(one.url.startswith(("https://", "mailto:")) for one in facts.links())


def test_what_no_maker_tells_of_a_machine_of_colab_s_is_told_as_seen_by_users() -> None:
    assert {row.origin for row in offered()} == {"users"}


def test_there_is_too_little_of_an_accelerator_by_somebody_s_word_on_a_day() -> None:
    limited = {row.id: (str(row.limited_on), row.limited_origin) for row in offered() if row.limited_on}

    assert limited == {"A100": ("2026-06-08", "users"), "H100": ("2026-05-14", "staff")}
    assert all((row.limited_on is None) == (row.limited_origin is None) for row in offered())


def test_of_a_disk_the_least_and_the_most_that_was_seen_have_their_order() -> None:
    assert all(row.disk_gib < row.most_disk_gib for row in offered() if row.disk_gib and row.most_disk_gib)
    assert all(image.least_gib <= image.most_gib for image in images())


# Images and statements --------------------------------------------------------------------------------------------


def test_the_images_of_colab_come_the_newest_first_each_with_its_python() -> None:
    pythons = [row.python for row in facts.runtime_versions() if row.service == "colab"]

    assert [version.rpartition(".")[0] for version in pythons] == ["3.13", *["3.12"] * 4, "3.11"]
    assert all(re.fullmatch(r"[0-9.]+", version) for version in pythons)


def test_what_was_said_is_a_sentence_between_others_and_has_its_day() -> None:
    for row in facts.statements():
        assert not row.applies.endswith(".")
        assert row.said_on <= row.date
        assert facts.statement(row.key) == row


def test_a_choice_that_is_phased_out_is_still_one_and_one_that_only_some_get_is_not_for_all() -> None:
    for row in facts.other_menus():
        assert {*row.phased_out} <= {*row.choices}
        assert not {*row.some_get} & {*row.choices}


# Notices ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", facts.notices(), ids=lambda row: row.key)
def test_a_notice_is_a_quotation_with_what_it_means_and_what_helps(row: Any) -> None:
    assert 1 <= len(row.words) <= 2
    assert all(word.isascii() for word in row.words)
    assert row.words[-1].endswith(".")
    assert row.meaning.endswith(".")
    assert row.advice.endswith(".")
    assert row.service in {service.key for service in facts.services()}


def test_the_words_that_people_ask_about_are_there() -> None:
    said = " ".join(word for row in facts.notices() for word in row.words)

    for words in (
        "You cannot currently connect to a GPU due to usage limits in Colab.",
        "You are connected to a GPU runtime, but not utilizing the GPU.",
        "Your session crashed after using all available RAM.",
        "executing code that is disallowed",
        "Runtime disconnected",
        "You have too many active sessions.",
        "Unable to connect to the runtime.",
    ):
        assert words in said


def test_how_long_one_waits_for_a_gpu_and_what_is_disallowed_have_their_dates() -> None:
    assert "within a day, said Google's staff (2024-02)" in facts.notice("gpu_limit").advice
    assert "copies of the FAQ, 2022 to 2026" in facts.notice("disallowed").meaning
    assert "copies of the FAQ, 2024 to 2026" in facts.notice("disallowed_without_units").meaning


def test_the_chinese_word_for_save_is_one_that_was_read() -> None:
    chinese = facts.menu("zh-CN")

    assert chinese is not None
    assert chinese.save == "保存"
    assert None not in cells(chinese).values()
