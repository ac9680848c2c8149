"""What a driver tells of its GPUs that no driver of ours can be made to tell."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from colab_magics.observer import devices as devices_module
from colab_magics.observer import nvml as nvml_module
from colab_magics.observer.devices import Devices
from colab_magics.observer.nvml import Nvml, Refused


class Countless:
    """A driver that counts two thousand million GPUs, more than anybody could ask one after the other."""

    driver: dict[str, Any] = {}  # noqa: RUF012 - nobody writes there
    is_bound = False

    def open(self) -> bool:
        return True

    def call(self, function: str) -> int:
        assert function == "nvmlDeviceGetCount"
        return 2 * 10**9


def test_a_number_of_gpus_that_cannot_be_is_not_counted_to() -> None:
    devices = Devices(cast("Nvml", Countless()))

    assert devices.answer()["refused"]["reason"] == "impossible"
    assert devices.use() == []


class NVMLError(Exception):
    def __init__(self, value: int) -> None:
        self.value = value


@pytest.mark.parametrize(
    ("code", "there"),
    [(0, nvml_module._FEW_PROCESSES + 1), (0, 2**32 - 1), (7, nvml_module._MOST_PROCESSES + 1), (7, 2**32 - 1)],
)
def test_a_list_of_more_processes_than_can_be_is_neither_read_nor_made_room_for(code: int, there: int) -> None:
    def answer(_handle: object, count: Any, _room: object) -> int:
        count._obj.value = there
        return code

    function = "nvmlDeviceGetComputeRunningProcesses_v3"
    library = SimpleNamespace(**{function: answer})
    binding = SimpleNamespace(nvmlMemory_v2=0, nvmlLib=library, NVMLError=NVMLError, nvmlInit=lambda: None)
    nvml = Nvml(lambda: binding)
    nvml._pynvml = nvml._binding()

    with pytest.raises(Refused, match="impossible"):
        nvml.listed((function,), None)


# How busy it was lately -----------------------------------------------------------------------------------------------

NOW = 1_764_000_000_000_000
SECOND = 1_000_000


def recent(*noted: tuple[float, float]) -> tuple[float | None, float | None]:
    """Return what is made of samples: (seconds before now, percent)."""
    times = tuple(NOW - round(ago * SECOND) for ago, _ in noted)
    return devices_module._recent((times, tuple(percent for _, percent in noted)), NOW)


def test_the_driver_s_samples_weigh_as_much_as_the_time_they_are_of() -> None:
    assert recent((10, 100), (8, 50), (7.5, 0), (7, 100), (5.5, 0), (4, 0), (2, 0), (0, 90)) == (33.0, 10.0)


@pytest.mark.parametrize(
    "noted",
    [
        pytest.param([], id="none"),
        pytest.param([(0.1, 50)], id="one"),
        pytest.param([(0.6, 50), (0.1, 50)], id="of half a second"),
        pytest.param([(13 - step, 50) for step in range(10)], id="stale"),
        pytest.param([(5 - step, 50) for step in range(10)], id="of the future"),
    ],
)
def test_samples_that_say_nothing_of_the_last_seconds_are_none(noted: list[tuple[float, float]]) -> None:
    assert recent(*noted) == (None, None)


def test_what_was_before_a_gap_does_not_count() -> None:
    assert recent((9, 100), (8, 100), (7, 100), (2, 100), (1, 0), (0, 0)) == (0.0, 2.0)


SAMPLES = "nvmlDeviceGetSamples"


def ring(answer: Any) -> Nvml:
    """A driver whose samples are answered by a function of (count, room), which returns a code."""

    def call(_handle: object, _what: int, _since: object, kind: Any, count: Any, room: Any) -> int:
        kind._obj.value = 1
        return cast("int", answer(count._obj, room))

    binding = SimpleNamespace(
        nvmlMemory_v2=0, nvmlLib=SimpleNamespace(**{SAMPLES: call}), NVMLError=NVMLError, nvmlInit=lambda: None
    )
    nvml = Nvml(lambda: binding)
    nvml._pynvml = nvml._binding()
    return nvml


@pytest.mark.parametrize("there", [nvml_module._MOST_SAMPLES + 1, 2**32 - 1])
def test_more_samples_than_can_be_are_neither_read_nor_made_room_for(there: int) -> None:
    def answer(count: Any, _room: object) -> int:
        count.value = there
        return 0

    with pytest.raises(Refused, match="impossible"):
        ring(answer).samples(None, 0)


def test_a_driver_that_writes_more_samples_than_there_is_room_for_is_not_believed() -> None:
    def answer(count: Any, room: object) -> int:
        count.value = 4 if room is None else 5
        return 0

    with pytest.raises(Refused, match="impossible"):
        ring(answer).samples(None, 0)


def test_a_ring_that_grows_gets_more_room_and_one_that_always_does_is_given_up() -> None:
    asked = []

    def answer(count: Any, room: Any) -> int:
        asked.append(0 if room is None else len(room) // 16)
        enough = count.value >= 6
        count.value = 4 if room is None else 6
        return 0 if enough or room is None else 7

    assert ring(answer).samples(None, 0) == ((0,) * 6, (0,) * 6)
    assert asked == [0, 4, 12]

    def never(count: Any, room: Any) -> int:
        count.value = 4 if room is None else count.value + 1
        return 0 if room is None else 7

    with pytest.raises(Refused, match="changing_too_fast"):
        ring(never).samples(None, 0)


def test_a_driver_that_keeps_no_sample_yet_tells_none() -> None:
    assert ring(lambda _count, _room: 0).samples(None, 0) == ((), ())


def history(*samples: tuple[int, float]) -> Any:
    """Return what is made of samples that a driver tells, after the moment 5."""
    answer = (tuple(at for at, _ in samples), tuple(percent for _, percent in samples))
    return devices_module._history(cast("Nvml", SimpleNamespace(samples=lambda *_: answer)), None, 5)


def test_samples_come_in_their_order_without_places_that_are_not_filled() -> None:
    assert history((8, 2), (9, 3), (6, 1), (0, 0), (7, 9)) == ((6, 7, 8, 9), (1, 9, 2, 3))
    assert history((0, 0), (0, 0)) == ((), ())


@pytest.mark.parametrize("percent", [-1, 101, 2**32 - 1, float("nan"), float("inf")])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_sample_that_cannot_be_makes_all_of_them_unbelievable(percent: float, place: int) -> None:
    percents: list[float] = [1, 1, 1]
    percents[place] = percent

    with pytest.raises(Refused, match="impossible"):
        history(*enumerate(percents, start=6))
