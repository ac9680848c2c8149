"""What of the child's answers is believed, held against what a real child with a fake driver writes."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from colab_magics.observer import client, devices, looks, nvml, samples, shapes
from colab_magics.views import messages
from fake_nvml import PROFILES, FakeDriver

Plug = Callable[..., FakeDriver]
Answer = dict[str, Any]

SLICED = (
    "gpus = 2",
    "gpu*.fan = 30",
    "gpu*.process = 5000001 1048576",
    "gpu*.process = 5000001 none G",
    "gpu*.process = 5000001 none M",
    "gpu*.process = 5000001 1048576",
    "gpu*.throttle_reasons = 0x1ff",
    "gpu*.mig = on",
    "gpu*.mig_slots = 1",
    "gpu0/mig0.uuid = MIG-00",
    "gpu0/mig0.name = NVIDIA A100-SXM4-40GB MIG 1g.5gb",
    "gpu0/mig0.memory_total = 5100273664",
    "gpu0/mig0.process = 5000004 4194304 C 1 0",
    "fail nvmlDeviceGetHandleByIndex_v2@gpu1 = 15",
)
"""A GPU with all that a report can ask for, and one that is lost."""

MACHINES: dict[str, tuple[str, tuple[str, ...]]] = {
    **{profile: (profile, ()) for profile in PROFILES},
    "sliced": ("eight-a100", SLICED),
    "refusing": ("t4", ("fail nvmlInitWithFlags = 9",)),
    "refusing without a word": ("t4", ("fail nvmlInitWithFlags = 77",)),
    "none": ("t4", ("gpus = 0",)),
    "silent about itself": ("t4", ("fail nvmlSystemGet* = 999",)),
    "at its bounds": (
        "t4",
        (
            "gpu0.memory_total = 0x1000000000000000",
            "gpu0.memory_used = 0x0800000000000000",
            "gpu0.memory_reserved = 0",
            "gpu0.process = 4294967295 0x1000000000000000",
            "gpu0.utilization_gpu = 100",
            "gpu0.utilization_memory = 100",
            "gpu0.temperature = 255",
            "gpu0.power_mw = 100000000",
            "gpu0.energy_mj = 1000000000000000000",
            "gpu0.clock_graphics = 100000",
            "gpu0.fan = 255",
            "gpu0.ecc_errors = 0xfffffffffffffffe",
            "gpu0.throttle_reasons = 0xfffffffffffffffe",
            f"gpu0.name = {'x' * 95}",
        ),
    ),
}


def asked(sample_every_seconds: float | None = None) -> Answer:
    """Return what the child writes, whether it is believed or not."""
    believed = shapes.is_answer
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shapes, "is_answer", lambda _: True)
        answer = client.ask(deadline_seconds=10, sample_every_seconds=sample_every_seconds)
    assert shapes.is_answer is believed
    assert isinstance(answer, dict), answer
    return answer


@pytest.mark.parametrize("machine", MACHINES)
def test_what_a_child_tells_of_a_machine_is_believed(machine: str, plug_in: Plug) -> None:
    profile, lines = MACHINES[machine]
    plug_in(profile, *lines)

    assert shapes.is_answer(asked(1.0))
    assert shapes.is_answer(asked())


def test_a_machine_without_a_driver_is_believed() -> None:
    assert shapes.is_answer(asked(1.0))


def test_a_look_is_believed() -> None:
    assert shapes.is_look({"begun": True})
    assert shapes.is_look({"figures": looks.file_system("/")})
    assert shapes.is_look({"figures": dict.fromkeys(looks.file_system("/"), 2**64 - 1)})
    assert shapes.is_look({"error": "No such file or directory"})
    assert shapes.is_look({"silent_seconds": 0.5})
    assert shapes.is_stage({"stage": "up"})
    assert shapes.is_stage({"stage": "loading"})


def test_as_many_as_the_child_sends_are_believed() -> None:
    fields = (*devices._STATIC_FIELDS, *devices._FIELDS, *devices._RECENT, "uuid")
    gpu = {"index": 0, "fault": "gpu_lost", **dict.fromkeys(fields)}
    gpu |= {"slices": [], "unavailable": {}}
    sample = dict.fromkeys(("ram_headroom_bytes", "kernel_bytes", "cpu_percent")) | {"seconds_ago": 0.0, "gpus": []}
    answer = {
        "driver": {"version": None, "cuda_version": None, "has_cuda_library": None},
        "gpus": [{**gpu, "index": index} for index in range(devices._MOST_GPUS)],
        "samples": [sample] * (samples.SENT_SAMPLES + 2),
    }

    assert shapes.is_answer(answer)
    assert shapes._MOST_SLICES >= devices._MOST_SLICES


def test_a_version_at_its_bounds_is_believed() -> None:
    most = devices._MOST_OF_A_VERSION
    assert shapes._VERSION.fullmatch(f"{most}.{most}")
    assert shapes._VERSION.fullmatch(f"{nvml._MOST_CUDA_VERSION // 1000}.{nvml._MOST_CUDA_VERSION % 1000 // 10}")


# Words --------------------------------------------------------------------------------------------------------------


def reasons_in(*modules: Any) -> set[str]:
    """Return every reason that stands in a module: what `Refused` is given, and what is kept as "unavailable"."""
    found = set()
    for module in modules:
        for node in ast.walk(ast.parse(Path(module.__file__).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Refused":
                found |= {given.value for given in node.args[:1] if isinstance(given, ast.Constant)}
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
                into = [one for one in node.targets if isinstance(one, ast.Subscript)]
                found |= {node.value.value for one in into if ast.unparse(one.value) == "unavailable"}
    return found


def test_the_reasons_are_those_that_the_child_gives() -> None:
    assert {*nvml._REASONS.values(), *reasons_in(nvml, devices)} == shapes.REFUSALS


def test_every_reason_has_words() -> None:
    assert messages.FIELD_REASONS.keys() >= shapes.FIELD_REASONS
    assert messages.FIELD_REASONS.keys() | messages.REASONS.keys() >= shapes.REFUSALS


@pytest.mark.parametrize("code", ["driver_resting", "from_another_version", "nvml_error_x", "nvml_error_" + "1" * 11])
def test_a_reason_that_nobody_gives_is_nonsense(code: str, plug_in: Plug) -> None:
    """Its sentence would be missing, or need values that are not there."""
    plug_in("t4")
    answer = asked()
    for change in ({"unavailable": {"name": code}}, {"fault": code}):
        assert not shapes.is_answer({**answer, "gpus": [{**answer["gpus"][0], **change}]})

    assert not shapes.is_answer({"refused": {"reason": code, "code": 3, "library": None}})
    assert shapes.is_answer({"refused": {"reason": "nvml_error_77", "code": 77, "library": None}})


# Wrong fields and values --------------------------------------------------------------------------------------------

WRONG: tuple[Any, ...] = (
    True, -1, 2**64, 10**400, -1.5, 1e300, float("nan"), float("inf"), "x" * 300, "Driver: \x1b[31m", ["x"] * 100_001,
    [None], {"x": 1}, [[]],
)  # fmt: skip
"""What is right for hardly any field."""

RIGHT: dict[str, tuple[Any, ...]] = {
    "name": ("Driver: \x1b[31m",),  # whatever a driver says is shown, made printable
    "uuid": ("Driver: \x1b[31m",),
    "instance": ("Driver: \x1b[31m",),
    "pci_bus_id": ("Driver: \x1b[31m",),
    "architecture": ("Driver: \x1b[31m",),
    "virtualization": ("Driver: \x1b[31m",),
    "version": ("Driver: \x1b[31m",),
    "library": ("Driver: \x1b[31m",),
    "error": ("Driver: \x1b[31m",),
    "ecc_enabled": (True,),
    "persistence_enabled": (True,),
    "mig_enabled": (True,),
    "has_cuda_library": (True,),
    "begun": (True,),
    "code": (-1,),
}


def places(found: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Return the way to everything that is in an answer."""
    inner = found.items() if isinstance(found, dict) else enumerate(found) if isinstance(found, list) else ()
    for key, value in inner:
        yield (*path, key)
        yield from places(value, (*path, key))


