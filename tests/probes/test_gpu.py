from __future__ import annotations

import dataclasses
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from colab_magics.model import Driver, Gpu, GpuMemory, GpuProcess, Unavailable
from colab_magics.probes.gpu import Seen, probe_gpus
from colab_magics.probes.processes import in_initial_namespace
from fake_nvml import PROFILES, FakeDriver

Plug = Callable[..., FakeDriver]
MIB = 2**20


def looked(**options: Any) -> tuple[Gpu, ...]:
    gpus = probe_gpus(**options).gpus
    assert isinstance(gpus, tuple), gpus
    return gpus


def test_a_t4_as_the_driver_describes_it(plug_in: Plug) -> None:
    plug_in("t4", "gpu0.process = 5000077 1048576")
    (gpu,) = looked(environment={})

    assert probe_gpus(environment={}).driver == Driver(version="580.82.07", cuda_version="12.8", has_cuda_library=True)
    assert (gpu.index, gpu.cuda_index, gpu.name) == (0, 0, "Tesla T4")
    assert (gpu.compute_capability, gpu.architecture, gpu.virtualization) == ("7.5", "Turing", "pass-through")
    assert (gpu.temperature_celsius, gpu.power_watts, gpu.power_limit_watts) == (43.0, 9.0, 70.0)
    assert (gpu.ecc_enabled, gpu.ecc_errors, gpu.slices) == (True, 0, ())
    assert gpu.memory == GpuMemory(
        total_bytes=15360 * MIB, used_bytes=0, free_bytes=14912 * MIB, reserved_bytes=448 * MIB
    )
    assert gpu.processes == (
        GpuProcess(
            pid=5000077,
            memory_used_bytes=1048576,
            kinds=("compute",),
            is_here=None if in_initial_namespace() else False,
            is_this_kernel=False,
            name=None,
        ),
    )
    assert dict(gpu.unavailable) == {"fan_percent": "not_supported", "mig_enabled": "not_supported"}


@pytest.mark.parametrize("profile", PROFILES)
def test_every_kind_of_card_is_described_without_a_gap(profile: str, plug_in: Plug) -> None:
    """What is None has its reason, and what has a reason is None."""
    plug_in(profile)
    for gpu in looked():
        empty = {field.name for field in dataclasses.fields(gpu) if getattr(gpu, field.name) is None}
        assert empty - {"cuda_index", "fault"} == dict(gpu.unavailable).keys()
        assert gpu.name is not None
        for part in gpu.slices:
            assert part.memory is not None


def test_a_geforce_has_a_fan_and_no_ecc(plug_in: Plug) -> None:
    plug_in("geforce")
    (gpu,) = looked()

    assert gpu.fan_percent is not None
    assert dict(gpu.unavailable)["ecc_enabled"] == "not_supported"


def test_a_gb10_shares_the_machine_s_memory_and_is_not_said_to_have_none(plug_in: Plug) -> None:
    plug_in("gb10")
    (gpu,) = looked()

    assert gpu.memory is None
    assert dict(gpu.unavailable)["memory"] == "unified_memory"
    assert gpu.processes is not None


def test_memory_that_is_not_supported_is_not_thereby_shared(plug_in: Plug) -> None:
    plug_in("t4", "gpu0.memory_total = not_supported", "gpu0.memory_used = not_supported")

    assert dict(looked()[0].unavailable)["memory"] == "not_supported"


def test_a_slice_in_a_container_is_reported_where_its_parent_is_closed(plug_in: Plug) -> None:
    plug_in("mig-in-container")
    (gpu,) = looked()

    assert gpu.mig_enabled is True
    assert dict(gpu.unavailable)["memory"] == "no_permission"
    assert [part.memory is not None for part in gpu.slices] == [True] * len(gpu.slices)
    assert gpu.slices


