"""What a guide is, and what a service has to tell: data only, no HTML, no layout, no language.

A guide answers "what do I do about it", whether a finding, a section that is not known, a goal or a requirement that is
not met asks. Views put it into words.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Protocol

from colab_magics.translation import N_
from colab_magics.values import Record

if TYPE_CHECKING:
    from typing import TypeAlias

    from colab_magics.facts import Accelerator
    from colab_magics.model import Finding, Offer, Snapshot, Unavailable, Values

    Remark: TypeAlias = "Sentence | Finding | Unavailable"
    """What a view can put into words."""
    Step: TypeAlias = "MenuStep | ClickStep | CommandStep | TextStep | ChoiceStep"
    FactsTable: TypeAlias = "LimitsTable | OtherMenusTable | RuntimeVersionsTable | NoticesTable | LinksTable"
    """What is known of a service, whatever the machine."""
    Table: TypeAlias = "ChoicesTable | FactsTable"


class Goal(enum.StrEnum):
    """What people want of a machine ("I want a GPU"), in the order in which it is offered."""

    GPU = "gpu"
    TPU = "tpu"
    MEMORY = "memory"
    IMAGE = "image"
    LONGER = "longer"
    CHEAPER = "cheaper"
    LIMIT = "limit"


GOAL_LABELS = {
    Goal.GPU: N_("a GPU"),
    Goal.TPU: N_("a TPU"),
    Goal.MEMORY: N_("more memory"),
    Goal.IMAGE: N_("another Python or image"),
    Goal.LONGER: N_("longer runs"),
    Goal.CHEAPER: N_("to stop paying"),
    Goal.LIMIT: N_("I hit a limit"),
}
"""The words that follow "I want"."""


class Sentence(Record):
    """A sentence of ours that is not yet in words: its English, marked for translation, and what its places need."""

    message: str
    values: Values = ()


def sentences(*messages: str) -> tuple[Sentence, ...]:
    """Return sentences that need no values."""
    return tuple(map(Sentence, messages))


class Note(Record):
    """A remark beside a step."""

    gives: tuple[Sentence, ...] = ()
    """What the step does or gives."""
    who: Sentence | None = None
    """Who gets it."""
    others: tuple[str, ...] = ()
    """What else could be clicked in its place."""


class MenuStep(Record):
    """A way through Colab's menus, or a word of its dialog: quoted in the reader's language."""

    path: tuple[str, ...]
    """Fields of `facts.Menu`, in the order of the clicks."""
    note: Note | None = None
    """A remark beside it."""


class ClickStep(Record):
    """Something to click that is known in English alone: a choice of a dialog, or another service's menu."""

    choices: tuple[str, ...]
    """The words; of several each is as good as the others."""
    accelerator: str | None = None
    """The id of the accelerator whose choice of Colab's dialog this is."""
    note: Note | None = None
    """A remark beside it."""


class CommandStep(Record):
    """Something to type."""

    command: str


class TextStep(Record):
    """Something to do, in a sentence of ours."""

    sentence: Sentence


class ChoiceStep(Record):
    """One of several ways, by what is lacking."""

    introduction: Sentence
    ways: tuple[MenuStep | ClickStep, ...]


class Point(Record):
    """An item of a list that has no order; `term` is what it is about."""

    sentence: Sentence
    term: Sentence | None = None


class Dialog(Record):
    """How Colab's dialog stands once the steps are done: what a drawing of it shows."""

    chosen: Accelerator | None
    """The choice that is made; None where the steps leave it open."""
    present: Accelerator | None
    """The accelerator in use; None where there is none in the table, or it is not known."""
    high_ram: bool | None
    """How the High-RAM switch stands; None where `chosen` comes with one size of RAM."""


class MenuAlone(Record):
    """Colab's menu, without the dialog: what a drawing shows where the steps need no more."""


class ChoicesTable(Record):
    """What each choice of Colab's dialog gives."""

    accelerators: tuple[Accelerator, ...]
    present: Accelerator | None


class LimitsTable(Record):
    """What a service has published of lifetimes and quotas: rows of facts/limits.toml."""

    service: str


