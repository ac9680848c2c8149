from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from builders import CPU_RUNTIME, OLD_TORCH, RTX_PRO_6000, TENSORFLOW, a_ram, a_snapshot
from colab_magics import facts, rules
from colab_magics.facts import accelerators
from colab_magics.guides import (
    ClickStep,
    Goal,
    Guide,
    LimitsTable,
    LinksTable,
    MenuStep,
    NoticesTable,
    OfferedMachine,
    OtherMenusTable,
    RuntimeVersionsTable,
    Sentence,
    colab,
    generic,
)
from colab_magics.model import Finding, Offer, Severity, Unavailable
from colab_magics.translation import translator
from colab_magics.views import guide_text, messages
from runtimes import GUIDED

ENGLISH = translator("en")
DISCONNECT = MenuStep(("runtime_menu", "disconnect_and_delete"))
CHANGE, SAVE = MenuStep(("runtime_menu", "change_runtime_type")), MenuStep(("save",))


def for_rule(rule: str, **changes: Any) -> Guide | None:
    return colab.for_finding(Finding(rule=rule, severity=Severity.INFO), a_snapshot(**changes))


def offered(**changes: Any) -> dict[tuple[str, bool], OfferedMachine]:
    return {(one.offer.name, one.offer.high_ram): one for one in colab.offered_machines(a_snapshot(**changes))}


def test_without_a_gpu_the_first_of_the_dialog_is_to_be_clicked() -> None:
    guide = for_rule("no_gpu", **CPU_RUNTIME)

    assert guide is not None
    assert guide.steps == (CHANGE, ClickStep(("T4 GPU",), "T4"), SAVE)
    assert guide.goal is Goal.GPU
    assert Sentence("This gives you a new machine: variables and files in /content are lost.") in guide.consequences


@pytest.mark.parametrize("rule", sorted({*generic.ANOTHER_MACHINE_MENDS, "cuda_library_missing"}))
def test_a_fault_of_the_machine_is_left_behind_with_it(rule: str) -> None:
    guide = for_rule(rule)

    assert guide is not None
    assert guide.steps[0] == DISCONNECT


@pytest.mark.parametrize("code", sorted(generic.ANOTHER_MACHINE_HELPS | generic.FOR_WHO_RUNS_IT))
def test_what_a_new_kernel_does_not_mend_or_google_has_to_another_machine_does(code: str) -> None:
    guide = colab.for_unavailable(Unavailable(code=code), a_snapshot())

    assert guide is not None
    assert guide.steps[0] == DISCONNECT


def test_what_is_no_matter_of_colab_s_is_told_as_everywhere() -> None:
    for rule in ("no_inodes_left", "ram_nearly_full", "cuda_hidden", "kernel_holds_most_ram"):
        assert for_rule(rule) == generic.for_finding(Finding(rule=rule, severity=Severity.INFO), a_snapshot())
    starting = Unavailable(code="driver_starting")
    assert colab.for_unavailable(starting, a_snapshot()) == generic.for_unavailable(starting, a_snapshot())


def test_what_fills_colab_s_disk_is_told_and_what_frees_it_without_loss() -> None:
    guide = for_rule("disk_nearly_full")

    assert guide is not None
    content, drive, larger = (guide_text.step(step, ENGLISH) for step in guide.steps)
    assert "!du -h -d 1 /content" in content
    assert drive.index("drive.flush_and_unmount()") < drive.index("!rm -rf ~/.config/Google/DriveFS")
    assert "another accelerator" in larger
    assert [messages.sentence(one, ENGLISH) for one in guide.consequences] == [
        "About 33 to 47 GiB are Colab's own, from the start (seen by users, 2026-11-26)."
    ]


def test_another_disk_than_colab_s_own_is_made_room_on_as_everywhere() -> None:
    mounted = Finding(rule="disk_nearly_full", severity=Severity.WARNING, values=(("place", "working directory"),))
    root = Finding(rule="disk_nearly_full", severity=Severity.WARNING, values=(("place", "/"),))

    assert colab.for_finding(mounted, a_snapshot()) == generic.for_finding(mounted, a_snapshot())
    assert colab.for_finding(root, a_snapshot()) == for_rule("disk_nearly_full")


