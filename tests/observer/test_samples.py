"""What the observer notes over time: the sampler by itself, and through a real child and a fake driver."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import psutil
import pytest

from clocks import Clock
from colab_magics.model import Unavailable
from colab_magics.observer import client, samples
from colab_magics.observer.child import STUCK_SECONDS
from colab_magics.observer.samples import SECOND_AFTER_SECONDS, Processor, Sampler
from fake_nvml import FakeDriver

Plug = Callable[..., FakeDriver]
MIB = 2**20
PERIOD = client.SHORTEST_PERIOD_SECONDS


Use = dict[str, int | None]


class Noted(NamedTuple):
    seconds_ago: float
    ram_headroom_bytes: int | None
    kernel_bytes: int | None
    cpu_percent: float | None
    gpus: list[Use]


def use(memory_used_bytes: int | None, utilization_percent: int | None) -> Use:
    return {"memory_used_bytes": memory_used_bytes, "utilization_percent": utilization_percent}


NOTHING_USED = use(0, 0)


def asked(sample_every_seconds: float | None = PERIOD, *, deadline_seconds: float = 5) -> dict[str, Any]:
    answer = client.ask(deadline_seconds=deadline_seconds, sample_every_seconds=sample_every_seconds)
    assert isinstance(answer, dict), answer
    return answer


def noted(sample_every_seconds: float = PERIOD) -> list[Noted]:
    return [Noted(**sample) for sample in asked(sample_every_seconds)["samples"]]


def wait_for(condition: Callable[[], object], *, seconds: float = 5) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def calls_in(seconds: float, driver: FakeDriver) -> list[str]:
    before = len(driver.calls())
    time.sleep(seconds)
    return driver.calls()[before:]


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the fake driver read its state at every call."""
    monkeypatch.setenv("FAKE_NVML_LIVE", "1")


# When a sample is taken -------------------------------------------------------------------------------------------


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(samples, "time", clock)
    return clock


def a_sampler() -> Sampler:
    return Sampler(os.getpid(), SimpleNamespace(use=list))  # type: ignore[arg-type]


def begun(period: float, clock: Clock) -> Sampler:
    """Return a sampler that has just taken its first two samples."""
    sampler = a_sampler()
    sampler.set_period(period)
    run(sampler, clock, SECOND_AFTER_SECONDS)
    return sampler


def run(sampler: Sampler, clock: Clock, seconds: float) -> None:
    """Let time pass as the child does: it wakes when a sample is due."""
    until = clock.now + seconds
    while (to_next := sampler.seconds_to_next()) is not None and clock.now + to_next <= until:
        clock.now += to_next
        sampler.take_if_due()
    clock.now = until


def ages(sampler: Sampler) -> list[float]:
    return [sample["seconds_ago"] for sample in sampler.answer()]


@pytest.mark.parametrize("period", [0.5, 2, 5, 30])
def test_the_last_five_minutes_are_kept_and_at_most_forty_moments_of_them_are_sent(period: float, clock: Clock) -> None:
    sampler = a_sampler()
    sampler.set_period(period)
    run(sampler, clock, 1000)

    assert min(300 / period, 30) <= len(ages(sampler)) <= 42
    assert 285 <= ages(sampler)[0] <= 300 + period
    assert ages(sampler)[-1] <= period


