"""The kernel's side of the observer, against a real child and a fake driver."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from colab_magics.model import Unavailable
from colab_magics.observer import asking, client, starting
from fake_nvml import FakeDriver

Plug = Callable[..., FakeDriver]
SHORT = 0.4
NEVER_ON_A_T4 = {"fan_percent": "not_supported", "mig_enabled": "not_supported"}


def asked(deadline_seconds: float = 5) -> dict[str, Any]:
    answer = client.ask(deadline_seconds=deadline_seconds)
    assert isinstance(answer, dict), answer
    return answer


def refused(deadline_seconds: float = 5) -> Unavailable:
    answer = client.ask(deadline_seconds=deadline_seconds)
    assert isinstance(answer, Unavailable), answer
    return answer


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the fake driver read its state at every call."""
    monkeypatch.setenv("FAKE_NVML_LIVE", "1")


@pytest.fixture
def short_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "RESTING_SECONDS", 0.3)


def test_a_healthy_t4(plug_in: Plug) -> None:
    plug_in("t4")
    answer = asked()

    assert answer["driver"] == {"version": "580.82.07", "cuda_version": "12.8", "has_cuda_library": True}
    (gpu,) = answer["gpus"]
    assert gpu["name"] == "Tesla T4"
    assert gpu["memory"]["total_bytes"] == 15360 * 2**20
    assert gpu["temperature_celsius"] == 43
    assert gpu["power_limit_watts"] == 70
    assert gpu["unavailable"] == NEVER_ON_A_T4


def test_eight_gpus_in_the_driver_s_order(plug_in: Plug) -> None:
    plug_in("eight-a100")

    assert [gpu["index"] for gpu in asked()["gpus"]] == list(range(8))


def test_no_library_is_no_gpu() -> None:
    # Tests put a file that is no library before any real one: see `no_driver_environment`.
    assert asked() == {"driver": None, "gpus": [], "library": "broken"}


def test_a_library_without_a_device_is_no_gpu(plug_in: Plug) -> None:
    plug_in("t4", "gpus = 0")

    assert asked()["gpus"] == []


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (9, "driver_not_loaded"),
        (18, "driver_mismatch"),
        (4, "no_permission"),
        (999, "driver_unknown_error"),
        (77, "nvml_error_77"),
    ],
)
def test_a_driver_that_refuses_says_why_in_one_word(code: int, reason: str, plug_in: Plug) -> None:
    plug_in("t4", f"fail nvmlInitWithFlags = {code}")

    refused = asked()["refused"]
    assert (refused["reason"], refused["code"]) == (reason, code)


def test_a_refusal_is_asked_again_the_next_time(plug_in: Plug, live: None) -> None:
    driver = plug_in("t4", "fail nvmlInitWithFlags = 9")
    assert "refused" in asked()
    driver.set("fail nvmlInitWithFlags = 0")

    assert asked()["gpus"][0]["name"] == "Tesla T4"


def test_where_no_driver_is_loaded_the_same_child_is_asked_again_and_sees_the_one_that_comes(
    plug_in: Plug, live: None
) -> None:
    driver = plug_in("t4", "fail nvmlInitWithFlags = 9")
    for _ in range(3):
        assert asked()["refused"]["reason"] == "driver_not_loaded"
    child = client.pid()
    driver.set("heal nvmlInitWithFlags")

    assert asked()["gpus"][0]["name"] == "Tesla T4"
    assert client.pid() == child
    assert driver.calls().count("load") == 1


def test_a_driver_that_comes_is_waited_for_as_at_the_first_question(
    plug_in: Plug, live: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "STARTING_SECONDS", 2.0)
    driver = plug_in("t4", "fail nvmlInitWithFlags = 9")
    asked()
    child = client.pid()
    time.sleep(1.8)
    driver.set("heal nvmlInitWithFlags", "slow nvmlInitWithFlags = 1")
    starting = refused(0.5)

    assert starting.code == "driver_starting"
    assert dict(starting.values)["seconds"] == pytest.approx(0.5, abs=0.3)
    assert asked()["gpus"][0]["name"] == "Tesla T4"
    assert client.pid() == child


