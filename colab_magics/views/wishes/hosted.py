"""The ways of hosted Colab: what to click there for each wish, what it costs, and what it gives.

Nothing is clicked for anybody, and nothing is told of a plan or of the time left: a kernel sees neither.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from colab_magics import facts
from colab_magics.facts.accelerators import accelerator_in_use
from colab_magics.model import Ram, Unavailable
from colab_magics.units import GIB
from colab_magics.views import guides, summary, messages
from colab_magics.views.html import escaped
from colab_magics.translation import marked
from colab_magics.views.wishes import choices, elsewhere, published, schematic
from colab_magics.views.guide_html import (
    Page,
    folded,
    listed,
    noted,
    paragraph,
    quotation,
    quoted_english,
    steps,
    ways,
)

if TYPE_CHECKING:
    from colab_magics.facts import Accelerator
    from colab_magics.model import Report, Snapshot
    from colab_magics.translation import Say

_CHANGE_RUNTIME_TYPE = ("runtime_menu", "change_runtime_type")
_MANAGE_SESSIONS = ("runtime_menu", "manage_sessions")
_DISCONNECT = ("runtime_menu", "disconnect_and_delete")
_HIGH_RAM = ("high_ram",)
_SAVE = ("save",)

_PLACES = {"colab_older": marked("Colab, the older dialog"), "colab_vscode": "VS Code", "colab_cli": "Colab CLI"}
PURPOSES = {
    "colab_older": marked(
        "the older dialog, which many texts describe; more RAM is under Runtime shape > High-RAM there"
    ),
    "colab_vscode": marked("another accelerator or shape: a server cannot be changed, a new one is made"),
    "colab_cli": marked("commands: a server with a GPU, one with a TPU, to give it back"),
}
"""What the table of menus says of the ways outside Colab's web page, marked for translation."""


class _Click(NamedTuple):
    """One way to more memory: what to click, as its mark's key (see `schematic`) and as HTML, and what it gives."""

    key: str
    words: str
    gives: str
    who: str | None = None


def gpu(report: Report, say: Say) -> Page:
    """Return the way to a GPU, or to another one."""
    snapshot, remarks = report.snapshot, []
    if isinstance(snapshot.gpus, Unavailable):
        remarks.append(messages.reason(snapshot.gpus, say))
    elif snapshot.gpus:
        remarks.append(say("This runtime has a GPU: {name}.", name=summary.gpu_name(snapshot.gpus[0], say)))
    obstacle = elsewhere.obstacle(report)
    if obstacle is not None:
        remarks.append(messages.finding(obstacle, say))
    purpose = say("To use another GPU") if snapshot.gpus else say("To use a GPU")
    return _accelerator(purpose, "gpu", accelerator_in_use(snapshot), tuple(dict.fromkeys(remarks)), say)


def tpu(report: Report, say: Say) -> Page:
    """Return the way to a TPU, or to another one."""
    names = [one.accelerator_type or one.kind or say("kind unknown") for one in report.snapshot.tpus or ()]
    remarks = (say("This runtime has a TPU: {name}.", name=names[0]),) if names else ()
    purpose = say("To use another TPU") if names else say("To use a TPU")
    return _accelerator(purpose, "tpu", accelerator_in_use(report.snapshot), remarks, say)


