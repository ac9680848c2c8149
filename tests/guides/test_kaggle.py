from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from builders import CPU_RUNTIME, HUNG_DRIVER, KAGGLE, KAGGLE_TORCH, P100, T4, TENSORFLOW, a_snapshot
from colab_magics import facts, rules
from colab_magics.facts import accelerators
from colab_magics.guides import ClickStep, Goal, Guide, LimitsTable, generic, kaggle
from colab_magics.model import Finding, Offer, Severity
from colab_magics.translation import translator
from colab_magics.views import messages

ENGLISH = translator("en")
NO_GPU = Finding(rule="no_gpu", severity=Severity.INFO)
(MENU,) = [menu for menu in facts.other_menus() if menu.place == "kaggle"]


def here(**changes: Any) -> Any:
    return a_snapshot(**{"platform": KAGGLE, **changes})


def to(goal: Goal, **changes: Any) -> Guide:
    guide = kaggle.for_goal(goal, here(**changes), None)
    assert guide is not None
    return guide


def choices(guide: Guide | None) -> tuple[str, ...]:
    """Return what the second step clicks, the first being the way to the choices."""
    assert guide is not None
    first, second, _confirm = guide.steps
    assert first == ClickStep((" > ".join(MENU.path),))
    assert isinstance(second, ClickStep)
    return second.choices


def said(guide: Guide) -> list[str]:
    return [messages.sentence(remark, ENGLISH) for remark in guide.remarks]


@pytest.mark.parametrize(
    ("goal", "kind"), [(Goal.GPU, "GPU"), (Goal.TPU, "TPU"), (Goal.CHEAPER, "None"), (Goal.LIMIT, "None")]
)
def test_to_a_goal_leads_a_choice_of_its_kind(goal: Goal, kind: str) -> None:
    guide = to(goal, **CPU_RUNTIME)

    stay = tuple(choice for choice in MENU.choices if choice not in MENU.phased_out)
    assert choices(guide) == tuple(choice for choice in stay if choice.startswith(kind))
    assert guide.tables == (LimitsTable("kaggle"),)


def test_without_a_gpu_the_first_choice_with_one_is_to_be_clicked() -> None:
    guide = kaggle.for_finding(NO_GPU, here(**CPU_RUNTIME))

    assert choices(guide) == ("GPU T4 x2",)
    assert guide is not None
    assert guide.goal is Goal.GPU
    assert guide.purpose == generic.TO_USE_A_GPU


def test_a_phone_number_is_asked_for_with_an_accelerator_alone() -> None:
    verified = "Kaggle asks for a phone number that it has verified."

    assert [goal for goal in (Goal.GPU, Goal.TPU, Goal.CHEAPER, Goal.LIMIT) if verified in said(to(goal))] == [
        Goal.GPU,
        Goal.TPU,
    ]


def test_the_gpu_that_is_there_and_the_driver_that_is_silent_are_said_first() -> None:
    assert said(to(Goal.GPU))[0] == "There is a GPU here: Tesla T4."
    assert said(to(Goal.GPU, **HUNG_DRIVER))[0] == "The NVIDIA driver did not answer within 3 s."
    assert to(Goal.GPU).purpose == generic.TO_USE_ANOTHER_GPU


def test_all_else_is_as_everywhere() -> None:
    hidden = here(gpus=(replace(T4, is_hidden=True, cuda_index=None),))
    full = Finding(rule="disk_nearly_full", severity=Severity.WARNING)

    assert kaggle.for_finding(full, here()) == generic.for_finding(full, here())
    assert [kaggle.for_goal(goal, here(), None) for goal in (Goal.MEMORY, Goal.LONGER)] == [None, None]
    assert kaggle.for_goal(Goal.GPU, hidden, Finding(rule="cuda_hidden", severity=Severity.WARNING)) is None


