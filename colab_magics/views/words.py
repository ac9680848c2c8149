"""The sentences: what a rule found, what to click, what it costs; why something is not known."""

from __future__ import annotations

from typing import NamedTuple

from colab_magics.model import Advice, Platform, Service, Unavailable, Value, Values
from colab_magics.units import printable, size

NEW_MACHINE = (
    "This gives you a new machine: variables and files in /content are lost.",
    "Then run again from your first cell (%pip install, %load_ext).",
)

SERVICES = {
    Service.COLAB: "Colab",
    Service.KAGGLE: "Kaggle",
    Service.JUPYTER: "Jupyter",
    Service.TERMINAL: "IPython in a terminal",
    Service.PYTHON: "Python without IPython",
}

REASONS = {
    "binding_broken": "pynvml.py could not be imported: another package stands where nvidia-ml-py's should.",
    "binding_missing": "The package nvidia-ml-py is not installed.",
    "binding_too_old": "The installed pynvml.py is too old, or not nvidia-ml-py's.",
    "driver_crashed": "The NVIDIA driver took down the process that asked it ({cause}).",
    "driver_mismatch": "NVIDIA's library ({library}) and its kernel module ({module}) are of different versions.",
    "driver_missing": "There is an NVIDIA GPU here, but no driver for it.",
    "driver_not_loaded": "NVIDIA's library is here, but the driver's kernel module is not loaded.",
    "driver_resting": "The NVIDIA driver failed twice in a row; it is left alone for another {seconds} s.",
    "driver_silent": "The NVIDIA driver did not answer within {seconds} s.",
    "driver_starting": "The NVIDIA driver is still starting ({seconds} s).",
    "driver_unknown_error": "The NVIDIA driver cannot be opened; often a container has lost its access to the GPU.",
    "gpu_lost": "The NVIDIA driver has lost the GPU.",
    "linux_only": "NVIDIA GPUs are looked at on Linux only.",
    "no_child": "The process that asks the NVIDIA driver could not be started ({error}).",
    "no_permission": "The NVIDIA driver denies access to this process.",
    "unreadable": "It could not be read ({error}).",
}

FIELD_REASONS = {
    "binding_too_old": "the installed nvidia-ml-py is too old",
    "call_was_removed": "the driver has removed the call",
    "changing_too_fast": "the list changes faster than it can be read",
    "driver_mismatch": "the driver's library and kernel module differ",
    "driver_not_loaded": "the driver is not loaded",
    "driver_too_old": "the driver is too old",
    "driver_unknown_error": "the driver says: unknown error",
    "gpu_lost": "the GPU is lost",
    "gpu_needs_reset": "the GPU needs a reset",
    "no_permission": "no permission",
    "not_supported": "not supported by this GPU",
    "not_text": "the driver's answer is not text",
    "unified_memory": "this GPU shares the machine's RAM",
}

FINDINGS = {
    "cuda_hidden": "CUDA_VISIBLE_DEVICES hides every GPU from CUDA.",
    "disk_nearly_full": "The disk is nearly full: {free_bytes} of {total_bytes} free ({place}).",
    "framework_cpu_only": "{framework} {version} is a build without CUDA: it cannot use the GPU.",
    "framework_needs_newer_driver": "{framework} {version} needs CUDA {needed}; this driver runs at most {newest}.",
    "gpu_idle": "GPU {index} is idle while {used_bytes} of its memory are held.",
    "gpu_lost": "GPU {index} is lost: no restart of the kernel brings it back.",
    "gpu_memory_errors": "GPU {index} had {errors} memory errors that could not be corrected: results may be wrong.",
    "gpu_memory_nearly_full": "GPU {index}'s memory is nearly full: {free_bytes} of {total_bytes} free.",
    "gpu_slowed": "GPU {index} is slowed down: {slowdown}.",
    "high_ram": "You are using a high-RAM runtime!",
    "no_gpu": "Not connected to a GPU.",
    "not_high_ram": "Not using a high-RAM runtime.",
    "one_gpu_of_several": "Only one of {count} GPUs is in use.",
    "ram_nearly_full": "RAM is nearly full: {headroom_bytes} of {limited_by} {limit_bytes} can still be allocated.",
}

SLOWDOWNS = {
    "application_clocks": "clocks set by an application",
    "display_clocks": "clocks set for a display",
    "hardware_slowdown": "the hardware protects itself",
    "power_brake": "the power supply asks for it",
    "power_cap": "at its power limit",
    "sync_boost": "in step with another GPU",
    "thermal_hardware": "too hot (hardware)",
    "thermal_software": "too hot (driver)",
}

_LIMITED_BY = {"machine": "the machine's", "cgroup_v1": "this container's", "cgroup_v2": "this container's"}
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
    "driver_missing": "Install NVIDIA's driver: nvidia-smi lists the GPU then.",
    "driver_starting": "Ask again in a few seconds: the answer is taken as soon as it comes.",
    "no_permission": "Ask the machine's administrator for access to /dev/nvidia*",
}
_CUDA_BUILDS = {
    "torch": "the command that pytorch.org/get-started gives for CUDA",
    "jax": '%pip install -U "jax[cuda12]"',
    "tensorflow": '%pip install "tensorflow[and-cuda]"',
    "cupy": "%pip install cupy-cuda12x",
}


class Guide(NamedTuple):
    """What to do: the purpose ("To use a GPU"), the words to click in order, and what it costs."""

    purpose: str
    steps: tuple[str, ...]
    consequences: tuple[str, ...] = ()


