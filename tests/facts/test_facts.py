from __future__ import annotations

from datetime import date

import pytest

from builders import A100, T4
from colab_magics.facts import Accelerator, accelerator_of, accelerators


@pytest.mark.parametrize("row", accelerators(), ids=lambda row: row.menu_name)
def test_every_row_has_its_source_and_date(row: Accelerator) -> None:
    assert len(row.source) > 10
    assert date(2026, 1, 1) <= row.date


def test_a_device_name_leads_to_one_row() -> None:
    names = [name for row in accelerators() for name in row.device_names]

    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("device_name", "menu_name"), [(T4.name, "T4 GPU"), (A100.name, "A100 GPU"), ("v5e-1", "v5e-1 TPU"), (None, "CPU")]
)
def test_the_driver_s_names_lead_to_the_menu_s(device_name: str | None, menu_name: str) -> None:
    found = accelerator_of(device_name)

    assert found is not None
    assert found.menu_name == menu_name


def test_an_unknown_name_leads_nowhere() -> None:
    assert accelerator_of("NVIDIA L40S") is None
