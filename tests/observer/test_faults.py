"""Every way in which the driver can fail, through a real child: what failed is named, and nothing else is lost."""

from __future__ import annotations

import dataclasses
import os
import signal
import threading
import time
from collections.abc import Callable, Collection
from typing import Any, NamedTuple

import psutil
import pytest

import documents
from builders import JUPYTER, a_report
from colab_magics.model import Gpu, Subject, Unavailable
from colab_magics.observer import client
from colab_magics.probes.gpu import probe_gpus
from colab_magics.translation import translator
from colab_magics.units import width
from colab_magics.views import gpu_table, text
from colab_magics.views import json as json_view
from colab_magics.views.render_options import RenderOptions
from fake_nvml import PROFILES, FakeDriver
from runtimes import TRANSLATED

Plug = Callable[..., FakeDriver]
Answer = dict[str, Any]

SHORT = 0.3
LATE = 0.5
"""How much longer than its deadline a question may take."""
AT_ONCE = 1.5
"""Long before the deadline, also for a child that has to start first on a busy machine."""

CODES = (*range(1, 31), 999)
REASONS = {
    3: "not_supported",
    4: "no_permission",
    9: "driver_not_loaded",
    13: "driver_too_old",
    15: "gpu_lost",
    16: "gpu_needs_reset",
    17: "blocked_by_system",
    18: "driver_mismatch",
    25: "driver_too_old",
    26: "call_was_removed",
    999: "driver_unknown_error",
}
NOT_SUPPORTED, INSUFFICIENT_SIZE, LIBRARY_NOT_FOUND = 3, 7, 12
FEW_CODES = (1, INSUFFICIENT_SIZE, 10, *REASONS)
"""One of each kind: an opened driver is shut, a buffer too small, a second try, and those that have a name."""
MISSING = {13, 25, 26}
"""The driver does not have the call, or not as it is called: another may do."""

TWO_GPUS = (
    "gpus = 2",
    "gpu*.fan = 30",
    "gpu*.process = 5000001 1048576",
    "gpu*.process = 5000002 2097152 G",
    "gpu*.process = 5000003 none M",
    "gpu*.mig = on",
    "gpu*.mig_slots = 3",
    "gpu*/mig*.name = NVIDIA A100-SXM4-40GB MIG 1g.5gb",
    "gpu*/mig*.memory_total = 5100273664",
    "gpu*/mig*.memory_reserved = 1048576",
    "gpu*/mig*.process = 5000004 4194304 C 1 0",
    "gpu0/mig0.uuid = MIG-00",
    "gpu0/mig2.uuid = MIG-02",
    "gpu1/mig0.uuid = MIG-10",
    "gpu1/mig2.uuid = MIG-12",
)
"""Of the eight A100s two, with everything that a report can ask for."""


class Call(NamedTuple):
    """The fields of a GPU that rest on a call of the driver's; what makes a report come to call it; what it has else.

    `kind` is that of the processes which the call lists, and which are left out where the driver knows no such.
    """

    fields: Collection[str]
    reached_by: tuple[str, ...] = ()
    has_substitute: bool = False
    kind: str | None = None


