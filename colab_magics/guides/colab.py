"""Hosted Colab: what to click there for each purpose, what it costs, and what it gives.

Nothing is clicked for anybody, and nothing is told of a plan or of the time left: a kernel sees neither.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics.facts import accelerators
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
    OfferedMachine,
    OtherMenusTable,
    Point,
    Sentence,
    TextStep,
    sentences,
)
from colab_magics.model import Finding, Offer, Severity, Unavailable, seen
from colab_magics.translation import N_

if TYPE_CHECKING:
    from collections.abc import Iterator

    from colab_magics.facts import Accelerator
    from colab_magics.guides.interface import FactsTable, Remark
    from colab_magics.model import Snapshot

_CHANGE_RUNTIME_TYPE = MenuStep(("runtime_menu", "change_runtime_type"))
_MANAGE_SESSIONS = MenuStep(("runtime_menu", "manage_sessions"))
_DISCONNECT = MenuStep(("runtime_menu", "disconnect_and_delete"))
_HIGH_RAM = MenuStep(("high_ram",))
_SAVE = MenuStep(("save",))
_VIEW_RESOURCES = ("runtime_menu", "view_resources")

_NEW_MACHINE = sentences(
    N_("This gives you a new machine: variables and files in /content are lost."),
    N_("Then run again from your first cell (%pip install, %load_ext)."),
)
_MACHINE_GOES = Sentence(N_("When the machine goes, variables and files in /content go with it."))
_TO_CHANGE = Sentence(N_("To change"))
_TO_MEET_IT_PAID = Sentence(N_("To meet it (paid)"))
_TO_USE_ANOTHER_TPU = Sentence(N_("To use another TPU"))
_PAID = Sentence(N_("paid"))
_CHOOSE_ONE = TextStep(Sentence(N_("choose one (paid)")))
_KEEP_RUNNING = Sentence(N_("keep the tab open and a cell running"))
_PRO_RUNS_LONGER = Sentence(N_("Colab Pro and Pro+ have longer runtimes, as available"))
_PRO_PLUS_RUNS_ON = Sentence(N_("Pro+ also runs on with the tab closed, up to 24 h while there are compute units"))
_SEND_FEEDBACK = Sentence(N_("Help > Send feedback"))
_WRITE_OF_BILLS = Sentence(N_("for billing, write to colab-billing@google.com"))
_END_SESSIONS = Sentence(N_("end what you do not need, and use a GPU only while you need it"))
_BUY_UNITS = Sentence(N_("or buy compute units as you go: no subscription is needed"))
_SAVE_TO_DRIVE = Sentence(N_("save what matters to Drive or download it"))
_TO_TELL_GOOGLE = Sentence(N_("To tell Google"))

_ANOTHER_MACHINE = Guide(
    Sentence(N_("To get another machine")),
    steps=(_DISCONNECT, TextStep(Sentence(N_("Reconnect")))),
    consequences=_NEW_MACHINE,
)
_LARGER_ONE = Guide(
    _TO_CHANGE, steps=(_CHANGE_RUNTIME_TYPE, _CHOOSE_ONE, _SAVE), consequences=_NEW_MACHINE, links=("signup",)
)
_FOR_FINDINGS = {
    "costly_gpu_unused": Guide(
        Sentence(N_("To give it back")), steps=(_DISCONNECT,), consequences=_NEW_MACHINE[:1], links=("faq",)
    ),
    "feedback": Guide(_TO_TELL_GOOGLE, steps=(TextStep(_SEND_FEEDBACK), TextStep(_WRITE_OF_BILLS))),
    "gpu_idle": Guide(Sentence(N_("When you are done with it")), steps=(_DISCONNECT,), consequences=_NEW_MACHINE[:1]),
    "larger_accelerators": _LARGER_ONE,
    "longer_runs": Guide(
        generic.TO_RUN_LONGER,
        steps=(TextStep(_KEEP_RUNNING), TextStep(_PRO_RUNS_LONGER), TextStep(_PRO_PLUS_RUNS_ON)),
        links=("signup",),
        goal=Goal.LONGER,
    ),
    "more_resources": Guide(
        Sentence(N_("To read")),
        steps=(TextStep(Sentence(N_("the overview of Colab and its guides to GPUs and TPUs"))),),
        links=("overview",),
    ),
    "newer_number_formats": _LARGER_ONE,
    "no_gpu": Guide(
        generic.TO_USE_A_GPU,
        steps=(_CHANGE_RUNTIME_TYPE, ClickStep(("T4 GPU",), "T4"), _SAVE),
        consequences=_NEW_MACHINE,
        links=("gpu_guide",),
        goal=Goal.GPU,
    ),
    "not_high_ram": Guide(
        Sentence(N_("To get more RAM (paid)")),
        steps=(_CHANGE_RUNTIME_TYPE, _HIGH_RAM, _SAVE),
        consequences=_NEW_MACHINE,
        links=("signup",),
        goal=Goal.MEMORY,
    ),
    "runtime_old": Guide(
        Sentence(N_("To lose nothing")),
        steps=(TextStep(_SAVE_TO_DRIVE),),
        consequences=(_MACHINE_GOES,),
        links=("faq",),
    ),
    "usage_limits": Guide(
        generic.AT_A_LIMIT,
        steps=(_MANAGE_SESSIONS, TextStep(_END_SESSIONS), TextStep(_BUY_UNITS)),
        links=("signup",),
        goal=Goal.LIMIT,
    ),
}


def for_finding(finding: Finding, snapshot: Snapshot) -> Guide | None:
    """Return what to do about a finding, in the words of Colab's menus where these help."""
    if finding.rule in generic.ANOTHER_MACHINE_MENDS:
        return _ANOTHER_MACHINE
    cause = dict(finding.values).get("cause")
    if isinstance(cause, Unavailable):
        return for_unavailable(cause)
    return _FOR_FINDINGS.get(finding.rule) or generic.for_finding(finding, snapshot)


