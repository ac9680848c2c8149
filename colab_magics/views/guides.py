"""What to do, in the words of the service: steps with the words to click, what they cost, where to read more.

The words of menus are quoted from `facts`, with the English ones beside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from colab_magics import facts
from colab_magics.model import Advice, Platform, Service, Unavailable
from colab_magics.translation import ENGLISH, marked
from colab_magics.views.messages import cause_of

if TYPE_CHECKING:
    from colab_magics.translation import Say

Step = str | tuple[str, ...]
"""A sentence of ours, or the way through a menu as fields of `facts.Menu`."""

_ANOTHER_MACHINE_HELPS = frozenset(
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
_REMEDIES = {
    "binding_broken": "%pip install --force-reinstall nvidia-ml-py",
    "binding_missing": "%pip install nvidia-ml-py",
    "binding_too_old": "%pip install --upgrade nvidia-ml-py",
    "driver_missing": marked("Install NVIDIA's driver: nvidia-smi lists the GPU then."),
    "driver_starting": marked("Ask again in a few seconds."),
    "no_permission": marked("Ask the machine's administrator for access to /dev/nvidia*"),
}
_CUDA_BUILDS = {
    "torch": marked("take the command that pytorch.org/get-started gives for CUDA"),
    "jax": '%pip install -U "jax[cuda12]"',
    "tensorflow": '%pip install "tensorflow[and-cuda]"',
    "cupy": "%pip install cupy-cuda12x",
}


class Guide(NamedTuple):
    """What to do: the purpose ("To use a GPU"), the steps in order, what it costs, and where to read more."""

    purpose: str
    steps: tuple[Step, ...]
    consequences: tuple[str, ...] = ()
    link: str | None = None


NEW_MACHINE = (
    marked("This gives you a new machine: variables and files in /content are lost."),
    marked("Then run again from your first cell (%pip install, %load_ext)."),
)
_CHANGE_RUNTIME_TYPE = ("runtime_menu", "change_runtime_type")
_DISCONNECT = ("runtime_menu", "disconnect_and_delete")
_SAVE = ("save",)

_GUIDES = {
    ("costly_gpu_unused", Service.COLAB): Guide(marked("To give it back"), (_DISCONNECT,), (NEW_MACHINE[0],), "faq"),
    ("cuda_hidden", None): Guide(
        marked("To use the GPU"),
        (marked("take CUDA_VISIBLE_DEVICES out of the environment"), marked("restart the kernel")),
    ),
    ("disk_nearly_full", None): Guide(
        marked("To make room"), (marked("du -sh * shows what is large"), marked("delete what you no longer need"))
    ),
    ("feedback", Service.COLAB): Guide(
        marked("To tell Google"),
        (marked("Help > Send feedback"), marked("for billing, write to colab-billing@google.com")),
    ),
    ("framework_needs_newer_driver", None): Guide(
        marked("To use the GPU"), (marked("install a build for the driver's CUDA"), marked("restart the kernel"))
    ),
    ("gpu_idle", Service.COLAB): Guide(marked("When you are done with it"), (_DISCONNECT,), (NEW_MACHINE[0],)),
    ("gpu_memory_nearly_full", None): Guide(
        marked("To make room"),
        (marked("del what you no longer need, and empty the framework's cache"), marked("or restart the kernel")),
    ),
    ("kernel_holds_most_ram", None): Guide(
        marked("To make room"), (marked("del what you no longer need"), marked("or restart the kernel"))
    ),
    ("larger_accelerators", Service.COLAB): Guide(
        marked("To change"), (_CHANGE_RUNTIME_TYPE, marked("choose one (paid)"), _SAVE), NEW_MACHINE, "signup"
    ),
    ("longer_runs", Service.COLAB): Guide(
        marked("For longer runs"),
        (
            marked("keep the tab open and a cell running"),
            marked("Colab Pro and Pro+ have longer runtimes, as available"),
            marked("Pro+ also runs on with the tab closed, up to 24 h while there are compute units"),
        ),
        link="signup",
    ),
    ("more_resources", Service.COLAB): Guide(
        marked("To read"), (marked("the overview of Colab and its guides to GPUs and TPUs"),), link="overview"
    ),
    ("newer_number_formats", Service.COLAB): Guide(
        marked("To change"), (_CHANGE_RUNTIME_TYPE, marked("choose one (paid)"), _SAVE), NEW_MACHINE, "signup"
    ),
    ("no_gpu", Service.COLAB): Guide(
        marked("To use a GPU"), (_CHANGE_RUNTIME_TYPE, "T4 GPU", _SAVE), NEW_MACHINE, "gpu_guide"
    ),
    ("no_gpu", Service.KAGGLE): Guide(
        marked("To use a GPU"),
        ("Settings > Accelerator", "GPU T4 x2", marked("confirm in the dialog")),
        (marked("Then run again from your first cell."),),
    ),
    ("no_gpu", None): Guide(
        marked("To use a GPU"), (marked("run this on a machine that has one; nvidia-smi must list it."),)
    ),
    ("not_high_ram", Service.COLAB): Guide(
        marked("To get more RAM (paid)"), (_CHANGE_RUNTIME_TYPE, ("high_ram",), _SAVE), NEW_MACHINE, "signup"
    ),
    ("ram_nearly_full", None): Guide(
        marked("To make room"),
        (marked("del what you no longer need"), marked("or restart the kernel")),
        (marked("Restarting the kernel loses its variables; files stay."),),
    ),
    ("runtime_old", Service.COLAB): Guide(
        marked("To lose nothing"),
        (marked("save what matters to Drive or download it"),),
        (marked("When the machine goes, variables and files in /content go with it."),),
        "faq",
    ),
    ("usage_limits", Service.COLAB): Guide(
        marked("When you hit a limit"),
        (
            ("runtime_menu", "manage_sessions"),
            marked("end what you do not need, and use a GPU only while you need it"),
            marked("or buy compute units as you go: no subscription is needed"),
        ),
        link="signup",
    ),
}
_ANOTHER_COLAB_MACHINE = Guide(marked("To get another machine"), (_DISCONNECT, marked("Reconnect")), NEW_MACHINE)
_ANOTHER_START = Guide(marked("What to do"), (marked("Restart the machine: restarting the kernel does not help."),))
_FAULTS_OF_THE_MACHINE = frozenset({"gpu_lost", "gpu_memory_errors"})


def guide(advice: Advice, platform: Platform) -> Guide | None:
    """Return what to do about what a rule found, in the words of the service; None where there is nothing to do."""
    cause = cause_of(advice)
    if cause is not None:
        return remedy(cause, platform)
    if advice.rule in _FAULTS_OF_THE_MACHINE:
        return _another_machine(platform)
    if advice.rule == "framework_cpu_only":
        build = _CUDA_BUILDS[str(dict(advice.values)["framework"])]
        return Guide(marked("To use the GPU"), (build, marked("restart the kernel")))
    return _GUIDES.get((advice.rule, platform.service)) or _GUIDES.get((advice.rule, None))


def step(step: Step, say: Say) -> str:
    """Return a step in words. The way through a menu is quoted; beside another language's words stand the English."""
    if isinstance(step, str):
        return say(step)
    local, english = quoted(step, say)
    return english if local in (None, english) else f"{local} ({english})"


