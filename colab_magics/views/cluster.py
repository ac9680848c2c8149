"""The machines of a cluster in words and as a table: what they have together, what is wrong, how they differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics import guides, units
from colab_magics.model import Cpu, Ram, Severity, Subject, Unavailable, seen
from colab_magics.model.cluster import compared
from colab_magics.rules import RULES
from colab_magics.translation import N_, NP_
from colab_magics.values import Record
from colab_magics.views import gpus, guide_text, layout, machine, messages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from colab_magics.guides import Guide
    from colab_magics.model import Snapshot
    from colab_magics.model.cluster import Cluster, Difference, Node, Variant
    from colab_magics.translation import Translator

NOT_KNOWN = "-"
"""What stands in place of a figure that is not known."""

MOST_ROWS = 10
"""How many machines are shown unless everything is wanted: those first that are not like the others."""

_MOST_NUMBERS = 12
"""How many machines are named by their numbers, unless these follow each other."""

_MOST_DIFFERENCES = 3
"""How many differences are told unless everything is wanted."""

_ENGINES = {"dask": "Dask", "ipyparallel": "ipyparallel", "ray": "Ray", "reports": N_("Gathered reports")}

COLUMNS = ("number", "workers", "devices", "gpu_memory", "ram", "left", "disk", "cores", "load")
"""The columns in their order; one with nothing in it is left out."""

SHARES = {"gpu_memory": "gpu_percent", "ram": "ram_percent"}
"""The columns that have a bar behind them, and what it shows."""


Version = tuple[str, str | None]
"""A name and its version, None for what is not installed."""


class Row(Record):
    """One machine, or the names of the columns."""

    number: str
    workers: str
    """How many workers it runs."""
    devices: str
    """ "2 x Tesla T4"."""
    gpu_memory: str
    """ "0.8 / 30.0", in GiB, of all its GPUs."""
    ram: str
    """All that the workers may use, in GiB."""
    left: str
    """The RAM that can still be allocated, in GiB."""
    disk: str
    """What is free where the worker runs, in GiB."""
    cores: str
    """The cores that a worker may use."""
    load: str
    """The load average of the last minute."""
    gpu_percent: float | None = None
    """The share of the GPUs' memory that is in use."""
    ram_percent: float | None = None
    """The share of the RAM that is in use."""
    ram_severity: Severity | None = None
    """How grave it is how full the RAM is; None where it is all right."""
    severity: Severity | None = None
    """How grave it is what is wrong with it; None where nothing is."""
    notes: tuple[str, ...] = ()
    """What is wrong with it, in what it differs from most; and its versions, where everything is wanted."""


def headings(translate: Translator) -> Row:
    """Return the names of the columns."""
    return Row(
        number="#", workers=translate("workers"), devices="GPU", gpu_memory=translate("its memory"),
        ram=translate("RAM"), left=translate("left"), disk=translate("disk left"), cores=translate("cores"),
        load=translate("load"),
    )  # fmt: skip


def of_report(snapshot: Snapshot) -> Cluster:
    """Return the cluster that a report is about."""
    assert snapshot.cluster is not None  # noqa: S101 - for the type checker
    return snapshot.cluster


def rows(snapshot: Snapshot, translate: Translator, *, everything: bool) -> list[Row]:
    """Return a row for each machine, those first that are not like the others; a few, unless everything is wanted."""
    cluster = of_report(snapshot)
    shown, odd = cluster.outliers_first, cluster.odd_versions
    return [
        _row(node, odd.get(node.number, ()), translate, everything=everything)
        for node in (shown if everything else shown[:MOST_ROWS])
    ]


def lines(table: Sequence[Row], translate: Translator) -> list[tuple[str, Row | None]]:
    """Return the table as lines of at most 80 columns with their rows, its headings first, notes below their row."""
    cells = [[getattr(row, column) for column in COLUMNS] for row in (headings(translate), *table)]
    head, *drawn = layout.columns(cells, left={2}, shorten=(2,))
    found: list[tuple[str, Row | None]] = [(head.rstrip(), None)]
    for row, line in zip(table, drawn, strict=True):
        found.append((line.rstrip(), row))
        found += [(f"   {part}", row) for note in row.notes for part in layout.broken(note, layout.WIDTH - 3)]
    return found


