"""The one place where looking and judging meet: probes make a snapshot, rules find what it means.

Each look is taken in one guarded place: what goes wrong in one section costs that section alone. Importing this module
imports little: a report waits for no more than it needs, and the process that asks the driver is up before the rest is.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from colab_magics.imports import trusted_imports
from colab_magics.observer import DEADLINE_SECONDS
from colab_magics.values import Record, Value, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeVar

    from colab_magics.model import Finding, Platform, Ram, Snapshot, Subject, Unavailable, Verdict
    from colab_magics.model.cells import Cell, OutOfMemory, SessionSums
    from colab_magics.model.cluster import Node
    from colab_magics.model.holders import Holders, Release
    from colab_magics.requirement import Requirement

    Section = TypeVar("Section")

_SECONDS_AFTER_RUNNING_OUT = 0.05
"""How long variables are looked at after a cell has run out of memory."""

_MOST_AFTER_RUNNING_OUT = 5
"""How many of them are told then."""

_PACKAGE_FOLDER = os.path.dirname(os.path.abspath(__file__))


class Report(Value):
    """What was seen and what it means. It shows itself: `str(report)`, as the value of a cell, `report.to_json()`."""

    subject: Subject
    """The question that was asked."""
    snapshot: Snapshot
    """What was seen."""
    findings: tuple[Finding, ...]
    """What it means, the most serious first."""
    verdict: Verdict | None = None
    """How a requirement stands that was held against it; None where none was."""

    @trusted_imports
    def __str__(self) -> str:
        from colab_magics.views import text
        from colab_magics.views.render_options import RenderOptions, language_for

        return text.render(self, RenderOptions(language=language_for()))

    @trusted_imports
    def _repr_mimebundle_(self, **_formats: object) -> dict[str, str]:
        """Return the report for a notebook's page; IPython calls this to show the value of a cell."""
        from colab_magics.views import html, text
        from colab_magics.views.render_options import RenderOptions, language_for

        options = RenderOptions(language=language_for())
        return {"text/plain": text.render(self, options), "text/html": html.render(self, options)}

    def __rich__(self) -> object:
        """Return the report for `rich.print`, the only caller: as a `Text`, in which brackets are no markup."""
        from rich.text import Text  # rich is what calls this

        return Text(str(self))

    @trusted_imports
    def to_json(self, *, everything: bool = False) -> str:
        """Return the report as one JSON document in one line; with `everything` the hints are among its findings."""
        from colab_magics.views import json
        from colab_magics.views.render_options import RenderOptions

        return json.render(self, RenderOptions(everything=everything))


class Variables(Record):
    """Whose variables are looked at, and how many are told."""

    shell: Any
    """IPython's, None outside it."""
    most: int
    """So many that hold most."""


def gpu_info(
    *,
    shell_class: str | None,
    everything: bool = False,
    variables: Variables | None = None,
    driver_deadline_seconds: float = DEADLINE_SECONDS,
) -> Report:
    """Look at the GPUs; where there is none, also at the machine there is instead.

    `shell_class` is the dotted name of the IPython shell's class, None outside IPython. With `variables` it is also
    said who has the GPUs' memory. The driver is waited for no longer than `driver_deadline_seconds`.
    """
    from colab_magics.observer import client

    client.start()
    snapshot = _begin(shell_class)
    _import_meanwhile()
    snapshot = _with_other_gpus(_with_frameworks(_with_gpus(snapshot, driver_deadline_seconds)))
    if snapshot.gpus == ():
        snapshot = _with_machine(snapshot, everything=everything)
    elif variables is not None:
        snapshot = _with_shares(snapshot, variables)
    return _judge("gpu", snapshot)


