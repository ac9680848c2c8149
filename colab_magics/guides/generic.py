"""What holds everywhere, whoever runs the machine: each service tells only where it differs.

Short, and only what is known: a kernel sees neither what a machine costs nor how long it lasts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics import facts
from colab_magics.facts import accelerators, cuda_builds
from colab_magics.guides.interface import (
    CommandStep,
    Goal,
    Guide,
    LimitsTable,
    Point,
    Sentence,
    TextStep,
    sentences,
)
from colab_magics.model import Platform, Ram, Unavailable, seen
from colab_magics.translation import N_
from colab_magics.values import replace

if TYPE_CHECKING:
    from collections.abc import Callable

    from colab_magics.guides.interface import FactsTable, OfferedImage, OfferedMachine, Remark, Step
    from colab_magics.model import Finding, Gpu, Offer, Snapshot

RESTART_KERNEL = TextStep(Sentence(N_("restart the kernel")))
OR_RESTART_KERNEL = TextStep(Sentence(N_("or restart the kernel")))
RESULTS_ARE_GONE = Sentence(
    N_("Out, _ and their like are empty then, and %debug knows nothing of the last error; variables stay.")
)
KERNEL_RESTARTED = Sentence(N_("Restarting the kernel loses its variables; files stay."))
TO_USE_THE_GPU = Sentence(N_("To use the GPU"))
TO_USE_A_GPU = Sentence(N_("To use a GPU"))
TO_USE_AN_NVIDIA_GPU = Sentence(N_("To use an NVIDIA GPU"))
TO_USE_ANOTHER_GPU = Sentence(N_("To use another GPU"))
TO_USE_A_TPU = Sentence(N_("To use a TPU"))
TO_GET_MEMORY = Sentence(N_("To get more memory"))
TO_USE_ANOTHER_IMAGE = Sentence(N_("To use another Python or image"))
TO_RUN_LONGER = Sentence(N_("For longer runs"))
TO_STOP_PAYING = Sentence(N_("To stop paying"))
TO_MAKE_ROOM = Sentence(N_("To make room"))
TO_MEET_IT = Sentence(N_("To meet it"))
AT_A_LIMIT = Sentence(N_("When you hit a limit"))
WHAT_TO_DO = Sentence(N_("What to do"))
TO_INSTALL_THERE = Sentence(N_("To install colab_magics there"))
TASKS_ARE_LOST = Sentence(N_("This ends your tasks and actors."))

SHARED_MEMORY_BYTES = 8 * 2**30
"""What a container has of it that is started as we say."""

NO_CODE = "build_lacks_gpu_code"
"""The finding that a framework's build has no code for the GPU."""

ANOTHER_MACHINE_HELPS = frozenset(
    {
        "driver_crashed",
        "driver_mismatch",
        "driver_not_loaded",
        "driver_resting",
        "driver_silent",
        "driver_unknown_error",
        "gpu_lost",
        "gpu_needs_reset",
    }
)
"""Codes of what a restart of the kernel does not mend."""

FOR_WHO_RUNS_IT = frozenset(
    {
        "blocked_by_system",
        "cuda_library_missing",
        "driver_missing",
        "gpu_not_given",
        "gpu_not_started",
        "library_broken",
        "library_missing",
    }
)
"""Codes, and a finding, of what is for whoever runs the machine to mend: on a service a user can but start another."""

OUT_OF_MEMORY = frozenset({"out_of_ram", "out_of_gpu_memory", "out_of_tpu_memory"})
"""Findings that a cell has run out of memory."""

ANOTHER_MACHINE_MENDS = frozenset({"gpu_lost", "gpu_memory_errors", "gpu_not_usable"})
"""Findings that are faults of the machine."""

