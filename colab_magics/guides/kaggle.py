"""Kaggle: the accelerator is a setting of the notebook, and hours with one are counted by the week."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from colab_magics import facts
from colab_magics.facts import accelerators
from colab_magics.guides import generic
from colab_magics.guides.generic import for_unavailable, not_visible
from colab_magics.guides.interface import (
    ClickStep,
    Goal,
    Guide,
    LimitsTable,
    Note,
    OfferedImage,
    OfferedMachine,
    Sentence,
    TextStep,
)
from colab_magics.model import Offer, Unavailable, seen
from colab_magics.translation import N_
from colab_magics.values import replace

if TYPE_CHECKING:
    from colab_magics.facts import Accelerator
    from colab_magics.guides.interface import FactsTable, Remark
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

_PLACE = "kaggle"
_CONFIRM = TextStep(Sentence(N_("confirm in the dialog")))
_RUN_AGAIN = Sentence(N_("Then run again from your first cell."))
_VERIFIED = Sentence(N_("Kaggle asks for a phone number that it has verified."))
_OF_COMPETITIONS = generic.note("kaggle_of_competitions")
_PHASED_OUT = generic.note("kaggle_p100")


def for_finding(finding: Finding, snapshot: Snapshot) -> Guide | None:
    """Return Kaggle's way to a GPU; all else is as everywhere."""
    if finding.rule == generic.NO_CODE:
        return _to_served_gpu(finding, snapshot) or generic.for_finding(finding, snapshot)
    if finding.rule != "no_gpu":
        return generic.for_finding(finding, snapshot)
    first = next(choice for choice in _choices() if choice.startswith("GPU"))
    return replace(_to_choose((first,)), purpose=generic.TO_USE_A_GPU, goal=Goal.GPU)


def for_goal(  # noqa: PLR0911 - one for each goal
    goal: Goal, snapshot: Snapshot, blocking: Finding | None
) -> Guide | None:
    """Return Kaggle's way to an accelerator, or to none of them; all else is as everywhere."""
    match goal:
        case Goal.GPU if blocking is None:
            return _to_gpu(snapshot)
        case Goal.GPU if blocking is not None and blocking.rule == generic.NO_CODE:
            guide = for_finding(blocking, snapshot)
            return None if guide is None else replace(guide, remarks=(blocking, _VERIFIED), tables=tables())
        case Goal.TPU:
            return _to_kind(generic.TO_USE_A_TPU, "TPU", (_VERIFIED,))
        case Goal.CHEAPER:
            unseen = Sentence(N_("What this machine costs cannot be seen from a kernel."))
            return _to_kind(Sentence(N_("To take nothing from the weekly hours")), "None", (unseen,))
        case Goal.IMAGE:
            return _to_image(snapshot)
        case Goal.LIMIT:
            return _to_kind(generic.AT_A_LIMIT, "None", generic.limit_remarks(snapshot))
        case _:
            return None


def offered_machines(_snapshot: Snapshot) -> tuple[OfferedMachine, ...]:
    """Return the machines of Kaggle's choices: "GPU T4 x2" is two of what Colab calls "T4 GPU".

    Those that all get come first; one that is phased out comes last.
    """
    phased_out = _menu().phased_out
    return tuple(map(_machine, (*_choices(), *_menu().some_get, *phased_out)))


def offered_images(_snapshot: Snapshot) -> tuple[OfferedImage, ...]:
    """Return nothing: which Python an image of Kaggle's has, it does not tell beside the choice."""
    return ()


def to_get(offers: tuple[Offer, ...], _others: tuple[Offer, ...]) -> Guide | None:
    """Return the way to one of these choices: of those that all get and that stay, if there are such."""
    if not offers:
        return None
    names = tuple(offer.name for offer in offers)
    common = tuple(name for name in names if name in _choices())
    guide = _to_choose(common or names)
    if common:
        return guide
    notes = (
        *((_OF_COMPETITIONS,) if {*names} & {*_menu().some_get} else ()),
        *((_PHASED_OUT,) if {*names} & {*_menu().phased_out} else ()),
    )
    return replace(guide, consequences=(*notes, *guide.consequences))


