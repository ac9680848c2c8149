"""What the child notes of a span of work: by itself, and through a real child and a fake driver."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from clocks import Clock
from colab_magics.model import Unavailable
from colab_magics.observer import client, shapes, spans
from colab_magics.observer.nvml import Refused
from colab_magics.observer.spans import LATE_SECONDS, LONGEST_SECONDS, LOOK_SECONDS, MOST_SPANS, Spans
from fake_nvml import FakeDriver

Plug = Callable[..., FakeDriver]
MIB = 2**20
GPU: dict[str, Any] = {
    "memory": {"used_bytes": 0, "total_bytes": 100}, "utilization_percent": 0, "slowdown_reasons": [],
    "energy_joules": 0.0, "name": "T4",
}  # fmt: skip


class Devices:
    """GPUs that are as a test says; `noted` is what the driver has noted, in seconds of the clock and percent."""

    def __init__(self, clock: Clock, count: int = 1) -> None:
        self.clock = clock
        self.gpus = [dict(GPU) for _ in range(count)]
        self.unavailable: dict[str, str] = {}
        self.noted: list[tuple[float, int]] | None = None
        self.kept = 100
        self.asked: list[tuple[str, ...]] = []
        self.opened = 0
        self.look_seconds = 0.0

    def open(self) -> dict[str, Any] | None:
        self.opened += 1
        return None

    def look(self, names: tuple[str, ...]) -> list[tuple[dict[str, Any], dict[str, str]]]:
        self.asked.append(names)
        self.clock.now += self.look_seconds
        refused = {name: why for name, why in self.unavailable.items() if name in names}
        return [({name: None if name in refused else gpu[name] for name in names}, refused) for gpu in self.gpus]

    def history(self, _index: int, since: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        if self.noted is None:
            raise Refused("not_supported", 3)
        there = [(round(at * 1e6), percent) for at, percent in self.noted if at <= self.clock.now][-self.kept :]
        return tuple(at for at, _ in there if at > since), tuple(percent for at, percent in there if at > since)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(spans, "time", clock)
    return clock


@pytest.fixture
def devices(clock: Clock) -> Devices:
    return Devices(clock)


@pytest.fixture
def watch(devices: Devices) -> Spans:
    return Spans(os.getpid(), devices)  # type: ignore[arg-type]


def run(watch: Spans, clock: Clock, seconds: float) -> int:
    """Let time pass as the child does; return how many looks were taken."""
    until, looks = clock.now + seconds, 0
    while (to_next := watch.seconds_to_next()) is not None and clock.now + to_next <= until + 1e-9:
        clock.now += to_next
        watch.look_if_due()
        looks += 1
    clock.now = max(until, clock.now)
    return looks


def begin(watch: Spans, clock: Clock, number: int = 1) -> None:
    watch.begin(number, clock.now, with_gpus=True)


def ended(watch: Spans, number: int = 1) -> dict[str, Any]:
    span = watch.end(number)
    assert span is not None
    assert shapes.is_about_a_span({"span": span})
    return span


def work(watch: Spans, number: int = 1) -> dict[str, Any]:
    return dict(ended(watch, number)["gpus"][0])


def test_memory_is_told_before_after_and_at_its_peak(watch: Spans, clock: Clock, devices: Devices) -> None:
    devices.gpus[0]["memory"] = {"used_bytes": 10, "total_bytes": 100}
    begin(watch, clock)
    devices.gpus[0]["memory"] = {"used_bytes": 90, "total_bytes": 100}
    run(watch, clock, 0.5)
    devices.gpus[0]["memory"] = {"used_bytes": 30, "total_bytes": 100}
    did = work(watch)

    assert [did[f"memory_{when}_bytes"] for when in ("before", "peak", "after")] == [10, 90, 30]
    assert not did["unavailable"]


def test_the_kernel_s_memory_is_sampled_too(watch: Spans, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    resident = iter([5, 9, None, 7])
    monkeypatch.setattr(spans, "_resident_bytes", lambda _pid: next(resident))
    begin(watch, clock)
    run(watch, clock, 0.2)
    span = ended(watch)

    assert (span["kernel_peak_bytes"], span["looks"]) == (9, 4)


def test_without_gpus_the_driver_is_left_alone(watch: Spans, clock: Clock, devices: Devices) -> None:
    watch.begin(1, clock.now, with_gpus=False)
    run(watch, clock, 1)
    span = ended(watch)

    assert span["gpus"] == []
    assert span["kernel_peak_bytes"]
    assert (devices.opened, devices.asked) == (0, [])


# How busy -------------------------------------------------------------------------------------------------------------


def test_the_driver_s_own_samples_say_how_busy_it_was(watch: Spans, clock: Clock, devices: Devices) -> None:
    start = clock.now
    devices.noted = [(start + step / 8, 100 if 8 < step <= 24 else 0) for step in range(-40, 400)]
    devices.gpus[0]["utilization_percent"] = 7  # the looks say something else
    begin(watch, clock)
    run(watch, clock, 4)
    did = work(watch)

    assert (did["busy_percent"], did["busy_source"]) == (50, "driver")


def test_samples_weigh_as_much_as_the_time_they_are_of(watch: Spans, clock: Clock, devices: Devices) -> None:
    start = clock.now
    devices.noted = [
        (start + at, percent) for at, percent in ((0, 0), (1, 100), (1.25, 0), (1.5, 0), (1.75, 0), (2, 0))
    ]
    begin(watch, clock)
    run(watch, clock, 2)

    assert work(watch)["busy_percent"] == 50


def test_of_a_sample_across_the_beginning_only_the_part_within_counts(
    watch: Spans, clock: Clock, devices: Devices
) -> None:
    start = clock.now
    devices.noted = [(start - 1.5, 0), (start - 0.5, 0), (start + 0.5, 100), (start + 1, 0), (start + 2, 0)]
    begin(watch, clock)
    run(watch, clock, 2)

    assert work(watch)["busy_percent"] == 25


def test_of_a_sample_nearly_all_before_it_a_short_span_believes_nothing(
    watch: Spans, clock: Clock, devices: Devices
) -> None:
    start = clock.now
    devices.noted = [(start - 0.3, 100), (start - 0.13, 100), (start + 0.03, 100)]
    begin(watch, clock)
    run(watch, clock, 0.05)

    assert work(watch)["unavailable"] == {"busy_percent": "too_short"}


def test_a_long_span_loses_no_sample_of_a_short_ring(watch: Spans, clock: Clock, devices: Devices) -> None:
    start = clock.now
    devices.noted = [(start + step / 6, 100 if step % 60 < 15 else 0) for step in range(-10, 6 * 700)]
    devices.kept = 60  # ten seconds
    begin(watch, clock)
    run(watch, clock, 600)
    did = work(watch)

    assert did["busy_percent"] == pytest.approx(25, abs=0.2)
    assert did["busy_source"] == "driver"


def test_without_such_samples_the_looks_count_but_for_the_first(watch: Spans, clock: Clock, devices: Devices) -> None:
    devices.gpus[0]["utilization_percent"] = 100  # of the time before
    begin(watch, clock)
    run(watch, clock, 0.1)
    devices.gpus[0]["utilization_percent"] = 40
    run(watch, clock, 1)
    did = work(watch)

    assert (did["busy_percent"], did["busy_source"]) == (40, "sampled")


@pytest.mark.parametrize(
    "noted",
    [
        pytest.param([], id="none"),
        pytest.param([(-3600 + step, 50) for step in range(100)], id="stale"),
        pytest.param([(-1, 50), (0, 50), (1, 50)], id="of the beginning alone"),
        pytest.param([(-5, 50), (9.9, 50)], id="far apart"),
    ],
)
def test_samples_that_leave_out_much_of_it_do_not_count(
    noted: list[tuple[float, int]], watch: Spans, clock: Clock, devices: Devices
) -> None:
    devices.noted = [(clock.now + at, percent) for at, percent in noted]
    devices.gpus[0]["utilization_percent"] = 7
    begin(watch, clock)
    run(watch, clock, 10)
    did = work(watch)

    assert (did["busy_percent"], did["busy_source"]) == (7, "sampled")


def test_what_is_over_too_soon_has_no_share(watch: Spans, clock: Clock) -> None:
    begin(watch, clock)
    run(watch, clock, 0.15)
    did = work(watch)

    assert (did["busy_percent"], did["busy_source"]) == (None, None)
    assert did["unavailable"] == {"busy_percent": "too_short"}


# Energy ---------------------------------------------------------------------------------------------------------------


def test_energy_is_what_the_counter_went_on(watch: Spans, clock: Clock, devices: Devices) -> None:
    devices.gpus[0]["energy_joules"] = 123.5
    begin(watch, clock)
    run(watch, clock, 2)
    devices.gpus[0]["energy_joules"] = 263.75

    assert work(watch)["energy_joules"] == 140.25


@pytest.mark.parametrize("at_end", [3.0, 5000.0], ids=["less", "more again"])
def test_a_counter_that_begins_anew_tells_nothing(at_end: float, watch: Spans, clock: Clock, devices: Devices) -> None:
    devices.gpus[0]["energy_joules"] = 1000.0
    begin(watch, clock)
    run(watch, clock, 1)
    devices.gpus[0]["energy_joules"] = 2.0
    run(watch, clock, 2)
    devices.gpus[0]["energy_joules"] = at_end
    did = work(watch)

    assert did["energy_joules"] is None
    assert did["unavailable"] == {"energy_joules": "counter_restarted"}


def test_more_energy_than_can_be_is_none(watch: Spans, clock: Clock, devices: Devices) -> None:
    begin(watch, clock)
    run(watch, clock, 2)
    devices.gpus[0]["energy_joules"] = 2.0**32

    assert work(watch)["unavailable"] == {"energy_joules": "impossible"}


# What fails -----------------------------------------------------------------------------------------------------------


def test_a_reading_that_fails_costs_only_itself(watch: Spans, clock: Clock, devices: Devices) -> None:
    devices.unavailable = {"memory": "no_permission", "energy_joules": "not_supported"}
    begin(watch, clock)
    run(watch, clock, 1)
    did = work(watch)

    assert did["busy_percent"] == 0
    assert did["unavailable"] == {
        "energy_joules": "not_supported",
        "memory_before_bytes": "no_permission",
        "memory_after_bytes": "no_permission",
        "memory_peak_bytes": "no_permission",
        "memory_total_bytes": "no_permission",
    }


def test_a_gpu_that_is_no_more_at_the_end_keeps_what_was_seen(watch: Spans, clock: Clock, devices: Devices) -> None:
    devices.gpus[0]["memory"] = {"used_bytes": 10, "total_bytes": 100}
    begin(watch, clock)
    run(watch, clock, 1)
    devices.gpus.clear()
    did = work(watch)

    assert (did["memory_before_bytes"], did["memory_peak_bytes"], did["memory_after_bytes"]) == (10, 10, None)
    assert did["unavailable"] == {"memory_after_bytes": "gpu_lost", "energy_joules": "gpu_lost"}


def test_one_that_is_heard_of_late_does_not_know_its_beginning(watch: Spans, clock: Clock, devices: Devices) -> None:
    began_at = clock.now
    clock.now += LATE_SECONDS + 0.1
    devices.gpus[0]["utilization_percent"] = 30
    watch.begin(1, began_at, with_gpus=True)
    run(watch, clock, 1)
    span = ended(watch)
    (did,) = span["gpus"]

    assert span["seconds"] == pytest.approx(1 + LATE_SECONDS + 0.1)
    assert (did["memory_before_bytes"], did["energy_joules"], did["busy_percent"]) == (None, None, 30)
    assert did["unavailable"] == {"memory_before_bytes": "too_late", "energy_joules": "too_late"}


# How much it costs ----------------------------------------------------------------------------------------------------


def test_one_that_is_waited_for_begins_when_the_driver_is_open(watch: Spans, clock: Clock, devices: Devices) -> None:
    devices.look_seconds = 2.0
    watch.begin(1, None, with_gpus=True)
    devices.look_seconds = 0.0
    run(watch, clock, 1)
    span = ended(watch)

    assert span["seconds"] == pytest.approx(1)
    assert span["gpus"][0]["memory_before_bytes"] == 0


def test_looks_become_rare_when_a_span_is_long(watch: Spans, clock: Clock) -> None:
    begin(watch, clock)

    assert run(watch, clock, 60) in range(590, 611)
    assert run(watch, clock, 3600) < 3600
    assert run(watch, clock, 36_000) < 36_000 / 4


def test_a_slow_driver_is_looked_at_less_often(watch: Spans, clock: Clock, devices: Devices) -> None:
    begin(watch, clock)
    devices.look_seconds = 0.1

    assert run(watch, clock, 20) < 11


def test_dear_calls_are_left_out_of_the_looks(watch: Spans, clock: Clock, devices: Devices) -> None:
    begin(watch, clock)
    run(watch, clock, 10)

    assert {*sum(devices.asked[1:], ())} == {"memory", "utilization_percent", "slowdown_reasons", "energy_joules"}
    assert sum("energy_joules" in names for names in devices.asked[1:]) in range(8, 11)


def test_spans_overlap_and_are_looked_at_together(watch: Spans, clock: Clock, devices: Devices) -> None:
    devices.noted = [(clock.now + step / 8, 100 if step > 32 else 0) for step in range(-40, 400)]
    begin(watch, clock, 1)
    run(watch, clock, 4)
    begin(watch, clock, 2)
    devices.gpus[0]["memory"] = {"used_bytes": 90, "total_bytes": 100}
    run(watch, clock, 4)
    devices.gpus[0]["memory"] = {"used_bytes": 1, "total_bytes": 100}
    inner = work(watch, 2)
    devices.gpus[0]["memory"] = {"used_bytes": 95, "total_bytes": 100}
    outer = work(watch, 1)

    assert (inner["busy_percent"], outer["busy_percent"]) == (100, 50)
    assert (inner["memory_before_bytes"], inner["memory_peak_bytes"], outer["memory_peak_bytes"]) == (0, 90, 95)


def test_a_span_is_ended_once_and_forgotten_when_dropped(watch: Spans, clock: Clock) -> None:
    begin(watch, clock, 1)
    begin(watch, clock, 2)
    ended(watch, 1)
    watch.drop(2)
    watch.drop(2)

    assert (watch.end(1), watch.end(2), watch.seconds_to_next()) == (None, None, None)


def test_of_too_many_spans_the_oldest_is_given_up(watch: Spans, clock: Clock) -> None:
    for number in range(MOST_SPANS + 1):
        begin(watch, clock, number)

    assert watch.end(0) is None
    ended(watch, 1)


def test_one_that_nobody_ends_is_given_up_at_last(watch: Spans, clock: Clock) -> None:
    begin(watch, clock)
    run(watch, clock, LONGEST_SECONDS - 60)
    assert watch.seconds_to_next() is not None
    run(watch, clock, 120)

    assert (watch.seconds_to_next(), watch.end(1)) == (None, None)


# Through a child ------------------------------------------------------------------------------------------------------


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the fake driver read its state at every call."""
    monkeypatch.setenv("FAKE_NVML_LIVE", "1")