_START_AGAIN = Guide(
    WHAT_TO_DO, steps=(TextStep(Sentence(N_("Restart the machine: restarting the kernel does not help."))),)
)
_GIVE_GPUS = TextStep(Sentence(N_("start the container with its GPUs: docker run --gpus all")))
_GIVE_LIBRARIES = TextStep(Sentence(N_("start the container with NVIDIA_DRIVER_CAPABILITIES=compute,utility")))
_RUN_LDCONFIG = TextStep(Sentence(N_("or run ldconfig, where the driver's libraries are here")))
_UPDATE_WINDOWS = TextStep(Sentence(N_("install NVIDIA's current driver in Windows, then: wsl --shutdown")))
_ASK_THE_LOG = TextStep(Sentence(N_("dmesg says why, in lines with NVRM")))
_GUIDES: dict[str, Guide] = {
    "child_nonsense": Guide(
        WHAT_TO_DO,
        remarks=(Sentence(N_("It may be of another version: a kernel keeps what it loaded before an upgrade.")),),
        steps=(RESTART_KERNEL,),
        consequences=(KERNEL_RESTARTED,),
    ),
    "gpu_not_given": Guide(WHAT_TO_DO, steps=(_GIVE_GPUS,)),
    "node_other_version": Guide(
        WHAT_TO_DO, steps=(TextStep(Sentence(N_("install the same version of colab_magics on every machine"))),)
    ),
    "gpu_not_started": Guide(WHAT_TO_DO, steps=(_ASK_THE_LOG, TextStep(Sentence(N_("restart the machine"))))),
    "library_broken": Guide(
        WHAT_TO_DO, steps=(TextStep(Sentence(N_("install the libraries of the driver that is loaded"))),)
    ),
    "library_missing": Guide(WHAT_TO_DO, steps=(_GIVE_LIBRARIES, _RUN_LDCONFIG)),
    "wsl_blocked": Guide(
        WHAT_TO_DO,
        steps=(TextStep(Sentence(N_("remove any NVIDIA driver package from this Linux"))), _UPDATE_WINDOWS),
    ),
    "wsl_library_missing": Guide(WHAT_TO_DO, steps=(_UPDATE_WINDOWS,)),
}
"""What to do about a section that is not known, by its code."""

_REMEDIES: dict[str, Step] = {
    "binding_broken": CommandStep("%pip install --force-reinstall nvidia-ml-py"),
    "binding_missing": CommandStep("%pip install nvidia-ml-py"),
    "binding_too_old": CommandStep("%pip install --upgrade nvidia-ml-py"),
    "driver_missing": TextStep(Sentence(N_("Install NVIDIA's driver: nvidia-smi lists the GPU then."))),
    "driver_slow": TextStep(
        Sentence(N_("Ask again in a minute: by then a driver that hangs is told from a slow one."))
    ),
    "driver_starting": TextStep(Sentence(N_("Ask again in a few seconds."))),
    "no_permission": TextStep(Sentence(N_("Ask the machine's administrator for access to /dev/nvidia*"))),
}
_ON_EVERY_MACHINE: dict[object, Step] = {
    "dask": CommandStep(
        'from dask.distributed import PipInstall; client.register_plugin(PipInstall(["colab_magics"]))'
    ),
    "ipyparallel": CommandStep('client[:].execute("%pip install colab_magics", block=True)'),
    "ray": CommandStep('ray.shutdown(); ray.init(runtime_env={"pip": ["colab_magics"]})'),
}
"""What installs the package on the machines of a cluster, by its engine."""

