"""What the tables are made of. Every row names its `source`, the `date` it was read and how sure it is.

`confidence` is "high" (the service's own source code or documents, or two independent sources) or "medium" (one
credible source); what is less sure is in no table. A figure or word that is None has no such source.
`origin` says whose word a row's figures are, in the tables that are shown to readers: "official" (the service's or the
maker's own code, documents or builds), "staff" (what its staff has said in public) or "users" (what users have seen and
published: it may differ by account, region and day, and is shown as such).
A column named `label`, `applies`, `purpose`, `meaning` or `advice` is a sentence of ours, and translated where it is
shown; all other words are names or quotations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics.values import Record

if TYPE_CHECKING:
    import datetime as dt


class Accelerator(Record):
    """A choice of Colab's dialog "Change runtime type".

    `id` is Google's own ("T4", "V5E1", "NONE"), `kind` "gpu", "tpu" or "none", `menu_name` the dialog's words.
    `device_names` is what the driver or TPU_ACCELERATOR_TYPE call it. `tier` is "free" where users who do not pay may
    get it, subject to quota, else "paid". `one_shape`: there is no choice of RAM; `standard_ram_gib` is all there is.
    Where the high-RAM choice also changes the card, `high_ram_memory_gib` is the other card's memory.
    `standard_ram_gib` alone, without `high_ram_gib`, is what comes with it where no other size is known.
    `label_gb` is what the card is sold as having, where its device names do not say it.
    `units_per_hour` are compute units as seen on `units_date`; they change. `supports_bf16` is None without a device.
    `cores` are virtual ones. `disk_gib` is the whole disk, of which the image takes its share (`Image`);
    `most_disk_gib` is the largest that was seen, where users have seen different ones.
    `limited_on`: on that day the service's staff, or users (`limited_origin`), last said that there are too few of it,
    so that those who choose it are given another at times.
    """

    source: str
    date: dt.date
    confidence: str
    origin: str
    id: str
    kind: str
    menu_name: str
    device_names: tuple[str, ...]
    tier: str
    one_shape: bool = False
    memory_gib: float | None = None
    high_ram_memory_gib: float | None = None
    label_gb: int | None = None
    standard_ram_gib: float | None = None
    high_ram_gib: float | None = None
    cores: float | None = None
    high_ram_cores: float | None = None
    disk_gib: float | None = None
    most_disk_gib: float | None = None
    units_per_hour: float | None = None
    high_ram_units_per_hour: float | None = None
    units_date: dt.date | None = None
    limited_on: dt.date | None = None
    limited_origin: str | None = None
    compute_capability: str | None = None
    supports_bf16: bool | None = None


class Image(Record):
    """What a service's image takes of the disk of a fresh machine, at least and at most: the rest is free."""

    source: str
    date: dt.date
    confidence: str
    origin: str
    service: str
    least_gib: float
    most_gib: float


class Retired(Record):
    """An accelerator that a service once had: tutorials still name it. `replaced_by` is the id of another one."""

    source: str
    date: dt.date
    confidence: str
    service: str
    name: str
    kind: str
    replaced_by: str | None = None


class Signal(Record):
    """A sign of a service or a frontend; it holds if all its conditions do.

    `environment`: each variable has the value, or any value where that is "*". `absent`: none of these variables is
    set; one that is empty is not. `file`: there is such a file or folder below the root. `no_file`: there is none.
    `shell`: the dotted name of the IPython shell's class begins so ("": there is a shell, of whatever class).
    `service`: the service is this one, or any where that is "*".
    """

    environment: tuple[tuple[str, str], ...] = ()
    absent: tuple[str, ...] = ()
    file: str | None = None
    no_file: str | None = None
    shell: str | None = None
    service: str | None = None


class ServiceFacts(Record):
    """A service that a Python may run on, its name, and its signals; the first that is recognised counts.

    A service is recognised if one of its signals holds. `accelerator_is_chosen`: there, users choose the accelerator of
    each notebook, so that one without a GPU is a "CPU runtime". `machine_is_ones_own`: the service runs on the user's
    own machine. `label` is its name in words of ours, where `name` is not all the name of a product.
    """

    source: str
    date: dt.date
    confidence: str
    key: str
    name: str
    signals: tuple[Signal, ...]
    accelerator_is_chosen: bool = False
    machine_is_ones_own: bool = False
    label: str | None = None