def changed(answer: Answer, path: tuple[Any, ...], change: Callable[[Any, Any], None]) -> Answer:
    """Return an answer in which something was done to what holds the end of a path."""
    whole = copy.deepcopy(answer)
    holder = whole
    for key in path[:-1]:
        holder = holder[key]
    change(holder, path[-1])
    return whole


def check_all(answer: Answer, is_believed: Callable[[Answer], bool]) -> None:
    """Spoil an answer wherever it can be spoilt."""
    assert is_believed(answer)
    for path in places(answer):
        name = path[-1]
        for wrong in WRONG:
            if not any(wrong is right or wrong == right for right in RIGHT.get(name, ())):
                spoilt = changed(answer, path, lambda holder, key, wrong=wrong: holder.__setitem__(key, wrong))
                assert not is_believed(spoilt), (path, str(wrong)[:20])
        if isinstance(name, str) and "unavailable" not in path[-2:-1] and name != "samples":
            assert not is_believed(changed(answer, path, lambda holder, key: holder.pop(key))), path
        if isinstance(name, str):
            assert not is_believed(changed(answer, path, lambda holder, _: holder.update(another=1))), path


def test_every_field_of_an_answer_has_its_shape(plug_in: Plug) -> None:
    plug_in("eight-a100", *SLICED)
    answer = asked(1.0)
    gpu, lost = answer["gpus"]
    assert gpu["slices"][0]["processes"]
    assert gpu["processes"] == [{"pid": 5000001, "memory_used_bytes": 1048576, "kinds": ["compute", "graphics", "mps"]}]
    assert gpu["slowdown_reasons"]
    assert answer["samples"][0]["gpus"]
    lost["unavailable"] = {"name": "gpu_lost"}  # one of forty that are alike

    check_all(answer, shapes.is_answer)


