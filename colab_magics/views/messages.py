"""The sentences: what a rule found, why something is not known, how figures are said.

Every message stands here in English, marked for translation, and is said in the reader's language by a `Say`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics.model import Advice, Unavailable, Value, Values
from colab_magics.units import printable, size, span
from colab_magics.translation import marked

if TYPE_CHECKING:
    from colab_magics.translation import Say

REASONS = {
    "binding_broken": marked("pynvml.py could not be imported: another package stands where nvidia-ml-py's should."),
    "binding_missing": marked("The package nvidia-ml-py is not installed."),
    "binding_too_old": marked("The installed pynvml.py is too old, or not nvidia-ml-py's."),
    "driver_crashed": marked("The NVIDIA driver took down the process that asked it ({cause})."),
    "driver_mismatch": marked(
        "NVIDIA's library ({library}) and its kernel module ({module}) are of different versions."
    ),
    "driver_missing": marked("There is an NVIDIA GPU here, but no driver for it."),
    "driver_not_loaded": marked("NVIDIA's library is here, but the driver's kernel module is not loaded."),
    "driver_resting": marked("The NVIDIA driver failed twice in a row; it is left alone for another {seconds} s."),
    "driver_silent": marked("The NVIDIA driver did not answer within {seconds} s."),
    "driver_starting": marked("The NVIDIA driver is still starting ({seconds} s)."),
    "driver_unknown_error": marked(
        "The NVIDIA driver cannot be opened; often a container has lost its access to the GPU."
    ),
    "gpu_lost": marked("The NVIDIA driver has lost the GPU."),
    "linux_only": marked("NVIDIA GPUs are looked at on Linux only."),
    "no_child": marked("The process that asks the NVIDIA driver could not be started ({error})."),
    "no_permission": marked("The NVIDIA driver denies access to this process."),
    "unreadable": marked("It could not be read ({error})."),
}

FIELD_REASONS = {
    "binding_too_old": marked("the installed nvidia-ml-py is too old"),
    "call_was_removed": marked("the driver has removed the call"),
    "changing_too_fast": marked("the list changes faster than it can be read"),
    "driver_mismatch": marked("the driver's library and kernel module differ"),
    "driver_not_loaded": marked("the driver is not loaded"),
    "driver_too_old": marked("the driver is too old"),
    "driver_unknown_error": marked("the driver says: unknown error"),
    "gpu_lost": marked("the GPU is lost"),
    "gpu_needs_reset": marked("the GPU needs a reset"),
    "no_permission": marked("no permission"),
    "not_supported": marked("not supported by this GPU"),
    "not_text": marked("the driver's answer is not text"),
    "unified_memory": marked("this GPU shares the machine's RAM"),
}

FINDINGS = {
    "costly_gpu_unused": marked("{accelerator} is not used, and takes about {units} compute units per hour ({date})."),
    "cuda_hidden": marked("CUDA_VISIBLE_DEVICES hides every GPU from CUDA."),
    "disk_nearly_full": marked("The disk is nearly full: {free_bytes} of {total_bytes} free ({place})."),
    "feedback": marked("Something wrong with Colab itself, or with a bill?"),
    "framework_cpu_only": marked("{framework} {version} is a build without CUDA: it cannot use the GPU."),
    "framework_needs_newer_driver": marked(
        "{framework} {version} needs CUDA {needed}; this driver runs at most {newest}."
    ),
    "gpu_idle": marked("GPU {index} is idle while {used_bytes} of its memory are held."),
    "gpu_lost": marked("GPU {index} is lost: no restart of the kernel brings it back."),
    "gpu_memory_errors": marked(
        "GPU {index} had {errors} memory errors that could not be corrected: results may be wrong."
    ),
    "gpu_memory_nearly_full": marked("GPU {index}'s memory is nearly full: {free_bytes} of {total_bytes} free."),
    "gpu_slowed": marked("GPU {index} is slowed down: {slowdown}."),
    "high_ram": marked("You are using a high-RAM runtime!"),
    "kernel_holds_most_ram": marked("This kernel holds {kernel_bytes}, most of the RAM."),
    "larger_accelerators": marked("With more memory than {accelerator}: {larger}."),
    "longer_runs": marked(
        "Colab resets every runtime after a while, sooner when nothing runs; how long is not published."
    ),
    "more_resources": marked("More about notebooks, data and accelerators on Colab."),
    "newer_number_formats": marked("{accelerator} has no bfloat16; these have: {others}."),
    "no_gpu": marked("Not connected to a GPU."),
    "not_high_ram": marked("Not using a high-RAM runtime."),
    "one_gpu_of_several": marked("Only one of {count} GPUs is in use."),
    "one_shape_only": marked("{accelerator} comes with one size of RAM: there is no high-RAM choice."),
    "ram_nearly_full": marked(
        "RAM is nearly full: {headroom_bytes} of {limited_by} {limit_bytes} can still be allocated."
    ),
    "runtime_old": marked(
        "This machine has been up {age_seconds}; a free one lasts at most 12 h (Google publishes no exact limit)."
    ),
    "swap_in_use": marked("{swap_bytes} are swapped out to disk: everything may be slow."),
    "usage_limits": marked("Resources on Colab are not unlimited, and the limits change."),
}

SLOWDOWNS = {
    "application_clocks": marked("clocks set by an application"),
    "display_clocks": marked("clocks set for a display"),
    "hardware_slowdown": marked("the hardware protects itself"),
    "power_brake": marked("the power supply asks for it"),
    "power_cap": marked("at its power limit"),
    "sync_boost": marked("in step with another GPU"),
    "thermal_hardware": marked("too hot (hardware)"),
    "thermal_software": marked("too hot (driver)"),
}

_LIMITED_BY = {
    "machine": marked("the machine's"),
    "cgroup_v1": marked("this container's"),
    "cgroup_v2": marked("this container's"),
}
_SPANS = {
    "d": marked("{number} d"),
    "h": marked("{number} h"),
    "min": marked("{number} min"),
    "s": marked("{number} s"),
}
_PLACES = {"/": "/", "working directory": marked("working directory")}


def finding(advice: Advice, say: Say) -> str:
    """Return the sentence that says what a rule found."""
    cause = cause_of(advice)
    return say(FINDINGS[advice.rule], **_spoken(advice.values, say)) if cause is None else reason(cause, say)


def reason(unavailable: Unavailable, say: Say) -> str:
    """Return the sentence that says why a section is not known."""
    sentence = REASONS.get(unavailable.reason)
    if sentence is None:
        return say("The NVIDIA driver cannot be asked: {why}.", why=field_reason(unavailable.reason, say))
    return say(sentence, **_spoken(unavailable.values, say))


def field_reason(key: str, say: Say) -> str:
    """Return the phrase that says why a single field is not known."""
    if key.startswith("nvml_error_"):
        return say("NVML error {number}", number=key.removeprefix("nvml_error_"))
    return say(FIELD_REASONS[key])


def slowdown(cause: str, say: Say) -> str:
    """Return the phrase for a cause of low clocks; one that NVML has added since is shown by its number."""
    return say(SLOWDOWNS[cause]) if cause in SLOWDOWNS else cause.replace("_", " ")


def duration(seconds: float, say: Say) -> str:
    """Return a span in its two largest units."""
    return " ".join(say(_SPANS[unit], number=number) for unit, number in span(seconds))


def cores(count: float, say: Say) -> str:
    """Return a number of processor cores; a quota may be a fraction of one."""
    return say("1 core") if count == 1 else say("{count} cores", count=f"{count:g}")


def places(names: tuple[str, ...], say: Say) -> str:
    """Return the places on a disk."""
    return say.listed(say(_PLACES.get(name, name)) for name in names)


def cause_of(advice: Advice) -> Unavailable | None:
    """Return what could not be looked at, for the rules that speak of that."""
    if not advice.values or advice.values[0][0] != "reason":
        return None
    (_, key), *values = advice.values
    return Unavailable(reason=str(key), values=tuple(values))


def _spoken(values: Values, say: Say) -> dict[str, str]:
    """Return figures as they are said, by name."""
    return {name: _said(name, value, say) for name, value in values}


def _said(name: str, value: Value, say: Say) -> str:
    if isinstance(value, str):
        return _said_text(name, value, say)
    if name.endswith("_bytes"):
        return size(value)
    return duration(value, say) if name == "age_seconds" else f"{value:g}"


def _said_text(name: str, value: str, say: Say) -> str:
    match name:
        case "limited_by":
            return say(_LIMITED_BY[value])
        case "slowdown":
            return slowdown(value, say)
        case "place":
            return say(_PLACES.get(value, value))
        case "larger" | "others":
            return say.listed(printable(item) for item in value.split(", "))
        case _:
            return printable(value)
