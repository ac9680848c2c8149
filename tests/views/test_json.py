from __future__ import annotations

import dataclasses
import json as standard_json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

import colab_magics
import documents
from builders import (
    COLAB,
    CPU_RUNTIME,
    GIB,
    HUNG_DRIVER,
    JUPYTER,
    KAGGLE,
    KAGGLE_TORCH,
    MIG_IN_A_CONTAINER,
    MUTE_GPU,
    P100,
    SHARED,
    SILENT_DISK,
    V5E,
    a_ram,
    a_report,
    a_snapshot,
)
from colab_magics import model
from colab_magics.model import Platform, Severity, Snapshot, Subject, Unavailable
from colab_magics.report import Report
from colab_magics.requirement import check, parse
from colab_magics.values import Value
from colab_magics.views import json
from colab_magics.views.render_options import RenderOptions
from runtimes import IN_A_CONTAINER, OF_A_MACHINE, REPORTED, REVIEWED, SERVICES, at


def document(**changes: Any) -> Any:
    return documents.read(json.render(a_report(**changes)))


@pytest.mark.parametrize("case", REVIEWED)
def test_the_json_is_as_it_was_reviewed(case: str, golden: Callable[[str, str], None]) -> None:
    golden(f"{case}.json", json.render(a_report(**REPORTED[case])))


@pytest.mark.parametrize("everything", [False, True])
@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("case", REPORTED)
def test_every_report_is_of_the_schema_s_form(case: str, service: str | None, everything: bool) -> None:
    for subject in OF_A_MACHINE:
        report = a_report(subject, **at(service, REPORTED[case]))
        seen = documents.read(json.render(report, RenderOptions(everything=everything)))

        rules = [finding.rule for finding in report.findings if everything or finding.severity > Severity.HINT]
        assert [finding["rule"] for finding in seen["findings"]] == rules


@pytest.mark.parametrize(
    "section",
    sorted(
        {*Snapshot._fields} - {"taken_at", "driver", "visible_gpus", "samples", "cells", "session", "out_of_memory"}
    ),  # never `Unavailable`
)
def test_a_section_that_nobody_could_look_at_is_null_or_a_list_that_is_empty(section: str) -> None:
    why = Unavailable(code="unreadable", values=(("error", "OSError"),))
    seen = document(**{section: why})

    assert seen[section] == ([] if isinstance(document(**REPORTED["everything"]).get(section), list) else None)
    assert seen["unavailable"][section]["code"] == "unreadable"
    assert seen["unavailable"][section]["reason"] == "It could not be read (OSError)."


def test_a_report_is_one_document_with_form_version_and_time() -> None:
    seen = document()

    assert seen["schema"] == 2
    assert seen["version"] == colab_magics.__version__
    assert seen["taken_at"] == "2026-11-22T12:00:00.250Z"
    assert seen["subject"] == "runtime"
    assert seen["summary"].startswith("Tesla T4: 0.4 of 15.0 GiB used, ")
    assert seen["requirement"] is None
    assert seen["unavailable"] == {}


@pytest.mark.parametrize(
    ("section", "kind"),
    [
        ("platform", model.Platform),
        ("driver", model.Driver),
        ("gpus", model.Gpu),
        ("tpus", model.Tpu),
        ("frameworks", model.Framework),
        ("ram", model.Ram),
        ("disks", model.Disk),
        ("cpu", model.Cpu),
        ("samples", model.Sample),
    ],
)
def test_a_section_has_the_model_s_fields_in_their_order(section: str, kind: type[Value]) -> None:
    seen = document(**REPORTED["everything"])[section]
    one = seen[0] if isinstance(seen, list) else seen

    assert list(one) == list(kind._fields)


def test_a_gpu_has_the_model_s_fields_in_bytes_and_numbers() -> None:
    (gpu,) = document()["gpus"]

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
    assert gpu["unavailable"]["memory"] == {"code": "gpu_lost", "reason": "the GPU is lost"}


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
        "children_bytes": {"code": "counted_twice", "reason": "what they share is counted more than once"}
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
    finding = next(one for one in seen["findings"] if one["rule"] == "build_lacks_gpu_code")

    assert framework["architectures"] == list(KAGGLE_TORCH.architectures or ())
    assert framework["architectures_source"] == "package"
    assert framework["platform"] == "linux_x86_64"
    assert finding["severity"] == "error"
    assert finding["steps"] == ["Settings > Accelerator", "GPU T4 x2", "confirm in the dialog"]


def test_the_service_and_the_frontend_are_two_answers() -> None:
    local, own = document(platform=JUPYTER), document(platform=replace(COLAB, service="colab_local"))

    assert (local["platform"]["service"], local["platform"]["frontend"]["key"]) == (None, "jupyter")
    assert (own["platform"]["service"], own["platform"]["frontend"]["key"]) == ("colab_local", "colab_page")


def test_a_driver_that_fails_breaks_no_loop_over_the_gpus() -> None:
    seen = document(**HUNG_DRIVER)

    assert [gpu["name"] for gpu in seen["gpus"]] == []
    assert seen["driver"] is None
    assert seen["unavailable"]["gpus"] == {
        "code": "driver_silent",
        "reason": "The NVIDIA driver did not answer within 3 s.",
        "remedy": "Runtime > Disconnect and delete runtime, then Reconnect",
    }


