from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from builders import A100, DISK, DRIVER, GB10, MIB, SHARED, SLICE, T4, UNTOLD_GPU, V5E, a_ram, a_snapshot
from builders import CPU as CORES
from colab_magics.model import FoundGpu, Unavailable
from colab_magics.requirement import parse
from colab_magics.requirement.machine import (
    ANY,
    NOT_INSTALLED,
    Device,
    computes_bf16,
    exactly,
    found_for,
    found_gpu,
    machine_of,
    parts_of,
)
from requirements import CPU, DARK, G4, HIDDEN, INSTALLED, MIG, TPU


def devices(gpu: Any, *, with_hidden: bool = False) -> tuple[Device, ...]:
    found = machine_of(a_snapshot(gpus=(gpu,)), with_hidden=with_hidden).gpus
    assert found is not None
    return found


def test_a_gpu_has_the_driver_s_name_and_colab_s() -> None:
    (device,) = devices(G4)

    assert device.names == ("NVIDIA RTX PRO 6000 Blackwell Server Edition", "G4 GPU")
    assert device.memory == exactly(97887 * MIB)
    assert device.capability == "12.0"


def test_a_gpu_that_is_not_in_the_table_has_the_driver_s_name_alone() -> None:
    (device,) = devices(replace(T4, name="NVIDIA B200"))

    assert device.names == ("NVIDIA B200",)


def test_of_a_gpu_that_tells_nothing_nothing_is_known_but_that_it_is_there() -> None:
    assert devices(replace(UNTOLD_GPU, fault=None)) == (Device(),)


@pytest.mark.parametrize("fault", ["gpu_lost", "gpu_needs_reset", "driver_unknown_error", "no_permission"])
def test_a_gpu_that_cannot_be_used_is_none(fault: str) -> None:
    assert devices(replace(T4, fault=fault)) == ()
    assert devices(replace(T4, fault=fault), with_hidden=True) == ()


def test_without_cuda_s_library_whether_a_gpu_is_there_is_not_known() -> None:
    machine = machine_of(a_snapshot(driver=replace(DRIVER, cuda_version=None, has_cuda_library=False)))

    assert machine.gpus is not None
    assert [device.present for device in machine.gpus] == [None]
    assert machine.cuda is None


def visible(count: int, *gpus: Any) -> Any:
    return machine_of(a_snapshot(gpus=gpus, visible_gpus=count))