def test_a_driver_that_comes_and_does_not_suit_the_library_is_asked_by_another_child_at_once(
    plug_in: Plug, live: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever installs a driver replaces the library too; what is loaded of the old one meets the new module."""
    old = plug_in("t4", "fail nvmlInitWithFlags = 9")
    assert "refused" in asked()
    old.set("fail nvmlInitWithFlags = 18")
    for name, value in FakeDriver(tmp_path / "new").environment(live=True).items():
        monkeypatch.setenv(name, value)

    assert asked()["gpus"][0]["name"] == "Tesla T4"


def test_a_library_that_finds_no_driver_is_loaded_again_after_a_while(
    plug_in: Plug, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "REFUSED_SECONDS", 0.0)
    driver = plug_in("t4", "fail nvmlInitWithFlags = 9")
    for _ in range(2):
        assert "refused" in asked()

    assert driver.calls().count("load") == 2


@pytest.mark.parametrize("code", [4, 18, 999])
def test_what_else_a_driver_refuses_is_asked_of_another_child_each_time(code: int, plug_in: Plug) -> None:
    driver = plug_in("t4", f"fail nvmlInitWithFlags = {code}")
    for _ in range(2):
        assert asked()["refused"]["code"] == code

    assert driver.calls().count("load") == 2


@pytest.mark.parametrize(
    ("function", "code", "field", "reason"),
    [
        ("nvmlDeviceGetName", 3, "name", "not_supported"),
        ("nvmlDeviceGetUUID", 999, "uuid", "driver_unknown_error"),
        ("nvmlDeviceGetMemoryInfo_v2", 4, "memory", "no_permission"),
        ("nvmlDeviceGetTemperature", 15, "temperature_celsius", "gpu_lost"),
        ("nvmlDeviceGetPowerUsage", 3, "power_watts", "not_supported"),
        ("nvmlDeviceGetEnforcedPowerLimit", 13, "power_limit_watts", "driver_too_old"),
        ("nvmlDeviceGetComputeRunningProcesses_v3", 4, "processes", "no_permission"),
    ],
)
def test_a_field_that_fails_costs_only_itself(function: str, code: int, field: str, reason: str, plug_in: Plug) -> None:
    plug_in("t4", f"fail {function} = {code}")
    (gpu,) = asked()["gpus"]

    assert gpu[field] is None
    assert gpu["unavailable"] == {**NEVER_ON_A_T4, field: reason}
    assert {name for name, value in gpu.items() if value is None} == {*NEVER_ON_A_T4, field, "fault"}


def test_a_gpu_that_is_lost_costs_only_itself(plug_in: Plug) -> None:
    plug_in("eight-a100", "fail nvmlDeviceGetHandleByIndex_v2@gpu3 = 15")
    gpus = asked()["gpus"]

    assert gpus[3]["name"] is None
    assert set(gpus[3]["unavailable"].values()) == {"gpu_lost"}
    assert all(gpu["unavailable"].keys() <= {"fan_percent"} for gpu in gpus if gpu["index"] != 3)


def test_a_driver_without_the_second_version_of_memory_is_read_by_the_first(plug_in: Plug) -> None:
    plug_in("t4", "fail nvmlDeviceGetMemoryInfo_v2 = 13", "gpu0.memory_used = 0")

    assert asked()["gpus"][0]["memory"] == {
        "total_bytes": 15360 * 2**20,
        "used_bytes": 448 * 2**20,
        "free_bytes": 14912 * 2**20,
        "reserved_bytes": None,
    }


def test_a_name_that_is_not_text_costs_only_itself(plug_in: Plug) -> None:
    plug_in("t4", r"gpu0.name = Tesla \xff\xfe")
    (gpu,) = asked()["gpus"]

    assert gpu["unavailable"] == {**NEVER_ON_A_T4, "name": "not_text"}


def test_processes_carry_their_memory_or_none(plug_in: Plug) -> None:
    plug_in("t4", "gpu0.process = 4242 1048576", "gpu0.process = 4343 none")
    (gpu,) = asked()["gpus"]

    assert {"pid": 4242, "memory_used_bytes": 1048576, "kinds": ["compute"]} in gpu["processes"]
    assert {"pid": 4343, "memory_used_bytes": None, "kinds": ["compute"]} in gpu["processes"]


def test_a_process_table_that_grows_between_sizing_and_reading_is_read_again(plug_in: Plug) -> None:
    plug_in("t4", "gpu0.processes = 50", "grow nvmlDeviceGet*RunningProcesses* = 2")

    assert len(asked()["gpus"][0]["processes"]) >= 50


def test_the_driver_is_opened_once_and_never_written_to(plug_in: Plug) -> None:
    driver = plug_in("t4")
    for _ in range(3):
        asked()

    assert driver.calls().count("nvmlInitWithFlags") == 1
    assert not [name for name in driver.calls() if "Set" in name or "Shutdown" in name]


def test_a_late_first_answer_leaves_the_child_alone_and_is_taken_later(plug_in: Plug) -> None:
    plug_in("t4", "slow nvmlInitWithFlags = 1.2")
    first = refused(SHORT)
    child = client.pid()
    assert first.code == "driver_starting"
    assert dict(first.values)["seconds"] == pytest.approx(SHORT, abs=0.3)

    answer = asked(5)
    assert answer["gpus"][0]["name"] == "Tesla T4"
    assert client.pid() == child


def test_a_child_that_never_answers_is_given_up(plug_in: Plug, monkeypatch: pytest.MonkeyPatch) -> None:
    plug_in("t4", "hang nvmlInitWithFlags")
    monkeypatch.setattr(client, "STARTING_SECONDS", 0.6)
    assert refused(SHORT).code == "driver_starting"
    child = client.pid()
    assert refused(SHORT).code == "driver_silent"

    assert client.pid() is None
    assert child is not None
    assert not psutil.pid_exists(child)


@pytest.mark.parametrize("where", ["load", "nvmlDeviceGetCount_v2", "nvmlDeviceGetMemoryInfo_v2"])
def test_a_hang_anywhere_ends_with_the_deadline(where: str, plug_in: Plug) -> None:
    plug_in("t4", f"hang {where}")
    started = time.monotonic()

    assert refused(SHORT).code == "driver_starting"
    assert time.monotonic() - started < SHORT + 0.5


def wait_for(condition: Callable[[], object]) -> None:
    until = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def has_answered(driver: FakeDriver) -> bool:
    return driver.calls()[-1:] == ["nvmlDeviceGetMPSComputeRunningProcesses_v3"]  # its last question about a T4


@pytest.mark.parametrize("has_come", [False, True], ids=["before it answers", "after it has answered"])
def test_started_ahead_the_child_asks_the_driver_for_who_is_about_to_ask(has_come: bool, plug_in: Plug) -> None:
    driver = plug_in("t4")
    client.start()
    child = client.pid()
    client.start()
    if has_come:
        wait_for(lambda: has_answered(driver))
        time.sleep(0.1)

    assert asked()["gpus"][0]["name"] == "Tesla T4"
    assert client.pid() == child
    assert driver.calls().count("nvmlDeviceGetCount_v2") == 1


def test_what_was_asked_ahead_is_taken_once_and_not_when_it_is_old(
    plug_in: Plug, live: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "FRESH_SECONDS", 0.2)
    driver = plug_in("t4", "gpu0.temperature = 40")
    client.start()
    wait_for(lambda: has_answered(driver))
    time.sleep(0.3)
    driver.set("gpu0.temperature = 50")

    assert asked()["gpus"][0]["temperature_celsius"] == 50
    driver.set("gpu0.temperature = 60")
    assert asked()["gpus"][0]["temperature_celsius"] == 60


@pytest.mark.parametrize("ahead", [None, 60.0], ids=["without samples", "with samples"])
def test_an_answer_has_the_samples_that_are_wanted_whatever_was_asked_ahead(ahead: float | None, plug_in: Plug) -> None:
    driver = plug_in("t4")
    for times in range(1, 3):
        client.start(sample_every_seconds=ahead)
        wait_for(lambda times=times: driver.calls().count("nvmlDeviceGetCount_v2") >= times and has_answered(driver))
        answer = client.ask(sample_every_seconds=60)

        assert isinstance(answer, dict)
        assert len(answer["samples"]) == 1
    assert driver.calls().count("nvmlDeviceGetFanSpeed") == (4 if ahead is None else 2)


def test_a_warm_child_is_asked_ahead_once_and_what_came_while_nobody_asked_is_not_as_of_now(
    plug_in: Plug, live: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = plug_in("t4", "gpu0.temperature = 40")
    asked()
    before = len(driver.calls())
    client.start()
    wait_for(lambda: len(driver.calls()) > before and has_answered(driver))
    monkeypatch.setattr(asking, "FRESH_SECONDS", 0.0)
    driver.set("gpu0.temperature = 50")
    client.start()

    assert asked()["gpus"][0]["temperature_celsius"] == 50
    assert driver.calls().count("nvmlDeviceGetFanSpeed") == 3


def test_a_child_that_had_ended_idle_is_replaced_ahead(plug_in: Plug) -> None:
    plug_in("t4")
    asked()
    first = client._shared._process
    assert first is not None
    assert first.stdin is not None
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, first.stdin.fileno())
    os.close(nowhere)
    os.waitid(os.P_PID, first.pid, os.WEXITED | os.WNOWAIT)
    client.start()
    second = client.pid()

    assert second not in (None, first.pid)
    assert asked()["gpus"][0]["name"] == "Tesla T4"
    assert client.pid() == second


def test_a_child_that_was_started_for_a_look_without_the_binding_is_asked_nothing(
    plug_in: Plug, monkeypatch: pytest.MonkeyPatch
) -> None:
    plug_in("t4")
    with monkeypatch.context() as patch:
        patch.setattr(starting, "find_pynvml", lambda: None)
        client.look("root", "/")
    client.start()

    assert asked()["gpus"][0]["name"] == "Tesla T4"


def test_a_child_that_dies_before_it_is_asked_is_noticed(plug_in: Plug) -> None:
    plug_in("t4", "segv nvmlInitWithFlags")
    client.start()
    child = client.pid()
    assert child is not None
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)

    assert refused() == Unavailable(code="driver_crashed", values=(("cause", "SIGSEGV"),))


IMPORTED_AT_THE_START = """
import subprocess, sys
start = subprocess.Popen.__init__
def note(self, *arguments, **options):
    if "already" not in globals():
        print(*sorted(name for name in sys.modules if name.startswith("colab_magics.")))
    globals()["already"] = True
    start(self, *arguments, **options)
subprocess.Popen.__init__ = note
import colab_magics
colab_magics.gpu_info()
colab_magics.observer.client.close()
"""


def test_the_child_is_started_before_what_only_its_answer_needs_is_imported(plug_in: Plug) -> None:
    plug_in("t4")
    imported = subprocess.run([sys.executable, "-c", IMPORTED_AT_THE_START], check=True, capture_output=True, text=True)

    assert {*imported.stdout.split()} == {
        f"colab_magics.{name}"
        for name in ("files", "imports", "observer", "observer.answers", "observer.client", "observer.starting",
                     "report", "values")
    }  # fmt: skip


def test_a_driver_that_is_left_alone_has_no_child_started_ahead(plug_in: Plug) -> None:
    plug_in("t4", "abort nvmlDeviceGetUUID")
    for _ in range(2):
        refused()
    client.start()

    assert client.pid() is None


def test_a_late_warm_answer_ends_the_child_and_two_in_a_row_bring_a_rest(
    plug_in: Plug, live: None, short_rest: None
) -> None:
    driver = plug_in("t4")
    asked()
    child = client.pid()
    driver.set("slow nvmlDeviceGetPowerUsage = 5")
    started = time.monotonic()
    assert refused(1.2).code == "driver_silent"
    assert time.monotonic() - started < 1.2 / 3 + 0.5
    assert child is not None
    assert not psutil.pid_exists(child)

    assert refused(SHORT).code == "driver_silent"
    assert refused(SHORT).code == "driver_resting"
    assert client.pid() is None
    time.sleep(0.4)
    driver.set("heal nvmlDeviceGetPowerUsage")
    asked()


@pytest.mark.parametrize(
    ("fault", "cause"),
    [("segv", "SIGSEGV"), ("abort", "SIGABRT"), ("exit", "exit code")],
    ids=["segv", "abort", "exit"],
)
def test_a_child_that_dies_is_noticed_at_once_and_twice_in_a_row_brings_a_rest(
    fault: str, cause: str, plug_in: Plug
) -> None:
    plug_in("t4", f"{fault} nvmlDeviceGetUUID")
    for _ in range(2):
        started = time.monotonic()
        died = refused()
        assert died.code == "driver_crashed"
        assert str(dict(died.values)["cause"]).startswith(cause)
        assert time.monotonic() - started < 2

    resting = refused()
    assert resting.code == "driver_resting"
    assert 0 < dict(resting.values)["seconds"] <= 60


@pytest.mark.parametrize("program", ["/bin/false", "/bin/true"])
def test_a_process_that_cannot_run_says_nothing_of_the_driver(
    program: str, plug_in: Plug, monkeypatch: pytest.MonkeyPatch
) -> None:
    """debugpy#262, QGIS PR#67318: in an application that embeds Python, sys.executable is the application."""
    plug_in("t4")
    monkeypatch.setattr(sys, "executable", program)
    for _ in range(4):
        died = refused()
        assert died.code == "child_died"
        assert dict(died.values)["cause"] == ("exit code 1" if program == "/bin/false" else "unknown")


def test_a_library_that_takes_the_child_down_while_it_is_loaded_is_the_driver_s(plug_in: Plug) -> None:
    plug_in("t4", "segv load")

    assert refused().code == "driver_crashed"


def test_a_signal_without_a_name_is_told_by_its_number(plug_in: Plug) -> None:
    plug_in("t4")
    asked()
    child = client.pid()
    assert child is not None
    os.kill(child, 40)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)

    died = refused()
    assert died.code == "driver_crashed"
    assert dict(died.values)["cause"] == "signal 40"