def answer(
    snapshot: Snapshot, translate: Translator, *, everything: bool
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Return what there is and what is wrong with it, and in paragraphs what else there is to say."""
    cluster = of_report(snapshot)
    have = translate.listed(_have(cluster, translate))
    first = translate("{name}: {facts}.", name=_counted(cluster, translate), facts=have)
    return (first, *_wrong(cluster, translate)), tuple(
        (one,) for one in notes(snapshot, translate, everything=everything)
    )


def title(snapshot: Snapshot, translate: Translator) -> str:
    """Return how many machines there are."""
    return _counted(of_report(snapshot), translate)


def facts(snapshot: Snapshot, translate: Translator) -> tuple[str, ...]:
    """Return what stands beside the title."""
    cluster = of_report(snapshot)
    engine = _ENGINES.get(cluster.engine, cluster.engine)
    return (translate(engine), *_have(cluster, translate))


def wrong(snapshot: Snapshot, translate: Translator) -> tuple[str, ...]:
    """Return what is wrong with how many machines, as one paragraph; nothing where nothing is."""
    said = _wrong(of_report(snapshot), translate)
    return (translate.joined(said),) if said else ()


def notes(snapshot: Snapshot, translate: Translator, *, everything: bool) -> tuple[str, ...]:
    """Return what to do where machines could not be looked at, and how the others differ."""
    cluster = of_report(snapshot)
    reasons = {node.report.code: node.report for node in cluster.nodes if isinstance(node.report, Unavailable)}
    ways = (guides.for_unavailable(reason, snapshot) for reason in reasons.values())
    said = [_way(guide, translate) for guide in ways if guide is not None]
    most = len(cluster.differences) if everything else _MOST_DIFFERENCES
    said += [_difference(one, translate) for one in cluster.differences[:most]]
    more = cluster.differences[most:]
    if more:
        names = translate.listed(units.printable(one.name) for one in more)
        said.append(translate("Also different: {names}.", names=names))
    return tuple(said)


def _way(guide: Guide, translate: Translator) -> str:
    """Return what to do, and what it costs, in one sentence after the other."""
    consequences = (messages.sentence(one, translate) for one in guide.consequences)
    steps = guide_text.purpose(guide, translate), guide_text.in_a_row(guide, translate)
    return translate.joined((*steps, *consequences))


def foot(snapshot: Snapshot, translate: Translator, *, everything: bool) -> tuple[str, ...]:
    """Return what is good to know of the table."""
    cluster, said = of_report(snapshot), []
    if not everything and len(cluster.nodes) > MOST_ROWS:
        said.append(translate("Shown: {shown} of {count}.", shown=MOST_ROWS, count=len(cluster.nodes)))
    if cluster.answered:
        said.append(translate("Sizes are in GiB."))
    return tuple(said)


def _machines(count: int, translate: Translator) -> str:
    return translate.counting(NP_("{count} machine", "{count} machines", counted="count"), count, count=count)


def _counted(cluster: Cluster, translate: Translator) -> str:
    machines = _machines(len(cluster.nodes), translate)
    if cluster.workers is None:
        return machines
    message = NP_("{machines} with {count} worker", "{machines} with {count} workers", counted="count")
    return translate.counting(message, cluster.workers, machines=machines, count=cluster.workers)


def _have(cluster: Cluster, translate: Translator) -> list[str]:
    """Return what the machines have together, as phrases."""
    totals, known = cluster.totals, []
    if totals.gpus:
        message = NP_("{count} GPU", "{count} GPUs", counted="count")
        counted = translate.counting(message, totals.gpus, count=totals.gpus)
        memory = totals.gpu_memory_bytes
        known.append(counted if memory is None else
                     translate("{name} with {facts}", name=counted, facts=units.size(memory)))  # fmt: skip
    elif totals.gpus == 0:
        known.append(translate("no GPU"))
    if totals.cores is not None:
        known.append(messages.cores(totals.cores, translate))
    if totals.ram_bytes is not None and totals.ram_headroom_bytes is not None:
        known.append(translate("{size} RAM", size=units.size(totals.ram_bytes)))
        known.append(machine.size_left(totals.ram_headroom_bytes, translate))
    if not known:
        return [translate("nothing is known")]
    return known if totals.is_complete else [translate("at least {facts}", facts=known[0]), *known[1:]]


def _wrong(cluster: Cluster, translate: Translator) -> list[str]:
    """Return with how many machines something is wrong, those that could not be looked at by themselves."""
    said, count = [], len(cluster.nodes)
    lost = count - len(cluster.answered)
    if lost:
        said.append(translate("Not looked at: {lost} of {count}.", lost=lost, count=count))
    bad = sum(node.severity is not None for node in cluster.answered)
    if bad:
        said.append(translate("Something is wrong with {bad} of {count}.", bad=bad, count=count))
    return said


def _difference(one: Difference, translate: Translator) -> str:
    variants = translate.listed(_variant(variant, translate) for variant in one.variants)
    return translate("{name} differs: {variants}.", name=units.printable(one.name), variants=variants)


def _variant(variant: Variant, translate: Translator) -> str:
    """Return a version and who has it: "3.13.0 (1 to 3, this notebook)"."""
    version = translate("not installed") if variant.version is None else units.printable(variant.version)
    who = [_numbers(variant.nodes, translate)] if variant.nodes else []
    who += [translate("this notebook")] if variant.is_here else []
    return translate("{gives} ({who})", gives=version, who=translate.listed(who))


def _numbers(numbers: tuple[int, ...], translate: Translator) -> str:
    """Return machines by their numbers, or how many they are where that would be a long list."""
    follow_each_other = numbers[-1] - numbers[0] == len(numbers) - 1
    if len(numbers) > _MOST_NUMBERS and not follow_each_other:
        return _machines(len(numbers), translate)
    return messages.numbers(numbers, translate)


def _row(node: Node, odd: Sequence[Version], translate: Translator, *, everything: bool) -> Row:
    workers = "" if node.workers is None else str(node.workers)
    notes = _notes(node, odd, translate, everything=everything)
    snapshot = node.snapshot
    if snapshot is None:
        return Row(
            number=str(node.number), workers=workers, devices=NOT_KNOWN, gpu_memory="", ram="", left="", disk="",
            cores="", load="", severity=node.severity, notes=notes,
        )  # fmt: skip
    several = snapshot.usable_gpus
    memories = [gpu.memory for gpu in several if gpu.memory is not None]
    used, total = sum(one.used_bytes for one in memories), sum(one.total_bytes for one in memories)
    ram = snapshot.ram if isinstance(snapshot.ram, Ram) else None
    cpu = snapshot.cpu if isinstance(snapshot.cpu, Cpu) else None
    disk = next((one.free_bytes for one in snapshot.runtime_disks if one.free_bytes is not None), None)
    return Row(
        number=str(node.number),
        workers=workers,
        devices=gpus.counted(several, translate) if several else _without(snapshot, translate),
        gpu_memory=f"{units.gib(used)} / {units.gib(total)}" if memories else "",
        ram=NOT_KNOWN if ram is None else units.gib(ram.capacity_bytes),
        left=NOT_KNOWN if ram is None else units.gib(ram.headroom_bytes),
        disk=NOT_KNOWN if disk is None else units.gib(disk),
        cores=NOT_KNOWN if cpu is None else f"{cpu.usable_cores:g}",
        load="" if cpu is None or cpu.load_average is None else f"{cpu.load_average:.1f}",
        gpu_percent=100 * used / total if total else None,
        ram_percent=None if ram is None else ram.usage.used_percent,
        ram_severity=_severity_of(Subject.RAM, node),
        severity=node.severity,
        notes=notes,
    )


def _severity_of(subject: Subject, node: Node) -> Severity | None:
    """Return how grave it is what was found of a subject on a machine; None where nothing is wrong with it."""
    findings = () if isinstance(node.report, Unavailable) else node.report.findings
    grave = [one.severity for one in findings if RULES[one.rule].subject is subject]
    return max((severity for severity in grave if severity >= Severity.WARNING), default=None)


def _without(snapshot: Snapshot, translate: Translator) -> str:
    """Return what is said of a machine's GPUs where none can be used."""
    if snapshot.gpus == ():
        tpus = seen(snapshot.tpus)
        return f"TPU {tpus[0].kind or ''}".strip() if tpus else translate("none")
    return NOT_KNOWN


def _notes(node: Node, odd: Sequence[Version], translate: Translator, *, everything: bool) -> tuple[str, ...]:
    said = []
    if node.gravest is not None:
        what = messages.sentence(node.gravest, translate)
        word = messages.severity_word(node.severity, translate)
        said.append(what if word is None else translate("{name}: {facts}", name=word, facts=what))
    if odd:
        differs = (
            f"{units.printable(name)} {translate('not installed') if version is None else units.printable(version)}"
            for name, version in odd
        )
        said.append(translate("Differs: {facts}.", facts=translate.listed(differs)))
    if everything and node.snapshot is not None:
        known = compared(node.snapshot)
        versions = [f"{units.printable(name)} {units.printable(version)}" for name, version in known.items() if version]
        said.append(translate("{name}.", name=translate.listed(versions)))
    return tuple(said)
