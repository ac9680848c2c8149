from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from builders import COLAB, CPU_RUNTIME, HUNG_DRIVER, JUPYTER, RAM, T4, TORCH_CPU, a_snapshot
from colab_magics import facts, rules
from colab_magics.facts import accelerators
from colab_magics.guides import CommandStep, Goal, Guide, LimitsTable, TextStep, generic
from colab_magics.model import Finding, Severity, Subject, Unavailable
from colab_magics.translation import translator
from colab_magics.views import messages
from runtimes import IN_A_CONTAINER

ENGLISH = translator("en")
RESTART = ["Restart the machine: restarting the kernel does not help."]
ENABLE_THE_DRIVER = [
    "start the container with NVIDIA_DRIVER_CAPABILITIES=compute,utility",
    "or run ldconfig, where the driver's libraries are here",
]


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


def unavailable(code: str, **changes: Any) -> list[str]:
    """Return the steps for a section that is not known for this reason."""
    return steps(generic.for_unavailable(Unavailable(code=code), here(**changes)))


def refused(cause: str) -> Finding:
    return Finding(rule="gpu_not_usable", severity=Severity.ERROR, values=(("index", 0), ("cause", cause)))


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
    assert unavailable(code) == RESTART


@pytest.mark.parametrize("code", ["binding_missing", "driver_missing", "driver_starting", "no_permission"])
def test_what_can_be_done_in_place_has_one_step(code: str) -> None:
    assert len(unavailable(code)) == 1


@pytest.mark.parametrize("service", [None, "new_cloud", "colab_local"], ids=str)
@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("driver_missing", ["Install NVIDIA's driver: nvidia-smi lists the GPU then."]),
        ("gpu_not_given", ["start the container with its GPUs: docker run --gpus all"]),
        ("gpu_not_started", ["dmesg says why, in lines with NVRM", "restart the machine"]),
        ("library_broken", ["install the libraries of the driver that is loaded"]),
        ("library_missing", ENABLE_THE_DRIVER),
    ],
)
def test_who_runs_the_machine_is_told_how_to_mend_it(code: str, expected: list[str], service: str | None) -> None:
    assert unavailable(code, platform=replace(JUPYTER, service=service)) == expected


@pytest.mark.parametrize("code", sorted(generic.FOR_WHO_RUNS_IT))
def test_on_a_service_s_machine_nobody_is_told_to_install_a_driver_or_to_start_a_container(code: str) -> None:
    theirs = [row.key for row in facts.services() if not row.machine_is_ones_own]
    finding = Finding(rule=code, severity=Severity.ERROR)

    assert "kaggle" in theirs
    for service in theirs:
        snapshot = here(platform=replace(COLAB, service=service))
        assert steps(generic.for_unavailable(Unavailable(code=code), snapshot)) == RESTART
        if code in rules.RULES:
            assert steps(generic.for_finding(finding, snapshot)) == RESTART


def test_without_cuda_s_library_a_container_is_to_be_started_with_it() -> None:
    finding = Finding(rule="cuda_library_missing", severity=Severity.ERROR)

    assert steps(generic.for_finding(finding, here())) == ENABLE_THE_DRIVER


def test_in_windows_the_driver_is_windows_s() -> None:
    update = "install NVIDIA's current driver in Windows, then: wsl --shutdown"

    assert unavailable("wsl_library_missing") == [update]
    assert unavailable("wsl_blocked") == ["remove any NVIDIA driver package from this Linux", update]


@pytest.mark.parametrize("cause", ["driver_unknown_error", "gpu_lost", "nvml_error_77"])
def test_a_gpu_that_is_refused_wants_a_new_start_of_the_machine(cause: str) -> None:
    assert steps(generic.for_finding(refused(cause), here())) == RESTART


def test_a_gpu_that_this_process_may_not_use_wants_a_permission() -> None:
    assert steps(generic.for_finding(refused("no_permission"), here())) == unavailable("no_permission") != RESTART


@pytest.mark.parametrize("code", ["unexpected", "child_died", "gpu_not_told", "tegra_library_missing"])
def test_what_nothing_is_known_to_help_has_no_guide(code: str) -> None:
    assert generic.for_unavailable(Unavailable(code=code), here()) is None