def tables() -> tuple[FactsTable, ...]:
    """Return what is known of its quotas."""
    return (LimitsTable("kaggle"),)


def _to_gpu(snapshot: Snapshot) -> Guide:
    gpus = seen(snapshot.gpus)
    if gpus:
        here = generic.gpu_here(N_("There is a GPU here: {name:device}."), gpus[0])
        return _to_kind(generic.TO_USE_ANOTHER_GPU, "GPU", (here, _VERIFIED, *_of_gpus()))
    unknown = (snapshot.gpus,) if isinstance(snapshot.gpus, Unavailable) else ()
    return _to_kind(generic.TO_USE_A_GPU, "GPU", (*unknown, _VERIFIED, *_of_gpus()))


def _of_gpus() -> tuple[Sentence, ...]:
    """Return what is to be known of GPUs that are not for all, or not for long."""
    some_get = Sentence(N_("In certain competitions there are also {names:list}."), (("names", _menu().some_get),))
    return some_get, _PHASED_OUT


def _to_image(snapshot: Snapshot) -> Guide:
    """Return the way to the image of another day: nothing else of it can be chosen."""
    menu = next(menu for menu in facts.image_menus() if menu.place == _PLACE)
    return Guide(
        generic.TO_USE_ANOTHER_IMAGE,
        remarks=generic.python_here(snapshot),
        steps=(
            ClickStep((" > ".join(menu.path),)),
            ClickStep(menu.choices, note=Note(gives=(Sentence(menu.purpose),))),
        ),
        consequences=(
            Sentence(N_("Another Python as such cannot be chosen here.")),
            _RUN_AGAIN,
        ),
    )


def _to_served_gpu(finding: Finding, snapshot: Snapshot) -> Guide | None:
    """Return the way to GPUs that the framework has code for: the quicker way, since another build is lost each time.

    Kaggle does not bring back a PyTorch with code for its P100 (Kaggle/docker-python#1546, Kaggle/kaggle-cli#1151,
    2026-07-30) and tells people to take another GPU.
    """
    for_all = tuple(one for one in offered_machines(snapshot) if one.offer.name in _choices())
    served = generic.served_machines(finding, snapshot, for_all)
    if not served:
        return None
    return replace(_to_choose(tuple(one.offer.name for one in served)), purpose=generic.TO_USE_ANOTHER_GPU)


def _to_kind(purpose: Sentence, kind: str, remarks: tuple[Remark, ...]) -> Guide:
    """Return the way to an accelerator of a kind ("GPU", "TPU", or "None" for none)."""
    choices = tuple(choice for choice in _choices() if choice.startswith(kind))
    return replace(_to_choose(choices), purpose=purpose, remarks=remarks, tables=tables())


def _to_choose(choices: tuple[str, ...]) -> Guide:
    steps = (ClickStep((" > ".join(_menu().path),)), ClickStep(choices), _CONFIRM)
    return Guide(generic.TO_MEET_IT, steps=steps, consequences=(_RUN_AGAIN,))


def _machine(choice: str) -> OfferedMachine:
    kind, _, device = choice.partition(" ")
    name, count = re.match(r"(.*?)(?: x([0-9]+))?$", device).groups()  # type: ignore[union-attr]  # it always matches
    row = next((row for row in accelerators.offered() if name and _is_called(name, row)), None)
    names = ((name,) if name else ()) if row is None else (*row.device_names, row.menu_name)
    return OfferedMachine(
        offer=Offer(name=choice),
        kind=kind.lower(),
        accelerator_names=names,
        accelerator_count=int(count or 1),
        memory_gib=None if row is None else row.memory_gib,
        compute_capability=None if row is None else row.compute_capability,
    )


def _is_called(name: str, row: Accelerator) -> bool:
    """Tell whether a word of Kaggle's is Colab's id or a part of the device's name: "RTX Pro 6000" is Colab's G4."""
    return name == row.id or any(name.casefold() in device.casefold().partition(" ")[2] for device in row.device_names)


def _choices() -> tuple[str, ...]:
    """Return the choices that all get and that stay."""
    return tuple(choice for choice in _menu().choices if choice not in _menu().phased_out)


def _menu() -> facts.OtherMenu:
    return next(menu for menu in facts.other_menus() if menu.place == _PLACE)
