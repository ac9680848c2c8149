from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from builders import (
    COLAB,
    CPU_RUNTIME,
    DISK,
    GIB,
    HUNG_DRIVER,
    JUPYTER,
    KAGGLE,
    RAM,
    SHARED,
    SILENT_DISK,
    a_snapshot,
)
from colab_magics import facts
from colab_magics.model import Unavailable
from colab_magics.translation import translator
from colab_magics.views import machine
from runtimes import IN_A_CONTAINER, SERVICES

ENGLISH = translator("en")
UNREADABLE = Unavailable(code="unreadable", values=(("error", "OSError"),))


def said(**changes: Any) -> str:
    return machine.sentence(a_snapshot(**changes), ENGLISH)


def test_a_machine_is_its_service_its_kind_and_its_sizes() -> None:
    assert said() == "Colab, GPU runtime: 2 cores, 12.7 GiB RAM, 107.7 GiB disk."
    assert said(**CPU_RUNTIME).startswith("Colab, CPU runtime: ")
    assert said(platform=KAGGLE, **CPU_RUNTIME).startswith("Kaggle, CPU runtime: ")
    assert said(**HUNG_DRIVER).startswith("Colab: ")
    assert said(platform=replace(COLAB, service="binder")).startswith("Binder: ")
    assert said(platform=JUPYTER, cpu=None, ram=None, disks=None) == "Jupyter."


def test_a_container_is_as_large_as_it_may_be_and_not_as_its_host() -> None:
    assert said(**IN_A_CONTAINER) == "Jupyter: 2 cores, 4.0 GiB RAM, 107.7 GiB disk."


@pytest.mark.parametrize("service", SERVICES, ids=str)
def test_a_place_has_the_name_that_the_facts_give_it(service: str | None) -> None:
    row = None if service is None else facts.service(service)
    name = machine.place_name(a_snapshot(platform=replace(COLAB, service=service)), ENGLISH)

    assert name == ("Colab's page" if row is None else row.name)


def test_a_place_that_no_table_has_is_called_by_its_key_and_one_nobody_could_look_at_is_called_so() -> None:
    assert machine.place_name(a_snapshot(platform=replace(COLAB, service="new_cloud")), ENGLISH) == "new_cloud"
    assert machine.place_name(a_snapshot(platform=UNREADABLE), ENGLISH) == "A machine that could not be looked at"


def test_ram_is_what_this_process_may_use_of_it() -> None:
    assert machine.ram_answer(RAM, ENGLISH) == (
        "RAM: 4.6 of 12.7 GiB used, 8.1 GiB can still be allocated, this kernel 3.1 GiB.",
    )
    assert machine.ram_answer(IN_A_CONTAINER["ram"], ENGLISH) == (
        "RAM: 3.8 of 4.0 GiB used, 256 MiB can still be allocated, this kernel 3.1 GiB.",
        "Its child processes hold 128 MiB.",
        "This container's limit is 4.0 GiB.",
    )
    assert machine.ram_answer(UNREADABLE, ENGLISH) == ("RAM: not available.", "It could not be read (OSError).")
    assert machine.ram_answer(None, ENGLISH) == ()


def test_disks_are_named_by_their_places_where_there_are_several() -> None:
    other = replace(DISK, places=("working directory",))

    assert machine.disk_name(DISK, (DISK,), ENGLISH) == "Disk"
    assert machine.disk_name(other, (DISK, other), ENGLISH) == "Disk (working directory)"
    assert machine.disk_name(SHARED, (DISK, SHARED), ENGLISH) == "Shared memory"
    assert machine.disk_name(DISK, (DISK, SHARED), ENGLISH) == "Disk"


def test_beside_its_size_ram_is_a_share_and_what_is_left() -> None:
    assert machine.ram_line(RAM, ENGLISH) == ("RAM: 36 % used, 8.1 GiB left, this kernel 3.1 GiB.",)
    assert machine.ram_line(IN_A_CONTAINER["ram"], ENGLISH) == (
        "RAM: 94 % used, 256 MiB left, this kernel 3.1 GiB.",
        "Its child processes hold 128 MiB.",
    )
    assert machine.ram_line(replace(RAM, kernel_bytes=None), ENGLISH) == ("RAM: 36 % used, 8.1 GiB left.",)
    assert machine.ram_line(UNREADABLE, ENGLISH) == machine.ram_answer(UNREADABLE, ENGLISH)


def test_of_ram_it_is_said_what_is_not_known_and_why_figures_do_not_add_up() -> None:
    tighter = replace(RAM, limited_by="cgroup_v2", limit_level=0, limit_bytes=4 * GIB)
    unknown = replace(RAM, children_bytes=None, unavailable=(("children_bytes", "no_permission"),))

    assert machine.ram_notes(RAM, ENGLISH) == ()
    assert machine.ram_notes(tighter, ENGLISH) == ("What is left is limited by this container's 4.0 GiB.",)
    assert machine.ram_notes(unknown, ENGLISH) == ("What its child processes hold is not known: no permission.",)


def left(*disks: Any) -> list[str]:
    return machine.disk_sentences(a_snapshot(disks=disks), ENGLISH)


def test_shared_memory_is_no_disk_of_the_runtime() -> None:
    assert left(DISK, SHARED) == left(DISK) == ["Disk: 69.6 GiB left."]
    assert machine.sentence(a_snapshot(disks=(DISK, SHARED)), ENGLISH).endswith("107.7 GiB disk.")


def test_a_disk_that_is_silent_is_said_to_be_beside_the_others() -> None:
    root = replace(DISK, places=("/",))

    assert left(root, SILENT_DISK) == [
        "Disk (/): 69.6 GiB left.",
        "Disk (working directory): The file system did not answer within 1 s.",
    ]
    assert left(SILENT_DISK) == ["Disk: The file system did not answer within 1 s."]
    assert "disk" not in machine.sentence(a_snapshot(disks=(SILENT_DISK,)), ENGLISH)


def test_sizes_are_those_that_are_known() -> None:
    assert machine.sizes(a_snapshot(), ENGLISH) == ["2 cores", "12.7 GiB RAM", "107.7 GiB disk"]
    assert machine.sizes(a_snapshot(cpu=UNREADABLE, ram=None, disks=(SILENT_DISK,)), ENGLISH) == []


def test_versions_and_ages_are_phrases_as_far_as_they_are_known() -> None:
    def phrases(**changes: Any) -> list[str]:
        return machine.ages_and_versions(a_snapshot(platform=replace(COLAB, **changes)), ENGLISH)

    assert phrases() == ["Python 3.13.15, IPython 7.34.0", "machine up 2 h 5 min, kernel 3 min"]
    assert phrases(ipython_version=None, kernel_age_seconds=None) == ["Python 3.13.15"]
    assert machine.ages_and_versions(a_snapshot(platform=UNREADABLE), ENGLISH) == []