class FrontendFacts(Record):
    """Where a person sees what a Python displays, by what signals it is recognised, and what it can do.

    The three abilities are those of `model.Frontend`.
    """

    source: str
    date: dt.date
    confidence: str
    key: str
    label: str
    signals: tuple[Signal, ...]
    shows_widgets: bool = False
    shows_thread_updates: bool = False
    tells_whether_somebody_is_there: bool = False


class Menu(Record):
    """The words of Colab's menus and of the dialog "Change runtime type" in one language, as quotations.

    `name` is what the language calls itself. `runtime_menu` has the name that the menu bar shows first, then others
    that Google's documents use for it.
    """

    source: str
    date: dt.date
    confidence: str
    language: str
    name: str
    runtime_menu: tuple[str, ...]
    change_runtime_type: str
    hardware_accelerator: str | None = None
    high_ram: str | None = None
    disconnect_and_delete: str | None = None
    restart_session: str | None = None
    manage_sessions: str | None = None
    view_resources: str | None = None
    view_runtime_logs: str | None = None
    runtime_version: str | None = None
    save: str | None = None


class OtherMenu(Record):
    """The way to a service's accelerators elsewhere than in Colab's dialog: the words to click in order, the choices.

    `path_is_commands`: what stands in `path` are commands, one for each purpose, and no menus. `some_get` are choices
    that only some people have, `phased_out` those of `choices` that the service is about to take away. The way to
    another image of a service is such a menu too.
    """

    source: str
    date: dt.date
    confidence: str
    origin: str
    place: str
    label: str
    service: str
    path: tuple[str, ...]
    choices: tuple[str, ...]
    purpose: str
    path_is_commands: bool = False
    some_get: tuple[str, ...] = ()
    phased_out: tuple[str, ...] = ()


class RuntimeVersion(Record):
    """An image that a service offers: the words to choose it by, and the versions of what is in it.

    `tensorflow` is that of its CPU and GPU runtimes; its TPU runtimes have none.
    """

    source: str
    date: dt.date
    confidence: str
    origin: str
    service: str
    name: str
    python: str
    torch: str | None = None
    tensorflow: str | None = None
    jax: str | None = None


class Statement(Record):
    """What a service or its staff has said, in a sentence of ours (`applies`), and the day on which it last was."""

    source: str
    date: dt.date
    confidence: str
    origin: str
    key: str
    applies: str
    said_on: dt.date


class PublishedLimit(Record):
    """A limit as it was published; `applies` says to whom, and when.

    `about`: a rough figure, or one that is not a promise of the service.
    """

    source: str
    date: dt.date
    confidence: str
    origin: str
    key: str
    service: str
    value: float
    unit: str
    applies: str
    about: bool = False


class Notice(Record):
    """What a service's page says to its user, and no kernel sees: its own words, what they mean, and what helps.

    `words` are quotations in English: where there are two, a title and the text below it. `goal` is the one of
    `guides.Goal` whose guide tells more. `origin` is that of the words: "official" is the page itself.
    """

    source: str
    date: dt.date
    confidence: str
    key: str
    service: str
    words: tuple[str, ...]
    meaning: str
    advice: str
    origin: str
    goal: str | None = None


class Link(Record):
    """An address, and what is read there. `to_learn_more`: it is one of those that teach more about Colab."""

    source: str
    date: dt.date
    confidence: str
    key: str
    url: str
    label: str
    to_learn_more: bool = False


class TpuChip(Record):
    """A kind of Google's TPU. `device` and `subsystem` are PCI numbers as sysfs writes them ("0x0063").

    A chip is `devices_per_chip` devices with `memory_gib` each; a process opens `device_path` and a number.
    """

    source: str
    date: dt.date
    confidence: str
    name: str
    device: str
    memory_gib: float
    devices_per_chip: int
    device_path: str
    subsystem: str | None = None


class CudaBuild(Record):
    """What the published builds of a framework carry code for.

    One of `versions` may be that of a series: "2.9" stands for 2.9.0, 2.9.1 and so on. `cuda` is the CUDA they were
    built for, `platform` what they run on, as the tags of wheels name it. `carries` is in the words of NVIDIA's
    compiler: "sm_90" is code for compute capability 9.0, "compute_90" what a driver translates for that and later ones.
    `fails_on` are the compute capabilities for which it could translate and is reported to fail.
    """

    source: str
    date: dt.date
    confidence: str
    framework: str
    versions: tuple[str, ...]
    cuda: str
    platform: str
    carries: tuple[str, ...]
    fails_on: tuple[str, ...] = ()
