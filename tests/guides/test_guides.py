"""The registry: which service's guides answer, and that every question has an answer on every service."""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import Any

import pytest

from builders import (
    COLAB,
    CPU_RUNTIME,
    DRIVER,
    GB10,
    HUNG_DRIVER,
    JUPYTER,
    KAGGLE,
    T4,
    V5E,
    a_ram,
    a_snapshot,
)
from colab_magics import facts, guides, rules
from colab_magics.guides import (
    ChoiceStep,
    ClickStep,
    Goal,
    Guide,
    LimitsTable,
    MenuStep,
    NoticesTable,
    generic,
)
from colab_magics.guides.interface import ServiceGuides
from colab_magics.model import Finding, Severity, Unavailable
from colab_magics.requirement import check, parse
from colab_magics.rules import RULES
from colab_magics.views import messages
from runtimes import GUIDED, SERVICES, at

CODES = sorted({*messages.REASONS, *messages.FIELD_REASONS, "nvml_error_77"})
SERIOUS = [rule.name for rule in RULES.values() if rule.severity >= Severity.WARNING]
NOTHING_TO_DO = {
    "gpu_slowed": "heat and power are matters of whoever runs the machine; nothing that one can do is known to help",
    "cell_was_slowed": "as gpu_slowed",
    "files_hold_ram": "it is found only with ram_nearly_full, whose guide makes room",
    "swap_in_use": "it is found only with ram_nearly_full, whose guide makes room",
}
"""Why a rule that matters has no guide on Colab."""

UNAIDED = {
    "engines_silent": "what they do, their user knows",
    "child_died": "it was no driver's doing; nothing is known of what was",
    "gpu_not_told": "nobody has seen it on Colab; nothing is known to help",
    "measurement_lost": "what is over cannot be measured again",
    "mount_silent": "what is mounted there, only its user knows",
    "no_looker": "as no_child",
    "size_cannot_be": "so the file system says",
    "linux_only": "Colab runs Linux, so this is not Colab's machine",
    "node_failed": "why is in the reason; nothing known helps in every case",
    "node_lacks_package": "how it is installed depends on what runs the cluster, which this code does not tell alone",
    "node_nonsense": "nothing is known of what answered",
    "node_silent": "what it does, its user knows",
    "no_child": "why the process did not start is in the reason; nothing known helps in every case",
    "impossible": "a section other than the GPUs",
    "tegra_library_missing": "no Jetson is a machine of Colab's",
    "unexpected": "a mistake of ours",
    "unreadable": "a section other than the GPUs",
}
"""Why the reason of a section that is not known has no guide on Colab."""


def finding(rule: str, cause: str = "driver_silent") -> Finding:
    """A finding with every value that a guide looks at."""
    whose_sentence_is_a_reason = RULES[rule].message == "{cause:reason}"
    values: Any = (("cause", Unavailable(code=cause)),) if whose_sentence_is_a_reason else (("framework", "torch"),)
    if rule == "gpu_not_usable":
        values = (("index", 0), ("cause", cause))
    return Finding(rule=rule, severity=RULES[rule].severity, values=values)


def on(service: str | None, **changes: Any) -> Any:
    return a_snapshot(**at(service, changes))


def clicked(guide: Guide) -> list[str]:
    """Return every choice of a dialog that a guide names, the one to click first."""
    names: list[str] = []
    for step in guide.steps:
        for one in step.ways if isinstance(step, ChoiceStep) else (step,):
            if isinstance(one, ClickStep):
                names += one.choices
            if isinstance(one, ClickStep | MenuStep) and one.note is not None:
                names += one.note.others
    return names


