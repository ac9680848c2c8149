"""The fake driver is itself tested: real nvidia-ml-py, in processes of its own, meets what a test had set.

What the other tests prove of a broken driver is worth as much as this file.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import fake_nvml
from fake_nvml import PROFILES, FakeDriver, escaped, no_driver_environment

MIB = 1024**2
PROGRAM = """
import ctypes, json, os, sys
from pynvml import *

def code_of(call, *arguments):
    try:
        call(*arguments)
    except NVMLError as error:
        return error.value
    except Exception as error:  # not a child of NVMLError: a mismatch of versions, a name that is not UTF-8
        return type(error).__name__
    return 0

nvmlInit()
gpu = nvmlDeviceGetHandleByIndex(0)
"""


def start(code: str, environment: dict[str, str]) -> subprocess.Popen[str]:
    """Start a Python process; not in this one, which must be able to outlive its driver."""
    command = [sys.executable, "-P", "-c", code]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def finish(code: str, environment: dict[str, str]) -> tuple[int, str, str]:
    """Return the status, the standard output and the standard error of a process that runs this code."""
    with start(code, environment) as process:
        output, errors = process.communicate(timeout=60)
        return process.returncode, output, errors


def ask(driver: FakeDriver, expression: str) -> Any:
    """Evaluate an expression under a driver; `gpu` is the handle of the first GPU."""
    status, output, errors = finish(f"{PROGRAM}print(json.dumps({expression}))", driver.environment())
    assert status == 0, errors
    return json.loads(output)


@contextmanager
def hanging(driver: FakeDriver, call: str) -> Iterator[subprocess.Popen[str]]:
    """Start a process that asks for everything below, wait until it is in that call, and end it at last."""
    process = start(f"{PROGRAM}nvmlDeviceGetName(gpu)", driver.environment())
    try:
        while process.poll() is None and driver.calls()[-1:] != [call]:
            time.sleep(0.01)
        time.sleep(0.1)
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def t4(tmp_path: Path) -> FakeDriver:
    return FakeDriver(tmp_path)


# -- what it answers ---------------------------------------------------------------------------------------------------


def test_an_idle_t4(t4: FakeDriver) -> None:
    seen = ask(
        t4,
        """{
        "driver": nvmlSystemGetDriverVersion(),
        "nvml": nvmlSystemGetNVMLVersion(),
        "cuda": nvmlSystemGetCudaDriverVersion(),
        "cuda_v2": nvmlSystemGetCudaDriverVersion_v2(),
        "count": nvmlDeviceGetCount(),
        "name": nvmlDeviceGetName(gpu),
        "uuid": nvmlDeviceGetUUID(gpu),
        "by uuid": nvmlDeviceGetIndex(nvmlDeviceGetHandleByUUID(nvmlDeviceGetUUID(gpu).encode())),
        "serial": nvmlDeviceGetSerial(gpu),
        "bus": [nvmlDeviceGetPciInfo(gpu).busId, nvmlDeviceGetPciInfo(gpu).busIdLegacy],
        "pci": hex(nvmlDeviceGetPciInfo(gpu).pciDeviceId),
        "memory": (lambda memory: [memory.total, memory.reserved, memory.used, memory.free])(
            nvmlDeviceGetMemoryInfo(gpu, nvmlMemory_v2)),
        "utilization": (lambda rates: [rates.gpu, rates.memory])(nvmlDeviceGetUtilizationRates(gpu)),
        "temperature": nvmlDeviceGetTemperature(gpu, NVML_TEMPERATURE_GPU),
        "power": [nvmlDeviceGetPowerUsage(gpu), nvmlDeviceGetPowerManagementLimit(gpu),
                  nvmlDeviceGetEnforcedPowerLimit(gpu)],
        "energy": nvmlDeviceGetTotalEnergyConsumption(gpu),
        "clocks": [nvmlDeviceGetClockInfo(gpu, kind) for kind in range(4)],
        "highest clocks": [nvmlDeviceGetMaxClockInfo(gpu, kind) for kind in range(4)],
        "why slow": [nvmlDeviceGetCurrentClocksThrottleReasons(gpu), nvmlDeviceGetCurrentClocksEventReasons(gpu)],
        "state": nvmlDeviceGetPerformanceState(gpu),
        "fans": [code_of(nvmlDeviceGetFanSpeed, gpu), code_of(nvmlDeviceGetFanSpeed_v2, gpu, 0),
                 nvmlDeviceGetNumFans(gpu)],
        "ecc": [*nvmlDeviceGetEccMode(gpu), nvmlDeviceGetTotalEccErrors(gpu, 1, 0),
                nvmlDeviceGetTotalEccErrors(gpu, 0, 1)],
        "persistence": nvmlDeviceGetPersistenceMode(gpu),
        "mig": [code_of(nvmlDeviceGetMigMode, gpu), nvmlDeviceGetMaxMigDeviceCount(gpu),
                bool(nvmlDeviceIsMigDeviceHandle(gpu)), code_of(nvmlDeviceGetMigDeviceHandleByIndex, gpu, 0),
                code_of(nvmlDeviceGetGpuInstanceId, gpu)],
        "cc": nvmlDeviceGetCudaComputeCapability(gpu),
        "architecture": nvmlDeviceGetArchitecture(gpu),
        "virtualization": nvmlDeviceGetVirtualizationMode(gpu),
        "processes": [nvmlDeviceGetComputeRunningProcesses(gpu), nvmlDeviceGetGraphicsRunningProcesses(gpu),
                      nvmlDeviceGetMPSComputeRunningProcesses(gpu)],
        "close": code_of(nvmlShutdown),
        "closed": code_of(nvmlDeviceGetName, gpu),
        "close again": code_of(nvmlShutdown),
        }""",
    )

    assert seen == {
        "driver": "580.82.07",
        "nvml": "12.580.82.07",
        "cuda": 12080,
        "cuda_v2": 12080,
        "count": 1,
        "name": "Tesla T4",
        "uuid": "GPU-00000000-0000-4000-8000-000000000000",
        "by uuid": 0,
        "serial": "1650000000001",
        "bus": ["00000000:00:04.0", "0000:00:04.0"],
        "pci": "0x1eb810de",
        "memory": [15360 * MIB, 448 * MIB, 0, 14912 * MIB],
        "utilization": [0, 0],
        "temperature": 43,
        "power": [9000, 70000, 70000],
        "energy": 123456789,
        "clocks": [300, 300, 405, 540],
        "highest clocks": [1590, 1590, 5001, 1470],
        "why slow": [1, 1],
        "state": 8,
        "fans": [3, 3, 0],
        "ecc": [1, 1, 0, 0],
        "persistence": 0,
        "mig": [3, 0, False, 3, 3],
        "cc": [7, 5],
        "architecture": 6,
        "virtualization": 1,
        "processes": [[], [], []],
        "close": 0,
        "closed": 1,
        "close again": 0,
    }


def test_calls_that_only_newer_bindings_have(t4: FakeDriver) -> None:
    """nvidia-ml-py 12.535 has no wrapper for them, so they are called as its successors do."""
    asked = """(lambda call, *fields: (lambda answer: [nvmlLib_()[call](gpu, ctypes.byref(answer)), *answer])(
        (ctypes.c_uint * len(fields))(*fields)))"""
    program = f"""
    [{asked}("nvmlDeviceGetTemperatureV", 0x100000C, 0, 0),
     {asked}("nvmlDeviceGetTemperatureV", 0x200000C, 0, 0)[0],
     {asked}("nvmlDeviceGetAddressingMode", 0x1000008, 0)]
    """.replace("nvmlLib_()", "ctypes.CDLL('libnvidia-ml.so.1')")

    assert ask(t4, " ".join(program.split())) == [[0, 0x100000C, 0, 43], 25, [0, 0x1000008, 1]]


def test_the_first_version_of_memory_counts_what_is_reserved_as_used(t4: FakeDriver) -> None:
    memory = "(lambda memory: [memory.total, memory.used, memory.free])(nvmlDeviceGetMemoryInfo(gpu))"

    assert ask(t4, memory) == [15360 * MIB, 448 * MIB, 14912 * MIB]


def test_a_wrong_version_of_a_layout_is_refused(t4: FakeDriver) -> None:
    assert ask(t4, "code_of(nvmlDeviceGetMemoryInfo, gpu, 0x03000028)") == 25


def test_eight_gpus_that_differ(tmp_path: Path) -> None:
    driver = FakeDriver(tmp_path, "eight-a100")
    driver.set("gpu*.temperature = 50", "gpu3.temperature = 61")

    seen = ask(
        driver,
        """[[nvmlDeviceGetIndex(each), nvmlDeviceGetUUID(each), nvmlDeviceGetPciInfo(each).busId,
             nvmlDeviceGetTemperature(each, 0)]
            for each in map(nvmlDeviceGetHandleByIndex, range(nvmlDeviceGetCount()))]
           + [code_of(nvmlDeviceGetHandleByIndex, 8), code_of(nvmlDeviceGetHandleByUUID, b"GPU-none")]""",
    )

    *gpus, beyond, unknown = seen
    assert [index for index, *_ in gpus] == list(range(8))
    assert len({uuid for _, uuid, *_ in gpus}) == 8
    assert [bus for _, _, bus, _ in gpus][:2] == ["00000000:07:00.0", "00000000:0F:00.0"]
    assert [temperature for *_, temperature in gpus] == [50, 50, 50, 61, 50, 50, 50, 50]
    assert (beyond, unknown) == (2, 6)


def test_a_name_can_be_anything(t4: FakeDriver) -> None:
    values = [
        escaped("<b>Tésla & \x1b[31m"),
        r"Tesla \e[1mT4 \x23 1",
        escaped(b"Tesla \xff"),
        "T" * 95,
        "T" * 96,
        "not_supported",
    ]
    t4.set(f"gpus = {len(values)}", *(f"gpu{index}.name = {value}" for index, value in enumerate(values)))

    assert ask(
        t4,
        """[code_of(nvmlDeviceGetName, each) or nvmlDeviceGetName(each)
            for each in map(nvmlDeviceGetHandleByIndex, range(nvmlDeviceGetCount()))]""",
    ) == ["<b>Tésla & \x1b[31m", "Tesla \x1b[1mT4 # 1", "UnicodeDecodeError", "T" * 95, 7, 3]


LISTED = """[[each.pid, each.usedGpuMemory, each.gpuInstanceId] for each in {}(gpu)]"""


def test_processes_of_each_kind_and_of_unknown_size(t4: FakeDriver) -> None:
    t4.set("gpu0.process = 1 5", "gpu0.process = clear")
    t4.set("gpu0.process = 77 1048576", "gpu0.process = 78 none C", "gpu0.process = 79 2 G")
    t4.set("gpu0.process = 80 3 M 1 2")
    lists = [LISTED.format(f"nvmlDeviceGet{kind}RunningProcesses") for kind in ("Compute", "Graphics", "MPSCompute")]

    compute, graphics, mps = ask(t4, f"[{', '.join(lists)}]")

    assert compute == [[77, MIB, 2**32 - 1], [78, None, 2**32 - 1]]
    assert graphics == [[79, 2, 2**32 - 1]]
    assert mps == [[80, 3, 1]]


def test_the_layouts_of_the_process_lists(t4: FakeDriver) -> None:
    """Version 1 has no instance ids; a size not available is the highest number there is."""
    t4.set("gpu0.process = 77 none C 4 5", "gpu0.process = 78 9")

    seen = ask(
        t4,
        """[(lambda call, rows, count: [call(gpu, ctypes.byref(count), rows), count.value, *rows])(
                getattr(ctypes.CDLL("libnvidia-ml.so.1"), "nvmlDeviceGetComputeRunningProcesses" + version),
                (ctypes.c_ulonglong * (2 * words))(), ctypes.c_uint(2))
            for version, words in (("", 2), ("_v2", 3), ("_v3", 3))]""",
    )

    unknown = 2**64 - 1
    with_ids = [0, 2, 77, unknown, 4 | 5 << 32, 78, 9, unknown]
    assert seen == [[0, 2, 77, unknown, 78, 9], with_ids, with_ids]


def test_many_processes_share_the_memory_and_exist_nowhere(t4: FakeDriver) -> None:
    t4.set("gpu0.memory_used = 4000", "gpu*.processes = 2000", "gpu0.process = 7 1")

    seen = ask(t4, LISTED.format("nvmlDeviceGetComputeRunningProcesses"))

    assert len({pid for pid, *_ in seen}) == 2001
    assert seen[1:3] == [[5000000, 2, 2**32 - 1], [5000001, 2, 2**32 - 1]]


def test_process_lists_may_be_unsupported(t4: FakeDriver) -> None:
    t4.set("gpus = 3", "gpu0.process = not_supported", "gpu1.processes = none", "gpu2.process = none")
    t4.set("gpu2.process = clear")

    assert ask(
        t4,
        "[code_of(nvmlDeviceGetComputeRunningProcesses, nvmlDeviceGetHandleByIndex(n)) for n in range(3)]",
    ) == [3, 3, 0]


def test_mig_devices(tmp_path: Path) -> None:
    driver = FakeDriver(tmp_path, "mig-in-container")

    seen = ask(
        driver,
        """(lambda mig: {
        "mode": nvmlDeviceGetMigMode(gpu),
        "slots": [code_of(nvmlDeviceGetMigDeviceHandleByIndex, gpu, slot)
                  for slot in range(nvmlDeviceGetMaxMigDeviceCount(gpu))],
        "parent": [code_of(nvmlDeviceGetMemoryInfo, gpu, nvmlMemory_v2), code_of(nvmlDeviceGetUtilizationRates, gpu),
                   code_of(nvmlDeviceGetComputeRunningProcesses, gpu), nvmlDeviceGetTemperature(gpu, 0)],
        "name": nvmlDeviceGetName(mig),
        "uuid": nvmlDeviceGetUUID(mig),
        "by uuid": nvmlDeviceGetName(nvmlDeviceGetHandleByUUID(nvmlDeviceGetUUID(mig).encode())),
        "memory": (lambda memory: [memory.total, memory.used])(nvmlDeviceGetMemoryInfo(mig, nvmlMemory_v2)),
        "is": bool(nvmlDeviceIsMigDeviceHandle(mig)),
        "of": nvmlDeviceGetName(nvmlDeviceGetDeviceHandleFromMigDeviceHandle(mig)),
        "ids": [nvmlDeviceGetGpuInstanceId(mig), nvmlDeviceGetComputeInstanceId(mig)],
        "attributes": (lambda all: [all.multiprocessorCount, all.gpuInstanceSliceCount, all.memorySizeMB])(
            nvmlDeviceGetAttributes_v2(mig)),
        "processes": sum(each.usedGpuMemory for each in nvmlDeviceGetComputeRunningProcesses(mig)),
        "temperature": code_of(nvmlDeviceGetTemperature, mig, 0),
        })(nvmlDeviceGetMigDeviceHandleByIndex(gpu, 0))""",
    )

    assert seen == {
        "mode": [1, 1],
        "slots": [0, 6, 6, 6, 6, 6, 6],
        "parent": [4, 3, 4, 52],
        "name": "NVIDIA H100 80GB HBM3 MIG 3g.40gb",
        "uuid": "MIG-00000000-0000-4000-8000-000000000001",
        "by uuid": "NVIDIA H100 80GB HBM3 MIG 3g.40gb",
        "memory": [40448 * MIB, 11091 * MIB],
        "is": True,
        "of": "NVIDIA H100 80GB HBM3",
        "ids": [2, 0],
        "attributes": [60, 3, 40448],
        "processes": (2296 + 1272 + 7484) * MIB,
        "temperature": 3,
    }


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_says_which_gpus_it_has(profile: str, tmp_path: Path) -> None:
    driver = FakeDriver(tmp_path, profile)
    memory = "(code_of(nvmlDeviceGetMemoryInfo, each) or nvmlDeviceGetMemoryInfo(each).total)"

    gpus = ask(
        driver,
        f"[[nvmlDeviceGetName(each), {memory}, nvmlDeviceGetUUID(each)]"
        " for each in map(nvmlDeviceGetHandleByIndex, range(nvmlDeviceGetCount()))]",
    )

    assert len(gpus) == {"eight-a100": 8, "64-gpus": 64}.get(profile, 1)
    assert len({uuid for *_, uuid in gpus}) == len(gpus)
    for name, total, _ in gpus:
        assert re.match("NVIDIA |Tesla ", name)
        assert {"gb10": total == 3, "mig-in-container": total == 4}.get(profile, total > 8000 * MIB)


# -- what it lacks -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("defines", "expression", "codes"),
    [
        (("NO_GetName",), "[code_of(nvmlDeviceGetName, gpu), code_of(nvmlDeviceGetUUID, gpu)]", [13, 0]),
        (
            ("BRANCH=470",),
            """[code_of(nvmlDeviceGetMemoryInfo, gpu, nvmlMemory_v2), code_of(nvmlDeviceGetMemoryInfo, gpu),
                code_of(nvmlDeviceGetNumFans, gpu), code_of(nvmlDeviceGetMigMode, gpu),
                code_of(nvmlDeviceGetCurrentClocksEventReasons, gpu)]""",
            [13, 0, 13, 3, 13],
        ),
        (("BRANCH=418",), "[code_of(nvmlDeviceGetMigMode, gpu), code_of(nvmlDeviceGetFanSpeed_v2, gpu, 0)]", [13, 3]),
        (
            ("CUDA14",),
            """[code_of(nvmlDeviceGetTemperature, gpu, 0), code_of(nvmlDeviceGetCurrentClocksThrottleReasons, gpu),
                code_of(nvmlDeviceGetCurrentClocksEventReasons, gpu)]""",
            [13, 13, 0],
        ),
    ],
    ids=["one-call", "branch-470", "branch-418", "cuda-14"],
)
def test_missing_calls_are_not_found(
    tmp_path: Path, defines: tuple[str, ...], expression: str, codes: list[int]
) -> None:
    assert ask(FakeDriver(tmp_path, defines=defines), " ".join(expression.split())) == codes


def test_an_old_driver_has_no_new_process_list(tmp_path: Path) -> None:
    """Newer bindings make an error of their own of it, which is no NVMLError."""
    seen = ask(FakeDriver(tmp_path, "driver-470"), "code_of(nvmlDeviceGetComputeRunningProcesses, gpu)")

    assert seen in (13, "NVMLLibraryMismatchError")


def test_no_call_changes_a_gpu(t4: FakeDriver) -> None:
    assert not [name for name in t4.functions if "Set" in name]
    assert len(t4.functions) == 56


# -- how it breaks -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["nvmlInitWithFlags", "nvmlDeviceGetHandleByIndex_v2", "nvmlDeviceGetName", "load"])
def test_it_hangs(t4: FakeDriver, call: str) -> None:
    t4.set(f"hang {call}")

    with hanging(t4, call) as process:
        assert process.poll() is None
        process.terminate()
        assert process.wait(timeout=10) == -signal.SIGTERM


def test_a_call_that_hangs_is_deaf_to_an_interrupt(t4: FakeDriver, interruptible: None) -> None:
    t4.set("hang nvmlDeviceGet*")

    with hanging(t4, "nvmlDeviceGetHandleByIndex_v2") as process:
        process.send_signal(signal.SIGINT)
        time.sleep(0.1)
        assert process.poll() is None


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ("segv nvmlDeviceGetCount_v2", -signal.SIGSEGV),
        ("abort nvmlDeviceGetCount_v2", -signal.SIGABRT),
        ("exit nvmlDeviceGetCount_v2", 3),
        ("exit nvmlDeviceGetCount_v2 = 7", 7),
        ("segv load", -signal.SIGSEGV),
    ],
)
def test_it_takes_its_process_down(t4: FakeDriver, fault: str, status: int) -> None:
    t4.set(fault)

    assert finish(f"{PROGRAM}nvmlDeviceGetCount()", t4.environment())[0] == status


def test_no_pattern_means_the_loading(t4: FakeDriver) -> None:
    t4.set("segv *", "heal nvml*")

    assert ask(t4, "nvmlDeviceGetCount()") == 1


def test_it_is_slow(t4: FakeDriver) -> None:
    t4.set("slow nvmlDeviceGetCount_v2 = 0.2")

    begun, _, ended = ask(t4, "(lambda time: [time(), nvmlDeviceGetCount(), time()])(__import__('time').monotonic)")

    assert ended - begun >= 0.2


def test_a_value_changes_with_time(t4: FakeDriver) -> None:
    t4.set("gpu0.temperature = 40, -100: 50, 100: 60", "gpu0.power_mw = none, -1: 7000", "gpu0.name = A, 1: B")

    assert ask(t4, "nvmlDeviceGetTemperature(gpu, 0)") == 50
    assert ask(t4, "nvmlDeviceGetPowerUsage(gpu)") == 7000
    assert ask(t4, "nvmlDeviceGetName(gpu)") == "A, 1: B"


def test_a_value_that_changes_does_so_while_a_process_runs(t4: FakeDriver) -> None:
    t4.set("gpu0.energy_mj = 4294967295, 3: 5")
    read = "nvmlDeviceGetTotalEnergyConsumption(gpu)"

    assert ask(t4, f"[{read}, __import__('time').sleep(3), {read}]") == [4294967295, None, 5]


SAMPLES = """(lambda kind_and_samples: [kind_and_samples[0], [
    [s.timeStamp, s.sampleValue.uiVal if kind_and_samples[0] else s.sampleValue.dVal] for s in kind_and_samples[1]
]])(nvmlDeviceGetSamples(gpu, NVML_GPU_UTILIZATION_SAMPLES, 0))"""


@pytest.mark.parametrize("kind", [0, 1, 3, 6])
def test_samples_are_those_of_the_last_seconds(t4: FakeDriver, kind: int) -> None:
    t4.set(
        "gpu0.samples = 30", "gpu0.sample_ms = 500", f"gpu0.sample_type = {kind}", "gpu0.utilization_gpu = 9, -5: 70"
    )
    told, samples = ask(t4, SAMPLES)
    times = [at for at, _ in samples]

    assert told == kind
    assert abs(times[-1] / 1e6 - time.time()) < 5
    assert [after - before for before, after in pairwise(times)] == [500_000] * 29
    assert {percent for _, percent in samples} == {9, 70}
    assert [percent for _, percent in samples] == sorted(percent for _, percent in samples)


def test_samples_may_be_old_or_none_or_not_kept(t4: FakeDriver) -> None:
    code = "code_of(nvmlDeviceGetSamples, gpu, 1, {})"
    t4.set("gpu0.sample_age_ms = 60000")
    assert time.time() - ask(t4, SAMPLES)[1][-1][0] / 1e6 > 55
    assert ask(t4, code.format(2**63)) == 6
    t4.set("gpu0.samples = not_supported")
    assert ask(t4, code.format(0)) == 3


def test_a_failure_can_be_of_one_gpu_and_can_heal(tmp_path: Path) -> None:
    driver = FakeDriver(tmp_path, "eight-a100")
    driver.set("fail nvmlDeviceGet*@gpu3 = 15", "fail nvmlDeviceGetUUID = 4", "fail *@gpu5 = 15", "heal *@gpu5")

    seen = ask(
        driver,
        """[[code_of(nvmlDeviceGetHandleByIndex, n) for n in range(8)],
            [code_of(nvmlDeviceGetUUID, gpu), code_of(nvmlDeviceGetName, gpu)]]""",
    )

    assert seen == [[0, 0, 0, 15, 0, 0, 0, 0], [4, 0]]


def test_it_does_not_start(t4: FakeDriver) -> None:
    t4.set("fail nvmlInit* = 18")

    _, output, _ = finish(PROGRAM.replace("nvmlInit()", "print(code_of(nvmlInit)); sys.exit()"), t4.environment())

    assert output == "18\n"


def test_the_text_of_an_unknown_code_comes_from_the_driver(t4: FakeDriver) -> None:
    """Which is why nobody should ask for it when it is the driver that fails."""
    assert "Unknown Error" in ask(t4, "str(NVMLError(12345))")
    assert t4.calls()[-1] == "nvmlErrorString"


def test_it_prints_rubbish(t4: FakeDriver) -> None:
    t4.set(r"print nvmlDeviceGetName = \x7brubbish")

    status, output, errors = finish(f"{PROGRAM}print(nvmlDeviceGetName(gpu))", t4.environment())

    assert (status, output, errors) == (0, "{rubbish\nTesla T4\n", "{rubbish\n")


def test_a_process_list_outgrows_its_buffer_and_then_fits(t4: FakeDriver) -> None:
    t4.set("gpu0.process = 77 1", "grow nvmlDeviceGetComputeRunningProcesses* = 2")

    tries = "[code_of(nvmlDeviceGetComputeRunningProcesses, gpu) for _ in range(6)]"
    assert ask(t4, f"[{tries}, code_of(nvmlDeviceGetGraphicsRunningProcesses, gpu)]") == [[7, 7, 0, 7, 7, 0], 0]


def test_a_gpu_falls_off_while_a_process_is_running(tmp_path: Path) -> None:
    driver = FakeDriver(tmp_path, "eight-a100")
    program = f"""{PROGRAM}