def test_every_field_of_a_refusal_has_its_shape(plug_in: Plug) -> None:
    plug_in("t4", "fail nvmlInitWithFlags = 9")

    check_all(asked(), shapes.is_answer)


def test_every_field_where_there_is_no_driver_has_its_shape() -> None:
    check_all(asked(), shapes.is_answer)


@pytest.mark.parametrize(
    "answer",
    [
        {"begun": True},
        {"figures": looks.file_system("/")},
        {"error": "No such file or directory"},
        {"silent_seconds": 0.5},
    ],
    ids=["begun", "figures", "error", "silent"],
)
def test_every_field_of_a_look_has_its_shape(answer: Answer) -> None:
    check_all(answer, shapes.is_look)


SPAN = {
    "seconds": 1.5,
    "looks": 12,
    "kernel_peak_bytes": 2**30,
    "gpus": [
        {
            "index": 0,
            "name": "Tesla T4",
            "busy_percent": 84.5,
            "busy_source": "driver",
            "memory_before_bytes": 0,
            "memory_after_bytes": 1,
            "memory_peak_bytes": 2,
            "memory_total_bytes": 3,
            "energy_joules": 70.5,
            "slowdown_reasons": ["idle", "power_cap"],
            "unavailable": {},
        }
    ],
    "without": None,
}


@pytest.mark.parametrize("answer", [{"span": SPAN}, {"span": None}, {"begun": True}], ids=["span", "unknown", "begun"])
def test_every_field_of_an_answer_about_a_span_has_its_shape(answer: Answer) -> None:
    check_all(answer, shapes.is_about_a_span)


@pytest.mark.parametrize("code", sorted(shapes.SPAN_REASONS - shapes.FIELD_REASONS))
def test_a_reason_of_a_span_is_one_of_its_gpus_alone(code: str, plug_in: Plug) -> None:
    plug_in("t4")
    answer = asked()
    (work,) = SPAN["gpus"]  # type: ignore[misc, attr-defined]

    assert code in messages.FIELD_REASONS
    assert shapes.is_about_a_span({"span": {**SPAN, "gpus": [{**work, "unavailable": {"name": code}}]}})
    assert not shapes.is_about_a_span({"span": {**SPAN, "gpus": [{**work, "unavailable": {"other": code}}]}})
    assert not shapes.is_answer({**answer, "gpus": [{**answer["gpus"][0], "unavailable": {"name": code}}]})


def test_the_gpus_of_a_span_are_numbered() -> None:
    assert not shapes.is_about_a_span({"span": {**SPAN, "gpus": [*SPAN["gpus"], *SPAN["gpus"]]}})  # type: ignore[misc]


def test_figures_that_cannot_be_together_are_nonsense(plug_in: Plug) -> None:
    plug_in("t4")
    answer = asked()
    (gpu,) = answer["gpus"]
    memory = gpu["memory"]
    for change in (
        {"memory": {**memory, "total_bytes": 0}},
        {"memory": {**memory, "used_bytes": memory["total_bytes"] + 1}},
        {"memory": {**memory, "free_bytes": memory["total_bytes"] + 1}},
        {"index": 1},
        {"unavailable": {"another": "not_supported"}},
    ):
        assert not shapes.is_answer({**answer, "gpus": [{**gpu, **change}]}), change

    assert not shapes.is_answer({**answer, "gpus": [gpu, gpu]})
    assert not shapes.is_answer({**answer, "library": "broken"})
    assert not shapes.is_answer({**answer, "driver": None})
    assert not shapes.is_answer({"driver": None, "gpus": [], "library": "loads"})
    assert not shapes.is_answer({})
