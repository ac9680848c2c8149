"""Sentences: what a rule found, why something is not known, and how each kind of value is spoken.

The English messages stand where they are decided: a rule's beside the rule, a step's in its guide, the reason of an
`Unavailable` code here. A place in a message says how its value is spoken: `{free_bytes:size}`.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from colab_magics import facts
from colab_magics.model import Finding, Severity, Unavailable
from colab_magics.rules import RULES
from colab_magics.translation import ENGLISH, N_, NP_, Plural
from colab_magics.units import gib, printable, size, span

if TYPE_CHECKING:
    from collections.abc import Callable

    from colab_magics.guides.interface import Remark
    from colab_magics.model import Ram, Spoken, Values
    from colab_magics.translation import Translator

REASONS = {
    "binding_broken": N_("pynvml.py could not be imported: another package stands where nvidia-ml-py's should."),
    "binding_missing": N_("The package nvidia-ml-py is not installed."),
    "binding_too_old": N_("The installed pynvml.py is too old, or not nvidia-ml-py's."),
    "blocked_by_system": N_("The operating system keeps this process from the NVIDIA driver."),
    "child_died": N_(
        "The process that would ask the NVIDIA driver ended before it could ({cause}): nothing is known of the driver."
    ),
    "child_nonsense": N_("A process of colab_magics' own answered nonsense ({error})."),
    "driver_crashed": N_("The NVIDIA driver took down the process that asked it ({cause})."),
    "driver_mismatch": N_("NVIDIA's library ({library}) and its kernel module ({module}) are of different versions."),
    "driver_missing": N_("There is an NVIDIA GPU here, but no driver for it."),
    "driver_not_loaded": N_("NVIDIA's library is here, but the driver's kernel module is not loaded."),
    "driver_resting": N_("The NVIDIA driver failed twice in a row; it is left alone for another {seconds} s."),
    "driver_silent": N_("The NVIDIA driver did not answer within {seconds} s."),
    "driver_slow": N_("The NVIDIA driver has not answered for {seconds} s: it starts very slowly, or it hangs."),
    "driver_starting": N_("The NVIDIA driver is still starting ({seconds} s)."),
    "driver_unknown_error": N_("The NVIDIA driver cannot be opened; often a container has lost its access to the GPU."),
    "engines_silent": NP_(
        "{count} engine did not answer within {seconds} s: it is busy, or it hangs; on which machine is not known.",
        "{count} engines did not answer within {seconds} s: they are busy, or hang; on which machines is not known.",
        counted="count",
    ),
    "gpu_lost": N_("The NVIDIA driver has lost the GPU."),
    "impossible": N_("What this system tells of it cannot be."),
    "gpu_not_given": N_("There is an NVIDIA driver here, but this container was given no GPU."),
    "gpu_not_started": N_("There is an NVIDIA GPU here, but the driver does not start it."),
    "gpu_not_told": N_("The NVIDIA driver does not tell of this machine's GPU."),
    "library_broken": N_("The NVIDIA driver's library (libnvidia-ml.so.1) is here, but cannot be loaded."),
    "library_missing": N_("The NVIDIA driver is here, but its library (libnvidia-ml.so.1) is missing."),
    "linux_only": N_("NVIDIA GPUs are looked at on Linux only."),
    "measurement_lost": N_("The process that measured it has ended, and what it knew is lost."),
    "mount_silent": N_("The file system did not answer within {seconds} s."),
    "no_child": N_("The process that asks the NVIDIA driver could not be started ({error})."),
    "no_looker": N_("The process that asks what may not answer could not be started ({error})."),
    "no_permission": N_("The NVIDIA driver denies access to this process."),
    "node_failed": N_("Asking this machine failed ({error})."),
    "node_lacks_package": N_("colab_magics is not installed there, or its version is too old."),
    "node_nonsense": N_("What this machine answered cannot be read."),
    "node_other_version": N_("Another version of colab_magics, {version}, answers there: {own} cannot read it."),
    "node_silent": N_("This machine did not answer within {seconds} s: it is busy, or it hangs."),
    "size_cannot_be": N_("The file system tells no size, or one that cannot be."),
    "tegra_library_missing": N_("This is an NVIDIA Jetson, whose library (libnvidia-ml.so.1) is missing."),
    "unexpected": N_("A mistake in colab_magics kept it from being read ({error}, {where})."),
    "unreadable": N_("It could not be read ({error})."),
    "wsl_blocked": N_("Windows keeps this Linux from the NVIDIA driver."),
    "wsl_library_missing": N_("Windows hands this Linux a GPU, but NVIDIA's library is not in /usr/lib/wsl/lib."),
}

FIELD_REASONS = {
    "binding_too_old": N_("the installed nvidia-ml-py is too old"),
    "blocked_by_system": N_("the operating system keeps this process from it"),
    "call_was_removed": N_("the driver has removed the call"),
    "changing_too_fast": N_("the list changes faster than it can be read"),
    "counter_restarted": N_("the driver's counter began anew meanwhile"),
    "counted_as_used": N_("this driver counts it as used"),
    "counted_twice": N_("what they share is counted more than once"),
    "driver_mismatch": N_("the driver's library and kernel module differ"),
    "driver_not_asked": N_("the NVIDIA driver could not be asked"),
    "driver_not_loaded": N_("the driver is not loaded"),
    "driver_too_old": N_("the driver is too old"),
    "driver_unknown_error": N_("the driver says: unknown error"),
    "framework_not_told": N_("a framework does not tell how much it keeps for later"),
    "gpu_lost": N_("the GPU is lost"),
    "gpu_needs_reset": N_("the GPU needs a reset"),
    "gpu_not_certain": N_("which GPU that is cannot be told"),
    "impossible": N_("what this system tells of it cannot be"),
    "no_permission": N_("no permission"),
    "no_peak_record": N_("this system keeps no record of it that can be reset"),
    "not_supported": N_("not supported by this GPU"),
    "not_text": N_("the driver's answer is not text"),
    "sampled": N_("it was looked at in turn"),
    "too_late": N_("the process that measures it started later"),
    "too_short": N_("it was over too soon to be measured"),
    "processes_not_told": N_("the driver does not say which process is this kernel, or what each has"),
    "unified_memory": N_("this GPU shares the machine's RAM"),
    "unreadable": N_("it could not be read"),
}

SLOWDOWNS = {
    "application_clocks": N_("clocks set by an application"),
    "display_clocks": N_("clocks set for a display"),
    "hardware_slowdown": N_("the hardware protects itself"),
    "power_brake": N_("the power supply asks for it"),
    "power_cap": N_("at its power limit"),
    "sync_boost": N_("in step with another GPU"),
    "thermal_hardware": N_("too hot (hardware)"),
    "thermal_software": N_("too hot (driver)"),
}

_SEVERITIES = {Severity.WARNING: N_("Warning"), Severity.ERROR: N_("Error")}
"""What stands before a finding that is more than news."""

_LIMITERS = {
    "machine": N_("the machine's"),
    "cgroup_v1": N_("this container's"),
    "cgroup_v2": N_("this container's"),
    "shared": N_("the shared group's"),
    "rlimit_as": N_("this process's own (ulimit -v)"),
    "rlimit_data": N_("this process's own (ulimit -d)"),
    "commit": N_("the machine's promised (vm.overcommit_memory=2)"),
}
_OF_A_CONTAINER = N_("This container's limit is {capacity_bytes:size}.")
_CAPACITIES = {
    "cgroup_v1": _OF_A_CONTAINER,
    "cgroup_v2": _OF_A_CONTAINER,
    "rlimit_as": N_("This process's own limit (ulimit -v) is {capacity_bytes:size}."),
    "rlimit_data": N_("This process's own limit for its data (ulimit -d) is {capacity_bytes:size}."),
    "commit": N_("This machine promises its programs no more than {capacity_bytes:size} (vm.overcommit_memory=2)."),
}
_LIMITS = {
    "machine": N_("the machine"),
    "cgroup_v1": N_("the container's limit"),
    "cgroup_v2": N_("the container's limit"),
    "rlimit_as": N_("this process's own limit (ulimit -v)"),
    "rlimit_data": N_("this process's own limit (ulimit -d)"),
    "commit": N_("what the machine promises (vm.overcommit_memory=2)"),
}
_SPANS = {
    "d": N_("{number} d"),
    "h": N_("{number} h"),
    "min": N_("{number} min"),
    "s": N_("{number} s"),
}
_LEAST_CORES = 0.01
_ORIGINS = {
    "official": N_("published"),
    "staff": N_("said by staff"),
    "users": N_("seen by users"),
}
"""Whose word a fact is: see `facts.tables`."""
_PLACES = {"working directory": N_("working directory")}


def sentence(said: Remark, translate: Translator) -> str:
    """Return a finding, the reason why something is not known, or a guide's sentence, in words."""
    match said:
        case Finding():
            return spoken(RULES[said.rule].message, said.values, translate)
        case Unavailable():
            return reason(said, translate)
        case _:
            return spoken(said.message, said.values, translate)