@pytest.mark.parametrize("service", ["new_cloud", "databricks", "binder", None], ids=str)
def test_a_service_that_nobody_has_written_guides_for_gets_what_holds_everywhere(service: str | None) -> None:
    for changes in GUIDED.values():
        snapshot = on(service, **changes)
        blocking = rules.blocking(rules.judge(rules.RULES["no_gpu"].subject, snapshot))

        assert guides.offered_machines(snapshot) == ()
        assert guides.tables(snapshot) == ()
        assert guides.not_visible(snapshot) is None
        for goal in Goal:
            assert guides.for_goal(goal, snapshot, blocking) == generic.for_goal(goal, snapshot, blocking)
        for rule in RULES:
            assert guides.for_finding(finding(rule), snapshot) == generic.for_finding(finding(rule), snapshot)
        for code in CODES:
            unavailable = Unavailable(code=code)
            assert guides.for_unavailable(unavailable, snapshot) == generic.for_unavailable(unavailable, snapshot)


def test_a_platform_that_could_not_be_looked_at_gets_what_holds_everywhere() -> None:
    snapshot = a_snapshot(platform=Unavailable(code="unreadable"), **CPU_RUNTIME)

    for goal in Goal:
        assert guides.for_goal(goal, snapshot, None) == generic.for_goal(goal, snapshot, None)


def test_what_has_guides_is_a_service_of_the_facts_and_keeps_the_protocol() -> None:
    questions = [name for name in vars(ServiceGuides) if not name.startswith("_")]

    assert guides._SERVICES.keys() <= {service.key for service in facts.services()}
    for module in (generic, *guides._SERVICES.values()):
        for name in questions:
            asked = len(inspect.signature(getattr(ServiceGuides, name)).parameters) - 1
            assert len(inspect.signature(getattr(module, name)).parameters) == asked, (module, name)


@pytest.mark.parametrize("service", [*SERVICES, "new_cloud"], ids=str)
def test_every_question_has_a_guide_or_none_on_every_service(service: str | None) -> None:
    for changes in GUIDED.values():
        snapshot = on(service, **changes)
        answers: list[object] = [guides.for_unavailable(Unavailable(code=code), snapshot) for code in CODES]
        answers += [guides.for_finding(finding(rule, code), snapshot) for rule in RULES for code in CODES]
        answers += [guides.for_finding(one, snapshot) for one in rules.judge(RULES["longer_runs"].subject, snapshot)]

        assert all(answer is None or isinstance(answer, Guide) for answer in answers)
        assert all(isinstance(guides.for_goal(goal, snapshot, None), Guide) for goal in Goal)


@pytest.mark.parametrize("rule", SERIOUS)
def test_what_matters_has_something_to_do_on_colab_or_a_reason_why_not(rule: str) -> None:
    guide = guides.for_finding(finding(rule), on("colab"))

    assert (guide is None) == (rule in NOTHING_TO_DO)
    assert guide is None or guide.steps


@pytest.mark.parametrize("code", messages.REASONS)
def test_what_is_not_known_has_something_to_do_on_colab_or_a_reason_why_not(code: str) -> None:
    guide = guides.for_unavailable(Unavailable(code=code), on("colab"))

    assert (guide is None) == (code in UNAIDED)
    assert guide is None or guide.steps


@pytest.mark.parametrize("service", SERVICES, ids=str)
def test_a_guide_that_names_a_goal_leads_to_one_that_the_service_has_a_guide_for(service: str | None) -> None:
    snapshot = on(service, **CPU_RUNTIME)
    for rule in RULES:
        guide = guides.for_finding(finding(rule), snapshot)
        goals = () if guide is None else (guide.goal, guide.otherwise)
        for goal in filter(None, goals):
            assert guides.for_goal(goal, snapshot, None).purpose


@pytest.mark.parametrize("service", SERVICES, ids=str)
def test_every_table_and_every_link_is_of_the_facts(service: str | None) -> None:
    snapshot, keys = on(service), {link.key for link in facts.links()}
    found = [guides.for_goal(goal, snapshot, None) for goal in Goal]
    found += [guide for rule in RULES if (guide := guides.for_finding(finding(rule), snapshot)) is not None]

    assert all({*guide.links} <= keys for guide in found)
    for table in (*guides.tables(snapshot), *(table for guide in found for table in guide.tables)):
        if isinstance(table, LimitsTable):
            assert table.service == service


