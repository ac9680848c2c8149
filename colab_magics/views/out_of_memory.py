"""How a cell has run out of memory, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics import units
from colab_magics.model import Ram
from colab_magics.model.cells import Memory
from colab_magics.rules import RULES
from colab_magics.units import printable
from colab_magics.views import gpus

if TYPE_CHECKING:
    from colab_magics.model import Snapshot
    from colab_magics.model.cells import OutOfMemory
    from colab_magics.translation import Translator

_RULES = {Memory.RAM: "out_of_ram", Memory.GPU: "out_of_gpu_memory", Memory.TPU: "out_of_tpu_memory"}


def of_report(snapshot: Snapshot) -> OutOfMemory:
    """Return what a report on an error is about."""
    ran_out = snapshot.out_of_memory
    if ran_out is None:
        raise ValueError("this report is not about an error")
    return ran_out


def title(ran_out: OutOfMemory, translate: Translator) -> str:
    """Return the sentence that says which memory it was."""
    return translate(RULES[_RULES[ran_out.memory]].message)


def facts(snapshot: Snapshot, translate: Translator) -> tuple[str, ...]:
    """Return what was asked for, what is left, and on which GPU, in phrases."""
    ran_out = of_report(snapshot)
    asked = None if ran_out.asked_bytes is None else units.size(ran_out.asked_bytes)
    array = None if ran_out.array is None else printable(ran_out.array)
    if asked is not None and array is not None:
        asked = translate("{size} ({array})", size=asked, array=array)
    known = [] if asked is None and array is None else [translate("{size} asked for", size=asked or array)]
    left = _left(snapshot, ran_out, translate)
    known += [] if left is None else [left]
    return tuple(known if ran_out.device is None else [*known, f"cuda:{ran_out.device}"])


def framework_sentences(snapshot: Snapshot, translate: Translator) -> tuple[str, ...]:
    """Return what the frameworks had on the GPUs, where it was a GPU's memory that has run out."""
    ran_out = of_report(snapshot)
    if ran_out.memory is Memory.RAM:
        return ()
    theirs = [one for one in ran_out.frameworks if ran_out.device in (None, one.device)]
    return tuple(gpus.framework_sentence(one, translate) for one in theirs)


def _left(snapshot: Snapshot, ran_out: OutOfMemory, translate: Translator) -> str | None:
    """Return what was left by the error's own words, or what can be allocated now."""
    if ran_out.free_bytes is not None and ran_out.total_bytes is not None:
        free, total = units.gib(ran_out.free_bytes), units.gib(ran_out.total_bytes)
        return translate("{free} of {total} GiB were free", free=free, total=total)
    if ran_out.memory is Memory.RAM and isinstance(snapshot.ram, Ram):
        return translate("{size} can still be allocated", size=units.size(snapshot.ram.headroom_bytes))
    return None


def sentences(snapshot: Snapshot, translate: Translator) -> tuple[str, ...]:
    """Return all of that in sentences, the answer first."""
    known = translate.listed(facts(snapshot, translate))
    first = title(of_report(snapshot), translate)
    return (first, translate("{name}.", name=known)) if known else (first,)
