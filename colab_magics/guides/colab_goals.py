"""Hosted Colab's way to each goal, click by click: what it gives, and what it costs.

Nothing is clicked for anybody, and nothing is told of a plan or of the time left: a kernel sees neither.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics import facts
from colab_magics.facts import accelerators
from colab_magics.guides import colab_menu as menu
from colab_magics.guides import generic
from colab_magics.guides.interface import (
    ChoicesTable,
    ChoiceStep,
    ClickStep,
    Dialog,
    Goal,
    Guide,
    LimitsTable,
    MenuAlone,
    MenuStep,
    Note,
    NoticesTable,
    OtherMenusTable,
    Point,
    RuntimeVersionsTable,
    Sentence,
    TextStep,
    sentences,
)
from colab_magics.model import Finding, Severity, Unavailable, seen
from colab_magics.translation import N_
from colab_magics.values import replace

if TYPE_CHECKING:
    from colab_magics.facts import Accelerator
    from colab_magics.guides.interface import Remark
    from colab_magics.model import Snapshot

_TO_USE_ANOTHER_TPU = Sentence(N_("To use another TPU"))
_TPU_IMAGE = generic.note("tpu_image")
_GUIDES_BY_KIND = {"gpu": ("gpu_guide",), "tpu": ("jax_guide", "tpu_guide")}
"""Where to read on by the kind of accelerator: of TPUs first what their runtimes have installed."""


def for_goal(  # noqa: PLR0911 - one for each goal
    goal: Goal, snapshot: Snapshot, blocking: Finding | None
) -> Guide:
    """Return the way to a goal, click by click."""
    match goal:
        case Goal.GPU:
            return _to_gpu(snapshot, blocking)
        case Goal.TPU:
            return _to_tpu(snapshot)
        case Goal.MEMORY:
            return _to_memory(snapshot)
        case Goal.IMAGE:
            return _to_image(snapshot)
        case Goal.LONGER:
            return _to_longer_runs()
        case Goal.CHEAPER:
            return _to_stop_paying(snapshot)
        case Goal.LIMIT:
            return _at_a_limit()


def _to_gpu(snapshot: Snapshot, blocking: Finding | None) -> Guide:
    """Return the way to a GPU, or to another one."""
    gpus = snapshot.gpus
    remarks: list[Remark] = []
    if isinstance(gpus, Unavailable):
        remarks.append(gpus)
    elif gpus:
        remarks.append(generic.gpu_here(N_("This runtime has a GPU: {name:device}."), gpus[0]))
    is_said = blocking is not None and isinstance(dict(blocking.values).get("cause"), Unavailable)
    if blocking is not None and not is_said:
        remarks.append(blocking)
    purpose = generic.TO_USE_ANOTHER_GPU if gpus else generic.TO_USE_A_GPU
    return _to_accelerator(purpose, "gpu", snapshot, tuple(remarks))


def _to_tpu(snapshot: Snapshot) -> Guide:
    """Return the way to a TPU, or to another one."""
    tpus = seen(snapshot.tpus)
    if not tpus:
        return _to_accelerator(generic.TO_USE_A_TPU, "tpu", snapshot, (_TPU_IMAGE,))
    name = tpus[0].accelerator_type or tpus[0].kind or ""
    here = Sentence(N_("This runtime has a TPU: {name:tpu}."), (("name", name),))
    return _to_accelerator(_TO_USE_ANOTHER_TPU, "tpu", snapshot, (here, _TPU_IMAGE))


def _to_accelerator(purpose: Sentence, kind: str, snapshot: Snapshot, remarks: tuple[Remark, ...]) -> Guide:
    """Return the way to an accelerator of a kind: the first that is not in use is the one to click."""
    present = accelerators.in_use(snapshot)
    offered = tuple(one for one in accelerators.offered() if one.kind == kind)
    chosen = next(one for one in offered if one != present)
    others = tuple(one.menu_name for one in offered if one not in (chosen, present))
    replaced = Sentence(
        N_("What is not available is replaced by another at times: %runtime_status tells what you got.")
    )
    return Guide(
        purpose,
        remarks=remarks,
        steps=(
            menu.CHANGE_RUNTIME_TYPE,
            ClickStep((chosen.menu_name,), chosen.id, note=Note(who=_who_gets(chosen), others=others)),
            menu.SAVE,
        ),
        drawing=Dialog(chosen=chosen, present=present, high_ram=None if chosen.one_shape else False),
        consequences=(*menu.NEW_MACHINE, replaced),
        tables=(
            ChoicesTable(offered, present),
            NoticesTable(accelerators.COLAB, Goal(kind)),
            OtherMenusTable((accelerators.COLAB,)),
        ),
        links=(*_GUIDES_BY_KIND[kind], "signup", "faq"),
    )


def _to_memory(snapshot: Snapshot) -> Guide:
    """Return the ways to more RAM and to more memory of the GPU or TPU: people take one for the other."""
    present = accelerators.in_use(snapshot)
    has_high_ram = accelerators.in_high_ram_shape(snapshot)
    ways = _ways_to_memory(snapshot)
    remarks: tuple[Remark, ...] = ()
    if present is not None and present.one_shape:
        values = (("accelerator", present.menu_name),)
        remarks = (Finding(rule="one_shape_only", severity=Severity.INFO, values=values),)
    elif has_high_ram:
        remarks = (Finding(rule="high_ram", severity=Severity.INFO),)
    return Guide(
        generic.TO_GET_MEMORY,
        remarks=remarks,
        points=_which_memory(snapshot),
        steps=(menu.CHANGE_RUNTIME_TYPE, _one_of(ways), menu.SAVE) if ways else (),
        drawing=_dialog_for(ways, present, has_high_ram=has_high_ram) if ways else None,
        consequences=menu.NEW_MACHINE if ways else sentences(N_("Nothing that Colab offers is known to have more.")),
        tables=(ChoicesTable(accelerators.offered(), present), OtherMenusTable((accelerators.COLAB,))),
        links=("signup", "faq"),
    )


def _to_image(snapshot: Snapshot) -> Guide:
    """Return the way to another image, with the accelerator and the RAM as they are."""
    present = accelerators.in_use(snapshot)
    has_switch = present is None or not present.one_shape
    older = Sentence(N_("an older image, by what stands in the table below"))
    return Guide(
        generic.TO_USE_ANOTHER_IMAGE,
        remarks=(*generic.python_here(snapshot), _TPU_IMAGE),
        steps=(menu.CHANGE_RUNTIME_TYPE, replace(menu.RUNTIME_VERSION, note=Note((older,))), menu.SAVE),
        drawing=Dialog(
            chosen=present,
            present=present,
            high_ram=accelerators.in_high_ram_shape(snapshot) if has_switch else None,
        ),
        consequences=(
            *menu.NEW_MACHINE,
            generic.note("runtime_version_of_a_session"),
        ),
        tables=(RuntimeVersionsTable(accelerators.COLAB),),
        links=("runtime_versions",),
    )


def _to_longer_runs() -> Guide:
    """Return what makes a runtime last, and what is published of that."""
    in_a_cell, to_drive = sentences(
        N_("run it in a cell: a job in a terminal may count as idle"),
        N_("save what you have so far to Drive, again and again, to go on from there"),
    )
    known = (
        menu.KEEP_RUNNING,
        in_a_cell,
        to_drive,
        menu.PRO_RUNS_LONGER,
        menu.PRO_PLUS_RUNS_ON,
        menu.CLOSE_THE_TAB,
    )
    return Guide(
        generic.TO_RUN_LONGER,
        remarks=(Finding(rule="longer_runs", severity=Severity.HINT),),
        points=tuple(map(Point, known)),
        consequences=(generic.KERNEL_RESTARTED, menu.MACHINE_GOES),
        tables=(LimitsTable(accelerators.COLAB), NoticesTable(accelerators.COLAB, Goal.LONGER)),
        links=("faq", "signup"),
    )


def _to_stop_paying(snapshot: Snapshot) -> Guide:
    """Return how to give a runtime back, and how to go on with one that users get without paying."""
    unseen = Sentence(
        N_("Whether you pay for this runtime cannot be seen from a kernel; see {menu:way}."),
        (("menu", menu.VIEW_RESOURCES),),
    )
    free = tuple(one.menu_name for one in accelerators.offered() if one.tier == "free")
    without_high_ram = Sentence(N_("without the High-RAM choice, which is paid"))
    go_on = Guide(
        Sentence(N_("To go on without paying")),
        steps=(menu.CHANGE_RUNTIME_TYPE, ClickStep(free, note=Note((without_high_ram,))), menu.SAVE),
        consequences=(*menu.NEW_MACHINE, Sentence(N_("While you have compute units, these take some too."))),
    )
    end_sessions, give_back = sentences(N_("end the sessions that you do not need"), N_("gives this machine back"))
    return Guide(
        generic.TO_STOP_PAYING,
        remarks=(*_rate(snapshot), unseen),
        steps=(
            TextStep(menu.SAVE_TO_DRIVE),
            replace(menu.MANAGE_SESSIONS, note=Note((end_sessions,))),
            replace(menu.DISCONNECT, note=Note((give_back,))),
        ),
        drawing=MenuAlone(),
        consequences=(menu.MACHINE_GOES,),
        also=(go_on,),
        tables=(
            ChoicesTable(accelerators.offered(), accelerators.in_use(snapshot)),
            NoticesTable(accelerators.COLAB, Goal.CHEAPER),
        ),
        links=("signup", "faq", "billing"),
    )


def _at_a_limit() -> Guide:
    """Return what helps when Colab refuses, and where Google listens."""
    cpu = accelerators.by_id("NONE").menu_name
    meanwhile = Sentence(N_("then {choice}, to go on meanwhile; this gives you a new machine"), (("choice", cpu),))
    return Guide(
        generic.AT_A_LIMIT,
        remarks=(
            Finding(rule="usage_limits", severity=Severity.HINT),
            Sentence(N_("Google does not publish them.")),
        ),
        steps=(
            replace(menu.MANAGE_SESSIONS, note=Note((menu.END_SESSIONS,))),
            replace(menu.CHANGE_RUNTIME_TYPE, note=Note((meanwhile,))),
            TextStep(menu.BUY_UNITS),
            TextStep(menu.PRO_PLUS_HAS_MORE),
            TextStep(menu.CLOSE_THE_TAB),
        ),
        consequences=sentences(N_("A new machine has neither the variables nor the files in /content of the old one.")),
        also=(Guide(menu.TO_TELL_GOOGLE, points=(Point(menu.SEND_FEEDBACK), Point(menu.WRITE_OF_BILLS))),),
        tables=(NoticesTable(accelerators.COLAB),),
        links=("signup", "faq", "billing"),
    )


def _rate(snapshot: Snapshot) -> tuple[Sentence, ...]:
    """Return what the accelerator in use takes by the hour, as seen on a day."""
    present = accelerators.in_use(snapshot)
    if present is None:
        return ()
    rate = accelerators.rate(snapshot)
    name = ("accelerator", present.menu_name)
    if rate is None:
        return (Sentence(N_("What {accelerator} takes per hour is not published."), (name,)),)
    return (
        Sentence(
            N_("{accelerator} takes about {units:rate} compute units per hour ({origin:origin}, {date})."),
            (name, ("units", rate.units_per_hour), ("origin", rate.origin), ("date", str(rate.date))),
        ),
    )


def _which_memory(snapshot: Snapshot) -> tuple[Point, ...]:
    """Return what tells a lack of RAM from a lack of the GPU's own memory."""
    words = (("words", facts.notice("out_of_ram").words),)
    session_crashed = Sentence(N_("When it runs out, the kernel ends: {words:quoted}"), words)
    out_of_memory = Sentence(N_("When it runs out, the cell fails with “out of memory” and the kernel goes on."))
    points = [Point(session_crashed, term=Sentence(N_("RAM")))]
    if seen(snapshot.tpus):
        points.append(Point(out_of_memory, term=Sentence(N_("TPU memory"))))
    elif snapshot.gpus != ():
        points.append(Point(out_of_memory, term=Sentence(N_("GPU memory"))))
    return tuple(points)