@pytest.mark.parametrize("notice", facts.notices(), ids=lambda notice: notice.key)
def test_a_notice_that_names_a_goal_stands_in_its_guide_and_every_one_at_a_limit(notice: facts.Notice) -> None:
    def told(goal: Goal) -> list[object]:
        tables = guides.for_goal(goal, on(notice.service), None).tables
        return [table.goal for table in tables if isinstance(table, NoticesTable) and table.service == notice.service]

    assert told(Goal.LIMIT) == [None]
    if notice.goal is not None and Goal(notice.goal) not in (Goal.LIMIT, Goal.MEMORY):  # memory's quotes it in a point
        assert told(Goal(notice.goal)) == [Goal(notice.goal)]


@pytest.mark.parametrize("service", ["colab", "kaggle"])
@pytest.mark.parametrize("goal", [Goal.GPU, Goal.TPU])
def test_a_goal_s_guide_and_a_requirement_offer_the_same_machines(goal: Goal, service: str) -> None:
    snapshot = on(service, **CPU_RUNTIME, tpus=())
    offered = {one.offer.name for one in guides.offered_machines(snapshot) if one.kind == goal.value}
    named = [name for name in clicked(guides.for_goal(goal, snapshot, None)) if name != "Settings > Accelerator"]
    verdict = check(parse(goal.value), snapshot)
    not_for_all = {name for menu in facts.other_menus() for name in (*menu.some_get, *menu.phased_out)}

    assert offered
    assert {*named} == offered - not_for_all
    assert verdict.offers[0].name == named[0]
    assert {offer.name for offer in verdict.offers} <= offered


def test_more_memory_for_a_goal_and_for_a_requirement_are_the_same_clicks() -> None:
    snapshot = a_snapshot(tpus=())
    ram, own = guides.for_goal(Goal.MEMORY, snapshot, None).steps[1].ways  # type: ignore[union-attr]
    (more_ram,) = guides.for_verdict(check(parse("ram>=30"), snapshot), snapshot)
    (more_memory,) = guides.for_verdict(check(parse("vram>=20"), snapshot), snapshot)

    assert replace(more_ram.steps[1], note=None) == replace(ram, note=None)
    assert more_memory.steps[1].choices[0] == own.choices[0]  # type: ignore[union-attr]


def test_without_a_gpu_the_finding_s_guide_and_the_goal_s_click_the_same() -> None:
    for platform in (COLAB, KAGGLE):
        snapshot = a_snapshot(platform=platform, **CPU_RUNTIME)
        guide = guides.for_finding(finding("no_gpu"), snapshot)

        assert guide is not None
        goal = guides.for_goal(Goal.GPU, snapshot, None)
        assert [getattr(step, "choices", ("",))[0] for step in guide.steps] == [
            getattr(step, "choices", ("",))[0] for step in goal.steps
        ]


def for_verdict(expression: str, *, strict: bool = False, **changes: Any) -> tuple[Guide, ...]:
    snapshot = a_snapshot(**{"tpus": (), **changes})
    return guides.for_verdict(check(parse(expression), snapshot, strict=strict), snapshot)


def purposes(*found: Guide) -> list[str]:
    return [guide.purpose.message for guide in found]


def test_for_what_is_met_there_is_nothing_to_do() -> None:
    assert for_verdict("gpu") == ()


def test_for_what_is_not_known_there_is_what_helps_to_know_it() -> None:
    assert purposes(*for_verdict("vram>=15", strict=True, **HUNG_DRIVER)) == ["To get another machine"]
    assert for_verdict("vram>=15", strict=True, gpus=Unavailable(code="linux_only"), driver=None) == ()
    assert for_verdict("ram>=15", strict=True, ram=Unavailable(code="unreadable")) == ()