def test_where_somebody_else_waits_for_our_children_how_one_ended_is_not_told(
    plug_in: Plug, monkeypatch: pytest.MonkeyPatch
) -> None:
    plug_in("t4", "segv nvmlDeviceGetUUID")
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        died = refused()
    finally:
        signal.signal(signal.SIGCHLD, before)

    assert died.code == "driver_crashed"
    assert dict(died.values)["cause"] == "unknown"


def test_a_driver_that_has_not_started_after_a_quarter_of_a_minute_is_slow_or_hangs(
    plug_in: Plug, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "SLOW_SECONDS", 0.5)
    plug_in("t4", "hang nvmlInitWithFlags")

    assert refused(0.3).code == "driver_starting"
    assert refused(0.3).code == "driver_slow"


def test_a_handle_that_the_driver_refuses_is_a_fault_of_that_gpu_alone(plug_in: Plug) -> None:
    """nvgpu#6, dcgm-exporter#604, llama-models#200, open-gpu-kernel-modules#387: unknown error for one GPU."""
    plug_in("eight-a100", "fail nvmlDeviceGetHandleByIndex_v2@gpu3 = 999")

    faults = [gpu["fault"] for gpu in asked()["gpus"]]
    assert faults == [None, None, None, "driver_unknown_error", None, None, None, None]


