from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from builders import GIB, MIB, T4, TORCH_MEMORY
from colab_magics.model import GpuMemory, GpuProcess, MigSlice
from colab_magics.model.holders import FrameworkMemory, GpuShares
from colab_magics.probes.gpu_shares import gpu_shares

MEMORY = GpuMemory(total_bytes=15 * GIB, used_bytes=13 * GIB, free_bytes=GIB, reserved_bytes=GIB)
TAKEN = 11 * GIB  # by TORCH_MEMORY


def a_process(size: int | None, **changes: Any) -> GpuProcess:
    plain: dict[str, Any] = {
        "pid": 7,
        "kinds": ("compute",),
        "is_here": True,
        "is_this_kernel": False,
        "name": "python",
    }
    return GpuProcess(**{**plain, "memory_used_bytes": size, **changes})


def this_kernel(size: int | None) -> GpuProcess:
    return a_process(size, is_this_kernel=True)


def a_gpu(*processes: GpuProcess, **changes: Any) -> Any:
    return replace(T4, **{"memory": MEMORY, "processes": processes, "cuda_index": 0, **changes})


def shares(*gpus: Any, frameworks: tuple[FrameworkMemory, ...] = (TORCH_MEMORY,)) -> GpuShares:
    (one,) = gpu_shares(gpus, frameworks)
    return one


def parts(one: GpuShares) -> tuple[int | None, int | None, int | None]:
    return one.context_bytes, one.other_processes_bytes, one.untold_bytes


def test_all_of_a_gpu_s_memory_is_divided() -> None:
    one = shares(a_gpu(this_kernel(TAKEN + 300 * MIB), a_process(GIB)))

    assert one == GpuShares(
        index=0,
        slice_index=None,
        total_bytes=15 * GIB,
        frameworks=(TORCH_MEMORY,),
        context_bytes=300 * MIB,
        other_processes_bytes=GIB,
        untold_bytes=13 * GIB - TAKEN - 300 * MIB - GIB,
        driver_bytes=GIB,
        free_bytes=GIB,
    )


@pytest.mark.parametrize(
    ("processes", "expected", "reason"),
    [
        pytest.param(None, (None, None, 2 * GIB), "processes_not_told", id="no list"),
        pytest.param(
            (a_process(12 * GIB, is_here=False),), (None, None, 2 * GIB), "processes_not_told", id="the host's"
        ),
        pytest.param((a_process(12 * GIB, is_here=None),), (None, None, 2 * GIB), "processes_not_told", id="whoever's"),
        pytest.param((this_kernel(None), a_process(None)), (None, None, 2 * GIB), "processes_not_told", id="no sizes"),
        pytest.param((this_kernel(None), a_process(GIB)), (None, GIB, GIB), "processes_not_told", id="not ours"),
        pytest.param(
            (this_kernel(13 * GIB), a_process(GIB)), (None, None, 2 * GIB), "impossible", id="over what is used"
        ),
        pytest.param((this_kernel(GIB),), (None, None, 2 * GIB), "impossible", id="less than its frameworks"),
    ],
)
def test_what_cannot_be_told_apart_stands_in_one_figure(
    processes: tuple[GpuProcess, ...] | None, expected: tuple[int | None, ...], reason: str
) -> None:
    one = shares(replace(a_gpu(), processes=processes))

    assert parts(one) == expected
    assert dict(one.unavailable)["context_bytes"] == reason


def test_other_processes_are_told_though_this_kernel_s_size_is_not() -> None:
    one = shares(a_gpu(this_kernel(TAKEN), a_process(None)))

    assert parts(one) == (0, None, 2 * GIB)
    assert dict(one.unavailable) == {"other_processes_bytes": "processes_not_told"}


def test_a_kernel_that_is_not_among_the_processes_has_nothing() -> None:
    one = shares(a_gpu(a_process(2 * GIB)), frameworks=())

    assert parts(one) == (0, 2 * GIB, 11 * GIB)
    assert one.unavailable == ()


def test_a_framework_that_does_not_tell_what_it_keeps_hides_the_context() -> None:
    tensorflow = replace(TORCH_MEMORY, framework="tensorflow", reserved_bytes=None)
    one = shares(a_gpu(this_kernel(12 * GIB)), frameworks=(tensorflow,))

    assert parts(one) == (None, 0, 4 * GIB)
    assert dict(one.unavailable) == {"context_bytes": "framework_not_told"}


def test_a_framework_s_figure_over_what_is_used_is_not_believed() -> None:
    one = shares(a_gpu(this_kernel(12 * GIB)), frameworks=(replace(TORCH_MEMORY, reserved_bytes=20 * GIB),))

    assert one.frameworks == ()
    assert parts(one) == (None, None, 13 * GIB)
    assert dict(one.unavailable)["frameworks"] == "impossible"


