"""What a driver tells of its GPUs that no driver of ours can be made to tell."""

from __future__ import annotations

from typing import Any, cast

from colab_magics.observer.devices import Devices
from colab_magics.observer.nvml import Nvml


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