last = nvmlDeviceGetHandleByIndex(7)
for line in sys.stdin:
    print(nvmlDeviceGetCount(), code_of(nvmlDeviceGetName, last), flush=True)
"""
    seen = []
    for live in (False, True):
        with start(program, driver.environment(live=live)) as process:
            assert process.stdin
            assert process.stdout
            for gpus in (8, 7):
                driver.set(f"gpus = {gpus}")
                process.stdin.write("\n")
                process.stdin.flush()
                seen.append(process.stdout.readline())
            process.stdin.close()

    assert seen == ["8 0\n", "8 0\n", "8 0\n", "7 15\n"]


# -- what it tells -----------------------------------------------------------------------------------------------------


def test_calls_are_logged_in_their_order_the_loading_too(t4: FakeDriver) -> None:
    assert t4.calls() == []

    ask(t4, "[nvmlDeviceGetName(gpu), nvmlDeviceGetCount()]")

    assert t4.calls() == [
        "load", "nvmlInitWithFlags", "nvmlDeviceGetHandleByIndex_v2", "nvmlDeviceGetName", "nvmlDeviceGetCount_v2",
    ]  # fmt: skip


def test_threads_may_ask_at_the_same_time(t4: FakeDriver) -> None:
    asked = f"""{PROGRAM}