_CUDA_BUILDS: dict[str, Step] = {
    "torch": TextStep(Sentence(N_("take the command that pytorch.org/get-started gives for CUDA"))),
    "jax": CommandStep('%pip install -U "jax[cuda12]"'),
    "tensorflow": CommandStep('%pip install "tensorflow[and-cuda]"'),
    "cupy": CommandStep("%pip install cupy-cuda12x"),
}
_CONTAINER_LIMIT = N_("This container may use {capacity_bytes:size} RAM: whoever runs the container can raise that.")
_RAM_LIMITS = {
    "machine": N_("The machine has {capacity_bytes:size} RAM: more comes with a larger machine."),
    "cgroup_v1": _CONTAINER_LIMIT,
    "cgroup_v2": _CONTAINER_LIMIT,
    "rlimit_as": N_(
        "This process may use {capacity_bytes:size} RAM (ulimit -v): whoever starts Jupyter can raise that."
    ),
    "rlimit_data": N_(
        "This process may use {capacity_bytes:size} RAM (ulimit -d): whoever starts Jupyter can raise that."
    ),
    "commit": N_(
        "This machine promises its programs {capacity_bytes:size} (vm.overcommit_memory=2): its administrator can raise"
        " that."
    ),
}
_A_BUILD = N_("install {framework} {version}, a build for CUDA {cuda}, which has code for it (as of {date})")
_BUILD_TO_TAKE = {
    "torch": N_(
        "install torch {version} by the command that pytorch.org/get-started gives for CUDA {cuda}: that build has code"
        " for it (as of {date})"
    ),
}
_DELETE_VARIABLES = TextStep(Sentence(N_("del what you no longer need")))
_FREE_GPU_MEMORY = Sentence(N_("del what you no longer need, and empty the framework's cache"))
_FEWER_WORKERS = TextStep(Sentence(N_("or use fewer DataLoader workers (num_workers)")))
_DELETE_FILES_IN_MEMORY = Guide(
    TO_MAKE_ROOM,
    steps=(
        TextStep(Sentence(N_("ls -lhS /dev/shm shows what is large"))),
        TextStep(Sentence(N_("rm there what no program needs any more"))),
    ),
    otherwise=Goal.MEMORY,
)
_LET_GO = CommandStep("%ram_info -f")
_LESS_AT_A_TIME = TextStep(Sentence(N_("load or keep less at a time")))
_SMALLER_BATCH = TextStep(Sentence(N_("take a smaller batch, or shorter inputs")))
_ASK_WHO = TextStep(Sentence(N_("%gpu_info -p lists them; shut down the notebooks that you no longer need")))
_LARGE_CACHE_BYTES = 2**30
_EMPTY_CACHE = {
    "torch": CommandStep("torch.cuda.empty_cache()"),
    "cupy": CommandStep("cupy.get_default_memory_pool().free_all_blocks()"),
}
"""What makes a framework give back what it keeps for later."""
_NO_PREALLOCATION = CommandStep("%env XLA_PYTHON_CLIENT_PREALLOCATE=false")
TO_NEED_LESS_MEMORY = Guide(
    Sentence(N_("So that it does not happen again")),
    steps=(TextStep(Sentence(N_("load or keep less at a time; %ram_info tells what is left"))),),
    otherwise=Goal.MEMORY,
)
_FOR_FINDINGS = {
    "cell_kept_ram": Guide(TO_MAKE_ROOM, steps=(_DELETE_VARIABLES,)),
    "cell_left_gpu_idle": Guide(
        TO_USE_THE_GPU,
        steps=(
            TextStep(Sentence(N_('in PyTorch bring model and data there: model.to("cuda")'))),
            TextStep(Sentence(N_("else see by %gpu_info whether the framework is a build for it"))),
        ),
    ),
    "cell_nearly_filled_ram": TO_NEED_LESS_MEMORY,
    "cuda_library_missing": Guide(TO_USE_THE_GPU, steps=(_GIVE_LIBRARIES, _RUN_LDCONFIG)),
    "cuda_hidden": Guide(
        TO_USE_THE_GPU,
        steps=(TextStep(Sentence(N_("take CUDA_VISIBLE_DEVICES out of the environment"))), RESTART_KERNEL),
    ),
    "disk_nearly_full": Guide(
        TO_MAKE_ROOM,
        steps=(
            TextStep(Sentence(N_("du -sh * shows what is large"))),
            TextStep(Sentence(N_("delete what you no longer need"))),
        ),
    ),
    "framework_needs_newer_driver": Guide(
        TO_USE_THE_GPU,
        steps=(TextStep(Sentence(N_("install a build for the driver's CUDA"))), RESTART_KERNEL),
    ),
    "gpu_memory_nearly_full": Guide(
        TO_MAKE_ROOM, steps=(TextStep(_FREE_GPU_MEMORY), OR_RESTART_KERNEL), otherwise=Goal.MEMORY
    ),
    "gpu_memory_of_others": Guide(TO_MAKE_ROOM, steps=(_ASK_WHO,), otherwise=Goal.MEMORY),
    "hidden_holders": Guide(Sentence(N_("To let go of them")), steps=(_LET_GO,), consequences=(RESULTS_ARE_GONE,)),
    "killed_for_memory": TO_NEED_LESS_MEMORY,
    "kernel_holds_most_ram": Guide(TO_MAKE_ROOM, steps=(_DELETE_VARIABLES, OR_RESTART_KERNEL)),
    "no_inodes_left": Guide(
        TO_MAKE_ROOM,
        steps=(
            TextStep(Sentence(N_("du --inodes -s * shows which folders hold many files"))),
            TextStep(Sentence(N_("delete those that you no longer need, or pack them into one"))),
        ),
    ),
    "shared_memory_nearly_full": Guide(
        TO_MAKE_ROOM,
        steps=(
            TextStep(Sentence(N_("ls -lh /dev/shm shows what lies there"))),
            TextStep(Sentence(N_("rm what no running process needs"))),
            _FEWER_WORKERS,
        ),
    ),
    "shared_memory_small": Guide(
        Sentence(N_("To get more shared memory")),
        steps=(
            # The size is SHARED_MEMORY_BYTES.
            TextStep(Sentence(N_("start the container with docker run --shm-size=8g, or --ipc=host"))),
            _FEWER_WORKERS,
        ),
    ),
    "no_gpu": Guide(
        TO_USE_A_GPU,
        steps=(TextStep(Sentence(N_("run this on a machine that has one; nvidia-smi must list it."))),),
        goal=Goal.GPU,
    ),
    "ram_nearly_full": Guide(
        TO_MAKE_ROOM,
        steps=(_DELETE_VARIABLES, OR_RESTART_KERNEL),
        consequences=(KERNEL_RESTARTED,),
        otherwise=Goal.MEMORY,
    ),
}


