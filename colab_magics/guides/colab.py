"""Hosted Colab: what to do there about what was found, and the machines that its dialog offers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics import facts
from colab_magics.facts import accelerators
from colab_magics.guides import colab_menu as menu
from colab_magics.guides import generic
from colab_magics.guides.colab_goals import for_goal
from colab_magics.guides.interface import (
    ClickStep,
    Goal,
    Guide,
    LimitsTable,
    LinksTable,
    NoticesTable,
    OfferedImage,
    OfferedMachine,
    OtherMenusTable,
    RuntimeVersionsTable,
    Sentence,
    TextStep,
)
from colab_magics.model import Offer, Unavailable
from colab_magics.translation import N_
from colab_magics.values import replace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from colab_magics.facts import Accelerator
    from colab_magics.guides.interface import FactsTable
    from colab_magics.model import Finding, Snapshot

__all__ = [
    "for_finding",
    "for_goal",
    "for_unavailable",
    "not_visible",
    "offered_images",
    "offered_machines",
    "tables",
    "to_get",
]

_TO_CHANGE = Sentence(N_("To change"))
_TO_MEET_IT_PAID = Sentence(N_("To meet it (paid)"))
_TO_MEET_IT_SUBSCRIBED = Sentence(N_("To meet it (Pro, Pro+)"))
_FEW = N_(
    "{names:list}: limited, and first come, first served ({origin:origin}, {date}). If you chose one and got another,"
    " choose it again later."
)
_OTHERS = N_("Or allow others in the requirement: {others:list} would meet the rest of it.")
_CHOOSE_ONE = TextStep(Sentence(N_("choose one (paid)")))
_ANOTHER_MACHINE = Guide(
    Sentence(N_("To get another machine")),
    steps=(menu.DISCONNECT, TextStep(Sentence(N_("Reconnect")))),
    consequences=menu.NEW_MACHINE,
)
_OR_A_LARGER_MACHINE = TextStep(
    Sentence(
        N_("or take a machine with more memory, which has neither your variables nor your files: {menu:way}"),
        (("menu", menu.CHANGE_RUNTIME_TYPE.path),),
    )
)
_LARGER_ONE = Guide(
    _TO_CHANGE,
    steps=(menu.CHANGE_RUNTIME_TYPE, _CHOOSE_ONE, menu.SAVE),
    consequences=menu.NEW_MACHINE,
    links=("signup",),
)
_TO_GIVE_BACK = Guide(
    Sentence(N_("To give it back")), steps=(menu.DISCONNECT,), consequences=menu.NEW_MACHINE[:1], links=("faq",)
)
_FOR_FINDINGS = {
    "costly_gpu_unused": _TO_GIVE_BACK,
    "gpu_unused": _TO_GIVE_BACK,
    "feedback": Guide(menu.TO_TELL_GOOGLE, steps=(TextStep(menu.SEND_FEEDBACK), TextStep(menu.WRITE_OF_BILLS))),
    "gpu_idle": Guide(
        Sentence(N_("When you are done with it")), steps=(menu.DISCONNECT,), consequences=menu.NEW_MACHINE[:1]
    ),
    "larger_accelerators": _LARGER_ONE,
    "longer_runs": Guide(
        generic.TO_RUN_LONGER,
        steps=(TextStep(menu.KEEP_RUNNING), TextStep(menu.PRO_RUNS_LONGER), TextStep(menu.PRO_PLUS_RUNS_ON)),
        links=("signup",),
        goal=Goal.LONGER,
    ),
    "more_resources": Guide(
        Sentence(N_("To read")),
        steps=(TextStep(Sentence(N_("the overview of Colab and its guides to GPUs and TPUs"))),),
        tables=(LinksTable(),),
        links=("overview",),
    ),
    "newer_number_formats": _LARGER_ONE,
    "not_high_ram": Guide(
        Sentence(N_("For more RAM (Pro, Pro+)")),
        steps=(menu.CHANGE_RUNTIME_TYPE, menu.HIGH_RAM, menu.SAVE),
        consequences=menu.NEW_MACHINE,
        links=("signup",),
        goal=Goal.MEMORY,
    ),
    "runtime_old": Guide(
        Sentence(N_("To lose nothing")),
        steps=(TextStep(menu.SAVE_TO_DRIVE),),
        consequences=(menu.MACHINE_GOES,),
        links=("faq",),
    ),
    "usage_limits": Guide(
        generic.AT_A_LIMIT,
        steps=(
            menu.MANAGE_SESSIONS,
            TextStep(menu.END_SESSIONS),
            TextStep(menu.CLOSE_THE_TAB),
            TextStep(menu.BUY_UNITS),
            TextStep(menu.PRO_PLUS_HAS_MORE),
        ),
        tables=(NoticesTable(accelerators.COLAB),),
        links=("signup",),
        goal=Goal.LIMIT,
    ),
}


def for_finding(finding: Finding, snapshot: Snapshot) -> Guide | None:
    """Return what to do about a finding, in the words of Colab's menus where these help."""
    if finding.rule in generic.ANOTHER_MACHINE_MENDS | generic.FOR_WHO_RUNS_IT:
        return _ANOTHER_MACHINE
    cause = dict(finding.values).get("cause")
    if isinstance(cause, Unavailable):
        return for_unavailable(cause, snapshot)
    if finding.rule in _MADE_OF_FACTS and not _is_of_another_disk(finding):
        return _MADE_OF_FACTS[finding.rule]()
    if finding.rule in generic.OUT_OF_MEMORY:
        guide = generic.for_finding(finding, snapshot)
        return None if guide is None else replace(guide, steps=(*guide.steps, _OR_A_LARGER_MACHINE))
    if finding.rule == generic.NO_CODE:
        return _past_a_build_without_code(finding, snapshot)
    return _FOR_FINDINGS.get(finding.rule) or generic.for_finding(finding, snapshot)


