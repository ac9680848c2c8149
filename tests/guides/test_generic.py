from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from builders import COLAB, CPU_RUNTIME, GIB, HUNG_DRIVER, JUPYTER, RAM, T4, TORCH_CPU, a_ram, a_snapshot
from colab_magics import rules
from colab_magics.facts import accelerators
from colab_magics.guides import CommandStep, Goal, Guide, LimitsTable, TextStep, generic
from colab_magics.model import Finding, Severity, Subject, Unavailable
from colab_magics.translation import translator
from colab_magics.views import messages
from runtimes import IN_A_CONTAINER

ENGLISH = translator("en")


def here(**changes: Any) -> Any:
    return a_snapshot(**{"platform": JUPYTER, **changes})


def to(goal: Goal, **changes: Any) -> Guide:
    snapshot = here(**changes)
    return generic.for_goal(goal, snapshot, rules.blocking(rules.judge(Subject.RUNTIME, snapshot)))


def said(guide: Guide) -> list[str]:
    return [messages.sentence(remark, ENGLISH) for remark in guide.remarks]


def steps(guide: Guide | None) -> list[str]:
    assert guide is not None
    return [
        step.command if isinstance(step, CommandStep) else messages.sentence(step.sentence, ENGLISH)
        for step in guide.steps
        if isinstance(step, CommandStep | TextStep)
    ]


def test_what_hides_the_gpu_comes_before_another_machine() -> None:
    guide = to(Goal.GPU, gpus=(replace(T4, is_hidden=True, cuda_index=None),))

    assert said(guide) == ["CUDA_VISIBLE_DEVICES hides every GPU from CUDA."]
    assert steps(guide) == ["take CUDA_VISIBLE_DEVICES out of the environment", "restart the kernel"]


def test_a_driver_that_does_not_answer_is_said_with_what_to_do() -> None:
    guide = to(Goal.GPU, **HUNG_DRIVER)

    assert said(guide) == ["The NVIDIA driver did not answer within 3 s."]
    assert steps(guide) == ["Restart the machine: restarting the kernel does not help."]


def test_a_finding_that_blocks_and_has_no_guide_is_said() -> None:
    blocking = Finding(rule="driver_failed", severity=Severity.ERROR, values=(("cause", Unavailable(code="no_child")),))

    assert generic.for_finding(blocking, here()) is None
    assert generic.for_goal(Goal.GPU, here(), blocking).remarks == (blocking,)


def test_to_a_gpu_leads_a_machine_that_has_one() -> None:
    run_there = "Run this on a machine that has such a GPU: nvidia-smi lists it there."

    assert said(to(Goal.GPU, **CPU_RUNTIME)) == [run_there]
    assert said(to(Goal.GPU)) == ["There is a GPU here: Tesla T4.", run_there]
    assert said(to(Goal.GPU, gpus=(replace(T4, name=None),)))[0] == "There is a GPU here: GPU of unknown name."


def test_to_a_tpu_lead_the_services_that_have_them() -> None:
    names = ", ".join(one.menu_name for one in accelerators.offered() if one.kind == "tpu")

    assert said(to(Goal.TPU)) == [f"Run this on a machine that has one; Colab has them ({names}), and Kaggle."]


def test_it_is_said_what_limits_the_ram() -> None:
    contained = "This container may use 4.0 GiB RAM: whoever runs the container can raise that."

    assert said(to(Goal.MEMORY))[0] == "The machine has 12.7 GiB RAM: more comes with a larger machine."
    assert said(to(Goal.MEMORY, ram=IN_A_CONTAINER["ram"]))[0] == contained
    assert contained in said(to(Goal.LIMIT, ram=IN_A_CONTAINER["ram"]))
    assert not [sentence for sentence in said(to(Goal.LIMIT)) if "GiB" in sentence]