def ram_info(
    *,
    shell_class: str | None,
    everything: bool = False,
    variables: Variables | None = None,
    free: Callable[[], Release] | None = None,
    driver_deadline_seconds: float = DEADLINE_SECONDS,
) -> Report:
    """Look at RAM; the driver is asked only where the high-RAM verdict depends on the accelerator.

    With `variables` it is also said who holds memory. `free` lets go of what it can before all that.
    """
    from colab_magics.facts import accelerators

    released = None if free is None else _look(free)
    snapshot = _with_ram(replace(_begin(shell_class), released=released), everything=everything)
    if variables is not None:
        snapshot = replace(snapshot, holders=_holders(variables, on_devices=False))
    if accelerators.may_depend_on_accelerator(snapshot):
        snapshot = _with_gpus(snapshot, driver_deadline_seconds)
    return _judge("ram", snapshot)


def runtime_status(
    *, shell_class: str | None, everything: bool = False, driver_deadline_seconds: float = DEADLINE_SECONDS
) -> Report:
    """Look at everything."""
    from colab_magics.observer import client

    client.start()
    snapshot = _begin(shell_class)
    _import_meanwhile()
    snapshot = _with_other_gpus(_with_frameworks(_with_gpus(snapshot, driver_deadline_seconds)))
    return _judge("runtime", _with_machine(snapshot, everything=everything))


def out_of_memory(ran_out: OutOfMemory, *, shell: Any, shell_class: str | None) -> Report:
    """Say what there is to an error that memory has run out: what is left, who holds what, what to do.

    That is looked at for a tenth of a second at most, and the driver is not asked. `shell` is IPython's.
    """
    from colab_magics.model.cells import Memory
    from colab_magics.probes.framework_memory import probe_framework_memory

    snapshot, variables = _begin(shell_class), Variables(shell, _MOST_AFTER_RUNNING_OUT)
    if ran_out.memory is Memory.RAM:
        snapshot = _with_ram(snapshot, everything=False)
    else:
        frameworks = _look(probe_framework_memory)
        ran_out = replace(ran_out, frameworks=frameworks if isinstance(frameworks, tuple) else ())
    holders = _holders(variables, on_devices=ran_out.memory is not Memory.RAM, seconds=_SECONDS_AFTER_RUNNING_OUT)
    return _judge("out_of_memory", replace(snapshot, holders=holders, out_of_memory=ran_out))


def of_cells(cells: tuple[Cell, ...], session: SessionSums, *, shell_class: str | None) -> Report:
    """Say what cells of this session took; RAM is looked at to judge what they have kept."""
    snapshot = _with_ram(_begin(shell_class), everything=False)
    return _judge("cells", replace(snapshot, cells=cells, session=session))


def of_cell(cell: Cell, *, shell_class: str | None) -> Report:
    """Say what a cell took, beside the RAM that there is."""
    return _judge("cell", replace(_with_ram(_begin(shell_class), everything=False), cells=(cell,)))


def of_cluster(engine: str, nodes: Sequence[Node], packages: tuple[str, ...], *, shell_class: str | None) -> Report:
    """Say what the machines of a cluster have, how they differ and what is wrong with them.

    They are compared with this process too, where `packages` names those whose versions the machines have looked for.
    """
    from colab_magics.model.cluster import cluster_of

    here = _judge("cluster", _begin(shell_class))
    if packages:
        here = with_packages(here, packages)
    cluster = cluster_of(engine, nodes, here.snapshot if packages else None)
    return replace(here, snapshot=replace(here.snapshot, cluster=cluster))


def with_packages(report: Report, names: tuple[str, ...]) -> Report:
    """Return a report with which of these packages are installed; one that has looked for them as it is."""
    from colab_magics.model import seen

    if {*names} <= {package.name for package in seen(report.snapshot.packages)}:
        return report
    from colab_magics.probes.packages import probe_packages

    return replace(report, snapshot=replace(report.snapshot, packages=_look(probe_packages, names=names)))


def with_cells(report: Report, cells: tuple[Cell, ...], session: SessionSums) -> Report:
    """Return a report with what cells of this session took, and what that means."""
    return _judge(report.subject, replace(report.snapshot, cells=cells, session=session))