def for_unavailable(unavailable: Unavailable) -> Guide | None:
    """Return what to do about a section that is not known: here another machine is a click away."""
    if unavailable.code in generic.ANOTHER_MACHINE_HELPS:
        return _ANOTHER_MACHINE
    return generic.for_unavailable(unavailable)


def for_goal(goal: Goal, snapshot: Snapshot, blocking: Finding | None) -> Guide:
    """Return the way to a goal, click by click."""
    match goal:
        case Goal.GPU:
            return _to_gpu(snapshot, blocking)
        case Goal.TPU:
            return _to_tpu(snapshot)
        case Goal.MEMORY:
            return _to_memory(snapshot)
        case Goal.LONGER:
            return _to_longer_runs()
        case Goal.CHEAPER:
            return _to_stop_paying(snapshot)
        case Goal.LIMIT:
            return _at_a_limit()


def offered_machines(snapshot: Snapshot) -> tuple[OfferedMachine, ...]:
    """Return the machines of the dialog's choices: each accelerator in each of its shapes, but for this one."""
    return tuple(_offered(snapshot))


def to_get(offers: tuple[Offer, ...]) -> Guide | None:
    """Return the way to one of these choices."""
    if not offers:
        return None
    names = tuple(offer.name for offer in offers)
    accelerator = () if offers[0].is_current else (ClickStep(names),)
    high_ram = (_HIGH_RAM,) if all(offer.high_ram for offer in offers) else ()
    return Guide(
        _TO_MEET_IT_PAID if all(offer.paid for offer in offers) else generic.TO_MEET_IT,
        steps=(_CHANGE_RUNTIME_TYPE, *accelerator, *high_ram, _SAVE),
        consequences=_NEW_MACHINE,
    )


def tables() -> tuple[FactsTable, ...]:
    """Return what Google has published of its lifetimes, and the ways to the accelerators elsewhere."""
    return LimitsTable(accelerators.COLAB), OtherMenusTable(None)


