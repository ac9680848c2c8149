from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from builders import JUPYTER_PAGE, SERVICE_PAGE
from colab_magics import facts
from colab_magics.facts import loader
from colab_magics.facts.tables import Signal
from colab_magics.probes.frontend import probe_frontend
from colab_magics.probes.platform import identify_service
from colab_magics.probes.signals import Signs
from colab_magics.values import Record

JUPYTER_SHELL = "ipykernel.zmqshell.ZMQInteractiveShell"
READERS = [one for one in vars(loader).values() if hasattr(one, "cache_clear")]

Add = Callable[[str, str, dict[str, Any]], None]


@pytest.fixture
def add(monkeypatch: pytest.MonkeyPatch) -> Iterator[Add]:
    """Put a row before the others of a table."""
    read, added = loader._read, []

    def with_the_added(table: str) -> dict[str, Any]:
        rows = copy.deepcopy(read(table))  # of a table that was built there is but one
        for of_table, key, row in added:
            if of_table == table:
                rows[key].insert(0, dict(row))
        return rows

    def add_row(table: str, key: str, row: dict[str, Any]) -> None:
        added.append((table, key, row))
        forget()

    monkeypatch.setattr(loader, "_read", with_the_added)
    yield add_row
    monkeypatch.undo()
    forget()


def forget() -> None:
    for reader in READERS:
        reader.cache_clear()


def a_row(**columns: Any) -> dict[str, Any]:
    return {"source": "a document", "date": "2026-11-25", "confidence": "high", **columns}


NEW_SERVICE = a_row(key="new_cloud", name="New Cloud", signal=[{"environment": {"NEW_CLOUD_HOST": "*"}}])


def test_every_table_file_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {file.stem for file in Path(facts.__file__).parent.glob("*.toml")}
    read, tables = loader._read, set()
    monkeypatch.setattr(loader, "_read", lambda table: tables.add(table) or read(table))
    forget()
    for reader in READERS:
        reader()

    assert tables == files


def test_a_table_is_read_once() -> None:
    assert all(reader() is reader() for reader in READERS)


def test_every_reader_returns_rows() -> None:
    assert len(READERS) == 15
    assert all(isinstance(row, Record) for reader in READERS for row in reader())


def test_a_column_that_this_version_does_not_know_is_skipped(add: Add) -> None:
    add("links", "link", a_row(key="new", url="https://example.org", label="New", shown_on="Sundays", colours=["red"]))
    new = facts.link("new")

    assert dataclasses.asdict(new) == a_row(key="new", url="https://example.org", label="New", to_learn_more=False)


def test_a_column_that_is_missing_is_not_published(add: Add) -> None:
    add("menus", "menu", a_row(language="eo", name="Esperanto", runtime_menu=["R"], change_runtime_type="Ŝanĝi"))
    found = facts.menu("eo")

    assert found is not None
    assert found.runtime_menu == ("R",)
    assert found.high_ram is None


def test_a_column_that_every_row_must_have_is_missed(add: Add) -> None:
    add("links", "link", a_row(key="new", label="New"))

    with pytest.raises(TypeError, match="url"):
        facts.links()


def test_a_signal_has_the_conditions_that_its_row_gives_it(add: Add) -> None:
    conditions = {"environment": {"A": "*", "B": "1"}, "absent": ["C"], "file": "etc/d", "shell": "e.", "colour": "f"}
    add("services", "service", a_row(key="new", name="New", signal=[conditions, {"service": "kaggle"}]))

    assert facts.services()[0].signals == (
        Signal(environment=(("A", "*"), ("B", "1")), absent=("C",), file="etc/d", shell="e."),
        Signal(service="kaggle"),
    )


def test_a_service_that_is_added_to_the_table_is_recognised(add: Add) -> None:
    signs = Signs(shell_class=JUPYTER_SHELL, environment={"NEW_CLOUD_HOST": "x"}, root="/nowhere")
    assert identify_service(signs) is None
    assert probe_frontend(signs, None) == JUPYTER_PAGE
    add("services", "service", NEW_SERVICE)

    assert identify_service(signs) == "new_cloud"
    assert probe_frontend(signs, "new_cloud") == SERVICE_PAGE


def test_a_service_is_found_by_its_key(add: Add) -> None:
    assert facts.service("new_cloud") is None
    add("services", "service", NEW_SERVICE)
    found = facts.service("new_cloud")

    assert found is not None
    assert found.name == "New Cloud"
    assert not found.accelerator_is_chosen


def test_menu_words_are_found_by_their_language() -> None:
    german = facts.menu("de")

    assert german is not None
    assert german.change_runtime_type == "Laufzeittyp ändern"
    assert facts.menu("tlh") is None


def test_a_link_is_found_by_its_key() -> None:
    assert facts.link("faq").url == "https://research.google.com/colaboratory/faq.html"


def test_a_notice_is_found_by_its_key() -> None:
    assert facts.notice("out_of_ram").words == ("Your session crashed after using all available RAM.",)


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
    chip = facts.tpu_chip(device, subsystem)

    assert chip is not None
    assert chip.name == name


@pytest.mark.parametrize(
    ("device", "subsystem"),
    [("0x0042", None), ("0x0027", None), ("0x0027", "0x0001")],
    ids=["Google's network card", "a number of two chips", "a part nobody knows"],
)
def test_another_device_of_google_s_is_no_tpu(device: str, subsystem: str | None) -> None:
    assert facts.tpu_chip(device, subsystem) is None
