"""Where looking and judging meet: what each report looks at, what a look that fails costs, how a report is shown."""

from __future__ import annotations

import importlib
import pickle
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import nbformat
import pytest
from rich.console import Console

import documents
from builders import (
    A_CELL,
    COLAB,
    CPU,
    DISK,
    DRIVER,
    EIGHT_A100,
    FRAME,
    GIB,
    HOLDERS,
    MIB,
    SHARED,
    T4,
    T4_SHARES,
    TORCH,
    TORCH_MEMORY,
    V5E,
    WEIGHTS,
    a_ram,
    a_report,
)
from colab_magics import RequirementSyntaxError, report
from colab_magics.model import Package, Platform, Ram, Severity, Snapshot, State, Subject, Unavailable
from colab_magics.model.holders import Holder, Holders, OnDevice
from colab_magics.observer import client
from colab_magics.probes import framework_memory
from colab_magics.probes import holders as probes_holders
from colab_magics.probes.gpu import Seen
from colab_magics.report import Held, Report
from colab_magics.requirement import check, parse
from colab_magics.views import html, text
from colab_magics.views.render_options import RenderOptions
from fake_nvml import FakeDriver
from markup import Markup
from runtimes import OF_A_MACHINE

PROBES = {
    "platform": "platform.probe_platform",
    "gpus": "gpu.probe_gpus",
    "tpus": "tpu.probe_tpus",
    "frameworks": "frameworks.probe_frameworks",
    "ram": "ram.probe_ram",
    "cpu": "cpu.probe_cpu",
    "disks": "disk.probe_disks",
}
"""The looks that a report is made of: each fills the section of this name."""

LOOKS: dict[str, Callable[[], Report]] = {
    "gpu_info": lambda: report.gpu_info(shell_class=None),
    "ram_info": lambda: report.ram_info(shell_class=None),
    "runtime_status": lambda: report.runtime_status(shell_class=None),
    "a panel's look": lambda: report.watch(Subject.RUNTIME, shell_class=None, sample_every_seconds=1.0),
}
LOOKED_AT = {
    "gpu_info": {"platform", "gpus", "tpus", "frameworks"},
    "ram_info": {"platform", "gpus", "tpus", "ram"},
    "runtime_status": set(PROBES),
    "a panel's look": set(PROBES),
}
NEEDS = {
    ("frameworks", "gpus"): LOOKS.keys(),  # they matter for a GPU alone
    ("gpus", "platform"): {"ram_info"},  # they matter for the RAM on Colab alone, where there is much of it
    ("gpus", "ram"): {"ram_info"},
    ("tpus", "platform"): {"ram_info"},
    ("tpus", "ram"): {"ram_info"},
}
"""What is looked at only where something else was seen, and in which reports that is so."""

SECRET = "/home/somebody/a_private_thing"

TITLES = {
    "gpus": "GPU 0",
    "tpus": "TPU 0",
    "frameworks": "torch",
    "ram": "RAM",
    "cpu": "Processors",
    "disks": "Disk: /, working directory",
    "platform": "Platform",
}
"""The titles of the sections where every field is shown."""

WORDS = {"gpus": "Tesla T4", "ram": "RAM", "cpu": "2 cores", "disks": "69.6 GiB", "platform": "Python 3.13.15"}
"""What the short form says of a section, where it says anything."""

ASKED = {
    "platform": ["python>=3.11"],
    "gpus": ["gpu=T4", "gpus>=1", "vram>=15", "vram_free>=1", "cc>=7.5", "cuda>=12", "driver>=550"],
    "tpus": ["tpu"],
    "ram": ["ram>=20", "ram_free>=1"],
    "disks": ["disk>=1", "shm>=1"],
    "cpu": ["cores>=1"],
}
"""Requirements about a section."""