EVERYTHING = {field.name for field in dataclasses.fields(Gpu)} - {
    "index",
    "cuda_index",
    "is_hidden",
    "unavailable",
    "fault",
}
OF_A_GPU = {
    "nvmlDeviceGetHandleByIndex_v2": Call(EVERYTHING),
    "nvmlDeviceGetPciInfo_v3": Call(["pci_bus_id"]),
    "nvmlDeviceGetCudaComputeCapability": Call(["compute_capability"]),
    "nvmlDeviceGetArchitecture": Call(["architecture"]),
    "nvmlDeviceGetVirtualizationMode": Call(["virtualization"]),
    "nvmlDeviceGetAddressingMode": Call(["memory"], ("gpu*.memory_total = not_supported",)),
    "nvmlDeviceGetUtilizationRates": Call(["utilization_percent", "memory_utilization_percent"]),
    "nvmlDeviceGetSamples": Call(["recent_busy_percent", "recent_seconds"]),
    "nvmlDeviceGetTemperature": Call(["temperature_celsius"], has_substitute=True),
    "nvmlDeviceGetTemperatureV": Call(["temperature_celsius"], ("fail nvmlDeviceGetTemperature = 13",)),
    "nvmlDeviceGetPowerUsage": Call(["power_watts"]),
    "nvmlDeviceGetEnforcedPowerLimit": Call(["power_limit_watts"]),
    "nvmlDeviceGetTotalEnergyConsumption": Call(["energy_joules"]),
    "nvmlDeviceGetClockInfo": Call(["graphics_clock_mhz", "memory_clock_mhz"]),
    "nvmlDeviceGetCurrentClocksEventReasons": Call(["slowdown_reasons"], has_substitute=True),
    "nvmlDeviceGetCurrentClocksThrottleReasons": Call(
        ["slowdown_reasons"], ("fail nvmlDeviceGetCurrentClocksEventReasons = 13",)
    ),
    "nvmlDeviceGetPerformanceState": Call(["performance_state"]),
    "nvmlDeviceGetFanSpeed": Call(["fan_percent"]),
    "nvmlDeviceGetEccMode": Call(["ecc_enabled"]),
    "nvmlDeviceGetTotalEccErrors": Call(["ecc_errors"]),
    "nvmlDeviceGetPersistenceMode": Call(["persistence_enabled"]),
    "nvmlDeviceGetMigMode": Call(["mig_enabled", "slices"]),
    "nvmlDeviceGetMaxMigDeviceCount": Call(["slices"]),
    "nvmlDeviceGetMigDeviceHandleByIndex": Call(["slices"]),
}
OF_A_GPU_OR_A_SLICE = {
    "nvmlDeviceGetUUID": Call(["uuid"]),
    "nvmlDeviceGetName": Call(["name"]),
    "nvmlDeviceGetMemoryInfo_v2": Call(["memory"], has_substitute=True),
    "nvmlDeviceGetMemoryInfo": Call(["memory"], ("fail nvmlDeviceGetMemoryInfo_v2 = 13",)),
    "nvmlDeviceGetComputeRunningProcesses_v3": Call(["processes"], has_substitute=True),
    "nvmlDeviceGetComputeRunningProcesses_v2": Call(
        ["processes"], ("fail nvmlDeviceGetComputeRunningProcesses_v3 = 13",)
    ),
    "nvmlDeviceGetGraphicsRunningProcesses_v3": Call(["processes"], has_substitute=True, kind="graphics"),
    "nvmlDeviceGetGraphicsRunningProcesses_v2": Call(
        ["processes"], ("fail nvmlDeviceGetGraphicsRunningProcesses_v3 = 13",), kind="graphics"
    ),
    "nvmlDeviceGetMPSComputeRunningProcesses_v3": Call(["processes"], kind="mps"),
}
LISTS_SLICES = ("nvmlDeviceGetMaxMigDeviceCount", "nvmlDeviceGetMigDeviceHandleByIndex")
NOTHING_NOTED = ("nvmlDeviceGetSamples", 6)
EMPTY_SLOT = ("nvmlDeviceGetMigDeviceHandleByIndex", 6)
OF_A_DEVICE = OF_A_GPU | OF_A_GPU_OR_A_SLICE
OF_THE_SYSTEM = {
    "nvmlInitWithFlags": (),
    "nvmlDeviceGetCount_v2": (),
    "nvmlSystemGetDriverVersion": (),
    "nvmlSystemGetCudaDriverVersion": (),
    "nvmlSystemGetNVMLVersion": ("fail nvmlInitWithFlags = 9",),
}
OF_A_SLICE_S_OLDER_NAME = ("nvmlDeviceGetComputeInstanceId", "nvmlDeviceGetGpuInstanceId")
"""What fails here costs only that CUDA_VISIBLE_DEVICES is not understood where it uses such a name."""