def memory(report: Report, say: Say) -> Page:
    """Return the ways to more RAM and to more memory of the GPU or TPU: people take one for the other."""
    snapshot = report.snapshot
    present = accelerator_in_use(snapshot)
    high_ram = choices.is_high_ram(present, snapshot)
    clicks = _clicks(present, snapshot, say)
    marks = _marks([click.key for click in clicks])
    chosen = next((one for one in facts.accelerators() if len(clicks) == 1 and one.id == clicks[0].key), present)
    switch = None if chosen is not None and chosen.one_shape else "high_ram" in marks or (high_ram is True)
    remarks = []
    if present is not None and present.one_shape:
        remarks.append(_found("one_shape_only", say, accelerator=present.menu_name))
    elif high_ram:
        remarks.append(_found("high_ram", say))
    return Page(
        purpose=say("To get more memory"),
        remarks=tuple(remarks),
        opening=_which_memory(snapshot, say),
        steps=(quotation(_CHANGE_RUNTIME_TYPE, say), _one_of(clicks, say), quotation(_SAVE, say)) if clicks else (),
        picture=schematic.dialog(marks, say, chosen=chosen, present=present, high_ram=switch) if clicks else "",
        consequences=_new_machine(say) if clicks else (say("Nothing that Colab offers is known to have more."),),
        sections=(choices.table(facts.accelerators(), present, say), _not_on_the_web_page(say)),
        links=("signup", "faq"),
    )


def longer(report: Report, say: Say) -> Page:
    """Return what makes a runtime last, and what is published of that."""
    advice = (
        marked("run it in a cell: a job in a terminal may count as idle"),
        marked("save what you have so far to Drive, again and again, to go on from there"),
    )
    known = (
        marked("keep the tab open and a cell running"),
        marked("Colab Pro and Pro+ have longer runtimes, as available"),
        marked("Pro+ also runs on with the tab closed, up to 24 h while there are compute units"),
    )
    return Page(
        purpose=say("For longer runs"),
        remarks=(_found("longer_runs", say),),
        opening=listed(escaped(say(one)) for one in (known[0], *advice, *known[1:])),
        consequences=(
            say("Restarting the kernel loses its variables; files stay."),
            say("When the machine goes, variables and files in /content go with it."),
        ),
        sections=(published.limits(report.snapshot.platform.service, say),),
        links=("faq", "signup"),
    )


def cheaper(report: Report, say: Say) -> Page:
    """Return how to give a runtime back, and how to go on with one that users get without paying."""
    present = accelerator_in_use(report.snapshot)
    where = guides.step(("runtime_menu", "view_resources"), say)
    unseen = say("Whether you pay for this runtime cannot be seen from a kernel; see {menu}.", menu=where)
    free = " / ".join(one.menu_name for one in facts.accelerators() if one.tier == "free")
    without = steps(
        (
            quotation(_CHANGE_RUNTIME_TYPE, say),
            noted(quoted_english(free), say("without the High-RAM choice, which is paid")),
            quotation(_SAVE, say),
        )
    )
    still_units = say("While you have compute units, these take some too.")
    purpose = escaped(say("To go on without paying"))
    go_on = (
        f'<p class="cm-wish-purpose"><strong>{purpose}</strong></p>{without}'
        f"{paragraph(_new_machine(say, still_units), say, name='cm-wish-cost')}"
    )
    return Page(
        purpose=say("To stop paying"),
        remarks=(*_takes(present, report.snapshot, say), unseen),
        steps=(
            escaped(say("save what matters to Drive or download it")),
            noted(quotation(_MANAGE_SESSIONS, say), say("end the sessions that you do not need")),
            noted(quotation(_DISCONNECT, say), say("gives this machine back")),
        ),
        picture=schematic.menu({"manage_sessions": "2", "disconnect_and_delete": "3"}, say),
        consequences=(say("When the machine goes, variables and files in /content go with it."),),
        sections=(go_on, choices.table(facts.accelerators(), present, say)),
        links=("signup", "faq", "billing"),
    )


