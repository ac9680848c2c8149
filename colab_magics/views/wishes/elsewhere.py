"""What to do for each wish where Colab's dialog is not: on Kaggle, in Google Cloud, on a machine of one's own.

Short, and only what is known: a kernel sees neither what a machine costs nor how long it lasts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics import facts, units
from colab_magics.model import Ram, Service, Unavailable
from colab_magics.views import guides, summary, messages
from colab_magics.views.html import escaped
from colab_magics.translation import marked
from colab_magics.views.wishes import published
from colab_magics.views.guide_html import Page, listed, paragraph, quoted_english

if TYPE_CHECKING:
    from colab_magics.model import Advice, Report
    from colab_magics.translation import Say

_OBSTACLES = frozenset(
    {
        "cuda_hidden",
        "driver_failed",
        "driver_not_answering",
        "framework_cpu_only",
        "framework_needs_newer_driver",
        "gpu_lost",
    }
)
_WHERE = {
    Service.COLAB_ENTERPRISE: marked("Which machine you get is settled in Google Cloud, where the runtime was made."),
    Service.COLAB_LOCAL: marked("Colab is connected to a machine of your own here: its dialog changes nothing on it."),
}
_ENTERPRISE_LINKS = ("enterprise_runtimes", "enterprise_idle")


def obstacle(report: Report) -> Advice | None:
    """Return what the report found to stand between programs and the GPU."""
    return next((one for one in report.advice if one.rule in _OBSTACLES), None)


_NO_SERVICE = frozenset({Service.JUPYTER, Service.TERMINAL, Service.PYTHON, Service.VSCODE, Service.PYCHARM})


def gpu(report: Report, say: Say) -> Page:
    """Return the way to a GPU: past what hides the one that is here, else to a machine that has one."""
    found, gpus = obstacle(report), report.snapshot.gpus
    purpose = say("To use a GPU")
    if found is not None:
        guide = guides.guide(found, report.snapshot.platform)
        if guide is None:
            return Page(purpose, (messages.finding(found, say),))
        done = tuple(escaped(guides.step(step, say)) for step in guide.steps)
        return Page(
            say(guide.purpose), (messages.finding(found, say),), steps=done, consequences=_all(guide.consequences, say)
        )
    remarks = (messages.reason(gpus, say),) if isinstance(gpus, Unavailable) else ()
    if gpus and not isinstance(gpus, Unavailable):
        purpose = say("To use another GPU")
        remarks = (say("There is a GPU here: {name}.", name=summary.gpu_name(gpus[0], say)),)
    if report.snapshot.platform.service is Service.KAGGLE:
        return _on_kaggle(purpose, "GPU", remarks, say)
    run_there = say("Run this on a machine that has such a GPU: nvidia-smi lists it there.")
    return _away(purpose, report, (*remarks, run_there), say)


def tpu(report: Report, say: Say) -> Page:
    """Return the way to a TPU: Google's alone have them."""
    purpose = say("To use a TPU")
    if report.snapshot.platform.service is Service.KAGGLE:
        return _on_kaggle(purpose, "TPU", (), say)
    names = say.listed(one.menu_name for one in facts.accelerators() if one.kind == "tpu")
    run_there = say("Run this on a machine that has one; Colab has them ({names}), and Kaggle.", names=names)
    return _away(purpose, report, (run_there,), say)


def memory(report: Report, say: Say) -> Page:
    """Return what limits the RAM here, and who can raise it; a GPU's own memory comes with the GPU."""
    ram = report.snapshot.ram
    remarks = []
    if isinstance(ram, Ram):
        remarks.append(_limit_of_ram(ram, say))
    elif ram is not None:
        remarks.append(messages.reason(ram, say))
    remarks.append(say("A GPU's own memory cannot be enlarged: more comes with another GPU."))
    room = (
        marked("del what you no longer need, and empty the framework's cache"),
        marked("or restart the kernel"),
    )
    page = _away(say("To get more memory"), report, tuple(remarks), say)
    make_room = paragraph([say("{purpose}:", purpose=say("To make room"))], say)
    stays = say("Restarting the kernel loses its variables; files stay.")
    return page._replace(opening=make_room + listed(escaped(say(one)) for one in room), consequences=(stays,))


