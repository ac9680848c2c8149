from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import colab_magics.facts
from builders import A100, T4
from colab_magics.facts import (
    accelerator_of,
    accelerators,
    limits,
    link,
    links,
    menu,
    menus,
    other_menus,
    platforms,
    retired_accelerators,
    tpu_chip,
    tpu_chips,
)
from colab_magics.model import Service
from fake_nvml import FakeDriver

TABLES = {
    "accelerators": accelerators,
    "retired_accelerators": retired_accelerators,
    "platforms": platforms,
    "menus": menus,
    "other_menus": other_menus,
    "limits": limits,
    "links": links,
    "tpu_chips": tpu_chips,
}
ROWS = [
    pytest.param(row, id=f"{name}-{number}") for name, table in TABLES.items() for number, row in enumerate(table())
]


def words(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from words(list(value.values()))
    elif isinstance(value, list | tuple):
        for one in value:
            yield from words(one)


@pytest.mark.parametrize("row", ROWS)
def test_every_row_has_its_source_its_date_and_how_sure_it_is(row: Any) -> None:
    assert row.source
    assert isinstance(row.date, date)
    assert date(2026, 1, 1) <= row.date
    assert row.confidence in {"high", "medium"}


@pytest.mark.parametrize("row", ROWS)
def test_no_word_is_empty_or_a_question(row: Any) -> None:
    told = {name: value for name, value in row._asdict().items() if name != "signals"}
    for word in words(list(told.values())):
        assert word.strip() == word != ""
        assert "?" not in word


def test_every_table_file_is_read() -> None:
    files = {file.stem for file in Path(colab_magics.facts.__file__).parent.glob("*.toml")}

    assert files == {"accelerators", "platforms", "menus", "limits", "links", "tpu_chips"}


@pytest.mark.parametrize(
    "names",
    [
        [row.id for row in accelerators()],
        [row.menu_name for row in accelerators()],
        [name for row in accelerators() for name in row.device_names],
        [row.service for row in platforms()],
        [row.language for row in menus()],
        [row.key for row in limits()],
        [row.key for row in links()],
        [(row.device, row.subsystem) for row in tpu_chips()],
    ],
    ids=["ids", "menu names", "device names", "services", "languages", "limits", "links", "chips"],
)
def test_a_name_leads_to_one_row(names: list[Any]) -> None:
    assert [name for name, count in Counter(names).items() if count > 1] == []


@pytest.mark.parametrize(
    ("device_name", "menu_name"), [(T4.name, "T4 GPU"), (A100.name, "A100 GPU"), ("v5e-1", "v5e-1 TPU"), (None, "CPU")]
)
def test_the_driver_s_names_lead_to_the_menu_s(device_name: str | None, menu_name: str) -> None:
    found = accelerator_of(device_name)

    assert found is not None
    assert found.menu_name == menu_name


def test_an_unknown_name_leads_nowhere() -> None:
    assert accelerator_of("NVIDIA L40S") is None


def test_the_accelerators_are_those_of_google_s_own_client() -> None:
    assert {row.id for row in accelerators()} == {"NONE", "G4", "T4", "L4", "A100", "H100", "V5E1", "V6E1"}


def test_no_retired_accelerator_is_offered() -> None:
    retired = {row.name for row in retired_accelerators()}
    offered = {word for row in accelerators() for word in words(row._asdict())}

    assert retired == {"V100", "P100", "K80", "v2-8"}
    assert not any(name in word for name in retired for word in offered)
    assert {row.replaced_by for row in retired_accelerators()} - {None} <= {row.id for row in accelerators()}


def test_who_does_not_pay_may_have_three_of_them() -> None:
    assert {row.id for row in accelerators() if row.tier == "free"} == {"NONE", "T4", "V5E1"}
    assert {row.tier for row in accelerators()} == {"free", "paid"}


def test_only_the_a100_s_high_ram_choice_is_another_card() -> None:
    assert [(row.id, row.high_ram_memory_gib) for row in accelerators() if row.high_ram_memory_gib] == [("A100", 80)]


def test_a_price_has_its_own_date() -> None:
    for row in accelerators():
        assert (row.units_per_hour is None) == (row.units_date is None)


def test_bfloat16_follows_from_the_compute_capability() -> None:
    for row in accelerators():
        if row.kind == "gpu":
            assert row.compute_capability is not None
            assert row.supports_bf16 is (float(row.compute_capability) >= 8)
        else:
            assert row.supports_bf16 is (True if row.kind == "tpu" else None)


def test_one_shape_has_no_other_figures() -> None:
    for row in accelerators():
        if row.one_shape:
            assert row.high_ram_gib is None
            assert row.high_ram_units_per_hour is None


@pytest.mark.parametrize(
    ("accelerator", "unpublished"),
    [
        ("H100", ("units_per_hour", "standard_ram_gib", "high_ram_gib")),
        ("G4", ("standard_ram_gib", "high_ram_gib")),
        ("L4", ("standard_ram_gib", "high_ram_gib")),
        ("V5E1", ("units_per_hour",)),
        ("V6E1", ("units_per_hour",)),
    ],
)
def test_what_nobody_has_published_well_is_not_told(accelerator: str, unpublished: tuple[str, ...]) -> None:
    (row,) = (row for row in accelerators() if row.id == accelerator)

    assert {getattr(row, field) for field in unpublished} == {None}


def test_every_row_of_the_platforms_is_a_service_of_the_model() -> None:
    assert {row.service for row in platforms()} == {service.value for service in Service}


def test_kaggle_is_tried_before_colab_and_the_rest_last() -> None:
    order = [row.service for row in platforms()]

    assert order.index("kaggle") < order.index("colab_enterprise") < order.index("colab") < order.index("colab_local")
    assert order.index("colab_local") < order.index("vertex_workbench")
    assert order[-2:] == ["jupyter", "python"]


def test_no_signal_rests_on_a_name_without_a_source() -> None:
    names = {name for row in platforms() for signal in row.signals for name, _ in signal.environment}

    assert names.isdisjoint({"CODESPACES", "COLAB_GPU", "COLAB_TPU_ADDR", "AZURE_NOTEBOOKS_HOST"})
    assert not any(name.startswith("AZUREML") for name in names)
    assert {row.service for row in platforms()}.isdisjoint({"codespaces", "azure_ml"})


def test_only_the_last_service_has_a_signal_without_a_condition() -> None:
    for row in platforms():
        free = [signal for signal in row.signals if not (signal.environment or signal.file or signal.shell is not None)]
        assert bool(free) is (row.service == "python")


def test_chinese_has_both_names_of_the_runtime_menu() -> None:
    chinese = menu("zh-CN")

    assert chinese is not None
    assert chinese.runtime_menu == ("代码执行程序", "运行时")
    assert chinese.change_runtime_type == "更改运行时类型"


def test_english_comes_first_and_lacks_no_word() -> None:
    english = menus()[0]

    assert english.language == "en"
    assert None not in english._asdict().values()


@pytest.mark.parametrize("language", ["ar", "hi", "th", "nl"])
def test_a_language_without_a_good_source_is_left_out(language: str) -> None:
    assert menu(language) is None


@pytest.mark.parametrize("language", ["zh-TW", "es", "pt-BR", "fr", "de", "ru", "it", "tr", "id", "vi", "pl", "uk"])
def test_high_ram_is_not_put_into_languages_that_nobody_has_quoted(language: str) -> None:
    found = menu(language)

    assert found is not None
    assert found.high_ram is None


def test_the_limits_are_those_of_services_that_exist() -> None:
    assert {row.service for row in limits()} <= {service.value for service in Service}
    assert {row.unit for row in limits()} == {"hours", "minutes"}


def test_the_idle_time_is_not_promised() -> None:
    (idle,) = (row for row in limits() if row.key == "idle")

    assert idle.about
    assert "publishes no figure" in idle.applies


def test_a_link_is_found_by_its_key() -> None:
    assert link("faq").url == "https://research.google.com/colaboratory/faq.html"
    assert all(one.url.startswith(("https://", "mailto:")) for one in links())


@pytest.mark.parametrize(
    ("device", "subsystem", "name"),
    [
        ("0x0027", "0x004e", "v2"),
        ("0x0027", "0x004f", "v3"),
        ("0x0063", None, "v5e"),
        ("0x006f", "0x00aa", "v6e"),
    ],
)
def test_a_chip_is_known_by_its_pci_numbers(device: str, subsystem: str | None, name: str) -> None:
    chip = tpu_chip(device, subsystem)

    assert chip is not None
    assert chip.name == name


@pytest.mark.parametrize(
    ("device", "subsystem"),
    [("0x0042", None), ("0x0027", None), ("0x0027", "0x0001")],
    ids=["Google's network card", "a number of two chips", "a part nobody knows"],
)
def test_another_device_of_google_s_is_no_tpu(device: str, subsystem: str | None) -> None:
    assert tpu_chip(device, subsystem) is None


@pytest.mark.parametrize(
    ("profile", "menu_name"),
    [("t4", "T4 GPU"), ("l4", "L4 GPU"), ("a100", "A100 GPU"), ("h100", "H100 GPU"), ("rtx-pro-6000", "G4 GPU")],
)
def test_the_name_that_a_card_s_driver_gives_leads_to_one_choice_of_the_menu(
    profile: str, menu_name: str, tmp_path: Path
) -> None:
    state = FakeDriver(tmp_path, profile).environment()["FAKE_NVML_STATE"]
    (name,) = re.findall(r"^gpu\*\.name = (.*?)(?:\s+#.*)?$", Path(state).read_text(encoding="utf-8"), re.MULTILINE)

    assert [row.menu_name for row in accelerators() if name in row.device_names] == [menu_name]