NEVER_CALLED = (
    "nvmlDeviceGetAttributes_v2",
    "nvmlDeviceGetComputeRunningProcesses",
    "nvmlDeviceGetDeviceHandleFromMigDeviceHandle",
    "nvmlDeviceGetFanSpeed_v2",
    "nvmlDeviceGetGraphicsRunningProcesses",
    "nvmlDeviceGetHandleByUUID",
    "nvmlDeviceGetIndex",
    "nvmlDeviceGetMaxClockInfo",
    "nvmlDeviceGetNumFans",
    "nvmlDeviceGetPowerManagementLimit",
    "nvmlDeviceGetSerial",
    "nvmlDeviceIsMigDeviceHandle",
    "nvmlErrorString",
    "nvmlInit_v2",
    "nvmlShutdown",
    "nvmlSystemGetCudaDriverVersion_v2",
)
CALLS = {"load": (), **OF_THE_SYSTEM, **{function: call.reached_by for function, call in OF_A_DEVICE.items()}}
ONLY_FOR_A_NEW_CHILD = {"load", *OF_THE_SYSTEM} - {"nvmlDeviceGetCount_v2"}


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the fake driver read its state at every call."""
    monkeypatch.setenv("FAKE_NVML_LIVE", "1")


@pytest.fixture
def no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "RESTING_SECONDS", 0)


def asked(deadline_seconds: float = client.DEADLINE_SECONDS) -> tuple[Answer | Unavailable, float]:
    """Return what came, and how long it took."""
    started = time.monotonic()
    answer = client.ask(deadline_seconds=deadline_seconds)
    return answer, time.monotonic() - started


def answered(deadline_seconds: float = client.DEADLINE_SECONDS) -> Answer:
    answer, seconds = asked(deadline_seconds)
    assert isinstance(answer, dict), answer
    assert seconds < deadline_seconds
    return answer


def looked() -> Answer:
    """Return the answer, having shown it."""
    answer = answered()
    shown(answer)
    return answer


def shown(answer: Answer | Unavailable, language: str = "en") -> str:
    """Show what came as text and as JSON, and return the shortest text."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client, "ask", lambda **_: answer)
        seen = probe_gpus(root="/nowhere")
    gpus, driver = seen.gpus, seen.driver
    report = a_report(Subject.GPU, gpus=gpus, driver=driver, platform=JUPYTER)
    short = text.render(report, RenderOptions(language=language))
    whole = text.render(report, RenderOptions(language=language, everything=True, processes=True))
    lines = [*short.splitlines(), *whole.splitlines()]
    table = gpu_table.rows(report.snapshot, translator(language))
    assert len(short.splitlines()) - (len(table) + 1 if table else 0) <= text.MOST_LINES
    assert max(width(line) for line in lines if "https://" not in line) <= 80
    assert not [line for line in lines if ": None" in line or "nvml_error" in line]
    document = documents.read(json_view.render(report))
    if isinstance(gpus, Unavailable):
        assert document["gpus"] == []
        assert document["unavailable"]["gpus"]["reason"].endswith(".")
        return short
    for gpu, fields in zip(gpus, document["gpus"], strict=True):
        assert {field: why["code"] for field, why in fields["unavailable"].items()} == dict(gpu.unavailable)
        reasons = [why["reason"] for why in fields["unavailable"].values()]
        assert not [words for words in reasons if not words or "_" in words]
    return short


def unanswered(deadline_seconds: float = client.DEADLINE_SECONDS, *, within: float) -> Unavailable:
    answer, seconds = asked(deadline_seconds)
    assert isinstance(answer, Unavailable), answer
    assert seconds < within
    return answer


def renewed(answer: Answer, number: int) -> tuple[Answer, tuple[str, ...]]:
    """Return the answer with other UUIDs, and what gives the GPUs these: nothing that was kept of them is of use."""
    uuids = [f"GPU-{number}-{gpu['index']}" for gpu in answer["gpus"]]
    gpus = [{**gpu, "uuid": uuid} for gpu, uuid in zip(answer["gpus"], uuids, strict=True)]
    return {**answer, "gpus": gpus}, tuple(f"gpu{index}.uuid = {uuid}" for index, uuid in enumerate(uuids))


