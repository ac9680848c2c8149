from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from builders import (
    COLAB,
    CPU_RUNTIME,
    DRIVER,
    GIB,
    HOLDERS,
    HUNG_DRIVER,
    JUPYTER,
    KAGGLE_TORCH,
    OLD_TORCH,
    OUT_OF_MEMORY,
    P100,
    RAM,
    RTX_PRO_6000,
    T4,
    TENSORFLOW,
    TORCH_CPU,
    TORCH_MEMORY,
    WEIGHTS,
    a_ram,
    a_snapshot,
)
from colab_magics import facts, rules
from colab_magics.facts import accelerators
from colab_magics.guides import CommandStep, Goal, Guide, LimitsTable, TextStep, generic, interface
from colab_magics.model import Finding, Severity, Subject, Unavailable
from colab_magics.model.cells import Memory, OutOfMemory
from colab_magics.model.holders import Deletion, Holders
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


def test_beside_another_maker_s_gpu_the_way_to_one_is_to_nvidia_s() -> None:
    """ROCm's PyTorch beside an AMD GPU: that nvidia-smi must list it is said of NVIDIA's alone."""
    here_too = {**CPU_RUNTIME, "other_gpu_vendors": ("AMD",)}
    guide = generic.for_finding(Finding(rule="no_gpu", severity=Severity.INFO), here(**here_too))

    assert guide is not None
    assert guide.purpose == to(Goal.GPU, **here_too).purpose == generic.TO_USE_AN_NVIDIA_GPU
    assert to(Goal.GPU, **CPU_RUNTIME).purpose == generic.TO_USE_A_GPU


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
    assert generic.offered_images(here()) == ()
    assert generic.tables() == ()
    assert generic.not_visible() is None
    assert steps(generic.to_get((), ())) == ["run this on a machine that has what is required."]


@pytest.mark.parametrize("framework", ["torch", "jax", "tensorflow", "cupy"])
def test_a_build_without_cuda_has_the_one_to_install_instead(framework: str) -> None:
    snapshot = here(frameworks=(replace(TORCH_CPU, name=framework),))
    finding = rules.RULES["framework_cpu_only"](snapshot)
    assert finding is not None

    install, restart = steps(generic.for_finding(finding, snapshot))
    assert ("pytorch.org" if framework == "torch" else framework) in install
    assert restart == "restart the kernel"


def past_missing_code(framework: Any, gpu: Any, newest_cuda: str | None = "13.0") -> list[str]:
    snapshot = here(gpus=(gpu,), frameworks=(framework,), driver=replace(DRIVER, cuda_version=newest_cuda))
    finding = rules.RULES["build_lacks_gpu_code"](snapshot)
    assert finding is not None
    return steps(generic.for_finding(finding, snapshot))


def test_where_code_for_the_gpu_is_missing_the_build_that_has_it_is_told() -> None:
    """docker-python#1546 (P100), pytorch#167244 (RTX PRO 6000), pytorch#182250 (V100)."""
    told = (
        "install torch {version} by the command that pytorch.org/get-started gives for CUDA {cuda}: that build has code"
        " for it (as of 2026-11-25)"
    )
    v100 = replace(T4, name="Tesla V100-SXM2-16GB", compute_capability="7.0")
    volta_is_gone = replace(KAGGLE_TORCH, version="2.11.0+cu128", architectures=KAGGLE_TORCH.architectures[1:])

    assert past_missing_code(KAGGLE_TORCH, P100) == [told.format(version="2.10.0", cuda="12.6"), "restart the kernel"]
    assert past_missing_code(volta_is_gone, v100)[0] == told.format(version="2.11.0", cuda="12.6")
    assert past_missing_code(OLD_TORCH, RTX_PRO_6000)[0] == told.format(version="2.14.1", cuda="13.0")


def test_no_build_is_told_that_needs_a_newer_driver() -> None:
    assert "for CUDA 12.9: " in past_missing_code(OLD_TORCH, RTX_PRO_6000, "12.8")[0]
    assert "for CUDA 12.9: " in past_missing_code(OLD_TORCH, RTX_PRO_6000, None)[0]  # the installed one's major


