"""The machines of a cluster: what each has said of itself, how they differ, and what they are together."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from colab_magics.model import Cpu, Driver, Platform, Ram, Severity, Unavailable, seen
from colab_magics.values import Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from colab_magics.model import Finding, Snapshot
    from colab_magics.report import Report

PYTHON, DRIVER = "Python", "NVIDIA driver"
"""What may differ beside packages, by its own name."""


class Node(Value):
    """One machine of a cluster, as one of its workers sees it."""

    number: int
    """From 1 on, in the order in which the cluster names its machines."""
    address: str
    """What the cluster calls it. It is shown nowhere, since a report names no machine: it is for the program that has
    the report."""
    workers: int | None
    """How many workers it runs; None where the cluster does not tell."""
    report: Report | Unavailable
    """What it said of itself."""

    @property
    def snapshot(self) -> Snapshot | None:
        """What was seen there; None where nothing was."""
        return None if isinstance(self.report, Unavailable) else self.report.snapshot

    @property
    def gravest(self) -> Finding | Unavailable | None:
        """The most serious thing that is wrong with it; None where nothing is."""
        if isinstance(self.report, Unavailable):
            return self.report
        first = next(iter(self.report.findings), None)
        return first if first is not None and first.severity >= Severity.WARNING else None

    @property
    def severity(self) -> Severity | None:
        """How much that matters."""
        match self.gravest:
            case None:
                return None
            case Unavailable():
                return Severity.ERROR
            case finding:
                return finding.severity


class Variant(Value):
    """One version of something, and who has it."""

    version: str | None
    """None where it is not installed."""
    nodes: tuple[int, ...]
    """The numbers of the machines that have it."""
    is_here: bool
    """Whether this process has it, which asks the others."""


class Difference(Value):
    """Something that is not of the same version everywhere."""

    name: str
    """ "Python", "NVIDIA driver", or a package's name."""
    variants: tuple[Variant, ...]
    """Its versions, that of most machines first."""


class Totals(Value):
    """What the machines that answered have together. None: none of them tells."""

    gpus: int | None
    """How many GPUs can be used."""
    gpu_memory_bytes: int | None
    """All their memory."""
    cores: float | None
    """The processor cores that the workers may use."""
    ram_bytes: int | None
    """The RAM that the workers may use."""
    ram_headroom_bytes: int | None
    """What of it can still be allocated."""
    is_complete: bool
    """Whether every machine told all of these: else there is more."""


class Cluster(Value):
    """A cluster of machines."""

    engine: str
    """What runs it: "dask", "ipyparallel", "ray"; "reports" where somebody gathered the reports in another way."""
    nodes: tuple[Node, ...]
    """Its machines by their numbers."""
    differences: tuple[Difference, ...]
    """What is of another version on some of them."""
    totals: Totals
    """What they have together."""

    @property
    def answered(self) -> tuple[Node, ...]:
        """The machines of which something is known."""
        return tuple(node for node in self.nodes if node.snapshot is not None)

    @property
    def workers(self) -> int | None:
        """How many workers there are; None where the cluster does not tell."""
        told = [node.workers for node in self.nodes if node.workers is not None]
        return sum(told) if told else None

    @property
    def odd_versions(self) -> dict[int, list[tuple[str, str | None]]]:
        """What machines have in another version than most, by their numbers; made anew each time.

        They are names and versions, None for what a machine lacks.
        """
        found: dict[int, list[tuple[str, str | None]]] = {}
        for difference in self.differences:
            for variant in difference.variants[1:]:
                for number in variant.nodes:
                    found.setdefault(number, []).append((difference.name, variant.version))
        return found

    @property
    def outliers_first(self) -> tuple[Node, ...]:
        """The machines, those first with which something is wrong, then those that differ from most."""
        odd = self.odd_versions
        return tuple(
            sorted(self.nodes, key=lambda node: (-(node.severity or 0), -len(odd.get(node.number, ())), node.number))
        )


def cluster_of(engine: str, nodes: Sequence[Node], here: Snapshot | None) -> Cluster:
    """Compare machines with each other and with this process, if `here` tells of it, and add up what they have."""
    return Cluster(engine=engine, nodes=tuple(nodes), differences=_differences(nodes, here), totals=_totals(nodes))


def _differences(nodes: Sequence[Node], here: Snapshot | None) -> tuple[Difference, ...]:
    """Return what is not of one version. What this process lacks is no difference: it need not have all of it."""
    versions = [(node.number, compared(node.snapshot)) for node in nodes if node.snapshot is not None]
    told_here = {} if here is None else compared(here)
    own = {name: version for name, version in told_here.items() if version is not None and name != DRIVER}
    names = dict.fromkeys(name for _, known in versions for name in known)
    found = []
    for name in names:
        told = {number: known[name] for number, known in versions if name in known}
        counted = Counter(told.values())
        ordered = [version for version, _ in counted.most_common()]
        if name in own and own[name] not in counted:
            ordered.append(own[name])
        if len(ordered) > 1:
            variants = tuple(
                Variant(
                    version=version,
                    nodes=tuple(number for number, its in told.items() if its == version),
                    is_here=own.get(name, "") == version,
                )
                for version in ordered
            )
            found.append(Difference(name=name, variants=variants))
    return tuple(found)


def compared(snapshot: Snapshot) -> dict[str, str | None]:
    """Return what is compared of a machine: names and versions, None for a package that is not installed."""
    found: dict[str, str | None] = {}
    if isinstance(snapshot.platform, Platform):
        found[PYTHON] = snapshot.platform.python_version
    if isinstance(snapshot.driver, Driver) and snapshot.driver.version is not None:
        found[DRIVER] = snapshot.driver.version
    for package in seen(snapshot.packages):
        if not package.is_installed or package.version is not None:
            found[package.name] = package.version
    return found


def _totals(nodes: Iterable[Node]) -> Totals:
    snapshots = [node.snapshot for node in nodes]
    known = [snapshot for snapshot in snapshots if snapshot is not None]
    gpus = [snapshot.usable_gpus for snapshot in known if isinstance(snapshot.gpus, tuple)]
    memories = [gpu.memory for several in gpus for gpu in several]
    rams = [snapshot.ram for snapshot in known if isinstance(snapshot.ram, Ram)]
    processors = [snapshot.cpu for snapshot in known if isinstance(snapshot.cpu, Cpu)]
    memory_bytes = [memory.total_bytes for memory in memories if memory is not None]
    return Totals(
        gpus=sum(map(len, gpus)) if gpus else None,
        gpu_memory_bytes=sum(memory_bytes) if memory_bytes else None,
        cores=sum(one.usable_cores for one in processors) if processors else None,
        ram_bytes=sum(ram.capacity_bytes for ram in rams) if rams else None,
        ram_headroom_bytes=sum(ram.headroom_bytes for ram in rams) if rams else None,
        is_complete=len(gpus) == len(rams) == len(processors) == len(snapshots) and None not in memories,
    )