def severity_word(severity: Severity | None, translate: Translator) -> str | None:
    """Return the word for how grave something is; None for what is news alone."""
    return translate(_SEVERITIES[severity]) if severity in _SEVERITIES else None


def spoken(message: str, values: Values, translate: Translator) -> str:
    """Return a message with its values in words, each in the way that its place asks for."""
    in_words = {name: _InWords(value, translate) for name, value in values}
    if isinstance(message, Plural):
        counted: Any = dict(values)[message.counted]
        return translate.counting(message, len(counted) if isinstance(counted, tuple) else counted, **in_words)
    return translate(message, **in_words)


def reason(unavailable: Unavailable, translate: Translator) -> str:
    """Return the sentence that says why a section is not known."""
    message = REASONS.get(unavailable.code)
    if message is None:
        why = field_reason(unavailable.code, translate)
        return translate("The NVIDIA driver cannot be asked: {why}.", why=why)
    return spoken(message, unavailable.values, translate)


def field_reason(key: str, translate: Translator) -> str:
    """Return the phrase that says why a single field is not known; one of a later version's is shown by its code."""
    if key.startswith("nvml_error_"):
        return translate("NVML error {number}", number=key.removeprefix("nvml_error_"))
    return translate(FIELD_REASONS[key]) if key in FIELD_REASONS else printable(key.replace("_", " "))


