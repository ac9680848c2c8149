from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from builders import CPU_RUNTIME, HUNG_DRIVER, T4, V5E, a_ram, a_snapshot
from colab_magics import rules
from colab_magics.facts import accelerators
from colab_magics.guides import (
    ChoicesTable,
    ChoiceStep,
    ClickStep,
    Dialog,
    Goal,
    Guide,
    LimitsTable,
    MenuAlone,
    MenuStep,
    NoticesTable,
    OtherMenusTable,
    RuntimeVersionsTable,
    colab_goals,
    generic,
)
from colab_magics.model import Subject, Unavailable
from colab_magics.translation import translator
from colab_magics.views import guide_text, messages
from runtimes import GUIDED, LARGEST_TPU, TPU_RUNTIME

ENGLISH = translator("en")
SUBSCRIBED = "(for Pro and Pro+, not with compute units bought as you go alone (said by staff, 2024-10-03))"


def to(goal: Goal, **changes: Any) -> Guide:
    snapshot = a_snapshot(**changes)
    return colab_goals.for_goal(goal, snapshot, rules.blocking(rules.judge(Subject.RUNTIME, snapshot)))


def said(guide: Guide) -> list[str]:
    return [messages.sentence(remark, ENGLISH) for remark in guide.remarks]


def ways(guide: Guide) -> list[str]:
    """Return what the second step clicks, with what it gives; each way if there are several."""
    second = guide.steps[1]
    found = second.ways if isinstance(second, ChoiceStep) else (second,)
    return [
        f"{guide_text.step(way, ENGLISH)}: {guide_text.note(way.note, ENGLISH)}"
        for way in found
        if isinstance(way, MenuStep | ClickStep) and way.note is not None
    ]


def dialog(guide: Guide) -> Dialog:
    assert isinstance(guide.drawing, Dialog)
    return guide.drawing


@pytest.mark.parametrize("case", GUIDED)
@pytest.mark.parametrize("goal", Goal)
def test_every_goal_has_a_way_or_a_reason_why_there_is_none(goal: Goal, case: str) -> None:
    guide = to(goal, **GUIDED[case])

    assert guide.steps or guide.points
    if guide.drawing is not None:
        assert guide.steps


@pytest.mark.parametrize("case", GUIDED)
@pytest.mark.parametrize("goal", [Goal.GPU, Goal.TPU, Goal.MEMORY])
def test_the_dialog_shows_what_is_in_use_and_what_will_be(goal: Goal, case: str) -> None:
    guide = to(goal, **GUIDED[case])
    if not guide.steps:
        return

    assert dialog(guide).present == accelerators.in_use(a_snapshot(**GUIDED[case]))
    chosen = dialog(guide).chosen
    assert (dialog(guide).high_ram is None) == (chosen is not None and chosen.one_shape)


@pytest.mark.parametrize(
    ("goal", "case", "clicked"),
    [
        (Goal.GPU, "cpu", "T4"),
        (Goal.GPU, "hung driver", "T4"),
        (Goal.GPU, "t4", "L4"),
        (Goal.GPU, "a100", "T4"),
        (Goal.TPU, "cpu", "V5E1"),
        (Goal.TPU, "tpu", "V6E1"),
    ],
)
def test_the_first_that_is_not_in_use_is_to_be_clicked_and_the_others_are_named(
    goal: Goal, case: str, clicked: str
) -> None:
    guide = to(goal, **GUIDED[case])
    step = guide.steps[1]

    assert isinstance(step, ClickStep)
    assert step.accelerator == clicked
    assert step.choices == (accelerators.by_id(clicked).menu_name,)
    present = accelerators.in_use(a_snapshot(**GUIDED[case]))
    others = {one.menu_name for one in accelerators.offered() if one.kind == goal.value and one != present}
    assert step.note is not None
    assert {*step.choices, *step.note.others} == others
    assert dialog(guide).chosen == accelerators.by_id(clicked)


def test_what_there_is_and_what_blocks_it_is_said_first_and_once() -> None:
    hidden = replace(T4, is_hidden=True, cuda_index=None)

    assert said(to(Goal.GPU, **CPU_RUNTIME)) == []
    assert said(to(Goal.GPU)) == ["This runtime has a GPU: Tesla T4."]
    assert said(to(Goal.GPU, gpus=(hidden,))) == [
        "This runtime has a GPU: Tesla T4.",
        "CUDA_VISIBLE_DEVICES hides every GPU from CUDA.",
    ]
    assert said(to(Goal.GPU, **HUNG_DRIVER)) == ["The NVIDIA driver did not answer within 3 s."]
    jax = "Note: TPU runtimes have JAX, and no TensorFlow (published, 2026-08-19)."
    assert said(to(Goal.TPU, **CPU_RUNTIME)) == [jax]
    assert said(to(Goal.TPU, **TPU_RUNTIME)) == ["This runtime has a TPU: v5e-1.", jax]
    unnamed = replace(V5E, accelerator_type=None, kind=None)
    assert said(to(Goal.TPU, **{**TPU_RUNTIME, "tpus": (unnamed,)})) == ["This runtime has a TPU: kind unknown.", jax]