def watch(
    subject: Subject,
    *,
    shell_class: str | None,
    sample_every_seconds: float,
    driver_deadline_seconds: float = DEADLINE_SECONDS,
    restart_observer: bool = False,
) -> Report:
    """Look at everything, with what the observer noted in the last minutes, and judge it for `subject`.

    The observer samples from now on, until `client.stop_sampling`. `restart_observer` ends it first, and with it what
    it has noted, so that a driver that was mended is seen at once: one that was given up is asked again, and its
    library loaded again.
    """
    from colab_magics.observer import client

    if restart_observer:
        client.close()
    client.start(sample_every_seconds=sample_every_seconds)
    snapshot = _with_gpus(_begin(shell_class), driver_deadline_seconds, sample_every_seconds)
    return _judge(subject, _with_machine(_with_other_gpus(_with_frameworks(snapshot)), everything=False))


def awaited(
    report: Report,
    *,
    wait_seconds: float,
    requirement: Requirement | None = None,
    driver_deadline_seconds: float = DEADLINE_SECONDS,
) -> Report:
    """Return a report with what the driver says once it has started, if it does within `wait_seconds`.

    A report whose driver is not just starting is returned as it is, and so is one that a requirement can be held
    against without the driver. The packages that a requirement asks for are looked for first.
    """
    if requirement is not None:
        from colab_magics.requirement import packages_of

        report = with_packages(report, packages_of(requirement))
        if not _is_open(requirement, report.snapshot):
            return report
    snapshot = _once_started(report.snapshot, wait_seconds, driver_deadline_seconds)
    if snapshot is report.snapshot:
        return report
    return _judge(report.subject, _with_other_gpus(_with_frameworks(snapshot)))


def read_requirement(expression: str) -> Requirement:
    """Read a requirement; a name that is nearly a key is looked for among the installed packages.

    Raise `RequirementSyntaxError` where it cannot be read.
    """
    from colab_magics.probes.packages import is_installed
    from colab_magics.requirement import parse

    return parse(expression, is_installed=lambda name: _look(is_installed, name=name) is True)


class Held(Record):
    """A report against which a requirement was held."""

    report: Report
    """With its verdict."""
    is_met: bool
    """Whether the requirement passes; what cannot be told does, unless it was to be strict."""
    said: str
    """Why it is not met; of one that passes in one line what could not be checked, empty where all was."""


def hold(  # noqa: PLR0913 - what is asked, of what, and how
    requirement: Requirement,
    report: Report,
    *,
    strict: bool,
    language: str,
    wait_seconds: float,
    driver_deadline_seconds: float = DEADLINE_SECONDS,
) -> Held:
    """Hold a requirement against a report, and take the looks that it needs and the report lacks.

    A driver that is starting is waited for, `wait_seconds` at most. What is said is in `language`.
    """
    from colab_magics.requirement import check
    from colab_magics.views import verdict as view
    from colab_magics.views.render_options import RenderOptions

    report = awaited(
        report,
        wait_seconds=wait_seconds,
        requirement=requirement,
        driver_deadline_seconds=driver_deadline_seconds,
    )
    snapshot = _with_what_is_asked(requirement, report.snapshot, wait_seconds, driver_deadline_seconds)
    verdict, options = check(requirement, snapshot, strict=strict), RenderOptions(language=language)
    say = view.unchecked if verdict.met else view.render
    return Held(replace(report, verdict=verdict), verdict.met, say(verdict, snapshot, options) or "")


def only(report: Report, indices: tuple[int, ...]) -> Report:
    """Keep the GPUs with these indices, and what is found of them; all where none is named, or nobody could look.

    Where none of them is there (any more), the GPUs are not known: that there is no GPU would be another answer. What
    would hold of these alone (that no GPU is used, or that all are hidden from CUDA) is not found.
    """
    from colab_magics.model import Unavailable

    gpus = report.snapshot.gpus
    if not indices or not isinstance(gpus, tuple):
        return report
    chosen = tuple(gpu for gpu in gpus if gpu.index in indices)
    shares = report.snapshot.gpu_shares
    if isinstance(shares, tuple):
        shares = tuple(one for one in shares if one.index is None or one.index in indices)
    snapshot = replace(report.snapshot, gpus=chosen or Unavailable(code="gpu_lost"), gpu_shares=shares)
    known = {finding.rule for finding in report.findings}
    found = _judge(report.subject, snapshot).findings
    return replace(report, snapshot=snapshot, findings=tuple(one for one in found if one.rule in known or not chosen))