def for_finding(finding: Finding, snapshot: Snapshot) -> Guide | None:
    """Return what to do about a finding wherever this runs, None where nothing is known to help."""
    cause = dict(finding.values).get("cause")
    if finding.rule == "gpu_not_usable" and cause in _REMEDIES:
        return for_unavailable(Unavailable(code=str(cause)), snapshot)
    if finding.rule in ANOTHER_MACHINE_MENDS or (finding.rule in FOR_WHO_RUNS_IT and _is_a_service_s(snapshot)):
        return _START_AGAIN
    if isinstance(cause, Unavailable):
        return for_unavailable(cause, snapshot)
    if finding.rule in _MADE:
        return _MADE[finding.rule](finding, snapshot)
    guide = _FOR_FINDINGS.get(finding.rule)
    if finding.rule == "ram_nearly_full" and isinstance(snapshot.ram, Ram) and snapshot.ram.is_mostly_shared:
        guide = _DELETE_FILES_IN_MEMORY
    if guide is not None and finding.rule == "no_gpu":
        return replace(guide, purpose=_to_use_a_gpu(snapshot))
    return guide


def _to_empty_the_cache(finding: Finding, _snapshot: Snapshot) -> Guide:
    """Return how a framework gives back what it keeps; JAX does so at its end alone, and may be told to take less."""
    framework = str(dict(finding.values)["framework"])
    if framework in _EMPTY_CACHE:
        return Guide(TO_MAKE_ROOM, steps=(_EMPTY_CACHE[framework],))
    return Guide(TO_MAKE_ROOM, steps=(RESTART_KERNEL, _NO_PREALLOCATION), consequences=(KERNEL_RESTARTED,))


def _after_running_out(_finding: Finding, snapshot: Snapshot) -> Guide:
    """Return what to do, in order, where a cell has run out of memory."""
    ran_out = snapshot.out_of_memory
    names = _names_to_delete(snapshot)
    steps: list[Step] = [_LET_GO, CommandStep(f"del {', '.join(names)}") if names else _DELETE_VARIABLES]
    if ran_out is not None and ran_out.memory != "ram":
        large = [one.framework for one in ran_out.frameworks if (one.cached_bytes or 0) >= _LARGE_CACHE_BYTES]
        steps += [_EMPTY_CACHE[name] for name in dict.fromkeys(large) if name in _EMPTY_CACHE]
        steps.append(_SMALLER_BATCH)
    else:
        steps.append(_LESS_AT_A_TIME)
    return Guide(TO_MAKE_ROOM, steps=tuple(steps), otherwise=Goal.MEMORY)