def begun(deadline_seconds: float | None = 5, **how: bool) -> int:
    number = client.begin_span(deadline_seconds=deadline_seconds, **how)
    assert isinstance(number, int), number
    return number


def told(number: int, deadline_seconds: float = 5) -> dict[str, Any]:
    span = client.end_span(number, deadline_seconds=deadline_seconds)
    assert isinstance(span, dict), span
    return span


def why_not(number: int, deadline_seconds: float = 5) -> str:
    why = client.end_span(number, deadline_seconds=deadline_seconds)
    assert isinstance(why, Unavailable), why
    return why.code


@pytest.mark.usefixtures("live")
def test_a_span_of_work_on_a_t4(plug_in: Plug) -> None:
    driver = plug_in("t4", "gpu0.samples = 100", "gpu0.sample_ms = 20")
    number = begun()
    driver.set(
        f"gpu0.memory_used = {100 * MIB}, 0.4: {700 * MIB}, 1.4: {300 * MIB}",
        "gpu0.utilization_gpu = 90",
        "gpu0.energy_mj = 123456789, 0.3: 123501789",
        "gpu0.throttle_reasons = 0x1, 0.4: 0x4, 1.4: 0x1",
    )
    time.sleep(2)
    span = told(number)
    (did,) = span["gpus"]

    assert did["name"] == "Tesla T4"
    assert (did["busy_percent"], did["busy_source"]) == (90, "driver")
    assert [did[f"memory_{when}_bytes"] for when in ("before", "peak", "after")] == [0, 700 * MIB, 300 * MIB]
    assert did["energy_joules"] == 45
    assert did["slowdown_reasons"] == ["idle", "power_cap"]
    assert did["unavailable"] == {}
    assert span["seconds"] > 1.9
    assert span["without"] is None