def _ways_to_memory(snapshot: Snapshot) -> tuple[MenuStep | ClickStep, ...]:
    """Return what gives more RAM and what gives more of the accelerator's own memory, once if that is the same."""
    ram, own = _more_ram(snapshot), _more_of_its_own(snapshot)
    if isinstance(ram, ClickStep) and isinstance(own, ClickStep) and ram.accelerator == own.accelerator:
        both = (*(ram.note or Note()).gives, *(own.note or Note()).gives)
        return (replace(ram, note=replace(ram.note or Note(), gives=both)),)
    return tuple(way for way in (ram, own) if way is not None)


def _more_ram(snapshot: Snapshot) -> MenuStep | ClickStep | None:
    """Return what gives more RAM: the High-RAM switch where there is that choice, else a larger one of its kind."""
    present, has_high_ram = accelerators.in_use(snapshot), accelerators.in_high_ram_shape(snapshot)
    if present is None:
        if has_high_ram or seen(snapshot.tpus):
            return None
        where_offered = sentences(N_("more RAM, where the accelerator has that choice"))
        return replace(menu.HIGH_RAM, note=Note(where_offered, who=menu.WITH_HIGH_RAM))
    if not present.one_shape and not has_high_ram:
        gives = sentences(N_("more RAM"))
        if present.high_ram_memory_gib is not None:
            gives += (_sized(N_("a card with {size} GiB"), present.high_ram_memory_gib),)
        return replace(menu.HIGH_RAM, note=Note(gives, who=menu.WITH_HIGH_RAM))
    larger = accelerators.larger_ram(snapshot)
    if not larger or larger[0].standard_ram_gib is None:
        return None
    return _to_larger(larger[0], Sentence(N_("more RAM: {size} GiB"), (("size", f"{larger[0].standard_ram_gib:.1f}"),)))