def not_visible() -> Sentence:
    """Return what people look for in vain, and where Colab shows it."""
    return Sentence(N_("plan, compute units, browser or VS Code; see {menu:way}"), (("menu", _VIEW_RESOURCES),))


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
        return _to_accelerator(generic.TO_USE_A_TPU, "tpu", snapshot, ())
    name = tpus[0].accelerator_type or tpus[0].kind or ""
    here = Sentence(N_("This runtime has a TPU: {name:tpu}."), (("name", name),))
    return _to_accelerator(_TO_USE_ANOTHER_TPU, "tpu", snapshot, (here,))


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
            _CHANGE_RUNTIME_TYPE,
            ClickStep((chosen.menu_name,), chosen.id, note=Note(who=_who_gets(chosen), others=others)),
            _SAVE,
        ),
        drawing=Dialog(chosen=chosen, present=present, high_ram=None if chosen.one_shape else False),
        consequences=(*_NEW_MACHINE, replaced),
        tables=(ChoicesTable(offered, present), OtherMenusTable((accelerators.COLAB,))),
        links=(f"{kind}_guide", "signup", "faq"),
    )


def _to_memory(snapshot: Snapshot) -> Guide:
    """Return the ways to more RAM and to more memory of the GPU or TPU: people take one for the other."""
    present = accelerators.in_use(snapshot)
    has_high_ram = accelerators.is_high_ram(snapshot) is True
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
        steps=(_CHANGE_RUNTIME_TYPE, _one_of(ways), _SAVE) if ways else (),
        drawing=_dialog_for(ways, present, has_high_ram=has_high_ram) if ways else None,
        consequences=_NEW_MACHINE if ways else sentences(N_("Nothing that Colab offers is known to have more.")),
        tables=(ChoicesTable(accelerators.offered(), present), OtherMenusTable((accelerators.COLAB,))),
        links=("signup", "faq"),
    )


def _to_longer_runs() -> Guide:
    """Return what makes a runtime last, and what is published of that."""
    in_a_cell, to_drive = sentences(
        N_("run it in a cell: a job in a terminal may count as idle"),
        N_("save what you have so far to Drive, again and again, to go on from there"),
    )
    known = (_KEEP_RUNNING, in_a_cell, to_drive, _PRO_RUNS_LONGER, _PRO_PLUS_RUNS_ON)
    return Guide(
        generic.TO_RUN_LONGER,
        remarks=(Finding(rule="longer_runs", severity=Severity.HINT),),
        points=tuple(map(Point, known)),
        consequences=(generic.KERNEL_RESTARTED, _MACHINE_GOES),
        tables=(LimitsTable(accelerators.COLAB),),
        links=("faq", "signup"),
    )


def _to_stop_paying(snapshot: Snapshot) -> Guide:
    """Return how to give a runtime back, and how to go on with one that users get without paying."""
    unseen = Sentence(
        N_("Whether you pay for this runtime cannot be seen from a kernel; see {menu:way}."),
        (("menu", _VIEW_RESOURCES),),
    )
    free = tuple(one.menu_name for one in accelerators.offered() if one.tier == "free")
    without_high_ram = Sentence(N_("without the High-RAM choice, which is paid"))
    go_on = Guide(
        Sentence(N_("To go on without paying")),
        steps=(_CHANGE_RUNTIME_TYPE, ClickStep(free, note=Note((without_high_ram,))), _SAVE),
        consequences=(*_NEW_MACHINE, Sentence(N_("While you have compute units, these take some too."))),
    )
    end_sessions, give_back = sentences(N_("end the sessions that you do not need"), N_("gives this machine back"))
    return Guide(
        generic.TO_STOP_PAYING,
        remarks=(*_rate(snapshot), unseen),
        steps=(
            TextStep(_SAVE_TO_DRIVE),
            _MANAGE_SESSIONS._replace(note=Note((end_sessions,))),
            _DISCONNECT._replace(note=Note((give_back,))),
        ),
        drawing=MenuAlone(),
        consequences=(_MACHINE_GOES,),
        also=(go_on,),
        tables=(ChoicesTable(accelerators.offered(), accelerators.in_use(snapshot)),),
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
            _MANAGE_SESSIONS._replace(note=Note((_END_SESSIONS,))),
            _CHANGE_RUNTIME_TYPE._replace(note=Note((meanwhile,))),
            TextStep(_BUY_UNITS),
        ),
        consequences=sentences(N_("A new machine has neither the variables nor the files in /content of the old one.")),
        also=(Guide(_TO_TELL_GOOGLE, points=(Point(_SEND_FEEDBACK), Point(_WRITE_OF_BILLS))),),
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
            N_("{accelerator} takes about {units:rate} compute units per hour (seen on {date})."),
            (name, ("units", rate.units_per_hour), ("date", str(rate.date))),
        ),
    )