def _names_to_delete(snapshot: Snapshot) -> tuple[str, ...]:
    """Return the names of the variable that holds most of the memory that has run out; none where none holds much."""
    ran_out, holders = snapshot.out_of_memory, snapshot.holders
    if holders is None or isinstance(holders, Unavailable):
        return ()
    if ran_out is None or ran_out.memory == "ram":
        return () if holders.deletion is None else holders.deletion.names
    there = [one.name for one in holders.largest if one.keeper == "variable" and one.devices]
    return tuple(name for name in there[:1] if name.isidentifier())


def _to_another_build(finding: Finding, snapshot: Snapshot) -> Guide:
    name = str(dict(finding.values)["framework"])
    if finding.rule == NO_CODE:
        return to_fitting_build(finding, snapshot) or _no_build_fits(name)
    return Guide(TO_USE_THE_GPU, steps=(_CUDA_BUILDS[name], RESTART_KERNEL))


_MADE: dict[str, Callable[[Finding, Snapshot], Guide]] = {
    **dict.fromkeys(sorted(OUT_OF_MEMORY), _after_running_out),
    "framework_cpu_only": _to_another_build,
    "gpu_memory_cached": _to_empty_the_cache,
    NO_CODE: _to_another_build,
}
"""What makes the guides that depend on what was found and seen."""


def to_fitting_build(finding: Finding, snapshot: Snapshot) -> Guide | None:
    """Return the way to a build that has code for the GPU and that the driver runs, None where none is known."""
    values = dict(finding.values)
    name = str(values["framework"])
    installed = next((one for one in seen(snapshot.frameworks) if one.name == name), None)
    newest = None if snapshot.driver is None else snapshot.driver.cuda_version
    if newest is None and installed is not None:  # a driver that does not tell runs the CUDA that is here
        newest = installed.cuda_version
    build = cuda_builds.fitting(name, str(values.get("capability")), like=installed, newest_cuda=newest)
    if build is None:
        return None
    known = (("framework", name), ("version", build.version), ("cuda", build.cuda), ("date", build.date.isoformat()))
    return Guide(TO_USE_THE_GPU, steps=(TextStep(Sentence(_BUILD_TO_TAKE.get(name, _A_BUILD), known)), RESTART_KERNEL))


def served_machines(
    finding: Finding, snapshot: Snapshot, offered: tuple[OfferedMachine, ...]
) -> tuple[OfferedMachine, ...]:
    """Return those of the offered machines whose GPU the framework that a finding is about has code for."""
    name = dict(finding.values).get("framework")
    installed = next((one for one in seen(snapshot.frameworks) if one.name == name), None)
    if installed is None:
        return ()
    return tuple(one for one in offered if one.kind == "gpu" and cuda_builds.runs_on(installed, one.compute_capability))


def for_unavailable(unavailable: Unavailable, snapshot: Snapshot) -> Guide | None:
    """Return what to do about a section that is not known, None where nothing is known to help."""
    if unavailable.code in ANOTHER_MACHINE_HELPS:
        return _START_AGAIN
    if unavailable.code in FOR_WHO_RUNS_IT and _is_a_service_s(snapshot):
        return _START_AGAIN
    if unavailable.code == "node_lacks_package":
        engine = dict(unavailable.values).get("engine")
        lost = (TASKS_ARE_LOST,) if engine == "ray" else ()
        step = _ON_EVERY_MACHINE.get(engine)
        return None if step is None else Guide(TO_INSTALL_THERE, steps=(step,), consequences=lost)
    step = _REMEDIES.get(unavailable.code)
    return _GUIDES.get(unavailable.code) if step is None else Guide(WHAT_TO_DO, steps=(step,))


def _is_a_service_s(snapshot: Snapshot) -> bool:
    """Tell whether the machine is a service's, not one's own."""
    row = None if snapshot.service is None else facts.service(snapshot.service)
    return row is not None and not row.machine_is_ones_own