_GUIDES = {
    ("disk_nearly_full", None): Guide(
        "To make room", ("du -sh * shows what is large", "delete what you no longer need")
    ),
    ("cuda_hidden", None): Guide(
        "To use the GPU", ("take CUDA_VISIBLE_DEVICES out of the environment", "restart the kernel")
    ),
    ("framework_needs_newer_driver", None): Guide(
        "To use the GPU", ("install a build for the driver's CUDA", "restart the kernel")
    ),
    ("gpu_idle", Service.COLAB): Guide(
        "When you are done with it", ("Runtime > Disconnect and delete runtime",), (NEW_MACHINE[0],)
    ),
    ("gpu_memory_nearly_full", None): Guide(
        "To make room", ("del what you no longer need, and empty the framework's cache", "or restart the kernel")
    ),
    ("no_gpu", Service.COLAB): Guide("To use a GPU", ("Runtime > Change runtime type", "T4 GPU", "Save"), NEW_MACHINE),
    ("no_gpu", Service.KAGGLE): Guide(
        "To use a GPU",
        ("Settings > Accelerator", "GPU T4 x2", "confirm in the dialog"),
        ("Then run again from your first cell.",),
    ),
    ("no_gpu", None): Guide("To use a GPU", ("run this on a machine that has one; nvidia-smi must list it.",)),
    ("not_high_ram", Service.COLAB): Guide(
        "To get more RAM", ("Runtime > Change runtime type", "High-RAM (paid)", "Save"), NEW_MACHINE
    ),
    ("ram_nearly_full", None): Guide(
        "To make room",
        ("del what you no longer need", "or restart the kernel"),
        ("Restarting the kernel loses its variables; files stay.",),
    ),
}
_ANOTHER_COLAB_MACHINE = Guide(
    "To get another machine", ("Runtime > Disconnect and delete runtime", "Reconnect"), NEW_MACHINE
)
_FAULTS_OF_THE_MACHINE = frozenset({"gpu_lost", "gpu_memory_errors"})
_ANOTHER_START = Guide("What to do", ("Restart the machine: restarting the kernel does not help.",))


def finding(advice: Advice) -> str:
    """Return the sentence that says what a rule found."""
    cause = _cause(advice)
    return FINDINGS[advice.rule].format(**_spoken(advice.values)) if cause is None else reason(cause)


def guide(advice: Advice, platform: Platform) -> Guide | None:
    """Return what to do about what a rule found, in the words of the service; None where there is nothing to do."""
    cause = _cause(advice)
    if cause is not None:
        return remedy(cause, platform)
    if advice.rule in _FAULTS_OF_THE_MACHINE:
        return _another_machine(platform)
    if advice.rule == "framework_cpu_only":
        return Guide("To use the GPU", (_CUDA_BUILDS[str(dict(advice.values)["framework"])], "restart the kernel"))
    return _GUIDES.get((advice.rule, platform.service)) or _GUIDES.get((advice.rule, None))


def reason(unavailable: Unavailable) -> str:
    """Return the sentence that says why a section is not known."""
    sentence = REASONS.get(unavailable.reason)
    if sentence is None:
        return f"The NVIDIA driver cannot be asked: {field_reason(unavailable.reason)}."
    return sentence.format(**_spoken(unavailable.values))


def remedy(unavailable: Unavailable, platform: Platform) -> Guide | None:
    """Return what to do about a section that is not known; None where nothing is known to help."""
    if unavailable.reason in _ANOTHER_MACHINE_HELPS:
        return _another_machine(platform)
    step = _REMEDIES.get(unavailable.reason)
    return None if step is None else Guide("What to do", (step,))


def field_reason(key: str) -> str:
    """Return the phrase that says why a single field is not known."""
    if key.startswith("nvml_error_"):
        return f"NVML error {key.removeprefix('nvml_error_')}"
    return FIELD_REASONS[key]


def place(platform: Platform, *, has_gpu: bool | None) -> str:
    """Return where this is: "Colab, CPU runtime", "Jupyter". `has_gpu` is None where that could not be seen."""
    service = SERVICES[platform.service]
    if platform.service not in (Service.COLAB, Service.KAGGLE) or has_gpu is None:
        return service
    if has_gpu:
        return f"{service}, GPU runtime"
    return f"{service}, CPU runtime" if platform.tpu_type is None else f"{service}, TPU runtime"


def slowdown(cause: str) -> str:
    """Return the phrase for a cause of low clocks; one that NVML has added since is shown by its number."""
    return SLOWDOWNS.get(cause, cause.replace("_", " "))


def _another_machine(platform: Platform) -> Guide:
    return _ANOTHER_COLAB_MACHINE if platform.service is Service.COLAB else _ANOTHER_START


def _cause(advice: Advice) -> Unavailable | None:
    """Return what could not be looked at, for the rules that speak of that."""
    if not advice.values or advice.values[0][0] != "reason":
        return None
    (_, key), *values = advice.values
    return Unavailable(reason=str(key), values=tuple(values))


def _spoken(values: Values) -> dict[str, str]:
    """Return figures as they are said, by name."""
    return {name: _said(name, value) for name, value in values}


def _said(name: str, value: Value) -> str:
    if name == "limited_by":
        return _LIMITED_BY[str(value)]
    if name == "slowdown":
        return slowdown(str(value))
    if isinstance(value, str):
        return printable(value)
    return size(value) if name.endswith("_bytes") else f"{value:g}"