def test_a_gpu_that_is_lost_after_it_was_opened_is_at_fault(plug_in: Plug) -> None:
    plug_in("t4", "fail nvmlDeviceGet*@gpu0 = 15", "heal nvmlDeviceGetHandleByIndex_v2@gpu0")

    assert asked()["gpus"][0]["fault"] == "gpu_lost"


@pytest.mark.parametrize("code", [12, 13])
def test_where_cuda_s_library_is_not_here_the_driver_says_so(code: int, plug_in: Plug) -> None:
    """ros-docker-gui#12, nvidia-dind#1: a container without the capability `compute`."""
    plug_in("t4", f"fail nvmlSystemGetCudaDriverVersion* = {code}")

    assert asked()["driver"] == {"version": "580.82.07", "cuda_version": None, "has_cuda_library": False}


def test_a_child_that_ended_for_want_of_work_is_replaced_without_a_word(plug_in: Plug) -> None:
    plug_in("t4")
    asked()
    first = client._shared._process
    assert first is not None
    assert first.stdin is not None
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, first.stdin.fileno())  # the pipe ends, and so does the child, with code 0 as after an idle minute
    os.close(nowhere)
    os.waitid(os.P_PID, first.pid, os.WEXITED | os.WNOWAIT)

    assert asked()["gpus"][0]["name"] == "Tesla T4"
    assert client.pid() != first.pid


