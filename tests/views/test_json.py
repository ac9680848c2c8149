from __future__ import annotations

import dataclasses
import json as standard_json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from builders import (
    COLAB,
    CPU_RUNTIME,
    HUNG_DRIVER,
    JUPYTER,
    KAGGLE,
    KAGGLE_TORCH,
    MIG_IN_A_CONTAINER,
    MUTE_GPU,
    P100,
    SHARED,
    SILENT_DISK,
    T4,
    V5E,
    a_ram,
    a_report,
    a_snapshot,
)
from colab_magics import model
from colab_magics.model import Subject, Unavailable
from colab_magics.report import Report
from colab_magics.views import json
from runtimes import IN_A_CONTAINER, REPORTED, REVIEWED


def document(**changes: Any) -> Any:
    shown = json.render(a_report(**changes))
    assert "\n" not in shown
    return standard_json.loads(shown)


@pytest.mark.parametrize("case", REVIEWED)
def test_the_json_is_as_it_was_reviewed(case: str, golden: Callable[[str, str], None]) -> None:
    golden(f"{case}.json", json.render(a_report(**REPORTED[case])))


@pytest.mark.parametrize("case", REPORTED)
def test_every_report_is_one_line_of_ascii(case: str) -> None:
    for subject in Subject:
        shown = json.render(a_report(subject, **REPORTED[case]))

        assert shown.isascii()
        assert "\n" not in shown


def test_a_report_is_one_document_with_schema_and_time() -> None:
    seen = document()

    assert seen["schema"] == 1
    assert seen["taken_at"] == "2026-11-22T12:00:00.250Z"
    assert seen["platform"]["service"] == "colab"
    assert seen.keys() == {"schema", "taken_at", "platform", "driver", "gpus", "ram", "disk", "cpu", "advice"}


def test_a_gpu_has_the_model_s_fields_in_bytes_and_numbers() -> None:
    (gpu,) = document()["gpus"]

    assert gpu.keys() == {field.name for field in dataclasses.fields(model.Gpu)}
    assert gpu["memory"] == {
        "total_bytes": 15360 * 2**20,
        "used_bytes": 410 * 2**20,
        "free_bytes": 14502 * 2**20,
        "reserved_bytes": 448 * 2**20,
    }
    assert gpu["processes"][0]["pid"] == 1234
    assert gpu["processes"][0]["memory_used_bytes"] == 400 * 2**20
    assert gpu["power_watts"] == 9.3


def test_what_is_not_known_is_null_with_the_reason_beside_it() -> None:
    (gpu,) = document(gpus=(MUTE_GPU,))["gpus"]

    assert gpu["memory"] is None
    assert gpu["unavailable"]["memory"] == "the GPU is lost"


def test_ram_names_what_limits_it() -> None:
    ram = document()["ram"]

    assert ram["machine"].keys() == {"total_bytes", "used_bytes"}
    assert ram["limited_by"] == "machine"
    assert isinstance(ram["headroom_bytes"], int)
    assert isinstance(ram["kernel_bytes"], int)
    assert document(**IN_A_CONTAINER)["ram"]["capacity_bytes"] == 4 * 2**30
    assert document(**IN_A_CONTAINER)["ram"]["capacity_by"] == "cgroup_v2"
    unknown = a_ram(64.0, children_bytes=None, unavailable=(("children_bytes", "counted_twice"),))
    assert document(ram=unknown)["ram"]["unavailable"] == {
        "children_bytes": "what they share is counted more than once"
    }


def test_a_slice_stands_in_its_gpu() -> None:
    (gpu,) = document(gpus=(MIG_IN_A_CONTAINER,))["gpus"]
    (part,) = gpu["slices"]

    assert part["name"] == "NVIDIA H100 80GB HBM3 MIG 1g.10gb"
    assert part["unavailable"] == {}