from concurrent.futures import ThreadPoolExecutor
def one(_):
    nvmlInit()
    name = nvmlDeviceGetName(nvmlDeviceGetHandleByIndex(0))
    nvmlShutdown()
    return name
with ThreadPoolExecutor(8) as pool:
    print({{*pool.map(one, range(400))}})
"""
    assert finish(asked, t4.environment(live=True)) == (0, "{'Tesla T4'}\n", "")
    assert len(t4.calls()) == 3 + 4 * 400


@pytest.mark.parametrize(
    "line",
    [
        "gpu0.heat = 50",
        "temperature = 50",
        "gpu0.mig0.name = x",
        "gpu0.temperature = hot",
        "gpu0.temperature = 40, 50",
        "gpu0.temperature = 40, soon: 50",
        "gpu0.temperature = 40, 1: hot",
        "gpu0.temperature",
        "gpu0.process = 12",
        "gpu0.cc = 75",
        "driver_version =",
        "refuse nvmlDeviceGetName = 3",
        "fail nvmlDeviceGetNmae = 3",
        "fail nvmlDeviceGetName",
        "fail nvmlDeviceGetName@gpu = 3",
        "hang nvmlDeviceGetName = 3",
        "gpu0.name = a\nb",
    ],
)
def test_a_line_that_could_do_nothing_is_refused(t4: FakeDriver, line: str) -> None:
    with pytest.raises(ValueError, match="in the state of a fake driver"):
        t4.set(line)


@pytest.mark.parametrize("define", ["NO_GetNmae", "BRANCH=47", "CUDA13", "-DCUDA14"])
def test_a_define_that_leaves_nothing_out_is_refused(tmp_path: Path, define: str) -> None:
    with pytest.raises(ValueError, match="leaves nothing out"):
        FakeDriver(tmp_path, defines=(define,))


def test_an_unknown_profile_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"there are .*eight-a100.*t4"):
        FakeDriver(tmp_path, "t5")


def test_every_key_is_one_that_the_driver_reads() -> None:
    source = (Path(fake_nvml.__file__).parent / "nvml.c").read_text(encoding="utf-8")
    code = re.sub(r"/\*.*?\*/", "", source, flags=re.DOTALL)
    words = {"none", "not_supported", "clear", "on", "off", "load", "hidden", "default", "re", *fake_nvml._VERBS}

    assert set(re.findall(r'"([a-z_]+)"', code)) - words == {*fake_nvml._SYSTEM_KEYS, *fake_nvml._DEVICE_KEYS}


# -- how it is made ----------------------------------------------------------------------------------------------------


def test_it_compiles_without_a_warning(tmp_path: Path) -> None:
    source = Path(fake_nvml.__file__).parent / "nvml.c"
    command = [*fake_nvml.find_compiler(), *fake_nvml._FLAGS, "-o", str(tmp_path / "library"), str(source)]

    assert "warning" not in subprocess.run(command, capture_output=True, text=True, check=True).stderr


def test_two_drivers_share_what_is_compiled_and_nothing_else(tmp_path: Path) -> None:
    first, second = FakeDriver(tmp_path / "1"), FakeDriver(tmp_path / "2", "a100")

    assert first.library.resolve() == second.library.resolve()
    assert first.library != second.library
    assert FakeDriver(tmp_path / "3", defines=("CUDA14",)).library.resolve() != first.library.resolve()


def test_the_compiler_is_cc_then_gcc_then_zig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def program(name: str) -> str:
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("")
        path.chmod(0o755)
        return str(path)

    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setitem(sys.modules, "ziglang", None)  # as if it were not installed
    with pytest.raises(RuntimeError, match="needs a C compiler"):
        fake_nvml.find_compiler()

    (tmp_path / "site" / "ziglang").mkdir(parents=True)
    (tmp_path / "site" / "ziglang" / "__init__.py").touch()
    monkeypatch.delitem(sys.modules, "ziglang")
    monkeypatch.syspath_prepend(tmp_path / "site")
    assert fake_nvml.find_compiler() == [sys.executable, "-m", "ziglang", "cc"]
    gcc = program("gcc")
    assert fake_nvml.find_compiler() == [gcc]
    cc = program("cc")
    assert fake_nvml.find_compiler() == [cc]
    monkeypatch.setenv("CC", "clang -m64")
    with pytest.raises(RuntimeError, match="no program here"):
        fake_nvml.find_compiler()
    program("clang")
    assert fake_nvml.find_compiler() == ["clang", "-m64"]


def test_what_the_compiler_says_is_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", f"{sys.executable} -c 'raise SystemExit(\"no space left\")'")

    with pytest.raises(RuntimeError, match=r"cannot compile nvml.c:\n.*no space left"):
        fake_nvml._compiled(("NO_GetSerial", "CUDA14"))


# -- without it --------------------------------------------------------------------------------------------------------


def test_an_environment_without_a_driver(t4: FakeDriver, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library further down the path, which is where a real driver's is, is not reached."""
    monkeypatch.setenv("LD_LIBRARY_PATH", f"{t4.library.parent}:/nowhere")
    environment = no_driver_environment()
    program = "from pynvml import *\ntry:\n    nvmlInit()\nexcept NVMLError as error:\n    print(error.value)"

    assert environment["LD_LIBRARY_PATH"].split(":")[1:] == [str(t4.library.parent), "/nowhere"]
    assert finish(program, environment) == (0, "12\n", "")
    assert t4.calls() == []


def test_a_driver_comes_before_having_none(t4: FakeDriver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in no_driver_environment().items():
        monkeypatch.setenv(name, value)

    assert ask(t4, "nvmlDeviceGetCount()") == 1
    assert os.environ["LD_LIBRARY_PATH"] not in ("", t4.environment()["LD_LIBRARY_PATH"])