def without(device: Answer, function: str, code: int) -> Answer:
    """Return a GPU or a slice as it is where a call fails."""
    call = OF_A_DEVICE[function]
    if call.has_substitute and code in MISSING:
        return read_by_the_old_call(device) if function == "nvmlDeviceGetMemoryInfo_v2" else device
    if call.kind is not None and code in {NOT_SUPPORTED, *MISSING}:
        others = [process for process in device["processes"] if process["kinds"] != [call.kind]]
        return {**device, "processes": others}
    lost = dict.fromkeys((set(call.fields) & device.keys()) - {"slices"})
    reasons = device["unavailable"] | dict.fromkeys(lost, reason_of(function, code))
    if (function, code) == NOTHING_NOTED:
        reasons = device["unavailable"]
    slices = {"slices": []} if "slices" in call.fields else {}
    fault = {"fault": reason_of(function, code)} if call.fields is EVERYTHING else {}
    if function in LISTS_SLICES and (function, code) != EMPTY_SLOT:
        reasons |= {"slices": reason_of(function, code)}
    return {**device, **lost, **slices, **fault, "unavailable": reasons}


def read_by_the_old_call(device: Answer) -> Answer:
    memory = device["memory"]
    used = memory["used_bytes"] + memory["reserved_bytes"]
    return {**device, "memory": {**memory, "used_bytes": used, "reserved_bytes": None}}


def reason_of(function: str, code: int) -> str:
    if function == "nvmlDeviceGetAddressingMode":  # asked only of a GPU whose memory is not supported
        return "not_supported"
    if ("RunningProcesses" in function or "Samples" in function) and code == INSUFFICIENT_SIZE:
        return "changing_too_fast"
    return REASONS.get(code, f"nvml_error_{code}")


def set_alone(driver: FakeDriver, first: int, *lines: str) -> None:
    """Set these lines after the first ones and take back the others: the driver reads them all at each of its calls."""
    del driver._lines[first:]
    driver.set(*lines)


def children() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)


def test_every_call_of_the_driver_has_its_place_here(plug_in: Plug) -> None:
    assert sorted(plug_in().functions) == sorted(
        [*OF_A_DEVICE, *OF_THE_SYSTEM, *OF_A_SLICE_S_OLDER_NAME, *NEVER_CALLED]
    )


# Every call with every code ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("function", OF_A_DEVICE)
def test_a_call_that_fails_for_one_gpu_costs_what_rests_on_it_and_the_other_gpu_nothing(
    function: str, plug_in: Plug, live: None
) -> None:
    driver = plug_in("eight-a100", *TWO_GPUS, *OF_A_DEVICE[function].reached_by)
    usual, first = answered(), len(driver._lines)
    for code in CODES:
        whole, uuids = renewed(usual, code)
        set_alone(driver, first, *uuids, f"fail {function}@gpu0 = {code}")

        ill, well = whole["gpus"]
        assert looked() == {**whole, "gpus": [without(ill, function, code), well]}, f"{function} = {code}"
    assert function in driver.calls()
    assert driver.calls().count("load") == 1


@pytest.mark.parametrize("function", OF_A_DEVICE)
def test_a_call_that_fails_for_every_gpu_costs_each_what_rests_on_it(function: str, plug_in: Plug, live: None) -> None:
    driver = plug_in("eight-a100", *TWO_GPUS, *OF_A_DEVICE[function].reached_by)
    usual, first = answered(), len(driver._lines)
    for code in FEW_CODES:
        whole, uuids = renewed(usual, code)
        set_alone(driver, first, *uuids, f"fail {function} = {code}")

        gpus = [without(gpu, function, code) for gpu in whole["gpus"]]
        if function in OF_A_GPU_OR_A_SLICE:
            gpus = [{**gpu, "slices": [without(one, function, code) for one in gpu["slices"]]} for gpu in gpus]
        assert answered() == {**whole, "gpus": gpus}, f"{function} = {code}"
    looked()