def test_a_tpu_has_the_model_s_fields() -> None:
    assert document(tpus=(V5E,), **CPU_RUNTIME)["tpus"] == [{**dataclasses.asdict(V5E), "held_by": []}]


def test_what_a_framework_s_build_has_code_for_is_told_and_what_to_do_where_that_lacks() -> None:
    """docker-python#1546, kaggle-cli#1151: Kaggle's P100."""
    seen = document(platform=KAGGLE, gpus=(P100,), frameworks=(KAGGLE_TORCH,))
    (framework,) = seen["frameworks"]
    advice = next(one for one in seen["advice"] if one["rule"] == "build_lacks_gpu_code")

    assert framework["architectures"] == list(KAGGLE_TORCH.architectures or ())
    assert framework["architectures_source"] == "package"
    assert framework["platform"] == "linux_x86_64"
    assert advice["severity"] == "error"
    assert advice["steps"] == ["Settings > Accelerator", "GPU T4 x2", "confirm in the dialog"]


def test_where_there_is_no_service_the_frontend_stands_for_it() -> None:
    assert document(platform=JUPYTER)["platform"]["service"] == "jupyter"
    assert document(platform=replace(COLAB, service="colab_local"))["platform"]["service"] == "colab_local"


def test_a_platform_that_could_not_be_looked_at_says_why() -> None:
    seen = document(platform=Unavailable(code="unreadable", values=(("error", "OSError"),)))

    assert seen["platform"] == {"unavailable": {"reason": "It could not be read (OSError).", "remedy": None}}


def test_a_section_nobody_could_look_at_says_why_and_what_helps() -> None:
    seen = document(**HUNG_DRIVER)

    assert seen["gpus"] == {
        "unavailable": {
            "reason": "The NVIDIA driver did not answer within 3 s.",
            "remedy": "Runtime > Disconnect and delete runtime, then Reconnect",
        }
    }
    assert "driver" not in seen


def test_a_finding_carries_its_words() -> None:
    finding = document(**CPU_RUNTIME)["advice"][0]

    assert finding == {
        "rule": "no_gpu",
        "severity": "info",
        "finding": "Not connected to a GPU.",
        "steps": ["Runtime > Change runtime type", "T4 GPU", "Save"],
        "consequences": [
            "This gives you a new machine: variables and files in /content are lost.",
            "Then run again from your first cell (%pip install, %load_ext).",
        ],
        "link": "https://colab.research.google.com/notebooks/gpu.ipynb",
    }


def test_a_disk_that_is_silent_has_its_reason_by_field() -> None:
    (disk, shared) = json.document(a_report(disks=(SILENT_DISK, SHARED)))["disk"]

    assert (disk["usage"], disk["free_bytes"]) == (None, None)
    assert disk["unavailable"] == dict.fromkeys(("usage", "free_bytes"), "The file system did not answer within 1 s.")
    assert shared["places"] == ("/dev/shm",)


def test_a_section_that_was_not_asked_for_is_not_there() -> None:
    snapshot = a_snapshot(ram=None, disks=None, cpu=None)
    seen = json.document(Report(subject=Subject.GPU, snapshot=snapshot, findings=()))

    assert seen.keys() == {"schema", "taken_at", "platform", "driver", "gpus", "advice"}


def test_every_field_of_the_snapshot_is_in_the_document() -> None:
    seen = document()
    for section, kind in (("ram", model.Ram), ("cpu", model.Cpu), ("driver", model.Driver)):
        assert seen[section].keys() == {field.name for field in dataclasses.fields(kind)}
    fields = {field.name for field in dataclasses.fields(model.Platform)}
    assert seen["platform"].keys() == fields - {"frontend"}  # it stands as the service where there is none
    assert seen["disk"][0].keys() == {field.name for field in dataclasses.fields(model.Disk)}
    assert seen["disk"][0]["unavailable"] == {}
    assert T4.name == seen["gpus"][0]["name"]