def test_a_driver_that_counts_its_share_as_used_leaves_it_untold() -> None:
    older = GpuMemory(total_bytes=15 * GIB, used_bytes=14 * GIB, free_bytes=GIB, reserved_bytes=None)
    one = shares(a_gpu(this_kernel(TAKEN), memory=older))

    assert one.driver_bytes is None
    assert dict(one.unavailable) == {"driver_bytes": "counted_as_used"}
    assert one.untold_bytes == 3 * GIB


def test_the_parts_always_make_up_the_whole() -> None:
    for processes in (None, (), (this_kernel(TAKEN),), (a_process(GIB),), (this_kernel(12 * GIB), a_process(GIB))):
        for frameworks in ((), (TORCH_MEMORY,), (replace(TORCH_MEMORY, reserved_bytes=None),)):
            one = shares(replace(a_gpu(), processes=processes), frameworks=frameworks)
            taken = sum(each.reserved_bytes or each.allocated_bytes or 0 for each in one.frameworks)
            known = [one.context_bytes, one.other_processes_bytes, one.untold_bytes, one.driver_bytes, one.free_bytes]
            assert taken + sum(size or 0 for size in known) == one.total_bytes


def test_frameworks_are_placed_by_cuda_s_number() -> None:
    first, second = a_gpu(cuda_index=1), a_gpu(index=1, cuda_index=0, uuid="GPU-2")
    divided = gpu_shares((first, second), (TORCH_MEMORY, replace(TORCH_MEMORY, device=1, framework="jax")))

    assert [[each.framework for each in one.frameworks] for one in divided] == [["jax"], ["torch"]]


def test_where_cuda_s_number_is_not_certain_the_gpu_s_name_is() -> None:
    first, second = a_gpu(cuda_index=None, uuid="GPU-1"), a_gpu(index=1, cuda_index=None, uuid="GPU-2")
    on_the_second = replace(TORCH_MEMORY, uuid="GPU-2")

    assert [one.frameworks for one in gpu_shares((first, second), (on_the_second,))] == [(), (on_the_second,)]


def test_what_cannot_be_placed_stands_by_itself() -> None:
    gpus = a_gpu(cuda_index=None), a_gpu(index=1, cuda_index=None)
    jax = replace(TORCH_MEMORY, framework="jax")
    *_, unplaced = gpu_shares(gpus, (TORCH_MEMORY, jax))

    assert (unplaced.index, unplaced.frameworks) == (None, (TORCH_MEMORY, jax))
    assert unplaced.total_bytes is None
    assert dict(unplaced.unavailable)["total_bytes"] == "gpu_not_certain"


def test_a_hidden_gpu_is_divided_without_this_kernel_s_frameworks() -> None:
    hidden = a_gpu(a_process(GIB), cuda_index=None, is_hidden=True)
    one, unplaced = gpu_shares((hidden,), (TORCH_MEMORY,))

    assert one.frameworks == ()
    assert unplaced.index is None


def test_mig_devices_are_divided_in_place_of_their_gpu() -> None:
    memory = GpuMemory(total_bytes=10 * GIB, used_bytes=2 * GIB, free_bytes=8 * GIB, reserved_bytes=0)
    part = MigSlice(index=3, cuda_index=0, name="MIG 1g.10gb", uuid="MIG-1", memory=memory, processes=())
    small = replace(TORCH_MEMORY, allocated_bytes=GIB, reserved_bytes=GIB)
    gpu = a_gpu(cuda_index=None, mig_enabled=True, slices=(part, replace(part, index=4, cuda_index=None)))

    first, second = gpu_shares((gpu,), (small,))

    assert (first.index, first.slice_index, first.frameworks) == (0, 3, (small,))
    assert (second.slice_index, second.frameworks, second.total_bytes) == (4, (), 10 * GIB)


def test_a_gpu_of_unified_memory_tells_what_its_frameworks_have() -> None:
    jetson = a_gpu(memory=None, unavailable=(("memory", "unified_memory"),))
    one = shares(jetson)

    assert one.frameworks == (TORCH_MEMORY,)
    assert one.total_bytes is None
    assert set(dict(one.unavailable).values()) == {"unified_memory"}


def test_a_lost_gpu_has_no_shares() -> None:
    lost = a_gpu(memory=None, processes=None, fault="gpu_lost", unavailable=(("memory", "gpu_lost"),))

    assert gpu_shares((lost,), ()) == ()