def swap(monkeypatch: pytest.MonkeyPatch, section: str, probe: Callable[..., Any]) -> None:
    module, name = PROBES[section].split(".")
    monkeypatch.setattr(importlib.import_module(f"colab_magics.probes.{module}"), name, probe)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with everything, and so much RAM that its accelerator counts for whether that is much."""
    monkeypatch.setattr(client, "start", lambda **_: None)
    there = {
        "platform": COLAB,
        "gpus": Seen((T4,), DRIVER, visible_gpus=1, samples=()),
        "tpus": (V5E,),
        "frameworks": (TORCH,),
        "ram": a_ram(50),
        "cpu": CPU,
        "disks": (DISK, SHARED),
    }
    for section, seen in there.items():
        swap(monkeypatch, section, lambda seen=seen, **_: seen)


def break_look(monkeypatch: pytest.MonkeyPatch, section: str) -> None:
    def fail(**_: object) -> None:
        raise LookupError(SECRET)

    swap(monkeypatch, section, fail)


def looked_at(seen: Report) -> set[str]:
    return {section for section in PROBES if getattr(seen.snapshot, section) is not None}


def blocks(shown: str) -> dict[str, str]:
    """Return the sections of a report that shows every field, by their titles."""
    return dict(block.split("\n", maxsplit=1) for block in shown.split("\n\n")[1:])


EVERY_LOOK_OF_EVERY_REPORT = [
    pytest.param(name, section, id=f"{section} in {name}")
    for name, sections in LOOKED_AT.items()
    for section in PROBES
    if section in sections
]


# A look that fails ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "broken"), EVERY_LOOK_OF_EVERY_REPORT)
@pytest.mark.usefixtures("machine")
def test_a_look_that_fails_costs_its_section_alone(name: str, broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = LOOKS[name]().snapshot
    break_look(monkeypatch, broken)
    seen = LOOKS[name]().snapshot

    lost = getattr(seen, broken)
    assert isinstance(lost, Unavailable)
    assert lost.code == "unexpected"
    assert dict(lost.values).keys() == {"error", "where"}
    assert dict(lost.values)["error"] == "LookupError"
    assert re.fullmatch(r"report\.py:\d+", str(dict(lost.values)["where"]))
    for section in LOOKED_AT[name] - {broken}:
        is_looked_at = name not in NEEDS.get((section, broken), ())
        assert getattr(seen, section) == (getattr(whole, section) if is_looked_at else None), section


@pytest.mark.parametrize(("name", "broken"), EVERY_LOOK_OF_EVERY_REPORT)
@pytest.mark.usefixtures("machine")
def test_every_other_section_is_in_json_as_before(name: str, broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = documents.read(LOOKS[name]().to_json())
    break_look(monkeypatch, broken)
    shown = LOOKS[name]().to_json()
    told = documents.read(shown)

    reason = told["unavailable"][broken]["reason"]
    assert told["unavailable"][broken]["code"] == "unexpected"
    assert told[broken] == whole[broken][:0] if isinstance(whole[broken], list) else told[broken] is None
    assert re.fullmatch(r"A mistake in colab_magics kept it from being read \(LookupError, report\.py:\d+\)\.", reason)
    for section in LOOKED_AT[name] - {broken}:
        if name not in NEEDS.get((section, broken), ()):
            assert told[section] == whole[section]
    assert SECRET not in shown


@pytest.mark.parametrize(("name", "broken"), EVERY_LOOK_OF_EVERY_REPORT)
@pytest.mark.usefixtures("machine")
def test_every_other_section_is_shown_in_full_as_before(
    name: str, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = RenderOptions(everything=True)
    whole = blocks(text.render(LOOKS[name](), options))
    break_look(monkeypatch, broken)
    seen = LOOKS[name]()
    shown, page = text.render(seen, options), html.render(seen, options)
    sections = blocks(shown)

    about = LOOKED_AT[name] - ({"gpus", "tpus"} if name == "ram_info" else set())
    for section in about - {broken}:
        if name not in NEEDS.get((section, broken), ()):
            title = TITLES[section]
            assert sections[title] == whole[title]
            assert all(word in page for word in title.split())
    if broken in about:
        assert "A mistake in colab_magics kept it from being read" in shown
        assert "A mistake in colab_magics kept it from being read" in page
    Markup(page)
    assert SECRET not in shown + page


@pytest.mark.parametrize("name", LOOKS)
@pytest.mark.parametrize("broken", PROBES)
@pytest.mark.usefixtures("machine")
def test_every_other_section_is_in_the_short_form(name: str, broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = str(LOOKS[name]())
    break_look(monkeypatch, broken)
    seen = LOOKS[name]()
    shown, page = str(seen), seen._repr_mimebundle_()["text/html"]

    for section, words in WORDS.items():
        if section != broken and words in whole:
            assert words in shown
            assert words in page
    assert shown
    assert len(shown.split("\n")) <= text.MOST_LINES
    Markup(page)
    assert SECRET not in shown + page + repr(seen)


@pytest.mark.parametrize("broken", PROBES)
@pytest.mark.usefixtures("machine")
def test_a_requirement_about_what_could_not_be_looked_at_is_not_known(
    broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_look(monkeypatch, broken)
    snapshot = LOOKS["runtime_status"]().snapshot

    for section, expressions in ASKED.items():
        for expression in expressions:
            (clause,) = check(parse(expression), snapshot, strict=False).clauses
            assert clause.state is (State.UNKNOWN if section == broken else State.MET), expression


@pytest.mark.parametrize(
    ("broken", "expression"), [(section, expression) for section, asked in ASKED.items() for expression in asked]
)
@pytest.mark.usefixtures("machine")
def test_such_a_requirement_passes_unless_strict(broken: str, expression: str, monkeypatch: pytest.MonkeyPatch) -> None:
    break_look(monkeypatch, broken)
    seen = LOOKS["runtime_status"]()

    passed = held(expression, seen, strict=False)
    assert passed.is_met
    assert passed.said is not None
    assert passed.said.startswith("Not known, so not checked: ")
    assert "A mistake in colab_magics kept it from being read (LookupError, report.py:" in passed.said
    assert "\n" not in passed.said
    assert SECRET not in passed.said
    stopped = held(expression, seen)
    assert not stopped.is_met
    assert stopped.said is not None
    answer, *why = stopped.said.split("\n")
    assert answer.startswith("Requirement not known to be met: ")
    assert "A mistake in colab_magics kept it from being read (LookupError, report.py:" in " ".join(why)
    assert SECRET not in stopped.said


@pytest.mark.usefixtures("machine")
def test_all_looks_can_fail_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for section in PROBES:
        break_look(monkeypatch, section)
    for look in LOOKS.values():
        seen = look()
        for everything in (False, True):
            options = RenderOptions(everything=everything)
            assert "A mistake in colab_magics" in text.render(seen, options)
            assert "A mistake in colab_magics" in html.render(seen, options)
        assert documents.read(seen.to_json())["unavailable"].keys() >= {"platform"}


def test_where_it_went_wrong_is_the_line_of_ours_that_is_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ArithmeticError(SECRET)

    monkeypatch.setattr("os.getloadavg", fail)
    lost = LOOKS["runtime_status"]().snapshot.cpu

    assert isinstance(lost, Unavailable)
    where = str(dict(lost.values)["where"])
    assert re.fullmatch(r"probes/cpu\.py:\d+", where)
    number = int(where.partition(":")[2])
    file = importlib.import_module("colab_magics.probes.cpu").__file__
    assert file is not None
    with open(file, encoding="utf-8") as source:
        assert "getloadavg()" in source.readlines()[number - 1]


def test_a_library_that_cannot_be_imported_costs_the_looks_that_need_it(tmp_path: Path) -> None:
    """Psutil 5.9.5 without /proc/stat; psutil under Python 3.13.0 in a working directory that was deleted."""
    (tmp_path / "psutil.py").write_text("raise FileNotFoundError(2, 'No such file or directory', '/proc/stat')")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import colab_magics;"
        " print(colab_magics.runtime_status().to_json());"
        " print(colab_magics.runtime_status(everything=True).to_json())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    told, all_told = map(documents.read, done.stdout.splitlines())

    assert not {"ram", "platform"} & told["unavailable"].keys(), "/proc tells all of these"
    assert all_told["unavailable"]["ram"]["reason"] == "It could not be read (FileNotFoundError)."
    assert all_told["cpu"]["usable_cores"] > 0
    assert all_told["disks"]


@pytest.mark.parametrize("section", PROBES)
@pytest.mark.usefixtures("machine")
def test_ctrl_c_is_no_failure_of_a_look(section: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(**_: object) -> None:
        raise KeyboardInterrupt

    swap(monkeypatch, section, interrupted)
    with pytest.raises(KeyboardInterrupt):
        LOOKS["runtime_status"]()


# What is looked at ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LOOKS)
@pytest.mark.usefixtures("machine")
def test_a_report_looks_at_its_sections_and_no_other(name: str) -> None:
    assert looked_at(LOOKS[name]()) == LOOKED_AT[name]


@pytest.mark.usefixtures("machine")
def test_a_report_on_gpus_looks_at_the_machine_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    swap(monkeypatch, "gpus", lambda **_: Seen(()))

    assert looked_at(LOOKS["gpu_info"]()) == {"platform", "gpus", "tpus", "ram", "cpu", "disks"}


def a_look_at_who_has_it(monkeypatch: pytest.MonkeyPatch, *holders: Holder) -> Report:
    """Look at the GPUs and at who has their memory, which PyTorch and these do."""
    monkeypatch.setattr(framework_memory, "probe_framework_memory", lambda: (TORCH_MEMORY,))
    found = replace(HOLDERS, largest=holders)
    monkeypatch.setattr(probes_holders, "probe_holders", lambda _shell, **_: found)
    return report.gpu_info(shell_class=None, variables=report.Variables(None, 2))


@pytest.mark.usefixtures("machine")
def test_who_has_the_gpu_s_memory_is_looked_at_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    larger, least = (
        replace(WEIGHTS, name=name, devices=(OnDevice(device="cuda:0", size_bytes=size),))
        for name, size in (("larger", GIB), ("least", MIB))
    )
    snapshot = a_look_at_who_has_it(monkeypatch, FRAME, least, WEIGHTS, larger).snapshot

    assert isinstance(snapshot.gpu_shares, tuple)
    assert [one.index for one in snapshot.gpu_shares] == [0]
    assert isinstance(snapshot.holders, Holders)
    assert [one.name for one in snapshot.holders.largest] == ["larger", "weights"]


@pytest.mark.usefixtures("machine")
def test_where_there_is_no_gpu_nobody_has_its_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    swap(monkeypatch, "gpus", lambda **_: Seen(()))

    assert a_look_at_who_has_it(monkeypatch).snapshot.gpu_shares is None


@pytest.mark.usefixtures("machine")
def test_a_framework_s_look_that_fails_costs_the_shares_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> None:
        raise LookupError

    monkeypatch.setattr(framework_memory, "probe_framework_memory", fails)
    seen = report.gpu_info(shell_class=None, variables=report.Variables(None, 2))

    assert isinstance(seen.snapshot.gpu_shares, Unavailable)
    assert isinstance(seen.snapshot.gpus, tuple)


@pytest.mark.usefixtures("machine")
def test_the_shares_of_gpus_that_were_not_asked_for_are_left_out() -> None:
    shares = (T4_SHARES, replace(T4_SHARES, index=5), replace(T4_SHARES, index=None))
    seen = a_report(Subject.GPU, gpus=EIGHT_A100, gpu_shares=shares)

    assert report.only(seen, (5,)).snapshot.gpu_shares == shares[1:]


OF_GPUS = [name for name in LOOKS if name != "ram_info"]


NOTHING_YET = Report(
    subject=Subject.RAM, snapshot=Snapshot(taken_at=a_report().snapshot.taken_at, platform=COLAB), findings=()
)


def held(
    expression: str, seen: Report, *, strict: bool = True, language: str = "en", wait_seconds: float = 0.0
) -> Held:
    return report.hold(
        report.read_requirement(expression), seen, strict=strict, language=language, wait_seconds=wait_seconds
    )


def swap_other_gpus(monkeypatch: pytest.MonkeyPatch, probe: Callable[..., Any]) -> None:
    monkeypatch.setattr("colab_magics.probes.other_gpus.probe_other_gpus", probe)


@pytest.mark.parametrize("name", OF_GPUS)
@pytest.mark.usefixtures("machine")
def test_gpus_of_other_makers_are_looked_for_where_there_is_none_of_nvidia_s(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ROCm's PyTorch beside an AMD GPU; a Mac, whose system cannot have an NVIDIA driver."""
    swap_other_gpus(monkeypatch, lambda: ("AMD",))
    assert LOOKS[name]().snapshot.other_gpu_vendors is None

    for gpus in ((), Unavailable(code="linux_only")):
        swap(monkeypatch, "gpus", lambda gpus=gpus, **_: gpus if isinstance(gpus, Unavailable) else Seen(gpus))
        seen = LOOKS[name]()

        assert seen.snapshot.other_gpu_vendors == ("AMD",)
        assert "There is an AMD GPU here, which colab_magics does not look at." in " ".join(str(seen).split())
        assert documents.read(seen.to_json())["other_gpu_vendors"] == ["AMD"]


