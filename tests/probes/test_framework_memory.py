from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from builders import GIB, MIB
from colab_magics.model.holders import FrameworkMemory
from colab_magics.probes.framework_memory import probe_framework_memory

UUID = "2d3c6a4e-1c7f-7a3e-9d2b-6f0a5b8c1d2e"


def a_module(name: str, **kept: object) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(kept)
    return module


def raises(*_arguments: object) -> Any:
    raise RuntimeError("CUDA driver initialization failed")


def told(framework: str, device: int, *figures: int | None, uuid: str | None = None) -> FrameworkMemory:
    allocated, reserved, peak = figures
    return FrameworkMemory(
        framework=framework,
        device=device,
        allocated_bytes=allocated,
        reserved_bytes=reserved,
        peak_bytes=peak,
        uuid=uuid,
    )


def by_name(*modules: ModuleType) -> dict[str, object]:
    return {module.__name__: module for module in modules}


def torch(*stats: dict[str, int], initialized: bool = True, **cuda: object) -> dict[str, object]:
    """PyTorch with that many devices, each with these counters."""
    kept = {"is_initialized": lambda: initialized, "memory_stats": stats.__getitem__, "device_count": raises, **cuda}
    counts = raises if not initialized else lambda: len(stats)
    return by_name(a_module("torch"), a_module("torch.cuda", **kept), a_module("torch._C", _cuda_getDeviceCount=counts))


def counters(allocated: object, reserved: object, peak: object) -> dict[str, Any]:
    return {
        "allocated_bytes.all.current": allocated,
        "allocated_bytes.all.peak": peak,
        "allocated_bytes.large_pool.current": 1,
        "num_ooms": 0,
        "reserved_bytes.all.current": reserved,
    }


def jax(*devices: object, backend: str = "cuda") -> dict[str, object]:
    client = SimpleNamespace(local_devices=lambda: list(devices))
    return by_name(a_module("jax._src.xla_bridge", _backends={"cpu": object(), backend: client}))


def jax_device(number: object, stats: dict[str, int] | None) -> SimpleNamespace:
    return SimpleNamespace(local_hardware_id=number, memory_stats=lambda: stats)


def tensorflow(stats: dict[str, dict[str, int]], *names: str, started: bool = True, gpus: int = 1) -> dict[str, object]:
    visible = [SimpleNamespace(device_type=name.split(":")[1], name=name) for name in names]
    context = SimpleNamespace(_initialized=started, _num_gpus=gpus, _visible_device_list=visible)
    return by_name(
        a_module("tensorflow.python.eager.context", _context=context),
        a_module("tensorflow.python.framework.config", get_memory_info=stats.__getitem__),
    )


def cupy(used: int, total: int, *, current: int = 0, count: int = 1) -> dict[str, object]:
    pool = SimpleNamespace(used_bytes=lambda: used, total_bytes=lambda: total)
    runtime = a_module(
        "cupy_backends.cuda.api.runtime",
        getDevice=lambda: current,
        getDeviceCount=lambda: count,
        setDevice=raises,
        memGetInfo=raises,
    )
    return by_name(a_module("cupy", _default_memory_pool=pool), runtime)


def a_root(folder: Path, *open_files: str) -> str:
    """A / where this process has these files open."""
    descriptors = folder / "proc/self/fd"
    descriptors.mkdir(parents=True)
    for number, file in enumerate(open_files):
        (descriptors / str(number)).symlink_to(file)
    return str(folder)


def test_where_nothing_is_loaded_nothing_is_told() -> None:
    assert probe_framework_memory(modules={}) == ()


def test_pytorch_tells_of_every_device_by_its_allocator() -> None:
    modules = torch(counters(9 * GIB, 11 * GIB, 10 * GIB), counters(0, 0, 0))

    assert probe_framework_memory(modules=modules) == (
        told("torch", 0, 9 * GIB, 11 * GIB, 10 * GIB),
        told("torch", 1, 0, 0, 0),
    )


def test_a_pytorch_that_has_not_opened_cuda_is_asked_nothing() -> None:
    assert probe_framework_memory(modules=torch(initialized=False, memory_stats=raises)) == ()


def test_pytorch_tells_which_gpu_it_means_where_it_knows() -> None:
    modules = torch(counters(1, 2, 3), get_device_properties=lambda _: SimpleNamespace(uuid=UUID))
    assert probe_framework_memory(modules=modules) == (told("torch", 0, 1, 2, 3, uuid=f"GPU-{UUID}"),)

    modules = torch(counters(1, 2, 3), get_device_properties=lambda _: SimpleNamespace(uuid="\x1b[31m"))
    assert probe_framework_memory(modules=modules) == (told("torch", 0, 1, 2, 3),)


def test_jax_tells_by_its_cuda_backend_alone() -> None:
    stats = {"bytes_in_use": 2 * GIB, "peak_bytes_in_use": 3 * GIB, "pool_bytes": 11 * GIB, "bytes_limit": 12 * GIB}

    assert probe_framework_memory(modules=jax(jax_device(1, stats))) == (told("jax", 1, 2 * GIB, 11 * GIB, 3 * GIB),)
    assert probe_framework_memory(modules=jax(jax_device(0, stats), backend="tpu")) == ()