def _which_memory(snapshot: Snapshot) -> tuple[Point, ...]:
    """Return what tells a lack of RAM from a lack of the GPU's own memory."""
    session_crashed, out_of_memory = sentences(
        N_("When it runs out, the kernel ends: “Your session crashed after using all available RAM”."),
        N_("When it runs out, the cell fails with “out of memory” and the kernel goes on."),
    )
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
        return (ram._replace(note=(ram.note or Note())._replace(gives=both)),)
    return tuple(way for way in (ram, own) if way is not None)


def _more_ram(snapshot: Snapshot) -> MenuStep | ClickStep | None:
    """Return what gives more RAM: the High-RAM switch where there is that choice, else a larger one of its kind."""
    present = accelerators.in_use(snapshot)
    if present is None:
        where_offered = sentences(N_("more RAM, where the accelerator has that choice"))
        return _HIGH_RAM._replace(note=Note(where_offered, who=_PAID))
    if not present.one_shape and accelerators.is_high_ram(snapshot) is not True:
        gives = sentences(N_("more RAM"))
        if present.high_ram_memory_gib is not None:
            gives += (_sized(N_("a card with {size} GiB"), present.high_ram_memory_gib),)
        return _HIGH_RAM._replace(note=Note(gives, who=_PAID))
    larger = accelerators.larger_ram(snapshot)
    if not larger or larger[0].standard_ram_gib is None:
        return None
    return _to_larger(larger[0], Sentence(N_("more RAM: {size} GiB"), (("size", f"{larger[0].standard_ram_gib:.1f}"),)))


def _more_of_its_own(snapshot: Snapshot) -> MenuStep | ClickStep | None:
    """Return what gives more of the GPU's or TPU's own memory; there is no more to be had of none."""
    if accelerators.in_use(snapshot) is None:
        of_the_table = sentences(N_("more GPU memory: a larger one of the table below"))
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
    switched_on = any(isinstance(way, MenuStep) and way.path == _HIGH_RAM.path for way in ways)
    has_switch = chosen is None or not chosen.one_shape
    return Dialog(chosen=chosen, present=present, high_ram=(switched_on or has_high_ram) if has_switch else None)


def _offered(snapshot: Snapshot) -> Iterator[OfferedMachine]:
    present, has_high_ram = accelerators.in_use(snapshot), accelerators.is_high_ram(snapshot) is True
    for row in accelerators.offered():
        is_current = row == present
        if not is_current:
            yield _machine(row, high_ram=False, is_current=False)
        if not row.one_shape and row.high_ram_gib is not None and not (is_current and has_high_ram):
            yield _machine(row, high_ram=True, is_current=is_current)


def _machine(row: Accelerator, *, high_ram: bool, is_current: bool) -> OfferedMachine:
    """Return the machine one gets; where more RAM brings another card, with the names of that one only."""
    memory_gib = accelerators.memory_gib(row, high_ram=high_ram)
    other_gib = accelerators.memory_gib(row, high_ram=not high_ram)
    names = tuple(name for name in row.device_names if other_gib == memory_gib or f"{other_gib:g}GB" not in name)
    return OfferedMachine(
        offer=Offer(name=row.menu_name, high_ram=high_ram, paid=high_ram or row.tier == "paid", is_current=is_current),
        kind=row.kind,
        accelerator_names=(*names, row.menu_name),
        memory_gib=memory_gib,
        ram_gib=row.high_ram_gib if high_ram else row.standard_ram_gib,
        compute_capability=row.compute_capability,
    )