def quoted(way: tuple[str, ...], say: Say) -> tuple[str | None, str]:
    """Return the way through a menu in the reader's language, None where its words are not known, and in English."""
    english = _quoted(way, facts.menu(ENGLISH))
    if english is None:
        raise LookupError(way)
    return _quoted(way, facts.menu(say.language)), english


def address(guide: Guide) -> str | None:
    """Return where to read more about what to do."""
    return None if guide.link is None else facts.link(guide.link).url


def remedy(unavailable: Unavailable, platform: Platform) -> Guide | None:
    """Return what to do about a section that is not known; None where nothing is known to help."""
    if unavailable.reason in _ANOTHER_MACHINE_HELPS:
        return _another_machine(platform)
    step = _REMEDIES.get(unavailable.reason)
    return None if step is None else Guide(marked("What to do"), (step,))


def _quoted(step: tuple[str, ...], menu: facts.Menu | None) -> str | None:
    """Return the words of a menu, of which a menu may have several in use; None where they are not known."""
    found = [getattr(menu, key, None) for key in step]
    if None in found:
        return None
    return " > ".join("/".join(words) if isinstance(words, tuple) else str(words) for words in found)


def _another_machine(platform: Platform) -> Guide:
    return _ANOTHER_COLAB_MACHINE if platform.service is Service.COLAB else _ANOTHER_START
