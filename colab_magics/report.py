"""The one place where looking and judging meet: probes make a snapshot, advice is taken of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from colab_magics.rules import advise
from colab_magics.rules.ram import is_high_ram
from colab_magics.model import Limits, Report, Service, Snapshot, Subject, Unavailable
from colab_magics.observer import client
from colab_magics.observer.client import DEADLINE_SECONDS
from colab_magics.probes.cpu import probe_cpu
from colab_magics.probes.disk import probe_disks
from colab_magics.probes.frameworks import probe_frameworks
from colab_magics.probes.gpu import probe_gpus
from colab_magics.probes.platform import probe_platform
from colab_magics.probes.ram import probe_ram
from colab_magics.probes.tpu import probe_tpus

if TYPE_CHECKING:
    from colab_magics.requirement import Requirement

_LIMITS = Limits()


def gpu_info(
    *, shell_class: str | None, everything: bool = False, driver_deadline_seconds: float = DEADLINE_SECONDS
) -> Report:
    """Look at the GPUs; where there is none, also at the machine one has instead.

    `shell_class` is the dotted name of the IPython shell's class, None outside IPython. The driver is waited for no
    longer than `driver_deadline_seconds`.
    """
    snapshot = _with_frameworks(_with_gpus(_begin(shell_class), driver_deadline_seconds))
    if snapshot.gpus == ():
        snapshot = _with_machine(snapshot, everything=everything)
    return _judge(Subject.GPU, snapshot)


def ram_info(
    *, shell_class: str | None, everything: bool = False, driver_deadline_seconds: float = DEADLINE_SECONDS
) -> Report:
    """Look at RAM; the driver is asked only where the high-RAM verdict depends on the accelerator."""
    snapshot = replace(_begin(shell_class), ram=probe_ram(everything=everything))
    if snapshot.platform.service is Service.COLAB and is_high_ram(snapshot) is None:
        snapshot = _with_gpus(snapshot, driver_deadline_seconds)
    return _judge(Subject.RAM, snapshot)


def runtime_status(
    *, shell_class: str | None, everything: bool = False, driver_deadline_seconds: float = DEADLINE_SECONDS
) -> Report:
    """Look at everything."""
    snapshot = _with_frameworks(_with_gpus(_begin(shell_class), driver_deadline_seconds))
    return _judge(Subject.RUNTIME, _with_machine(snapshot, everything=everything))


def watch(
    subject: Subject,
    *,
    shell_class: str | None,
    sample_every_seconds: float,
    driver_deadline_seconds: float = DEADLINE_SECONDS,
    afresh: bool = False,
) -> Report:
    """Look at everything, with what the observer noted in the last minutes, and judge it for `subject`.

    The observer samples from now on, until `client.stop_sampling`. `afresh` ends it first, and with it what it has
    noted, so that a driver that was mended is seen at once: one that was given up is asked again, and its library
    loaded again.
    """
    if afresh:
        client.close()
    snapshot = _with_gpus(_begin(shell_class), driver_deadline_seconds, sample_every_seconds)
    return _judge(subject, _with_machine(_with_frameworks(snapshot), everything=False))


def require(
    requirement: Requirement,
    snapshot: Snapshot,
    *,
    strict: bool,
    language: str,
    driver_deadline_seconds: float = DEADLINE_SECONDS,
) -> None:
    """Look at what the snapshot lacks, and raise `RequirementNotMet` unless the requirement holds.

    What cannot be told passes, unless `strict`. The exception's text is in `language`.
    """
    from colab_magics.requirement import RequirementNotMet, check
    from colab_magics.views.verdict import render

    if snapshot.gpus is None:
        snapshot = _with_gpus(snapshot, driver_deadline_seconds)
    if snapshot.ram is None or snapshot.disks is None:
        snapshot = _with_machine(snapshot, everything=False)
    verdict = check(requirement, snapshot, strict=strict)
    if not verdict.met:
        raise RequirementNotMet(render(verdict, snapshot, language=language))


def only(report: Report, indices: tuple[int, ...]) -> Report:
    """Keep the GPUs with these indices; all of them where none is named, or nobody could look.

    Where none of them is there (any more), the GPUs are not known: that there is no GPU would be another answer.
    """
    gpus = report.snapshot.gpus
    if not indices or not isinstance(gpus, tuple):
        return report
    chosen = tuple(gpu for gpu in gpus if gpu.index in indices)
    return replace(report, snapshot=replace(report.snapshot, gpus=chosen or Unavailable(reason="gpu_lost")))


def _begin(shell_class: str | None) -> Snapshot:
    return Snapshot(taken_at=datetime.now(UTC), platform=probe_platform(shell_class=shell_class))


def _with_gpus(snapshot: Snapshot, deadline_seconds: float, sample_every_seconds: float | None = None) -> Snapshot:
    seen = probe_gpus(deadline_seconds=deadline_seconds, sample_every_seconds=sample_every_seconds)
    return replace(snapshot, gpus=seen.gpus, driver=seen.driver, samples=seen.samples, tpus=probe_tpus())


def _with_frameworks(snapshot: Snapshot) -> Snapshot:
    """Look for frameworks that could use the GPU, where there is one."""
    if not isinstance(snapshot.gpus, tuple) or not snapshot.gpus:
        return snapshot
    return replace(snapshot, frameworks=probe_frameworks())


def _with_machine(snapshot: Snapshot, *, everything: bool) -> Snapshot:
    return replace(snapshot, ram=probe_ram(everything=everything), cpu=probe_cpu(), disks=probe_disks())


def _judge(subject: Subject, snapshot: Snapshot) -> Report:
    return Report(subject=subject, snapshot=snapshot, advice=advise(subject, snapshot, _LIMITS))