def test_the_machines_are_those_of_the_choices_as_far_as_they_are_known() -> None:
    machines = {machine.offer.name: machine for machine in kaggle.offered_machines(here())}
    two_t4, t4 = machines["GPU T4 x2"], accelerators.by_id("T4")

    assert {*machines} == {*MENU.choices, *MENU.some_get}
    assert tuple(machines)[-1] == "GPU P100"
    four_l4, blackwell = machines["GPU L4 x4"], machines["GPU RTX Pro 6000"]
    assert (four_l4.accelerator_count, four_l4.memory_gib) == (4, accelerators.by_id("L4").memory_gib)
    assert (blackwell.accelerator_count, blackwell.memory_gib) == (1, accelerators.by_id("G4").memory_gib)
    assert (two_t4.kind, two_t4.accelerator_count, two_t4.memory_gib) == ("gpu", 2, t4.memory_gib)
    assert two_t4.accelerator_names == (*t4.device_names, t4.menu_name)
    assert (machines["GPU P100"].accelerator_names, machines["GPU P100"].memory_gib) == (("P100",), None)
    assert (machines["TPU v5e-8"].kind, machines["TPU v5e-8"].accelerator_names) == ("tpu", ("v5e-8",))
    assert (machines["None"].kind, machines["None"].accelerator_names) == ("none", ())


def test_to_get_an_offer_it_is_clicked() -> None:
    assert choices(kaggle.to_get((Offer(name="GPU T4 x2"),), ())) == ("GPU T4 x2",)
    assert kaggle.to_get((), ()) is None


def test_what_not_all_get_or_what_is_phased_out_is_clicked_only_where_nothing_else_would_do() -> None:
    t4, l4, p100 = (Offer(name=name) for name in ("GPU T4 x2", "GPU L4 x4", "GPU P100"))

    def clicked_and_noted(*offers: Offer) -> tuple[tuple[str, ...], list[str]]:
        guide = kaggle.to_get(offers, ())
        assert guide is not None
        return choices(guide), [messages.sentence(one, ENGLISH) for one in guide.consequences[:-1]]

    assert clicked_and_noted(t4, l4, p100) == (("GPU T4 x2",), [])
    (of_competitions,) = clicked_and_noted(l4)[1]
    assert "participants of certain competitions alone (published, 2026-07-02)" in of_competitions
    (phased_out,) = clicked_and_noted(p100)[1]
    assert "phased out" in phased_out
    assert "(said by staff, 2026-07-30)" in phased_out


def test_another_image_is_that_of_another_day() -> None:
    guide = to(Goal.IMAGE)
    menu, choice = guide.steps

    assert menu == ClickStep(("Settings > Environment",))
    assert isinstance(choice, ClickStep)
    assert choice.choices == ("Pin to original environment", "Always use latest environment")
    assert choice.note is not None
    assert choice.note.gives[0].message.startswith("the image of the day on which the notebook was made")
    assert kaggle.offered_images(here()) == ()


def lacking(*frameworks: Any, **changes: Any) -> tuple[Any, Finding]:
    snapshot = here(gpus=(P100,), frameworks=frameworks, **changes)
    finding = rules.RULES["build_lacks_gpu_code"](snapshot)
    assert finding is not None
    return snapshot, finding


def test_instead_of_a_p100_that_pytorch_has_no_code_for_the_t4_is_to_be_clicked() -> None:
    """docker-python#1546, kaggle-cli#1151: Kaggle does not bring that code back, and points to other GPUs."""
    snapshot, finding = lacking(KAGGLE_TORCH)
    guide = kaggle.for_finding(finding, snapshot)

    assert choices(guide) == ("GPU T4 x2",)
    assert guide is not None
    assert guide.purpose == generic.TO_USE_ANOTHER_GPU
    assert guide.consequences


def test_the_way_to_a_gpu_does_not_lead_back_to_the_p100() -> None:
    snapshot, finding = lacking(KAGGLE_TORCH, TENSORFLOW)
    guide = kaggle.for_goal(Goal.GPU, snapshot, finding)

    assert choices(guide) == ("GPU T4 x2",)
    assert guide is not None
    assert guide.remarks[0] == finding


def test_where_no_choice_of_kaggle_s_would_do_another_build_does() -> None:
    snapshot, finding = lacking(replace(KAGGLE_TORCH, architectures=("sm_80", "sm_90")))

    assert kaggle.for_finding(finding, snapshot) == generic.for_finding(finding, snapshot)
    nobody_looked = here(gpus=(P100,))
    assert kaggle.for_finding(finding, nobody_looked) == generic.for_finding(finding, nobody_looked)