def _look(probe: Callable[..., Section], **arguments: Any) -> Section | Unavailable:
    """Take a look; whatever goes wrong in it is the answer, and keeps no other section from being shown.

    Where a library may not even be imported, as psutil without /proc/stat, the probe imports it: that is of the look.
    """
    try:
        return probe(**arguments)
    except Exception as error:  # noqa: BLE001 - the one place where a mistake of ours becomes a section's reason
        return _unexpected(error)


def _unexpected(error: Exception) -> Unavailable:
    """Return what went wrong and where in this package; never the error's own words, which may hold a path."""
    from colab_magics.model import Unavailable

    where, is_ours, is_import = "outside", True, False
    traceback = error.__traceback__
    while traceback is not None:
        code = traceback.tb_frame.f_code
        is_ours = code.co_filename.startswith(_PACKAGE_FOLDER + os.sep)
        if is_ours:
            where = f"{os.path.relpath(code.co_filename, _PACKAGE_FOLDER).replace(os.sep, '/')}:{traceback.tb_lineno}"
            is_import = code.co_name == "<module>"
        traceback = traceback.tb_next
    if is_import and not is_ours:
        return Unavailable(code="unreadable", values=(("error", type(error).__name__),))
    return Unavailable(code="unexpected", values=(("error", type(error).__name__), ("where", where)))


def _import_meanwhile() -> None:
    """Import what nearly every report needs after the driver's answer: its process takes longer to start than that."""
    from colab_magics import rules  # noqa: F401 - for later, as the others
    from colab_magics.views import html, terminal  # noqa: F401


def _begin(shell_class: str | None) -> Snapshot:
    from datetime import UTC, datetime

    from colab_magics.model import Snapshot

    def platform() -> Platform:
        from colab_magics.probes.platform import probe_platform

        return probe_platform(shell_class=shell_class)

    return Snapshot(taken_at=datetime.now(UTC), platform=_look(platform))


def _with_gpus(snapshot: Snapshot, deadline_seconds: float, sample_every_seconds: float | None = None) -> Snapshot:
    from colab_magics.model import Unavailable
    from colab_magics.probes.gpu import probe_gpus
    from colab_magics.probes.tpu import probe_tpus

    seen = _look(probe_gpus, deadline_seconds=deadline_seconds, sample_every_seconds=sample_every_seconds)
    tpus = _look(probe_tpus)
    if isinstance(seen, Unavailable):
        return replace(snapshot, gpus=seen, tpus=tpus)
    return replace(
        snapshot,
        gpus=seen.gpus,
        driver=seen.driver,
        visible_gpus=seen.visible_gpus,
        samples=seen.samples,
        tpus=tpus,
    )


def _with_what_is_asked(
    requirement: Requirement, snapshot: Snapshot, wait_seconds: float, deadline_seconds: float
) -> Snapshot:
    """Take the looks that a requirement needs and a snapshot lacks."""
    looks_at_gpus = snapshot.gpus is None
    if looks_at_gpus:
        snapshot = _with_gpus(snapshot, deadline_seconds)
    if snapshot.ram is None or snapshot.disks is None or snapshot.cpu is None:
        snapshot = _with_machine(snapshot, everything=False)
    if looks_at_gpus and _is_open(requirement, snapshot):
        snapshot = _once_started(snapshot, wait_seconds, deadline_seconds)
    return snapshot


def _is_open(requirement: Requirement, snapshot: Snapshot) -> bool:
    """Tell whether it depends on the GPUs if a requirement is met."""
    from colab_magics.model import KEYS_OF_THE_DRIVER, State
    from colab_magics.requirement import check
    from colab_magics.requirement.parser import OF_AN_ACCELERATOR

    clauses = check(requirement, snapshot).clauses
    unknown = {key for clause in clauses if clause.state is State.UNKNOWN for key in clause.keys}
    is_unmet = any(clause.state is State.UNMET for clause in clauses)
    return not is_unmet and bool(unknown & (OF_AN_ACCELERATOR | KEYS_OF_THE_DRIVER))