def for_unavailable(unavailable: Unavailable, snapshot: Snapshot) -> Guide | None:
    """Return what to do about a section that is not known: here another machine is a click away."""
    if unavailable.code in generic.ANOTHER_MACHINE_HELPS | generic.FOR_WHO_RUNS_IT:
        return _ANOTHER_MACHINE
    return generic.for_unavailable(unavailable, snapshot)


def offered_machines(snapshot: Snapshot) -> tuple[OfferedMachine, ...]:
    """Return the machines of the dialog's choices: each accelerator in each of its shapes, but for this one."""
    return tuple(_offered(snapshot))


def offered_images(_snapshot: Snapshot) -> tuple[OfferedImage, ...]:
    """Return the runtime versions of the dialog; which of them is in use, a kernel cannot see."""
    return tuple(
        OfferedImage(name=row.name, python=row.python)
        for row in facts.runtime_versions()
        if row.service == accelerators.COLAB
    )


def to_get(offers: tuple[Offer, ...], others: tuple[Offer, ...]) -> Guide | None:
    """Return the way to one of these choices."""
    if not offers:
        return None
    all_high_ram = all(offer.high_ram for offer in offers)
    names = tuple(offer.name if all_high_ram else _in_its_shape(offer) for offer in offers)
    accelerator = () if offers[0].is_current else (ClickStep(names),)
    high_ram = (menu.HIGH_RAM,) if all_high_ram else ()
    images = (menu.RUNTIME_VERSION, ClickStep(offers[0].images)) if offers[0].images else ()
    purpose = generic.TO_MEET_IT
    if all(offer.paid for offer in offers):
        purpose = _TO_MEET_IT_SUBSCRIBED if all_high_ram else _TO_MEET_IT_PAID
    return Guide(
        purpose,
        steps=(menu.CHANGE_RUNTIME_TYPE, *accelerator, *high_ram, *images, menu.SAVE),
        consequences=(*menu.NEW_MACHINE, *_if_another_comes(offers, others)),
    )


def tables() -> tuple[FactsTable, ...]:
    """Return what Google has published of its lifetimes and images, and the ways to the accelerators elsewhere."""
    return LimitsTable(accelerators.COLAB), RuntimeVersionsTable(accelerators.COLAB), OtherMenusTable(None)


def not_visible() -> Sentence:
    """Return what people look for in vain, and where Colab shows it."""
    return Sentence(N_("plan, compute units, browser or VS Code; see {menu:way}"), (("menu", menu.VIEW_RESOURCES),))


def _to_use_a_gpu() -> Guide:
    first = next(one for one in accelerators.offered() if one.kind == "gpu")
    return Guide(
        generic.TO_USE_A_GPU,
        steps=(menu.CHANGE_RUNTIME_TYPE, ClickStep((first.menu_name,), first.id), menu.SAVE),
        consequences=menu.NEW_MACHINE,
        links=("gpu_guide",),
        goal=Goal.GPU,
    )


def _in_its_shape(offer: Offer) -> str:
    """Return the words to click for an offer, with the switch where others beside it do without."""
    english = facts.menu("en")
    return f"{offer.name} + {english.high_ram}" if offer.high_ram and english is not None else offer.name