def test_for_a_gpu_that_cannot_be_used_there_is_another_machine_not_the_dialog_s_same_choice() -> None:
    for fault in ("gpu_lost", "driver_unknown_error", "nvml_error_77"):
        broken = replace(T4, name=None, cuda_index=None, fault=fault)
        assert purposes(*for_verdict("gpu", gpus=(broken,))) == ["To get another machine"]
        assert purposes(*for_verdict("gpus>=2", gpus=(T4, replace(broken, index=1)))) == ["To get another machine"]
        assert purposes(*for_verdict("vram>=20", gpus=(T4, replace(broken, index=1)))) == ["To meet it (paid)"]
        assert purposes(*for_verdict("ram>=20", gpus=(broken,))) == ["To meet it (Pro, Pro+)"]
        (guide,) = for_verdict("gpu", gpus=(broken,), platform=JUPYTER)
        assert guide == generic.for_finding(finding("gpu_lost"), a_snapshot())


def test_for_cuda_s_missing_library_there_is_the_guide_of_the_finding() -> None:
    missing = {"driver": replace(DRIVER, cuda_version=None, has_cuda_library=False), "platform": JUPYTER}
    expected = generic.for_finding(finding("cuda_library_missing"), a_snapshot(platform=JUPYTER))

    for expression in ("gpu", "cuda>=12", "vram>=15"):
        assert for_verdict(expression, strict=True, **missing) == (expected,)
    assert for_verdict("disk>=1", strict=True, **missing, disks=Unavailable(code="unreadable")) == ()


def test_for_a_hidden_gpu_there_is_the_guide_of_the_finding() -> None:
    (guide,) = for_verdict("gpu", gpus=(replace(T4, is_hidden=True, cuda_index=None),))

    assert guide == generic.for_finding(finding("cuda_hidden"), a_snapshot())


def test_for_room_there_are_the_guides_of_the_findings_each_once() -> None:
    assert purposes(*for_verdict("disk>=78, ram_free>=12")) == ["To make room", "To make room"]
    assert len(for_verdict("vram_free>=9, ram_free>=10", gpus=(GB10,))) == 1  # whose memory is the machine's


def test_elsewhere_there_is_a_machine_that_has_what_is_required() -> None:
    assert purposes(*for_verdict("gpu", platform=JUPYTER, **CPU_RUNTIME)) == ["To use a GPU"]
    assert purposes(*for_verdict("ram>=200", platform=JUPYTER)) == ["To meet it"]


def test_for_what_the_service_does_not_offer_there_is_nothing() -> None:
    assert for_verdict("gpu=V100") == ()
    assert for_verdict("gpu=A100", platform=KAGGLE, **CPU_RUNTIME) == ()


def test_for_another_python_there_is_another_image_or_an_environment() -> None:
    assert purposes(*for_verdict("python<3.13")) == ["To meet it"]
    assert for_verdict("python>=3.14") == ()
    assert for_verdict("python<3.13", platform=KAGGLE) == ()
    (guide,) = for_verdict("python<3.13", platform=JUPYTER)
    assert guide == generic.to_another_python('"python<3.13"')


@pytest.mark.parametrize("service", SERVICES, ids=str)
def test_on_a_tpu_runtime_nobody_is_told_unasked_to_take_a_gpu(service: str | None) -> None:
    for tpu in (V5E, replace(V5E, accelerator_type=None), replace(V5E, accelerator_type=None, kind="v2")):
        snapshot = on(service, **CPU_RUNTIME, tpus=(tpu,), ram=a_ram(12.7))
        found = rules.judge(RULES["longer_runs"].subject, snapshot)
        clicks = [name for one in found if (guide := guides.for_finding(one, snapshot)) for name in clicked(guide)]

        assert "no_gpu" not in [one.rule for one in found]
        assert "not_high_ram" not in [one.rule for one in found]
        assert not [name for name in clicks if "GPU" in name]