def longer(report: Report, say: Say) -> Page:
    """Return what is published of how long machines last here; a kernel sees nothing of it."""
    unseen = say("How long this machine is yours cannot be seen from a kernel.")
    keep = say("Save what matters outside it, again and again, to go on from there.")
    page = _away(say("For longer runs"), report, (unseen, *_ask(report, say), keep), say)
    return page._replace(sections=(published.limits(report.snapshot.platform.service, say),))


def cheaper(report: Report, say: Say) -> Page:
    """Return that a kernel sees no bill, and what gives an accelerator back where that is known."""
    unseen = say("What this machine costs cannot be seen from a kernel.")
    purpose = say("To stop paying")
    if report.snapshot.platform.service is Service.KAGGLE:
        return _on_kaggle(say("To take nothing from the weekly hours"), "None", (unseen,), say)
    return _away(purpose, report, (unseen, *_ask(report, say)), say)


def limit(report: Report, say: Say) -> Page:
    """Return what is published of limits, and what a container's limit on RAM is."""
    ram, service = report.snapshot.ram, report.snapshot.platform.service
    unseen = say("Limits of a service cannot be seen from a kernel.")
    contained = (_limit_of_ram(ram, say),) if isinstance(ram, Ram) and ram.limited_by != "machine" else ()
    remarks = (unseen, *_ask(report, say), *contained)
    sections = (published.limits(service, say),)
    if service is Service.KAGGLE:
        page = _on_kaggle(say("When you hit a limit"), "None", remarks, say)
        return page._replace(sections=sections)
    return _away(say("When you hit a limit"), report, remarks, say)._replace(sections=sections)


def _on_kaggle(purpose: str, kind: str, remarks: tuple[str, ...], say: Say) -> Page:
    """Return Kaggle's way to an accelerator of a kind ("GPU", "TPU", or "None" for none)."""
    menu = next(one for one in facts.other_menus() if one.place == "kaggle")
    choices = [quoted_english(choice) for choice in menu.choices if choice.startswith(kind)]
    verified = say("Kaggle asks for a phone number that it has verified.")
    needs = () if kind == "None" else (verified,)
    return Page(
        purpose,
        (*remarks, *needs),
        steps=(quoted_english(" > ".join(menu.path)), " / ".join(choices), escaped(say("confirm in the dialog"))),
        consequences=(say("Then run again from your first cell."),),
        sections=(published.limits(Service.KAGGLE, say),),
    )


def _away(purpose: str, report: Report, remarks: tuple[str, ...], say: Say) -> Page:
    """Return a page of sentences, with where a machine comes from on this service."""
    service = report.snapshot.platform.service
    where = (say(_WHERE[service]),) if service in _WHERE else ()
    links = _ENTERPRISE_LINKS if service is Service.COLAB_ENTERPRISE else ()
    return Page(purpose, (*where, *remarks), links=links)


def _ask(report: Report, say: Say) -> tuple[str, ...]:
    """Return whom to ask; a Jupyter or a terminal is nobody."""
    service = report.snapshot.platform.service
    if service in _NO_SERVICE:
        return (say("Ask whoever runs this machine."),)
    return (say("{service} may tell, or whoever runs this machine.", service=summary.service_name(service, say)),)


def _limit_of_ram(ram: Ram, say: Say) -> str:
    size = units.size(ram.limit_bytes)
    if ram.limited_by == "machine":
        return say("The machine has {size} RAM: more comes with a larger machine.", size=size)
    return say("This container may use {size} RAM: whoever runs the container can raise that.", size=size)


def _all(sentences: tuple[str, ...], say: Say) -> tuple[str, ...]:
    return tuple(map(say, sentences))