class OtherMenusTable(Record):
    """The ways to the accelerators elsewhere than in Colab's dialog: rows of facts/menus.toml."""

    services: tuple[str, ...] | None
    """Whose; None: all there are."""


class RuntimeVersionsTable(Record):
    """The images that a service offers: rows of facts/runtime_versions.toml."""

    service: str


class NoticesTable(Record):
    """What a service's page says to its user, and what that means: rows of facts/notices.toml."""

    service: str
    goal: Goal | None = None
    """Whose guide tells more of it; None: of all goals, and of none."""


class LinksTable(Record):
    """What teaches more about Colab: rows of facts/links.toml."""


class Guide(Record):
    """What to do. In the order of its fields it reads from top to bottom."""

    purpose: Sentence
    """What it is for: "To use a GPU"."""
    remarks: tuple[Remark, ...] = ()
    """What one should know first."""
    points_title: Sentence | None = None
    """What the points are for, where that is not the guide's purpose."""
    points: tuple[Point, ...] = ()
    """What to know or do, in no order."""
    steps: tuple[Step, ...] = ()
    """What to do, in this order."""
    drawing: Dialog | MenuAlone | None = None
    """What can be drawn of the service's page, to mark there what the steps click."""
    consequences: tuple[Sentence, ...] = ()
    """What is lost or stays."""
    also: tuple[Guide, ...] = ()
    """Further guides for the same goal."""
    tables: tuple[Table, ...] = ()
    """Which facts to show below."""
    links: tuple[str, ...] = ()
    """Where to read more, as keys of `facts.links`, the most useful first."""
    goal: Goal | None = None
    """The goal whose guide leads there in more detail."""
    otherwise: Goal | None = None
    """The goal to turn to where this does not help."""


class OfferedMachine(Record):
    """A machine that a service offers, as far as that is published; what is None is not."""

    offer: Offer
    """What to click for it."""
    kind: str
    """Of its accelerator: "gpu", "tpu" or "none"."""
    accelerator_names: tuple[str, ...] = ()
    """What the driver, the environment and the service call one of its accelerators."""
    accelerator_count: int = 1
    """How many accelerators it has."""
    memory_gib: float | None = None
    """Of one accelerator."""
    ram_gib: float | None = None
    """Of the machine."""
    compute_capability: str | None = None
    """Of its GPUs."""
    cores: float | None = None
    """Of the machine, virtual ones."""
    free_disk_gib: tuple[float, float] | None = None
    """Of the machine when it is fresh, at least and at most."""


class OfferedImage(Record):
    """An image that a service offers for its machines."""

    name: str
    """What to click for it."""
    python: str
    """The version of its Python."""


class ServiceGuides(Protocol):
    """What a service's module tells; None and () mean that what holds everywhere (`generic`) holds here too."""

    def for_finding(self, finding: Finding, snapshot: Snapshot, /) -> Guide | None:
        """Return what to do about a finding."""

    def for_unavailable(self, unavailable: Unavailable, snapshot: Snapshot, /) -> Guide | None:
        """Return what to do about a section that is not known."""

    def for_goal(self, goal: Goal, snapshot: Snapshot, blocking: Finding | None, /) -> Guide | None:
        """Return the way to a goal; `blocking` is what stands between programs and the GPU that is there."""

    def offered_machines(self, snapshot: Snapshot, /) -> tuple[OfferedMachine, ...]:
        """Return the machines one can choose instead of this one."""

    def offered_images(self, snapshot: Snapshot, /) -> tuple[OfferedImage, ...]:
        """Return the images one can choose for a machine, the newest first."""

    def to_get(self, offers: tuple[Offer, ...], others: tuple[Offer, ...], /) -> Guide | None:
        """Return the way to one of these offers, of which each is as good as the others.

        `others` would do but for their name, where there are too few of those.
        """

    def tables(self) -> tuple[FactsTable, ...]:
        """Return what is known of the service beside what a machine tells."""

    def not_visible(self) -> Sentence | None:
        """Return what people look for and a kernel cannot see, and where it is shown."""