def test_an_old_driver_is_read_by_the_calls_it_has(plug_in: Plug) -> None:
    plug_in("driver-470")
    (gpu,) = looked()

    assert gpu.memory is not None
    assert gpu.memory.reserved_bytes is None
    assert gpu.processes is not None
    assert gpu.slowdown_reasons is not None
    assert "driver_too_old" not in dict(gpu.unavailable).values()


def test_a_driver_that_has_dropped_the_old_calls_is_read_by_the_new(plug_in: Plug) -> None:
    plug_in("t4", defines=("CUDA14",))
    (gpu,) = looked()

    assert gpu.temperature_celsius == 43.0
    assert gpu.slowdown_reasons == ()
    assert dict(gpu.unavailable).keys() == {"fan_percent", "mig_enabled"}


def test_processes_of_drivers_that_write_long_rows_are_read_by_the_older_call(plug_in: Plug) -> None:
    driver = plug_in("t4", "driver_version = 535.54.03")
    looked()

    assert "nvmlDeviceGetComputeRunningProcesses_v2" in driver.calls()
    assert "nvmlDeviceGetComputeRunningProcesses_v3" not in driver.calls()


def test_what_never_changes_is_asked_once_and_nothing_is_asked_twice(plug_in: Plug) -> None:
    driver = plug_in("t4")
    looked()
    first = len(driver.calls())
    looked()
    warm = driver.calls()[first:]

    assert Counter(warm) == Counter(
        ["nvmlDeviceGetCount_v2", "nvmlDeviceGetHandleByIndex_v2", "nvmlDeviceGetUUID", "nvmlDeviceGetMemoryInfo_v2",
         "nvmlDeviceGetUtilizationRates", "nvmlDeviceGetUtilizationRates", "nvmlDeviceGetTemperature",
         "nvmlDeviceGetPowerUsage", "nvmlDeviceGetEnforcedPowerLimit", "nvmlDeviceGetTotalEnergyConsumption",
         "nvmlDeviceGetClockInfo", "nvmlDeviceGetClockInfo", "nvmlDeviceGetCurrentClocksEventReasons",
         "nvmlDeviceGetPerformanceState", "nvmlDeviceGetFanSpeed", "nvmlDeviceGetSamples", "nvmlDeviceGetEccMode",
         "nvmlDeviceGetTotalEccErrors", "nvmlDeviceGetPersistenceMode", "nvmlDeviceGetMigMode",
         "nvmlDeviceGetComputeRunningProcesses_v3", "nvmlDeviceGetGraphicsRunningProcesses_v3",
         "nvmlDeviceGetMPSComputeRunningProcesses_v3"]
    )  # fmt: skip


def test_a_list_of_processes_is_asked_for_once_however_long_it_is_and_once_more_where_it_has_outgrown_its_room(
    plug_in: Plug,
) -> None:
    """The binding asks for its length first, and a driver may take milliseconds for each."""
    driver = plug_in("eight-a100", "gpu0.processes = 20", "gpu1.processes = 1000", "gpu*.process = 5000077 1024 G")
    function = "nvmlDeviceGetComputeRunningProcesses_v3"
    looked()
    first = driver.calls().count(function)
    (few, many, *_) = looked()

    assert first == 8 + 1
    assert driver.calls().count(function) - first == 8
    assert driver.calls().count("nvmlDeviceGetGraphicsRunningProcesses_v3") == 2 * 8
    assert few.processes is not None
    assert many.processes is not None
    assert (len(few.processes), len(many.processes)) == (21, 1001)


@pytest.mark.parametrize(
    ("mask", "reasons"),
    [("0x1", ()), ("0x0", ()), ("0x44", ("power_cap", "thermal_hardware")), ("0x4000", ("reason_14",))],
)
def test_why_clocks_are_low_is_told_by_name_and_new_causes_by_number(
    mask: str, reasons: tuple[str, ...], plug_in: Plug
) -> None:
    plug_in("t4", f"gpu0.throttle_reasons = {mask}")

    assert looked()[0].slowdown_reasons == reasons