def test_where_no_build_has_code_for_the_gpu_that_is_told() -> None:
    """tensorflow#101746, #99592, #89272: RTX 50xx, any release."""
    none_fits = (
        "use another GPU or another framework: no build of {} that this driver runs is known to have code for this GPU"
        " (as of 2026-11-25)"
    )
    maxwell = replace(T4, name="Tesla M60", compute_capability="5.2")
    kepler = replace(T4, name="Tesla K40c", compute_capability="3.5")

    assert past_missing_code(TENSORFLOW, RTX_PRO_6000) == [none_fits.format("tensorflow")]
    assert past_missing_code(KAGGLE_TORCH, kepler) == [none_fits.format("torch")]
    assert past_missing_code(TENSORFLOW, maxwell)[0] == (
        "install tensorflow 2.16.1, a build for CUDA 12.3, which has code for it (as of 2026-11-25)"
    )


def test_a_gpu_that_a_build_has_no_code_for_is_got_past_on_the_way_to_a_gpu() -> None:
    guide = to(Goal.GPU, gpus=(P100,), frameworks=(KAGGLE_TORCH,))

    assert said(guide)[0].startswith("torch 2.10.0+cu128 has no code for Tesla P100-PCIE-16GB")
    assert "for CUDA 12.6" in steps(guide)[0]


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


def test_of_ram_that_files_fill_no_restart_of_the_kernel_makes_room() -> None:
    """kubernetes#128339."""
    full = a_ram(10.0, headroom_bytes=GIB // 4)
    for shared_bytes, said in ((9 * GIB, "rm there what no program needs any more"), (GIB, "restart the kernel")):
        snapshot = here(ram=replace(full, shared_bytes=shared_bytes))
        finding = rules.RULES["ram_nearly_full"](snapshot)
        assert finding is not None
        assert said in steps(generic.for_finding(finding, snapshot))[-1]


def test_another_python_is_a_kernel_of_an_environment_of_its_own() -> None:
    guide = to(Goal.IMAGE)

    assert [one.message for one in guide.remarks if isinstance(one, interface.Sentence)] == [
        "This kernel runs Python {version}."
    ]
    assert steps(guide)[1] == "conda run -n other python -m ipykernel install --user --name other"
    assert "files stay" in guide.consequences[0].message
    assert to(Goal.IMAGE, platform=Unavailable(code="unexpected")).remarks == ()


# When memory has run out ---------------------------------------------------------------------------------------------


def after(ran_out: OutOfMemory, holders: Holders | Unavailable | None = None) -> list[str]:
    snapshot = here(out_of_memory=ran_out, holders=holders)
    (finding,) = rules.judge(Subject.OUT_OF_MEMORY, snapshot)
    return steps(generic.for_finding(finding, snapshot))


def test_after_ram_has_run_out_hidden_holders_go_first_then_the_largest_variable() -> None:
    of_ram = replace(OUT_OF_MEMORY, memory=Memory.RAM, frameworks=())

    assert after(of_ram, HOLDERS) == ["%ram_info -f", "del frame", "load or keep less at a time"]
    together = replace(HOLDERS, deletion=Deletion(names=("frame", "view"), is_kept_elsewhere=False))
    assert after(of_ram, together)[1] == "del frame, view"
    for unknown in (None, Unavailable(code="unexpected"), replace(HOLDERS, deletion=None)):
        assert after(of_ram, unknown)[1] == "del what you no longer need"


def test_after_a_gpu_s_memory_has_run_out_a_large_cache_is_emptied_and_the_batch_made_smaller() -> None:
    assert after(OUT_OF_MEMORY, HOLDERS) == [
        "%ram_info -f",
        "del weights",
        "torch.cuda.empty_cache()",
        "take a smaller batch, or shorter inputs",
    ]
    without = replace(OUT_OF_MEMORY, frameworks=(replace(TORCH_MEMORY, framework="jax"),))
    assert after(without) == [
        "%ram_info -f",
        "del what you no longer need",
        "take a smaller batch, or shorter inputs",
    ]


def test_a_name_that_no_code_could_write_is_not_deleted() -> None:
    odd = replace(HOLDERS, largest=(replace(WEIGHTS, name="not a name"),))

    assert after(OUT_OF_MEMORY, odd)[1] == "del what you no longer need"


@pytest.mark.parametrize(
    ("framework", "expected"),
    [
        ("torch", ["torch.cuda.empty_cache()"]),
        ("cupy", ["cupy.get_default_memory_pool().free_all_blocks()"]),
        ("jax", ["restart the kernel", "%env XLA_PYTHON_CLIENT_PREALLOCATE=false"]),
    ],
)
def test_each_framework_s_cache_has_its_own_way_out(framework: str, expected: list[str]) -> None:
    finding = Finding(rule="gpu_memory_cached", severity=Severity.INFO, values=(("framework", framework),))

    assert steps(generic.for_finding(finding, here())) == expected