@pytest.mark.parametrize("function", OF_A_GPU_OR_A_SLICE)
def test_a_call_that_fails_for_a_slice_costs_the_slices_beside_it_nothing(
    function: str, plug_in: Plug, live: None
) -> None:
    driver = plug_in(
        "eight-a100",
        *TWO_GPUS,
        "gpu*/mig*.process = 5000002 2097152 G",
        "gpu*/mig*.process = 5000003 none M",
        *OF_A_DEVICE[function].reached_by,
    )
    usual, first = answered(), len(driver._lines)
    ill, well = usual["gpus"]
    ill_slice, well_slice = ill["slices"]
    for code in CODES:
        set_alone(driver, first, f"fail {function}@gpu0/mig0 = {code}")

        slices = [without(ill_slice, function, code), well_slice]
        assert looked() == {**usual, "gpus": [{**ill, "slices": slices}, well]}, f"{function} = {code}"


def test_a_driver_that_cannot_be_opened_says_why(plug_in: Plug, live: None) -> None:
    driver = plug_in("eight-a100")
    for code in CODES:
        driver.set(f"fail nvmlInitWithFlags = {code}")

        if code == LIBRARY_NOT_FOUND:
            assert looked() == {"driver": None, "gpus": [], "library": "broken"}
            continue
        refused = {"reason": reason_of("nvmlInitWithFlags", code), "code": code, "library": "12.570.148.08"}
        assert looked() == {"refused": refused}, f"{code}"


def test_a_driver_that_cannot_count_its_gpus_says_why_and_need_not_tell_its_version(plug_in: Plug, live: None) -> None:
    driver = plug_in("eight-a100")
    for code in CODES:
        driver.set(f"fail nvmlDeviceGetCount_v2 = {code}", f"fail nvmlSystemGetNVMLVersion = {code}")

        refused = {"reason": reason_of("nvmlDeviceGetCount_v2", code), "code": code, "library": None}
        assert looked() == {"refused": refused}, f"{code}"


def test_a_driver_that_tells_no_version_costs_nothing_else(plug_in: Plug, live: None) -> None:
    driver = plug_in("eight-a100", *TWO_GPUS)
    usual = answered()
    for code in CODES:
        driver.set(f"fail nvmlSystemGetDriverVersion = {code}", f"fail nvmlSystemGetCudaDriverVersion = {code}")
        client.close()

        has_cuda_library = False if code in {LIBRARY_NOT_FOUND, 13} else None
        driver_said = {"version": None, "cuda_version": None, "has_cuda_library": has_cuda_library}
        assert looked() == {**usual, "driver": driver_said}, f"{code}"


@pytest.mark.parametrize(
    ("function", "versions"),
    [
        ("nvmlSystemGetDriverVersion", {"version": None, "cuda_version": "12.8", "has_cuda_library": True}),
        ("nvmlSystemGetCudaDriverVersion", {"version": "570.148.08", "cuda_version": None, "has_cuda_library": None}),
    ],
    ids=["driver", "cuda"],
)
def test_a_version_that_the_driver_does_not_tell_costs_the_other_nothing(
    function: str, versions: Answer, plug_in: Plug
) -> None:
    plug_in("eight-a100", f"fail {function} = 999")

    assert answered()["driver"] == versions


@pytest.mark.parametrize("function", NEVER_CALLED)
def test_a_call_that_no_report_makes_may_fail(function: str, plug_in: Plug, live: None) -> None:
    driver = plug_in("eight-a100", *TWO_GPUS)
    usual, first = answered(), len(driver._lines)
    for code in CODES:
        whole, uuids = renewed(usual, code)
        set_alone(driver, first, *uuids, f"fail {function} = {code}")

        assert answered() == whole, f"{function} = {code}"
    assert function not in driver.calls()


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_code_has_its_words_in_every_language(language: str, plug_in: Plug, live: None) -> None:
    driver = plug_in("eight-a100", *TWO_GPUS)
    for code in CODES:
        driver.set(f"fail nvmlDeviceGetHandleByIndex_v2@gpu0 = {code}")
        shown(answered(), language)