def test_an_architecture_nobody_has_named_yet_is_shown_by_its_number(plug_in: Plug) -> None:
    plug_in("t4", "gpu0.architecture = 15")

    assert looked()[0].architecture == "15"


@pytest.mark.parametrize("code", [10, 19, 27])
def test_what_fails_for_a_moment_is_tried_once_more(code: int, plug_in: Plug) -> None:
    driver = plug_in("t4", f"fail nvmlDeviceGetPowerUsage = {code}")
    (gpu,) = looked()

    assert driver.calls().count("nvmlDeviceGetPowerUsage") == 2
    assert dict(gpu.unavailable)["power_watts"] == f"nvml_error_{code}"


def test_a_driver_that_somebody_shut_is_opened_again(plug_in: Plug) -> None:
    driver = plug_in("t4", "fail nvmlDeviceGetCount_v2 = 1")
    gpus = probe_gpus().gpus

    assert isinstance(gpus, Unavailable)
    assert driver.calls().count("nvmlInitWithFlags") == 2


def test_no_driver_is_no_gpu() -> None:
    assert probe_gpus(root="/nowhere") == Seen((), None, None, None)


def test_a_gpu_on_the_bus_whose_library_does_not_load(tmp_path: Path) -> None:
    for address, vendor, kind in (
        ("0000:00:04.0", "0x10de", "0x030200"),
        ("0000:00:05.0", "0x10de", "0x040300"),  # the audio function of a graphics card
        ("0000:00:06.0", "0x8086", "0x030000"),
    ):
        folder = tmp_path / "sys/bus/pci/devices" / address
        folder.mkdir(parents=True)
        (folder / "vendor").write_text(f"{vendor}\n")
        (folder / "class").write_text(f"{kind}\n")

    gpus = probe_gpus(root=str(tmp_path)).gpus

    assert gpus == Unavailable(code="library_broken")  # the one that tests put in the way: see `no_driver_environment`


@pytest.mark.parametrize(
    ("trace", "certain"),
    [
        pytest.param("sys/bus/pci/devices", True, id="an empty bus"),
        pytest.param("dev/nvidiactl", False, id="a driver's file"),
        pytest.param("proc/driver/nvidia/version", False, id="a driver"),
        pytest.param(None, False, id="no bus to be seen"),
    ],
)
def test_without_nvidia_ml_py_there_is_no_gpu_only_where_that_is_certain(
    trace: str | None, certain: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    if trace is not None:
        (tmp_path / "sys/bus/pci/devices").mkdir(parents=True)
        (tmp_path / trace).mkdir(parents=True, exist_ok=True)
    gpus = probe_gpus(root=str(tmp_path)).gpus

    assert gpus == (() if certain else Unavailable(code="binding_missing"))


def test_versions_that_differ_are_both_named(plug_in: Plug, tmp_path: Path) -> None:
    plug_in("t4", "fail nvmlInitWithFlags = 18")
    folder = tmp_path / "proc/driver/nvidia"
    folder.mkdir(parents=True)
    (folder / "version").write_text(
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  575.57.08  Fri May 23 22:02:20 UTC 2025\nGCC version: 12.2\n"
    )
    gpus = probe_gpus(root=str(tmp_path)).gpus

    assert isinstance(gpus, Unavailable)
    assert gpus.code == "driver_mismatch"
    values = dict(gpus.values)
    assert values["module"] == "575.57.08"
    assert "580.82.07" in str(values["library"])


@pytest.mark.parametrize("total", ["0", str(2**64 - 1)])
def test_memory_that_is_none_or_a_sentinel_is_not_a_figure(total: str, plug_in: Plug) -> None:
    plug_in("t4", f"gpu0.memory_total = {total}")
    (gpu,) = looked()

    assert gpu.memory is None
    assert dict(gpu.unavailable)["memory"] == "not_supported"