def test_a_sudden_need_of_memory_shows_in_the_looks(plug_in: Plug) -> None:
    plug_in("t4")
    number = begun()
    before = psutil.Process().memory_info().rss
    held = bytearray(400 * MIB)
    time.sleep(3 * LOOK_SECONDS)
    del held

    assert told(number)["kernel_peak_bytes"] - before > 390 * MIB


def test_nothing_is_waited_for_at_the_ends_and_the_answer_comes_later(plug_in: Plug) -> None:
    plug_in("t4")
    numbers = []
    for _ in range(5):
        number = begun(None)
        client.let_span_end(number)
        client.let_span_end(number)
        numbers.append(number)
    client.ask(deadline_seconds=5)  # reads their answers too
    time.sleep(0.5)

    assert all(told(number)["seconds"] < 0.5 for number in numbers)
    assert {why_not(number) for number in numbers} == {"measurement_lost"}


def test_a_question_meanwhile_is_answered_and_changes_nothing(plug_in: Plug) -> None:
    plug_in("t4")
    number = begun()
    client.start()  # asks ahead
    answer = client.ask(deadline_seconds=5)
    client.start()

    assert isinstance(answer, dict)
    assert answer["gpus"]
    assert told(number)["gpus"]
    assert isinstance(client.ask(deadline_seconds=5), dict)