def test_what_jax_s_allocator_does_not_tell_is_not_known() -> None:
    without_pool = jax_device(0, {"bytes_in_use": GIB, "peak_bytes_in_use": -1})

    assert probe_framework_memory(modules=jax(without_pool)) == (told("jax", 0, GIB, None, None),)
    assert probe_framework_memory(modules=jax(jax_device(0, None))) == (told("jax", 0, None, None, None),)
    assert probe_framework_memory(modules=jax(jax_device(None, {"bytes_in_use": GIB}))) == ()


def test_tensorflow_tells_what_it_uses_and_not_what_it_keeps() -> None:
    stats = {"GPU:0": {"current": GIB, "peak": 2 * GIB}, "GPU:1": {"current": 0, "peak": MIB}}
    visible = ("/physical_device:CPU:0", "/physical_device:GPU:1", "/physical_device:GPU:0")

    assert probe_framework_memory(modules=tensorflow(stats, *visible, gpus=2)) == (
        told("tensorflow", 1, GIB, None, 2 * GIB),
        told("tensorflow", 0, 0, None, MIB),
    )


def test_a_tensorflow_that_has_not_started_or_has_divided_a_gpu_is_asked_nothing() -> None:
    visible = "/physical_device:GPU:0"

    assert probe_framework_memory(modules=tensorflow({}, visible, started=False)) == ()
    assert probe_framework_memory(modules=tensorflow({}, visible, gpus=2)) == ()


def test_cupy_tells_of_its_current_device_alone(tmp_path: Path) -> None:
    root = a_root(tmp_path, "/dev/pts/0", "/dev/nvidiactl", "/dev/nvidia-uvm")

    assert probe_framework_memory(modules=cupy(MIB, GIB), environment={}, root=root) == (
        told("cupy", 0, MIB, GIB, None),
    )
    assert probe_framework_memory(modules=cupy(MIB, GIB, current=1, count=2), environment={}, root=root) == (
        told("cupy", 0, None, None, None),
        told("cupy", 1, MIB, GIB, None),
    )
    assert probe_framework_memory(modules=cupy(0, 0), environment={}, root=root) == ()


def test_cupy_is_not_asked_where_that_could_open_cuda(tmp_path: Path) -> None:
    modules = cupy(MIB, GIB)
    by_nvml_alone = a_root(tmp_path / "nvml", "/dev/nvidiactl", "/dev/nvidia0")
    opened = a_root(tmp_path / "cuda", "/dev/nvidia-uvm")

    assert probe_framework_memory(modules=modules, environment={}, root=by_nvml_alone) == ()
    assert probe_framework_memory(modules=modules, environment={"CUPY_GPU_MEMORY_LIMIT": "50%"}, root=opened) == ()
    assert probe_framework_memory(modules=modules, environment={"CUPY_GPU_MEMORY_LIMIT": "4096"}, root=opened)


@pytest.mark.parametrize(
    "figures",
    [
        pytest.param((5, 3, 9), id="more allocated than taken"),
        pytest.param((-1, -1, -1), id="below nothing"),
        pytest.param(("9 GiB", None, 1 << 60), id="no figures"),
        pytest.param((True, 1.5, [9]), id="of other types"),
    ],
)
def test_a_figure_that_cannot_be_is_not_known(figures: tuple[object, object, object]) -> None:
    (seen,) = probe_framework_memory(modules=torch(counters(*figures)))

    assert seen.allocated_bytes is None
    assert seen.reserved_bytes is None


def test_a_peak_below_what_is_allocated_is_not_known() -> None:
    (seen,) = probe_framework_memory(modules=torch(counters(5, 6, 4)))

    assert (seen.allocated_bytes, seen.peak_bytes) == (5, None)


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(torch(counters(1, 2, 3), memory_stats=raises), id="raises"),
        pytest.param(torch(counters(1, 2, 3), memory_stats=lambda _: None), id="tells nothing"),
        pytest.param(torch(counters(1, 2, 3), memory_stats="replaced"), id="no function"),
        pytest.param(by_name(a_module("torch.cuda", is_initialized=lambda: True)), id="half of it"),
    ],
)
def test_one_that_breaks_costs_only_itself(broken: dict[str, object]) -> None:
    modules = {**broken, **jax(jax_device(0, {"bytes_in_use": GIB}))}

    assert [seen.framework for seen in probe_framework_memory(modules=modules)] == ["jax"]


def test_somebody_who_counts_devices_without_end_is_not_believed() -> None:
    modules = torch(counters(1, 2, 3))
    vars(modules["torch._C"])["_cuda_getDeviceCount"] = lambda: 10**9

    assert probe_framework_memory(modules=modules) == ()


def test_nothing_is_imported_by_asking() -> None:
    code = (
        "import sys; from colab_magics.probes.framework_memory import probe_framework_memory as ask;"
        "before = {*sys.modules}; assert ask() == (); print({*sys.modules} - before)"
    )
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert seen.stdout.strip() == "set()"
