from __future__ import annotations

import dataclasses
from dataclasses import replace
from typing import Any

import pytest

from builders import (
    A100,
    COLAB,
    DISK,
    DRIVER,
    GB10,
    GIB,
    JUPYTER,
    KAGGLE,
    KAGGLE_TORCH,
    MIG_IN_A_CONTAINER,
    MUTE_GPU,
    RAM,
    RAM_IN_FULL,
    SHARED,
    SILENT_DISK,
    T4,
    TORCH,
    TORCH_CPU,
    V5E,
    a_ram,
    a_snapshot,
)
from colab_magics import facts
from colab_magics.model import Cpu, Gpu, Unavailable
from colab_magics.translation import translator
from colab_magics.views import details
from runtimes import IN_A_CONTAINER, REPORTED, SERVICES, at

ENGLISH = translator("en")


def sections(**changes: Any) -> dict[str, list[tuple[str, str]]]:
    return dict(details.sections(a_snapshot(**changes), ENGLISH))


def rows(title: str, **changes: Any) -> dict[str, str]:
    return dict(sections(**changes)[title])


def test_sections_come_in_reading_order() -> None:
    assert list(sections(tpus=(V5E,), frameworks=(TORCH,))) == [
        "GPU 0",
        "NVIDIA driver",
        "TPU 0",
        "torch",
        "RAM",
        "Processors",
        "Disk: /, working directory",
        "Platform",
        "Lifetimes as published",
        "Runtime versions",
        "To change the accelerator elsewhere",
    ]


@pytest.mark.parametrize("case", REPORTED)
def test_no_row_is_empty(case: str) -> None:
    for title, found in sections(**REPORTED[case]).items():
        assert title
        assert found
        assert all(name and value for name, value in found)


def test_every_field_of_a_gpu_has_a_row_that_says_why_it_is_not_known() -> None:
    found = [value for _, value in sections(gpus=(MUTE_GPU,))["GPU 0"]]
    # `recent_busy_percent` and `recent_seconds` share a row.
    known = {"index", "cuda_index", "is_hidden", "slices", "fault"}  # a fault is found, and every row has it as reason
    unknown = {field.name for field in dataclasses.fields(Gpu)} - known

    assert found.count("not available: the GPU is lost") >= len(
        unknown - {"unavailable", "processes", "recent_busy_percent"}
    )
    assert rows("GPU 0", gpus=(GB10,))["memory"] == "not available: this GPU shares the machine's RAM"


def test_a_gpu_that_cuda_does_not_number_says_why() -> None:
    assert rows("GPU 0")["number in CUDA"] == "cuda:0"
    assert rows("GPU 0", gpus=(replace(T4, cuda_index=None),))["number in CUDA"] == (
        "not available: it cannot be told for certain"
    )
    hidden = replace(T4, cuda_index=None, is_hidden=True)
    assert rows("GPU 0", gpus=(hidden,))["number in CUDA"] == "hidden by CUDA_VISIBLE_DEVICES"


def test_what_slows_a_gpu_down_is_said_in_words() -> None:
    causes = replace(T4, slowdown_reasons=("thermal_hardware", "unknown_8"))

    assert rows("GPU 0")["slowed down by"] == "nothing"
    assert rows("GPU 0", gpus=(causes,))["slowed down by"] == "too hot (hardware), unknown 8"


def test_a_driver_that_counts_its_own_share_as_used_is_said_to() -> None:
    old = replace(T4, memory=replace(T4.memory, reserved_bytes=None))

    assert rows("GPU 0")["memory"] == "0.4 of 15.0 GiB used, 14.2 GiB free, 448 MiB reserved by the driver"
    assert rows("GPU 0", gpus=(old,))["memory"].endswith("what this driver reserves counts as used")