def test_an_interrupted_question_leaves_no_stale_answer_behind(plug_in: Plug, live: None, interruptible: None) -> None:
    driver = plug_in("t4")
    asked()
    driver.set("slow nvmlDeviceGetPowerUsage = 0.6", "gpu0.temperature = 11")
    timer = threading.Timer(0.2, lambda: signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        client.ask(deadline_seconds=30)
    timer.join()
    driver.set("heal nvmlDeviceGetPowerUsage", "gpu0.temperature = 22")

    assert asked(30)["gpus"][0]["temperature_celsius"] == 22


def test_many_threads_share_one_child(plug_in: Plug) -> None:
    driver = plug_in("t4")
    answers: list[Any] = []
    threads = [threading.Thread(target=lambda: answers.append(asked())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [answer["gpus"][0]["name"] for answer in answers] == ["Tesla T4"] * 8
    assert driver.calls().count("nvmlInitWithFlags") == 1


def test_the_child_inherits_no_open_file_and_not_the_working_directory(plug_in: Plug, tmp_path: Path) -> None:
    plug_in("t4")
    with (tmp_path / "open").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        asked()
        child = psutil.Process(client.pid())
        targets = {os.readlink(f"/proc/{child.pid}/fd/{number}") for number in os.listdir(f"/proc/{child.pid}/fd")}

    assert str(tmp_path / "open") not in targets
    assert child.cwd() == "/"
    assert os.getsid(child.pid) == child.pid


def test_a_pynvml_in_the_working_directory_is_passed_over(
    plug_in: Plug, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plug_in("t4")
    (tmp_path / "pynvml.py").write_text("raise SystemExit(7)\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", str(tmp_path), *sys.path])

    assert asked()["gpus"][0]["name"] == "Tesla T4"


def test_without_nvidia_ml_py_the_package_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path)])

    assert refused() == Unavailable(code="binding_missing")
    assert client.pid() is None