def test_of_several_moments_the_fullest_is_sent_and_the_newest_as_it_is(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = iter([8, 8, 8, 1, *[8] * 150])
    monkeypatch.setattr(samples, "_headroom_bytes", lambda _pid: next(left))
    used = iter([[use(5, 10)], [use(5, None)], [use(5, 90)], [use(7, 20)], *[[use(5, 10)]] * 146, [use(2, 3)]])
    sampler = Sampler(os.getpid(), SimpleNamespace(use=lambda: next(used)))  # type: ignore[arg-type]
    sampler.set_period(2)
    run(sampler, clock, 297.5)
    sent = [Noted(**sample) for sample in sampler.answer()]

    assert min(noted.ram_headroom_bytes or 0 for noted in sent) == 1
    assert [sent[0].gpus, sent[1].gpus] == [[use(5, 90)], [use(7, 20)]]
    assert sent[-1].gpus == [use(5, 10)]
    run(sampler, clock, 2)
    assert Noted(**sampler.answer()[-1]).gpus == [use(2, 3)]


def test_moments_stay_together_from_answer_to_answer(clock: Clock) -> None:
    sampler = a_sampler()
    sampler.set_period(1)
    run(sampler, clock, 400)
    before = [round(clock.now - age) for age in ages(sampler)[:-1]]
    run(sampler, clock, 1)
    after = [round(clock.now - age) for age in ages(sampler)[:-1]]

    assert set(after[1:-2]) <= set(before)


def test_before_the_first_moment_nothing_is_sent() -> None:
    assert a_sampler().answer() == []


def test_a_sample_that_comes_late_does_not_put_off_the_next(clock: Clock) -> None:
    sampler = begun(2, clock)
    clock.now += 2.5
    sampler.take_if_due()

    assert sampler.seconds_to_next() == pytest.approx(1.5)


def test_moments_that_were_missed_are_skipped(clock: Clock) -> None:
    sampler = begun(2, clock)
    clock.now += 13
    sampler.take_if_due()
    sampler.take_if_due()

    assert ages(sampler) == [13.2, 13, 0]
    assert sampler.seconds_to_next() == 1


def test_the_same_period_again_changes_nothing(clock: Clock) -> None:
    sampler = begun(2, clock)
    clock.now += 1.5
    sampler.set_period(2)

    assert ages(sampler) == [1.7, 1.5]
    assert sampler.seconds_to_next() == pytest.approx(0.5)


def test_the_second_sample_comes_soon_after_the_first_and_after_a_pause_too(clock: Clock) -> None:
    sampler = begun(10, clock)
    assert ages(sampler) == [0.2, 0]
    run(sampler, clock, 9.9)
    assert ages(sampler) == [10.1, 9.9]
    sampler.set_period(None)
    run(sampler, clock, 20)
    sampler.set_period(10)
    run(sampler, clock, SECOND_AFTER_SECONDS)

    assert ages(sampler)[-2:] == [0.2, 0]
    assert sampler.seconds_to_next() == pytest.approx(10)


@pytest.mark.parametrize(("period", "to_next"), [(1, 1), (2, 0.5), (60, 58.5)])
def test_another_period_counts_from_the_last_sample_and_keeps_what_was_noted(
    period: float, to_next: float, clock: Clock
) -> None:
    sampler = begun(10, clock)
    clock.now += 1.5
    sampler.set_period(period)

    assert ages(sampler) == ([1.7, 1.5, 0] if period < 1.5 else [1.7, 1.5])
    assert sampler.seconds_to_next() == pytest.approx(to_next)


def test_what_was_noted_outlasts_a_pause_and_not_a_long_one(clock: Clock) -> None:
    sampler = a_sampler()
    sampler.set_period(2)
    sampler.set_period(None)
    assert sampler.seconds_to_next() is None
    run(sampler, clock, 100)
    sampler.set_period(2)
    assert ages(sampler) == [100, 100, 0]
    assert Noted(**sampler.answer()[1])[1:] == (None, None, None, [])
    assert Noted(**sampler.answer()[-1]).cpu_percent is None  # not the share of the whole pause
    sampler.set_period(None)
    clock.now += 250
    sampler.set_period(2)

    assert ages(sampler) == [250, 250, 0]


# How busy the processor is ----------------------------------------------------------------------------------------


OURS = sorted(os.sched_getaffinity(0))
NOT_OURS = max(OURS) + 1


def set_counts(root: Path, ours: str, *, others: str = "0 0 0 0 0 0 0 0 0 0") -> None:
    """Write /proc/stat: user nice system idle iowait irq softirq steal guest guest_nice, in hundredths of a second."""
    lines = [f"cpu{number} {ours}" for number in OURS]
    (root / "proc").mkdir(exist_ok=True)
    (root / "proc/stat").write_text("\n".join([f"cpu  {ours}", *lines, f"cpu{NOT_OURS} {others}", "intr 1 2 3", ""]))


def a_processor(root: Path) -> Processor:
    return Processor(os.getpid(), root=str(root))


@pytest.mark.parametrize(
    ("counts", "percent"),
    [
        pytest.param("30 0 0 70 0 0 0 0 0 0", 30, id="programs"),
        pytest.param("10 20 30 40 0 0 0 0 0 0", 60, id="programs and the system"),
        pytest.param("20 0 0 30 50 0 0 0 0 0", 20, id="the disk is waited for"),
        pytest.param("0 0 0 50 0 10 20 20 0 0", 50, id="interrupts and the host"),
        pytest.param("50 0 0 50 0 0 0 0 50 0", 50, id="guests, counted in programs"),
        pytest.param("0 0 0 100 0 0 0 0 0 0", 0, id="nothing"),
        pytest.param("0 0 0 0 0 0 0 0 0 0", None, id="no time has passed"),
    ],
)
def test_the_work_on_the_cores_of_the_affinity_counts(counts: str, percent: float | None, tmp_path: Path) -> None:
    set_counts(tmp_path, "0 0 0 0 0 0 0 0 0 0")
    processor = a_processor(tmp_path)
    first = processor.busy_percent(10.0)
    set_counts(tmp_path, counts, others="100 0 0 0 0 0 0 0 0 0")

    assert first is None
    assert processor.busy_percent(11.0) == percent


def test_only_the_work_since_the_last_look_counts(tmp_path: Path) -> None:
    processor = a_processor(tmp_path)
    for counts, percent in (("90 0 0 10 0 0 0 0", None), ("91 0 0 109 0 0 0 0", 1), ("191 0 0 109 0 0 0 0", 100)):
        set_counts(tmp_path, counts)
        assert processor.busy_percent(0) == percent


def test_a_clock_that_went_back_is_not_less_than_nothing(tmp_path: Path) -> None:
    set_counts(tmp_path, "50 0 0 0 50 0 0 0")
    processor = a_processor(tmp_path)
    processor.busy_percent(0)
    set_counts(tmp_path, "49 0 0 60 40 0 0 0")

    assert processor.busy_percent(1) == 0


@pytest.mark.parametrize("text", [None, "", "cpu0", "cpu0 1 2 3", "cpu0 lots of it 1 2 3 4 5", "\0"])
def test_counts_that_make_no_sense_are_not_known(text: str | None, tmp_path: Path) -> None:
    processor = a_processor(tmp_path)
    (tmp_path / "proc").mkdir()
    if text is not None:
        (tmp_path / "proc/stat").write_text(text)

    assert [processor.busy_percent(now) for now in (1, 2)] == [None, None]


def test_of_a_process_that_has_ended_nothing_is_known(tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as process:
        process.wait()
    set_counts(tmp_path, "0 0 0 0 0 0 0 0")
    processor = Processor(process.pid, root=str(tmp_path))
    processor.busy_percent(0)
    set_counts(tmp_path, "50 0 0 50 0 0 0 0")

    assert processor.busy_percent(1) is None


def set_quota(root: Path, quota: str, used_seconds: float | None, *, group: str = "own") -> None:
    """Make a system of version 2, the process in a group with a quota for each tenth of a second."""
    files = {
        "proc/self/cgroup": f"0::/{group}\n",
        "proc/self/mountinfo": "29 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
        f"sys/fs/cgroup/{group}/cpu.max": f"{quota} 100000\n",
    }
    if used_seconds is not None:
        files[f"sys/fs/cgroup/{group}/cpu.stat"] = f"usage_usec {used_seconds * 1e6:.0f}\nuser_usec 1\n"
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def test_where_a_quota_bites_the_group_s_use_of_it_counts(tmp_path: Path) -> None:
    processor = a_processor(tmp_path)
    for now, used_seconds, percent in ((10, 100.0, None), (12, 100.25, 25), (14, 101.25, 100), (16, 103.25, 100)):
        set_counts(tmp_path, f"0 0 0 {now}00 0 0 0 0")
        set_quota(tmp_path, "50000", used_seconds)
        assert processor.busy_percent(now) == percent


def test_a_quota_beyond_the_affinity_does_not_bite(tmp_path: Path) -> None:
    processor = a_processor(tmp_path)
    for now, used_seconds, percent in ((10, 100.0, None), (12, 100.0, 50)):
        set_counts(tmp_path, f"{now * 50} 0 0 {now * 50} 0 0 0 0")
        set_quota(tmp_path, "900000000", used_seconds)
        assert processor.busy_percent(now) == percent


def test_a_quota_whose_use_cannot_be_read_leaves_it_unknown(tmp_path: Path) -> None:
    processor = a_processor(tmp_path)
    for now in (10, 12):
        set_counts(tmp_path, f"0 0 0 {now}00 0 0 0 0")
        set_quota(tmp_path, "50000", None)
        assert processor.busy_percent(now) is None


def test_the_use_of_two_groups_is_not_compared(tmp_path: Path) -> None:
    processor = a_processor(tmp_path)
    for now, group, percent in ((10, "one", None), (12, "two", None), (14, "two", 0)):
        set_quota(tmp_path, "50000", 1.0 if group == "one" else 1.5, group=group)
        assert processor.busy_percent(now) == percent


# Through the child ------------------------------------------------------------------------------------------------


def test_samples_come_at_the_period_also_while_nobody_asks() -> None:
    first = noted()
    time.sleep(SECOND_AFTER_SECONDS + 3 * PERIOD + 0.1)
    later = noted()

    assert [sample.seconds_ago for sample in first] == [pytest.approx(0, abs=0.1)]
    assert len(later) == 5
    since_the_first = [later[0].seconds_ago - sample.seconds_ago for sample in later]
    expected = [0, *(SECOND_AFTER_SECONDS + number * PERIOD for number in range(4))]
    assert since_the_first == [pytest.approx(seconds, abs=0.19) for seconds in expected]


def test_what_is_left_is_what_the_report_says_also_under_limits_that_are_the_kernel_s_alone() -> None:
    """The child has its own limits: what counts are the kernel's."""
    code = "import resource; resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30)); print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as kernel:
        assert kernel.stdout is not None
        kernel.stdout.readline()
        left = samples._headroom_bytes(kernel.pid)
        kernel.communicate(b"\n")

    assert left is not None
    assert 2**31 < left < 3 * 2**30


def test_ram_and_cpu_are_noted_without_any_driver() -> None:
    noted()
    wait_for(lambda: len(noted()) > 1)
    sample = noted()[-1]

    assert sample.ram_headroom_bytes is not None
    assert 0 < sample.ram_headroom_bytes <= psutil.virtual_memory().total
    assert sample.kernel_bytes is not None
    assert abs(sample.kernel_bytes - psutil.Process().memory_info().rss) < 64 * MIB
    assert sample.cpu_percent is not None
    assert sample.gpus == []


def test_what_this_kernel_takes_is_noted() -> None:
    before = noted()[-1].kernel_bytes
    held = bytearray(os.urandom(1)) * (64 * MIB)
    time.sleep(PERIOD + 0.1)
    after = noted()[-1].kernel_bytes

    assert before is not None
    assert after is not None
    assert 60 * MIB < after - before < 80 * MIB
    assert len(held) == 64 * MIB


@contextmanager
def busy() -> Iterator[None]:
    """Keep every core that this process may use busy."""
    loops = [subprocess.Popen([sys.executable, "-I", "-S", "-c", "while True: pass"]) for _ in OURS]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def test_a_busy_loop_is_seen_in_the_share_of_the_processor() -> None:
    assert noted()[0].cpu_percent is None
    with busy():
        time.sleep(3 * PERIOD + 0.1)
        share = noted()[-1].cpu_percent

    assert share is not None
    assert share > 85


def test_the_gpu_s_memory_and_use_are_noted_as_they_change(plug_in: Plug, live: None) -> None:
    driver = plug_in("t4", f"gpu0.memory_used = {100 * MIB}", "gpu0.utilization_gpu = 0")
    noted()
    driver.set(f"gpu0.memory_used = {9000 * MIB}", "gpu0.utilization_gpu = 87")
    time.sleep(PERIOD + 0.1)
    gpus = [sample.gpus for sample in noted()]

    assert gpus == [[use(100 * MIB, 0)], [use(9000 * MIB, 87)]]


def test_a_field_that_the_driver_refuses_is_none_and_costs_only_itself(plug_in: Plug) -> None:
    plug_in("t4", f"gpu0.memory_used = {100 * MIB}", "fail nvmlDeviceGetUtilizationRates = 3")

    assert noted()[0].gpus == [use(100 * MIB, None)]


def test_a_gpu_that_is_lost_keeps_its_place(plug_in: Plug) -> None:
    plug_in("eight-a100", "fail nvmlDeviceGetHandleByIndex_v2@gpu3 = 15", "fail nvmlDeviceGetMemoryInfo_v2@gpu5 = 4")
    gpus = noted()[0].gpus

    assert len(gpus) == 8
    assert gpus[3] == use(None, None)
    assert gpus[5] == use(None, 0)
    assert [index for index, gpu in enumerate(gpus) if None in gpu.values()] == [3, 5]


def test_a_sample_asks_the_driver_for_nothing_dear(plug_in: Plug) -> None:
    driver = plug_in("eight-a100")
    noted()
    calls = calls_in(2 * PERIOD + 0.2, driver)

    of_each = ("nvmlDeviceGetHandleByIndex_v2", "nvmlDeviceGetMemoryInfo_v2", "nvmlDeviceGetUtilizationRates")
    assert set(calls) == {"nvmlDeviceGetCount_v2", *of_each}
    taken = calls.count("nvmlDeviceGetCount_v2")
    assert taken in (2, 3)
    assert abs(len(calls) - taken * (1 + 8 * len(of_each))) <= 8 * len(of_each)


def test_a_question_without_a_period_neither_starts_nor_stops_it(plug_in: Plug) -> None:
    driver = plug_in("t4")
    assert "samples" not in asked(None)
    assert calls_in(2 * PERIOD, driver) == []
    noted()
    assert "samples" not in asked(None)

    assert calls_in(2 * PERIOD, driver) != []


def test_another_period_holds_at_once_and_keeps_what_was_noted() -> None:
    noted(3600)
    time.sleep(SECOND_AFTER_SECONDS + PERIOD + 0.1)
    assert len(noted(3600)) == 2

    assert [sample.seconds_ago for sample in noted(PERIOD)] == [
        pytest.approx(SECOND_AFTER_SECONDS + PERIOD + 0.1, abs=0.2),
        pytest.approx(PERIOD + 0.1, abs=0.2),
        pytest.approx(0, abs=0.1),
    ]


@pytest.mark.parametrize("period", [0, 0.49, -1, float("nan")])
def test_a_period_that_is_too_short_is_a_mistake(period: float) -> None:
    with pytest.raises(ValueError, match=r"not 0\.5 or more"):
        client.ask(sample_every_seconds=period)

    assert client.pid() is None


def test_a_driver_that_refuses_keeps_its_child_while_somebody_watches(plug_in: Plug) -> None:
    driver = plug_in("t4", "fail nvmlInitWithFlags = 18")
    assert asked()["refused"]["reason"] == "driver_mismatch"
    child = client.pid()
    assert child is not None
    assert calls_in(2 * PERIOD + 0.1, driver) == []  # a sample does not try to open the driver
    answer = asked()

    assert client.pid() == child
    assert answer["refused"]["reason"] == "driver_mismatch"
    assert [Noted(**sample).gpus for sample in answer["samples"]] == [[]] * 3
    asked(None)
    assert client.pid() is None


def test_a_driver_that_comes_is_noted_from_then_on(plug_in: Plug, live: None) -> None:
    driver = plug_in("t4", "fail nvmlInitWithFlags = 9")
    assert noted()[0].gpus == []
    driver.set("heal nvmlInitWithFlags")
    assert asked()["gpus"][0]["name"] == "Tesla T4"
    time.sleep(PERIOD + 0.1)

    assert noted()[-1].gpus == [NOTHING_USED]


# The end of it ----------------------------------------------------------------------------------------------------


def test_stopped_it_asks_the_driver_nothing_more_and_the_child_stays(plug_in: Plug) -> None:
    driver = plug_in("t4")
    noted()
    child = client.pid()
    before = driver.calls()
    client.stop_sampling()

    assert calls_in(2 * PERIOD, driver) == []
    assert driver.calls() == before
    assert asked(None)["gpus"][0]["name"] == "Tesla T4"
    assert client.pid() == child


def test_stopped_and_asked_again_it_goes_on_with_what_was_noted() -> None:
    noted()
    client.stop_sampling()
    time.sleep(2 * PERIOD)

    before, gap, now = noted()
    assert before.seconds_ago == gap.seconds_ago == pytest.approx(2 * PERIOD, abs=0.2)
    assert gap.ram_headroom_bytes is None
    assert now.seconds_ago == pytest.approx(0, abs=0.1)


def test_when_nobody_has_asked_for_an_hour_no_more_is_noted(clock: Clock) -> None:
    sampler = a_sampler()
    sampler.set_period(30)
    run(sampler, clock, 3590)
    assert sampler.seconds_to_next() is not None
    run(sampler, clock, 60)

    assert sampler.seconds_to_next() is None


def test_to_stop_starts_no_child() -> None:
    client.stop_sampling()

    assert client.pid() is None


def test_to_stop_where_the_child_has_died_does_no_harm() -> None:
    noted()
    child = client.pid()
    assert child is not None
    os.kill(child, signal.SIGKILL)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    client.stop_sampling()
    client.stop_sampling()

    died = client.ask(sample_every_seconds=PERIOD)
    assert died == Unavailable(code="driver_crashed", values=(("cause", "SIGKILL"),))


def test_to_stop_does_not_wait_for_a_question_under_way_nor_spoil_its_answer(plug_in: Plug, live: None) -> None:
    driver = plug_in("t4")
    noted()
    driver.set("slow nvmlDeviceGetPowerUsage = 0.8")
    answers: list[Any] = []
    thread = threading.Thread(
        target=lambda: answers.append(client.ask(deadline_seconds=9, sample_every_seconds=PERIOD))
    )
    thread.start()
    wait_for(lambda: driver.calls()[-1] == "nvmlDeviceGetPowerUsage")
    started = time.monotonic()
    client.stop_sampling()
    assert time.monotonic() - started < 0.2
    thread.join()

    assert answers[0]["gpus"][0]["power_watts"] == 9
    assert calls_in(2 * PERIOD, driver) == []


def test_to_stop_a_child_that_reads_nothing_does_not_wait(plug_in: Plug, live: None) -> None:
    driver = plug_in("t4")
    noted()
    driver.set("hang nvmlDeviceGetUtilizationRates")
    wait_for(lambda: driver.calls()[-1] == "nvmlDeviceGetUtilizationRates")
    started = time.monotonic()
    for _ in range(3000):  # more than the pipe holds
        client.stop_sampling()

    assert time.monotonic() - started < 2


def finish(program: str) -> str:
    """Run a kernel of its own."""
    code = f"import os, time\nfrom colab_magics.observer import client\n{program}"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=20).stdout


def test_a_forked_process_does_not_stop_its_parent_s(plug_in: Plug) -> None:
    """A worker that ends, and with it what it copied of a panel."""
    plug_in("t4")
    shown = finish(
        "client.ask(sample_every_seconds=0.5)\n"
        "child = client.pid()\n"
        "if os.fork() == 0:\n"
        "    client.stop_sampling()\n"
        "    os._exit(0 if client.pid() is None else 7)\n"
        "status = os.wait()[1]\n"
        "time.sleep(1.2)\n"
        "print(status, len(client.ask(sample_every_seconds=0.5)['samples']), client.pid() == child)\n"
    )

    assert shown == "0 4 True\n"


def test_a_forked_process_that_asks_has_samples_of_itself(plug_in: Plug) -> None:
    plug_in("t4")
    shown = finish(
        "client.ask(sample_every_seconds=0.5)\n"
        "child = client.pid()\n"
        "if os.fork() == 0:\n"
        "    held = bytearray(b'x') * (96 << 20)\n"
        "    (sample,) = client.ask(sample_every_seconds=0.5)['samples']\n"
        "    mine = sample['kernel_bytes'] > 96 << 20 and client.pid() != child\n"
        "    client.close()\n"
        "    os._exit(0 if mine else 7)\n"
        "print(os.wait()[1])\n"
    )

    assert shown == "0\n"


def test_the_child_ends_with_its_kernel_also_while_it_samples(plug_in: Plug) -> None:
    plug_in("t4")
    # Past the client's own `atexit`, as when the kernel is killed.
    shown = finish("client.ask(sample_every_seconds=0.5)\nprint(client.pid(), flush=True)\nos._exit(0)\n")

    wait_for(lambda: not psutil.pid_exists(int(shown)))


# When things go wrong ---------------------------------------------------------------------------------------------


def test_a_driver_that_hangs_in_a_sample_is_found_out_by_the_next_question(plug_in: Plug, live: None) -> None:
    driver = plug_in("t4")
    noted()
    child = client.pid()
    driver.set("hang nvmlDeviceGetUtilizationRates")
    wait_for(lambda: driver.calls()[-1] == "nvmlDeviceGetUtilizationRates")
    started = time.monotonic()
    silent = client.ask(deadline_seconds=1.2, sample_every_seconds=PERIOD)

    assert silent == Unavailable(code="driver_silent", values=(("seconds", 0.4),))
    assert time.monotonic() - started < 1
    assert child is not None
    assert not psutil.pid_exists(child)
    driver.set("heal nvmlDeviceGetUtilizationRates")
    assert [sample.gpus for sample in noted()] == [[NOTHING_USED]]
    time.sleep(PERIOD + 0.1)
    assert len(noted()) == 2


def test_a_child_that_hung_until_it_gave_itself_up_is_a_driver_that_was_silent() -> None:
    noted()
    child = client.pid()
    assert child is not None
    os.kill(child, signal.SIGALRM)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)

    silent = client.ask(sample_every_seconds=PERIOD)
    assert silent == Unavailable(code="driver_silent", values=(("seconds", STUCK_SECONDS),))


