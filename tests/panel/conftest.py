"""Notebooks to open a panel in: with a T4 in Jupyter, and on Colab."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fake_nvml import FakeDriver
from notebooks import Notebook

GIB = 2**30

STANDARD_RAM = """
from dataclasses import replace
from colab_magics.model import Usage
from colab_magics.probes import ram
seen = ram.probe_ram
def probe_ram(**how):
    of_a_t4 = {"machine": Usage(total_bytes=13 << 30, used_bytes=2 << 30), "available_bytes": 11 << 30,
               "capacity_bytes": 13 << 30, "capacity_by": "machine", "headroom_bytes": 11 << 30,
               "limited_by": "machine", "limit_bytes": 13 << 30, "limit_level": None}
    return replace(seen(**how), **of_a_t4)
ram.probe_ram = probe_ram
"""


@pytest.fixture
def jupyter(
    monkeypatch: pytest.MonkeyPatch, open_notebook: Callable[..., Notebook], plug_in: Callable[..., FakeDriver]
) -> tuple[Notebook, FakeDriver]:
    """A notebook in Jupyter whose panel looks twice a second, and the driver of its T4, which can change meanwhile."""
    driver = plug_in("t4", f"gpu0.memory_used = {GIB}")
    monkeypatch.setenv("FAKE_NVML_LIVE", "1")
    notebook = open_notebook()
    notebook.run("%config ColabMagics.panel_period_seconds = 0.5")
    return notebook, driver


@pytest.fixture
def colab(
    monkeypatch: pytest.MonkeyPatch, open_notebook: Callable[..., Notebook], plug_in: Callable[..., FakeDriver]
) -> tuple[Notebook, FakeDriver]:
    """A notebook on hosted Colab with its usual RAM, and the driver of its T4, which can change meanwhile."""
    driver = plug_in("t4")
    monkeypatch.setenv("FAKE_NVML_LIVE", "1")
    monkeypatch.setenv("TBE_RUNTIME_ADDR", "172.28.0.1:8011")
    notebook = open_notebook()
    notebook.run(STANDARD_RAM)
    return notebook, driver