def test_what_was_kept_of_a_gpu_is_not_lost_when_the_driver_will_tell_it_no_more(plug_in: Plug, live: None) -> None:
    driver = plug_in("t4")
    usual = answered()
    driver.set("fail nvmlDeviceGetName = 999", "fail nvmlDeviceGetArchitecture = 15")

    assert answered() == usual


@pytest.mark.parametrize("function", ["nvmlDeviceGetMaxMigDeviceCount", "nvmlDeviceGetMigDeviceHandleByIndex"])
def test_slices_that_the_driver_will_not_list_have_a_reason(function: str, plug_in: Plug) -> None:
    plug_in("eight-a100", *TWO_GPUS, f"fail {function}@gpu0 = 4")
    first, second = answered()["gpus"]

    assert first["unavailable"] == {"slices": "no_permission"}
    assert second["unavailable"] == {}


# Late and never ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("function", CALLS)
def test_a_hang_ends_with_the_deadline_wherever_it_is(function: str, plug_in: Plug, live: None) -> None:
    driver = plug_in("eight-a100", *TWO_GPUS, *CALLS[function])
    expected = "driver_starting"
    if function not in ONLY_FOR_A_NEW_CHILD:
        driver.set(*renewed(answered(), 1)[1])
        expected = "driver_silent"
    driver.set(f"hang {function}")
    assert unanswered(SHORT, within=SHORT + LATE).code == expected
    until = time.monotonic() + 5
    while driver.calls()[-1:] != [function]:
        assert time.monotonic() < until, driver.calls()[-1:]
        time.sleep(0.01)
    client.close()
    assert children() == []


@pytest.mark.parametrize("function", ["load", "nvmlInitWithFlags", "nvmlDeviceGetMemoryInfo_v2"])
def test_a_hang_ends_with_the_usual_deadline_too(function: str, plug_in: Plug) -> None:
    plug_in("t4", f"hang {function}")
    starting = unanswered(within=client.DEADLINE_SECONDS + LATE)

    assert starting.code == "driver_starting"
    assert dict(starting.values)["seconds"] == pytest.approx(3, abs=0.2)
    assert shown(starting).startswith("The NVIDIA driver is still starting (3")


def test_a_driver_that_starts_in_four_seconds_is_waited_for_twice(plug_in: Plug) -> None:
    driver = plug_in("t4", "slow nvmlInitWithFlags = 4")
    started = time.monotonic()
    assert unanswered(within=client.DEADLINE_SECONDS + LATE).code == "driver_starting"
    assert answered()["gpus"][0]["name"] == "Tesla T4"

    assert 4 <= time.monotonic() - started < 4 + LATE
    assert driver.calls().count("load") == 1
    assert answered(1)["gpus"][0]["name"] == "Tesla T4"


def test_calls_of_two_seconds_are_waited_for_at_the_start_only(plug_in: Plug) -> None:
    driver = plug_in("t4", "slow nvmlDeviceGetPowerUsage = 2")
    assert answered()["gpus"][0]["power_watts"] == 9
    silent = unanswered(within=client.DEADLINE_SECONDS * client.WARM_SHARE + LATE)

    assert silent == Unavailable(code="driver_silent", values=(("seconds", 1.0),))
    assert answered()["gpus"][0]["power_watts"] == 9
    assert driver.calls().count("load") == 2


def test_a_first_answer_that_always_takes_longer_than_the_deadline_is_taken_all_the_same(plug_in: Plug) -> None:
    plug_in("t4", "slow nvmlDeviceGetPowerUsage = 1.1")
    assert unanswered(1, within=1 + LATE).code == "driver_starting"

    assert answered(1)["gpus"][0]["power_watts"] == 9


def test_an_answer_that_came_while_nobody_asked_is_not_shown_as_of_now(plug_in: Plug, live: None) -> None:
    driver = plug_in("t4", "slow nvmlInitWithFlags = 0.8", "gpu0.temperature = 40")
    assert unanswered(0.5, within=0.5 + LATE).code == "driver_starting"
    time.sleep(1)
    driver.set("gpu0.temperature = 50")

    assert answered(0.5)["gpus"][0]["temperature_celsius"] == 50