def test_where_a_process_was_killed_colab_s_own_words_say_what_that_was() -> None:
    guide = for_rule("killed_for_memory")

    assert guide is not None
    assert messages.sentence(guide.purpose, ENGLISH) == (
        "Where Colab said “Your session crashed after using all available RAM.”"
    )
    assert guide.otherwise is Goal.MEMORY


def test_what_colab_s_page_says_and_what_teaches_more_come_with_their_hints() -> None:
    limits, more = for_rule("usage_limits"), for_rule("more_resources")

    assert limits is not None
    assert more is not None
    assert limits.tables == (NoticesTable("colab"),)
    assert more.tables == (LinksTable(),)


@pytest.mark.parametrize(
    ("rule", "goal"),
    [("no_gpu", Goal.GPU), ("not_high_ram", Goal.MEMORY), ("longer_runs", Goal.LONGER), ("usage_limits", Goal.LIMIT)],
)
def test_a_finding_that_a_goal_tells_more_of_names_the_goal(rule: str, goal: Goal) -> None:
    guide = for_rule(rule)

    assert guide is not None
    assert guide.goal is goal


@pytest.mark.parametrize("case", GUIDED)
def test_every_choice_of_the_dialog_is_offered_in_each_of_its_shapes_but_for_this_machine(case: str) -> None:
    snapshot = a_snapshot(**GUIDED[case])
    present, high_ram = accelerators.in_use(snapshot), accelerators.in_high_ram_shape(snapshot)
    machines = offered(**GUIDED[case])

    for one in accelerators.offered():
        is_here = one == present
        assert ((one.menu_name, False) in machines) == (not is_here)
        has_two = not one.one_shape and one.high_ram_gib is not None
        assert ((one.menu_name, True) in machines) == (has_two and not (is_here and high_ram))


def test_more_ram_of_the_accelerator_in_use_is_an_offer_and_paid() -> None:
    assert offered()["T4 GPU", True].offer == Offer(name="T4 GPU", high_ram=True, paid=True, is_current=True)
    assert offered()["CPU", False].offer == Offer(name="CPU")
    assert offered()["L4 GPU", False].offer == Offer(name="L4 GPU", paid=True)
    assert ("T4 GPU", True) not in offered(ram=a_ram(51.0))


def test_where_more_ram_brings_another_card_it_is_called_by_its_own_name() -> None:
    standard, high_ram = offered()["A100 GPU", False], offered()["A100 GPU", True]

    assert (standard.memory_gib, high_ram.memory_gib) == (40, 80)
    assert (standard.ram_gib, high_ram.ram_gib) == (83.5, 167.1)
    assert not [name for name in standard.accelerator_names if "80GB" in name]
    assert not [name for name in high_ram.accelerator_names if "40GB" in name]
    assert "A100 GPU" in {*standard.accelerator_names} & {*high_ram.accelerator_names}


def test_to_get_an_offer_its_words_are_clicked_and_high_ram_where_all_need_it() -> None:
    l4, a100 = Offer(name="L4 GPU", paid=True), Offer(name="A100 GPU", paid=True)
    larger_t4, cpu = Offer(name="T4 GPU", high_ram=True, paid=True, is_current=True), Offer(name="CPU")

    def steps(*offers: Offer) -> tuple[object, ...]:
        guide = colab.to_get(offers, ())
        assert guide is not None
        return guide.steps

    assert steps(l4, a100) == (CHANGE, ClickStep(("L4 GPU", "A100 GPU")), SAVE)
    assert steps(larger_t4) == (CHANGE, MenuStep(("high_ram",)), SAVE)
    assert steps(cpu) == (CHANGE, ClickStep(("CPU",)), SAVE)
    a100_high = replace(a100, high_ram=True)
    assert steps(a100_high) == (CHANGE, ClickStep(("A100 GPU",)), MenuStep(("high_ram",)), SAVE)
    assert steps(a100_high, Offer(name="G4 GPU", paid=True)) == (
        CHANGE,
        ClickStep(("A100 GPU + High-RAM", "G4 GPU")),
        SAVE,
    )
    older = Offer(name="", is_current=True, images=("2026.07", "2026.04"))
    assert steps(older) == (CHANGE, MenuStep(("runtime_version",)), ClickStep(("2026.07", "2026.04")), SAVE)
    assert colab.to_get((), ()) is None