@pytest.mark.parametrize("name", LOOKS)
@pytest.mark.usefixtures("machine")
def test_gpus_of_other_makers_are_left_alone_where_nvidia_s_are_not_known(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    swap_other_gpus(monkeypatch, lambda: pytest.fail("looked"))
    swap(monkeypatch, "gpus", lambda **_: Unavailable(code="driver_silent", values=(("seconds", 3.0),)))

    assert LOOKS[name]().snapshot.other_gpu_vendors is None


@pytest.mark.parametrize("name", OF_GPUS)
@pytest.mark.usefixtures("machine")
def test_a_look_for_gpus_of_other_makers_that_fails_costs_itself_alone(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise LookupError(SECRET)

    swap(monkeypatch, "gpus", lambda **_: Seen(()))
    swap_other_gpus(monkeypatch, tuple)
    whole = LOOKS[name]()
    swap_other_gpus(monkeypatch, fail)
    seen = LOOKS[name]()

    assert isinstance(seen.snapshot.other_gpu_vendors, Unavailable)
    assert str(seen) == str(whole)
    assert "A mistake in colab_magics" in blocks(text.render(seen, RenderOptions(everything=True)))["Other GPUs"]
    reason = documents.read(seen.to_json())["unavailable"]["other_gpu_vendors"]["reason"]
    assert reason.startswith("A mistake in colab_magics kept it from being read (LookupError, report.py:")


@pytest.mark.parametrize("platform", [COLAB, replace(COLAB, service="kaggle")], ids=["Colab", "Kaggle"])
@pytest.mark.parametrize("ram_gib", [12.7, 50])
@pytest.mark.usefixtures("machine")
def test_a_report_on_ram_asks_the_driver_only_where_the_size_depends_on_the_accelerator(
    platform: Platform, ram_gib: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    swap(monkeypatch, "platform", lambda **_: platform)
    swap(monkeypatch, "ram", lambda **_: a_ram(ram_gib))

    asks = looked_at(LOOKS["ram_info"]()) == {"platform", "ram", "gpus", "tpus"}
    assert asks is (platform is COLAB and ram_gib == 50)


def test_the_packages_that_a_requirement_asks_for_are_looked_for_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []

    def probe(names: tuple[str, ...]) -> tuple[Package, ...]:
        asked.append(names)
        return tuple(Package(name=name, is_installed=True, version="2.4") for name in names)

    monkeypatch.setattr("colab_magics.probes.packages.probe_packages", probe)
    seen = held("torch>=2.4, transformers|torch", a_report(tpus=()))

    assert seen.is_met
    assert held("gpu, ram>=1", a_report(tpus=())).is_met
    assert asked == [("torch", "transformers")]
    assert [package.name for package in seen.report.snapshot.packages] == ["torch", "transformers"]
    told = documents.read(seen.report.to_json())["packages"]
    assert told[0] == {"name": "torch", "is_installed": True, "version": "2.4"}


def test_a_look_for_packages_that_fails_costs_itself_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(names: tuple[str, ...]) -> None:
        raise LookupError(SECRET, names)

    monkeypatch.setattr("colab_magics.probes.packages.probe_packages", fail)
    with pytest.raises(RequirementSyntaxError, match="did you mean vram"):
        report.read_requirement("vrm")
    seen = held("gpu, torch>=2.4", a_report(tpus=()), strict=False)

    assert seen.said is not None
    assert seen.said.startswith("Not known, so not checked: torch >= 2.4. A mistake in colab_magics kept it from being")
    assert SECRET not in seen.said
    assert documents.read(seen.report.to_json())["unavailable"]["packages"]["code"] == "unexpected"


def test_a_package_that_is_missing_settles_it_without_waiting_for_the_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    starting = Unavailable(code="driver_starting", values=(("seconds", 3.0),))
    monkeypatch.setattr("colab_magics.report._once_started", lambda *_: pytest.fail("waited"))
    seen = a_report(gpus=starting, driver=None, tpus=())

    assert report.awaited(seen, wait_seconds=20, requirement=parse("gpu, no-such-package")).snapshot.gpus is starting


@pytest.mark.parametrize("expression", ["driver>=550", "cuda>=12", "gpu"])
def test_what_the_driver_tells_is_worth_waiting_for(expression: str, monkeypatch: pytest.MonkeyPatch) -> None:
    starting = Unavailable(code="driver_starting", values=(("seconds", 3.0),))
    waited: list[float] = []
    monkeypatch.setattr("colab_magics.report._once_started", lambda snapshot, *_: waited.append(1) or snapshot)

    report.awaited(a_report(gpus=starting, driver=None, tpus=()), wait_seconds=20, requirement=parse(expression))
    assert waited


@pytest.mark.parametrize("expression", [expression for asked in ASKED.values() for expression in asked])
@pytest.mark.usefixtures("machine")
def test_a_requirement_looks_at_what_a_report_has_not(expression: str) -> None:
    seen = held(expression, NOTHING_YET)

    assert (seen.is_met, seen.said) == (True, "")
    assert seen.report.snapshot is NOTHING_YET.snapshot


def test_only_the_gpus_that_were_asked_for_are_kept() -> None:
    seen = a_report(gpus=EIGHT_A100)

    assert report.only(seen, ()) is seen
    assert report.only(seen, (5, 2)).snapshot.gpus == (EIGHT_A100[2], EIGHT_A100[5])
    assert report.only(seen, (9,)).snapshot.gpus == Unavailable(code="gpu_lost")
    unknown = a_report(gpus=Unavailable(code="no_permission"), driver=None)
    assert report.only(unknown, (0,)) is unknown


def test_what_is_found_is_of_the_gpus_that_were_asked_for() -> None:
    idle = replace(T4, memory=replace(T4.memory, used_bytes=8 * 2**30))
    hot, hidden = (
        replace(T4, index=1, slowdown_reasons=("thermal_hardware",)),
        replace(T4, index=2, is_hidden=True, cuda_index=None),
    )
    seen = a_report(Subject.GPU, gpus=(idle, hot, hidden))

    def found(*indices: int) -> list[str]:
        return [one.rule for one in report.only(seen, indices).findings if one.severity is not Severity.HINT]

    assert found() == ["gpu_slowed", "one_gpu_of_several", "gpu_idle"]
    assert found(0) == ["gpu_idle"]
    assert found(1) == ["gpu_slowed"]
    assert found(2) == [], "others are not hidden from CUDA"
    assert found(7) == ["driver_failed"]
    assert report.only(replace(seen, verdict=None), (1,)).verdict is None


# A driver that is starting --------------------------------------------------------------------------------------------


class SlowDriver:
    """The look at a driver that says it is starting until it was asked so many times; notes how long each may take."""

    def __init__(self, questions: int, code: str = "driver_starting") -> None:
        self.starting = Seen(Unavailable(code=code, values=(("seconds", 3.0),)))
        self.questions = questions
        self.deadlines: list[float] = []

    def __call__(self, *, deadline_seconds: float, **_: object) -> Seen:
        self.deadlines.append(deadline_seconds)
        if len(self.deadlines) < self.questions:
            return self.starting
        return Seen((T4,), DRIVER, visible_gpus=1)


@pytest.fixture
def slow_driver(machine: None, monkeypatch: pytest.MonkeyPatch) -> Callable[..., SlowDriver]:
    def plug(questions: int, code: str = "driver_starting") -> SlowDriver:
        driver = SlowDriver(questions, code)
        swap(monkeypatch, "gpus", driver)
        return driver

    return plug


@pytest.mark.parametrize("code", ["driver_starting", "driver_slow"])
def test_a_driver_that_is_starting_is_asked_until_it_answers(code: str, slow_driver: Callable[..., SlowDriver]) -> None:
    driver = slow_driver(4, code)
    first = LOOKS["runtime_status"]()
    assert {finding.rule for finding in first.findings} & {"driver_starting", "driver_not_answering"}
    seen = report.awaited(first, wait_seconds=60.0, driver_deadline_seconds=2.5)

    assert driver.deadlines == [client.DEADLINE_SECONDS, 2.5, 2.5, 2.5]
    assert seen.snapshot.gpus == (T4,)
    assert seen.snapshot.driver == DRIVER
    assert seen.snapshot.visible_gpus == 1
    assert seen.snapshot.frameworks == (TORCH,)
    assert seen.subject is Subject.RUNTIME
    assert not {finding.rule for finding in seen.findings} & {"driver_starting", "driver_not_answering"}


def test_a_driver_that_turns_out_to_have_no_gpu_lets_other_makers_be_looked_for(
    machine: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    starting = Seen(Unavailable(code="driver_starting", values=(("seconds", 3.0),)))
    answers = iter((starting, Seen((), DRIVER)))
    swap(monkeypatch, "gpus", lambda **_: next(answers))
    swap_other_gpus(monkeypatch, lambda: ("AMD",))
    first = LOOKS["runtime_status"]()

    assert first.snapshot.other_gpu_vendors is None
    assert report.awaited(first, wait_seconds=60.0).snapshot.other_gpu_vendors == ("AMD",)


def test_it_is_asked_no_longer_than_it_is_to_be_waited_for(slow_driver: Callable[..., SlowDriver]) -> None:
    driver = slow_driver(10**9)
    first = LOOKS["runtime_status"]()

    assert report.awaited(first, wait_seconds=0.0) is first
    assert len(driver.deadlines) == 1
    assert report.awaited(first, wait_seconds=client.DEADLINE_SECONDS) is first  # so long it has been waited for
    assert len(driver.deadlines) == 1
    seen = report.awaited(first, wait_seconds=0.15, driver_deadline_seconds=0.1)
    assert seen.snapshot.gpus == Unavailable(code="driver_slow", values=(("seconds", 3.0),))
    assert len(driver.deadlines) > 1
    assert all(0 < deadline <= 0.05 for deadline in driver.deadlines[1:])


@pytest.mark.parametrize(
    "code", ["driver_silent", "driver_crashed", "driver_resting", "driver_missing", "child_died", "child_nonsense"]
)
def test_what_time_does_not_mend_is_not_waited_for(code: str, slow_driver: Callable[..., SlowDriver]) -> None:
    driver = slow_driver(10**9, code)
    first = LOOKS["runtime_status"]()

    assert report.awaited(first, wait_seconds=60.0) is first
    assert len(driver.deadlines) == 1


@pytest.mark.parametrize(
    ("expression", "is_waited_for"),
    [
        ("gpu", True),
        ("vram>=15, ram>=20", True),
        ("cuda>=12", True),
        ("python>=3.11", False),
        ("ram>=20, disk>=1", False),
        ("gpu|ram>=20", False),
        ("gpu, ram>=1000", False),
    ],
)
def test_for_a_requirement_the_driver_is_waited_for_only_where_it_decides(
    expression: str, is_waited_for: bool, slow_driver: Callable[..., SlowDriver]
) -> None:
    driver = slow_driver(3)
    seen = report.awaited(LOOKS["runtime_status"](), wait_seconds=60.0, requirement=parse(expression))

    assert len(driver.deadlines) == (3 if is_waited_for else 1)
    assert (seen.snapshot.gpus == (T4,)) is is_waited_for


def test_what_else_a_report_has_not_looked_at_is_no_reason_to_wait(slow_driver: Callable[..., SlowDriver]) -> None:
    driver = slow_driver(3)
    first = LOOKS["gpu_info"]()

    assert first.snapshot.ram is None
    assert report.awaited(first, wait_seconds=60.0, requirement=parse("ram>=1, disk>=1")) is first
    assert len(driver.deadlines) == 1


@pytest.mark.parametrize(("expression", "questions"), [("gpu=T4", 3), ("python>=3.11", 1)])
def test_a_requirement_waits_also_where_the_report_has_not_looked_at_gpus(
    expression: str, questions: int, slow_driver: Callable[..., SlowDriver]
) -> None:
    driver = slow_driver(3)

    assert held(expression, NOTHING_YET, wait_seconds=60.0).is_met
    assert len(driver.deadlines) == questions


def test_a_requirement_that_has_not_waited_long_enough_says_what_it_could_not_check(
    slow_driver: Callable[..., SlowDriver],
) -> None:
    slow_driver(10**9)
    seen = LOOKS["runtime_status"]()
    said = held("gpus>=9", seen, strict=False).said

    assert said == "Not known, so not checked: gpus >= 9. The NVIDIA driver is still starting (3 s)."
    assert held("gpus>=9", seen, strict=False, language="zh-CN").said != said


@pytest.mark.usefixtures("machine")
def test_a_report_keeps_the_verdict_on_a_requirement_that_was_held_against_it() -> None:
    seen = LOOKS["runtime_status"]()
    met, unmet = held("gpu=T4", seen).report, held("gpu=A100, python>=3", seen).report

    assert seen.verdict is None
    assert met.verdict is not None
    assert met.verdict.met
    assert unmet.verdict is not None
    assert [clause.state for clause in unmet.verdict.clauses] == [State.UNMET, State.MET]
    assert pickle.loads(pickle.dumps(unmet)) == unmet
    assert unmet.snapshot is seen.snapshot
    assert documents.read(seen.to_json())["requirement"] is None
    asked = documents.read(unmet.to_json())["requirement"]
    assert (asked["expression"], asked["met"]) == ("gpu = A100, python >= 3", False)
    assert [clause["state"] for clause in asked["clauses"]] == ["unmet", "met"]
    assert asked["clauses"][0]["found"] == {"gpu": ["Tesla T4"]}


# A report ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("subject", OF_A_MACHINE)
def test_a_report_shows_itself_as_text_as_html_and_as_json(subject: Subject) -> None:
    seen = a_report(subject)

    assert str(seen) == text.render(seen, RenderOptions())
    assert seen._repr_mimebundle_(include=None, exclude=None) == {
        "text/plain": text.render(seen, RenderOptions()),
        "text/html": html.render(seen, RenderOptions()),
    }
    assert "\n" not in seen.to_json()
    assert documents.read(seen.to_json())["gpus"][0]["name"] == "Tesla T4"


def test_a_report_shows_itself_in_the_environment_s_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLAB_MAGICS_LANGUAGE", "zh_CN")
    seen = a_report(gpus=(), driver=None)

    assert str(seen).startswith("未连接到 GPU")
    assert seen._repr_mimebundle_()["text/plain"] == str(seen)
    assert 'lang="zh-CN"' in seen._repr_mimebundle_()["text/html"]
    assert "Not connected to a GPU." in seen.to_json()


@pytest.mark.parametrize("name", LOOKS)
@pytest.mark.parametrize("broken", [None, "platform", "gpus", "ram"])
@pytest.mark.usefixtures("machine")
def test_a_report_pickles_also_one_of_looks_that_failed(
    name: str, broken: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if broken is not None:
        break_look(monkeypatch, broken)
    seen = LOOKS[name]()
    again = pickle.loads(pickle.dumps(seen))

    assert again == seen
    assert str(again) == str(seen)
    assert again.to_json() == seen.to_json()


@pytest.mark.parametrize(
    ("exporter", "shown"),
    [
        ("HTMLExporter", '<div class="colab-magics" lang="en">'),
        ("MarkdownExporter", '<div class="colab-magics" lang="en">'),
    ],
)
def test_nbconvert_shows_a_report_that_is_a_cell_s_value(exporter: str, shown: str) -> None:
    import nbconvert

    value = nbformat.v4.new_output("execute_result", data=a_report()._repr_mimebundle_(), execution_count=1)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("report", outputs=[value])])
    page, _ = getattr(nbconvert, exporter)().from_notebook_node(notebook)

    assert shown in page
    assert "Tesla T4" in page
    assert "Snapshot(" not in page


def test_rich_prints_a_report_as_its_text() -> None:
    report = a_report(gpus=(replace(T4, name="Tesla [red]T4[/red] :warning:"),))
    printed = Console(file=StringIO(), width=200)
    printed.print(report)

    assert printed.file.getvalue() == f"{report}\n"  # type: ignore[attr-defined]  # it is the StringIO
    assert "[red]T4[/red] :warning:" in str(report)


# On a cell ------------------------------------------------------------------------------------------------------------


def test_a_report_on_a_cell_has_the_ram_that_there_is_and_asks_no_driver(
    plug_in: Callable[..., FakeDriver],
) -> None:
    driver = plug_in("t4")
    seen = report.of_cell(A_CELL, shell_class=None)

    assert seen.subject is Subject.CELL
    assert seen.snapshot.cells == (A_CELL,)
    assert isinstance(seen.snapshot.ram, Ram)
    assert seen.snapshot.gpus is None
    assert driver.calls() == []