def test_a_file_of_that_name_that_is_something_else_is_said_to_be(
    plug_in: Plug, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    plug_in("t4")
    (tmp_path / "pynvml.py").write_text("import a_package_that_is_not_there\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])

    assert asked() == {"refused": {"reason": "binding_broken", "code": None, "library": None}}


def test_a_binding_that_looks_for_libraries_finds_them(
    plug_in: Plug, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What stands in for `ctypes.util`, which today's binding imports and never uses, does what it is asked for."""
    plug_in("t4")
    (tmp_path / "pynvml.py").write_text(
        "from ctypes.util import find_library\n"
        "found = find_library('c')\n"
        "import ctypes.util\n"
        "assert ctypes.util.__file__ and ctypes.util.find_library('c') == found\n"
    )
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])

    assert asked()["refused"]["reason"] == "binding_too_old"  # it ran to its end, and is not the binding


def test_where_no_process_can_be_started_the_reason_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "_interpreter", lambda: "/nowhere/python")

    assert refused() == Unavailable(code="no_child", values=(("error", "No such file or directory"),))


def test_elsewhere_than_on_linux_nothing_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client.sys, "platform", "darwin")

    assert refused() == Unavailable(code="linux_only")
    assert client.pid() is None


def test_a_question_that_waited_behind_another_s_says_nothing_of_the_driver(plug_in: Plug, live: None) -> None:
    driver = plug_in("t4")
    asked()
    child = client.pid()
    driver.set("slow nvmlDeviceGetPowerUsage = 0.8")
    first: list[Any] = []
    thread = threading.Thread(target=lambda: first.append(client.ask(deadline_seconds=6)))
    thread.start()
    time.sleep(0.2)

    assert refused(0.7).code == "driver_silent"
    thread.join()
    assert first[0]["gpus"][0]["name"] == "Tesla T4"
    assert client.pid() == child