def slowdown(cause: str, translate: Translator) -> str:
    """Return the phrase for a cause of low clocks; one that NVML has added since is shown by its number."""
    return translate(SLOWDOWNS[cause]) if cause in SLOWDOWNS else cause.replace("_", " ")


def duration(seconds: float, translate: Translator) -> str:
    """Return a span in its two largest units."""
    return _spans(span(seconds), translate)


def elapsed(seconds: float, translate: Translator) -> str:
    """Return how long something took: "153 ms", "3.2 s", "42 s", "3 min 20 s"; from an hour on as `duration` does."""
    milliseconds = round(1000 * seconds)
    if milliseconds < 1000:  # noqa: PLR2004 - said in words
        return translate("{milliseconds} ms", milliseconds=milliseconds or "< 1")
    if round(seconds, 1) < 10:  # noqa: PLR2004 - said in words
        return translate("{number} s", number=f"{seconds:.1f}")
    minutes, whole_seconds = divmod(round(seconds), 60)
    if 0 < minutes < 60:  # noqa: PLR2004 - an hour
        return _spans((("min", minutes), ("s", whole_seconds)), translate)
    return duration(round(seconds), translate)


@functools.lru_cache(maxsize=16)  # a panel tells the same ones for a minute
def _spans(parts: tuple[tuple[str, int], ...], translate: Translator) -> str:
    return " ".join(translate(_SPANS[unit], number=number) for unit, number in parts)


def device(name: str | None, translate: Translator) -> str:
    """Return a device's name, safe to print."""
    return printable(name) if name else translate("GPU of unknown name")


def service(key: str, translate: Translator) -> str:
    """Return a service's own name; its key, where no table has it."""
    row = facts.service(key)
    if row is None:
        return key
    return row.name if row.label is None else translate(row.label)


def used_of(used_bytes: int, total_bytes: int, translate: Translator) -> str:
    """Return "0.4 of 15.0 GiB used"."""
    return translate("{used} of {total} GiB used", used=gib(used_bytes), total=gib(total_bytes))


def cores(count: float, translate: Translator) -> str:
    """Return a number of processor cores; a quota may be a fraction of one, never nothing."""
    figure = f"{max(count, _LEAST_CORES):.2f}".rstrip("0").rstrip(".")
    return translate("1 core") if figure == "1" else translate("{count} cores", count=figure)


def limit(by: str, translate: Translator) -> str:
    """Return what limits the RAM."""
    return translate(_LIMITS[by])


def capacity(ram: Ram, translate: Translator) -> str | None:
    """Return the sentence that says how much RAM there is to use, and by whom; None where it is all the machine has."""
    message = _CAPACITIES.get(ram.capacity_by)
    return None if message is None else spoken(message, (("capacity_bytes", ram.capacity_bytes),), translate)