def _once_started(snapshot: Snapshot, wait_seconds: float, deadline_seconds: float) -> Snapshot:
    """Ask a driver that is starting again and again, until it answers or the time is over.

    The time is counted from the first question, which was waited for `deadline_seconds`. One that was waited for in
    vain may also hang, and the report says so.
    """
    import time

    from colab_magics.model import Unavailable

    until, waited = time.monotonic() + wait_seconds - deadline_seconds, False
    while isinstance(snapshot.gpus, Unavailable) and snapshot.gpus.code in ("driver_starting", "driver_slow"):
        left = until - time.monotonic()
        if left <= 0:
            break
        snapshot = _with_gpus(snapshot, min(left, deadline_seconds))
        waited = True
    if waited and isinstance(snapshot.gpus, Unavailable) and snapshot.gpus.code == "driver_starting":
        snapshot = replace(snapshot, gpus=replace(snapshot.gpus, code="driver_slow"))
    return snapshot


def _with_frameworks(snapshot: Snapshot) -> Snapshot:
    """Look for frameworks that could use the GPU, where there is one."""
    from colab_magics.model import seen

    if not seen(snapshot.gpus):
        return snapshot
    from colab_magics.probes.frameworks import probe_frameworks

    return replace(snapshot, frameworks=_look(probe_frameworks))


def _with_shares(snapshot: Snapshot, variables: Variables) -> Snapshot:
    """Look at who has the GPUs' memory, where there are some."""
    from colab_magics.model import Unavailable, seen
    from colab_magics.probes.framework_memory import probe_framework_memory
    from colab_magics.probes.gpu_shares import gpu_shares

    if not seen(snapshot.gpus):
        return snapshot
    told = _look(probe_framework_memory)
    shares = told if isinstance(told, Unavailable) else _look(gpu_shares, gpus=seen(snapshot.gpus), frameworks=told)
    return replace(snapshot, gpu_shares=shares, holders=_holders(variables, on_devices=True))


def _holders(variables: Variables, *, on_devices: bool, seconds: float | None = None) -> Holders | Unavailable:
    """Look at who holds most memory; `on_devices` asks for those alone that hold some elsewhere than in RAM."""
    import sys

    from colab_magics.probes.holders import SECONDS, probe_holders

    def largest() -> Holders:
        most = sys.maxsize if on_devices else variables.most
        holders = probe_holders(variables.shell, most=most, seconds=SECONDS if seconds is None else seconds)
        if not on_devices:
            return holders
        there = sorted((one for one in holders.largest if one.devices), key=lambda one: -one.device_bytes)
        return replace(holders, largest=tuple(there[: variables.most]))

    return _look(largest)


def _with_other_gpus(snapshot: Snapshot) -> Snapshot:
    """Look for GPUs of other makers, where there is none of NVIDIA's or this system could not have one."""
    from colab_magics.model import Unavailable

    gpus = snapshot.gpus
    if gpus != () and not (isinstance(gpus, Unavailable) and gpus.code == "linux_only"):
        return snapshot
    from colab_magics.probes.other_gpus import probe_other_gpus

    return replace(snapshot, other_gpu_vendors=_look(probe_other_gpus))


def _with_ram(snapshot: Snapshot, *, everything: bool) -> Snapshot:
    def ram() -> Ram | Unavailable:
        from colab_magics.probes.ram import probe_ram

        return probe_ram(everything=everything)

    return replace(snapshot, ram=_look(ram))


def _with_machine(snapshot: Snapshot, *, everything: bool) -> Snapshot:
    from colab_magics.probes.cpu import probe_cpu
    from colab_magics.probes.disk import probe_disks

    snapshot = _with_ram(snapshot, everything=everything)
    return replace(snapshot, cpu=_look(probe_cpu), disks=_look(probe_disks))


def _judge(subject: str, snapshot: Snapshot) -> Report:
    from colab_magics.model import Subject
    from colab_magics.rules import judge

    asked = Subject(subject)
    return Report(subject=asked, snapshot=snapshot, findings=judge(asked, snapshot))