@pytest.mark.parametrize("sentinel", [2**32 - 1])
@pytest.mark.parametrize(
    ("key", "field"),
    [
        ("temperature", "temperature_celsius"),
        ("power_mw", "power_watts"),
        ("utilization_gpu", "utilization_percent"),
        ("clock_graphics", "graphics_clock_mhz"),
    ],
)
def test_a_number_with_all_bits_set_is_no_figure(key: str, field: str, sentinel: int, plug_in: Plug) -> None:
    plug_in("t4", f"gpu0.{key} = {sentinel}")
    (gpu,) = asked()["gpus"]

    assert gpu[field] is None
    assert gpu["unavailable"][field] == "not_supported"


@pytest.mark.parametrize(
    ("key", "told", "field"),
    [
        ("temperature", 5000, "temperature_celsius"),
        ("power_mw", 2**31, "power_watts"),
        ("enforced_limit_mw", 2**31, "power_limit_watts"),
        ("energy_mj", 2**63, "energy_joules"),
        ("utilization_gpu", 101, "utilization_percent"),
        ("utilization_memory", 2**20, "memory_utilization_percent"),
        ("clock_graphics", 2**31, "graphics_clock_mhz"),
        ("clock_memory", 2**31, "memory_clock_mhz"),
        ("fan", 2**16, "fan_percent"),
        ("memory_total", 2**62, "memory"),
        ("memory_used", 2**50, "memory"),
        ("cc", "5000.0", "compute_capability"),
    ],
)
def test_a_figure_that_cannot_be_is_not_known(key: str, told: int | str, field: str, plug_in: Plug) -> None:
    plug_in("t4", f"gpu0.{key} = {told}")
    (gpu,) = asked()["gpus"]

    assert gpu[field] is None
    assert gpu["unavailable"][field] == "impossible"


@pytest.mark.parametrize("kind", range(7))
def test_the_driver_s_samples_are_read_in_whatever_type_they_are(kind: int, plug_in: Plug) -> None:
    plug_in("t4", "gpu0.utilization_gpu = 0, -8.2: 100", f"gpu0.sample_type = {kind}")
    (gpu,) = asked()["gpus"]

    assert gpu["recent_busy_percent"] == pytest.approx(50, abs=10)
    assert gpu["recent_seconds"] == pytest.approx(16.5, abs=0.5)


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        pytest.param(["gpu0.samples = not_supported"], "not_supported", id="not supported"),
        pytest.param(["gpu0.sample_age_ms = 60000"], None, id="stale"),
        pytest.param(["fail nvmlDeviceGetSamples = 6"], None, id="none yet"),
        pytest.param(["gpu0.utilization_gpu = 101"], "impossible", id="more than all"),
        pytest.param(["gpu0.sample_type = 7"], "impossible", id="of a type that there is not"),
        pytest.param(["gpu0.samples = 1"], None, id="but one"),
    ],
)
def test_samples_that_say_nothing_of_late_are_not_known(lines: list[str], reason: str | None, plug_in: Plug) -> None:
    plug_in("t4", *lines)
    (gpu,) = asked()["gpus"]

    assert (gpu["recent_busy_percent"], gpu["recent_seconds"]) == (None, None)
    assert [gpu["unavailable"].get(field) for field in ("recent_busy_percent", "recent_seconds")] == [reason] * 2