def test_of_gpus_that_are_alike_it_does_not_matter_which_are_visible() -> None:
    assert T4.memory is not None
    fuller = replace(T4, memory=replace(T4.memory, free_bytes=T4.memory.free_bytes // 2))
    machine = visible(1, T4, fuller, T4)

    assert len(machine.gpus) == 1
    assert machine.gpus[0].present is True
    assert machine.gpus[0].free == (T4.memory.free_bytes // 2, T4.memory.free_bytes)


def test_of_gpus_that_differ_which_are_visible_is_not_known() -> None:
    machine = visible(1, T4, A100)

    assert [device.present for device in machine.gpus] == [None, None]
    assert machine.most_gpus == 1


@pytest.mark.parametrize(
    ("gpu", "count", "with_hidden"),
    [
        pytest.param(T4, 1, 1, id="seen"),
        pytest.param(replace(T4, **HIDDEN), 0, 1, id="hidden"),
        pytest.param(MIG, 1, 1, id="a slice"),
        pytest.param(replace(MIG, slices=(SLICE, replace(SLICE, cuda_index=None))), 2, 2, id="slices"),
        pytest.param(
            replace(MIG, is_hidden=True, slices=(SLICE, replace(SLICE, cuda_index=None))), 1, 2, id="one of two slices"
        ),
    ],
)
def test_what_cuda_is_kept_from_counts_only_where_that_is_asked(gpu: Any, count: int, with_hidden: int) -> None:
    assert len(devices(gpu)) == count
    assert len(devices(gpu, with_hidden=True)) == with_hidden


def test_a_slice_has_its_own_memory_and_both_names() -> None:
    (device,) = devices(MIG)

    assert device.names == ("NVIDIA H100 80GB HBM3 MIG 1g.10gb", "NVIDIA H100 80GB HBM3", "H100 GPU")
    assert (device.memory, device.free) == (exactly(9984 * MIB), exactly(8960 * MIB))


def test_a_gpu_that_is_divided_and_shows_no_slice_may_not_be_there() -> None:
    (device,) = devices(replace(A100, mig_enabled=True))

    assert device.present is None


def test_a_gpu_without_memory_of_its_own_has_the_machine_s() -> None:
    ram = a_ram(119.7, headroom_bytes=100 * 2**30)
    (device,) = machine_of(a_snapshot(gpus=(GB10,), ram=ram)).gpus or ()

    assert device.shares_ram
    assert (device.memory, device.free) == (exactly(ram.capacity_bytes), exactly(ram.headroom_bytes))


def test_the_ram_is_what_may_be_used_of_it() -> None:
    container = a_ram(64.0, limited_by="cgroup_v2", limit_bytes=4 * 2**30, headroom_bytes=3 * 2**30)
    machine = machine_of(a_snapshot(ram=container))

    assert (machine.ram, machine.ram_free) == (exactly(4 * 2**30), exactly(3 * 2**30))


def test_a_machine_that_is_nearly_full_takes_nothing_from_the_container_s_size() -> None:
    container = replace(a_ram(64.0, headroom_bytes=2**30), capacity_bytes=4 * 2**30)
    machine = machine_of(a_snapshot(ram=container))

    assert (machine.ram, machine.ram_free) == (exactly(4 * 2**30), exactly(2**30))


def test_the_disk_is_the_working_directory_s() -> None:
    disks = (replace(DISK, places=("/",), free_bytes=1), replace(DISK, places=("working directory",), free_bytes=2))

    assert machine_of(a_snapshot(disks=disks)).disk == exactly(2)
    assert machine_of(a_snapshot(disks=disks[:1])).disk == ANY


def test_what_nobody_could_look_at_is_left_open() -> None:
    unreadable = Unavailable(code="unreadable")
    machine = machine_of(a_snapshot(**DARK, ram=unreadable, disks=unreadable, platform=unreadable))

    assert (machine.gpus, machine.cuda, machine.python) == (None, None, None)
    assert machine.ram == machine.ram_free == machine.disk == ANY


@pytest.mark.parametrize(
    ("changes", "has_driver", "driver", "cuda"),
    [
        pytest.param({}, True, "580.82.07", "12.8", id="there"),
        pytest.param(CPU, False, None, None, id="no GPU"),
        pytest.param(DARK, None, None, None, id="not known"),
    ],
)
def test_the_driver_is_there_or_not_or_not_known(
    changes: dict[str, Any], has_driver: bool | None, driver: str | None, cuda: str | None
) -> None:
    machine = machine_of(a_snapshot(**changes))

    assert (machine.has_driver, machine.driver, machine.cuda) == (has_driver, driver, cuda)


def test_what_is_sold_is_told_from_what_the_driver_reports() -> None:
    (t4,), (part,), (shared,) = devices(T4), devices(MIG), machine_of(a_snapshot(gpus=(GB10,), ram=a_ram(119.7))).gpus

    assert t4.label == exactly(16 * 10**9)
    assert part.label == exactly(10 * 10**9)
    assert shared.label == exactly(120 * 10**9)
    assert devices(replace(T4, memory=None))[0].label == exactly(16 * 10**9)
    assert devices(UNTOLD_GPU)[0].label == ANY


def test_cores_shared_memory_and_packages_are_the_machine_s() -> None:
    cpu = replace(CORES, usable_cores=1.5)
    machine = machine_of(a_snapshot(cpu=cpu, disks=(DISK, SHARED), packages=INSTALLED))

    assert machine.cores == exactly(1.5)
    assert machine.shm == exactly(SHARED.free_bytes)
    assert machine.packages == {
        "torch": "2.4.1+cu121",
        "jax-cuda12-plugin": None,
        "scikit-learn": NOT_INSTALLED,
    }


@pytest.mark.parametrize(
    ("tpu", "names", "complete"),
    [
        pytest.param(V5E, ("v5e-1", "v5e", "v5e-1", "v5e-1 TPU"), True, id="Colab's"),
        pytest.param(
            replace(V5E, accelerator_type="v5litepod-8"), ("v5litepod-8", "v5e", "v5e-8"), True, id="written otherwise"
        ),
        pytest.param(replace(V5E, accelerator_type=None), ("v5e",), False, id="by its chip alone"),
        pytest.param(replace(V5E, accelerator_type=None, kind=None), (), False, id="nameless"),
    ],
)
def test_a_tpu_has_every_name_that_it_goes_by(tpu: Any, names: tuple[str, ...], complete: bool) -> None:
    (chip,) = machine_of(a_snapshot(**{**TPU, "tpus": (tpu,)})).chips or ()

    assert (chip.names, chip.complete) == (names, complete)


@pytest.mark.parametrize(
    ("version", "parts"),
    [
        ("3.13.15", (3, 13, 15)),
        ("3.13.0rc1", (3, 13, 0)),
        ("2.4.1+cu121", (2, 4, 1)),
        ("2.6.0.dev20241112", (2, 6, 0)),
        ("580.82.07", (580, 82, 7)),
        ("12", (12,)),
        ("1!2.0", None),
        ("12!2.0", None),
        ("odd", None),
        ("", None),
        (None, None),
    ],
)
def test_a_version_s_parts_are_its_numbers(version: str | None, parts: tuple[int, ...] | None) -> None:
    assert parts_of(version) == parts


@pytest.mark.parametrize(
    ("device", "expected"),
    [
        pytest.param(Device(capability="7.5"), False, id="before 8.0"),
        pytest.param(Device(capability="8.0"), True, id="from 8.0 on"),
        pytest.param(Device(capability="12.0"), True, id="two figures"),
        pytest.param(Device(), None, id="not known"),
        pytest.param(Device(is_gpu=False), True, id="a TPU"),
    ],
)
def test_what_computes_bfloat16(device: Device, expected: bool | None) -> None:
    assert computes_bf16(device) is expected


def test_what_is_there_is_told_as_far_as_it_is_known() -> None:
    (device,) = devices(UNTOLD_GPU)

    assert found_gpu(device) == FoundGpu(
        name=None, memory_bytes=None, memory_free_bytes=None, compute_capability=None, shares_ram=False
    )


@pytest.mark.parametrize(
    ("expression", "changes", "found"),
    [
        ("gpu", {}, (("gpu", ("Tesla T4",)),)),
        ("gpu|tpu", CPU, (("gpu", ()), ("tpu", ()))),
        ("gpu", DARK, (("gpu", None),)),
        ("tpu", TPU, (("tpu", ("v5e-1",)),)),
        ("bf16", TPU, (("bf16", (True,)),)),
        ("gpus>=2", {"gpus": (T4, A100)}, (("gpus", (2,)),)),
        ("vram>=1", {"gpus": (T4, UNTOLD_GPU)}, (("vram", (15360 * MIB, None)),)),
        ("cuda", CPU, (("cuda", ()),)),
        ("cuda", DARK, (("cuda", None),)),
        ("ram>=1", {"ram": None}, (("ram", None),)),
        ("driver", CPU, (("driver", ()),)),
        ("driver>=550|cores>=4", {}, (("driver", ("580.82.07",)), ("cores", (2.0,)))),
        ("shm>=1", {"disks": (DISK, SHARED)}, (("shm", (SHARED.free_bytes,)),)),
        ("shm>=1", {}, (("shm", None),)),
        ("torch", {"packages": INSTALLED}, (("torch", ("2.4.1+cu121",)),)),
        ("scikit-learn", {"packages": INSTALLED}, (("scikit-learn", ()),)),
        ("jax-cuda12-plugin", {"packages": INSTALLED}, (("jax-cuda12-plugin", (None,)),)),
        ("jax", {"packages": INSTALLED}, (("jax", None),)),
        ("jax", {"packages": Unavailable(code="unexpected")}, (("jax", None),)),
    ],
)
def test_what_is_there_is_told_by_the_clause_s_keys(expression: str, changes: dict[str, Any], found: Any) -> None:
    (clause,) = parse(expression).clauses

    assert found_for(clause, machine_of(a_snapshot(**{"tpus": (), **changes}))) == found