@pytest.mark.parametrize(
    ("limiter", "sentence"),
    [
        ("rlimit_as", "This process may use 2.0 GiB RAM (ulimit -v): whoever starts Jupyter can raise that."),
        ("rlimit_data", "This process may use 2.0 GiB RAM (ulimit -d): whoever starts Jupyter can raise that."),
        (
            "commit",
            "This machine promises its programs 2.0 GiB (vm.overcommit_memory=2): its administrator can raise that.",
        ),
    ],
)
def test_a_limit_that_is_no_container_s_is_named(limiter: str, sentence: str) -> None:
    limited = a_ram(64.0, limited_by=limiter, limit_bytes=2 * GIB, headroom_bytes=GIB)

    assert said(to(Goal.MEMORY, ram=limited))[0] == sentence
    assert sentence in said(to(Goal.LIMIT, ram=limited))


def test_a_limit_as_large_as_the_machine_is_the_machine_s() -> None:
    loose = replace(RAM, limited_by="cgroup_v2", limit_level=0)

    assert said(to(Goal.MEMORY, ram=loose))[0].startswith("The machine has 12.7 GiB RAM")


def test_ram_that_could_not_be_read_says_why() -> None:
    unreadable = Unavailable(code="unreadable", values=(("error", "OSError"),))

    assert said(to(Goal.MEMORY, ram=unreadable))[0] == "It could not be read (OSError)."
    assert len(said(to(Goal.MEMORY, ram=None))) == 1


def test_who_may_know_is_the_service_where_there_is_one() -> None:
    on_binder = here(platform=replace(COLAB, service="binder"))

    assert messages.sentence(generic.whom_to_ask(here()), ENGLISH) == "Ask whoever runs this machine."
    assert messages.sentence(generic.whom_to_ask(on_binder), ENGLISH) == (
        "Binder may tell, or whoever runs this machine."
    )
    nobody_knows_it = here(platform=replace(COLAB, service="new_cloud"))
    assert messages.sentence(generic.whom_to_ask(nobody_knows_it), ENGLISH) == "Ask whoever runs this machine."


def test_costs_limits_and_lifetimes_are_not_to_be_seen_from_a_kernel() -> None:
    for goal in (Goal.CHEAPER, Goal.LIMIT, Goal.LONGER):
        assert "cannot be seen from a kernel" in said(to(goal))[0]


def test_what_was_published_is_that_of_the_service() -> None:
    assert to(Goal.LONGER).tables == ()
    assert to(Goal.LONGER, platform=COLAB).tables == (LimitsTable("colab"),)


def test_nothing_else_is_offered_and_nothing_is_published_of_a_machine_of_one_s_own() -> None:
    assert generic.offered_machines(here()) == ()
    assert generic.tables() == ()
    assert generic.not_visible() is None
    assert steps(generic.to_get(())) == ["run this on a machine that has what is required."]


@pytest.mark.parametrize("framework", ["torch", "jax", "tensorflow", "cupy"])
def test_a_build_without_cuda_has_the_one_to_install_instead(framework: str) -> None:
    snapshot = here(frameworks=(replace(TORCH_CPU, name=framework),))
    finding = rules.RULES["framework_cpu_only"](snapshot)
    assert finding is not None

    install, restart = steps(generic.for_finding(finding, snapshot))
    assert ("pytorch.org" if framework == "torch" else framework) in install
    assert restart == "restart the kernel"


@pytest.mark.parametrize("code", sorted(generic.ANOTHER_MACHINE_HELPS))
def test_what_a_new_kernel_does_not_mend_a_new_start_of_the_machine_does(code: str) -> None:
    assert steps(generic.for_unavailable(Unavailable(code=code))) == [
        "Restart the machine: restarting the kernel does not help."
    ]


@pytest.mark.parametrize("code", ["binding_missing", "driver_missing", "driver_starting", "no_permission"])
def test_what_can_be_done_in_place_has_one_step(code: str) -> None:
    assert len(steps(generic.for_unavailable(Unavailable(code=code)))) == 1


def test_what_nothing_is_known_to_help_has_no_guide() -> None:
    assert generic.for_unavailable(Unavailable(code="unexpected")) is None