def places(names: tuple[str, ...], translate: Translator) -> str:
    """Return the places on a disk."""
    return translate.listed(_place(name, translate) for name in names)


def numbers(ascending: tuple[int, ...], translate: Translator) -> str:
    """Return numbers as a list, three and more that follow each other by their first and last: "0, 2, 4 to 7"."""
    runs: list[list[int]] = []
    for number in ascending:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return translate.listed(
        translate("{first} to {last}", first=run[0], last=run[-1])
        if len(run) > 2  # noqa: PLR2004 - two are as short by themselves
        else translate.listed(map(str, run))
        for run in runs
    )


def origin(whose: str, translate: Translator) -> str:
    """Return whose word a fact is, as a phrase; one that a newer table names is shown as it stands there."""
    return translate(_ORIGINS[whose]) if whose in _ORIGINS else whose


def statement(key: str, translate: Translator) -> str:
    """Return what a service or its staff has said, with whose word it is and its day."""
    said = facts.statement(key)
    whose = origin(said.origin, translate)
    return translate("{facts} ({origin}, {date})", facts=translate(said.applies), origin=whose, date=said.said_on)


def menu_words(way: tuple[str, ...], translate: Translator) -> tuple[str | None, str]:
    """Return the way through a menu in the reader's language, None where its words are not known, and in English.

    `way` are fields of `facts.Menu`; LookupError where Colab's English menus lack one of them.
    """
    english = _quoted(way, facts.menu(ENGLISH))
    if english is None:
        raise LookupError(way)
    return _quoted(way, facts.menu(translate.language)), english


def way(path: tuple[str, ...], translate: Translator) -> str:
    """Return the way through a menu as text: quoted, with the English beside another language's words."""
    local, english = menu_words(path, translate)
    if local is None:
        return in_english(english, translate)
    return english if local == english else f"{local} ({english})"


def in_english(words: str, translate: Translator) -> str:
    """Return words that are known in English alone: quoted, where the sentences around them are in another language."""
    return words if translate.spoken == ENGLISH else quoted((words,), translate)


def quoted(words: tuple[str, ...], translate: Translator) -> str:
    """Return words of somebody else's, each in quotation marks."""
    return " ".join(translate("“{words}”", words=printable(one)) for one in words)


def _quoted(path: tuple[str, ...], menu: facts.Menu | None) -> str | None:
    """Return the words of a menu, of which a menu may have several in use; None where they are not known."""
    found = [getattr(menu, key, None) for key in path]
    if None in found:
        return None
    return " > ".join("/".join(words) if isinstance(words, tuple) else str(words) for words in found)


def _place(name: str, translate: Translator) -> str:
    return translate(_PLACES[name]) if name in _PLACES else name


class _InWords:
    """A value in a message; the format that follows the colon of its place says how it is spoken."""

    __slots__ = ("_translate", "_value")

    def __init__(self, value: Spoken, translate: Translator) -> None:
        self._value = value
        self._translate = translate

    def __format__(self, way_of_speaking: str) -> str:
        return _WAYS_OF_SPEAKING[way_of_speaking](self._value, self._translate)


def _as_it_is(value: Spoken, _translate: Translator) -> str:
    return printable(value) if isinstance(value, str) else f"{value:g}"


_WAYS_OF_SPEAKING: dict[str, Callable[..., str]] = {
    "": _as_it_is,
    "device": device,
    "field_reason": field_reason,
    "limiter": lambda value, translate: translate(_LIMITERS[value]),
    "numbers": numbers,
    "origin": origin,
    "list": lambda value, translate: translate.listed(map(printable, value)),
    "place": _place,
    "quoted": quoted,
    "rate": lambda value, _translate: f"{value:.2f}",
    "reason": reason,
    "service": service,
    "size": lambda value, _translate: size(value),
    "slowdown": slowdown,
    "span": duration,
    "statement": statement,
    "tpu": lambda value, translate: printable(value) if value else translate("kind unknown"),
    "way": way,
}
"""How values are spoken: as they are; a GPU by its name; why it cannot be used; what limits the RAM; numbers in their
order; whose word a fact is; names in a row; a place on a disk; somebody's words; compute units an hour; why something
is not known; a service by its name; bytes; what slows a GPU down; seconds; what a service has said; a TPU by its name;
a way through menus.
"""