def for_goal(  # noqa: PLR0911 - one for each goal
    goal: Goal, snapshot: Snapshot, blocking: Finding | None
) -> Guide:
    """Return the way to a goal on a machine of which nothing is known but what was seen."""
    match goal:
        case Goal.GPU:
            return _to_gpu(snapshot, blocking)
        case Goal.TPU:
            return _to_tpu()
        case Goal.MEMORY:
            return _to_memory(snapshot)
        case Goal.IMAGE:
            return replace(to_another_python(), purpose=TO_USE_ANOTHER_IMAGE, remarks=python_here(snapshot))
        case Goal.LONGER:
            return _to_longer_runs(snapshot)
        case Goal.CHEAPER:
            unseen = Sentence(N_("What this machine costs cannot be seen from a kernel."))
            return Guide(TO_STOP_PAYING, remarks=(unseen, whom_to_ask(snapshot)))
        case Goal.LIMIT:
            return Guide(AT_A_LIMIT, remarks=limit_remarks(snapshot), tables=published(snapshot))


def offered_machines(_snapshot: Snapshot) -> tuple[OfferedMachine, ...]:
    """Return nothing: what else there is, nobody knows."""
    return ()


def offered_images(_snapshot: Snapshot) -> tuple[OfferedImage, ...]:
    """Return nothing: here an environment is made, not chosen."""
    return ()


def to_get(_offers: tuple[Offer, ...], _others: tuple[Offer, ...]) -> Guide:
    """Return the way to another machine."""
    elsewhere = TextStep(Sentence(N_("run this on a machine that has what is required.")))
    return Guide(TO_MEET_IT, steps=(elsewhere,))


def to_install(packages: tuple[str, ...]) -> Guide:
    """Return the way to packages, as pip takes them ("torch>=2.4"); one that is loaded stays so until a restart."""
    quoted = " ".join(f'"{package}"' for package in packages)
    command = CommandStep(f"%pip install {quoted}")
    return Guide(TO_MEET_IT, steps=(command, TextStep(Sentence(N_("restart the kernel, if it was imported before")))))


def shared_memory_to_get(snapshot: Snapshot) -> int | None:
    """Return how much shared memory a container started anew would have; None where that is not the user's to do."""
    return SHARED_MEMORY_BYTES if snapshot.is_in_container and not _is_a_service_s(snapshot) else None


def tables() -> tuple[FactsTable, ...]:
    """Return nothing: nobody publishes anything of a machine of one's own."""
    return ()


def not_visible() -> Sentence | None:
    """Return nothing: here is nothing that people look for in vain."""
    return None


def note(statement: str) -> Sentence:
    """Return what a service or its staff has said, by its key in facts/statements.toml, as a remark."""
    return Sentence(N_("Note: {said:statement}."), (("said", statement),))


def python_here(snapshot: Snapshot) -> tuple[Sentence, ...]:
    """Return which Python runs this kernel, nothing where nobody could look."""
    platform = snapshot.platform
    if not isinstance(platform, Platform):
        return ()
    return (Sentence(N_("This kernel runs Python {version}."), (("version", platform.python_version),)),)


def to_another_python(python: str = "python=3.12") -> Guide:
    """Return the way to a kernel with another Python: an environment of its own, registered for Jupyter.

    `python` is which, as conda takes it; one for example where nobody asked for one in particular.
    """
    return Guide(
        TO_MEET_IT,
        steps=(
            CommandStep(f"conda create -n other {python} ipykernel"),
            CommandStep("conda run -n other python -m ipykernel install --user --name other"),
            TextStep(Sentence(N_("choose the kernel “other” for this notebook, and install there what it needs"))),
        ),
        consequences=(Sentence(N_("Another kernel has none of the variables of this one; files stay.")),),
        goal=Goal.IMAGE,
    )


def gpu_here(message: str, gpu: Gpu) -> Sentence:
    """Return a sentence that names a GPU in its place `{name:device}`."""
    return Sentence(message, (("name", gpu.name or ""),))


def whom_to_ask(snapshot: Snapshot) -> Sentence:
    """Return who may know: the service, or whoever runs the machine."""
    if snapshot.service is None or facts.service(snapshot.service) is None:
        return Sentence(N_("Ask whoever runs this machine."))
    may_tell = N_("{service:service} may tell, or whoever runs this machine.")
    return Sentence(may_tell, (("service", snapshot.service),))