def limit(_report: Report, say: Say) -> Page:
    """Return what helps when Colab refuses, and where Google listens."""
    cpu = next(one.menu_name for one in facts.accelerators() if one.kind == "none")
    use_cpu = say("then {choice}, to go on meanwhile; this gives you a new machine", choice=cpu)
    to_google = say("To tell Google")
    tell = (say("Help > Send feedback"), say("for billing, write to colab-billing@google.com"))
    return Page(
        purpose=say("When you hit a limit"),
        remarks=(_found("usage_limits", say), say("Google does not publish them.")),
        steps=(
            noted(
                quotation(_MANAGE_SESSIONS, say),
                say("end what you do not need, and use a GPU only while you need it"),
            ),
            noted(quotation(_CHANGE_RUNTIME_TYPE, say), use_cpu),
            escaped(say("or buy compute units as you go: no subscription is needed")),
        ),
        consequences=(say("A new machine has neither the variables nor the files in /content of the old one."),),
        sections=(f"{paragraph((to_google,), say)}{listed(escaped(one) for one in tell)}",),
        links=("signup", "faq", "billing"),
    )


def _accelerator(purpose: str, kind: str, present: Accelerator | None, remarks: tuple[str, ...], say: Say) -> Page:
    """Return the way to an accelerator of a kind: the first that is not in use is the one to click."""
    offered = [one for one in facts.accelerators() if one.kind == kind]
    chosen = next(one for one in offered if one != present)
    note = _who(chosen, say)
    others = say.listed(one.menu_name for one in offered if one not in (chosen, present))
    if others:
        note = say("{who}; or another: {others}", who=note, others=others)
    marks = {"change_runtime_type": "1", chosen.id: "2", "save": "3"}
    switch = None if chosen.one_shape else False
    may_differ = say("What is not available is replaced by another at times: %runtime_status tells what you got.")
    return Page(
        purpose=purpose,
        remarks=remarks,
        steps=(
            quotation(_CHANGE_RUNTIME_TYPE, say),
            noted(quoted_english(chosen.menu_name), note),
            quotation(_SAVE, say),
        ),
        picture=schematic.dialog(marks, say, chosen=chosen, present=present, high_ram=switch),
        consequences=_new_machine(say, may_differ),
        sections=(choices.table(offered, present, say), _not_on_the_web_page(say)),
        links=(f"{kind}_guide", "signup", "faq"),
    )


def _found(rule: str, say: Say, **values: str) -> str:
    """Return what a report says where this rule has found something."""
    sentence = messages.FINDINGS[rule]
    return say(sentence, **values)


def _who(accelerator: Accelerator, say: Say) -> str:
    return say("free too, as available") if accelerator.tier == "free" else say("paid, as available")


def _new_machine(say: Say, *more: str) -> tuple[str, ...]:
    return (*map(say, guides.NEW_MACHINE), *more)


def _takes(present: Accelerator | None, snapshot: Snapshot, say: Say) -> tuple[str, ...]:
    """Return what the accelerator in use takes by the hour, as seen on a day."""
    if present is None:
        return ()
    high_ram = choices.is_high_ram(present, snapshot) is True and present.high_ram_units_per_hour is not None
    units = present.high_ram_units_per_hour if high_ram else present.units_per_hour
    if units is None:
        return (say("What {accelerator} takes per hour is not published.", accelerator=present.menu_name),)
    return (
        say(
            "{accelerator} takes about {units} compute units per hour (seen on {date}).",
            accelerator=present.menu_name,
            units=f"{units:.2f}",
            date=present.units_date,
        ),
    )


def _which_memory(snapshot: Snapshot, say: Say) -> str:
    """Return what tells a lack of RAM from a lack of the GPU's own memory; the gauges say how much is in use."""
    session_crashed = say("When it runs out, the kernel ends: “Your session crashed after using all available RAM”.")
    out_of_memory = say("When it runs out, the cell fails with “out of memory” and the kernel goes on.")
    rows = [(say("RAM"), session_crashed)]
    if snapshot.tpus:
        rows.append((say("TPU memory"), out_of_memory))
    elif snapshot.gpus != ():
        rows.append((say("GPU memory"), out_of_memory))
    return listed(f"<strong>{escaped(name)}</strong> {escaped(sign)}" for name, sign in rows)