@pytest.mark.parametrize(("is_here", "said"), [(True, "yes"), (False, "no"), (None, "not available")])
def test_whether_cuda_s_library_is_here_is_said_of_the_driver(is_here: bool | None, said: str) -> None:
    driver = replace(DRIVER, cuda_version=None, has_cuda_library=is_here)

    assert rows("NVIDIA driver", driver=driver) == {
        "version": "580.82.07",
        "newest CUDA it can run": "not available",
        "CUDA's library is here": said,
    }


def test_slices_and_why_they_are_not_listed_have_rows() -> None:
    assert "MIG 2  NVIDIA H100" in rows("GPU 0", gpus=(MIG_IN_A_CONTAINER,))["slice"]
    unlisted = replace(A100, unavailable=(("slices", "no_permission"),))
    assert rows("GPU 0", gpus=(unlisted,))["slice"] == "not available: no permission"


def test_a_framework_s_build_is_said() -> None:
    untold = replace(TORCH, cuda_version=None)

    assert rows("torch", frameworks=(TORCH,))["build"] == "for CUDA 12.8"
    assert rows("torch", frameworks=(TORCH_CPU,))["build"] == "without CUDA"
    assert rows("torch", frameworks=(untold,))["build"] == "not available: its package does not tell"


def test_a_framework_s_build_says_what_it_has_code_for_and_where_that_is_from() -> None:
    words = "sm_70, sm_75, sm_80, sm_86, sm_90, sm_100, sm_120"
    published = replace(KAGGLE_TORCH, architectures_source="published")

    assert "code for" not in rows("torch", frameworks=(TORCH,))
    assert rows("torch", frameworks=(KAGGLE_TORCH,))["code for"] == words
    assert rows("torch", frameworks=(published,))["code for"] == f"{words} (as published)"


def test_ram_has_the_machine_s_figures_and_the_limit_that_bites() -> None:
    contained = rows("RAM", **IN_A_CONTAINER)

    assert rows("RAM")["can still be allocated"] == "8.1 GiB, limited by the machine"
    assert contained["machine"] == "6.4 of 64.0 GiB used"
    assert contained["can still be allocated"] == (
        "256 MiB, limited by the container's 4.0 GiB (cgroup v2, 1 above its own)"
    )
    own = replace(RAM, limited_by="cgroup_v1", limit_level=0, limit_bytes=2 * GIB)
    assert rows("RAM", ram=own)["can still be allocated"].endswith("the container's 2.0 GiB (cgroup v1, its own)")


def test_what_there_is_in_all_has_a_row_where_it_is_less_than_the_machine_s() -> None:
    assert "for this process in all" not in rows("RAM")
    assert rows("RAM", **IN_A_CONTAINER)["for this process in all"] == "4.0 GiB, limited by the container's limit"


def test_limits_that_are_no_container_s_are_named() -> None:
    own = rows("RAM", ram=a_ram(64.0, limited_by="rlimit_as", limit_bytes=2 * GIB, headroom_bytes=GIB))
    promised = rows("RAM", ram=a_ram(64.0, limited_by="commit", limit_bytes=32 * GIB, headroom_bytes=GIB))

    assert own["for this process in all"] == "2.0 GiB, limited by this process's own limit (ulimit -v)"
    assert own["can still be allocated"] == "1.0 GiB, limited by this process's own limit (ulimit -v): 2.0 GiB"
    assert promised["can still be allocated"] == (
        "1.0 GiB, limited by what the machine promises (vm.overcommit_memory=2): 32.0 GiB"
    )


def test_what_cannot_be_says_why() -> None:
    unknown = replace(
        RAM,
        kernel_bytes=None,
        children_bytes=None,
        unavailable=(("kernel_bytes", "impossible"), ("children_bytes", "counted_twice")),
    )

    assert rows("RAM", ram=unknown)["this kernel"] == "not available: what this system tells of it cannot be"
    assert rows("RAM", ram=unknown)["its child processes"] == (
        "not available: what they share is counted more than once"
    )