def test_a_late_first_answer_has_its_samples_when_it_comes(plug_in: Plug) -> None:
    plug_in("t4", "slow nvmlInitWithFlags = 1")
    starting = client.ask(deadline_seconds=0.4, sample_every_seconds=PERIOD)
    assert isinstance(starting, Unavailable)

    assert starting.code == "driver_starting"
    assert [sample.gpus for sample in noted()] == [[NOTHING_USED]]


def test_a_question_that_waits_for_another_s_late_answer_begins_it_too(plug_in: Plug) -> None:
    plug_in("t4", "slow nvmlInitWithFlags = 1")
    assert isinstance(client.ask(deadline_seconds=0.4), Unavailable)
    assert "samples" not in asked(PERIOD)
    time.sleep(PERIOD + 0.1)

    assert [sample.gpus for sample in noted()] == [[NOTHING_USED], [NOTHING_USED]]


def test_an_interrupted_question_leaves_no_stale_answer_behind_and_sampling_on(
    plug_in: Plug, live: None, interruptible: None
) -> None:
    driver = plug_in("t4")
    noted()
    driver.set("slow nvmlDeviceGetPowerUsage = 0.6", "gpu0.temperature = 11")
    timer = threading.Timer(0.2, lambda: signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        client.ask(deadline_seconds=30, sample_every_seconds=PERIOD)
    timer.join()
    driver.set("heal nvmlDeviceGetPowerUsage", "gpu0.temperature = 22")
    answer = asked(deadline_seconds=30)

    assert answer["gpus"][0]["temperature_celsius"] == 22
    assert len(answer["samples"]) >= 2
    assert calls_in(2 * PERIOD, driver) != []


def test_a_driver_that_crashes_in_a_sample_is_named_by_the_next_question(plug_in: Plug, live: None) -> None:
    driver = plug_in("t4")
    noted()
    child = client.pid()
    assert child is not None
    driver.set("segv nvmlDeviceGetUtilizationRates")
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    driver.set("heal nvmlDeviceGetUtilizationRates")

    crashed = client.ask(sample_every_seconds=PERIOD)
    assert crashed == Unavailable(code="driver_crashed", values=(("cause", "SIGSEGV"),))
    assert [sample.gpus for sample in noted()] == [[NOTHING_USED]]


def test_sixty_four_gpus_fit_into_one_answer(plug_in: Plug) -> None:
    plug_in("64-gpus")
    noted()
    time.sleep(PERIOD + 0.1)

    assert [len(sample.gpus) for sample in noted()] == [64, 64]