def _clicks(present: Accelerator | None, snapshot: Snapshot, say: Say) -> list[_Click]:
    """Return what gives more RAM and what gives more of the accelerator's own memory, once if that is the same."""
    ram = _more_ram(present, snapshot, say)
    own = _more_of_its_own(present, say, high_ram=choices.is_high_ram(present, snapshot) is True)
    if ram is not None and own is not None and ram.key == own.key:
        return [own._replace(gives=say.listed((ram.gives, own.gives)))]
    return [click for click in (ram, own) if click is not None]


def _more_ram(present: Accelerator | None, snapshot: Snapshot, say: Say) -> _Click | None:
    """Return what gives more RAM: the High-RAM switch where there is that choice, else a larger one of its kind."""
    if present is None:
        gives = say("more RAM, where the accelerator has that choice")
        return _Click("high_ram", quotation(_HIGH_RAM, say), gives, say("paid"))
    if not present.one_shape and not choices.is_high_ram(present, snapshot):
        larger_card = present.high_ram_memory_gib
        with_card = None if larger_card is None else say("a card with {size} GiB", size=f"{larger_card:g}")
        gives = say.listed(filter(None, (say("more RAM"), with_card)))
        return _Click("high_ram", quotation(_HIGH_RAM, say), gives, say("paid"))
    total_gib = snapshot.ram.machine.total_bytes / GIB if isinstance(snapshot.ram, Ram) else present.standard_ram_gib
    for one in facts.accelerators():
        is_other = one.kind == present.kind and one != present
        if is_other and total_gib is not None and (one.standard_ram_gib or 0) > total_gib:
            return _larger(one, say("more RAM: {size} GiB", size=f"{one.standard_ram_gib:.1f}"), say)
    return None


def _more_of_its_own(present: Accelerator | None, say: Say, *, high_ram: bool) -> _Click | None:
    """Return what gives more of the GPU's or TPU's own memory; there is no more to be had of none."""
    if present is None:
        gives = say("more GPU memory: a larger one of the table below")
        return _Click("hardware_accelerator", quotation(("hardware_accelerator",), say), gives)
    ours = (present.high_ram_memory_gib if high_ram else None) or present.memory_gib
    for one in facts.accelerators():
        if ours is not None and one.kind == present.kind and (one.memory_gib or 0) > ours:
            size = f"{one.memory_gib:g}"
            if one.kind == "tpu":
                return _larger(one, say("more TPU memory: {size} GiB", size=size), say)
            return _larger(one, say("more GPU memory: {size} GiB", size=size), say)
    return None


def _larger(accelerator: Accelerator, gives: str, say: Say) -> _Click:
    return _Click(accelerator.id, quoted_english(accelerator.menu_name), gives, _who(accelerator, say))


def _marks(keys: list[str]) -> dict[str, str]:
    """Return the numbers of the steps by what they mark: two ways at the second step are 2a and 2b."""
    numbers = ("2",) if len(keys) == 1 else ("2a", "2b")
    return {"change_runtime_type": "1", **dict(zip(keys, numbers, strict=False)), "save": "3"}


def _one_of(clicks: list[_Click], say: Say) -> str:
    """Return the second step: the one way, or a choice of two."""
    done = [
        noted(one.words, one.gives if one.who is None else say("{gives} ({who})", gives=one.gives, who=one.who))
        for one in clicks
    ]
    return done[0] if len(done) == 1 else escaped(say("One of the two, by what is lacking:")) + ways(done)


def _not_on_the_web_page(say: Say) -> str:
    """Return the ways to the same accelerators where Colab is used without its web page."""
    items = []
    for other in facts.other_menus():
        if other.place in PURPOSES:
            between = ", " if other.place == "colab_cli" else " > "
            way = f"{quoted_english(between.join(other.path))} ({escaped(', '.join(other.choices))})"
            place = say("{purpose}:", purpose=say(_PLACES[other.place]))
            items.append(noted(f"{escaped(place)} {way}", say(PURPOSES[other.place])))
    return folded(say("Not on Colab's web page?"), listed(items))