def test_readings_that_are_expensive_have_rows_where_they_were_taken() -> None:
    assert "your other kernels" not in rows("RAM")
    assert rows("RAM", ram=RAM_IN_FULL)["your other kernels"] == "1"
    assert rows("RAM", ram=RAM_IN_FULL)["kernel with process number 812"] == "900 MiB"


def test_a_container_s_quota_of_cores_may_be_a_fraction() -> None:
    cpu = Cpu(usable_cores=1.5, logical_cores=8, quota_cores=1.5, load_average=None)

    assert rows("Processors", cpu=cpu) == {
        "usable": "1.5 cores",
        "machine": "8 cores",
        "quota": "1.5 cores",
        "load of the last minute": "not available",
    }
    assert rows("Processors")["quota"] == "none"


def test_every_disk_has_a_section() -> None:
    data = replace(DISK, places=("working directory",), free_bytes=GIB)

    assert rows("Disk: working directory", disks=(replace(DISK, places=("/",)), data))["free"] == "1.0 GiB"


def test_shared_memory_has_a_section_by_its_name() -> None:
    shown = rows("Shared memory: /dev/shm", disks=(DISK, SHARED))

    assert shown == {
        "space": "0.0 of 5.7 GiB used",
        "free": "5.7 GiB",
        "read-only": "no",
        "files that it can hold": "1664540",
        "files that can still be made": "1664539",
    }


def test_a_disk_that_does_not_answer_says_so_in_every_row() -> None:
    shown = rows("Disk: working directory", disks=(SILENT_DISK,))

    assert set(shown.values()) == {"not available: The file system did not answer within 1 s."}
    uncounted = rows("Disk: /, working directory", disks=(replace(DISK, total_inodes=None, free_inodes=None),))
    assert uncounted["files that can still be made"] == "not available: it does not count them"


def test_the_platform_says_what_a_kernel_does_not_see_on_colab_alone() -> None:
    assert rows("Platform")["not visible to a kernel"] == (
        "plan, compute units, browser or VS Code; see Runtime > View resources"
    )
    assert rows("Platform")["image"] == COLAB.image
    assert rows("Platform", platform=JUPYTER)["service"] == "Jupyter"
    assert not {"not visible to a kernel", "image"} & rows("Platform", platform=JUPYTER).keys()


@pytest.mark.parametrize("service", SERVICES, ids=str)
def test_what_was_published_of_a_service_is_shown_there(service: str | None) -> None:
    titles = sections(**at(service, {}))
    has_limits = any(limit.service == service for limit in facts.limits())

    assert ("Lifetimes as published" in titles) == has_limits
    assert ("To change the accelerator elsewhere" in titles) == (service == "colab")


def test_a_new_way_to_an_accelerator_is_shown_without_a_change_of_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    newest = replace(facts.other_menus()[0], place="colab_phone", label="Colab on a phone", path=("Tap", "Hold"))
    monkeypatch.setattr(facts, "other_menus", lambda: (newest,))

    shown = rows("To change the accelerator elsewhere")
    assert shown["Colab on a phone"].startswith("Tap > Hold (None, GPU, TPU); ")


def test_a_new_limit_of_a_unit_nobody_knows_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    newest = replace(facts.limits()[0], key="weekly", service="kaggle", value=3, unit="fortnights", applies="at most")
    monkeypatch.setattr(facts, "limits", lambda: (newest,))

    assert rows("Lifetimes as published", platform=KAGGLE) == {"3 fortnights": f"at most (read {newest.date})"}


def test_a_section_that_nobody_could_look_at_says_why_but_for_the_gpus() -> None:
    unreadable = Unavailable(code="unreadable", values=(("error", "OSError"),))
    changes = {"gpus": unreadable, "tpus": unreadable, "frameworks": unreadable, "ram": unreadable, "cpu": unreadable}
    found = sections(**changes, disks=unreadable, platform=unreadable, driver=None)

    assert found == {
        title: [("not available", "It could not be read (OSError).")]
        for title in ("TPU", "Frameworks", "RAM", "Processors", "Disk", "Platform")
    }
