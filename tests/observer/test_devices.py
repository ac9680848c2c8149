"""What a driver tells of its GPUs that no driver of ours can be made to tell."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

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