def _more_of_its_own(snapshot: Snapshot) -> MenuStep | ClickStep | None:
    """Return what gives more of the GPU's or TPU's own memory; there is no more to be had of none."""
    if accelerators.in_use(snapshot) is None:
        of_the_table = sentences(
            N_("more TPU memory: a larger one of the table below")
            if seen(snapshot.tpus)
            else N_("more GPU memory: a larger one of the table below")
        )
        return MenuStep(("hardware_accelerator",), note=Note(of_the_table))
    for one in accelerators.larger_memory(snapshot):
        message = N_("more TPU memory: {size} GiB") if one.kind == "tpu" else N_("more GPU memory: {size} GiB")
        return _to_larger(one, _sized(message, one.memory_gib or 0))
    return None


def _sized(message: str, size_gib: float) -> Sentence:
    return Sentence(message, (("size", size_gib),))


def _to_larger(accelerator: Accelerator, gives: Sentence) -> ClickStep:
    return ClickStep((accelerator.menu_name,), accelerator.id, note=Note((gives,), who=_who_gets(accelerator)))


def _who_gets(accelerator: Accelerator) -> Sentence:
    free_too, paid = sentences(N_("free too, as available"), N_("paid, as available"))
    return free_too if accelerator.tier == "free" else paid


def _one_of(ways: tuple[MenuStep | ClickStep, ...]) -> MenuStep | ClickStep | ChoiceStep:
    """Return the second step: the one way, or a choice of two."""
    return ways[0] if len(ways) == 1 else ChoiceStep(Sentence(N_("One of the two, by what is lacking:")), ways)


def _dialog_for(ways: tuple[MenuStep | ClickStep, ...], present: Accelerator | None, *, has_high_ram: bool) -> Dialog:
    """Return how the dialog stands once one of these ways is taken; of two, neither is drawn as chosen."""
    (first, *more) = ways
    clicked = first.accelerator if isinstance(first, ClickStep) and not more else None
    chosen = present if clicked is None else accelerators.by_id(clicked)
    switched_on = any(isinstance(way, MenuStep) and way.path == menu.HIGH_RAM.path for way in ways)
    has_switch = chosen is None or not chosen.one_shape
    return Dialog(chosen=chosen, present=present, high_ram=(switched_on or has_high_ram) if has_switch else None)