def limit_remarks(snapshot: Snapshot) -> tuple[Remark, ...]:
    """Return what a kernel can say of limits: not the service's, but a container's."""
    ram = snapshot.ram
    contained = (ram_limit(ram),) if isinstance(ram, Ram) and ram.capacity_by != "machine" else ()
    unseen = Sentence(N_("Limits of a service cannot be seen from a kernel."))
    return (unseen, whom_to_ask(snapshot), *contained)


def ram_limit(ram: Ram) -> Sentence:
    """Return what bounds the RAM here, and who can change that."""
    return Sentence(_RAM_LIMITS[ram.capacity_by], (("capacity_bytes", ram.capacity_bytes),))


def published(snapshot: Snapshot) -> tuple[FactsTable, ...]:
    """Return the table of what the service here has published of limits, where it is a service we know."""
    return () if snapshot.service is None else (LimitsTable(snapshot.service),)


def _no_build_fits(framework: str) -> Guide:
    read_on = cuda_builds.read_on(framework)
    values = (("framework", framework), ("date", "" if read_on is None else read_on.isoformat()))
    none_fits = N_(
        "use another GPU or another framework: no build of {framework} that this driver runs is known to have code for"
        " this GPU (as of {date})"
    )
    return Guide(WHAT_TO_DO, steps=(TextStep(Sentence(none_fits, values)),))


def _to_gpu(snapshot: Snapshot, blocking: Finding | None) -> Guide:
    """Return the way to a GPU: past what hides the one that is here, else to a machine that has one."""
    if blocking is not None:
        guide = for_finding(blocking, snapshot)
        return Guide(TO_USE_A_GPU, remarks=(blocking,)) if guide is None else replace(guide, remarks=(blocking,))
    run_there = Sentence(N_("Run this on a machine that has such a GPU: nvidia-smi lists it there."))
    gpus = seen(snapshot.gpus)
    if gpus:
        here = gpu_here(N_("There is a GPU here: {name:device}."), gpus[0])
        return Guide(TO_USE_ANOTHER_GPU, remarks=(here, run_there))
    unknown = (snapshot.gpus,) if isinstance(snapshot.gpus, Unavailable) else ()
    return Guide(_to_use_a_gpu(snapshot), remarks=(*unknown, run_there))


def _to_use_a_gpu(snapshot: Snapshot) -> Sentence:
    """Return what a way to a GPU is for: beside another maker's, nvidia-smi lists what is meant alone."""
    return TO_USE_AN_NVIDIA_GPU if seen(snapshot.other_gpu_vendors) else TO_USE_A_GPU


def _to_tpu() -> Guide:
    names = tuple(one.menu_name for one in accelerators.offered() if one.kind == "tpu")
    run_there = N_("Run this on a machine that has one; Colab has them ({names:list}), and Kaggle.")
    return Guide(TO_USE_A_TPU, remarks=(Sentence(run_there, (("names", names),)),))


def _to_memory(snapshot: Snapshot) -> Guide:
    """Return what limits the RAM here, and who can raise it; a GPU's own memory comes with the GPU."""
    ram = snapshot.ram
    known: tuple[Remark, ...] = (ram_limit(ram),) if isinstance(ram, Ram) else () if ram is None else (ram,)
    of_a_gpu = Sentence(N_("A GPU's own memory cannot be enlarged: more comes with another GPU."))
    return Guide(
        TO_GET_MEMORY,
        remarks=(*known, of_a_gpu),
        points_title=TO_MAKE_ROOM,
        points=(Point(_FREE_GPU_MEMORY), Point(OR_RESTART_KERNEL.sentence)),
        consequences=(KERNEL_RESTARTED,),
    )


def _to_longer_runs(snapshot: Snapshot) -> Guide:
    """Return what is published of how long machines last here; a kernel sees nothing of it."""
    unseen, keep = sentences(
        N_("How long this machine is yours cannot be seen from a kernel."),
        N_("Save what matters outside it, again and again, to go on from there."),
    )
    return Guide(TO_RUN_LONGER, remarks=(unseen, whom_to_ask(snapshot), keep), tables=published(snapshot))
