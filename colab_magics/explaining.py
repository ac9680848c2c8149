"""What is shown below a cell that has run out of memory: which memory, who holds it, what to do."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

from colab_magics import exhaustion, report
from colab_magics.introspection import class_name
from colab_magics.translation import N_
from colab_magics.views import display
from colab_magics.views.render_options import RenderOptions, language_for

if TYPE_CHECKING:
    from colab_magics.model.cells import OutOfMemory

_SWITCHED_OFF = N_("colab_magics explains no more errors in this session: that failed ({error}).")


def explain(error: BaseException, shell: Any, *, language: str) -> bool:
    """Show below the cell what an error says of memory, nothing where it says nothing; False where that failed.

    `language` is the setting. Where there is no memory left for it, nothing is shown.
    """
    try:
        ran_out = exhaustion.recognised(error)
        if ran_out is not None:
            _show(ran_out, shell, RenderOptions(language=language_for(language)))
    except KeyboardInterrupt:
        return True
    except Exception as failure:  # noqa: BLE001 - a mistake of ours in it is no reason to disturb every cell
        if _is_for_lack_of_memory(failure):
            return True
        translate = RenderOptions(language=language_for(language)).translate
        display.print_aside(translate(_SWITCHED_OFF, error=type(failure).__name__))
        return False
    return True


def _is_for_lack_of_memory(failure: Exception) -> bool:
    """Tell whether there was no memory left: CPython's own code says that by a SystemError in places."""
    return isinstance(failure, MemoryError | SystemError) or getattr(failure, "errno", None) == errno.ENOMEM


def _show(ran_out: OutOfMemory, shell: Any, options: RenderOptions) -> None:
    seen = report.out_of_memory(ran_out, shell=shell, shell_class=class_name(type(shell)))
    display.show(seen, options)