def test_spans_of_several_threads(plug_in: Plug) -> None:
    plug_in("t4")
    seen: list[Any] = []

    def measure() -> None:
        seen.extend(client.end_span(begun(), deadline_seconds=5) for _ in range(20))

    threads = [threading.Thread(target=measure) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(seen) == 80
    assert all(isinstance(one, dict) for one in seen), seen


def test_where_the_driver_refuses_the_span_says_so_and_still_knows_the_kernel(plug_in: Plug) -> None:
    plug_in("t4", "fail nvmlInitWithFlags = 9")
    span = told(begun())

    assert span["gpus"] == []
    assert span["without"]["refused"]["reason"] == "driver_not_loaded"
    assert span["kernel_peak_bytes"]


def test_a_question_that_is_refused_leaves_the_span_alone(plug_in: Plug) -> None:
    plug_in("t4", "fail nvmlInitWithFlags = 999")
    number = begun()
    assert isinstance(client.ask(deadline_seconds=5), dict)

    assert told(number)["without"]["refused"]["reason"] == "driver_unknown_error"


def test_where_there_is_no_library_the_span_says_so() -> None:
    assert told(begun())["without"] == {"driver": None, "gpus": [], "library": "broken"}


def test_a_driver_that_dies_meanwhile_is_the_reason_why_nothing_is_known(plug_in: Plug) -> None:
    plug_in("t4", "segv nvmlDeviceGetUtilizationRates")
    number = begun(None)
    time.sleep(4 * LOOK_SECONDS)

    assert why_not(number) in ("driver_crashed", "child_died")


@pytest.mark.usefixtures("live")
def test_so_it_is_when_somebody_else_met_it_first(plug_in: Plug) -> None:
    driver = plug_in("t4")
    number = begun()
    driver.set("segv nvmlDeviceGetMemoryInfo_v2")
    client.ask(deadline_seconds=5)
    driver.set("heal *")
    assert isinstance(client.ask(deadline_seconds=5), dict)  # of another child

    assert why_not(number) == "driver_crashed"


@pytest.mark.usefixtures("live")
@pytest.mark.parametrize("energy", ["12", "12, 3: 5000000000"], ids=["wraps", "begins anew and goes on"])
def test_a_counter_that_wraps_or_begins_anew_is_noticed(energy: str, plug_in: Plug) -> None:
    driver = plug_in("t4", "gpu0.energy_mj = 4294967000")
    number = begun()
    driver.set(f"gpu0.energy_mj = {energy}")
    time.sleep(3.2)
    (did,) = told(number)["gpus"]

    assert did["energy_joules"] is None
    assert did["unavailable"] == {"energy_joules": "counter_restarted"}


def test_a_driver_that_is_slow_is_asked_less_and_costs_no_more_than_its_calls(plug_in: Plug) -> None:
    driver = plug_in("t4", "slow nvmlDeviceGetUtilizationRates = 0.05")
    number = begun()
    before = driver.calls().count("nvmlDeviceGetUtilizationRates")
    time.sleep(2.2)
    span = told(number)

    assert driver.calls().count("nvmlDeviceGetUtilizationRates") - before <= 4
    assert span["gpus"][0]["memory_peak_bytes"] == 0


@pytest.mark.usefixtures("live")
def test_a_driver_that_hangs_meanwhile_costs_no_more_than_the_deadline(plug_in: Plug) -> None:
    driver = plug_in("t4")
    number = begun()
    driver.set("hang nvmlDeviceGetUtilizationRates")
    time.sleep(2 * LOOK_SECONDS)
    before = time.monotonic()

    assert why_not(number, 0.5) == "driver_silent"
    assert time.monotonic() - before < 2


def test_a_driver_that_is_still_starting_is_no_failure(plug_in: Plug) -> None:
    plug_in("t4", "slow nvmlInitWithFlags = 1.5")
    assert isinstance(client.begin_span(deadline_seconds=0.3), Unavailable)
    number = begun(None)
    child = client.pid()

    assert why_not(number, 0.3) == "driver_starting"
    assert isinstance(client.ask(deadline_seconds=8), dict)
    assert client.pid() == child


def test_what_began_before_the_child_was_there_does_not_know_its_beginning(plug_in: Plug) -> None:
    plug_in("t4", "slow nvmlInitWithFlags = 0.6")
    number = begun(None)
    time.sleep(1.2)
    (did,) = told(number)["gpus"]

    assert (did["memory_before_bytes"], did["memory_after_bytes"]) == (None, 0)
    assert did["unavailable"] == {"memory_before_bytes": "too_late", "energy_joules": "too_late"}


@pytest.mark.usefixtures("live")
def test_ctrl_c_while_it_ends_leaves_no_stale_answer(plug_in: Plug, interruptible: None) -> None:
    driver = plug_in("t4")
    number = begun()
    driver.set("slow nvmlDeviceGetUtilizationRates = 0.5")
    timer = threading.Timer(0.2, lambda: signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        client.end_span(number, deadline_seconds=5)
    driver.set("heal *")
    other = begun()

    assert isinstance(client.ask(deadline_seconds=5), dict)
    assert told(other)["gpus"]
    assert why_not(number) == "measurement_lost"


def test_closing_and_dropping_are_no_error(plug_in: Plug) -> None:
    plug_in("t4")
    number, dropped = begun(), begun()
    client.drop_span(dropped)
    client.drop_span(dropped)
    client.close()
    client.let_span_end(number)

    assert {why_not(number), why_not(dropped), why_not(12345)} == {"measurement_lost"}