def test_a_driver_that_ends_its_process_late_and_without_an_error_gets_no_second_deadline(plug_in: Plug) -> None:
    plug_in("t4", "slow nvmlInitWithFlags = 1", "exit nvmlInitWithFlags = 0")

    unanswered(1.2, within=1.2 + LATE)


def test_questions_of_several_threads_wait_no_longer_than_one(plug_in: Plug) -> None:
    plug_in("t4", "hang nvmlInitWithFlags")
    waited: list[float] = []
    threads = [threading.Thread(target=lambda: waited.append(asked(SHORT)[1])) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert max(waited) < SHORT + LATE


def test_a_child_that_cannot_be_killed_is_left_behind(
    plug_in: Plug, live: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel of an operating system ends no process that waits in a driver for a device that is gone."""
    driver = plug_in("t4")
    answered()
    stuck = client._shared._process
    assert stuck is not None
    monkeypatch.setattr(stuck, "kill", lambda: None)
    monkeypatch.setattr(stuck, "send_signal", lambda _: None)
    try:
        driver.set("hang nvmlDeviceGetPowerUsage")
        unavailable = unanswered(1.2, within=1.2 * client.WARM_SHARE + client._KILL_SECONDS + 0.3)
        assert unavailable.code == "driver_silent"
        driver.set("heal nvmlDeviceGetPowerUsage")

        assert answered()["gpus"][0]["power_watts"] == 9
        assert client.pid() != stuck.pid
        assert stuck.poll() is None
    finally:
        os.kill(stuck.pid, signal.SIGKILL)
        stuck.wait(5)


# Sudden ends ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("function", CALLS)
def test_a_driver_that_ends_its_process_is_named_at_once_and_asked_again(
    function: str, plug_in: Plug, live: None, no_rest: None
) -> None:
    driver = plug_in("eight-a100", *TWO_GPUS, *CALLS[function])
    first = len(driver._lines)
    for number, (fault, cause) in enumerate({"segv": "SIGSEGV", "abort": "SIGABRT", "exit": "exit code 3"}.items()):
        set_alone(driver, first, f"gpu0.uuid = GPU-{number}", f"{fault} {function}")
        if function in ONLY_FOR_A_NEW_CHILD:
            client.close()
        crashed = unanswered(within=AT_ONCE)
        assert crashed == Unavailable(code="driver_crashed", values=(("cause", cause),))
        assert f"({cause})" in shown(crashed)
        assert children() == []
        set_alone(driver, first)
        assert answered().keys() <= {"driver", "gpus", "refused"}


def test_a_driver_that_ends_its_process_as_if_all_were_well_is_found_out(plug_in: Plug) -> None:
    plug_in("t4", "exit nvmlDeviceGetName = 0")
    crashed = unanswered(within=AT_ONCE)

    assert crashed == Unavailable(code="driver_crashed", values=(("cause", "unknown"),))


def test_a_crash_and_then_a_hang_are_two_failures_in_a_row(
    plug_in: Plug, live: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "RESTING_SECONDS", 0.5)
    driver = plug_in("t4", "segv nvmlDeviceGetName")
    assert unanswered(within=AT_ONCE).code == "driver_crashed"
    driver.set("heal nvmlDeviceGetName", "hang nvmlDeviceGetName")
    assert unanswered(SHORT, within=SHORT + LATE).code == "driver_silent"
    driver.set("heal nvmlDeviceGetName")
    calls = driver.calls()

    assert unanswered(within=0.1).code == "driver_resting"
    assert driver.calls() == calls
    time.sleep(0.5)
    assert answered()["gpus"][0]["name"] == "Tesla T4"


# Too much ---------------------------------------------------------------------------------------------------------


def test_the_longest_name_that_a_driver_can_give_is_shown_whole(plug_in: Plug) -> None:
    name = "NVIDIA " + "x" * 88
    plug_in("t4", f"gpu0.name = {name}")

    answer = answered()
    assert answer["gpus"][0]["name"] == name
    assert "".join(shown(answer).split()).startswith(name.replace(" ", ""))


def test_a_name_that_is_longer_than_names_can_be_costs_only_itself(plug_in: Plug) -> None:
    plug_in("t4", f"gpu0.name = {'x' * 96}")
    answer = answered()
    (gpu,) = answer["gpus"]

    assert gpu["unavailable"]["name"] == "nvml_error_7"
    assert gpu["power_watts"] == 9
    assert shown(answer).startswith("GPU of unknown name: 0.0 of 15.0 GiB used, idle")


@pytest.mark.parametrize("kind", ["Compute", "Graphics", "MPSCompute"])
def test_a_list_of_processes_that_always_outgrows_its_buffer_is_given_up(kind: str, plug_in: Plug) -> None:
    function = f"nvmlDeviceGet{kind}RunningProcesses_v3"
    driver = plug_in("eight-a100", *TWO_GPUS, f"grow {function}@gpu0 = 99")
    first, second = looked()["gpus"]

    assert first["processes"] is None
    assert first["unavailable"] == {"processes": "changing_too_fast"}
    assert first["slices"][0]["processes"] == second["slices"][0]["processes"]
    assert len(second["processes"]) == 3
    assert driver.calls().count(function) < 30


def test_sixty_four_gpus_and_two_thousand_processes_fit_into_one_answer(plug_in: Plug) -> None:
    plug_in("64-gpus", "gpu*.processes = 32")
    for _ in range(2):
        gpus = looked()["gpus"]
        assert [gpu["index"] for gpu in gpus] == list(range(64))
        assert sum(len(gpu["processes"]) for gpu in gpus) == 2048


def test_two_thousand_processes_on_one_gpu_are_all_there(plug_in: Plug) -> None:
    plug_in("t4", "gpu0.processes = 2000", "gpu0.memory_used = 2000000000")
    processes = looked()["gpus"][0]["processes"]

    assert len({process["pid"] for process in processes}) == 2000
    assert {process["memory_used_bytes"] for process in processes} == {1000000}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("total", 0),
        ("total", 2**64 - 1),
        ("used", 2**64 - 1),
    ],
)
def test_memory_that_is_nothing_or_not_told_is_no_figure(key: str, value: int, plug_in: Plug) -> None:
    plug_in("t4", f"gpu0.memory_{key} = {value}")
    answer = answered()
    (gpu,) = answer["gpus"]

    assert gpu["memory"] is None
    assert gpu["unavailable"]["memory"] == "not_supported"
    assert shown(answer).startswith("Tesla T4: idle, 43 °C")


@pytest.mark.parametrize("key", ["used", "reserved"])
def test_memory_of_which_nothing_is_taken_is_a_figure(key: str, plug_in: Plug) -> None:
    plug_in("t4", f"gpu0.memory_{key} = 0")

    assert answered()["gpus"][0]["memory"][f"{key}_bytes"] == 0


# Manners ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", PROFILES)
def test_the_driver_is_opened_once_by_each_child_and_never_written_to(profile: str, plug_in: Plug) -> None:
    driver = plug_in(profile)
    assert driver.calls() == []
    for _ in range(2):
        for _ in range(3):
            answered()
        client.close()

    calls = driver.calls()
    assert (calls.count("load"), calls.count("nvmlInitWithFlags")) == (2, 2)
    assert not [call for call in calls if "Set" in call or "Shutdown" in call]


def test_two_hundred_questions_leave_no_file_open_and_no_process_behind(plug_in: Plug, live: None) -> None:
    driver = plug_in("t4")
    answered()
    client.close()
    files = len(os.listdir("/proc/self/fd"))
    for _ in range(10):
        for _ in range(17):
            answered()
        driver.set("segv nvmlDeviceGetPowerUsage")
        assert unanswered(within=AT_ONCE).code == "driver_crashed"
        driver.set("heal *", "fail nvmlInitWithFlags = 9")
        assert "refused" in answered()
        driver.set("heal *", "hang nvmlInitWithFlags")
        assert unanswered(0.05, within=0.05 + LATE).code == "driver_starting"
        driver.set("heal *")
        client.close()

    assert len(os.listdir("/proc/self/fd")) == files
    assert children() == []