@pytest.mark.parametrize("told", [-12080, 0, 2**31 - 1])
def test_a_cuda_version_that_cannot_be_is_not_known(told: int, plug_in: Plug) -> None:
    plug_in("t4", f"cuda_version = {told}")

    assert asked()["driver"] == {"version": "580.82.07", "cuda_version": None, "has_cuda_library": True}


def test_a_process_s_memory_that_cannot_be_is_not_known(plug_in: Plug) -> None:
    plug_in("t4", f"gpu0.process = 4242 {2**62}")
    (gpu,) = asked()["gpus"]

    assert [(process["pid"], process["memory_used_bytes"]) for process in gpu["processes"]] == [(4242, None)]


def test_a_version_that_the_driver_would_not_tell_is_asked_for_again(plug_in: Plug, live: None) -> None:
    driver = plug_in("t4", "fail nvmlSystemGetDriverVersion = 999")
    assert asked()["driver"]["version"] is None
    driver.set("heal nvmlSystemGetDriverVersion")

    assert asked()["driver"]["version"] == "580.82.07"


# Looks that may never end --------------------------------------------------------------------------------------------


def test_a_file_system_is_looked_at_in_the_child() -> None:
    figures = client.look("root", "/")

    assert isinstance(figures, dict)
    assert figures["device"] == os.stat("/").st_dev
    assert client.pid() is not None


def test_a_look_that_fails_says_why() -> None:
    assert client.look("nowhere", "/nowhere") == Unavailable(
        code="unreadable", values=(("error", "No such file or directory"),)
    )


def test_a_look_is_answered_while_the_driver_hangs(plug_in: Plug) -> None:
    plug_in("t4", "hang nvmlInitWithFlags")
    assert refused(SHORT).code == "driver_starting"
    started = time.monotonic()

    assert isinstance(client.look("root", "/"), dict)
    assert time.monotonic() - started < 1
    assert refused(SHORT).code == "driver_starting"


def test_a_look_needs_no_pynvml_and_changes_nothing_for_the_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "find_pynvml", lambda: None)

    assert isinstance(client.look("root", "/"), dict)
    assert refused().code == "binding_missing"
    assert isinstance(client.look("root", "/"), dict)


def test_a_child_that_ended_is_replaced_for_a_look() -> None:
    client.look("root", "/")
    before = client.pid()
    assert before is not None
    os.kill(before, signal.SIGKILL)
    psutil.Process(before).wait(5)

    assert isinstance(client.look("root", "/"), dict)
    assert client.pid() != before


def test_where_no_child_can_be_started_a_look_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "_interpreter", lambda: "/nowhere/python")

    assert client.look("root", "/") == Unavailable(code="no_looker", values=(("error", "No such file or directory"),))


def test_a_forked_process_looks_by_a_child_of_its_own() -> None:
    client.look("root", "/")
    ours = client.pid()
    forked = os.fork()
    if not forked:
        works = isinstance(client.look("root", "/"), dict) and client.pid() != ours
        client.close()
        os._exit(0 if works else 1)

    assert os.waitstatus_to_exitcode(os.waitpid(forked, 0)[1]) == 0
    assert isinstance(client.look("root", "/"), dict)
    assert client.pid() == ours


def test_nothing_is_left_open_by_looks() -> None:
    client.look("root", "/")
    client.close()
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        client.look("root", "/")
        client.close()

    assert len(os.listdir("/proc/self/fd")) == before