def test_what_costs_is_said_to() -> None:
    l4, t4 = Offer(name="L4 GPU", paid=True), Offer(name="T4 GPU")
    found = [colab.to_get((offer,), ()) for offer in (l4, t4, replace(t4, high_ram=True, paid=True))]

    assert [guide.purpose.message for guide in found if guide is not None] == [
        "To meet it (paid)",
        "To meet it",
        "To meet it (Pro, Pro+)",
    ]


def test_of_what_colab_often_replaces_it_is_said_what_to_do_then() -> None:
    a100, h100, g4 = (Offer(name=f"{name} GPU", paid=True) for name in ("A100", "H100", "G4"))

    def noted(*offers: Offer, others: tuple[Offer, ...] = ()) -> list[str]:
        guide = colab.to_get(offers, others)
        assert guide is not None
        return [messages.sentence(one, translator("en")) for one in guide.consequences[2:]]

    (limited,) = noted(h100)
    assert limited.startswith("H100 GPU: limited, and first come, first served (said by staff, 2026-05-14). ")
    assert limited.endswith("If you chose one and got another, choose it again later.")
    limited, others = noted(a100, others=(h100, g4))
    assert "A100 GPU: limited, and first come, first served (seen by users, 2026-06-08)." in limited
    assert others == "Or allow others in the requirement: H100 GPU, G4 GPU would meet the rest of it."
    assert noted(g4) == noted(a100, g4) == noted(Offer(name="", is_current=True, images=("2026.07",))) == []


def test_the_images_are_those_of_the_facts_the_newest_first() -> None:
    assert [(one.name, one.python) for one in colab.offered_images(a_snapshot())] == [
        (row.name, row.python) for row in facts.runtime_versions()
    ]


def test_what_is_known_of_colab_are_its_limits_and_every_way_to_accelerators_elsewhere() -> None:
    assert colab.tables() == (LimitsTable("colab"), RuntimeVersionsTable("colab"), OtherMenusTable(None))
    assert dict(colab.not_visible().values) == {"menu": ("runtime_menu", "view_resources")}


def past_missing_code(framework: Any) -> Guide:
    snapshot = a_snapshot(gpus=(RTX_PRO_6000,), frameworks=(framework,), ram=a_ram(180.0))
    finding = rules.RULES["build_lacks_gpu_code"](snapshot)
    assert finding is not None
    guide = colab.for_finding(finding, snapshot)
    assert guide is not None
    return guide


def test_a_build_with_code_for_the_gpu_comes_before_another_accelerator() -> None:
    """pytorch#167244: RTX PRO 6000 and torch 2.5.1+cu124."""
    guide = past_missing_code(OLD_TORCH)

    assert guide.purpose == generic.TO_USE_THE_GPU
    assert guide.otherwise is Goal.GPU


def test_where_no_build_has_it_another_accelerator_is_to_be_clicked() -> None:
    """tensorflow#101746, #99592, #89272: no release of TensorFlow runs there."""
    guide = past_missing_code(TENSORFLOW)

    assert guide.steps == (CHANGE, ClickStep(("T4 GPU",), "T4"), SAVE)
    assert guide.consequences
    assert guide.goal is Goal.GPU


def test_where_the_build_has_code_for_none_of_them_that_is_told_as_everywhere() -> None:
    guide = past_missing_code(replace(TENSORFLOW, architectures=("sm_52",)))

    assert guide.purpose == generic.WHAT_TO_DO
