"""What each choice of Colab's dialog gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from colab_magics.facts.accelerators import is_high_shape
from colab_magics.model import Ram
from colab_magics.views.html import escaped
from colab_magics.views.guide_html import folded, listed, paragraph, present_mark

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from colab_magics.facts import Accelerator
    from colab_magics.model import Snapshot
    from colab_magics.translation import Say

Figures = tuple[float | None, float | None]
"""A figure of the standard shape, and that of the high-RAM one where it is another."""


def is_high_ram(accelerator: Accelerator | None, snapshot: Snapshot) -> bool | None:
    """Tell which of an accelerator's two shapes this machine has; None where there is one, or no way to tell."""
    if accelerator is None or not isinstance(snapshot.ram, Ram):
        return None
    return is_high_shape(accelerator, snapshot.ram.machine.total_bytes)


def table(accelerators: Iterable[Accelerator], present: Accelerator | None, say: Say) -> str:
    """Return what these choices give, with where that is from and when."""
    rows = tuple(accelerators)
    names = (
        say("choice (who gets it)"),
        say("its memory, GiB"),
        say("RAM, GiB"),
        "bfloat16",
        say("units per hour"),
    )
    head = "".join(f'<th scope="col">{escaped(name)}</th>' for name in names)
    body = "".join(_row(one, names[1:], say, is_present=one == present) for one in rows)
    caption = escaped(say("What each choice gives"))
    dates = [say("As read on {date}.", date=_days(one.date for one in rows))]
    seen = _days(one.units_date for one in rows if one.units_date is not None)
    if seen:
        dates.append(say("Compute units as seen on {date}.", date=seen))
    dates.append(say("Prices and availability change."))
    cited = say("Sources")
    sources = listed(f'{escaped(one.menu_name)}: <span lang="en">{escaped(one.source)}</span>' for one in rows)
    return (
        f'<table class="cm-wish-table"><caption>{caption}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        f"{paragraph(dates, say, name='cm-wish-fine')}{folded(cited, sources)}"
    )


def _row(accelerator: Accelerator, names: Sequence[str], say: Say, *, is_present: bool) -> str:
    """Return one choice. Where the page is narrow its cells stand below each other, with the names of the columns."""
    now = present_mark(say) if is_present else ""
    who = say("free, paid") if accelerator.tier == "free" else say("paid")
    bf16 = {True: say("yes"), False: say("no"), None: "-"}[accelerator.supports_bf16]
    memory = (
        "-"
        if accelerator.kind == "none"
        else _figures((accelerator.memory_gib, accelerator.high_ram_memory_gib), "g", say)
    )
    ram = _figures((accelerator.standard_ram_gib, accelerator.high_ram_gib), ".1f", say)
    if accelerator.one_shape:
        one_size = escaped(say("one size"))
        ram += f" <small>{one_size}</small>"
    paid = _figures((accelerator.units_per_hour, accelerator.high_ram_units_per_hour), ".2f", say)
    shown = zip(names, (memory, ram, escaped(bf16), paid), strict=True)
    cells = "".join(f'<td data-label="{escaped(name)}">{cell}</td>' for name, cell in shown)
    return f'<tr><th scope="row">{escaped(accelerator.menu_name)}{now} <small>{escaped(who)}</small></th>{cells}</tr>'


def _figures(figures: Figures, form: str, say: Say) -> str:
    standard, high_ram = figures
    shown = escaped(say("not published") if standard is None else format(standard, form))
    if high_ram is None:
        return shown
    other = escaped(say("{figure} High-RAM", figure=format(high_ram, form)))
    return f"{shown} <small>{other}</small>"


def _days(dates: Iterable[object]) -> str:
    return ", ".join(sorted({str(date) for date in dates}))
