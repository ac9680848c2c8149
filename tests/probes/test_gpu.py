from __future__ import annotations

from collections.abc import Callable

import pytest

from colab_magics.model import Driver, Gpu, GpuProcess, Unavailable
from colab_magics.probes.gpu import probe_gpus
from fake_nvml import FakeDriver

Plug = Callable[..., FakeDriver]


def test_a_t4_as_the_driver_describes_it(plug_in: Plug) -> None:
    plug_in("t4", "gpu0.process = 77 1048576")
    gpus, driver = probe_gpus(environment={})

    assert driver == Driver(version="580.82.07", cuda_version="12.8")
    assert isinstance(gpus, tuple)
    (gpu,) = gpus
    assert isinstance(gpu, Gpu)
    assert (gpu.index, gpu.name, gpu.temperature_celsius, gpu.power_limit_watts) == (0, "Tesla T4", 43.0, 70.0)
    assert gpu.processes is not None
    assert GpuProcess(pid=77, memory_used_bytes=1048576) in gpu.processes
    assert gpu.unavailable == ()


@pytest.mark.parametrize(
    ("profile", "environment", "expected"),
    [
        pytest.param("t4", {}, [0], id="the only GPU, nothing set"),
        pytest.param("t4", {"CUDA_VISIBLE_DEVICES": "0"}, [None], id="something chooses devices"),
        pytest.param("t4", {"CUDA_VISIBLE_DEVICES": ""}, [None], id="something hides them"),
        pytest.param("eight-a100", {}, [None] * 8, id="CUDA may order several as it likes"),
    ],
)
def test_cuda_s_number_is_given_only_where_it_is_certain(
    profile: str, environment: dict[str, str], expected: list[int | None], plug_in: Plug
) -> None:
    plug_in(profile)
    gpus, _ = probe_gpus(environment=environment)

    assert isinstance(gpus, tuple)
    assert [gpu.cuda_index for gpu in gpus] == expected


def test_no_driver_is_no_gpu() -> None:
    assert probe_gpus() == ((), None)


def test_a_driver_that_refuses_is_unavailable_with_its_code(plug_in: Plug) -> None:
    plug_in("t4", "fail nvmlInitWithFlags = 9")

    assert probe_gpus() == (Unavailable(reason="driver_not_loaded", values=(("code", 9),)), None)


@pytest.mark.parametrize("total", ["0", str(2**64 - 1)])
def test_memory_that_is_none_or_a_sentinel_is_not_a_figure(total: str, plug_in: Plug) -> None:
    plug_in("t4", f"gpu0.memory_total = {total}")
    gpus, _ = probe_gpus()

    assert isinstance(gpus, tuple)
    assert gpus[0].memory is None
    assert gpus[0].unavailable == (("memory", "not_supported"),)