def test_a_finding_carries_its_words() -> None:
    finding = document(**CPU_RUNTIME)["findings"][0]

    assert finding == {
        "rule": "no_gpu",
        "severity": "info",
        "message": "Not connected to a GPU.",
        "steps": ["Runtime > Change runtime type", "T4 GPU", "Save"],
        "consequences": [
            "This gives you a new machine: variables and files in /content are lost.",
            "Then run again from your first cell (%pip install, %load_ext).",
        ],
        "link": "https://colab.research.google.com/notebooks/gpu.ipynb",
    }


def test_hints_are_there_only_where_everything_is_wanted() -> None:
    report = a_report(**CPU_RUNTIME)
    levels = {finding["severity"] for finding in documents.read(report.to_json())["findings"]}
    all_levels = {finding["severity"] for finding in documents.read(report.to_json(everything=True))["findings"]}

    assert "hint" not in levels
    assert all_levels == levels | {"hint"}


def test_a_disk_that_is_silent_has_its_reason_by_field() -> None:
    (disk, shared) = document(disks=(SILENT_DISK, SHARED))["disks"]
    why = {"code": "mount_silent", "reason": "The file system did not answer within 1 s."}

    assert (disk["usage"], disk["free_bytes"]) == (None, None)
    assert disk["unavailable"] == {field: why for field, value in disk.items() if value is None}
    assert disk["unavailable"].keys() >= {"usage", "free_bytes"}
    assert shared["places"] == ["/dev/shm"]
    assert shared["unavailable"] == {}


def test_a_section_that_was_not_asked_for_is_not_there() -> None:
    snapshot = a_snapshot(ram=None, disks=None, cpu=None)
    seen = documents.read(json.render(Report(subject=Subject.GPU, snapshot=snapshot, findings=())))

    header = {"schema", "version", "taken_at", "subject", "summary", "unavailable", "findings", "requirement"}
    assert seen.keys() - header == {"platform", "driver", "gpus", "visible_gpus", "tpus"}


def test_the_samples_of_the_last_minutes_are_there_where_they_were_taken() -> None:
    (sample,) = document(**REPORTED["everything"])["samples"]

    assert sample == {
        "seconds_ago": 1.0,
        "ram_headroom_bytes": 8 * GIB,
        "kernel_bytes": GIB,
        "cpu_percent": 12.5,
        "gpus": [{"memory_used_bytes": GIB, "utilization_percent": None}],
    }
    assert "samples" not in document()


REQUIRED = [
    pytest.param(COLAB, "gpu=A100, ram>=10", False, ["unmet", "met"], id="another accelerator of Colab's"),
    pytest.param(COLAB, "gpu=T4|tpu", True, ["met"], id="met"),
    pytest.param(JUPYTER, "vram>=40, cc>=8", False, ["unmet", "unmet"], id="elsewhere"),
]


@pytest.mark.parametrize(("platform", "expression", "is_met", "states"), REQUIRED)
def test_a_requirement_has_its_verdict_clause_by_clause(
    platform: Platform, expression: str, is_met: bool, states: list[str]
) -> None:
    report = a_report(platform=platform)
    requirement = parse(expression)
    held = replace(report, verdict=check(requirement, report.snapshot))
    asked = documents.read(json.render(held))["requirement"]

    assert asked["expression"] == str(requirement)
    assert asked["met"] is is_met
    assert [clause["state"] for clause in asked["clauses"]] == states
    assert [clause["expression"] for clause in asked["clauses"]] == list(map(str, requirement.clauses))
    assert bool(asked["steps"]) is not is_met


def test_what_a_requirement_could_not_check_is_unknown_and_passes() -> None:
    report = a_report(**HUNG_DRIVER)
    held = replace(report, verdict=check(parse("vram>=15"), report.snapshot))
    asked = documents.read(json.render(held))["requirement"]

    assert asked["met"] is True
    assert asked["clauses"] == [{"expression": "vram >= 15 GB", "state": "unknown", "found": {"vram": None}}]


def test_the_schema_is_a_file_of_the_package_that_needs_no_network() -> None:
    schema = standard_json.loads(json.schema())

    assert schema["properties"]["schema"] == {"description": "The number of this form.", "enum": [2]}
    referred = set(re.findall(r'"\$ref": "([^"]*)"', json.schema()))
    assert {one for one in referred if not one.startswith("#/$defs/")} == {"#"}


def test_a_later_version_may_add_fields() -> None:
    Draft202012Validator(standard_json.loads(json.schema())).validate({**document(), "new": 1})


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"gpus": None}, "None is not of type 'array'"),
        ({"schema": 1}, "1 is not one of"),
        ({"findings": [{}]}, "is a required property"),
    ],
)
def test_a_document_of_another_form_is_told_from_one_of_this(changed: dict[str, Any], found: str) -> None:
    with pytest.raises(ValidationError, match=found):
        documents.read(standard_json.dumps({**document(), **changed}))