@pytest.mark.parametrize(
    ("case", "found"),
    [
        ("cpu", [f"High-RAM: more RAM {SUBSCRIBED}"]),
        ("t4", [f"High-RAM: more RAM {SUBSCRIBED}", "L4 GPU: more GPU memory: 22.5 GiB (paid, as available)"]),
        ("l4", ["A100 GPU: more RAM: 83.5 GiB, more GPU memory: 40 GiB (paid, as available)"]),
        (
            "a100",
            [
                f"High-RAM: more RAM, a card with 80 GiB {SUBSCRIBED}",
                "H100 GPU: more GPU memory: 80 GiB (paid, as available)",
            ],
        ),
        ("a100 high-ram", ["G4 GPU: more RAM: 176.0 GiB, more GPU memory: 95.6 GiB (paid, as available)"]),
        ("tpu", ["v6e-1 TPU: more RAM: 173.0 GiB, more TPU memory: 31.25 GiB (paid, as available)"]),
        (
            "hung driver",
            [
                f"High-RAM: more RAM, where the accelerator has that choice {SUBSCRIBED}",
                "Hardware accelerator: more GPU memory: a larger one of the table below",
            ],
        ),
    ],
)
def test_more_memory_is_ram_or_the_accelerator_s_own(case: str, found: list[str]) -> None:
    assert ways(to(Goal.MEMORY, **GUIDED[case])) == found


@pytest.mark.parametrize("case", ["l4", "tpu"])
def test_what_has_one_shape_has_no_high_ram_switch_to_click(case: str) -> None:
    guide = to(Goal.MEMORY, **GUIDED[case])

    assert "there is no high-RAM choice" in said(guide)[0]
    assert not [way for way in ways(guide) if "High-RAM" in way]


def test_where_high_ram_is_on_it_is_said_and_not_to_be_clicked_again() -> None:
    guide = to(Goal.MEMORY, **GUIDED["a100 high-ram"])
    unknown = to(Goal.MEMORY, gpus=(replace(T4, name="NVIDIA Z1"),), ram=a_ram(51.0))

    assert said(guide) == said(unknown) == ["You are using a high-RAM runtime!"]
    assert ways(unknown) == ["Hardware accelerator: more GPU memory: a larger one of the table below"]
    assert dialog(unknown).high_ram is True


def test_the_largest_of_a_kind_has_no_steps() -> None:
    guide = to(Goal.MEMORY, **LARGEST_TPU)

    assert guide.steps == ()
    assert guide.drawing is None
    assert [one.message for one in guide.consequences] == ["Nothing that Colab offers is known to have more."]


def test_two_kinds_of_memory_are_told_apart_where_there_are_two() -> None:
    def terms(case: str) -> list[str]:
        points = to(Goal.MEMORY, **GUIDED[case]).points
        return [point.term.message for point in points if point.term is not None]

    assert terms("t4") == terms("hung driver") == ["RAM", "GPU memory"]
    assert terms("tpu") == ["RAM", "TPU memory"]
    assert terms("cpu") == ["RAM"]


@pytest.mark.parametrize(
    ("case", "rate"),
    [
        ("a100", "A100 GPU takes about 5.30 compute units per hour (seen by users, 2026-09-30)."),
        ("a100 high-ram", "A100 GPU takes about 6.77 compute units per hour (seen by users, 2026-09-30)."),
        ("tpu", "v5e-1 TPU takes about 2.92 compute units per hour (seen by users, 2026-09-24)."),
        ("h100", "What H100 GPU takes per hour is not published."),
    ],
)
def test_what_the_accelerator_takes_is_said_with_its_date(case: str, rate: str) -> None:
    runtimes = {**GUIDED, "h100": {"gpus": (replace(T4, name="NVIDIA H100 80GB HBM3"),)}}
    assert said(to(Goal.CHEAPER, **runtimes[case]))[0] == rate


def test_of_an_accelerator_that_is_not_known_no_rate_is_said() -> None:
    (remark,) = said(to(Goal.CHEAPER, **HUNG_DRIVER))

    assert remark.endswith("cannot be seen from a kernel; see Runtime > View resources.")