def _if_another_comes(offers: tuple[Offer, ...], others: tuple[Offer, ...]) -> tuple[Sentence, ...]:
    """Return what to do where there are too few of all that would do: what is given instead is for Colab to choose."""
    rows = tuple(dict.fromkeys(accelerators.by_menu_name(offer.name) for offer in offers))
    days = sorted((row.limited_on, row.limited_origin or row.origin) for row in rows if row and row.limited_on)
    if len(days) < len(rows):
        return ()
    day, origin = days[-1]
    names = tuple(row.menu_name for row in rows if row)
    few = Sentence(_FEW, (("names", names), ("origin", origin), ("date", day.isoformat())))
    named = tuple(dict.fromkeys(_in_its_shape(offer) for offer in others))
    return (few, Sentence(_OTHERS, (("others", named),))) if named else (few,)


def _is_of_another_disk(finding: Finding) -> bool:
    """Tell whether a finding is about what is mounted beside Colab's own disk."""
    return finding.rule == "disk_nearly_full" and dict(finding.values).get("place", "/") != "/"


def _to_need_less_memory() -> Guide:
    """Return what helps against the crash that Colab's page tells of in these words."""
    words = (("words", facts.notice("out_of_ram").words),)
    return replace(generic.TO_NEED_LESS_MEMORY, purpose=Sentence(N_("Where Colab said {words:quoted}"), words))


def _to_make_room_on_the_disk() -> Guide:
    """Return what fills Colab's disk, and what frees it.

    Drive's files pass through this disk, and stay on it (googlecolab/colabtools issues 659, 960, 1915, 2147: the staff,
    2019 to 2021); deleting them before they are uploaded would lose them.
    """
    of_the_image = N_("About {least} to {most} GiB are Colab's own, from the start ({origin:origin}, {date}).")
    from_the_start = tuple(
        Sentence(
            of_the_image,
            (
                ("least", round(image.least_gib)),
                ("most", round(image.most_gib)),
                ("origin", image.origin),
                ("date", image.date.isoformat()),
            ),
        )
        for image in facts.images()
        if image.service == accelerators.COLAB
    )
    through_drive = N_("Drive's cache: drive.flush_and_unmount(), only then !rm -rf ~/.config/Google/DriveFS")
    return Guide(
        generic.TO_MAKE_ROOM,
        steps=(
            TextStep(Sentence(N_("!du -h -d 1 /content shows what to delete or move to Drive"))),
            TextStep(Sentence(through_drive)),
            TextStep(Sentence(N_("or take another accelerator: some come with a larger disk"))),
        ),
        consequences=from_the_start,
    )


def _past_a_build_without_code(finding: Finding, snapshot: Snapshot) -> Guide | None:
    """Return the way to a build with code for the GPU, else to the first choice that this build has code for."""
    build = generic.to_fitting_build(finding, snapshot)
    if build is not None:
        return replace(build, otherwise=Goal.GPU)
    served = generic.served_machines(finding, snapshot, offered_machines(snapshot))
    if not served:
        return generic.for_finding(finding, snapshot)
    accelerator = accelerators.by_menu_name(served[0].offer.name)
    click = ClickStep((served[0].offer.name,), None if accelerator is None else accelerator.id)
    return Guide(
        generic.TO_USE_ANOTHER_GPU,
        steps=(menu.CHANGE_RUNTIME_TYPE, click, menu.SAVE),
        consequences=menu.NEW_MACHINE,
        goal=Goal.GPU,
    )


def _offered(snapshot: Snapshot) -> Iterator[OfferedMachine]:
    present, has_high_ram = accelerators.in_use(snapshot), accelerators.in_high_ram_shape(snapshot)
    for row in accelerators.offered():
        is_current = row == present
        if not is_current:
            yield _machine(row, high_ram=False, is_current=False)
        if not row.one_shape and row.high_ram_gib is not None and not (is_current and has_high_ram):
            yield _machine(row, high_ram=True, is_current=is_current)


def _machine(row: Accelerator, *, high_ram: bool, is_current: bool) -> OfferedMachine:
    """Return the machine one gets; where more RAM brings another card, with the names of that one only."""
    return OfferedMachine(
        offer=Offer(name=row.menu_name, high_ram=high_ram, paid=high_ram or row.tier == "paid", is_current=is_current),
        kind=row.kind,
        accelerator_names=(*accelerators.device_names(row, high_ram=high_ram), row.menu_name),
        memory_gib=accelerators.memory_gib(row, high_ram=high_ram),
        ram_gib=accelerators.ram_gib(row, high_ram=high_ram),
        compute_capability=row.compute_capability,
        cores=accelerators.cores(row, high_ram=high_ram),
        free_disk_gib=accelerators.free_disk_gib(row),
    )


_MADE_OF_FACTS = {
    "disk_nearly_full": _to_make_room_on_the_disk,
    "killed_for_memory": _to_need_less_memory,
    "no_gpu": _to_use_a_gpu,
}
"""Guides to findings that are made when they are asked for, since the tables are read then."""