def test_the_rate_in_a_guide_is_that_of_the_finding() -> None:
    idle = replace(GUIDED["a100"]["gpus"][0], utilization_percent=0.0, memory=replace(T4.memory, used_bytes=0))
    for ram in (a_ram(83.5), a_ram(167.1)):
        snapshot = a_snapshot(gpus=(idle,), ram=ram)
        finding = rules.RULES["costly_gpu_unused"](snapshot)
        assert finding is not None
        guide = colab_goals.for_goal(Goal.CHEAPER, snapshot, None)
        values = dict(finding.values)
        assert {*values.items()} == {*getattr(guide.remarks[0], "values", ())}


def test_to_stop_paying_the_machine_is_given_back_and_the_free_ones_are_those_of_the_table() -> None:
    guide = to(Goal.CHEAPER)
    (go_on,) = guide.also

    assert guide.drawing == MenuAlone()
    assert [getattr(step, "path", ("",))[-1] for step in guide.steps] == [
        "",
        "manage_sessions",
        "disconnect_and_delete",
    ]
    assert isinstance(go_on.steps[1], ClickStep)
    assert go_on.steps[1].choices == tuple(one.menu_name for one in accelerators.offered() if one.tier == "free")


def test_at_a_limit_the_cpu_is_what_one_can_go_on_with() -> None:
    guide = to(Goal.LIMIT)

    assert said(guide)[0] == "Resources on Colab are not unlimited, and the limits change."
    change = guide.steps[1]
    assert isinstance(change, MenuStep)
    assert change.note is not None
    assert guide_text.note(change.note, ENGLISH) == "then CPU, to go on meanwhile; this gives you a new machine"


def test_each_goal_shows_the_facts_that_belong_to_it() -> None:
    gpus = tuple(one for one in accelerators.offered() if one.kind == "gpu")
    t4 = accelerators.by_id("T4")
    every = ChoicesTable(accelerators.offered(), t4)

    def says(goal: Goal | None) -> NoticesTable:
        return NoticesTable("colab", goal)

    assert to(Goal.GPU).tables == (ChoicesTable(gpus, t4), says(Goal.GPU), OtherMenusTable(("colab",)))
    assert to(Goal.MEMORY).tables == (every, OtherMenusTable(("colab",)))
    assert to(Goal.IMAGE).tables == (RuntimeVersionsTable("colab"),)
    assert generic.note("tpu_image") in to(Goal.IMAGE).remarks  # no TensorFlow there, whatever the table says
    assert to(Goal.LONGER).tables == (LimitsTable("colab"), says(Goal.LONGER))
    assert to(Goal.CHEAPER).tables == (every, says(Goal.CHEAPER))
    assert to(Goal.LIMIT).tables == (says(None),)


def test_a_new_machine_is_told_where_there_will_be_one() -> None:
    def is_told(goal: Goal) -> bool:
        guide = to(goal)
        every = (*guide.consequences, *(one for other in guide.also for one in other.consequences))
        return any(one.message.startswith("This gives you a new machine") for one in every)

    assert [goal for goal in Goal if is_told(goal)] == [Goal.GPU, Goal.TPU, Goal.MEMORY, Goal.IMAGE, Goal.CHEAPER]


def test_a_driver_that_cannot_be_asked_is_said_in_its_own_words() -> None:
    unknown = Unavailable(code="nvml_error_77")

    assert to(Goal.GPU, gpus=unknown, driver=None).remarks == (unknown,)


def test_of_tpus_one_reads_first_of_what_their_runtimes_have() -> None:
    assert to(Goal.TPU).links[:2] == ("jax_guide", "tpu_guide")


def test_another_image_leaves_the_accelerator_and_the_ram_as_they_are() -> None:
    guide = to(Goal.IMAGE, **GUIDED["a100 high-ram"])

    assert [guide_text.step(step, ENGLISH) for step in guide.steps] == [
        "Runtime > Change runtime type",
        "Runtime version",
        "Save",
    ]
    assert said(guide) == [
        "This kernel runs Python 3.13.15.",
        "Note: TPU runtimes have JAX, and no TensorFlow (published, 2026-08-19).",
    ]
    assert dialog(guide) == Dialog(chosen=accelerators.by_id("A100"), present=accelerators.by_id("A100"), high_ram=True)
    assert dialog(to(Goal.IMAGE, **TPU_RUNTIME)).high_ram is None
    assert "for this session alone (said by staff, 2026-08-25)" in messages.sentence(guide.consequences[-1], ENGLISH)


def test_of_a_tpu_of_unknown_type_no_high_ram_switch_is_clicked() -> None:
    unnamed = replace(V5E, accelerator_type=None, kind="v2")

    assert ways(to(Goal.MEMORY, **{**TPU_RUNTIME, "tpus": (unnamed,)})) == [
        "Hardware accelerator: more TPU memory: a larger one of the table below"
    ]
